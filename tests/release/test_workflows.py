"""What runs on GitHub: commands that there are, with a browser and a database, and no release without the tests.

`tests/deploy/test_lint.py` reads the files by their published schema.
"""

import re
from typing import Any

import pytest
import yaml

from tests.house.modules import ROOT

WORKFLOWS = {path.stem: yaml.safe_load(path.read_text()) for path in (ROOT / ".github" / "workflows").glob("*.yml")}
JOBS = {f"{name} {job}": found for name, one in WORKFLOWS.items() for job, found in one["jobs"].items()}
MAKEFILE = (ROOT / "Makefile").read_text()


def runs(job: dict[str, Any]) -> list[str]:
    """The commands of a job."""
    return [step["run"] for step in job.get("steps", []) if "run" in step]


@pytest.mark.parametrize("name", JOBS)
def test_a_job_runs_what_there_is_and_ends(name: str):
    job = JOBS[name]
    assert job.get("timeout-minutes", 0) > 0 or "uses" in job
    for command in runs(job):
        for target in re.findall(r"\bmake ([\w-]+)", command):
            assert re.search(rf"^{target}:", MAKEFILE, re.MULTILINE), target
        for file in re.findall(r"(?<!\S)\.ci/[\w.]+", command):
            assert (ROOT / file).exists(), file
    if "uses" in job:
        assert (ROOT / job["uses"]).exists()


@pytest.mark.parametrize(
    "name", [name for name in JOBS if re.search(r"make test|\.ci/run", " ".join(runs(JOBS[name])))]
)
def test_tests_find_their_browser_and_their_database(name: str):
    """They are skipped without, and nobody would know: so a step before them fails."""
    job = JOBS[name]
    wanted = re.fullmatch(r"(\S+) --version && ls (\S+)", runs(job)[0])
    assert wanted
    browser, database = wanted.groups()
    assert f'shutil.which("{browser}")' in (ROOT / "tests" / "web" / "conftest.py").read_text()
    assert database.startswith("/usr/lib/postgresql/")
    assert 'Path("/usr/lib/postgresql").glob("*/bin/initdb")' in (ROOT / "tests" / "postgresql.py").read_text()
    assert job["runs-on"] == "ubuntu-24.04"


def test_nothing_is_published_that_was_not_tested():
    jobs = WORKFLOWS["release"]["jobs"]
    for job, workflow in (("test", "ci"), ("slow", "nightly")):
        assert jobs[job] == {"uses": f"./.github/workflows/{workflow}.yml"}
        assert "workflow_call" in WORKFLOWS[workflow][True]  # YAML 1.1 reads `on` so
    assert (jobs["build"]["needs"], jobs["publish"]["needs"]) == (["test", "slow"], "build")


def test_slow_tests_are_run_by_what_a_release_asks_for():
    assert "make test-slow" in [command for job in WORKFLOWS["nightly"]["jobs"].values() for command in runs(job)]


def test_workflows_may_do_no_more_than_read():
    for name, workflow in WORKFLOWS.items():
        assert workflow["permissions"] == {"contents": "read"}, name
        for job in workflow["jobs"].values():
            assert job.get("permissions", {}) in ({}, {"id-token": "write"})


def test_actions_are_of_a_version_that_is_named():
    used = [step["uses"] for job in JOBS.values() for step in job.get("steps", []) if "uses" in step]
    assert used
    assert [one for one in used if not re.fullmatch(r"[\w-]+/[\w-]+@(v\d+|release/v\d+)", one)] == []
