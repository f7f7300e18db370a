"""The conditions of a Choice."""

from enum import StrEnum
from typing import Annotated, Any

from pydantic import (
    Discriminator,
    Field,
    SerializationInfo,
    SerializerFunctionWrapHandler,
    Tag,
    model_serializer,
    model_validator,
)

from workers.machines.model.base import Part
from workers.machines.model.kinds import JSONATA, Target, Template, Text, Variables


class Family(StrEnum):
    """The type of data that a comparator compares."""

    BOOLEAN = "Boolean"
    NUMERIC = "Numeric"
    STRING = "String"
    TIMESTAMP = "Timestamp"


_ORDERS = ("Equals", "LessThan", "LessThanEquals", "GreaterThan", "GreaterThanEquals")
_ORDERED = (Family.STRING, Family.NUMERIC, Family.TIMESTAMP)
TESTS = ("IsPresent", "IsNull", "IsString", "IsNumeric", "IsBoolean", "IsTimestamp")
"""Comparators of a value's presence and type: they compare with `true` or `false`."""

VALUE_COMPARATORS: dict[str, Family] = {
    "BooleanEquals": Family.BOOLEAN,
    **{f"{family}{order}": family for family in _ORDERED for order in _ORDERS},
    "StringMatches": Family.STRING,
    **dict.fromkeys(TESTS, Family.BOOLEAN),
}
"""Comparators with a constant, and the family that the constant has to be of."""

PATH_COMPARATORS: dict[str, Family] = {
    f"{name}Path": family for name, family in VALUE_COMPARATORS.items() if name.endswith(_ORDERS)
}
"""Comparators with what a path leads to."""

COMPARATORS = VALUE_COMPARATORS.keys() | PATH_COMPARATORS.keys()
OPERATORS = frozenset({"And", "Or", "Not", "Variable", "Condition"})
CONDITION_KEYS = OPERATORS | COMPARATORS


class Comparison(Part):
    """The value at a path, compared: `{"Variable": "$.age", "NumericGreaterThan": 17}`."""

    variable: str
    comparator: str
    """A key of `VALUE_COMPARATORS` or `PATH_COMPARATORS`."""
    value: Any
    """What it compares with: of the comparator's family, or a path."""
    comment: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _read(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        rest = {key: value for key, value in data.items() if key not in COMPARATORS}
        given = [key for key in data if key in COMPARATORS]
        return rest | {"Comparator": given[0], "Value": data[given[0]]} if len(given) == 1 else rest

    @model_serializer(mode="wrap")
    def _write(self, dump: SerializerFunctionWrapHandler, info: SerializationInfo) -> dict[str, Any]:
        plain: dict[str, Any] = dump(self)
        if not info.by_alias:
            return plain
        value = plain.pop("Value")
        return plain | {plain.pop("Comparator"): value}


class And(Part):
    """All of several conditions."""

    conditions: Annotated[list["Condition"], Field(alias="And")]
    comment: str | None = None


class Or(Part):
    """Any of several conditions."""

    conditions: Annotated[list["Condition"], Field(alias="Or")]
    comment: str | None = None


class Not(Part):
    """The opposite of a condition."""

    condition: Annotated["Condition", Field(alias="Not")]
    comment: str | None = None


class Expression(Part):
    """A JSONata expression that gives true or false, or one of the two as it is."""

    condition: str | bool
    comment: str | None = None


def _operator(data: Any) -> str | None:
    if isinstance(data, Part):
        return type(data).__name__
    found = OPERATORS & data.keys() if isinstance(data, dict) else ()
    return {"Variable": "Comparison", "Condition": "Expression"}.get(key := next(iter(found), ""), key or None)


Condition = Annotated[
    Annotated[Comparison, Tag("Comparison")]
    | Annotated[And, Tag("And")]
    | Annotated[Or, Tag("Or")]
    | Annotated[Not, Tag("Not")]
    | Annotated[Expression, Tag("Expression")],
    Discriminator(_operator),
]


class ChoiceRule(Part):
    """A condition, and where the Choice goes when it holds. In ASL the condition's keys stand among the rule's."""

    condition: Annotated[Condition, Field(alias="Rule")]
    next: Annotated[str, Target()]
    comment: Annotated[str | None, Text()] = None
    assign: Annotated[dict[str, Any] | None, Variables()] = None
    output: Annotated[Any, Template(), JSONATA] = None

    @model_validator(mode="before")
    @classmethod
    def _read(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        condition = {key: value for key, value in data.items() if key in CONDITION_KEYS}
        return {key: value for key, value in data.items() if key not in CONDITION_KEYS} | {"Rule": condition}

    @model_serializer(mode="wrap")
    def _write(self, dump: SerializerFunctionWrapHandler, info: SerializationInfo) -> dict[str, Any]:
        plain: dict[str, Any] = dump(self)
        return plain.pop("Rule") | plain if info.by_alias else plain
