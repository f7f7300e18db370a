"""Every module can be imported, first and alone, with no more installed than its room asks for.

That it can be the first follows from `test_floors` already, for no imports go round in a circle; the slow test tries.
"""

import json
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions, requires

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.house.modules import FILES, PACKAGES, ROOT

EXTRAS = {
    "workers.dev": "dev",
    "workers.local": "local",
    "workers.manager.api": "manager",
    "workers.manager.dialects": "manager",
    "workers.manager.serving": "manager",
    "workers.manager.store.sql": "manager",
    "workers.testing": "testing",
    "workers.web": "web",
}
"""Rooms that nobody enters without an extra; every other module makes do with the core's dependencies."""

IMPORT = """
import gc, importlib, json, os, sys, traceback

groups, hidden = json.load(sys.stdin)
gc.disable()

class NotInstalled:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in hidden:
            raise ModuleNotFoundError(f"No module named {name!r} (it belongs to an extra)", name=name)

def forked(work):
    read, write = os.pipe()
    if not (child := os.fork()):
        os.close(read)
        with open(write, "w") as out:
            work(out)
        os._exit(0)
    os.close(write)
    return child, open(read)

def ended(child, answer):
    with answer:
        said = answer.read()
    os.waitpid(child, 0)
    return said

def every(out):
    for name in sum(groups, []):
        try:
            importlib.import_module(name)
        except Exception:
            pass
    print(*(name for name in sys.modules if not ours(name)), file=out)

def ours(name):
    return name.partition(".")[0] in ("workers", "interceptors")

def together(names):
    def work(out):
        for name in names:
            try:
                importlib.import_module(name)
            except BaseException:
                print(f"--- {name}", file=out)
                traceback.print_exc(limit=-3, file=out)
    return work

sys.meta_path.insert(0, NotInstalled())
# What others wrote is imported once, in the parent of all; what is ours is then the first in its process.
for name in ended(*forked(every)).split():
    try:
        importlib.import_module(name)
    except Exception:
        pass
assert not any(ours(name) for name in sys.modules)
running = []
for names in groups:
    running.append(forked(together(names)))
    if len(running) == 2:
        print(end=ended(*running.pop(0)))
for last in running:
    print(end=ended(*last))
"""


def needed(lines: list[str], extras: frozenset[str] = frozenset()) -> Iterator[str]:
    """The distributions that requirements bring with them."""
    for requirement in map(Requirement, lines):
        marker = requirement.marker
        if marker is None or any(marker.evaluate({"extra": extra}) for extra in extras | {""}):
            yield canonicalize_name(requirement.name)
            yield from needed(requires(requirement.name) or [], frozenset(requirement.extras))


def hidden(extra: str | None) -> list[str]:
    """The packages of other distributions: what an installation with `extra`, or with none, has not got."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    asked = project["dependencies"] + (project["optional-dependencies"][extra] if extra else [])
    installed = set(needed(asked))
    return [
        package
        for package, homes in packages_distributions().items()
        if not installed & {canonicalize_name(home) for home in homes} and package not in PACKAGES
    ]


def what_fails(groups: list[list[str]], extra: str | None) -> str:
    """What goes wrong when the modules of each group are imported one after the other, by a process of its own."""
    command = [sys.executable, "-W", "error", "-c", IMPORT]
    asked = json.dumps([groups, hidden(extra)])
    ended = subprocess.run(command, input=asked, capture_output=True, text=True, timeout=300, check=False)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def modules_of(extra: str | None) -> list[str]:
    """The modules that need `extra`, or none."""

    def needs(module: str) -> str | None:
        return next((EXTRAS[room] for room in EXTRAS if f"{module}.".startswith(f"{room}.")), None)

    return [module for module in FILES if needs(module) == extra and module != "workers.__main__"]


INSTALLATIONS = pytest.mark.parametrize(
    "extra", [None, *(pytest.param(extra, marks=pytest.mark.slow) for extra in sorted(set(EXTRAS.values())))]
)


@INSTALLATIONS
def test_modules_need_no_more_than_the_core_and_the_extra_of_their_room(extra: str | None):
    assert what_fails([modules_of(extra)], extra) == ""


@pytest.mark.slow
@pytest.mark.timeout(300)
@INSTALLATIONS
def test_every_module_is_imported_alone(extra: str | None):
    assert what_fails([[module] for module in modules_of(extra)], extra) == ""


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_imports_nothing_but_the_standard_library(package: str):
    bare, loaded = loaded_by("pass"), loaded_by(f"import {package}")  # files of the environment load some, too
    others = {name.partition(".")[0] for name in loaded - bare} - set(sys.stdlib_module_names)
    assert others == {package}
    assert not any(name.startswith(f"{package}.") for name in loaded)


def test_registering_and_making_a_worker_wait_for_no_aws_sdk():
    loaded = loaded_by("from workers import Registry, Worker")
    assert not loaded & {"aiobotocore", "aiohttp", "botocore.session", "rich"}


def loaded_by(program: str) -> set[str]:
    command = [sys.executable, "-I", "-c", f"import sys; {program}; print(*sys.modules)"]
    return set(subprocess.run(command, capture_output=True, text=True, timeout=30, check=True).stdout.split())
