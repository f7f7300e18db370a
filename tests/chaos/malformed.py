"""Inputs that no handler can take: JSON of the wrong form, and what is no JSON."""

import json
from typing import Any

from hypothesis import strategies as st

_SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
_VALUES = st.recursive(_SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=8)
_WORDS = st.text(alphabet=st.characters(categories=("L",)), max_size=20).filter(
    lambda word: word.lower() not in {"nan", "inf", "infinity"}  # pydantic reads numbers of them
)
_DEPTHS = st.integers(900, 3_000) | st.integers(100_000, 131_072)
_SURROGATES = st.integers(0xD800, 0xDFFF).map(lambda code: f"\\u{code:04x}")


def _dumped(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[str]:
    return strategy.map(json.dumps)


def _objects(**members: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Objects with these members, each a strategy of JSON text."""
    return st.fixed_dictionaries(members).map(
        lambda texts: "{" + ", ".join(f'"{name}": {text}' for name, text in texts.items()) + "}"
    )


_ONE = st.just("1")
_NOT_AN_OBJECT = _dumped(_SCALARS | st.lists(_VALUES))
_NO_NUMBER = _dumped(st.none() | _WORDS | st.lists(_VALUES) | st.dictionaries(st.text(), _VALUES))
_WRONG_TYPES = st.one_of(
    _objects(x=_NO_NUMBER),
    _objects(x=st.floats(0.1, 0.9).map(repr)),
    _objects(x=_ONE, y=_NO_NUMBER),
    _objects(x=_ONE, name=_dumped(st.integers() | st.lists(_VALUES))),
    _objects(x=_ONE, items=_dumped(st.lists(_WORDS, min_size=1) | st.integers())),
    _dumped(st.dictionaries(_WORDS.filter(lambda key: key != "x"), _VALUES)),
)
_NESTED = st.one_of(
    _DEPTHS.map(lambda depth: "[" * depth + "]" * depth),
    _DEPTHS.map(lambda depth: '{"x": ' + "[" * depth + "]" * depth + "}"),
    _DEPTHS.map(lambda depth: '{"x": ' * (depth // 6) + "1" + "}" * (depth // 6)),
    _DEPTHS.map(lambda depth: "[" * depth),
)
_LONE_SURROGATES = st.one_of(
    _objects(x=_SURROGATES.map(lambda text: f'"{text}"')),
    _objects(x=_ONE, name=_SURROGATES.map(lambda text: f'"a{text}z"')),
    _SURROGATES.map(lambda text: f'{{"{text}": 1}}'),
)
_HUGE = st.one_of(
    st.integers(5_000, 200_000).map(lambda digits: "9" * digits),
    st.integers(309, 10**6).map(lambda exponent: f"1e{exponent}"),
    st.integers(309, 10**6).map(lambda exponent: f"-7.5E+{exponent}"),
    st.sampled_from(["NaN", "Infinity", "-Infinity"]),
)
_HUGE_NUMBERS = _objects(x=_HUGE) | _objects(x=_ONE, y=_HUGE) | _objects(x=_ONE, items=_HUGE.map("[{}]".format))
_DUPLICATE_KEYS = st.one_of(
    st.tuples(st.integers(), st.integers()).map(lambda pair: '{{"x": {}, "x": {}}}'.format(*pair)),
    st.integers().map(lambda x: f'{{"x": {x}, "y": 1, "\\u0078": {x}}}'),
    st.integers().map(lambda x: f'{{"x": {x}, "more": [{{"a": 1, "b": 2, "a": 1}}]}}'),
)
_CUT_OFF = '{"x": 1, "name": "a fine long string"'
_NO_JSON = st.one_of(
    st.sampled_from(["", " ", '{"x": 1}}', '{"x": 1} {"x": 1}', "{'x': 1}", '{"x": 1,}', '"\\x"', "\0"]),
    st.just("\N{ZERO WIDTH NO-BREAK SPACE}" + '{"x": 1}'),
    st.integers(1, len(_CUT_OFF)).map(lambda length: _CUT_OFF[:length]),
)


def malformed() -> st.SearchStrategy[str]:
    """The text of an input that `handlers.strict` cannot take."""
    return st.one_of(_NOT_AN_OBJECT, _WRONG_TYPES, _NESTED, _LONE_SURROGATES, _HUGE_NUMBERS, _DUPLICATE_KEYS, _NO_JSON)
