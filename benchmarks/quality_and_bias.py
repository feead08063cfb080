"""Model quality and bias of five million scored rows, beside reading the file and beside others (workload W5).

``python -m benchmarks.quality_and_bias`` makes the rows (label, score, facet, group) and lets processes work on them in
turn:

* driftline, one pass: every metric of model quality and of bias from one reading, with intervals of 1,000 replicates;
* driftline, both checks: the two recipes as ``driftline check`` runs them, reports included, each reading the file;
* pandas, and pyarrow, which only read it.

scikit-learn and fairlearn take minutes, so they are measured once, and what is not run is extrapolated and said to be.
"""

from __future__ import annotations

import argparse
import operator
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.files import data_folder
from benchmarks.pairs import BenchmarkError, Command, Contender, measure, paired, pin, race, read_through
from benchmarks.results import KEPT, PUBLISHED_ROUNDS, header, save
from benchmarks.tables import quality as table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.pairs import Usage

__all__ = ["CONTENDERS", "make", "measured"]

ROWS = 5_000_000
CALLS = 3
BOOTSTRAPS = 100
"""Row bootstraps that scikit-learn's time is extrapolated to."""

REPEATED = 3
"""Row bootstraps that it is measured on."""

FAIRLEARN_SHARE = 10
"""fairlearn works on one row in so many, and its time is multiplied by it."""

CONTENDERS = {
    "driftline, one pass": "driftline",
    "driftline, both checks": "checks",
    "pandas read_parquet": "pandas",
    "pyarrow read_table": "pyarrow",
}
_SIDES = {"baseline": 0, "current": 1}


def make(folder: Path, rows: int) -> None:
    """Make both sides, and the baselines that the checks are held against."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    from benchmarks.workloads import CHUNK, generator

    def part(side: int, chunk: int, n: int) -> pa.Table:
        rng = generator(5, side, 0, chunk)
        facet = np.minimum(np.searchsorted([0.6, 0.9, 1.0], rng.random(n)), 2)
        group = rng.integers(0, 12, n)
        label = (rng.random(n) < np.array([0.30, 0.22, 0.15])[facet] + 0.01 * (group % 3)).astype(np.int64)
        z = rng.standard_normal(n) + np.where(label == 1, 0.9, -0.6) - 0.15 * facet - 0.2 * side
        texts = {"facet": (facet, ["A", "B", "C"]), "group": (group, [f"g{i:02}" for i in range(12)])}
        words = {
            name: pa.DictionaryArray.from_arrays(pa.array(codes.astype(np.int32)), pa.array(names)).cast(
                pa.string()
            )
            for name, (codes, names) in texts.items()
        }
        return pa.table({"label": label, "score": 1.0 / (1.0 + np.exp(-z)), **words})

    for name, side in _SIDES.items():
        schema = part(side, 0, 1).schema
        with pq.ParquetWriter(folder / f"{name}.parquet", schema, compression="snappy") as writer:
            for chunk, first in enumerate(range(0, rows, CHUNK)):
                n = min(CHUNK, rows - first)
                writer.write_table(part(side, chunk, n), row_group_size=CHUNK)


def measured(folder: Path, rows: int, rounds: int) -> dict[str, Any]:
    """Let the contenders work, in turn, and the slow ones once.

    Raises
    ------
    BenchmarkError
        If a process fails, or they do not agree.
    """
    script = str(Path(__file__).parent / "rivals" / "quality_and_bias.py")

    def command(how: str, *more: object) -> Command:
        return Command((sys.executable, script, how, str(folder), *map(str, more)), tells=True)

    document = header("quality", scale=rows / ROWS, rounds=rounds) | {"rows": rows}
    measure(command("baselines", 1))
    read_through(sorted(folder.glob("*.parquet")))
    contenders = [Contender(name, (command(how, CALLS),)) for name, how in CONTENDERS.items()]
    usages = race(contenders, rounds, told=_say)
    slow = {
        "scikit-learn": measure(command("sklearn", REPEATED)).told,
        "fairlearn": measure(command("fairlearn", FAIRLEARN_SHARE)).told,
    }
    subject = next(iter(usages))
    _agree(usages[subject], slow["scikit-learn"])
    return document | {
        "bytes": (folder / "current.parquet").stat().st_size,
        "bootstraps": BOOTSTRAPS,
        "repeated": REPEATED,
        "fairlearn_share": FAIRLEARN_SHARE,
        "ratios": {
            name: {rival: _ratios(usages[name], usages[rival]) for rival in tuple(CONTENDERS)[2:]}
            for name in tuple(CONTENDERS)[:2]
        },
        "usages": {name: [usage.to_json() for usage in used] for name, used in usages.items()},
        "slow": slow,
    }


def _agree(subject: Sequence[Usage], oracle: Any) -> None:
    for usage in subject:
        for name, within in (("auc", usage.told["auc_bound"]), ("recall", 1e-12), ("brier", 1e-8)):
            if abs(usage.told[name] - oracle[name]) > within:
                raise BenchmarkError(
                    f"{name} is {usage.told[name]} here and {oracle[name]} there, more than {within} apart"
                )


def _ratios(subject: Sequence[Usage], rival: Sequence[Usage]) -> dict[str, dict[str, float]]:
    found = {}
    for quantity in ("first", "warm", "processor"):
        spread = paired(subject, rival, quantity, operator.truediv)
        found[quantity] = {name: round(getattr(spread, name), 5) for name in ("least", "median", "greatest")}
    return found


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def main() -> int:
    """Make, measure, write and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quality_and_bias", description=__doc__)
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--rounds", type=int, default=PUBLISHED_ROUNDS)
    parser.add_argument(
        "--results", type=Path, metavar="DIR", help="where to write; kept only from a full run by default"
    )
    parser.add_argument("--make", type=Path, metavar="DIR", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.make:
        make(asked.make, asked.rows)
        return 0
    pin()
    data_folder().mkdir(parents=True, exist_ok=True)
    full = asked.rows == ROWS and asked.rounds >= PUBLISHED_ROUNDS
    with tempfile.TemporaryDirectory(prefix="quality-", dir=data_folder()) as work:
        # In a process of its own: this one stays small, see pairs.py.
        words = ("--make", work, "--rows", str(asked.rows))
        measure(Command((sys.executable, "-c", _MAKE, str(Path(__file__).parents[1]), *words)))
        document = measured(Path(work), asked.rows, asked.rounds)
    folder = asked.results or (KEPT if full else data_folder() / "results")
    print(table(document))
    _say(f"written: {save(folder, document)}")
    return 0


_MAKE = (
    "import sys; sys.path.insert(0, sys.argv.pop(1)); "
    "from benchmarks.quality_and_bias import main; sys.exit(main())"
)

if __name__ == "__main__":
    sys.exit(main())
