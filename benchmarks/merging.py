"""Merging: a window over kept Profiles, beside folding the rows of the same window.

``python -m benchmarks.merging`` captures 30 days of traffic in hours, keeps their Profiles, and lets processes answer for
the 720 hours in turn, merged from what is kept and folded from the Parquet files: once where the window is made of whole
blocks, once where it begins and ends between them. They must agree to the last bit.
"""

from __future__ import annotations

import argparse
import operator
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.files import data_folder
from benchmarks.pairs import BenchmarkError, Command, Contender, measure, paired, pin, race, read_through
from benchmarks.results import KEPT, PUBLISHED_ROUNDS, header, save

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["WINDOWS", "make", "measured", "table"]

HOURS = 720
ROWS = 2_000
"""Rows an hour."""

EXTRA = 48
"""Hours captured beyond the first window."""

HOUR = 3_600_000_000
START = 384 * 1278 * HOUR
"""A beginning of blocks of all sizes."""

WINDOWS = {"aligned": 0, "between blocks": 11}
"""First hour of each window."""

_QUANTITIES = ("inside", "wall", "cpu", "peak")
_MIB = float(1 << 20)


def make(folder: Path, rows: int) -> None:
    """Capture the hours: 50 columns, of which 30 are fractions, 10 whole numbers and 10 text."""
    import numpy as np
    import pyarrow as pa

    from driftline.capture.archive import Archive
    from driftline.capture.tables import META

    rng = np.random.default_rng(20240607)

    def hour_of(hour: int) -> tuple[str, str, pa.Table]:
        times = pa.array(np.sort(START + hour * HOUR + rng.integers(0, HOUR, rows)))
        times = times.cast(META.field("_time").type)
        ids = np.char.add(f"{hour:05}-", np.arange(rows).astype(str))
        meta = [ids, np.zeros(rows, np.int32), times, times, ["both"] * rows]
        arrays = [pa.array(v, f.type) for v, f in zip(meta, META, strict=False)]
        arrays += [pa.nulls(rows, f.type) for f in list(META)[len(meta) :]]
        features: dict[str, pa.Array] = {}
        for i in range(30):
            values = rng.standard_t(3, rows) * 10.0 ** (i % 6)
            features[f"real_{i}"] = pa.array(values, mask=rng.random(rows) < 0.02)
        for i in range(10):
            features[f"whole_{i}"] = pa.array(rng.zipf(1.5 + i / 10, rows).clip(0, 1 << 40))
        for i, n in enumerate((5, 20, 50, 50, 50, 5_000, 5_000, 5_000, 10**9, 10**9)):
            features[f"text_{i}"] = pa.array(np.char.add("value ", rng.integers(0, n, rows).astype(str)))
        fields = [*META, *(pa.field(name, array.type) for name, array in features.items())]
        return (
            "churn",
            "AllTraffic",
            pa.table([*arrays, *features.values()], schema=pa.schema(fields, META.metadata)),
        )

    def hours() -> Iterator[tuple[str, str, pa.Table]]:
        for hour in range(HOURS + EXTRA):
            yield hour_of(hour)

    Archive(folder / "captures").store("window", hours())


def _window(name: str) -> tuple[str, str]:
    first = START + WINDOWS[name] * HOUR
    return str(first), str(first + HOURS * HOUR)


def measured(folder: Path, rows: int, rounds: int) -> dict[str, Any]:
    """Let the contenders answer, in turn.

    Raises
    ------
    BenchmarkError
        If a process fails, or they do not agree.
    """
    script = str(Path(__file__).parent / "rivals" / "window_profile.py")

    def contender(name: str, how: str, window: str) -> Contender:
        words = (sys.executable, script, how, str(folder), *_window(window))
        fresh = (folder / "fresh",) if how == "make" else ()
        return Contender(name, (Command(words, fresh=fresh, tells=True),))

    document = header("merging", scale=rows / ROWS, rounds=rounds) | {"hours": HOURS, "rows_an_hour": rows}
    for window in WINDOWS:  # What is kept, once.
        measure(contender("", "merge", window).commands[0])
    read_through(
        path for kind in ("captures", "kept") for path in (folder / kind).rglob("*.*") if path.is_file()
    )
    found: dict[str, Any] = {}
    for window in WINDOWS:
        contenders = [contender("merged", "merge", window), contender("folded", "fold", window)]
        usages = race(contenders, rounds, told=lambda line: print(line, file=sys.stderr, flush=True))
        answers = {(u.told["digest"], u.told["rows"]) for used in usages.values() for u in used}
        if len(answers) != 1 or any(u.told["folded"] for u in usages["merged"]):
            raise BenchmarkError(f"merged and folded do not agree: {sorted(answers)}")
        merged, folded = usages["merged"], usages["folded"]
        found[window] = {
            "ratios": {q: _ratio(merged, folded, q) for q in _QUANTITIES},
            "usages": {name: [usage.to_json() for usage in used] for name, used in usages.items()},
        }
    cold = measure(contender("", "make", "aligned").commands[0])
    shutil.rmtree(folder / "fresh", ignore_errors=True)
    return document | {
        "bytes": {kind: _size(folder / kind) for kind in ("captures", "kept")},
        "windows": found,
        "first": cold.to_json(),
    }


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _ratio(subject: Sequence[Any], rival: Sequence[Any], quantity: str) -> dict[str, float]:
    spread = paired(subject, rival, quantity, operator.truediv)
    return {name: round(getattr(spread, name), 5) for name in ("least", "median", "greatest")}


def table(document: dict[str, Any]) -> str:
    """Return the numbers as a table in Markdown; medians, and the median of merged over folded, round by round."""
    lines = [
        "| window | process | inside, s | wall, s | CPU, s | peak, MiB | inside / folded | wall / folded |",
        "|---|---|---:|---:|---:|---:|---:|---:|",
    ]
    for window, one in document["windows"].items():
        for name, rounds in one["usages"].items():
            inside, wall, cpu, peak = (sorted(r[q] for r in rounds)[len(rounds) // 2] for q in _QUANTITIES)
            of = ["–", "–"]
            if name == "merged":
                of = [f"{one['ratios'][q]['median']:.4f}" for q in ("inside", "wall")]
            lines.append(
                f"| {window} | {name} | {inside:.2f} | {wall:.2f} | {cpu:.2f} | {peak / _MIB:,.0f} "
                f"| {of[0]} | {of[1]} |"
            )
    return "\n".join(lines)


def main() -> int:
    """Make, measure, write and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.merging", description=__doc__)
    parser.add_argument("--rows", type=int, default=ROWS, help="rows an hour")
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
    with tempfile.TemporaryDirectory(prefix="merging-", dir=data_folder()) as work:
        # In a process of its own: this one stays small, see pairs.py.
        words = ("--make", work, "--rows", str(asked.rows))
        measure(Command((sys.executable, "-c", _MAKE, str(Path(__file__).parents[1]), *words)))
        document = measured(Path(work), asked.rows, asked.rounds)
    folder = asked.results or (KEPT if full else data_folder() / "results")
    print(table(document))
    print(f"written: {save(folder, document)}", file=sys.stderr)
    return 0


_MAKE = (
    "import sys; sys.path.insert(0, sys.argv.pop(1)); from benchmarks.merging import main; sys.exit(main())"
)

if __name__ == "__main__":
    sys.exit(main())
