"""Message: what came in one HTTP request, and what its protocols have in common."""

from __future__ import annotations

import base64
import binascii
import json
import re
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from driftline.capture.event import (
    DEFAULT_VARIANT,
    MAX_ATTRIBUTES,
    MAX_ID,
    MAX_TEXT,
    Payload,
    check_name,
    new_id,
)
from driftline.capture.window import moment_of
from driftline.errors import SourceError, UsageError, printable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = [
    "Message",
    "attributes_of",
    "body_of",
    "elements",
    "id_of",
    "members",
    "microseconds",
    "refused",
    "text_of",
]

_FIRST, _LAST = -62_135_596_800_000_000, 253_402_300_799_999_999  # years 1 to 9999
_LEAST = 100_000_000_000_000
"""Whole numbers of less microseconds, before March 1973, are seconds or milliseconds."""


def refused(
    message: str, *, code: str = "E-RECORD", field: str | None = None, fix: str | None = None
) -> SourceError:
    """Return the error that refuses a record."""
    return SourceError(message, code=code, field=field, fix=fix)


def _anywhere(_: str, __: str) -> None:
    """Admit every endpoint."""


@dataclass(slots=True)
class Message:
    """A request that brings records.

    Attributes
    ----------
    headers : mapping of str to str
        By name in lower case, each once.
    body : bytes
        Decompressed.
    received : int
        Microseconds since 1970-01-01 UTC when it arrived.
    endpoint, variant : str or None
        What its path names.
    admit : callable
        Told every endpoint and variant once; raises where the sender may not write there.
    """

    headers: Mapping[str, str]
    body: bytes
    received: int
    endpoint: str | None = None
    variant: str | None = None
    admit: Callable[[str, str], None] = _anywhere
    _places: dict[tuple[Any, Any], tuple[str, str]] = field(default_factory=dict)

    def place(self, endpoint: object = None, variant: object = None) -> tuple[str, str]:
        """Return where a record belongs, by what it says itself and by the path.

        Raises
        ------
        DriftlineError
            ``E-ENDPOINT`` where nobody says it or the two differ, ``E-NAME``, or what `admit` raises.
        """
        key = (endpoint, variant)
        try:
            return self._places[key]
        except KeyError:
            pass
        except TypeError:
            key = (repr(endpoint), repr(variant))
        for what, said, known in (("endpoint", endpoint, self.endpoint), ("variant", variant, self.variant)):
            if said is not None and known is not None and said != known:
                raise refused(
                    f"the record says {printable(repr(said), 80)} and the path {known!r}",
                    code="E-ENDPOINT",
                    field=what,
                    fix="send it to the path of its endpoint, or to /v1/capture",
                )
        name = endpoint if endpoint is not None else self.endpoint
        if name is None:
            raise refused(
                "nothing says which endpoint this belongs to",
                code="E-ENDPOINT",
                fix="send it to /v1/capture/<endpoint>",
            )
        chosen = variant if variant is not None else self.variant
        place = (
            check_name("an endpoint", name),
            DEFAULT_VARIANT if chosen is None else check_name("a variant", chosen),
        )
        self.admit(*place)
        self._places[key] = place
        return place

    def id_at(self, index: int) -> str:
        """Return an id for a record that has none: the same again where the request has an ``Idempotency-Key``."""
        key = self.headers.get("idempotency-key")
        if key is None:
            return new_id()
        return str(uuid.uuid5(uuid.NAMESPACE_OID, f"{self.endpoint}/{self.variant}/{index}/{key}"))


def _constant(name: str) -> Any:
    raise refused(f"{name} is not JSON; write null", code="E-JSON")


_decode = json.JSONDecoder(parse_constant=_constant).raw_decode


_KEY = re.compile(r'[ \t\n\r]*("(?:[^"\\\x00-\x1f]|\\.)*")[ \t\n\r]*:[ \t\n\r]*')
_OPEN = re.compile(r"[ \t\n\r]*([\[{])[ \t\n\r]*([\]}]?)")
_NEXT = re.compile(r"[ \t\n\r]*([,\]}])[ \t\n\r]*")


def members(text: str) -> dict[str, tuple[Any, str]]:
    """Take an object apart: each key's value, decoded, and as it was written.

    What is below the first level is decoded by Python's own rules; sealing is stricter, and puts what it refuses in
    quarantine.

    Raises
    ------
    SourceError
        ``E-JSON``, ``E-JSON-DEPTH``.
    """
    found: dict[str, tuple[Any, str]] = {}
    at = _opened(text, "{", "}")
    key_at, next_at = _KEY.match, _NEXT.match
    try:
        while at:
            match = key_at(text, at)
            if match is None:
                raise _broken(text, at, "expected a key and a colon")
            key = match[1][1:-1]
            if "\\" in key:
                key = _decode(match[1])[0]
            if key in found:
                raise refused(f"the key {printable(key, 80)!r} occurs twice", code="E-JSON")
            start = match.end()
            value, end = _decode(text, start)
            found[key] = value, text[start:end]
            match = next_at(text, end)
            if match is None or match[1] == "]":
                raise _broken(text, end, "expected a comma or a brace")
            at = match.end() if match[1] == "," else _end(text, match.end())
    except (ValueError, RecursionError) as error:
        raise _no_json(error) from None
    return found


