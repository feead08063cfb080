from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from driftline.capture.event import Event, Payload, new_id, now
from driftline.capture.window import window
from driftline.demo.clock import HOUR, Clock, TimedCaptures

if TYPE_CHECKING:
    from pathlib import Path


def test_the_week_ends_at_the_last_midnight() -> None:
    clock = Clock(7)
    end = clock.at(8, 0)
    assert end % (24 * HOUR) == 0
    assert 0 <= now() - end < 25 * HOUR
    assert clock() == clock.began == clock.at(1, 0)
    clock.set(clock.at(2, 12))
    assert clock() == clock.began + 36 * HOUR


def test_events_have_the_times_that_were_set(tmp_path: Path) -> None:
    clock = Clock(7)
    times = [clock.at(1, 1), clock.at(1, 1.5)]
    with TimedCaptures(tmp_path / "captures", seal_in="thread", clock=clock) as captures:
        captures.expect(times)

        def put() -> None:
            for n in range(2):
                payload = Payload("application/json", b'{"n": %d}' % n)
                captures.put([Event(new_id(), "churn", "AllTraffic", now(), input=payload)])

        thread = threading.Thread(target=put)
        thread.start()
        captures.wait()
        thread.join()
        captures.seal()
    table = window(tmp_path / "captures", "churn", clock.at(1, 0), clock.at(1, 2)).table()
    assert table["n"].to_pylist() == [0, 1]


def test_waiting_for_nothing(tmp_path: Path) -> None:
    with TimedCaptures(tmp_path / "captures", seal_in="thread") as captures:
        captures.expect([])
        captures.wait()
