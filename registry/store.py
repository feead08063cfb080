"""Registry: one transaction at a time in which things change, are audited, and are told to whoever listens."""

from __future__ import annotations

import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from driftline.errors import UsageError
from driftline.registry import audit, outbox
from driftline.registry.database import HEAD, Database, RegistryError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

__all__ = ["SYSTEM", "Registry", "Tx", "user_name"]

SYSTEM = "driftline"
"""Who acts where no person does: the scheduler."""

T = TypeVar("T")

_MOST_SUBJECT = 500


def user_name() -> str:
    """Return the name under which the person at this terminal acts: ``DRIFTLINE_USER``, or that of the account."""
    named = os.environ.get("DRIFTLINE_USER")
    if named:
        return named
    import pwd

    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"uid-{os.getuid()}"


class Tx:
    """A transaction on the registry.

    Attributes
    ----------
    connection : sqlalchemy.Connection
    now : int
        Microseconds since 1970-01-01 UTC by the database's clock, the same throughout.
    who : str
        Who acts.
    reason : str
        Why, as they said.
    """

    def __init__(self, database: Database, connection: sa.Connection, who: str, reason: str) -> None:
        self.database = database
        self.connection = connection
        self.who = who
        self.reason = reason
        self.now = database.now(connection)
        self._targets: list[tuple[str, Mapping[str, Any]]] | None = None

    def execute(
        self, statement: sa.Executable, rows: Sequence[Mapping[str, Any]] | None = None
    ) -> sa.CursorResult[Any]:
        """Execute a statement, with bound parameters as ever."""
        result = (
            self.connection.execute(statement, rows)
            if rows is not None
            else self.connection.execute(statement)
        )
        assert isinstance(result, sa.CursorResult)
        return result

    def one(self, statement: sa.Executable) -> Any:
        """Return the row that a statement gives, or None."""
        return self.connection.execute(statement).one_or_none()

    def all(self, statement: sa.Executable) -> Sequence[Any]:
        """Return all rows that a statement gives."""
        return self.connection.execute(statement).all()

    def insert(
        self, table: sa.Table, on_conflict: Literal["ignore", "update"] | None = None, /, **values: Any
    ) -> bool:
        """Insert a row.

        Parameters
        ----------
        table : sqlalchemy.Table
        on_conflict : {"ignore", "update"}, optional
            What to do where a row with this key is there: leave it, or set all other values. An error otherwise.
        **values

        Returns
        -------
        bool
            Whether a row was written.
        """
        kind = sqlite.insert if self.database.is_sqlite else postgresql.insert
        statement = kind(table).values(values)
        if on_conflict == "ignore":
            statement = statement.on_conflict_do_nothing()
        elif on_conflict == "update":
            keys = [c.name for c in table.primary_key]
            rest = {name: value for name, value in values.items() if name not in keys}
            statement = statement.on_conflict_do_update(index_elements=keys, set_=rest)
        return self.execute(statement.execution_options(preserve_rowcount=True)).rowcount > 0

    def lease_clock(self) -> tuple[str, int]:
        """Return the clock of leases, see :meth:`Database.lease_clock`."""
        return self.database.lease_clock(self.connection)

    def targets(self) -> list[tuple[str, Mapping[str, Any]]]:
        """Return the names and configurations of the targets to be told of events."""
        if self._targets is None:
            self._targets = outbox.wanted_targets(self)
        return self._targets

    def forget_targets(self) -> None:
        """Read the targets anew: they were changed in this transaction."""
        self._targets = None

    def emit(self, kind: str, subject: str, data: Mapping[str, Any]) -> outbox.Event:
        """Tell of something that happened; see :func:`driftline.registry.outbox.emit`."""
        _check_subject(subject)
        return outbox.emit(self, kind, subject, data)

    def record(
        self,
        action: str,
        subject: str,
        *,
        before: Any = None,
        after: Any = None,
        data: Mapping[str, Any] | None = None,
    ) -> outbox.Event:
        """Write what was done into the audit log, and tell of it.

        Parameters
        ----------
        action : str
            Such as ``schedule.created``; also the type of the event.
        subject : str
            Such as ``schedules/churn-quality``.
        before, after : object
            Documents; only what the action changed.
        data : mapping, optional
            More for the event: names and states that a receiver needs. The documents themselves stay in the audit log.
        """
        _check_subject(subject)
        change = None if before is None and after is None else {"before": before, "after": after}
        number = audit.append(self, action, subject, change)
        return self.emit(
            action, subject, {"who": self.who, "reason": self.reason, "audit": number, **(data or {})}
        )


def _check_subject(subject: str) -> None:
    """Refuse what an index of PostgreSQL could not hold."""
    if len(subject) > _MOST_SUBJECT:
        raise UsageError(
            f"{len(subject):,} characters are too many for what something happened to",
            code="E-TEXT",
            fix=f"use at most {_MOST_SUBJECT}",
        )


