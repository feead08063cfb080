"""Rigs: all that there is, with what a sample of each takes and its share of a long examination."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from exam import calls, clocks, damage, full, hosts, kills, objects, power

if TYPE_CHECKING:
    from collections.abc import Callable

    from exam.verdict import Effort, Verdict

__all__ = ["RIGS", "Rig"]


@dataclass(frozen=True, slots=True)
class Rig:
    """A way to injure a store.

    Attributes
    ----------
    run : callable
    sample : int
        Rounds of a sample, which takes a few seconds.
    share : float
        Of the time of a long examination.
    needs : str
        What it does not run without; "" where nothing is needed.
    least : int
        Rounds of a long examination, if it is short.
    """

    run: Callable[[Effort], list[Verdict]]
    sample: int
    share: float
    needs: str = ""
    least: int = 0


RIGS = {
    "kills": Rig(kills.kills, 12, 0.34),
    "power": Rig(power.power, 4, 0.10, "root, loop devices, xfsprogs and e2fsprogs"),
    "calls": Rig(calls.calls, 12, 0.12),
    "traced": Rig(calls.traced_calls, 8, 0.08, "strace"),
    "damage": Rig(damage.damage, 80, 0.13),
    "disk": Rig(full.full_disk, 1, 0.02, "root"),
    "small-files": Rig(full.small_files, 1, 0.02),
    "clocks": Rig(clocks.clocks, 2, 0.03),
    "overload": Rig(hosts.overload, 1, 0.01),
    "forks": Rig(hosts.forked, 1, 0.02),
    "payloads": Rig(hosts.payloads, 1, 0.03),
    "folders": Rig(hosts.folders, 4, 0.01),
    "descriptors": Rig(hosts.descriptors, 2, 0.01),
    "objects": Rig(objects.objects, 3, 0.08, least=6),
}
