from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest

from driftline.demo.census import program
from driftline.demo.scoring import FEATURES, NUMBERS, TEXTS, Scoring

if TYPE_CHECKING:
    from pathlib import Path

DOCUMENT = {
    "intercept": -1.0,
    "numbers": {
        "age": 0.1,
        "age_squared": -0.001,
        "education_num": 0.2,
        "hours_per_week": 0.01,
        "log_capital_gain": 0.3,
        "log_capital_loss": 0.4,
    },
    "texts": {name: {"known": 0.5} for name in TEXTS},
}


def person(**changes: object) -> dict[str, list[object]]:
    return {name: [changes.get(name, 0 if name in NUMBERS else "?")] for name in FEATURES}


@pytest.mark.parametrize(
    ("changes", "log_odds"),
    [
        ({}, -1.0),
        ({"age": 40}, -1.0 + 4.0 - 1.6),
        ({"education_num": 10, "hours_per_week": 40}, -1.0 + 2.0 + 0.4),
        ({"capital_gain": np.e - 1, "capital_loss": -5}, -1.0 + 0.3),
        ({"workclass": "known", "relationship": "known", "occupation": "not learnt"}, 0.0),
    ],
)
def test_points_add_up_to_log_odds(changes: dict[str, object], log_odds: float) -> None:
    (probability,) = Scoring(DOCUMENT).probability(person(**changes))
    assert probability == pytest.approx(1 / (1 + np.exp(-log_odds)), rel=1e-12)


def test_the_file_needs_nothing_but_numpy(tmp_path: Path) -> None:
    """With a model behind it, it scores in a process that cannot import driftline."""
    (tmp_path / "income.py").write_bytes(program(DOCUMENT))
    code = (
        "import sys; sys.modules['driftline'] = None; sys.path.insert(0, sys.argv[1]); import income;"
        "print(income.predict({name: [0] for name in income.FEATURES})[0])"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code, tmp_path], capture_output=True, text=True, check=True
    )
    assert float(done.stdout) == pytest.approx(1 / (1 + np.e))
