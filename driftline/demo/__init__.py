"""The demo: a week of a real model's traffic, captured, watched on a schedule, and told."""

from __future__ import annotations

from driftline.demo.story import Cell, Story, tell

__all__ = ["Cell", "Story", "tell"]
