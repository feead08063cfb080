from __future__ import annotations

import itertools
import json
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from captured import HOUR, NOON, LostAnswer, body, csv, event
from hypothesis import given
from hypothesis import strategies as st

from driftline.capture import target as targets
from driftline.capture.archive import Archive
from driftline.capture.captures import Captures
from driftline.capture.tables import META
from driftline.capture.upkeep import check, compact, erase, expire
from driftline.capture.window import moment_of, window
from driftline.errors import SourceError, UsageError

_numbers = itertools.count()


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Events every ten minutes over four hours, in two files for each, of two variants."""
    place = tmp_path_factory.mktemp("captures")
    with Captures(place, seal_in="thread") as captures:
        for part in range(2):
            captures.write(
                [
                    event(
                        f"e{n:02}",
                        at=NOON + n * HOUR // 6,
                        input=body({"n": n} if n < 12 else {"n": n + 0.5, "late": "x"}),
                        variant="AllTraffic" if n % 3 else "red",
                    )
                    for n in range(part, 24, 2)
                ]
            )
            assert captures.seal()
    return place


def names(found: Any) -> list[str]:
    return sorted(found.table(["_event_id"])["_event_id"].to_pylist()) if found.segments else []


# --- times


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (5, 5),
        ("1970-01-02", 86_400_000_000),
        ("1970-01-01T00:00:01", 1_000_000),
        ("1970-01-01T00:00:01.5Z", 1_500_000),
        (" 1970-01-01 01:00:00+01:00 ", 0),
        (date(1970, 1, 2), 86_400_000_000),
        (datetime(1970, 1, 1, 0, 0, 0, 7, tzinfo=UTC), 7),
        (datetime(1970, 1, 1, 1, tzinfo=timezone(timedelta(hours=1))), 0),
        (datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC), -1),
    ],
)
def test_moments(value: object, expected: int) -> None:
    assert moment_of(value) == expected


@pytest.mark.parametrize(
    "value",
    [
        "",
        "noon",
        "2026-13-01",
        datetime(2026, 1, 1, tzinfo=UTC).replace(tzinfo=None),
        None,
        True,
        1.5,
        b"2026-01-01",
    ],
)
def test_what_is_no_moment(value: object) -> None:
    with pytest.raises(UsageError) as info:
        moment_of(value)
    assert info.value.code == "E-TIME"


# --- which rows


@given(
    st.integers(-4, 28), st.integers(-4, 28), st.sampled_from([None, "AllTraffic", "red"]), st.integers(-1, 1)
)
def test_a_window_holds_exactly_its_events(root: Path, a: int, b: int, variant: str | None, off: int) -> None:
    first, last = sorted((a, b))
    start, end = NOON + first * HOUR // 6 + off, NOON + last * HOUR // 6 + 2
    expected = [
        f"e{n:02}"
        for n in range(24)
        if start <= NOON + n * HOUR // 6 < end and variant in (None, "red" if n % 3 == 0 else "AllTraffic")
    ]
    found = window(root, "churn", start, end, variant=variant)
    assert names(found) == expected
    # No file without a row that may be in it.
    assert all(s.last >= start and s.first < end for s in found.segments)


def test_windows_side_by_side_hold_each_event_once(root: Path) -> None:
    cuts = [NOON - 1, NOON, NOON + 7, NOON + HOUR // 6, NOON + HOUR, NOON + 3 * HOUR - 1, NOON + 4 * HOUR]
    found = [name for a, b in itertools.pairwise(cuts) for name in names(window(root, "churn", a, b))]
    assert sorted(found) == [f"e{n:02}" for n in range(24)]


def test_columns_are_chosen(root: Path) -> None:
    found = window(root, "churn", NOON, NOON + 4 * HOUR)
    assert found.table(["late", "_event_id"]).column_names == ["late", "_event_id"]
    table = found.table(["late"])
    assert (table.num_rows, table["late"].null_count) == (24, 12)
    assert found.table(["n", "_time"]).schema.types == [pa.float64(), pa.timestamp("us", "UTC")]
    assert found.table(["n", "late", "nothing"]).column_names == ["n", "late"]
    whole = found.table()
    assert whole.schema.names[: len(META)] == META.names
    assert sum(batch.num_rows for batch in found.batches()) == whole.num_rows == 24


def test_an_empty_window(root: Path) -> None:
    found = window(root, "churn", NOON - 5 * HOUR, NOON)
    assert found.files == []
    assert found.table().num_rows == 0
    assert found.table().schema.names == META.names
    assert window(root, "nobody", NOON, NOON + HOUR).segments == ()


def test_it_says_what_it_is(root: Path) -> None:
    said = repr(window(root, "churn", "2023-11-14T22:00", "2023-11-14T23:00"))
    assert said == (
        "<Window of churn, 2023-11-14T22:00:00+00:00 to 2023-11-14T23:00:00+00:00: 4 files, up to 6 rows>"
    )
    assert "churn" in repr(window(root, "churn", -(2**60), 2**60))


def test_a_window_that_makes_no_sense(root: Path, tmp_path: Path) -> None:
    for start, end in ((5, 5), (6, 5)):
        with pytest.raises(UsageError) as info:
            window(root, "churn", start, end)
        assert info.value.code == "E-TIME"
    with pytest.raises(UsageError) as info:
        window(root, "../churn", 0, 5)
    assert info.value.code == "E-NAME"
    for place in (tmp_path, tmp_path / "nothing"):
        with pytest.raises(SourceError) as none:
            window(place, "churn", 0, 5)
        assert none.value.code == "E-NO-STORE"
    assert list(tmp_path.iterdir()) == []


def test_damage_is_told(tmp_path: Path) -> None:
    with Captures(tmp_path, seal_in="thread") as captures:
        captures.write([event("a")])
    found = window(tmp_path, "churn", 0, 2**52)
    path = Path(found.files[0])
    path.write_bytes(path.read_bytes()[:-1])
    for action in (found.table, lambda: list(found.batches(["p"]))):
        with pytest.raises(SourceError, match="digest") as info:
            action()
        assert info.value.code == "E-DIGEST"
    path.unlink()
    with pytest.raises(SourceError, match="not there"):
        found.table()


# --- other readers


def test_other_tools_read_the_files(root: Path) -> None:
    found = window(root, "churn", NOON, NOON + 4 * HOUR)
    assert all(Path(file).is_file() for file in found.files)
    frames = [pd.read_parquet(file, partitioning=None) for file in found.files]
    frame = pd.concat(frames)
    assert len(frame) == 24
    assert frame["n"].sum() == sum(range(24)) + 6
    (answer,) = duckdb.sql(
        "SELECT count(*), sum(n), count(late), count(DISTINCT _event_id), epoch_us(min(_time)) "
        f"FROM read_parquet({found.files}, union_by_name = true, hive_partitioning = false)"
    ).fetchall()
    assert answer == (24, sum(range(24)) + 6, 12, 24, NOON)
    all_files = f"{root}/churn/*/*/*/*.parquet"
    count = f"SELECT count(*) FROM read_parquet('{all_files}', union_by_name = true)"
    assert duckdb.sql(count).fetchall() == [(24,)]


def test_others_take_it_as_it_is(root: Path) -> None:
    found = window(root, "churn", NOON + 1, NOON + 2 * HOUR)
    assert pa.table(found).num_rows == 11
    assert len(pd.DataFrame.from_arrow(found)) == 11
    assert pl.DataFrame(found.table().drop_columns(["_attributes"])).height == 11
    assert duckdb.sql("SELECT count(*) FROM found").fetchall() == [(11,)]


def test_types_that_came_later_are_joined_by_other_tools(tmp_path: Path) -> None:
    with Captures(tmp_path, seal_in="thread") as captures:
        for made in (
            event("a", input=body({"x": None})),
            event("b", input=body({"x": 1})),
            event("c", input=body({"x": "t"})),
        ):
            captures.write([made])
            assert captures.seal()
    found = window(tmp_path, "churn", 0, 2**52)
    rows = duckdb.sql(
        f"SELECT _event_id, x FROM read_parquet({found.files}, union_by_name = true) ORDER BY 1"
    ).fetchall()
    assert rows == [("a", None), ("b", "1"), ("c", "t")]
    table = found.table(["_event_id", "x"])
    assert sorted(zip(*(table[c].to_pylist() for c in ("_event_id", "x")), strict=True)) == rows


# --- an object store


@pytest.fixture
def url(store: Any) -> str:
    made: str = store.url(f"window/{next(_numbers)}/captures")
    return made


def test_captures_on_an_object_store(url: str, store: Any, tmp_path: Path) -> None:
    # In a process of its own, as a server does it.
    with Captures(url, state=tmp_path / "state") as captures:
        captures.write([event("a"), event("b", at=NOON + 30 * HOUR), event("bad", input=csv('"'))])
        assert captures.seal(120), captures.failures
        stats = captures.stats()
        assert (stats.stored, stats.quarantined, stats.balance) == (2, 1, 0)
        assert check(captures.archive) == []
    # A reader has no state.
    found = window(url, "churn", NOON, NOON + 31 * HOUR)
    assert names(found) == ["a", "b"]
    assert all(file.startswith("s3://bucket/window/") and "?" not in file for file in found.files)
    assert names(window(url, "churn", NOON, NOON + HOUR)) == ["a"]
    assert names(window(url, "churn", NOON, NOON + HOUR, variant="red")) == []
    # The state keeps no captures.
    assert not list((tmp_path / "state").rglob("*.parquet"))
    assert not list((tmp_path / "state" / "log").iterdir())


def archive_of(url: str, state: Path) -> Archive:
    return Archive(url, state=state)


def put(archive: Archive, name: str, *events: Any) -> None:
    from driftline.capture import wal
    from driftline.capture.records import event_payload

    path = archive.logs / f"{name}.log"
    path.write_bytes(b"".join(wal.frame(event_payload(made)) for made in events))


def test_several_machines_share_a_store(url: str, tmp_path: Path) -> None:
    archives = [archive_of(url, tmp_path / str(n)) for n in range(2)]
    for n, archive in enumerate(archives):
        put(archive, f"log-{n}", event(f"e{n}"), event(f"f{n}", at=NOON + HOUR))
        assert archive.seal_logs() == 1
    assert names(window(url, "churn", NOON, NOON + 2 * HOUR)) == ["e0", "e1", "f0", "f1"]
    # What the other has written is not stray.
    assert [check(archive) for archive in archives] == [[], []]
    assert erase(archives[0], event_ids=["e0"]) == 1
    assert expire(archives[1], before=NOON + HOUR) == 1
    assert names(window(url, "churn", NOON, NOON + 2 * HOUR)) == ["f0", "f1"]


def test_compacting_is_told_to_readers(url: str, tmp_path: Path) -> None:
    archive = archive_of(url, tmp_path / "state")
    for n in range(3):
        put(archive, f"log-{n}", event(f"e{n}"))
    assert archive.seal_logs() == 3
    assert len(window(url, "churn", NOON, NOON + HOUR).segments) == 3
    compact(archive)
    found = window(url, "churn", NOON, NOON + HOUR)
    assert len(found.segments) == 1
    assert names(found) == ["e0", "e1", "e2"]


def test_what_could_not_be_told_is_told_later(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = archive_of(url, tmp_path / "state")
    put(archive, "log-1", event("a"))
    real = archive.target.write

    def write(path: str, data: Any) -> None:
        if path.endswith(".json"):
            raise UsageError("503", code="E-STORE")
        real(path, data)

    with monkeypatch.context() as patch:
        patch.setattr(archive.target, "write", write)
        with pytest.raises(UsageError):
            archive.seal_logs()
    assert window(url, "churn", NOON, NOON + HOUR).segments == ()
    assert archive.is_behind()
    assert archive.seal_logs() == 0
    assert not archive.is_behind()
    assert names(window(url, "churn", NOON, NOON + HOUR)) == ["a"]


@pytest.mark.parametrize("after", [False, True])
def test_requests_that_fail_before_or_after_their_effect(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after: bool
) -> None:
    monkeypatch.setattr(targets.time, "sleep", lambda _: None)
    archive = archive_of(url, tmp_path / "state")
    put(archive, "log-1", event("a"), event("b", at=NOON + HOUR))
    real, base = archive.target._open()  # type: ignore[attr-defined]
    turn = itertools.count()

    class Shaky:
        def __getattr__(self, name: str) -> Any:
            def call(*args: Any, **more: Any) -> Any:
                # Every other request, and the answers of every third.
                n = next(turn)
                if not after and n % 2 == 0:
                    raise OSError("503 SlowDown")
                done = getattr(real, name)(*args, **more)
                if after and n % 3 == 0:
                    if name == "open_output_stream":
                        return LostAnswer(done, OSError("connection reset"))
                    raise OSError("connection reset")
                return done

            return call

    archive.target._opened = (Shaky(), base)  # type: ignore[attr-defined]
    assert archive.seal_logs() == 1
    put(archive, "log-2", event("a"), event("c"))
    assert archive.seal_logs() == 1
    assert compact(archive).after == 1
    assert check(archive) == []
    assert names(window(url, "churn", NOON, NOON + 2 * HOUR)) == ["a", "b", "c"]


def test_a_store_that_is_down_keeps_the_events_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def down(_: targets.Objects) -> Any:
        raise OSError("connection refused")

    monkeypatch.setattr(targets.Objects.__init__, "__kwdefaults__", {"seconds": 0.0})
    monkeypatch.setattr(targets.Objects, "_open", down)
    url = "s3://key:secret-key@bucket/x"
    captures = Captures(url, state=tmp_path / "state", seal_in="thread")
    captures.write([event("a")])
    assert not captures.seal(60)
    assert any("E-STORE" in said for said in captures.failures)
    assert "secret-key" not in repr(captures.failures)
    stats = captures.stats()
    assert (stats.waiting, stats.balance) == (1, 0)
    captures._log.close()


def test_a_damaged_manifest_of_another_machine_is_told(url: str, tmp_path: Path) -> None:
    archive = archive_of(url, tmp_path / "state")
    put(archive, "log-1", event("a"))
    archive.seal_logs()
    (path,) = archive.target.paths(".driftline/manifest")
    for text in ("{", "[]", json.dumps({"segments": [{"path": 3}]}), json.dumps({"format": 1})):
        archive.target.write(path, text.encode())
        with pytest.raises(SourceError) as info:
            window(url, "churn", NOON, NOON + HOUR)
        assert info.value.code == "E-MANIFEST"
