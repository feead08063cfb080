from __future__ import annotations

import json
import re
import shlex
from typing import TYPE_CHECKING, Any

import pytest

import driftline

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What the demo prints, and the folder it was called in; only to read."""
    import os
    import subprocess
    import sys

    place = tmp_path_factory.mktemp("called here")
    variables = {name: value for name, value in os.environ.items() if not name.startswith("DRIFTLINE_")}
    variables |= {"COLUMNS": "80", "DRIFTLINE_DATABASE": "postgresql://nowhere.invalid/registry"}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "driftline", "demo", "-o", "some where"],
        cwd=place,
        env=variables,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout, place


def test_the_whole_story(told: Any) -> None:
    text, place = told
    lines = text.splitlines()
    assert [line.split()[0] for line in lines[:5]] == ["trained", "trained", "applied", "approved", "playing"]
    assert [line.split()[1] for line in lines if re.match(r"day \d", line)] == list("1234567") * 2
    assert "  It comes down to one incident: 1 row breaks 59 columns." in lines
    told_ends = next(n for n, line in enumerate(lines) if line.startswith("reports to open"))
    assert max(map(len, lines[:told_ends])) <= 80
    assert (place / "some where" / "report" / "report.html").is_file()
    report = driftline.load_report(place / "some where" / "report")
    assert len(report.incidents) == 1
    assert report.incidents[0].where[0].row == 1
    drift = driftline.load_report(place / "some where" / "drift")
    assert [incident.title for incident in drift.incidents] == [
        "Day Mins has drifted",
        "Night Mins has drifted",
    ]


def test_the_four_reports_of_the_income_model(told: Any) -> None:
    text, place = told
    pages = re.findall(r"'(some where/income/\w+)/report\.html'", text)
    reports = [driftline.load_report(place / page) for page in pages]
    assert [r.recipe for r in reports] == ["data-quality", "model-quality", "bias", "attribution"]
    for report in reports:
        assert " ".join(report.incidents[0].title.split()) in " ".join(text.split())


def test_what_it_says_to_try_works(told: Any, run: Callable[..., Any]) -> None:
    text, place = told
    commands = re.findall(r" driftline ((?:schedule|alert) .*)$", text, flags=re.MULTILINE)
    assert [shlex.split(c)[-2:] for c in commands] == [["-w", "some where"]] * 3
    for command, expected in zip(commands, ("Day Mins has drifted",) * 2 + ("sex=Female",), strict=True):
        done = run(*shlex.split(command), cwd=place)
        assert (done.code, done.err) == (0, "")
        assert expected in done.out


def test_twice_in_one_folder(run: Callable[..., Any], world: Path) -> None:
    told = []
    for _ in range(2):
        done = run("demo", "--json")
        assert (done.code, done.err) == (0, "")
        told.append(json.loads(done.out))
    assert [one["alerts"][0]["n_windows"] for one in told] == [15, 15]
    assert [one["captured"] for one in told] == [{"received": 1184, "stored": 1184, "rows": 10534}] * 2
    assert [[alert["n_windows"] for alert in one["income"]["alerts"]] for one in told] == [[4, 3, 3, 4]] * 2
    first, second = (
        [
            (w["schedule"], w["state"], w["window_start"], w["message"], w["incidents"])
            for w in (*one["windows"], *one["income"]["windows"])
        ]
        for one in told
    )
    assert first == second
    names = {p.name for p in (world / "driftline-demo").iterdir() if not p.name.startswith(".")}
    assert names <= {
        *("driftline.toml", "training.csv", "model.json", "notifications.log"),
        *("income-training.parquet", "income-validation.parquet", "income.py", "income-card.toml"),
        *("registry.db", "registry.db-shm", "registry.db-wal"),
        *("baselines", "captures", "drift", "income", "models", "profiles", "report", "reports"),
    }


def test_a_folder_of_somebody_else(run: Callable[..., Any], world: Path) -> None:
    (world / "mine" / "captures").mkdir(parents=True)
    done = run("demo", "-o", "mine")
    assert (done.code, done.out) == (2, "")
    assert done.err == (
        "driftline: E-WRITE: mine: holds captures, which the demo did not make; name another folder with -o\n"
    )
