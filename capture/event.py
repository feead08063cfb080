"""Event: one request and its answer, as it was seen and as it is logged.

An event keeps the bodies as bytes with their content types. Nothing is decoded while the model waits: that is done when
a segment is sealed, where what cannot be decoded is quarantined and loses nothing.
"""

from __future__ import annotations

import json
import re
import time
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from driftline.errors import SourceError, UsageError, printable

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["DEFAULT_VARIANT", "ROWS", "Event", "Payload", "check_name", "new_id", "now"]

DEFAULT_VARIANT = "AllTraffic"
"""The variant of endpoints that have only one; SageMaker's own name for it."""

ROWS = "application/vnd.driftline.rows+json"
"""Content type of a list of objects, one a row: what the Python call logs."""

MAX_ID = 128
MAX_ATTRIBUTES = 64
MAX_TEXT = 1024

_text = json.encoder.encode_basestring_ascii

_TAKEN = frozenset({"ground_truth"})
"""Folders beside those of the endpoints."""

_NAME = re.compile(r"[A-Za-z0-9](?:[-_.]*[A-Za-z0-9]){0,62}")


def now() -> int:
    """Return microseconds since 1970-01-01 UTC."""
    return time.time_ns() // 1000


def new_id() -> str:
    """Return a new event id, a random UUID."""
    return str(uuid.uuid4())


def check_name(what: str, name: object) -> str:
    """Return `name` if it may name an endpoint or a variant, and so a folder.

    Raises
    ------
    UsageError
        ``E-NAME``: names are 1 to 63 letters, digits, ``-``, ``_`` and ``.``, and begin and end with a letter or digit;
        ``ground_truth`` is taken.
    """
    if isinstance(name, str) and len(name) <= 63 and _NAME.fullmatch(name) and name not in _TAKEN:
        return name
    raise UsageError(
        f"{printable(repr(name), 80)} is no name for {what}",
        code="E-NAME",
        fix="use up to 63 letters, digits, '-', '_' and '.', with a letter or digit at either end",
    )


@dataclass(frozen=True, slots=True)
class Payload:
    """One side of an event.

    Attributes
    ----------
    content_type : str
        As sent; "" where there was none.
    data : bytes
        The body. Of a body that was cut off, what is left.
    is_truncated : bool
        The body was longer than the limit of its capture.
    """

    content_type: str
    data: bytes
    is_truncated: bool = False


@dataclass(frozen=True, slots=True)
class Event:
    """One request and its answer.

    Attributes
    ----------
    id : str
        The same id means the same event, however often it arrives; at most 128 characters.
    endpoint, variant : str
    received : int
        Microseconds since 1970-01-01 UTC when it arrived here.
    time : int or None
        When the model was asked, by the sender's clock; None where the sender did not say.
    input, output : Payload or None
        None for a side that was not captured.
    inference_id : str or None
        The caller's own id of the request, by which ground truth may come.
    model_version : str or None
    attributes : mapping of str to str
    is_half : bool
        The other side comes, or came, as an event of its own with the same id.
    """

    id: str
    endpoint: str
    variant: str
    received: int
    time: int | None = None
    input: Payload | None = None
    output: Payload | None = None
    inference_id: str | None = None
    model_version: str | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)
    is_half: bool = False

    @property
    def moment(self) -> int:
        """The sender's time, or else the time of arrival."""
        return self.received if self.time is None else self.time

    def pack(self) -> bytes:
        """Return bytes from which :meth:`unpack` makes the same event."""
        # By hand, since a JSON encoder takes three times as long, and this is done for every event.
        head = f'{{"id":{_text(self.id)},"ep":{_text(self.endpoint)},"va":{_text(self.variant)},"re":{self.received:d}'
        if self.time is not None:
            head += f',"ti":{self.time:d}'
        if self.inference_id is not None:
            head += f',"ii":{_text(self.inference_id)}'
        if self.model_version is not None:
            head += f',"mv":{_text(self.model_version)}'
        if self.attributes:
            head += ',"at":' + json.dumps(dict(self.attributes), separators=(",", ":"))
        if self.is_half:
            head += ',"ha":1'
        bodies = [b""]
        for key, side in (("in", self.input), ("out", self.output)):
            if side is not None:
                head += f',"{key}":[{_text(side.content_type)},{len(side.data)},{int(side.is_truncated)}]'
                bodies.append(side.data)
        bodies[0] = head.encode("ascii") + b"}\n"
        return b"".join(bodies)

    @classmethod
    def unpack(cls, data: bytes) -> Event:
        """Return the event of :meth:`pack`'s bytes.

        Raises
        ------
        SourceError
            ``E-LOG`` for other bytes.
        """
        try:
            text, _, rest = data.partition(b"\n")
            head = json.loads(text)
            sides = {}
            at, whole = 0, True
            for key in ("in", "out"):
                if key in head:
                    content_type, size, cut = head[key]
                    sides[key] = Payload(content_type, rest[at : at + size], bool(cut))
                    whole = whole and len(sides[key].data) == size
                    at += size
            found = cls(
                head["id"],
                head["ep"],
                head["va"],
                head["re"],
                head.get("ti"),
                sides.get("in"),
                sides.get("out"),
                head.get("ii"),
                head.get("mv"),
                head.get("at", {}),
                "ha" in head,
            )
        except (ValueError, KeyError, TypeError):
            whole = False
        if not whole:
            raise SourceError("holds a record that is no event", code="E-LOG")
        return found
