"""The Amazon States Language: one scenario for each part; the recorded cases of AWS go further."""

import asyncio
import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.account import Account
from tests.local.helpers import Activity, history


def chain(**states: Any) -> dict[str, Any]:
    """A machine of states one after the other."""
    names = list(states)
    following = [{"Next": name} for name in names[1:]] + [{"End": True}]
    ends = (
        {} if state["Type"] in {"Choice", "Succeed", "Fail"} else next_
        for state, next_ in zip(states.values(), following, strict=True)
    )
    return {"StartAt": names[0], "States": {n: {**s, **e} for (n, s), e in zip(states.items(), ends, strict=True)}}


async def test_pass_moves_data(account: Account):
    machine = chain(
        First={"Type": "Pass", "Result": {"a": 1}, "ResultPath": "$.made"},
        Second={"Type": "Pass", "Parameters": {"sum.$": "States.MathAdd($.made.a, $.x)", "kept.$": "$.x"}},
        Third={"Type": "Pass", "OutputPath": "$.sum"},
    )
    assert await account.output(machine, {"x": 41}) == 42


@pytest.mark.parametrize(("x", "way"), [(1, "Small"), (10, "Large"), ("text", "Text"), (None, "Other")])
async def test_choice(account: Account, x: Any, way: str):
    number = {"Variable": "$.x", "IsNumeric": True}
    rules = [
        {"And": [number, {"Variable": "$.x", "NumericLessThan": 5}], "Next": "Small"},
        {"And": [number, {"Not": {"Variable": "$.x", "NumericLessThan": 5}}], "Next": "Large"},
        {"Variable": "$.x", "StringMatches": "te*", "Next": "Text"},
    ]
    machine: dict[str, Any] = chain(Which={"Type": "Choice", "Choices": rules, "Default": "Other"})
    machine["States"] |= {
        name: {"Type": "Pass", "Result": name, "End": True} for name in ("Small", "Large", "Text", "Other")
    }
    assert await account.output(machine, {"x": x}) == way


async def test_choice_without_a_match(account: Account):
    machine: dict[str, Any] = chain(
        Which={"Type": "Choice", "Choices": [{"Variable": "$.x", "NumericEquals": 1, "Next": "One"}]}
    )
    machine["States"]["One"] = {"Type": "Succeed"}
    error, cause = await account.failure(machine, {"x": 2})
    assert error == "States.Runtime"
    assert "'Which' (entered at the event id #2). Failed to transition out of the state." in cause["text"]


async def test_wait_succeed_and_fail(account: Account):
    waited = await account.run(
        chain(Wait={"Type": "Wait", "SecondsPath": "$.seconds"}, Done={"Type": "Succeed"}), {"seconds": 1}
    )
    assert waited["status"] == "SUCCEEDED"
    assert (waited["stopDate"] - waited["startDate"]).total_seconds() >= 1
    error, cause = await account.failure(
        chain(Fail={"Type": "Fail", "Error": "Own", "CausePath": "$.why"}), {"why": "so"}
    )
    assert (error, cause) == ("Own", {"text": "so"})


