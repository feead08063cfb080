"""Texts as two arrays, the way Arrow lays them out: ``data[offsets[i]:offsets[i+1]]``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

__all__ = ["Texts", "character_counts"]


class Texts(NamedTuple):
    """Some texts, as bytes.

    Attributes
    ----------
    offsets : ndarray of int32 or int64, shape (n + 1,)
    data : ndarray of uint8
    """

    offsets: NDArray[Any]
    data: NDArray[np.uint8]

    @classmethod
    def of(cls, values: Iterable[bytes]) -> Texts:
        """Lay out `values`."""
        parts = list(values)
        lengths = np.array([len(v) for v in parts], np.int64)
        offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths)]).astype(np.int64)
        return cls(offsets, np.frombuffer(b"".join(parts), np.uint8))

    @property
    def n(self) -> int:
        """How many texts there are."""
        return int(self.offsets.shape[0]) - 1

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Bytes per text."""
        offsets = self.offsets.astype(np.int64)
        return offsets[1:] - offsets[:-1]

    def at(self, i: int) -> bytes:
        """Return text `i`."""
        return self.data[int(self.offsets[i]) : int(self.offsets[i + 1])].tobytes()

    def take(self, index: NDArray[Any], most: int | None = None) -> Texts:
        """Return the texts at `index`, each cut to `most` bytes (never inside a UTF-8 character)."""
        starts = self.offsets[index].astype(np.int64)
        lengths = self.offsets[np.asarray(index) + 1].astype(np.int64) - starts
        if most is not None:
            for i in np.flatnonzero(lengths > most):
                cut = most
                while cut > most - 4 and self.data[starts[i] + cut] & 0xC0 == 0x80:
                    cut -= 1
                lengths[i] = cut
        offsets: NDArray[Any] = np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths)])
        if starts.shape[0] == 0:
            return Texts(offsets, np.empty(0, np.uint8))
        source = np.repeat(starts - offsets[:-1], lengths) + np.arange(int(offsets[-1]))
        if offsets[-1] < 1 << 31:
            offsets = offsets.astype(np.int32)
        return Texts(offsets, self.data[source])

    @classmethod
    def join(cls, parts: Sequence[Texts]) -> Texts:
        """Lay out the texts of all `parts`, at least one, one after the other."""
        offsets, data, base = [np.zeros(1, np.int64)], [], 0
        for part in parts:
            first, last = int(part.offsets[0]), int(part.offsets[-1])
            offsets.append(part.offsets[1:].astype(np.int64) + (base - first))
            data.append(part.data[first:last])
            base += last - first
        return cls(np.concatenate(offsets), np.concatenate(data))

    def __add__(self, other: object) -> Texts:
        return Texts.join([self, other]) if isinstance(other, Texts) else NotImplemented


def character_counts(texts: Texts) -> NDArray[np.int64]:
    """Return how many characters (code points of valid UTF-8) every text has."""
    starts = np.concatenate([[0], np.cumsum((texts.data & 0xC0) != 0x80, dtype=np.int64)])
    return np.diff(starts[texts.offsets.astype(np.int64)])
