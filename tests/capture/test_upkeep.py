from __future__ import annotations

import sqlite3
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from captured import HOUR, NOON, Clock, body, csv, event, seen

from driftline.capture import archive as archives
from driftline.capture import upkeep, wal
from driftline.capture.archive import Archive
from driftline.capture.captures import Captures, stats_of
from driftline.capture.event import Payload
from driftline.capture.records import event_payload
from driftline.capture.upkeep import (
    Compacted,
    check,
    compact,
    erase,
    expire,
    keep_within,
    quarantined,
    replay,
    size_of,
    sweep,
)
from driftline.capture.window import window
from driftline.errors import SourceError, UsageError

MINUTE = 60_000_000


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def archive(tmp_path: Path, clock: Clock) -> Archive:
    return Archive(tmp_path, clock=clock)


def put(archive: Archive, *events: Any) -> None:
    archive.clock.at += 1  # type: ignore[attr-defined]
    path = archive.logs / f"log-{archive.clock()}.log"
    path.write_bytes(b"".join(wal.frame(event_payload(made)) for made in events))
    assert archive.seal_log(path)


def rows(archive: Archive) -> list[dict[str, Any]]:
    return window(archive.target.name, "churn", -(2**55), 2**57).table().to_pylist()


def everything(root: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file())


def files(archive: Archive) -> list[str]:
    return [path for path in archive.target.paths("") if path.endswith(".parquet")]


def damage(archive: Archive) -> list[str]:
    return [fault.message for fault in check(archive) if fault.is_damage]


# --- compact


def test_compacting_keeps_rows_ids_order_and_columns(archive: Archive) -> None:
    put(archive, event("b", at=NOON + 2, input=csv("1\n2")), event("a", at=NOON + 1))
    put(archive, event("c", at=NOON, input=body({"x": "t", "a": 0.5})))
    put(archive, event("d", at=NOON + HOUR))
    put(archive, event("e", variant="red"), event("f", endpoint="other"))
    before = rows(archive)
    assert compact(archive) == Compacted(1, 2, 1)
    after = rows(archive)
    order = ["c", "a", "b", "b", "d"]
    assert [r["_event_id"] for r in after if r["_event_id"] in order] == order
    by_id = sorted(after, key=lambda r: (r["_event_id"], r["_row"]))
    assert by_id == sorted(before, key=lambda r: (r["_event_id"], r["_row"]))
    assert len(archive.manifest.segments()) == 4
    assert damage(archive) == []
    assert compact(archive) == Compacted(0, 0, 0)


def test_compacting_one_endpoint_and_by_the_least_number(archive: Archive) -> None:
    for n in range(3):
        put(archive, event(f"a{n}"), event(f"b{n}", endpoint="other"))
    assert compact(archive, least=4) == Compacted(0, 0, 0)
    assert compact(archive, endpoint="other", least=3) == Compacted(1, 3, 1)
    assert len(archive.manifest.segments()) == 4


