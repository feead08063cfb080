"""Judgement: from measurements to outcomes, all of a run together.

A statistical constraint is violated only when the effect exceeds its bound by more than the sketch can have added
*and* the evidence holds after the Benjamini–Hochberg correction over every such constraint of the run. It is undetermined
when the sample could not have shown a violation, or when the bound is exceeded within the noise.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from driftline.baselines.constraint import CHECKS, DRIFT_CHECKS, Constraint
from driftline.kernels.evidence import benjamini_hochberg
from driftline.reports.outcome import Measurement, Outcome, Status

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["judge"]

_SHARES = ("data_type", "completeness", "categorical_values", "non_negative", "numeric_range", "uniqueness")


def judge(
    pairs: Sequence[tuple[Constraint, Measurement, str | None]], alpha: float
) -> tuple[list[Outcome], int]:
    """Judge every measurement of a run.

    Parameters
    ----------
    pairs : sequence of (Constraint, Measurement, segment)
    alpha : float
        False discovery rate.

    Returns
    -------
    outcomes : list of Outcome
        In the order given.
    n_tests : int
        Number of p-values corrected together.
    """
    tested = [
        i
        for i, (constraint, measurement, _) in enumerate(pairs)
        if constraint.evidence and measurement.p_value is not None and measurement.value is not None
    ]
    corrected = benjamini_hochberg([pairs[i][1].p_value or 0.0 for i in tested])
    q_values = dict(zip(tested, corrected, strict=True))
    outcomes = []
    for i, (constraint, measurement, segment) in enumerate(pairs):
        status, reason = _judged(constraint, measurement, q_values.get(i), alpha)
        outcomes.append(Outcome(constraint, measurement, status, reason, q_values.get(i), segment))
    return outcomes, len(tested)


def _judged(
    constraint: Constraint, measurement: Measurement, q_value: float | None, alpha: float
) -> tuple[Status, str]:
    value = measurement.value
    if value is None or math.isnan(value):
        why = measurement.note or "there is nothing to measure"
        return Status.UNDETERMINED, f"{CHECKS[constraint.check].title}: {why}."
    if measurement.n_current < constraint.min_rows:
        return (
            Status.UNDETERMINED,
            f"{_are(measurement.n_current, 'value')} fewer than the {constraint.min_rows:,} asked for.",
        )
    if constraint.check in DRIFT_CHECKS:
        return _drift(constraint, measurement, value, q_value, alpha)
    if constraint.check in _SHARES:
        return _share(constraint, measurement, value, q_value, alpha)
    if constraint.check == "row_volume":
        return _volume(constraint, value)
    return _age(constraint, value)


def _drift(
    constraint: Constraint, measurement: Measurement, value: float, q_value: float | None, alpha: float
) -> tuple[Status, str]:
    assert constraint.bound is not None
    bound = constraint.bound
    title = CHECKS[constraint.check].title
    q = 0.0 if q_value is None else q_value
    sure = value - measurement.sketch_error
    if constraint.check == "total_variation":
        # A sum over classes: what chance does to each adds up, like a leg at a right angle to what has changed.
        sure = math.sqrt(max(0.0, sure * abs(sure) - (measurement.detectable or 0.0) ** 2))
    sizes = f"{measurement.n_baseline or 0:,} baseline and {_counted(measurement.n_current, 'current value')}"
    if sure > bound and (not constraint.evidence or q <= alpha):
        return (
            Status.VIOLATED,
            f"The distribution moved by {_g(value)} ({title}); at most {_g(bound)} is allowed. "
            f"{_chance(q_value)}".rstrip(),
        )
    detectable = measurement.detectable or 0.0
    if detectable > bound:
        more = _needed(measurement, bound)
        return (
            Status.UNDETERMINED,
            f"{title}: with {sizes}, chance alone reaches {_g(min(detectable, _most(constraint.check)))}, "
            f"beyond the bound of {_g(bound)}{more}.",
        )
    if value > bound:
        if value - measurement.sketch_error > bound >= sure:
            why = f"chance alone reaches {_g(detectable)}"
        elif sure <= bound:
            why = f"summarising the data may account for {_g(measurement.sketch_error)} of it"
        else:
            why = f"the evidence (corrected p = {_p(q)}) does not reach {_g(alpha)}"
        return Status.UNDETERMINED, f"{title}: {_g(value)} is beyond the bound of {_g(bound)}, but {why}."
    return Status.PASSED, f"{title} {_g(value)} is within {_g(bound)}."


def _most(check: str) -> float:
    """Return the largest value that a distance can have."""
    return 1.0 if CHECKS[check].unit == "distance" else math.inf


def _needed(measurement: Measurement, bound: float) -> str:
    """Say about how many current values would make `bound` tell, where that can be said."""
    n, m = measurement.n_baseline or 0, measurement.n_current
    if not (n and m and measurement.detectable and bound > 0):
        return ""
    if measurement.name not in ("ks", "psi") and min(n, m) < 20:
        # Among a handful of values the noise follows no root law to go by.
        return ""
    power = 1.0 if measurement.name == "psi" else 2.0
    effective = n * m / (n + m) * (measurement.detectable / bound) ** power
    if effective >= n:
        return "; the baseline itself is too small"
    needed = math.ceil(effective * n / (n - effective) / 10) * 10
    return f"; about {needed:,} current values are needed"


def _share(
    constraint: Constraint, measurement: Measurement, value: float, q_value: float | None, alpha: float
) -> tuple[Status, str]:
    assert constraint.bound is not None
    n, n_bad = measurement.n_current, measurement.n_bad or 0
    sentence = _share_sentence(constraint, measurement, n, n_bad)
    # Bad values are counted only where they certainly are bad; uniqueness alone is an estimate with two sides.
    doubt = measurement.sketch_error if constraint.check == "uniqueness" else 0.0
    if not value + doubt < constraint.bound:
        if value < constraint.bound:
            return Status.UNDETERMINED, f"{sentence} Summarising the data may account for that."
        return Status.PASSED, sentence
    if not constraint.evidence or q_value is None:
        return Status.VIOLATED, sentence
    if q_value <= alpha:
        return Status.VIOLATED, f"{sentence} {_chance(q_value)}"
    # New extremes are what clean data brings, and shares scatter about their bound: enough values and no evidence
    # is an answer.
    if constraint.bound >= 1.0 and constraint.check != "numeric_range":
        before = f"{measurement.n_baseline or 0:,} baseline {'rows' if constraint.check == 'completeness' else 'values'}"
        return (
            Status.UNDETERMINED,
            f"{sentence} None of {before} did that, but chance may bring as many (corrected p = {_p(q_value)}).",
        )
    if constraint.check == "numeric_range" or _could_have_shown(n, 1.0 - constraint.bound):
        return Status.PASSED, f"{sentence} Chance brings as many (corrected p = {_p(q_value)})."
    return (
        Status.UNDETERMINED,
        f"{sentence} That is below the bound of {_percent(constraint.bound)}, "
        f"but {_are(n, 'value')} too few to tell it from chance (corrected p = {_p(q_value)}).",
    )


def _could_have_shown(n: int, allowed: float) -> bool:
    """Tell whether `n` values would have shown a share of bad ones twice that allowed, or 5 points more."""
    noise = 1.645 * math.sqrt(allowed * (1.0 - allowed) / n)
    return noise <= max(allowed, 0.05)


def _share_sentence(constraint: Constraint, measurement: Measurement, n: int, n_bad: int) -> str:
    example = ""
    if n_bad and measurement.examples:
        example = ", for example " + ", ".join(measurement.examples[:3])
    check = constraint.check
    bad = f"{n_bad:,} of {n:,}"
    verb = "is" if n_bad == 1 else "are"
    if check == "data_type":
        if not n_bad:
            return f"{_all(n, 'value')} {constraint.expected}."
        return f"Expected {constraint.expected}; {bad} values {verb} not{example}."
    if check == "completeness":
        if not n_bad:
            return "The only row has a value." if n == 1 else f"All {n:,} rows have a value."
        return (
            f"{bad} rows {'lacks' if n_bad == 1 else 'lack'} a value ({_percent(1 - n_bad / n)} complete, "
            f"expected {_percent(constraint.bound or 0.0)})."
        )
    if check == "categorical_values":
        if not n_bad:
            return f"{_all(n, 'value')} known."
        return f"{bad} values {verb} not among the {len(constraint.domain or ()):,} known ones{example}."
    if check == "non_negative":
        if not n_bad:
            return "The only number is not below zero." if n == 1 else f"None of {n:,} numbers is below zero."
        return f"{bad} numbers {verb} below zero{example}."
    if check == "numeric_range":
        span = f"{_exactly(constraint.low, '-∞')} to {_exactly(constraint.high, '∞')}"
        if not n_bad:
            return f"{_all(n, 'number')} within {span}."
        return f"{bad} numbers {verb} outside {span}{example}."
    return f"{_counted(n - n_bad, 'distinct value')} in {_counted(n, 'row')}; {_counted(n_bad, 'row')} repeat one."


def _all(n: int, noun: str) -> str:
    return f"The only {noun} is" if n == 1 else f"All {n:,} {noun}s are"


def _counted(n: int, noun: str) -> str:
    return f"{n:,} {noun}" + ("" if n == 1 else "s")


def _are(n: int, noun: str) -> str:
    return f"{_counted(n, noun)} {'is' if n == 1 else 'are'}"


def _exactly(value: float | None, otherwise: str) -> str:
    """Spell an end of a range with all its digits, whole numbers without a power of ten."""
    if value is None:
        return otherwise
    return f"{int(value):,}" if float(value).is_integer() and abs(value) < 1e15 else f"{value:.12g}"


def _volume(constraint: Constraint, value: float) -> tuple[Status, str]:
    low, high = constraint.low, constraint.high
    rows = _counted(int(value), "row")
    if low is not None and value < low:
        return Status.VIOLATED, f"{rows}, fewer than the {int(low):,} expected."
    if high is not None and value > high:
        return Status.VIOLATED, f"{rows}, more than the {int(high):,} expected."
    return Status.PASSED, f"{rows}, within the expected volume."


def _age(constraint: Constraint, value: float) -> tuple[Status, str]:
    assert constraint.bound is not None
    if value > constraint.bound:
        return (
            Status.VIOLATED,
            f"The newest time stamp is {_duration(value)} old; at most {_duration(constraint.bound)} is allowed.",
        )
    return Status.PASSED, f"The newest time stamp is {_duration(value)} old."


def _duration(seconds: float) -> str:
    for size, name in ((86400.0, "days"), (3600.0, "hours"), (60.0, "minutes")):
        if abs(seconds) >= 2 * size:
            return f"{seconds / size:.1f} {name}"
    return f"{seconds:.1f} seconds"


def _chance(q_value: float | None) -> str:
    if q_value is None:
        return ""
    return f"Chance would do that with probability {_p(q_value)}, all checks of the run considered."


def _p(value: float) -> str:
    return "below 1e-12" if value < 1e-12 else f"{value:.2g}"


def _g(value: float) -> str:
    return f"{value:.4g}"


def _percent(value: float) -> str:
    text = f"{100 * value:.2f}".rstrip("0").rstrip(".")
    if text == "100" and value < 1:
        text = f"{100 * value:.5g}"
        return "just below 100%" if text == "100" else f"{text}%"
    return f"{text}%"
