"""Evidence: what monitors found and what baselines know, as evaluation jobs of a card's content."""

from __future__ import annotations

from driftline.cards.evidence.baseline import evaluation_of_baseline
from driftline.cards.evidence.job import (
    BUDGET,
    evaluation_of_report,
    is_monitor_made,
    job_name,
    without_charts,
)

__all__ = [
    "BUDGET",
    "evaluation_of_baseline",
    "evaluation_of_report",
    "is_monitor_made",
    "job_name",
    "without_charts",
]
