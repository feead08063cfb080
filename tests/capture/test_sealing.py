from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import pytest
from captured import csv, event, halves, seen

from driftline.capture import captures as module
from driftline.capture import wal
from driftline.capture.archive import Archive
from driftline.capture.captures import Captures, Limits, stats_of
from driftline.capture.event import now
from driftline.capture.records import event_payload

if TYPE_CHECKING:
    from pathlib import Path

FORK = pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")


def test_a_process_of_its_own_seals(tmp_path: Path) -> None:
    root = tmp_path / "a folder with 'quotes' and é"
    with Captures(root, input_names={"churn": ["age"]}) as captures:
        captures.write([event("a", input=csv("31")), event("bad", input=csv('"'))])
        assert captures.seal(), captures.failures
        stats = captures.stats()
        assert (stats.stored, stats.quarantined, stats.balance) == (1, 1, 0)
        (segment,) = captures.archive.manifest.segments()
        assert captures.archive.read(segment)["age"].to_pylist() == [31]
    assert seen(root) == {"a": 1}


def test_it_works_in_a_hostile_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hostile = tmp_path / "here"
    for name in ("json.py", "queue.py", "driftline/__init__.py", "pyarrow.py"):
        (hostile / name).parent.mkdir(parents=True, exist_ok=True)
        (hostile / name).write_text("raise SystemExit('imported from the current folder')")
    monkeypatch.chdir(hostile)
    with Captures("captures") as captures:
        monkeypatch.chdir(tmp_path)
        captures.write([event("a")])
        assert captures.seal(), captures.failures
    assert seen(hostile / "captures") == {"a": 1}


def test_its_errors_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    captures = Captures(tmp_path / "captures")
    captures.write([event("a")])
    assert captures._log.rotate(30)
    path = captures.archive.manifest.path
    data = path.read_bytes()
    path.write_bytes(b"damaged " * 1000)
    assert not captures.recover(60)
    assert any("E-SEAL" in said and "E-MANIFEST" in said for said in captures.failures), captures.failures
    path.write_bytes(data)
    assert captures.recover(60)
    assert captures.stats().stored == 1
    assert captures.close()


def _ask(root: Path, **limits: Any) -> subprocess.CompletedProcess[str]:
    asked = {
        "root": str(root),
        "state": str(root / ".driftline"),
        "limits": asdict(Limits(**limits)),
        "input_names": {},
        "output_names": {},
    }
    return subprocess.run(
        [sys.executable, "-P", "-m", "driftline.capture.sealing"],
        input=json.dumps(asked) + "\n",
        capture_output=True,
        text=True,
        check=False,
    )


def _log(archive: Archive, name: str, *events: Any) -> None:
    data = b"".join(wal.frame(event_payload(made)) for made in events)
    (archive.logs / f"{name}.log").write_bytes(data)


def test_halves_are_carried_on_from_all_logs_to_one(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    ask, answer = halves("h", at=now())
    _log(archive, "1", ask)
    _log(archive, "2", answer, event("a"))
    for _ in range(2):
        done = _ask(tmp_path)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert seen(tmp_path) == {"h": 1, "a": 1}
    stats = stats_of(archive)
    assert (stats.received, stats.stored, stats.waiting, stats.balance) == (2, 2, 0, 0)


def test_halves_wait_across_processes(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    ask, answer = halves("h", at=now())
    _log(archive, "1", ask)
    assert _ask(tmp_path).returncode == 0
    assert (stats_of(archive).stored, stats_of(archive).waiting) == (0, 1)
    _log(archive, "2", answer)
    assert _ask(tmp_path).returncode == 0
    assert _ask(tmp_path).returncode == 0
    assert (stats_of(archive).stored, stats_of(archive).rows) == (1, 1)
    assert archive.waiting_logs() == []


def test_it_keeps_within_the_budget(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    _log(archive, "1", *(event(f"e{n}", input=csv(os.urandom(200).hex())) for n in range(100)))
    assert _ask(tmp_path, disk_bytes=1000, when_full="expire").returncode == 0
    stats = stats_of(archive)
    assert (stats.expired, stats.segments) == (100, 0)


def test_one_line_is_said_of_an_error(tmp_path: Path) -> None:
    (tmp_path / ".driftline").write_text("no folder")
    done = _ask(tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith("E-WRITE")
    assert done.stderr.count("\n") == 1


@FORK
def test_a_worker_that_is_forked_meanwhile_keeps_nobody_waiting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started, forked = threading.Event(), threading.Event()
    real = subprocess.Popen

    class Slow(real):  # type: ignore[misc,valid-type]
        def communicate(self, *args: Any, **more: Any) -> Any:
            started.set()
            forked.wait(30)
            return super().communicate(*args, **more)

    monkeypatch.setattr(module.subprocess, "Popen", Slow)
    captures = Captures(tmp_path)
    captures.write([event("a")])
    sealed: list[bool] = []
    thread = threading.Thread(target=lambda: sealed.append(captures.seal(60)))
    thread.start()
    assert started.wait(30)
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(writing)
        os.read(reading, 1)  # lives until it is told to go
        os._exit(0)
    forked.set()
    thread.join(60)
    assert sealed == [True]
    os.close(writing)
    os.close(reading)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert captures.close()


@pytest.mark.parametrize(
    ("program", "expected"),
    [
        ("/usr/bin/python3", True),
        ("/x/pypy3.11", True),
        ("/usr/bin/uwsgi", False),
        ("", False),
        (None, False),
    ],
)
def test_only_python_is_asked(program: str | None, expected: bool) -> None:
    assert module._is_python(program) is expected


def test_inside_another_program_a_thread_seals(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module.sys, "executable", "/usr/bin/uwsgi")
    monkeypatch.setattr(module.subprocess, "Popen", lambda *_, **__: pytest.fail("asked another program"))
    with Captures(tmp_path) as captures:
        captures.write([event("a")])
        assert captures.seal()
    assert seen(tmp_path) == {"a": 1}
