"""262,144 bytes of UTF-8, wherever a document comes into being: so many are fine, one more is States.DataLimitExceeded.

Neither States.ALL nor States.TaskFailed names that error. Its own name does: machines in production catch it by that.
"""

import json
from collections.abc import AsyncIterator, Callable
from typing import Any, NamedTuple

import pytest

from tests.account import Account, unique
from tests.local.helpers import Activity, connect, create_machine, history, refused
from workers.local import LocalStepFunctions

LIMIT = 262_144
TEXT = "x" * 130_000
WIDE = "é" * 65_000
TRYING = {"Task", "Parallel", "Map"}


class Case(NamedTuple):
    """A machine's only state, its input, and the document that comes into being in it."""

    state: dict[str, Any]
    given: Any
    document: Any


def size(document: Any) -> int:
    """Bytes as Step Functions counts them."""
    return len(json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode())


def of_size(case: Callable[[str], Case], wanted: int) -> Case:
    """The case with a document of just that size; every case has one that grows byte by byte with what it is given."""
    return case("p" * (wanted - size(case("").document)))


def one_pass(name: str, **fields: Any) -> dict[str, Any]:
    """States that are a single Pass."""
    return {"StartAt": name, "States": {name: {"Type": "Pass", "End": True, **fields}}}


def each(mode: str, **fields: Any) -> dict[str, Any]:
    config = {"Mode": mode} | ({"ExecutionType": "STANDARD"} if mode == "DISTRIBUTED" else {})
    return {"Type": "Map", "ItemProcessor": {**one_pass("P"), "ProcessorConfig": config}, **fields}


def parallel(*branches: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"Type": "Parallel", "Branches": list(branches), **fields}


def results(mode: str) -> Callable[[str], Case]:
    """The outputs of a Map's iterations."""

    def case(more: str) -> Case:
        selector = {"item.$": "$$.Map.Item.Value", "text": TEXT}
        state = each(mode, ItemSelector=selector)
        return Case(state, ["", more], [{"item": item, "text": TEXT} for item in ("", more)])

    return case


def branches(more: str) -> Case:
    state = parallel(one_pass("A", Parameters={"more.$": "$", "text": TEXT}), one_pass("B", Result=TEXT))
    return Case(state, more, [{"more": more, "text": TEXT}, TEXT])


def result_path(more: str) -> Case:
    given = {"more": more, "text": TEXT}
    return Case({"Type": "Pass", "Result": TEXT, "ResultPath": "$.result"}, given, given | {"result": TEXT})


def result_path_of_branches(more: str) -> Case:
    given = {"more": more, "text": TEXT}
    return Case(
        parallel(one_pass("A", Result=TEXT), ResultPath="$.results"),
        given,
        given | {"results": [TEXT]},
    )


def result_selector(more: str) -> Case:
    selector = {"a.$": "$[0]", "b.$": "$[0]", "more": more}
    return Case(parallel(one_pass("A", Result=TEXT), ResultSelector=selector), {}, {"a": TEXT, "b": TEXT, "more": more})


def parameters(more: str) -> Case:
    made = {"a": TEXT, "b": TEXT}
    return Case({"Type": "Pass", "Parameters": made | {"more.$": "$"}}, more, made | {"more": more})


def characters_of_two_bytes(more: str) -> Case:
    made = {"a": WIDE, "b": WIDE}
    return Case({"Type": "Pass", "Parameters": made | {"more.$": "$"}}, more, made | {"more": more})


def parameters_of_branches(more: str) -> Case:
    """Their input, of which little comes out again."""
    made = {"a": TEXT, "b": TEXT}
    state = parallel(one_pass("A", OutputPath="$.more"), Parameters=made | {"more.$": "$"}, ResultSelector={"x": 1})
    return Case(state, more, made | {"more": more})


def item_selector(more: str) -> Case:
    """The input of an iteration."""
    made = {"a": TEXT, "b": TEXT}
    state = each("INLINE", ItemSelector=made | {"more.$": "$$.Map.Item.Value"}, ResultSelector={"x": 1})
    state["ItemProcessor"] |= one_pass("P", Result=1)
    return Case(state, [more], made | {"more": more})


def caught(more: str) -> Case:
    """What a catcher makes of an error."""
    given = {"more": more, "text": TEXT}
    failing = {"StartAt": "F", "States": {"F": {"Type": "Fail", "Error": "E", "Cause": TEXT}}}
    state = parallel(failing, Catch=[{"ErrorEquals": ["E"], "ResultPath": "$.error", "Next": "Caught"}])
    return Case(state, given, given | {"error": {"Error": "E", "Cause": TEXT}})


def output(more: str) -> Case:
    given = {"more": more, "text": TEXT}
    made = {"input": "{% $states.input %}", "again": "{% $states.input.text %}"}
    return Case({"Type": "Pass", "QueryLanguage": "JSONata", "Output": made}, given, {"input": given, "again": TEXT})


