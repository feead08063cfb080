"""Fold: the rows of a source into the States that every number of model quality comes from, in one pass.

Rows of which the truth is not known are counted, and their scores kept: that is what estimates are made of.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from driftline.errors import SchemaError, printable
from driftline.kernels.confusion import ConfusionState
from driftline.kernels.moments import Moments
from driftline.kernels.residuals import LARGEST, ResidualState
from driftline.kernels.scores import ScoreFold, ScoreState
from driftline.monitor.quality.table import PairTable, SliceTable, in_order
from driftline.monitor.rows import Encoder, column_of, lists_of, numbers_of, rows_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from driftline.capture.source import Source
    from driftline.kernels.state import Packed
    from driftline.monitor.quality.settings import Settings
    from driftline.monitor.rows import Rows

__all__ = ["HITS", "Folded", "Slice", "fold", "pack_folded", "unpack_folded"]

MOST_LABELS: Final = 1000
MOST_SLICES: Final = 10_000
HITS: Final = ("wrong", "right")
"""Classes of the table that counts whether predictions were right."""

_POSITIVE, _NEGATIVE = 0, 1
_OTHER: Final = "\0"
"""What a threshold predicts below it, while nobody knows yet what the negative class is called."""


@dataclass(frozen=True, slots=True)
class Slice:
    """The rows of one value of a column.

    Attributes
    ----------
    confusion : ConfusionState or None
        Of two classes or, for many, of wrong and right predictions (all of them "actually" right).
    absolute, squares : Moments or None
        Of the errors' sizes and squares; regression only.
    n_rows : int
        With and without a truth.
    """

    confusion: ConfusionState | None = None
    absolute: Moments | None = None
    squares: Moments | None = None
    n_rows: int = 0


@dataclass(frozen=True, slots=True)
class Folded:
    """What one side's rows come to.

    Attributes
    ----------
    problem : str
    n_rows : int
        All rows.
    labels : tuple of str
        Classes; the second of two is the positive one. Empty for regression.
    confusion : ConfusionState or None
        Classification.
    scores : ScoreState or None
        Two classes with a probability.
    residuals : ResidualState or None
        Regression.
    log_loss, brier : Moments or None
        Of the rows, for many classes with probabilities.
    slices : mapping of (str, str or None) to Slice
        By column and value; None for rows without a value.
    n_infinite : int
        Predictions that are infinite: left out.
    strangers : mapping of str to int
        Labels, actual or predicted, that the baseline does not know, with their rows.
    n_without_score : int
        Labelled rows of many classes without probabilities.
    """

    problem: str
    n_rows: int = 0
    labels: tuple[str, ...] = ()
    confusion: ConfusionState | None = None
    scores: ScoreState | None = None
    residuals: ResidualState | None = None
    log_loss: Moments | None = None
    brier: Moments | None = None
    slices: Mapping[tuple[str, str | None], Slice] = field(default_factory=dict)
    n_infinite: int = 0
    strangers: Mapping[str, int] = field(default_factory=dict)
    n_without_score: int = 0

    @property
    def n_labelled(self) -> int:
        """Rows with a truth."""
        if self.confusion is not None:
            return self.confusion.n_rows - self.confusion.n_unlabelled
        assert self.residuals is not None
        return self.n_rows - self.residuals.n_unlabelled

    @property
    def n_judged(self) -> int:
        """Rows with a truth and a prediction: what the metrics are of."""
        if self.confusion is not None:
            return self.confusion.n_judged
        assert self.residuals is not None
        return self.residuals.n

    @property
    def coverage(self) -> dict[str, int]:
        """How many rows there are, and how many of them entered."""
        found = {
            "captured": self.n_rows,
            "labelled": self.n_labelled,
            "judged": self.n_judged,
            "without_prediction": self.n_labelled - self.n_judged,
        }
        if self.confusion is not None:
            found["without_prediction"] -= self.confusion.n_outside
            found["unknown_label"] = self.confusion.n_outside
        return found


def fold(
    source: Source,
    settings: Settings,
    *,
    known: tuple[str, ...] = (),
    slices: Mapping[str, tuple[str | None, ...]] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Folded:
    """Read a source once and fold its rows.

    Parameters
    ----------
    source : Source
    settings : Settings
    known : tuple of str
        Classes of the baseline; none while it is being made.
    slices : mapping of str to tuple of (str or None), optional
        Values that the baseline knows by column; the most frequent ones while it is being made.
    progress : callable, optional
        Called with (batches done, batches known of).

    Returns
    -------
    Folded

    Raises
    ------
    SchemaError
        Where a column is missing or of another type than it must be, a probability lies outside 0 to 1, a list has the
        wrong length, and where two classes turn out to be more while the baseline is made.
    SourceError
        Where the data cannot be read.
    """
    for name, role in settings.roles.items():
        column_of(source, name, role=role)
    one: _Regression | _Classes
    one = (
        _Regression(settings) if settings.problem == "regression" else _Classes(settings, known, source.label)
    )
    slicing = {name: _Sliced(one.for_regression) for name in settings.slices}
    n_rows = 0
    for done, rows in enumerate(rows_of(source, settings.names, roles=settings.roles), start=1):
        n_rows += rows.n_rows
        first, second = one.add(rows)
        for name, sliced in slicing.items():
            sliced.add(rows, name, first, second)
        if progress is not None:
            progress(done, max(done, len(source.parts)))
    folded = one.finish(n_rows)
    found: dict[tuple[str, str | None], Slice] = {}
    for name, sliced in slicing.items():
        wanted = None if slices is None else slices.get(name, ())
        classes = HITS if len(folded.labels) != 2 or settings.problem != "binary" else folded.labels
        found |= sliced.finish(name, wanted, settings.max_slices, (classes[0], classes[1]))
    return replace(folded, slices=found)


class _Regression:
    """Rows of numbers."""

    for_regression = True

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.state = ResidualState()
        self.n_infinite = 0

    def add(self, rows: Rows) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Fold rows; return the errors, and where there is one."""
        assert self.settings.prediction is not None
        truth, guess = numbers_of(rows, self.settings.label), numbers_of(rows, self.settings.prediction)
        actual = np.where(truth.valid, truth.values, np.nan)
        predicted = np.where(guess.valid, guess.values, np.nan)
        self.n_infinite += guess.n_infinite + truth.n_infinite
        self.state = self.state.update(actual, predicted)
        there = truth.valid & guess.valid
        with np.errstate(over="ignore"):
            errors = np.where(there, guess.values - truth.values, 0.0)
            there &= (np.abs(truth.values) <= LARGEST) & (np.abs(guess.values) <= LARGEST)
        return np.where(there, errors, 0.0), there

    def finish(self, n_rows: int) -> Folded:
        """Return what the rows come to."""
        return Folded("regression", n_rows, residuals=self.state, n_infinite=self.n_infinite)


