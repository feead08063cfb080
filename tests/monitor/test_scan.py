"""Scan: one pass, any number of threads, the same Profile; row numbers that lead back to the row."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from driftline.baselines.column import Limits
from driftline.capture.open import open_source
from driftline.capture.source import Batch, Field, OpenedSource, Run
from driftline.errors import SourceError, UsageError
from driftline.kernels.tally import Sort
from driftline.monitor import scan as scanning
from driftline.monitor.scan import ROW_BITS, expected_values, n_threads, scan

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path


class Piece:
    """A part that gives the batches it was made of."""

    def __init__(
        self, batches: list[Batch], ordinal: int = 0, source: str = "a", n_rows: int | None = None
    ) -> None:
        self.batches, self.ordinal, self.source, self.n_rows = batches, ordinal, source, n_rows

    def read(self, columns: Sequence[int]) -> Iterator[Batch]:
        for batch in self.batches:
            yield Batch(tuple(batch.arrays[i] for i in columns), batch.first_row, batch.runs)


def source_of(
    *pieces: Piece, columnar: bool = False, sources: tuple[str, ...] = ("a",), names: str = "x"
) -> Any:
    kinds = [a.type for a in pieces[0].batches[0].arrays]
    fields = tuple(Field(n, k) for n, k in zip(names, kinds, strict=True))
    return OpenedSource("test", fields, named=True, columnar=columnar, sources=sources, parts=pieces)


@pytest.mark.parametrize("text", ["0", "-1", "two", "1.5", "1025"])
def test_numbers_of_threads_that_make_no_sense_are_refused(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DRIFTLINE_THREADS", text)
    with pytest.raises(UsageError) as caught:
        n_threads()
    assert caught.value.code == "E-THREADS"


def test_threads_are_asked_for_or_set_or_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRIFTLINE_THREADS", "3")
    assert n_threads() == 3
    assert n_threads(5) == 5
    monkeypatch.delenv("DRIFTLINE_THREADS")
    assert 1 <= n_threads() <= 16
    with pytest.raises(UsageError):
        n_threads(0)


@pytest.mark.parametrize("columnar", [True, False])
@pytest.mark.parametrize("threads", [1, 2, 4])
def test_rows_carry_the_ordinal_of_their_file(columnar: bool, threads: int) -> None:
    def piece(ordinal: int) -> Piece:
        return Piece(
            [
                Batch((pa.array([1.0, None]), pa.array(["a", None])), 0),
                Batch((pa.array([None, 2.0]), pa.array(["b", "a"])), 2),
            ],
            ordinal,
        )

    source = source_of(piece(1), piece(0), columnar=columnar, sources=("a", "b"), names="xy")
    found = scan(source, threads=threads, compiled=False)
    second = 1 << ROW_BITS
    assert found.n_rows == 8
    assert found.columns[0].tally.rows_of(Sort.NULL) == [1, 2, second + 1, second + 2]
    assert found.columns[1].tally.rows_of(Sort.NULL) == [1, second + 1]
    assert found.columns[1].categories.first.tolist() in ([0, 2], [2, 0])  # type: ignore[union-attr]


@pytest.mark.parametrize("columnar", [True, False])
@pytest.mark.parametrize("threads", [1, 2])
def test_rows_of_small_files_gathered_in_one_batch_keep_their_places(threads: int, columnar: bool) -> None:
    """Two batches that gather stretches of three files; every number must lead back to file and row."""
    runs = (Run(0, "a", 0), Run(2, "b", 5), Run(4, "c", 0)), (Run(0, "b", 7), Run(1, "c", 1))
    values = [None, 1.0, 2.0, None, None, 3.0], [None, None, 4.0]
    texts = ["p", "q", "r", "p", "s", "q"], ["t", "r", "u"]
    piece = Piece(
        [Batch((pa.array(v), pa.array(t)), 0, r) for v, t, r in zip(values, texts, runs, strict=True)]
    )
    found = scan(
        source_of(piece, columnar=columnar, sources=("a", "b", "c"), names="xy"),
        threads=threads,
        compiled=False,
    )
    a, b, c = (i << ROW_BITS for i in range(3))
    assert found.columns[0].tally.rows_of(Sort.NULL) == [a, b + 6, b + 7, c, c + 1]
    categories = found.columns[1].categories
    assert categories is not None
    first = {categories.texts.at(i).decode(): int(categories.first[i]) for i in range(6)}
    assert first == {"p": a, "q": a + 1, "r": b + 5, "s": c, "t": b + 7, "u": c + 2}


def test_captured_requests_are_found_again(tmp_path: Path) -> None:
    for i in range(3):
        (tmp_path / f"{i}.jsonl").write_text("".join(f'{{"x": {v}}}\n' for v in ([1, -1] if i else [2, 3])))
    source = open_source(str(tmp_path))
    found = scan(source, threads=1, compiled=False)
    rows = found.columns[0].tally.rows_of(Sort.NEGATIVE)
    assert [(source.sources[r >> ROW_BITS].rsplit("/")[-1], r & ((1 << ROW_BITS) - 1)) for r in rows] == [
        ("1.jsonl", 1),
        ("2.jsonl", 1),
    ]


def _slow(done: int, total: int, calls: list[tuple[int, int]], inside: list[int]) -> None:
    inside.append(threading.get_ident())
    threading.Event().wait(0.001)
    calls.append((done, total))
    inside.pop()
    assert not inside


@pytest.mark.parametrize("columnar", [True, False])
def test_progress_is_told_one_call_at_a_time_and_ends_full(columnar: bool) -> None:
    pieces = [Piece([Batch(tuple(pa.array([f"t{i}"]) for _ in "abcdefgh"), 0)], i) for i in range(6)]
    source = source_of(*pieces, columnar=columnar, sources=tuple("uvwxyz"), names="abcdefgh")
    calls: list[tuple[int, int]] = []
    inside: list[int] = []
    scan(source, threads=4, compiled=False, progress=lambda d, t: _slow(d, t, calls, inside))
    assert [d for d, _ in calls] == list(range(1, len(calls) + 1))
    assert calls[-1][0] == calls[-1][1]
    assert len({t for _, t in calls}) == 1


@pytest.mark.parametrize("columnar", [True, False])
@pytest.mark.parametrize("threads", [1, 3])
def test_the_first_error_ends_the_scan(columnar: bool, threads: int) -> None:
    class Broken(Piece):
        def read(self, columns: Sequence[int]) -> Iterator[Batch]:
            yield from super().read(columns)
            raise SourceError("cannot be decoded", file="a", line=3)

    piece = Broken([Batch((pa.array(["a"]), pa.array(["b"])), 0)])
    with pytest.raises(SourceError, match="cannot be decoded"):
        scan(source_of(piece, columnar=columnar, names="xy"), threads=threads, compiled=False)


def test_limits_follow_the_width_unless_given() -> None:
    data = {"x": [1.0]}
    assert scan(open_source(data)).limits == Limits()
    assert scan(open_source(data), limits=Limits(8, 8, 8)).limits == Limits(8, 8, 8)
    wide = {f"x{i}": [1.0] for i in range(300)}
    assert scan(open_source(wide)).limits == Limits.for_width(300) != Limits()


@pytest.mark.parametrize(
    ("setting", "n_values", "expected"), [("numpy", 10**9, False), ("compiled", 10, True), ("auto", 10, None)]
)
def test_the_engine_is_chosen_by_the_amount_of_data(
    setting: str, n_values: int, expected: bool | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    used: list[bool] = []
    real = scanning.ColumnFold

    def noting(*arguments: Any, compiled: bool, **options: Any) -> Any:
        used.append(compiled)
        return real(*arguments, compiled=compiled, **options)

    monkeypatch.setenv("DRIFTLINE_ENGINE", setting)
    monkeypatch.setattr(scanning, "ColumnFold", noting)
    monkeypatch.setattr(scanning, "expected_values", lambda _: n_values)
    scan(open_source({"x": [1.0]}))
    if expected is None:
        from driftline.kernels import compiled

        expected = bool(compiled._loaded)
    assert used == [expected]


def test_expected_values_are_rows_times_columns_or_a_guess_from_bytes(tmp_path: Path) -> None:
    file = tmp_path / "a.parquet"
    pq.write_table(pa.table({"x": [1, 2, 3], "y": [1, 2, 3]}), file)
    assert expected_values(open_source(str(file))) == 6
    text = tmp_path / "a.csv"
    text.write_text("x,y\n" + "1,2\n" * 1_000)
    assert 400 <= (expected_values(open_source(str(text))) or 0) <= 2_000
    unknown = source_of(Piece([Batch((pa.array([1]),), 0)]), sources=("/nowhere/at/all",))
    assert expected_values(unknown) is None


def test_data_of_unknown_size_are_folded_all_the_same() -> None:
    batches = (pa.record_batch({"x": np.arange(i * 10.0, i * 10 + 10)}) for i in range(5))
    reader = pa.RecordBatchReader.from_batches(pa.schema({"x": pa.float64()}), batches)
    found = scan(open_source(reader))
    assert found.n_rows == 50
    assert found.columns[0].numbers.moments.sum == 1225.0  # type: ignore[union-attr]


def _folder(tmp_path: Path, make: Callable[[int], pa.Table]) -> str:
    for i in range(4):
        pq.write_table(make(i), tmp_path / f"{i}.parquet", row_group_size=100)
    return str(tmp_path)


def test_sources_are_the_files_in_order(tmp_path: Path) -> None:
    folder = _folder(tmp_path, lambda i: pa.table({"x": [i]}))
    found = scan(open_source(folder))
    assert [s.rsplit("/")[-1] for s in found.sources] == ["0.parquet", "1.parquet", "2.parquet", "3.parquet"]
