"""Expression: when a schedule fires."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from driftline.documents import nearest
from driftline.errors import DocumentError, DriftlineError, UsageError, printable
from driftline.monitor.cron import Cron, CronError, amazon

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from zoneinfo import ZoneInfo

__all__ = ["MACROS", "MAX_TEXT", "SECOND", "Expression", "default_expression", "refused"]

SECOND = 1_000_000
"""Microseconds."""

MAX_TEXT = 256
"""Longest expression in characters; SageMaker's limit."""

MACROS = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
}
"""Words for common cron lines."""

_UTC = ("UTC", "Etc/UTC")
_FORMS = 'give a cron line such as "0 * * * *" or "@daily", cron(0 * ? * * *), or NOW'


def refused(message: str, fix: str, field_name: str, file: object = None) -> DriftlineError:
    """Return the error for a schedule that makes no sense: ``E-SCHEDULE``, of the document where there is one."""
    if file is None:
        return UsageError(message, code="E-SCHEDULE", field=field_name, fix=fix)
    return DocumentError(message, code="E-SCHEDULE", field=field_name, file=file, fix=fix)


@dataclass(frozen=True, slots=True)
class Expression:
    """When a schedule fires; made by :meth:`parse`.

    Attributes
    ----------
    text : str
        As it was written, with single spaces.
    timezone : str
        Whose clock it is written for; ``UTC`` or a name of the IANA time zone database.

    Notes
    -----
    Fires are instants in microseconds since 1970-01-01 UTC, on whole minutes of the clock, each once and in ascending
    order, in the years 1970 to 2199. Where clocks are set forward or back, the rules are those of Debian's cron; see
    :mod:`driftline.monitor.cron`.

    Examples
    --------
    >>> daily = Expression.parse("30 2 * * *", "Europe/Rome")
    >>> daily.explain()
    'At 02:30 every day, Europe/Rome'
    >>> daily.next_after(0) // 60_000_000
    90
    """

    text: str
    timezone: str
    _cron: Cron | None = field(repr=False, compare=False)

    @classmethod
    def parse(
        cls,
        text: str,
        timezone: str = "UTC",
        *,
        field: str = "schedule",
        file: object = None,
    ) -> Expression:
        """Read an expression.

        Parameters
        ----------
        text : str
            One of

            * five cron fields, such as ``"*/15 8-18 * * MON-FRI"``;
            * ``@hourly``, ``@daily``, ``@weekly`` or ``@monthly``;
            * the six fields of AWS, such as ``"cron(0 17/12 ? * * *)"``, always in UTC;
            * ``NOW``, once.
        timezone : str, default "UTC"
            Name of the IANA time zone database.
        field, file : optional
            Where the text stands, for errors.

        Raises
        ------
        DocumentError or UsageError
            ``E-SCHEDULE``, the former where `file` is given.
        """
        try:
            return cls._parse(text, timezone)
        except CronError as error:
            raise refused(error.message, error.fix, field, file) from None

    @classmethod
    def _parse(cls, text: object, timezone: object) -> Expression:
        if not isinstance(text, str) or not text.strip():
            raise CronError(f"{printable(repr(text), 80)} is no schedule", _FORMS)
        if len(text) > MAX_TEXT:
            raise CronError(f"a schedule has up to {MAX_TEXT} characters and this has {len(text):,}", _FORMS)
        if not text.isascii() or not text.replace("\t", " ").isprintable():
            raise CronError(f"{text!r} has characters that no schedule has", _FORMS)
        name, zone = _zone(timezone)
        text = " ".join(text.split())
        if text.upper() == "NOW":
            return cls("NOW", name, None)
        form = re.fullmatch(r"cron\s?\((.*)\)", text, re.IGNORECASE)
        if form:
            cron = _told(text, lambda: amazon(form[1]))
            if name != "UTC":
                raise CronError(
                    f"cron(...) is in UTC, not in {name}",
                    f'write it as five fields: "{" ".join(cron.fields)}"'
                    if cron.years is None and cron.near is None
                    else "leave the time zone out",
                )
            return cls(f"cron({' '.join(form[1].split())})", name, cron)
        fields = _fields(text)
        return cls(text, name, _told(text, lambda: Cron(fields, zone)))

    @property
    def is_now(self) -> bool:
        """Whether it is ``NOW``: one run when the schedule is made, and no fire after it."""
        return self._cron is None

    def next_after(self, moment_us: int) -> int | None:
        """Return the first fire after a moment, not at it; None where it never fires again."""
        found = None if self._cron is None else self._cron.next_after(moment_us // SECOND)
        return None if found is None else found * SECOND

    def previous_before(self, moment_us: int) -> int | None:
        """Return the last fire before a moment, not at it; None where there was none."""
        found = None if self._cron is None else self._cron.previous_before(-(-moment_us // SECOND))
        return None if found is None else found * SECOND

    def between(self, start_us: int, end_us: int, limit: int) -> Iterator[int]:
        """Yield the first `limit` fires after `start_us` and up to `end_us`, which is one of them if it is a fire."""
        moment = start_us
        for _ in range(limit):
            fire = self.next_after(moment)
            if fire is None or fire > end_us:
                return
            yield fire
            moment = fire

    def period_at(self, moment_us: int) -> int:
        """Return the microseconds from the last fire (at the moment or before it) to the next.

        Before its first fire and after its last it is the time between the two fires nearest to the moment; 0 where it
        does not fire twice, as with ``NOW``.
        """
        before, after = self.previous_before(moment_us + 1), self.next_after(moment_us)
        if before is None and after is not None:
            before, after = after, self.next_after(after)
        elif after is None and before is not None:
            before, after = self.previous_before(before), before
        return 0 if before is None or after is None else after - before

    def explain(self) -> str:
        """Say it in English.

        Examples
        --------
        >>> Expression.parse("cron(0 17/12 ? * * *)").explain()
        'At 05:00 and 17:00 every day, UTC'
        """
        if self._cron is None:
            return "Once, when it is made"
        years = self.text[:-1].split()[-1] if self._cron.years is not None else ""
        return self._cron.explain() + (f", in {years}" if years else "") + f", {self.timezone}"


def default_expression(name: str) -> Expression:
    """Return when a schedule without an expression fires: daily, at an hour that its name decides.

    Schedules without one are so spread over the day, and each keeps its hour: the SHA-256 of the name, modulo 24.

    Examples
    --------
    >>> default_expression("churn").text
    'cron(0 22 ? * * *)'
    """
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).digest()
    return Expression.parse(f"cron(0 {int.from_bytes(digest) % 24} ? * * *)")


def _told(text: str, make: Callable[[], Cron]) -> Cron:
    """Make a Cron, or say of which text it is that a field is wrong."""
    try:
        return make()
    except CronError as error:
        raise CronError(f"{text!r}: {error.message}", error.fix) from None


def _fields(text: str) -> list[str]:
    if text.startswith("@"):
        line = MACROS.get(text.lower())
        if line is None:
            close = nearest(text, MACROS)
            raise CronError(
                f"{text!r} is no schedule",
                f"did you mean {close}?" if close else f"write {', '.join(MACROS)}",
            )
        return line.split()
    fields = text.split()
    if text[:5].lower() == "cron(":
        raise CronError(f"{text!r} does not end in a parenthesis", "write cron(0 * ? * * *)")
    if text[:5].lower() == "rate(":
        raise CronError(
            "rate(...) has no fixed times", 'write a cron line, such as "*/5 * * * *" or "0 * * * *"'
        )
    if len(fields) == 6:
        raise CronError(
            f"{text!r} has six fields: a schedule has no seconds, its shortest period is one minute",
            "leave the seconds out; a line with a year is written cron(...)",
        )
    if len(fields) != 5:
        raise CronError(
            f"{text!r} is no schedule: a cron line has five fields and this has {len(fields)}", _FORMS
        )
    if "?" in text:
        raise CronError("? stands for a day in cron(...) only", "write *")
    return fields


def _zone(name: object) -> tuple[str, ZoneInfo | None]:
    """Return the name of a time zone and its rules, None for UTC."""
    import zoneinfo

    if name in _UTC:
        return "UTC", None
    # What else lies in the database's folder is no zone that means the same everywhere.
    if (
        isinstance(name, str)
        and re.fullmatch(r"[A-Za-z0-9+_-]{1,32}(/[A-Za-z0-9+_-]{1,32}){0,3}", name)
        and not name.startswith(("posix/", "right/"))
        and name not in ("localtime", "posixrules", "Factory")
    ):
        try:
            zone = zoneinfo.ZoneInfo(name)
        except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
            pass
        else:
            return name, zone
    close = None
    if isinstance(name, str) and len(name) <= 64:
        # Of short names the nearest in spelling is another zone: EST of CEST.
        known = sorted(zone for zone in zoneinfo.available_timezones() if "/" in zone)
        close = nearest(name, ["UTC", *known])
    raise CronError(
        f"{printable(repr(name), 80)} is no time zone",
        f"did you mean {close}?" if close else "write a name of the IANA database, such as Europe/Rome",
    )
