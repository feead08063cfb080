"""Time lines in a terminal: one character for each window, as many of the newest as a line holds."""

from __future__ import annotations

from dataclasses import replace
from typing import IO, TYPE_CHECKING, Final

from driftline.errors import printable
from driftline.reports import wording
from driftline.reports.sparkline import trace
from driftline.reports.timeline import MEASURED, drawn_ends, is_near
from driftline.reports.timeline_words import minute, scored, story, title

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import RenderableType
    from rich.text import Text

    from driftline.reports.timeline import Point, Timeline

__all__ = ["SIGNS", "print_timelines"]

SIGNS: Final = {
    "passed": " ",
    "violated": "^",
    "undetermined": "?",
    "no data": "o",
    "failed": "!",
    "skipped": "-",
    "stopped": "-",
    "waiting": ".",
    "not measured": ".",
}
"""What stands below each window; all of it is ASCII."""

_WORDS: Final = {
    "^": "violated",
    "?": "not judged",
    "o": "no data",
    "!": "failed",
    "-": "skipped or stopped",
    ".": "not run or not measured",
    "~": "an estimate",
}


def print_timelines(
    timelines: Sequence[Timeline], file: IO[str] | None = None, *, console_width: int | None = None
) -> None:
    """Print time lines for people; see :func:`driftline.reports.terminal.print_report` for what `file` can hold."""
    from driftline.reports.terminal import print_to

    print_to(lambda width: _build(timelines, width), file, console_width=console_width)


def _build(timelines: Sequence[Timeline], width: int) -> RenderableType:
    from rich.console import Group
    from rich.padding import Padding

    parts: list[RenderableType] = []
    used: dict[str, None] = {}
    for i, timeline in enumerate(timelines):
        points = _newest(timeline, max(10, width - 4))
        line, signs = _lines(timeline, points)
        used |= dict.fromkeys(signs)
        parts.append(_text((("\n" if i else "") + printable(title(timeline), 120), "bold")))
        parts.append(Padding(line, (0, 0, 0, 2)))
        if signs.strip():
            parts.append(Padding(_text((signs.rstrip(), "dim")), (0, 0, 0, 2)))
        if points:
            span = f"{minute(points[0].window_start)} to {minute(points[-1].window_end)}"
            left = len(timeline.points) - len(points)
            before = f"; {wording.plural(left, 'window')} before" if left else ""
            parts.append(Padding(_text((span + before, "dim")), (0, 0, 0, 2)))
        for said in (story(timeline), scored(timeline)):
            if said:
                parts.append(Padding(_text((said, "")), (0, 0, 0, 2)))
    told = ", ".join(f"{sign} {word}" for sign, word in _WORDS.items() if sign in used)
    if told:
        parts.append(_text((f"\n{told}", "dim")))
    return Group(*parts)


def _newest(timeline: Timeline, room: int) -> Sequence[Point]:
    """Return the newest windows that a line holds, with a blank wherever time is left out between two."""
    used = 0
    for n, point in enumerate(reversed(timeline.points)):
        used += 1 + (n > 0 and not is_near(timeline, point, timeline.points[len(timeline.points) - n]))
        if used > room:
            return timeline.points[len(timeline.points) - n :]
    return timeline.points


def _spaced(timeline: Timeline, points: Sequence[Point]) -> Iterator[Point | None]:
    for i, point in enumerate(points):
        if i and not is_near(timeline, points[i - 1], point):
            yield None
        yield point


def _lines(timeline: Timeline, points: Sequence[Point]) -> tuple[Text, str]:
    """Return the line of blocks and the signs below it."""
    from rich.text import Text

    spaced = list(_spaced(timeline, points))
    shown = [None if point is None else _height(point) for point in spaced]
    drawn = trace(shown, *drawn_ends(timeline, [_bare(point) for point in points])) if points else ""
    line, signs = Text(no_wrap=True, overflow="crop"), ""
    for character, place in zip(drawn, spaced, strict=True):
        estimated = place is not None and _is_estimate(place)
        state = "" if place is None else place.state
        style = "magenta" if estimated else "" if state in MEASURED else "dim"
        line.append(character, style="bold red" if state == "violated" else style)
        signs += "~" if estimated else SIGNS.get(state, " ")
    return line, signs


def _is_estimate(point: Point) -> bool:
    return point.value is None and point.estimate is not None


def _bare(point: Point) -> Point:
    """Leave out the intervals, which are not drawn here."""
    value = _height(point)
    return replace(point, value=value, low=None, high=None, estimate=None)


def _height(point: Point) -> float | None:
    return point.estimate.value if point.value is None and point.estimate is not None else point.value


def _text(*pieces: tuple[str, str]) -> Text:
    from rich.text import Text

    text = Text()
    for piece, style in pieces:
        text.append(piece, style=style)
    return text
