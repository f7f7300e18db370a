"""Test groups 54 to 58 of the embedded workflow manager that came before; 59 is in `tests/commands`."""

import asyncio
import json
from functools import partial
from typing import Any

import pytest

from tests.embedded.conftest import Managers, definition, echo, ended, of_state
from workers.embedded import EmbeddedManager, read_definitions
from workers.errors import RegistrationError
from workers.manager.errors import ConflictError, InvalidError
from workers.manager.model import Status
from workers.task import Task

FUNCTIONS = {"echo": echo}


async def test_54_a_new_definition_is_kept_in_full():
    manager = EmbeddedManager("env", "app", FUNCTIONS)
    given = definition(comment="kept", timeout_seconds=60).model_copy(update={"default_tags": {"a": "b"}})
    created = await manager.create_definition(given)
    assert await manager.definition("hello") == created == (await manager.definitions())[0]
    assert await manager.definition_versions("hello") == [created]
    assert created.state_machine == given.state_machine
    assert (created.version, created.default_tags, created.manager) == (1, {"a": "b"}, "step-functions")


async def test_54_only_a_definition_of_version_minus_1_is_replaced():
    manager = EmbeddedManager("env", "app", FUNCTIONS, definitions=[definition(), definition("draft", version=-1)])
    await manager.create_definition(definition("draft", version=-1, comment="new"))
    found = await manager.definition("draft")
    assert found.state_machine
    assert found.state_machine["comment"] == "new"
    with pytest.raises(ConflictError, match="hello already exists"):
        await manager.create_definition(definition(version=-1))
    with pytest.raises(ConflictError, match="hello already exists"):
        EmbeddedManager("env", "app", FUNCTIONS, definitions=[definition(), definition()])


YAML = b"""
- name: hello
  version: -1.0
  manager: step-functions
  defaultTags: {team: a}
  stateMachine:
    Version: "1.0"
    StartAt: Work
    TimeoutSeconds: 60
    States:
      Work: {Type: Task, Resource: echo, End: true}
"""


def test_55_definitions_are_read_from_yaml():
    (found,) = read_definitions(YAML)
    assert (found.name, found.version, found.default_tags) == ("hello", -1, {"team": "a"})
    assert isinstance(found.state_machine, dict)
    assert found.state_machine["States"]["Work"]["Resource"] == "echo"
    EmbeddedManager("env", "app", FUNCTIONS, definitions=YAML)
    (alone,) = read_definitions(b'{"name": "one", "stateMachine": {}}')
    assert alone.name == "one"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"- name: [", "the definitions: line"),
        (b"just text", "it must be a list of definitions"),
        (b"- name: a", "definition 1: stateMachine: Field required"),
        (b"- {name: '', stateMachine: {}}", "definition 1: name: String should have at least 1 character"),
        (b"- {name: a, version: 1.5, stateMachine: {}}", "definition 1: version"),
        (b"- {name: a, manager: batches, stateMachine: {}}", "definition 1: manager"),
        (b"- {name: a, defaultTags: {x: 1}, stateMachine: {}}", "definition 1: defaultTags.x"),
        (b"- a: 1\n- a: 2\n  a: 3", "line 3"),
    ],
)
def test_55_what_is_malformed_is_an_error(text: bytes, said: str):
    with pytest.raises(InvalidError) as refused:
        read_definitions(text)
    assert said in str(refused.value)


