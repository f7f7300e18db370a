"""Definitions and state resources in DynamoDB."""

import json
from typing import Any
from uuid import uuid4

from workers.manager.errors import ConflictError, NotFoundError, TooLargeError
from workers.manager.model import StateResource, WorkflowDefinition, now
from workers.manager.store.dynamodb.database import DynamoDatabase, RefusedError
from workers.manager.store.dynamodb.items import Item, expressions, milliseconds, moment, to_item
from workers.manager.store.dynamodb.tables import BY_DEFINITION, LARGEST, LATEST
from workers.manager.store.stamps import Stamps

_BATCH = 90
_RESOURCE = "resource"


class DynamoDefinitions:
    """See `DefinitionStore` and `StateResourceStore`."""

    _database: DynamoDatabase
    _stamps: Stamps

    async def save_definition(
        self, definition: WorkflowDefinition, *, version_id: str | None = None
    ) -> WorkflowDefinition:
        """See `DefinitionStore`."""
        try:
            return await self._add(definition, 0, "attribute_not_exists(@name)", {}, version_id)
        except RefusedError:
            if known := await self._made(definition.name, version_id):
                return known
            raise ConflictError(
                f"a definition {definition.name!r} exists already: update it for a new version"
            ) from None

    async def update_definition(
        self, definition: WorkflowDefinition, *, version_id: str | None = None
    ) -> WorkflowDefinition:
        """See `DefinitionStore`."""
        latest = await self._latest(definition.name)
        if known := await self._made(definition.name, version_id):
            return known
        try:
            return await self._add(definition, latest + 1, "@latest = :before", {"before": latest}, version_id)
        except RefusedError:
            if known := await self._made(definition.name, version_id):  # by the same request, at the same moment
                return known
            raise ConflictError(f"somebody else has just made {definition.name}@{latest + 1}: try again") from None

    async def definition(self, name: str, version: int | None = None) -> WorkflowDefinition:
        """See `DefinitionStore`."""
        number = await self._latest(name) if version is None else version
        item = await self._database.get(self._definitions, name=name, version=number) if number > LATEST else None
        if item is None:
            raise _unknown(name, version)
        return read_definition(item)

    async def definitions(self) -> list[WorkflowDefinition]:
        """See `DefinitionStore`."""
        keys = []
        start: dict[str, Any] = {}
        while True:
            answer = await self._database.call(
                "scan",
                TableName=self._definitions,
                ConsistentRead=True,
                **expressions({"latest": LATEST}, FilterExpression="@version = :latest"),
                **start,
            )
            keys += [{"name": item["name"]["S"], "version": int(item["latest"]["N"])} for item in answer["Items"]]
            if "LastEvaluatedKey" not in answer:
                break
            start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}
        items = await self._database.get_all(self._definitions, keys)
        return sorted(map(read_definition, items), key=lambda one: one.name)

    async def definition_versions(self, name: str) -> list[WorkflowDefinition]:
        """See `DefinitionStore`."""
        asked = expressions(
            {"name": name, "latest": LATEST}, KeyConditionExpression="@name = :name AND @version > :latest"
        )
        found = [item async for item in self._database.query(self._definitions, ConsistentRead=True, **asked)]
        if not found:
            raise _unknown(name, None)
        return [read_definition(item) for item in found]

    async def deprecate_definition(self, name: str, version: int | None = None, *, deprecated: bool = True) -> None:
        """See `DefinitionStore`."""
        versions = [version] if version is not None else [one.version for one in await self.definition_versions(name)]
        for number in versions:
            try:
                await self._database.call(
                    "update_item",
                    TableName=self._definitions,
                    Key=to_item({"name": name, "version": number}),
                    **expressions(
                        {"deprecated": deprecated},
                        UpdateExpression="SET @deprecated = :deprecated",
                        ConditionExpression="attribute_exists(@id)",
                    ),
                )
            except RefusedError:
                raise _unknown(name, version) from None

    async def delete_definition(self, name: str) -> None:
        """See `DefinitionStore`. What was saved within the last moment may not be seen yet by the index."""
        versions = [LATEST, *(one.version for one in await self.definition_versions(name))]
        used = self._database.query(
            self._database.names.workflows,
            IndexName=BY_DEFINITION.name,
            Limit=1,
            **expressions({"name": name}, KeyConditionExpression="@definition = :name"),
        )
        async for _ in used:
            raise ConflictError(f"there are workflows of definition {name!r}: deprecate it, or delete them first")
        for first in range(0, len(versions), _BATCH):
            await self._database.write(*(
                {"Delete": {"TableName": self._definitions, "Key": to_item({"name": name, "version": number})}}
                for number in versions[first : first + _BATCH]
            ))  # fmt: skip

    async def save_state_resource(self, resource: StateResource) -> StateResource:
        """See `StateResourceStore`."""
        kept = resource.model_copy(update={"last_updated": now()})
        item = {"kind": _RESOURCE, "name": _resource_key(kept.namespace, kept.name), "data": kept.model_dump_json()}
        await self._database.call("put_item", TableName=self._database.names.registry, Item=to_item(item))
        return kept

    async def state_resource(self, namespace: str, name: str) -> StateResource:
        """See `StateResourceStore`."""
        key = _resource_key(namespace, name)
        item = await self._database.get(self._database.names.registry, kind=_RESOURCE, name=key)
        if item is None:
            raise NotFoundError(f"{namespace}--{name}")
        return StateResource.model_validate_json(item["data"])

    async def state_resources(self, namespace: str | None = None) -> list[StateResource]:
        """See `StateResourceStore`."""
        items = self._database.query(
            self._database.names.registry,
            ConsistentRead=True,
            **expressions({"kind": _RESOURCE}, KeyConditionExpression="@kind = :kind"),
        )
        found = [StateResource.model_validate_json(item["data"]) async for item in items]
        chosen = [one for one in found if namespace is None or one.namespace == namespace]
        return sorted(chosen, key=lambda one: (one.namespace, one.name))

    async def delete_state_resource(self, namespace: str, name: str) -> None:
        """See `StateResourceStore`."""
        key = to_item({"kind": _RESOURCE, "name": _resource_key(namespace, name)})
        try:
            await self._database.call(
                "delete_item",
                TableName=self._database.names.registry,
                Key=key,
                **expressions(ConditionExpression="attribute_exists(@kind)"),
            )
        except RefusedError:
            raise NotFoundError(f"{namespace}--{name}") from None

    @property
    def _definitions(self) -> str:
        return self._database.names.definitions

    async def _latest(self, name: str) -> int:
        item = await self._database.get(self._definitions, name=name, version=LATEST)
        if item is None:
            raise _unknown(name, None)
        latest: int = item["latest"]
        return latest

    async def _made(self, name: str, version_id: str | None) -> WorkflowDefinition | None:
        """The version with that id. It is looked for after the latest one was read, on which writing depends."""
        versions = await self.definition_versions(name) if version_id else []
        return next((one for one in versions if one.id == version_id), None)

    async def _add(
        self, given: WorkflowDefinition, version: int, condition: str, values: dict[str, Any], version_id: str | None
    ) -> WorkflowDefinition:
        """Writes a version, and that it is the latest one, at once."""
        at = self._stamps.next()
        fresh = {"id": version_id or str(uuid4()), "version": version, "created_at": at, "deprecated": False}
        kept = given.model_copy(update=fresh)
        pointer = {
            "TableName": self._definitions,
            "Item": to_item({"name": kept.name, "version": LATEST, "latest": version}),
            **expressions(values, ConditionExpression=condition),
        }
        await self._database.write({"Put": pointer}, {"Put": {"TableName": self._definitions, "Item": _item(kept)}})
        return kept


