"""False alarms and detection of the model-quality monitor, by simulation.

A window without any change must raise an alarm less often than alpha; one whose accuracy fell by five points should raise
one. Rows are drawn anew for every window, and a baseline serves ten windows. What is run is what a check runs: the rows are
folded, the metrics resampled, and all of them with their slices judged together.

    python -m benchmarks.quality_alarms [--windows 250]      prints JSON, see benchmarks/results/quality-alarms.json
    python -m benchmarks.quality_alarms --page               puts that file into docs/model-quality.md
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa

from driftline.capture.open import open_source
from driftline.monitor.overrides import Overrides
from driftline.monitor.quality.job import make_baseline, read_settings
from driftline.monitor.quality.recipe import Known
from driftline.reports.outcome import Status

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Draw = Callable[[np.random.Generator, int, float], pa.Table]

__all__ = ["BASELINES", "DETECTED", "PAGE", "PROBLEMS", "RESULTS", "WINDOWS", "alarms", "section", "tables"]

_ROOT: Final = Path(__file__).resolve().parents[1]
RESULTS: Final = _ROOT / "benchmarks" / "results" / "quality-alarms.json"
PAGE: Final = _ROOT / "docs" / "model-quality.md"
_MARKS: Final = ("<!-- quality-alarms -->\n", "<!-- /quality-alarms -->\n")

BASELINES: Final = (500, 5_000, 50_000)
WINDOWS: Final = (50, 500, 5_000)
DETECTED: Final = (0.05, 1_000, 20_000)
"""Points of accuracy lost, rows of the window, rows of the baseline."""

_PER_BASELINE: Final = 10
_SETTINGS: Final[dict[str, Any]] = {"label": "y", "bootstrap": {"replicates": 100}}


def _binary(rng: np.random.Generator, n: int, lost: float) -> pa.Table:
    """Calibrated probabilities; to lose accuracy, the label of a random row is another one than the model can know."""
    p = 1.0 / (1.0 + np.exp(-(2.0 * rng.standard_normal(n) - 1.0)))
    y = rng.random(n) < p
    # The model is right in 80.3 % of the rows: turning a share s of the labels around costs s * (2 * 0.803 - 1).
    turned = rng.random(n) < lost / (2.0 * 0.803 - 1.0)
    group = np.array(["a", "b"])[(rng.random(n) < 0.3).astype(np.int64)]
    return pa.table({"y": (y ^ turned).astype(np.int64), "p": p, "group": pa.array(group)})


def _multiclass(rng: np.random.Generator, n: int, lost: float) -> pa.Table:
    y = rng.choice(4, n, p=[0.4, 0.3, 0.2, 0.1])
    said = np.where(rng.random(n) < 0.8 - lost, y, (y + rng.integers(1, 4, n)) % 4)
    return pa.table({"y": y, "said": said})


def _regression(rng: np.random.Generator, n: int, lost: float) -> pa.Table:
    """Errors with the tails of Student's t on five degrees of freedom, which spread by four times the loss more."""
    x = rng.standard_normal(n)
    return pa.table({"y": 2.0 * x + 0.5 * (1.0 + 4.0 * lost) * rng.standard_t(5, n), "said": 2.0 * x})


PROBLEMS: Final[dict[str, tuple[Draw, dict[str, Any]]]] = {
    "binary": (_binary, {"problem": "binary", "probability": "p", "slices": ["group"], "top_k": [0.1]}),
    "multiclass": (_multiclass, {"problem": "multiclass", "prediction": "said"}),
    "regression": (_regression, {"problem": "regression", "prediction": "said"}),
}


