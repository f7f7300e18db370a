"""Where a Map takes its items from and puts its results: the parts around its ItemProcessor."""

from typing import Annotated, Any, ClassVar

from pydantic import Field

from workers.machines.model.base import Part
from workers.machines.model.kinds import (
    JSONATA,
    JSONPATH,
    Nested,
    OneOf,
    PathTo,
    Resource,
    Template,
    Text,
    Texts,
    Whole,
)

_MAX_ITEMS = 100_000_000
_MAX_BATCH_BYTES = 262_144
_MANY = 2**53
NumberPath = Annotated[str | None, PathTo(reference=True, context=False), JSONPATH]


class ProcessorConfig(Part):
    """How the iterations of a Map run: inside the execution, or as executions of their own."""

    mode: Annotated[str, OneOf(("INLINE", "DISTRIBUTED"))] = "INLINE"
    execution_type: Annotated[str | None, OneOf(("STANDARD", "EXPRESS"))] = None
    comment: Annotated[str | None, Text()] = None


class ReaderConfig(Part):
    """The form of the data that an ItemReader reads."""

    input_type: Annotated[str | None, OneOf(("CSV", "JSON", "JSONL", "MANIFEST", "PARQUET"))] = None
    transformation: Annotated[str | None, OneOf(("NONE", "LOAD_AND_FLATTEN"))] = None
    manifest_type: Annotated[str | None, OneOf(("ATHENA_DATA", "S3_INVENTORY"))] = None
    csv_delimiter: Annotated[
        str | None, OneOf(("COMMA", "PIPE", "SEMICOLON", "SPACE", "TAB")), Field(alias="CSVDelimiter")
    ] = None
    csv_header_location: Annotated[str | None, OneOf(("FIRST_ROW", "GIVEN")), Field(alias="CSVHeaderLocation")] = None
    csv_headers: Annotated[list[str] | None, Texts(), Field(alias="CSVHeaders")] = None
    items_pointer: Annotated[str | None, Text(expression=True)] = None
    max_items: Annotated[int | str | None, Whole(0, _MAX_ITEMS)] = None
    max_items_path: NumberPath = None
    comment: Annotated[str | None, Text()] = None

    alternatives: ClassVar[tuple[tuple[str, ...], ...]] = (("MaxItems", "MaxItemsPath"),)


class ItemReader(Part):
    """Reads a Map's items from S3."""

    resource: Annotated[str, Resource()]
    parameters: Annotated[Any, Template("object"), JSONPATH] = None
    arguments: Annotated[Any, Template("object"), JSONATA] = None
    reader_config: Annotated[ReaderConfig | None, Nested()] = None
    comment: Annotated[str | None, Text()] = None


class ItemBatcher(Part):
    """Gives each child execution of a Map several items."""

    batch_input: Annotated[Any, Template("object")] = None
    max_items_per_batch: Annotated[int | str | None, Whole(0, _MANY)] = None
    max_items_per_batch_path: NumberPath = None
    max_input_bytes_per_batch: Annotated[int | str | None, Whole(0, _MAX_BATCH_BYTES)] = None
    max_input_bytes_per_batch_path: NumberPath = None
    comment: Annotated[str | None, Text()] = None

    alternatives: ClassVar[tuple[tuple[str, ...], ...]] = (
        ("MaxItemsPerBatch", "MaxItemsPerBatchPath"),
        ("MaxInputBytesPerBatch", "MaxInputBytesPerBatchPath"),
    )
    wanted: ClassVar[tuple[tuple[str, ...], ...]] = (
        ("MaxItemsPerBatch", "MaxItemsPerBatchPath", "MaxInputBytesPerBatch", "MaxInputBytesPerBatchPath"),
    )


class WriterConfig(Part):
    """The form of a Map's results."""

    transformation: Annotated[str | None, OneOf(("NONE", "COMPACT", "FLATTEN"))] = None
    output_type: Annotated[str | None, OneOf(("JSON", "JSONL"))] = None


class ResultWriter(Part):
    """Writes a Map's results to S3, or forms them."""

    resource: Annotated[str | None, Resource()] = None
    parameters: Annotated[Any, Template("object"), JSONPATH] = None
    arguments: Annotated[Any, Template("object"), JSONATA] = None
    writer_config: Annotated[WriterConfig | None, Nested()] = None
    comment: Annotated[str | None, Text()] = None

    wanted: ClassVar[tuple[tuple[str, ...], ...]] = (("Resource", "WriterConfig"),)
