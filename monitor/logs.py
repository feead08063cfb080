"""Logs: one line a record, for people or as JSON, that nobody outside can forge and that keeps secrets to itself.

The modules of driftline log to ``driftline.*`` and configure nothing. A program that runs them calls :func:`configure`, or
brings its own handlers.
"""

from __future__ import annotations

import json
import logging
import math
import re
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, Literal, TextIO

from driftline.errors import UsageError, printable

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["JsonFormatter", "TextFormatter", "configure", "masked"]

LEVELS: Final = ("debug", "info", "warning", "error", "critical")

MOST_MESSAGE: Final = 8_192
MOST_TRACE: Final = 32_768
_MOST_READ: Final = 65_536
_MOST_FIELDS: Final = 50
_MOST_NAME: Final = 64

logging.getLogger("driftline").addHandler(logging.NullHandler())

_HIDDEN = "***"
_SECRET_WORD = r"(?:token|secret|passw|pwd|api[-_]?key|accesskey|signature|credential|authorization|jwt)"  # noqa: S105
_SECRET_NAME = re.compile(_SECRET_WORD, re.IGNORECASE)
_SECRETS = tuple(
    (re.compile(pattern, re.IGNORECASE), instead)
    for pattern, instead in (
        (
            r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]{0,30}PRIVATE KEY-----|\Z)",
            _HIDDEN,
        ),
        # User and password before the host of a URL.
        (r"(://)[^\s/?#\"'<>]*@", rf"\1{_HIDDEN}@"),
        (r"(://)[^\s/@:?#]{1,256}:[^\s@\"'<>]{1,256}@", rf"\1{_HIDDEN}@"),
        (r"\bwhsec_[\w+/=-]+", f"whsec_{_HIDDEN}"),
        (r"\b(Bearer|Basic|Digest)\s+[^\s\"',;]{6,}", rf"\1 {_HIDDEN}"),
        # Parameters: of a query, of a form, of a connection string, of JSON, of a command line.
        (
            rf"([?&;\s\"'{{,(-]|^)([\w.%-]{{0,40}}{_SECRET_WORD}[\w.%-]{{0,40}}=|sig=|key=)[\"']?[^\s&\"'<>,;]+",
            rf"\1\2{_HIDDEN}",
        ),
        (
            rf"([\"'][\w.-]{{0,40}}{_SECRET_WORD}[\w.-]{{0,40}}[\"']\s{{0,4}}:\s{{0,4}})([\"'])[^\"']+",
            rf"\1\2{_HIDDEN}",
        ),
        (r"(https://hooks\.[\w.-]{1,80}/)[^\s\"'<>]+", rf"\1{_HIDDEN}"),
        # Keys that can be told by their form: Amazon's, GitHub's, Slack's, and signed tokens.
        (r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b", _HIDDEN),
        (r"\b(?:gh[pousr]|github_pat|xox[abeoprs])[-_][\w-]{10,}", _HIDDEN),
        (r"\beyJ[\w-]{5,}\.[\w-]{5,}\.[\w-]*", _HIDDEN),
    )
)

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "color_message"}
_OWN = frozenset(("time", "level", "logger", "message", "exception"))


def configure(
    format: Literal["text", "json"] = "text",  # noqa: A002
    level: str = "info",
    stream: TextIO | None = None,
) -> logging.Handler:
    """Let this process log, in place of what an earlier call has set.

    Parameters
    ----------
    format : {"text", "json"}
    level : {"debug", "info", "warning", "error", "critical"}
        The least that driftline logs; other libraries log warnings and what is worse.
    stream : file, optional
        Where to; the standard error output where it is left out.

    Returns
    -------
    logging.Handler
        The handler of the root logger.

    Raises
    ------
    UsageError
        For another format or level.
    """
    for name, value, known in (("format", format, ("text", "json")), ("level", str(level).lower(), LEVELS)):
        if value not in known:
            raise UsageError(
                f"{printable(repr(value), 60)} is no {name} of logs",
                field=name,
                fix=f"write {', '.join(known)}",
            )
    number = logging.getLevelNamesMapping()[str(level).upper()]
    handler = _Handler(sys.stderr if stream is None else stream)
    handler.setFormatter(JsonFormatter() if format == "json" else TextFormatter())
    root = logging.getLogger()
    for old in [one for one in root.handlers if isinstance(one, _Handler)]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(max(number, logging.WARNING))
    logging.getLogger("driftline").setLevel(number)
    return handler


