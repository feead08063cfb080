"""Counting: one pass over the rows, into the counts that every metric is made of and the rows that the flip test needs."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np

from driftline.errors import DocumentError, SchemaError, printable
from driftline.kernels.fairness import UNKNOWN, Coded, FairnessState
from driftline.kernels.sampled import SampledRows
from driftline.kernels.state import Packed
from driftline.monitor.bias.binary import canonical, predicted_labels

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    from driftline.monitor.bias.column import Column
    from driftline.monitor.bias.frozen import Frozen
    from driftline.monitor.bias.settings import Settings

__all__ = ["MOST_STRANGERS", "Counted", "count", "counted_of", "packed"]

MOST_STRANGERS: Final = 20
"""New values of one column that are told, at most."""


@dataclass(frozen=True)
class Counted:
    """What a pass over the rows found.

    Attributes
    ----------
    cells : tuple of FairnessState
        For each axis.
    samples : tuple of mapping of str to SampledRows
        For each axis, by the group's value; the last number of a row is the prediction. Empty where there is no flip test.
    n_rows : int
    strangers : mapping of str to mapping of str to int
        By column, rows with values that the baseline did not have.
    """

    cells: tuple[FairnessState, ...]
    samples: tuple[Mapping[str, SampledRows], ...] = ()
    n_rows: int = 0
    strangers: Mapping[str, Mapping[str, int]] = field(default_factory=dict)


def count(
    batches: Iterable[Mapping[str, Column]], frozen: Frozen, settings: Settings, *, with_samples: bool
) -> Counted:
    """Fold rows; the result does not depend on their order, nor on how they are cut into batches.

    Parameters
    ----------
    batches : iterable of mapping of str to Column
        The columns that `frozen` speaks of, by name.
    frozen : Frozen
    settings : Settings
    with_samples : bool
        Whether to keep rows for the flip test.

    Returns
    -------
    Counted

    Raises
    ------
    SchemaError
        ``E-NUMBER`` where a probability is none.
    """
    cells = [FairnessState() for _ in frozen.axes]
    samples: list[dict[str, SampledRows]] = [{} for _ in frozen.axes] if with_samples else []
    strangers: dict[str, Counter[str]] = {}
    empty = SampledRows(len(frozen.features) + 1, settings.flip_rows)
    n_rows = 0
    for columns in batches:
        label, prediction = _outcomes(columns, frozen, settings)
        n = label.shape[0]
        n_rows += n
        group = None if frozen.group is None else frozen.group.coded(columns[frozen.group.column])
        rows = _rows(columns, frozen, prediction) if with_samples else None
        for i, axis in enumerate(frozen.axes):
            facet = axis.coded(columns)
            cells[i] = cells[i].update(facet, group, label, prediction)
            if rows is not None:
                _sample(samples[i], empty, facet, rows)
        _notice(strangers, columns, frozen)
    told = {
        name: dict(sorted(counter.items(), key=lambda item: (-item[1], item[0]))[:MOST_STRANGERS])
        for name, counter in sorted(strangers.items())
        if counter
    }
    return Counted(tuple(cells), tuple(samples), n_rows, told)


def _outcomes(
    columns: Mapping[str, Column], frozen: Frozen, settings: Settings
) -> tuple[NDArray[np.int8], NDArray[np.int8]]:
    """Return label and prediction of every row: negative, positive, unknown."""
    n = next(iter(columns.values())).n_rows
    unknown = np.full(n, UNKNOWN, np.int8)
    label = unknown if frozen.label is None else frozen.label.matches(columns[frozen.label.column])
    if frozen.prediction is not None:
        return label, frozen.prediction.matches(columns[frozen.prediction.column])
    if settings.probability is None:
        return label, unknown
    scores = columns[settings.probability]
    if scores.is_coded and scores.n_valid:
        word = next(
            (w for w, x in zip(scores.words, _reals(scores), strict=True) if np.isnan(x)), scores.words[0]
        )
        raise SchemaError(
            f"holds {printable(word, 40)!r}, expected probabilities",
            code="E-NUMBER",
            field=settings.probability,
            fix="name the column of the probability; a column of predicted labels is called prediction",
        )
    return label, predicted_labels(scores.numbers(), settings.threshold)


def _reals(column: Column) -> NDArray[np.float64]:
    codes = np.arange(len(column.words))
    table = type(column)(column.name, column.dtype, codes, np.ones(codes.shape[0], bool), column.words)
    return table.numbers()


def _rows(
    columns: Mapping[str, Column], frozen: Frozen, prediction: NDArray[np.int8]
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return the rows of the flip test, and which of them are whole."""
    parts = [columns[name].numbers() for name in frozen.features]
    table = np.column_stack([*parts, prediction.astype(np.float64)])
    whole: NDArray[np.bool_] = np.isfinite(table).all(axis=1) & (prediction != UNKNOWN)
    return table, whole


