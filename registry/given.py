"""Given: what callers hand to the registry, looked at before anything is written.

So every refusal is one typed answer, the same on both engines, and nothing reaches a statement that one engine would
take and the other would not.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from driftline.errors import UsageError, printable
from driftline.registry.database import RegistryError

if TYPE_CHECKING:
    from driftline.registry.store import Tx

__all__ = [
    "check_digest",
    "check_moment",
    "check_no_secrets",
    "check_page",
    "check_tags",
    "check_value",
    "check_words",
    "missing",
    "says",
    "tagged",
]

MOST_DEPTH = 32
MOST_PAGE = 10_000
MOST_TAGS = 50
MOST_VALUES = 1 << 20
MOST_WORDS = 4096

LAST_MOMENT = 253_402_300_799_999_999
"""The end of the year 9999, in microseconds since 1970-01-01 UTC."""

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_SECRET = re.compile(
    r"(secrets?|passwords?|passwd|passphrase|token|credentials?|authorization|cookie|signature|\bsig"
    r"|(private|api|access|secret|account)[-_]?key)$",
    re.IGNORECASE,
)


def check_words(what: str, value: object, *, most: int = MOST_WORDS) -> str:
    """Return a text that both engines can hold.

    Raises
    ------
    UsageError
        ``E-TEXT``: it is no text, longer than `most` characters, or holds a NUL or half of a surrogate pair.
    """
    if not isinstance(value, str):
        raise _refused(what, f"expected a text, found {type(value).__name__}", "write it as a text")
    if len(value) > most:
        raise _refused(what, f"has {len(value):,} characters, at most {most:,} are kept", "shorten it")
    if "\0" in value:
        raise _refused(what, f"{printable(repr(value), 60)} holds a NUL character", "leave it out")
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        raise _refused(
            what, f"{printable(repr(value), 60)} holds half of a surrogate pair", "leave it out"
        ) from None
    # A member of an enumeration is a text, too, and would be written in another way than it is hashed.
    return str.__str__(value)


def check_tags(value: object) -> dict[str, str]:
    """Return tags: at most 50, texts by names of at most 128 characters.

    Raises
    ------
    UsageError
        ``E-TEXT``.
    """
    tags = check_value("tags", value)
    if not isinstance(tags, dict) or len(tags) > MOST_TAGS:
        raise _refused("tags", f"expected at most {MOST_TAGS} texts by their names", "leave some out")
    for name, text in tags.items():
        check_words("tags", name, most=128)
        check_words(f"tags.{printable(name, 60)}", text, most=256)
    return tags


def check_value(what: str, value: object) -> Any:
    """Return a document that JSON can hold, copied: tuples have become lists.

    Raises
    ------
    UsageError
        ``E-TEXT``, ``E-VALUE``: it holds what JSON cannot, nests too deep, or is too large.
    """
    left = [MOST_VALUES]
    return _copied(what, value, 0, left)


def _copied(what: str, value: Any, depth: int, left: list[int]) -> Any:
    left[0] -= 1
    if depth > MOST_DEPTH or left[0] < 0:
        raise _refused(what, "nests too deep or holds too much", "keep such documents in files", "E-VALUE")
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        left[0] -= len(value)
        return check_words(what, value, most=MOST_VALUES)
    if isinstance(value, int) and abs(value) < 1 << 64:
        return int(value)
    if isinstance(value, float) and math.isfinite(value):
        return float(value)
    if isinstance(value, list | tuple):
        return [_copied(what, item, depth + 1, left) for item in value]
    if isinstance(value, dict):
        return {
            check_words(what, key): _copied(f"{what}.{printable(key, 60)}", item, depth + 1, left)
            for key, item in value.items()
        }
    raise _refused(
        what,
        f"expected what JSON can hold, found {printable(repr(value), 60)}",
        "write texts, numbers of at most 64 bits, true, false, lists and objects",
        "E-VALUE",
    )


def check_moment(what: str, value: object) -> int:
    """Return an instant, microseconds since 1970-01-01 UTC.

    Raises
    ------
    UsageError
        ``E-MOMENT``.
    """
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= LAST_MOMENT:
        return int(value)
    raise _refused(
        what,
        f"{printable(repr(value), 60)} is no instant",
        "give microseconds since 1970-01-01 UTC, up to the year 9999",
        "E-MOMENT",
    )


def check_digest(what: str, value: object) -> str:
    """Return a digest, ``sha256:`` and 64 hexadecimal digits.

    Raises
    ------
    UsageError
        ``E-DIGEST``.
    """
    if isinstance(value, str) and _DIGEST.fullmatch(value):
        return value
    raise _refused(
        what,
        f"{printable(repr(value), 60)} is no digest",
        "write sha256: and 64 hexadecimal digits in lower case",
        "E-DIGEST",
    )


def check_page(limit: object) -> int:
    """Return how many rows a page has.

    Raises
    ------
    UsageError
        ``E-LIMIT``: not between 1 and 10,000.
    """
    if isinstance(limit, int) and not isinstance(limit, bool) and 1 <= limit <= MOST_PAGE:
        return int(limit)
    raise _refused(
        "limit", f"{printable(repr(limit), 60)} rows are no page", "ask for 1 to 10,000", "E-LIMIT"
    )


def check_no_secrets(what: str, value: object) -> None:
    """See to it that a document names secrets, and holds none.

    Keys such as ``secret`` or ``password`` may only stand for a place: ``secret_env``, ``secret_file``. URLs may hold no
    password.

    Raises
    ------
    UsageError
        ``E-SECRET``; what is refused is not shown.
    """
    if isinstance(value, dict):
        for key, item in value.items():
            here = f"{what}.{printable(key, 60)}"
            if item and not isinstance(item, int | float) and _SECRET.search(key):
                raise _refused(
                    here,
                    "secrets are not kept in the registry",
                    f"name where it is: {printable(key, 60)}_env or {printable(key, 60)}_file",
                    "E-SECRET",
                )
            check_no_secrets(here, item)
    elif isinstance(value, list | tuple):
        for item in value:
            check_no_secrets(what, item)
    elif isinstance(value, str) and "://" in value:
        address, _, query = value.partition("://")[2].partition("#")[0].partition("?")
        authority, options = address.replace("\\", "/").partition("/")[0], query.split("&")
        if ":" in authority.rpartition("@")[0] or any(_SECRET.search(o.partition("=")[0]) for o in options):
            raise _refused(
                what,
                "the URL holds a password or a key",
                "leave it out, and give it in the environment or in a file",
                "E-SECRET",
            )


def _refused(what: str, message: str, fix: str, code: str = "E-TEXT") -> UsageError:
    return UsageError(message, code=code, field=what, fix=fix)


def missing(tx: Tx, what: str, name: object, column: sa.Column[Any], *where: Any) -> RegistryError:
    """Build (not raise) the error that speaks of something that is not there, with the nearest name that is.

    Parameters
    ----------
    what : str
        Such as ``model``; the code is then ``E-NO-MODEL``.
    name : object
    column : sqlalchemy.Column
        Where the names are.
    *where
        Which of them count.
    """
    from driftline.documents import nearest

    query = sa.select(column).where(*where).order_by(column).distinct().limit(1000)
    known = [row[0] for row in tx.execute(query)]
    close = nearest(name, known) if isinstance(name, str) and len(name) < 1000 else None
    fix = f"did you mean {close!r}?" if close else f"there is {', '.join(known[:5])}" if known else None
    return RegistryError(
        f"there is no {what} {printable(repr(name), 80)}",
        code="-".join(("E", "NO", *what.upper().split())),
        fix=fix or f"there is no {what} yet: declare it",
    )


def says(tx: Tx, text: str, *columns: sa.Column[Any]) -> sa.ColumnElement[bool]:
    """Return the condition that one of `columns` holds a text; ASCII letters of either case are alike."""
    words = check_words("text", text, most=256).translate(_LOWER)
    pattern = "%" + words.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
    upper, lower = "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz"
    return sa.or_(
        *(
            # SQLite's lower() knows only ASCII; PostgreSQL's depends on how the database was made.
            (sa.func.lower(c) if tx.database.is_sqlite else sa.func.translate(c, upper, lower)).like(
                pattern, escape="\\"
            )
            for c in columns
        )
    )


_LOWER = {ord("A") + i: ord("a") + i for i in range(26)}


def tagged(tx: Tx, tag: str, column: sa.Column[Any]) -> sa.ColumnElement[bool]:
    """Return the condition that the tags in `column` hold ``name``, or ``name=value``."""
    name, sign, wanted = check_words("tag", tag, most=512).partition("=")
    text = sa.cast(column, sa.Text)
    if tx.database.is_sqlite:
        found = sa.func.json_each(text).table_valued("key", "value")
        query = sa.select(sa.literal(1)).select_from(found).where(found.c.key == name)
        if sign:
            query = query.where(found.c.value == wanted)
        return query.exists()
    from sqlalchemy.dialects.postgresql import JSONB

    value = sa.cast(text, JSONB)[name].astext
    condition: sa.ColumnElement[bool] = value == wanted if sign else value.is_not(None)
    return condition