def test_a_large_hour_becomes_several_files(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    for n in range(6):
        put(archive, event(f"a{n}"))
    size = archive.manifest.segments()[0].bytes
    monkeypatch.setattr(upkeep, "_AT_ONCE", 2 * size + size // 2)
    assert compact(archive) == Compacted(1, 6, 3)
    assert len(rows(archive)) == 6


def test_superseded_files_stay_for_ten_minutes(archive: Archive, clock: Clock) -> None:
    put(archive, event("a"))
    put(archive, event("b"))
    told = window(archive.target.name, "churn", 0, 2**52)
    compact(archive)
    assert len(files(archive)) == 3
    assert told.table().num_rows == 2
    clock.at += 9 * MINUTE
    sweep(archive)
    assert len(files(archive)) == 3
    clock.at += 2 * MINUTE
    sweep(archive)
    assert len(files(archive)) == 1
    assert archive.manifest.known() == set(files(archive))
    with pytest.raises(SourceError):
        told.table()


@pytest.mark.parametrize("step", ["written", "commit", "after"])
def test_a_crash_while_compacting_loses_nothing(
    archive: Archive, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    put(archive, event("a"))
    put(archive, event("b"))

    def die(*_: Any, **__: Any) -> Any:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        if step == "written":
            real = archive.written
            patch.setattr(archive, "written", lambda *a: real(*a) and die())
        elif step == "commit":
            patch.setattr(archive.manifest, "commit", die)
        else:
            patch.setattr(archive, "publish", die)
        with pytest.raises(KeyboardInterrupt):
            compact(archive)
    assert seen(archive.target.name) == {"a": 1, "b": 1}
    assert damage(archive) == []
    compact(archive)
    assert seen(archive.target.name) == {"a": 1, "b": 1}
    assert check(archive) == []
    assert len(archive.manifest.segments()) == 1


def test_duplicates_are_known_after_compacting(archive: Archive) -> None:
    put(archive, event("a"))
    put(archive, event("b"))
    compact(archive)
    put(archive, event("a"), event("b"))
    assert stats_of(archive).duplicate == 2


def test_a_damaged_file_is_not_compacted(archive: Archive) -> None:
    put(archive, event("a"))
    put(archive, event("b"))
    path = archive.target.root / archive.manifest.segments()[0].path  # type: ignore[attr-defined]
    path.write_bytes(b"PAR1" + path.read_bytes()[4:-1] + b"?")
    with pytest.raises(SourceError, match="digest"):
        compact(archive)
    assert len(archive.manifest.segments()) == 2


# --- erase


def test_erased_bytes_are_nowhere(archive: Archive, clock: Clock, tmp_path: Path) -> None:
    secret, caller = "person-4711", "caller-0815"
    put(archive, event(secret, input=body({"name": "Ada Lovelace"})), event("b"))
    put(archive, event("c", inference_id=caller, input=csv("1\n2")), event("d", inference_id="other"))
    compact(archive)  # their first files are kept for a while
    put(
        archive,
        event(secret, at=NOON + HOUR, input=csv('"')),
        event("x", at=NOON, inference_id=caller, input=csv('"')),
    )
    put(archive, event("bad", input=csv('"')))
    clock.at -= 5 * MINUTE  # and the clock is set back
    # A log that is not sealed, and what a crash has left.
    log = archive.logs / "waiting.log"
    log.write_bytes(wal.frame(event_payload(event(secret, at=NOON + 5 * HOUR))))
    archive.target.write("churn/AllTraffic/date=2023-11-14/hour=22/stray.parquet", secret.encode())
    (archive.quarantine / "stray.log").write_bytes(secret.encode())
    assert secret.encode() in everything(tmp_path)
    assert erase(archive, event_ids=[secret], inference_ids=[caller]) == 5
    left = everything(tmp_path)
    for word in (secret, caller, "Ada Lovelace"):
        assert word.encode() not in left
    assert seen(tmp_path) == {"b": 1, "d": 1}
    assert [made.id for made, _, _ in quarantined(archive)] == ["bad"]
    stats = stats_of(archive)
    assert (stats.balance, stats.erased) == (0, 5)
    assert check(archive) == []


def test_erasing_nothing_changes_nothing(archive: Archive) -> None:
    put(archive, event("a"), event("bad", input=csv('"')))
    before = archive.manifest.segments(), files(archive)
    assert erase(archive, event_ids=["nobody"], inference_ids=["none"]) == 0
    assert erase(archive) == 0
    assert (archive.manifest.segments(), files(archive)) == before


def test_erasing_a_whole_file_removes_it(archive: Archive) -> None:
    put(archive, event("a"))
    put(archive, event("bad", input=csv('"')))
    assert erase(archive, event_ids=["a", "bad"]) == 2
    assert files(archive) == []
    assert list(archive.quarantine.iterdir()) == []
    assert check(archive) == []
    assert erase(archive, event_ids=["a", "bad"]) == 0


def test_an_erased_event_may_come_again(archive: Archive) -> None:
    put(archive, event("a"))
    erase(archive, event_ids=["a"])
    put(archive, replace(event("a"), received=archive.clock() + 1_000_000))
    assert seen(archive.target.name) == {"a": 1}
    assert stats_of(archive).balance == 0


def test_what_waits_in_a_living_log_is_left_out_when_it_is_sealed(tmp_path: Path) -> None:
    with Captures(tmp_path, seal_in="thread") as captures:
        captures.write([event("a"), replace(event("b"), inference_id="person"), event("c")])
        captures.write([replace(event("d", input=Payload("text/csv", b"\xff")), inference_id="person")])
        assert erase(captures.archive, event_ids=["a"], inference_ids=["person"]) == 0
        assert captures.seal()
        stats = captures.stats()
    assert seen(tmp_path) == {"c": 1}
    assert (stats.received, stats.stored, stats.dropped, stats.balance) == (4, 1, {"erased": 3}, 0)
    assert stats.quarantined == 0


def test_a_damaged_file_keeps_nobody_else_from_being_forgotten(archive: Archive) -> None:
    put(archive, event("a"))
    put(archive, event("b", at=NOON + HOUR))
    first, _ = archive.manifest.segments()
    Path(archive.target.shown(first.path)).write_bytes(b"damaged")
    with pytest.raises(SourceError) as info:
        erase(archive, event_ids=["b"])
    assert info.value.code == "E-DIGEST"
    assert "1 events were forgotten elsewhere" in info.value.message
    assert [s.path for s in archive.manifest.segments()] == [first.path]


@pytest.mark.parametrize("times", [1, 2])
def test_a_crash_while_erasing_is_made_good_by_the_next(
    archive: Archive, monkeypatch: pytest.MonkeyPatch, times: int, tmp_path: Path
) -> None:
    put(archive, event("secret-1"), event("b"))
    put(archive, event("secret-2", at=NOON + HOUR), event("d", at=NOON + HOUR))
    real = archive.target.remove

    def remove(path: str) -> None:
        nonlocal times
        times -= 1
        if not times:
            raise KeyboardInterrupt
        real(path)

    with monkeypatch.context() as patch:
        patch.setattr(archive.target, "remove", remove)
        with pytest.raises(KeyboardInterrupt):
            erase(archive, event_ids=["secret-1", "secret-2"])
    assert damage(archive) == []
    assert stats_of(archive).balance == 0
    erase(archive, event_ids=["secret-1", "secret-2"])
    assert b"secret" not in everything(tmp_path)
    assert seen(tmp_path) == {"b": 1, "d": 1}
    assert check(archive) == []


# --- expire and the budget


def test_hours_that_are_over_expire(archive: Archive, clock: Clock) -> None:
    for n in range(4):
        put(archive, event(f"e{n}", at=NOON + n * HOUR), event(f"o{n}", endpoint="other", at=NOON + n * HOUR))
    assert expire(archive, before=NOON + 2 * HOUR - 1, endpoint="churn") == 1
    assert expire(archive, before=NOON + 2 * HOUR) == 3
    assert seen(archive.target.name) == {"e2": 1, "e3": 1}
    assert len(files(archive)) == 8
    clock.at += 11 * MINUTE
    sweep(archive)
    assert len(files(archive)) == 4
    stats = stats_of(archive)
    assert (stats.expired, stats.stored, stats.balance) == (4, 8, 0)
    assert check(archive) == []


def test_the_oldest_hours_make_room(archive: Archive) -> None:
    for n in range(6):
        put(archive, *(event(f"e{n}-{k}", at=NOON + n * HOUR, input=csv(f"{n * k}")) for k in range(50)))
    whole = size_of(archive)
    assert keep_within(archive, whole) == 0
    gone = keep_within(archive, whole // 2)
    assert gone in (150, 200)
    assert size_of(archive) <= whole // 2 * 0.9
    assert {name.partition("-")[0] for name in seen(archive.target.name)} == {
        f"e{n}" for n in range(gone // 50, 6)
    }
    assert len(files(archive)) == 6 - gone // 50
    assert stats_of(archive).balance == 0
    assert keep_within(archive, 0) == 300 - gone
    assert size_of(archive) == 0


def test_the_size_counts_logs_and_quarantine(archive: Archive) -> None:
    put(archive, event("a"), event("bad", input=csv('"')))
    stored = size_of(archive)
    on_disk = sum((archive.target.root / f).stat().st_size for f in files(archive))  # type: ignore[attr-defined]
    on_disk += sum(path.stat().st_size for path in archive.quarantine.iterdir())
    assert stored == on_disk
    (archive.logs / "x.log").write_bytes(b"12345")
    assert size_of(archive) == stored + 5


# --- quarantine


def test_what_can_be_read_now_leaves_the_quarantine(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(
        archive,
        event("a"),
        event("b", input=body({"v": 1}), endpoint="churn"),
        event("bad", input=csv('"')),
        event("worse", input=csv("1\n2,3")),
    )
    (segment,) = archive.manifest.segments("quarantine")
    assert replay(archive) == (0, 2)
    assert archive.manifest.segments("quarantine") == [segment]
    real = archives.tables_of

    def newer(events: Any, **names: Any) -> Any:
        return real([replace(e, input=csv("7")) if e.id == "bad" else e for e in events], **names)

    monkeypatch.setattr(archives, "tables_of", newer)
    assert replay(archive) == (1, 1)
    assert seen(archive.target.name) == {"a": 1, "b": 1, "bad": 1}
    assert [(made.id, code) for made, code, _ in quarantined(archive)] == [("worse", "E-PAYLOAD")]
    stats = stats_of(archive)
    assert (stats.received, stats.stored, stats.quarantined, stats.replayed) == (4, 3, 1, 1)
    assert stats.quarantine == {"E-PAYLOAD": 1}
    assert stats.balance == 0
    assert check(archive) == []
    assert replay(archive) == (0, 1)


def test_a_replayed_duplicate_is_one(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    put(archive, event("a"), event("a", input=csv('"')))
    real = archives.tables_of

    def newer(events: Any, **names: Any) -> Any:
        return real([replace(e, input=csv("7")) for e in events], **names)

    monkeypatch.setattr(archives, "tables_of", newer)
    assert replay(archive) == (1, 0)
    stats = stats_of(archive)
    assert (stats.received, stats.stored, stats.duplicate, stats.quarantined, stats.quarantine) == (
        2,
        1,
        1,
        0,
        {},
    )
    assert stats.balance == 0
    assert list(archive.quarantine.iterdir()) == []


# --- check


def test_a_sound_store_has_no_fault(archive: Archive) -> None:
    put(archive, event("a", input=csv("1\n2")), event("bad", input=csv('"')))
    assert check(archive) == []


def test_every_flipped_byte_of_a_file_is_found(archive: Archive) -> None:
    put(archive, event("a"))
    path = archive.target.root / files(archive)[0]  # type: ignore[attr-defined]
    data = path.read_bytes()
    for at in range(0, len(data), 97):
        path.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
        (fault,) = check(archive)
        assert (fault.file, fault.is_damage) == (str(path), True)
    path.write_bytes(data[:-1])
    assert len(check(archive)) == 1
    path.unlink()
    (fault,) = check(archive)
    assert "not there" in fault.message


def test_damage_of_the_quarantine_is_found(archive: Archive) -> None:
    put(archive, event("bad", input=csv('"')))
    (path,) = archive.quarantine.iterdir()
    path.write_bytes(path.read_bytes() + b"x")
    (fault,) = check(archive)
    assert (fault.file, fault.is_damage) == (str(path), True)
    path.unlink()
    (fault,) = check(archive)
    assert fault.is_damage


def test_a_stray_file_is_told_and_is_no_damage(archive: Archive) -> None:
    put(archive, event("a"))
    archive.target.write("churn/AllTraffic/date=2023-11-14/hour=22/stray.parquet", b"x")
    (fault,) = check(archive)
    assert fault.file.endswith("stray.parquet")
    assert not fault.is_damage


def _change(archive: Archive, statement: str) -> None:
    database = sqlite3.connect(archive.manifest.path)
    with database:
        database.execute(statement)
    database.close()


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("UPDATE counts SET n = n + 1 WHERE what = 'stored'", "accounted for"),
        ("UPDATE counts SET n = n - 1 WHERE what = 'received'", "accounted for"),
        ("UPDATE segments SET rows = rows + 1", "other rows"),
        ("UPDATE segments SET events = 0", "other rows"),
        ("UPDATE segments SET sha256 = '00'", "digest"),
    ],
)
def test_changed_counts_are_found(archive: Archive, statement: str, words: str) -> None:
    put(archive, event("a"))
    _change(archive, statement)
    (fault,) = check(archive)
    assert words in fault.message
    assert fault.is_damage


def test_two_files_that_changed_places_are_found(archive: Archive) -> None:
    put(archive, event("a"))
    put(archive, event("b", at=NOON + HOUR))
    one, two = (archive.target.root / f for f in files(archive))  # type: ignore[attr-defined]
    data = one.read_bytes()
    one.write_bytes(two.read_bytes())
    two.write_bytes(data)
    assert len(damage(archive)) == 2


# --- old logs


def test_a_log_is_remembered_while_it_is_there(archive: Archive, clock: Clock) -> None:
    put(archive, event("a"))
    name = f"log-{clock()}"
    assert archive.manifest.is_sealed(name)
    (archive.logs / f"{name}.log").write_bytes(b"")  # its removal failed
    clock.at += 31 * 24 * HOUR
    sweep(archive)
    assert archive.manifest.is_sealed(name)
    (archive.logs / f"{name}.log").unlink()
    sweep(archive)
    assert not archive.manifest.is_sealed(name)


def test_a_folder_that_cannot_be_written_is_told(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    put(archive, event("a"))
    put(archive, event("b"))

    def full(*_: Any) -> None:
        raise UsageError("cannot be written: No space left on device", code="E-WRITE")

    with monkeypatch.context() as patch:
        patch.setattr(archive.target, "write", full)
        with pytest.raises(UsageError):
            compact(archive)
        with pytest.raises(UsageError):
            put(archive, event("c"))
    assert damage(archive) == []
    assert archive.seal_logs() == 1
    assert pa.table(window(archive.target.name, "churn", 0, 2**52)).num_rows == 3