class _Handler(logging.StreamHandler[TextIO]):
    """Tells the handlers of :func:`configure` from those of others."""


class JsonFormatter(logging.Formatter):
    """One JSON object a record: time, level, logger, message, then the fields given by ``extra``, and an exception.

    The time is RFC 3339 in UTC. Only ASCII is written, so that no character of a message can end the line, move a cursor
    or reverse the reading direction.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, without its end."""
        told: dict[str, Any] = {
            "time": _time(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": _message(record),
        }
        for name, value in _fields(record):
            told[f"{name}_" if name in _OWN else name] = value
        if trace := _trace(self, record):
            told["exception"] = trace
        return json.dumps(told, ensure_ascii=True, allow_nan=False)


class TextFormatter(logging.Formatter):
    """One line a record, for people; the lines of a traceback follow, each behind a bar that no record begins with."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, without its end."""
        told = [_time(record), record.levelname.lower().ljust(8), f"{record.name}:", _line(_message(record))]
        told += [f"{name}={_value(value)}" for name, value in _fields(record)]
        line = " ".join(told)
        trace = _trace(self, record)
        return line if not trace else "\n".join([line, *(f"    | {_line(one)}" for one in trace.split("\n"))])


def masked(text: str) -> str:
    """Return text without the secrets in it that can be told by their form.

    User names and passwords in URLs, parameters that are named like secrets, keys that sign webhooks (``whsec_…``), bearer
    tokens, private keys, and keys of well-known services become ``***``.

    Examples
    --------
    >>> masked("cannot reach postgresql://ann:hunter2@db/registry")
    'cannot reach postgresql://***@db/registry'
    """
    for pattern, instead in _SECRETS:
        text = pattern.sub(instead, text)
    return text


def _shortened(text: str, limit: int) -> str:
    # Cut before, so that it takes little time, and after, so that no secret is cut in two and not known for one.
    text = masked(text[:_MOST_READ])
    return text if len(text) <= limit else f"{text[:limit]}…"


def _message(record: logging.LogRecord) -> str:
    try:
        text = record.getMessage()
    except (TypeError, ValueError, KeyError):
        # The record is worth more than its format.
        text = f"{record.msg} {record.args!r}"
    return _shortened(text, MOST_MESSAGE)


def _time(record: logging.LogRecord) -> str:
    moment = datetime.fromtimestamp(record.created, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _fields(record: logging.LogRecord) -> Iterator[tuple[str, Any]]:
    names = sorted(str(name) for name in vars(record) if name not in _STANDARD)
    for name in names[:_MOST_FIELDS]:
        value = vars(record)[name]
        shown = printable(name, _MOST_NAME)
        if _SECRET_NAME.search(name) and value is not None:
            yield shown, _HIDDEN
        elif (
            value is None
            or isinstance(value, bool | int)
            or (isinstance(value, float) and math.isfinite(value))
        ):
            yield shown, value
        else:
            yield shown, _shortened(str(value), MOST_MESSAGE)


def _trace(formatter: logging.Formatter, record: logging.LogRecord) -> str:
    parts = []
    if record.exc_info and record.exc_info[0] is not None:
        parts.append(formatter.formatException(record.exc_info))
    if record.stack_info:
        parts.append(record.stack_info)
    text = masked("\n".join(parts)[-_MOST_READ:])
    # The end of a traceback says what happened.
    return text if len(text) <= MOST_TRACE else f"…{text[-MOST_TRACE:]}"


def _line(text: str) -> str:
    return printable(text, 2 * MOST_TRACE)


def _value(value: Any) -> str:
    text = _line(str(value))
    return text if re.fullmatch(r"[\w.:/+@-]+", text) else json.dumps(text, ensure_ascii=False)
