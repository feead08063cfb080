"""Metrics of the sink for Prometheus: what became of the events, and what the sink answered."""

from __future__ import annotations

import contextlib
import struct
from collections import Counter
from typing import TYPE_CHECKING

from driftline.capture.wal import MAGIC

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from driftline.capture.archive import Archive

__all__ = ["Metrics"]

_FRAME = struct.Struct("<4sIIc")
_COUNTED = (b"E", b"C")
_ENDED = ("stored", "duplicate", "quarantined", "dropped", "received")
_HELP = {
    "received": "Events that came in, counted when their log is sealed.",
    "stored": "Events that can be read.",
    "duplicate": "Events that were there already.",
    "quarantined": "Events that could not be put in a table.",
    "dropped": "Events that were not taken.",
}


class Metrics:
    """Counters of one sink, beside the counts of its store."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._answers: Counter[int] = Counter()
        self._records: Counter[str] = Counter()
        self._refused: Counter[str] = Counter()
        self._read: dict[Path, tuple[int, int]] = {}

    def answered(self, status: int) -> None:
        """Count an answer."""
        self._answers[status] += 1

    def recorded(self, what: str, n: int) -> None:
        """Count records that were ``accepted``, ``rejected`` or ``dropped``."""
        self._records[what] += n

    def refused(self, code: str, n: int = 1) -> None:
        """Count why requests or records were refused."""
        self._refused[code] += n

    def waiting(self) -> tuple[int, int]:
        """Return how many events lie in logs that are not sealed, and bytes of these logs.

        Only what was appended since the last call is looked at. The two halves of an event count twice here.
        """
        found: dict[Path, tuple[int, int]] = {}
        n_bytes = 0
        for path in self._archive.waiting_logs():
            with contextlib.suppress(OSError):
                at, n = _counted(path, *self._read.get(path, (0, 0)))
                found[path] = at, n
                n_bytes += path.stat().st_size
        self._read = found
        return sum(n for _, n in found.values()), n_bytes

    def exposition(self) -> str:
        """Return all of it in Prometheus' text format."""
        waiting, n_bytes = self.waiting()
        lines: list[str] = []
        counts = self._archive.manifest.counts()
        for what in _ENDED:
            samples = [
                (_labels(endpoint=endpoint, variant=variant, reason=reason), n)
                for (endpoint, variant, kind, reason), n in sorted(counts.items())
                if kind == what
            ]
            # What leaves the quarantine is taken off: a gauge, for Prometheus.
            kind = "gauge" if what == "quarantined" else "counter"
            suffix = "" if kind == "gauge" else "_total"
            lines += _family(f"driftline_capture_{what}{suffix}", kind, _HELP[what], samples)
        lines += _family(
            "driftline_capture_waiting",
            "gauge",
            "Events on the disk that are not sealed yet.",
            [("", waiting)],
        )
        lines += _family(
            "driftline_capture_waiting_bytes",
            "gauge",
            "Bytes of logs that are not sealed yet.",
            [("", n_bytes)],
        )
        for name, words, counter, label in (
            ("driftline_sink_responses_total", "Responses since the start.", self._answers, "status"),
            ("driftline_sink_records_total", "Records since the start.", self._records, "result"),
            (
                "driftline_sink_refused_total",
                "Requests and records refused since the start.",
                self._refused,
                "code",
            ),
        ):
            samples = [(_labels(**{label: str(key)}), n) for key, n in sorted(dict(counter).items())]
            lines += _family(name, "counter", words, samples)
        return "\n".join(lines) + "\n"


def _family(name: str, kind: str, words: str, samples: list[tuple[str, int]]) -> Iterator[str]:
    yield f"# HELP {name} {words}"
    yield f"# TYPE {name} {kind}"
    for labels, n in samples:
        yield f"{name}{labels} {n}"


def _labels(**labels: str) -> str:
    given = [f'{key}="{_escaped(value)}"' for key, value in labels.items() if value]
    return "{" + ",".join(given) + "}" if given else ""


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


def _counted(path: Path, at: int, n: int) -> tuple[int, int]:
    """Go on from frame to frame, without looking into them, to where the log ends or is damaged."""
    with path.open("rb") as log:
        log.seek(at)
        data = log.read()
    here = 0
    while here + _FRAME.size <= len(data):
        magic, size, _, kind = _FRAME.unpack_from(data, here)
        end = here + _FRAME.size - 1 + size
        if magic != MAGIC or end > len(data):
            break
        n += kind in _COUNTED
        here = end
    return at + here, n
