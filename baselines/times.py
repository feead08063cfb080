"""Times that are texts: which texts of a column say a date or a time stamp.

CSV, JSON Lines and many tables hold times as texts. Such a column is no category: tomorrow's dates are new by nature.
Read as a time is what ISO 8601 and its everyday relatives spell with the year first: ``2026-11-23``,
``2026-11-23T07:00:00Z``, ``2026-11-23 07:00:00.123+01:00``. Dates of another order are ambiguous and stay texts.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from driftline.baselines.column import Column

__all__ = ["Times", "is_time", "times_in"]

_FORM = re.compile(
    rb"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d{1,9})?)? ?(?:Z|UTC|[+-]\d\d(?::?\d\d)?)?)?", re.ASCII
)
_ZONE = re.compile(r" ?(?:Z|UTC)$")


class Times(NamedTuple):
    """How many values of a column of texts say a time.

    Attributes
    ----------
    n : int
        Values that do; scaled up from a sample of the different texts where not all are kept.
    is_exact : bool
    odd : tuple of str
        Up to three texts that do not, the most frequent first.
    """

    n: int
    is_exact: bool
    odd: tuple[str, ...]


def is_time(text: bytes) -> bool:
    """Tell whether a text says a date or a time stamp that exists.

    Examples
    --------
    >>> is_time(b"2026-11-23T07:00:00Z"), is_time(b"2026-02-30"), is_time(b"23.11.2026")
    (True, False, False)
    """
    if not _FORM.fullmatch(text):
        return False
    try:
        datetime.fromisoformat(_ZONE.sub("+00:00", text.decode("ascii")))
    except ValueError:
        return False
    return True


def times_in(column: Column, *, least: float = 0.0) -> Times:
    """Count the values of a column of texts that say a time.

    Parameters
    ----------
    column : Column
        With texts; one without has no such values.
    least : float, default 0
        A share of the values that somebody needs: where it is out of reach, the rest is not read and `n` is 0.
    """
    categories = column.categories
    if categories is None or categories.n == 0 or column.family not in ("text", "lexical"):
        return Times(0, True, ())
    order = categories.counts.argsort(kind="stable")[::-1]
    kept = int(categories.counts.sum())
    room = (1.0 - least) * kept
    good = 0
    odd: list[str] = []
    for i in order.tolist():
        text = categories.texts.at(i)
        if is_time(text):
            good += int(categories.counts[i])
            continue
        room -= int(categories.counts[i])
        if room < 0:
            return Times(0, categories.is_complete, ())
        if len(odd) < 3:
            odd.append(text.decode("utf-8", "replace"))
    n = good if categories.is_complete else round(good / kept * categories.n)
    # One bad text is one too many, whatever the rounding says.
    return Times(n if good == kept else min(n, categories.n - 1), categories.is_complete, tuple(odd))
