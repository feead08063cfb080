"""``python -m benchmarks``: measure, and write the tables of the documentation."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks import contests as contest_table
from benchmarks.files import data_folder, rows_of
from benchmarks.pairs import BenchmarkError, measure, paired, pin, race, read_through
from benchmarks.results import KEPT, PARTS, PUBLISHED_ROUNDS, header, load, save
from benchmarks.tables import inserted, sections

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "performance.md"
BUSY = 0.5
"""Load of the machine from which on a run is warned about."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what the command line asks for."""
    asked = _parser().parse_args(arguments)
    try:
        if asked.list:
            for contest in contest_table.contests(contest_table.Place(data_folder(), Path(), 1.0)):
                print(f"{contest.name:18} {contest.title}")
            return 0
        if asked.render:
            _write_page()
            return 0
        return _run(asked)
    except BenchmarkError as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Measure driftline beside others. By default a quick look at a tenth of the rows, printed and "
        "kept outside the tree; with --full everything, into benchmarks/results and docs/performance.md.",
        epilog="The workloads lie in $DRIFTLINE_BENCH_DATA, by default in ~/.cache/driftline-bench; what is missing "
        "is made (about 4 GB for --full).",
    )
    parser.add_argument("--full", action="store_true", help="all rows, enough rounds, and write the page")
    parser.add_argument(
        "--scale", type=float, help="factor for the rows of W1, W2 and W3 (0.1; 1 with --full)"
    )
    parser.add_argument("--rounds", type=int, help="rounds per contest (3; 5 with --full)")
    parser.add_argument("--only", nargs="+", metavar="CONTEST", help="only these contests, see --list")
    parser.add_argument("--parts", nargs="+", choices=PARTS, help="only these parts")
    parser.add_argument("--results", type=Path, metavar="DIR", help="folder to write the results into")
    parser.add_argument("--list", action="store_true", help="list the contests and leave")
    parser.add_argument(
        "--render", action="store_true", help="write the page from the kept results and leave"
    )
    return parser


def _run(asked: argparse.Namespace) -> int:
    scale = asked.scale or (1.0 if asked.full else 0.1)
    rounds = asked.rounds or (PUBLISHED_ROUNDS if asked.full else 3)
    parts = tuple(asked.parts or (("processes",) if asked.only else PARTS))
    published = asked.full and not asked.only and asked.results is None
    folder = asked.results or (KEPT if published else data_folder() / "results")
    if published and (scale != 1.0 or rounds < PUBLISHED_ROUNDS):
        raise BenchmarkError(
            "--full is scale 1 and at least 5 rounds; give --results DIR to keep anything else"
        )
    pin()
    if os.getloadavg()[0] > BUSY:
        _say(
            f"the machine is busy (load {os.getloadavg()[0]:.1f}): trust ratios rather than seconds, or wait"
        )
    if "processes" in parts:
        _say(f"written: {save(folder, _processes(scale, rounds, asked.only))}")
    if "accuracy" in parts:
        _say(f"written: {save(folder, _accuracy(scale, rounds))}")
    if "kernels" in parts:
        _say(f"written: {save(folder, _kernels(scale, rounds))}")
    if "sinking" in parts:
        _say(f"written: {save(folder, _sinking(scale, rounds))}")
    if "serving" in parts:
        _say(f"written: {save(folder, _serving(scale, rounds))}")
    if published:
        _write_page()
    else:
        made = sections({part: document for part, document in load(folder).items() if part in parts})
        print("\n\n".join(made.values()))
    return 0


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _make(names: Sequence[str], scale: float) -> None:
    """Make the workloads in a process of their own: this one stays small, see ``pairs.py``."""
    words = [sys.executable, "-m", "benchmarks.workloads", *names, "--scale", repr(scale)]
    if subprocess.run(words, cwd=ROOT, check=False).returncode:
        raise BenchmarkError("the workloads could not be made")


