from __future__ import annotations

import fcntl
import os
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from captured import HOUR, NOON, Clock, body, csv, event, halves, seen

from driftline.capture import archive as module
from driftline.capture import wal
from driftline.capture.archive import Archive
from driftline.capture.captures import Captures, Stats, stats_of
from driftline.capture.layout import folder_of
from driftline.capture.records import carried_payload, dropped_payload, event_payload, table_payload
from driftline.capture.seal import tables_of
from driftline.capture.upkeep import check, quarantined
from driftline.capture.window import window
from driftline.errors import SourceError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from driftline.capture.event import Event


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def archive(tmp_path: Path, clock: Clock) -> Archive:
    return Archive(tmp_path / "captures", clock=clock)


class Logs:
    """Writes complete logs, and takes what is carried on into another."""

    def __init__(self, archive: Archive) -> None:
        self.archive = archive
        self.n = 0

    def write(self, *payloads: bytes, name: str | None = None) -> Path:
        self.n += 1
        path = self.archive.logs / f"{name or f'log-{self.n}'}.log"
        path.write_bytes(b"".join(map(wal.frame, payloads)))
        return path

    def events(self, *events: Event, name: str | None = None) -> Path:
        return self.write(*map(event_payload, events), name=name)

    def carry(self, name: str) -> Callable[[Sequence[bytes]], bool]:
        def take(frames: Sequence[bytes]) -> bool:
            with (self.archive.logs / f"{name}.log").open("ab") as file:
                file.write(b"".join(frames))
            return True

        return take


@pytest.fixture
def logs(archive: Archive) -> Logs:
    return Logs(archive)


def balanced(archive: Archive) -> Stats:
    stats = stats_of(archive)
    assert stats.balance == 0
    assert [f for f in check(archive) if f.is_damage] == []
    return stats


# --- opening


def test_the_state_is_for_the_owner_only(archive: Archive) -> None:
    assert archive.state.stat().st_mode & 0o777 == 0o700
    for folder in (archive.logs, archive.quarantine):
        assert folder.stat().st_mode & 0o777 == 0o700


def test_an_object_store_needs_a_state() -> None:
    with pytest.raises(UsageError) as info:
        Archive("s3://bucket/x")
    assert info.value.code == "E-STATE"


def test_what_is_no_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(UsageError) as info:
        Archive(tmp_path / "file")
    assert info.value.code == "E-WRITE"


def test_a_server_may_change_its_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a").mkdir()
    monkeypatch.chdir(tmp_path / "a")
    archive = Archive("captures")
    Logs(archive).events(event("x"))
    monkeypatch.chdir(tmp_path)
    assert archive.seal_logs() == 1
    assert seen(tmp_path / "a" / "captures") == {"x": 1}


