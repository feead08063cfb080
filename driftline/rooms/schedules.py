"""Schedules of a workspace: start and stop them, and run them now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from driftline.errors import UsageError
from driftline.registry import endpoints, executions, schedules
from driftline.registry.execution_store import SCHEDULED
from driftline.rooms.room import Room

if TYPE_CHECKING:
    import builtins

    from driftline.registry.executions import Execution
    from driftline.registry.schedules import Schedule
    from driftline.registry.store import Tx
    from driftline.reports.timeline import Mark, Timeline
    from driftline.reports.timeline_reading import Look

__all__ = ["Schedules", "last_window", "window_of"]

_PAGE = 100


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

    def timeline(
        self,
        name: str,
        check: str | None = None,
        feature: str | None = None,
        *,
        last: int = 60,
        most: int = 6,
    ) -> tuple[Timeline, ...]:
        """Return metrics of a schedule over its windows, each with its bound.

        Parameters
        ----------
        name : str
        check : str, optional
            The metric, such as ``recall`` or ``ks``; where not given, at most `most` that matter: violated ones first.
        feature : str, optional
            Only of this column, group, feature or segment.
        last : int
            How many windows at most, the newest.
        most : int

        Raises
        ------
        RegistryError
            ``E-NO-SCHEDULE``.
        UsageError
            ``E-NO-METRIC``, ``E-NO-FEATURE``: no run measured that.
        """
        from driftline.reports.timeline_reading import timelines

        with self._house.registry.read() as tx:
            found = schedules.get(tx, name)
            looks = _looks(tx, name, last)
            marks = _deployments(tx, found)
        return timelines(
            looks, schedule=name, kind=found.kind, check=check, feature=feature, marks=marks, most=most
        )


def _looks(tx: Tx, schedule: str, last: int) -> list[Look]:
    """Return every look at the last windows of a schedule; windows that only people looked at are no part of it."""
    windows: dict[tuple[int, int], list[Execution]] = {}
    before: tuple[int, str] | None = None
    while True:
        page = executions.history(tx, schedule=schedule, before=before, limit=_PAGE)
        for one in page:
            windows.setdefault((one.window_start, one.window_end), []).append(one)
        scheduled = [at for at, looks in windows.items() if any(one.cause in SCHEDULED for one in looks)]
        # Looks at one window have one fire, so a window that comes after enough others is whole.
        if len(page) < _PAGE or len(scheduled) > last:
            break
        before = page[-1].scheduled, page[-1].id
    return [_look(one) for at in sorted(scheduled)[-last:] for one in windows[at]]


def _look(execution: Execution) -> Look:
    from driftline.reports.timeline_reading import Look

    result = execution.result or {}
    return Look(
        execution.window_start,
        execution.window_end,
        execution.revision,
        execution.status,
        execution.id,
        execution.failure_reason or execution.message,
        result.get("measurements") or (),
        execution.baseline_version,
    )


def _deployments(tx: Tx, found: Schedule) -> list[Mark]:
    from driftline.reports.timeline import Mark

    variant = found.config.get("variant")
    return [
        Mark(one.since, f"{one.model} {one.version}")
        for one in endpoints.history(tx, found.endpoint)
        if variant is None or one.variant == variant
    ]


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
