from __future__ import annotations

import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftline.capture.archive import Archive
from driftline.capture.labelled import Coverage, Resources, changed_since, labelled
from driftline.capture.tables import HOUR, META
from driftline.capture.truth import compact_labels, import_labels, store_labels
from driftline.capture.upkeep import compact
from driftline.errors import SourceError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

NOON = 1_763_985_600_000_000 // HOUR * HOUR
EVER = (0, 1 << 52)
SECOND = 1_000_000


def captured(ids: Any, times: Any, rows: Any = 0, callers: Any = None, **columns: Any) -> pa.Table:
    """Make captured rows."""
    n = len(ids)
    arrays = [
        pa.array(ids, pa.string()),
        pa.array(np.broadcast_to(rows, n), pa.int32()),
        pa.array(times, pa.int64()).cast(pa.timestamp("us", "UTC")),
        pa.array(times, pa.int64()).cast(pa.timestamp("us", "UTC")),
        pa.array(["both"] * n),
        pa.array(callers, pa.string()) if callers is not None else pa.nulls(n, pa.string()),
        pa.nulls(n, pa.string()),
        pa.nulls(n, META.field("_attributes").type),
        *(pa.array(column) for column in columns.values()),
    ]
    fields = [
        *META,
        *(pa.field(name, array.type) for name, array in zip(columns, arrays[len(META) :], strict=True)),
    ]
    return pa.table(arrays, schema=pa.schema(fields, META.metadata))


def archive_of(root: Path, *tables: pa.Table, variant: str = "AllTraffic", **options: Any) -> Archive:
    archive = Archive(root, **options)
    for number, table in enumerate(tables):
        archive.store(f"{variant}-{number}", iter([("churn", variant, table)]))
    return archive


@pytest.fixture
def three(tmp_path: Path) -> Archive:
    """Events a, b, c an hour apart, each with an amount."""
    times = [NOON, NOON + HOUR, NOON + 2 * HOUR]
    return archive_of(tmp_path / "it's [*] odd", captured(list("abc"), times, amount=[1.0, 2.0, 3.0]))


# --- what comes out ---


def test_all_rows_come_out_once_with_their_labels(three: Archive) -> None:
    store_labels(
        three, "churn", [{"id": "b", "label": 1, "time": "2025-11-25"}, {"id": "nobody", "label": 1}]
    )
    joined = labelled(three.target.name, "churn", *EVER)
    table = joined.table()
    assert table.column_names == [*META.names, "amount", "_label_time", "label"]
    assert table["_event_id"].to_pylist() == list("abc")
    assert table["label"].to_pylist() == [None, 1, None]
    assert sum(batch.num_rows for batch in joined.batches()) == 3
    lag = float((datetime(2025, 11, 25, tzinfo=UTC) - datetime.fromtimestamp(NOON / 1e6 + 3600, UTC)).seconds)
    assert joined.coverage() == Coverage(3, 1, lag, lag, lag, unmatched=1)
    assert joined.coverage(unmatched=False).unmatched is None
    assert joined.coverage().share == pytest.approx(1 / 3)
    assert "3 files" in repr(joined)


def test_others_take_it_as_it_is(three: Archive) -> None:
    store_labels(three, "churn", [{"id": "b", "label": 1}])
    joined = labelled(three.target.name, "churn", *EVER)
    assert pl.DataFrame(joined).get_column("label").to_list() == [None, 1, None]
    assert duckdb.sql("SELECT sum(amount) FROM joined WHERE label = 1").fetchall() == [(2.0,)]
    assert pd.DataFrame.from_arrow(joined)["label"].sum() == 1


def test_columns_may_be_chosen(three: Archive) -> None:
    store_labels(three, "churn", [{"id": "b", "label": 1}])
    joined = labelled(three.target.name, "churn", NOON + 1, NOON + 3 * HOUR)
    assert joined.table(["amount", "missing"]).to_pydict() == {
        "amount": [2.0, 3.0],
        "_label_time": joined.table()["_label_time"].to_pylist(),
        "label": [1, None],
    }
    assert joined.table(["amount"]).column_names == ["amount", "_label_time", "label"]


