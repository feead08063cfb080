"""False alarms and detection of the attribution monitor, by simulation.

A window without any change must raise an alarm less often than alpha; one in which two features have changed places
should raise one. Rows are drawn anew for every window, and a baseline serves ten windows. The attributions are those
of linear models, whose Shapley values are ``w * (x - mean)``, so that only the drawing of rows is at work; they go
through the doors of the job as captured attributions do.

    python -m benchmarks.attribution_alarms [--windows 100]      prints JSON, see benchmarks/results/attribution-alarms.json
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from driftline.monitor.attribution.job import check, make_baseline, read_settings
from driftline.reports.outcome import Status

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Draw = Callable[[np.random.Generator, int], NDArray[np.float64]]

__all__ = ["GAMES", "ROWS", "alarms"]

ROWS: Final = (50, 200, 1_000)
"""Rows explained, of the baseline and of each window."""

_PER_BASELINE: Final = 10
CENSUS: Final = Path(__file__).parents[1] / "driftline" / "demo" / "data" / "census-train.parquet"


def _census() -> Draw:
    """Attributions of a linear model of the census: numbers, codes, and gains that few people have."""
    table = pq.read_table(CENSUS)
    columns = []
    for name in table.column_names[:-1]:
        array = table.column(name).combine_chunks()
        if not pa.types.is_integer(array.type):
            values = array.to_pylist()
            known = sorted({value for value in values if value is not None})
            rank = {value: float(i) for i, value in enumerate(known)}
            columns.append(np.array([rank.get(value, -1.0) for value in values]))
        else:
            columns.append(array.to_numpy().astype(np.float64))
    x = np.column_stack(columns)
    weights = np.random.default_rng(1).lognormal(0.0, 1.0, x.shape[1])
    phi = weights * (x - x.mean(axis=0)) / x.std(axis=0)
    return lambda rng, n: phi[rng.integers(0, phi.shape[0], n)]


def _normal(scale: NDArray[np.float64]) -> Draw:
    return lambda rng, n: rng.normal(size=(n, scale.shape[0])) * scale


def _heavy(scale: NDArray[np.float64]) -> Draw:
    return lambda rng, n: (rng.lognormal(0.0, 1.0, (n, scale.shape[0])) - np.exp(0.5)) * scale


GAMES: Final[dict[str, Callable[[], Draw]]] = {
    "census, 14 features": _census,
    "normal, 5 features": lambda: _normal(0.6 ** np.arange(5)),
    "normal, 50 features": lambda: _normal(0.9 ** np.arange(50)),
    "ten equal features": lambda: _normal(np.ones(10)),
    "log-normal, 20 features": lambda: _heavy(0.8 ** np.arange(20)),
}
"""What attributions are drawn from, by name."""


def _table(values: NDArray[np.float64]) -> pa.Table:
    return pa.table({f"shap_f{j:02d}": values[:, j] for j in range(values.shape[1])})


def alarms(game: str, n_rows: int, windows: int, *, swap: bool = False, seed: int = 0) -> dict[str, Any]:
    """Count the windows that raise an alarm.

    Parameters
    ----------
    game : str
        One of :data:`GAMES`.
    n_rows : int
        Rows of the baseline, and of each window.
    windows : int
    swap : bool, default False
        The most important feature and the least important one change places in the windows.
    seed : int

    Returns
    -------
    dict
        ``alarms``: windows with a violation; ``undetermined``: windows without one in which something could not be told;
        ``checks``: windows in which each check was violated; ``lowest_ndcg``.
    """
    draw = GAMES[game]()
    settings = read_settings({"model": {"kind": "captured", "prefix": "shap_"}, "rows": n_rows})
    rng = np.random.default_rng([seed, n_rows, len(game)])
    checks: Counter[str] = Counter()
    count = undetermined = 0
    lowest = 1.0
    baseline = None
    for i in range(windows):
        if baseline is None or i % _PER_BASELINE == 0:
            rows = draw(rng, n_rows)
            order = np.argsort(np.abs(rows).mean(axis=0))
            baseline = make_baseline(_table(rows), settings)
        window = draw(rng, n_rows)
        if swap:
            window[:, [order[0], order[-1]]] = window[:, [order[-1], order[0]]]
        report = check(_table(window), baseline)
        found = {outcome.constraint.check for outcome in report.violations}
        count += bool(found)
        undetermined += report.status is Status.UNDETERMINED
        checks.update(sorted(found))
        lowest = min(lowest, next(o.measurement.value or 0.0 for o in report.outcomes))
    return {
        "game": game,
        "rows": n_rows,
        "windows": windows,
        "alarms": count,
        "undetermined": undetermined,
        "checks": dict(sorted(checks.items())),
        "lowest_ndcg": round(lowest, 4),
    }


def main(arguments: list[str] | None = None) -> int:
    """Run everything and print it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--windows", type=int, default=100)
    parser.add_argument("--game", choices=[*GAMES], action="append")
    options = parser.parse_args(arguments)
    found: dict[str, Any] = {"alpha": 0.01, "unchanged": [], "swapped": []}
    for game in options.game or GAMES:
        for n_rows in ROWS:
            for key, swap in (("unchanged", False), ("swapped", True)):
                row = alarms(game, n_rows, options.windows, swap=swap)
                found[key].append(row)
                print(key, json.dumps(row), file=sys.stderr, flush=True)
    print(json.dumps(found, indent=1))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
