"""Whose a registration is: a user, and the process that made it. Written in its tags."""

import getpass
import os
import re
import socket
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from workers.errors import UsageError

_USER = "workers:dev-user"
_HOST = "workers:dev-host"
_PROCESS = "workers:dev-process"
_FORBIDDEN = re.compile(r"[^\w .:/=+@-]")
"""What may not stand in the value of a tag (AWS, "Tag naming limits")."""


@dataclass(frozen=True, kw_only=True)
class Owner:
    """The user, the machine, and the process on it, that a registration belongs to."""

    user: str
    host: str = field(repr=False)
    """Processes of one host know of each other whether they run: containers are hosts of their own."""
    process: str = field(repr=False)
    """The id of the process and when it started, for ids are used again."""

    @classmethod
    def current(cls, user: str | None = None) -> Self:
        """This process. `user`: by default the one who is logged in. Raises `UsageError` where nobody is."""
        return cls(user=_tag(user or _login()), host=_host(), process=_process(os.getpid()) or str(os.getpid()))

    @classmethod
    def of(cls, tags: Mapping[str, str]) -> Self | None:
        """The owner that tags name; None for what nobody's development loop has made."""
        if not {_USER, _HOST, _PROCESS} <= tags.keys():
            return None
        return cls(user=tags[_USER], host=tags[_HOST], process=tags[_PROCESS])

    @property
    def tags(self) -> dict[str, str]:
        """What `of` reads."""
        return {_USER: self.user, _HOST: self.host, _PROCESS: self.process}

    def left(self, other: "Owner") -> bool:
        """Whether what `other` owns was left behind: by the same user, on the same host, by a process that is gone."""
        return (self.user, self.host) == (other.user, other.host) and not other.runs_here

    @property
    def runs_here(self) -> bool:
        """Whether its process runs, on this host."""
        return self.host == _host() and self.process == _process(int(self.process.partition("-")[0]))


def _login() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        raise UsageError("nobody is logged in here: say with --user or USER whose registrations these are") from None


def _host() -> str:
    try:
        namespace = Path("/proc/self/ns/pid").readlink().name.strip("pid:[]")
    except OSError:
        namespace = ""
    return _tag("/".join(filter(None, (socket.gethostname(), namespace))))


def _process(pid: int) -> str | None:
    """Names a process of this host that runs; None where none does."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        started = "" if Path("/proc/self/stat").exists() else _started(pid)
    else:
        started = "" if fields[0] == "Z" else fields[19]
    return f"{pid}-{_tag(started)}" if started else None


def _started(pid: int) -> str:
    """When a process was started, where the system has no /proc."""
    asked = ["ps", "-o", "lstart=", "-p", str(pid)]
    return subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip()  # noqa: S603


def _tag(value: str) -> str:
    return _FORBIDDEN.sub("_", value)[:256]
