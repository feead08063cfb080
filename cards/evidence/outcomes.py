"""Outcomes as metrics: numbers as they were measured, and words that never make "cannot tell" look like "passed"."""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from driftline.baselines.constraint import DRIFT_CHECKS, Severity
from driftline.baselines.metrics import ATTRIBUTION, BIAS, METRICS, QUALITY
from driftline.cards.evidence.fitting import Piece, clip, label
from driftline.cards.shapes import MOST_VALUE, metric
from driftline.reports.outcome import Status

if TYPE_CHECKING:
    from driftline.baselines.constraint import Constraint
    from driftline.reports.outcome import Outcome
    from driftline.reports.report import Report

__all__ = [
    "CANNOT_TELL",
    "by_weight",
    "checks",
    "drift_distances",
    "exact",
    "incidents",
    "measurements",
    "number",
    "undetermined",
    "violations",
]

CANNOT_TELL: Final = "cannot tell"

_WORDS: Final = {
    "missing_column": "column is missing",
    "extra_column": "column is new",
    "data_type": "values of another type",
    "completeness": "values are missing",
    "categorical_values": "unknown values",
    "non_negative": "values below zero",
    "numeric_range": "values out of range",
    "uniqueness": "values are repeated",
    "row_volume": "number of rows out of range",
    "freshness": "data are too old",
    **dict.fromkeys(DRIFT_CHECKS, "distribution has moved"),
    **dict.fromkeys(QUALITY, "worse than allowed"),
    **dict.fromkeys(BIAS, "outside of what is allowed"),
    **dict.fromkeys(ATTRIBUTION, "changed more than allowed"),
}

_RANK: Final = {Status.VIOLATED: 0, Status.UNDETERMINED: 1, Status.PASSED: 2}


def exact(value: float) -> str:
    """Spell a number with all its digits."""
    if not math.isfinite(value):
        return "not a number" if math.isnan(value) else "infinite" if value > 0 else "minus infinite"
    return repr(value)


def number(name: str, value: float | None, notes: str | None) -> dict[str, Any]:
    """Return a metric of a number; of one that is not known or not finite, words."""
    if value is None:
        return metric(name, "string", CANNOT_TELL, notes=notes)
    if not math.isfinite(value):
        return metric(name, "string", exact(value), notes=notes)
    return metric(name, "number", value, notes=notes)


def by_weight(outcome: Outcome) -> tuple[int, int, float]:
    """Order outcomes: violated first, critical ones first among them, then how far they went."""
    is_critical = outcome.constraint.severity is Severity.CRITICAL
    return _RANK[outcome.status], 0 if is_critical else 1, -_distance(outcome)


def _distance(outcome: Outcome) -> float:
    """Return how near to its bound, or how far beyond it, an outcome is: 1 is at the bound."""
    value, c = outcome.measurement.value, outcome.constraint
    if value is None or not math.isfinite(value):
        return 0.0
    if c.check in DRIFT_CHECKS or c.check in ATTRIBUTION:
        return abs(value) / c.bound if c.bound else abs(value)
    if c.low is not None and c.high is not None and c.high > c.low:
        middle, half = (c.low + c.high) / 2, (c.high - c.low) / 2
        far = abs(value - middle) / half if math.isfinite(half) and half else 0.0
        return far if math.isfinite(far) else 0.0
    if c.bound is not None and math.isfinite(c.bound):
        return abs(value - c.bound)
    return 0.0


def _subject(outcome: Outcome) -> str:
    parts = [outcome.constraint.column, outcome.segment]
    return " ".join(label(part, 80) for part in parts if part is not None)


def _named(outcome: Outcome) -> str:
    subject = _subject(outcome)
    return f"{subject} - {outcome.constraint.check}" if subject else outcome.constraint.check


def _allowed(c: Constraint) -> str | None:
    """Spell what is allowed with all digits."""
    if c.low is not None and c.high is not None:
        return f"{exact(c.low)} to {exact(c.high)}"
    if c.low is not None or c.high is not None:
        return f"at least {exact(c.low)}" if c.low is not None else f"at most {exact(c.high or 0)}"
    if c.bound is None:
        return None
    info = METRICS.get(c.check)
    if info is not None:
        if info.worse == "either":
            return f"{exact(c.bound)} either way"
        turned = {"GreaterThanThreshold": "higher", "LessThanThreshold": "lower"}
        worse = turned.get(c.expected or "", info.worse)
        return f"at {'least' if worse == 'lower' else 'most'} {exact(c.bound)}"
    most = c.check in DRIFT_CHECKS or c.check in ("freshness", "missing_column", "extra_column")
    return f"at {'most' if most else 'least'} {exact(c.bound)}"


def _facts(outcome: Outcome, *, with_value: bool = False) -> str:
    m = outcome.measurement
    facts = []
    if with_value and m.value is not None:
        facts.append(f"value {exact(m.value)}")
    if m.baseline is not None:
        facts.append(f"baseline {exact(m.baseline)}")
    if m.interval is not None:
        facts.append(f"95 % interval {exact(m.interval[0])} to {exact(m.interval[1])}")
    allowed = _allowed(outcome.constraint)
    if allowed is not None:
        facts.append(f"allowed {allowed}")
    facts.append(f"{m.n_current} rows")
    return "; ".join(facts)


