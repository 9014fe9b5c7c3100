"""Reads jobs and history for those who look at them, beside the one who writes: no long list holds up the queue."""

import asyncio
import logging
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from execution.engine import HistoryEntry, Job, StoppingError, StoreError
from execution.records import JOB_COLUMNS, entry_of, job_of
from execution.store import IS_SOUND, connected

LOG = logging.getLogger(__name__)

T = TypeVar("T")
MOST_AT_ONCE = 500
"""Ids in one statement; SQLite's own limit is higher."""


class Archive:
    """A second connection to the store's file, with a thread of its own. It sees what has been committed."""

    def __init__(self, path: Path) -> None:
        self._connection = connected(path)
        self._connection.execute("PRAGMA query_only=ON")
        self._connection.execute("PRAGMA busy_timeout=5000")
        self._is_closed = False
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="archive")

    async def close(self) -> None:
        self._is_closed = True
        await asyncio.to_thread(self._thread.shutdown)
        self._connection.close()

    async def jobs(self, job_ids: Sequence[str]) -> list[Job]:
        """These jobs in this order, whatever their state; unknown ids are left out. Raises StoreError."""
        found: dict[str, Job] = {}
        for batch in _batches(job_ids):
            rows = await self._do(lambda batch=batch: self._select(JOB_COLUMNS, batch))
            found |= {row[0]: job_of(row) for row in rows}
        return [found[job_id] for job_id in job_ids if job_id in found]

    async def history(self, job_ids: Sequence[str]) -> list[HistoryEntry]:
        """What is remembered of these jobs, in this order; those that have not ended are left out."""
        columns = f"{JOB_COLUMNS}, outputs, events, end_order"
        found: dict[str, HistoryEntry] = {}
        for batch in _batches(job_ids):
            rows = await self._do(lambda batch=batch: self._select(columns, batch))
            for row in rows:
                if row[-1] is not None and (entry := _sound(row)) is not None:
                    found[entry.job.id] = entry
        return [found[job_id] for job_id in job_ids if job_id in found]

    async def history_ids(self, max_items: int | None, offset: int | None) -> list[str]:
        """Ids of ended jobs from the oldest: `max_items` after the offset, or the last `max_items`."""
        select = "SELECT id FROM job WHERE end_order IS NOT NULL ORDER BY end_order"
        count = -1 if max_items is None else max_items
        if offset is not None:
            rows = await self._do(lambda: self._all(f"{select} LIMIT ? OFFSET ?", (count, offset)))
        else:
            rows = (await self._do(lambda: self._all(f"{select} DESC LIMIT ?", (count,))))[::-1]
        return [row[0] for row in rows]

    def _select(self, columns: str, job_ids: Sequence[str]) -> list[tuple[Any, ...]]:
        marks = ", ".join("?" * len(job_ids))
        return self._all(f"SELECT {columns} FROM job WHERE id IN ({marks}) AND {IS_SOUND}", job_ids)

    def _all(self, statement: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
        return self._connection.execute(statement, values).fetchall()

    async def _do(self, read: Callable[[], T]) -> T:
        if self._is_closed:
            raise StoppingError
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, read)
        except sqlite3.Error as error:
            raise StoreError(f"The queue cannot be read from disk: {error}.") from error


def _sound(row: tuple[Any, ...]) -> HistoryEntry | None:
    """The entry of a row, None if the disk has changed it."""
    try:
        return entry_of(row)
    except (ValueError, TypeError, KeyError, AttributeError):
        LOG.error("What the history holds of job %s is damaged and cannot be shown.", row[0])
        return None


def _batches(ids: Sequence[str]) -> list[Sequence[str]]:
    return [ids[start : start + MOST_AT_ONCE] for start in range(0, len(ids), MOST_AT_ONCE)]
