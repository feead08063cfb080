"""Plan: from a declared file to what must be done so that it is so, shown before it is done.

::

    from driftline.plan import plan

    proposed = plan(workspace, configuration)
    print(proposed)
    proposed.apply(reason="version 4 goes live")

A plan is made by doing everything in a transaction that is then undone. So what is shown is what the registry itself would
write into its audit log, and what the registry would refuse is refused while nothing has happened yet.
"""

from __future__ import annotations

from driftline.plan.planning import Ground, Plan, known_names, plan
from driftline.plan.step import ACTIONS, Change, Step

__all__ = ["ACTIONS", "Change", "Ground", "Plan", "Step", "known_names", "plan"]
