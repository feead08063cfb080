"""Tables that grow: counts of pairs of codes whose labels are not known beforehand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from driftline.kernels.confusion import ConfusionState

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

__all__ = ["PairTable", "SliceTable", "in_order"]

SIDE: Final = 4
"""Rows and columns of the table of two classes: negative, positive, outside, missing."""


def in_order(labels: Iterable[str]) -> list[str]:
    """Sort labels: numbers by value where all are numbers, else as text.

    Examples
    --------
    >>> in_order(["10", "9", "1"]), in_order(["b", "10", "a"])
    (['1', '9', '10'], ['10', 'a', 'b'])
    """
    labels = list(labels)
    try:
        return sorted(labels, key=lambda label: (float(label), label))
    except ValueError:
        return sorted(labels)


class PairTable:
    """Rows by actual and predicted code, for any number of codes."""

    def __init__(self) -> None:
        self._counts: NDArray[np.int64] = np.zeros((1, 1), np.int64)

    def add(self, actual: NDArray[np.int64], predicted: NDArray[np.int64]) -> None:
        """Count rows; -1 stands for a missing value."""
        n = int(max(actual.max(initial=-1), predicted.max(initial=-1))) + 1
        have = self._counts.shape[0] - 1
        if n > have:
            # Room to double into; place 0 is that of the missing values, so that nothing has to move.
            size = max(n, 2 * have) + 1
            grown = np.zeros((size, size), np.int64)
            grown[: have + 1, : have + 1] = self._counts
            self._counts = grown
        size = self._counts.shape[0]
        counted = np.bincount((actual + 1) * size + (predicted + 1), minlength=size * size)
        self._counts += counted.reshape(size, size)

    def state(self, texts: Sequence[str], labels: Sequence[str]) -> ConfusionState:
        """Return the counts as a State of `labels`.

        Parameters
        ----------
        texts : sequence of str
            The label of each code.
        labels : sequence of str
            The classes in their order; other texts count as outside of them.
        """
        k = len(labels)
        place = {label: i for i, label in enumerate(labels)}
        to = np.array([k + 1, *(place.get(text, k) for text in texts)], np.int64)
        table = np.zeros((k + 2, k + 2), np.int64)
        size = min(len(to), self._counts.shape[0])
        np.add.at(table, (to[:size, None], to[None, :size]), self._counts[:size, :size])
        return ConfusionState(tuple(labels), table)


class SliceTable:
    """The table of two classes for every value of a column."""

    def __init__(self) -> None:
        self._counts: NDArray[np.int64] = np.zeros((1, SIDE * SIDE), np.int64)

    def add(self, codes: NDArray[np.int64], actual: NDArray[np.int64], predicted: NDArray[np.int64]) -> None:
        """Count rows.

        Parameters
        ----------
        codes : ndarray of int64, shape (n,)
            The value of each row; -1 where it has none.
        actual, predicted : ndarray of int64, shape (n,)
            0 negative, 1 positive, 2 outside of both; -1 missing.
        """
        n = int(codes.max(initial=-1)) + 2
        if n > self._counts.shape[0]:
            grown = np.zeros((max(n, 2 * self._counts.shape[0]), SIDE * SIDE), np.int64)
            grown[: self._counts.shape[0]] = self._counts
            self._counts = grown
        # In two's complement the last two bits of -1 are those of 3.
        cells = (actual & (SIDE - 1)) * SIDE + (predicted & (SIDE - 1))
        size = self._counts.shape[0]
        counted = np.bincount((codes + 1) * (SIDE * SIDE) + cells, minlength=size * SIDE * SIDE)
        self._counts += counted.reshape(size, SIDE * SIDE)

    def n_rows(self, code: int) -> int:
        """Return the rows of one value."""
        return int(self._counts[code + 1].sum()) if code + 1 < self._counts.shape[0] else 0

    def state(self, code: int, labels: tuple[str, str]) -> ConfusionState:
        """Return the counts of one value."""
        table = (
            self._counts[code + 1] if code + 1 < self._counts.shape[0] else np.zeros(SIDE * SIDE, np.int64)
        )
        return ConfusionState(labels, table.reshape(SIDE, SIDE).copy())
