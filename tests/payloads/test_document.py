"""JSON documents: bytes, places, drafts."""

import copy
from itertools import islice

import pytest

from workers.payloads.claim import Claim
from workers.payloads.document import Draft, encode, nodes
from workers.payloads.errors import PayloadNotJsonError


def test_the_bytes_are_those_that_aws_counts():
    assert encode({"ä": [1, 2.5, None, True]}) == '{"ä":[1,2.5,null,true]}'.encode()


@pytest.mark.parametrize("value", [{1, 2}, float("nan"), float("inf"), b"bytes", object(), "\ud800"])
def test_what_json_cannot_hold_is_refused(value):
    with pytest.raises(PayloadNotJsonError) as refused:
        encode({"key": [value]})
    assert refused.value.error_name == "Worker.InvalidOutput"


def test_a_document_that_holds_itself_is_refused():
    document = []
    document.append(document)
    with pytest.raises(PayloadNotJsonError):
        encode(document)


def test_a_claim_is_written_as_its_object():
    claim = Claim(uri="memory://x/y", size=1, sha256="0" * 64)
    assert encode([claim]) == encode([claim.to_json()])


def test_containers_come_before_what_is_in_them():
    found = list(nodes({"a": [{}, "text"], "b": {"c": []}, "d": 1}))
    places = [place for place, _ in found]
    assert set(places) == {(), ("a",), ("a", 0), ("b",), ("b", "c")}
    assert all(places.index(place[:-1]) < places.index(place) for place in places if place)


def test_scalars_have_no_nodes_unless_asked_for():
    assert list(nodes("text")) == []
    assert list(nodes("text", leaves=(str,))) == [((), "text")]


def test_deep_documents_need_no_recursion():
    document: list = []
    for _ in range(100_000):
        document = [document]
    deepest = max(len(place) for place, _ in islice(nodes(document), 3_000))
    assert deepest == 2_999


def test_a_draft_leaves_the_original_as_it_is():
    document = {"a": {"b": [1, {"c": 2}]}, "d": {"e": 3}}
    before = copy.deepcopy(document)
    draft = Draft(document)
    draft[("a", "b", 1, "c")] = "new"
    draft[("a", "b", 0)] = "first"
    assert draft[("a", "b", 1, "c")] == "new"
    assert draft.document == {"a": {"b": ["first", {"c": "new"}]}, "d": {"e": 3}}
    assert document == before
    assert draft.document["d"] is document["d"], "what does not change is not copied"


def test_a_draft_can_replace_the_whole_document():
    draft = Draft({"a": 1})
    draft[("a",)] = 2
    draft[()] = [3]
    assert draft.document == [3]