def arguments(more: str) -> Case:
    """The input of branches."""
    made = {"a": TEXT, "b": TEXT}
    branch = one_pass("A", QueryLanguage="JSONata", Output=1)
    state = parallel(branch, QueryLanguage="JSONata", Arguments=made | {"more": "{% $states.input %}"}, Output=1)
    return Case(state, more, made | {"more": more})


CASES: dict[str, Callable[[str], Case]] = {
    "results of a Map": results("INLINE"),
    "results of a Distributed Map": results("DISTRIBUTED"),
    "results of a Parallel": branches,
    "ResultPath": result_path,
    "ResultPath of a Parallel": result_path_of_branches,
    "ResultSelector": result_selector,
    "Parameters": parameters,
    "characters of two bytes": characters_of_two_bytes,
    "Parameters of a Parallel": parameters_of_branches,
    "ItemSelector": item_selector,
    "ResultPath of a catcher": caught,
    "Output": output,
    "Arguments": arguments,
}
TRIED = [name for name, case in CASES.items() if case("").state["Type"] in TRYING and case is not caught]
HIDDEN = {"Parameters of a Parallel", "ItemSelector", "Arguments"}
"""Those whose document is the input of something, and is not given on."""


def machine(case: Case, *, names: list[str]) -> dict[str, Any]:
    """A machine of the state, which catches the errors of those names, if it can."""
    state = {"Next": "After", **case.state}
    if names and state["Type"] in TRYING:
        language = {} if state.get("QueryLanguage") else {"ResultPath": "$"}
        state["Catch"] = [*state.get("Catch", []), {"ErrorEquals": names, **language, "Next": "Caught"}]
        again = {"ErrorEquals": ["States.ALL"], "MaxAttempts": 3, "IntervalSeconds": 600}
        state["Retry"] = [] if "E" in str(case.state.get("Catch")) else [again]  # it would be waited for
    end = {"Type": "Pass", "End": True}
    return {"StartAt": "S", "States": {"S": state, "After": end} | ({"Caught": end} if "Catch" in state else {})}


@pytest.mark.parametrize("name", CASES)
async def test_a_document_at_the_limit(account: Account, name: str):
    case = of_size(CASES[name], LIMIT)
    found = await account.output(machine(case, names=["States.ALL"]), case.given)
    assert name in HIDDEN or found == case.document


@pytest.mark.parametrize("name", CASES)
async def test_a_document_one_byte_over_the_limit(account: Account, name: str):
    case = of_size(CASES[name], LIMIT + 1)
    ended = await account.run(machine(case, names=["States.ALL"]), case.given)
    assert (ended["status"], ended["error"]) == ("FAILED", "States.DataLimitExceeded")
    assert "returned a result with a size exceeding the maximum number of bytes service limit." in ended["cause"]
    assert "'S'" in ended["cause"]


@pytest.mark.parametrize("name", TRIED)
async def test_it_is_caught_by_its_own_name(account: Account, name: str):
    case = of_size(CASES[name], LIMIT + 1)
    found = await account.output(machine(case, names=["States.DataLimitExceeded"]), case.given)
    assert found["Error"] == "States.DataLimitExceeded"


async def test_neither_does_a_state_around_match_it(account: Account):
    case = of_size(parameters, LIMIT + 1)
    inner = {"StartAt": "P", "States": {"P": {**case.state, "End": True}}}
    around = Case(parallel(inner), case.given, None)
    ended = await account.run(machine(around, names=["States.TaskFailed", "States.Timeout"]), case.given)
    assert ended["error"] == "States.DataLimitExceeded"
    ended = await account.run(machine(around, names=["States.ALL"]), case.given)
    assert ended["error"] == "States.DataLimitExceeded"
    found = await account.output(machine(around, names=["States.DataLimitExceeded"]), case.given)
    assert "'P'" in found["Cause"]


async def test_a_batch(account: Account):
    """Two items that are too large together make two batches; one that is too large by itself is too large."""
    batcher = {"MaxItemsPerBatch": 2, "BatchInput": {"text": TEXT}}
    state = each("DISTRIBUTED", ItemBatcher=batcher, ResultSelector={"batches.$": "States.ArrayLength($)"})
    state["ItemProcessor"] |= one_pass("P", Result=1)
    definition = machine(Case(state, None, None), names=["States.ALL"])
    room = LIMIT - size({"BatchInput": {"text": TEXT}, "Items": [TEXT, ""]})
    assert await account.output(definition, [TEXT, "p" * room]) == {"batches": 1}
    assert await account.output(definition, [TEXT, "p" * (room + 1)]) == {"batches": 2}
    definition["States"]["S"]["ItemSelector"] = {"text": TEXT, "item.$": "$$.Map.Item.Value"}
    room = LIMIT - size({"BatchInput": {"text": TEXT}, "Items": [{"text": TEXT, "item": ""}]})
    assert await account.output(definition, ["p" * room]) == {"batches": 1}
    assert (await account.run(definition, ["p" * (room + 1)]))["error"] == "States.DataLimitExceeded"


