"""Late data: what has come since a window was looked at, and nothing else, is a reason to look again."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import pyarrow as pa
import pytest
from captured import Clock
from loop.site import HOUR, ROWS, START, capture

from driftline.capture import upkeep
from driftline.capture.archive import Archive
from driftline.capture.captures import Captures
from driftline.capture.event import Event, Payload
from driftline.capture.truth import import_labels
from driftline.monitor.captured import input_digest
from driftline.monitor.late import late
from driftline.registry.executions import Execution

if TYPE_CHECKING:
    from pathlib import Path

MINUTE = 60_000_000


def execution(root: Path, hour: int = 0, *, started: int, rows: int = 400, labels: bool = False) -> Execution:
    """An execution that has looked at one hour as it is now."""
    start, end = START + hour * HOUR, START + (hour + 1) * HOUR
    given: dict[str, Any] = dict.fromkeys(Execution.__slots__)
    given |= {"id": f"E{hour}", "schedule": "q", "endpoint": "prod", "window_start": start, "window_end": end}
    given |= {"config": {}, "started": started, "created": started, "result": {"rows": {"captured": rows}}}
    digest = input_digest(root / "captures", "prod", start, end, None, labels=labels)
    return Execution(**cast("Any", given | {"input_digest": digest}))


def arrives(root: Path, at: int, time: int, name: str = "late", n: int = 50) -> None:
    with Captures(root / "captures", clock=Clock(at)) as captures:
        body = Payload(ROWS, json.dumps([{"x": float(k), "c": "a"} for k in range(n)]).encode())
        captures.write([Event(name, "prod", "AllTraffic", at, time, input=body)])
        captures.seal()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    capture(tmp_path, 0)
    capture(tmp_path, 1)
    return tmp_path


def test_nothing_has_come(root: Path) -> None:
    looked = [execution(root, hour, started=START + 2 * HOUR) for hour in range(2)]
    assert late(str(root / "captures"), looked) == []
    assert late(str(root / "captures"), []) == []


def test_no_captures_at_all(tmp_path: Path, root: Path) -> None:
    assert late(str(tmp_path / "none"), [execution(root, started=START + HOUR)]) == []


def test_only_the_window_that_has_grown(root: Path) -> None:
    looked = [execution(root, hour, started=START + 2 * HOUR) for hour in range(2)]
    arrives(root, START + 3 * HOUR, START + 40 * MINUTE)
    assert [e.id for e in late(str(root / "captures"), looked)] == ["E0"]


def test_a_file_that_grew_outside_of_the_window(root: Path) -> None:
    half = replace(execution(root, started=START + 2 * HOUR), window_end=START + 30 * MINUTE)
    arrives(root, START + 3 * HOUR, START + 40 * MINUTE)
    assert late(str(root / "captures"), [half]) == []


def test_once_looked_at_it_is_no_longer_late(root: Path) -> None:
    arrives(root, START + 3 * HOUR, START + 40 * MINUTE)
    again = execution(root, started=START + 3 * HOUR + 2 * MINUTE, rows=450)
    assert late(str(root / "captures"), [again]) == []


def test_a_window_in_which_there_was_nothing(root: Path) -> None:
    nothing = execution(root, 2, started=START + 3 * HOUR, rows=0)
    assert nothing.input_digest is None
    arrives(root, START + 4 * HOUR, START + 2 * HOUR + MINUTE)
    assert late(str(root / "captures"), [nothing]) == [nothing]


def test_compaction_and_erasure_are_no_news(root: Path) -> None:
    arrives(root, START + 50 * MINUTE, START + 40 * MINUTE, "e")
    looked = execution(root, started=START + 2 * HOUR, rows=450)
    archive = Archive(root / "captures", clock=Clock(START + 3 * HOUR))
    upkeep.compact(archive)
    assert late(str(root / "captures"), [looked]) == []
    upkeep.erase(archive, event_ids=["e"])
    assert late(str(root / "captures"), [looked]) == []


def test_a_clock_that_was_set_back(root: Path) -> None:
    # It was looked at a year ahead of time, when there was nothing yet.
    ahead = execution(root, 2, started=START + 9000 * HOUR, rows=0)
    arrives(root, START + 3 * HOUR, START + 2 * HOUR + MINUTE)
    assert late(str(root / "captures"), [ahead], now=START + 4 * HOUR) == [ahead]


def test_labels_count_where_they_are_looked_at(root: Path) -> None:
    with_labels = execution(root, started=START + 2 * HOUR, labels=True)
    without = execution(root, started=START + 2 * HOUR)
    _label(root, START + 3 * HOUR)
    captures = str(root / "captures")
    assert late(captures, [without]) == []
    assert late(captures, [with_labels], labels=True) == [with_labels]


def _label(root: Path, at: int) -> None:
    labels = pa.table({"id": ["e0-10-0"] * 400, "row": list(range(400)), "label": ["a"] * 400})
    import_labels(Archive(root / "captures", clock=Clock(at)), "prod", labels)
