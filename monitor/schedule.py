"""Schedule: which window each fire looks at, and which fires to run after a time in which nothing ran.

Nothing here reads a clock: what is now is an argument. All moments and lengths are microseconds, moments since
1970-01-01 UTC.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from driftline.documents import nearest
from driftline.errors import UsageError, printable
from driftline.monitor.expression import SECOND, refused

if TYPE_CHECKING:
    from driftline.monitor.expression import Expression

__all__ = ["CatchUp", "Fire", "Offsets", "Planned", "Window", "due", "duration_us", "jitter_us", "window_of"]

MINUTE = 60 * SECOND
DAY = 86_400 * SECOND
MAX_DURATION = 3660 * DAY

_DURATION = re.compile(
    r"([-+]?)P(?:(\d{1,6})W|(?:(\d{1,6})D)?(?:T(?=\d)(?:(\d{1,6})H)?(?:(\d{1,6})M)?(?:(\d{1,9})S)?)?)",
    re.ASCII,
)
_SECONDS = (7 * 86_400, 86_400, 3600, 60, 1)


def duration_us(text: str, *, field: str = "delay", file: object = None) -> int:
    """Read a length of time in ISO 8601: weeks, or days, hours, minutes and seconds, all of fixed length.

    Parameters
    ----------
    text : str
        ``PT2H``, ``P1DT12H``, ``-PT15M``, ``P2W``. A day is 24 hours, whatever the clocks do.
    field, file : optional
        Where it stands, for errors.

    Raises
    ------
    DocumentError or UsageError
        ``E-SCHEDULE``: no such length, one of years or months, a fraction, or more than 3,660 days.

    Examples
    --------
    >>> duration_us("-PT1H")
    -3600000000
    """
    # A document may hold a number here, or a very long text.
    raw, shown = str(text), printable(repr(text), 80)
    found = _DURATION.fullmatch(raw) if len(raw) <= 64 else None
    if found is None or not any(found.groups()[1:]):
        if re.match(r"[-+]?P[\dWD]*\d[YM]", raw[:64]):
            raise refused(f"{shown} has no fixed length", "write days, hours and minutes", field, file)
        raise refused(
            f"{shown} is no length of time", "write it in ISO 8601, such as PT1H, PT15M or P1D", field, file
        )
    size = SECOND * sum(int(n or 0) * s for n, s in zip(found.groups()[1:], _SECONDS, strict=True))
    if size > MAX_DURATION:
        raise refused(f"{shown} is more than 3,660 days", "write a shorter time", field, file)
    return -size if found[1] == "-" else size


@dataclass(frozen=True, slots=True)
class Offsets:
    """Where a window lies, seen from the fire; SageMaker's DataAnalysisStartTime and DataAnalysisEndTime.

    Attributes
    ----------
    start, end : int
        Microseconds, 0 or less, `start` before `end`.
    """

    start: int
    end: int

    @classmethod
    def parse(
        cls,
        start: str,
        end: str = "-PT0S",
        *,
        sagemaker_limits: bool = False,
        field: str = "",
        file: object = None,
    ) -> Offsets:
        """Read both offsets.

        Parameters
        ----------
        start, end : str
            ``-PT5H``, ``-PT1H``, ``-P30D``; see :func:`duration_us`. Of fixed length: ``-P1D`` is 24 hours.
        sagemaker_limits : bool, default False
            Also refuse what SageMaker refuses: more than 24 hours from `start` to `end`.
        field, file : optional
            Table in which ``start_offset`` and ``end_offset`` stand, and its file, for errors.

        Raises
        ------
        DocumentError or UsageError
            ``E-SCHEDULE``.

        Examples
        --------
        >>> Offsets.parse("-PT5H", "-PT1H")
        Offsets(start=-18000000000, end=-3600000000)
        """
        names = [f"{field}.{key}" if field else key for key in ("start_offset", "end_offset")]
        offsets = cls(
            duration_us(start, field=names[0], file=file), duration_us(end, field=names[1], file=file)
        )
        for name, text, size in ((names[0], start, offsets.start), (names[1], end, offsets.end)):
            if size > 0:
                raise refused(
                    f"{text!r} lies in the future of the run",
                    f"write -{text.lstrip('+')}",
                    name,
                    file,
                )
        if offsets.start >= offsets.end:
            raise refused(
                f"the window ends ({end}) before it begins ({start})",
                "write a start that is before the end, such as -PT1H and -PT0H",
                names[0],
                file,
            )
        if sagemaker_limits and offsets.end - offsets.start > DAY:
            raise refused(
                f"SageMaker allows up to 24 hours from {start} to {end}", "shorten it", names[0], file
            )
        return offsets


@dataclass(frozen=True, slots=True, order=True)
class Window:
    """The stretch of time that a run looks at: from `start_us` on and before `end_us`."""

    start_us: int
    end_us: int


def window_of(expression: Expression, fire_us: int, offsets: Offsets | None = None) -> Window:
    """Return the window of a fire.

    Parameters
    ----------
    expression : Expression
    fire_us : int
        When it fires by the expression, not when the run begins. For ``NOW``, when the schedule is made.
    offsets : Offsets, optional
        Without them the window reaches from the fire before this one up to it, so that the windows of one expression
        hold every moment once. This is so for the first run of a schedule, too. The very first fire that an
        expression ever has, as with a year, looks back as far as its next one is ahead.

    Raises
    ------
    UsageError
        ``E-SCHEDULE`` without offsets where there is no other fire, as with ``NOW``.

    Examples
    --------
    >>> from driftline.monitor.expression import Expression
    >>> hour = 3_600_000_000
    >>> window_of(Expression.parse("cron(0 * ? * * *)"), 14 * hour) == Window(13 * hour, 14 * hour)
    True
    """
    if offsets is not None:
        return Window(fire_us + offsets.start, fire_us + offsets.end)
    previous = expression.previous_before(fire_us)
    if previous is None:
        previous = fire_us - expression.period_at(fire_us)
    if previous >= fire_us:
        raise UsageError(
            f"{expression.text} needs a window: no run comes before it",
            code="E-SCHEDULE",
            fix="give the start and the end of the window, such as -PT1H and -PT0H",
        )
    return Window(previous, fire_us)


class CatchUp(StrEnum):
    """What to do with the fires of a time in which nothing ran."""

    ALL = "all"
    """Run every one, the oldest first."""

    LATEST = "latest"
    """Run the newest, however late; record the others as skipped."""

    SKIP = "skip"
    """Run the newest if it is not late; record the others as skipped."""

    @classmethod
    def parse(cls, text: str, *, field: str = "catch_up", file: object = None) -> CatchUp:
        """Read the name of a policy.

        Raises
        ------
        DocumentError or UsageError
            ``E-SCHEDULE``.
        """
        for policy in cls:
            if policy == text:
                return policy
        close = nearest(str(text)[:64], [policy.value for policy in cls])
        raise refused(
            f"{printable(repr(text), 80)} is no way to catch up",
            f"did you mean {close}?" if close else f"write {', '.join(cls)}",
            field,
            file,
        )


@dataclass(frozen=True, slots=True, order=True)
class Fire:
    """One fire.

    Attributes
    ----------
    at_us : int
        When it fires by the expression.
    due_us : int
        When it may run: after the delay for late data.
    """

    at_us: int
    due_us: int


@dataclass(frozen=True, slots=True)
class Planned:
    """What is to be done now.

    Attributes
    ----------
    runs : tuple of Fire
        To be run, in this order.
    skipped : tuple of Fire
        To be recorded as skipped.
    cursor : int
        The last fire that is accounted for: `since_us` of the next call. Never after what is now, never moved back.
    more : bool
        Whether the limit was reached: call again with the cursor.
    """

    runs: tuple[Fire, ...]
    skipped: tuple[Fire, ...]
    cursor: int
    more: bool = False


def due(
    expression: Expression,
    since_us: int,
    now_us: int,
    policy: CatchUp = CatchUp.ALL,
    delay_us: int = 0,
    limit: int = 1000,
) -> Planned:
    """Decide which fires to run and which to skip.

    Parameters
    ----------
    expression : Expression
        ``NOW`` has no fires: its one run is made with the schedule.
    since_us : int
        The last fire that is accounted for; for a new or changed schedule, when it was made.
    now_us : int
    policy : CatchUp, default all
    delay_us : int, default 0
        How long a fire waits for data or labels that come late.
    limit : int, default 1000
        Most fires in one answer.

    Returns
    -------
    Planned
        Every fire after `since_us` and up to ``now_us - delay_us`` once, in `runs` or in `skipped`, unless there is
        `more`.

    Raises
    ------
    UsageError
        ``E-SCHEDULE`` for a negative delay or a limit below 1.

    Notes
    -----
    Of these fires the newest is current and all others were missed. The newest is late once half the time to its next
    fire has passed since it was due, or a minute where that is longer.

    A clock that jumps forward and comes back has let the fires up to the jump be planned; they are not planned again.
    Take `now_us` from the clock that all processes share, that of the database.
    """
    if delay_us < 0 or limit < 1:
        raise UsageError(
            f"a delay of {delay_us} and a limit of {limit} make no sense",
            code="E-SCHEDULE",
            fix="give a delay of 0 or more and a limit of 1 or more",
        )
    horizon = now_us - delay_us
    fires = tuple(Fire(at, at + delay_us) for at in expression.between(since_us, horizon, limit))
    newest = expression.previous_before(horizon + 1)
    if not fires or newest is None:
        return Planned((), (), since_us)
    cursor = fires[-1].at_us
    more = newest > cursor
    if policy is CatchUp.ALL:
        return Planned(fires, (), cursor, more)
    wanted = not more and (policy is CatchUp.LATEST or horizon - newest < _grace(expression, newest))
    return Planned(fires[-1:], fires[:-1], cursor, more) if wanted else Planned((), fires, cursor, more)


def _grace(expression: Expression, fire_us: int) -> int:
    return max(MINUTE, (expression.period_at(fire_us) or DAY) // 2)


def jitter_us(name: str, fire_us: int, max_us: int = 0) -> int:
    """Return how long a run begins after it is due: 0 to `max_us`, the same whenever it is asked.

    Schedules that fire together then do not start together. SageMaker starts runs 0 to 20 minutes late.

    Parameters
    ----------
    name : str
        Of the schedule.
    fire_us : int
    max_us : int, default 0

    Examples
    --------
    >>> jitter_us("churn", 0), jitter_us("churn", 0, 60_000_000) <= 60_000_000
    (0, True)
    """
    digest = hashlib.sha256(f"{fire_us}\n{name}".encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest) % (max(max_us, 0) + 1)
