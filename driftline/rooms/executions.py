"""Executions of a workspace: what ran, on which window, and what came of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from driftline.registry import executions
from driftline.rooms.room import Room

if TYPE_CHECKING:
    import builtins
    from collections.abc import Sequence

    from driftline.registry.executions import Execution

__all__ = ["Executions"]


class Executions(Room):
    """``ws.executions``."""

    def list(
        self,
        *,
        schedule: str | None = None,
        endpoint: str | None = None,
        model: str | None = None,
        status: str | Sequence[str] | None = None,
        newest_only: bool = False,
        before: tuple[int, str] | None = None,
        limit: int = 100,
    ) -> builtins.list[Execution]:
        """Return executions, the newest windows first; see :func:`driftline.registry.executions.history`."""
        return self._read(
            lambda tx: executions.history(
                tx,
                schedule=schedule,
                endpoint=endpoint,
                model=model,
                status=status,
                newest_only=newest_only,
                before=before,
                limit=limit,
            )
        )

    def get(self, execution: str) -> Execution:
        """Return an execution by its id.

        Raises
        ------
        RegistryError
            ``E-NO-EXECUTION``.
        """
        return self._read(lambda tx: executions.get(tx, execution))

    def latest(self, schedule: str) -> Execution | None:
        """Return the execution of the newest window, None where nothing ran yet."""
        found = self.list(schedule=schedule, limit=1)
        return found[0] if found else None
