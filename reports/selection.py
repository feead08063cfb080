"""Which outcomes to show where there is room for a few."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from driftline.baselines.metrics import METRICS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from driftline.reports.outcome import Outcome
    from driftline.reports.report import Report

__all__ = ["by_reason", "reason_kind", "representatives"]

_NUMBER = re.compile(r"\d[\d.,]*(?:e[-+]?\d+)?%?")


def reason_kind(outcome: Outcome) -> str:
    """Return the reason of an outcome without what differs by column or metric: names, segments and numbers."""
    reason = outcome.reason
    if outcome.constraint.check in METRICS:
        reason = reason.replace(METRICS[outcome.constraint.check].title, "§")
    if outcome.segment:
        reason = reason.replace(outcome.segment, "§")
    if outcome.constraint.column:
        reason = reason.replace(outcome.constraint.column, "§")
    return _NUMBER.sub("#", reason)


def by_reason(outcomes: Iterable[Outcome]) -> list[list[Outcome]]:
    """Group outcomes whose reasons differ only in names and numbers, the largest group first."""
    groups: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        groups.setdefault(reason_kind(outcome), []).append(outcome)
    return sorted(groups.values(), key=lambda members: -len(members))


def representatives(report: Report, *, per_incident: int, limit: int) -> list[Outcome]:
    """Pick violations so that no incident crowds out the others.

    Parameters
    ----------
    report : Report
    per_incident : int
        Most violations of an incident that spans several columns; those of a single column are all picked.
    limit : int
        Most violations in all.

    Returns
    -------
    list of Outcome
        In the order of the incidents.
    """
    chosen: list[Outcome] = []
    for incident in report.incidents:
        positions = incident.outcomes[:per_incident] if len(incident.columns) > 1 else incident.outcomes
        chosen += (report.outcomes[at] for at in positions)
    if not report.incidents:
        chosen += report.violations
    return chosen[:limit]
