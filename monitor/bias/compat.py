"""Compat: SageMaker's point rule over two analyses, told as outcomes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from driftline.baselines.constraint import Constraint
from driftline.baselines.metrics import BIAS
from driftline.errors import printable
from driftline.monitor.bias import words
from driftline.monitor.bias.point_rule import Comparison, compare
from driftline.reports.exhibit import Exhibit
from driftline.reports.outcome import Measurement, Outcome, Status
from driftline.reports.report import Incident

if TYPE_CHECKING:
    from driftline.baselines.analysis import Analysis

__all__ = ["CompatVerdicts", "compat_verdicts"]


@dataclass(frozen=True, slots=True)
class CompatVerdicts:
    """What the point rule says.

    Attributes
    ----------
    outcomes : tuple of Outcome
    incidents : tuple of Incident
        One per group.
    exhibits : tuple of Exhibit
    notes : tuple of str
    """

    outcomes: tuple[Outcome, ...]
    incidents: tuple[Incident, ...]
    exhibits: tuple[Exhibit, ...]
    notes: tuple[str, ...]


def compat_verdicts(baseline: Analysis, current: Analysis) -> CompatVerdicts:
    """Hold one analysis to the other: any metric farther from 0 than before is a violation.

    Parameters
    ----------
    baseline, current : Analysis

    Returns
    -------
    CompatVerdicts
        Of all metrics that the baseline has.
    """
    # Bundled because a check may lack a name for a metric that a later Clarify has.
    compared = [one for one in compare(baseline, current) if f"bias_{one.metric.lower()}" in BIAS]
    outcomes = tuple(_outcome(one) for one in compared)
    by_group: dict[str, list[int]] = {}
    for at, one in enumerate(compared):
        by_group.setdefault(_text(one), []).append(at)
    incidents, exhibits = [], []
    for text, places in by_group.items():
        violated = [at for at in places if outcomes[at].is_violation]
        if violated:
            incidents.append(_incident(text, [compared[at] for at in violated], tuple(violated)))
        exhibits.append(_exhibit(text, [(compared[at], outcomes[at]) for at in places]))
    nowhere = sorted(
        {_text(one) for one in compared if one.current is None}
        - {_text(o) for o in compared if o.current is not None}
    )
    notes = tuple(f"the current data say nothing about {printable(text, 80)}" for text in nowhere)
    return CompatVerdicts(outcomes, tuple(incidents), tuple(exhibits), notes)


def _text(one: Comparison) -> str:
    return f"{one.facet}={one.facet_value}"


def _outcome(one: Comparison) -> Outcome:
    info = BIAS[f"bias_{one.metric.lower()}"]
    size = None if one.baseline is None else abs(one.baseline)
    constraint = Constraint(
        info.name,
        _text(one),
        None,
        low=None if size is None else -size,
        high=size,
        why="no farther from 0 than in the baseline",
    )
    measurement = Measurement(info.name, one.current, info.unit, 0, baseline=one.baseline)
    return Outcome(constraint, measurement, one.status, one.reason)


def _incident(text: str, violated: list[Comparison], places: tuple[int, ...]) -> Incident:
    ordered = sorted(violated, key=lambda one: words.LEADING.index(one.metric))
    told = ", ".join(
        f"{one.metric} {words.number(one.current)} (baseline {words.number(one.baseline)})" for one in ordered
    )
    n = len(ordered)
    what = "metric is" if n == 1 else "metrics are"
    title = f"{printable(text, 120)}: {n} bias {what} farther from 0 than in the baseline"
    return Incident("metric", title, f"{told}.", places, (text,))


def _exhibit(text: str, compared: list[tuple[Comparison, Outcome]]) -> Exhibit:
    rows = tuple(
        (
            one.metric,
            one.baseline,
            one.current,
            None,
            None,
            outcome.constraint.low,
            outcome.constraint.high,
            Status(one.status).value,
        )
        for one, outcome in compared
    )
    return Exhibit(
        f"bias:{text}",
        "intervals",
        f"Bias: {text}",
        "Each metric in the baseline and now. The point rule allows no distance from 0 larger than the baseline's.",
        ("metric", "baseline", "current", "low", "high", "allowed low", "allowed high", "status"),
        rows,
        ("text", *(("number",) * 6), "text"),
    )
