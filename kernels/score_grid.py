"""The grid of scores: fixed cells, fine where scores crowd, the same for every model and every window.

From 0 to 1 the grid looks at the distance from the nearer end, so that 0.000 1 and 0.999 9 are resolved alike: 2,048
cells for every halving of it down to 2**-17, then 64 down to 2**-53. Scores beyond, margins and log-odds, have 1,024
cells for every doubling up to 65,536. A cell is found from the bits of a double, without a search.

======================  ===============================  =========================
score                   cells                            width of a cell
======================  ===============================  =========================
below -65,536           1
-65,536 to 0            32 octaves of 1,024, and 1       at most 1/1024 of it
0 to 0.5                16 octaves of 2,048, 36 of 64    at most 1/2048 of it
0.5                     1                                0
0.5 to 1                mirrored                         at most 1/2048 of 1 - it
1 to 65,536             16 octaves of 1,024              at most 1/1024 of it
above                   1
======================  ===============================  =========================

A value also has an *offset* in its cell, 28 bits of it, so that sums of offsets are whole numbers and mean scores are known
far better than the cells are wide.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "FINEST",
    "N_CELLS",
    "N_FINE",
    "OFFSET_BITS",
    "cell_bounds",
    "cells_and_offsets",
    "cells_of",
    "cells_of_fine",
    "fine_cells",
    "mean_in_cells",
]

OFFSET_BITS: Final = 28
"""Bits of the place of a value in its cell; 2**35 rows fit into a sum of them."""

_FINE, _COARSE, _OUTER = 11, 6, 10  # bits of the mantissa that make a cell
_N_COARSE = 36 << _COARSE
_SIDE = 1 + _N_COARSE + (16 << _FINE)  # cells below 0.5
_FIRST_FINE = ((1023 - 17) << _FINE) - (1 + _N_COARSE)
_FIRST_COARSE = ((1023 - 53) << _COARSE) - 1
_N_NEGATIVE = (32 << _OUTER) + 2
_N_ABOVE = (16 << _OUTER) + 1
_FIRST_NEGATIVE = ((1023 - 16) << _OUTER) - 1
_FIRST_ABOVE = 1023 << _OUTER
_INSIDE = _N_NEGATIVE
_ABOVE = _INSIDE + 2 * _SIDE + 1

N_CELLS: Final = _ABOVE + _N_ABOVE
"""Cells of the whole grid."""

FINEST: Final = 2.0**-17
"""From here to 0.5 cells are fine, and from 0.5 to 1 less this."""

N_FINE: Final = (16 << _FINE) + 1
"""Fine cells of one side, and the one of 0.5."""

_MANTISSA = 52


def _offset(bits: NDArray[np.int64], cell_bits: int) -> NDArray[np.int64]:
    left = _MANTISSA - cell_bits
    return (bits & ((1 << left) - 1)) >> (left - OFFSET_BITS)


def cells_and_offsets(x: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return cell and offset of every score.

    Parameters
    ----------
    x : ndarray of float64, shape (n,)
        Finite. The cells do not decrease where `x` increases.

    Returns
    -------
    cells, offsets : ndarray of int64, shape (n,)
        ``0 <= cells < N_CELLS``; ``0 <= offsets < 2**28``, measured from the end of the cell that is nearer to 0, 1 or,
        outside, to 0.
    """
    # 1 - x is exact for x in [0.5, 1], and the smaller of the two is the distance from the nearer end.
    near = np.minimum(x, 1.0 - x)
    bits = near.view(np.int64)
    cells = (bits >> (_MANTISSA - _FINE)) - _FIRST_FINE
    offsets = _offset(bits, _FINE)
    rare = np.flatnonzero(cells <= _N_COARSE)
    upper = x > 0.5
    # Mirrored without a branch: cell + (2 * side - 2 * cell) where the score is in the upper half.
    cells += (2 * _SIDE - 2 * cells) * upper
    cells += _INSIDE
    if rare.shape[0]:
        cells[rare], offsets[rare] = _rare(x[rare], near[rare])
    return cells, offsets


