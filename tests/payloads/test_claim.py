"""Claims: what is one and what only looks like one. (The hash is checked in test_reload.)"""

import pytest

from workers.payloads.claim import CLAIM_KEY, Claim, Encoding, additions, is_escaped, looks_like_claim
from workers.payloads.errors import PayloadMalformedError

CLAIM = Claim(uri="s3://bucket/prefix/2026-01-02/" + "a" * 64, size=17, sha256="a" * 64)


def test_a_claim_survives_json():
    assert Claim.from_json(CLAIM.to_json()) == CLAIM
    assert CLAIM.to_json() == {
        "workers:claim": 1,
        "uri": "s3://bucket/prefix/2026-01-02/" + "a" * 64,
        "bytes": 17,
        "sha256": "a" * 64,
        "encoding": "json",
    }


@pytest.mark.parametrize("encoding", list(Encoding))
def test_each_encoding_is_known(encoding):
    assert Claim.from_json({**CLAIM.to_json(), "encoding": str(encoding)}).encoding is encoding


@pytest.mark.parametrize("value", [None, 3, "text", [], {}, {"foo": None}, {"foo": "bar"}])
def test_stepwise_cases_24_and_25_what_holds_no_claim_is_none(value):
    assert not looks_like_claim(value)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({CLAIM_KEY: 2}, "version 2"),
        ({CLAIM_KEY: None}, "version None"),
        ({CLAIM_KEY: True}, "version True"),
        ({"uri": 3}, "uri is 3"),
        ({"uri": ""}, "uri is ''"),
        ({"uri": "s3://" + "x" * 3000}, "must be a URI"),
        ({"bytes": "17"}, "bytes '17'"),
        ({"bytes": -1}, "bytes -1"),
        ({"bytes": True}, "bytes True"),
        ({"bytes": 1.5}, "bytes 1.5"),
        ({"sha256": "a" * 63}, "64 hex digits"),
        ({"sha256": "A" * 64}, "64 hex digits"),
        ({"sha256": None}, "64 hex digits"),
        ({"encoding": "pickle"}, "encoding 'pickle'"),
        ({"encoding": None}, "encoding None"),
        ({"encoding": []}, "encoding []"),
    ],
)
def test_a_malformed_claim_is_refused_with_what_is_wrong(change, said):
    with pytest.raises(PayloadMalformedError) as refused:
        Claim.from_json({**CLAIM.to_json(), **change})
    assert said in str(refused.value)
    assert len(str(refused.value)) < 2_500
    assert refused.value.error_name == "Worker.PayloadMalformed"


@pytest.mark.parametrize("missing", ["uri", "bytes", "sha256", "encoding"])
def test_a_claim_lacks_no_field(missing):
    found = CLAIM.to_json()
    del found[missing]
    with pytest.raises(PayloadMalformedError):
        Claim.from_json(found)


def test_keys_that_a_result_path_added_are_told_apart():
    assert additions({**CLAIM.to_json(), "extra": 1, "more": [2]}) == {"extra": 1, "more": [2]}
    assert additions(CLAIM.to_json()) == {}


def test_an_escaped_object_is_no_claim():
    assert is_escaped({CLAIM_KEY: "escaped", "object": {}})
    assert not is_escaped({CLAIM_KEY: "escaped", "object": 3})
    assert not is_escaped({CLAIM_KEY: "escaped"})
    assert not is_escaped(CLAIM.to_json())
