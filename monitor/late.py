"""Late data: windows whose captures or labels have grown since they were looked at.

Windows whose files are the same are not looked at again. Where they are others, the rows are counted: compaction is no
news, and rows that came late are. With labels, the manifest also tells when the newest row of a file came to be seen; files
that only took the place of others are as old as they are.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from driftline.capture.labelled import changed_since
from driftline.capture.window import window
from driftline.errors import SourceError
from driftline.monitor.captured import input_digests

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from driftline.capture.window import Window
    from driftline.registry.executions import Execution

__all__ = ["late"]

_MARGIN = 60_000_000
"""A commit is dated before it waits for its turn, at most half a minute."""


def late(
    captures: str,
    executions: Sequence[Execution],
    *,
    labels: bool = False,
    now: int | None = None,
    seen: Callable[[Execution], int] | None = None,
) -> list[Execution]:
    """Return those executions whose window holds more now than when they ran.

    Parameters
    ----------
    captures : str
        Folder or URL.
    executions : sequence of Execution
        Of one schedule, ended, the newest revision of their windows.
    labels : bool
        Labels count, too.
    now : int, optional
        Microseconds. Executions that began later, by a clock that was set back since, are looked at whole.
    seen : callable, optional
        Tells how many rows an execution has seen, where its result is not at hand.

    Raises
    ------
    SourceError
        ``E-STORE``, ``E-MANIFEST``, ``E-DIGEST``.
    """
    if not executions:
        return []
    endpoint = executions[0].endpoint
    variant = executions[0].config.get("variant")
    first = min(e.window_start for e in executions)
    last = max(e.window_end for e in executions)
    try:
        everything = window(captures, endpoint, first, last, variant=variant)
    except SourceError as error:
        if error.code == "E-NO-STORE":
            return []
        raise
    spans = [(e.window_start, e.window_end) for e in executions]
    known = input_digests(captures, endpoint, spans, variant, labels=labels)
    executions = [e for e, digest in zip(executions, known, strict=True) if digest != e.input_digest]
    if not executions:
        return []
    found = []
    for execution in executions:
        start, end, since = execution.window_start, execution.window_end, _since(execution, now)
        here = [s for s in everything.segments if s.last >= start and s.first < end]
        asked = replace(everything, start=start, end=end, segments=tuple(here))
        # The clock of the host that captured them may be another one. But rows that have no label yet were not seen: that
        # there are more tells nothing where none is new.
        is_new = not labels or any(s.created > since for s in here)
        is_touched = is_new and _rows(asked) > (seen or _seen)(execution)
        if labels and not is_touched:
            told = changed_since(captures, endpoint, since + _MARGIN, start=start, end=end, variant=variant)
            is_touched = bool(told)
        if is_touched:
            found.append(execution)
    return found


def _since(execution: Execution, now: int | None) -> int:
    began = execution.started or execution.created
    return -_MARGIN if now is not None and began > now else began - _MARGIN


def _seen(execution: Execution) -> int:
    return 0 if execution.result is None else int(execution.result.get("rows", {}).get("captured") or 0)


def _rows(asked: Window) -> int:
    """Count the rows of a window; files that lie in it wholly need not be read."""
    rows = 0
    for segment in asked.segments:
        if segment.first >= asked.start and segment.last < asked.end:
            rows += segment.rows
            continue
        key = segment.sha256, asked.start, asked.end
        if key not in _counted:
            # What came of it is remembered: after compaction this is asked every five minutes for a week.
            while len(_counted) >= _MOST_COUNTED:
                del _counted[next(iter(_counted))]
            tables = replace(asked, segments=(segment,)).batches(["_time"])
            _counted[key] = sum(table.num_rows for table in tables)
        rows += _counted[key]
    return rows


_MOST_COUNTED = 100_000
_counted: dict[tuple[str, int, int], int] = {}