def alarms(
    problem: str, n_baseline: int, n_window: int, windows: int, *, lost: float = 0.0, seed: int = 0
) -> tuple[int, dict[str, int]]:
    """Count the windows that raise an alarm, and by which metrics.

    Parameters
    ----------
    problem : str
        A key of :data:`PROBLEMS`.
    n_baseline, n_window : int
        Rows.
    windows : int
    lost : float
        Points of accuracy that the model loses; of regression, a quarter of what the errors grow by.
    seed : int

    Returns
    -------
    n : int
    by_metric : dict of str to int
    """
    draw, given = PROBLEMS[problem]
    settings = read_settings(_SETTINGS | given)
    rng = np.random.default_rng([seed, n_baseline, n_window])
    count, by_metric = 0, dict[str, int]()
    known: Known | None = None
    for i in range(windows):
        if known is None or i % _PER_BASELINE == 0:
            known = Known.of(make_baseline(draw(rng, n_baseline, 0.0), settings), settings)
        window = known.fold(open_source(draw(rng, n_window, lost)))
        judged = known.compare(window, Overrides()).judged
        violated = {one.name for one in judged if one.verdict.status is Status.VIOLATED}
        count += bool(violated)
        for name in sorted(violated):
            by_metric[name] = by_metric.get(name, 0) + 1
    return count, by_metric


def tables(found: Mapping[str, Any]) -> str:
    """Return what was found as the tables of the page."""
    windows = found["windows"]
    lines = [
        f"Alarms in {windows:,} windows without a change; {found['alpha'] * windows:g} are allowed:",
        "",
        "| problem | baseline rows | " + " | ".join(f"window of {n:,}" for n in WINDOWS) + " |",
        "|---|---|" + "---|" * len(WINDOWS),
    ]
    count = {(row["problem"], row["baseline"], row["window"]): row["alarms"] for row in found["unchanged"]}
    for problem in PROBLEMS:
        for n in BASELINES:
            cells = " | ".join(str(count[problem, n, m]) for m in WINDOWS)
            lines.append(f"| {problem} | {n:,} | {cells} |")
    total, of = sum(count.values()), windows * len(count)
    lines += [
        "",
        f"Together {total:,} in {of:,}, a rate of {total / of:.2%} where {found['alpha']:.0%} is allowed.",
        "",
        "| problem | windows of 1,000 rows that got worse | alarms |",
        "|---|---|---|",
    ]
    for row in found["detected"]:
        lines.append(
            f"| {row['problem']} | {windows:,} | {row['alarms']:,} ({row['alarms'] / windows:.0%}) |"
        )
    return "\n".join(lines) + "\n"


def section(page: str) -> tuple[str, str, str]:
    """Return what stands before the tables of a page, the tables, and what stands after."""
    before, rest = page.split(_MARKS[0])
    inside, after = rest.split(_MARKS[1])
    return before + _MARKS[0], inside, _MARKS[1] + after


def main(arguments: list[str] | None = None) -> int:
    """Run everything and print it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--windows", type=int, default=250)
    parser.add_argument("--problem", choices=[*PROBLEMS], action="append")
    parser.add_argument("--page", action="store_true")
    options = parser.parse_args(arguments)
    if options.page:
        before, _, after = section(PAGE.read_text("utf-8"))
        PAGE.write_text(before + tables(json.loads(RESULTS.read_text("utf-8"))) + after, "utf-8")
        return 0
    lost, n_window, n_baseline = DETECTED
    found: dict[str, Any] = {"alpha": 0.01, "windows": options.windows, "unchanged": [], "detected": []}
    for problem in options.problem or PROBLEMS:
        for of_baseline in BASELINES:
            for of_window in WINDOWS:
                count, by_metric = alarms(problem, of_baseline, of_window, options.windows)
                row = {"problem": problem, "baseline": of_baseline, "window": of_window, "alarms": count}
                found["unchanged"].append(row | {"metrics": by_metric})
                print(json.dumps(found["unchanged"][-1]), file=sys.stderr, flush=True)
        count, by_metric = alarms(problem, n_baseline, n_window, options.windows, lost=lost)
        row = {"problem": problem, "baseline": n_baseline, "window": n_window, "alarms": count}
        found["detected"].append(row | {"metrics": by_metric})
        print(json.dumps(found["detected"][-1]), file=sys.stderr, flush=True)
    print(json.dumps(found, indent=1))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
