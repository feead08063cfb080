"""Targets are told what they asked for, and their secrets stay theirs."""

from __future__ import annotations

import json
import logging
import traceback
from typing import TYPE_CHECKING, Any

import pytest

from driftline.errors import UsageError
from driftline.monitor.notify.error import SendError
from driftline.monitor.notify.guard import Guard
from driftline.monitor.notify.line import line
from driftline.monitor.notify.secret import mask
from driftline.monitor.notify.signature import verify
from driftline.monitor.notify.targets import Target, sender

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from driftline.monitor.notify.message import Event

KEY = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
NEW_KEY = "whsec_bmV3LWtleS1uZXcta2V5LW5ldy1rZXktbmV3"
NOW = 1_795_417_200.25


def webhook(url: str | None = "https://hooks.example.com/x", **fields: Any) -> Target:
    return Target("ops", "webhook", **{"url": url, "secret_env": "KEY", **fields})


# --- what a target is ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"kind": "carrier-pigeon"}, "kind"),
        ({"severity": "mild"}, "severity"),
        ({"events": "alert.*"}, "events"),
        ({"events": ("Alert.*",)}, "events"),
        ({"events": ("",)}, "events"),
        ({"url": None}, "url"),
        ({"url_env": "URL"}, "url"),
        ({"url": None, "url_env": "https://hooks.example.com/planted"}, "url_env"),
        ({"secret_env": "whsec_planted="}, "secret_env"),
        ({"secret_env": None}, "secret_env"),
        ({"kind": "apprise", "secret_env": None}, "url"),
        ({"kind": "apprise", "url": None, "url_env": "URL"}, "secret_env"),
        ({"kind": "log", "secret_env": None}, "kind"),
        ({"kind": "log", "url": None}, "kind"),
    ],
)
def test_a_target_that_makes_no_sense_is_refused(fields: dict[str, Any], field: str) -> None:
    with pytest.raises(UsageError) as found:
        Target(
            "ops", **{"kind": "webhook", "url": "https://a.example/planted", "secret_env": "KEY", **fields}
        )
    assert (found.value.code, found.value.field) == ("E-TARGET", field)
    assert "target ops: " in str(found.value)
    assert "planted" not in str(found.value)


def test_names_are_those_of_everything_else() -> None:
    with pytest.raises(UsageError, match="E-NAME"):
        Target("../ops", "log")


@pytest.mark.parametrize(
    ("kind", "events", "severity", "name", "of", "told"),
    [
        ("webhook", (), "warning", "alert.opened", "warning", True),
        ("webhook", (), "warning", "alert.escalated", "critical", True),
        ("webhook", (), "warning", "alert.resolved", "warning", True),
        ("webhook", (), "warning", "monitor.silent", "critical", False),
        ("webhook", (), "warning", "alert.acknowledged", "warning", False),
        ("webhook", (), "warning", "scheduler.heartbeat", None, False),
        ("webhook", (), "critical", "alert.opened", "warning", False),
        ("webhook", (), "critical", "alert.opened", "critical", True),
        ("webhook", ("alert.*",), "warning", "alert.acknowledged", "warning", True),
        ("webhook", ("alert.*",), "warning", "model.registered", None, False),
        ("webhook", ("*",), "warning", "model.registered", None, True),
        ("webhook", ("*",), "critical", "model.registered", None, True),
        ("webhook", ("schedule.*", "model.registered"), "warning", "model.registered", None, True),
        ("alertmanager", ("*",), "warning", "monitor.silent", "warning", True),
        ("heartbeat", (), "warning", "scheduler.heartbeat", None, True),
        ("heartbeat", (), "warning", "alert.opened", "critical", False),
    ],
)
def test_who_is_told(
    event: Callable[..., Event],
    kind: str,
    events: tuple[str, ...],
    severity: str,
    name: str,
    of: str | None,
    told: bool,
) -> None:
    target = Target("ops", kind, url="https://a.example", secret_env="KEY", events=events, severity=severity)
    assert target.matches(event(name, severity=of)) is told


