"""Columns of the registry's tables: how values are held, the same on both engines.

Instants are microseconds since 1970-01-01 UTC, documents are canonical JSON in text, and text that PostgreSQL could not
hold (NUL, lone surrogates) is refused on SQLite too.
"""

from __future__ import annotations

import json
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.types import TypeDecorator

from driftline.errors import InputError, UsageError, printable

__all__ = ["Flag", "Instant", "Json", "Real", "Words", "canonical", "column", "metadata", "sequence", "table"]

MOST_TEXT = 1 << 24


def _checked(value: str) -> str:
    if len(value) > MOST_TEXT:
        raise UsageError(
            f"{len(value):,} characters are too many for the registry",
            code="E-TEXT",
            fix="keep such texts in files",
        )
    if "\0" in value:
        raise UsageError(f"{printable(value, 60)!r} holds a NUL character", code="E-TEXT", fix="leave it out")
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        raise UsageError(
            f"{printable(value, 60)!r} holds half of a surrogate pair", code="E-TEXT", fix="leave it out"
        ) from None
    return value


def canonical(value: Any) -> str:
    """Return a document as text in its one canonical form: keys in order, no white space, ASCII only.

    Raises
    ------
    ValueError
        If a number in it is not finite.
    """
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False, ensure_ascii=True)


class Words(TypeDecorator[str]):
    """Text that both engines can hold, and sort, by its code points."""

    impl = sa.Text
    cache_ok = True

    def load_dialect_impl(self, dialect: sa.Dialect) -> sa.types.TypeEngine[Any]:
        """Leave the language of PostgreSQL's host out of it."""
        return dialect.type_descriptor(
            postgresql.TEXT(collation="C") if dialect.name == "postgresql" else sa.Text()
        )

    def process_bind_param(self, value: str | None, dialect: sa.Dialect) -> str | None:
        """Refuse what one of the engines would refuse, or change."""
        return None if value is None else _checked(value)


class Json(TypeDecorator[Any]):
    """A document, as canonical JSON in text: keys in order, no white space."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: sa.Dialect) -> str | None:
        """Write the document."""
        if value is None:
            return None
        try:
            text = canonical(value)
        except (TypeError, ValueError, RecursionError) as error:
            raise UsageError(
                f"a document cannot be stored: {printable(error, 100)}",
                code="E-VALUE",
                fix="use texts, finite numbers, true, false, null, lists and objects",
            ) from None
        return _checked(text)

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> Any:
        """Read the document."""
        try:
            return None if value is None else json.loads(value)
        except ValueError:
            raise InputError(
                "holds a document that is damaged",
                code="E-REGISTRY",
                file="the registry's database",
                fix="look at it with `driftline fsck`, or restore a backup",
            ) from None


class Flag(TypeDecorator[bool]):
    """True or false, as a whole number: strict tables of SQLite have no booleans."""

    impl = sa.Integer
    cache_ok = True

    def process_bind_param(self, value: bool | None, dialect: sa.Dialect) -> int | None:
        """Write it."""
        return None if value is None else int(value)

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> bool | None:
        """Read it."""
        return None if value is None else bool(value)


Instant = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
"""Microseconds since 1970-01-01 UTC; also durations, in microseconds."""

Real: sa.types.TypeEngine[float] = sa.Double().with_variant(sa.REAL(), "sqlite")
"""A number in double precision."""

_NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
}
metadata = sa.MetaData(naming_convention=_NAMING)


def table(name: str, *parts: sa.schema.SchemaItem) -> sa.Table:
    """Return a table of the registry, strict on SQLite."""
    return sa.Table(name, metadata, *parts, sqlite_strict=True)


def column(name: str, kind: Any, *args: Any, null: bool = False, **given: Any) -> sa.Column[Any]:
    """Return a column, which must have a value where it is not said otherwise."""
    return sa.Column(name, kind, *args, nullable=null, **given)


def sequence(name: str = "seq") -> sa.Column[Any]:
    """Return the primary key of a table whose rows have an order."""
    return sa.Column(name, Instant, primary_key=True, autoincrement=True)
