"""Words: what is said about attributions, for somebody who answers for the model and has never heard of Shapley."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from driftline.monitor.verdict import Because

if TYPE_CHECKING:
    from driftline.baselines.constraint import Constraint
    from driftline.monitor.attribution.measuring import Moved, Number
    from driftline.monitor.verdict import Verdict

__all__ = ["compat_reason", "reason", "share", "title_of_ranking", "told_change", "told_ranks"]

NO_ROWS: Final = "No row could be explained, so nothing can be said."
NEGATIVE: Final = (
    "The baseline holds negative attributions, as agg = median gives them, and an order by importance has no "
    "meaning then: use mean_abs."
)


def share(value: float) -> str:
    """Spell a share as per cent, with as many digits as say something."""
    percent = 100.0 * value
    return f"{percent:.0f} %" if abs(percent) >= 9.95 else f"{round(percent, 1) + 0.0:.1f} %"


def compat_reason(value: float | None, bound: float, *, is_violated: bool) -> str:
    """Return SageMaker's own words, which say "exceeds" although the value is below."""
    if value is None:
        return "Feature attribution drift could not be computed"
    if is_violated:
        return f"Feature attribution drift {value!r} exceeds threshold {bound!r}"
    return f"Feature attribution drift {value!r} is within threshold {bound!r}"


def reason(
    check: str,
    moved: Moved,
    number: Number | None,
    constraint: Constraint,
    verdict: Verdict,
    n_rows: int,
) -> str:
    """Return one sentence or two about an outcome."""
    if not n_rows:
        return NO_ROWS
    if check == "ndcg" and number is None:
        return NEGATIVE
    if number is None:
        return "There is no attribution at all on one side, so shares of it have no meaning."
    told = {
        "ndcg": _ranking,
        "attribution_distance": _distance,
        "attribution_magnitude": _magnitude,
        "attribution_change": _change,
    }[check](moved, number, constraint)
    return f"{told} {_because(verdict, n_rows, constraint)}".strip()


def _between(number: Number, form: str) -> str:
    if number.interval is None:
        return ""
    low, high = number.interval
    return f" (95 % interval {low:{form}} to {high:{form}})"


def _ranking(moved: Moved, number: Number, constraint: Constraint) -> str:
    bound = constraint.bound
    assert bound is not None
    found = f"rank agreement (NDCG) {number.value:.3f}{_between(number, '.3f')}"
    if number.value < bound:
        return f"The features matter in another order than in the baseline: {found}, below {bound:g}.{told_ranks(moved)}"
    return f"The features matter in about the same order as in the baseline: {found}, bound {bound:g}."


def told_ranks(moved: Moved) -> str:
    """Name the features whose rank moved most, weighed by what they are worth."""
    before = {name: i for i, name in enumerate(_ranked(moved.features, moved.baseline.tolist()))}
    now = {name: i for i, name in enumerate(_ranked(moved.features, moved.current.tolist()))}
    worth = dict(zip(moved.features, (moved.baseline + moved.current).tolist(), strict=True))
    steps = [
        (abs(before[name] - now[name]) * worth[name], name)
        for name in moved.features
        if before[name] != now[name]
    ]
    told = [
        f"{name} from rank {before[name] + 1} to {now[name] + 1}"
        for _, name in sorted(steps, reverse=True)[:3]
    ]
    return f" {_listed(told)}." if told else ""


def _ranked(names: tuple[str, ...], values: list[float]) -> list[str]:
    return [name for _, name in sorted(zip(values, names, strict=True), key=lambda pair: -pair[0])]


def _listed(told: list[str]) -> str:
    return told[0] if len(told) == 1 else f"{', '.join(told[:-1])} and {told[-1]}"


def _distance(_: Moved, number: Number, constraint: Constraint) -> str:
    low = (
        ""
        if number.interval is None
        else f" (95 % interval {share(number.interval[0])} to {share(number.interval[1])})"
    )
    assert constraint.bound is not None
    return (
        f"{share(number.value)} of all attribution has moved from some features to others{low}; "
        f"up to {share(constraint.bound)} is allowed."
    )


