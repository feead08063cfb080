"""Label files: how labels and what cannot be read of them are written, and put in the place of others."""

from __future__ import annotations

import hashlib
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from driftline.capture.manifest import Segment
from driftline.capture.tables import HOUR
from driftline.files import write_whole

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from driftline.capture.archive import Archive

__all__ = ["FOLDER", "REFUSED", "by_hour", "moments", "replace", "set_aside", "written"]

FOLDER = "ground_truth"
"""Folder of the labels, beside the endpoints."""

REFUSED = ".labels.jsonl"
"""End of the names of files of labels that cannot be read."""


def moments(archive: Archive, n: int) -> int:
    """Take `n` moments in a row that no label of this store has, and that come after all that were taken.

    They tell when labels were imported and in which order, also where the clock stands still or is set back. The caller is
    alone.
    """
    first: int = max(archive.clock(), (archive.manifest.noted("labels") or 0) + 1)
    archive.manifest.note("labels", first + n - 1)
    return first


def by_hour(table: pa.Table, hours: np.ndarray[Any, Any]) -> Iterator[tuple[int, pa.Table]]:
    """Split labels by their hours, in order; they keep their order within an hour."""
    if len(hours) and hours.min() == hours.max():
        yield int(hours[0]), table
        return
    order = np.argsort(hours, kind="stable")
    table = table.take(pa.array(order))
    distinct, starts = np.unique(hours[order], return_index=True)
    for hour, start, end in zip(distinct, starts, [*starts[1:], len(hours)], strict=True):
        yield int(hour), table.slice(int(start), int(end - start))


def written(archive: Archive, name: str, table: pa.Table, key: tuple[str, str, int]) -> Segment:
    """Write labels of one hour as a segment that is not to be seen yet; the caller is alone.

    `key` is endpoint, what their ids are, and hours since 1970-01-01 UTC.
    """
    import pyarrow.parquet as pq

    endpoint, way, hour = key
    moment = datetime.fromtimestamp(hour * 3600, UTC)
    path = f"{FOLDER}/{endpoint}/date={moment:%Y-%m-%d}/hour={moment:%H}/{name}.parquet"
    table = table.replace_schema_metadata({b"driftline.labels": b"1"})
    sink = pa.BufferOutputStream()
    pq.write_table(
        table,
        sink,
        compression="zstd",
        compression_level=1,
        write_page_checksum=True,
        # Ids and moments of import are all different.
        use_dictionary=[c for c in table.column_names if c not in ("_key", "_imported")],
    )
    data = sink.getvalue()
    archive.target.write(path, data)
    ends = pc.min_max(table["_label_time"].cast(pa.int64())).as_py()
    sha256 = hashlib.sha256(data).hexdigest()
    n = table.num_rows
    return Segment(path, "labels", endpoint, way, hour, n, n, data.size, sha256, ends["min"], ends["max"])


def set_aside(archive: Archive, name: str, lines: Sequence[str], endpoint: str) -> Segment:
    """Write what cannot be read as a segment that is not to be seen yet."""
    data = "".join(line + "\n" for line in lines).encode()
    write_whole(archive.quarantine / name, data)
    at, n = archive.clock(), len(lines)
    digest = hashlib.sha256(data).hexdigest()
    return Segment(name, "refused labels", endpoint, "", at // HOUR, n, n, len(data), digest, at, at)


def replace(
    archive: Archive,
    key: tuple[str, str, int],
    old: Sequence[Segment],
    table: pa.Table,
    counts: Mapping[tuple[str, str, str, str], int] | None = None,
) -> bool:
    """Put labels in the place of segments; False where one of them is gone meanwhile."""
    with archive.alone():
        add = [written(archive, uuid.uuid4().hex, table, key)] if table.num_rows else []
        done = archive.manifest.commit(add=add, supersede=old, counts=counts, now=archive.clock())
    if not done:
        for segment in add:
            archive.target.remove(segment.path)
    return done
