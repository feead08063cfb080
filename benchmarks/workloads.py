"""The workloads W1 to W4: tables of known content, the same on every machine.

Every chunk of every column is drawn from its own generator, seeded by (seed, workload, side, column, chunk), so the
content of a file depends neither on the order in which columns are made nor on the size of its row groups.

=====  ==========  =======  ====================================================================
name   rows        columns  content
=====  ==========  =======  ====================================================================
W1      2,000,000       50  30 float with nulls, NaN, infinities and heavy tails; 10 integer from flags to ids;
                            10 text: five of at most 50 values, three of 5,000, two unique
W2     20,000,000       10  6 float, 2 integer, 2 text
W3         20,000    2,000  float
W4          2,000       20  10 float, 5 integer, 5 text: one small scheduled run
=====  ==========  =======  ====================================================================

Every third column of the current side has drifted.

    python -m benchmarks.workloads [W1 W2 W3 W4] [--scale 0.1]
"""

from __future__ import annotations

import argparse
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.files import SIDES, Variant, data_folder, rows_of, variants_of, workload_file

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["WORKLOADS", "make"]

SEED = 20240607
CHUNK = 131_072


def generator(workload: int, side: int, column: int, chunk: int) -> np.random.Generator:
    """Return the generator of one chunk of one column."""
    return np.random.Generator(
        np.random.Philox(np.random.SeedSequence([SEED, workload, side, column, chunk]))
    )


def with_nulls(rng: np.random.Generator, values: NDArray[Any], share: float) -> pa.Array:
    """Return an Arrow array with about this share of nulls."""
    if share <= 0:
        return pa.array(values)
    return pa.array(values, mask=rng.random(len(values)) < share)


def floats(
    rng: np.random.Generator,
    j: int,
    n: int,
    *,
    drifted: bool,
    nulls: float = 0.0,
    nans: float = 0.0,
    infinities: float = 0.0,
) -> pa.Array:
    """Return a chunk of float column `j`: one of 30 families."""
    k = j % 30
    if k < 10:  # normal
        centre, spread = (k - 5) * 10.0, 1.0 + k
        x = (
            rng.standard_normal(n) * spread * (1.1 if drifted else 1.0)
            + centre
            + (0.25 * spread if drifted else 0.0)
        )
    elif k < 17:  # lognormal
        x = np.exp(rng.standard_normal(n) * (0.5 + 0.15 * (k - 10)) + (0.2 if drifted else 0.0))
    elif k < 21:  # heavy tails: Student's t with 2 to 3.5 degrees of freedom
        x = rng.standard_t(2 + 0.5 * (k - 17), n) * 3.0 + (0.5 if drifted else 0.0)
    elif k < 23:  # uniform, exponential
        x = rng.random(n) * 100.0 if k == 21 else rng.exponential(5.0, n)
        if drifted:
            x = x * 1.15
    elif k < 25:  # two humps
        pick = rng.random(n) < (0.45 if drifted else 0.35)
        x = np.where(pick, rng.standard_normal(n) - 4, rng.standard_normal(n) + 4)
    elif k < 28:  # prices with two decimals
        x = np.round(rng.gamma(2.0, 20.0 * (1.2 if drifted else 1.0), n), 2)
    else:  # mostly zero
        x = np.where(rng.random(n) < (0.55 if drifted else 0.7), 0.0, rng.exponential(1000.0, n))
    if nans:
        x[rng.random(n) < nans] = np.nan
    if infinities:
        m = rng.random(n)
        x[m < infinities] = np.inf
        x[m > 1 - infinities] = -np.inf
    return with_nulls(rng, x, nulls)


def integers(rng: np.random.Generator, j: int, n: int, *, drifted: bool, start: int) -> pa.Array:
    """Return a chunk of integer column `j`: one of 10 families; `start` is the number of its first row."""
    if j == 0:  # consecutive ids
        return pa.array(np.arange(start, start + n, dtype=np.int64) + 10_000_000)
    if j == 1:  # random 62-bit ids
        return pa.array(rng.integers(0, 2**62, n))
    if j <= 4:
        rate = (3, 20, 400)[j - 2] * (1.1 if drifted else 1.0)
        return pa.array(rng.poisson(rate, n).astype(np.int64))
    if j <= 6:
        power = 1.3 + 0.3 * (j - 5) - (0.05 if drifted else 0)
        return pa.array(np.minimum(rng.zipf(power, n), 10**9).astype(np.int64))
    if j == 7:  # milliseconds since 1970, within 30 days
        return pa.array(1_700_000_000_000 + rng.integers(0, 86_400_000 * 30, n))
    if j == 8:  # a flag
        return pa.array((rng.random(n) < (0.15 if drifted else 0.1)).astype(np.int64))
    return with_nulls(rng, rng.integers(-1000, 1000, n), 0.02)