@pytest.mark.parametrize(
    ("patterns", "data", "told"),
    [
        ({"models": ("churn*",)}, {"model": "churn-2"}, True),
        ({"models": ("churn*",)}, {"model": "fraud"}, False),
        ({"models": ("churn*",)}, {"model": None}, True),
        ({"endpoints": ("prod", "eu-*")}, {"endpoint": "eu-1"}, True),
        ({"endpoints": ("prod", "eu-*")}, {"endpoint": "us-1"}, False),
        ({"models": ("churn",), "endpoints": ("prod",)}, {"model": "churn", "endpoint": "test"}, False),
    ],
)
def test_of_whom_it_is_told(
    event: Callable[..., Event], patterns: dict[str, Any], data: dict[str, Any], told: bool
) -> None:
    assert webhook(**patterns).matches(event(**data)) is told


def test_a_bad_address_is_refused_when_it_is_saved(tmp_path: Path) -> None:
    file = tmp_path / "url"
    file.write_text("https://127.1/planted\n")
    for target in (
        webhook("https://127.1/planted"),
        webhook(None, url_file=str(file)),
        webhook(None, url_env="URL"),
    ):
        with pytest.raises(UsageError) as found:
            target.check(Guard(), {"URL": "https://127.1/planted"})
        assert (found.value.code, found.value.field) == ("E-URL", "url")
        assert "planted" not in str(found.value)
    webhook(None, url_env="ELSEWHERE").check(Guard(), {})
    webhook().check(Guard(), {})
    Target("log", "log").check(Guard(), {})


# --- webhooks --------------------------------------------------------------------------------------------------------


def test_a_webhook_gets_the_signed_event(
    receiver: Callable[..., Any], guard: Callable[..., Guard], event: Callable[..., Event]
) -> None:
    there = receiver()
    said = event(columns=["tenure"])
    to = sender(webhook(there.url), guard(), environ={"KEY": f"{KEY} {NEW_KEY}"}, clock=lambda: NOW)
    to.send(said)
    to.send(said)
    first, second = there.requests
    assert first.headers["content-type"] == "application/cloudevents+json; charset=utf-8"
    assert first.body == second.body
    assert (
        first.headers["webhook-id"] == second.headers["webhook-id"] == said.id == json.loads(first.body)["id"]
    )
    for key in (KEY, NEW_KEY):
        assert verify(first.headers, first.body, [key], NOW) == said.id


def test_changed_keys_count_at_once(
    receiver: Callable[..., Any], guard: Callable[..., Guard], event: Callable[..., Event], tmp_path: Path
) -> None:
    there = receiver()
    file = tmp_path / "keys"
    file.write_text(KEY + "\n")
    to = sender(webhook(there.url, secret_env=None, secret_file=str(file)), guard(), clock=lambda: NOW)
    to.send(event())
    file.write_text(f"{NEW_KEY}\n{KEY}\n")
    to.send(event())
    assert [len(request.headers["webhook-signature"].split()) for request in there.requests] == [1, 2]


@pytest.mark.parametrize(
    ("status", "headers", "permanent", "wait"),
    [
        (500, {}, False, None),
        (503, {"Retry_After": "7"}, False, 7.0),
        (429, {"Retry_After": "Mon, 23 Nov 2026 07:02:00 GMT"}, False, 119.75),
        (410, {}, True, None),
        (404, {}, True, None),
        (307, {"Location": "http://127.0.0.1:1/"}, False, None),
    ],
)
def test_what_a_receiver_does_not_take(
    receiver: Callable[..., Any],
    guard: Callable[..., Guard],
    event: Callable[..., Event],
    answers: Any,
    status: int,
    headers: dict[str, str],
    permanent: bool,
    wait: float | None,
) -> None:
    there = receiver(answers(status, **headers))
    with pytest.raises(SendError) as found:
        sender(webhook(there.url), guard(), environ={"KEY": KEY}, clock=lambda: NOW).send(event())
    assert (found.value.kind, found.value.permanent, found.value.retry_after) == ("status", permanent, wait)
    assert found.value.message.startswith(f"target ops: http://127.0.0.1:{there.port}/… answered {status} ")
    assert there.hits == 1


