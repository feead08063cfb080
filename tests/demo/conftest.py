"""One week, played once for all tests that look at what came of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from driftline.demo import Cell, Story, tell

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass
class Told:
    """A story, and what was said while it was played."""

    lines: list[str] = field(default_factory=list)
    days: list[list[Cell]] = field(default_factory=list)
    story: Story | None = None

    def played(self, cells: Sequence[Cell], before: Sequence[Cell]) -> None:
        assert [c.day for c in before] == sorted(c.day for day in self.days for c in day)
        self.days.append(list(cells))


@pytest.fixture(scope="session")
def told(tmp_path_factory: pytest.TempPathFactory) -> Told:
    """The demo, told; only to read."""
    made = Told()
    with pytest.MonkeyPatch.context() as patch:
        # The demo has a registry of its own, whatever is set.
        patch.setenv("DRIFTLINE_DATABASE", "postgresql://nowhere.invalid/registry")
        patch.setenv("DRIFTLINE_USER", "ann")
        made.story = tell(tmp_path_factory.mktemp("demo") / "week", made.lines.append, made.played)
    return made


@pytest.fixture(scope="session")
def story(told: Told) -> Story:
    """What came of the week; only to read."""
    assert told.story is not None
    return told.story
