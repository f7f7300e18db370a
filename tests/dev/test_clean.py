"""`workers dev --clean`: what is deleted, and whose."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import anyio
import pytest

from tests.dev.remains import registered
from tests.processes import WORKERS
from tests.reloaded.conftest import here
from tests.reloaded.test_leftovers import GONE, left_by
from workers.reloaded.owner import Owner
from workers.stepfunctions.account import Account

__all__ = ["here"]
ELSEWHERE = replace(GONE, host="another-container")
"""Who may well run, and be another person of the same name: both are root."""


async def dev(*arguments: str, account: Account) -> "subprocess.CompletedProcess[bytes]":
    """`workers dev`, with these arguments, on the engine and in the namespace of an account."""
    where = ("--local-port", str(account.settings.local_port), "--namespace", str(account.namespace))
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    return await anyio.run_process(
        [sys.executable, *WORKERS, "dev", *where, *arguments], env=environment, check=False, stdin=subprocess.DEVNULL
    )


@pytest.mark.slow
async def test_what_was_left_here_is_deleted_and_named(here: Account) -> None:
    await left_by(GONE, here)
    names = await registered(here.settings.local_port, str(here.namespace))
    done = await dev("--clean", account=here)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.decode().splitlines() == [
        f"{kind} {name}: deleted" for kind, name in zip(("state machine", "activity"), names, strict=True)
    ]
    assert await registered(here.settings.local_port, str(here.namespace)) == []
    assert (await dev("--clean", account=here)).stdout == b"nothing was left behind\n"


@pytest.mark.parametrize(
    ("owner", "arguments", "stays"),
    [
        (ELSEWHERE, (), True),
        (ELSEWHERE, ("--everywhere",), False),
        pytest.param(replace(ELSEWHERE, user="bob"), ("--everywhere",), True, marks=pytest.mark.slow),
        pytest.param(replace(ELSEWHERE, user="bob"), ("--everywhere", "--user", "bob"), False, marks=pytest.mark.slow),
        pytest.param(Owner.current(), ("--everywhere",), True, marks=pytest.mark.slow),
    ],
    ids=["another host's", "asked for", "another person's", "as that person", "running"],
)
async def test_what_is_elsewhere_stays_until_it_is_asked_for(
    here: Account, owner: Owner, arguments: tuple[str, ...], stays: bool
) -> None:
    await left_by(owner, here)
    names = await registered(here.settings.local_port, str(here.namespace))
    assert len(names) == 2
    done = await dev("--clean", *arguments, account=here)
    assert done.returncode == 0
    assert await registered(here.settings.local_port, str(here.namespace)) == (names if stays else [])


@pytest.mark.slow
async def test_everywhere_alone_says_what_it_goes_with(here: Account) -> None:
    done = await dev("--everywhere", account=here)
    assert (done.returncode, done.stdout) == (2, b"")
    assert "goes with --clean" in done.stderr.decode()
