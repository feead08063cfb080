"""What a month of runs left behind, for tests of time lines: gaps of every kind, a fall, estimates, deployments."""

from __future__ import annotations

import math
from typing import Any

from driftline.reports.timeline import Mark, Timeline
from driftline.reports.timeline_reading import Look, timelines

__all__ = ["DAY", "START", "entry", "hourly", "look", "month", "month_of_looks"]

DAY = 86_400_000_000
START = 1_792_972_800_000_000
"""2026-10-26T00:00:00Z."""


def entry(
    check: str,
    value: float | None,
    status: str = "passed",
    *,
    bound: float | None = None,
    feature: str | None = None,
    spread: float | None = 0.03,
    **more: Any,
) -> dict[str, Any]:
    """Return a measurement as an execution's result holds it."""
    interval = None if value is None or spread is None else [value - spread, value + spread]
    given = {
        "metric": check,
        "severity": "warning",
        "interval": interval,
        "baseline": None,
        "low": None,
        "high": None,
    }
    return {
        "check": check,
        "feature": feature,
        "value": value,
        "bound": bound,
        "status": status,
        **given,
        **more,
    }


def look(
    day: int, status: str = "Completed", *entries: dict[str, Any], revision: int = 1, **more: Any
) -> Look:
    """Return one look at the window of a day, counted from 0."""
    start = START + day * DAY
    name = f"run-{day}-{revision}"
    return Look(start, start + DAY, revision, status, name, more.pop("message", None), entries, **more)


def month_of_looks() -> list[Look]:
    """A recall that falls from day 20 on; labels come late, and those of the last four days are missing."""
    looks = []
    gaps = {5: "NoData", 9: "Failed", 14: "Skipped"}
    for day in range(32):
        if day in gaps:
            looks.append(look(day, gaps[day], message=f"{gaps[day]} on day {day}"))
            continue
        if day in (18, 19):
            continue
        fall = max(0, day - 20) * 0.02
        recall, wave = 0.585 - fall, 0.01 * math.sin(day)
        status = "violated" if recall < 0.54 else "undetermined" if recall < 0.55 else "passed"
        others = [
            entry("precision", 0.71 + wave, bound=0.67, baseline=0.7121),
            entry("bias_dppl", 0.1 + fall, "violated" if fall > 0.1 else "passed", feature="sex=Female",
                  low=-0.17, high=0.17, baseline=0.13),
        ]  # fmt: skip
        version = 1 if day < 25 else 2
        expected = recall + 0.01 + wave
        guess = entry("recall", None, "undetermined", bound=0.55, baseline=0.5875,
                      estimated=[expected, expected - 0.04, expected + 0.04])  # fmt: skip
        looks.append(look(day, "Completed", guess, *others, baseline_version=version))
        if day < 28:
            known = entry("recall", recall, status, bound=0.55, baseline=0.5875)
            ended = "CompletedWithViolations" if status == "violated" else "Completed"
            looks.append(look(day, ended, known, *others, revision=2, baseline_version=version))
    return looks


def month(**given: Any) -> tuple[Timeline, ...]:
    """The time lines of that month."""
    marks = (Mark(START + 7 * DAY + DAY // 3, "income 7"), Mark(START + 20 * DAY + 1, "income 8"))
    return timelines(month_of_looks(), schedule="income-quality", kind="model-quality", marks=marks, **given)


def hourly(n: int = 400) -> tuple[Timeline, ...]:
    """Many short windows of data quality, some of them violated, every 97th without data."""
    hour = DAY // 24
    looks = []
    for i in range(n):
        start = START + i * hour
        value = 0.05 + 0.03 * math.sin(i / 30) + (0.1 if 300 < i < 330 else 0)
        found = entry(
            "ks", value, "violated" if value > 0.1 else "passed", bound=0.1, feature="age", spread=0.02
        )
        is_empty = i % 97 == 5
        looks.append(
            Look(
                start,
                start + hour,
                1,
                "NoData" if is_empty else "Completed",
                f"run-{i}",
                None,
                () if is_empty else (found,),
            )
        )
    return timelines(looks, schedule="income-data", kind="data-quality")
