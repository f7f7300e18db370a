"""What the service takes for a definition, and what it says against others."""

from typing import Any

import anyio
import pytest

from tests.account import unique
from tests.manager.conftest import CHAIN, PASSES, defined
from workers.manager.errors import ConflictError, InvalidError, NotFoundError
from workers.manager.manager import LocalManager
from workers.manager.requests import NewWorkflowDefinition


async def refused(manager: LocalManager, machine: Any) -> InvalidError:
    with pytest.raises(InvalidError) as caught:
        await defined(manager, machine)
    return caught.value


def chain(**states: dict[str, Any]) -> dict[str, Any]:
    return {"StartAt": next(iter(states), "a"), "States": states}


PASS = {"Type": "Pass", "End": True}
TASK = {"Type": "Task", "Resource": "x", "End": True}


async def test_versions_are_counted_from_0_and_stay(manager: LocalManager):
    first = await defined(manager, CHAIN, default_tags={"team": "infra"})
    changed = NewWorkflowDefinition(name=first.name, state_machine=PASSES)
    second = await manager.update_definition(changed)
    assert (first.version, second.version) == (0, 1)
    assert first.id != second.id
    assert (await manager.definition(first.name)).state_machine == PASSES
    assert (await manager.definition(first.name, 0)).state_machine == CHAIN
    assert [one.version for one in await manager.definition_versions(first.name)] == [0, 1]
    assert [one.version for one in await manager.definitions()] == [1]


async def test_a_name_is_taken_once(manager: LocalManager):
    first = await defined(manager, PASSES)
    with pytest.raises(ConflictError):
        await defined(manager, PASSES, name=first.name)


async def test_what_does_not_exist_has_no_versions(manager: LocalManager):
    with pytest.raises(NotFoundError):
        await manager.update_definition(NewWorkflowDefinition(name=unique("none"), state_machine=PASSES))


async def test_names_that_would_share_machines_are_refused(manager: LocalManager):
    name = unique("twin")
    await defined(manager, PASSES, name=f"{name}:b")
    with pytest.raises(ConflictError, match="would have the same state machines"):
        await defined(manager, PASSES, name=f"{name}-b")


async def test_of_names_that_would_share_machines_one_is_taken_by_many_at_once(manager: LocalManager):
    name, results = unique("twin"), []

    async def create(sign: str) -> None:
        try:
            results.append((await defined(manager, PASSES, name=f"{name}{sign}b")).name)
        except ConflictError:
            results.append("refused")

    async with anyio.create_task_group() as group:
        for sign in ":- *#?":
            group.start_soon(create, sign)
    assert results.count("refused") == 5
    assert len(await manager.definitions()) == 1


async def test_a_name_that_no_machine_can_have_is_refused_at_once(manager: LocalManager):
    with pytest.raises(InvalidError, match="AWS allows 80"):
        await defined(manager, PASSES, name="n" * 75)


@pytest.mark.parametrize("key", ["aws:team", "AWS:team", "team(s)", "a,b", "line\nend\x00"])
async def test_a_tag_that_no_machine_can_have_is_refused_at_once(manager: LocalManager, key: str):
    with pytest.raises(InvalidError, match="defaultTags: the key"):
        await defined(manager, PASSES, default_tags={key: "x"})


async def test_what_no_answer_could_show_is_refused(manager: LocalManager):
    def nested(levels: int) -> dict[str, Any]:
        value: Any = 1
        for _ in range(levels):
            value = [value]
        return chain(a=PASS | {"Result": value})

    kept = await defined(manager, nested(190))
    workflow = await manager.start_workflow(kept.name)
    whole = workflow.model_copy(update={"workflow_definition": kept})
    assert whole.to_json()["workflowDefinition"] == kept.to_json()
    assert "nested too deeply" in str(await refused(manager, nested(300)))
    assert [one.to_json()["name"] for one in await manager.definitions()] == [kept.name]


async def test_17_what_is_linked_must_be_there(manager: LocalManager):
    error = await refused(manager, chain(a={"Type": "Pass", "Next": "nowhere"}))
    assert "there is no state 'nowhere' here" in str(error)
    assert (await refused(manager, {"StartAt": "", "States": {"a": PASS}})).problems
    assert "StartAt" in str(await refused(manager, {"States": {"a": PASS}}))


async def test_18_choices(manager: LocalManager):
    def choosing(default: str) -> dict[str, Any]:
        rules = [{"Variable": "$.x", "StringEquals": "y", "Next": "b"}]
        return chain(a={"Type": "Choice", "Choices": rules, "Default": default}, b={"Type": "Fail", "Error": "E"})

    await defined(manager, choosing("b"))
    assert "there is no state 'c' here" in str(await refused(manager, choosing("c")))


