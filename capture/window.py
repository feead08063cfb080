"""Window: which files hold what an endpoint saw and answered in a stretch of time, and their rows.

Reading asks the manifest, never the folders. Of an object store it reads the manifests that the writing machines have put
there, so that a reader needs no state of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from driftline.capture.event import check_name
from driftline.capture.layout import MANIFESTS, STATE
from driftline.capture.manifest import Manifest, Segment, heard
from driftline.capture.tables import HOUR, META, one_table
from driftline.capture.target import target_of
from driftline.errors import SourceError, UsageError

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Sequence

    from driftline.capture.target import Target

__all__ = ["Window", "moment_of", "segments_of", "window"]


def moment_of(value: object) -> int:
    """Return microseconds since 1970-01-01 UTC.

    Parameters
    ----------
    value : datetime with a time zone, date, str in ISO 8601 or int
        A date is its midnight, UTC; text without an offset is UTC; whole numbers are microseconds already.

    Raises
    ------
    UsageError
        ``E-TIME``.
    """
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value.strip())
        except ValueError:
            raise _no_time(value) from None
        if value.tzinfo is None:
            value = value.replace(tzinfo=UTC)
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise UsageError(
                f"{value.isoformat()} has no time zone", code="E-TIME", fix="give one, such as tzinfo=UTC"
            )
        past = value - datetime(1970, 1, 1, tzinfo=UTC)
        return (past.days * 86400 + past.seconds) * 1_000_000 + past.microseconds
    if isinstance(value, date):
        return moment_of(datetime(value.year, value.month, value.day, tzinfo=UTC))
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise _no_time(value)


def _no_time(value: object) -> UsageError:
    return UsageError(f"{value!r} is no time", code="E-TIME", fix="write it as 2026-11-23T07:00:00Z")


@dataclass(frozen=True, slots=True)
class Window:
    """What was captured of an endpoint in a stretch of time.

    Attributes
    ----------
    endpoint : str
    variant : str or None
        None for all variants.
    start, end : int
        Microseconds since 1970-01-01 UTC; events from `start` and before `end`, by their time.
    segments : tuple of Segment
        Files that hold any of them, by variant, hour and path.
    """

    endpoint: str
    variant: str | None
    start: int
    end: int
    segments: tuple[Segment, ...]
    target: Target

    @property
    def files(self) -> list[str]:
        """Paths or URLs of the files, to be read by pandas, DuckDB or whatever reads Parquet.

        Files at either end of the window may also hold rows outside of it.
        """
        return [self.target.shown(segment.path) for segment in self.segments]

    def batches(self, columns: Sequence[str] | None = None) -> Iterator[pa.Table]:
        """Read the rows of the window, a file at a time.

        Parameters
        ----------
        columns : sequence of str, optional
            Those that a file lacks are left out of its table.

        Raises
        ------
        SourceError
            ``E-DIGEST`` where a file is missing or is not what was written.
        """
        import hashlib

        import pyarrow.parquet as pq

        for segment in self.segments:
            try:
                data = self.target.read(segment.path)
            except FileNotFoundError:
                raise _damaged(self.target.shown(segment.path), "is in the manifest and not there") from None
            if hashlib.sha256(data).hexdigest() != segment.sha256:
                raise _damaged(
                    self.target.shown(segment.path), "is not what was written: its digest is another"
                )
            file = pq.ParquetFile(pa.BufferReader(data))
            names = None
            if columns is not None:
                here = set(file.schema_arrow.names)
                names = ["_time", *(c for c in columns if c in here and c != "_time")]
            table = file.read(columns=names, use_threads=False)
            if segment.first < self.start or segment.last >= self.end:
                times = table["_time"].cast(pa.int64())
                table = table.filter(pc.and_(pc.greater_equal(times, self.start), pc.less(times, self.end)))
            if columns is not None:
                table = table.select([name for name in columns if name in table.column_names])
            yield table

    def table(self, columns: Sequence[str] | None = None) -> pa.Table:
        """Read all rows of the window into one table; a column that a file lacks is null there."""
        tables = list(self.batches(columns))
        if not tables:
            return META.empty_table() if columns is None else pa.table({})
        table = one_table(tables)
        return table if columns is None else table.select([c for c in columns if c in table.column_names])

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        """Let pandas, polars, DuckDB and the like take it as it is."""
        return self.table().__arrow_c_stream__(requested_schema)

    def __repr__(self) -> str:
        ends = " to ".join(map(_shown, (self.start, self.end)))
        rows = sum(segment.rows for segment in self.segments)
        return f"<Window of {self.endpoint}, {ends}: {len(self.segments)} files, up to {rows:,} rows>"


def _shown(moment: int) -> str:
    try:
        return datetime.fromtimestamp(moment / 1e6, UTC).isoformat()
    except (ValueError, OverflowError, OSError):
        return f"{moment:,} microseconds"


def _damaged(file: str, message: str) -> SourceError:
    return SourceError(message, code="E-DIGEST", file=file, fix="restore it from a backup")


def window(
    root: str | os.PathLike[str],
    endpoint: str,
    start: object,
    end: object,
    *,
    variant: str | None = None,
) -> Window:
    """Find what was captured of an endpoint in a stretch of time.

    Parameters
    ----------
    root : path or URL
        Of the captures.
    endpoint : str
    start, end : datetime, date, str or int
        See :func:`moment_of`; `end` is not part of it.
    variant : str, optional

    Raises
    ------
    UsageError
        ``E-TIME``, ``E-NAME``.
    SourceError
        ``E-NO-STORE`` where there are no captures, ``E-STORE``.
    """
    first, last = moment_of(start), moment_of(end)
    if first >= last:
        raise UsageError("the window ends before it begins", code="E-TIME", fix="give an end after the start")
    check_name("an endpoint", endpoint)
    target = target_of(root)
    listed = segments_of(target, endpoint, variant, (first // HOUR, -(-last // HOUR)))
    kept = tuple(s for s in listed if s.last >= first and s.first < last)
    return Window(endpoint, variant, first, last, kept, target)


def segments_of(
    target: Target, endpoint: str, variant: str | None, hours: tuple[int, int], kind: str = "events"
) -> list[Segment]:
    """List the segments of an endpoint in a range of hours, by variant, hour and path.

    Raises
    ------
    SourceError
        ``E-NO-STORE`` where there are no captures, ``E-STORE``, ``E-MANIFEST``.
    """
    if target.is_local:
        path = Path(target.name) / STATE / "manifest.db"
        if not path.exists():
            raise SourceError(
                "holds no captures",
                code="E-NO-STORE",
                file=target.name,
                fix="name the folder that capture writes to",
            )
        return Manifest(path).segments(kind, endpoint=endpoint, variant=variant, hours=hours)
    below = f"{MANIFESTS[kind]}/{endpoint}" + (f"/{variant}" if variant is not None else "")
    found: list[Segment] = []
    for name in target.paths(below):
        day = name.rpartition("/date=")[2].partition("/")[0]
        if hours[0] // 24 <= _day(day) <= (hours[1] - 1) // 24:
            try:
                found += heard(target.read(name).to_pybytes())
            except FileNotFoundError:
                raise SourceError(
                    "is listed and not there", code="E-MANIFEST", file=target.shown(name), fix="read again"
                ) from None
            except (ValueError, KeyError, TypeError):
                raise SourceError(
                    "is no manifest of driftline, or a damaged one",
                    code="E-MANIFEST",
                    file=target.shown(name),
                    fix="seal anew",
                ) from None
    found = [s for s in found if hours[0] <= s.hour < hours[1]]
    return sorted(found, key=lambda s: (s.variant, s.hour, s.path))


def _day(text: str) -> int:
    try:
        return (date.fromisoformat(text) - date(1970, 1, 1)).days
    except ValueError:
        return -1
