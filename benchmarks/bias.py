"""Bias: how often the bias monitor alarms when nothing has changed, and how soon when a group is treated worse.

``python -m benchmarks.bias`` makes baselines and windows and asks the monitor through its public doors:

* ``simulated``: baseline and windows of various sizes from one population, two facets of unequal groups;
* ``halves``: random halves of the census and of the German credit data, each with a fixed predictor, by the interval rule
  and by SageMaker's point rule;
* ``drift``: census windows in which a share of the women's positive predictions has been turned down.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from benchmarks.results import KEPT, header, save
from driftline.monitor.bias.job import check, make_baseline, read_settings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from driftline.monitor.bias.settings import Settings
    from driftline.reports.report import Report

__all__ = ["drift", "halves", "simulated", "tables"]

TRIALS = 100
ROOT = Path(__file__).parents[1]
SIZES = ((10_000, 500), (10_000, 2_000), (10_000, 10_000), (2_000, 50_000))
"""Rows of the baseline and of the window."""

TURNED_DOWN = (0.0, 0.1, 0.2, 0.3, 0.5)


def population(n: int, rng: np.random.Generator) -> pa.Table:
    """Draw rows: the label depends on the score, the score on sex and race."""
    sex = np.where(rng.random(n) < 0.33, "Female", "Male")
    race = rng.choice(["White", "Black", "Asian", "Other", "Native"], n, p=[0.7, 0.15, 0.08, 0.05, 0.02])
    age = rng.integers(18, 80, n)
    mean = -0.9 - 0.8 * (sex == "Female") - 0.4 * (race == "Black") + 0.01 * (age - 40)
    score = 1.0 / (1.0 + np.exp(-(mean + rng.normal(0.0, 1.2, n))))
    label = (rng.random(n) < score).astype(np.int64)
    return pa.table(
        {"sex": sex, "race": race, "age": age, "label": label, "predicted": (score > 0.4).astype(np.int64)}
    )


def census() -> pa.Table:
    """Return the census rows, with a rule of thumb as their predictor."""
    import pyarrow.parquet as pq

    rows = pq.read_table(ROOT / "driftline" / "demo" / "data" / "census-test.parquet")
    married = pc.starts_with(rows["marital_status"], "Married-civ")
    predicted = pc.or_(
        pc.and_(married, pc.greater_equal(rows["education_num"], 10)), pc.greater(rows["capital_gain"], 5000)
    )
    return pa.table(
        {
            "sex": rows["sex"],
            "race": rows["race"],
            "age": rows["age"],
            "education_num": rows["education_num"],
            "label": pc.starts_with(rows["income"], ">").cast(pa.int64()),
            "predicted": predicted.cast(pa.int64()),
        }
    )


def german() -> pa.Table:
    """Return the German credit rows, with a rule of thumb as their predictor."""
    from pyarrow import csv

    rows = csv.read_csv(ROOT / "tests" / "data" / "fairness" / "german_credit.csv")
    bad = pc.and_(pc.equal(rows["checking_status"], "A11"), pc.greater(rows["duration_months"], 15))
    return pa.table(
        {
            "personal_status_sex": rows["personal_status_sex"],
            "age_years": rows["age_years"],
            "purpose": rows["purpose"],
            "label": rows["credit_risk"],
            "predicted": pc.if_else(bad, 2, 1),
        }
    )


def _without_flips(given: dict[str, Any]) -> Settings:
    # The flip test has a sample of its own, and would take most of the time.
    from driftline.monitor.bias.settings import POST, PRE

    return read_settings({**given, "metrics": [code for code in (*PRE, *POST) if code != "FT"]})


PEOPLE = {
    "label": "label",
    "positive": [1],
    "prediction": "predicted",
    "facets": [{"column": "sex", "values": ["Female"]}, {"column": "race"}],
    "group": "age",
}
CENSUS = {
    **PEOPLE,
    "facets": [*PEOPLE["facets"], {"column": "age", "threshold": 45}],  # type: ignore[misc]
    "group": "education_num",
}
GERMAN = {
    "label": "label",
    "positive": [1],
    "prediction": "predicted",
    "facets": [
        {"column": "personal_status_sex", "values": ["A92", "A95"]},
        {"column": "age_years", "threshold": 25},
    ],
    "group": "purpose",
}


class _Tally:
    """Adds up what reports say."""

    def __init__(self) -> None:
        self.runs = self.alarmed = self.violated = self.judged = self.outcomes = self.incidents = 0

    def add(self, report: Report) -> None:
        counts = report.counts
        self.runs += 1
        self.violated += counts["violated"]
        self.judged += counts["violated"] + counts["passed"]
        self.outcomes += sum(counts.values())
        self.incidents += len(report.incidents)
        self.alarmed += bool(report.incidents)

    def document(self) -> dict[str, Any]:
        return {
            "runs": self.runs,
            "runs_with_an_alarm": self.alarmed,
            "alarm_rate": round(self.alarmed / self.runs, 4),
            "violated_per_run": round(self.violated / self.runs, 3),
            "incidents_per_run": round(self.incidents / self.runs, 3),
            "outcomes_per_run": round(self.outcomes / self.runs, 1),
            "undetermined_share": round(1.0 - self.judged / self.outcomes, 3),
        }


def simulated(trials: int) -> list[dict[str, Any]]:
    """Baselines and windows from one population."""
    settings = _without_flips(PEOPLE)
    found = []
    for baseline_rows, rows in SIZES:
        rng = np.random.default_rng(20240607 + rows)
        tally = _Tally()
        for _ in range(trials):
            baseline = make_baseline(population(baseline_rows, rng), settings)
            tally.add(check(population(rows, rng), baseline))
        found.append({"baseline_rows": baseline_rows, "window_rows": rows, **tally.document()})
    return found


def _halves_of(table: pa.Table, rng: np.random.Generator) -> tuple[pa.Table, pa.Table]:
    order = rng.permutation(table.num_rows)
    middle = table.num_rows // 2
    return table.take(pa.array(order[:middle])), table.take(pa.array(order[middle:]))


def halves(trials: int) -> list[dict[str, Any]]:
    """Random halves of real data, by both rules."""
    found = []
    sources: tuple[tuple[str, Callable[[], pa.Table], dict[str, Any]], ...] = (
        ("census", census, CENSUS),
        ("german credit", german, GERMAN),
    )
    for name, load, given in sources:
        table, settings = load(), _without_flips(given)
        for rule, compat in (("interval", None), ("point", "sagemaker")):
            rng = np.random.default_rng(20240608)
            tally = _Tally()
            for _ in range(trials):
                first, second = _halves_of(table, rng)
                tally.add(check(second, make_baseline(first, settings, compat=compat), compat=compat))
            found.append({"data": name, "rows": table.num_rows, "rule": rule, **tally.document()})
    return found


def _turned_down(table: pa.Table, share: float, rng: np.random.Generator) -> pa.Table:
    predicted: NDArray[np.int64] = table["predicted"].to_numpy().copy()
    is_hit = (table["sex"].to_numpy(zero_copy_only=False) == "Female") & (rng.random(table.num_rows) < share)
    predicted[is_hit] = 0
    return table.set_column(table.column_names.index("predicted"), "predicted", pa.array(predicted))


def drift(trials: int) -> list[dict[str, Any]]:
    """Windows in which women are treated worse than before."""
    table = census()

    def census_pair(rows: int, rng: np.random.Generator) -> tuple[pa.Table, pa.Table]:
        first, second = _halves_of(table, rng)
        return first, second.slice(0, rows)

    def drawn_pair(rows: int, rng: np.random.Generator) -> tuple[pa.Table, pa.Table]:
        return population(rows, rng), population(rows, rng)

    of_census = _without_flips({**CENSUS, "facets": PEOPLE["facets"]})
    found = []
    for name, pair, rows, settings in (
        ("census", census_pair, 2_000, of_census),
        ("census", census_pair, 8_000, of_census),
        ("simulated", drawn_pair, 10_000, _without_flips(PEOPLE)),
        ("simulated", drawn_pair, 50_000, _without_flips(PEOPLE)),
    ):
        for share in TURNED_DOWN:
            rng = np.random.default_rng(20240609)
            noticed = others = 0
            changes = []
            for _ in range(trials):
                first, window = pair(rows, rng)
                report = check(_turned_down(window, share, rng), make_baseline(first, settings))
                hit = {column for incident in report.incidents for column in incident.columns}
                noticed += "sex=Female" in hit
                others += bool(hit - {"sex=Female"})
                changes += [
                    outcome.measurement.value / outcome.measurement.baseline
                    for outcome in report.outcomes
                    if (outcome.constraint.check, outcome.constraint.column) == ("bias_di", "sex=Female")
                    and outcome.measurement.value is not None
                    and outcome.measurement.baseline
                ]
            found.append(
                {
                    "data": name,
                    "baseline_rows": first.num_rows,
                    "window_rows": window.num_rows,
                    "turned_down": share,
                    "runs": trials,
                    "impact_over_baseline": round(float(np.median(changes)), 3),
                    "noticed_rate": round(noticed / trials, 3),
                    "runs_with_other_groups": others,
                }
            )
    return found


def tables(document: Mapping[str, Any]) -> str:
    """Return the measurements as the tables of ``docs/bias.md``."""
    lines = [
        "When nothing has changed, one population:",
        "",
        "| baseline | window | runs | runs with an alarm | metrics not judged |",
        "|---:|---:|---:|---:|---:|",
    ]
    lines += [
        f"| {one['baseline_rows']:,} | {one['window_rows']:,} | {one['runs']} | {_percent(one['alarm_rate'])} "
        f"| {_percent(one['undetermined_share'])} |"
        for one in document["simulated"]
    ]
    lines += [
        "",
        "When nothing has changed, random halves of real data:",
        "",
        "| data | rule | runs | runs with an alarm | violations per run | of metrics |",
        "|---|---|---:|---:|---:|---:|",
    ]
    lines += [
        f"| {one['data']}, {one['rows']:,} rows | {one['rule']} | {one['runs']} | {_percent(one['alarm_rate'])} "
        f"| {one['violated_per_run']:.2f} | {one['outcomes_per_run']:.0f} |"
        for one in document["halves"]
    ]
    shares = sorted({one["turned_down"] for one in document["drift"]})
    lines += [
        "",
        "When a share of the women's positive predictions is turned down: runs in which an incident names them.",
        "",
        f"| data | baseline | window | {' | '.join(_percent(share) for share in shares)} |",
        f"|---|---:|---:|{'---:|' * len(shares)}",
    ]
    rows: dict[tuple[str, int, int], list[str]] = {}
    for one in document["drift"]:
        key = (one["data"], one["baseline_rows"], one["window_rows"])
        rows.setdefault(key, []).append(_percent(one["noticed_rate"]))
    lines += [f"| {d} | {b:,} | {w:,} | {' | '.join(cells)} |" for (d, b, w), cells in rows.items()]
    return "\n".join(lines)


def _percent(share: float) -> str:
    return f"{100 * share:.0f}%"


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--trials", type=int, default=TRIALS)
    parser.add_argument("--output", type=Path, default=KEPT)
    parser.add_argument("--tables", action="store_true", help="print the tables of what was measured before")
    given = parser.parse_args(arguments)
    if given.tables:
        print(tables(json.loads((given.output / "bias.json").read_text(encoding="utf-8"))))
        return
    document = header("bias", scale=1.0, rounds=given.trials)
    for name, measure in (("simulated", simulated), ("halves", halves), ("drift", drift)):
        started = time.perf_counter()
        document[name] = measure(given.trials if name != "drift" else max(1, given.trials // 4))
        print(f"{name}: {time.perf_counter() - started:.0f} s", file=sys.stderr)
    print(save(given.output, document))


if __name__ == "__main__":
    main()
