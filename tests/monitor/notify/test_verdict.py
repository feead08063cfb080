"""What an answer means."""

from __future__ import annotations

import pytest

from driftline.monitor.notify.error import SendError
from driftline.monitor.notify.exchange import Answer
from driftline.monitor.notify.verdict import judge, retry_after

NOW = 1_795_417_200.0


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_taken(status: int) -> None:
    judge(Answer(status, {}, b"", 0.0), "host", NOW)


@pytest.mark.parametrize(
    ("status", "permanent"),
    [(status, status not in (408, 425, 429)) for status in range(400, 500)]
    + [(status, False) for status in (*range(100, 104), *range(300, 309), *range(500, 512), 599, 999)],
)
def test_not_taken(status: int, permanent: bool) -> None:
    with pytest.raises(SendError) as found:
        judge(Answer(status, {"retry-after": "30"}, b"", 0.0), "host", NOW)
    assert (found.value.kind, found.value.permanent, found.value.retry_after) == ("status", permanent, 30.0)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("", None),
        ("0", 0.0),
        (" 120 ", 120.0),
        ("-5", None),
        ("1.5", None),
        ("１２", None),
        ("9" * 50, 9999999999.0),
        ("Mon, 23 Nov 2026 07:02:00 GMT", 120.0),
        ("Mon, 23 Nov 2026 07:02:00 -0000", 120.0),
        ("Monday, 23-Nov-26 07:02:00 GMT", 120.0),
        ("Mon Nov 23 07:02:00 2026", 120.0),
        ("Mon, 23 Nov 2026 06:00:00 GMT", 0.0),
        ("Mon, 99 Nov 2026 06:00:00 GMT", None),
        ("Mon, 23 Nov 99999 06:00:00 GMT", None),
        ("soon", None),
    ],
)
def test_what_is_asked_for(value: str | None, seconds: float | None) -> None:
    assert retry_after(value, NOW) == seconds


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (
            Answer(400, {}, b" bad\r\nlabels\x1b[31m ", 0.0),
            "host answered 400 Bad Request: bad\r\nlabels\x1b[31m",
        ),
        (Answer(599, {}, b"", 0.0), "host answered 599"),
        (Answer(302, {}, b"moved", 0.0), "host answered 302 Found, and redirects are not followed"),
        (Answer(500, {"content-encoding": "gzip"}, b"\x1f", 0.0), "host answered 500 Internal Server Error"),
    ],
)
def test_what_is_said(answer: Answer, message: str) -> None:
    with pytest.raises(SendError) as found:
        judge(answer, "host", NOW)
    assert found.value.message == message
