"""Calibration: a clean window is quiet, a real shift is heard, and what is suggested holds for what suggested it.

The table has 100 columns of many families. Windows come from the same source as the baseline, so every violation in
one is a false alarm. The short version looks at a few dozen windows; the examination at hundreds, and prints its
table: ``pytest -m exam -s tests/monitor/test_calibration.py``.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest

from driftline.baselines.baseline import Baseline
from driftline.baselines.suggestion import suggest
from driftline.capture.open import open_source
from driftline.monitor.engine import Run, compare
from driftline.monitor.scan import scan
from driftline.reports.outcome import Status

if TYPE_CHECKING:
    from collections.abc import Iterator

    from driftline.reports.report import Report

N_NORMAL = 20


def table(n: int, seed: list[int], shift: float = 0.0) -> pa.Table:
    """Draw `n` rows; `shift` moves the normal columns, in their standard deviations."""
    rng = np.random.default_rng(seed)
    columns: dict[str, Any] = {}

    def with_gaps(values: Any, share: float) -> pa.Array:
        return pa.array(values, mask=rng.random(n) < share) if share else pa.array(values)

    for i in range(N_NORMAL):
        spread = 1.0 + i
        centre = (i - 5) * 3.5 * spread / 4
        x = rng.standard_normal(n) * spread + centre + shift * spread
        columns[f"normal{i}"] = with_gaps(x, [0, 0.01, 0.05, 0][i % 4])
    for i in range(15):
        columns[f"lognormal{i}"] = with_gaps(
            np.exp(rng.standard_normal(n) * (0.3 + 0.1 * i)), [0, 0.02][i % 2]
        )
    for i in range(8):
        columns[f"heavy{i}"] = rng.standard_t(1.5 + 0.3 * i, n)
    for i in range(5):
        columns[f"exponential{i}"] = rng.exponential(5, n)
        columns[f"uniform{i}"] = rng.random(n) * 100
        columns[f"zero inflated{i}"] = np.where(rng.random(n) < 0.7, 0, rng.exponential(1000, n))
    for i, rate in enumerate([0.05, 0.3, 1, 3, 8, 20, 50, 100, 400, 2000]):
        columns[f"count{i}"] = rng.poisson(rate, n)
    for i in range(5):
        columns[f"zipf{i}"] = np.minimum(rng.zipf(1.3 + 0.2 * i, n), 10**9)
    for i, rate in enumerate([0.5, 0.1, 0.01, 0.003, 0.0005]):
        columns[f"zero or one{i}"] = (rng.random(n) < rate).astype(int)
    for i, k in enumerate([2, 3, 5, 8, 12, 20, 35, 50, 80, 110]):
        weights = 1 / np.arange(1, k + 1)
        names = np.array([f"c{j}" for j in range(k)], dtype=object)
        columns[f"category{i}"] = with_gaps(rng.choice(names, n, p=weights / weights.sum()), [0, 0.03][i % 2])
    for i, k in enumerate([400, 2_000, 20_000]):
        weights = 1 / np.arange(1, k + 1)
        columns[f"many categories{i}"] = [f"m{j}" for j in rng.choice(k, n, p=weights / weights.sum())]
    columns["flag"] = rng.random(n) < 0.2
    columns["rare flag"] = rng.random(n) < 0.02
    columns["id"] = np.arange(n) + int(rng.integers(10**6))
    columns["random id"] = rng.integers(0, 2**62, n)
    columns["uuid"] = [rng.bytes(16).hex() for _ in range(n)]
    columns["time"] = np.datetime64("2026-01-01T00:00:00", "us") + rng.integers(0, 10**12, n)
    columns["price"] = np.round(rng.gamma(2, 20, n), 2)
    columns["constant"] = np.full(n, 7.0)
    columns["never there"] = pa.nulls(n, pa.float64())
    result = pa.table(columns)
    assert result.num_columns == 100
    return result


def baseline_of(data: pa.Table) -> Baseline:
    folded = scan(open_source(data), threads=2)
    return Baseline("clean", suggest(folded), folded)


def judged(data: pa.Table, baseline: Baseline) -> Report:
    assert baseline.profile is not None
    current = scan(open_source(data), threads=2, limits=baseline.profile.limits)
    return compare(baseline, current, Run("window", "2026-11-23T07:00:00Z", 1_795_417_200.0, {}))


def alarms(report: Report) -> list[tuple[str | None, str, str]]:
    return [(o.constraint.column, o.constraint.check, o.reason) for o in report.violations]


@pytest.fixture(scope="module")
def large() -> Baseline:
    return baseline_of(table(50_000, [1, 0]))


@pytest.mark.parametrize(("n", "n_windows"), [(50, 40), (500, 40), (50_000, 4)])
def test_clean_windows_are_quiet(large: Baseline, n: int, n_windows: int) -> None:
    for window in range(n_windows):
        assert alarms(judged(table(n, [2, n, window]), large)) == [], window


def test_half_a_standard_deviation_is_heard_in_500_rows(large: Baseline) -> None:
    for window in range(4):
        report = judged(table(500, [3, window], shift=0.5), large)
        heard = {o.constraint.column for o in report.violations if o.constraint.check == "ks"}
        assert heard == {f"normal{i}" for i in range(N_NORMAL)}, window


def test_half_a_standard_deviation_in_50_rows_is_never_passed(large: Baseline) -> None:
    report = judged(table(50, [4], shift=0.5), large)
    for outcome in report.outcomes:
        if outcome.constraint.check == "ks" and str(outcome.constraint.column).startswith("normal"):
            assert outcome.status is not Status.PASSED
            if outcome.status is Status.UNDETERMINED:
                assert "chance alone reaches" in outcome.reason


def test_the_baseline_passes_what_it_suggested(large: Baseline) -> None:
    report = judged(table(50_000, [1, 0]), large)
    assert alarms(report) == []
    # Only what has no value at all cannot be told.
    assert {o.constraint.column for o in report.undetermined} <= {"never there"}
    assert report.counts["passed"] > 300


N_SOURCE = 5_000


def _resampled() -> Iterator[tuple[bool, int, np.ndarray]]:
    rng = np.random.default_rng(9)
    for size in np.geomspace(50, N_SOURCE, 28).astype(int):
        for replacement in (True, False):
            yield replacement, int(size), np.sort(rng.choice(N_SOURCE, size, replace=replacement))


def test_resamples_of_the_baseline_pass_what_it_suggested() -> None:
    """56 batches of 50 to all rows, with and without replacement."""
    source = table(N_SOURCE, [5])
    baseline = baseline_of(source)
    n_batches = 0
    for replacement, size, rows in _resampled():
        assert alarms(judged(source.take(rows), baseline)) == [], (replacement, size)
        n_batches += 1
    assert n_batches >= 50


@pytest.mark.exam
def test_rate_of_false_alarms_in_hundreds_of_windows() -> None:
    """Baselines of 50,000 and 5,000 rows, ten of each kind; the rate is printed, and bounded by one window in a hundred."""
    print()
    print(f"{'baseline':>9} {'window':>7} {'windows':>8} {'alarmed':>8} {'rate':>7}  columns alarmed")
    for n_before, plan in (
        (50_000, {50: 400, 500: 400, 5_000: 100, 50_000: 30}),
        (5_000, {50: 400, 500: 400, 5_000: 100}),
    ):
        for n, n_windows in plan.items():
            alarmed = 0
            which: Counter[str] = Counter()
            n_baselines = 10
            for k in range(n_baselines):
                baseline = baseline_of(table(n_before, [6, n_before, k]))
                for window in range(n_windows // n_baselines):
                    found = alarms(judged(table(n, [7, n_before, n, k, window]), baseline))
                    alarmed += bool(found)
                    which.update(f"{column} {check}" for column, check, _ in found)
            rate = alarmed / n_windows
            print(
                f"{n_before:>9,} {n:>7,} {n_windows:>8,} {alarmed:>8,} {rate:>7.2%}  {dict(which.most_common(4))}",
                flush=True,
            )
            assert rate <= 0.01 + 2 * (0.01 / n_windows) ** 0.5
    missed = 0
    baseline = baseline_of(table(50_000, [8]))
    for window in range(100):
        report = judged(table(500, [9, window], shift=0.5), baseline)
        heard = {o.constraint.column for o in report.violations if o.constraint.check == "ks"}
        missed += sum(f"normal{i}" not in heard for i in range(N_NORMAL))
    print(f"half a standard deviation at 500 rows: missed {missed} of {100 * N_NORMAL:,}")
    assert missed <= 2
