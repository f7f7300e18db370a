"""What is installed with the package asks for no more than to be named: no copyleft, neither strong nor weak."""

import re
from email.parser import Parser
from importlib.metadata import Distribution, distribution

import pytest
from packaging.requirements import Requirement

PERMISSIVE = re.compile(r"\b(?:0BSD|Apache|BSD|HPND|ISC|MIT|PSF|Python Software Foundation|Unlicense)\b")
"""What licences are called that ask for no more; all others fail, also weak copyleft such as MPL, EPL and CDDL."""
WEAK = {"certifi": "local-aws"}
"""Its licence is the MPL-2.0. It is a list of authorities, which requests brings with moto; nothing here changes it."""


def closure(extra: str = "") -> dict[str, Distribution]:
    """The dependencies of this distribution with an extra, and theirs."""
    found: dict[str, Distribution] = {}
    waiting, seen = [("sfn-workers", frozenset({extra}))], set()
    while waiting:
        if (wanted := waiting.pop()) in seen:
            continue
        seen.add(wanted)
        name, extras = wanted
        one = distribution(name)
        found[one.name] = one
        waiting += [
            (needed.name, frozenset(needed.extras))
            for needed in map(Requirement, one.requires or [])
            if not needed.marker or any(needed.marker.evaluate({"extra": extra}) for extra in extras | {""})
        ]
    del found["sfn-workers"]
    return found


def licence(one: Distribution) -> str:
    """What its metadata say of its licence."""
    data = Parser().parsestr(str(one.read_text("METADATA")))
    classifiers = [text for text in data.get_all("Classifier", []) if text.startswith("License ::")]
    return " ".join([data.get("License-Expression", ""), *classifiers]).strip() or data.get("License", "")


def permissive(text: str) -> bool:
    """Whether every licence that is named is; where one may choose, a person has to say so here."""
    named = [term for term in re.split(r" AND | OR | WITH |License :: ", text) if term.strip("() ")]
    return bool(named) and all(PERMISSIVE.search(term) for term in named)


def test_all_that_the_core_needs_is_permissive():
    core = closure()
    assert {"aiobotocore", "pydantic", "structlog"} <= core.keys()
    assert {name: licence(one) for name, one in core.items() if not permissive(licence(one))} == {}


EXTRAS = sorted(set(distribution("sfn-workers").metadata.get_all("Provides-Extra", [])) - {"bench", "lint", "test"})


@pytest.mark.parametrize("extra", EXTRAS)
def test_all_that_an_extra_needs_is_permissive_but_for_one_list(extra: str):
    others = {name for name, one in closure(extra).items() if not permissive(licence(one))}
    assert others == {name for name, home in WEAK.items() if home == extra}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "MPL-2.0 AND MIT",
        "EPL-2.0",
        "CDDL-1.0",
        "GPL-3.0-or-later",
        "License :: OSI Approved :: Mozilla Public License",
    ],
)
def test_what_is_not_permissive_is_seen(text: str):
    assert not permissive(text)
