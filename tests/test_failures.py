"""An exception becomes what SendTaskFailure takes, whatever the exception is."""

import json
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import workers
from interceptors.chain import compose
from interceptors.heartbeat import Heartbeat
from tests.ids import shown
from workers.errors import CAUSE_LIMIT, NAME_LIMIT, ActivityError, ErrorName
from workers.failures import Failure, failure, refusal


def raised(error: BaseException) -> Failure:
    with pytest.raises(type(error)) as caught:
        raise error
    return failure(caught.value)


def cause(found: Failure) -> dict[str, Any]:
    assert len(found.cause.encode()) <= CAUSE_LIMIT
    return json.loads(found.cause)


def test_the_class_names_the_error_and_the_cause_tells_its_story():
    found = raised(ValueError("no such order"))
    assert found.error == "ValueError"
    described = cause(found)
    assert described["errorType"] == "ValueError"
    assert described["errorMessage"] == "no such order"
    assert described["stackTrace"][0] == "Traceback (most recent call last):"
    assert described["stackTrace"][-1] == "ValueError: no such order"
    assert any("raise error" in line for line in described["stackTrace"])


def test_a_failure_does_not_show_its_cause_in_logs():
    assert repr(raised(ValueError("secret"))) == "Failure(error='ValueError')"


def test_the_error_before_is_part_of_the_story():
    def both() -> None:
        try:
            _ = {}["key"]
        except KeyError as error:
            raise RuntimeError("no config") from error

    with pytest.raises(RuntimeError) as caught:
        both()
    trace = "\n".join(cause(failure(caught.value))["stackTrace"])
    assert "KeyError: 'key'" in trace
    assert "RuntimeError: no config" in trace


class NamedError(Exception):
    error_name = "Order.Missing"


class NumberedError(Exception):
    error_name = 404


class NamelessError(Exception):
    error_name = ""


@pytest.mark.parametrize(
    ("error", "name"),
    [
        (NamedError("gone"), "Order.Missing"),
        (NumberedError("gone"), "NumberedError"),
        (NamelessError("gone"), "NamelessError"),
        (ActivityError("Card.Declined", "no"), "Card.Declined"),
        (ActivityError(ErrorName.PAYLOAD_MISSING), "Worker.PayloadMissing"),
        (SystemExit(3), "SystemExit"),
        (KeyboardInterrupt(), "KeyboardInterrupt"),
        (ActivityError("x" * 300), "x" * NAME_LIMIT),
        (ActivityError("\ud800" + "x"), "\\ud800x"),
    ],
    ids=shown,
)
def test_the_name_is_the_errors_own_or_that_of_its_class(error: BaseException, name: str):
    assert raised(error).error == name


@pytest.mark.parametrize(
    ("own", "sent"),
    [
        ("plain words", "plain words"),
        ({"code": 51, "who": "Zoë"}, '{"code": 51, "who": "Zoë"}'),
        ([1, None], "[1, null]"),
        (0, "0"),
        ("", ""),
        ({"at": Path("a")}, json.dumps({"at": repr(Path("a"))})),
        ({(1, 2): 3}, "{(1, 2): 3}"),
        ("\ud800", "\\ud800"),
    ],
    ids=shown,
)
def test_an_activity_error_may_bring_its_cause(own: Any, sent: str):
    assert raised(ActivityError("Mine", cause=own)).cause == sent


