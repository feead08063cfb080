"""The income model's card in the demo: written by one person, approved by another, and watched from then on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from driftline.demo import data
from driftline.files import write_whole
from driftline.registry import cards
from driftline.rooms.cards import Cards

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from driftline.cards.completeness import Completeness
    from driftline.cards.view import MonitorState
    from driftline.registry.card_types import Card
    from driftline.registry.cards import Evidence
    from driftline.workspace import Workspace

__all__ = ["AUTHOR", "CARD", "PROFILE", "REVIEWER", "Governed", "approved", "looked_at"]

CARD: Final = "income"
AUTHOR: Final = "ann"
REVIEWER: Final = "ruth"
PROFILE: Final = "eu-annex-iv"

_FILE: Final = "income-card.toml"
_BASELINES: Final = ("income-data", "income-quality", "income-bias", "income-attribution")


@dataclass(frozen=True, slots=True)
class Governed:
    """What became of the card.

    Attributes
    ----------
    card : Card
        As it is after the week.
    approved_hash : str
        What was approved.
    completeness : Completeness
        Held to the technical documentation of Annex IV.
    evidence : tuple of Evidence
        What the monitors found beside the text, the newest of each.
    n_evidence : int
        All of it.
    monitors : tuple of MonitorState
        As they are after the week.
    n_breaks : int
        Places at which the card is not as it was written; 0 where it is verified.
    pdf, page : Path
        The approved version.
    """

    card: Card
    approved_hash: str
    completeness: Completeness
    evidence: tuple[Evidence, ...]
    n_evidence: int
    monitors: tuple[MonitorState, ...]
    n_breaks: int
    pdf: Path
    page: Path

    def document(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return {
            "name": self.card.name,
            "status": self.card.status,
            "version": self.card.version,
            "approved_version": self.card.approved_version,
            "content_hash": self.approved_hash,
            "records": self.card.records,
            "verified": not self.n_breaks,
            "evidence": self.n_evidence,
            "completeness": self.completeness.to_document()["counts"],
            "pdf": str(self.pdf),
        }


def approved(workspace: Workspace, place: Path, say: Callable[[str], None]) -> str:
    """Write the card, let it be reviewed, and return the hash of what was approved."""
    write_whole(place / _FILE, data.read(_FILE))
    ann, ruth = Cards(workspace, AUTHOR), Cards(workspace, REVIEWER)
    ann.plan(place / _FILE).apply("the model goes live", AUTHOR)
    current = [workspace.baselines.get(name) for name in _BASELINES]
    ann.add_evaluation(
        CARD,
        *(place / one.path for one in current),
        datasets=["income-validation.parquet"],
        reason="measured on the people held back",
    )
    ann.store_plan(CARD, reason="how it is watched")
    ann.submit(CARD, reason="ready for review")
    card = ruth.approve(CARD, ann.get(CARD).content_hash, reason="read with the benefits office")
    say(f"approved  version {card.version} of the income model's card: by {AUTHOR}, read by {REVIEWER}")
    return card.content_hash


def looked_at(workspace: Workspace, place: Path, approved_hash: str) -> Governed:
    """Export what was approved, verify it, and see what has come beside it since."""
    room = Cards(workspace, AUTHOR)
    pdf, page = place / CARD / "card.pdf", place / CARD / "card.html"
    for output in (pdf, page):
        room.export(CARD, output, which="approved", reason="for the file")
    with workspace.registry.read() as tx:
        evidence = cards.latest_evidence(tx, CARD)
        n_evidence = sum(record.kind == "evidence" for record in cards.records(tx, CARD))
    return Governed(
        room.get(CARD),
        approved_hash,
        room.check(CARD, PROFILE, "approved"),
        tuple(evidence),
        n_evidence,
        room.view(CARD, "approved", monitors=True).monitors,
        len(room.verify(CARD)),
        pdf,
        page,
    )
