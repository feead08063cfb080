"""How inputs are made: good tables, texts, and the good files that are then damaged."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bad_input.case import Make

__all__ = [
    "csv_bytes",
    "edited",
    "files",
    "json_lines",
    "nothing",
    "packed",
    "parquet",
    "parquet_bytes",
    "rows",
    "small_disk",
    "table",
    "together",
]


def table(seed: int, n: int, *, shift: float = 0.0) -> pa.Table:
    """The good table: three columns, and `n` rows of them."""
    rng = np.random.default_rng(seed)
    columns = {
        "amount": rng.normal(10.0 + shift, 2.0, n),
        "count": rng.integers(0, 9, n),
        "kind": rng.choice(["a", "b", "c"], n),
    }
    return pa.table(columns)


def rows(n: int = 5) -> list[dict[str, Any]]:
    """A few rows of the good table."""
    return table(7, n).to_pylist()


def parquet_bytes(what: pa.Table | Mapping[str, Any], **options: Any) -> bytes:
    """The bytes of a Parquet file."""
    sink = pa.BufferOutputStream()
    pq.write_table(what if isinstance(what, pa.Table) else pa.table(dict(what)), sink, **options)
    return sink.getvalue().to_pybytes()


def csv_bytes(n: int = 5) -> bytes:
    """The bytes of a good CSV file."""
    lines = ["amount,count,kind", *(",".join(str(v) for v in row.values()) for row in rows(n))]
    return ("\n".join(lines) + "\n").encode()


def json_lines(n: int = 5) -> bytes:
    """The bytes of a good JSON Lines file."""
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows(n))


def packed(data: bytes) -> bytes:
    """The same bytes, gzipped."""
    return gzip.compress(data, mtime=0)


def nothing(_: Path) -> None:
    """Make nothing: what lies in the folder already is bad enough."""


def files(contents: Mapping[str, bytes | Callable[[], bytes]]) -> Make:
    """Write files, and the folders above them."""

    def make(folder: Path) -> None:
        for name, data in contents.items():
            target = Path(os.fsdecode(folder) + "/" + name)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data if isinstance(data, bytes) else data())

    return make


def parquet(
    columns: Mapping[str, Any] | Callable[[], Mapping[str, Any] | pa.Table],
    name: str = "x.parquet",
    **options: Any,
) -> Make:
    """Write one Parquet file."""
    return files({name: lambda: parquet_bytes(columns() if callable(columns) else columns, **options)})


def edited(name: str, change: Callable[[bytes], bytes]) -> Make:
    """Change the bytes of a file that is there."""

    def make(folder: Path) -> None:
        path = folder / name
        path.write_bytes(change(path.read_bytes()))

    return make


def together(*makes: Make) -> Make:
    """Make several things."""

    def make(folder: Path) -> Mapping[str, int] | None:
        limits: dict[str, int] = {}
        for one in makes:
            limits.update(one(folder) or {})
        return limits

    return make


def small_disk(name: str, kib: int) -> Make:
    """Make a folder on a disk of its own that is nearly full; where nothing may be mounted, limit the size of files."""

    def make(folder: Path) -> Mapping[str, int] | None:
        target = folder / name
        target.mkdir()
        mount = shutil.which("mount")
        if mount is not None and os.geteuid() == 0:
            command = [mount, "-t", "tmpfs", "-o", f"size={kib}k", "tmpfs", str(target)]
            if subprocess.run(command, capture_output=True, check=False).returncode == 0:
                return None
        return {"FSIZE": kib << 10}

    return make
