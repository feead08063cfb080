"""Monitors of a card: how those that watch its model stand now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from driftline.cards.findings import schedules_of
from driftline.cards.view import MonitorState
from driftline.registry import alerts, executions

if TYPE_CHECKING:
    from driftline.registry.card_types import Card
    from driftline.registry.store import Tx

__all__ = ["monitors_of"]

_PAGE = 1000


def monitors_of(tx: Tx, card: Card) -> list[MonitorState]:
    """Return the monitors of a card's model, by name; none where the card is about no model of the registry.

    Parameters
    ----------
    tx : Tx
    card : Card

    Returns
    -------
    list of MonitorState
        What the last run came to, the alerts that are not resolved, and when the next run is due. A monitor that has not
        run yet says so: its last status is None.
    """
    if card.model is None:
        return []
    states = []
    for schedule in schedules_of(tx, card.model):
        ended = executions.history(
            tx, schedule=schedule.name, status=executions.ENDED, newest_only=True, limit=1
        )
        last = ended[0] if ended else None
        if schedule.status == "Failed":
            headline = schedule.failure_reason or "set aside after failed runs"
        else:
            headline = "has not run yet" if last is None else last.message or last.status
        states.append(
            MonitorState(
                schedule.name,
                schedule.kind,
                schedule.endpoint,
                schedule.status,
                None if last is None else last.status,
                None if last is None else (last.window_start, last.window_end),
                None if last is None else last.ended,
                len(alerts.list_alerts(tx, schedule=schedule.name, open_only=True, limit=_PAGE)),
                headline,
                schedule.next_due if schedule.is_active else None,
            )
        )
    return states
