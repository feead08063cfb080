from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from benchmarks.__main__ import main
from benchmarks.contests import INSIDE, Contest, Place, baselines, contests
from benchmarks.files import SNAPPY, workload_file
from benchmarks.goals import GOALS, Comparison
from benchmarks.pairs import Command, measure
from benchmarks.workloads import make

RIVALS = Path(__file__).parents[2] / "benchmarks" / "rivals"


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path / "data", tmp_path / "work", 1.0)


def test_every_goal_is_measured_by_a_contest(place: Place) -> None:
    by_name = {contest.name: contest for contest in contests(place)}
    for goal in GOALS:
        if not isinstance(goal.source, Comparison):
            continue
        contest = by_name[goal.source.contest]
        names = {contender.name for contender in contest.contenders}
        assert goal.source.subject in names
        assert not goal.source.rival or goal.source.rival in names
        assert goal.source.quantity in contest.quantities


def test_names_are_unique(place: Place) -> None:
    names = [contest.name for contest in contests(place)]
    assert len(set(names)) == len(names)


def _folders(contest: Contest) -> set[str]:
    """Return the baselines that a contest's commands read, other than those it makes itself."""
    words = [word for c in contest.contenders for command in c.commands for word in command.arguments]
    made = {str(path) for c in contest.contenders for command in c.commands for path in command.fresh}
    return {word for word in words if Path(word).name.startswith("baseline-")} - made


def test_every_contest_gets_the_baselines_it_reads(place: Place) -> None:
    for contest in contests(place):
        made = {str(command.fresh[0]) for command in baselines(place, (contest,))}
        assert made == _folders(contest), contest.name


def test_contests_inside_a_process_tell_their_quantities(place: Place) -> None:
    for contest in contests(place):
        tells = {command.tells for c in contest.contenders for command in c.commands}
        assert tells == {contest.quantities == INSIDE}


def test_first_run_starts_without_compiled_loops(place: Place) -> None:
    first = next(c for c in contests(place) if c.name == "w1-first").contenders[0].commands[0]
    assert Path(first.environment["DRIFTLINE_CACHE_DIR"]) in first.fresh


@pytest.mark.parametrize("script", ["read_table", "duckdb_statistics", "duckdb_summarize", "pandas_scipy"])
def test_rival_does_its_job(script: str, tmp_path: Path) -> None:
    files = []
    for side in ("baseline", "current"):
        make("W1", side, tmp_path, 0.0005)
        files.append(str(workload_file(tmp_path, "W1", side, SNAPPY, 0.0005)))
    words = [sys.executable, str(RIVALS / f"{script}.py"), *files]
    printed = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    names = pq.read_schema(files[0]).names
    if script == "read_table":
        assert printed == ""
    elif script == "pandas_scipy":
        # Unique texts are described but not tested.
        assert json.loads(printed).keys() >= {"baseline", "current", *names[:-2]}
    else:
        before, after = (json.loads(line) for line in printed.splitlines())
        found = before if script == "duckdb_statistics" else [row[0] for row in before]
        assert set(found) >= set(names)
        assert before != after


def test_scan_inside_a_process(tmp_path: Path) -> None:
    place = Place(tmp_path, tmp_path, 1.0)
    for side in ("baseline", "current"):
        make("W4", side, tmp_path, 1.0)
    measure(place.baseline("W4"))
    assert measure(place.scan("W4")).told.keys() == {"first", "warm"}


def test_start_is_measured_from_the_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DRIFTLINE_BENCH_DATA", str(tmp_path))
    monkeypatch.setattr("benchmarks.__main__.pin", lambda: 2)
    assert main(["--only", "start", "--rounds", "1"]) == 0
    found = json.loads((tmp_path / "results" / "processes.json").read_text())
    assert found["sample"] is True
    rounds = found["contests"]["start"]["rounds"]
    assert {name: len(used) for name, used in rounds.items()} == {
        "driftline --help": 3,
        "import driftline": 3,
        "bare Python": 3,
    }
    assert "| bare Python |" in capsys.readouterr().out
    assert [p.name for p in tmp_path.iterdir()] == ["results"]


def test_unknown_contest_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DRIFTLINE_BENCH_DATA", str(tmp_path))
    monkeypatch.setattr("benchmarks.__main__.pin", lambda: 2)
    assert main(["--only", "w9"]) == 2
    assert "there is no contest 'w9'" in capsys.readouterr().err


def test_contests_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--list"]) == 0
    assert "w3-snappy" in capsys.readouterr().out


def test_less_than_a_full_run_is_never_published(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--full", "--scale", "0.1"]) == 2
    assert main(["--full", "--rounds", "2"]) == 2
    assert capsys.readouterr().err.count("--results DIR") == 2


def test_read_table_command_names_the_live_file(place: Place) -> None:
    contest = next(c for c in contests(place) if c.name == "w1-zstd")
    command = contest.contenders[1].commands[0]
    assert command == Command((sys.executable, str(RIVALS / "read_table.py"), str(contest.files[0])))
    assert contest.files[0].name == "w1_current_zstd_1m.parquet"