def test_the_window_is_cut_to_the_microsecond(tmp_path: Path) -> None:
    archive = archive_of(tmp_path, captured(list("abcd"), [NOON, NOON + 1, NOON + 2, NOON + 3]))
    store_labels(archive, "churn", [{"id": i, "label": n} for n, i in enumerate("abcd")])
    joined = labelled(tmp_path, "churn", NOON + 1, NOON + 3)
    assert joined.table()["label"].to_pylist() == [1, 2]
    assert (joined.coverage().rows, joined.coverage().labelled, joined.coverage().unmatched) == (2, 2, 0)


def test_an_empty_window_and_no_labels(three: Archive) -> None:
    nothing = labelled(three.target.name, "churn", 0, 1)
    assert nothing.table().num_rows == 0
    assert nothing.coverage() == Coverage(0, 0, unmatched=0)
    assert nothing.coverage().share is None
    unlabelled = labelled(three.target.name, "churn", *EVER)
    assert unlabelled.table()["label"].null_count == 3
    assert unlabelled.coverage() == Coverage(3, 0, unmatched=0)
    store_labels(three, "other", [{"id": "a", "label": 1}])
    assert labelled(three.target.name, "churn", *EVER).coverage().labelled == 0
    assert labelled(three.target.name, "other", *EVER).coverage() == Coverage(0, 0, unmatched=1)


def test_variants(three: Archive) -> None:
    table = captured(["a", "z"], [NOON, NOON], amount=[9.0, 9.0])
    three.store("canary", iter([("churn", "canary", table)]))
    store_labels(three, "churn", [{"id": i, "label": 1} for i in "az"])
    for variant, n in ((None, 3), ("canary", 2), ("AllTraffic", 1), ("none", 0)):
        joined = labelled(three.target.name, "churn", *EVER, variant=variant)
        assert (joined.coverage().labelled, joined.coverage().unmatched) == (n, 0)


def test_names_that_are_taken(tmp_path: Path) -> None:
    archive = archive_of(tmp_path, captured(["a"], [NOON], label=["mine"], label_x=[1], label_x_=[2]))
    store_labels(archive, "churn", [{"id": "a", "label": 5}, {"id": "a", "label": {"x": 7}}])
    table = labelled(tmp_path, "churn", *EVER).table()
    assert table.column_names[len(META) :] == [
        "label",
        "label_x",
        "label_x_",
        "_label_time",
        "label_",
        "label_x__",
    ]
    # The later label has no value of its own there.
    assert table.select([-2, -1]).to_pylist() == [{"label_": None, "label_x__": 7}]


def test_schemas_that_change(tmp_path: Path) -> None:
    tables = [
        captured(["a"], [NOON], x=[1]),
        captured(["b"], [NOON + HOUR], x=[0.5], y=["new"]),
        captured(["c"], [NOON + 2 * HOUR], x=["text"]),
    ]
    archive = archive_of(tmp_path, *tables)
    for event, label in (("a", 1), ("b", 2.5), ("c", "three")):
        store_labels(archive, "churn", [{"id": event, "label": label}])
    joined = labelled(tmp_path, "churn", *EVER)
    assert joined.table().select(["x", "y", "label"]).to_pydict() == {
        "x": ["1", "0.5", "text"],
        "y": [None, "new", None],
        "label": ["1", "2.5", "three"],
    }
    assert joined.table().drop_columns(["_label_time", "label"]).equals(joined.window.table())


@pytest.mark.parametrize(
    "values",
    [
        [True, False],
        [1, None],
        [pd.Timestamp("2025-11-25", tz="Europe/Berlin"), None],
        [pd.Timestamp("2025-11-25T01:02:03.000004"), None],
        [datetime(2025, 11, 25).date(), None],  # noqa: DTZ001
        ["text 'and' \"quotes\"", None],
    ],
)
def test_types_of_labels(three: Archive, values: list[Any]) -> None:
    data = pa.table({"id": ["a", "b"], "y": pa.array(values), "z": [1, 2]})
    import_labels(three, "churn", data, label=["y", "z"])
    table = labelled(three.target.name, "churn", *EVER).table()
    assert table["label_y"].to_pylist()[:2] == pa.array(values).to_pylist()


# --- when ---


