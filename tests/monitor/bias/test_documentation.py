"""The page on bias says what the program does."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from driftline.baselines.metrics import BIAS
from driftline.monitor.bias.fields import POST, PRE
from driftline.monitor.bias.intervals import GROSS, TOLERANCE
from driftline.monitor.bias.settings import KEYS

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "bias.md").read_text("utf-8")


def test_every_setting_is_explained() -> None:
    table = PAGE.split("## Settings")[1].split("## Metrics")[0]
    missing = [key for key in KEYS if f"`{key}`" not in table]
    assert missing == []


def test_every_metric_is_explained() -> None:
    table = PAGE.split("## Metrics")[1].split("## When it alarms")[0]
    rows = {
        word for line in table.splitlines() if line.startswith("|") for word in line.split("|")[1].split(", ")
    }
    codes = {word.strip() for word in rows}
    assert {*PRE, *POST} <= codes
    assert {f"bias_{code.lower()}" for code in (*PRE, *POST)} == set(BIAS)


def test_tolerances_are_those_of_the_program() -> None:
    told = PAGE.split("The tolerance is 0.02, except for: ")[1].split(", which is what")[0].replace("\n", " ")
    assert (
        told
        == "CI 0.1, TE 0.1, DCA, DCR and FT 0.05, DI a factor of 1.05, and KL 0.001, JS 0.00025 and LP 0.028"
    )
    assert {code: round(value, 5) for code, value in TOLERANCE.items()} == {
        "CI": 0.1, "TE": 0.1, "DCA": 0.05, "DCR": 0.05, "FT": 0.05, "DI": 1.05, "KL": 0.001, "JS": 0.00025, "LP": 0.02828,
    }  # fmt: skip
    assert set(GROSS.values()) == {0.3}
    assert "a gross change (0.3 beyond what is allowed)" in PAGE


def test_measured_numbers_are_those_that_were_measured() -> None:
    made = subprocess.run(
        [sys.executable, "-m", "benchmarks.bias", "--tables"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert made.stdout.strip() in PAGE
