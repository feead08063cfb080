"""Database: SQLite beside the workspace, or PostgreSQL by URL; one set of rules for both.

One transaction writes at a time, on PostgreSQL too (an advisory lock). That costs throughput nobody needs here, and buys
that what is proven on one engine holds on the other: no deadlocks, no serialization failures, a single audit chain.
"""

from __future__ import annotations

import os
import random
import re
import sqlite3
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import sqlalchemy as sa
from sqlalchemy.exc import DisconnectionError, InterfaceError, OperationalError, StatementError

from driftline.errors import DriftlineError, InputError, UsageError, printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["HEAD", "Database", "RegistryError"]

HEAD = "0001"
"""The newest migration: what this version of driftline reads and writes."""

T = TypeVar("T")

_LOCK = 0x64726966746C696E  # one for all registries in a database, "driftlin"
_BUSY_SECONDS = 5.0
_TRIES = 6
_RETRIED = frozenset(
    ("40001", "40P01", "55P03", "25P03", "57P01", "57P02", "57P03", "08000", "08003", "08006", "53300")
)


_SERVER_CLOCK = sa.text("SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint")


class RegistryError(InputError):
    """The registry cannot be reached, is busy, or is not what it should be."""

    default_code = "E-REGISTRY"


class Database:
    """Connections to the registry's database.

    Parameters
    ----------
    url : str
        ``postgresql://…``, ``sqlite:///…``, or the path of a SQLite file.
    clock : callable, optional
        Gives the time in microseconds in place of the database's clock: for tests, and for playing a week in a minute.

    Attributes
    ----------
    name : str
        For people: the path, or the URL without a password.
    is_sqlite : bool
    """

    def __init__(self, url: str | os.PathLike[str], *, clock: Callable[[], int] | None = None) -> None:
        self._clock = clock
        text = os.fspath(url)
        if "://" not in text:
            text = "sqlite:///" + str(Path(text).absolute())
        try:
            self._url = sa.make_url(text)
        except (sa.exc.ArgumentError, ValueError):
            raise UsageError(
                "is no URL of a database",
                code="E-DATABASE",
                fix="write postgresql://user@host/name, or the path of a SQLite file",
            ) from None
        backend = self._url.get_backend_name()
        if backend not in ("sqlite", "postgresql"):
            raise UsageError(
                f"databases of the kind {printable(backend)!r} are not supported",
                code="E-DATABASE",
                fix="use SQLite or PostgreSQL",
            )
        self.is_sqlite = backend == "sqlite"
        if self.is_sqlite:
            if not self._url.database or self._url.database == ":memory:":
                raise UsageError("a registry must outlive its process", code="E-DATABASE", fix="name a file")
            self.name = str(self._url.database)
            self.engine = _sqlite(self._url)
        else:
            self.name = _without_secrets(self._url).render_as_string(hide_password=True)
            self.engine = _postgresql(self._url)

    @property
    def url(self) -> str:
        """The URL, with its password: never to be shown."""
        return self._url.render_as_string(hide_password=False)

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """Give a connection in a transaction that sees one state of the registry and changes nothing.

        Raises
        ------
        RegistryError
            ``E-BUSY``, ``E-REGISTRY``.
        """
        with self._told(), self.engine.connect() as connection:
            ready = connection.execution_options(driftline="read")
            if not self.is_sqlite:
                ready = ready.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            with ready.begin():
                yield ready

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """Give a connection in the one transaction that may write; committed at the end, or undone.

        Raises
        ------
        RegistryError
            ``E-BUSY``, ``E-REGISTRY``.
        """
        with self._told(), self.engine.connect() as connection:
            ready = connection.execution_options(driftline="write")
            with ready.begin():
                if not self.is_sqlite:
                    ready.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
                yield ready

    def run(self, action: Callable[[sa.Connection], T], *, seconds: float = 30.0) -> T:
        """Do something in a writing transaction, and again where the engine asks for it.

        Parameters
        ----------
        action : callable
            Must be such that doing it again after a commit that nobody heard of changes nothing more.
        seconds : float
            How long to go on trying.

        Raises
        ------
        RegistryError
            ``E-BUSY``, ``E-REGISTRY``.
        """
        deadline = time.monotonic() + seconds
        for attempt in range(1, 1_000):
            try:
                with self.engine.connect() as connection:
                    ready = connection.execution_options(driftline="write")
                    with ready.begin():
                        if not self.is_sqlite:
                            ready.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
                        return action(ready)
            except (StatementError, DisconnectionError, sa.exc.TimeoutError) as error:
                if not _is_passing(error) or (attempt >= _TRIES and time.monotonic() >= deadline):
                    raise self._failed(error) from error
                time.sleep(min(1.0, 0.02 * 2 ** min(attempt, 6)) * random.uniform(0.5, 1.0))  # noqa: S311
        raise AssertionError

    def now(self, connection: sa.Connection) -> int:
        """Return the time by the database's clock, microseconds since 1970-01-01 UTC."""
        if self._clock is not None:
            return self._clock()
        if self.is_sqlite:
            return time.time_ns() // 1000
        return int(connection.execute(_SERVER_CLOCK).scalar_one())

    def lease_clock(self, connection: sa.Connection) -> tuple[str, int]:
        """Return the clock that leases are on: its name, and microseconds.

        PostgreSQL's own clock; on SQLite, which is of one machine, the time since that machine was started, which no
        change of the wall clock moves. A lease on a clock of another name has ended with the machine's last run.
        """
        if self.is_sqlite:
            return _boot_id(), time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1000
        value = connection.execute(_SERVER_CLOCK).scalar_one()
        return "server", int(value)

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()

    def version(self) -> str | None:
        """Return the migration that the database is at, None where it has no registry.

        Raises
        ------
        RegistryError
        """
        with self.reading() as connection:
            if not sa.inspect(connection).has_table("alembic_version"):
                return None
            return connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except (StatementError, DisconnectionError, sa.exc.TimeoutError) as error:
            raise self._failed(error) from error
        except UnicodeDecodeError as error:
            # The driver's own, from a damaged file.
            raise self._damaged(str(error)) from error

    def _failed(self, error: Exception) -> DriftlineError:
        original = getattr(error, "orig", None) or error
        if isinstance(original, DriftlineError):
            return original  # a value that the tables refuse
        text = str(original).strip().partition("\n")[0]
        if isinstance(error, sa.exc.IntegrityError):
            raise error
        if _is_busy(error):
            return RegistryError(
                "is busy: another process is writing", code="E-BUSY", file=self.name, fix="try again"
            )
        if self.is_sqlite and re.search("malformed|not a database|disk image|encrypted", text):
            return self._damaged(text)
        if self.is_sqlite and re.search("readonly|unable to open|disk I/O|full", text):
            return RegistryError(
                f"cannot be used: {printable(text)}",
                file=self.name,
                fix="check the path, the permissions and the disk",
            )
        if isinstance(error, OperationalError | InterfaceError | DisconnectionError):
            return RegistryError(
                f"cannot be reached: {printable(text)}",
                file=self.name,
                fix="check that the server runs, and the URL",
            )
        raise error

    def _damaged(self, text: str) -> RegistryError:
        return RegistryError(
            f"is damaged: {printable(text)}",
            file=self.name,
            fix="look at it with `sqlite3 FILE 'PRAGMA integrity_check'`, or restore a backup",
        )

    def __repr__(self) -> str:
        return f"<Database {self.name}>"


