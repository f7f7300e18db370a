"""Which values leave a document, and what is left of it."""

import pytest
import structlog

from workers.errors import UsageError
from workers.payloads import Payloads
from workers.payloads.claim import looks_like_claim
from workers.payloads.document import encode
from workers.payloads.errors import PayloadNotJsonError, PayloadTooLargeError

KIB = 1024


def text(kib: float, letter: str = "x") -> str:
    return letter * int(kib * KIB)


def shape(document, depth=0):
    """The document with "claim" where a claim stands, to compare at a glance."""
    if looks_like_claim(document):
        return "claim"
    if isinstance(document, dict):
        return {key: shape(value) for key, value in document.items()}
    if isinstance(document, list):
        return [shape(value) for value in document]
    return document if len(str(document)) < 30 else "long"


async def test_stepwise_cases_27_and_29_a_document_within_its_budget_stays_as_it_is(payloads: Payloads):
    document = {"foo": "bar", "list": [1, 2]}
    assert await payloads.offload(document) is document
    assert await payloads.offload(document, keys=["foo"]) is document
    assert await payloads.offload(document, keys="all") is document


async def test_stepwise_case_27_a_million_keywords_are_large(payloads: Payloads):
    small = await payloads.offload(["keyword"] * 1_000_000)
    assert looks_like_claim(small)


async def test_auto_takes_the_largest_first_until_the_budget_is_met(payloads: Payloads):
    document = {"a": text(30), "b": text(200), "c": text(100), "d": 1}
    assert shape(await payloads.offload(document)) == {"a": "long", "b": "claim", "c": "claim", "d": 1}
    assert shape(await payloads.offload(document, budget=140 * KIB)) == {"a": "long", "b": "claim", "c": "long", "d": 1}


async def test_auto_finds_large_values_at_any_depth(payloads: Payloads):
    document = {"order": {"id": 7, "scans": [{"page": 1, "image": text(90)}, {"page": 2, "image": text(80)}]}}
    assert shape(await payloads.offload(document)) == {
        "order": {"id": 7, "scans": [{"page": 1, "image": "claim"}, {"page": 2, "image": "claim"}]}
    }


async def test_auto_takes_many_small_values_together(payloads: Payloads):
    rows = [{"id": number, "name": f"name {number}"} for number in range(5_000)]
    assert shape(await payloads.offload({"rows": rows, "count": 5_000})) == {"rows": "claim", "count": 5_000}


async def test_auto_takes_the_whole_document_where_nothing_less_helps(payloads: Payloads):
    document = {f"key {number}": number for number in range(10_000)}
    assert shape(await payloads.offload(document)) == "claim"


async def test_many_large_values_whose_claims_would_not_fit_go_together(payloads: Payloads):
    document = {"pages": [text(8.5) for _ in range(1_000)], "n": 1}
    small = await payloads.offload(document)
    assert shape(small) == {"pages": "claim", "n": 1}
    assert await payloads.reload(small) == document


@pytest.mark.parametrize("document", [text(100), [text(100)], [text(50), text(50)], list(range(50_000))])
async def test_bug_4_1_8_outputs_that_are_no_objects_work_too(payloads: Payloads, document):
    for options in ({}, {"keys": "all"}, {"always": True}):
        small = await payloads.offload(document, **options)
        assert len(encode(small)) < 64 * KIB
        assert await payloads.reload(small) == document


@pytest.mark.parametrize("document", [3, None, "text", True, 1.5, [], {}])
async def test_bug_4_1_8_keys_of_what_has_none_are_ignored(payloads: Payloads, document):
    assert await payloads.offload(document, keys=["foo"], always=True) == document
    assert await payloads.reload(await payloads.offload(document, keys="all", always=True)) == document


async def test_stepwise_case_17_only_the_selected_key_becomes_a_claim(payloads: Payloads):
    assert shape(await payloads.offload({"foo": 3, "bar": "soap"}, keys=["bar"], always=True)) == {
        "foo": 3,
        "bar": "claim",
    }


async def test_stepwise_cases_18_and_28_all_keys_become_claims(payloads: Payloads):
    document = {"x": 1, "y": 1}
    for keys in ("all", ["x", "y"], ["x", "y", "unknown"]):
        small = await payloads.offload(document, keys=keys, always=True)
        assert shape(small) == {"x": "claim", "y": "claim"}
        assert await payloads.reload(small) == document


async def test_keys_name_values_by_path(payloads: Payloads):
    document = {"items": [{"id": 1, "body": "a"}, {"id": 2, "body": "b"}], "body": "c"}
    small = await payloads.offload(document, keys=["$.items[*].body"], always=True)
    assert shape(small) == {"items": [{"id": 1, "body": "claim"}, {"id": 2, "body": "claim"}], "body": "c"}


async def test_of_keys_inside_each_other_the_outer_one_goes(payloads: Payloads):
    small = await payloads.offload({"a": {"b": 1}}, keys=["$.a.b", "a"], always=True)
    assert shape(small) == {"a": "claim"}
    assert await payloads.reload(small) == {"a": {"b": 1}}


