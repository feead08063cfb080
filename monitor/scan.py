"""Scan: one streaming pass over a Source, into a Profile.

Columns are shared out over threads; each column is folded by one thread at a time, so that the States never meet a
lock. Compiled loops and Arrow's decoding release the GIL. Memory is bounded by the chunks in flight, not by the data.
"""

from __future__ import annotations

import os
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from driftline.baselines.column import Column, ColumnFold, Limits, family_of
from driftline.baselines.profile import Profile
from driftline.errors import UsageError
from driftline.kernels.compiled import worth_loading
from driftline.kernels.tally import NOWHERE, Tally

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pyarrow as pa
    from numpy.typing import NDArray

    from driftline.capture.source import Batch, Part, Source

__all__ = ["ROW_BITS", "n_threads", "scan"]

ROW_BITS = 40
"""A row number is ``ordinal of its file << ROW_BITS | row within the file``."""

T = TypeVar("T")
R = TypeVar("R")

_GATHERED = 1 << 22
"""Ordinals from here on stand for batches that gather rows of several files."""

_GROUP_VALUES = 1 << 20
_GROUP_COLUMNS = 64


def n_threads(asked: int | None = None) -> int:
    """Return how many threads to use: `asked`, else ``DRIFTLINE_THREADS``, else the processors at hand, at most 16.

    Raises
    ------
    UsageError
        If the number is not a positive whole number.
    """
    if asked is None:
        text = os.environ.get("DRIFTLINE_THREADS", "")
        if not text:
            return max(1, min(16, len(os.sched_getaffinity(0))))
        if not re.fullmatch("[0-9]{1,9}", text):
            raise UsageError(f"DRIFTLINE_THREADS must be a whole number, found {text!r}", code="E-THREADS")
        asked = int(text)
    if not 1 <= asked <= 1024:
        raise UsageError(f"the number of threads must be from 1 to 1024, found {asked}", code="E-THREADS")
    return asked


def expected_values(source: Source) -> int | None:
    """Return about how many values `source` holds, or None where nobody knows before reading."""
    rows = [part.n_rows for part in source.parts]
    if all(r is not None for r in rows):
        return sum(r for r in rows if r is not None) * len(source.fields)
    sizes = 0
    for name in source.sources:
        try:
            sizes += Path(name).stat().st_size
        except OSError:
            return None
    return sizes // 6


def scan(
    source: Source,
    *,
    threads: int | None = None,
    compiled: bool | None = None,
    limits: Limits | None = None,
    like: Profile | None = None,
    progress: Callable[[int, int], None] | None = None,
    meanwhile: Callable[[], None] | None = None,
) -> Profile:
    """Fold every row of a source.

    Parameters
    ----------
    source : Source
    threads : int, optional
        See :func:`n_threads`.
    compiled : bool, optional
        Use the compiled loops; decided by the amount of data where not given.
    limits : Limits, optional
        What to keep per column; follows from the number of columns where not given.
    like : Profile, optional
        A profile expected to look alike, such as the baseline's; it only saves time.
    progress : callable, optional
        Called with (units done, units in all), from any thread but never from two at once.

    meanwhile : callable, optional
        Something the calling thread can do while the others read, such as importing what comes next.

    Returns
    -------
    Profile
        The same bytes whatever `threads`, `compiled` and the way the source is cut into parts.

    Raises
    ------
    SourceError
        If the data cannot be read.
    """
    workers = n_threads(threads)
    limits = limits or Limits.for_width(len(source.fields))
    if compiled is None:
        values = expected_values(source)
        compiled = worth_loading(values) if values is not None else worth_loading(0)
    if source.columnar:
        columns = _by_column(
            source, workers, limits, progress, compiled=compiled, like=like, meanwhile=meanwhile
        )
    else:
        columns = _by_batch(source, workers, limits, progress, compiled=compiled, like=like)
    n_rows = columns[0].n_rows if columns else 0
    return Profile(tuple(columns), n_rows, limits, source.sources)


def _fold(
    source: Source, index: int, limits: Limits, *, compiled: bool, like: Profile | None = None
) -> ColumnFold:
    field = source.fields[index]
    return ColumnFold(
        field.name,
        field.type,
        textual=field.textual,
        limits=limits,
        compiled=compiled,
        like=None if like is None or like.limits != limits else like.column(field.name),
    )


