"""Labels: a window joined with its labels, beside the same join written by hand.

``python -m benchmarks.labels`` makes a window of captured rows and as many labels, a twentieth of them corrected, all of
them shuffled, and lets three processes join them in turn: driftline, which streams the rows and verifies every file,
pandas, and one query of DuckDB. They must agree on the rows, on how many are labelled, and on the sum of the labels.
"""

from __future__ import annotations

import argparse
import json
import operator
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.files import data_folder
from benchmarks.pairs import BenchmarkError, Command, Contender, measure, paired, pin, race, read_through
from benchmarks.results import KEPT, PUBLISHED_ROUNDS, header, save

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["CONTENDERS", "make", "measured", "table"]

ROWS = 1_000_000
FEATURES = 20
CONTENDERS = {
    "driftline labelled": "driftline",
    "pandas merge": "pandas",
    "DuckDB hand-written query": "duckdb",
}
_QUANTITIES = ("wall", "cpu", "peak")
_MIB = float(1 << 20)


def make(folder: Path, rows: int) -> None:
    """Make captures and their labels, and list the files for the others."""
    import numpy as np
    import pyarrow as pa

    from driftline.capture.archive import Archive
    from driftline.capture.tables import HOUR, META
    from driftline.capture.truth import import_labels

    rng = np.random.default_rng(20240607)
    start = 1_763_985_600_000_000
    numbers = rng.permutation(rows)
    ids = np.char.add("7f1c9a52-3f0e-4c55-9d6b-", np.char.zfill(numbers.astype(str), 12))
    archive = Archive(folder / "captures")
    per_hour = -(-rows // 24)

    def hours() -> Iterator[tuple[str, str, pa.Table]]:
        for hour in range(24):
            mine = ids[hour * per_hour : (hour + 1) * per_hour]
            n = len(mine)
            times = pa.array(np.sort(start + hour * HOUR + rng.integers(0, HOUR, n))).cast(
                META.field("_time").type
            )
            meta = [mine, np.zeros(n, np.int32), times, times, ["both"] * n]
            arrays = [pa.array(v, f.type) for v, f in zip(meta, META, strict=False)]
            arrays += [pa.nulls(n, f.type) for f in list(META)[len(meta) :]]
            arrays += [pa.array(rng.normal(size=n)) for _ in range(FEATURES)]
            fields = [*META, *(pa.field(f"feature_{i}", pa.float64()) for i in range(FEATURES))]
            yield "churn", "AllTraffic", pa.table(arrays, schema=pa.schema(fields, META.metadata))

    archive.store("window", hours())
    corrected = rows // 20
    labelled = rows - corrected
    order = rng.permutation(rows)
    keys = np.concatenate((ids[:labelled], ids[:corrected]))[order]
    times = np.concatenate((np.full(labelled, 30), np.full(corrected, 31)))[order] * HOUR + start
    moments = pa.array(times + rng.integers(0, HOUR, rows)).cast(pa.timestamp("us", "UTC"))
    data = pa.table({"id": keys, "label": rng.integers(0, 2, rows), "time": moments})
    import_labels(archive, "churn", data, time="time")
    listed = {
        kind: [archive.target.shown(s.path) for s in archive.manifest.segments(kind)]
        for kind in ("events", "labels")
    }
    (folder / "files.json").write_text(json.dumps(listed), encoding="utf-8")


def measured(folder: Path, rows: int, rounds: int) -> dict[str, Any]:
    """Let the contenders join what lies in `folder`, in turn.

    Raises
    ------
    BenchmarkError
        If a process fails, or they do not agree.
    """
    script = str(Path(__file__).parent / "rivals" / "join_labels.py")
    contenders = [
        Contender(name, (Command((sys.executable, script, hand, str(folder)), tells=True),))
        for name, hand in CONTENDERS.items()
    ]
    files = json.loads((folder / "files.json").read_text(encoding="utf-8"))
    paths = [Path(path) for kind in ("events", "labels") for path in files[kind]]
    document = header("labels", scale=rows / ROWS, rounds=rounds) | {"rows": rows}
    read_through(paths)
    usages = race(contenders, rounds, told=lambda line: print(line, file=sys.stderr, flush=True))
    answers = {tuple(sorted(usage.told.items())) for used in usages.values() for usage in used}
    if len(answers) != 1:
        raise BenchmarkError(f"the contenders do not agree: {sorted(answers)}")
    subject, *rivals = usages
    return document | {
        "bytes": {
            kind: sum(Path(path).stat().st_size for path in files[kind]) for kind in ("events", "labels")
        },
        "answer": dict(answers.pop()),
        "ratios": {
            rival: {q: _ratio(usages[subject], usages[rival], q) for q in _QUANTITIES} for rival in rivals
        },
        "usages": {name: [usage.to_json() for usage in used] for name, used in usages.items()},
    }


def _ratio(subject: Sequence[Any], rival: Sequence[Any], quantity: str) -> dict[str, float]:
    spread = paired(subject, rival, quantity, operator.truediv)
    return {name: round(getattr(spread, name), 4) for name in ("least", "median", "greatest")}


def table(document: dict[str, Any]) -> str:
    """Return the numbers as a table in Markdown; medians, and the median of driftline over each rival, round by round."""
    lines = [
        "| process | wall, s | CPU, s | peak, MiB | wall / it | peak / it |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for name, rounds in document["usages"].items():
        wall, cpu, peak = (sorted(r[q] for r in rounds)[len(rounds) // 2] for q in _QUANTITIES)
        ratios = document["ratios"].get(name)
        of = [f"{ratios[q]['median']:.2f}" if ratios else "–" for q in ("wall", "peak")]
        lines.append(f"| {name} | {wall:.2f} | {cpu:.2f} | {peak / _MIB:,.0f} | {of[0]} | {of[1]} |")
    return "\n".join(lines)


def main() -> int:
    """Make, measure, write and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.labels", description=__doc__)
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
    with tempfile.TemporaryDirectory(prefix="labels-", dir=data_folder()) as work:
        # In a process of its own: this one stays small, see pairs.py.
        words = ("--make", work, "--rows", str(asked.rows))
        measure(Command((sys.executable, "-c", _MAKE, str(Path(__file__).parents[1]), *words)))
        document = measured(Path(work), asked.rows, asked.rounds)
    folder = asked.results or (KEPT if full else data_folder() / "results")
    print(table(document))
    print(f"written: {save(folder, document)}", file=sys.stderr)
    return 0


_MAKE = (
    "import sys; sys.path.insert(0, sys.argv.pop(1)); from benchmarks.labels import main; sys.exit(main())"
)

if __name__ == "__main__":
    sys.exit(main())
