"""Fairness: who was given which label and which prediction, counted by facet and group, so that it can be merged.

One State holds one facet column (or one combination of columns): the rows of every facet value, by group value, label and
prediction. Every metric of bias except the flip test is a function of these counts; see
:mod:`driftline.kernels.fairness_metrics`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Final, NamedTuple, Self

import numpy as np

from driftline.kernels.state import Packed, State
from driftline.kernels.texts import Texts

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from numpy.typing import NDArray

__all__ = ["N_CELLS", "UNKNOWN", "Coded", "FairnessState"]

UNKNOWN: Final = 2
"""Code of a label or a prediction that is missing; 0 is negative, 1 is positive."""

N_CELLS: Final = 9
"""Cells of one facet and group: label 0, 1, unknown by prediction 0, 1, unknown."""

_DENSE: Final = 1 << 20
"""Most cells that one batch counts in a dense array; beyond, it sorts."""


class Coded(NamedTuple):
    """A column of texts as a dictionary and codes.

    Attributes
    ----------
    words : tuple of str
        Each once, in any order.
    codes : ndarray of int64, shape (n,)
        Index into `words`; -1 where the value is missing.
    """

    words: tuple[str, ...]
    codes: NDArray[np.int64]

    @classmethod
    def of(cls, values: Iterable[str | None]) -> Coded:
        """Encode texts, of which None is missing; words stand in the order of first appearance."""
        place: dict[str, int] = {}
        codes = [-1 if value is None else place.setdefault(value, len(place)) for value in values]
        return cls(tuple(place), np.array(codes, np.int64))

    @classmethod
    def missing(cls, n_rows: int) -> Coded:
        """Encode a column without values."""
        return cls((), np.full(n_rows, -1, np.int64))


def _none() -> NDArray[np.int64]:
    return np.empty(0, np.int64)


class _Pairs(NamedTuple):
    """Counts of pairs of words, canonical: words sorted and all in use, pairs ascending, no row of zeros.

    ``counts`` has shape (k, width); a code of -1 stands for a missing word.
    """

    left_words: tuple[str, ...]
    right_words: tuple[str, ...]
    left: NDArray[np.int64]
    right: NDArray[np.int64]
    counts: NDArray[np.int64]

    @classmethod
    def nothing(cls, width: int) -> _Pairs:
        return cls((), (), _none(), _none(), np.empty((0, width), np.int64))

    @classmethod
    def join(cls, parts: Sequence[_Pairs]) -> _Pairs:
        """Add the counts of all `parts`, whose words may stand in any order."""
        width = parts[0].counts.shape[1]
        filled = [part for part in parts if part.left.shape[0]]
        if not filled:
            return cls.nothing(width)
        if len(filled) == 1 and filled[0].is_canonical:
            return filled[0]
        left_words, lefts = _common([(p.left_words, p.left) for p in filled])
        right_words, rights = _common([(p.right_words, p.right) for p in filled])
        key = (lefts + 1) * (len(right_words) + 1) + (rights + 1)
        order = np.argsort(key, kind="stable")
        key = key[order]
        first = np.flatnonzero(np.concatenate([[True], key[1:] != key[:-1]]))
        counts = np.add.reduceat(np.concatenate([p.counts for p in filled])[order], first, axis=0)
        return cls(left_words, right_words, lefts[order][first], rights[order][first], counts)

    @property
    def is_canonical(self) -> bool:
        return (
            _is_vocabulary(self.left_words, self.left)
            and _is_vocabulary(self.right_words, self.right)
            and _is_ascending(self.left * (len(self.right_words) + 1) + self.right)
        )

    def packed(self, left: str, right: str, counts: str) -> dict[str, NDArray[Any]]:
        arrays: dict[str, NDArray[Any]] = {
            left: self.left,
            right: self.right,
            counts: self.counts.reshape(-1),
        }
        for name, words in ((left, self.left_words), (right, self.right_words)):
            texts = Texts.of(word.encode("utf-8", "surrogatepass") for word in words)
            arrays[f"{name}_offsets"], arrays[f"{name}_texts"] = texts.offsets.astype(np.int64), texts.data
        return arrays

    @classmethod
    def unpacked(
        cls, arrays: Mapping[str, NDArray[Any]], left: str, right: str, counts: str, width: int
    ) -> _Pairs:
        pairs = cls(
            _words(arrays[f"{left}_offsets"], arrays[f"{left}_texts"]),
            _words(arrays[f"{right}_offsets"], arrays[f"{right}_texts"]),
            arrays[left],
            arrays[right],
            arrays[counts].reshape(-1, width),
        )
        k = pairs.left.shape[0]
        if pairs.right.shape[0] != k or pairs.counts.shape[0] != k or not pairs.is_canonical:
            raise ValueError("words, codes and counts of a fairness State do not belong together")
        if k and (pairs.counts.min() < 0 or pairs.counts.max(axis=1).min() <= 0):
            raise ValueError("words, codes and counts of a fairness State do not belong together")
        return pairs


@dataclass(frozen=True, eq=False)
class FairnessState(State):
    """Rows by facet, group, label and prediction.

    Nothing is dropped: rows whose facet, group, label or prediction is missing are counted as such, and whoever reads
    decides. Memory grows with the pairs of facet and group that occur, whatever the number of rows.
    """

    cells: _Pairs = field(default_factory=lambda: _Pairs.nothing(N_CELLS))
    matrix: _Pairs = field(default_factory=lambda: _Pairs.nothing(1))

    kind: ClassVar[str] = "fairness"

    def empty(self) -> Self:
        """Return a State of nothing."""
        return type(self)()

    def update(self, *columns: Any) -> Self:
        """Fold in rows.

        Parameters
        ----------
        facet : Coded
            The facet value of every row.
        group : Coded or None
            The group variable; None where there is none.
        label, prediction : ndarray of int8, shape (n,)
            0 negative, 1 positive, :data:`UNKNOWN` missing.
        truth, guess : Coded, optional
            Label and predicted label as they stand in the data, for the confusion matrix of several classes.

        Returns
        -------
        FairnessState

        Raises
        ------
        ValueError
            If the columns differ in length, or hold codes out of range.
        """
        facet, group, label, prediction, *classes = columns
        n_rows = facet.codes.shape[0]
        group = Coded.missing(n_rows) if group is None else group
        _check_codes(facet, n_rows)
        _check_codes(group, n_rows)
        for outcome in (label, prediction):
            if outcome.shape != (n_rows,) or (n_rows and not 0 <= outcome.min() <= outcome.max() <= UNKNOWN):
                raise ValueError("labels and predictions are 0, 1 or 2, one per row")
        parts = [self.cells]
        if n_rows:
            inner = label.astype(np.int64) * 3 + prediction
            parts.append(_count(facet, group, inner, N_CELLS))
        matrices = [self.matrix]
        if classes and classes[0] is not None and classes[1] is not None and n_rows:
            truth, guess = classes
            _check_codes(truth, n_rows)
            _check_codes(guess, n_rows)
            known = (truth.codes >= 0) & (guess.codes >= 0)
            if known.any():
                truth, guess = Coded(truth.words, truth.codes[known]), Coded(guess.words, guess.codes[known])
                matrices.append(_count(truth, guess, np.zeros(truth.codes.shape[0], np.int64), 1))
        return type(self)(_Pairs.join(parts), _Pairs.join(matrices))

    def merge(self, other: Self) -> Self:
        """Return the counts of both sides."""
        return self.merge_many([self, other])

    @classmethod
    def merge_many(cls, parts: Sequence[Self]) -> Self:
        """Return the counts of all `parts`."""
        return cls(_Pairs.join([p.cells for p in parts]), _Pairs.join([p.matrix for p in parts]))

    @property
    def facets(self) -> tuple[str, ...]:
        """The facet values that occur, sorted."""
        return self.cells.left_words

    @property
    def groups(self) -> tuple[str, ...]:
        """The group values that occur, sorted."""
        return self.cells.right_words

    @property
    def n_rows(self) -> int:
        """Rows folded in."""
        return int(self.cells.counts.sum())

    @property
    def n_no_facet(self) -> int:
        """Rows without a facet value."""
        return int(self.cells.counts[self.cells.left < 0].sum())

    @property
    def n_no_group(self) -> int:
        """Rows without a group value."""
        return int(self.cells.counts[self.cells.right < 0].sum())

    @property
    def n_no_label(self) -> int:
        """Rows without a label."""
        return int(self._by_outcome()[UNKNOWN].sum())

    @property
    def n_no_prediction(self) -> int:
        """Rows without a prediction."""
        return int(self._by_outcome()[:, UNKNOWN].sum())

    def _by_outcome(self) -> NDArray[np.int64]:
        outcomes: NDArray[np.int64] = self.cells.counts.sum(axis=0).reshape(3, 3)
        return outcomes

    def table(self, d: Collection[str]) -> NDArray[np.int64]:
        """Count the rows of the group `d` against all others.

        Parameters
        ----------
        d : collection of str
            Facet values of the disadvantaged group; a single text is one value. Values that do not occur add nothing.

        Returns
        -------
        ndarray of int64, shape (2, G + 1, 3, 3)
            By side (0 the others, 1 the group `d`), group value (0 for rows without one, then :attr:`groups`), label
            and prediction (0, 1, :data:`UNKNOWN`). Rows without a facet value are left out.
        """
        chosen = {d} if isinstance(d, str) else set(d)
        result = np.zeros((2, len(self.groups) + 1, 3, 3), np.int64)
        known = self.cells.left >= 0
        is_d = np.array([word in chosen for word in self.facets], np.int64)
        side = is_d[self.cells.left[known]] if self.facets else _none()
        flat = self.cells.counts[known].reshape(-1, 3, 3)
        np.add.at(result, (side, self.cells.right[known] + 1), flat)
        return result

    def confusion(self) -> dict[str, dict[str, int]]:
        """Return the counts by true and predicted class, restricted to the classes that occur as truth."""
        matrix = self.matrix
        counts = {truth: dict.fromkeys(matrix.left_words, 0) for truth in matrix.left_words}
        for left, right, count in zip(matrix.left, matrix.right, matrix.counts[:, 0], strict=True):
            row = counts[matrix.left_words[left]]
            guess = matrix.right_words[right]
            if guess in row:
                row[guess] += int(count)
        return counts

    def finalize(self) -> Mapping[str, float | None]:
        """Return the rows, and how many of them lack what; None for an empty State."""
        names = ("n_rows", "n_no_facet", "n_no_group", "n_no_label", "n_no_prediction")
        if self.n_rows == 0:
            return dict.fromkeys(names, None)
        return {name: float(getattr(self, name)) for name in names}

    def pack(self) -> Packed:
        """Return words, codes and counts."""
        arrays = self.cells.packed("facet", "group", "counts")
        return Packed({}, {**arrays, **self.matrix.packed("truth", "guess", "matrix")})

    @classmethod
    def unpack(cls, packed: Packed) -> Self:
        """Rebuild from :meth:`pack`."""
        return cls(
            _Pairs.unpacked(packed.arrays, "facet", "group", "counts", N_CELLS),
            _Pairs.unpacked(packed.arrays, "truth", "guess", "matrix", 1),
        )


def _check_codes(column: Coded, n_rows: int) -> None:
    codes = column.codes
    if codes.shape != (n_rows,) or (n_rows and not -1 <= codes.min() <= codes.max() < len(column.words)):
        raise ValueError("codes point into the words, or are -1, one per row")


def _count(left: Coded, right: Coded, inner: NDArray[np.int64], width: int) -> _Pairs:
    """Count the rows of one batch; `inner` is the place of a row among `width` cells."""
    n_right = len(right.words) + 1
    n_pairs = (len(left.words) + 1) * n_right
    pair = (left.codes + 1) * n_right + (right.codes + 1)
    if n_pairs * width <= _DENSE:
        counts = np.bincount(pair * width + inner, minlength=n_pairs * width).reshape(n_pairs, width)
        used = np.flatnonzero(counts.any(axis=1))
        counts = counts[used]
    else:
        order = np.argsort(pair, kind="stable")
        ordered = pair[order]
        starts = np.concatenate([[True], ordered[1:] != ordered[:-1]])
        used = ordered[starts]
        place = (np.cumsum(starts) - 1) * width + inner[order]
        counts = np.bincount(place, minlength=used.shape[0] * width).reshape(-1, width)
    return _Pairs(left.words, right.words, used // n_right - 1, used % n_right - 1, counts.astype(np.int64))


def _common(
    sides: Sequence[tuple[tuple[str, ...], NDArray[np.int64]]],
) -> tuple[tuple[str, ...], NDArray[np.int64]]:
    """Return the sorted words in use on any side, and the codes of all sides, one after the other, in terms of them."""
    used: set[str] = set()
    for words, codes in sides:
        seen = np.zeros(len(words) + 1, bool)
        seen[codes] = True  # -1 marks the last place, which no word has
        used.update(word for word, is_used in zip(words, seen[:-1].tolist(), strict=True) if is_used)
    common = tuple(sorted(used))
    place = {word: i for i, word in enumerate(common)}
    moved = []
    for words, codes in sides:
        new = np.array([*(place.get(word, -1) for word in words), -1], np.int64)
        moved.append(new[codes])
    return common, np.concatenate(moved)


def _is_vocabulary(words: tuple[str, ...], codes: NDArray[np.int64]) -> bool:
    if any(a >= b for a, b in zip(words, words[1:], strict=False)):
        return False
    seen = np.zeros(len(words) + 1, bool)
    if codes.shape[0] and not -1 <= codes.min() <= codes.max() < len(words):
        return False
    seen[codes] = True
    return bool(seen[:-1].all())


def _is_ascending(keys: NDArray[np.int64]) -> bool:
    return bool((keys[1:] > keys[:-1]).all())


def _words(offsets: NDArray[np.int64], data: NDArray[np.uint8]) -> tuple[str, ...]:
    is_layout = (
        offsets.shape[0]
        and offsets[0] == 0
        and offsets[-1] == data.shape[0]
        and (np.diff(offsets) >= 0).all()
    )
    if not is_layout:
        raise ValueError("offsets and texts of a fairness State do not belong together")
    texts = Texts(offsets, data)
    return tuple(texts.at(i).decode("utf-8", "surrogatepass") for i in range(texts.n))
