from __future__ import annotations

import base64
import json
import os
import signal
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from driftline.capture.archive import Archive
from driftline.capture.captures import Captures
from driftline.capture.labelled import labelled
from driftline.capture.tables import HOUR, META
from driftline.capture.truth import (
    FOLDER,
    check_labels,
    compact_labels,
    erase_labels,
    expire_labels,
    import_labels,
    refused_labels,
    store_labels,
)
from driftline.errors import SchemaError, SourceError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

NOON = 1_763_985_600_000_000 // HOUR * HOUR
EVER = (0, 1 << 52)


def events(rows: Sequence[tuple[str, int, str | None]], at: int = NOON) -> pa.Table:
    """Make captured rows of events: their id, how many rows they have, and the caller's id."""
    columns: list[list[Any]] = [[] for _ in range(len(META) + 1)]
    for number, (event, n, caller) in enumerate(rows):
        for row in range(n):
            cells = [event, row, at + number, at + number, "both", caller, None, None, float(number)]
            for column, cell in zip(columns, cells, strict=True):
                column.append(cell)
    fields = [*META, pa.field("amount", pa.float64())]
    return pa.table(
        [pa.array(column, field.type) for column, field in zip(columns, fields, strict=True)],
        schema=pa.schema(fields, META.metadata),
    )


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    """Captures of churn: single events a, b, c, of which c has the caller's id x, and d of three rows."""
    made = Archive(tmp_path / "captures", clock=lambda: NOON + HOUR)
    table = events([("a", 1, None), ("b", 1, None), ("c", 1, "x"), ("d", 3, None)])
    made.store("first", iter([("churn", "AllTraffic", table)]))
    return made


def truth(archive: Archive, column: str = "label") -> dict[tuple[str, int], Any]:
    """Return the labels that hold."""
    table = labelled(archive.target.name, "churn", *EVER).table().to_pylist()
    assert len(table) == 6
    return {(r["_event_id"], r["_row"]): r[column] for r in table if r[column] is not None}


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


# --- ways in ---


def test_csv(archive: Archive, tmp_path: Path) -> None:
    file = write(tmp_path / "labels.csv", "event_id,label\na,1\nb,0\nc,1\nnobody,1\n")
    assert import_labels(archive, "churn", file).labels == 4
    assert truth(archive) == {("a", 0): 1, ("b", 0): 0, ("c", 0): 1}
    (segment,) = archive.manifest.segments("labels")
    assert segment.path.startswith(f"{FOLDER}/churn/date=2025-11-24/hour=13/")
    stored = pq.read_table(archive.target.shown(segment.path), partitioning=None)
    assert stored["_source"].to_pylist() == [str(file)] * 4
    assert stored["_label_time"].equals(stored["_imported"])


def test_csv_with_other_names(archive: Archive, tmp_path: Path) -> None:
    file = write(
        tmp_path / "l.csv", "who;churned;why;when\na;yes;price;2025-11-25\nb;no;;2025-11-25T12:30:00+02:00\n"
    )
    import_labels(archive, "churn", file, id="who", label=["churned", "why"], time="when")
    assert truth(archive, "label_churned") == {("a", 0): "yes", ("b", 0): "no"}
    assert truth(archive, "label_why") == {("a", 0): "price"}
    times = {k: t.isoformat() for k, t in truth(archive, "_label_time").items()}
    assert times == {("a", 0): "2025-11-25T00:00:00+00:00", ("b", 0): "2025-11-25T10:30:00+00:00"}


@pytest.mark.parametrize(
    ("cells", "kind", "values"),
    [
        (("1", "0"), "int64", [1, 0]),
        (("1", "0.5"), "double", [1.0, 0.5]),
        (("01", "2"), "string", ["01", "2"]),
        (("1", "yes"), "string", ["1", "yes"]),
        (("true", "false"), "string", ["true", "false"]),
    ],
)
def test_a_column_of_text_gets_a_type(
    archive: Archive, tmp_path: Path, cells: tuple[str, str], kind: str, values: list[Any]
) -> None:
    import_labels(archive, "churn", write(tmp_path / "l.csv", f"id,label\na,{cells[0]}\nb,{cells[1]}\n"))
    table = labelled(archive.target.name, "churn", *EVER).table()
    assert str(table.schema.field("label").type) == kind
    assert table["label"].drop_null().to_pylist() == values


