"""Opens the queue; a damaged one is put aside, and what can still be read of it taken over into a new one."""

import logging
import os
import shutil
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from itertools import count
from pathlib import Path
from typing import Any

from execution.engine import StoreError
from execution.events import Notice
from execution.records import JOB_COLUMNS
from execution.store import DamagedStoreError, Store, connected, primary_code

LOG = logging.getLogger(__name__)

MOST_UNREADABLE = 20_000
"""Rows without one that can be read, after which no more are looked for."""

BESIDE = ("-wal", "-shm")
"""Files that belong to a store in use: its journal, and an index of that."""

COLUMNS = frozenset({*JOB_COLUMNS.split(", "), "sequence", "end_order", "outputs", "events"})


def open_store(path: Path) -> tuple[Store, Notice | None]:
    """The store, and what people should know of it. Raises StoreError."""
    try:
        return Store(path), None
    except DamagedStoreError as error:
        fresh = path.with_name(f"{path.name}.new")
        try:
            saved = _take_over(path, fresh)
            aside = _exchange(path, fresh)
        except (sqlite3.Error, OSError) as other:
            raise StoreError(f"{error} What can be read of it cannot be saved: {other}.") from error
        message = (
            f"The damaged file has been kept as {aside.name} in the base directory. Jobs that could be read from it, "
            f"and are here again: {saved}. Others may be missing."
        )
        LOG.error("%s %s", error, message)
        return Store(path), Notice("queue_damaged", message)


def _take_over(path: Path, fresh: Path) -> int:
    """Copy the jobs that can be read into a new store; returns how many. The damaged one is only read."""
    for suffix in ("", *BESIDE):
        _beside(fresh, suffix).unlink(missing_ok=True)
    store, saved = Store(fresh), 0

    def copy() -> None:
        nonlocal saved
        saved = sum(store.put_back(row) for row in readable(path))

    with closing(store):
        store.transaction([copy], durable=True)
    return saved


def _exchange(path: Path, fresh: Path) -> Path:
    """Put the new store in the place of the damaged one; returns where that is now.

    At every moment one of the two lies there, so that no queue that has been lost looks like one that is empty.
    """
    day = time.strftime("%Y%m%d-%H%M%S")
    names = (f"{path.name}.damaged-{day}{'' if number == 0 else f'-{number}'}" for number in count())
    aside = next(path.with_name(name) for name in names if not path.with_name(name).exists())
    _copy(path, aside)
    journal, index = (_beside(path, suffix) for suffix in BESIDE)
    if journal.exists():
        # What the last program has not yet moved into the file itself; it must not be taken for the new one's.
        journal.replace(_beside(aside, BESIDE[0]))
    index.unlink(missing_ok=True)
    fresh.replace(path)
    return aside


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)


def _copy(path: Path, target: Path) -> None:
    try:
        os.link(path, target)
    except OSError:
        shutil.copyfile(path, target)


def readable(path: Path) -> Iterator[dict[str, Any]]:
    """The rows of a damaged store in their order; what lies on broken pages is stepped over."""
    try:
        connection = connected(path, read_only=True)
    except sqlite3.Error:
        return
    with closing(connection):
        connection.row_factory = sqlite3.Row
        last, unreadable = 0, 0
        while unreadable < MOST_UNREADABLE:
            try:
                for row in connection.execute("SELECT * FROM job WHERE sequence > ? ORDER BY sequence", (last,)):
                    last, unreadable = row["sequence"], 0
                    yield {name: row[name] for name in row.keys() if name in COLUMNS}  # noqa: SIM118 - no mapping
                return
            except sqlite3.Error as error:
                if primary_code(error) != sqlite3.SQLITE_CORRUPT:
                    return
                last, unreadable = last + 1, unreadable + 1
