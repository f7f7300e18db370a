"""What an engine keeps in a directory: one SQLite database, written in batches."""

import sqlite3
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from workers.errors import UsageError

NAME = "stepfunctions.sqlite"
VERSION = 1

_SCHEMA = """
CREATE TABLE resources (region TEXT, arn TEXT, document TEXT, PRIMARY KEY (region, arn)) WITHOUT ROWID;
CREATE TABLE revisions (hash TEXT PRIMARY KEY, document TEXT) WITHOUT ROWID;
CREATE TABLE executions (region TEXT, number INTEGER, document TEXT, PRIMARY KEY (region, number)) WITHOUT ROWID;
CREATE TABLE events (region TEXT, execution INTEGER, id INTEGER, document TEXT,
    PRIMARY KEY (region, execution, id)) WITHOUT ROWID;
CREATE TABLE frames (region TEXT, execution INTEGER, number INTEGER, document TEXT,
    PRIMARY KEY (region, execution, number)) WITHOUT ROWID;
CREATE TABLE map_runs (region TEXT, arn TEXT, document TEXT, PRIMARY KEY (region, arn)) WITHOUT ROWID;
"""

_SET = {
    "resources": "INSERT OR REPLACE INTO resources VALUES (?, ?, ?)",
    "revisions": "INSERT OR IGNORE INTO revisions VALUES (?, ?)",
    "executions": "INSERT OR REPLACE INTO executions VALUES (?, ?, ?)",
    "events": "INSERT OR REPLACE INTO events VALUES (?, ?, ?, ?)",
    "frames": "INSERT OR REPLACE INTO frames VALUES (?, ?, ?, ?)",
    "map_runs": "INSERT OR REPLACE INTO map_runs VALUES (?, ?, ?)",
}
_DROP = {
    "resources": "DELETE FROM resources WHERE region = ? AND arn = ?",
    "frames": "DELETE FROM frames WHERE region = ? AND execution = ? AND number = ?",
    "map_runs": "DELETE FROM map_runs WHERE region = ? AND arn = ?",
}
_FORGET = tuple(
    f"DELETE FROM {table} WHERE region = ? AND {column} = ?"  # noqa: S608 - no value comes from outside
    for table, column in (("executions", "number"), ("events", "execution"), ("frames", "execution"))
)

Row = Sequence[Any]


@dataclass(slots=True)
class Batch:
    """Rows to be written at once: all of them, or none."""

    rows: dict[str, list[Row]] = field(default_factory=lambda: {table: [] for table in _SET})
    drops: dict[str, list[Row]] = field(default_factory=lambda: {table: [] for table in _DROP})
    forgotten: list[Row] = field(default_factory=list)
    """Region and number of executions that are to be forgotten with all that belongs to them."""


class Store:
    """The database in a directory, which is made if it is not there. One engine at a time may have it open.

    Raises `UsageError` for a directory that cannot be had.
    """

    def __init__(self, directory: Path) -> None:
        self._lock = threading.Lock()
        try:
            directory.mkdir(parents=True, exist_ok=True)
            self._database = sqlite3.connect(
                directory / NAME, isolation_level=None, check_same_thread=False, timeout=0.5
            )
            self._open()
        except (OSError, sqlite3.Error) as error:
            why = "another engine has it open" if "locked" in str(error) else str(error)
            raise UsageError(f"{directory} cannot keep what the engine knows: {why}") from None

    def _open(self) -> None:
        database = self._database
        database.execute("PRAGMA locking_mode = EXCLUSIVE")
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = NORMAL")
        (version,) = database.execute("PRAGMA user_version").fetchone()
        if version not in {0, VERSION}:
            raise sqlite3.DatabaseError(f"it was written by another version ({version}, here {VERSION})")
        if version == 0:
            database.executescript(f"BEGIN; {_SCHEMA} PRAGMA user_version = {VERSION}; COMMIT")
        database.execute("BEGIN IMMEDIATE")
        database.execute("COMMIT")

    def rows(self, table: str) -> Iterable[Row]:
        """All rows of a table in the order of their keys."""
        found: Iterable[Row] = self._database.execute(f"SELECT * FROM {table}")  # noqa: S608 - no value from outside
        return found

    def write(self, batch: Batch) -> None:
        """Writes a batch; when this returns, it outlives the process. In any thread, one at a time."""
        with self._lock:
            self._write(self._database, batch)

    def _write(self, database: sqlite3.Connection, batch: Batch) -> None:
        database.execute("BEGIN")
        with database:  # commits, or rolls back
            for table, rows in batch.rows.items():
                if rows:
                    database.executemany(_SET[table], rows)
            for table, rows in batch.drops.items():
                if rows:
                    database.executemany(_DROP[table], rows)
            for statement in _FORGET if batch.forgotten else ():
                database.executemany(statement, batch.forgotten)

    def close(self) -> None:
        with self._lock:
            self._database.close()