class _Classes:
    """Rows of labels, with or without probabilities."""

    for_regression = False

    def __init__(self, settings: Settings, known: tuple[str, ...], file: str) -> None:
        self.settings = settings
        self.file = file
        self.is_binary = settings.problem == "binary"
        self.known = known
        first = (settings.positive, _OTHER) if self.is_binary else (settings.labels or known)
        self.encoder = Encoder(MOST_LABELS, known=first)
        self.table = PairTable()
        self.scores = ScoreFold() if self.is_binary and settings.probability else None
        self.log_loss = Moments()
        self.brier = Moments()
        self.n_infinite = 0
        self.n_without_score = 0
        self.other: str | None = None
        if self.is_binary:
            self.other = next(
                (label for label in known or settings.labels if label != settings.positive), None
            )

    def add(self, rows: Rows) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Fold rows; return actual and predicted classes as a :class:`SliceTable` counts them."""
        settings = self.settings
        actual = self.encoder.codes(rows, settings.label)
        scores: NDArray[np.float64] | None = None
        lists: NDArray[np.float64] | None = None
        valid = np.ones(rows.n_rows, bool)
        if settings.probability and self.is_binary:
            scores, valid = self._probability(rows, settings.probability[0])
        elif settings.probability:
            lists, valid = self._probabilities(rows)
        if settings.prediction is not None:
            predicted = self.encoder.codes(rows, settings.prediction)
        elif scores is not None:
            above = scores > settings.threshold
            predicted = np.where(valid, np.where(above, _POSITIVE, _NEGATIVE), -1)
        else:
            assert lists is not None
            # The first labels of the encoder are those of the lists, in order.
            predicted = np.where(valid, np.argmax(lists, axis=1), -1)
        self.table.add(actual, predicted)
        if lists is not None:
            self._losses(actual, lists, valid)
        if not self.is_binary:
            right = np.where((actual < 0) | (predicted < 0), -1, (actual == predicted).astype(np.int64))
            return np.where(actual < 0, -1, 1), right
        truth, guess = self._sides(actual), self._sides(predicted)
        if self.scores is not None:
            assert scores is not None
            self.scores.add(
                np.where(valid, scores, np.nan),
                np.where(truth > 1, -1, truth),
                np.where(guess > 1, -1, guess),
            )
        return truth, guess

    def _sides(self, codes: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return 1 for the positive class, 0 for the negative one, 2 for strangers, -1 where there is none."""
        if self.other is None:
            self.other = next((text for text in self.encoder.texts[2:]), None)
        other = _NEGATIVE if self.other is None else self.encoder.code(self.other)
        to = np.full(len(self.encoder.texts) + 1, 2, np.int64)
        to[_POSITIVE], to[_NEGATIVE], to[other], to[-1] = 1, 0, 0, -1
        sides: NDArray[np.int64] = to[codes]
        return sides

    def _probability(self, rows: Rows, name: str) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        found = numbers_of(rows, name)
        self.n_infinite += found.n_infinite
        _refuse_outside(rows, name, found.values, (found.values < 0.0) | (found.values > 1.0))
        return found.values, found.valid

    def _probabilities(self, rows: Rows) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        names, width = self.settings.probability, len(self.settings.labels)
        if len(names) == 1:
            found = lists_of(rows, names[0], width)
            values, valid = found.values, found.valid
        else:
            columns = [numbers_of(rows, name) for name in names]
            self.n_infinite += sum(column.n_infinite for column in columns)
            values = np.stack([column.values for column in columns], axis=1)
            valid = np.logical_and.reduce([column.valid for column in columns])
        outside = ((values < 0.0) | (values > 1.0)).any(axis=1) & valid
        _refuse_outside(rows, names[0], values.max(axis=1), outside)
        return values, valid

    def _losses(
        self, actual: NDArray[np.int64], lists: NDArray[np.float64], valid: NDArray[np.bool_]
    ) -> None:
        """Fold the losses of the rows whose truth is one of the labels of the lists."""
        there = valid & (actual >= 0)
        self.n_without_score += int(np.count_nonzero((actual >= 0) & ~valid))
        inside = there & (actual < lists.shape[1])
        truth = lists[inside, actual[inside]]
        least = np.finfo(np.float64).eps
        self.log_loss = self.log_loss.update(-np.log(np.clip(truth, least, 1.0)))
        squares = (lists[inside] ** 2).sum(axis=1) - 2.0 * truth + 1.0
        self.brier = self.brier.update(squares)

    def finish(self, n_rows: int) -> Folded:
        """Return what the rows come to."""
        settings, texts = self.settings, self.encoder.texts
        labels: tuple[str, ...]
        if self.is_binary:
            labels = self._two()
            texts = [texts[0], labels[0], *texts[2:]]
            confusion = self.table.state(texts, labels)
        else:
            labels = tuple(in_order({*self.known, *settings.labels, *texts})) if n_rows or self.known else ()
            confusion = self.table.state(texts, labels)
        strangers = {}
        if self.known:
            new = tuple(text for text in dict.fromkeys(texts) if text not in self.known)
            whole = self.table.state(texts, new).table
            for i, text in enumerate(new):
                strangers[text] = int(whole[i].sum() + whole[:, i].sum() - whole[i, i])
        has_lists = not self.is_binary and bool(settings.probability)
        return Folded(
            settings.problem,
            n_rows,
            labels,
            confusion,
            None if self.scores is None else self.scores.state(),
            None,
            self.log_loss if has_lists else None,
            self.brier if has_lists else None,
            {},
            self.n_infinite,
            strangers,
            self.n_without_score,
        )

    def _two(self) -> tuple[str, str]:
        """Return the negative and the positive class."""
        settings = self.settings
        if self.known:
            return (self.known[0], self.known[1])
        given = (label for label in settings.labels if label != settings.positive)
        others = in_order({*self.encoder.texts[2:], *given} - {settings.positive})
        if len(others) > 1:
            shown = ", ".join(repr(printable(text, 30)) for text in [settings.positive, *others][:8])
            raise SchemaError(
                f"label and prediction have {len(others) + 1} different values, expected two: {shown}",
                code="E-CLASSES",
                file=self.file,
                field=settings.label,
                fix='use problem = "multiclass", say which one is `positive`, or leave the rows of the others out',
            )
        if others:
            return (others[0], settings.positive)
        return ("0" if settings.positive != "0" else "1", settings.positive)


