"""Planning: from schedules to executions, in the registry. What is planned twice is there once."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import sqlalchemy as sa

from driftline.errors import DriftlineError, printable
from driftline.monitor.expression import Expression
from driftline.monitor.late import late
from driftline.monitor.running import Place, captures_of
from driftline.monitor.schedule import CatchUp, Offsets, due, duration_us, jitter_us, window_of
from driftline.registry import alerts, executions, schedules, settings
from driftline.registry.database import RegistryError
from driftline.registry.store import SYSTEM, Registry, Tx
from driftline.registry.tables import endpoints

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from driftline.registry.schedules import Schedule

__all__ = [
    "captures_for",
    "expression_of",
    "find_late",
    "forget_erased",
    "look_after_alerts",
    "offsets_of",
    "plan_due",
    "plan_schedule",
]

_log = logging.getLogger("driftline.scheduler")

SECOND = 1_000_000
_PLANNED_AT_ONCE = 200
_FIRES_AT_ONCE = 500


def plan_due(registry: Registry) -> tuple[int, int]:
    """Make the executions of all fires whose time has come.

    Returns
    -------
    (int, int)
        How many were planned, and how many recorded as skipped.
    """
    with registry.read() as tx:
        waiting = schedules.due(tx, limit=_PLANNED_AT_ONCE)
    planned = skipped = 0
    for found in waiting:
        made = _planned(registry, found.name)
        planned += made[0]
        skipped += made[1]
    return planned, skipped


def _planned(registry: Registry, name: str) -> tuple[int, int]:
    try:
        return registry.act(lambda tx: plan_schedule(tx, name), who=SYSTEM)
    except RegistryError:
        raise
    except Exception as error:  # noqa: BLE001
        # One schedule's fault must not keep all others from being planned; it is told, and the schedule set aside.
        _log.exception("schedule %s cannot be planned", name)
        reason = f"cannot be planned: {type(error).__name__}: {printable(error, 300)}"
        registry.act(lambda tx: schedules.fail(tx, name, reason), who=SYSTEM)
        return 0, 0


def plan_schedule(tx: Tx, name: str, *, closing: bool = False) -> tuple[int, int]:
    """Make the executions of one schedule's fires; what was made before is left as it is.

    Parameters
    ----------
    name : str
    closing : bool
        The expression is about to become another: make those, too, that still wait for late data.
    """
    found = schedules.find(tx, name)
    if found is None or not found.is_active or found.next_due is None:
        return 0, 0
    if found.next_due > tx.now and not closing:
        return 0, 0
    config = found.config
    try:
        expression = expression_of(config)
        offsets = offsets_of(config)
        policy = CatchUp.parse(str(config.get("catch_up") or "all"))
        delay = duration_us(str(config.get("delay") or "PT0S"))
        jitter = duration_us(str(config.get("jitter") or "PT0S"))
        for key in ("max_runtime", "revise_for"):
            duration_us(str(config.get(key) or "PT0S"), field=key)
        first = None if expression.is_now else expression.next_after(0)
        if first is not None:
            window_of(expression, first, offsets)
    except DriftlineError as error:
        schedules.fail(tx, name, str(error))
        return 0, 0
    if expression.is_now:
        window = window_of(expression, found.since, offsets)
        made = executions.plan(tx, found, window.start_us, window.end_us, scheduled=found.since)
        schedules.advance(tx, found, found.since, None)
        return int(made is not None), 0
    decided = due(expression, found.cursor, tx.now, policy, 0 if closing else delay, _FIRES_AT_ONCE)
    planned = skipped = 0
    for fire in decided.runs:
        window = window_of(expression, fire.at_us, offsets)
        behind = tx.now - fire.at_us - delay > max(expression.period_at(fire.at_us), 60 * SECOND)
        made = executions.plan(
            tx,
            found,
            window.start_us,
            window.end_us,
            scheduled=fire.at_us,
            cause="catch-up" if behind else "schedule",
            not_before=fire.at_us + delay + jitter_us(name, fire.at_us, jitter),
        )
        planned += made is not None
    for fire in decided.skipped:
        window = window_of(expression, fire.at_us, offsets)
        made = executions.plan(
            tx,
            found,
            window.start_us,
            window.end_us,
            scheduled=fire.at_us,
            cause="catch-up",
            skipped=f"skipped: no scheduler ran at its time, and catch_up is {policy.value!r}",
        )
        skipped += made is not None
    upcoming = expression.next_after(decided.cursor)
    schedules.advance(
        tx, found, decided.cursor, tx.now if decided.more else None if upcoming is None else upcoming + delay
    )
    return planned, skipped


def expression_of(config: Mapping[str, object]) -> Expression:
    """Return when a schedule fires, from its configuration."""
    return Expression.parse(str(config.get("schedule") or ""), str(config.get("timezone") or "UTC"))


def offsets_of(config: Mapping[str, Any]) -> Offsets | None:
    """Return the ends of a schedule's windows, None where they reach from fire to fire."""
    start, end = config.get("start_offset"), config.get("end_offset")
    if start is None:
        return None
    return Offsets.parse(str(start), "-PT0S" if end is None else str(end))