def _by_column(
    source: Source,
    workers: int,
    limits: Limits,
    progress: Callable[[int, int], None] | None,
    *,
    compiled: bool,
    like: Profile | None,
    meanwhile: Callable[[], None] | None,
) -> list[Column]:
    """Read a columnar source some columns at a time, the dearest first."""
    parts = source.parts
    largest = max((part.n_rows or 1 << 20 for part in parts), default=0)
    text_like = {"text", "lexical", "other"}
    wide: list[int] = []
    groups: list[list[int]] = []
    for i, field in enumerate(source.fields):
        if family_of(field.type, textual=field.textual) in text_like:
            groups.append([i])
        else:
            wide.append(i)
    step = max(1, min(_GROUP_COLUMNS, _GROUP_VALUES // max(1, largest)))
    groups += [wide[k : k + step] for k in range(0, len(wide), step)]
    done = 0
    total = len(groups) * len(parts)
    one_at_a_time = Lock()

    def work(group: list[int]) -> list[tuple[int, Column]]:
        nonlocal done
        folds = [_fold(source, i, limits, compiled=compiled, like=like) for i in group]
        rows = _Rows(source)
        for part in parts:
            for batch in part.read(group):
                first = rows.first_of(part, batch)
                for fold, array in zip(folds, batch.arrays, strict=True):
                    fold.add(array, first)
            with one_at_a_time:
                done += 1
                if progress is not None:
                    progress(done, total)
        return [(i, rows.placed(fold.close())) for i, fold in zip(group, folds, strict=True)]

    result: dict[int, Column] = {}
    for made in _shared_out(work, groups, workers, meanwhile):
        result.update(made)
    return [result[i] for i in range(len(source.fields))]


def _by_batch(
    source: Source,
    workers: int,
    limits: Limits,
    progress: Callable[[int, int], None] | None,
    *,
    compiled: bool,
    like: Profile | None,
) -> list[Column]:
    """Read a source that gives whole rows; the columns of each batch are shared out over the threads."""
    everything = range(len(source.fields))
    folds = [_fold(source, i, limits, compiled=compiled, like=like) for i in everything]
    total = len(source.parts)
    with ThreadPoolExecutor(workers) as pool:
        rows = _Rows(source)
        for done, part in enumerate(source.parts, start=1):
            for batch in part.read(everything):
                first = rows.first_of(part, batch)

                def add(i: int, first: int = first, arrays: Sequence[pa.Array] = batch.arrays) -> None:
                    folds[i].add(arrays[i], first)

                if workers > 1 and len(batch.arrays[0]) * len(folds) > 100_000:
                    for _ in pool.map(add, everything):
                        pass
                else:
                    for i in everything:
                        add(i)
            if progress is not None:
                progress(done, total)
    return [rows.placed(fold.close()) for fold in folds]


class _Rows:
    """Row numbers for batches that gather the rows of many small files.

    Such a batch is folded under a number of its own; the few row numbers that the States keep are put right at the end.
    (Folding file by file would cost a call per column for every captured request.)
    """

    def __init__(self, source: Source) -> None:
        self._ordinals = {name: i for i, name in enumerate(source.sources)}
        self._starts: list[int] = []
        self._offsets: list[int] = []
        self._n_batches = 0

    def first_of(self, part: Part, batch: Batch) -> int:
        """Return the number to fold the batch's first row under."""
        if not batch.runs:
            return (part.ordinal << ROW_BITS) + batch.first_row
        base = (_GATHERED + self._n_batches) << ROW_BITS
        self._n_batches += 1
        for run in batch.runs:
            true = (self._ordinals.get(run.source, part.ordinal) << ROW_BITS) + run.first_row
            self._starts.append(base + run.start)
            self._offsets.append(true - base - run.start)
        return base

    def placed(self, column: Column) -> Column:
        """Return the column with true row numbers."""
        if not self._starts:
            return column
        starts = np.array(self._starts, np.int64)
        offsets = np.array(self._offsets, np.int64)

        def put_right(rows: NDArray[np.int64]) -> NDArray[np.int64]:
            gathered = (rows >= _GATHERED << ROW_BITS) & (rows != NOWHERE)
            index = np.searchsorted(starts, rows, side="right") - 1
            return np.where(gathered, rows + offsets[np.maximum(index, 0)], rows)

        places = put_right(column.tally.places)
        places.sort(axis=1)
        categories = column.categories
        if categories is not None:
            categories = replace(categories, first=put_right(categories.first))
        return replace(column, tally=Tally(column.tally.counts, places), categories=categories)


def _shared_out(
    work: Callable[[T], R], items: Sequence[T], workers: int, meanwhile: Callable[[], None] | None
) -> list[R]:
    if workers == 1 or len(items) <= 1:
        return [work(item) for item in items]
    with ThreadPoolExecutor(workers) as pool:
        futures = [pool.submit(work, item) for item in items]
        try:
            if meanwhile is not None:
                meanwhile()
            return [future.result() for future in futures]
        except BaseException:
            # The first error ends the scan: what has not begun never will.
            for future in futures:
                future.cancel()
            raise