def _refuse_outside(rows: Rows, name: str, values: NDArray[np.float64], outside: NDArray[np.bool_]) -> None:
    if not outside.any():
        return
    at = int(np.argmax(outside))
    file, row = rows.place(at)
    raise SchemaError(
        f"holds {values[at]:g} in row {row:,}, which is no probability: expected 0 to 1",
        code="E-PROBABILITY",
        file=file or rows.file,
        field=name,
        fix="name the column of probabilities; turn scores or percentages into probabilities first",
    )


class _Sliced:
    """The values of one column, each with its counts or errors."""

    def __init__(self, of_errors: bool) -> None:
        self.encoder = Encoder(MOST_SLICES, booleans="word")
        self.of_errors = of_errors
        self.table = SliceTable()
        self.n_rows: dict[int, int] = {}
        self.moments: dict[int, tuple[Moments, Moments]] = {}

    def add(self, rows: Rows, name: str, first: NDArray[np.generic], second: NDArray[np.generic]) -> None:
        codes = self.encoder.codes(rows, name)
        if not self.of_errors:
            self.table.add(codes, first.astype(np.int64), second.astype(np.int64))
            return
        there = second.astype(np.bool_)
        counts = np.bincount(codes + 1, minlength=1)
        order = np.argsort(codes, kind="stable")
        ends = np.cumsum(counts)
        for place in np.flatnonzero(counts).tolist():
            mine = order[ends[place] - counts[place] : ends[place]]
            code = place - 1
            self.n_rows[code] = self.n_rows.get(code, 0) + len(mine)
            sizes = np.abs(first[mine][there[mine]].astype(np.float64))
            absolute, squares = self.moments.get(code, (Moments(), Moments()))
            self.moments[code] = (absolute.update(sizes), squares.update(sizes * sizes))

    def _rows(self, code: int) -> int:
        return self.n_rows.get(code, 0) if self.of_errors else self.table.n_rows(code)

    def finish(
        self, name: str, wanted: tuple[str | None, ...] | None, most: int, classes: tuple[str, str]
    ) -> dict[tuple[str, str | None], Slice]:
        """Return the slices wanted, or the most frequent ones."""
        of: dict[str | None, int] = {text: code for code, text in enumerate(self.encoder.texts)}
        of[None] = -1
        ranked = sorted(
            (value for value, code in of.items() if self._rows(code)),
            key=lambda value: (-self._rows(of[value]), value is None, value or ""),
        )
        # Of a column that the baseline knows, as many more as it has, so that a new value is seen.
        chosen = ranked[:most]
        if wanted is not None:
            chosen = [*wanted, *(value for value in ranked if value not in wanted)][: len(wanted) + most]
        return {(name, value): self._slice(of.get(value), classes) for value in chosen}

    def _slice(self, code: int | None, classes: tuple[str, str]) -> Slice:
        if self.of_errors:
            absolute, squares = (
                self.moments.get(code, (Moments(), Moments())) if code is not None else (Moments(), Moments())
            )
            return Slice(None, absolute, squares, 0 if code is None else self._rows(code))
        if code is None:
            return Slice(ConfusionState(classes))
        return Slice(self.table.state(code, classes), n_rows=self._rows(code))


