"""Words: what a metric of bias says about people, for readers who decide about models and do not compute."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from driftline.baselines.metrics import BIAS
from driftline.errors import printable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from driftline.monitor.bias.frozen import Group

__all__ = [
    "COMPOSITION",
    "LEADING",
    "SAME_AS_DPL",
    "absent",
    "composition",
    "headline",
    "number",
    "percent",
    "sentence",
    "told_beyond",
    "told_chance",
    "told_range",
    "told_within",
    "unjudged",
]

LEADING: Final = (
    "DI", "DPPL", "RD", "SD", "DAR", "DRR", "AD", "CDDPL", "FT", "TE", "DCA", "DCR",
    "DPL", "CDDL", "KL", "JS", "TVD", "KS", "LP", "CI", "GE",
)  # fmt: skip
"""Metrics from the most telling one on: it leads an incident, the others follow."""

SAME_AS_DPL: Final = frozenset(("TVD", "KS", "LP", "KL", "JS"))
"""With a label that is positive or not, these say in other units what DPL says."""

COMPOSITION: Final = frozenset(("CI",))
"""Metrics of who is in the data, not of how anybody is treated."""

_POINTS: Final[Mapping[str, tuple[str, int]]] = {
    "DPPL": ("{g} {now}receive a positive prediction {x} percentage points {word} often than {o}", -1),
    "DPL": ("{g} {now}have a positive label {x} percentage points {word} often than {o}", -1),
    "RD": (
        "the actual positives among {g} are {now}recognised {x} percentage points {word} often than among {o}",
        -1,
    ),
    "SD": (
        "the actual negatives among {g} are {now}recognised {x} percentage points {word} often than among {o}",
        1,
    ),
    "DAR": (
        "positive predictions for {g} are {now}right {x} percentage points {word} often than for {o}",
        -1,
    ),
    "DRR": ("negative predictions for {g} are {now}right {x} percentage points {word} often than for {o}", 1),
    "AD": ("predictions for {g} are {now}right {x} percentage points {word} often than for {o}", -1),
}
"""What a difference of shares says, and the sign with which it speaks for the group."""

_CONDITIONAL: Final = {"CDDL": "labels", "CDDPL": "predictions"}


def number(value: float | None) -> str:
    """Spell a number for people, to three digits; never bare infinities.

    Examples
    --------
    >>> number(0.4214), number(-12.0), number(float("inf")), number(None), number(1234.5)
    ('0.421', '−12', 'infinite', 'no value', '1,234')
    """
    if value is None or math.isnan(value):
        return "no value"
    if math.isinf(value):
        return "infinite" if value > 0 else "minus infinite"
    text = f"{abs(value):,.0f}" if abs(value) >= 1000 else f"{abs(value):.3g}"
    return f"−{text}" if value < 0 and float(text.replace(",", "")) else text


def percent(share: float) -> str:
    """Spell a share as percent."""
    return f"{100.0 * share:.1f} %"


def _points(value: float) -> str:
    return f"{abs(100.0 * value):.1f}"


def sentence(code: str, group: Group, value: float | None, baseline: float | None) -> str:
    """Say what a metric of the current data means, and what it was in the baseline; without a full stop.

    Parameters
    ----------
    code : str
    group : Group
    value, baseline : float or None

    Returns
    -------
    str
    """
    g, o = printable(group.name, 80), printable(group.others, 80)
    if value is None or not math.isfinite(value):
        text = f"{_title(code)} for {g} is {number(value)}; {_before(baseline)}"
    elif code in _POINTS:
        template, sign = _POINTS[code]
        text = template.format(g=g, o=o, x=_points(value), word=_more(sign * value), now="now ")
        if baseline is not None and math.isfinite(baseline):
            text += f"; in the baseline {_points(baseline)} {_more(sign * baseline)}"
    elif code == "DI":
        text = f"{g} now receive a positive prediction {number(value)} times as often as {o}"
        if baseline is not None and math.isfinite(baseline):
            text += f"; in the baseline {number(baseline)} times"
    elif code == "CI":
        text = f"{g} are now {percent((1.0 - value) / 2.0)} of all rows"
        if baseline is not None and math.isfinite(baseline):
            text += f"; in the baseline {percent((1.0 - baseline) / 2.0)}"
    elif code in _CONDITIONAL:
        which = _CONDITIONAL[code]
        text = (
            f"among rows alike in the group variable, the share of {g} is now {_points(value)} percentage points "
            f"{'higher' if value >= 0 else 'lower'} in the negative {which} than in the positive ones"
        )
        if baseline is not None and math.isfinite(baseline):
            text += f"; in the baseline {_points(baseline)} {'higher' if baseline >= 0 else 'lower'}"
    elif code == "FT":
        text = f"decided on like their nearest neighbours among {o}, {_flips(value)} of {g} would now {_flip(value)}"
        text += " a positive prediction"
        if baseline is not None and math.isfinite(baseline):
            text += f"; in the baseline {_flips(baseline)} would {_flip(baseline)} one"
    elif code == "GE":
        text = f"the inequality of the benefits over all rows (generalized entropy) is now {number(value)}"
        text += f"; {_before(baseline)}"
    elif code == "TE":
        text = _ratio("false negatives per false positive", g, o, value, baseline)
    elif code == "DCA":
        text = _ratio("actual positives per predicted positive", o, g, value, baseline)
    elif code == "DCR":
        text = _ratio("actual negatives per predicted negative", g, o, value, baseline)
    else:
        text = f"the labels of {g} and of {o} are now {number(value)} apart ({_title(code)}); {_before(baseline)}"
    return text[0].upper() + text[1:]


def _ratio(what: str, first: str, second: str, value: float, baseline: float | None) -> str:
    more = "more" if value >= 0 else "fewer"
    text = f"there are now {number(abs(value))} {more} {what} among {first} than among {second}"
    if baseline is not None and math.isfinite(baseline):
        text += f"; in the baseline {number(abs(baseline))} {'more' if baseline >= 0 else 'fewer'}"
    return text


def _title(code: str) -> str:
    return BIAS[f"bias_{code.lower()}"].title


def _before(baseline: float | None) -> str:
    return f"in the baseline {number(baseline)}"


def _more(value: float) -> str:
    return "more" if value >= 0 else "less"


def _flips(value: float) -> str:
    return percent(abs(value))


def _flip(value: float) -> str:
    return "lose" if value >= 0 else "gain"


def told_range(low: float | None, high: float | None) -> str:
    """Say what is allowed."""
    if low is None or low == -math.inf:
        return f"up to {number(high)} is allowed"
    if high is None or high == math.inf:
        return f"from {number(low)} on is allowed"
    return f"{number(low)} to {number(high)} is allowed"


def _told_interval(interval: tuple[float, float] | None, level: float) -> str:
    if interval is None:
        return ""
    return f"{100.0 * level:g} % interval {number(interval[0])} to {number(interval[1])}"


def told_beyond(
    code: str,
    said: str,
    value: float | None,
    interval: tuple[float, float] | None,
    allowed: str,
    level: float,
) -> str:
    """Say that a metric is outside of what is allowed."""
    return f"{said}. {code} is {number(value)} ({_told_interval(interval, level)}); {allowed}."


def told_chance(
    code: str, value: float | None, interval: tuple[float, float] | None, allowed: str, level: float
) -> str:
    """Say that a metric is outside, but that this may be chance."""
    return (
        f"{code} is {number(value)}; {allowed}. It is outside, but the evidence is not enough to tell it from chance "
        f"({_told_interval(interval, level)})."
    )


def told_within(
    code: str,
    value: float | None,
    baseline: float | None,
    interval: tuple[float, float] | None,
    allowed: str,
    level: float,
) -> str:
    """Say that a metric is inside."""
    return f"{code} is {number(value)} ({_told_interval(interval, level)}), in the baseline {number(baseline)}; {allowed}."


def unjudged(code: str, reason: str) -> str:
    """Say that, and why, a metric cannot be judged."""
    return f"{code} cannot be judged: {reason}."


def headline(code: str, group: Group, value: float | None, baseline: float | None) -> str:
    """Return the title of an incident."""
    title = BIAS[f"bias_{code.lower()}"].title
    where = f"{printable(group.text, 120)}: " if group.text else ""
    return f"{where}{title} is {number(value)}, in the baseline {number(baseline)}"


def absent(group: Group, n_baseline: int | None) -> str:
    """Say that a group is not in the data."""
    before = "" if n_baseline is None else f", where the baseline has {n_baseline:,}"
    text = printable(group.text, 120)
    return f"there is no row of {text}{before}: nothing can be said about how this group is treated"


def composition(group: Group, value: float | None, baseline: float | None) -> str:
    """Say how the share of a group has changed."""
    said = sentence("CI", group, value, baseline)
    return f"{said}. This is about who is in the data, not about how the model treats them."


def followers(outcomes: Sequence[tuple[str, float | None, float | None]]) -> str:
    """Name the other metrics that are outside, in words.

    Parameters
    ----------
    outcomes : sequence of (code, value, baseline)
    """
    told = [f"{code} {number(value)} (baseline {number(baseline)})" for code, value, baseline in outcomes]
    return "Also outside of what is allowed: " + ", ".join(told) + "."