@pytest.mark.parametrize("over", [False, True])
async def test_the_variables_of_one_assign(account: Account, over: bool):
    """Each counts by its value alone."""
    values = {"a": TEXT, "b": "y" * (LIMIT - 130_002 - 2 + over)}
    assert sum(map(size, values.values())) == LIMIT + over
    ended = await account.run(one_pass("S", Assign=values), None)
    assert ended.get("error") == ("States.DataLimitExceeded" if over else None)


@pytest.mark.parametrize("over", [False, True])
async def test_the_input_of_a_task(account: Account, activity: Activity, over: bool):
    made = {"a": TEXT, "more": ""}
    made["more"] = "p" * (LIMIT + over - size(made))
    execution = await account.start({"StartAt": "S", "States": {"S": activity.state(Parameters=made)}}, None)
    if over:
        assert (await account.ended(execution))["error"] == "States.DataLimitExceeded"
        assert "ActivityScheduled" not in await history(account, execution)
    else:
        token, found = await activity.task()
        assert found == made
        await activity.succeed(token)


async def test_the_output_of_a_task(account: Account, activity: Activity):
    """A report that is too large is refused, and the task goes on."""
    execution = await account.start({"StartAt": "S", "States": {"S": activity.state()}}, None)
    token, _ = await activity.task()
    async with refused("ValidationException"):
        await activity.succeed(token, "x" * (LIMIT - 1))
    await activity.succeed(token, "x" * (LIMIT - 2))
    assert len((await account.ended(execution))["output"]) == LIMIT


async def test_the_input_of_an_execution(client: Any):
    arn = await create_machine(client, one_pass("S"))
    async with refused("ValidationException"):
        await client.start_execution(stateMachineArn=arn, input=json.dumps("x" * (LIMIT - 1)))
    started = await client.start_execution(stateMachineArn=arn, input=json.dumps("x" * (LIMIT - 2)))
    assert len((await Account(client).ended(started["executionArn"]))["output"]) == LIMIT


@pytest.fixture
async def own() -> AsyncIterator[Account]:
    """An engine with a Lambda function that gives as much as it is asked for."""
    functions = {"give": lambda wanted: "x" * wanted}
    async with LocalStepFunctions(functions=functions) as local, connect(local) as client:
        yield Account(client)


async def test_the_result_of_a_function(own: Account):
    state = {"Type": "Task", "Resource": "arn:aws:lambda:us-east-1:123456789012:function:give"}
    case = Case(state, None, None)
    assert size(await own.output(machine(case, names=["States.ALL"]), LIMIT - 2)) == LIMIT
    ended = await own.run(machine(case, names=["States.ALL"]), LIMIT - 1)
    assert ended["error"] == "States.DataLimitExceeded"
    found = await own.output(machine(case, names=["States.DataLimitExceeded"]), LIMIT - 1)
    assert found["Error"] == "States.DataLimitExceeded"


async def test_what_a_nested_execution_gives(account: Account):
    """Its output comes with what else there is to say of it, all in one document."""
    inner = await create_machine(account.client, one_pass("S", Parameters={"text": TEXT, "more.$": "$.more"}))
    call = {"StateMachineArn": inner, "Input.$": "$"}
    case = Case(
        {"Type": "Task", "Resource": "arn:aws:states:::states:startExecution.sync:2", "Parameters": call}, None, None
    )
    around = size(await account.output(machine(case, names=[]), {"more": ""}))  # the more is in its input, too
    more, parity = divmod(LIMIT - around, 2)
    assert size(await account.output(machine(case, names=["States.ALL"]), {"more": "p" * more})) == LIMIT - parity
    ended = await account.run(machine(case, names=["States.ALL"]), {"more": "p" * (more + 1)})
    assert ended["error"] == "States.DataLimitExceeded"
    found = await account.output(machine(case, names=["States.DataLimitExceeded"]), {"more": "p" * (more + 1)})
    assert "'states'" in found["Cause"]


async def test_the_items_of_a_file(engine: LocalStepFunctions, account: Account):
    """A file may be as large as it likes; its items may not."""
    bucket = unique("bucket")
    where = {"Bucket": bucket, "Key": "items.json"}
    reader = {"Resource": "arn:aws:states:::s3:getObject", "ReaderConfig": {"InputType": "JSON"}, "Parameters": where}
    state = each("DISTRIBUTED", ItemReader=reader, ResultSelector={"count.$": "States.ArrayLength($)"})
    state["ItemProcessor"] |= one_pass("P", Result=1)
    definition = machine(Case(state, None, None), names=["States.ALL"])
    async with connect(engine, "s3") as s3:
        await s3.create_bucket(Bucket=bucket)
        await s3.put_object(**where, Body=json.dumps(["x" * (LIMIT - 2)] * 3))
        assert await account.output(definition) == {"count": 3}
        await s3.put_object(**where, Body=json.dumps(["x", "x" * (LIMIT - 1)]))
        assert (await account.run(definition))["error"] == "States.DataLimitExceeded"