def pack_folded(folded: Folded) -> dict[str, Packed]:
    """Return the States of a side by name, for :func:`driftline.baselines.packing.pack`."""
    found: dict[str, Packed] = {}
    for name in ("confusion", "scores", "residuals", "log_loss", "brier"):
        state = getattr(folded, name)
        if state is not None:
            found[name] = state.pack()
    for i, ((column, value), one) in enumerate(folded.slices.items()):
        for part in ("confusion", "absolute", "squares"):
            state = getattr(one, part)
            if state is not None:
                packed = state.pack()
                key = json.dumps([column, value, one.n_rows])
                found[f"slice{i:06d}.{part}"] = replace(packed, scalars={**packed.scalars, "_slice": key})
    return found


def unpack_folded(packed: Mapping[str, Packed], *, problem: str, n_rows: int) -> Folded:
    """Rebuild what :func:`pack_folded` packed.

    Raises
    ------
    ValueError, KeyError
        If the States are not those of model quality.
    """
    needed = "residuals" if problem == "regression" else "confusion"
    if needed not in packed:
        raise KeyError(f"no {needed}")
    confusion = ConfusionState.unpack(packed["confusion"]) if "confusion" in packed else None
    slices: dict[str, Slice] = {}
    keys: dict[str, tuple[str, str | None]] = {}
    for name in sorted(packed):
        if not name.startswith("slice"):
            continue
        group, part = name.split(".", 1)
        one = packed[name]
        column, value, n = json.loads(one.scalars["_slice"])
        keys[group] = (column, value)
        mine = slices.get(group, Slice(n_rows=int(n)))
        bare = replace(one, scalars={k: v for k, v in one.scalars.items() if k != "_slice"})
        if part == "confusion":
            slices[group] = replace(mine, confusion=ConfusionState.unpack(bare))
        elif part == "absolute":
            slices[group] = replace(mine, absolute=Moments.unpack(bare))
        else:
            slices[group] = replace(mine, squares=Moments.unpack(bare))
    return Folded(
        problem,
        n_rows,
        () if confusion is None else confusion.labels,
        confusion,
        ScoreState.unpack(packed["scores"]) if "scores" in packed else None,
        ResidualState.unpack(packed["residuals"]) if "residuals" in packed else None,
        Moments.unpack(packed["log_loss"]) if "log_loss" in packed else None,
        Moments.unpack(packed["brier"]) if "brier" in packed else None,
        {keys[group]: one for group, one in slices.items()},
    )
