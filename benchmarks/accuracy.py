"""How exact the answers are at the speed that is measured: every numeric column of W1 against the raw values.

The oracles work on all values, sorted or summed exactly: ``scipy.stats.ks_2samp`` for the Kolmogorov–Smirnov distance,
the sorted column for quantiles and distinct values, Python's integers and ``math.fsum`` for the moments.

    python -m benchmarks.accuracy [--scale 0.1]      prints JSON
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow.parquet as pq
from scipy.stats import ks_2samp

from benchmarks.files import SNAPPY, data_folder, workload_file
from driftline.capture.open import open_source
from driftline.kernels import distance
from driftline.kernels.distribution import align
from driftline.monitor.scan import scan

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from driftline.kernels.numbers import Numbers

__all__ = ["LEVELS", "column_errors", "side_errors"]

LEVELS = np.concatenate([[0.001], np.linspace(0.01, 0.99, 99), [0.999]])
"""Quantiles that are looked at."""


def rank_error(ordered: NDArray[Any], levels: NDArray[np.float64], answers: NDArray[np.float64]) -> float:
    """Return by how much, at most, the rank of an answer misses the rank asked for, as a share of the rows.

    An answer that stands for many equal rows covers all their ranks.
    """
    n = ordered.shape[0]
    below = np.searchsorted(ordered, answers, side="left") / n
    upto = np.searchsorted(ordered, answers, side="right") / n
    return float(np.maximum(0.0, np.maximum(below - levels, levels - upto)).max())


def exact_moments(values: NDArray[Any]) -> tuple[float, float]:
    """Return mean and population standard deviation, each rounded once or twice."""
    n = values.shape[0]
    if values.dtype.kind == "i":
        whole = values.tolist()
        total, squares = sum(whole), sum(v * v for v in whole)
        variance = Fraction(n * squares - total * total, n * n)
        return float(Fraction(total, n)), math.sqrt(variance)
    mean = math.fsum(values.tolist()) / n
    return mean, math.sqrt(math.fsum(((values - mean) ** 2).tolist()) / n)


def _relative(found: float | None, true: float) -> float:
    assert found is not None
    if true == 0.0:
        return abs(found)
    return abs(found - true) / abs(true)


def side_errors(values: NDArray[Any], numbers: Numbers) -> dict[str, float]:
    """Return the errors of one side of a column.

    Parameters
    ----------
    values : ndarray of float64 or int64
        The finite values.
    numbers : Numbers
        What driftline kept of them.
    """
    ordered = np.sort(values)
    mean, deviation = exact_moments(values)
    answers = numbers.distribution.quantile(LEVELS)
    true_distinct = int(np.count_nonzero(ordered[1:] != ordered[:-1])) + 1
    return {
        "n": int(values.shape[0]),
        "rank": rank_error(ordered.astype(np.float64), LEVELS, answers),
        "distinct": _relative(numbers.n_distinct, float(true_distinct)),
        "mean": _relative(numbers.moments.mean, mean),
        "deviation": _relative(numbers.moments.std_dev, deviation),
    }


def column_errors(raw: tuple[NDArray[Any], NDArray[Any]], kept: tuple[Numbers, Numbers]) -> dict[str, float]:
    """Return the errors of a column: the worse of its two sides, and the comparison's.

    Parameters
    ----------
    raw : tuple of ndarray
        Finite values of baseline and current.
    kept : tuple of Numbers
    """
    pair = align(kept[0].distribution, kept[1].distribution)
    effect = distance.ks(pair.baseline, pair.current, exact=pair.is_value)
    true = float(ks_2samp(*raw, method="asymp").statistic)
    sides = [side_errors(values, numbers) for values, numbers in zip(raw, kept, strict=True)]
    errors = {name: max(side[name] for side in sides) for name in sides[0]}
    return {**errors, "ks": abs(effect.value - true), "ks_true": true, "ks_stated": effect.sketch_error}


def finite_values(path: Path, name: str) -> NDArray[Any]:
    """Return the finite values of a column."""
    with pq.ParquetFile(path) as file:
        column = file.read(columns=[name]).column(0).drop_null()
    values: NDArray[Any] = column.to_numpy()
    return values if values.dtype.kind == "i" else values[np.isfinite(values)]


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the errors of every numeric column as JSON."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.accuracy", description="Measure the errors.")
    parser.add_argument("--scale", type=float, default=1.0)
    scale = parser.parse_args(arguments).scale
    paths = [workload_file(data_folder(), "W1", side, SNAPPY, scale) for side in ("baseline", "current")]
    baseline = scan(open_source(str(paths[0])))
    current = scan(open_source(str(paths[1])), limits=baseline.limits)
    found = {}
    for column in baseline.columns:
        other = current.column(column.name)
        if column.numbers is None or other is None or other.numbers is None:
            continue
        raw = (finite_values(paths[0], column.name), finite_values(paths[1], column.name))
        found[column.name] = column_errors(raw, (column.numbers, other.numbers))
        print(f"{column.name}: {found[column.name]}", file=sys.stderr, flush=True)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