def captures_for(tx: Tx, place: Place, endpoint: str) -> str:
    """Return where the captures of an endpoint lie."""
    row = tx.one(sa.select(endpoints.c.captures).where(endpoints.c.name == endpoint))
    if row is not None and row.captures is not None:
        return captures_of(place.root, row.captures)
    # As it is declared now, and not as it was when this process began.
    declared = (settings.get(tx, "workspace") or {}).get("captures")
    return captures_of(place.root, declared) if declared else place.captures


def look_after_alerts(registry: Registry, stale_after: int = 2) -> None:
    """Wake alerts that were snoozed until now, and raise alerts for monitors that have stopped reporting."""
    with registry.read() as tx:
        now, everything = tx.now, schedules.list_schedules(tx, status="Scheduled")
    # With thousands of schedules this takes a second, in which others want to write.
    periods = {}
    for found in everything:
        try:
            period = expression_of(found.config).period_at(now)
            delay = duration_us(str(found.config.get("delay") or "PT0S"))
        except DriftlineError:
            continue
        if period:
            periods[found.name] = period + delay

    def look(tx: Tx) -> None:
        alerts.wake_due(tx)
        alerts.silent_check(tx, periods=periods, stale_after=stale_after)

    registry.act(look, who=SYSTEM)


def forget_erased(registry: Registry, place: Place) -> int:
    """Remove kept profiles of captures that are not to be seen any more, and so what they hold of erased rows.

    Returns
    -------
    int
        How many.
    """
    from driftline.monitor.keeper import FolderKeeper
    from driftline.monitor.kept import forget_stale

    keeper = place.keeper
    if not isinstance(keeper, FolderKeeper):
        return 0
    with registry.read() as tx:
        by_root: dict[str, set[str]] = {}
        for row in tx.all(sa.select(endpoints.c.name)):
            by_root.setdefault(captures_for(tx, place, row.name), set()).add(row.name)
    removed = 0
    for root, names in by_root.items():
        try:
            removed += forget_stale(root, keeper, endpoints=names)
        except DriftlineError as error:
            if error.code != "E-NO-STORE":
                _log.warning("cannot look for kept profiles that are stale: %s", error)
    return removed


def find_late(registry: Registry, place: Place) -> int:
    """Make new revisions of the windows whose data have grown since they were looked at.

    Returns
    -------
    int
        How many.
    """
    made = 0
    with registry.read() as tx:
        everything = schedules.list_schedules(tx)
    for found in everything:
        if not found.is_active or not found.config.get("revise", True):
            continue
        for execution in _late_of(registry, place, found):
            made += registry.act(
                lambda tx, one=execution: _revised(tx, one),  # type: ignore[misc]
                who=SYSTEM,
                reason="late data",
            )
    return made


def _revised(tx: Tx, execution: executions.Execution) -> bool:
    """Look again, unless another process has said so meanwhile, or the schedule is no more."""
    found = schedules.find(tx, execution.schedule)
    if found is None or not found.is_active or not executions.is_newest(tx, execution):
        return False
    executions.revise(tx, found, execution.window_start, execution.window_end, cause="late-data")
    return True


def _late_of(registry: Registry, place: Place, found: Schedule) -> Iterator[executions.Execution]:
    try:
        span = duration_us(str(found.config.get("revise_for") or "P7D"), field="revise_for")
        with registry.read() as tx:
            now = tx.now
            captures = captures_for(tx, place, found.endpoint)
            # A clock that jumped forward and came back has left windows that have not been yet.
            recent = executions.looked_at(tx, found.name, now - span, now + 1)

        def seen(execution: executions.Execution) -> int:
            with registry.read() as tx:
                return executions.rows_seen(tx, execution.id)

        is_labelled = found.config.get("inputs") == "labelled"
        yield from late(captures, recent, labels=is_labelled, now=now, seen=seen)
    except RegistryError:
        raise
    except DriftlineError as error:
        _log.warning("cannot look for late data of %s: %s", found.name, error)
