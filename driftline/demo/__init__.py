"""The demo: a week of two real models' traffic, captured, watched on a schedule, and told."""

from __future__ import annotations

from driftline.demo.playing import Cell
from driftline.demo.story import Income, Story, tell

__all__ = ["Cell", "Income", "Story", "tell"]
