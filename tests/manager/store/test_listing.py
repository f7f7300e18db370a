"""Lists of workflows, in every store. Numbers in names are those of the acceptance tests."""

from datetime import timedelta
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.manager.store.conftest import MACHINE
from tests.manager.store.workflows import ended, saved
from workers.manager.errors import InvalidPageTokenError
from workers.manager.model import (
    Change,
    Job,
    JobStatus,
    Query,
    Sort,
    Status,
    Workflow,
    WorkflowDefinition,
    WorkflowSummary,
)
from workers.manager.store.cursor import Cursor
from workers.manager.store.interface import Store


async def listed(store: Store, **asked: Any) -> list[str]:
    """The ids on all pages."""
    ids: list[str] = []
    limit = asked.setdefault("limit", 100)
    while True:
        page = await store.workflows(Query(**asked))
        ids += [item.id for item in page.items]
        if page.next_page_token is None:
            return ids
        assert len(page.items) == limit
        asked["page_token"] = page.next_page_token


async def test_group_11_filters_hold_together(store: Store, definition: WorkflowDefinition):
    other = await store.save_definition(MACHINE.model_copy(update={"name": "other"}))
    await saved(store, other)
    queued = await saved(store, definition)
    failed = await ended(store, definition, Status.FAILED)
    resolved = await ended(store, definition, Status.FAILED, resolved_by_user=True)
    succeeded = await ended(store, definition, Status.SUCCEEDED, resolved_by_user=True)
    name = {"workflow_definition_name": "greeting"}
    assert await listed(store, **name) == [succeeded.id, resolved.id, failed.id, queued.id]
    assert await listed(store, **name, status=(Status.FAILED,)) == [resolved.id, failed.id]
    assert await listed(store, **name, status=(Status.FAILED, Status.QUEUED)) == [resolved.id, failed.id, queued.id]
    assert await listed(store, **name, resolved_by_user=True) == [succeeded.id, resolved.id]
    assert await listed(store, **name, resolved_by_user=False) == [failed.id, queued.id]
    assert await listed(store, **name, status=(Status.FAILED,), resolved_by_user=False) == [failed.id]
    assert len(await listed(store)) == 5
    assert await listed(store, workflow_definition_name="nobody") == []


async def test_group_12_a_list_shows_no_more_than_a_summary(store: Store, definition: WorkflowDefinition):
    kept = await ended(store, definition, Status.FAILED, input='{"a": 1}', tags={"a": "b"})
    job = Job(id="1", status=JobStatus.FAILED)
    kept = await store.update_workflow(kept.id, Change(jobs=(job,), last_job=job, output="1", status_reason="x"))
    retry = await saved(store, definition, retry_for=kept.id)
    (found,) = (await store.workflows(Query(status=(Status.FAILED,)))).items
    assert type(found) is WorkflowSummary
    summary = {name: getattr(kept, name) for name in WorkflowSummary.model_fields} | {"retries": (retry.id,)}
    assert {name: getattr(found, name) for name in WorkflowSummary.model_fields} == summary
    assert found.workflow_definition.state_machine is None


async def test_group_13_pages_have_their_size_and_an_end(store: Store, definition: WorkflowDefinition):
    ids = [(await saved(store, definition)).id for _ in range(5)]
    for limit in (1, 2, 5, 6):
        assert await listed(store, limit=limit) == ids[::-1]
        assert await listed(store, limit=limit, oldest_first=True) == ids
    page = await store.workflows(Query(limit=2))
    assert [item.id for item in page.items] == ids[:2:-1]
    await saved(store, definition)
    rest = await store.workflows(Query(limit=5, page_token=page.next_page_token))
    assert [item.id for item in rest.items] == ids[2::-1]
    assert rest.next_page_token is None


async def test_group_13_a_bad_token_is_refused(store: Store, definition: WorkflowDefinition):
    await saved(store, definition)
    await saved(store, definition)
    token = (await store.workflows(Query(limit=1))).next_page_token
    assert token
    for bad in ("x", "é", token[:-2], token + "A", "bnVsbA==", "e30=", "WyJjcmVhdGVkQXQiLDAsIngiLCJ5Il0="):
        with pytest.raises(InvalidPageTokenError):
            await store.workflows(Query(page_token=bad))
    for query in (Query(page_token=token, oldest_first=True), Query(page_token=token, sort=Sort.LAST_UPDATED)):
        with pytest.raises(InvalidPageTokenError, match="another order"):
            await store.workflows(query)


