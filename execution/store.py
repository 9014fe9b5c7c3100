"""The queue and the history on disk: SQLite, one table, one thread that writes (readers: `execution/archive.py`).

What is committed survives the end of the process at any moment; what is accepted also a power cut.
"""

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from execution.engine import Job, JobState, StoreError
from execution.events import Kept
from execution.records import JOB_COLUMNS, events_text, job_of, job_row, outputs_text

SCHEMA_VERSION = 2
SCHEMA = """
CREATE TABLE job(
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    number REAL NOT NULL,
    graph TEXT NOT NULL,
    targets TEXT NOT NULL,
    extra_data TEXT NOT NULL,
    client_id TEXT,
    state TEXT NOT NULL CHECK(state IN ('pending', 'running', 'succeeded', 'failed', 'interrupted')),
    created INTEGER NOT NULL,
    started INTEGER,
    ended INTEGER,
    attempt INTEGER NOT NULL,
    end_order INTEGER,
    outputs TEXT NOT NULL DEFAULT '{}',
    events TEXT NOT NULL DEFAULT '[]',
    digest BLOB
);
CREATE INDEX job_unfinished ON job(number, sequence) WHERE state IN ('pending', 'running');
CREATE INDEX job_history ON job(end_order) WHERE end_order IS NOT NULL;
"""
MIGRATIONS = {1: "ALTER TABLE job ADD COLUMN digest BLOB;"}
"""What brings the form of this version to the next."""


class DamagedJobError(Exception):
    """What was written of a job cannot be read, or is no longer there."""


class DamagedStoreError(StoreError):
    """What lies in the place of the queue is no database, or a broken one."""


IS_SOUND = """(
    json_valid(graph)
    AND CASE WHEN json_valid(targets) THEN json_type(targets) END IS 'array'
    AND CASE WHEN json_valid(extra_data) THEN json_type(extra_data) END IS 'object'
)"""
"""SQLite does not notice a byte that has changed inside a text; what is no JSON any more has to be passed over."""


def connected(path: Path, *, read_only: bool = False) -> sqlite3.Connection:
    """A connection for use in one thread at a time; a read-only one leaves the file as it is. Raises sqlite3.Error."""
    address = f"{path.absolute().as_uri()}?mode={'ro' if read_only else 'rwc'}"
    connection = sqlite3.connect(address, uri=True, isolation_level=None, check_same_thread=False)
    connection.text_factory = lambda data: data.decode("utf-8", "replace")
    return connection


def primary_code(error: sqlite3.Error) -> int | None:
    """What kind of failure it is; None for those that Python's own module has found."""
    code: int | None = getattr(error, "sqlite_errorcode", None)
    return None if code is None else code & 0xFF


@dataclass(frozen=True, slots=True)
class End:
    """How a job has ended, what its nodes showed, and the events that tell its life."""

    job_id: str
    state: JobState
    timestamp: int
    outputs: Mapping[str, Any]
    events: tuple[Kept, ...]


