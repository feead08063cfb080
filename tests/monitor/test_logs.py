"""Logs are one line a record, which nobody outside can forge, and keep secrets to themselves."""

from __future__ import annotations

import io
import json
import logging
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.errors import UsageError
from driftline.monitor.logs import JsonFormatter, TextFormatter, configure, masked

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def restored() -> Iterator[None]:
    """Put the loggers back as they were."""
    root, mine = logging.getLogger(), logging.getLogger("driftline")
    before = list(root.handlers), root.level, mine.level
    yield
    root.handlers[:] = before[0]
    root.setLevel(before[1])
    mine.setLevel(before[2])


def record(message: object, *args: object, **fields: Any) -> logging.LogRecord:
    made = logging.LogRecord("driftline.scheduler", logging.WARNING, "scheduler.py", 1, message, args, None)
    vars(made).update(fields)
    return made


def told(made: logging.LogRecord) -> dict[str, Any]:
    line = JsonFormatter().format(made)
    assert line.isascii()
    assert line.isprintable()
    found = json.loads(line)
    assert isinstance(found, dict)
    return found


def test_json_says_when_who_and_what() -> None:
    made = record(
        "run %s is %s", 7, "late", schedule="nightly", execution="01J", n_rows=3, share=0.5, late=True
    )
    made.created = datetime(2026, 11, 23, 15, 4, 5, 678000, UTC).timestamp()
    assert told(made) == {
        "time": "2026-11-23T15:04:05.678Z",
        "level": "warning",
        "logger": "driftline.scheduler",
        "message": "run 7 is late",
        "execution": "01J",
        "late": True,
        "n_rows": 3,
        "schedule": "nightly",
        "share": 0.5,
    }


def test_text_says_the_same() -> None:
    made = record("run %s is late", 7, schedule="nightly", note="two words", empty="")
    made.created = datetime(2026, 11, 23, 15, 4, 5, tzinfo=UTC).timestamp()
    assert TextFormatter().format(made) == (
        "2026-11-23T15:04:05.000Z warning  driftline.scheduler: run 7 is late "
        'empty="" note="two words" schedule=nightly'
    )


@given(st.text(), st.text(min_size=1), st.text())
def test_a_record_is_one_line_whatever_it_says(message: str, name: str, value: str) -> None:
    made = record("%s", message)
    if name not in vars(made):
        vars(made)[name] = value
    found = told(made)
    assert {"time", "level", "logger", "message"} <= set(found)
    assert found["level"] == "warning"
    assert TextFormatter().format(made).isprintable()


FORGED = "ok\n2026-11-23T15:04:05.000Z critical driftline: all is lost\r\x1b[2K\u2028\u202e\x00\ud800"


def test_lines_cannot_be_forged() -> None:
    made = record(FORGED, agent=FORGED)
    assert told(made)["message"] == FORGED
    assert told(made)["agent"] == FORGED
    line = TextFormatter().format(made)
    assert line.isprintable()
    assert line.count("\n") == 0


def test_fields_cannot_take_the_place_of_others() -> None:
    made = record("what was said", time="never", level="info", logger="other", exception="none")
    found = told(made)
    assert found["level"] == "warning"
    assert found["level_"] == "info"
    assert found["time_"] == "never"
    assert found["logger"] == "driftline.scheduler"


def test_what_json_has_no_word_for_is_told_as_text() -> None:
    found = told(record("x", share=float("nan"), where=("a", 1), nothing=None))
    assert found["share"] == "nan"
    assert found["where"] == "('a', 1)"
    assert found["nothing"] is None


def test_a_record_whose_format_is_wrong_is_told() -> None:
    assert told(record("%s and %s", "one"))["message"] == "%s and %s ('one',)"


def test_a_megabyte_is_cut() -> None:
    made = record("agent %s", "x" * 1_000_000, agent="y" * 1_000_000, **{f"f{n}": n for n in range(500)})
    assert len(JsonFormatter().format(made)) < 20_000
    assert len(TextFormatter().format(made)) < 20_000


def failing() -> logging.LogRecord:
    import sys

    try:
        raise ValueError("first\nsecond postgresql://ann:hunter2@db/x")  # noqa: TRY301
    except ValueError:
        made = record("it failed")
        made.exc_info = sys.exc_info()
        return made


def test_a_traceback_stays_in_the_record() -> None:
    trace = told(failing())["exception"]
    assert trace.startswith("Traceback (most recent call last):\n")
    assert "hunter2" not in trace


def test_the_lines_of_a_traceback_are_told_from_records() -> None:
    first, *others = TextFormatter().format(failing()).split("\n")
    assert first.endswith("it failed")
    assert all(line.startswith("    | ") and line.isprintable() for line in others)
    assert others[-1] == "    | second postgresql://***@db/x"


