"""The shell sessions that the pages show, played on the embedded engine.

Of a page, the blocks that begin with ```{.LANGUAGE file=NAME} are written to an empty folder; those that begin with
```{.bash .run} are run there, one after the other, in one shell, and so are comments that begin with <!-- run. A block
of ```text right after one is what it prints, where a line … stands for any lines. Pictures that a page draws
are those that it shows. The page's port 8080 is a free one.
"""

import asyncio
import os
import re
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from anyio.from_thread import start_blocking_portal

from workers.local import LocalStepFunctions

DOCS = Path(__file__).parents[2] / "docs"
FILE = re.compile(r"^```\{[^\n]* file=(?P<name>[^\s}]+)\}\n(?P<text>.*?)^```$", re.DOTALL | re.MULTILINE)
SESSION = re.compile(
    r"^(?:```\{\.bash \.run\}|<!-- run)\n(?P<commands>.*?)^(?:```|-->)$(?:\n\n```text\n(?P<output>.*?)^```$)?",
    re.DOTALL | re.MULTILINE,
)
PAGES = [str(path.relative_to(DOCS)) for path in sorted(DOCS.rglob("*.md")) if "```{.bash .run}" in path.read_text()]
MARK = "-- the next block --"


def pattern(output: str) -> str:
    """A regular expression for what a page says is printed."""
    return "".join(r"(?:.*\n)*?" if line == "…" else re.escape(line) + r"\n" for line in output.splitlines())


async def play(script: str, folder: Path, engine: LocalStepFunctions) -> str:
    """What the script printed, in a process group that is ended with it."""
    environment = {**os.environ, **engine.environment(), "WORKERS_LOCAL": "true", "COLUMNS": "200"}
    environment["WORKERS_LOCAL_PORT"] = engine.url.rpartition(":")[2]
    environment["PATH"] = f"{Path(sys.executable).parent}:{environment['PATH']}"
    shell = await asyncio.create_subprocess_exec(
        "bash", "-euo", "pipefail", "-c", f"trap 'kill $(jobs -p) 2>/dev/null || true; wait' EXIT\n{script}",
        cwd=folder, env=environment, stdin=asyncio.subprocess.DEVNULL, start_new_session=True,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    try:
        async with asyncio.timeout(120):
            printed, _ = await shell.communicate()
    finally:
        if shell.returncode is None:
            os.killpg(shell.pid, signal.SIGKILL)
            await shell.wait()
    text = printed.decode()
    assert shell.returncode == 0, text
    return text


@pytest.fixture
def engine_of_the_page() -> Iterator[LocalStepFunctions]:
    """An engine of its own: pages have machines of the same names."""
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(LocalStepFunctions(poll_hold=0.3)) as local,
    ):
        yield local


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES)
async def test_the_sessions_of_a_page_print_what_it_says(
    page: str,
    tmp_path: Path,
    engine_of_the_page: LocalStepFunctions,
    unused_tcp_port: int,
    monkeypatch: pytest.MonkeyPatch,
):
    text = (DOCS / page).read_text().replace("127.0.0.1:8080", f"127.0.0.1:{unused_tcp_port}")
    for file in FILE.finditer(text):
        (tmp_path / file["name"]).write_text(file["text"])
    monkeypatch.setenv("WORKERS_SERVE_PORT", str(unused_tcp_port))
    monkeypatch.setenv("WORKERS_MANAGER_URL", f"http://127.0.0.1:{unused_tcp_port}")
    sessions = list(SESSION.finditer(text))
    script = f"echo '{MARK}'\n".join(session["commands"] for session in sessions)
    printed = [part.rstrip("\n") for part in (await play(script, tmp_path, engine_of_the_page)).split(f"{MARK}\n")]
    assert len(printed) == len(sessions)
    for session, output in zip(sessions, printed, strict=True):
        if session["output"]:
            said = "\n".join(
                line for line in output.split("\n") if not re.match(r"\S+Z? .*\[(info|warning)|\{\"", line)
            )
            assert re.fullmatch(pattern(session["output"]), f"{said}\n"), f"{session['commands']}\nprinted:\n{output}"
    for picture in re.findall(r"\.\./images/(\S+)\.svg", text):
        drawn = (tmp_path / f"{picture}.svg").read_text()
        shown = DOCS / "images" / f"{picture}.svg"
        assert shown.read_text() == drawn, f"{shown} is old: draw it anew"
