"""Events for the tests of capture, and what a store holds."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

from driftline.capture.event import Event, Payload
from driftline.capture.window import window

if TYPE_CHECKING:
    import os

HOUR = 3_600_000_000
NOON = 1_700_000_000_000_000 // HOUR * HOUR
"""The beginning of an hour, in microseconds."""
JSON = "application/json"


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self, at: int = NOON) -> None:
        self.at = at

    def __call__(self) -> int:
        return self.at


def body(value: Any) -> Payload:
    return Payload(JSON, json.dumps(value).encode())


def csv(text: str) -> Payload:
    return Payload("text/csv", text.encode())


def event(
    name: str,
    *,
    at: int = NOON,
    time: int | None = -1,
    endpoint: str = "churn",
    variant: str = "AllTraffic",
    input: Payload | None = None,  # noqa: A002
    output: Payload | None = None,
    **more: Any,
) -> Event:
    """Return an event whose own time is that of its arrival, unless it is given or None."""
    return Event(
        name,
        endpoint,
        variant,
        at,
        at if time == -1 else time,
        input or body({"a": 1, "b": 0.5}),
        output or body({"p": 0.25}),
        **more,
    )


def halves(name: str, *, at: int = NOON, **more: Any) -> tuple[Event, Event]:
    """Return the request and the answer of an event, apart."""
    place = {"endpoint": "churn", "variant": "AllTraffic", **more}
    ask = Event(name, **place, received=at, input=body({"a": 1}), is_half=True)
    return ask, Event(name, **place, received=at + 5, output=body({"p": 0.5}), is_half=True)


def seen(root: str | os.PathLike[str], endpoint: str = "churn") -> Counter[str]:
    """Return how often each event is to be seen, by the first of its rows."""
    table = window(root, endpoint, -(2**55), 2**57).table(["_event_id", "_row"])
    if not table.num_columns:
        return Counter()
    rows = zip(table["_event_id"].to_pylist(), table["_row"].to_pylist(), strict=True)
    return Counter(name for name, row in rows if row == 0)


class LostAnswer:
    """A stream whose data arrives, and the answer to it does not."""

    def __init__(self, stream: Any, error: Exception) -> None:
        self.stream, self.error = stream, error

    def __enter__(self) -> Any:
        return self.stream.__enter__()

    def __exit__(self, *args: object) -> None:
        self.stream.__exit__(*args)
        raise self.error