def zipf_codes(rng: np.random.Generator, n_values: int, n: int, *, drifted: bool) -> NDArray[np.int32]:
    """Return codes whose frequencies fall with their rank."""
    weights = 1.0 / np.arange(1, n_values + 1) ** (0.8 if drifted else 1.0)
    codes = np.searchsorted(np.cumsum(weights) / weights.sum(), rng.random(n))
    return np.minimum(codes, n_values - 1).astype(np.int32)


HEX = np.array([f"{i:02x}".encode() for i in range(256)], dtype="S2").view(np.uint8).reshape(256, 2)


def uuids(rng: np.random.Generator, n: int) -> pa.Array:
    """Return `n` texts of 36 characters, all different."""
    raw = HEX[rng.integers(0, 256, (n, 16), dtype=np.uint8)].reshape(n, 32)
    text = np.full((n, 36), ord("-"), np.uint8)
    at = 0
    for begin, end in ((0, 8), (8, 12), (12, 16), (16, 20), (20, 32)):
        text[:, at : at + end - begin] = raw[:, begin:end]
        at += end - begin + 1
    offsets = np.arange(n + 1, dtype=np.int32) * 36
    return pa.StringArray.from_buffers(n, pa.py_buffer(offsets), pa.py_buffer(text.reshape(-1)))


FEW = (2, 5, 10, 26, 50)
"""Different values of the first five text columns."""


def texts(rng: np.random.Generator, j: int, n: int, *, drifted: bool, nulls: float = 0.0) -> pa.Array:
    """Return a chunk of text column `j`: one of 10 families."""
    if j >= 8:
        return uuids(rng, n)
    if j < 5:
        names = [f"cat_{i:02d}" for i in range(FEW[j])]
    else:
        names = [f"merchant-{i * 7919 % 5000:05d}-{'xyz'[i % 3]}" for i in range(5000)]
    codes = with_nulls(rng, zipf_codes(rng, len(names), n, drifted=drifted), nulls)
    return pa.DictionaryArray.from_arrays(codes, pa.array(names)).cast(pa.string())


def _mixed(side: int, chunk: int, start: int, n: int, workload: int = 1) -> pa.Table:
    columns: dict[str, pa.Array] = {}

    def draws(c: int) -> tuple[np.random.Generator, bool]:
        return generator(workload, side, c, chunk), side == 1 and c % 3 == 0

    for j in range(30):
        rng, drifted = draws(j)
        columns[f"f{j:02d}"] = floats(
            rng,
            j,
            n,
            drifted=drifted,
            nulls=(j % 6) * 0.01,
            nans=0.001 if j % 7 == 3 else 0.0,
            infinities=0.0001 if j % 11 == 5 else 0.0,
        )
    for j in range(10):
        rng, drifted = draws(30 + j)
        columns[f"i{j:02d}"] = integers(rng, j, n, drifted=drifted, start=start)
    for j in range(10):
        rng, drifted = draws(40 + j)
        columns[f"s{j:02d}"] = texts(rng, j, n, drifted=drifted, nulls=0.02 if j % 3 == 1 else 0.0)
    return pa.table(columns)


def _long(side: int, chunk: int, start: int, n: int) -> pa.Table:
    live = side == 1
    columns = {
        f"f{i}": floats(
            generator(2, side, i, chunk),
            j,
            n,
            drifted=live and i % 3 == 0,
            nulls=0.02 if i % 2 else 0.0,
            nans=0.001 if i == 3 else 0.0,
        )
        for i, j in enumerate((0, 5, 12, 18, 24, 26))
    }
    columns["i0"] = integers(generator(2, side, 6, chunk), 3, n, drifted=live, start=start)
    columns["i1"] = integers(generator(2, side, 7, chunk), 5, n, drifted=False, start=start)
    columns["s0"] = texts(generator(2, side, 8, chunk), 2, n, drifted=False)
    columns["s1"] = texts(generator(2, side, 9, chunk), 4, n, drifted=live, nulls=0.02)
    return pa.table(columns)


