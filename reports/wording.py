"""Numbers, bounds and verdicts as words, the same in every renderer.

A reader must never be told something rounder than the truth: a share that is not whole never shows as
``100%``, one that is not nothing never as ``0%``, and a missing number shows as a dash, not as zero.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from driftline.baselines.constraint import CHECKS, DRIFT_CHECKS, CheckInfo, Constraint
from driftline.baselines.metrics import ATTRIBUTION, BIAS, METRICS
from driftline.errors import printable
from driftline.reports.outcome import Status

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from driftline.reports.outcome import Measurement, Outcome, Place

__all__ = [
    "baseline",
    "bound",
    "cell",
    "count",
    "duration",
    "evidence",
    "examples",
    "interval",
    "is_of_metrics",
    "listing",
    "name",
    "number",
    "part",
    "place",
    "places",
    "plural",
    "probability",
    "scope",
    "sentence",
    "share",
    "short_bound",
    "short_title",
    "status_word",
    "subject",
    "title",
    "unit_value",
    "value",
]

NONE: Final = "–"
"""Shown where there is no number."""


_PARTS: Final = {"bias": "group", "attribution": "feature"}
"""What ``Constraint.column`` names, where it is no column."""


def is_of_metrics(recipe: str) -> bool:
    """Tell whether reports of a recipe are about metrics, not about columns."""
    return recipe in ("model-quality", "bias", "attribution")


def part(recipe: str) -> str:
    """Return what the rules of a recipe are about: a column, a group, a feature."""
    return _PARTS.get(recipe, "column")


def name(column: str | None, limit: int = 80) -> str:
    """Show a column's name on one line, or say that the rule is about the whole data set.

    A name longer than `limit` loses its middle, because long names tend to differ at their end.
    """
    if column is None:
        return "whole data set"
    if len(column) > limit:
        tail = limit // 3
        return printable(column[: limit - tail - 1] + "…" + column[-tail:], limit)
    return printable(column, limit) if column else '""'


def subject(outcome: Outcome, limit: int = 80) -> str:
    """Show what an outcome speaks of: a column, a segment as a whole, or the whole data set."""
    if outcome.constraint.column is None and outcome.segment is not None:
        return name(outcome.segment, limit)
    return name(outcome.constraint.column, limit)


def scope(outcome: Outcome, limit: int = 80) -> str:
    """Show the rows, the group or the feature that a metric is of; ``all rows``, ``all features`` where it is of all."""
    column, segment = outcome.constraint.column, outcome.segment
    if column is None and segment is None:
        return "all features" if outcome.constraint.check in ATTRIBUTION else "all rows"
    if column is None:
        return name(segment, limit)
    return name(column, limit) if segment is None else f"{name(column, limit)} [{name(segment, limit)}]"


def _info(check: str) -> CheckInfo | None:
    return CHECKS.get(check) or METRICS.get(check)


def title(check: str) -> str:
    """Return the name people read for `check`; an unknown check is shown by its own name."""
    info = _info(check)
    return info.title if info else printable(check, 60)


_SHORT: Final = {
    "categorical_values": "Known values",
    "ks": "KS",
    "l_infinity": "L-infinity",
    "l_infinity_robust": "L-inf. robust",
    "psi": "PSI",
    "total_variation": "Total var.",
    "js_distance": "JS distance",
    "mae": "MAE",
    "mse": "MSE",
    "rmse": "RMSE",
    "true_positive_rate": "TPR",
    "true_negative_rate": "TNR",
    "false_positive_rate": "FPR",
    "false_negative_rate": "FNR",
    "calibration_error": "Calib. error",
    "weighted_recall": "W. recall",
    "weighted_precision": "W. precision",
    "weighted_f0_5": "W. F0.5",
    "weighted_f1": "W. F1",
    "weighted_f2": "W. F2",
    "precision_at_k": "Precision@k",
    "recall_at_k": "Recall@k",
    "ndcg": "NDCG",
    "attribution_distance": "Distance",
    "attribution_magnitude": "Magnitude",
    "attribution_change": "Change",
    **{name: info.title.rpartition("(")[2].rstrip(")") for name, info in BIAS.items()},
}


def short_title(check: str) -> str:
    """Return a name of `check` of at most a dozen characters or so, for narrow tables."""
    return _SHORT.get(check) or title(check)


def count(n: float) -> str:
    """Spell a count with thousands separators: ``1,977``."""
    if isinstance(n, int) or (math.isfinite(n) and n == int(n)):
        return f"{int(n):,}"
    return number(n)


def plural(n: int, one: str, many: str | None = None) -> str:
    """Return ``"1 row"``, ``"2 rows"``, ``"0 rows"``."""
    return f"{n:,} {one if n == 1 else many or one + 's'}"


def number(x: float | None, digits: int = 4) -> str:
    """Spell a number with `digits` significant digits, with separators, or in powers of ten when far from 1.

    Examples
    --------
    >>> number(0.30791265775509713), number(1234567.0), number(3.2e-12), number(None)
    ('0.3079', '1,234,567', '3.2e-12', '–')
    """
    if x is None:
        return NONE
    if isinstance(x, int):
        return _minus(f"{x:,}") if abs(x) < 10**15 else _power(x, digits)
    if math.isnan(x):
        return "not a number"
    if math.isinf(x):
        return "∞" if x > 0 else "−∞"
    size = abs(x)
    if x == 0:
        return "0"
    if size < 1e-4 or size >= 1e15:
        return _power(x, digits)
    if x == int(x):
        return _minus(f"{int(x):,}")
    if size >= 10**digits:
        return _minus(f"{x:,.0f}")
    text = f"{x:.{digits}g}"
    if "e" in text:  # 9999.96 rounds up to 1e+04
        text = f"{float(text):.0f}"
    whole, point, fraction = text.partition(".")
    return _minus(f"{int(whole):,}" if whole.lstrip("-") not in ("", "0") else whole) + point + fraction


def _power(x: float, digits: int) -> str:
    if isinstance(x, int) and abs(x) >= 10**300:  # perhaps more than a double holds
        text = str(abs(x))
        return _minus(f"{'-' if x < 0 else ''}{text[0]}.{text[1:digits]}e{len(text) - 1}")
    mantissa, _, exponent = f"{x:.{digits - 1}e}".partition("e")
    return _minus(f"{mantissa.rstrip('0').rstrip('.')}e{int(exponent)}")


def _minus(text: str) -> str:
    return "−" + text[1:] if text.startswith("-") else text


def share(x: float | None) -> str:
    """Spell a share of 1 as a percentage that never rounds a part to all or to nothing.

    Examples
    --------
    >>> share(0.9964592817400101), share(0.9999996), share(0.0000002), share(1.0)
    ('99.65%', '99.99996%', '0.00002%', '100%')
    """
    if x is None:
        return NONE
    if not math.isfinite(x):
        return number(x)
    percent = x * 100
    if x in (0, 1):
        return f"{percent:.0f}%"
    for digits in (2, 3, 4, 5, 6, 8, 10, 12):
        text = f"{percent:.{digits}f}"
        if float(text) not in (0.0, 100.0):
            return _minus(text.rstrip("0").rstrip(".") + "%")
    return "more than 99.999999%" if 0.5 < x < 1 else _minus(f"{_power(percent, 3)}%")


def probability(p: float | None) -> str:
    """Spell a p-value or q-value with two significant digits."""
    if p is None:
        return NONE
    if p <= 0:
        return "< 1e-300"
    if p < 1e-3:
        return _power(p, 2)
    return f"{p:.2g}" if p < 0.995 else f"{p:.3f}".rstrip("0").rstrip(".")


def duration(seconds: float | None) -> str:
    """Spell a time span in its largest two units: ``3 d 4 h``."""
    if seconds is None or not math.isfinite(seconds):
        return number(seconds)
    if seconds < 0:
        return "−" + duration(-seconds)
    if seconds < 60:
        return f"{number(round(seconds, 2), 3)} s"
    units = (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1))
    left = round(seconds)
    parts: list[str] = []
    for unit, size in units:
        n, left = divmod(left, size)
        if n or parts:
            parts.append(f"{n:,} {unit}" if n else "")
        if len(parts) == 2:
            break
    return " ".join(part for part in parts if part)


def _spell(x: float | None, unit: str) -> str:
    if unit == "share":
        return share(x)
    if unit == "seconds":
        return duration(x)
    if unit in ("rows", "columns") and x is not None and math.isfinite(x):
        return count(x)
    return number(x)


def cell(value: float | str | None, unit: str) -> str:
    """Spell a cell of an exhibit in its unit; text stays as it is."""
    if isinstance(value, str):
        return value
    if unit in ("", "text") or (unit == "rows" and value is not None and abs(value) >= 1e15):
        unit = "number"
    return _spell(value, unit)


def unit_value(x: float | None, unit: str) -> str:
    """Spell a number in its unit."""
    return _spell(x, unit)


def _unit(check: str, fallback: str = "") -> str:
    info = _info(check)
    return info.unit if info else fallback


def value(measurement: Measurement) -> str:
    """Spell the measured effect in its unit."""
    return _spell(measurement.value, measurement.unit)


def interval(measurement: Measurement) -> str:
    """Spell the 95 % interval of the effect, or a dash."""
    if measurement.interval is None:
        return NONE
    low, high = measurement.interval
    return f"{_spell(low, measurement.unit)} to {_spell(high, measurement.unit)}"


def baseline(measurement: Measurement) -> str:
    """Spell the same number on the baseline's side, or a dash."""
    return _spell(measurement.baseline, measurement.unit)


