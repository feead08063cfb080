"""Words: what a metric of model quality says, for somebody who answers for the model and does not build it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from driftline.baselines.metrics import QUALITY
from driftline.monitor.verdict import Because
from driftline.reports import wording

if TYPE_CHECKING:
    from driftline.monitor.quality.judge import Judged

__all__ = ["now_and_then", "reason_of", "spelled", "title_of"]

_SENTENCES: Final = {
    "accuracy": ("The model is now right in {now} of the rows", "in the baseline it was in {then}"),
    "recall": (
        "The model now misses {now_rest} of the actual positives",
        "in the baseline it missed {then_rest}",
    ),
    "precision": (
        "Of the rows that the model calls positive {now} are",
        "in the baseline {then} were",
    ),
    "false_positive_rate": (
        "The model now raises a false alarm for {now} of the actual negatives",
        "in the baseline for {then}",
    ),
    "auc": (
        "A positive now scores higher than a negative in {now} of the pairs (AUC)",
        "in the baseline in {then}",
    ),
    "mae": ("Predictions are now off by {now} on average", "in the baseline by {then}"),
    "rmse": (
        "The root mean squared error is now {now}, which large errors drive",
        "in the baseline it was {then}",
    ),
    "r2": ("Predictions now explain {now} of the variance of the truth (R²)", "in the baseline {then}"),
    "brier": ("The mean squared error of the probabilities is now {now}", "in the baseline it was {then}"),
    "log_loss": ("The log loss of the probabilities is now {now}", "in the baseline it was {then}"),
    "calibration_error": (
        "Probabilities now miss what is observed by {now} on average, chance deducted",
        "in the baseline by {then}",
    ),
    "precision_at_k": ("Of the {where} {now} are positive", "of as large a part of the baseline {then} were"),
    "recall_at_k": (
        "The {where} hold {now} of the actual positives",
        "as large a part of the baseline held {then}",
    ),
}


def title_of(name: str) -> str:
    """Return the name of a metric that people read."""
    return QUALITY[name].title if name in QUALITY else name


def spelled(name: str, value: float | None) -> str:
    """Spell the value of a metric."""
    if value is None:
        return wording.NONE
    share = name in QUALITY and QUALITY[name].unit == "share"
    return wording.share(value) if share or (name == "r2" and 0 <= value <= 1) else wording.number(value)


def now_and_then(name: str, current: float, baseline: float | None, *, where: str = "") -> str:
    """Say what a metric is and what it was, without a full stop at the end.

    Examples
    --------
    >>> now_and_then("recall", 0.59, 0.7)
    'The model now misses 41% of the actual positives; in the baseline it missed 30%'
    """
    first, second = _SENTENCES.get(name, (title_of(name) + " is now {now}", "in the baseline it was {then}"))
    if name == "r2" and current < 0:
        first = "Predictions are now worse than always giving the mean (R² {now})"
    then = baseline if baseline is not None else current
    words = {
        "now": spelled(name, current),
        "then": spelled(name, then),
        "now_rest": wording.share(1.0 - current),
        "then_rest": wording.share(1.0 - then),
        "where": where or "highest scores",
    }
    return first.format(**words) + ("" if baseline is None else "; " + second.format(**words))


def reason_of(judged: Judged) -> str:
    """Say what follows for one metric, and why."""
    name = judged.name
    one = judged.claim.measurement
    if one.value is None:
        return f"{title_of(name)} cannot be computed: {one.note or 'there is nothing to measure'}."
    told = now_and_then(name, one.value, one.baseline, where=judged.where) + "."
    limit = judged.claim.constraint.bound
    if limit is None:
        why = one.note or "the baseline has no value"
        return f"{told} It is held to nothing: {why}."
    n_least = judged.claim.constraint.min_rows
    if one.n_current < n_least:
        return (
            f"{told} That is of {wording.plural(one.n_current, 'row')}, fewer than the {n_least:,} asked for."
        )
    if judged.too_few:
        return f"{told} {judged.too_few}"
    bound = ("at least " if judged.sign < 0 else "at most ") + spelled(name, limit)
    within = "" if one.interval is None else _interval(name, one.interval)
    because = judged.verdict.because
    if because is Because.BEYOND:
        return f"{told} Allowed is {bound}{within}."
    if because is Because.NOISE:
        return f"{told} Allowed is {bound}{within}: beyond the bound, but not by more than chance can do."
    if because is Because.BLIND:
        room = wording.number(one.detectable, 2)
        return f"{told} Allowed is {bound}{within}: so few rows could only have shown a change of more than {room}."
    if because is Because.UNKNOWN:
        return f"{told} Allowed is {bound}{within}: {one.note or 'it cannot be judged'}."
    if judged.is_partial:
        return f"{told} Allowed is {bound}{within}, but too many labelled rows are left out for it to count as passed."
    return f"{told} Allowed is {bound}{within}."


def _interval(name: str, ends: tuple[float, float]) -> str:
    return f"; 95% interval {spelled(name, ends[0])} to {spelled(name, ends[1])}"
