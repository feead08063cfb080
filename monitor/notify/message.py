"""Event: something that happened and that others may want to know.

What an event says is its ``data``, a mapping of JSON values. Senders that make text or labels of it know these keys,
all of which may be missing:

=============== ===============================================================================================
``severity``    ``warning`` or ``critical``
``was``         the severity before, of an alert that escalated
``state``       ``open``, ``acknowledged``, ``snoozed`` or ``resolved``
``alert``       id of the alert, the same from its opening to its end
``rule``        name of the alert rule
``kind``        of the alert: ``violations``, ``silent`` and so on
``model``, ``endpoint``, ``schedule``, ``monitor``
``title``       one sentence; ``reason``, where there is one, is told instead
``violations``  how many
``columns``     names of the columns concerned, most important first
``n_columns``   how many, where ``columns`` does not name all
``window``      ``{"start": …, "end": …}``, RFC 3339
``opened``, ``resolved``  when, RFC 3339
``url``         a page with more
=============== ===============================================================================================

Names of columns and categories come from outside. They are data: never part of a type, a header or a label's name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping  # noqa: TC003  dataclasses read it
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from driftline.errors import UsageError, printable

__all__ = ["SEVERITIES", "Event", "rfc3339"]

SEVERITIES: Final = ("warning", "critical")
"""From low to high."""

_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")
_TYPE = re.compile(r"io\.driftline\.(?P<name>[a-z0-9_]+(?:\.[a-z0-9_]+)+)\.v(?P<version>[1-9][0-9]*)")
_SOURCE = re.compile(r"[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]{1,512}")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST = 253_402_300_799_999_999


def rfc3339(moment_us: int) -> str:
    """Spell microseconds since 1970-01-01 UTC as RFC 3339, without a fraction where there is none.

    Examples
    --------
    >>> rfc3339(1_795_417_200_000_000)
    '2026-11-23T07:00:00Z'
    """
    return (_EPOCH + timedelta(microseconds=moment_us)).isoformat().replace("+00:00", "Z")


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened.

    Attributes
    ----------
    id : str
        1 to 128 letters, digits, ``-`` and ``_``; the same however often it is sent. No dot, since ids are signed with
        dots around them.
    type : str
        Such as ``io.driftline.alert.opened.v1``.
    source : str
        A URI reference of the workspace; with the id it names the event.
    subject : str
        What it happened to, such as ``alerts/01JD…``.
    time_us : int
        When, in microseconds since 1970-01-01 UTC.
    data : mapping of str to JSON
        What it says.

    Raises
    ------
    UsageError
        ``E-EVENT``: a field is not as above.
    """

    id: str
    type: str
    source: str
    subject: str
    time_us: int
    data: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, pattern in (("id", _ID), ("type", _TYPE), ("source", _SOURCE)):
            value = getattr(self, name)
            if not pattern.fullmatch(value):
                raise _refused(name, value)
        if not self.subject:
            raise _refused("subject", self.subject)
        if not 0 <= self.time_us <= _LAST:
            raise _refused("time_us", self.time_us)

    @property
    def name(self) -> str:
        """The type without what all types share: ``alert.opened``."""
        found = _TYPE.fullmatch(self.type)
        assert found is not None
        return found["name"]

    @property
    def severity(self) -> str | None:
        """``warning``, ``critical``, or None for what is no trouble."""
        value = self.data.get("severity")
        return value if value in SEVERITIES else None

    @property
    def is_resolved(self) -> bool:
        """What was wrong is so no longer."""
        return self.data.get("state") == "resolved" or self.name.endswith((".resolved", ".recovered"))


def _refused(name: str, value: object) -> UsageError:
    return UsageError(f"{printable(repr(value), 80)} is no {name} of an event", code="E-EVENT", field=name)
