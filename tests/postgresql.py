"""A PostgreSQL of the tests' own: from the packages of the distribution, in a directory of its own, gone at the end."""

import ctypes
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_USER = "postgres"
_SETTINGS = {
    "listen_addresses": "",
    "shared_buffers": "32MB",
    "max_connections": "200",
    "fsync": "off",  # the machine does not fail in the middle of a test
}
_SECONDS = 60


@dataclass(frozen=True)
class Server:
    """A server that runs; it listens on a socket in `folder`."""

    programs: Path
    folder: Path
    process: subprocess.Popen[bytes]

    def url(self, name: str) -> str:
        """The URL of a database."""
        return f"postgresql://{_USER}@/{name}?host={self.folder}"

    def create(self, name: str) -> str:
        """Creates a database; gives its URL."""
        self.run("createdb", name)
        return self.url(name)

    def run(self, program: str, *options: str) -> str:
        """What one of PostgreSQL's programs says to its administrator."""
        command = [self.programs / program, "-h", self.folder, "-U", _USER, *options]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def programs() -> Path | None:
    """Where initdb and postgres are, of the newest version; None where there is none."""
    known = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda one: float(one.parts[-3]))
    found = str(known[-1]) if known else shutil.which("initdb")
    return Path(found).parent if found and Path(found).with_name("postgres").exists() else None


def why_not() -> str | None:
    """Why no server can be started here."""
    if programs() is None:
        return "PostgreSQL is not installed: apt-get install postgresql"
    if os.geteuid() == 0 and not _known(_USER):
        return "PostgreSQL does not run as root, and there is no user postgres"
    return None


@contextmanager
def postgresql(**settings: str) -> Iterator[Server]:
    """A server, stopped at the end. `settings` go over those of the tests."""
    home = programs()
    assert home is not None
    folder = Path(tempfile.mkdtemp(prefix="workers-postgresql-"))
    someone: dict[str, Any] = {}
    if os.geteuid() == 0:  # PostgreSQL refuses to run as root
        shutil.chown(folder, _USER, _USER)
        someone = {"user": _USER, "group": _USER, "extra_groups": []}
    data = folder / "data"
    quiet: dict[str, Any] = {"cwd": folder, "stdout": subprocess.DEVNULL, "env": {"PATH": os.environ["PATH"]}}
    options = ("--auth=trust", f"--username={_USER}", "--no-sync", "--locale=C.UTF-8", "--encoding=UTF8")
    subprocess.run([home / "initdb", "-D", data, *options], check=True, **quiet, **someone)
    asked = [part for name, value in (_SETTINGS | settings).items() for part in ("-c", f"{name}={value}")]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [home / "postgres", "-D", data, "-k", folder, *asked],
            preexec_fn=_end_with_parent,  # noqa: PLW1509 - it makes one system call
            **quiet | {"stderr": log}, **someone,
        )  # fmt: skip
    try:
        _wait(home, folder, process)
        yield Server(home, folder, process)
    finally:
        process.send_signal(signal.SIGQUIT)
        process.wait(_SECONDS)
        shutil.rmtree(folder)


def _wait(home: Path, folder: Path, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + _SECONDS
    while subprocess.run([home / "pg_isready", "-q", "-h", folder], check=False).returncode:
        if process.poll() is not None or time.monotonic() > until:
            raise RuntimeError((folder / "log").read_text())
        time.sleep(0.05)


def _end_with_parent() -> None:
    """Killed tests leave no server behind."""
    ctypes.CDLL(None).prctl(1, signal.SIGQUIT)


def _known(user: str) -> bool:
    try:
        pwd.getpwnam(user)
    except KeyError:
        return False
    return True
