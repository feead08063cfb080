"""Views: a version of a card gathered with its history, its warnings and the state of its model's monitors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from driftline.cards.session import session_of
from driftline.cards.view import CardView

if TYPE_CHECKING:
    from collections.abc import Sequence

    from driftline.registry.card_types import CardVersion, Record
    from driftline.registry.store import Tx

__all__ = ["view", "view_in"]

_ABOUT_TEXT = ("created", "revised", "status")
_PAGE = 1000


def view(
    session_or_registry: object, name: str, which: str | int = "latest", *, monitors: bool = False
) -> CardView:
    """Gather a version of a card, to be drawn.

    Parameters
    ----------
    session_or_registry : Session, Workspace, Registry, path or None
    name : str
        Name or ARN of the card.
    which : int, "latest" or "approved"
    monitors : bool
        Also the state of the model's monitors and the newest evidence, as they are now. Without them the same version gives
        the same view tomorrow, however often it is exported.

    Raises
    ------
    UsageError
        ``E-NO-CARD``, ``E-CARD-VERSION``.
    """
    session = session_of(session_or_registry)
    return session.read(lambda tx: view_in(tx, name, which, monitors=monitors))


def view_in(tx: Tx, name: str, which: str | int = "latest", *, monitors: bool = False) -> CardView:
    """Gather a version of a card in a transaction that is open; see :func:`view`."""
    from driftline.cards.monitors import monitors_of
    from driftline.registry import cards

    card = cards.get(tx, name)
    version = cards.version(tx, name, which)
    chain: list[Record] = []
    while len(page := cards.records(tx, name, after=len(chain), limit=_PAGE)) > 0:
        chain += page
    # What comes after - tags, evidence, exports - is not about the text; each export would change the next one.
    record = next(r for r in reversed(chain) if r.version == version.version and r.kind in _ABOUT_TEXT)
    return CardView(
        card=card,
        version=version,
        records=tuple(chain[: record.seq]),
        record=record,
        warnings=tuple(_warnings(version)),
        monitors=tuple(monitors_of(tx, card)) if monitors else (),
        evidence=tuple(cards.latest_evidence(tx, name)) if monitors else (),
    )


def _warnings(version: CardVersion) -> Sequence[str]:
    """Say what does not pass when the text is checked: a card that was written before a limit may break it."""
    from driftline.cards import extensions, validation

    found = [
        *validation.problems(version.content),
        *extensions.problems(version.extensions),
        *extensions.loose_ends(version.content, version.extensions),
    ]
    return [str(problem) for problem in found]
