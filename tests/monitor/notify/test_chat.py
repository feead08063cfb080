"""Chats get text through apprise, which does its own HTTP: here to a receiver on this machine."""

from __future__ import annotations

import json
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest

from driftline.errors import UsageError
from driftline.monitor.notify.error import SendError
from driftline.monitor.notify.guard import Guard
from driftline.monitor.notify.targets import Target, sender

if TYPE_CHECKING:
    import socket
    import threading
    from collections.abc import Callable

    from driftline.monitor.notify.message import Event


def send(event: Event, url: str, **options: Any) -> None:
    target = Target("chat", "apprise", url_env="CHAT", events=("*",))
    sender(target, Guard(**options), environ={"CHAT": url}).send(event)


def test_a_chat_gets_title_and_body(receiver: Callable[..., Any], event: Callable[..., Event]) -> None:
    there = receiver()
    send(
        event(severity="critical", violations=3, columns=["plan"]),
        f"json://127.0.0.1:{there.port}/token-123456",
    )
    request = there.requests[0]
    assert request.head == "POST /token-123456 HTTP/1.1"
    found = json.loads(request.body)
    assert (found["title"], found["type"]) == ("CRITICAL churn-hourly: alert opened", "failure")
    assert found["message"] == "3 violations in 1 column: plan\nmodel churn, schedule churn-hourly"


@pytest.mark.parametrize(
    ("name", "severity", "kind"),
    [
        ("alert.opened", "warning", "warning"),
        ("alert.resolved", "critical", "success"),
        ("model.registered", None, "info"),
    ],
)
def test_colours(
    receiver: Callable[..., Any], event: Callable[..., Event], name: str, severity: str | None, kind: str
) -> None:
    there = receiver()
    send(event(name, severity=severity), f"json://127.0.0.1:{there.port}")
    assert json.loads(there.requests[0].body)["type"] == kind


@pytest.mark.parametrize("form", ["text", "html", "markdown"])
def test_hostile_text_is_harmless_in_every_format(
    receiver: Callable[..., Any], event: Callable[..., Event], form: str
) -> None:
    there = receiver()
    hostile = "<!channel> <script>x</script> [a](https://evil.example) @everyone a\r\nb `c` &amp; ${HOME} \\n :bomb:"
    url = f"json://127.0.0.1:{there.port}/?format={form}&emojis=yes"
    send(event(columns=[hostile], schedule=hostile, model=hostile, reason=hostile), url)
    found = json.loads(there.requests[0].body)
    for text in (found["title"], found["message"]):
        for canary in ("<!", "<script", "](", "://", "@everyone", "`", "\r"):
            assert canary not in text
    assert "HOME" in found["message"]
    assert "\n" not in found["title"]


@pytest.mark.parametrize("status", [400, 404, 429, 500])
def test_a_service_that_refuses_is_tried_again(
    receiver: Callable[..., Any], event: Callable[..., Event], answers: Any, status: int
) -> None:
    there = receiver(answers(status))
    with pytest.raises(SendError) as found:
        send(event(), f"json://127.0.0.1:{there.port}/token-123456")
    assert (found.value.kind, found.value.permanent) == ("service", False)
    assert found.value.message.startswith("target chat: JSON did not take it: ")
    assert "token-123456" not in str(found.value)


@pytest.mark.parametrize(
    "url", ["nonsense://token-123456", "token-123456", "json://", "slack://bad/token-123456"]
)
def test_a_url_that_apprise_does_not_know_is_refused_for_good(
    event: Callable[..., Event], url: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(1)
    with pytest.raises(SendError) as found:
        send(event(), url)
    assert (found.value.kind, found.value.permanent) == ("service", True)
    assert "token-123456" not in str(found.value) + caplog.text


def test_a_service_that_trickles_has_an_end(
    receiver: Callable[..., Any], event: Callable[..., Event]
) -> None:
    def behave(sock: socket.socket, stop: threading.Event) -> None:
        sock.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while not stop.wait(0.02):
            sock.sendall(b"x")

    there = receiver(behave)
    started = time.monotonic()
    with pytest.raises(SendError) as found:
        send(event(), f"json://127.0.0.1:{there.port}", total_seconds=0.4)
    assert found.value.kind == "timeout"
    assert time.monotonic() - started < 3


def test_without_apprise_the_extra_is_named(
    event: Callable[..., Event], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "apprise", None)
    target = Target("chat", "apprise", url_env="CHAT")
    for use in (lambda: sender(target, Guard()), lambda: target.check(Guard())):
        with pytest.raises(UsageError) as found:
            use()
        assert str(found.value) == (
            "E-EXTRA: chats, mail and pagers need apprise, which is not installed; pip install 'driftline[notify]'"
        )
