"""The simulation of the attribution monitor's alarms runs, and its kept results are within what is promised."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.attribution_alarms import GAMES, ROWS, alarms

KEPT = Path(__file__).parents[2] / "benchmarks" / "results" / "attribution-alarms.json"


def test_a_quiet_game_is_quiet_and_a_swap_is_heard() -> None:
    assert alarms("ten equal features", 200, 10)["alarms"] == 0
    assert alarms("normal, 5 features", 200, 10, swap=True)["alarms"] == 10


def test_a_simulation_is_the_same_again() -> None:
    assert alarms("normal, 5 features", 50, 3) == alarms("normal, 5 features", 50, 3)


@pytest.mark.parametrize("key", ["unchanged", "swapped"])
def test_every_game_was_played(key: str) -> None:
    kept = json.loads(KEPT.read_text())
    assert {(row["game"], row["rows"]) for row in kept[key]} == {(game, n) for game in GAMES for n in ROWS}


def test_unchanged_windows_alarm_less_often_than_alpha() -> None:
    kept = json.loads(KEPT.read_text())
    windows = sum(row["windows"] for row in kept["unchanged"])
    assert sum(row["alarms"] for row in kept["unchanged"]) <= kept["alpha"] * windows
    # One game may be unlucky, but not by much.
    assert all(row["alarms"] <= 3 * kept["alpha"] * row["windows"] for row in kept["unchanged"])
