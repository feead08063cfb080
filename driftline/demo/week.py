"""The week that the demo plays: who asks when, what goes wrong, and from when on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from driftline.demo.data import customers, published

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["DAYS", "HOURS", "Window", "moved", "week"]

DAYS = 7
HOURS = 6
"""Length of a window; the schedule in the demo's ``driftline.toml`` says the same."""

_CUSTOMERS = {0: 240, 6: 480, 12: 480, 18: 360}
"""How many customers are asked about, by the hour at which a window begins."""

_AT_ONCE = 12
"""Customers in one request."""

QUIET = (3, 0)
MANGLED = (2, 12)
DRIFT_FROM = (4, 6)
SHARE = 0.2


@dataclass(frozen=True, slots=True)
class Window:
    """Six hours of traffic.

    Attributes
    ----------
    day : int
        1 to 7.
    hour : int
        At which it begins.
    bodies : tuple of bytes
        Of the requests, in the order in which they come.
    n_rows : int
        Customers in them.
    hours : int
        From its begin, in which they come.
    """

    day: int
    hour: int
    bodies: tuple[bytes, ...]
    n_rows: int
    hours: int = HOURS


def week(names: Sequence[str], *, seed: int = 7) -> Iterator[Window]:
    """Give the windows of the week, one after the other.

    Customers are drawn anew for each window, nobody twice in one. On the afternoon of day two the published requests
    come instead, as they are, one by one within an hour. Nobody asks in the night to day three. From the morning of day
    four on, the billing feed goes by UTC rather than by the customers' clocks: a fifth of the day's minutes are booked at
    night.

    Parameters
    ----------
    names : sequence of str
        Of the inputs.
    seed : int
    """
    everybody = customers()
    random = np.random.default_rng(seed)
    by_day, by_night = names.index("Day Mins"), names.index("Night Mins")
    for day in range(1, DAYS + 1):
        for hour, n in _CUSTOMERS.items():
            rows = [everybody[i] for i in random.choice(len(everybody), n, replace=False)]
            at = (day, hour)
            if at == QUIET:
                yield Window(day, hour, (), 0)
                continue
            if at == MANGLED:
                one_by_one = tuple(published())
                yield Window(day, hour, one_by_one, len(one_by_one), 1)
                continue
            if at >= DRIFT_FROM:
                rows = [moved(row, by_day, by_night) for row in rows]
            together = [rows[i : i + _AT_ONCE] for i in range(0, n, _AT_ONCE)]
            yield Window(day, hour, tuple(b"\n".join(some) for some in together), n)


def moved(row: bytes, source: int, target: int, share: float = SHARE) -> bytes:
    """Return a row of CSV with a share of one column's minutes booked in another."""
    fields = row.split(b",")
    whole = float(fields[source])
    minutes = round(whole * share, 1)
    fields[source] = b"%.1f" % (whole - minutes)
    fields[target] = b"%.1f" % (float(fields[target]) + minutes)
    return b",".join(fields)
