"""Metrics say what lies in the logs without looking into it, and speak Prometheus' format."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from driftline.capture.captures import Captures
from driftline.capture.event import Event, Payload, now
from driftline.capture.metrics import Metrics

if TYPE_CHECKING:
    from pathlib import Path


def events(n: int, start: int = 0) -> list[Event]:
    return [
        Event(f"{start + i}", "churn", "AllTraffic", now(), None, Payload("text/csv", b"1")) for i in range(n)
    ]


def test_waiting_is_counted_as_it_grows(tmp_path: Path) -> None:
    with Captures(tmp_path, seal_in="thread") as captures:
        metrics = Metrics(captures.archive)
        assert metrics.waiting() == (0, 0)
        for n in (3, 10):
            captures.write(events(n, start=n))
            (log,) = captures.archive.waiting_logs()
            assert metrics.waiting() == ({3: 3, 10: 13}[n], log.stat().st_size)
        assert captures.seal()
        assert metrics.waiting() == (0, 0)


def test_a_torn_end_is_not_counted(tmp_path: Path) -> None:
    with Captures(tmp_path, seal_in="thread") as captures:
        captures.write(events(3))
        (log,) = captures.archive.waiting_logs()
        whole = log.read_bytes()
        metrics = Metrics(captures.archive)
        log.write_bytes(whole + whole[:20])
        assert metrics.waiting()[0] == 3
        log.write_bytes(whole + whole)
        assert metrics.waiting()[0] == 6


def test_the_format(tmp_path: Path) -> None:
    with Captures(tmp_path, seal_in="thread") as captures:
        metrics = Metrics(captures.archive)
        captures.drop("churn", "AllTraffic", 'a "quoted"\nreason')
        captures.write(events(2))
        captures.seal()
        metrics.answered(200)
        metrics.refused("E-SIZE")
        lines = metrics.exposition().splitlines()
    sample = re.compile(r'[a-z_]+(\{([a-z]+="(?:[^"\\\n]|\\["\\n])*",?)+\})? \d+')
    assert all(line.startswith(("# HELP ", "# TYPE ")) or sample.fullmatch(line) for line in lines)
    assert 'driftline_capture_stored_total{endpoint="churn",variant="AllTraffic"} 2' in lines
    dropped = next(line for line in lines if line.startswith("driftline_capture_dropped_total{"))
    assert dropped.endswith(r'reason="a \"quoted\"\nreason"} 1')
    names = [line.split()[2] for line in lines if line.startswith("# TYPE")]
    assert len(names) == len(set(names))