def test_a_heartbeat_needs_no_key(
    receiver: Callable[..., Any], guard: Callable[..., Guard], event: Callable[..., Event]
) -> None:
    there = receiver()
    sender(Target("alive", "heartbeat", url=there.url), guard()).send(event("scheduler.heartbeat"))
    assert there.requests[0].headers["webhook-id"] == event().id
    assert "webhook-signature" not in there.requests[0].headers


# --- the log ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "severity", "level"),
    [
        ("alert.opened", "critical", logging.ERROR),
        ("alert.opened", "warning", logging.WARNING),
        ("alert.resolved", "critical", logging.INFO),
        ("model.registered", None, logging.INFO),
    ],
)
def test_a_line_in_the_log(
    event: Callable[..., Event], caplog: pytest.LogCaptureFixture, name: str, severity: str | None, level: int
) -> None:
    caplog.set_level(logging.INFO, "driftline.notify")
    sender(Target("log", "log"), Guard()).send(
        event(name, severity=severity, columns=["a\n\x1b[31m\u202e%s\ud800\x7f"])
    )
    (record,) = caplog.records
    assert (record.name, record.levelno) == ("driftline.notify", level)
    text = record.getMessage()
    assert text.isascii()
    assert text.isprintable()
    found = json.loads(text)
    assert found["type"] == f"io.driftline.{name}.v1"
    assert found["data"]["columns"] == ["a\n\x1b[31m\u202e%s\\ud800\x7f"]


def test_a_line_says_first_what_it_is_about(event: Callable[..., Event]) -> None:
    assert line(event()).startswith('{"message":"WARNING churn-hourly: alert opened","specversion":"1.0",')


# --- secrets ---------------------------------------------------------------------------------------------------------

PLANTED = [
    "planted-path-1",
    "planted-query-2",
    "UExBTlRFRC1rZXktUExBTlRFRC1rZXktUExBTlRFRA",
    "planted-token-4",
]


@pytest.mark.parametrize("kind", ["webhook", "alertmanager", "heartbeat", "apprise"])
@pytest.mark.parametrize("behaviour", ["taken", "echo", "broken", "nobody", "refused", "no key"])
def test_planted_secrets_are_found_nowhere(
    receiver: Callable[..., Any],
    guard: Callable[..., Guard],
    event: Callable[..., Event],
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
    tmp_path: Path,
    kind: str,
    behaviour: str,
) -> None:
    caplog.set_level(1)

    def behave(sock: Any, stop: Any) -> None:
        if behaviour == "broken":
            # urllib3 logs the URL of an answer whose headers are malformed.
            sock.sendall(b"HTTP/1.1 500 Broken\r\nno header at all\r\n: x\r\n\r\n")
            return
        request = there.requests[-1]
        known = [secret for secret in PLANTED if secret in url or secret in (key or "")]
        echo = f"{' '.join(known)} {request.head} {request.headers}".encode()
        status = b"200" if behaviour == "taken" else b"400"
        sock.sendall(b"HTTP/1.1 %s X\r\nContent-Length: %d\r\n\r\n" % (status, len(echo)) + echo)

    there = receiver(behave)
    port = 1 if behaviour == "nobody" else there.port
    scheme = "json" if kind == "apprise" else "http"
    url = f"{scheme}://127.0.0.1:{port}/{PLANTED[0]}?key={PLANTED[1]}"
    if kind == "apprise":
        url = f"json://user:{PLANTED[3]}@127.0.0.1:{port}/{PLANTED[0]}?+X-Key={PLANTED[1]}"
    if behaviour == "refused":
        url = url.replace("127.0.0.1", "127.1.") if kind != "apprise" else f"nonsense://{PLANTED[0]}"
    file = tmp_path / "url"
    file.write_text(url)
    key = {
        "webhook": f"whsec_{PLANTED[2]}",
        "alertmanager": PLANTED[3],
        "heartbeat": f"whsec_{PLANTED[2]}",
    }.get(kind)
    target = Target("ops", kind, url_file=str(file), secret_env="KEY" if key else None, events=("*",))
    to = sender(target, guard(), environ={"KEY": f"{key} {key}!" if behaviour == "no key" else key or ""})
    shown = [repr(target), repr(to)]
    try:
        to.send(event())
    except SendError as error:
        shown += [str(error), repr(error), *traceback.format_exception(error)]
    shown += [caplog.text, *(repr(record.__dict__) for record in caplog.records), *capfd.readouterr()]
    for text in shown:
        # What the tests themselves say in their own lines is in no message.
        for secret in PLANTED:
            assert secret not in text


