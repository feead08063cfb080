"""Recipe: which numbers are held to which bounds, what follows, and which incidents are told."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from driftline.baselines.constraint import Constraint, Severity
from driftline.baselines.constraint import Settings as Decided
from driftline.errors import SchemaError
from driftline.kernels.evidence import benjamini_hochberg
from driftline.kernels.special import normal_sf
from driftline.monitor.attribution import words
from driftline.monitor.verdict import Claim, decide
from driftline.reports.outcome import Measurement, Outcome, Status
from driftline.reports.report import Incident

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from driftline.monitor.attribution.measuring import Moved, Number
    from driftline.monitor.overrides import Overrides

__all__ = ["ALPHA", "BOUND", "Label", "certain_notes", "incidents_of", "judged", "judged_as_sagemaker"]

ALPHA: Final = 0.01
BOUND: Final = 0.9
"""NDCG below which SageMaker reports drift."""

TOLERANCE: Final = 0.05
DISTANCE: Final = 0.1
MAGNITUDE: Final = 1.5
LEAST_ROWS: Final = 30
Z: Final = 1.6448536269514722
"""Standard errors of the smallest effect that can be told from none, one-sided at 5 %."""

_GROSS: Final[Mapping[str, float]] = {
    "ndcg": 0.5,
    "attribution_distance": 0.4,
    "attribution_magnitude": math.log(4.0),
    "attribution_change": 0.25,
}
"""Beyond its bound by so much, anybody would call it a failure."""

_WHY: Final[Mapping[str, str]] = {
    "ndcg": "SageMaker Model Monitor's bound",
    "attribution_distance": "driftline's default",
    "attribution_magnitude": "driftline's default: half as much again, either way",
    "attribution_change": "driftline's default: a twentieth of all attribution in the baseline",
}


@dataclass(frozen=True, slots=True)
class Label:
    """One output of the model, measured.

    Attributes
    ----------
    name : str
    segment : str or None
        Name of the label in outcomes: None where it is the only one.
    moved : Moved
    n_baseline, n_current : int
        Rows explained.
    """

    name: str
    segment: str | None
    moved: Moved
    n_baseline: int
    n_current: int


def judged(
    labels: Sequence[Label], overrides: Overrides, alpha: float, note: str | None = None
) -> tuple[list[Outcome], int]:
    """Judge everything that was measured, together.

    Returns
    -------
    outcomes : list of Outcome
        Label by label: NDCG, distance, magnitude, and each feature's change.
    n_tests : int
    """
    claims: list[Claim] = []
    about: list[tuple[Label, Number | None]] = []
    for label in labels:
        for claim, number in _claims(label, overrides, note):
            claims.append(claim)
            about.append((label, number))
    verdicts, n_tests = decide(claims, alpha)
    outcomes = []
    for claim, (label, number), verdict in zip(claims, about, verdicts, strict=True):
        told = words.reason(
            claim.constraint.check, label.moved, number, claim.constraint, verdict, label.n_current
        )
        outcomes.append(
            Outcome(claim.constraint, claim.measurement, verdict.status, told, verdict.q_value, label.segment)
        )
    return outcomes, n_tests


def judged_as_sagemaker(labels: Sequence[Label]) -> list[Outcome]:
    """Judge as SageMaker Model Monitor does: one test for each label, ``NDCG < 0.9``.

    Raises
    ------
    SchemaError
        ``E-AGGREGATION`` if the baseline has negative attributions, whose order means nothing.
    """
    outcomes = []
    for label in labels:
        number = label.moved.ndcg
        if number is None:
            raise SchemaError(
                words.NEGATIVE.partition(",")[0], code="E-AGGREGATION", field="agg", fix="use agg = mean_abs"
            )
        value = number.value if label.n_current and math.isfinite(number.value) else None
        constraint = Constraint("ndcg", None, BOUND, severity=Severity.CRITICAL, why=_WHY["ndcg"])
        status = Status.UNDETERMINED
        if value is not None:
            status = Status.VIOLATED if value < BOUND else Status.PASSED
        measurement = Measurement(
            "ndcg", value, "share", label.n_current, label.n_baseline or None, baseline=1.0
        )
        told = words.compat_reason(value, BOUND, is_violated=status is Status.VIOLATED)
        segment = label.segment or (label.name if label.name != "label0" else None)
        outcomes.append(Outcome(constraint, measurement, status, told, segment=segment))
    return outcomes


def _claims(label: Label, overrides: Overrides, note: str | None) -> list[tuple[Claim, Number | None]]:
    moved = label.moved
    found: list[tuple[Claim, Number | None]] = []
    for check, number in (
        ("ndcg", moved.ndcg),
        ("attribution_distance", moved.distance),
        ("attribution_magnitude", moved.magnitude),
    ):
        decided = overrides.checks.get(check)
        if decided is None or decided.enabled is not False:
            found.append((_claim(check, None, number, label, decided, note), number))
    for name, number in zip(moved.features, moved.changes, strict=True):
        own = overrides.for_column(name)
        decided = overrides.checks.get("attribution_change") or Decided()
        decided = _under(decided, own.checks.get("attribution_change"))
        if not own.ignore and decided.enabled is not False:
            found.append((_claim("attribution_change", name, number, label, decided, note), number))
    return found


def _under(general: Decided, own: Decided | None) -> Decided:
    """Lay what is decided about one feature over what holds for all; a bound takes the place of a tolerance."""
    if own is None:
        return general
    if any(value is not None for value in (own.bound, own.low, own.high, own.tolerance)):
        general = replace(general, bound=None, low=None, high=None, tolerance=None)
    return general.under(own)


def _claim(
    check: str,
    column: str | None,
    number: Number | None,
    label: Label,
    decided: Decided | None,
    note: str | None,
) -> Claim:
    constraint = _constraint(check, column, decided or Decided())
    known = number is not None and math.isfinite(number.value) and label.n_current > 0
    if not known:
        measurement = Measurement(
            check, None, _UNITS[check], label.n_current, label.n_baseline or None, note=note
        )
        return Claim(constraint, measurement, None, segment=label.segment)
    assert number is not None
    excess, p_value, error = _excess(check, number, constraint)
    measurement = Measurement(
        check,
        number.value,
        _UNITS[check],
        label.n_current,
        label.n_baseline or None,
        number.interval,
        p_value=p_value,
        detectable=None if error is None else Z * error,
        note=note,
        baseline=1.0 if check in ("ndcg", "attribution_magnitude") else 0.0,
    )
    return Claim(constraint, measurement, excess, _GROSS[check], label.segment)


_UNITS: Final[Mapping[str, str]] = {
    "ndcg": "share",
    "attribution_distance": "distance",
    "attribution_magnitude": "ratio",
    "attribution_change": "number",
}


def _excess(check: str, number: Number, constraint: Constraint) -> tuple[float, float | None, float | None]:
    """Return how far a number is beyond its bound, how surprising that is, and its standard error in the same unit."""
    if check == "ndcg":
        assert constraint.bound is not None
        return constraint.bound - number.value, number.p_below(constraint.bound), number.error
    if check == "attribution_distance":
        assert constraint.bound is not None
        return number.value - constraint.bound, number.p_above(constraint.bound), number.error
    low, high = constraint.low, constraint.high
    sides = [] if high is None else [number.p_above(high)]
    sides += [] if low is None else [number.p_below(low)]
    known = [p for p in sides if p is not None]
    p_value = min(1.0, len(known) * min(known)) if known else None
    if check == "attribution_change":
        beyond = [] if high is None else [number.value - high]
        beyond += [] if low is None else [low - number.value]
        return max(beyond), p_value, number.error
    # A half and a double are as far from 1.
    value = max(number.value, 1e-300)
    error = None if number.error is None else number.error / value
    beyond = [] if high is None else [math.log(value / max(high, 1e-300))]
    beyond += [] if low is None else [math.log(max(low, 1e-300) / value)]
    return max(beyond), p_value, error


def _constraint(check: str, column: str | None, decided: Decided) -> Constraint:
    why = decided.why or _WHY[check]
    bound, low, high = decided.bound, decided.low, decided.high
    if check == "ndcg":
        bound = BOUND if bound is None else bound
        if decided.tolerance is not None:
            bound = 1.0 - decided.tolerance
    elif check == "attribution_distance":
        bound = decided.tolerance if decided.tolerance is not None else DISTANCE if bound is None else bound
    elif check == "attribution_magnitude":
        most = MAGNITUDE if decided.tolerance is None else 1.0 + decided.tolerance
        if low is None and high is None:
            low, high = 1.0 / most, most
        bound = None
    else:
        most = decided.tolerance if decided.tolerance is not None else TOLERANCE if bound is None else bound
        if low is None and high is None:
            low, high = -most, most
        bound = max(abs(end) for end in (low, high) if end is not None)
    return Constraint(
        check,
        column,
        bound,
        low=low,
        high=high,
        evidence=decided.evidence is not False,
        min_rows=LEAST_ROWS if decided.min_rows is None else decided.min_rows,
        severity=decided.severity or (Severity.CRITICAL if check == "ndcg" else Severity.WARNING),
        why=why,
    )


def certain_notes(labels: Sequence[Label], alpha: float) -> list[str]:
    """Tell of features that weigh little, and whose attribution has surely gone, or come.

    A change that is small beside all attribution is no violation. It can be all that is seen of a feature whose
    values are made differently now, so it is told: where the attribution fell to less than half or rose to more than
    double, and that is no chance (Benjamini-Hochberg over all features).
    """
    seen: list[tuple[float, str]] = []
    for label in labels:
        moved = label.moved
        for j, number in enumerate(moved.changes):
            if number.error is None or number.error <= 0 or label.n_current < LEAST_ROWS:
                continue
            now, before = abs(float(moved.current[j])), abs(float(moved.baseline[j]))
            p_value = 2.0 * normal_sf(abs(number.value) / number.error)
            is_much = max(now, before) > 2.0 * min(now, before) and abs(number.value) < TOLERANCE
            seen.append((p_value, words.told_certain(moved, j) if is_much else ""))
    corrected = benjamini_hochberg([p_value for p_value, _ in seen])
    told = [text for (_, text), q_value in zip(seen, corrected, strict=True) if text and q_value <= alpha]
    return told[:10]


def incidents_of(outcomes: Sequence[Outcome], labels: Sequence[Label]) -> tuple[Incident, ...]:
    """Tell the violations as incidents: one of the order of the features, and one for each output of what moved."""
    incidents: list[Incident] = []
    ranking = [i for i, o in enumerate(outcomes) if o.is_violation and o.constraint.check == "ndcg"]
    if ranking:
        named = [outcomes[i].segment for i in ranking]
        incidents.append(
            Incident(
                "metric",
                words.title_of_ranking([name for name in named if name is not None]),
                " ".join(dict.fromkeys(outcomes[i].reason for i in ranking[:3])),
                tuple(ranking),
                (),
                severity=_severity(outcomes, ranking),
            )
        )
    for label in labels:
        chosen = [
            i
            for i, o in enumerate(outcomes)
            if o.is_violation and o.constraint.check != "ndcg" and o.segment == label.segment
        ]
        if chosen:
            incidents.append(_of_label(outcomes, chosen, label))
    return tuple(incidents)


def _of_label(outcomes: Sequence[Outcome], chosen: list[int], label: Label) -> Incident:
    changed = [i for i in chosen if outcomes[i].constraint.column is not None]
    changed.sort(key=lambda i: -abs(outcomes[i].measurement.value or 0.0))
    columns = tuple(str(outcomes[i].constraint.column) for i in changed)
    of = "" if label.segment is None else f" for {label.segment}"
    if columns:
        shown = ", ".join(columns[:3]) + ("" if len(columns) < 4 else f" and {len(columns) - 3} more")
        title = f"The model leans on its features differently{of}: {shown}"
    elif all(outcomes[i].constraint.check == "attribution_magnitude" for i in chosen):
        title = f"The features move the predictions more, or less, than in the baseline{of}"
    else:
        title = f"Attribution has moved from some features to others{of}"
    moved = label.moved
    told = [words.told_change(moved, moved.features.index(name)) for name in columns[:3]]
    told += [outcomes[i].reason for i in chosen if outcomes[i].constraint.column is None]
    told.append(
        "Look at how the values of these features are made, and whether they still mean what they meant."
    )
    return Incident(
        "metric", title, " ".join(told), tuple(chosen), columns, severity=_severity(outcomes, chosen)
    )


def _severity(outcomes: Sequence[Outcome], chosen: Sequence[int]) -> str:
    worst = any(outcomes[i].constraint.severity is Severity.CRITICAL for i in chosen)
    return (Severity.CRITICAL if worst else Severity.WARNING).value