def test_a_cause_that_is_too_long_is_cut_between_characters():
    found = raised(ActivityError("Mine", cause="€" * CAUSE_LIMIT))
    assert found.cause == "€" * (CAUSE_LIMIT // 3)


def test_a_cause_of_another_librarys_error_is_not_taken_for_ours():
    class SchemaError(Exception):
        """As in jsonschema, whose errors hold the exception that caused them in `cause`."""

        cause = ValueError("the format is wrong")

    described = cause(raised(SchemaError("bad document")))
    assert described["errorMessage"] == "bad document"
    assert described["stackTrace"]


class HostileError(Exception):
    """An exception that fails at everything it is asked."""

    @property
    def error_name(self) -> str:
        raise RuntimeError("no name")

    @property
    def cause(self) -> str:
        raise RuntimeError("no cause")

    def __str__(self) -> str:
        raise RuntimeError("no message")

    __repr__ = __str__


def test_an_exception_that_cannot_be_asked_anything_still_fails_only_its_task():
    found = raised(HostileError())
    assert found.error == "HostileError"
    assert cause(found)["errorMessage"] == "(its message cannot be shown: RuntimeError)"


def test_a_cause_that_cannot_be_shown_still_fails_only_its_task():
    found = raised(ActivityError("Mine", cause={"what": HostileError()}))
    assert found.error == "Mine"
    assert "cannot be shown" in found.cause


def test_a_subclass_that_forgets_to_call_its_parent_still_has_a_name():
    class ForgetfulError(ActivityError):
        def __init__(self) -> None:
            pass

    assert raised(ForgetfulError()).error == "ForgetfulError"


def test_a_class_with_an_endless_name_still_fits():
    endless = type("E" * 100_000, (Exception,), {})
    found = raised(endless("why"))
    assert found.error == "E" * NAME_LIMIT
    assert cause(found)["errorMessage"] == "why"


def test_a_long_message_leaves_room_for_the_stack():
    described = cause(raised(ValueError("x" * 100_000)))
    assert described["errorMessage"].startswith("x" * 20_000)
    assert described["errorMessage"].endswith("… (cut)")
    assert any("raise error" in line for line in described["stackTrace"])


def test_a_message_that_json_makes_longer_is_kept_as_far_as_it_fits():
    described = cause(raised(ValueError("\x00" * 30_000)))
    assert described["errorMessage"].startswith("\x00" * 4_000)


def test_a_long_stack_keeps_its_ends():
    def deep(left: int) -> None:
        if left:
            shallow(left)
        raise ValueError("at the bottom")

    def shallow(left: int) -> None:
        deep(left - 1)

    with pytest.raises(ValueError, match="at the bottom") as caught:
        deep(300)
    described = cause(failure(caught.value))
    assert described["errorMessage"] == "at the bottom"
    assert described["stackTrace"][0] == "Traceback (most recent call last):"
    assert "… (cut)" in described["stackTrace"]
    assert described["stackTrace"][-1] == "ValueError: at the bottom"


async def beaten(handler: Any) -> list[str]:
    """The stack trace of what `handler` raises, with the heartbeat interceptor around it."""
    run = SimpleNamespace(beating=lambda _: nullcontext())
    try:
        await compose([Heartbeat()], handler)(SimpleNamespace(run=run))  # type: ignore[arg-type]
    except Exception as error:
        return cause(failure(error))["stackTrace"]
    raise AssertionError("it raised nothing")


async def test_the_stack_leaves_out_our_own_frames():
    async def handler(_: Any) -> None:
        raise ValueError("mine")

    trace = await beaten(handler)
    assert any("test_failures.py" in line for line in trace)
    assert not any("heartbeat.py" in line for line in trace)


async def test_a_neighbour_with_a_name_like_ours_is_not_ours():
    neighbour = Path(workers.__file__).parent.parent / "workers_of_ours" / "handlers.py"
    namespace: dict[str, Any] = {}
    exec(compile("async def handler(task):\n    raise ValueError('mine')", str(neighbour), "exec"), namespace)
    assert any(str(neighbour) in line for line in await beaten(namespace["handler"]))


async def test_the_stacks_inside_a_group_leave_out_our_own_frames_too():
    async def one(_: Any) -> None:
        raise ValueError("one")

    async def handler(_: Any) -> None:
        errors = []
        for _ in range(2):
            try:
                await compose([Heartbeat()], one)(SimpleNamespace(run=SimpleNamespace(beating=lambda _: nullcontext())))
            except ValueError as error:
                errors.append(error)
        raise ExceptionGroup("both", errors)

    trace = await beaten(handler)
    assert sum("ValueError: one" in line for line in trace) == 2
    assert not any("heartbeat.py" in line for line in trace)


def test_a_refusal_has_no_stack():
    assert refusal(ErrorName.SHUTTING_DOWN, "stopped") == Failure(
        "Worker.ShuttingDown",
        json.dumps({"errorType": "Worker.ShuttingDown", "errorMessage": "stopped", "stackTrace": []}),
    )


@given(
    st.text(max_size=200) | st.text(st.sampled_from('a"\\\x00\n€😀\ud800')),
    st.integers(1, 40_000),
    st.lists(st.text(max_size=50), max_size=3),
)
def test_no_text_makes_a_cause_too_long_or_broken(text: str, times: int, notes: list[str]):
    error = ValueError(text * times)
    for note in notes:
        error.add_note(note * 1_000)
    described = cause(raised(error))
    assert set(described) == {"errorType", "errorMessage", "stackTrace"}
    described["errorMessage"].encode()  # sendable


@given(
    st.recursive(st.none() | st.floats() | st.text() | st.binary(), lambda inner: st.lists(inner) | st.sets(st.text()))
)
def test_no_cause_of_a_handler_is_too_strange(own: Any):
    sent = raised(ActivityError("Mine", cause=own)).cause
    assert len(sent.encode()) <= CAUSE_LIMIT


@given(st.text())
def test_no_name_is_too_strange(name: str):
    sent = raised(ActivityError(name)).error
    assert 0 < len(sent) <= NAME_LIMIT
    sent.encode()
