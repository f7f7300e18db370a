"""The image, made without a container engine: its steps are played in an empty folder."""

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deploy.files import DEPLOY, ROOT
from workers.local import LocalStepFunctions
from workers.version import __version__

NOBODY = 65534
HERE = re.compile(r"(?<![\w.])/(opt/workers|build|app)\b")
"""The folders that the steps name; here they lie below the image's root."""


def interpreter() -> Path | None:
    """A Python that every user may run, as the one of an image: this one may lie in somebody's home."""
    for candidate in (Path(sys.executable).resolve(), Path("/usr/bin/python3")):
        ways = [*candidate.resolve().parents, candidate.resolve()]
        if candidate.exists() and (os.getuid() or all(way.stat().st_mode & 0o001 for way in ways)):
            return candidate
    return None


def steps(dockerfile: Path) -> list[tuple[str, str]]:
    from dockerfile_parse import DockerfileParser

    with dockerfile.open("rb") as file:
        return [(step["instruction"], step["value"]) for step in DockerfileParser(fileobj=file).structure]


class Image:
    """A folder that becomes the file system of an image, below `place`, and of each of its stages before.

    All stages lie at the same path while they are made, because what pip installs names the path where it lies.
    """

    def __init__(self, place: Path) -> None:
        self.place = place
        self.root = place / "root"
        self.stage = ""
        self.arguments: dict[str, str] = {}
        self.environment = {"HOME": "/nonexistent"}
        self.folder = self.root
        self.entry: list[str] = []

    def inside(self, text: str) -> str:
        """`text` with the image's folders where they are here."""
        return HERE.sub(lambda found: f"{self.root}/{found[1]}", text)

    def begin(self, base: str, stage: str) -> None:
        """A stage: nothing but Python, or what was made before, which deploy/example is built on."""
        if base.startswith("python:"):
            if self.stage:
                self.root.rename(self.place / self.stage)
            (self.root / "python").mkdir(parents=True)
            (self.root / "python" / "python").symlink_to(str(interpreter()))
            self.environment = {"HOME": "/nonexistent"}
            self.folder = self.root
        self.stage = stage

    def play(self, instruction: str, value: str, context: Path) -> None:
        for name, given in self.arguments.items():
            value = value.replace(f"${{{name}}}", given)
        if instruction == "FROM":
            base, _, stage = value.partition(" AS ")
            self.begin(base, stage)
        elif instruction == "ARG":
            name, _, default = value.partition("=")
            self.arguments[name] = default
        elif instruction == "WORKDIR":
            self.folder = Path(self.inside(value))
            self.folder.mkdir(parents=True, exist_ok=True)
        elif instruction == "COPY":
            self.copy(value, context)
        elif instruction == "RUN":
            path = f"{self.root}/python:{os.environ['PATH']}"
            command = ["bash", "-euc", self.inside(value)]
            subprocess.run(command, cwd=self.folder, env={**os.environ, "PATH": path}, check=True, capture_output=True)
        elif instruction == "ENV":
            for word in shlex.split(value):
                name, _, said = word.partition("=")
                self.environment[name] = self.inside(said).replace("$PATH", os.environ["PATH"])
        elif instruction == "ENTRYPOINT":
            self.entry = eval(value)

    def copy(self, value: str, context: Path) -> None:
        """From another stage as it is; from here what .dockerignore lets through."""
        if value.startswith("--from="):
            stage, made, target = value.removeprefix("--from=").split()
            shutil.copytree(self.place / stage / made.strip("/"), self.inside(target), symlinks=True)
            return
        *sources, target = value.split()
        for source in (context / name for name in sources):
            to = self.folder / self.inside(target)
            if source.is_dir():
                shutil.copytree(source, to, ignore=shutil.ignore_patterns("__pycache__"), dirs_exist_ok=True)
            else:
                shutil.copy(source, to)


@pytest.fixture(scope="module")
def image() -> Iterator[Image]:
    place = Path(tempfile.mkdtemp(prefix="image-"))  # not below pytest's folder, which only its owner may enter
    place.chmod(0o755)
    made = Image(place)
    for instruction, value in steps(DEPLOY / "Dockerfile"):
        made.play(instruction, value, ROOT)
    for instruction, value in steps(DEPLOY / "example" / "Dockerfile"):
        made.play(instruction, value, DEPLOY / "example")
    shutil.rmtree(place / "build")  # nothing of it may be needed any more
    subprocess.run(["chmod", "-R", "a-w,a+rX", str(place)], check=True)
    yield made
    subprocess.run(["chmod", "-R", "u+w", str(place)], check=True)
    shutil.rmtree(place)


def start(image: Image, *arguments: str, environment: dict[str, str], where: str = "app") -> subprocess.Popen[bytes]:
    """The entry point as a user who owns nothing, in a folder where nothing can be written."""
    user = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.getuid() == 0 else {}
    return subprocess.Popen(
        [*image.entry, *arguments],
        cwd=image.root / where,
        env={**image.environment, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        **user,
    )


def becomes_ready(url: str, patience: float = 30) -> None:
    """Waits until the page answers with 200."""
    end = time.monotonic() + patience
    while True:
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except OSError:  # nobody listens yet, or it says that it is starting
            if time.monotonic() > end:
                raise
            time.sleep(0.1)


pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="the image is one of Linux"),
    pytest.mark.skipif(not interpreter(), reason="no Python here that every user may run"),
]


def test_the_entry_point_works_as_nobody_on_a_read_only_tree(image: Image):
    done = start(image, "--version", environment={})
    assert done.communicate(timeout=60)[0].decode().strip() == f"workers, version {__version__}"


def test_a_worker_in_it_is_alive_and_drains_on_sigterm(image: Image, engine: LocalStepFunctions, unused_tcp_port: int):
    environment = {**engine.environment(), "WORKERS_HEALTH_PORT": str(unused_tcp_port)}
    worker = start(image, "run", "handlers:registry", "--namespace", "image", environment=environment)
    try:
        becomes_ready(f"http://127.0.0.1:{unused_tcp_port}/livez")
        becomes_ready(f"http://127.0.0.1:{unused_tcp_port}/readyz")
        worker.send_signal(signal.SIGTERM)  # to dumb-init, which hands it on
        said = worker.communicate(timeout=60)[0].decode()
        assert worker.returncode == 0, said
        assert "worker stopped" in said
    finally:
        worker.kill()
        worker.wait()


def test_nothing_is_in_it_that_does_not_belong_there(image: Image):
    assert {path.name for path in image.root.iterdir()} == {"app", "opt", "python"}
    assert [path.name for path in (image.root / "app").iterdir()] == ["handlers.py"]
    packages = next((image.root / "opt" / "workers" / "lib").glob("python*")) / "site-packages"
    assert {"workers", "interceptors", "uvloop"} <= {path.name for path in packages.iterdir()}
    assert not {"tests", "pytest", "moto", "mypy"} & {path.name for path in packages.iterdir()}