def bound(constraint: Constraint) -> str:
    """Spell what the constraint allows.

    Examples
    --------
    >>> bound(Constraint("completeness", "age", 0.98)), bound(Constraint("ks", "age", 0.1))
    ('at least 98%', 'at most 0.1')
    >>> bound(Constraint("recall", None, 0.55)), bound(Constraint("bias_dpl", "sex=Female", None, low=-0.1, high=0.1))
    ('at least 55%', '−0.1 to 0.1')
    """
    check, unit = constraint.check, _unit(constraint.check)
    if check in METRICS:
        return _metric_bound(constraint, METRICS[check])
    if check in ("missing_column", "extra_column"):
        return "none"
    if check == "row_volume":
        return _range(constraint.low, constraint.high, unit)
    if constraint.bound is None:
        return NONE
    if check in DRIFT_CHECKS or check == "freshness":
        return f"at most {_spell(constraint.bound, unit)}"
    if check == "numeric_range":
        ends = _range(constraint.low, constraint.high, "")
        return ends if constraint.bound == 1 else f"at least {share(constraint.bound)} in {ends}"
    if check == "data_type" and constraint.expected:
        kind = printable(constraint.expected, 40)
        return f"all {kind}" if constraint.bound == 1 else f"at least {share(constraint.bound)} {kind}"
    return (
        f"at least {_spell(constraint.bound, unit)}"
        if constraint.bound < 1
        else _spell(constraint.bound, unit)
    )