@pytest.mark.parametrize(
    "made", [dict, pd.DataFrame, pl.DataFrame, pa.table, lambda d: pd.DataFrame(d).to_dict("records")]
)
def test_tables(archive: Archive, made: Any) -> None:
    data = made({"event_id": ["a", "b"], "label": [True, False]})
    assert import_labels(archive, "churn", data).labels == 2
    assert import_labels(archive, "churn", data).repeated == 1
    assert truth(archive) == {("a", 0): True, ("b", 0): False}


def test_parquet_with_times_and_numbers_as_ids(archive: Archive, tmp_path: Path) -> None:
    archive.store("more", iter([("numbers", "AllTraffic", events([("7", 1, None)]))]))
    table = pa.table({"id": [7], "y": [2.5], "t": pa.array([NOON + HOUR], pa.timestamp("us"))})
    pq.write_table(table, tmp_path / "l.parquet")
    import_labels(archive, "numbers", tmp_path / "l.parquet", label="y", time="t")
    (row,) = labelled(archive.target.name, "numbers", *EVER).table().to_pylist()
    assert (row["label"], row["_label_time"].isoformat()) == (2.5, "2025-11-24T13:00:00+00:00")


def test_json_lines(archive: Archive, tmp_path: Path) -> None:
    lines = [
        {"event_id": "a", "label": 1, "time": "2025-11-24T14:00:00Z"},
        {"inference_id": "x", "label": 2},
        {"id": "d", "label": [3, None, 5]},
    ]
    file = write(tmp_path / "l.jsonl", "\n".join(map(json.dumps, lines)))
    assert import_labels(archive, "churn", file).labels == 4
    assert truth(archive) == {("a", 0): 1, ("c", 0): 2, ("d", 0): 3, ("d", 2): 5}


def test_json_lines_with_other_names(archive: Archive, tmp_path: Path) -> None:
    flat = write(tmp_path / "flat.jsonl", '{"who": "a", "y": 1}\n{"who": "b", "y": 0}\n')
    import_labels(archive, "churn", flat, id="who", label="y")
    nested = write(tmp_path / "nested.jsonl", '{"who": "d", "y": [4, 5, 6]}\n')
    import_labels(archive, "churn", nested, id="who", label="y")
    assert truth(archive) == {("a", 0): 1, ("b", 0): 0, ("d", 0): 4, ("d", 1): 5, ("d", 2): 6}


def sagemaker(event: str, data: str, encoding: str = "CSV") -> str:
    return json.dumps(
        {
            "groundTruthData": {"data": data, "encoding": encoding},
            "eventMetadata": {"eventId": event},
            "eventVersion": "0",
        }
    )


def test_sagemaker_by_its_own_rule(archive: Archive, tmp_path: Path) -> None:
    folder = tmp_path / "truth"
    write(
        folder / "2025/11/25/08/a.jsonl",
        "\n".join([sagemaker("a", "1"), sagemaker("x", "0"), sagemaker("d", "1,0,1\n")]),
    )
    write(folder / "2025/11/25/09/b.jsonl", "\n".join([sagemaker("a", "0.5"), sagemaker("c", "7")]))
    done = import_labels(archive, "churn", folder)
    assert (done.labels, done.refused) == (7, 0)
    # c carries an inference id, so its event id names nothing.
    assert truth(archive) == {("a", 0): 0.5, ("c", 0): 0, ("d", 0): 1, ("d", 1): 0, ("d", 2): 1}
    assert truth(archive, "_label_time")["a", 0].isoformat() == "2025-11-25T09:00:00+00:00"
    assert labelled(archive.target.name, "churn", *EVER).coverage().unmatched == 1


def test_sagemaker_as_it_was_observed(tmp_path: Path, data: Path) -> None:
    captured = data / "sagemaker" / "captured"
    lines = (captured / "bank_marketing_ground_truth_2024.jsonl").read_text().splitlines()
    ids = [json.loads(line)["eventMetadata"]["eventId"] for line in lines]
    archive = Archive(tmp_path)
    archive.store("first", iter([("bank", "AllTraffic", events([(i, 1, None) for i in ids]))]))
    for name in ("ground_truth", "merged"):
        assert import_labels(archive, "bank", captured / f"bank_marketing_{name}_2024.jsonl").refused == 0
    coverage = labelled(tmp_path, "bank", *EVER).coverage()
    assert (coverage.labelled, coverage.duplicates, coverage.corrected) == (10, 2, 0)