def elements(text: str, most: int) -> list[str]:
    """Take a list apart into the texts of its elements; one more than `most` is enough.

    Raises
    ------
    SourceError
        ``E-JSON``, ``E-JSON-DEPTH``.
    """
    found: list[str] = []
    at = _opened(text, "[", "]")
    try:
        while at and len(found) <= most:
            _, end = _decode(text, at)
            found.append(text[at:end])
            match = _NEXT.match(text, end)
            if match is None or match[1] == "}":
                raise _broken(text, end, "expected a comma or a bracket")
            at = match.end() if match[1] == "," else _end(text, match.end())
    except (ValueError, RecursionError) as error:
        raise _no_json(error) from None
    return found


def _opened(text: str, opening: str, closing: str) -> int:
    """Return where the first member stands, 0 where there is none."""
    match = _OPEN.match(text)
    if match is None or match[1] != opening or match[2] not in ("", closing):
        raise refused("expected an object" if opening == "{" else "expected a list", code="E-JSON")
    return _end(text, match.end()) if match[2] else match.end()


def _end(text: str, at: int) -> int:
    """Be sure that nothing follows; returns 0."""
    if at < len(text) and text[at:].strip(" \t\n\r"):
        raise refused("goes on after its end", code="E-JSON", fix="send JSON Lines as application/x-ndjson")
    return 0


def _broken(text: str, at: int, message: str) -> SourceError:
    if not text[at:].strip(" \t\n\r"):
        return refused("not JSON: it ends too early", code="E-JSON")
    return refused(f"not JSON: {message} at column {at + 1}", code="E-JSON")


def _no_json(error: Exception) -> SourceError:
    if isinstance(error, SourceError):
        return error
    if isinstance(error, RecursionError):
        return refused("is nested too deeply", code="E-JSON-DEPTH")
    if isinstance(error, json.JSONDecodeError):
        return refused(f"not JSON: {error.msg} at column {error.colno}", code="E-JSON")
    return refused("holds an integer that is larger than driftline reads", code="E-JSON")


def id_of(value: object, what: str) -> str:
    """Return an id, if it is one.

    Raises
    ------
    SourceError
        ``E-ID`` for what is not 1 to 128 printable characters.
    """
    if type(value) is str and 0 < len(value) <= MAX_ID and value.isprintable():
        return value
    raise refused(f"expected 1 to {MAX_ID} printable characters", code="E-ID", field=what)


def text_of(value: object, what: str) -> str | None:
    """Return a short text, or None for null.

    Raises
    ------
    SourceError
        ``E-FIELD``.
    """
    if value is None:
        return None
    if type(value) is str and len(value) <= MAX_TEXT:
        try:
            value.encode()
        except UnicodeEncodeError:
            raise refused("is no text that can be written down", code="E-FIELD", field=what) from None
        return value
    raise refused(f"expected text of up to {MAX_TEXT} characters", code="E-FIELD", field=what)


def attributes_of(value: object) -> dict[str, str]:
    """Return attributes: an object whose values are texts, numbers or booleans; null is left out.

    Raises
    ------
    SourceError
        ``E-FIELD``.
    """
    if value is None:
        return {}
    if not isinstance(value, dict) or len(value) > MAX_ATTRIBUTES:
        raise refused(
            f"expected an object of up to {MAX_ATTRIBUTES} texts", code="E-FIELD", field="attributes"
        )
    found = {}
    for key, item in value.items():
        if isinstance(item, (int, float)):
            item = json.dumps(item)
        text = text_of(item, "attributes")
        if text is not None:
            found[text_of(key, "attributes") or ""] = text
    return found


def microseconds(value: object, what: str = "time") -> int | None:
    """Return a sender's time in microseconds since 1970-01-01 UTC, or None for null.

    Raises
    ------
    SourceError
        ``E-TIME``.
    """
    if value is None:
        return None
    if type(value) is int and abs(value) < _LEAST:
        raise refused(
            f"{value} would be before 1973",
            code="E-TIME",
            field=what,
            fix="write 2026-11-23T07:00:00Z, or microseconds since 1970-01-01",
        )
    try:
        moment = moment_of(value) if isinstance(value, (str, int)) else None
    except (UsageError, OverflowError):
        moment = None
    if moment is None or not _FIRST <= moment <= _LAST:
        raise refused(
            f"{printable(repr(value), 60)} is no time",
            code="E-TIME",
            field=what,
            fix="write 2026-11-23T07:00:00Z",
        )
    return moment


def body_of(text: str, content_type: object, what: str, *, is_base64: bool = False) -> Payload:
    """Return a body that came as text, or as bytes in base64.

    Raises
    ------
    SourceError
        ``E-FIELD``.
    """
    kind = text_of(content_type, f"{what}.content_type") or ""
    try:
        data = base64.b64decode(text, validate=True) if is_base64 else text.encode()
    except binascii.Error:
        raise refused("is not base64", code="E-FIELD", field=what) from None
    except ValueError:
        raise refused("is no text that can be written down", code="E-FIELD", field=what) from None
    return Payload(kind, data)
