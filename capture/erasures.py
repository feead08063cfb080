"""Erasures: who is to be forgotten of what has not been sealed yet.

What waits in the log of a living process cannot be rewritten, so it is left out when it is sealed. The manifest keeps
digests of the ids, not the ids, for thirty days.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np

from driftline.capture.arrays import mask_array
from driftline.capture.event import Event
from driftline.capture.tables import n_events_in

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterable, Mapping, Sequence

    import pyarrow as pa

    from driftline.capture.records import Rejected

__all__ = ["Erasures", "digests"]


def _digest(kind: str, name: str) -> str:
    return hashlib.sha256(f"{kind}:{name}".encode("utf-8", "surrogatepass")).hexdigest()


def digests(event_ids: Iterable[str], inference_ids: Iterable[str]) -> list[str]:
    """Return what is kept of ids that are to be forgotten."""
    return [_digest("event", name) for name in event_ids] + [
        _digest("inference", name) for name in inference_ids
    ]


class Erasures:
    """Ids that are to be forgotten.

    Parameters
    ----------
    asked : mapping of str to int
        By digest, when it was asked for: events that arrived later are others, and stay.
    """

    def __init__(self, asked: Mapping[str, int]) -> None:
        self._asked = asked

    def _is_gone(self, event_id: str, inference_id: str | None, received: int) -> bool:
        if received <= self._asked.get(_digest("event", event_id), -1):
            return True
        return inference_id is not None and received <= self._asked.get(
            _digest("inference", inference_id), -1
        )

    def tables(
        self,
        tables: Sequence[pa.Table],
        endpoint: str,
        variant: str,
        counts: Counter[tuple[str, str, str, str]],
    ) -> list[pa.Table]:
        """Leave out the rows of events that are to be forgotten, and count these as dropped."""
        if not self._asked:
            return list(tables)
        kept = []
        for table in tables:
            names = ("_event_id", "_inference_id", "_received")
            ids, callers, times = (table[name] for name in names)
            moments = times.cast("int64").to_pylist()
            gone = np.array(
                [
                    self._is_gone(*row)
                    for row in zip(ids.to_pylist(), callers.to_pylist(), moments, strict=True)
                ],
                np.bool_,
            )
            if not gone.any():
                kept.append(table)
                continue
            left = table.filter(mask_array(~gone))
            counts[endpoint, variant, "dropped", "erased"] += n_events_in(table) - n_events_in(left)
            if left.num_rows:
                kept.append(left)
        return kept

    def others(
        self, rejected: Sequence[Rejected], counts: Counter[tuple[str, str, str, str]]
    ) -> list[Rejected]:
        """Leave out what is to be forgotten of what goes to quarantine, and count it as dropped."""
        kept = []
        for item in rejected:
            event = Event.unpack(item.event) if self._asked else None
            if event is not None and self._is_gone(event.id, event.inference_id, event.received):
                counts[item.endpoint, item.variant, "dropped", "erased"] += 1
            else:
                kept.append(item)
        return kept
