"""Labelled: the rows of a window with what turned out to be true, as far as it is known.

A label is for an event by its id, and for a row of it:

* ``event_id`` and ``inference_id`` compare the one or the other; ``auto`` compares the inference id of events that have one
  and the event id of the others.
* A label without a position is for an event of one row; with one, for that row; one of a list of *n*, for an event of *n*
  rows. Others fit nothing.

Of the labels for a row the last holds: the one with the latest label time, and among those the one imported last. So no
label ever multiplies a row, and the order in which files are imported does not matter while their label times differ.

The join is DuckDB's, over the key columns of the Parquet files that the manifest lists. It gives labels in the order of
the rows, and the rows themselves are streamed past them, so that neither must fit in memory.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from driftline.capture.duck import Resources, opened
from driftline.capture.event import check_name
from driftline.capture.event import now as _clock
from driftline.capture.matching import ALWAYS, Coverage, hours_of, joining
from driftline.capture.tables import HOUR
from driftline.capture.target import target_of
from driftline.capture.window import Window, moment_of, segments_of, window
from driftline.errors import UsageError

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Sequence

    from driftline.capture.manifest import Segment

__all__ = ["Coverage", "Labelled", "Resources", "changed_since", "labelled"]

# A commit takes its time before it waits for its turn, at most half a minute.
_MARGIN = 60_000_000


@dataclass(frozen=True, slots=True)
class Labelled:
    """The rows of a window and the labels they have; read anew whenever it is asked.

    Attributes
    ----------
    window : Window
    labels : tuple of Segment
        Files of labels.
    delay : timedelta
        How long after its end the window is due.
    as_of : int or None
        Labels imported later are left out; microseconds since 1970-01-01 UTC.
    resources : Resources
    """

    window: Window
    labels: tuple[Segment, ...]
    delay: timedelta
    as_of: int | None
    resources: Resources

    def is_due(self, now: object = None) -> bool:
        """Tell whether the end of the window and the delay have passed.

        Parameters
        ----------
        now : datetime, str or int, optional
            See :func:`~driftline.capture.window.moment_of`.
        """
        moment = _clock() if now is None else moment_of(now)
        return moment >= self.window.end + self.delay // timedelta(microseconds=1)

    def batches(self, columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
        """Give every row of the window once, in the order of :attr:`Window.segments`, with the columns of the labels.

        Parameters
        ----------
        columns : sequence of str, optional
            Of the captured ones; all by default.

        Raises
        ------
        SourceError
            ``E-DIGEST`` where a file is missing or is not what was written, ``E-STORE``.
        UsageError
            ``E-MEMORY`` where the memory does not suffice even with the temporary folder.
        """
        with joining(self, columns) as join:
            yield from join.rows()

    def reader(self, columns: Sequence[str] | None = None) -> pa.RecordBatchReader:
        """Return a stream of :meth:`batches`."""

        def stream() -> Iterator[pa.RecordBatch]:
            with joining(self, columns) as join:
                yield pa.RecordBatch.from_pylist([], join.schema)
                yield from join.rows()

        batches = stream()
        schema = next(batches).schema
        return pa.RecordBatchReader.from_batches(schema, batches)

    def table(self, columns: Sequence[str] | None = None) -> pa.Table:
        """Read all rows into one table."""
        return self.reader(columns).read_all()

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        """Let pandas, polars, DuckDB and the like take it as a stream."""
        return self.reader().__arrow_c_stream__(requested_schema)

    def coverage(self, *, unmatched: bool = True) -> Coverage:
        """Tell how much is labelled, and how late.

        Parameters
        ----------
        unmatched : bool
            Also count the labels that no event has, for which the ids of all events of the endpoint are looked at.

        Raises
        ------
        SourceError, UsageError
            As :meth:`batches`.
        """
        with joining(self, ()) as join:
            return join.coverage(unmatched)

    def __repr__(self) -> str:
        return f"<Labelled {self.window!r}, {len(self.labels)} files of labels>"


def labelled(
    root: str | os.PathLike[str],
    endpoint: str,
    start: object,
    end: object,
    *,
    variant: str | None = None,
    delay: timedelta | None = None,
    as_of: object = None,
    resources: Resources | None = None,
) -> Labelled:
    """Join what was captured in a stretch of time with the latest labels.

    Parameters
    ----------
    root : path or URL
        Of the captures.
    endpoint : str
    start, end : datetime, date, str or int
        By the time of the events, see :func:`~driftline.capture.window.moment_of`; `end` is not part of it.
    variant : str, optional
    delay : timedelta, optional
        How long labels are waited for, see :meth:`Labelled.is_due`.
    as_of : datetime, date, str or int, optional
        Take only labels that had been imported by then, so that what was known on a day can be seen again.
    resources : Resources, optional

    Returns
    -------
    Labelled
        To be given to pandas, polars, DuckDB or driftline as it is. Columns of the labels are ``_label_time``, and
        ``label`` or ``label_<name>``; where a captured column has such a name the label's ends in ``_``.

    Raises
    ------
    UsageError
        ``E-TIME``, ``E-NAME``, ``E-RESOURCES``.
    SourceError
        ``E-NO-STORE`` where there are no captures, ``E-STORE``.
    """
    events = window(root, endpoint, start, end, variant=variant)
    given = resources or Resources()
    labels = segments_of(events.target, endpoint, None, ALWAYS, "labels")
    waited = timedelta() if delay is None else delay
    if waited < timedelta():
        raise UsageError("the delay is negative", code="E-TIME", fix="give how long labels are waited for")
    return Labelled(events, tuple(labels), waited, None if as_of is None else moment_of(as_of), given)


def changed_since(
    root: str | os.PathLike[str],
    endpoint: str,
    since: object,
    *,
    start: object = None,
    end: object = None,
    variant: str | None = None,
    resources: Resources | None = None,
) -> tuple[datetime, ...]:
    """Tell which hours of events got labels, or other ones, after a moment.

    These are the hours of events for which labels came, and those of events that came after their labels.

    Parameters
    ----------
    root, endpoint, variant, resources
        As for :func:`labelled`.
    since : datetime, date, str or int
        When somebody looked last. What came to be seen up to a minute before is told again, so that nothing that was on
        its way is missed.
    start, end : datetime, date, str or int, optional
        Look at the events of this time only.

    Returns
    -------
    tuple of datetime
        Beginnings of hours, UTC, in order.

    Raises
    ------
    UsageError, SourceError
        As :func:`labelled`.

    Notes
    -----
    The manifest tells which files are new, so that it costs nothing where there are none. Otherwise the ids of the new
    labels are looked for in the events from `start` to `end`, and the ids of new events in the labels.
    """
    check_name("an endpoint", endpoint)
    after = moment_of(since) - _MARGIN
    first = ALWAYS[0] if start is None else moment_of(start) // HOUR
    last = ALWAYS[1] if end is None else -(-moment_of(end) // HOUR)
    target = target_of(root)
    given = resources or Resources()
    events = segments_of(target, endpoint, variant, (first, last))
    labels = segments_of(target, endpoint, None, ALWAYS, "labels")
    hours: set[int] = set()
    with opened(given) as duck:
        new = [s for s in labels if s.created > after]
        hours |= hours_of(duck, target, events, new)
        left = [s for s in events if s.created > after and s.hour not in hours]
        hours |= hours_of(duck, target, left, [s for s in labels if s.created <= after])
    return tuple(datetime.fromtimestamp(hour * 3600, UTC) for hour in sorted(hours))
