"""The manager's store with a million workflows in SQLite or PostgreSQL: pages of 50 by many filters, starts, memory.

The bounds: a page at most 20 ms, keeping a new workflow at most 15 ms (both p95), less than 200 MB of memory. The pages
are read in a process of their own, one after the other; keeping one is on the disk when it returns.

Run: python benchmarks/manager.py [ROWS [FILE or postgresql://…]]. What is there already is used again.
"""

import asyncio
import json
import random
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg

from workers.manager.model import Change, Launch, Query, Sort, Status, Workflow, WorkflowDefinition, now
from workers.manager.store.interface import Claim
from workers.manager.store.sql.store import SqlStore

ROWS = 1_000_000
DEFINITIONS = 200
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
SPAN = timedelta(days=180)
COUNTED = "definition_name, definition_version, status, resolved"
STARTS = 2_000
PAGES = 40
"""Pages read of each kind."""


async def prepare(url: str, rows: int) -> None:
    """A store with so many workflows, as some months leave them behind."""
    async with SqlStore(url) as store:
        if (await store.workflows(Query(limit=1))).items:
            return
        for n in range(DEFINITIONS):
            await store.save_definition(WorkflowDefinition(name=f"definition-{n}", state_machine={"StartAt": "A"}))
    begun = time.perf_counter()
    if url.startswith("postgresql"):
        await fill_postgresql(url, rows)
    else:
        fill_sqlite(Path(url.removeprefix("sqlite:///")), rows)
    print(f"{rows:,} workflows in {time.perf_counter() - begun:.0f} s")


async def fill_postgresql(url: str, rows: int) -> None:
    """Indexes are made at the end, and keys of other tables are not looked up: that is much faster."""
    connection = await asyncpg.connect(url)
    indexes = await connection.fetch("SELECT indexname, indexdef FROM pg_indexes WHERE indexname LIKE 'ix\\_%'")
    await connection.execute("SET session_replication_role = replica")
    for index in indexes:
        await connection.execute(f"DROP INDEX {index['indexname']}")
    for batch in batched(made(rows, random.Random(1)), 20_000):
        tags = [tag for _, _, tags in batch for tag in tags]
        parts = {"workflows": [row for row, _, _ in batch], "workflow_details": [one for _, one, _ in batch]}
        for table, values in (parts | {"workflow_tags": tags}).items():
            records = [tuple(value.values()) for value in values]
            await connection.copy_records_to_table(table, records=records, columns=list(values[0]))
    await connection.execute(
        f"INSERT INTO workflow_counts SELECT {COUNTED}, count(*) FROM workflows GROUP BY {COUNTED}"
    )
    for index in indexes:
        await connection.execute(index["indexdef"])
    await connection.execute("VACUUM ANALYZE")
    await connection.close()


def fill_sqlite(file: Path, rows: int) -> None:
    connection = sqlite3.connect(file, isolation_level=None)
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute("PRAGMA cache_size = -400000")
    connection.execute("BEGIN")
    for batch in batched(made(rows, random.Random(1)), 10_000):
        insert(connection, "workflows", [row for row, _, _ in batch])
        insert(connection, "workflow_details", [beside for _, beside, _ in batch])
        insert(connection, "workflow_tags", [tag for _, _, tags in batch for tag in tags])
    connection.execute(f"INSERT INTO workflow_counts SELECT {COUNTED}, count(*) FROM workflows GROUP BY {COUNTED}")
    connection.execute("COMMIT")
    connection.close()


def batched(items: Iterator[Any], size: int) -> Iterator[list[Any]]:
    while batch := list(islice(items, size)):
        yield batch


def insert(connection: sqlite3.Connection, table: str, rows: list[dict[str, Any]]) -> None:
    marks = ", ".join(f":{name}" for name in rows[0])
    connection.executemany(f"INSERT INTO {table} ({', '.join(rows[0])}) VALUES ({marks})", rows)


def made(rows: int, chance: random.Random) -> Iterator[tuple[dict[str, Any], dict[str, Any], list[dict[str, Any]]]]:
    first, step = round(BEGIN.timestamp() * 1_000), SPAN.total_seconds() * 1_000 / rows
    for n in range(rows):
        status = chance.choices(("succeeded", "failed", "cancelled", "running", "queued"), (90, 6, 3, 0.5, 0.5))[0]
        resolved = status in {"succeeded", "cancelled"} or (status == "failed" and chance.random() < 0.9)
        created = first + round(n * step)
        workflow_id = str(UUID(int=chance.getrandbits(128), version=4))
        name = f"definition-{int(chance.paretovariate(0.5)) % DEFINITIONS}"
        tags = {"team": f"team-{chance.randrange(20)}", "customer": f"customer-{chance.randrange(5_000)}"}
        row = {
            "id": workflow_id, "definition_name": name, "definition_version": 0, "status": status,
            "resolved": resolved, "created_at": created, "last_updated": created + chance.randrange(3_600_000),
            "stopped_at": None if status in {"running", "queued"} else created + 60_000,
            "namespace": chance.choices(("production", "staging", "test"), (80, 19, 1))[0],
            "queue": chance.choices(("default", "slow", "rare"), (90, 9.9, 0.1))[0], "tags": json.dumps(tags),
            "redrive_count": 0, "launch": "started", "revision": 3,
            "execution_arn": f"arn:aws:states:us-east-1:123456789012:execution:{name}:{workflow_id}",
        }  # fmt: skip
        beside = {"workflow_id": workflow_id, "input": json.dumps({"customer": tags["customer"], "text": "x" * 200})}
        state = {"status": status, "resolved": resolved, "created_at": created, "workflow_id": workflow_id}
        yield row, beside, [{"key": key, "value": value, **state} for key, value in tags.items()]