def _rare(x: NDArray[np.float64], near: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Place what lies beyond the fine cells: next to 0 or 1, and outside."""
    bits = np.abs(near).view(np.int64)
    cells = np.maximum((bits >> (_MANTISSA - _COARSE)) - _FIRST_COARSE, 0)
    offsets = _offset(bits, _COARSE) * (cells > 0)
    cells = _INSIDE + np.where(x > 0.5, 2 * _SIDE - cells, cells)
    outside = (x < 0.0) | (x > 1.0)
    if outside.any():
        bits = np.abs(x).view(np.int64)
        octave = bits >> (_MANTISSA - _OUTER)
        inner = _offset(bits, _OUTER)
        below = np.clip(octave - _FIRST_NEGATIVE, 0, _N_NEGATIVE - 1)
        above = np.clip(octave - _FIRST_ABOVE, 0, _N_ABOVE - 1)
        inner = np.where(
            x < 0.0,
            inner * ((below > 0) & (below < _N_NEGATIVE - 1)),
            inner * (above < _N_ABOVE - 1),
        )
        cells = np.where(outside, np.where(x < 0.0, _N_NEGATIVE - 1 - below, _ABOVE + above), cells)
        offsets = np.where(outside, inner, offsets)
    return cells, offsets


def fine_cells(x: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the place of scores among the fine cells of their own side, and their offsets.

    Parameters
    ----------
    x : ndarray of float64, shape (n,)
        From :data:`FINEST` to 1 less it.

    Returns
    -------
    places, offsets : ndarray of int64, shape (n,)
        ``0 <= places < N_FINE``, counted from the nearer end: half of the passes that :func:`cells_and_offsets` takes.
        :func:`cells_of_fine` makes cells of them.
    """
    near = 1.0 - x
    np.minimum(x, near, out=near)
    bits = near.view(np.int64)
    places = bits >> (_MANTISSA - _FINE)
    places -= (1023 - 17) << _FINE
    bits &= (1 << (_MANTISSA - _FINE)) - 1
    bits >>= _MANTISSA - _FINE - OFFSET_BITS
    return places, bits


def cells_of_fine() -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the cells of the places of :func:`fine_cells`, below and above 0.5, shape (N_FINE,) each."""
    lower = _INSIDE + 1 + _N_COARSE + np.arange(N_FINE)
    return lower, 2 * (_INSIDE + _SIDE) - lower


def cells_of(x: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the cell of every finite score."""
    return cells_and_offsets(np.ascontiguousarray(x, np.float64))[0]


def _from_bits(octaves: NDArray[np.int64], cell_bits: int) -> NDArray[np.float64]:
    return (octaves << (_MANTISSA - cell_bits)).view(np.float64)


def _ends(cells: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return where offsets begin and where they end."""
    cells = np.asarray(cells, np.int64)
    begin, end = np.zeros(cells.shape), np.zeros(cells.shape)
    inside = (cells >= _INSIDE) & (cells < _ABOVE)
    upper = inside & (cells > _INSIDE + _SIDE)
    place = np.where(upper, 2 * _SIDE - (cells - _INSIDE), cells - _INSIDE)

    def put(where: NDArray[np.bool_], octaves: NDArray[np.int64], cell_bits: int) -> None:
        begin[where] = _from_bits(octaves[where], cell_bits)
        end[where] = _from_bits(octaves[where] + 1, cell_bits)

    put(inside & (place > _N_COARSE), place + _FIRST_FINE, _FINE)
    put(inside & (place > 0) & (place <= _N_COARSE), place + _FIRST_COARSE, _COARSE)
    end[inside & (place == 0)] = 2.0**-53
    end[inside & (place == _SIDE)] = 0.5
    begin, end = np.where(upper, 1.0 - begin, begin), np.where(upper, 1.0 - end, end)
    above = cells >= _ABOVE
    put(above, cells - _ABOVE + _FIRST_ABOVE, _OUTER)
    end[cells == N_CELLS - 1] = np.inf
    below = cells < _INSIDE
    put(below, _N_NEGATIVE - 1 - cells + _FIRST_NEGATIVE, _OUTER)
    begin[cells == _N_NEGATIVE - 1] = 0.0
    end[cells == 0] = np.inf
    return np.where(below, -begin, begin), np.where(below, -end, end)


def cell_bounds(cells: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the least and the greatest score that a cell can hold; one of them may belong to the neighbour."""
    begin, end = _ends(cells)
    return np.minimum(begin, end), np.maximum(begin, end)


def mean_in_cells(
    cells: NDArray[np.int64], sums: NDArray[np.int64], counts: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return the mean score of the rows in every cell.

    Parameters
    ----------
    cells : ndarray of int64, shape (k,)
    sums, counts : ndarray of int64, shape (k, ...)
        Sums of the offsets, and rows.

    Returns
    -------
    ndarray of float64, shape (k, ...)
        NaN where there are no rows. Off by no more than 2**-28 of the width of the cell, but for the cells next to 0
        and 1 and those without an end, where it is the end that they have.
    """
    begin, end = _ends(cells)
    step = np.where(np.isfinite(end), end - begin, 0.0)
    extra: tuple[Any, ...] = (slice(None), *(None,) * (sums.ndim - 1))
    with np.errstate(invalid="ignore", divide="ignore"):
        place = sums / counts * 2.0**-OFFSET_BITS
        return np.asarray(begin[extra] + step[extra] * place)
