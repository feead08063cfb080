from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import driftline as dl
from driftline.capture.archive import Archive
from driftline.capture.captures import Captures
from driftline.capture.event import Event, Payload
from driftline.capture.open import open_source
from driftline.capture.source import Field
from driftline.capture.stored import FACTS, features
from driftline.capture.tables import META, TEXTUAL
from driftline.capture.upkeep import compact
from driftline.capture.window import window
from driftline.errors import SchemaError, SourceError

if TYPE_CHECKING:
    from collections.abc import Sequence

HOUR = 3_600_000_000


def event(
    number: int, body: str, kind: str = "application/json", *, hour: int = 0, answer: str = '{"p": 0.5}'
) -> Event:
    return Event(
        f"e{number}",
        "churn",
        "AllTraffic",
        0,
        hour * HOUR + number,
        Payload(kind, body.encode()),
        Payload(kind, answer.encode()),
        model_version=f"v{number % 2}",
    )


def captured(folder: Path, *batches: Sequence[Event]) -> Path:
    with Captures(folder, seal_in="thread") as captures:
        for events in batches:
            captures.write(events)
            assert captures.seal()
    return folder


def test_the_columns_about_the_event_are_those_of_the_store() -> None:
    assert frozenset(META.names) == FACTS


def test_only_features_are_read(tmp_path: Path, values: Any) -> None:
    root = captured(tmp_path / "c", [event(1, '{"a": 1, "b": "x"}'), event(2, '{"a": 2, "b": "y"}')])
    for place in (root, root / "churn", str(root / "churn" / "**" / "*.parquet")):
        source = open_source(place)
        assert values(source) == {"a": [1, 2], "b": ["x", "y"], "p": [0.5, 0.5]}
        assert source.named
    assert values(open_source(root, columns=["a", "_event_id"])) == {"a": [1, 2], "_event_id": ["e1", "e2"]}
    assert values(open_source(root, keep=["_model_version"]))["_model_version"] == ["v1", "v0"]


def test_other_parquet_keeps_columns_of_such_names(tmp_path: Path, values: Any) -> None:
    pq.write_table(pa.table({"_event_id": ["a"], "_c0": [1], "x": [1]}), tmp_path / "x.parquet")
    assert values(open_source(tmp_path / "x.parquet")) == {"_event_id": ["a"], "_c0": [1], "x": [1]}


def test_segments_by_a_column_about_the_event(tmp_path: Path) -> None:
    events = [event(n, f'{{"a": {n % 5}}}') for n in range(400)]
    root = captured(tmp_path / "c", events)
    baseline = dl.baseline(root, by="_model_version")
    report = dl.check(root, baseline, by="_model_version")
    assert not report.violations
    assert {o.segment for o in report.outcomes if o.segment} == {"_model_version=v0", "_model_version=v1"}


def test_freshness_of_the_time(tmp_path: Path) -> None:
    root = captured(tmp_path / "c", [event(n, '{"a": 1}') for n in range(10)])
    baseline = dl.baseline(open_source(root, keep=["_time"]))
    limit = {"columns": {"_time": {"checks": {"freshness": {"bound": 3600}}}}}
    report = dl.check(root, baseline, overrides=limit)
    assert ("freshness", "_time") in {(v.constraint.check, v.constraint.column) for v in report.violations}


def test_bodies_without_names_are_read_as_from_sagemaker(tmp_path: Path, values: Any) -> None:
    lines = [
        event(n, ",".join(str(n + k) for k in range(12)), "text/csv", answer="0.5,1.5") for n in range(3)
    ]
    source = open_source(captured(tmp_path / "c", lines))
    assert not source.named
    assert [f.name for f in source.fields] == ["prediction_0", "prediction_1", *(f"_c{n}" for n in range(12))]
    assert values(source)["_c10"] == [10, 11, 12]


@pytest.mark.parametrize(
    ("names", "expected", "named"),
    [
        (["_event_id", "_c0", "_c1", "prediction"], ["prediction", "_c0", "_c1"], False),
        (["_c1", "_c0"], ["_c0", "_c1"], False),
        (["prediction"], ["prediction"], True),
        (["_c0", "age"], ["_c0", "age"], True),
        (["_c0", "predictions"], ["_c0", "predictions"], True),
        (["_c0", "prediction_x"], ["_c0", "prediction_x"], True),
        (["_c", "_c0"], ["_c", "_c0"], True),
    ],
)
def test_names_that_are_positions(names: list[str], expected: list[str], named: bool) -> None:
    fields = [Field(name, pa.int64()) for name in names]
    positions, found = features(fields)
    assert ([names[at] for at in positions], found) == (expected, named)