def queries(chance: random.Random) -> Iterator[tuple[str, dict[str, Any]]]:
    """What people ask for, by a name for each kind."""
    common, rare = "definition-1", f"definition-{chance.randrange(100, DEFINITIONS)}"
    day = BEGIN + SPAN * chance.random()
    some_id = str(UUID(int=chance.getrandbits(128), version=4))
    yield "all", {}
    yield "all, oldest first", {"oldest_first": True}
    yield "definition", {"workflow_definition_name": common}
    yield "rare definition", {"workflow_definition_name": rare}
    yield "definition, failed", {"workflow_definition_name": common, "status": (Status.FAILED,)}
    yield "failed, unresolved", {"status": (Status.FAILED,), "resolved_by_user": False}
    yield "running or queued", {"status": (Status.RUNNING, Status.QUEUED)}
    yield "namespace", {"namespace": "production"}
    yield "rare namespace, failed", {"namespace": "test", "status": (Status.FAILED,)}
    yield "rare queue", {"queue": "rare"}
    yield "rare queue, definition", {"queue": "rare", "workflow_definition_name": common}
    yield "tag", {"tags": {"team": f"team-{chance.randrange(20)}"}}
    yield "rare tag", {"tags": {"customer": f"customer-{chance.randrange(5_000)}"}}
    yield "two tags, namespace", {"tags": {"team": "team-3", "customer": "customer-7"}, "namespace": "staging"}
    yield "a day", {"created_after": day, "created_before": day + timedelta(days=1)}
    yield "a day, definition, failed", {
        "created_after": day, "created_before": day + timedelta(days=1), "workflow_definition_name": common,
        "status": (Status.FAILED,),
    }  # fmt: skip
    yield "last changed", {"sort": Sort.LAST_UPDATED}
    yield "changed since", {"sort": Sort.LAST_UPDATED, "updated_after": day, "oldest_first": True}
    yield "id begins with", {"id_contains": some_id[:8]}
    yield "id holds", {"id_contains": some_id[9:18]}


async def measure(url: str) -> dict[str, Any]:
    """Milliseconds of each page, by kind; of keeping a workflow and of changing one; MB of memory."""
    took: dict[str, list[float]] = {}
    chance = random.Random(2)
    async with SqlStore(url) as store:
        for _ in range(PAGES):
            for kind, asked in queries(chance):
                token = None
                for _ in range(2):  # the first page, and the second
                    begun = time.perf_counter()
                    page = await store.workflows(Query(limit=50, page_token=token, **asked))
                    took.setdefault(kind, []).append((time.perf_counter() - begun) * 1_000)
                    if not (token := page.next_page_token):
                        break
        for n in range(500):
            about = WorkflowDefinition(name=f"definition-{n % DEFINITIONS}")
            new = Workflow(id=str(uuid4()), workflow_definition=about, tags={"a": "b"})
            begun = time.perf_counter()
            kept = await store.save_workflow(new)
            took.setdefault("(keep a new workflow)", []).append((time.perf_counter() - begun) * 1_000)
            begun = time.perf_counter()
            await store.update_workflow(kept.id, Change(status=Status.SUCCEEDED, stopped_at=now(), output="{}"))
            took.setdefault("(change a workflow)", []).append((time.perf_counter() - begun) * 1_000)
        rate = await starts(store)
        begun = time.perf_counter()
        await store.counts()
        took["(counts)"] = [(time.perf_counter() - begun) * 1_000]
    return {"took": took, "rss": memory(), "rate": rate}


async def starts(store: SqlStore) -> float:
    """Workflows a second that many callers at once start in the store: kept, claimed, and written to be started."""
    about = WorkflowDefinition(name="definition-1")
    left = iter(range(STARTS))

    async def starter() -> None:
        for _ in left:
            new = Workflow(id=str(uuid4()), workflow_definition=about, tags={"a": "b"})
            kept = await store.save_workflow(new, claim=Claim("benchmark", now() + timedelta(seconds=60)))
            await store.update_workflow(kept.id, Change(launch=Launch.STARTED, execution_arn=kept.id))

    begun = time.perf_counter()
    await asyncio.gather(*(starter() for _ in range(16)))
    return STARTS / (time.perf_counter() - begun)


def memory(pid: int | str = "self") -> float:
    """The most that a process ever had, in MB; what getrusage tells is also that of the parent."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1_024


def show(found: dict[str, Any]) -> None:
    pages = [time for kind, times in found["took"].items() if not kind.startswith("(") for time in times]
    print(f"{'':28}{'p50 ms':>8}{'p95 ms':>8}{'max ms':>8}")
    for kind, times in [*found["took"].items(), ("all pages", pages)]:
        last = statistics.quantiles(times, n=20, method="inclusive")[18] if len(times) > 1 else times[0]
        print(f"{kind:28}{statistics.median(times):8.1f}{last:8.1f}{max(times):8.1f}")
    print(f"starts: {found['rate']:.0f} a second; memory: {found['rss']:.0f} MB")


def main() -> None:
    if sys.argv[1:2] == ["measure"]:
        print(json.dumps(asyncio.run(measure(sys.argv[2]))))
        return
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else ROWS
    with tempfile.TemporaryDirectory() as folder:
        given = sys.argv[2] if len(sys.argv) > 2 else str(Path(folder) / "manager.sqlite")
        url = given if "://" in given else f"sqlite:///{given}"
        asyncio.run(prepare(url, rows))
        asked = [sys.executable, __file__, "measure", url]
        show(json.loads(subprocess.run(asked, check=True, stdout=subprocess.PIPE).stdout))


if __name__ == "__main__":
    main()