def read_definition(item: Item) -> WorkflowDefinition:
    """The definition in an item."""
    machine, schema = item.get("state_machine"), item.get("input_schema")
    return WorkflowDefinition(
        id=item["id"],
        name=item["name"],
        version=item["version"],
        created_at=moment(item["created_at"]),
        manager=item["manager"],
        state_machine=None if machine is None else json.loads(machine),
        default_tags=json.loads(item["default_tags"]),
        deprecated=item["deprecated"],
        input_schema=None if schema is None else json.loads(schema),
    )


def _item(kept: WorkflowDefinition) -> Item:
    values = kept.model_dump(by_alias=False)
    values["default_tags"] = json.dumps(kept.default_tags, ensure_ascii=False)
    for name in ("state_machine", "input_schema"):
        if (document := getattr(kept, name)) is not None:
            values[name] = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    if kept.created_at:
        values["created_at"] = milliseconds(kept.created_at)
    item = to_item(values)
    if sum(len((values[name] or "").encode()) for name in ("state_machine", "input_schema")) > LARGEST:
        raise TooLargeError(
            f"the state machine of {kept.name}, with the schema of its input, is over the {LARGEST:,} bytes that "
            "DynamoDB holds"
        )
    return item


def _resource_key(namespace: str, name: str) -> str:
    return json.dumps([namespace, name])


def _unknown(name: str, version: int | None) -> NotFoundError:
    return NotFoundError(name if version is None else f"{name}@{version}")
