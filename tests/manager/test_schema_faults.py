"""No schema and no input is a fault of the service, whatever stands in them."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from workers.manager.errors import InvalidError
from workers.manager.schemas import check_input, check_schema

LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 3),
    st.just(10**400),
    st.floats(allow_nan=False),
    st.sampled_from(
        ["#", "#/a", "#/$defs/a", "#/a/0", "#a", "a", "(", "^(a+)+$", "(?=a)", "integer", "object", "http://["]
    ),
)
WORDS = st.sampled_from(
    [
        "$ref",
        "$dynamicRef",
        "$recursiveRef",
        "$id",
        "id",
        "$anchor",
        "$defs",
        "a",
        "type",
        "properties",
        "patternProperties",
        "additionalProperties",
        "extends",
        "unevaluatedProperties",
        "unevaluatedItems",
        "items",
        "additionalItems",
        "prefixItems",
        "allOf",
        "anyOf",
        "oneOf",
        "not",
        "if",
        "then",
        "contains",
        "enum",
        "const",
        "multipleOf",
        "minimum",
        "pattern",
        "required",
        "uniqueItems",
        "dependencies",
        "dependentSchemas",
        "propertyNames",
        "disallow",
        "(",
        "^(a+)+$",
    ]
)
PARTS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(st.dictionaries(WORDS, inner, max_size=4), st.lists(inner, max_size=3)),
    max_leaves=12,
)
DIALECTS = [
    None,
    "http://json-schema.org/draft-07/schema#",
    "https://json-schema.org/draft/2019-09/schema",
    "http://json-schema.org/draft-03/schema#",
    "http://json-schema.org/draft-04/schema#",
]


@settings(deadline=None, max_examples=300)
@given(
    schema=st.dictionaries(WORDS, PARTS, max_size=5),
    dialect=st.sampled_from(DIALECTS),
    document=PARTS,
)
def test_no_schema_and_no_input_is_a_fault_of_the_service(schema: dict[str, Any], dialect: str | None, document: Any):
    whole = schema if dialect is None else {**schema, "$schema": dialect}
    for check in (lambda: check_schema(whole), lambda: check_input(document, whole)):
        try:
            check()
        except InvalidError:
            continue
