"""A real Alertmanager shows what is open, and nothing else."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from driftline.monitor.notify.alertmanager import alerts
from driftline.monitor.notify.error import SendError
from driftline.monitor.notify.message import Event
from driftline.monitor.notify.targets import Target, sender

if TYPE_CHECKING:
    from collections.abc import Callable

    from driftline.monitor.notify.guard import Guard


def event(name: str, alert: str, **data: Any) -> Event:
    fields = {"severity": "warning", "alert": alert, "schedule": "churn-hourly", "model": "churn", **data}
    moment = time.time_ns() // 1000
    return Event("01JD", f"io.driftline.{name}.v1", "/w", f"alerts/{alert}", moment, fields)


@pytest.fixture
def tell(alertmanager: Any, guard: Callable[..., Guard]) -> Callable[[Event], None]:
    return sender(Target("am", "alertmanager", url=alertmanager.url), guard()).send


def shown(alertmanager: Any, alert: str) -> list[tuple[str, str]]:
    """Return severity and state of what Alertmanager shows of an alert."""
    found = [a for a in alertmanager.alerts() if a["labels"].get("alert") == alert]
    return sorted((a["labels"]["severity"], a["status"]["state"]) for a in found)


def test_an_alert_fires_until_it_is_resolved(alertmanager: Any, tell: Callable[[Event], None]) -> None:
    opened = event(
        "alert.opened",
        "a1",
        endpoint="prod",
        monitor="DataQuality",
        rule="drift",
        kind="violations",
        reason="Moved <b>",
        url="https://driftline.example/alerts/a1",
        opened="2026-11-23T07:00:00Z",
    )
    tell(opened)
    (found,) = [a for a in alertmanager.alerts() if a["labels"].get("alert") == "a1"]
    assert found["labels"] == {
        "alertname": "DriftlineAlert",
        "alert": "a1",
        "endpoint": "prod",
        "kind": "violations",
        "model": "churn",
        "monitor": "DataQuality",
        "rule": "drift",
        "schedule": "churn-hourly",
        "severity": "warning",
    }
    assert found["annotations"]["summary"] == "WARNING churn-hourly: alert opened"
    assert found["annotations"]["description"].startswith("Moved ＜b＞\n")
    assert found["generatorURL"] == "https://driftline.example/alerts/a1"
    assert found["startsAt"].startswith("2026-11-23T07:00:00")
    assert found["status"]["state"] in ("active", "unprocessed")
    tell(opened)
    assert len(shown(alertmanager, "a1")) == 1
    tell(
        event("alert.resolved", "a1", endpoint="prod", monitor="DataQuality", rule="drift", kind="violations")
    )
    assert shown(alertmanager, "a1") == []


def test_an_alert_that_escalates_is_one_alert(alertmanager: Any, tell: Callable[[Event], None]) -> None:
    tell(event("alert.opened", "a2"))
    tell(event("alert.escalated", "a2", severity="critical", was="warning"))
    assert [severity for severity, _ in shown(alertmanager, "a2")] == ["critical"]
    tell(event("alert.resolved", "a2", severity="critical"))
    assert shown(alertmanager, "a2") == []


def test_two_alerts_of_one_schedule_are_two(alertmanager: Any, tell: Callable[[Event], None]) -> None:
    tell(event("alert.opened", "a3"))
    tell(event("alert.opened", "a4"))
    tell(event("alert.resolved", "a3"))
    assert shown(alertmanager, "a3") == []
    assert len(shown(alertmanager, "a4")) == 1


def test_what_is_no_alert_is_not_told(receiver: Callable[..., Any], guard: Callable[..., Guard]) -> None:
    there = receiver()
    to = sender(Target("am", "alertmanager", url=there.url, events=("*",)), guard())
    for name in ("monitor.silent", "model.registered"):
        to.send(event(name, "m1"))
    assert there.hits == 0
    to.send(event("alert.opened", "m1", kind="silent"))
    assert there.hits == 1


def test_hostile_data_are_taken(alertmanager: Any, tell: Callable[[Event], None]) -> None:
    tell(event("alert.opened", "a5", columns=['"}]\x00\ud800{{.Labels}}'], model="a\x00\ud800" + "x" * 5000))
    assert len(shown(alertmanager, "a5")) == 1


def test_what_alertmanager_refuses_is_refused_for_good(
    alertmanager: Any, tell: Callable[[Event], None]
) -> None:
    with pytest.raises(SendError) as found:
        tell(event("alert.opened", "a6", opened="yesterday"))
    assert (found.value.kind, found.value.permanent) == ("status", True)
    assert "answered 400 Bad Request" in found.value.message
    assert shown(alertmanager, "a6") == []


def test_without_an_end_it_fires_for_a_day() -> None:
    (found,) = alerts(Event("1", "io.driftline.alert.opened.v1", "/", "s", 1_795_417_200_000_000, {}))
    assert (found["startsAt"], found["endsAt"]) == ("2026-11-23T07:00:00Z", "2026-11-24T07:00:00Z")


@pytest.mark.parametrize("prefix", ["", "/", "/prefix", "/prefix/api/v2/alerts"])
def test_paths_and_tokens(prefix: str, receiver: Callable[..., Any], guard: Callable[..., Guard]) -> None:
    there = receiver()
    target = Target("am", "alertmanager", url=f"http://127.0.0.1:{there.port}{prefix}", secret_env="TOKEN")
    sender(target, guard(), environ={"TOKEN": "tok-123456"}).send(event("alert.opened", "a"))
    expected = prefix.rstrip("/").removesuffix("/api/v2/alerts") + "/api/v2/alerts"
    assert there.requests[0].head == f"POST {expected} HTTP/1.1"
    assert there.requests[0].headers["authorization"] == "Bearer tok-123456"
