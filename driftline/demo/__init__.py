"""The demo: a real model's traffic, captured, baselined and checked."""

from __future__ import annotations

from driftline.demo.story import Story, tell

__all__ = ["Story", "tell"]
