"""Judge: what the store holds after a fault, against what was sent, acknowledged and erased.

The events are numbered and their content follows from the number, so that every value that is read can be checked.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from driftline.capture import upkeep
from driftline.capture.captures import Captures, Limits
from driftline.capture.event import Event, Payload
from driftline.capture.window import window
from driftline.errors import DriftlineError
from exam import forks

if TYPE_CHECKING:
    from collections.abc import Collection

    from exam.verdict import Verdict

__all__ = ["ENDPOINT", "Seen", "event", "halves", "judge", "look", "number_of", "odd", "opened", "read"]

ENDPOINT = "churn"
VARIANT = "AllTraffic"
START = 1_700_000_000_000_000
_FOREVER = 2**60


def _value(number: int) -> int:
    return number * 7919 % 1_000_003


def _text(number: int) -> str:
    return f"n{number}-" + "ab" * (number % 23)


def event(number: int, *, time: bool = True, received: int | None = None) -> Event:
    """Return the event of a number."""
    moment = START + number * 1000 + (number % 2) * 3_600_000_000
    return Event(
        f"e{number}",
        ENDPOINT,
        VARIANT,
        moment if received is None else received,
        moment if time else None,
        Payload("application/json", json.dumps({"v": _value(number), "text": _text(number)}).encode()),
        Payload("text/csv", str(number / 8).encode()),
        f"i{number}",
    )


def halves(number: int) -> tuple[Event, Event]:
    """Return the event of a number as two that come one after the other."""
    whole = event(number)
    facts = (whole.id, whole.endpoint, whole.variant, whole.received, whole.time)
    ask = Event(*facts, whole.input, None, whole.inference_id, is_half=True)
    return ask, Event(*facts, None, whole.output, is_half=True)


def odd(number: int) -> Event:
    """Return the event of a number with a body that cannot be put in a table."""
    good = event(number)
    body = Payload("application/json", b"{")
    return Event(
        good.id, good.endpoint, good.variant, good.received, good.time, body, None, good.inference_id
    )


def number_of(event_id: str) -> int:
    """Return the number of an event's id."""
    return int(event_id[1:])


def opened(root: Path | str, *, state: Path | None = None, **limits: Any) -> Captures:
    """Open a store that seals in a thread."""
    return Captures(root, state=state, seal_in="thread", limits=Limits(**{"seal_seconds": 600.0} | limits))


@dataclass(slots=True)
class Seen:
    """What was found in a store."""

    numbers: dict[int, int] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    twice: int = 0
    faults: list[str] = field(default_factory=list)
    untidy: int = 0
    partial: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    stats: dict[str, Any] = field(default_factory=dict)
    balance: int = 0
    visible: int = 0
    rows: int = 0
    quarantined: list[int] = field(default_factory=list)
    remains: list[int] = field(default_factory=list)


def look(root: Path | str, *, state: Path | None = None, remains: Collection[int] = ()) -> dict[str, Any]:
    """Open a store, recover it, and say what is there; `remains` are numbers to be looked for in every file."""
    seen = Seen()
    with opened(root, state=state) as captures:
        captures.recover(60.0)
        seen.failures = list(captures.failures)
        stats = captures.stats()
        own = captures.stats(ENDPOINT)
        archive = captures.archive
        for fault in upkeep.check(archive):
            if fault.is_damage:
                seen.faults.append(f"{Path(fault.file).name}: {fault.message}")
            else:
                seen.untidy += 1
        seen.quarantined = [number_of(e.id) for e, _, _ in upkeep.quarantined(archive)]
    seen.balance = stats.balance
    seen.stats = {
        name: getattr(stats, name) for name in stats.__slots__ if name not in ("dropped", "quarantine")
    }
    seen.visible = own.stored + own.replayed - own.erased - own.expired
    seen.rows = own.rows
    seen.stats["dropped"] = sum(stats.dropped.values())
    try:
        read(root, seen)
    except (DriftlineError, pa.ArrowException, OSError) as error:
        seen.faults.append(f"reading: {error}")
    if isinstance(root, Path):
        _every_file(root, seen, {f"e{n}" for n in remains})
    return {name: getattr(seen, name) for name in seen.__slots__}


def read(root: Path | str, seen: Seen) -> None:
    """Read every event of the store, and hold its values against its number."""
    rows: Counter[tuple[int, int, str]] = Counter()
    for piece in window(root, ENDPOINT, -_FOREVER // 64, _FOREVER // 64).batches():
        for row in piece.to_pylist():
            number, side = number_of(row["_event_id"]), row["_side"]
            rows[number, row["_row"], side] += 1
            seen.numbers[number] = seen.numbers.get(number, 0) | {"both": 3, "input": 1, "output": 2}[side]
            asked = side == "output" or (row.get("v"), row.get("text")) == (_value(number), _text(number))
            answered = side == "input" or row.get("prediction") == number / 8
            if not (asked and answered):
                seen.wrong.append(str(row))
    seen.twice = sum(n - 1 for n in rows.values())
    seen.twice += sum(1 for number, row, side in rows if side == "both" and (number, row, "input") in rows)


def _every_file(root: Path, seen: Seen, remains: set[str]) -> None:
    """Look into whatever lies in the folders, as a tool would that knows nothing of a manifest."""
    for path in root.rglob("*.parquet"):
        try:
            ids = set(pq.read_table(path, columns=["_event_id"], partitioning=None)["_event_id"].to_pylist())
        except (pa.ArrowException, OSError) as error:
            seen.partial.append(f"{path.name}: {error}")
        else:
            seen.remains += [number_of(i) for i in ids & remains]


def judge(
    verdict: Verdict,
    root: Path | str,
    acks: forks.Acks,
    what: str,
    *,
    state: Path | None = None,
    in_child: bool = True,
) -> Seen | None:
    """Open a store after a fault, in a process of its own, and write down all that is wrong."""
    told, sent, gone = acks.told, acks.sent, acks.gone
    try:
        found = forks.answer(lambda: look(root, state=state)) if in_child else look(root, state=state)
    except (forks.ChildError, DriftlineError, OSError) as error:
        verdict.wrong("failed", 1, f"{what}: cannot be opened again: {error}")
        return None
    seen = Seen(**found)
    seen.numbers = {int(number): sides for number, sides in seen.numbers.items()}
    kept = set(seen.numbers) | set(seen.quarantined)
    missing = sorted(told - kept - gone)
    half = sorted(n for n in told & set(seen.numbers) - gone if seen.numbers[n] != 3)
    verdict.wrong("lost", len(missing), f"{what}: {missing[:5]}, {seen.stats}, {seen.failures}")
    verdict.wrong("lost", len(half), f"{what}: half of {half[:5]}, {seen.stats}, {seen.failures}")
    bad = seen.faults + seen.partial
    verdict.wrong("unreadable", len(bad), f"{what}: {bad[:3]}")
    verdict.wrong("duplicates", seen.twice, what)
    invented = sorted(set(seen.numbers) - sent)
    verdict.wrong("silent", len(seen.wrong) + len(invented), f"{what}: {seen.wrong[:2]} {invented[:5]}")
    verdict.wrong("failed", len(seen.failures), f"{what}: recovery: {seen.failures[:2]}")
    verdict.wrong("unbalanced", int(seen.balance != 0), f"{what}: {seen.stats}")
    if not gone:
        # An event that is stored as two halves is counted twice.
        off = seen.visible != seen.rows
        verdict.wrong("unbalanced", int(off), f"{what}: {seen.visible} should be seen: {seen.stats}")
    verdict.notes["files that nobody sees"] += seen.untidy
    return seen
