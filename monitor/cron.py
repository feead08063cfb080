"""Cron: five fields of a cron line, and the instants at which they fire in a time zone.

cronsim reads the fields and says which days match. The instants are found here, day by day and in UTC: a day of local
time is turned into all its fires at once, so that each is there once and in order, whichever way the clocks are set and
from wherever the search begins. Where clocks change, the rules are those of Debian's cron:

* With a time of day (neither the minutes nor the hours begin with ``*``), what falls into an hour that is skipped fires
  when the clocks have been set forward, and what falls into an hour that comes twice fires in the first.
* Otherwise (``*/15 * * * *``) only the clock on the wall counts: nothing in an hour that is skipped, twice in one that
  comes twice.
"""

from __future__ import annotations

import calendar
import re
from bisect import bisect_left, bisect_right
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, cast

from cronsim import CronSim, CronSimError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from zoneinfo import ZoneInfo

__all__ = ["FIRST_YEAR", "LAST_YEAR", "Cron", "CronError", "amazon"]

FIRST_YEAR, LAST_YEAR = 1970, 2199
"""Years in which anything fires; those of AWS."""

DAY = 86_400
EPOCH = date(1970, 1, 1).toordinal()
FIRST, LAST = date(FIRST_YEAR, 1, 1).toordinal(), date(LAST_YEAR, 12, 31).toordinal()
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)

# A local date X lies between 14 hours before X and 36 hours after X in UTC (offsets since 1970, and 24 hours that
# Samoa left out): no fire of it is more than two days from X.
SPREAD = 2
KEPT = 8
"""Days whose fires are remembered; a day of minutes takes 60 kB."""

FIELDS = (
    # name, how many values, what is allowed
    ("minute", 60, "0 to 59"),
    ("hour", 24, "0 to 23"),
    ("day of the month", 31, "1 to 31, L (last) or LW (last weekday)"),
    ("month", 12, "1 to 12 or JAN to DEC"),
    ("day of the week", 7, "0 to 7 or SUN to SAT, 5L (last Friday) or MON#2 (second Monday)"),
)
CRONSIM_NAMES = {"minute": 0, "hour": 1, "day-of-month": 2, "month": 3, "day-of-week": 4}
WEEKDAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")


class CronError(ValueError):
    """Text that is no cron line.

    Attributes
    ----------
    message, fix : str
        What is wrong, and what to try.
    """

    def __init__(self, message: str, fix: str) -> None:
        super().__init__(message)
        self.message = message
        self.fix = fix