# text, what of it is secret
SECRETS = [
    ("postgresql://ann:hunter2secret@db.example.com/registry", "hunter2secret"),
    ("postgresql://ann:hunter2/sl@sh@db.example.com/registry", "hunter2"),
    ("https://abcdef123456@api.example.com/v1", "abcdef123456"),
    ("GET https://x.example.com/hook?token=abcdef123456&n=1", "abcdef123456"),
    ("https://s3/x?X-Amz-Signature=abcdef123456&X-Amz-Credential=qwertz9876", "abcdef123456"),
    ("https://s3/x?X-Amz-Signature=abcdef123456&X-Amz-Credential=qwertz9876", "qwertz9876"),
    ("https://blob/x?sv=1&sig=abcdef123456", "abcdef123456"),
    ("https://maps/x?key=abcdef123456", "abcdef123456"),
    ("https://hooks.slack.com/services/T0/B0/abcdef123456", "abcdef123456"),
    ("signed with whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
    ("Authorization: Bearer abcdef123456", "abcdef123456"),
    ("authorization: basic YWxhZGRpbjpvcGVu", "YWxhZGRpbjpvcGVu"),
    ("connect host=db password=hunter2secret user=ann", "hunter2secret"),
    ("{'password': 'hunter2secret', 'user': 'ann'}", "hunter2secret"),
    ('{"api_key": "abcdef123456"}', "abcdef123456"),
    ("AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG", "wJalrXUtnFEMI/K7MDENG"),
    ("used AKIAIOSFODNN7EXAMPLE for it", "AKIAIOSFODNN7EXAMPLE"),
    ("cloned with ghp_abcdefghijklmnopqrstuvwxyz0123456789", "abcdefghijklmnopqrstuvwxyz"),
    ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl", "eyJzdWIiOiIxIn0"),
    ("-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAK\n-----END RSA PRIVATE KEY-----", "MIIEpAIBAAK"),
    ("-----BEGIN PRIVATE KEY-----\nMIIEpAIBAAK", "MIIEpAIBAAK"),
]


@pytest.mark.parametrize(("text", "secret"), SECRETS)
def test_secrets_are_masked(text: str, secret: str) -> None:
    assert secret in text
    for made in (record(f"cannot go on: {text}"), record("cannot go on: %s", text), record("x", detail=text)):
        for formatter in (JsonFormatter(), TextFormatter()):
            line = formatter.format(made)
            assert secret not in line
            assert "***" in line


@pytest.mark.parametrize("name", ["token", "api_key", "client_secret", "Password", "authorization"])
def test_fields_named_like_secrets_are_masked(name: str) -> None:
    assert told(record("x", **{name: "abc"}))[name] == "***"
    assert told(record("x", **{name: None}))[name] is None


@pytest.mark.parametrize(
    "text",
    [
        "cannot read s3://bucket/churn/2026/11/23/08/x.parquet: 403",
        "http://127.0.0.1:9000/captures?list-type=2&prefix=a",
        "schedule nightly: 3 violations in 1 incident: key columns drifted",
        "E-NO-BASELINE: there is no accepted baseline 'churn'; accept one with `driftline baselines accept`",
        "ann@example.com acknowledged 01J; monkey=1",
    ],
)
def test_other_text_stays_as_it_is(text: str) -> None:
    assert masked(text) == text


@pytest.mark.parametrize(
    "piece", ["://", "?token", "&", "-----BEGIN PRIVATE KEY-----", '"token":', "Bearer ", "://a:b"]
)
def test_masking_takes_time_in_proportion(piece: str) -> None:
    import time

    text = piece * (65_536 // len(piece))
    start = time.process_time()
    masked(text)
    assert time.process_time() - start < 2


def test_a_secret_at_the_cut_is_masked_or_gone() -> None:
    for n in range(8_100, 8_200, 7):
        line = told(record("%s", "x" * n + " postgresql://ann:hunter2secret@db/x"))["message"]
        assert "hunter2" not in line


def test_configure_writes_lines(restored: None) -> None:
    stream = io.StringIO()
    configure("json", "info", stream)
    log = logging.getLogger("driftline.scheduler")
    log.info("it is %s", "well", extra={"schedule": "nightly"})
    log.debug("not told")
    logging.getLogger("urllib3").info("not told")
    logging.getLogger("urllib3").warning("told")
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [(line["logger"], line["message"]) for line in lines] == [
        ("driftline.scheduler", "it is well"),
        ("urllib3", "told"),
    ]
    assert lines[0]["schedule"] == "nightly"


def test_configure_again_takes_the_place_of_the_first(restored: None) -> None:
    first, second = io.StringIO(), io.StringIO()
    configure("json", "debug", first)
    configure("text", "WARNING", second)
    logging.getLogger("driftline.scheduler").warning("once")
    logging.getLogger("driftline.scheduler").info("not told")
    assert first.getvalue() == ""
    assert re.fullmatch(r"\S+Z warning  driftline\.scheduler: once\n", second.getvalue())


@pytest.mark.parametrize(("given", "field"), [({"format": "xml"}, "format"), ({"level": "loud"}, "level")])
def test_other_formats_and_levels_are_refused(given: dict[str, Any], field: str, restored: None) -> None:
    with pytest.raises(UsageError, match=f"{field}: .* is no {field} of logs; write "):
        configure(**given)
