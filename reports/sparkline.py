"""Distributions in the height of a character, for terminals."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["ASCII", "BLOCKS", "resample", "spark", "spark_pair", "trace"]

BLOCKS: Final = "▁▂▃▄▅▆▇█"
"""Characters by height."""

ASCII: Final = ".:-=+*#@"
"""The same where only ASCII can be shown."""


def resample(counts: Sequence[float], width: int) -> list[float]:
    """Spread counts over `width` cells, each bin over the cells it covers, keeping the total.

    Parameters
    ----------
    counts : sequence of float
        Counts or weights per bin.
    width : int
        Number of cells, at least 1.

    Returns
    -------
    list of float
        As long as `width`; fewer bins than cells are drawn wider, not in between.
    """
    n = len(counts)
    if n <= width:
        # Whole cells per bin: a bin smeared over parts of cells would look like a slope.
        return [counts[i * n // width] / -(-width // n) for i in range(width)] if n else []
    cells = [0.0] * width
    for i, count in enumerate(counts):
        at = i * width / n
        cell = int(at)
        inside = min(1.0, (cell + 1 - at) * n / width)
        cells[cell] += count * inside
        if inside < 1 and cell + 1 < width:
            cells[cell + 1] += count * (1 - inside)
    return cells


def spark(
    counts: Sequence[float], *, width: int = 12, peak: float | None = None, blocks: str = BLOCKS
) -> str:
    """Draw a histogram as one line of text.

    Parameters
    ----------
    counts : sequence of float
        Counts or weights per bin. What is not finite or is below zero counts as nothing.
    width : int, default 12
        Most characters to use.
    peak : float, optional
        The share of the total that the highest character stands for; by default the highest bar's own.
    blocks : str
        Characters by height.

    Returns
    -------
    str
        One character per cell: a blank where there is nothing, otherwise at least the lowest block. Empty
        where there are no counts at all.

    Examples
    --------
    >>> spark([0, 1, 2, 4, 8])
    ' ▁▂▄█'
    """
    heights = _heights(counts, width)
    top = max(heights, default=0.0) if peak is None else peak
    if not top > 0:
        return " " * len(heights)
    last = len(blocks) - 1
    return "".join(
        " " if height <= 0 else blocks[min(last, max(0, math.ceil(height / top * len(blocks)) - 1))]
        for height in heights
    )


def spark_pair(
    baseline: Sequence[float], current: Sequence[float], *, width: int = 12, blocks: str = BLOCKS
) -> tuple[str, str]:
    """Draw two histograms over the same bins to one scale, so that heights compare as shares.

    Returns
    -------
    baseline, current : str
        Lines as :func:`spark` draws them.
    """
    peak = max((*_heights(baseline, width), *_heights(current, width)), default=0.0)
    return (
        spark(baseline, width=width, peak=peak, blocks=blocks),
        spark(current, width=width, peak=peak, blocks=blocks),
    )


def trace(
    values: Sequence[float | None], low: float, high: float, *, gap: str = " ", blocks: str = BLOCKS
) -> str:
    """Draw numbers one after another, each as high as it lies between two ends.

    Parameters
    ----------
    values : sequence of float or None
        One for each character; what lies beyond an end is drawn at it.
    low, high : float
        Finite; numbers at `low` have the lowest block. Where both are equal, every number has a middle one.
    gap : str
        Stands for None and for what is not a number.
    blocks : str
        Characters by height.

    Examples
    --------
    >>> trace([0.0, 0.5, None, 1.0], 0.0, 1.0, gap="·")
    '▁▅·█'
    """
    width = high / 2 - low / 2
    last = len(blocks) - 1

    def drawn(value: float | None) -> str:
        if value is None or math.isnan(value):
            return gap
        if not width > 0:
            return blocks[len(blocks) // 2]
        part = (min(max(value, low), high) / 2 - low / 2) / width
        return blocks[min(last, int(part * len(blocks)))]

    return "".join(drawn(value) for value in values)


def _heights(counts: Sequence[float], width: int) -> list[float]:
    clean = [count if math.isfinite(count) and count > 0 else 0.0 for count in counts]
    largest = max(clean, default=0.0)
    if largest <= 0:
        return [0.0] * min(len(clean), width)
    # Scaled first, so that the sum of huge weights cannot overflow.
    scaled = [count / largest for count in clean]
    total = math.fsum(scaled)
    cells = resample(scaled, min(width, len(scaled)))
    return [cell / total for cell in cells]