def test_texts_and_numbers_of_several_hours(tmp_path: Path, values: Any) -> None:
    batches = [
        [event(1, '{"a": 1, "b": true}')],
        [event(2, '{"a": "x", "b": 2}', hour=1)],
        [event(3, '{"a": 1.5}', hour=2)],
    ]
    root = captured(tmp_path / "c", *batches)
    source = open_source(root)
    assert {f.name: f.textual for f in source.fields} == {"a": True, "b": True, "p": False}
    read = values(source)
    assert read == {"a": ["1", "x", "1.5"], "b": ["true", "2", None], "p": [0.5] * 3}
    (column,) = (c for c in dl.profile(root).columns if c.name == "a")
    assert column.family == "lexical"


def test_a_mark_within_a_file_is_honoured(tmp_path: Path) -> None:
    root = captured(tmp_path / "c", [event(1, '{"a": 1}'), event(2, '{"a": "x"}')])
    (file,) = window(root, "churn", 0, HOUR).files
    assert pq.read_schema(file).field("a").metadata == TEXTUAL
    assert {f.name: f.textual for f in open_source(file).fields} == {"a": True, "p": False}


def test_other_parquet_of_several_types_is_refused(tmp_path: Path) -> None:
    pq.write_table(pa.table({"a": [1]}), tmp_path / "1.parquet")
    pq.write_table(pa.table({"a": ["x"]}), tmp_path / "2.parquet")
    with pytest.raises(SchemaError) as caught:
        open_source(tmp_path)
    assert caught.value.code == "E-TYPES"


def test_lists_beside_numbers_are_refused_in_captures_too(tmp_path: Path) -> None:
    for name, array in (("1", pa.array([[1]])), ("2", pa.array([1]))):
        pq.write_table(
            pa.table({"a": array}).replace_schema_metadata(META.metadata), tmp_path / f"{name}.parquet"
        )
    with pytest.raises(SchemaError) as caught:
        open_source(tmp_path)
    assert caught.value.code == "E-TYPES"


def test_only_files_that_the_manifest_shows(tmp_path: Path, values: Any) -> None:
    root = captured(tmp_path / "c", [event(1, '{"a": 1}')], [event(2, '{"a": 2}')])
    before = values(open_source(root))
    archive = Archive(root)
    assert compact(archive).after == 1
    files = list(root.rglob("*.parquet"))
    assert len(files) == 3
    (files[0].parent / "stray.parquet").write_bytes(files[0].read_bytes())
    for place in (root, root / "churn" / "AllTraffic", str(root / "churn/*/*/*/*.parquet")):
        source = open_source(place)
        assert len(source.sources) == 1
        assert values(source) == before
    # A file that is named outright is read, whatever it is.
    assert len(open_source(files).sources) == 3


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    root = captured(tmp_path / "c", [event(1, '{"a": 1}')], [event(2, '{"a": 2}', hour=1)])
    gone = window(root, "churn", 0, HOUR).files[0]
    Path(gone).unlink()
    with pytest.raises(SourceError) as caught:
        open_source(root)
    assert (caught.value.code, caught.value.file) == ("E-DIGEST", gone)
    assert open_source(Path(window(root, "churn", HOUR, 2 * HOUR).files[0]).parent).sources


def test_only_objects_that_the_manifest_shows(tmp_path: Path, store: Any, values: Any) -> None:
    target = store.url("stored/captures")
    with Captures(target, state=tmp_path / "state", seal_in="thread") as captures:
        for n in range(3):
            captures.write([event(n, f'{{"a": {n}}}')])
            assert captures.seal()
        archive = captures.archive
        assert compact(archive).after == 1
    assert len(archive.target.paths("")) == 4
    for key in ("stored/captures", "stored/captures/churn", "stored/captures/churn/AllTraffic/**/*.parquet"):
        source = open_source(store.url(key))
        assert len(source.sources) == 1
        assert sorted(values(source)["a"]) == [0, 1, 2]


def test_events_without_values(tmp_path: Path) -> None:
    root = captured(tmp_path / "c", [event(1, "{}", answer="{}")])
    with pytest.raises(SchemaError) as caught:
        open_source(root)
    assert caught.value.code == "E-NO-COLUMNS"
