"""Blocks: every file of a window once, in as few pieces as may be shared."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from captured import HOUR
from hypothesis import given
from hypothesis import strategies as st

from driftline.capture.manifest import Segment
from driftline.monitor.blocks import BLOCKS, cover

if TYPE_CHECKING:
    from driftline.monitor.blocks import Node

START = 384 * 1000


@dataclass(frozen=True)
class Span:
    start: int
    end: int
    segments: tuple[Segment, ...]


def segment(hour: int, *, variant: str = "a", first: int | None = None, last: int | None = None) -> Segment:
    begin = hour * HOUR
    times = (begin if first is None else first, begin + HOUR - 1 if last is None else last)
    return Segment(f"{variant}/{hour}", "events", "e", variant, hour, 1, 1, 1, f"{hour:x}", *times)


def span(first: int, last: int, **more: Any) -> Any:
    """Return a window of whole hours, with a file for each."""
    hours = range(START + first, START + last)
    return Span((START + first) * HOUR, (START + last) * HOUR, tuple(segment(h, **more) for h in hours))


def leaves(node: Node) -> list[Node]:
    return [leaf for part in node.parts for leaf in leaves(part)] if node.parts else [node]


def test_sizes_divide_each_other() -> None:
    assert all(large % small == 0 for large, small in pairwise(BLOCKS))


@given(
    hours=st.lists(st.tuples(st.integers(0, 900), st.sampled_from("ab")), max_size=300),
    ends=st.tuples(st.integers(0, 901 * HOUR), st.integers(0, 901 * HOUR)).map(sorted),
)
def test_every_file_is_covered_once(hours: list[tuple[int, str]], ends: list[int]) -> None:
    first, last = (START * HOUR + end for end in ends)
    segments = tuple(segment(START + h, variant=v) for h, v in sorted(hours, key=lambda p: p[::-1]))
    window: Any = Span(first, last, segments)
    whole, cut = cover(window)
    assert sorted(i for node in (*whole, *cut) for i in node.files) == list(range(len(segments)))
    for node in whole:
        assert first <= node.first * HOUR
        assert (node.first + node.span) * HOUR <= last
        assert node.first % node.span == 0
        assert list(node.files) == sorted(i for leaf in leaves(node) for i in leaf.files)
        assert node.hours == len(leaves(node))
        assert len(node.parts) != 1
        assert {segments[i].variant for i in node.files} == {node.variant}
    for node in cut:
        assert not (first <= node.first * HOUR and (node.first + 1) * HOUR <= last)


@pytest.mark.parametrize(
    ("first", "last", "spans"),
    [
        (0, 384, [384]),
        (0, 720, [384, 96, 96, 96, 24, 24]),
        (1, 25, [1] * 5 + [6] * 3 + [1]),
        (1, 721, [1] * 5 + [6] * 3 + [24] * 3 + [96] * 6 + [24] * 2 + [1]),
        (3, 4, [1]),
    ],
)
def test_windows_are_few_blocks(first: int, last: int, spans: list[int]) -> None:
    whole, cut = cover(span(first, last))
    assert (sorted(node.span for node in whole), cut) == (sorted(spans), [])


def test_a_month_is_few_pieces_wherever_it_begins() -> None:
    assert max(len(cover(span(first, first + 720))[0]) for first in range(384)) <= 24


def test_files_that_the_manifest_knows_to_reach_beyond_their_hour_are_not_kept() -> None:
    hour = START + 5
    for odd in ({"last": (hour + 1) * HOUR}, {"first": hour * HOUR - 1}):
        window: Any = Span(START * HOUR, (START + 10) * HOUR, (segment(hour, **odd),))
        whole, cut = cover(window)
        assert (whole, [node.is_whole for node in cut]) == ([], [False])
