"""Evaluation reports that others wrote, as groups of metrics: Clarify's, Model Monitor's, and card metrics."""

from __future__ import annotations

from driftline.cards.reports.parsing import KINDS, Parsed, detect, groups, parse
from driftline.cards.reports.source import MOST_BYTES, Getter, load, read

__all__ = [
    "KINDS",
    "MOST_BYTES",
    "Getter",
    "Parsed",
    "detect",
    "groups",
    "load",
    "parse",
    "read",
]
