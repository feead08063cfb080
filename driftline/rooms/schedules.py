"""Schedules of a workspace: start and stop them, and run them now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from driftline.errors import UsageError
from driftline.registry import executions, schedules
from driftline.rooms.room import Room

if TYPE_CHECKING:
    import builtins

    from driftline.registry.executions import Execution
    from driftline.registry.schedules import Schedule

__all__ = ["Schedules", "last_window", "window_of"]


class Schedules(Room):
    """``ws.schedules``."""

    def list(
        self,
        *,
        endpoint: str | None = None,
        kind: str | None = None,
        status: str | None = None,
        archived: bool = False,
    ) -> builtins.list[Schedule]:
        """Return schedules by name."""
        return self._read(
            lambda tx: schedules.list_schedules(
                tx, endpoint=endpoint, kind=kind, status=status, archived=archived
            )
        )

    def get(self, name: str) -> Schedule:
        """Return a schedule.

        Raises
        ------
        RegistryError
            ``E-NO-SCHEDULE``.
        """
        return self._read(lambda tx: schedules.get(tx, name))

    def start(self, name: str, *, reason: str = "") -> bool:
        """Activate a schedule; False where it was active."""
        return self._act(lambda tx: schedules.start(tx, name), reason)

    def stop(self, name: str, *, reason: str = "") -> bool:
        """Deactivate a schedule; False where it was stopped."""
        return self._act(lambda tx: schedules.stop(tx, name), reason)

    def archive(self, name: str, *, reason: str = "") -> bool:
        """Take a schedule away; its executions, reports and alerts stay."""
        return self._act(lambda tx: schedules.archive(tx, name), reason)

    def run(
        self, name: str, window: str | tuple[int, int] | None = None, *, wait: bool = True, reason: str = ""
    ) -> Execution:
        """Run a schedule now, with the same configuration as its other runs.

        Parameters
        ----------
        name : str
        window : str or pair of int, optional
            Such as ``2026-11-22T00:00Z/2026-11-23T00:00Z``, or two instants in microseconds; the last whole window of the
            schedule where not given. Where it was looked at before, this is a new revision.
        wait : bool
            False leaves the run to a scheduler.
        reason : str

        Returns
        -------
        Execution

        Raises
        ------
        RegistryError
            ``E-NO-SCHEDULE``.
        UsageError
            ``E-TIME``.
        """
        with self._house.registry.read() as tx:
            found, now = schedules.get(tx, name), tx.now
        scheduled = None
        if window is None:
            start, end, scheduled = last_window(found, now)
        elif isinstance(window, str):
            start, end = window_of(window)
        else:
            start, end = window
        made = self._act(
            lambda tx: executions.revise(tx, found, start, end, cause="manual", scheduled=scheduled), reason
        )
        return self._house.scheduler(send=False).run_now(made.id) if wait else made


def window_of(text: str) -> tuple[int, int]:
    """Read a window such as ``2026-11-22T00:00Z/2026-11-23T00:00Z``.

    Raises
    ------
    UsageError
        ``E-TIME``.
    """
    from driftline.capture.window import moment_of

    first, slash, last = text.partition("/")
    if not slash:
        raise UsageError(
            f"{text!r} is no window", code="E-TIME", fix="write it as 2026-11-22T00:00Z/2026-11-23T00:00Z"
        )
    start, end = moment_of(first), moment_of(last)
    if end <= start:
        raise UsageError("the window ends before it begins", code="E-TIME", fix="give the earlier time first")
    return start, end


def last_window(found: Schedule, now: int) -> tuple[int, int, int]:
    """Return the last whole window of a schedule, and when its run was due.

    Raises
    ------
    UsageError
        ``E-TIME``: it has not come to its first time yet.
    """
    from driftline.monitor.planning import expression_of, offsets_of
    from driftline.monitor.schedule import window_of as window_at

    expression = expression_of(found.config)
    fire = now if expression.is_now else expression.previous_before(now + 1)
    if fire is None:
        raise UsageError(
            f"{found.name} has not come to its first time yet", code="E-TIME", fix="give a window"
        )
    window = window_at(expression, fire, offsets_of(found.config))
    return window.start_us, window.end_us, fire
