"""Scales of drawings: from numbers to places on paper, with round numbers for the marks along an axis."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["Scale", "finite", "span", "tick_label", "ticks"]


@dataclass(frozen=True, slots=True)
class Scale:
    """A straight scale.

    Attributes
    ----------
    low, high : float
        Finite ends in the data, `low` below `high`.
    start, end : float
        Where they are drawn; `start` may be greater, for axes that point up.
    """

    low: float
    high: float
    start: float
    end: float

    def at(self, x: float) -> float:
        """Return where `x` is drawn; what lies beyond the ends is drawn at them."""
        if x <= self.low:
            return self.start
        if x >= self.high:
            return self.end
        # Halves, so that the distance of two huge numbers cannot overflow.
        part = (x / 2 - self.low / 2) / (self.high / 2 - self.low / 2)
        return self.start + part * (self.end - self.start)


def finite(values: Iterable[float | str | None]) -> list[float]:
    """Return the finite numbers among `values`."""
    return [float(x) for x in values if isinstance(x, (int, float)) and math.isfinite(x)]


def span(values: Sequence[float], *, pad: float = 0.0) -> tuple[float, float]:
    """Return ends that hold all `values`, a share `pad` of their distance wider on both sides, and never equal.

    Parameters
    ----------
    values : sequence of float
        Finite; with none, the ends are 0 and 1.
    pad : float, default 0
    """
    if not values:
        return 0.0, 1.0
    low, high = min(values), max(values)
    width = high / 2 - low / 2
    # Nearly equal numbers would leave marks that read the same.
    least = max(abs(low), abs(high)) * 1e-9
    if width <= least:
        room = max(abs(high) * 0.1, 1e-12) if high else 1.0
        return _held(low - room), _held(high + room)
    return _held(low - 2 * pad * width), _held(high + 2 * pad * width)


def _held(x: float) -> float:
    return max(-1.7e308, min(1.7e308, x))


def ticks(low: float, high: float, n: int = 5) -> list[float]:
    """Return about `n` round numbers from `low` to `high`, at equal distances."""
    rough = (high / n) - (low / n)
    if not (rough > 0 and math.isfinite(rough)):
        return []
    power = 10.0 ** math.floor(math.log10(rough))
    if power == 0:
        return []
    step = power * next((m for m in (1, 2, 2.5, 5) if m * power >= rough * 0.999), 10)
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    # Far from zero there may be no round numbers in between that a double can tell apart.
    return [i * step for i in range(first, last + 1)] if last - first <= 4 * n else []


def tick_label(x: float, step: float, unit: str = "") -> str:
    """Spell a mark of an axis with as many digits as tell it from its neighbours.

    Examples
    --------
    >>> tick_label(0.25, 0.05, "share"), tick_label(-1500, 500), tick_label(0.30000000000000004, 0.1)
    ('25%', '−1,500', '0.3')
    """
    if unit == "share":
        return tick_label(x * 100, step * 100) + "%"
    size = max(abs(x), abs(step))
    if size >= 1e7 or 0 < size < 1e-4:
        mantissa, _, exponent = f"{x:.3e}".partition("e")
        text = "0" if x == 0 else f"{mantissa.rstrip('0').rstrip('.')}e{int(exponent)}"
    else:
        digits = max(0, min(12, -math.floor(math.log10(step) + 1e-9))) if step > 0 else 3
        text = f"{x:,.{digits + 1}f}".rstrip("0").rstrip(".") if digits else f"{x:,.1f}".removesuffix(".0")
    if text in ("-0", ""):
        text = "0"
    return "−" + text[1:] if text.startswith("-") else text
