"""The manifest: which files of a capture store are to be seen, and what became of every event.

A SQLite database beside the files. A file that it does not name is not there, whatever lies in the folders; so a crash
leaves at most a file that nobody sees. One transaction makes a segment visible, says which log it came from, and counts
its events, so that a log is never stored twice and the counts add up at any moment.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import sqlite3
import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from driftline.capture import lock
from driftline.errors import SourceError
from driftline.files import make_folder

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

__all__ = ["IMPORT", "Counts", "Manifest", "Sealed", "Segment", "heard", "told"]

FORMAT = 1

IMPORT = "import-"
"""What the names of imports begin with, among those of logs."""

_TABLES = """
CREATE TABLE IF NOT EXISTS about (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS segments (
    path TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    endpoint TEXT NOT NULL,
    variant TEXT NOT NULL,
    hour INTEGER NOT NULL,
    rows INTEGER NOT NULL,
    events INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    first INTEGER NOT NULL,
    last INTEGER NOT NULL,
    created INTEGER NOT NULL,
    superseded INTEGER
) STRICT;
CREATE INDEX IF NOT EXISTS segments_by_hour ON segments (kind, endpoint, variant, hour) WHERE superseded IS NULL;
CREATE TABLE IF NOT EXISTS logs (
    id TEXT PRIMARY KEY,
    sealed INTEGER NOT NULL,
    token TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS erasures (digest TEXT PRIMARY KEY, asked INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS unpublished (
    kind TEXT NOT NULL,
    endpoint TEXT NOT NULL,
    variant TEXT NOT NULL,
    day INTEGER NOT NULL,
    PRIMARY KEY (kind, endpoint, variant, day)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS counts (
    endpoint TEXT NOT NULL,
    variant TEXT NOT NULL,
    what TEXT NOT NULL,
    reason TEXT NOT NULL,
    n INTEGER NOT NULL,
    PRIMARY KEY (endpoint, variant, what, reason)
) STRICT, WITHOUT ROWID;
"""

Counts = dict[tuple[str, str, str, str], int]
"""How many events, by endpoint, variant, what became of them, and why."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A file of the store.

    Attributes
    ----------
    path : str
        Relative to the store, with ``/``.
    kind : {"events", "quarantine", "labels"}
    endpoint, variant : str
    hour : int
        Hours since 1970-01-01 UTC.
    rows, events, bytes : int
    sha256 : str
    first, last : int
        Times of its first and last event, in microseconds since 1970-01-01 UTC.
    created : int
        When the newest of its rows came to be seen, likewise: a file that only takes the place of others is as old as
        they are. 0 before that.
    """

    path: str
    kind: str
    endpoint: str
    variant: str
    hour: int
    rows: int
    events: int
    bytes: int
    sha256: str
    first: int
    last: int
    created: int = field(default=0, compare=False)


def told(segments: Iterable[Segment]) -> bytes:
    """Return the segments of a day as they are told to other machines, with a digest of them."""
    listed = [asdict(segment) for segment in segments]
    return json.dumps({"format": FORMAT, "digest": _digest(listed), "segments": listed}, indent=1).encode()


def heard(data: bytes) -> list[Segment]:
    """Return what :func:`told` made of segments.

    Raises
    ------
    ValueError, KeyError, TypeError
        For other bytes.
    """
    document = json.loads(data)
    if document["digest"] != _digest(document["segments"]):
        raise ValueError("the digest is another")
    return [Segment(**item) for item in document["segments"]]


def _digest(listed: Any) -> str:
    return hashlib.sha256(json.dumps(listed, sort_keys=True).encode()).hexdigest()


@dataclass(slots=True)
class Sealed:
    """What came of a log or an import: files that are written but not yet to be seen, and counts."""

    segments: list[Segment] = field(default_factory=list)
    counts: Counter[tuple[str, str, str, str]] = field(default_factory=Counter)


class _TooLateError(Exception):
    """Somebody else has changed this first."""


class Manifest:
    """The database of a capture store.

    Parameters
    ----------
    path : path
        Made, with the folders above it, where it is missing.

    Raises
    ------
    SourceError
        ``E-MANIFEST`` if it is damaged, or of a newer driftline.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        make_folder(path.parent)
        # SQLite would let others read it, as far as the umask does; its companions take after it.
        path.touch(mode=0o600)
        with self._asked() as database:
            database.executescript(_TABLES)
            database.execute("INSERT OR IGNORE INTO about VALUES ('format', ?)", (str(FORMAT),))
            (found,) = database.execute("SELECT value FROM about WHERE key = 'format'").fetchone()
        if found != str(FORMAT):
            raise SourceError(
                f"is a manifest of format {found}, this driftline knows format {FORMAT}",
                code="E-MANIFEST",
                file=path,
                fix="upgrade driftline",
            )

    @contextlib.contextmanager
    def _asked(self) -> Iterator[sqlite3.Connection]:
        """Open, and close again: a connection must not cross a fork, and opening takes a tenth of a millisecond."""
        with lock.whole(), self._opened() as database:
            yield database

    @contextlib.contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        database = None
        try:
            database = sqlite3.connect(self.path, timeout=30.0, isolation_level=None)
            for pragma in ("busy_timeout=30000", "synchronous=FULL", "trusted_schema=OFF"):
                database.execute(f"PRAGMA {pragma}").close()
            _write_ahead(database)
            yield database
        except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
            raise SourceError(
                f"the manifest cannot be used: {error}",
                code="E-MANIFEST",
                file=self.path,
                fix="check the disk; see what driftline capture check says",
            ) from None
        finally:
            if database is not None:
                database.close()

    @contextlib.contextmanager
    def _changed(self) -> Iterator[sqlite3.Connection]:
        with self._asked() as database:
            database.execute("BEGIN IMMEDIATE")
            try:
                yield database
            except BaseException:
                database.execute("ROLLBACK")
                raise
            database.execute("COMMIT")

    def commit(
        self,
        *,
        add: Iterable[Segment] = (),
        supersede: Iterable[Segment] = (),
        log: tuple[str, str] | None = None,
        imports: Iterable[str] = (),
        void: Iterable[tuple[str, str]] = (),
        counts: Mapping[tuple[str, str, str, str], int] | None = None,
        now: int,
    ) -> bool:
        """Make a change, whole or not at all.

        Parameters
        ----------
        add : iterable of Segment
        supersede : iterable of Segment
            What is no longer to be seen.
        log : tuple of str, optional
            The log that this is what became of, and the token of what was carried on from it to another log.
        imports : iterable of str, optional
            Names of pieces of an import that this is what became of; like a log, each is stored once.
        void : iterable of (str, str)
            Logs and tokens of attempts to seal them that are taken to have failed; from here on they cannot succeed.
        counts : mapping, optional
            To be added, see :data:`Counts`.
        now : int
            Microseconds since 1970-01-01 UTC.

        Returns
        -------
        bool
            False, and nothing is changed, where the log was sealed before, its token is void, an attempt that is to be
            void has succeeded, or a segment to supersede is gone.
        """
        added, gone = list(add), list(supersede)
        done = [*([] if log is None else [log]), *((name, "") for name in imports)]
        try:
            with self._changed() as database:
                _commit(database, added, gone, done, now)
                _make_void(database, void, now)
                database.executemany(
                    "INSERT INTO counts VALUES (?, ?, ?, ?, ?) "
                    "ON CONFLICT (endpoint, variant, what, reason) DO UPDATE SET n = n + excluded.n",
                    [(*key, n) for key, n in (counts or {}).items() if n],
                )
                database.executemany(
                    "INSERT OR IGNORE INTO unpublished VALUES (?, ?, ?, ?)",
                    [(s.kind, s.endpoint, s.variant, s.hour // 24) for s in (*added, *gone)],
                )
        except _TooLateError:
            return False
        return True

    def token_of(self, log: str) -> str | None:
        """Return what was carried on from a log when it was sealed; None where it is not sealed."""
        with self._asked() as database:
            row = database.execute("SELECT token FROM logs WHERE id = ?", (log,)).fetchone()
            return None if row is None else str(row[0])

    def ask_erasure(self, digests: Iterable[str], asked: int) -> None:
        """Keep digests of ids that are to be forgotten of what is sealed from now on."""
        with self._changed() as database:
            database.executemany(
                "INSERT OR REPLACE INTO erasures VALUES (?, ?)", [(d, asked) for d in digests]
            )

    def erasures(self) -> dict[str, int]:
        """Return those digests, and when each was asked for."""
        with self._asked() as database:
            return dict(database.execute("SELECT digest, asked FROM erasures"))

    def forget_erasures(self, before: int) -> None:
        """Forget erasures that were asked for before a time."""
        with self._changed() as database:
            database.execute("DELETE FROM erasures WHERE asked < ?", (before,))

    def unpublished(self) -> list[tuple[str, str, str, int]]:
        """List kind, endpoint, variant and day (since 1970-01-01) of what changed since it was told to other machines."""
        with self._asked() as database:
            return list(database.execute("SELECT kind, endpoint, variant, day FROM unpublished"))

    def published(self, what: tuple[str, str, str, int]) -> None:
        """Note that a day was told to other machines."""
        with self._changed() as database:
            database.execute(
                "DELETE FROM unpublished WHERE kind = ? AND endpoint = ? AND variant = ? AND day = ?", what
            )

    def is_sealed(self, log: str) -> bool:
        """Tell whether a log has become segments."""
        with self._asked() as database:
            return database.execute("SELECT 1 FROM logs WHERE id = ?", (log,)).fetchone() is not None

    def segments(
        self,
        kind: str = "events",
        *,
        endpoint: str | None = None,
        variant: str | None = None,
        hours: tuple[int, int] | None = None,
    ) -> list[Segment]:
        """List what is to be seen, by endpoint, variant, hour and path.

        Parameters
        ----------
        kind : str
        endpoint, variant : str, optional
        hours : tuple of int, optional
            First hour, and the one after the last.
        """
        where: list[str] = ["superseded IS NULL", "kind = ?"]
        values: list[object] = [kind]
        for column, value in (("endpoint", endpoint), ("variant", variant)):
            if value is not None:
                where.append(f"{column} = ?")
                values.append(value)
        if hours is not None:
            where.append("hour >= ? AND hour < ?")
            values.extend(hours)
        # The words of the query come from above, the values are bound.
        listed = (
            "SELECT path, kind, endpoint, variant, hour, rows, events, bytes, sha256, first, last, created "
            "FROM segments "
        )
        query = f"{listed} WHERE {' AND '.join(where)} ORDER BY endpoint, variant, hour, path"
        with self._asked() as database:
            return [Segment(*row) for row in database.execute(query, values)]

    def superseded(self, before: int) -> list[tuple[str, str]]:
        """List kind and path of segments that nobody has been told of since `before`."""
        with self._asked() as database:
            return list(
                database.execute(
                    "SELECT kind, path FROM segments WHERE superseded <= ? ORDER BY path", (before,)
                )
            )

    def forget_logs(self, before: int, keep: Collection[str] = ()) -> None:
        """Forget which logs were sealed before a time; imports are remembered, since anybody may repeat one at any time.

        Parameters
        ----------
        before : int
        keep : collection of str
            Names of logs that are still there.
        """
        old = "SELECT id FROM logs WHERE sealed < ? AND id NOT LIKE ?"
        with self._asked() as database:
            found = {name for (name,) in database.execute(old, (before, IMPORT + "%"))}
        if found.difference(keep):
            with self._changed() as database:
                database.executemany("DELETE FROM logs WHERE id = ?", [(n,) for n in found.difference(keep)])

    def forget(self, paths: Sequence[str]) -> None:
        """Forget superseded segments whose files are gone."""
        with self._changed() as database:
            database.executemany(
                "DELETE FROM segments WHERE path = ? AND superseded IS NOT NULL", [(p,) for p in paths]
            )

    def known(self) -> set[str]:
        """Return the paths of all segments, to be seen or not."""
        with self._asked() as database:
            return {path for (path,) in database.execute("SELECT path FROM segments")}

    def account(self, logs: Collection[str], endpoint: str | None = None) -> tuple[Counts, dict[str, str]]:
        """Return what became of the events so far and, of the same moment, those of `logs` that are sealed, by token."""
        with self._asked() as database:
            database.execute("BEGIN")
            try:
                one = "SELECT id, token FROM logs WHERE id = ?"
                sealed = [row for log in logs for row in database.execute(one, (log,))]
                return _counts(database, endpoint), dict(sealed)
            finally:
                database.execute("COMMIT")

    def counts(self, endpoint: str | None = None) -> Counts:
        """Return what became of the events so far."""
        with self._asked() as database:
            return _counts(database, endpoint)

    def size(self) -> int:
        """Return the bytes of all files that the manifest knows."""
        with self._asked() as database:
            (total,) = database.execute("SELECT COALESCE(SUM(bytes), 0) FROM segments").fetchone()
            return int(total)

    def note(self, key: str, value: object) -> None:
        """Keep a fact about the store."""
        with self._changed() as database:
            database.execute("INSERT OR REPLACE INTO about VALUES (?, ?)", (key, json.dumps(value)))

    def noted(self, key: str) -> Any:
        """Return a fact that was kept, or None."""
        with self._asked() as database:
            row = database.execute("SELECT value FROM about WHERE key = ?", (key,)).fetchone()
            return None if row is None else json.loads(row[0])

    def check(self) -> list[str]:
        """Return what SQLite finds wrong with the database."""
        with self._asked() as database:
            return [text for (text,) in database.execute("PRAGMA integrity_check") if text != "ok"]


def _write_ahead(database: sqlite3.Connection) -> None:
    """Let the database be written ahead; whoever makes it new is not waited for by SQLite, whatever the timeout."""
    end = time.monotonic() + 30.0
    while True:
        try:
            database.execute("PRAGMA journal_mode=WAL").close()
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > end:
                raise
        else:
            return
        time.sleep(0.005)


def _commit(
    database: sqlite3.Connection,
    add: Sequence[Segment],
    supersede: Sequence[Segment],
    logs: Sequence[tuple[str, str]],
    now: int,
) -> None:
    for log, token in logs:
        if database.execute("SELECT 1 FROM logs WHERE id IN (?, ?)", (log, f"{log} {token}")).fetchone():
            raise _TooLateError
        database.execute("INSERT INTO logs VALUES (?, ?, ?)", (log, now, token))
    ages: dict[tuple[str, str, str, int], int] = {}
    for segment in supersede:
        key = (segment.kind, segment.endpoint, segment.variant, segment.hour)
        (age,) = database.execute(
            "SELECT MAX(created) FROM segments WHERE path = ?", (segment.path,)
        ).fetchone()
        ages[key] = max(ages.get(key, 0), age or 0)
        done = database.execute(
            "UPDATE segments SET superseded = ? WHERE path = ? AND superseded IS NULL", (now, segment.path)
        )
        if done.rowcount != 1:
            raise _TooLateError
    for s in add:
        database.execute(
            "INSERT INTO segments VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NULL)",
            (
                *(s.path, s.kind, s.endpoint, s.variant, s.hour, s.rows, s.events, s.bytes, s.sha256),
                *(s.first, s.last, ages.get((s.kind, s.endpoint, s.variant, s.hour), now)),
            ),
        )


def _counts(database: sqlite3.Connection, endpoint: str | None) -> Counts:
    query = "SELECT endpoint, variant, what, reason, n FROM counts"
    if endpoint is not None:
        query += " WHERE endpoint = ?"
    found = database.execute(query, () if endpoint is None else (endpoint,))
    return {(e, v, what, reason): n for e, v, what, reason, n in found}


def _make_void(database: sqlite3.Connection, void: Iterable[tuple[str, str]], now: int) -> None:
    for log, token in void:
        if database.execute("SELECT 1 FROM logs WHERE id = ? AND token = ?", (log, token)).fetchone():
            raise _TooLateError
        database.execute("INSERT OR IGNORE INTO logs VALUES (?, ?, 'void')", (f"{log} {token}", now))
