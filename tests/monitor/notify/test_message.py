"""An event is well formed, and says what it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.capture.window import moment_of
from driftline.errors import UsageError
from driftline.monitor.notify.message import Event, rfc3339

if TYPE_CHECKING:
    from collections.abc import Callable

GOOD = {"id": "01JD", "type": "io.driftline.alert.opened.v1", "source": "/w", "subject": "s", "time_us": 0}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("id", ""),
        ("id", "a.b"),
        ("id", "a\r\nb"),
        ("id", "a" * 129),
        ("type", "alert.opened"),
        ("type", "io.driftline.alert.v1"),
        ("type", "io.driftline.alert.opened.v0"),
        ("type", "io.driftline.Alert.Opened.v1"),
        ("type", "io.driftline.alert.opened.v1\n"),
        ("source", ""),
        ("source", "a b"),
        ("source", "ä"),
        ("subject", ""),
        ("time_us", -1),
        ("time_us", 253_402_300_800_000_000),
    ],
)
def test_a_malformed_field_is_refused(field: str, value: Any) -> None:
    with pytest.raises(UsageError) as found:
        Event(**{**GOOD, field: value})
    assert (found.value.code, found.value.field) == ("E-EVENT", field)


@pytest.mark.parametrize(
    ("name", "data", "severity", "is_resolved"),
    [
        ("alert.opened", {"severity": "critical"}, "critical", False),
        ("alert.opened", {"severity": "catastrophic"}, None, False),
        ("alert.opened", {"severity": []}, None, False),
        ("alert.resolved", {}, None, True),
        ("monitor.recovered", {}, None, True),
        ("alert.acknowledged", {"state": "resolved"}, None, True),
        ("model.version.registered", {}, None, False),
    ],
)
def test_what_an_event_says_of_itself(name: str, data: Any, severity: str | None, is_resolved: bool) -> None:
    event = Event(**{**GOOD, "type": f"io.driftline.{name}.v12", "data": data})
    assert (event.name, event.severity, event.is_resolved) == (name, severity, is_resolved)


@given(st.integers(0, 253_402_300_799_999_999))
def test_moments_are_spelled_exactly(moment: int) -> None:
    assert moment_of(rfc3339(moment)) == moment
    Event(**{**GOOD, "time_us": moment})


def test_the_fixture_is_an_event(event: Callable[..., Event]) -> None:
    assert event().name == "alert.opened"