class Cron:
    """When five cron fields fire in a time zone, between the years 1970 and 2199.

    Parameters
    ----------
    fields : sequence of str, length 5
        Minutes, hours, day of the month, month, day of the week. Where both kinds of days are given, either may match,
        unless one of them begins with ``*``; then both must.
    zone : ZoneInfo or None
        None is UTC.
    years : frozenset of int, optional
        The only years in which it fires.
    near : int, optional
        Only on the weekday (Monday to Friday) nearest to this day of its month.

    Raises
    ------
    CronError
        For a field that cannot be read, and for fields that never fire.

    Notes
    -----
    A search looks at single days only in months and years that match; the longest, for 29 February on a given weekday,
    looks at about 1,200 days (some 0.1 ms).
    """

    def __init__(
        self,
        fields: Sequence[str],
        zone: ZoneInfo | None = None,
        years: frozenset[int] | None = None,
        near: int | None = None,
    ) -> None:
        self.fields = tuple(field.upper() for field in fields)
        self.zone = zone
        self.years = years
        self.near = near
        self._days = _read(self.fields)
        hours, minutes = sorted(self._days.hours), sorted(self._days.minutes)
        self._minutes = tuple(60 * hour + minute for hour in hours for minute in minutes)
        self._at_times = not self.fields[0].startswith("*") and not self.fields[1].startswith("*")
        self._spread = 0 if zone is None else SPREAD
        self._kept: dict[int, tuple[int, ...]] = {}
        if next(self._dates(FIRST, 1), None) is None:
            raise _never()

    def explain(self) -> str:
        """Say in English when it fires, without the time zone."""
        words = self._days.explain()
        if self.near is not None:
            words += f", only on the weekday nearest to day {self.near} of the month"
        return words

    def next_after(self, second: int) -> int | None:
        """Return the first fire after `second`, both in seconds since 1970-01-01 UTC; None where there is none."""
        for day in self._dates(second // DAY + EPOCH - self._spread, 1):
            found = self._after(day, second)
            if found is not None:
                # Where clocks are set back past midnight, a later date may fire before.
                around = range(day + 1, day + self._spread + 1)
                others = [self._after(near, second) for near in around if self._matches(near)]
                return min([found, *(other for other in others if other is not None)])
        return None

    def previous_before(self, second: int) -> int | None:
        """Return the last fire before `second`, both in seconds since 1970-01-01 UTC; None where there is none."""
        for day in self._dates(second // DAY + EPOCH + self._spread, -1):
            found = self._before(day, second)
            if found is not None:
                around = range(day - self._spread, day)
                others = [self._before(near, second) for near in around if self._matches(near)]
                return max([found, *(other for other in others if other is not None)])
        return None

    def _after(self, day: int, second: int) -> int | None:
        fires = self._fires(day)
        i = bisect_right(fires, second)
        return fires[i] if i < len(fires) else None

    def _before(self, day: int, second: int) -> int | None:
        fires = self._fires(day)
        i = bisect_left(fires, second)
        return fires[i - 1] if i else None

    def _dates(self, ordinal: int, step: int) -> Iterator[int]:
        """Yield the local dates that match, from `ordinal` on, forwards or backwards."""
        ordinal = max(ordinal, FIRST) if step > 0 else min(ordinal, LAST)
        while FIRST <= ordinal <= LAST:
            day = date.fromordinal(ordinal)
            if self.years is not None and day.year not in self.years:
                edge = date(day.year, 12, 31) if step > 0 else date(day.year, 1, 1)
                ordinal = edge.toordinal()
            elif day.month not in self._days.months:
                last = calendar.monthrange(day.year, day.month)[1]
                ordinal += last - day.day if step > 0 else 1 - day.day
            elif self._matches(ordinal):
                yield ordinal
            ordinal += step

    def _matches(self, ordinal: int) -> bool:
        if not FIRST <= ordinal <= LAST:
            return False
        day = date.fromordinal(ordinal)
        return (
            day.month in self._days.months
            and (self.years is None or day.year in self.years)
            and self._days.match_day(day)
            and (self.near is None or day.day == _weekday_near(day, self.near))
        )

    def _fires(self, ordinal: int) -> tuple[int, ...]:
        """Return the fires of a local date that matches, ascending."""
        fires = self._kept.get(ordinal)
        if fires is None:
            fires = self._found(ordinal)
            if len(self._kept) >= KEPT:
                self._kept.clear()
            self._kept[ordinal] = fires
        return fires

    def _found(self, ordinal: int) -> tuple[int, ...]:
        start = (ordinal - EPOCH) * DAY
        if self.zone is None:
            return tuple([start + 60 * minute for minute in self._minutes])
        midnight = datetime.fromordinal(ordinal)
        # Clocks are not set twice within a day, so a few looks tell whether they are set at all.
        offsets = {(midnight + h * HOUR).replace(tzinfo=self.zone).utcoffset() for h in (-3, 7, 17, 27)}
        if len(offsets) == 1:
            start -= int(cast("timedelta", offsets.pop()).total_seconds())
            return tuple([start + 60 * minute for minute in self._minutes])
        fires: set[int] = set()
        resumed = midnight
        for minute in self._minutes:
            wall = midnight + minute * MINUTE
            if self._at_times:
                # The clock jumps over what is left of a gap once, not once for each minute in it.
                resumed = max(wall, resumed)
                while (fire := self._instant(resumed, 0)) is None:
                    resumed += MINUTE
                fires.add(fire)
            else:
                fires.update(f for fold in (0, 1) if (f := self._instant(wall, fold)) is not None)
        return tuple(sorted(fires))

    def _instant(self, wall: datetime, fold: int) -> int | None:
        """Return the instant at which clocks show `wall`, in seconds; None where they never do."""
        instant = wall.replace(tzinfo=self.zone, fold=fold).astimezone(UTC)
        if instant.astimezone(self.zone).replace(tzinfo=None) != wall:
            return None
        return int(instant.timestamp())


def _never() -> CronError:
    return CronError(
        f"it never fires, no such day comes in the years {FIRST_YEAR} to {LAST_YEAR}",
        "check the day, the month and the year",
    )


def _read(fields: Sequence[str]) -> CronSim:
    for field, (name, count, _) in zip(fields, FIELDS, strict=True):
        # cronsim would take the first for the last day, and "*/90" minutes for once an hour.
        if re.search(r"L\w*/", field):
            raise CronError(f"{field!r} is no {name}", "L takes no step; leave it out")
        if any(len(step) > 3 or not 1 <= int(step) <= count for step in re.findall(r"/(\d+)", field)):
            raise CronError(f"{field!r} is no {name}", f"take a step of 1 to {count}")
    try:
        return CronSim(" ".join(fields), datetime(2000, 1, 1))  # noqa: DTZ001 - only to read the fields
    except CronSimError as error:
        which = CRONSIM_NAMES[str(error).removeprefix("Bad ")]
        if which == 2 and _is_day(fields[2]):
            raise _never() from None
        name, _, allowed = FIELDS[which]
        raise CronError(
            f"{fields[which]!r} is no {name}", f"write {allowed}; lists, ranges and steps of them"
        ) from None


def _is_day(field: str) -> bool:
    try:
        CronSim(f"0 0 {field} 1 *", datetime(2000, 1, 1))  # noqa: DTZ001 - only to read the field
    except CronSimError:
        return False
    return True


def _weekday_near(day: date, wanted: int) -> int | None:
    """Return the day of the month of `day` that is the weekday nearest to `wanted`, within that month."""
    last = calendar.monthrange(day.year, day.month)[1]
    if wanted > last:
        return None
    weekday = date(day.year, day.month, wanted).weekday()
    if weekday == 5:
        return wanted - 1 if wanted > 1 else 3
    if weekday == 6:
        return wanted + 1 if wanted < last else wanted - 2
    return wanted


def amazon(text: str) -> Cron:
    """Read what stands in the parentheses of an AWS ``cron(...)``.

    Parameters
    ----------
    text : str
        Minutes, hours, day of the month, month, day of the week (1 is Sunday) and year; UTC. ``?`` stands for a day that
        is not given. Hours ``h/n`` go around the clock: ``17/12`` is 17:00 and 05:00.

    Raises
    ------
    CronError

    References
    ----------
    Amazon EventBridge, Cron expressions; SageMaker API, ScheduleConfig.

    Examples
    --------
    >>> amazon("0 17/12 ? * * *").explain()
    'At 05:00 and 17:00 every day'
    """
    parts = text.upper().split()
    if len(parts) != 6:
        raise CronError(
            f"cron(...) has six fields and this has {len(parts)}",
            "write cron(minutes hours day-of-month month day-of-week year), such as cron(0 * ? * * *)",
        )
    minutes, hours, days, months, weekdays, years = parts
    if days not in ("*", "?") and weekdays not in ("*", "?"):
        raise CronError(
            "cron(...) takes a day of the month or a day of the week, not both", "write ? for one of them"
        )
    near = re.fullmatch(r"(\d{1,2})W", days)
    if near and not 1 <= int(near[1]) <= 31:
        raise CronError(f"{days!r} is no day of the month", "write 1W to 31W")
    fields = (
        minutes,
        _amazon_hours(hours),
        "*" if days == "?" or near else days,
        months,
        "*" if weekdays in ("*", "?") else _amazon_weekdays(weekdays),
    )
    return Cron(fields, years=_amazon_years(years), near=int(near[1]) if near else None)


def _amazon_hours(field: str) -> str:
    terms: list[str] = []
    for term in field.split(","):
        around = re.fullmatch(r"(\d{1,2}|\*)/(\d{1,2})", term)
        if around:
            start, step = int(around[1]) if around[1] != "*" else 0, int(around[2])
            if not (start <= 23 and 1 <= step <= 24):
                raise CronError(f"{term!r} is no hour", "write H/N with H from 0 to 23 and N from 1 to 24")
            hours = {(start + k * step) % 24 for k in range(-(-24 // step))}
            terms += [str(hour) for hour in sorted(hours)]
        else:
            terms.append(term)
    return ",".join(terms)


def _amazon_weekdays(field: str) -> str:
    terms: list[str] = []
    for term in field.split(","):
        if nth := re.fullmatch(r"(\w+)#([1-5])", term):
            terms.append(f"{_weekday(nth[1], field) - 1}#{nth[2]}")
        elif last := re.fullmatch(r"(\w+)L", term):
            terms.append(f"{_weekday(last[1], field) - 1}L")
        else:
            # L alone is the last day of a week, Saturday.
            found = re.fullmatch(r"(\*|\w+)(?:-(\w+))?(?:/([1-7]))?", "SAT" if term == "L" else term)
            if found is None or (found[1] == "*" and found[2]):
                raise _no_weekday(field)
            first = 1 if found[1] == "*" else _weekday(found[1], field)
            last_day = _weekday(found[2], field) if found[2] else 7 if found[3] or found[1] == "*" else first
            if last_day < first:
                raise _no_weekday(field)
            terms += [str(day - 1) for day in range(first, last_day + 1, int(found[3] or 1))]
    return ",".join(terms)


def _weekday(word: str, field: str) -> int:
    if word in WEEKDAYS:
        return WEEKDAYS.index(word) + 1
    if re.fullmatch(r"[1-7]", word):
        return int(word)
    raise _no_weekday(field)


def _no_weekday(field: str) -> CronError:
    return CronError(
        f"{field!r} is no day of the week", "in cron(...) write 1 (Sunday) to 7 (Saturday) or SUN to SAT"
    )


def _amazon_years(field: str) -> frozenset[int] | None:
    if field == "*":
        return None
    years: set[int] = set()
    for term in field.split(","):
        found = re.fullmatch(r"(\*|\d{4})(?:-(\d{4}))?(?:/(\d{1,3}))?", term)
        if found is None or (found[1] == "*" and found[2]):
            raise _no_year(field)
        first = FIRST_YEAR if found[1] == "*" else int(found[1])
        last = int(found[2]) if found[2] else LAST_YEAR if found[3] or found[1] == "*" else first
        step = int(found[3] or 1)
        if step == 0 or not FIRST_YEAR <= first <= last <= LAST_YEAR:
            raise _no_year(field)
        years.update(range(first, last + 1, step))
    return frozenset(years)


def _no_year(field: str) -> CronError:
    return CronError(f"{field!r} is no year", f"write {FIRST_YEAR} to {LAST_YEAR}, or *")
