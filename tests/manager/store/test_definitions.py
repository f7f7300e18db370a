"""Definitions and state resources, in every store. Numbers in names are those of the acceptance tests."""

from datetime import timedelta

import anyio
import pytest

from tests.manager.store.conftest import MACHINE
from tests.manager.store.workflows import saved
from workers.manager.errors import ConflictError, NotFoundError
from workers.manager.model import ResourceType, StateResource, WorkflowDefinition, now
from workers.manager.store.interface import Store


async def test_group_01_two_saved_definitions_are_listed(store: Store):
    await store.save_definition(MACHINE)
    await store.save_definition(MACHINE.model_copy(update={"name": "another"}))
    assert [found.name for found in await store.definitions()] == ["another", "greeting"]


async def test_group_02_a_definition_comes_back_by_its_version(store: Store):
    kept = await store.save_definition(MACHINE)
    found = await store.definition("greeting", 0)
    assert found == kept
    assert (found.name, found.version, found.state_machine) == ("greeting", 0, MACHINE.state_machine)
    assert found.default_tags == {"team": "blue"}
    assert found.created_at
    assert abs(now() - found.created_at) < timedelta(seconds=1)
    for name, version in (("greeting", 1), ("nobody", 0), ("nobody", None)):
        with pytest.raises(NotFoundError, match=name if version is None else f"{name}@{version}"):
            await store.definition(name, version)


async def test_group_03_a_name_is_saved_once(store: Store):
    await store.save_definition(MACHINE)
    with pytest.raises(ConflictError, match="greeting"):
        await store.save_definition(MACHINE)


async def test_group_04_an_update_is_the_next_version(store: Store):
    first = await store.save_definition(MACHINE)
    machine = {**(MACHINE.state_machine or {}), "Comment": "changed"}
    second = await store.update_definition(MACHINE.model_copy(update={"state_machine": machine}))
    assert (second.version, second.state_machine) == (1, machine)
    assert second.id != first.id
    assert first.created_at
    assert second.created_at
    assert second.created_at > first.created_at
    latest = await store.definition("greeting")
    assert latest == second
    assert await store.definitions() == [second]
    assert await store.definition_versions("greeting") == [first, second]
    with pytest.raises(NotFoundError, match="nobody"):
        await store.update_definition(MACHINE.model_copy(update={"name": "nobody"}))
    with pytest.raises(NotFoundError, match="nobody"):
        await store.definition_versions("nobody")


async def test_a_version_whose_id_is_known_is_made_once(store: Store):
    first = await store.save_definition(MACHINE, version_id="one")
    assert first.id == "one"
    assert await store.save_definition(MACHINE, version_id="one") == first
    with pytest.raises(ConflictError, match="greeting"):
        await store.save_definition(MACHINE, version_id="two")
    second = await store.update_definition(MACHINE, version_id="two")
    third = await store.update_definition(MACHINE)
    assert await store.update_definition(MACHINE, version_id="two") == second
    assert await store.definition_versions("greeting") == [first, second, third]


async def test_a_version_whose_id_is_known_is_made_once_by_many_at_once(store: Store):
    made: list[WorkflowDefinition] = []

    async def save() -> None:
        made.append(await store.save_definition(MACHINE, version_id="one"))

    async def update() -> None:
        made.append(await store.update_definition(MACHINE, version_id="two"))

    for make in (save, update):
        async with anyio.create_task_group() as group:
            for _ in range(6):
                group.start_soon(make)
    versions = await store.definition_versions("greeting")
    assert made == [versions[0]] * 6 + [versions[1]] * 6
    assert [one.id for one in versions] == ["one", "two"]


async def test_a_definition_keeps_the_schema_of_its_inputs(store: Store):
    schema = {"type": "object", "properties": {"ü": {"enum": [None, 12345678901234567890]}}}
    kept = await store.save_definition(MACHINE.model_copy(update={"input_schema": schema}))
    assert (await store.definition("greeting")).input_schema == kept.input_schema == schema
    assert (await store.workflow((await saved(store, kept)).id)).workflow_definition.input_schema is None


async def test_group_05_a_state_resource_is_saved_found_and_deleted(store: Store):
    given = StateResource(name="greet", namespace="prod", uri="arn:aws:batch:x", type=ResourceType.JOB_DEFINITION)
    kept = await store.save_state_resource(given)
    assert kept.last_updated
    assert await store.state_resource("prod", "greet") == kept
    again = await store.save_state_resource(given.model_copy(update={"uri": "arn:aws:batch:y"}))
    other = await store.save_state_resource(StateResource(name="greet", uri="u"))
    assert await store.state_resources() == [other, again]
    assert await store.state_resources("prod") == [again]
    await store.delete_state_resource("prod", "greet")
    with pytest.raises(NotFoundError, match="prod--greet"):
        await store.state_resource("prod", "greet")
    with pytest.raises(NotFoundError, match="prod--greet"):
        await store.delete_state_resource("prod", "greet")


async def test_many_updates_at_once_make_as_many_versions(store: Store):
    await store.save_definition(MACHINE)
    made: list[int] = []

    async def update() -> None:
        while True:
            try:
                made.append((await store.update_definition(MACHINE)).version)
            except ConflictError:
                continue
            return

    async with anyio.create_task_group() as group:
        for _ in range(10):
            group.start_soon(update)
    assert sorted(made) == list(range(1, 11))
    assert [found.version for found in await store.definition_versions("greeting")] == list(range(11))


async def test_versions_are_marked_as_deprecated_and_nothing_else(store: Store):
    await store.save_definition(MACHINE)
    latest = await store.update_definition(MACHINE)
    await store.deprecate_definition("greeting", 0)
    assert [found.deprecated for found in await store.definition_versions("greeting")] == [True, False]
    await store.deprecate_definition("greeting")
    assert (await store.definition("greeting")).deprecated
    await store.deprecate_definition("greeting", 1, deprecated=False)
    assert await store.definition("greeting") == latest
    with pytest.raises(NotFoundError, match="greeting@7"):
        await store.deprecate_definition("greeting", 7)


async def test_a_definition_is_deleted_only_without_workflows(store: Store, definition: WorkflowDefinition):
    workflow = await saved(store, definition)
    with pytest.raises(ConflictError, match="greeting"):
        await store.delete_definition("greeting")
    await store.delete_workflow(workflow.id)
    await store.delete_definition("greeting")
    assert await store.definitions() == []
    with pytest.raises(NotFoundError, match="greeting"):
        await store.delete_definition("greeting")


async def test_any_text_is_kept_as_it_is(store: Store):
    name = "näme: '\"; DROP TABLE definitions; --\u2028😀"
    machine = {"StartAt": "'", "big": 12345678901234567890, "😀": [None, 1.5, {"": "\\"}]}
    kept = await store.save_definition(WorkflowDefinition(name=name, state_machine=machine, default_tags={"": "é"}))
    assert await store.definition(name) == kept
    assert kept.state_machine == machine
