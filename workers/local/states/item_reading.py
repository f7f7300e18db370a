"""ItemReader: the items of a Map from S3."""

import csv
from typing import Any

from workers.local.branch import Branch
from workers.local.calls import Call
from workers.local.states.item_files import inventory, locations, read_items, text_of
from workers.local.states.items import Item, items_of
from workers.local.values.errors import StateError
from workers.local.values.jsonata import compile_jsonata
from workers.local.values.numbers import compile_number
from workers.local.values.scope import Evaluate, Scope
from workers.local.values.templates import compile_template
from workers.machines.model.collections import ItemReader, ReaderConfig

READER_FAILED = "States.ItemReaderFailed"


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

    async def items(self, branch: Branch, scope: Scope) -> list[Item]:
        """Reads them. Raises `StateError` States.ItemReaderFailed."""
        arguments, most = self._arguments(scope), int(self._most(scope) or 0)
        if most < 0:
            raise StateError(READER_FAILED, "field MaxItems must be positive")
        try:
            items = await self._read(branch, arguments, most)
        except StateError as error:
            raise StateError(READER_FAILED, error.cause) from None
        except (ValueError, KeyError, TypeError, EOFError, OSError, csv.Error) as error:
            where = f"s3://{arguments.get('Bucket')}/{arguments.get('Key', '')}"
            problem = f"Attempting to read {self._config.input_type or 'JSON'} from {where}: {error}"
            raise StateError(READER_FAILED, problem) from None
        return items[:most] if most else items

    async def _read(self, branch: Branch, arguments: dict[str, Any], most: int) -> list[Item]:
        config = self._config
        if self._lists:
            listed = await self._listed(branch, arguments, most)
            bucket = arguments["Bucket"]
            if config.transformation != "LOAD_AND_FLATTEN":
                return items_of(listed, f"S3://{bucket}")
            files = [(bucket, item["Key"]) for item in listed if not item["Key"].endswith("/")]
            return await self._loaded(branch, files, config, most)
        if config.manifest_type == "ATHENA_DATA":
            files = locations(await self._text(branch, arguments))
            return await self._loaded(branch, files, config, most)
        if config.input_type == "MANIFEST" or config.manifest_type == "S3_INVENTORY":
            bucket, keys, form = inventory(await self._text(branch, arguments))
            return await self._loaded(branch, [(bucket, key) for key in keys], form, most)
        source = f"S3://{arguments['Bucket']}/{arguments['Key']}"
        return items_of(read_items(await self._text(branch, arguments), config), source)

    async def _loaded(
        self, branch: Branch, files: list[tuple[str, str]], config: ReaderConfig, most: int
    ) -> list[Item]:
        """The items of several files, one after the other, up to as many as are wanted."""
        items: list[Item] = []
        for bucket, key in files:
            if most and len(items) >= most:
                break
            text = await self._text(branch, {"Bucket": bucket, "Key": key})
            items += items_of(read_items(text, config), f"S3://{bucket}/{key}")
        return items

    async def _listed(self, branch: Branch, arguments: dict[str, Any], most: int) -> list[Any]:
        found: list[Any] = []
        more: dict[str, Any] = {}
        while True:
            answer = await call_s3(branch, "listObjectsV2", {**arguments, **more})
            found += answer.get("Contents") or []
            if not answer.get("IsTruncated") or (most and len(found) >= most):
                return found
            more = {"ContinuationToken": answer["NextContinuationToken"]}

    async def _text(self, branch: Branch, arguments: dict[str, Any]) -> str:
        body: str = (await call_s3(branch, "getObject", arguments))["Body"]
        return text_of(body, str(arguments.get("Key")))
