"""Events of a workspace: everything that happened, in order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from driftline.registry import outbox
from driftline.rooms.room import Room

if TYPE_CHECKING:
    import builtins
    from collections.abc import Sequence

    from driftline.registry.outbox import Event

__all__ = ["Events"]


class Events(Room):
    """``ws.events``."""

    def list(self, *, after: int = 0, limit: int = 1000, kinds: Sequence[str] = ()) -> builtins.list[Event]:
        """Return events in order.

        Parameters
        ----------
        after : int
            Only those with a greater ``seq``: that of the last one seen.
        limit : int
            So many are looked at.
        kinds : sequence of str
            Patterns of types, such as ``alert.*``.
        """
        return self._read(lambda tx: outbox.read_events(tx, after=after, limit=limit, kinds=kinds))