@given(st.builds(Cursor, st.sampled_from(Sort), st.booleans(), st.integers(0, 2**50), st.text()))
def test_group_14_a_token_brings_its_cursor_back(cursor: Cursor):
    assert Cursor.from_token(cursor.token) == cursor
    assert cursor.token.isascii()


def test_group_14_no_token_is_the_first_page():
    assert Cursor.of(Query()) is None
    assert Cursor.of(Query(page_token="")) is None


async def test_lists_by_the_time_of_the_last_change(store: Store, definition: WorkflowDefinition):
    one, two, three = [await saved(store, definition, namespace=space) for space in "aab"]
    two = await store.update_workflow(two.id, Change(status=Status.RUNNING))
    by_change = {"sort": Sort.LAST_UPDATED}
    assert await listed(store, **by_change) == [two.id, three.id, one.id]
    assert await listed(store, **by_change, oldest_first=True, limit=1) == [one.id, three.id, two.id]
    assert await listed(store, **by_change, updated_after=three.last_updated) == [two.id, three.id]
    assert await listed(store, **by_change, namespace="a", workflow_definition_name="greeting") == [two.id, one.id]


async def test_a_text_is_found_in_ids_whether_few_have_it_or_many(store: Store, definition: WorkflowDefinition):
    for number in range(8):
        await saved(store, definition, id=f"order-{number}-{'even' if number % 2 == 0 else 'odd'}")
    await store.update_workflow("order-3-odd", Change(status=Status.FAILED))
    await store.delete_workflow("order-5-odd")
    odd = ["order-7-odd", "order-3-odd", "order-1-odd"]
    for most in (2, 100):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("workers.manager.store.sql.searching.FEW", most)
            assert await listed(store, id_contains="-odd") == odd
            assert await listed(store, id_contains="-odd", limit=1, oldest_first=True) == odd[::-1]
            assert await listed(store, id_contains="-odd", status=(Status.FAILED,)) == ["order-3-odd"]
            assert await listed(store, id_contains="-odd", workflow_definition_name="greeting") == odd
            assert await listed(store, id_contains="er_1") == []
            assert len(await listed(store, id_contains="r-")) == 7


FIELDS: dict[str, list[Any]] = {
    "namespace": ["", "prod"],
    "queue": ["default", "slow"],
    "tags": [{}, {"a": "1"}, {"a": "2", "b": "1"}],
}


async def test_any_filters_together_find_what_they_say(store: Store, definition: WorkflowDefinition):
    other = await store.save_definition(MACHINE.model_copy(update={"name": "other"}))
    statuses = [Status.QUEUED, Status.FAILED, Status.SUCCEEDED]
    kept: list[Workflow] = []
    for n, values in enumerate(product(*FIELDS.values())):
        about, status = (definition, other)[n % 2], statuses[n % 3]
        fields = dict(zip(FIELDS, values, strict=True))
        kept.append(await ended(store, about, status, resolved_by_user=n % 5 == 0, **fields))
    middle = kept[len(kept) // 2]
    asked: list[dict[str, Any]] = [
        {"namespace": "prod"},
        {"namespace": "prod", "queue": "slow"},
        {"queue": "slow", "status": (Status.FAILED,)},
        {"tags": {"a": "1"}},
        {"tags": {"a": "2", "b": "1"}, "namespace": "prod"},
        {"tags": {"b": "1"}, "workflow_definition_name": "other", "resolved_by_user": False},
        {"tags": {"b": "2"}},
        {"created_after": middle.created_at},
        {"created_before": middle.created_at, "tags": {"a": "1"}},
        {"created_after": kept[3].created_at, "created_before": kept[7].created_at, "queue": "default"},
        {"id_contains": middle.id[3:9]},
        {"id_contains": middle.id[:9], "tags": middle.tags},
        {"id_contains": "%"},
        {"id_contains": "_"},
    ]
    for query in asked:
        expected = [workflow.id for workflow in reversed(kept) if matches(workflow, query)]
        assert await listed(store, limit=2, **query) == expected, query


def matches(workflow: Workflow, query: dict[str, Any]) -> bool:
    plain = ("namespace", "queue", "resolved_by_user")
    about = workflow.workflow_definition.name
    return (
        all(getattr(workflow, name) == query[name] for name in plain if name in query)
        and workflow.status in query.get("status", Status)
        and about == query.get("workflow_definition_name", about)
        and workflow.workflow_definition.name
        == query.get("workflow_definition_name", workflow.workflow_definition.name)
        and query.get("tags", {}).items() <= workflow.tags.items()
        and query.get("created_after", workflow.created_at) <= workflow.created_at
        and workflow.created_at < query.get("created_before", workflow.created_at + timedelta(days=1))
        and query.get("id_contains", "") in workflow.id
    )
