"""Where the workloads lie, and how large they are. Imports nothing but the standard library: see ``pairs.py``."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

__all__ = ["SIDES", "Variant", "data_folder", "rows_of", "variants_of", "workload_file"]

SIDES = {"baseline": 0, "current": 1}

_ROWS = {"W1": 2_000_000, "W2": 20_000_000, "W3": 20_000, "W4": 2_000}
_SCALED = ("W1", "W2", "W3")
"""W4 is the small scheduled run: small already, and small is what it is about."""


@dataclass(frozen=True, slots=True)
class Variant:
    """How a file is written.

    Attributes
    ----------
    codec : str
    group_rows : int
        Rows per row group.
    label : str
        Name of that number in the file's name.
    """

    codec: str
    group_rows: int
    label: str


SNAPPY = Variant("snappy", 131_072, "128k")
ZSTD = Variant("zstd", 1_048_576, "1m")
LONG = Variant("snappy", 1_048_576, "1m")

_VARIANTS = {"W1": (SNAPPY, ZSTD), "W2": (LONG,), "W3": (SNAPPY,), "W4": (SNAPPY,)}


def data_folder() -> Path:
    """Return the folder of the workloads: ``DRIFTLINE_BENCH_DATA``, else a folder in the user's cache."""
    told = os.environ.get("DRIFTLINE_BENCH_DATA")
    if told:
        return Path(told).absolute()
    cache = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(cache) if Path(cache).is_absolute() else Path.home() / ".cache") / "driftline-bench"


def rows_of(name: str, scale: float) -> int:
    """Return the rows of one side of a workload."""
    return max(1, int(_ROWS[name] * scale)) if name in _SCALED else _ROWS[name]


def variants_of(name: str) -> tuple[Variant, ...]:
    """Return the ways a workload is written."""
    return _VARIANTS[name]


def workload_file(folder: Path, name: str, side: str, variant: Variant, scale: float) -> Path:
    """Return the path of one file."""
    home = folder if scale == 1.0 or name not in _SCALED else folder / f"scale-{scale:g}"
    return home / f"{name.lower()}_{side}_{variant.codec}_{variant.label}.parquet"