def test_other_encodings_of_sagemaker(archive: Archive, tmp_path: Path) -> None:
    lines = [
        sagemaker("a", base64.b64encode(b"3").decode(), "BASE64"),
        sagemaker("d", "[1, 2, 3]", "JSON"),
        sagemaker("b", "!", "BASE64"),
        sagemaker("b", "{", "JSON"),
        sagemaker("b", "1", "XML"),
        sagemaker("b", "1,2\n3,4"),
        sagemaker("b", ""),
    ]
    done = import_labels(archive, "churn", write(tmp_path / "l.jsonl", "\n".join(lines)))
    assert (done.labels, done.refused) == (4, 5)
    assert [item.line for item in done.examples] == [3, 4, 5, 6, 7]
    assert truth(archive) == {("a", 0): 3, ("d", 0): 1, ("d", 1): 2, ("d", 2): 3}


def test_http(archive: Archive) -> None:
    records = [
        {"event_id": "a", "label": {"churned": True, "months": 3}},
        {"event_id": "d", "row": 1, "label": {"churned": False}},
    ]
    assert store_labels(archive, "churn", records).labels == 2
    assert truth(archive, "label_churned") == {("a", 0): True, ("d", 1): False}
    assert truth(archive, "label_months") == {("a", 0): 3}


def test_a_request_that_is_repeated_counts_once(tmp_path: Path) -> None:
    with Captures(tmp_path, seal_in="thread") as captures:
        for expected in ((1, 0), (0, 1)):
            done = store_labels(captures, "churn", [{"id": "a", "label": 1}], request="42")
            assert (done.labels, done.repeated) == expected
        assert store_labels(captures, "churn", [{"id": "a", "label": 1}]).labels == 1
        assert len(captures.archive.manifest.segments("labels")) == 2


# --- what holds ---


def test_rows(archive: Archive) -> None:
    records = [
        {"event_id": "d", "label": 9},  # of several rows: which?
        {"event_id": "d", "label": 8, "row": 2},
        {"event_id": "d", "label": 7, "row": 3},
        {"event_id": "a", "label": 6, "row": 0},
        {"event_id": "b", "label": [5]},
        {"event_id": "c", "label": [4, 4]},
        {"event_id": "d", "label": [3, 3]},
    ]
    store_labels(archive, "churn", records)
    assert truth(archive) == {("d", 2): 8, ("a", 0): 6, ("b", 0): 5}
    assert labelled(archive.target.name, "churn", *EVER).coverage().misfits == 6


def test_the_last_label_holds(archive: Archive) -> None:
    for label, time in ((1, "2025-11-25"), (2, "2025-11-27"), (3, "2025-11-26"), (2, "2025-11-27")):
        store_labels(archive, "churn", [{"event_id": "a", "label": label, "time": time}])
    assert truth(archive) == {("a", 0): 2}
    store_labels(archive, "churn", [{"event_id": "a", "label": 4, "time": "2025-11-27"}])
    assert truth(archive) == {("a", 0): 4}
    coverage = labelled(archive.target.name, "churn", *EVER).coverage()
    assert (coverage.labelled, coverage.corrected, coverage.duplicates) == (1, 3, 1)


def test_the_order_of_imports_survives_a_clock_that_stands_still_or_goes_back(tmp_path: Path) -> None:
    moments = iter([NOON] * 20 + [NOON - 400 * 24 * HOUR] * 20)
    archive = Archive(tmp_path, clock=lambda: next(moments))
    archive.store("first", iter([("churn", "AllTraffic", events([("a", 1, None)]))]))
    for label in range(6):
        store_labels(archive, "churn", [{"event_id": "a", "label": label}])
        (row,) = labelled(tmp_path, "churn", *EVER).table().to_pylist()
        assert row["label"] == label


def test_labels_by_different_ids_meet(archive: Archive) -> None:
    store_labels(archive, "churn", [{"event_id": "c", "label": 1}])
    store_labels(archive, "churn", [{"inference_id": "x", "label": 2}])
    store_labels(archive, "churn", [{"id": "c", "label": 3}])  # by SageMaker's rule names nothing
    assert truth(archive) == {("c", 0): 2}
    store_labels(archive, "churn", [{"id": "x", "label": 4}])
    assert truth(archive) == {("c", 0): 4}


