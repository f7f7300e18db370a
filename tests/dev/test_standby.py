"""Workers for executions that are started elsewhere."""

from pathlib import Path

import anyio
import pytest

from tests.account import SESSION, unique
from tests.dev.conftest import handlers
from tests.dev.remains import processes_in, registered
from tests.dev.terminal import dev, save
from workers.executions.start import start_execution
from workers.executions.waiting import wait_for_execution
from workers.local import LocalStepFunctions
from workers.settings import Settings
from workers.stepfunctions.account import open_account

WAITS = "import pathlib, time\n    while not pathlib.Path('go').exists(): time.sleep(0.01)\n    return 'old'"


@pytest.mark.slow
async def test_each_execution_is_answered_by_the_code_that_it_began_with(
    folder: Path, engine: LocalStepFunctions
) -> None:
    namespace = unique("t")
    arguments = ("--machine", "adder.yaml", "--standby", "--namespace", namespace)
    save(folder / "handlers.py", handlers(WAITS))
    settings = Settings(local=True, local_port=engine.port, namespace=namespace)
    async with open_account(settings, session=SESSION) as account:
        with dev(folder, *arguments, port=engine.port) as terminal:
            terminal.shows("adder is (adder-dev-[a-z0-9_-]+): start executions of it anywhere")
            machine = terminal.spawned.match[1]
            old = await start_execution(machine, account=account)
            save(folder / "handlers.py", handlers("return 'new'"))
            terminal.shows("handlers.py saved", f"adder is {machine}")
            with anyio.fail_after(30):
                new = await start_execution(machine, wait=True, account=account)
            assert new.output == "new"
            save(folder / "handlers.py", handlers("retrn x"))
            terminal.shows("handlers.py saved", "SyntaxError")
            with anyio.fail_after(30):
                assert (await start_execution(machine, wait=True, account=account)).output == "new"
            (folder / "go").touch()
            with anyio.fail_after(30):
                assert (await wait_for_execution(old, account=account)).output == "old"
            assert terminal.quit() == 0
    assert await registered(engine.port, namespace) == []
    assert processes_in(folder) == []
