"""Results as files: one JSON document per part, each with the machine, the versions and the sizes it was taken with."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.machine import machine, versions
from benchmarks.pairs import BenchmarkError, Usage

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["ALONE", "KEPT", "PARTS", "PUBLISHED_ROUNDS", "header", "load", "rounds_of", "save"]

SCHEMA = "driftline.benchmarks/v1"
PARTS = ("processes", "accuracy", "kernels", "sinking", "serving")
ALONE = ("merging", "quality", "attribution")
"""Parts that have a program of their own, such as ``python -m benchmarks.merging``."""

KEPT = Path(__file__).parent / "results"
"""Folder of the results that documentation quotes."""

PUBLISHED_ROUNDS = 5
"""Least number of rounds whose median is quoted; fewer, or a smaller scale, make a sample."""


def header(part: str, *, scale: float, rounds: int) -> dict[str, Any]:
    """Return what every document begins with; taken before the measurements, for the load of the machine."""
    return {
        "schema": SCHEMA,
        "part": part,
        "sample": scale != 1.0 or rounds < PUBLISHED_ROUNDS,
        "taken": datetime.now(UTC).replace(microsecond=0).isoformat().replace("+00:00", "Z"),
        "scale": scale,
        "rounds": rounds,
        "machine": machine(),
        "versions": versions(),
    }


def save(folder: Path, document: Mapping[str, Any]) -> Path:
    """Write a document under the name of its part; return its path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{document['part']}.json"
    unfinished = path.with_suffix(".part")
    unfinished.write_text(json.dumps(document, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    unfinished.replace(path)
    return path


def load(folder: Path) -> dict[str, dict[str, Any]]:
    """Return the documents of a folder by part; a part that was not measured is missing.

    Raises
    ------
    BenchmarkError
        If a file is of another schema.
    """
    found: dict[str, dict[str, Any]] = {}
    for part in (*PARTS, *ALONE):
        path = folder / f"{part}.json"
        if path.exists():
            document = json.loads(path.read_text(encoding="utf-8"))
            if document.get("schema") != SCHEMA or document.get("part") != part:
                raise BenchmarkError(f"{path} does not hold {part} of schema {SCHEMA}: measure again")
            found[part] = document
    return found


def rounds_of(processes: Mapping[str, Any]) -> dict[str, dict[str, tuple[Usage, ...]]]:
    """Return the usages by contest and contender."""
    return {
        contest: {
            contender: tuple(Usage.of_json(usage) for usage in usages)
            for contender, usages in found["rounds"].items()
        }
        for contest, found in processes["contests"].items()
    }
