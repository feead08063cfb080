"""What the commands about model cards share: which version is meant, and how cards look as text and as JSON."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from driftline.registry.card_types import Card, CardVersion, Evidence, Record
    from driftline.rooms.cards import Which

__all__ = [
    "STATUSES",
    "asked",
    "card_document",
    "evidence_document",
    "facts",
    "name_argument",
    "named",
    "pairs",
    "record_document",
    "say",
    "version_argument",
    "version_document",
    "which",
]

STATUSES = {"draft": "Draft", "pending": "PendingReview", "approved": "Approved", "archived": "Archived"}
"""What people type, and what the registry says."""

_MOST_DIGITS = 9


def name_argument(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``CARD``: its name."""
    return click.argument("name", metavar="CARD")(function)


def version_argument(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``CARD[@VERSION]``, which :func:`named` takes apart."""
    return click.argument("name", metavar="CARD[@VERSION]")(function)


def named(text: str) -> tuple[str, Which]:
    """Return the name of a card and the version of it that is meant: the newest where none is named.

    Raises
    ------
    UsageError
        ``E-CARD-VERSION``.
    """
    name, sign, version = text.partition("@")
    return name, which(version) if sign else "latest"


def which(text: str) -> Which:
    """Return the version that is meant: ``latest``, ``approved`` or a number.

    Raises
    ------
    UsageError
        ``E-CARD-VERSION``.
    """
    from driftline.errors import UsageError, printable

    if text == "latest":
        return "latest"
    if text == "approved":
        return "approved"
    digits = text.removeprefix("v")
    if digits.isascii() and digits.isdecimal() and len(digits) <= _MOST_DIGITS:
        return int(digits)
    raise UsageError(
        f"{printable(text, 60)!r} is no version",
        code="E-CARD-VERSION",
        fix="use a number, latest or approved, as in churn-card@3",
    )


def pairs(given: Iterable[str], option: str) -> dict[str, str]:
    """Return what options such as ``--tag NAME=VALUE`` say.

    Raises
    ------
    click.UsageError
    """
    found = {}
    for one in given:
        key, sign, value = one.partition("=")
        if not sign or not key:
            raise click.UsageError(f"{option} {one!r} has no value: write {option} NAME=VALUE")
        found[key] = value
    return found


def asked(question: str, *, what: str, fix: str, json_: bool) -> bool:
    """Ask whether to do it.

    Raises
    ------
    UsageError
        ``E-PLAN`` where there is nobody to ask; it says `what` is to be done, and how to have said it before.
    """
    if json_ or not (sys.stdin.isatty() and sys.stdout.isatty()):
        from driftline.errors import UsageError

        raise UsageError(f"nobody can be asked whether to do this: {what}", code="E-PLAN", fix=fix)
    return click.confirm(question, default=False)


def say(card: Card) -> str:
    """Say in a few words how a card stands."""
    return f"{card.name}, version {card.version}, {card.status}"


def card_document(card: Card) -> dict[str, Any]:
    """Return a card, without what it says, as a JSON document."""
    from driftline.registry.moments import shown

    moments = ("created", "modified", "deleted")
    plain = {name: getattr(card, name) for name in type(card).__slots__ if name not in moments}
    return {
        **{key: _plain(value) for key, value in plain.items()},
        **{name: shown(getattr(card, name)) for name in moments},
    }


def version_document(version: CardVersion, *, content: bool = True) -> dict[str, Any]:
    """Return a version as a JSON document."""
    from driftline.registry.moments import shown

    moments = ("created", "status_moment", "approved")
    long = ("content", "extensions", "provenance")
    plain = {
        name: getattr(version, name) for name in type(version).__slots__ if name not in (*moments, *long)
    }
    told = {**plain, **{name: shown(getattr(version, name)) for name in moments}}
    return {**told, **{name: _plain(getattr(version, name)) for name in long}} if content else told


def record_document(record: Record) -> dict[str, Any]:
    """Return a link of the chain as a JSON document."""
    from driftline.registry.moments import shown

    plain = {name: _plain(getattr(record, name)) for name in type(record).__slots__}
    return {**plain, "moment": shown(record.moment)}


def evidence_document(evidence: Evidence) -> dict[str, Any]:
    """Return a report beside the text as a JSON document."""
    from driftline.registry.moments import shown

    plain = {name: getattr(evidence, name) for name in type(evidence).__slots__}
    window = None if evidence.window is None else [shown(moment) for moment in evidence.window]
    return {**plain, "window": window, "moment": shown(evidence.moment)}


def _plain(value: Any) -> Any:
    from collections.abc import Mapping as Map

    return dict(value) if isinstance(value, Map) else value


def facts(lines: Mapping[str, str | None]) -> None:
    """Print heads and what belongs to them, one below the other; what is empty is left out."""
    from driftline.errors import printable

    told = {head: text for head, text in lines.items() if text}
    width = max(map(len, told), default=0)
    for head, text in told.items():
        click.echo(f"{head:<{width}}  {printable(text, 300)}")
