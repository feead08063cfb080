"""False alarms of the model-quality monitor: few in a short run, few enough in the long one, and the page says so."""

from __future__ import annotations

import json
from typing import Any

import pytest

from benchmarks.quality_alarms import (
    BASELINES,
    DETECTED,
    PAGE,
    PROBLEMS,
    RESULTS,
    WINDOWS,
    alarms,
    section,
    tables,
)


@pytest.fixture(scope="module")
def found() -> dict[str, Any]:
    result: dict[str, Any] = json.loads(RESULTS.read_text("utf-8"))
    return result


@pytest.mark.parametrize("problem", PROBLEMS)
def test_windows_without_a_change_raise_no_alarm(problem: str) -> None:
    count, by_metric = alarms(problem, 2_000, 300, 20, seed=1)
    assert (count, by_metric) == (0, {})


@pytest.mark.parametrize("problem", PROBLEMS)
def test_a_loss_of_five_points_is_noticed(problem: str) -> None:
    """In windows of 3,000 rows, nearly always."""
    count, _ = alarms(problem, 20_000, 3_000, 10, lost=0.05, seed=1)
    assert count >= 9


def test_the_long_run_keeps_its_promise(found: dict[str, Any]) -> None:
    cells = {(row["problem"], row["baseline"], row["window"]): row["alarms"] for row in found["unchanged"]}
    assert set(cells) == {(p, n, m) for p in PROBLEMS for n in BASELINES for m in WINDOWS}
    allowed = found["alpha"] * found["windows"]
    assert sum(cells.values()) <= allowed * len(cells)
    # By chance one cell may have more than its share: three standard deviations of a Poisson number.
    assert max(cells.values()) <= allowed + 3 * allowed**0.5
    assert [row["problem"] for row in found["detected"]] == list(PROBLEMS)
    assert all((row["window"], row["baseline"]) == DETECTED[1:] for row in found["detected"])


def test_the_page_says_what_was_found(found: dict[str, Any]) -> None:
    assert section(PAGE.read_text("utf-8"))[1] == tables(found)
