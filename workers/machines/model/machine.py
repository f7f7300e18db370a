"""The state machine, and the states that hold state machines: Parallel and Map."""

from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from workers.machines.model.base import Assigning, Choosing, Moving, Part
from workers.machines.model.collections import ItemBatcher, ItemReader, NumberPath, ProcessorConfig, ResultWriter
from workers.machines.model.failures import Failing
from workers.machines.model.kinds import (
    JSONATA,
    JSONPATH,
    MAX_SECONDS,
    Nested,
    Number,
    OneOf,
    PathTo,
    Target,
    Template,
    Text,
    Whole,
)
from workers.machines.model.states import Choice, Fail, Pass, Succeed, Task, Wait

_MANY = 2**53


class Branch(Part):
    """States and where to start among them."""

    comment: Annotated[str | None, Text()] = None
    start_at: Annotated[str, Target()]
    states: Annotated[dict[str, "AnyState"], Nested()]

    def walk(self) -> Iterator[tuple[str, "AnyState"]]:
        """Names and states, each before those nested in it."""
        for name, state in self.states.items():
            yield name, state
            for branch in state.branches if isinstance(state, Parallel) else ():
                yield from branch.walk()
            if isinstance(state, Map):
                yield from state.processor.walk()


class ItemProcessor(Branch):
    """What a Map does with each of its items."""

    processor_config: Annotated[ProcessorConfig | None, Nested()] = None


class Parallel(Choosing, Assigning, Failing, Moving):
    """Runs several branches side by side, each on the same input; its result is the list of theirs."""

    type: Literal["Parallel"]
    branches: Annotated[list[Branch], Nested()]
    parameters: Annotated[Any, Template("object"), JSONPATH] = None
    arguments: Annotated[Any, Template("object"), JSONATA] = None


class Map(Choosing, Assigning, Failing, Moving):
    """Runs the same states for each item of a list; its result is the list of theirs."""

    type: Literal["Map"]
    item_processor: Annotated[ItemProcessor | None, Nested()] = None
    iterator: Annotated[ItemProcessor | None, Nested()] = None
    """The older name of `item_processor`."""
    items_path: Annotated[str | None, PathTo(reference=True), JSONPATH] = "$"
    items: Annotated[Any, Template("array"), JSONATA] = None
    item_selector: Annotated[Any, Template("object")] = None
    parameters: Annotated[Any, Template("object"), JSONPATH] = None
    """The older name of `item_selector`."""
    item_reader: Annotated[ItemReader | None, Nested()] = None
    item_batcher: Annotated[ItemBatcher | None, Nested()] = None
    result_writer: Annotated[ResultWriter | None, Nested()] = None
    max_concurrency: Annotated[int | str, Whole(0, _MANY)] = 0
    """0: no limit of its own."""
    max_concurrency_path: NumberPath = None
    tolerated_failure_count: Annotated[int | str | None, Whole(0, _MANY)] = None
    tolerated_failure_count_path: NumberPath = None
    tolerated_failure_percentage: Annotated[int | float | str | None, Number(0, 100)] = None
    tolerated_failure_percentage_path: NumberPath = None
    label: Annotated[str | None, Text()] = None

    alternatives: ClassVar[tuple[tuple[str, ...], ...]] = (
        *Moving.alternatives,
        ("ItemProcessor", "Iterator"),
        ("ItemSelector", "Parameters"),
        ("MaxConcurrency", "MaxConcurrencyPath"),
        ("ToleratedFailureCount", "ToleratedFailureCountPath"),
        ("ToleratedFailurePercentage", "ToleratedFailurePercentagePath"),
    )
    wanted: ClassVar[tuple[tuple[str, ...], ...]] = (*Moving.wanted, ("ItemProcessor", "Iterator"))

    @property
    def processor(self) -> ItemProcessor:
        """What is done with each item, under whichever name it was given."""
        if processor := self.item_processor or self.iterator:
            return processor
        raise ValueError("this Map has no ItemProcessor: validation refuses such a definition")

    @property
    def distributed(self) -> bool:
        """Whether each iteration is an execution of its own."""
        config = self.processor.processor_config
        return config is not None and config.mode == "DISTRIBUTED"


AnyState = Annotated[
    Pass | Task | Choice | Wait | Succeed | Fail | Parallel | Map,
    Field(discriminator="type"),
]

for _part in (Branch, ItemProcessor, Parallel, Map):
    _part.model_rebuild()  # they were written before the states that they hold

STATE_TYPES: dict[str, type[AnyState]] = {
    "Choice": Choice,
    "Fail": Fail,
    "Map": Map,
    "Parallel": Parallel,
    "Pass": Pass,
    "Succeed": Succeed,
    "Task": Task,
    "Wait": Wait,
}


class StateMachine(Branch):
    """A state machine: a definition in the Amazon States Language, ready to run.

    Made from ASL by `StateMachine.model_validate(asl)`, which takes the definition for valid: `validate()` tells
    whether it is. `to_asl()` gives it back, equal to what it was made from.
    """

    version: Annotated[str, Text()] = "1.0"
    query_language: Annotated[str | None, OneOf(("JSONPath", "JSONata"))] = None
    timeout_seconds: Annotated[int | None, Whole(1, MAX_SECONDS, expression=False, seconds=True)] = None