class Registry:
    """What exists and what happened.

    Parameters
    ----------
    database : Database
    root : str
        Folder or URL of the workspace: what paths in the registry are relative to.
    """

    def __init__(self, database: Database, root: str) -> None:
        self.database = database
        self.root = root

    @classmethod
    def open(
        cls,
        url: str | os.PathLike[str],
        *,
        root: str | os.PathLike[str] | None = None,
        clock: Callable[[], int] | None = None,
    ) -> Registry:
        """Open a registry that is there.

        Parameters
        ----------
        url : str or path
            See :class:`~driftline.registry.database.Database`.
        root : path or URL, optional
            Of the workspace; the folder of the SQLite file where not given.
        clock : callable, optional
            See :class:`~driftline.registry.database.Database`.

        Raises
        ------
        RegistryError
            ``E-NO-REGISTRY``, ``E-REGISTRY-VERSION``.
        """
        database = Database(url, clock=clock)
        try:
            if database.is_sqlite:
                _refuse_missing(Path(database.name))
            _refuse_other(database, database.version())
        except BaseException:
            database.close()
            raise
        return cls(database, _root(database, root))

    @classmethod
    def create(
        cls,
        url: str | os.PathLike[str],
        *,
        root: str | os.PathLike[str] | None = None,
        clock: Callable[[], int] | None = None,
    ) -> Registry:
        """Open a registry, and make it, or bring it up to date, where needed.

        Parameters
        ----------
        url, root, clock
            As for :meth:`open`.

        Raises
        ------
        RegistryError
        """
        database = Database(url, clock=clock)
        try:
            if database.is_sqlite:
                path = Path(database.name)
                _make_room(path)
            version = database.version()
            if version != HEAD:
                if version is not None and version > HEAD:
                    _refuse_other(database, version)
                from driftline.registry.migrating import migrate

                migrate(database)
        except BaseException:
            database.close()
            raise
        return cls(database, _root(database, root))

    @contextmanager
    def read(self) -> Iterator[Tx]:
        """Give a transaction that sees one state and changes nothing."""
        with self.database.reading() as connection:
            yield Tx(self.database, connection, "", "")

    @contextmanager
    def write(self, who: str | None = None, reason: str = "") -> Iterator[Tx]:
        """Give the transaction that writes; done as a whole at the end, or undone.

        Parameters
        ----------
        who : str, optional
            Who acts; the person at the terminal where not given.
        reason : str
            Why, for the audit log.
        """
        with self.database.writing() as connection:
            yield Tx(self.database, connection, who or user_name(), reason)

    def act(
        self, action: Callable[[Tx], T], *, who: str | None = None, reason: str = "", seconds: float = 30.0
    ) -> T:
        """Do something in a writing transaction, and again where the engine asks for it.

        Parameters
        ----------
        action : callable
            Receives the transaction; must be such that doing it twice changes nothing more than doing it once.
        who, reason
            As for :meth:`write`.
        seconds : float
            How long to go on trying.
        """
        name = who or user_name()
        return self.database.run(
            lambda connection: action(Tx(self.database, connection, name, reason)), seconds=seconds
        )

    def close(self) -> None:
        """Close all connections."""
        self.database.close()

    def __enter__(self) -> Registry:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Registry {self.database.name}>"


def _root(database: Database, root: str | os.PathLike[str] | None) -> str:
    if root is not None:
        return os.fspath(root)
    if not database.is_sqlite:
        raise UsageError(
            "a registry in PostgreSQL needs to be told where the files are",
            code="E-WORKSPACE",
            fix="give the folder or URL of the workspace",
        )
    return str(Path(database.name).parent)


def _refuse_missing(path: Path) -> None:
    try:
        is_there = path.is_file()
        if is_there:
            path.open("rb").close()
    except OSError as error:
        raise RegistryError(
            f"cannot be read: {error.strerror}", file=path, fix="check the path and the permissions"
        ) from None
    if not is_there:
        raise RegistryError(
            "is not a file" if path.exists() else "is not there",
            code="E-NO-REGISTRY",
            file=path,
            fix="make a workspace with `driftline init`",
        )


def _make_room(path: Path) -> None:
    """Make an empty file that is closed to others, where there is none."""
    from driftline.files import make_folder

    if path.exists() and (not path.is_file() or _is_foreign(path)):
        raise RegistryError("is not a registry", code="E-REGISTRY", file=path, fix="name another file")
    make_folder(path.parent)
    if not path.exists():
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))


def _is_foreign(path: Path) -> bool:
    with path.open("rb") as file:
        start = file.read(16)
    return bool(start) and start != b"SQLite format 3\0"


def _refuse_other(database: Database, version: str | None) -> None:
    if version == HEAD:
        return
    if version is None:
        raise RegistryError(
            "holds no registry",
            code="E-NO-REGISTRY",
            file=database.name,
            fix="make one with `driftline init`",
        )
    newer = version > HEAD
    raise RegistryError(
        f"is of a {'newer' if newer else 'older'} version of driftline ({version}, this one has {HEAD})",
        code="E-REGISTRY-VERSION",
        file=database.name,
        fix="update driftline" if newer else "bring it up to date with `driftline init`",
    )