async def test_kept_values_stay_with_everything_in_them(payloads: Payloads):
    document = {"status": {"text": text(40)}, "items": [{"id": number, "body": text(20)} for number in range(9)]}
    small = await payloads.offload(document, keep=["$.status", "$.items[*].id"])
    assert small["status"] == document["status"]
    assert [item["id"] for item in small["items"]] == list(range(9))
    assert len(encode(small)) <= 64 * KIB
    assert await payloads.reload(small) == document


async def test_kept_values_stay_also_when_the_document_cannot_fit_then(payloads: Payloads):
    document = {"kept": text(100), "other": text(10), "tiny": 1}
    assert shape(await payloads.offload(document, keep=["kept"])) == {"kept": "long", "other": "claim", "tiny": 1}
    assert shape(await payloads.offload(document, keep=["kept"], keys="all")) == {
        "kept": "long",
        "other": "claim",
        "tiny": "claim",
    }
    assert await payloads.offload(document, keep=["$"]) == document


async def test_what_stands_beside_a_kept_value_goes_piece_by_piece(payloads: Payloads):
    document = {"state": {"code": 1, **{f"field {number}": text(0.5) for number in range(400)}}}
    small = await payloads.offload(document, keep=["$.state.code"], budget=150 * KIB)
    assert small["state"]["code"] == 1
    assert len(encode(small)) <= 150 * KIB
    assert await payloads.reload(small) == document


async def test_a_kept_path_that_leads_nowhere_keeps_nothing(payloads: Payloads):
    assert shape(await payloads.offload({"a": text(100)}, keep=["$.a.b.c", "$.z"])) == {"a": "claim"}


async def test_always_offloads_what_is_small(payloads: Payloads):
    assert shape(await payloads.offload({"x": 1}, always=True)) == "claim"
    assert shape(await payloads.offload({"x": 1, "y": {"z": 2}}, always=True, keep=["x"])) == {"x": 1, "y": {"z": 2}}


async def test_non_ascii_text_counts_in_bytes(payloads: Payloads):
    document = {"text": "ü" * 40_000, "id": 1}  # 40,000 characters, 80,000 bytes
    small = await payloads.offload(document)
    assert shape(small) == {"text": "claim", "id": 1}
    assert small["text"]["bytes"] == 80_002
    assert await payloads.reload(small) == document


async def test_equal_values_are_one_object(payloads: Payloads):
    small = await payloads.offload({"a": text(50), "b": text(50)}, keys="all")
    assert small["a"] == small["b"]


async def test_the_key_is_prefix_date_and_hash(any_payloads: Payloads):
    small = await any_payloads.offload("x", always=True)
    date, name = small["uri"].removeprefix(f"{any_payloads.url}/").split("/")
    assert len(date.split("-")) == 3
    assert name == small["sha256"]


async def test_the_caps_hold_before_anything_is_written():
    async with Payloads("memory://caps", max_object=1_000, max_document=1_500) as capped:
        with pytest.raises(PayloadTooLargeError, match=r"max_object, 1,000"):
            await capped.offload(text(1), always=True)
        with pytest.raises(PayloadTooLargeError, match=r"max_document, 1,500") as refused:
            await capped.offload({"a": "x" * 800, "b": "y" * 800}, keys="all", always=True)
        assert refused.value.error_name == "Worker.PayloadTooLarge"
        assert [folder async for folder in capped.store.folders()] == []


async def test_what_json_cannot_hold_is_refused_by_name(payloads: Payloads):
    with pytest.raises(PayloadNotJsonError, match="object is not a JSON value"):
        await payloads.offload({"a": object()})


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"keys": "some"}, "must be 'auto', 'all' or a list"),
        ({"keep": "a"}, r"must be a list, \['a'\]"),
        ({"keys": ["a"], "keep": ["$.a.b"]}, "both name"),
        ({"keys": ["$.["]}, "cannot be read from"),
        ({"budget": -1}, "budget is -1"),
    ],
)
async def test_options_that_cannot_work_are_refused(payloads: Payloads, options, said):
    with pytest.raises(UsageError, match=said):
        await payloads.offload({}, **options)


@pytest.mark.parametrize(("kib", "percent"), [(100, None), (130, 50), (220, 80), (300, 80)])
async def test_an_output_close_to_awss_limit_is_said_in_the_log(payloads: Payloads, kib, percent):
    with structlog.testing.capture_logs() as logs:
        await payloads.offload({"kept": text(kib)}, keep=["kept"])
    assert [line.get("over_percent") for line in logs] == ([percent] if percent else [])


async def test_the_document_given_is_not_changed(payloads: Payloads):
    document = {"a": [text(100)], "b": {"workers:claim": 1}}
    await payloads.offload(document)
    assert document == {"a": [text(100)], "b": {"workers:claim": 1}}