def test_labels_wait_for_their_events(archive: Archive) -> None:
    store_labels(archive, "churn", [{"event_id": "late", "label": 1}])
    assert labelled(archive.target.name, "churn", *EVER).coverage().unmatched == 1
    archive.store("second", iter([("churn", "AllTraffic", events([("late", 1, None)], NOON - HOUR))]))
    joined = labelled(archive.target.name, "churn", *EVER)
    assert joined.coverage().unmatched == 0
    assert joined.table()["label"].drop_null().to_pylist() == [1]


def test_an_import_is_made_once(archive: Archive, tmp_path: Path) -> None:
    folder = tmp_path / "truth"
    write(folder / "1.csv", "id,label\na,1\n")
    assert import_labels(archive, "churn", folder).labels == 1
    write(folder / "2.csv", "id,label\nb,1\n")
    write(folder / "copy.csv", "id,label\na,1\n")
    done = import_labels(archive, "churn", folder)
    assert (done.labels, done.repeated) == (1, 2)
    assert import_labels(archive, "churn", folder / "1.csv").labels == 0
    archive.manifest.forget_logs(1 << 60)
    assert import_labels(archive, "churn", folder).labels == 0
    assert import_labels(archive, "other", folder).labels == 2
    assert truth(archive) == {("a", 0): 1, ("b", 0): 1}


# --- what cannot be read ---


def test_what_cannot_be_read_is_set_aside_with_its_place(archive: Archive, tmp_path: Path) -> None:
    long = "y" * 200
    file = write(
        tmp_path / "l.csv",
        f"id,label,when,row\na,1,2025-11-25,0\n,1,2025-11-25,\nb,,2025-11-25,\nc,1,soon,\n{long},1,2025-11-25,\nc,1,,\nd,1,2025-11-25,-1\n",
    )
    done = import_labels(archive, "churn", file, time="when")
    assert (done.labels, done.refused) == (1, 6)
    assert [str(item).removeprefix(str(file)) for item in done.examples] == [
        ":3: has no id",
        ":4: has no label",
        ":5: has a time that is not like 2026-11-23T07:00:00Z",
        ":6: has an id of more than 128 characters",
        ":7: has no time",
        ":8: has a row that is no whole number from 0",
    ]
    assert tuple(refused_labels(archive)) == done.examples
    assert archive.manifest.counts("churn")["churn", "", "labels refused", ""] == 6
    assert import_labels(archive, "churn", file, time="when").repeated == 1


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ("text", "is no object"),
        ({"label": 1}, "has no id"),
        ({"id": "", "label": 1}, "has no id"),
        ({"id": 1.5, "label": 1}, "has an id that is no text"),
        ({"id": "a"}, "has no label"),
        ({"id": "a", "label": float("nan")}, "has no label"),
        ({"id": "a", "label": {}}, "has no label"),
        ({"id": "a", "label": []}, "has an empty list"),
        ({"id": "a", "label": [1], "row": 0}, "has a row and a list"),
        ({"id": "a", "label": [[1]]}, "a value of type list"),
        ({"id": "a", "label": 1, "row": True}, "has a row that is no whole number"),
        ({"id": "a", "label": 1, "time": 5}, "has a time that is not like"),
        ({"id": "a", "event_id": "b", "label": 1}, "has the ids id and event_id"),
        ({"id": "\ud800", "label": 1}, "surrogate"),
        ({"groundTruthData": {"data": 1}}, "without data"),
        ({"groundTruthData": {"data": "1"}}, "has no eventMetadata"),
    ],
)
def test_records_that_cannot_be_read(archive: Archive, record: Any, reason: str) -> None:
    with pytest.raises(SourceError, match=reason) as caught:
        store_labels(archive, "churn", [record])
    assert (caught.value.code, caught.value.line) == ("E-LABEL", 1)
    done = store_labels(archive, "churn", [{"id": "a", "label": 1}, record])
    assert (done.labels, done.refused, done.examples[0].line) == (1, 1, 2)
    with pytest.raises(SourceError, match=reason):
        store_labels(archive, "churn", [{"id": "b", "label": 1}, record], strict=True)
    assert truth(archive) == {("a", 0): 1}