def _wide(side: int, chunk: int, start: int, n: int) -> pa.Table:  # noqa: ARG001
    return pa.table(
        {
            f"f{j:04d}": floats(
                generator(3, side, j, chunk), j, n, drifted=side == 1 and j % 3 == 0, nulls=(j % 6) * 0.01
            )
            for j in range(2000)
        }
    )


def _small(side: int, chunk: int, start: int, n: int) -> pa.Table:
    names = [f"f{j:02d}" for j in (0, 1, 2, 5, 11, 12, 18, 22, 26, 28)]
    names += [f"i{j:02d}" for j in (0, 2, 4, 8, 9)] + [f"s{j:02d}" for j in (0, 1, 2, 4, 5)]
    return _mixed(side, chunk, start, n, workload=4).select(names)


WORKLOADS: dict[str, Callable[[int, int, int, int], pa.Table]] = {
    "W1": _mixed,
    "W2": _long,
    "W3": _wide,
    "W4": _small,
}


@dataclass(frozen=True, slots=True)
class _Target:
    """One file under way."""

    variant: Variant
    path: Path
    writer: pq.ParquetWriter
    waiting: list[pa.Table]

    def add(self, table: pa.Table) -> None:
        self.waiting.append(table)
        if sum(t.num_rows for t in self.waiting) >= self.variant.group_rows:
            self.flush()

    def flush(self) -> None:
        if self.waiting:
            self.writer.write_table(pa.concat_tables(self.waiting), row_group_size=self.variant.group_rows)
            self.waiting.clear()


def make(name: str, side: str, folder: Path, scale: float) -> float | None:
    """Make the files of one side of a workload, unless they are there.

    Parameters
    ----------
    name : str
        ``W1`` to ``W4``.
    side : {"baseline", "current"}
    folder : Path
    scale : float
        Factor for the number of rows.

    Returns
    -------
    float or None
        Seconds it took; None where every file was there already.
    """
    n_rows = rows_of(name, scale)
    missing = [
        v for v in variants_of(name) if not _complete(workload_file(folder, name, side, v, scale), n_rows)
    ]
    if not missing:
        return None
    began = time.perf_counter()
    targets: list[_Target] = []
    done = chunk = 0
    while done < n_rows:
        n = min(CHUNK, n_rows - done)
        table = WORKLOADS[name](SIDES[side], chunk, done, n)
        if not targets:
            for variant in missing:
                path = workload_file(folder, name, side, variant, scale)
                path.parent.mkdir(parents=True, exist_ok=True)
                writer = pq.ParquetWriter(_unfinished(path), table.schema, compression=variant.codec)
                targets.append(_Target(variant, path, writer, []))
        for target in targets:
            target.add(table)
        done += n
        chunk += 1
    for target in targets:
        target.flush()
        target.writer.close()
        _unfinished(target.path).replace(target.path)
    return time.perf_counter() - began


def _unfinished(path: Path) -> Path:
    return path.with_name(path.name + ".part")


def _complete(path: Path, n_rows: int) -> bool:
    return path.is_file() and int(pq.read_metadata(path).num_rows) == n_rows


def _work(job: tuple[str, str, Path, float]) -> tuple[str, str, float | None]:
    name, side, folder, scale = job
    return name, side, make(name, side, folder, scale)


def main(arguments: Sequence[str] | None = None) -> None:
    """Make workloads from the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.workloads", description="Make the workloads.")
    parser.add_argument("names", nargs="*", metavar="W1..W4")
    parser.add_argument("--scale", type=float, default=1.0, help="factor for the rows of W1, W2 and W3")
    asked = parser.parse_args(arguments)
    unknown = [name for name in asked.names if name not in WORKLOADS]
    if unknown:
        parser.error(f"there is no workload {unknown[0]!r}; there are {', '.join(WORKLOADS)}")
    folder = data_folder()
    jobs = [(name, side, folder, asked.scale) for name in (asked.names or WORKLOADS) for side in SIDES]
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        for name, side, seconds in pool.map(_work, jobs):
            took = "is there" if seconds is None else f"made in {seconds:.1f} s"
            print(f"{name} {side} at scale {asked.scale:g}: {took}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
