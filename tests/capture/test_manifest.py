from __future__ import annotations

import multiprocessing
import os
from typing import TYPE_CHECKING, Any

import pytest

from driftline.capture import manifest as module
from driftline.capture.manifest import IMPORT, Manifest, Segment
from driftline.errors import SourceError

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path

KEY = ("churn", "blue", "stored", "")


def segment(name: str, hour: int = 10, **more: Any) -> Segment:
    values = {"kind": "events", "endpoint": "churn", "variant": "blue", **more}
    return Segment(
        f"churn/blue/{name}.parquet",
        **values,
        hour=hour,
        rows=3,
        events=2,
        bytes=100,
        sha256="00",
        first=hour,
        last=hour + 1,
    )


@pytest.fixture
def manifest(tmp_path: Path) -> Manifest:
    return Manifest(tmp_path / "state" / "manifest.db")


def test_a_commit_is_seen(manifest: Manifest) -> None:
    assert manifest.commit(add=[segment("a")], log=("log-1", "t"), counts={KEY: 2}, now=5)
    assert manifest.segments() == [segment("a")]
    assert manifest.counts() == {KEY: 2}
    assert manifest.is_sealed("log-1")
    assert manifest.token_of("log-1") == "t"
    assert manifest.token_of("log-2") is None
    assert Manifest(manifest.path).segments() == [segment("a")]


def test_a_log_is_sealed_once(manifest: Manifest) -> None:
    assert manifest.commit(add=[segment("a")], log=("log-1", "t"), counts={KEY: 2}, now=5)
    assert not manifest.commit(add=[segment("b")], log=("log-1", "u"), counts={KEY: 2}, now=6)
    assert manifest.segments() == [segment("a")]
    assert manifest.counts() == {KEY: 2}


def test_pieces_of_an_import_are_stored_once(manifest: Manifest) -> None:
    assert manifest.commit(add=[segment("a")], imports=["import-1", "import-2"], now=5)
    assert not manifest.commit(add=[segment("b")], imports=["import-3", "import-2"], now=6)
    assert not manifest.is_sealed("import-3")
    assert manifest.segments() == [segment("a")]


def test_what_is_gone_cannot_be_superseded(manifest: Manifest) -> None:
    assert manifest.commit(add=[segment("a"), segment("b")], now=5)
    assert manifest.commit(supersede=[segment("a")], add=[segment("c")], now=6)
    assert not manifest.commit(
        supersede=[segment("b"), segment("a")], add=[segment("d")], counts={KEY: 1}, now=7
    )
    assert manifest.segments() == [segment("b"), segment("c")]
    assert manifest.counts() == {}
    assert manifest.superseded(5) == []
    assert manifest.superseded(6) == [("events", "churn/blue/a.parquet")]
    manifest.forget(["churn/blue/a.parquet", "churn/blue/b.parquet"])
    assert manifest.known() == {"churn/blue/b.parquet", "churn/blue/c.parquet"}


def test_an_attempt_that_was_taken_to_have_failed_cannot_succeed(manifest: Manifest) -> None:
    assert manifest.commit(log=("b", "t2"), void=[("a", "t1")], now=5)
    assert not manifest.commit(log=("a", "t1"), add=[segment("a")], now=6)
    assert manifest.segments() == []
    assert manifest.commit(log=("a", "t3"), add=[segment("a")], now=7)
    assert manifest.token_of("a") == "t3"


def test_an_attempt_that_has_succeeded_cannot_be_made_void(manifest: Manifest) -> None:
    assert manifest.commit(log=("a", "t1"), now=5)
    assert not manifest.commit(log=("b", "t2"), void=[("a", "t1")], now=6)
    assert manifest.token_of("b") is None
    assert manifest.commit(log=("b", "t2"), void=[("a", "another")], now=6)


