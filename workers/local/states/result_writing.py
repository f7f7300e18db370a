"""ResultWriter: the results of a Map in S3, or in another form."""

import uuid
from collections.abc import Callable
from typing import Any

from workers.local.branch import Branch
from workers.local.documents import Document
from workers.local.executions import Execution
from workers.local.map_runs import MapRun
from workers.local.states.item_reading import call_s3
from workers.local.values.errors import StateError
from workers.local.values.jsonata import compile_jsonata
from workers.local.values.scope import Evaluate, compact
from workers.local.values.templates import compile_template
from workers.local.values.timestamps import write_timestamp
from workers.machines.model.collections import ResultWriter, WriterConfig

WRITER_FAILED = "States.ResultWriterFailed"


class Writer:
    """A ResultWriter, compiled."""

    def __init__(self, model: ResultWriter, *, jsonata: bool) -> None:
        given = model.arguments if jsonata else model.parameters
        compiled = compile_jsonata(given, "ResultWriter/Arguments") if jsonata else compile_template(given)
        self._arguments: Evaluate | None = compiled if model.resource else None
        config = model.writer_config or WriterConfig()
        self._lines = config.output_type == "JSONL"
        self._form = config.transformation or "NONE"

    async def written(self, branch: Branch, map_run: MapRun, children: list[Execution]) -> Document:
        """Writes what the `children` gave and tells where; without a Resource, gives it in the form that is wanted.

        Raises `StateError` States.ResultWriterFailed.
        """
        if self._arguments is None:
            return Document(self._formed(children))
        arguments = self._arguments(branch.scope())
        succeeded = [child for child in children if child.status == "SUCCEEDED"]
        try:
            bucket = arguments["Bucket"]
            prefix = "/".join(filter(None, [arguments.get("Prefix", "").strip("/"), str(uuid.uuid4())]))
            files: dict[str, list[dict[str, Any]]] = {"FAILED": [], "PENDING": [], "SUCCEEDED": []}
            failed = [child for child in children if child.status != "SUCCEEDED"]
            for status, listed in (("SUCCEEDED", succeeded), ("FAILED", failed)):
                if listed:
                    written = await self._write(branch, bucket, f"{prefix}/{status}_0", self._formed(listed))
                    files[status].append(written)
            manifest = {"DestinationBucket": bucket, "MapRunArn": map_run.arn, "ResultFiles": files}
            await self._put(branch, bucket, f"{prefix}/manifest.json", compact(manifest))
        except (StateError, KeyError, AttributeError) as error:
            cause = error.cause if isinstance(error, StateError) else f"ResultWriter needs a Bucket: {error!r}"
            raise StateError(WRITER_FAILED, cause) from None
        map_run.written = sum(map_run.sizes)
        details = {"Bucket": bucket, "Key": f"{prefix}/manifest.json"}
        return Document({"MapRunArn": map_run.arn, "ResultWriterDetails": details})

    def _formed(self, children: list[Execution]) -> list[Any]:
        """Of an execution that failed, everything is told in any form."""
        if self._form == "NONE":
            return [whole(child) for child in children]
        outputs = [child.output_value() if child.status == "SUCCEEDED" else whole(child) for child in children]
        if self._form == "COMPACT":
            return outputs
        return [item for output in outputs for item in (output if isinstance(output, list) else [output])]

    async def _write(self, branch: Branch, bucket: str, key: str, values: list[Any]) -> dict[str, Any]:
        text = "\n".join(map(compact, values)) if self._lines else compact(values)
        key = f"{key}.{'jsonl' if self._lines else 'json'}"
        await self._put(branch, bucket, key, text)
        return {"Key": key, "Size": len(text.encode())}

    async def _put(self, branch: Branch, bucket: str, key: str, text: str) -> None:
        await call_s3(branch, "putObject", {"Bucket": bucket, "Key": key, "Body": text})


def whole(child: Execution) -> dict[str, Any]:
    """Everything there is to say of a child execution."""
    return {name: value for name, value in _described(child).items() if value is not None}


def _described(child: Execution) -> dict[str, Any]:
    when: Callable[[float | None], str | None] = lambda at: None if at is None else write_timestamp(at)  # noqa: E731
    included = {"Included": True}
    return {
        "ExecutionArn": child.arn,
        "Input": child.input,
        "InputDetails": included,
        "Name": child.name,
        "Output": child.output,
        "OutputDetails": included if child.output is not None else None,
        "Error": child.error,
        "Cause": child.cause,
        "RedriveCount": child.redrives,
        "StartDate": when(child.started),
        "StateMachineArn": child.machine_arn,
        "Status": child.status,
        "StopDate": when(child.stopped),
    }