GOOD = [
    {"type": "task", "resource": "echo", "end": True},
    {"type": "pass", "end": True},  # Step Functions takes one without a result
    {"type": "pass", "result": 1, "end": True},
    {"type": "wait", "seconds": 1, "end": True},
    {"type": "succeed"},
    {"type": "fail"},
    {"type": "task", "resource": "callback", "task_key": "$.key", "end": True},
    {
        "type": "map",
        "end": True,
        "iterator": {"start_at": "I", "states": {"I": {"type": "task", "resource": "echo", "end": True}}},
    },
    {
        "type": "parallel",
        "end": True,
        "branches": [{"start_at": "B", "states": {"B": {"type": "task", "resource": "echo", "end": True}}}],
    },
]
BAD = [
    ({"type": "task", "resource": "nobody", "end": True}, "unknown resource 'nobody'; the functions"),
    ({"type": "task", "resource": "lambda:echo", "end": True}, "unknown resource 'lambda:echo'"),
    ({"type": "task", "resource": "arn:aws:states:::sqs:sendMessage", "end": True}, "unknown resource 'arn:aws"),
    ({"type": "task", "end": True}, "resource is missing"),
    ({"type": "choice", "choices": []}, "choices"),
    ({"type": "wait", "end": True}, "seconds"),
    ({"type": "wait", "seconds": 1, "timestamp_path": "$.t", "end": True}, "seconds"),
    ({"type": "parallel", "branches": [], "end": True}, "branches"),  # nor does Step Functions take it
    ({"type": "map", "end": True}, "item_processor"),
    (
        {
            "type": "map",
            "end": True,
            "iterator": {"start_at": "I", "states": {"I": {"type": "task", "resource": "nobody", "end": True}}},
        },
        "state I: unknown resource 'nobody'",
    ),
    (
        {
            "type": "parallel",
            "end": True,
            "branches": [{"start_at": "B", "states": {"B": {"type": "task", "resource": "nobody", "end": True}}}],
        },
        "state B: unknown resource 'nobody'",
    ),
    ({"type": "dance", "end": True}, "dance"),
    ({"type": "task", "resource": "echo"}, "one of next and end is missing"),
    ({"type": "pass", "next": "Nowhere"}, "Nowhere"),
]


@pytest.mark.parametrize("state", GOOD, ids=[str(number) for number in range(len(GOOD))])
def test_56_states_that_are_accepted(state: dict[str, Any]):
    EmbeddedManager("env", "app", FUNCTIONS, definitions=[of_state(**state)])


@pytest.mark.parametrize(("state", "said"), BAD, ids=[str(number) for number in range(len(BAD))])
def test_56_states_that_are_refused(state: dict[str, Any], said: str):
    with pytest.raises(InvalidError) as refused:
        EmbeddedManager("env", "app", FUNCTIONS, definitions=[of_state(**state)])
    assert said in str(refused.value)


def two_tasks(a: Task, b: Task) -> None: ...


def unjson(a: asyncio.Event) -> None: ...


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (None, "function work is None, which cannot be called"),
        ({"a": 1}, "function work is {'a': 1}, which cannot be called"),
        (lambda a, b, /: a, "has several positional-only parameters (a, b): only one can be the input"),
        (
            lambda a, /, b: a,
            "takes the whole input as 'a', so nothing is left for b: give them defaults, or drop the `/`",
        ),
        (lambda *args: args, "takes *args: an input has keys, not positions; name the parameters"),
        (two_tasks, "takes two tasks: there is only one"),
        (unjson, "parameter a has a type that JSON cannot become"),
    ],
)
def test_57_functions_that_can_be_none_are_refused(function: Any, said: str):
    with pytest.raises(RegistrationError) as refused:
        EmbeddedManager("env", "app", {"work": function})
    assert said in str(refused.value)


class OutOfStockError(Exception):
    """An error of the application."""


async def test_57_a_call_echoes_json_and_an_error_has_its_type_and_message(managers: Managers):
    def fails(task: Task) -> None:
        raise OutOfStockError(f"no {task.input['what']}")

    functions = {"echo": echo, "fails": fails, "nothing": lambda: None}
    each = [definition(name, states={"Work": {"type": "task", "resource": name, "end": True}}) for name in functions]
    async with managers(functions, definitions=each) as manager:
        value = {"ü": [1, None, True], "n": 12345678901234567890}
        started = [await manager.start_workflow(name, {"what": value}) for name in ("echo", "fails", "nothing")]
        echoed, failed, nothing = [await ended(manager, workflow.id, history=True) for workflow in started]
        assert echoed.status is Status.SUCCEEDED
        assert json.loads(echoed.output or "") == {"what": value}
        assert failed.status is Status.FAILED
        assert failed.last_job
        assert "OutOfStockError" in (failed.last_job.status_reason or "")
        assert "no {" in (failed.last_job.status_reason or "")
        assert nothing.output == "null"


async def test_58_a_limit_of_1_holds_over_workflows(managers: Managers):
    running = most = 0

    async def slow(number: int) -> int:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.2)
        running -= 1
        return number

    states = {"Work": {"type": "task", "resource": "slow", "end": True}}
    both = [definition("one", states=states), definition("two", states=states)]
    async with managers({"slow": slow}, definitions=both) as manager:
        start = partial(manager.start_workflow)
        started = [await start(name, {"number": number}) for number, name in enumerate(["one", "two"] * 3)]
        ends = await asyncio.gather(*(ended(manager, workflow.id) for workflow in started))
    assert [workflow.output for workflow in ends] == [str(number) for number in range(6)]
    assert most == 1
