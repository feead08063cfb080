"""Rigs: all that there is, with what a sample of each takes and its share of a long examination."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from loop import calls, catching_up, letters, race, stores

if TYPE_CHECKING:
    from collections.abc import Callable

    from exam.verdict import Effort

    from loop.verdict import Verdict

__all__ = ["RIGS", "Rig"]


@dataclass(frozen=True, slots=True)
class Rig:
    """A way to injure the loop.

    Attributes
    ----------
    run : callable
    sample : int
        Rounds of a sample, which takes a few seconds.
    share : float
        Of the time of a long examination; 0 for what is done only as a sample, or where it is asked for.
    needs : str
        What it does not run without; "" where nothing is needed.
    least : int
        Rounds of a long examination, if it is short.
    """

    run: Callable[[Effort], list[Verdict]]
    sample: int
    share: float
    needs: str = ""
    least: int = 1

    @property
    def is_possible(self) -> bool:
        """Whether what it needs is here."""
        if self.needs == "root":
            return os.getuid() == 0
        return not self.needs or shutil.which(self.needs) is not None


RIGS = {
    "race": Rig(race.race, 2, 0.28, least=2),
    "clocks": Rig(race.clocks, 2, 0.08, least=4),
    "skews": Rig(race.skews, 1, 0.03),
    "blackhole": Rig(race.blackhole, 1, 0.05),
    "commits": Rig(race.commits, 1, 0.05),
    "away": Rig(race.away, 1, 0.06),
    "sudden": Rig(catching_up.sudden, 1, 0.02, least=4),
    "downtime": Rig(catching_up.downtime, 2, 0.04, least=4),
    "poison": Rig(catching_up.poison, 1, 0.03, least=2),
    "changes": Rig(catching_up.changes, 1, 0.03, least=2),
    "crowd": Rig(catching_up.crowd, 1, 0.0),
    "letters": Rig(letters.letters, 1, 0.09, least=2),
    "waiting": Rig(letters.waiting, 1, 0.01),
    "traced": Rig(calls.traced, 9, 0.14, "strace"),
    "full": Rig(calls.full, 2, 0.02, "root"),
    "locked": Rig(stores.locked, 1, 0.01),
    "damage": Rig(stores.damage, 30, 0.03),
    "migrations": Rig(stores.migrations, 6, 0.05),
    "texts": Rig(stores.texts, 1, 0.02),
    "tampering": Rig(stores.tampering, 1, 0.05, least=5),
}