def _magnitude(_: Moved, number: Number, constraint: Constraint) -> str:
    what = "as much as" if abs(number.value - 1.0) < 0.005 else f"{number.value:.2f} times as much as"
    return (
        f"All features together move the predictions {what} in the baseline{_between(number, '.2f')}; "
        f"{_allowed(constraint, '.2f')} is allowed."
    )


def _allowed(constraint: Constraint, form: str) -> str:
    if constraint.low is None:
        return f"at most {constraint.high:{form}}"
    return (
        f"at least {constraint.low:{form}}"
        if constraint.high is None
        else f"{constraint.low:{form}} to {constraint.high:{form}}"
    )


def told_change(moved: Moved, position: int) -> str:
    """Say how much the model leans on a feature, now and in the baseline."""
    name = moved.features[position]
    now, before = shares_of(moved, position)
    if moved.current[position] == moved.baseline[position]:
        return f"The model leans on {name} as before: {share(now)} of all attribution."
    more = moved.current[position] > moved.baseline[position]
    both = f"{share(now)} of all attribution, {share(before)} in the baseline"
    much = abs(moved.changes[position].value)
    if much < (0.002 if max(now, before) > 2.0 * min(now, before) else 0.01):
        return f"The model leans on {name} about as before: {both}."
    verb = "now leans on" if more and before < 0.5 * now else "leans more on" if more else "leans less on"
    return f"The model {verb} {name}: {both}."


def told_certain(moved: Moved, position: int) -> str:
    """Say that a feature of little weight has surely changed."""
    now, before = shares_of(moved, position)
    name = moved.features[position]
    way = (
        "less than half"
        if abs(moved.current[position]) < abs(moved.baseline[position])
        else "more than double"
    )
    return (
        f"{name} weighs little, but {way} of what it did, and that is no chance: {share(now)} of all attribution, "
        f"{share(before)} in the baseline; look at whether its values still mean what they meant"
    )


def shares_of(moved: Moved, position: int) -> tuple[float, float]:
    """Return a feature's share of all attribution, now and in the baseline."""
    total_now, total_before = float(abs(moved.current).sum()), float(abs(moved.baseline).sum())
    now = abs(float(moved.current[position])) / total_now if total_now > 0 else 0.0
    before = abs(float(moved.baseline[position])) / total_before if total_before > 0 else 0.0
    return now, before


def _change(moved: Moved, number: Number, constraint: Constraint) -> str:
    position = next(j for j, one in enumerate(moved.changes) if one is number)
    low = (
        ""
        if number.interval is None
        else f" (95 % interval {share(number.interval[0])} to {share(number.interval[1])})"
    )
    ends = [_signed(end) for end in (constraint.low, constraint.high) if end is not None]
    allowed = "up to " + " or ".join(ends)
    if constraint.low is not None and constraint.low == -(constraint.high or 0.0):
        allowed = f"{share(-constraint.low)} either way"
    verb = "grew" if number.value > 0 else "shrank"
    by = f"Its own weight {verb} by {share(abs(number.value))} of all attribution in the baseline"
    return f"{told_change(moved, position)} {by}{low}; {allowed} is allowed."


def _signed(value: float) -> str:
    return ("+" if value >= 0.0005 else "") + share(value)


def _because(verdict: Verdict, n_rows: int, constraint: Constraint) -> str:
    rows = f"{n_rows:,} {'row' if n_rows == 1 else 'rows'}"
    if verdict.because is Because.NOISE:
        return f"With {rows} explained that may be chance."
    if verdict.because is Because.BLIND:
        return f"{rows[0].upper()}{rows[1:]} are too few: even a gross change could hide in the noise."
    if verdict.because is Because.UNKNOWN:
        return f"Only {rows} could be explained, and {constraint.min_rows:,} are needed for a judgement."
    return ""


def title_of_ranking(labels: list[str]) -> str:
    """Return the title of the incident of the order of the features."""
    of = f" for {_listed(labels)}" if labels else ""
    return f"The order in which features matter has changed{of}"
