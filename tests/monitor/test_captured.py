"""Captured: the rows of a window and no others, each known by where it stands, and what the window is known by."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest
from captured import HOUR, NOON, body, event
from hypothesis import given
from hypothesis import strategies as st

from driftline.baselines.describe import statistics_of
from driftline.capture.captures import Captures
from driftline.capture.open import open_source
from driftline.capture.source import Batch, place_of
from driftline.capture.stored import FACTS
from driftline.capture.window import window
from driftline.errors import DriftlineError, SourceError, UsageError
from driftline.kernels.tally import Sort
from driftline.monitor.captured import _CutPart, captured_source, input_digest, input_digests
from driftline.monitor.scan import ROW_BITS, scan

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

END = NOON + 24 * HOUR


@pytest.fixture(scope="module")
def hours(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten events an hour over a day, every third without a value."""
    root = tmp_path_factory.mktemp("hours")
    with Captures(root, seal_in="thread") as captures:
        captures.write(
            [
                event(
                    f"e{i}",
                    at=NOON + i * HOUR // 10,
                    input=body({"x": i if i % 3 else None, "c": f"c{i % 7}"}),
                )
                for i in range(240)
            ]
        )
        assert captures.seal()
    return root


spans = st.tuples(st.integers(-HOUR, 24 * HOUR), st.integers(1, 5 * HOUR))


@given(span=spans)
def test_it_is_the_rows_of_the_window(hours: Path, span: tuple[int, int]) -> None:
    start, end = NOON + span[0], NOON + span[0] + span[1]
    source = captured_source(hours, "churn", start, end)
    rows = window(hours, "churn", start, end).table()
    assert source is not None or not rows.num_rows
    if source is not None:
        found = scan(source, threads=1, compiled=False)
        if not rows.num_rows:
            assert found.n_rows == 0
            return
        plain = open_source(rows.drop_columns([n for n in rows.column_names if n in FACTS]))
        assert statistics_of(found) == statistics_of(scan(plain, threads=1, compiled=False))


def test_rows_keep_the_numbers_they_have_in_their_file(hours: Path) -> None:
    start, end = NOON + HOUR // 2, NOON + 2 * HOUR
    source = captured_source(hours, "churn", start, end, columns=["x", "_event_id"], threads=2)
    assert source is not None
    profile = scan(source, threads=1, compiled=False)
    column = profile.column("x")
    assert column is not None
    files = window(hours, "churn", start, end)
    ids = [file["_event_id"].to_pylist() for file in window(hours, "churn", NOON, end).batches(["_event_id"])]
    assert profile.sources == tuple(files.files)
    places = [(row >> ROW_BITS, row & ((1 << ROW_BITS) - 1)) for row in column.tally.rows_of(Sort.NULL)]
    assert [ids[file][row] for file, row in places] == [f"e{i}" for i in range(5, 20) if i % 3 == 0]


class Piece:
    """A part of one column and its times."""

    source, ordinal, n_rows = "a", 0, None

    def __init__(self, times: list[int], batch_rows: int) -> None:
        self.times, self.batch_rows = times, batch_rows

    def read(self, columns: Sequence[int]) -> Iterator[Batch]:
        for first in range(0, len(self.times), self.batch_rows):
            some = self.times[first : first + self.batch_rows]
            arrays = [
                pa.array([f"row {first + i}" for i in range(len(some))]),
                pa.array(some, pa.timestamp("us")),
            ]
            yield Batch(tuple(arrays[i] for i in columns), first)


@given(times=st.lists(st.integers(0, 20), max_size=30), batch_rows=st.integers(1, 12))
def test_rows_in_any_order_are_known_by_where_they_stand(times: list[int], batch_rows: int) -> None:
    part: Any = Piece(times, batch_rows)
    seen = []
    for batch in _CutPart(part, 1, 5, 15).read([0]):
        for index, value in enumerate(batch.arrays[0].to_pylist()):
            name, row = place_of(part, batch, index)
            assert (name, f"row {row}") == ("a", value)
            seen.append(row)
    assert seen == np.flatnonzero([5 <= time < 15 for time in times]).tolist()


@pytest.mark.parametrize("change", ["longer", "gone"])
def test_files_that_are_not_what_was_written_are_refused(tmp_path: Path, change: str) -> None:
    with Captures(tmp_path, seal_in="thread") as captures:
        captures.write([event("one")])
        assert captures.seal()
    (file,) = tmp_path.rglob("*.parquet")
    if change == "gone":
        file.unlink()
    else:
        file.write_bytes(file.read_bytes() + b"x")
    with pytest.raises(SourceError) as caught:
        captured_source(tmp_path, "churn", NOON, NOON + HOUR)
    assert (caught.value.code, caught.value.file) == ("E-DIGEST", str(file))


def test_an_object_store_is_read_alike(hours: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from driftline.capture.target import Folder
    from driftline.monitor import captured

    expected = scan(_opened(hours), threads=1, compiled=False).digest
    monkeypatch.setattr(captured, "_CACHED_BYTES", 20_000)
    found = captured.found(hours, "churn", NOON, END)
    files = captured.SegmentFiles(found.target)
    monkeypatch.setattr(Folder, "is_local", False)
    opened = files.source(found.segments, NOON, END, label="churn", threads=2)
    assert scan(open_source(opened), threads=2, compiled=False).digest == expected
    assert all(blob.remote for blob in files.blobs(found.segments))


def _opened(root: Path) -> Any:
    return captured_source(root, "churn", NOON, END)


def test_digests_of_many_windows_are_those_of_each(hours: Path) -> None:
    windows = [(NOON + i * HOUR // 2, NOON + (i + 3) * HOUR // 2) for i in range(-6, 150, 7)]
    found = input_digests(hours, "churn", windows)
    assert found == [input_digest(hours, "churn", *window) for window in windows]
    assert None in found
    assert len(set(found)) > 5
    assert input_digests(hours, "churn", []) == []
    assert input_digest(hours, "churn", NOON, END, "red") is None


def test_digests_of_windows_that_make_no_sense_are_refused(hours: Path, tmp_path: Path) -> None:
    for asked, code in ((("churn", NOON, NOON), "E-TIME"), (("a/b", NOON, END), "E-NAME")):
        with pytest.raises(UsageError) as caught:
            input_digest(hours, *asked)
        assert caught.value.code == code
    with pytest.raises(DriftlineError) as nothing:
        input_digest(tmp_path, "churn", NOON, END)
    assert nothing.value.code == "E-NO-STORE"