@pytest.mark.parametrize(
    ("hour", "expected"),
    [
        (0, "date=1970-01-01/hour=00"),
        (-1, "date=1969-12-31/hour=23"),
        (472_222, "date=2023-11-14/hour=22"),
        (-62_135_596_800 // 3600, "date=0001-01-01/hour=00"),
        (253_402_300_799 // 3600, "date=9999-12-31/hour=23"),
    ],
)
def test_folders_of_hours(hour: int, expected: str) -> None:
    assert folder_of("churn", "blue", hour) == f"churn/blue/{expected}"


# --- a log becomes segments


def test_a_sealed_log_is_seen_and_removed(archive: Archive, logs: Logs) -> None:
    path = logs.events(event("a"), event("b", at=NOON + HOUR), event("c", endpoint="other"))
    assert stats_of(archive).waiting == 3
    assert archive.seal_logs() == 1
    assert not path.exists()
    assert seen(archive.target.name) == {"a": 1, "b": 1}
    assert seen(archive.target.name, "other") == {"c": 1}
    stats = balanced(archive)
    assert (stats.received, stats.stored, stats.waiting, stats.segments, stats.rows) == (3, 3, 0, 3, 3)


def test_rows_are_sorted_by_time_and_then_as_they_came(archive: Archive, logs: Logs) -> None:
    logs.events(event("c", at=NOON + 2), event("b", at=NOON + 1, input=csv("1\n2")), event("a", at=NOON + 1))
    archive.seal_logs()
    (segment,) = archive.manifest.segments()
    table = archive.read(segment)
    assert list(zip(table["_event_id"].to_pylist(), table["_row"].to_pylist(), strict=True)) == [
        ("b", 0),
        ("b", 1),
        ("a", 0),
        ("c", 0),
    ]
    assert (segment.rows, segment.events, segment.first, segment.last) == (4, 3, NOON + 1, NOON + 2)


def test_a_log_is_sealed_once_however_often_it_is_tried(archive: Archive, logs: Logs) -> None:
    path = logs.events(event("a"))
    data = path.read_bytes()
    assert archive.seal_log(path)
    path.write_bytes(data)  # as after a crash between the commit and the removal
    assert stats_of(archive).waiting == 0
    assert not archive.seal_log(path)
    assert not path.exists()
    assert seen(archive.target.name) == {"a": 1}
    assert balanced(archive).received == 1


def test_a_living_log_is_left_alone(archive: Archive, logs: Logs) -> None:
    path = logs.events(event("a"))
    with path.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert not archive.left_logs()
        assert archive.seal_logs() == 0
        assert stats_of(archive).waiting == 1
    assert archive.left_logs()
    assert archive.seal_logs() == 1


def test_two_may_seal_at_once(tmp_path: Path, archive: Archive, logs: Logs) -> None:
    for n in range(20):
        logs.events(event(f"e{n}"), event("same"))
    others = [Archive(tmp_path / "captures", clock=archive.clock) for _ in range(3)]
    counts: list[int] = []
    threads = [threading.Thread(target=lambda a=a: counts.append(a.seal_logs())) for a in others]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sum(counts) == 20
    assert seen(tmp_path / "captures") == {"same": 1, **{f"e{n}": 1 for n in range(20)}}
    stats = balanced(archive)
    assert (stats.received, stats.stored, stats.duplicate) == (40, 21, 19)


def test_damage_of_a_log_costs_what_it_touched(archive: Archive, logs: Logs) -> None:
    path = logs.events(*(event(f"e{n}") for n in range(5)))
    data = bytearray(path.read_bytes())
    size = len(data) // 5
    data[2 * size + 30] ^= 1
    path.write_bytes(bytes(data) + b"\xd5DL torn")
    archive.seal_logs()
    assert seen(archive.target.name) == {f"e{n}": 1 for n in (0, 1, 3, 4)}
    stats = balanced(archive)
    assert (stats.received, stats.damaged_bytes) == (4, size)


def test_records_that_say_nothing_are_counted(archive: Archive, logs: Logs) -> None:
    logs.write(b"X?", event_payload(event("a")), b"E{}", b"")
    archive.seal_logs()
    stats = balanced(archive)
    assert (stats.stored, stats.damaged_records) == (1, 3)


def test_an_empty_log_is_sealed(archive: Archive, logs: Logs) -> None:
    logs.write()
    assert archive.seal_logs() == 1
    assert archive.waiting_logs() == []


def test_what_was_dropped_is_counted(archive: Archive, logs: Logs) -> None:
    logs.write(dropped_payload({("churn", "v", "overload"): 3, ("other", "v", "disk"): 2}))
    assert stats_of(archive).dropped == {"disk": 2, "overload": 3}
    archive.seal_logs()
    assert balanced(archive).dropped == {"disk": 2, "overload": 3}
    assert stats_of(archive, "other").dropped == {"disk": 2}
    assert stats_of(archive, "other").received == 2


def test_one_log_that_cannot_be_sealed_does_not_keep_the_others(
    archive: Archive, logs: Logs, monkeypatch: pytest.MonkeyPatch
) -> None:
    logs.events(event("a"), name="1")
    logs.events(event("bad"), name="2")
    logs.events(event("c"), name="3")
    real = module.tables_of

    def fail(events: Sequence[Event], **names: Any) -> Any:
        if any(e.id == "bad" for e in events):
            raise MemoryError
        return real(events, **names)

    with monkeypatch.context() as patch:
        patch.setattr(module, "tables_of", fail)
        with pytest.raises(MemoryError):
            archive.seal_logs()
    assert seen(archive.target.name) == {"a": 1, "c": 1}
    assert balanced(archive).waiting == 1
    assert archive.seal_logs() == 1


@pytest.mark.parametrize("step", ["written", "_set_aside", "_file"])
def test_a_failure_while_sealing_changes_nothing(
    archive: Archive, logs: Logs, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    logs.events(event("a"), event("b", at=NOON + HOUR), event("bad", input=csv('"')))
    real = getattr(Archive, step)

    def fail(*args: Any) -> Any:
        real(*args)
        raise UsageError("no room", code="E-WRITE")

    with monkeypatch.context() as patch:
        patch.setattr(Archive, step, fail)
        with pytest.raises(UsageError):
            archive.seal_logs()
    stats = balanced(archive)
    assert (stats.waiting, stats.segments) == (3, 0)
    assert archive.seal_logs() == 1
    stats = balanced(archive)
    assert (stats.stored, stats.quarantined) == (2, 1)
    assert [f.message for f in check(archive)] == []


# --- duplicates


def test_ids_are_stored_once_within_and_across_logs(archive: Archive, logs: Logs) -> None:
    logs.events(event("a"), event("a"), event("b"))
    archive.seal_logs()
    logs.events(event("b"), event("c"), event("c", input=csv("1\n2")))
    archive.seal_logs()
    assert seen(archive.target.name) == {"a": 1, "b": 1, "c": 1}
    assert window(archive.target.name, "churn", 0, 2**52).table().num_rows == 3
    stats = balanced(archive)
    assert (stats.received, stats.stored, stats.duplicate) == (6, 3, 3)


def test_the_same_id_elsewhere_is_another_event(archive: Archive, logs: Logs) -> None:
    logs.events(event("a"), event("a", variant="red"), event("a", endpoint="other"))
    archive.seal_logs()
    assert balanced(archive).stored == 3


@pytest.mark.parametrize("order", [1, -1])
def test_a_copy_that_arrives_in_the_next_hour_is_known(archive: Archive, logs: Logs, order: int) -> None:
    events = [event("a", at=NOON - 1, time=None), event("a", at=NOON + 5, time=None)]
    for made in events[::order]:
        logs.events(made)
        archive.seal_logs()
    assert seen(archive.target.name) == {"a": 1}
    assert balanced(archive).duplicate == 1


@pytest.mark.parametrize("order", [1, -1])
def test_copies_of_two_hours_in_one_log_are_known(archive: Archive, logs: Logs, order: int) -> None:
    logs.events(*[event("a", at=NOON - 1, time=None), event("a", at=NOON + 5, time=None)][::order])
    archive.seal_logs()
    assert seen(archive.target.name) == {"a": 1}
    assert balanced(archive).duplicate == 1


def test_duplicates_are_known_after_much_else(
    archive: Archive, logs: Logs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_REMEMBERED", 2)
    for n in range(6):
        logs.events(event(f"e{n}"), event("same"))
        archive.seal_logs()
    assert balanced(archive).duplicate == 5
    assert len(archive._ids) <= 2


def test_several_rows_of_a_duplicate_all_go(archive: Archive, logs: Logs) -> None:
    logs.events(event("a", input=csv("1\n2\n3")), event("b", input=csv("4\n5")))
    archive.seal_logs()
    logs.events(event("c", input=csv("7\n8")), event("b", input=csv("4\n5")), event("d", input=csv("9\n10")))
    archive.seal_logs()
    table = window(archive.target.name, "churn", 0, 2**52).table()
    assert sorted(table["_c0"].to_pylist()) == [1, 2, 3, 4, 5, 7, 8, 9, 10]


# --- halves


def test_halves_of_one_log_are_one_event(archive: Archive, logs: Logs) -> None:
    for n, order in enumerate((1, -1)):
        logs.events(*halves(f"h{n}")[::order])
        assert stats_of(archive).waiting == 2
        archive.seal_logs()
    table = window(archive.target.name, "churn", 0, 2**52).table()
    assert table["_side"].to_pylist() == ["both", "both"]
    stats = balanced(archive)
    assert (stats.received, stats.stored) == (2, 2)


@pytest.mark.parametrize("order", [1, -1])
def test_young_halves_wait_for_the_other_in_another_log(archive: Archive, logs: Logs, order: int) -> None:
    first, second = halves("h")[::order]
    logs.events(first, event("a"), name="1")
    archive.seal_log(archive.logs / "1.log", logs.carry("2"))
    stats = balanced(archive)
    assert (stats.received, stats.stored, stats.waiting) == (2, 1, 1)
    with (archive.logs / "2.log").open("ab") as file:
        file.write(wal.frame(event_payload(second)))
    assert archive.seal_logs() == 1
    table = window(archive.target.name, "churn", 0, 2**52).table()
    assert sorted(zip(table["_event_id"].to_pylist(), table["_side"].to_pylist(), strict=True)) == [
        ("a", "both"),
        ("h", "both"),
    ]
    stats = balanced(archive)
    assert (stats.received, stats.stored, stats.waiting) == (2, 2, 0)


@pytest.mark.parametrize("moved", [61_000_000, -61_000_000])
def test_a_half_waits_no_longer_than_it_should(
    archive: Archive, logs: Logs, clock: Clock, moved: int
) -> None:
    ask, answer = halves("h")
    logs.events(ask, name="1")
    clock.at += moved
    archive.seal_log(archive.logs / "1.log", logs.carry("2"))
    assert not (archive.logs / "2.log").exists()
    logs.events(answer)
    archive.seal_logs()
    table = window(archive.target.name, "churn", 0, 2**52).table()
    assert sorted(table["_side"].to_pylist()) == ["input", "output"]
    assert balanced(archive).stored == 2


def test_a_half_that_comes_twice_is_a_duplicate(archive: Archive, logs: Logs) -> None:
    ask, answer = halves("h")
    logs.events(ask, answer, answer)
    archive.seal_logs()
    logs.events(ask)
    archive.seal_logs()
    assert seen(archive.target.name) == {"h": 1}
    stats = balanced(archive)
    assert (stats.stored, stats.duplicate) == (1, 2)


class DeadError(BaseException):
    """The process has died here."""


def _die(*_: object, **__: object) -> Any:
    raise DeadError


@pytest.mark.parametrize("when", ["before the commit", "after the commit", "before the carry is told"])
def test_halves_are_exact_when_the_process_dies(
    archive: Archive, logs: Logs, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    ask, answer = halves("h")
    path = logs.events(ask, name="1")
    data = path.read_bytes()
    carry = logs.carry("2")
    with monkeypatch.context() as patch:
        if when == "before the commit":
            patch.setattr(type(archive.manifest), "commit", _die)
        elif when == "after the commit":
            patch.setattr(module.Path, "unlink", _die)
        else:
            carry = lambda frames, real=carry: real(frames) and _die()  # noqa: E731
        with pytest.raises(DeadError):
            archive.seal_log(path, carry)
    assert path.read_bytes() == data
    stats = stats_of(archive)
    assert (stats.balance, stats.received, stats.waiting) == (0, 1, 1)
    # Whatever is sealed first, by whomever.
    with (archive.logs / "2.log").open("ab") as file:
        file.write(wal.frame(event_payload(answer)))
    for name in ("2", "1", "2"):
        (archive.logs / f"{name}.log").exists() and archive.seal_log(
            archive.logs / f"{name}.log", logs.carry("3")
        )
    archive.seal_logs()
    stats = balanced(archive)
    assert stats.received == stats.stored + stats.duplicate
    sides = window(archive.target.name, "churn", 0, 2**52).table()["_side"].to_pylist()
    assert sorted(sides) in (["both"], ["input", "output"])
    if when == "after the commit":
        assert sides == ["both"]
    assert stats.duplicate == 0


def test_a_half_is_not_lost_when_its_new_log_is_sealed_first(
    archive: Archive, logs: Logs, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Somebody seals the log that a half was carried on to, before the log that it came from is committed.
    ask, _ = halves("h")
    path = logs.events(ask, event("a"), name="1")
    real = archive.manifest.commit

    def late(**change: Any) -> bool:
        monkeypatch.undo()
        assert Archive(archive.target.name, clock=archive.clock).seal_log(archive.logs / "2.log")
        return real(**change)

    monkeypatch.setattr(archive.manifest, "commit", late)
    monkeypatch.setattr(archive, "alone", lambda: module.contextlib.nullcontext())
    assert not archive.seal_log(path, logs.carry("2"))
    assert path.exists()
    assert balanced(archive).waiting == 2
    assert archive.seal_logs() == 1
    assert seen(archive.target.name) == {"h": 1, "a": 1}
    stats = balanced(archive)
    assert (stats.received, stats.stored, stats.duplicate) == (2, 2, 0)


def test_a_carry_that_failed_and_arrived_all_the_same_counts_once(archive: Archive, logs: Logs) -> None:
    ask, _ = halves("h")
    path = logs.events(ask, name="1")
    take = logs.carry("2")
    assert archive.seal_log(path, lambda frames: not take(frames))
    assert stats_of(archive).waiting == 0
    archive.seal_logs()
    stats = balanced(archive)
    assert (stats.received, stats.stored, stats.duplicate) == (1, 1, 0)


def test_what_is_carried_of_an_unknown_log_does_not_count(archive: Archive, logs: Logs) -> None:
    ask, _ = halves("h")
    logs.write(carried_payload("never", "token", ask))
    assert stats_of(archive).received == 0
    archive.seal_logs()
    assert balanced(archive).received == 0


# --- quarantine


def test_what_cannot_be_stored_is_in_quarantine(archive: Archive, logs: Logs) -> None:
    bad = [
        event("bad", input=csv('"')),
        event("late", time=10**18),
        event("name", endpoint="../../etc"),
        event("odd\ud800"),
        event("big", input=replace(body({"a": 1}), is_truncated=True)),
    ]
    logs.events(event("a"), *bad)
    assert archive.seal_logs() == 1
    assert seen(archive.target.name) == {"a": 1}
    assert {made.id: code for made, code, _ in quarantined(archive)} == {
        "bad": "E-PAYLOAD",
        "late": "E-TIME",
        "name": "E-NAME",
        "odd\ud800": "E-VALUE",
        "big": "E-PAYLOAD",
    }
    assert {made.id: made for made, _, _ in quarantined(archive)} == {made.id: made for made in bad}
    stats = balanced(archive)
    assert (stats.received, stats.quarantined) == (6, 5)
    assert stats.quarantine == {"E-NAME": 1, "E-PAYLOAD": 2, "E-TIME": 1, "E-VALUE": 1}
    (file,) = archive.quarantine.iterdir()
    assert file.stat().st_mode & 0o777 == 0o600


def test_names_lead_to_no_other_folder(tmp_path: Path, archive: Archive, logs: Logs) -> None:
    logs.events(
        *(
            event(f"{n}", endpoint=name)
            for n, name in enumerate(["..", "/tmp", ".driftline", "a/../../b", ""])
        )
    )
    archive.seal_logs()
    assert balanced(archive).quarantined == 5
    assert sorted(p.name for p in tmp_path.iterdir()) == ["captures"]


# --- tables


def _tables(*events: Event) -> list[tuple[str, str, pa.Table]]:
    return [(key[0], key[1], t) for key, found in tables_of(events)[0].items() for t in found]


def test_tables_in_a_log_are_stored(archive: Archive, logs: Logs) -> None:
    ((_, _, table),) = _tables(event("a", input=csv("1\n2")), event("b"))
    logs.write(table_payload("churn", "AllTraffic", table), event_payload(event("b")))
    assert stats_of(archive).waiting == 3
    archive.seal_logs()
    assert seen(archive.target.name) == {"a": 1, "b": 1}
    stats = balanced(archive)
    assert (stats.received, stats.stored, stats.duplicate) == (3, 2, 1)


def test_an_import_is_stored_once(archive: Archive) -> None:
    tables = _tables(event("a"), event("b", at=NOON + HOUR))
    counts = archive.store("import-x", iter(tables))
    assert counts is not None
    assert {key[2]: n for key, n in counts.items() if key[2] in ("stored", "received")} == {
        "received": 2,
        "stored": 2,
    }
    assert archive.store("import-x", iter(tables)) is None
    assert archive.store("import-y", iter(tables)) is not None
    stats = balanced(archive)
    assert (stats.received, stats.stored, stats.duplicate) == (4, 2, 2)


def test_an_import_that_fails_leaves_nothing(archive: Archive) -> None:
    def tables() -> Any:
        yield from _tables(event("a"))
        raise SourceError("damaged", code="E-CSV")

    with pytest.raises(SourceError):
        archive.store("import-x", tables())
    assert check(archive) == []
    assert balanced(archive).received == 0
    assert archive.store("import-x", iter(_tables(event("a")))) is not None


# --- schemas


def test_schemas_evolve(archive: Archive, logs: Logs) -> None:
    for made in (
        event("a", input=body({"x": 1})),
        event("b", input=body({"x": 0.5, "y": "t"})),
        event("c", input=body({"x": "text", "z": None})),
        event("d", input=body({"z": True})),
    ):
        logs.events(made)
        archive.seal_logs()
    table = window(archive.target.name, "churn", 0, 2**52).table().sort_by("_event_id")
    assert table["x"].to_pylist() == ["1", "0.5", "text", None]
    assert table["y"].to_pylist() == [None, "t", None, None]
    assert table["z"].to_pylist() == [None, None, None, True]
    assert table["z"].type == pa.bool_()


def test_names_of_positions_are_those_of_the_store(tmp_path: Path) -> None:
    archive = Archive(
        tmp_path, input_names={"churn": ["age"]}, output_names={"churn": ["score"]}, clock=Clock()
    )
    Logs(archive).events(event("a", input=csv("31"), output=csv("0.5")))
    archive.seal_logs()
    table = window(tmp_path, "churn", 0, 2**52).table()
    assert (table["age"].to_pylist(), table["score"].to_pylist()) == ([31], [0.5])


def test_files_have_checksums_and_say_what_they_are(archive: Archive, logs: Logs) -> None:
    logs.events(event("a"))
    archive.seal_logs()
    (segment,) = archive.manifest.segments()
    file = pq.ParquetFile(archive.target.shown(segment.path))
    assert file.schema_arrow.metadata[b"driftline.capture"] == b"1"
    assert segment.path == f"{folder_of('churn', 'AllTraffic', NOON // HOUR)}/log-1.parquet"


def test_a_changed_or_missing_file_is_told(archive: Archive, logs: Logs, tmp_path: Path) -> None:
    logs.events(event("a"))
    archive.seal_logs()
    (segment,) = archive.manifest.segments()
    path = tmp_path / "captures" / segment.path
    data = path.read_bytes()
    path.write_bytes(data[:100] + b"?" + data[101:])
    with pytest.raises(SourceError, match="digest") as info:
        archive.read(segment)
    assert info.value.code == "E-DIGEST"
    path.unlink()
    with pytest.raises(SourceError, match="not there"):
        archive.read(segment)


# --- locks


def test_one_at_a_time(archive: Archive) -> None:
    order: list[int] = []

    def work(n: int) -> None:
        with Archive(archive.target.name).alone():
            order.append(n)
            order.append(n)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert order[::2] == order[1::2]


def test_nothing_stays_open(archive: Archive, logs: Logs) -> None:
    logs.events(event("a"))
    archive.seal_logs()
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208
    for n in range(5):
        logs.events(event(f"x{n}"), *halves(f"h{n}"), event(f"bad{n}", input=csv('"')))
        archive.seal_logs(logs.carry("c"))
        stats_of(archive)
    assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208


def test_captures_and_archives_agree(tmp_path: Path) -> None:
    with Captures(tmp_path, seal_in="thread") as captures:
        captures.write([event("a")])
        assert captures.seal()
        assert captures.stats() == stats_of(Archive(tmp_path))