@pytest.mark.parametrize("failing", ["_commit", "_make_void"])
def test_a_failure_in_the_middle_changes_nothing(
    manifest: Manifest, monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    assert manifest.commit(add=[segment("a")], counts={KEY: 2}, now=5)
    real = getattr(module, failing)

    def fail(*args: Any) -> None:
        real(*args)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(module, failing, fail)
        with pytest.raises(KeyboardInterrupt):
            manifest.commit(
                add=[segment("b")],
                supersede=[segment("a")],
                log=("l", "t"),
                void=[("k", "u")],
                counts={KEY: 2},
                now=6,
            )
    assert manifest.segments() == [segment("a")]
    assert manifest.counts() == {KEY: 2}
    assert not manifest.is_sealed("l")
    assert manifest.known() == {segment("a").path}


def test_two_segments_of_one_path_are_refused(manifest: Manifest) -> None:
    assert manifest.commit(add=[segment("a")], now=5)
    with pytest.raises(SourceError, match="UNIQUE"):
        manifest.commit(add=[segment("b"), segment("a")], counts={KEY: 2}, now=6)
    assert manifest.segments() == [segment("a")]
    assert manifest.counts() == {}


def test_segments_are_found(manifest: Manifest) -> None:
    made = [
        segment("b", 11),
        segment("a", 11),
        segment("c", 10),
        segment("d", 10, variant="red"),
        segment("e", 10, endpoint="other"),
        segment("q", 10, kind="quarantine"),
    ]
    assert manifest.commit(add=made, now=5)
    names = [s.path.rpartition("/")[2][0] for s in manifest.segments(endpoint="churn")]
    assert names == ["c", "a", "b", "d"]
    assert [s.path for s in manifest.segments(endpoint="churn", variant="red")] == [made[3].path]
    assert manifest.segments(hours=(10, 11), variant="blue", endpoint="churn") == [made[2]]
    assert manifest.segments("quarantine") == [made[5]]
    assert manifest.size() == 600


def test_counts_add_up_and_may_go_down(manifest: Manifest) -> None:
    other = ("other", "blue", "stored", "")
    assert manifest.commit(counts={KEY: 5, other: 1}, now=1)
    assert manifest.commit(counts={KEY: -2, other: 0}, now=2)
    assert manifest.counts() == {KEY: 3, other: 1}
    assert manifest.counts("churn") == {KEY: 3}


def test_the_account_is_of_one_moment(manifest: Manifest) -> None:
    assert manifest.commit(log=("a", "t"), counts={KEY: 5}, now=1)
    assert manifest.account(["a", "b"]) == ({KEY: 5}, {"a": "t"})
    assert manifest.account([], "other") == ({}, {})


def test_what_changed_is_told_to_others(manifest: Manifest) -> None:
    assert manifest.commit(add=[segment("a", 10), segment("b", 30)], now=1)
    assert sorted(manifest.unpublished()) == [("events", "churn", "blue", 0), ("events", "churn", "blue", 1)]
    manifest.published(("events", "churn", "blue", 0))
    assert manifest.unpublished() == [("events", "churn", "blue", 1)]
    assert manifest.commit(supersede=[segment("a", 10)], now=2)
    assert len(manifest.unpublished()) == 2
    assert manifest.commit(add=[segment("c", -1)], now=3)
    assert ("events", "churn", "blue", -1) in manifest.unpublished()


def test_old_logs_are_forgotten_and_imports_are_not(manifest: Manifest) -> None:
    for n, name in enumerate(["a", "b", "c"]):
        assert manifest.commit(log=(name, "t"), now=n)
    assert manifest.commit(imports=[IMPORT + "x"], now=0)
    manifest.forget_logs(2, keep={"b"})
    assert [manifest.is_sealed(n) for n in ("a", "b", "c", IMPORT + "x")] == [False, True, True, True]


def test_facts_are_kept(manifest: Manifest) -> None:
    assert manifest.noted("x") is None
    manifest.note("x", {"a": [1]})
    manifest.note("x", 3)
    assert Manifest(manifest.path).noted("x") == 3


def test_each_connection_is_set_up(manifest: Manifest) -> None:
    for _ in range(2):
        with manifest._asked() as database:

            def ask(pragma: str, database: sqlite3.Connection = database) -> object:
                return database.execute(f"PRAGMA {pragma}").fetchone()[0]

            assert ask("journal_mode") == "wal"
            assert ask("synchronous") == 2
            assert ask("trusted_schema") == 0
            assert ask("busy_timeout") == 30_000


def test_tables_are_strict(manifest: Manifest) -> None:
    with pytest.raises(SourceError, match="REAL value in INTEGER"):
        manifest.commit(add=[segment("a", hour=240.5)], now=1)  # type: ignore[arg-type]


def test_a_damaged_manifest_is_told_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "manifest.db"
    path.write_bytes(b"no database, " * 1000)
    with pytest.raises(SourceError) as info:
        Manifest(path)
    assert info.value.code == "E-MANIFEST"
    assert str(path) in str(info.value)
    assert path.read_bytes() == b"no database, " * 1000


def test_one_of_a_newer_driftline_is_refused(manifest: Manifest) -> None:
    manifest.note("format", 99)
    with pytest.raises(SourceError, match="format 99") as info:
        Manifest(manifest.path)
    assert info.value.code == "E-MANIFEST"


def test_damage_inside_is_found(manifest: Manifest) -> None:
    assert manifest.check() == []
    assert manifest.commit(add=[segment(f"{n:04}") for n in range(2000)], now=1)
    data = bytearray(manifest.path.read_bytes())
    at = len(data) // 2
    data[at : at + 4096] = bytes(4096)
    manifest.path.write_bytes(data)
    try:
        found = manifest.check()
    except SourceError as error:
        found = [str(error.code)]
    assert found


def _work(path: Path, number: int, barrier: Any, answers: Any) -> None:
    barrier.wait()
    manifest = Manifest(path)
    won = 0
    for n in range(25):
        # Each log is offered by all of them, and each has one of its own.
        won += manifest.commit(log=(f"shared-{n}", "t"), add=[segment(f"s{n}")], counts={KEY: 1}, now=n)
        assert manifest.commit(log=(f"own-{number}-{n}", "t"), counts={KEY: 1}, now=n)
    answers.put(won)


def test_several_processes_commit_at_once(tmp_path: Path) -> None:
    path = tmp_path / "manifest.db"
    fork = multiprocessing.get_context("fork")
    barrier, answers = fork.Barrier(3), fork.Queue()
    workers = [fork.Process(target=_work, args=(path, n, barrier, answers)) for n in range(3)]
    for worker in workers:
        worker.start()
    won = sum(answers.get(timeout=60) for _ in workers)
    for worker in workers:
        worker.join(60)
        assert worker.exitcode == 0
    manifest = Manifest(path)
    assert won == 25
    assert manifest.counts() == {KEY: 25 + 75}
    assert len(manifest.segments()) == 25
    assert manifest.check() == []


def test_nothing_stays_open(manifest: Manifest) -> None:
    before = os.listdir("/proc/self/fd")  # noqa: PTH208
    for n in range(5):
        assert manifest.commit(counts={KEY: n}, now=n)
        manifest.segments()
    assert os.listdir("/proc/self/fd") == before  # noqa: PTH208
