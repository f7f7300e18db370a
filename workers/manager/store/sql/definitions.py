"""Definitions and state resources in SQL."""

from contextlib import suppress
from uuid import uuid4

from sqlalchemy import ColumnElement, bindparam, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from workers.manager.errors import ConflictError, NotFoundError
from workers.manager.model import StateResource, WorkflowDefinition, now
from workers.manager.store.sql import rows
from workers.manager.store.sql.database import Database
from workers.manager.store.sql.dialects import put
from workers.manager.store.sql.tables import definitions, state_resources


class SqlDefinitions:
    """See `DefinitionStore`."""

    _database: Database

    async def save_definition(
        self, definition: WorkflowDefinition, *, version_id: str | None = None
    ) -> WorkflowDefinition:
        """See `DefinitionStore`."""
        with suppress(ConflictError):  # somebody else makes it at the same moment
            async with self._database.write() as connection:
                if await _latest(connection, definition.name) is None:
                    return await _add(connection, definition, 0, version_id)
        async with self._database.look() as connection:
            if known := await _made(connection, definition.name, version_id):
                return known
        raise ConflictError(f"a definition {definition.name!r} exists already: update it for a new version")

    async def update_definition(
        self, definition: WorkflowDefinition, *, version_id: str | None = None
    ) -> WorkflowDefinition:
        """See `DefinitionStore`."""
        async with self._database.write() as connection:
            await _hold(connection, definition.name)
            latest = await _latest(connection, definition.name)
            if latest is None:
                raise _unknown(definition.name, None)
            if known := await _made(connection, definition.name, version_id):
                return known
            return await _add(connection, definition, latest + 1, version_id)

    async def definition(self, name: str, version: int | None = None) -> WorkflowDefinition:
        """See `DefinitionStore`."""
        asked, which = (_LATEST, {}) if version is None else (_VERSION, {"version": version})
        async with self._database.look() as connection:
            row = (await connection.execute(asked, {"name": name} | which)).first()
        if row is None:
            raise _unknown(name, version)
        return rows.definition(row)

    async def definitions(self) -> list[WorkflowDefinition]:
        """See `DefinitionStore`."""
        latest = (
            select(definitions.c.name, func.max(definitions.c.version).label("version"))
            .group_by(definitions.c.name)
            .subquery()
        )
        asked = (
            select(definitions)
            .join(latest, (definitions.c.name == latest.c.name) & (definitions.c.version == latest.c.version))
            .order_by(definitions.c.name)
        )
        async with self._database.look() as connection:
            return [rows.definition(row) for row in await connection.execute(asked)]

    async def definition_versions(self, name: str) -> list[WorkflowDefinition]:
        """See `DefinitionStore`."""
        asked = select(definitions).where(definitions.c.name == name).order_by(definitions.c.version)
        async with self._database.look() as connection:
            found = [rows.definition(row) for row in await connection.execute(asked)]
        if not found:
            raise _unknown(name, None)
        return found

    async def deprecate_definition(self, name: str, version: int | None = None, *, deprecated: bool = True) -> None:
        """See `DefinitionStore`."""
        change = update(definitions).where(definitions.c.name == name).values(deprecated=deprecated)
        if version is not None:
            change = change.where(definitions.c.version == version)
        async with self._database.write() as connection:
            if not (await connection.execute(change)).rowcount:
                raise _unknown(name, version)

    async def delete_definition(self, name: str) -> None:
        """See `DefinitionStore`."""
        async with self._database.write() as connection:
            await _hold(connection, name)
            try:
                gone = await connection.execute(delete(definitions).where(definitions.c.name == name))
            except IntegrityError:
                raise ConflictError(
                    f"there are workflows of definition {name!r}: deprecate it, or delete them first"
                ) from None
            if not gone.rowcount:
                raise _unknown(name, None)

    async def save_state_resource(self, resource: StateResource) -> StateResource:
        """See `StateResourceStore`."""
        kept = resource.model_copy(update={"last_updated": now()})
        async with self._database.write() as connection:
            await put(connection, state_resources, kept.model_dump(by_alias=False))
        return kept

    async def state_resource(self, namespace: str, name: str) -> StateResource:
        """See `StateResourceStore`."""
        async with self._database.look() as connection:
            row = (await connection.execute(select(state_resources).where(*_is(namespace, name)))).first()
        if row is None:
            raise _no_resource(namespace, name)
        return rows.state_resource(row)

    async def state_resources(self, namespace: str | None = None) -> list[StateResource]:
        """See `StateResourceStore`."""
        asked = select(state_resources).order_by(state_resources.c.namespace, state_resources.c.name)
        if namespace is not None:
            asked = asked.where(state_resources.c.namespace == namespace)
        async with self._database.look() as connection:
            return [rows.state_resource(row) for row in await connection.execute(asked)]

    async def delete_state_resource(self, namespace: str, name: str) -> None:
        """See `StateResourceStore`."""
        async with self._database.write() as connection:
            gone = await connection.execute(delete(state_resources).where(*_is(namespace, name)))
            if not gone.rowcount:
                raise _no_resource(namespace, name)


_NAMED = select(definitions).where(definitions.c.name == bindparam("name"))
_LATEST = _NAMED.order_by(definitions.c.version.desc()).limit(1)
_VERSION = _NAMED.where(definitions.c.version == bindparam("version"))


_FIRST = select(definitions.c.version).where(definitions.c.name == bindparam("name"))
_HELD = _FIRST.order_by(definitions.c.version).limit(1).with_for_update(key_share=True)


async def _hold(connection: AsyncConnection, name: str) -> None:
    """Keeps all others from making or deleting versions until the transaction ends; workflows may be added."""
    await connection.execute(_HELD, {"name": name})


async def _latest(connection: AsyncConnection, name: str) -> int | None:
    asked = select(func.max(definitions.c.version)).where(definitions.c.name == name)
    latest: int | None = await connection.scalar(asked)
    return latest


async def _made(connection: AsyncConnection, name: str, version_id: str | None) -> WorkflowDefinition | None:
    if version_id is None:
        return None
    asked = select(definitions).where(definitions.c.name == name, definitions.c.id == version_id)
    row = (await connection.execute(asked)).first()
    return None if row is None else rows.definition(row)


async def _add(
    connection: AsyncConnection, given: WorkflowDefinition, version: int, version_id: str | None
) -> WorkflowDefinition:
    fresh = {"id": version_id or str(uuid4()), "version": version, "created_at": now(), "deprecated": False}
    kept = given.model_copy(update=fresh)
    try:
        await connection.execute(insert(definitions).values(rows.definition_values(kept)))
    except IntegrityError:
        raise ConflictError(f"somebody else has just made {kept.name}@{version}: try again") from None
    return kept


def _is(namespace: str, name: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return state_resources.c.namespace == namespace, state_resources.c.name == name


def _unknown(name: str, version: int | None) -> NotFoundError:
    return NotFoundError(name if version is None else f"{name}@{version}")


def _no_resource(namespace: str, name: str) -> NotFoundError:
    return NotFoundError(f"{namespace}--{name}")