def violations(report: Report) -> tuple[Piece, ...]:
    """Return the violations, the worst first: names say where, values what, notes the sentence and the numbers."""
    found = []
    for outcome in sorted(report.violations, key=by_weight):
        words = (
            f"{outcome.constraint.severity.value}: {_WORDS.get(outcome.constraint.check, 'beyond its bound')}"
        )
        notes = f"{clip(outcome.reason, 420, 700)} ({_facts(outcome, with_value=True)})"
        found.append(
            Piece(
                f"violations - {report.recipe}",
                metric(_named(outcome), "string", words[:MOST_VALUE], notes=notes),
            )
        )
    return tuple(found)


def undetermined(report: Report) -> tuple[Piece, ...]:
    """Return what nobody can tell, with the reasons."""
    return tuple(
        Piece(
            f"undetermined - {report.recipe}",
            metric(_named(outcome), "string", CANNOT_TELL, notes=clip(outcome.reason, 300, 500)),
        )
        for outcome in sorted(report.undetermined, key=by_weight)
    )


def incidents(report: Report) -> tuple[Piece, ...]:
    """Return the incidents, critical ones first."""
    ordered = sorted(report.incidents, key=lambda one: one.severity != Severity.CRITICAL)
    return tuple(
        Piece(
            f"incidents - {report.recipe}",
            metric(
                label(one.title),
                "string",
                f"{one.severity}, {len(one.outcomes):,} violation{'s' if len(one.outcomes) != 1 else ''}"[
                    :MOST_VALUE
                ],
                notes=clip(one.detail, 420, 700),
            ),
        )
        for one in ordered
    )


def checks(report: Report) -> tuple[Piece, ...]:
    """Count what came of each check of data quality."""
    counts: dict[str, Counter[Status]] = {}
    for outcome in report.outcomes:
        counts.setdefault(outcome.constraint.check, Counter())[outcome.status] += 1
    return tuple(
        Piece(
            f"checks - {report.recipe}",
            metric(
                check,
                "string",
                f"{n[Status.PASSED]} passed, {n[Status.VIOLATED]} violated, {n[Status.UNDETERMINED]} undetermined",
            ),
        )
        for check, n in counts.items()
    )


def measurements(report: Report) -> tuple[Piece, ...]:
    """Return what was measured, with the baseline's value and the interval in the notes.

    Groups with violations come first. Of data quality, what passed is told by its counts, but for the distances from the
    baseline.
    """
    if report.recipe == "data-quality":
        wanted = [
            o
            for o in report.outcomes
            if o.constraint.check in DRIFT_CHECKS
            or (o.status is not Status.PASSED and o.measurement.value is not None)
        ]
        ordered = sorted(wanted, key=by_weight)
    else:
        worst: dict[str, tuple[int, int, float]] = {}
        first: dict[str, int] = {}
        for at, outcome in enumerate(report.outcomes):
            name = _group(report, outcome)
            first.setdefault(name, at)
            rank = (*by_weight(outcome)[:2], 0.0)
            worst[name] = min(worst.get(name, rank), rank)
        whole = f"{report.recipe} metrics"
        ordered = sorted(
            report.outcomes,
            key=lambda o: (
                (name := _group(report, o)) != whole,
                worst[name],
                first[name],
                *(by_weight(o) if o.constraint.check == "attribution_change" else ()),
            ),
        )
    return tuple(Piece(_group(report, o), _measured(report, o)) for o in ordered)


def _group(report: Report, outcome: Outcome) -> str:
    c = outcome.constraint
    whole = f"{report.recipe} metrics"
    if report.recipe == "data-quality":
        return whole
    if c.check == "attribution_change":
        return f"{whole} - change of each feature"
    subject = _subject(outcome)
    return f"{whole} - {subject}" if subject else whole


def _measured(report: Report, outcome: Outcome) -> dict[str, Any]:
    if report.recipe == "data-quality":
        name = _named(outcome)
    elif outcome.constraint.check == "attribution_change":
        name = _subject(outcome)
    else:
        name = outcome.constraint.check
    said = outcome.status.value
    if outcome.status is Status.UNDETERMINED:
        said = f"{said}, {CANNOT_TELL}: {clip(outcome.reason, 240, 400).rstrip('.')}"
    return number(name, outcome.measurement.value, f"{said}; {_facts(outcome)}")


def drift_distances(report: Report) -> list[tuple[str, float]]:
    """Return the largest distance from the baseline of each column, the largest first."""
    largest: dict[str, float] = {}
    for outcome in report.outcomes:
        value = outcome.measurement.value
        if outcome.constraint.check in ("ks", "l_infinity") and value is not None and math.isfinite(value):
            name = _subject(outcome)
            largest[name] = max(value, largest.get(name, value))
    return sorted(largest.items(), key=lambda item: -item[1])
