"""Blocks: the hours of a window, and which of them are kept together.

Blocks begin at multiples of their size, so that windows that overlap share them. A window of any length is then a few
blocks and, at its ends, some hours.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from driftline.capture.tables import HOUR

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from driftline.capture.window import Window

__all__ = ["BLOCKS", "Node", "cover"]

BLOCKS = (384, 96, 24, 6)
"""Sizes of blocks in hours, each a multiple of the next.

Of few sizes a window takes many blocks, of many sizes every hour is kept often. With these a window of 30 days is at most
six blocks of each size and as many hours at each end, and what is kept takes about twice the room of the hours alone.
"""


@dataclass(frozen=True, slots=True)
class Node:
    """An hour of a variant, or a block of them.

    Attributes
    ----------
    variant : str
    first : int
        First hour, since 1970-01-01 UTC.
    span : int
        Hours from the first to the last it may have.
    files : tuple of int
        Positions of its files among those of the window, ascending.
    hours : int
        Hours of which there are files.
    parts : tuple of Node
        Empty for an hour.
    is_whole : bool
        False for an hour that is not kept, since the window may hold only part of it.
    """

    variant: str
    first: int
    span: int
    files: tuple[int, ...]
    hours: int = 1
    parts: tuple[Node, ...] = ()
    is_whole: bool = True


def cover(window: Window) -> tuple[list[Node], list[Node]]:
    """Return nodes that hold every file of a window once.

    Returns
    -------
    whole : list of Node
        Blocks as large as they come, and hours.
    ends : list of Node
        Hours of which the window may hold only part.
    """
    hours: dict[tuple[str, int], list[int]] = {}
    for i, segment in enumerate(window.segments):
        hours.setdefault((segment.variant, segment.hour), []).append(i)
    leaves: dict[str, list[Node]] = {}
    ends: list[Node] = []
    for (variant, hour), files in sorted(hours.items()):
        is_whole = window.start <= hour * HOUR and (hour + 1) * HOUR <= window.end
        # Whatever folder a file lies in, the manifest knows the times of its events.
        for i in files:
            segment = window.segments[i]
            is_whole &= segment.first // HOUR == hour == segment.last // HOUR
        node = Node(variant, hour, 1, tuple(files), is_whole=is_whole)
        (leaves.setdefault(variant, []) if is_whole else ends).append(node)
    first, last = -(-window.start // HOUR), window.end // HOUR
    return [node for mine in leaves.values() for node in _blocks(mine, first, last, BLOCKS)], ends


def _blocks(hours: Sequence[Node], start: int, end: int, sizes: Sequence[int]) -> Iterator[Node]:
    """Put hours into blocks that lie wholly from `start` to before `end`."""
    if not sizes:
        yield from hours
        return
    size = sizes[0]
    for block, members in groupby(hours, key=lambda node: node.first // size):
        parts = tuple(_blocks(tuple(members), start, end, sizes[1:]))
        if start <= block * size and (block + 1) * size <= end and len(parts) > 1:
            files = tuple(sorted(i for part in parts for i in part.files))
            n_hours = sum(part.hours for part in parts)
            yield Node(parts[0].variant, block * size, size, files, n_hours, parts)
        else:
            yield from parts