async def test_19_nested_states(manager: LocalManager):
    branch = {"StartAt": "b", "States": {"b": {"Type": "Pass"}}}
    await refused(manager, chain(a={"Type": "Parallel", "Branches": [branch], "End": True}))
    iterator = {"StartAt": "b", "States": {"b": {"Type": "Pass", "Next": "nowhere"}}}
    await refused(manager, chain(a={"Type": "Map", "Iterator": iterator, "End": True}))


NESTED = {"StartAt": "b", "States": {"b": PASS}}


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        ({"Type": "Map", "Iterator": NESTED, "End": True}, {"Type": "Map", "End": True}),
        (TASK, {"Type": "Task", "End": True}),
        ({"Type": "Parallel", "Branches": [NESTED], "End": True}, {"Type": "Parallel", "Branches": [], "End": True}),
        (
            {"Type": "Parallel", "Branches": [NESTED], "End": True},
            {"Type": "Parallel", "Branches": [{"StartAt": "x", "States": {}}], "End": True},
        ),
        ({"Type": "Wait", "Seconds": 1, "End": True}, {"Type": "Wait", "End": True}),
        (
            {"Type": "Wait", "SecondsPath": "$.x", "End": True},
            {"Type": "Wait", "Seconds": 1, "SecondsPath": "$.x", "End": True},
        ),
        ({"Type": "Fail"}, {"Type": "Fail", "Next": "a"}),
        ({"Type": "Succeed"}, {"Type": "Succeed", "Next": "a"}),
        (PASS, {"Type": "Pass", "End": True, "Next": "a"}),
        (PASS, {"Type": "Dance", "End": True}),
    ],
)
async def test_20_each_type_of_state(manager: LocalManager, good: dict[str, Any], bad: dict[str, Any]):
    await defined(manager, chain(a=good))
    error = await refused(manager, chain(a=bad))
    assert error.problems


@pytest.mark.parametrize("choices", [[], [{"Variable": "$.x", "IsNull": True}]])
async def test_20_a_choice_needs_rules_that_lead_somewhere(manager: LocalManager, choices: list[Any]):
    await refused(manager, chain(a={"Type": "Choice", "Choices": choices, "Default": "b"}, b=PASS))


async def test_all_problems_are_told_at_once(manager: LocalManager):
    error = await refused(manager, chain(a={"Type": "Task", "Next": "c"}, b={"Type": "Wait", "End": True}))
    assert len([problem for problem in error.problems if problem["severity"] == "error"]) >= 3
    assert str(error).startswith("stateMachine: ")


async def test_what_their_validation_let_pass_is_refused(manager: LocalManager):
    circle = chain(a=PASS, b={"Type": "Pass", "Next": "c"}, c={"Type": "Pass", "Next": "b"})
    assert "no way leads to this state" in str(await refused(manager, circle))
    caught = chain(a=TASK | {"Catch": [{"ErrorEquals": ["States.ALL"], "Next": "nowhere"}]})
    assert "there is no state 'nowhere' here" in str(await refused(manager, caught))


async def test_a_machine_may_be_a_text_in_yaml_or_the_notation(manager: LocalManager):
    text = "start_at: a\nstates:\n  a: {type: pass, end: true}\n"
    kept = await defined(manager, text)
    assert kept.state_machine == {"start_at": "a", "states": {"a": {"type": "pass", "end": True}}}
    started = await manager.start_workflow(kept.name)
    assert started.execution_arn
    assert "line 3" not in str(await refused(manager, "a: [1,\nb"))
    assert "is no YAML" in str(await refused(manager, "a: [1,\nb"))


async def test_a_deprecated_definition_starts_nothing_new(manager: LocalManager):
    kept = await defined(manager, PASSES)
    await manager.deprecate_definition(kept.name)
    assert (await manager.definition(kept.name)).deprecated
    with pytest.raises(ConflictError, match="is deprecated"):
        await manager.start_workflow(kept.name)
    await manager.deprecate_definition(kept.name, 0, deprecated=False)
    await manager.start_workflow(kept.name)


async def test_a_definition_is_deleted_when_there_are_no_workflows_of_it(manager: LocalManager):
    kept = await defined(manager, PASSES)
    await manager.start_workflow(kept.name)
    with pytest.raises(ConflictError):
        await manager.delete_definition(kept.name)
    unused = await defined(manager, PASSES)
    await manager.delete_definition(unused.name)
    with pytest.raises(NotFoundError):
        await manager.definition(unused.name)


async def test_batch_runs_nothing_but_jobs(manager: LocalManager):
    with pytest.raises(InvalidError, match="every state is a job"):
        await manager.create_definition(NewWorkflowDefinition(name="old", state_machine=PASSES, manager="batch"))