def _sample(
    samples: dict[str, SampledRows],
    empty: SampledRows,
    facet: Coded,
    rows: tuple[NDArray[np.float64], NDArray[np.bool_]],
) -> None:
    table, whole = rows
    codes = np.where(whole, facet.codes, -1)
    for code in np.unique(codes[codes >= 0]).tolist():
        word = facet.words[code]
        samples[word] = samples.get(word, empty).update(table[codes == code])


def _notice(strangers: dict[str, Counter[str]], columns: Mapping[str, Column], frozen: Frozen) -> None:
    """Count the values that the baseline did not have, of the label and of the facets."""
    watched: dict[str, set[str]] = {}
    if frozen.label is not None and frozen.known_labels:
        watched[frozen.label.column] = set(frozen.known_labels)
    for axis in frozen.axes:
        for name, known in zip(axis.columns, axis.known, strict=True):
            if known:
                watched[name] = set(known)
    for name, known_words in watched.items():
        words, codes = columns[name].distinct()
        new = [i for i, word in enumerate(words) if canonical(word) not in known_words]
        # A column that turned into free text must not fill the memory.
        if new and len(strangers.setdefault(name, Counter())) < 10 * MOST_STRANGERS:
            counts = np.bincount(codes[codes >= 0], minlength=len(words))
            for i in new[: 10 * MOST_STRANGERS]:
                strangers[name][canonical(words[i])] += int(counts[i])


def packed(counted: Counted) -> dict[str, Packed]:
    """Return the States by name, for :func:`driftline.baselines.packing.pack`."""
    parts = {f"cells-{i}": state.pack() for i, state in enumerate(counted.cells)}
    for i, samples in enumerate(counted.samples):
        for j, word in enumerate(sorted(samples)):
            inner = samples[word].pack()
            parts[f"rows-{i}-{j}"] = Packed({**inner.scalars, "word": word}, inner.arrays)
    return parts


def counted_of(parts: Mapping[str, Packed], n_axes: int, n_rows: int, *, file: object) -> Counted:
    """Rebuild what :func:`packed` gave.

    Raises
    ------
    DocumentError
        ``E-STATES`` if something is missing, or cannot have come from there.
    """
    try:
        cells = tuple(FairnessState.unpack(parts[f"cells-{i}"]) for i in range(n_axes))
        samples: list[dict[str, SampledRows]] = [{} for _ in range(n_axes)]
        for name in sorted(parts):
            if name.startswith("rows-"):
                at = int(name.split("-")[1])
                samples[at][str(parts[name].scalars["word"])] = SampledRows.unpack(parts[name])
    except (KeyError, ValueError, TypeError, IndexError) as error:
        raise DocumentError(
            f"not what driftline keeps of a bias baseline, or damaged: {error}",
            code="E-STATES",
            file=file,
            fix="make the baseline again",
        ) from None
    return Counted(cells, tuple(samples) if any(samples) else (), n_rows)