async def test_wait_until_a_time_in_utc(account: Account, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    until = f"{datetime.now(UTC) + timedelta(seconds=2):%Y-%m-%dT%H:%M:%SZ}"
    ended = await account.run(chain(Wait={"Type": "Wait", "Timestamp": until}))
    monkeypatch.undo()
    time.tzset()
    assert ended["status"] == "SUCCEEDED"
    assert ended["stopDate"] >= datetime.fromisoformat(until)


async def test_parallel_runs_its_branches_side_by_side(activity: Activity, account: Account):
    branches = [{"StartAt": f"Work{n}", "States": {f"Work{n}": activity.state(Parameters={"n": n})}} for n in range(3)]
    execution = await account.start(chain(Fork={"Type": "Parallel", "Branches": branches}), {})
    tasks = [await activity.task() for _ in range(3)]  # all at once: no branch waits for another
    for token, value in reversed(tasks):
        await activity.succeed(token, value["n"] * 10)
    assert json.loads((await account.ended(execution))["output"]) == [0, 10, 20]


async def test_a_branch_that_fails_ends_the_others(activity: Activity, account: Account):
    branches = [{"StartAt": f"Work{n}", "States": {f"Work{n}": activity.state()}} for n in range(2)]
    machine: dict[str, Any] = chain(
        Fork={"Type": "Parallel", "Branches": branches, "Catch": [{"ErrorEquals": ["Broken"], "Next": "After"}]},
        After=activity.state(),
    )
    del machine["States"]["Fork"]["Next"]
    machine["States"]["Fork"]["End"] = True
    execution = await account.start(machine, {})
    (one, _), (other, _) = await activity.task(), await activity.task()
    await activity.fail(one)
    after, value = await activity.task()
    assert value["Error"] == "Broken"
    with pytest.raises(Exception, match="TaskTimedOut"):
        await activity.succeed(other)
    await activity.succeed(after, "after")
    assert (await account.ended(execution))["output"] == '"after"'
    events = await history(account, execution)
    assert events[events.index("ParallelStateFailed") :] == [
        "ParallelStateFailed",
        "ParallelStateExited",
        "TaskStateEntered",
        "ActivityScheduled",
        "ActivityStarted",
        "ActivitySucceeded",
        "TaskStateExited",
        "ExecutionSucceeded",
    ]


async def test_map_keeps_the_order_of_its_items(activity: Activity, account: Account):
    each = {
        "Type": "Map",
        "ItemsPath": "$.items",
        "MaxConcurrency": 2,
        "ItemSelector": {"item.$": "$$.Map.Item.Value", "index.$": "$$.Map.Item.Index", "all.$": "$.all"},
        "ItemProcessor": {"StartAt": "Work", "States": {"Work": activity.state()}},
        "ResultPath": "$.results",
    }
    execution = await account.start(chain(Each=each), {"items": ["a", "b", "c", "d"], "all": True})
    (one, first), (two, second) = await activity.task(), await activity.task()
    assert await activity.poll() is None  # MaxConcurrency
    await activity.succeed(two, second["item"] * 2)
    for _ in range(2):
        token, value = await activity.task()
        await activity.succeed(token, value["item"] * 2)
    assert first["all"] is True
    await activity.succeed(one, first["item"] * 2)
    assert json.loads((await account.ended(execution))["output"])["results"] == ["aa", "bb", "cc", "dd"]


async def test_an_iteration_that_fails_ends_the_others(activity: Activity, account: Account):
    processor = {"StartAt": "Work", "States": {"Work": activity.state()}}
    caught = [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.error", "Next": "After"}]
    machine = chain(
        Each={"Type": "Map", "ItemsPath": "$.items", "ItemProcessor": processor, "Catch": caught},
        After={"Type": "Wait", "Seconds": 1},
    )
    execution = await account.start(machine, {"items": list(range(5))})
    tokens = [(await activity.task())[0] for _ in range(5)]
    await activity.fail(tokens[2])
    assert json.loads((await account.ended(execution))["output"])["error"]["Error"] == "Broken"
    events = await history(account, execution)
    assert events.count("MapIterationFailed") == 1
    assert events.count("MapIterationAborted") == 4
    assert "MapIterationAborted" not in events[events.index("MapStateFailed") :]
    for token in tokens:
        with pytest.raises(Exception, match="TaskTimedOut"):
            await activity.succeed(token)


async def test_a_map_over_more_items_than_python_may_recurse(account: Account):
    processor = {"StartAt": "Same", "States": {"Same": {"Type": "Pass", "End": True}}}
    machine = chain(Each={"Type": "Map", "ItemProcessor": processor, "MaxConcurrency": 1})
    items = list(range(1_100))
    assert await account.output(machine, items) == items


async def test_intrinsic_functions(account: Account):
    functions = {
        "text.$": "States.Format('{} of {}', $.a, $.b)",
        "parsed.$": "States.StringToJson($.json)",
        "array.$": "States.Array($.a, $.b)",
        "parts.$": "States.StringSplit('a,b', ',')",
        "range.$": "States.ArrayRange(1, 9, 4)",
        "has.$": "States.ArrayContains(States.Array(1, 2), 2)",
        "hash.$": "States.Hash('x', 'SHA-256')",
        "merged.$": "States.JsonMerge($.one, $.two, false)",
        "encoded.$": "States.Base64Encode('hi')",
        "accents.$": "States.Format('é{}', $.b)",
    }
    value = {"a": 1, "b": "x", "json": '{"deep": [1]}', "one": {"p": 1, "q": 1}, "two": {"q": 2}}
    output = await account.output(chain(Work={"Type": "Pass", "Parameters": functions}), value)
    assert output == {
        "text": "1 of x",
        "parsed": {"deep": [1]},
        "array": [1, "x"],
        "parts": ["a", "b"],
        "range": [1, 5, 9],
        "has": True,
        "hash": "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881",
        "merged": {"p": 1, "q": 2},
        "encoded": "aGk=",
        "accents": "éx",
    }


async def test_the_context_object(account: Account):
    fields = (
        "Execution.Id",
        "Execution.Name",
        "Execution.Input",
        "Execution.RoleArn",
        "Execution.StartTime",
        "Execution.RedriveCount",
        "StateMachine.Id",
        "StateMachine.Name",
        "State.Name",
        "State.EnteredTime",
    )
    machine = chain(Work={"Type": "Pass", "Parameters": {f"{field}.$": f"$$.{field}" for field in fields}})
    execution = await account.start(machine, {"x": 1})
    output = json.loads((await account.ended(execution))["output"])
    assert output["Execution.Id"] == execution
    assert output["Execution.Name"] == execution.rpartition(":")[2]
    assert output["Execution.Input"] == {"x": 1}
    assert output["Execution.RedriveCount"] == 0
    assert output["StateMachine.Id"].endswith(output["StateMachine.Name"])
    assert output["State.Name"] == "Work"
    for moment in (output["State.EnteredTime"], output["Execution.StartTime"]):
        assert len(moment) == len("2024-12-31T23:59:59.123Z")


async def test_variables(account: Account):
    machine = chain(
        Assign={"Type": "Pass", "Assign": {"who.$": "$.name", "n": 2}},
        Use={"Type": "Pass", "Parameters": {"text.$": "States.Format('{} {}', $who, $n)"}},
    )
    execution = await account.start(machine, {"name": "Ada"})
    assert json.loads((await account.ended(execution))["output"]) == {"text": "Ada 2"}
    exited = await account.reached(execution, "PassStateExited")
    assert exited["stateExitedEventDetails"]["assignedVariables"] == {"who": '"Ada"', "n": "2"}


@pytest.mark.parametrize("name", ["Ada", 'with "quotes"', "back\\slash", "line\nbreak", "é{%"])
async def test_jsonata(account: Account, name: str):
    machine = {
        "QueryLanguage": "JSONata",
        **chain(
            Assign={"Type": "Pass", "Assign": {"who": "{% $states.input.name %}"}},
            Use={
                "Type": "Pass",
                "Output": {
                    "sum": "{% $sum($states.context.Execution.Input.items.price) %}",
                    "who": "{% $who %}",
                    "many": "{% $count($states.input.items) > 1 %}",
                },
            },
        ),
    }
    value = {"name": name, "items": [{"price": 1.5}, {"price": 2}]}
    assert await account.output(machine, value) == {"sum": 3.5, "who": name, "many": True}


async def test_jsonata_arguments_of_an_activity(activity: Activity, account: Account):
    machine = {
        "QueryLanguage": "JSONata",
        **chain(Work=activity.state(Arguments={"double": "{% $states.input.x * 2 %}"})),
    }
    machine["States"]["Work"]["Output"] = "{% $states.result.answer %}"
    execution = await account.start(machine, {"x": 21})
    token, value = await activity.task()
    assert value == {"double": 42}
    await activity.succeed(token, {"answer": "yes"})
    assert (await account.ended(execution))["output"] == '"yes"'


async def test_definitions_in_two_languages_at_once(account: Account):
    jsonata = {"QueryLanguage": "JSONata", **chain(Work={"Type": "Pass", "Output": "{% $states.input.x + 1 %}"})}
    jsonpath = chain(Work={"Type": "Pass", "Parameters": {"y.$": "$.x"}, "OutputPath": "$.y"})
    outputs = await asyncio.gather(
        *(account.output(machine, {"x": n}) for n in range(8) for machine in (jsonata, jsonpath))
    )
    assert outputs == [output for n in range(8) for output in (n + 1, n)]