def test_as_of_is_what_was_known(tmp_path: Path) -> None:
    clock = iter(range(NOON, 1 << 62, HOUR))
    archive = archive_of(tmp_path, captured(["a"], [NOON]), clock=lambda: next(clock))
    known = []
    for label in (1, 2, 3):
        store_labels(archive, "churn", [{"id": "a", "label": label, "time": f"2025-11-2{5 - label}"}])
        known.append(next(clock))
    # The first has the latest label time, so that it holds throughout.
    assert [labelled(tmp_path, "churn", *EVER, as_of=at).coverage().corrected for at in known] == [0, 1, 2]
    assert labelled(tmp_path, "churn", *EVER, as_of=NOON).coverage().labelled == 0
    assert labelled(tmp_path, "churn", *EVER, as_of=NOON).coverage().unmatched == 0


def test_a_window_is_due_when_its_labels_had_their_time(three: Archive) -> None:
    start, end = "2025-11-24T12:00:00Z", "2025-11-24T13:00:00Z"
    at_once = labelled(three.target.name, "churn", start, end)
    later = labelled(three.target.name, "churn", start, end, delay=timedelta(days=2))
    assert at_once.is_due("2025-11-24T13:00:00Z")
    assert not at_once.is_due("2025-11-24T12:59:59.999999Z")
    assert later.is_due("2025-11-26T13:00:00Z")
    assert not later.is_due("2025-11-26T12:59:59.999999Z")
    assert later.is_due()
    with pytest.raises(UsageError, match="negative"):
        labelled(three.target.name, "churn", start, end, delay=timedelta(days=-1))


def test_hours_that_changed(tmp_path: Path) -> None:
    moment = NOON + 100 * HOUR
    archive = archive_of(
        tmp_path, captured(list("abc"), [NOON, NOON + HOUR, NOON + 2 * HOUR]), clock=lambda: moment
    )
    hours = [datetime.fromtimestamp((NOON + n * HOUR) / 1e6, UTC) for n in range(4)]

    def told(since: int, **options: Any) -> Sequence[datetime]:
        return changed_since(tmp_path, "churn", since, **options)

    assert told(0) == ()
    moment += HOUR
    store_labels(archive, "churn", [{"id": "b", "label": 1}, {"id": "late", "label": 1}])
    first = moment
    assert told(first - 1) == (hours[1],)
    assert told(first + 61 * SECOND) == ()
    moment += HOUR
    store_labels(archive, "churn", [{"event_id": "a", "label": 1}])
    assert told(first + 61 * SECOND) == (hours[0],)
    assert told(0) == (hours[0], hours[1])
    assert told(0, start=NOON + 1 + HOUR) == (hours[1],)
    assert told(0, end=NOON + HOUR) == (hours[0],)
    assert told(0, variant="canary") == ()
    # Many small files becoming one is no news.
    moment += HOUR
    before = moment
    compact_labels(archive)
    compact(archive)
    assert told(before + 1) == ()
    # An event whose label was there before it is.
    moment += HOUR
    archive.store(
        "late",
        iter([("churn", "AllTraffic", captured(["late", "plain"], [NOON + 3 * HOUR, NOON + 2 * HOUR]))]),
    )
    assert told(before + 1) == (hours[3],)


def test_compacted_events_are_as_old_as_they_were(tmp_path: Path) -> None:
    moment = NOON + 100 * HOUR
    tables = [captured([event], [NOON]) for event in "ab"]
    archive = archive_of(tmp_path, *tables, clock=lambda: moment)
    store_labels(archive, "churn", [{"id": "a", "label": 1}])
    moment += HOUR
    compact(archive)
    assert changed_since(tmp_path, "churn", moment - 1) == ()
    assert [s.created for s in archive.manifest.segments()] == [moment - HOUR]


# --- refusals ---