def _metric_bound(constraint: Constraint, info: CheckInfo) -> str:
    if constraint.low is not None or constraint.high is not None:
        return _range(constraint.low, constraint.high, info.unit)
    if constraint.bound is None:
        return NONE
    allowed = _spell(constraint.bound, info.unit)
    if info.worse == "either":
        return f"{allowed} either way"
    # Somebody may have turned a threshold of model quality round.
    turned = {"GreaterThanThreshold": "higher", "LessThanThreshold": "lower"}
    worse = turned.get(constraint.expected or "", info.worse)
    return f"at least {allowed}" if worse == "lower" else f"at most {allowed}"


def _range(low: float | None, high: float | None, unit: str) -> str:
    if low is not None and high is not None:
        return f"{_spell(low, unit)} to {_spell(high, unit)}"
    if low is not None:
        return f"at least {_spell(low, unit)}"
    return f"at most {_spell(high, unit)}" if high is not None else NONE


def short_bound(constraint: Constraint) -> str:
    """Spell what the constraint allows in few characters: ``min 98%``, ``max 0.1``."""
    return bound(constraint).replace("at least ", "min ").replace("at most ", "max ")


def evidence(outcome: Outcome) -> str:
    """Spell why chance does not explain the number, in a few characters: ``q 3.2e-12``, ``7 wrong``."""
    if outcome.q_value is not None:
        return f"q {probability(outcome.q_value)}"
    if outcome.measurement.p_value is not None:
        return f"p {probability(outcome.measurement.p_value)}"
    if outcome.measurement.n_bad is not None:
        return f"{outcome.measurement.n_bad:,} wrong"
    return NONE


def place(where: Place) -> str:
    """Spell a row: ``row 1 of test.csv``. The folder of a path is left out."""
    if not where.source:
        return f"row {where.row:,}"
    short = where.source.rstrip("/").rsplit("/", 1)[-1]
    return f"row {where.row:,} of {printable(short, 80)}"


def places(where: Sequence[Place], total: int | None = None) -> str:
    """Spell rows, grouped by file: ``rows 1, 5 and 9 of a.csv``; `total` tells how many there are in truth.

    Returns
    -------
    str
        Empty where there is no row.
    """
    groups: dict[str, list[int]] = {}
    for at in where:
        groups.setdefault(at.source, []).append(at.row)
    texts = []
    for source, rows in groups.items():
        numbers = listing([f"{row:,}" for row in rows], 8)
        label = f"{'row' if len(rows) == 1 else 'rows'} {numbers}"
        short = source.rstrip("/").rsplit("/", 1)[-1]
        texts.append(f"{label} of {printable(short, 80)}" if source else label)
    if total is not None and total > len(where) and texts:
        return f"{'; '.join(texts)} and {total - len(where):,} more"
    return "; ".join(texts)


def listing(items: Iterable[str], limit: int = 3) -> str:
    """Join words as English does: ``a, b and c``; past `limit`: ``a, b, c and 56 more``."""
    words = list(items)
    if len(words) > limit + 1:
        return f"{', '.join(words[:limit])} and {len(words) - limit:,} more"
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} and {words[-1]}"


def examples(values: Sequence[str], limit: int = 3) -> str:
    """Quote offending values: ``“0.1”, “n/a”``."""
    return ", ".join(f"“{printable(text, 40)}”" for text in values[:limit])


def sentence(text: str) -> str:
    """Show outside text on one line and end it with a full stop."""
    shown = printable(text.strip(), 600)
    return shown if not shown or shown[-1] in ".!?…" else shown + "."


def status_word(status: Status) -> str:
    """Return the word people read for `status`."""
    return {Status.PASSED: "Passed", Status.VIOLATED: "Violated", Status.UNDETERMINED: "Undetermined"}[status]
