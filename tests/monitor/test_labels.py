"""Labels: a labelled window as a source, each row known by where it stands."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest
from captured import HOUR, NOON, body, event

from driftline.capture.archive import Archive
from driftline.capture.captures import Captures
from driftline.capture.labelled import labelled
from driftline.capture.truth import import_labels
from driftline.errors import SourceError
from driftline.kernels.tally import Sort
from driftline.monitor.captured import captured_source, input_digest
from driftline.monitor.kept import labelled_profile
from driftline.monitor.labels import labelled_source
from driftline.monitor.scan import ROW_BITS, scan

if TYPE_CHECKING:
    from pathlib import Path

SPAN = NOON + HOUR // 2, NOON + 4 * HOUR


@pytest.fixture
def root(tmp_path: Path) -> Path:
    with Captures(tmp_path, seal_in="thread") as captures:
        captures.write([event(f"l{i}", at=NOON + i * HOUR // 10, input=body({"x": i})) for i in range(40)])
        assert captures.seal()
    return tmp_path


def test_label_times_are_read_where_they_are_asked_for(root: Path) -> None:
    joined = labelled(root, "churn", *SPAN)
    assert [f.name for f in labelled_source(joined).fields] == ["x", "p", "label"]
    kept = labelled_source(joined, ("_label_time", "_side", "x"))
    assert [f.name for f in kept.fields] == ["x", "p", "_label_time", "label", "_side"]


def test_rows_are_read_once(root: Path) -> None:
    source = labelled_source(labelled(root, "churn", *SPAN))
    assert scan(source, threads=1, compiled=False).n_rows == 35
    with pytest.raises(SourceError) as caught:
        scan(source, threads=1, compiled=False)
    assert caught.value.code == "E-STREAM"


def test_a_labelled_window_is_its_rows_and_their_labels(root: Path) -> None:
    before = labelled_profile(root, "churn", *SPAN, compiled=False)
    assert before.profile is not None
    assert [c.name for c in before.profile.columns] == ["x", "p", "label"]
    assert (before.n_rows, before.profile.column("label").n_missing) == (35, 35)
    assert before.segments_digest == input_digest(root, "churn", *SPAN, labels=True)
    labels = pa.table({"id": [f"l{i}" for i in range(0, 40, 2)], "label": [i % 3 for i in range(20)]})
    import_labels(Archive(root), "churn", labels)
    after = labelled_profile(root, "churn", *SPAN, delay=timedelta(hours=1), compiled=False)
    assert after.profile is not None
    assert after.segments_digest != before.segments_digest
    assert after.segments_digest == input_digest(root, "churn", *SPAN, labels=True)
    assert input_digest(root, "churn", *SPAN) == before.segments_digest
    source = captured_source(root, "churn", *SPAN)
    assert source is not None
    plain = scan(source, threads=1, compiled=False)
    for name in ("x", "p"):
        assert after.profile.column(name).tally == plain.column(name).tally
        assert after.profile.column(name).numbers == plain.column(name).numbers
    label = after.profile.column("label")
    assert (label.n_rows, label.n_missing) == (35, 18)
    # Rows without a label are known by their file and their number in it: the odd ones of each hour.
    assert [place & ((1 << ROW_BITS) - 1) for place in label.tally.rows_of(Sort.NULL)] == [
        5,
        7,
        9,
        1,
        3,
        5,
        7,
        9,
    ]
    assert after.profile.sources == plain.sources
    assert labelled_profile(root, "churn", NOON - HOUR, NOON).profile is None