def test_half_a_secret_is_not_shown_either(
    receiver: Callable[..., Any], guard: Callable[..., Guard], event: Callable[..., Event], answers: Any
) -> None:
    for padding in range(150, 300, 10):
        there = receiver(answers(400, b"x" * padding + b" " + KEY.encode()))
        with pytest.raises(SendError) as found:
            sender(webhook(there.url), guard(), environ={"KEY": KEY}).send(event())
        assert KEY[6:14] not in found.value.message
        assert len(found.value.message) <= 300


def test_what_a_receiver_says_is_escaped(
    receiver: Callable[..., Any], guard: Callable[..., Guard], event: Callable[..., Event], answers: Any
) -> None:
    there = receiver(answers(400, b"a\r\nb\x1b[31m"))
    with pytest.raises(SendError, match=r"Bad Request: a\\r\\nb\\x1b\[31m$") as found:
        sender(webhook(there.url), guard(), environ={"KEY": KEY}).send(event())
    assert found.value.message.isprintable()


@pytest.mark.parametrize(
    ("environ", "text", "message"),
    [
        ({}, None, "the variable KEY is not set"),
        ({"KEY": "  "}, None, "the variable KEY is not set"),
        ({"KEY": "planted"}, None, "the secret does not begin with whsec_"),
        ({"KEY": KEY}, b"", "is empty"),
        ({"KEY": KEY}, b"\xff", "is no UTF-8"),
        ({"KEY": KEY}, b"planted", "the secret does not begin with whsec_"),
    ],
)
def test_a_missing_secret_is_named_and_tried_again(
    event: Callable[..., Event],
    guard: Callable[..., Guard],
    receiver: Callable[..., Any],
    tmp_path: Path,
    environ: dict[str, str],
    text: bytes | None,
    message: str,
) -> None:
    there = receiver()
    file = tmp_path / "keys"
    if text is not None:
        file.write_bytes(text)
    target = webhook(there.url, secret_file=None if text is None else str(file))
    with pytest.raises(SendError, match=message) as found:
        sender(target, guard(), environ=environ).send(event())
    assert (found.value.kind, found.value.permanent) == ("secret", False)
    assert "planted" not in str(found.value)
    assert there.hits == 0


def test_a_missing_file_is_named(event: Callable[..., Event], tmp_path: Path) -> None:
    target = webhook(None, url_file=str(tmp_path / "none"))
    with pytest.raises(SendError, match="none does not exist"):
        sender(target, Guard(), environ={"KEY": KEY}).send(event())


def test_reprs_show_where_and_not_what() -> None:
    assert repr(webhook("https://hooks.example.com/services/T0/planted")) == (
        "<Target ops: webhook https://hooks.example.com/…, "
        "alert.opened alert.escalated alert.resolved, warning or worse>"
    )
    assert "$CHAT" in repr(Target("chat", "apprise", url_env="CHAT"))
    assert "/run/secrets/chat" in repr(Target("chat", "apprise", url_file="/run/secrets/chat"))


def test_masks_find_what_is_percent_encoded_too() -> None:
    assert mask("a%20secret or a secret or short", ["a%20secret", "short"]) == "*** or *** or short"
