"""Cardinality: how many series are told, and how names from outside become values of labels."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from driftline.errors import UsageError, printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["SERIES_EACH", "Cardinality", "chosen", "label"]

SERIES_EACH: Final = 3
"""Series of one measurement: its value, its bound, and whether it is violated."""

MOST_CHARACTERS: Final = 120
_SHOWN: Final = 80


@dataclass(frozen=True, slots=True)
class Cardinality:
    """How many series measurements may have: each costs memory in Prometheus.

    Attributes
    ----------
    per_schedule : int
        Of one schedule.
    total : int
        Of all schedules together; each may have an equal share.

    Raises
    ------
    UsageError
        For a negative number.
    """

    per_schedule: int = 2_000
    total: int = 50_000

    def __post_init__(self) -> None:
        for name, value in (("per_schedule", self.per_schedule), ("total", self.total)):
            if value < 0:
                raise UsageError(f"expected 0 or more, found {value}", field=name)

    def measurements(self, n_schedules: int) -> int:
        """Return how many measurements each of so many schedules may have."""
        return min(self.per_schedule, self.total // max(n_schedules, 1)) // SERIES_EACH


def label(text: object) -> str:
    r"""Return a name from outside as the value of a label: short, on one line, and another one for another name.

    Parameters
    ----------
    text : object
        None gives "".

    Notes
    -----
    Up to 120 printable characters stay as they are. Of others the first 80 are shown, with what is not printable
    escaped, and a part of the SHA-256 of the whole behind them.

    Examples
    --------
    >>> label("monthly charges (€)")
    'monthly charges (€)'
    >>> label("a\nb")
    'a\\nb~7e18f737311b'
    """
    if text is None:
        return ""
    raw = str(text)
    if len(raw) <= MOST_CHARACTERS and raw.isprintable():
        return raw
    digest = hashlib.sha256(raw.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{printable(raw, _SHOWN)}~{digest[:12]}"


def chosen(
    measurements: Iterable[Mapping[str, Any]], most: int
) -> tuple[list[tuple[tuple[str, str, str], Mapping[str, Any]]], int]:
    """Choose the measurements that are told: the violated first, then by name.

    Parameters
    ----------
    measurements : iterable of mapping
        As the result of an execution has them.
    most : int

    Returns
    -------
    list of ((feature, check, metric), measurement)
        With the values of their labels, each once: of several by one name the violated one, else the first.
    int
        How many were left out.
    """
    named: dict[tuple[str, str, str], Mapping[str, Any]] = {}
    everything = sorted(measurements, key=_is_fine)
    for one in everything:
        check = one.get("check")
        named.setdefault((label(one.get("feature")), label(check), label(one.get("metric") or check)), one)
    told = sorted(named.items(), key=lambda item: (_is_fine(item[1]), item[0]))[:most]
    return told, len(everything) - len(told)


def _is_fine(measurement: Mapping[str, Any]) -> bool:
    return measurement.get("status") != "violated"