@pytest.mark.parametrize(
    ("text", "options", "code"),
    [
        ("who,label\na,1\n", {}, "E-COLUMNS"),
        ("id,event_id,label\na,a,1\n", {}, "E-COLUMNS"),
        ("id,y\na,1\n", {}, "E-COLUMNS"),
        ("id,label\na,1\n", {"label": ["id"]}, "E-COLUMNS"),
        ("id,label\na,1\n", {"label": []}, "E-COLUMNS"),
        ("id,label\na,1\n", {"time": "tme"}, "E-COLUMNS"),
        ("id,label\na,1\nb\n", {}, "E-CSV-COLUMNS"),
        ("id,label\n,\n", {}, "E-LABEL"),
        ("id,label\na,1\n,1\n", {"strict": True}, "E-LABEL"),
        ("id,label\na,1\n", {"by": "event"}, "E-BY"),
    ],
)
def test_files_that_are_refused_leave_nothing(
    archive: Archive, tmp_path: Path, text: str, options: Mapping[str, Any], code: str
) -> None:
    file = write(tmp_path / "l.csv", text)
    with pytest.raises((SourceError, SchemaError, UsageError)) as caught:
        import_labels(archive, "churn", file, **options)
    assert caught.value.code == code
    assert archive.manifest.segments("labels") == []
    assert archive.target.paths(FOLDER) == []
    assert list(archive.quarantine.iterdir()) == []


@pytest.mark.parametrize(
    "columns",
    [{"id": [1.5], "label": [1]}, {"id": ["a"], "label": [{"b": 1}]}, {"id": ["a"], "label": [b"1"]}],
)
def test_columns_of_types_that_no_label_has(archive: Archive, columns: Any) -> None:
    with pytest.raises(SchemaError) as caught:
        import_labels(archive, "churn", pa.table(columns))
    assert caught.value.code == "E-TYPES"


def test_too_many_that_cannot_be_read(archive: Archive, tmp_path: Path) -> None:
    file = write(tmp_path / "l.csv", "id,label\na,1\n" + ",1\n" * 10_001)
    with pytest.raises(SourceError, match="and 10,000 more"):
        import_labels(archive, "churn", file)
    assert archive.target.paths(FOLDER) == []


# --- nothing half ---


def test_a_kill_between_the_steps_leaves_all_or_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "captures"
    archive = Archive(root)
    archive.store("first", iter([("churn", "AllTraffic", events([("a", 1, None), ("b", 1, None)]))]))
    file = write(
        tmp_path / "l.csv", "id,label,t\n" + "".join(f"{i},1,2025-11-2{n}\n" for n, i in enumerate("abcd"))
    )
    steps = 0
    while True:
        steps += 1
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of threads, which are idle here
            pid = os.fork()
        if not pid:
            left = iter(range(steps))

            def counted(call: Any, left: Iterator[int] = left) -> Any:
                def run(*args: Any, **kwargs: Any) -> Any:
                    result = call(*args, **kwargs)
                    if next(left, None) is None:
                        os.kill(os.getpid(), signal.SIGKILL)
                    return result

                return run

            os.fsync = counted(os.fsync)
            os.open = counted(os.open)
            try:
                import_labels(Archive(root), "churn", file, time="t")
            finally:
                os._exit(0)
        _, status = os.waitpid(pid, 0)
        n = labelled(root, "churn", *EVER).coverage()
        assert (n.labelled, n.unmatched) in ((0, 0), (2, 2))
        assert check_labels(Archive(root)) == []
        if not os.WIFSIGNALED(status):
            break
        if n.labelled:
            assert import_labels(archive, "churn", file, time="t").repeated == 1
            break
    assert steps > 5
    erase_labels(archive)
    assert sorted(archive.target.paths(FOLDER)) == sorted(s.path for s in archive.manifest.segments("labels"))