def _processes(scale: float, rounds: int, only: Sequence[str] | None) -> dict[str, Any]:
    data = data_folder()
    data.mkdir(parents=True, exist_ok=True)
    document = header("processes", scale=scale, rounds=rounds)
    with tempfile.TemporaryDirectory(prefix="run-", dir=data) as work:
        place = contest_table.Place(data, Path(work), scale)
        every = contest_table.contests(place)
        chosen = tuple(c for c in every if only is None or c.name in only)
        unknown = sorted(set(only or ()) - {c.name for c in every})
        if unknown:
            raise BenchmarkError(f"there is no contest {unknown[0]!r}; --list names them")
        names = sorted({name for contest in chosen for name in contest.workloads})
        if names:
            _make(names, scale)
        document["rows"] = {name: rows_of(name, scale) for name in names}
        saved = contest_table.baselines(place, chosen)
        if saved:
            _say("compiling the loops")
            measure(place.compile())
        for command in saved:
            _say(f"making {command.fresh[0].name}")
            measure(command)
        document["contests"] = found = {}
        for contest in chosen:
            _say(f"== {contest.name}: {contest.title}")
            read_through(contest.files)
            usages = race(contest.contenders, contest.rounds(rounds), told=_say)
            subject, *rivals = usages
            found[contest.name] = {
                "title": contest.title,
                "files": {file.name: file.stat().st_size for file in contest.files},
                "quantities": list(contest.quantities),
                "ratios": {
                    rival: {
                        quantity: _plain(usages[subject], usages[rival], quantity)
                        for quantity in contest.quantities
                    }
                    for rival in rivals
                },
                "rounds": {name: [u.to_json() for u in used] for name, used in usages.items()},
            }
    return document


def _plain(subject: Any, rival: Any, quantity: str) -> dict[str, float]:
    spread = paired(subject, rival, quantity, lambda a, b: a / b)
    return {
        "least": round(spread.least, 4),
        "median": round(spread.median, 4),
        "greatest": round(spread.greatest, 4),
    }


def _accuracy(scale: float, rounds: int) -> dict[str, Any]:
    # Answers are the same in every round: rounds only tell whether this belongs to a full run.
    document = header("accuracy", scale=scale, rounds=rounds)
    _make(["W1"], scale)
    words = [sys.executable, "-m", "benchmarks.accuracy", "--scale", repr(scale)]
    done = subprocess.run(words, cwd=ROOT, stdout=subprocess.PIPE, check=False)
    if done.returncode:
        raise BenchmarkError("the accuracy could not be measured")
    return document | {"columns": json.loads(done.stdout)}


def _kernels(scale: float, rounds: int) -> dict[str, Any]:
    document = header("kernels", scale=scale, rounds=rounds)
    rows = max(1000, int(1_000_000 * scale))
    with tempfile.TemporaryDirectory() as folder:
        found = Path(folder, "kernels.json")
        words = [sys.executable, "-m", "pytest", str(ROOT / "benchmarks" / "test_kernels.py"), "-q"]
        words += [
            "-p",
            "no:cacheprovider",
            f"--benchmark-json={found}",
            "--benchmark-timer=time.process_time",
        ]
        settings = {"DRIFTLINE_BENCH_ROWS": str(rows), "DRIFTLINE_BENCH_ROUNDS": str(rounds)}
        done = subprocess.run(words, cwd=ROOT, env={**os.environ, **settings}, stdout=sys.stderr, check=False)
        if done.returncode:
            raise BenchmarkError("the kernels could not be measured")
        measured = json.loads(found.read_text(encoding="utf-8"))["benchmarks"]
    return document | {
        "rows": rows,
        "kernels": [
            {
                "case": entry["extra_info"]["case"],
                "contender": entry["extra_info"]["contender"],
                "first": round(entry["extra_info"]["first_seconds"], 9),
                "least": round(entry["stats"]["min"], 9),
                "median": round(entry["stats"]["median"], 9),
            }
            for entry in measured
        ],
    }


def _sinking(scale: float, rounds: int) -> dict[str, Any]:
    document = header("sinking", scale=scale, rounds=rounds)
    words = [sys.executable, "-m", "benchmarks.sinking", "--seconds", repr(max(1.0, 20.0 * scale))]
    measured = []
    for number in range(rounds):
        _say(f"sinking, round {number + 1}")
        done = subprocess.run(words, cwd=ROOT, stdout=subprocess.PIPE, check=False)
        if done.returncode:
            raise BenchmarkError("the sink could not be measured")
        measured.append(json.loads(done.stdout))
    return document | {"rates": measured}


def _serving(scale: float, rounds: int) -> dict[str, Any]:
    document = header("serving", scale=scale, rounds=rounds)
    words = [sys.executable, "-m", "benchmarks.serving", "--seconds", repr(max(0.5, 4.0 * scale))]
    measured = []
    for number in range(rounds):
        _say(f"serving, round {number + 1}")
        done = subprocess.run(words, cwd=ROOT, stdout=subprocess.PIPE, check=False)
        if done.returncode:
            raise BenchmarkError("the cost of capture could not be measured")
        measured.append(json.loads(done.stdout))
    return document | {"rates": measured}


def _write_page() -> None:
    page = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(inserted(page, sections(load(KEPT))), encoding="utf-8")
    _say(f"written: {PAGE.relative_to(ROOT)}")


if __name__ == "__main__":
    sys.exit(main())
