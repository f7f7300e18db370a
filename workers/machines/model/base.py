"""What all parts of a definition share."""

from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_pascal

from workers.machines.model.kinds import JSONATA, JSONPATH, Flag, OneOf, PathTo, Target, Template, Text, Variables


class Part(BaseModel):
    """An object of the language: made from and written as ASL, frozen, with its unknown keys kept.

    A field that was not given has AWS's default; `has()` tells `null` from "not given".
    """

    model_config = ConfigDict(frozen=True, strict=True, extra="allow", alias_generator=to_pascal)

    alternatives: ClassVar[tuple[tuple[str, ...], ...]] = ()
    """Groups of keys of which only one may be given."""
    wanted: ClassVar[tuple[tuple[str, ...], ...]] = ()
    """Groups of keys of which one must be given."""

    def has(self, field: str) -> bool:
        """Whether `field` (its Python name) was given, be it as `null`."""
        return field in self.model_fields_set

    def to_asl(self) -> dict[str, Any]:
        """The same part as ASL: only what was given, whatever it was."""
        return self.model_dump(by_alias=True, exclude_unset=True)


class State(Part):
    """What every state has."""

    type: str
    comment: Annotated[str | None, Text()] = None
    query_language: Annotated[str | None, OneOf(("JSONPath", "JSONata"))] = None
    """Overrides the machine's for this state alone: states nested in it have the machine's."""

    def speaks_jsonata(self, machine_language: str | None) -> bool:
        """Whether the state's expressions are JSONata, in a machine whose query language is `machine_language`."""
        return (self.query_language or machine_language) == "JSONata"


class Moving(State):
    """A state that goes on to another or ends."""

    next: Annotated[str | None, Target()] = None
    end: Annotated[bool | None, Flag()] = None

    alternatives: ClassVar[tuple[tuple[str, ...], ...]] = (("Next", "End"),)
    wanted: ClassVar[tuple[tuple[str, ...], ...]] = (("Next", "End"),)


class Choosing(State):
    """A state whose input and output can be chosen from the data."""

    input_path: Annotated[str | None, PathTo(null=True), JSONPATH] = "$"
    output_path: Annotated[str | None, PathTo(null=True), JSONPATH] = "$"
    output: Annotated[Any, Template(), JSONATA] = None


class Assigning(State):
    """A state that can set variables."""

    assign: Annotated[dict[str, Any] | None, Variables()] = None