def test_refusals(three: Archive, tmp_path: Path) -> None:
    root = three.target.name
    with pytest.raises(SourceError, match="holds no captures"):
        labelled(tmp_path / "nowhere", "churn", *EVER)
    with pytest.raises(SourceError, match="holds no captures"):
        changed_since(tmp_path / "nowhere", "churn", 0)
    with pytest.raises(UsageError, match="ends before it begins"):
        labelled(root, "churn", 1, 1)
    with pytest.raises(UsageError, match="no name"):
        changed_since(root, "../churn", 0)
    for resources in (Resources(threads=0), Resources(memory_bytes=1)):
        with pytest.raises(UsageError) as caught:
            labelled(root, "churn", *EVER, resources=resources).table()
        assert caught.value.code == "E-RESOURCES"
    with pytest.raises(UsageError) as caught:
        labelled(root, "churn", *EVER, resources=Resources(temporary=tmp_path / "nowhere")).table()
    assert caught.value.code == "E-WRITE"


def test_nothing_is_left_behind(three: Archive, tmp_path: Path) -> None:
    store_labels(three, "churn", [{"id": "a", "label": 1}])
    joined = labelled(three.target.name, "churn", *EVER, resources=Resources(temporary=tmp_path))
    before = set(tmp_path.iterdir())
    batches = joined.batches()
    next(batches)
    assert set(tmp_path.iterdir()) != before
    batches.close()
    joined.reader().close()
    joined.coverage()
    assert set(tmp_path.iterdir()) == before


# --- laws ---

LABEL = st.tuples(
    st.integers(0, 11),  # event
    st.sampled_from(["event_id", "inference_id", "id"]),
    st.one_of(st.none(), st.integers(0, 3)),  # row
    st.integers(0, 3),  # value
)


