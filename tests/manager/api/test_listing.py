"""`GET /workflows`: filters, pages and their header, in the form of the first clients and beyond."""

from typing import Any

import pytest

from tests.manager.api.conftest import Api
from tests.manager.api.test_compatible import ended, kept, started
from tests.manager.conftest import BREAKS, PASSES


async def ids(api: Api, query: str = "") -> list[str]:
    return [one["id"] for one in await api.ok("GET", f"/workflows?limit=100{query}")]


async def test_13_pages_follow_each_other_in_both_directions(api: Api):
    definition = await kept(api)
    made = [(await started(api, definition))["id"] for _ in range(5)]
    for query, wanted in (("", made[::-1]), ("&oldestFirst=true", made)):
        path, found = f"/workflows?workflowDefinitionName={definition['name']}&limit=2{query}", []
        pages = 0
        while path:
            said = await api("GET", path)
            assert said.status == 200
            found += [one["id"] for one in said.json]
            path, pages = said.headers.get("X-Next-Page-Path", ""), pages + 1
            assert not path or path.startswith("/workflows?")
            assert not path or f"workflowDefinitionName={definition['name']}" in path
        assert (found, pages) == (wanted, 3)
    assert len(await api.ok("GET", "/workflows?limit=0")) == 5  # as many as without it: ten


async def test_13_a_bad_page_token_is_refused(api: Api):
    assert "page" in (await api.refused(400, "GET", "/workflows?pageToken=nonsense")).lower()


async def test_12_a_list_is_a_summary(api: Api):
    definition = await kept(api)
    await ended(api, await started(api, definition))
    (one,) = await api.ok("GET", f"/workflows?workflowDefinitionName={definition['name']}&summaryOnly=true")
    assert not one.keys() & {"jobs", "output", "statusReason"}
    assert "stateMachine" not in one["workflowDefinition"]
    assert one["workflowDefinition"]["name"] == definition["name"]


async def test_11_filters(api: Api):
    definition, other = await kept(api, BREAKS), await kept(api, PASSES)
    fine = await ended(api, await started(api, definition, input='{"fine":1}', namespace="a", queue="q"))
    failed = await ended(api, await started(api, definition, tags={"team": "infra", "x": "1"}))
    third = await ended(api, await started(api, other))
    name = f"&workflowDefinitionName={definition['name']}"
    for query, wanted in {
        "": [third, failed, fine],
        name: [failed, fine],
        "&status=failed": [failed],
        "&status=failed&status=succeeded": [third, failed, fine],
        "&status=failed,running": [failed],
        "&resolvedByUser=true": [third, fine],
        "&resolvedByUser=false": [failed],
        f"{name}&resolvedByUser=true&status=succeeded": [fine],
        "&namespace=a": [fine],
        "&queue=q": [fine],
        "&tag=team%3Dinfra": [failed],
        "&tag=team%3Dinfra&tag=x%3D1": [failed],
        "&tag=team%3Dother": [],
        f"&idContains={failed['id'][3:20]}": [failed],
        f"&createdAfter={failed['createdAt']}": [third, failed],
        f"&createdBefore={failed['createdAt']}": [fine],
        f"&createdBefore={failed['createdAt']}&status=failed": [],
    }.items():
        assert await ids(api, query) == [one["id"] for one in wanted], query


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("status=odd", "status"),
        ("limit=10001", "limit"),
        ("limit=x", "limit"),
        ("resolvedByUser=banana", "resolvedByUser"),
        ("createdAfter=yesterday", "createdAfter"),
        ("createdAfter=0001-01-01T00:00:00%2B14:00", "createdAfter"),
        ("sort=name", "sort"),
        ("tag=x", "tag"),
        ("tag=x%3D1&tag=x%3D2", "tag"),
    ],
)
async def test_bad_questions_are_told_which_field_is_wrong(api: Api, query: str, field: str):
    assert (await api.refused(400, "GET", f"/workflows?{query}")).startswith(field)


async def test_counts(api: Api):
    definition = await kept(api, BREAKS)
    await ended(api, await started(api, definition))
    found: list[dict[str, Any]] = await api.ok("GET", "/workflow-counts")
    assert {key: found[0][key] for key in ("workflowDefinitionName", "version", "status", "count")} == {
        "workflowDefinitionName": definition["name"],
        "version": 0,
        "status": "failed",
        "count": 1,
    }