def _without_secrets(url: sa.URL) -> sa.URL:
    """Return a URL without what libpq also takes as parameters."""
    return url.difference_update_query(
        [name for name in url.query if re.search("pass|secret|token", name, re.IGNORECASE)]
    )


def _boot_id() -> str:
    global _boot
    if _boot is None:
        _boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    return _boot


_boot: str | None = None


def _sqlite(url: sa.URL) -> sa.Engine:
    engine = sa.create_engine(url, connect_args={"timeout": _BUSY_SECONDS})

    @sa.event.listens_for(engine, "connect")
    def _connected(raw: sqlite3.Connection, _: object) -> None:
        # Transactions are begun below, not by the driver.
        raw.isolation_level = None
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            f"busy_timeout={int(_BUSY_SECONDS * 1000)}",
            "foreign_keys=ON",
            "trusted_schema=OFF",
        ):
            raw.execute(f"PRAGMA {pragma}").close()

    @sa.event.listens_for(engine, "begin")
    def _begin(connection: sa.Connection) -> None:
        # A deferred transaction that reads and then writes is refused where another has written meanwhile.
        kind = connection.get_execution_options().get("driftline")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if kind == "write" else "BEGIN")

    return engine


def _postgresql(url: sa.URL) -> sa.Engine:
    limits = {
        "lock_timeout": 10_000,
        "statement_timeout": 60_000,
        "idle_in_transaction_session_timeout": 15_000,
    }
    options = " ".join(f"-c {name}={value}" for name, value in {**limits, "timezone": "UTC"}.items())
    try:
        return sa.create_engine(
            url.set(drivername="postgresql+psycopg"),
            pool_pre_ping=True,
            connect_args={
                "options": options,
                "connect_timeout": 5,
                "application_name": "driftline",
                # A server that vanished without a word is given up after some seconds, not after a quarter of an hour.
                "keepalives_idle": 5,
                "keepalives_interval": 5,
                "keepalives_count": 3,
                "tcp_user_timeout": 20_000,
            },
        )
    except ModuleNotFoundError:
        raise UsageError(
            "the driver of PostgreSQL is not installed",
            code="E-DATABASE",
            fix="install it: pip install 'driftline[postgres]'",
        ) from None


def _is_busy(error: Exception) -> bool:
    if isinstance(error, sa.exc.TimeoutError):
        return True  # all connections of this process are in use
    original = getattr(error, "orig", None)
    if isinstance(original, sqlite3.OperationalError):
        return getattr(original, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
    return getattr(original, "sqlstate", None) in ("55P03", "53300")


def _is_passing(error: Exception) -> bool:
    """Tell whether the same may succeed when tried again."""
    if _is_busy(error) or isinstance(error, DisconnectionError):
        return True
    original = getattr(error, "orig", None)
    if isinstance(original, sqlite3.Error):
        return False
    state = getattr(original, "sqlstate", None)
    if state is None:
        # Lost before an answer came, or the server is not up.
        return isinstance(error, OperationalError | InterfaceError)
    return state in _RETRIED