@given(
    st.lists(LABEL, max_size=30, unique_by=lambda label: label),
    st.lists(st.integers(1, 3), min_size=1, max_size=8),
    st.randoms(use_true_random=False),
    st.integers(1, 5),
)
@settings(max_examples=settings.default.max_examples // 5)  # each writes two stores
def test_whatever_comes_in_whatever_order(
    labels: list[Any], sizes: list[int], random: Any, n_files: int
) -> None:
    ids = [f"e{n}" for n, size in enumerate(sizes) for _ in range(size)]
    rows = [row for size in sizes for row in range(size)]
    callers = [f"i{n % 3}" if n % 2 else None for n, size in enumerate(sizes) for _ in range(size)]
    times = [NOON + n * HOUR // 3 for n, size in enumerate(sizes) for _ in range(size)]
    records = []
    for number, (event, by, row, value) in enumerate(labels):
        key = f"i{event % 3}" if by == "inference_id" or (by == "id" and event % 2) else f"e{event}"
        moment = datetime.fromtimestamp(NOON / 1e6 + number, UTC).isoformat()
        records.append({by: key, "label": value, "time": moment} | ({} if row is None else {"row": row}))
    expected = _obvious(ids, rows, callers, sizes, records)
    answers = []
    for _ in range(2):
        shuffled = records + random.sample(records, len(records) // 2)  # some come twice
        random.shuffle(shuffled)
        with tempfile.TemporaryDirectory() as folder:
            archive = archive_of(Path(folder), captured(ids, times, rows, callers))
            for n in range(n_files):
                if shuffled[n::n_files]:
                    store_labels(archive, "churn", shuffled[n::n_files])
            joined = labelled(folder, "churn", *EVER)
            rows_out = joined.table(["_event_id", "_row"]).to_pylist()
            assert len(rows_out) == len(ids)
            found = {(r["_event_id"], r["_row"]): r["label"] for r in rows_out}
            assert found == expected
            coverage = joined.coverage()
            assert coverage.labelled == sum(v is not None for v in expected.values())
            answers.append((coverage.labelled, coverage.corrected, coverage.lag_max))
    assert answers[0] == answers[1]


def _obvious(
    ids: list[str],
    rows: list[int],
    callers: list[str | None],
    sizes: list[int],
    records: list[dict[str, Any]],
) -> dict[tuple[str, int], Any]:
    """Return the label of every row by looking at every label."""
    found: dict[tuple[str, int], Any] = {}
    for event, row, caller in zip(ids, rows, callers, strict=True):
        held = None
        for record in records:  # in the order of their times
            key = record.get("event_id") == event or (
                caller is not None and record.get("inference_id") == caller
            )
            key = key or record.get("id") == (caller or event)
            alone = sizes[int(event[1:])] == 1
            if key and (record["row"] == row if "row" in record else alone):
                held = record["label"]
        found[event, row] = held
    return found


# --- size ---


def _at_size(root: Path, n: int, resources: Resources) -> None:
    """Hold the join of `n` events with shuffled, repeated and corrected labels to pandas."""
    rng = np.random.default_rng(7)
    ids = np.char.add("event-", rng.permutation(n).astype(str))
    archive = Archive(root)
    per_hour = -(-n // 24)

    def tables() -> Any:
        for hour in range(24):
            mine = ids[hour * per_hour : (hour + 1) * per_hour]
            times = np.sort(NOON + hour * HOUR + rng.integers(0, HOUR, len(mine)))
            yield "churn", "AllTraffic", captured(mine, times, amount=rng.normal(size=len(mine)))

    archive.store("all", tables())
    # Nine tenths have a label, a tenth a correction, a tenth the same label again, and some labels have no event.
    labels = pd.DataFrame({"id": ids[: n * 9 // 10], "label": rng.integers(0, 5, n * 9 // 10)})
    labels["time"] = NOON + 30 * HOUR + rng.integers(0, HOUR, len(labels))
    again = labels.sample(n // 10, random_state=1)
    better = labels.sample(n // 10, random_state=2).assign(
        time=lambda d: d["time"] + HOUR, label=lambda d: d["label"] + 5
    )
    lost = pd.DataFrame({"id": [f"nobody-{i}" for i in range(n // 50)], "label": 0, "time": NOON})
    every = pd.concat([labels, again, better, lost]).sample(frac=1.0, random_state=3)
    every["time"] = pd.to_datetime(every["time"], unit="us", utc=True)
    for part in np.array_split(np.arange(len(every)), 3):
        import_labels(archive, "churn", every.iloc[part], time="time")

    joined = labelled(root, "churn", NOON, NOON + 24 * HOUR, resources=resources)
    found = joined.table(["_event_id", "_time", "amount"]).to_pandas()
    events = joined.window.table(["_event_id", "amount"]).to_pandas()
    last = every.sort_values("time", kind="stable").drop_duplicates("id", keep="last")
    oracle = events.merge(last, left_on="_event_id", right_on="id", how="left", validate="one_to_one")
    assert len(found) == n
    assert found["_event_id"].equals(oracle["_event_id"])
    assert np.array_equal(found["label"].to_numpy(float), oracle["label"].to_numpy(float), equal_nan=True)
    assert found["amount"].equals(oracle["amount"])
    coverage = joined.coverage()
    lags = (found["_label_time"] - found["_time"]).dropna().dt.floor("s").dt.total_seconds()
    assert (coverage.rows, coverage.labelled) == (n, int(oracle["label"].notna().sum()))
    assert (coverage.corrected, coverage.duplicates, coverage.unmatched) == (n // 10, n // 10, n // 50)
    assert coverage.lag_p50 == np.quantile(lags, 0.5, method="inverted_cdf")
    assert coverage.lag_p90 == np.quantile(lags, 0.9, method="inverted_cdf")
    assert coverage.lag_max == lags.max()


def test_the_join_is_exact(tmp_path: Path) -> None:
    _at_size(tmp_path, 30_000, Resources(memory_bytes=32 << 20, threads=2))


@pytest.mark.exam
def test_the_join_is_exact_at_two_million_in_little_memory(tmp_path: Path) -> None:
    _at_size(tmp_path / "captures", 2_000_000, Resources(memory_bytes=192 << 20, threads=2))


def test_too_little_memory_is_said(tmp_path: Path) -> None:
    ids = [f"event-{n}-{'x' * 100}" for n in range(60_000)]
    archive = archive_of(tmp_path, captured(ids, NOON + np.arange(len(ids))))
    import_labels(archive, "churn", {"id": ids, "label": ids})
    starved = labelled(tmp_path, "churn", *EVER, resources=Resources(memory_bytes=16 << 20, threads=8))
    with pytest.raises(UsageError) as caught:
        starved.table()
    assert caught.value.code == "E-MEMORY"
    assert (
        labelled(tmp_path, "churn", *EVER, resources=Resources(memory_bytes=256 << 20)).coverage().labelled
        == 60_000
    )
