"""CardView: one version of a card, with all that somebody who reads it should see beside the text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from driftline.registry.card_types import Card, CardVersion, Evidence, Record

__all__ = ["CardView", "MonitorState"]


@dataclass(frozen=True, slots=True)
class MonitorState:
    """A monitor of the card's model, as it is now.

    Attributes
    ----------
    schedule : str
    kind : str
        ``data-quality``, ``model-quality``, ``bias`` or ``attribution``.
    endpoint : str
    status : str
        Of the schedule: Pending, Scheduled, Stopped or Failed.
    last_status : str or None
        Of the last execution: Completed, CompletedWithViolations, NoData, Failed, …
    last_window : tuple of int, or None
        Microseconds since 1970-01-01 UTC.
    last_ended : int or None
    open_alerts : int
    headline : str
        One sentence: what the last report found.
    next_due : int or None
    """

    schedule: str
    kind: str
    endpoint: str
    status: str
    last_status: str | None
    last_window: tuple[int, int] | None
    last_ended: int | None
    open_alerts: int
    headline: str
    next_due: int | None


@dataclass(frozen=True, slots=True)
class CardView:
    """One version of a card, to be drawn.

    Attributes
    ----------
    card : Card
    version : CardVersion
    records : tuple of Record
        The chain up to and including the last record that is about this version; for the history.
    record : Record
        The chain's record that stands for this version: that of its newest status.
    warnings : tuple of str
        What a reader should know: fields that are empty, checks that did not pass.
    monitors : tuple of MonitorState
        As they are now; empty in exports unless asked for: what is exported must be the same bytes tomorrow.
    evidence : tuple of Evidence
        The newest of each schedule.
    """

    card: Card
    version: CardVersion
    records: tuple[Record, ...]
    record: Record
    warnings: tuple[str, ...] = ()
    monitors: tuple[MonitorState, ...] = ()
    evidence: tuple[Evidence, ...] = ()
