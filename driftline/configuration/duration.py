"""Durations as people write them: ``PT30M`` (ISO 8601) or ``30m``."""

from __future__ import annotations

import re
from datetime import timedelta

from driftline.errors import UsageError, printable

__all__ = ["LONGEST", "format_duration", "parse_duration"]

LONGEST = timedelta(days=3660)
"""Longest duration that is read, ten years."""

_NUMBER = r"[0-9]{1,12}"
_ISO = re.compile(
    rf"(?P<sign>[-+]?)P(?=[0-9T])(?:(?P<w>{_NUMBER})W)?(?:(?P<d>{_NUMBER})D)?"
    rf"(?:T(?=[0-9])(?:(?P<h>{_NUMBER})H)?(?:(?P<m>{_NUMBER})M)?(?:(?P<s>{_NUMBER})S)?)?"
)
_SHORT = re.compile(
    rf"(?P<sign>[-+]?)(?=[0-9])(?:(?P<w>{_NUMBER})w)?(?:(?P<d>{_NUMBER})d)?"
    rf"(?:(?P<h>{_NUMBER})h)?(?:(?P<m>{_NUMBER})m)?(?:(?P<s>{_NUMBER})s)?"
)
_CALENDAR = re.compile(r"[-+]?P(?:[0-9]{1,12}[WD])*[0-9]{1,12}[YM]")
_UNITS = {"w": "weeks", "d": "days", "h": "hours", "m": "minutes", "s": "seconds"}


def parse_duration(text: str) -> timedelta:
    """Read a duration.

    Parameters
    ----------
    text : str
        ISO 8601 in weeks, days, hours, minutes and seconds (``P7D``, ``PT1H30M``, ``-PT1H``), or the short
        form in the same order (``7d``, ``1h30m``, ``-1h``); whole numbers only. Years and months are refused:
        they have no fixed length.

    Returns
    -------
    timedelta

    Raises
    ------
    UsageError
        ``E-CONFIG``, with an example of what to write.

    Examples
    --------
    >>> parse_duration("PT30M") == parse_duration("30m")
    True
    """
    found = _ISO.fullmatch(text) or _SHORT.fullmatch(text)
    if found is None:
        fix = 'write it like "PT30M" or "30m", "P7D" or "7d"'
        if _CALENDAR.match(text):
            fix = (
                'months and years have no fixed length: write days, "P30D"; minutes stand behind a T, "PT1M"'
            )
        raise _refused(f"expected a duration, found {printable(repr(text), 80)}", fix)
    parts = {_UNITS[unit]: int(n) for unit, n in found.groupdict().items() if unit != "sign" and n}
    try:
        value = timedelta(**parts)
    except OverflowError:
        value = timedelta.max
    if value > LONGEST:
        raise _refused(f"{printable(repr(text), 80)} is longer than ten years", 'write it like "P7D" or "7d"')
    return -value if found["sign"] == "-" else value


def _refused(message: str, fix: str) -> UsageError:
    return UsageError(message, code="E-CONFIG", fix=fix)


def format_duration(value: timedelta) -> str:
    """Write a duration of whole seconds in ISO 8601, in days, hours, minutes and seconds.

    Examples
    --------
    >>> from datetime import timedelta
    >>> format_duration(timedelta(days=1, minutes=90)), format_duration(-timedelta(hours=1))
    ('P1DT1H30M', '-PT1H')
    """
    if not value:
        return "PT0S"
    size = abs(value)
    hours, rest = divmod(size.seconds, 3600)
    minutes, seconds = divmod(rest, 60)
    text = ("-" if value < timedelta(0) else "") + "P" + (f"{size.days}D" if size.days else "")
    time = (f"{hours}H" if hours else "") + (f"{minutes}M" if minutes else "")
    time += f"{seconds}S" if seconds else ""
    return text + (f"T{time}" if time else "")
