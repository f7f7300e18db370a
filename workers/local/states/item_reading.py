"""ItemReader: the items of a Map from S3."""

import csv
import io
import json
from collections.abc import Iterable
from typing import Any

from workers.local.branch import Branch
from workers.local.calls import Call
from workers.local.documents import parsed
from workers.local.values.errors import StateError
from workers.local.values.jsonata import compile_jsonata
from workers.local.values.numbers import compile_number
from workers.local.values.scope import Evaluate, Scope
from workers.local.values.templates import compile_template
from workers.machines.model.collections import ItemReader, ReaderConfig

READER_FAILED = "States.ItemReaderFailed"
_DELIMITERS = {"COMMA": ",", "PIPE": "|", "SEMICOLON": ";", "SPACE": " ", "TAB": "\t"}
_BOM = "\N{ZERO WIDTH NO-BREAK SPACE}"


async def call_s3(branch: Branch, action: str, parameters: dict[str, Any]) -> dict[str, Any]:
    """Calls S3 for a Map. Raises `StateError` with the error of S3."""
    execution, state = branch.run.execution, branch.frame.state
    resource = f"arn:aws:states:::aws-sdk:s3:{action}"
    services = branch.run.host.services
    service = services.service(
        resource, state=state, machine=execution.machine_name, test_case=execution.origin.test_case
    )
    call = Call(execution.arn, execution.machine_name, state, 0, parameters, execution.revision.role)
    answer: dict[str, Any] = await service.submit(call)
    return answer


class Reader:
    """An ItemReader, compiled."""

    def __init__(self, model: ItemReader, *, jsonata: bool) -> None:
        self._lists = model.resource.endswith("listObjectsV2")
        arguments = model.arguments if jsonata else model.parameters
        compiled = compile_jsonata(arguments, "ItemReader/Arguments") if jsonata else compile_template(arguments)
        self._arguments: Evaluate = compiled
        self._config = model.reader_config or ReaderConfig()
        self._most = compile_number(self._config, "max_items", "MaxItems", jsonata=jsonata)

    async def items(self, branch: Branch, scope: Scope) -> list[Any]:
        """Reads them. Raises `StateError` States.ItemReaderFailed."""
        arguments, most = self._arguments(scope), int(self._most(scope) or 0)
        try:
            items = await (self._listed(branch, arguments, most) if self._lists else self._read(branch, arguments))
        except StateError as error:
            raise StateError(READER_FAILED, error.cause) from None
        except (ValueError, KeyError, TypeError, csv.Error) as error:
            where = f"s3://{arguments.get('Bucket')}/{arguments.get('Key')}"
            problem = f"Attempting to read {self._config.input_type or 'JSON'} from {where}: {error}"
            raise StateError(READER_FAILED, problem) from None
        return items[:most] if most else items

    async def _listed(self, branch: Branch, arguments: dict[str, Any], most: int) -> list[Any]:
        found: list[Any] = []
        more: dict[str, Any] = {}
        while True:
            answer = await call_s3(branch, "listObjectsV2", {**arguments, **more})
            found += answer.get("Contents") or []
            if not answer.get("IsTruncated") or (most and len(found) >= most):
                return found
            more = {"ContinuationToken": answer["NextContinuationToken"]}

    async def _read(self, branch: Branch, arguments: dict[str, Any]) -> list[Any]:
        text = (await call_s3(branch, "getObject", arguments))["Body"]
        match self._config.input_type or "JSON":
            case "CSV":
                return list(self._rows(text))
            case "JSONL":
                return [json.loads(line) for line in text.splitlines() if line.strip()]
            case "JSON":
                return self._json(parsed(text).value)
            case other:
                raise ValueError(f"the embedded Step Functions does not read {other}")

    def _rows(self, text: str) -> Iterable[dict[str, str]]:
        config = self._config
        rows = csv.reader(io.StringIO(text.removeprefix(_BOM)), delimiter=_DELIMITERS[config.csv_delimiter or "COMMA"])
        given = config.csv_header_location == "GIVEN"
        headers = (config.csv_headers or []) if given else next(rows, [])
        for row in rows:
            if row:
                yield dict(zip(headers, [*row, *[""] * (len(headers) - len(row))], strict=False))

    def _json(self, value: Any) -> list[Any]:
        for part in filter(None, (self._config.items_pointer or "").split("/")):
            value = value[int(part)] if isinstance(value, list) else value[part.replace("~1", "/").replace("~0", "~")]
        if isinstance(value, dict):
            return [{"Key": key, "Value": member} for key, member in value.items()]
        if not isinstance(value, list):
            raise TypeError("the file holds no array")
        return value