def test_an_import_that_fails_takes_away_what_it_wrote(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = archive.target.write

    def write_one(path: str, data: Any) -> None:
        if archive.target.paths(FOLDER):
            raise UsageError("cannot be written: No space left on device", code="E-WRITE", file=path)
        real(path, data)

    monkeypatch.setattr(archive.target, "write", write_one)
    records = [{"id": "a", "label": 1, "time": f"2025-11-2{day}"} for day in (4, 5)]
    with pytest.raises(UsageError, match="No space"):
        store_labels(archive, "churn", records)
    assert archive.target.paths(FOLDER) == []
    assert truth(archive, "_label_time") == {}


def test_long_imports_are_written_in_pieces(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("driftline.capture.truth._AT_ONCE", 2)
    table = pa.table({"id": list("abcab"), "label": [1, 2, 3, 4, 5]})
    monkeypatch.setattr("driftline.capture.open.BATCH_ROWS", 2)
    assert import_labels(archive, "churn", table.to_reader(1)).labels == 5
    assert truth(archive) == {("a", 0): 4, ("b", 0): 5}
    assert len(archive.manifest.segments("labels")) > 1


# --- upkeep ---


def test_compaction_keeps_what_holds(archive: Archive) -> None:
    for label in (1, 2, "three"):
        store_labels(
            archive, "churn", [{"event_id": "a", "label": label}, {"inference_id": "x", "label": label}]
        )
    before = labelled(archive.target.name, "churn", *EVER)
    rows, told = before.table(), before.coverage()
    assert compact_labels(archive, least=4) == 0
    assert compact_labels(archive) == 4
    after = labelled(archive.target.name, "churn", *EVER)
    assert after.table().equals(rows)
    assert after.coverage() == told
    assert check_labels(archive) == []


def test_erasure_takes_every_trace(archive: Archive) -> None:
    store_labels(
        archive,
        "churn",
        [{"event_id": "a", "label": 1}, {"event_id": "c", "label": 2}, {"id": "b", "label": 3}],
    )
    store_labels(
        archive,
        "churn",
        [{"id": "x", "label": 4}, {"inference_id": "x", "label": 5}, {"event_id": "c", "label": []}],
    )
    compact_labels(archive)
    assert erase_labels(archive, event_ids=["c"]) == 4
    assert truth(archive) == {("a", 0): 1, ("b", 0): 3}
    assert list(refused_labels(archive)) == []
    left = [p.read_bytes() for p in archive.quarantine.iterdir()] + [
        archive.target.read(p).to_pybytes() for p in archive.target.paths(FOLDER)
    ]
    assert len(left) == 2
    keys = {key for s in archive.manifest.segments("labels") for key in archive.read(s)["_key"].to_pylist()}
    assert keys == {"a", "b"}
    assert erase_labels(archive, inference_ids=["a"]) == 0
    assert erase_labels(archive, event_ids=["a", "b"]) == 2
    assert archive.target.paths(FOLDER) == []


def test_old_labels_go(archive: Archive) -> None:
    store_labels(
        archive,
        "churn",
        [{"id": "a", "label": 1, "time": "2025-11-20"}, {"id": "b", "label": 1, "time": "2025-11-22"}],
    )
    assert expire_labels(archive, before=NOON - 3 * 24 * HOUR) == 1
    assert truth(archive) == {("b", 0): 1}


def test_damage_is_found(archive: Archive) -> None:
    store_labels(archive, "churn", [{"id": "a", "label": 1}, {"id": "", "label": 1}])
    (path,) = archive.target.paths(FOLDER)
    file = archive.target.shown(path)
    with Path(file).open("r+b") as stream:
        stream.seek(40)
        stream.write(b"\xff")
    assert [(f, "digest" in m) for f, m in check_labels(archive)] == [(file, True)]
    with pytest.raises(SourceError, match="digest") as caught:
        labelled(archive.target.name, "churn", *EVER).table()
    assert caught.value.code == "E-DIGEST"
    Path(file).unlink()
    with pytest.raises(SourceError, match="not there"):
        labelled(archive.target.name, "churn", *EVER).coverage()
    next(archive.quarantine.iterdir()).write_text("")
    assert len(check_labels(archive)) == 2


# --- an object store ---


def test_an_object_store(store: Any, tmp_path: Path) -> None:
    url = store.url("truth-test/captures")
    archive = Archive(url, state=tmp_path)
    archive.store("first", iter([("churn", "AllTraffic", events([("a", 1, None), ("b", 1, None)]))]))
    store.put("truth-test/labels/l.csv", b"id,label\na,1\nb,0\n,0\n")
    assert import_labels(archive, "churn", store.url("truth-test/labels")).labels == 2
    assert import_labels(url, "churn", store.url("truth-test/labels/l.csv"), state=tmp_path).repeated == 1
    store_labels(archive, "churn", [{"event_id": "a", "label": 2}])
    # A reader needs no state: the store tells what is to be seen.
    joined = labelled(url, "churn", *EVER)
    assert joined.table()["label"].to_pylist() == [2, 0]
    coverage = joined.coverage()
    assert (coverage.rows, coverage.labelled, coverage.corrected, coverage.unmatched) == (2, 2, 1, 0)
    assert compact_labels(archive) <= 1
    assert erase_labels(archive, event_ids=["a"]) == 2
    assert labelled(url, "churn", *EVER).table()["label"].to_pylist() == [None, 0]
