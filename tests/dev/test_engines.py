"""Where the loop runs machines: on an engine that it starts itself, or on AWS, which an engine plays here."""

import socket
from contextlib import suppress
from pathlib import Path

import pytest

from tests.account import ROLE, Account, unique
from tests.dev.conftest import handlers
from tests.dev.remains import processes_in, registered
from tests.dev.terminal import dev, save
from workers.local import LocalStepFunctions

WAITS = "import pathlib, time\n    while not pathlib.Path('go').exists(): time.sleep(0.01)\n    return 'on AWS'"


def answers(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=2):
        return True
    return False


@pytest.mark.slow
def test_without_an_engine_it_starts_its_own_and_ends_it(folder: Path, free_tcp_port: int) -> None:
    assert not answers(free_tcp_port)
    # the default port is one for the whole machine, on which other tests may run an engine
    with dev(folder, "--machine", "adder.yaml", port=None, WORKERS_LOCAL_PORT=str(free_tcp_port)) as terminal:
        terminal.shows(f"Step Functions at http://127.0.0.1:{free_tcp_port}, started here", "SUCCEEDED", "3\r\n")
        assert answers(free_tcp_port)
        save(folder / "handlers.py", handlers("return 'again'"))
        terminal.shows("handlers.py saved", "SUCCEEDED", "again")
        assert terminal.quit() == 0
    assert not answers(free_tcp_port)
    assert processes_in(folder) == []


@pytest.mark.slow
def test_quitting_while_the_next_process_starts_says_nothing_of_it(folder: Path, free_tcp_port: int) -> None:
    with dev(folder, "--machine", "adder.yaml", port=None, WORKERS_LOCAL_PORT=str(free_tcp_port)) as terminal:
        terminal.shows("SUCCEEDED", "3\r\n")  # from here on the next process starts, in front of an engine that ends
        assert terminal.quit() == 0
        assert "Traceback" not in terminal.text
    assert processes_in(folder) == []


@pytest.mark.slow
async def test_on_aws_with_the_role_that_is_named(folder: Path, engine: LocalStepFunctions, account: Account) -> None:
    namespace = unique("t")
    save(folder / "handlers.py", handlers(WAITS))
    arguments = ("--machine", "adder.yaml", "--aws", "--role", ROLE, "--namespace", namespace)
    with dev(folder, *arguments, port=None, **engine.environment()) as terminal:
        terminal.shows("Step Functions at us-east-1, 123456789012", "Add  task")
        (name, _) = await registered(engine.port, namespace)
        found = await account.client.describe_state_machine(
            stateMachineArn=f"arn:aws:states:us-east-1:123456789012:stateMachine:{name}"
        )
        assert found["roleArn"] == ROLE
        (folder / "go").touch()
        terminal.shows("SUCCEEDED", "on AWS")
        assert terminal.quit() == 0
    assert await registered(engine.port, namespace) == []
    assert processes_in(folder) == []
