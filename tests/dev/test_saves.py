"""Fifty saves in a row: every result is that of its own save, and in the end nothing is left."""

import random
import re
import time
from pathlib import Path

import anyio
import pytest

from tests.account import unique
from tests.dev.conftest import handlers
from tests.dev.remains import processes_in, registered
from tests.dev.terminal import dev, save
from workers.local import LocalStepFunctions

SAVES = 50


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_every_result_is_of_its_own_save(
    folder: Path, engine: LocalStepFunctions, tmp_path_factory: pytest.TempPathFactory
) -> None:
    namespace, temporary = unique("t"), tmp_path_factory.mktemp("temporary")
    dice = random.Random(7)
    code = folder / "handlers.py"
    save(code, handlers("return 1000", head="import time"))
    arguments = ("--machine", "adder.yaml", "--namespace", namespace)
    with dev(folder, *arguments, port=engine.port, TMPDIR=str(temporary)) as terminal:
        terminal.shows("SUCCEEDED", "1000")
        for number in range(1001, 1001 + SAVES):
            during = number % 3 == 1  # that is, not the last: what is saved then has to be answered
            # the same size, and often the same second: what deceives caches of compiled files
            body = f"print('begin {number}'); time.sleep({0.9 if during else 0.1}); return {number}"
            save(code, handlers(body, head="import time"))
            terminal.shows("handlers.py saved")
            if during:
                terminal.shows(f"begin {number}")
                await anyio.sleep(dice.uniform(0, 0.3))
                continue
            terminal.shows("SUCCEEDED")
            assert set(re.findall(r"begin (\d+)", terminal.text)) == {str(number)}
            terminal.shows(str(number))
        assert not during
        assert terminal.quit() == 0
    assert await registered(engine.port, namespace) == []
    assert processes_in(folder) == []
    assert list(temporary.iterdir()) == []


@pytest.mark.slow
def test_a_burst_of_saves_ends_with_the_last(folder: Path, engine: LocalStepFunctions) -> None:
    with dev(folder, "--machine", "adder.yaml", port=engine.port) as terminal:
        terminal.shows("SUCCEEDED", "3\r\n")
        for number in range(10):
            (folder / "handlers.py").write_text(handlers(f"return 'burst {number}'"))
            time.sleep(0.01)
        terminal.shows("SUCCEEDED[^✓]*burst 9")
        assert terminal.quit() == 0