class Store:
    """All statements that write. Its methods run inside a transaction that the caller begins and commits."""

    def __init__(self, path: Path) -> None:
        """Open or make the database. Raises StoreError if a newer program made it, DamagedStoreError."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self._files = (path, path.with_name(f"{path.name}-wal"))
        try:
            _refuse_newer(path)
            self._connection = connected(path)
        except sqlite3.Error as error:
            raise StoreError(f"The queue in {path} cannot be opened: {error}.") from error
        try:
            self._prepare()
        except sqlite3.Error as error:
            self._connection.close()
            is_damaged = primary_code(error) in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
            kind = DamagedStoreError if is_damaged else StoreError
            raise kind(f"The queue in {path} cannot be used: {error}.") from error
        except StoreError:
            self._connection.close()
            raise

    def _prepare(self) -> None:
        run = self._connection.execute
        run("PRAGMA busy_timeout=5000")
        run("PRAGMA journal_mode=WAL")
        (version,) = run("PRAGMA user_version").fetchone()
        if version < SCHEMA_VERSION:
            steps = [SCHEMA] if version == 0 else [MIGRATIONS[old] for old in range(version, SCHEMA_VERSION)]
            self._connection.executescript(f"BEGIN; {' '.join(steps)} PRAGMA user_version={SCHEMA_VERSION}; COMMIT;")
        (verdict,) = run("PRAGMA quick_check(1)").fetchone()
        if verdict != "ok":
            raise DamagedStoreError(f"The queue on disk is damaged: {verdict}.")
        self._identities = [_identity(file) for file in self._files]

    def close(self) -> None:
        self._connection.close()

    def transaction(self, actions: Iterable[Callable[[], object]], durable: bool) -> None:
        """Do all of it or nothing; durable: it is on the disk, not only in the system's hands, when this returns.

        What cannot be durable, because somebody has taken the files of the queue away, is refused.
        """
        if durable and [_identity(file) for file in self._files] != self._identities:
            raise StoreError(
                f"The file {self._files[0].name} of the queue has been removed or replaced while Weft ran, so nothing "
                "more can be kept. Start Weft again."
            )
        self._connection.execute(f"PRAGMA synchronous={'FULL' if durable else 'NORMAL'}")
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            for action in actions:
                action()
            self._connection.execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise

    def damaged(self) -> list[tuple[str, int]]:
        """Ids and attempts of the unfinished jobs that can no longer be read."""
        rows = self._connection.execute(
            f"SELECT id, attempt FROM job WHERE state IN ('pending', 'running') AND NOT {IS_SOUND}"
        )
        return rows.fetchall()

    def empty(self, job_id: str) -> None:
        """Put nothing in the place of what cannot be read."""
        self._connection.execute(
            "UPDATE job SET graph = '{}', targets = '[]', extra_data = '{}' WHERE id = ?", (job_id,)
        )

    def find(self, job_id: str) -> Job | None:
        row = self._connection.execute(f"SELECT {JOB_COLUMNS} FROM job WHERE id = ?", (job_id,)).fetchone()
        return None if row is None else job_of(row)

    def add(self, job: Job) -> None:
        marks = ", ".join("?" * len(job_row(job)))
        self._connection.execute(f"INSERT INTO job({JOB_COLUMNS}) VALUES ({marks})", job_row(job))

    def begin(self, job_id: str, started: int, attempt: int) -> Job:
        """Note that the job runs, and for which time, before anything of it does. Raises DamagedJobError."""
        self._connection.execute(
            "UPDATE job SET state = 'running', started = ?, attempt = ? WHERE id = ?", (started, attempt, job_id)
        )
        try:
            found = self.find(job_id)
        except ValueError as error:
            raise DamagedJobError(f"What was written of the job {job_id} is no JSON: {error}.") from error
        if found is None:
            raise DamagedJobError(f"The job {job_id} is no longer in the queue on disk.")
        return found

    def finish(self, end: End, history_limit: int) -> None:
        """Move the job to the history, which holds what is left of so many of the last."""
        self._connection.execute(
            "UPDATE job SET state = ?, ended = ?, outputs = ?, events = ?,"
            " end_order = (SELECT coalesce(max(end_order), 0) + 1 FROM job WHERE end_order IS NOT NULL)"
            " WHERE id = ? AND end_order IS NULL",
            (end.state, end.timestamp, outputs_text(end.outputs), events_text(end.events), end.job_id),
        )
        self.make_room(history_limit)

    def make_room(self, history_limit: int) -> None:
        """Forget what ended before the last so many."""
        self._connection.execute(
            "DELETE FROM job WHERE end_order <= (SELECT max(end_order) FROM job WHERE end_order IS NOT NULL) - ?",
            (history_limit,),
        )

    def put_back(self, row: Mapping[str, Any]) -> bool:
        """Take over a row of another store, as far as it is whole; says whether it was."""
        names = ", ".join(row)
        marks = ", ".join("?" * len(row))
        try:
            self._connection.execute(f"INSERT INTO job({names}) VALUES ({marks})", tuple(row.values()))
        except sqlite3.IntegrityError:
            return False
        return True

    def requeue(self, job_id: str, attempt: int) -> None:
        """Take back a beginning that was not the job's fault to have no end."""
        self._connection.execute(
            "UPDATE job SET state = 'pending', started = NULL, attempt = ? WHERE id = ? AND end_order IS NULL",
            (attempt, job_id),
        )

    def unfinished(self) -> Iterator[Job]:
        """The jobs that wait or were running, in the order in which they are to run, one at a time."""
        rows = self._connection.execute(
            f"SELECT {JOB_COLUMNS} FROM job WHERE state IN ('pending', 'running') AND {IS_SOUND}"
            " ORDER BY number, sequence"
        )
        return map(job_of, rows)

    def last_sequence(self) -> int:
        """How many jobs have ever been accepted."""
        row = self._connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'job'").fetchone()
        return 0 if row is None else row[0]

    def remove_unfinished(self, job_ids: Iterable[str]) -> None:
        """Forget jobs that wait; one that a dying worker has given back may be noted as running here."""
        self._connection.executemany(
            "DELETE FROM job WHERE id = ? AND end_order IS NULL", [(job_id,) for job_id in job_ids]
        )

    def delete_history(self, job_ids: Iterable[str] | None) -> int:
        """Delete entries, all of them without ids; returns how many there were."""
        if job_ids is None:
            return self._connection.execute("DELETE FROM job WHERE end_order IS NOT NULL").rowcount
        ids = [(job_id,) for job_id in job_ids]
        return self._connection.executemany("DELETE FROM job WHERE id = ? AND end_order IS NOT NULL", ids).rowcount


def _refuse_newer(path: Path) -> None:
    """Look before anything is written, for merely opening a database may change its files. Raises StoreError."""
    if not path.exists():
        return
    version = 0
    with suppress(sqlite3.Error), closing(connected(path, read_only=True)) as look:
        (version,) = look.execute("PRAGMA user_version").fetchone()
    if version > SCHEMA_VERSION:
        raise StoreError(
            f"The queue was written by a newer Weft (version {version} of its form, this one knows "
            f"{SCHEMA_VERSION}). Update Weft, or choose another --base-directory."
        )


def _identity(file: Path) -> tuple[int, int] | None:
    """Tells a file from another of its name; None if there is none."""
    try:
        status = file.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino
