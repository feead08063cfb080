"""Numbers of real SageMaker Model Monitor runs, reproduced. Each test names its line in the golden table."""

from __future__ import annotations

import csv
import io
import itertools
import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest

from driftline.baselines.constraint import CHECKS, Constraints, Feature, InferredType
from driftline.baselines.sagemaker import (
    read_constraints,
    read_statistics,
    write_constraints,
    write_statistics,
)
from driftline.capture.source import Field
from driftline.kernels.kll import KLL, sagemaker_distance
from driftline.monitor.recipes.sagemaker import (
    CompatColumn,
    fold_compat,
    judge,
    sort_keys_as_text,
    suggest,
)
from driftline.reports.outcome import Outcome, Status

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from driftline.baselines.statistics import FeatureStatistics, Statistics
    from driftline.kernels.kll import Weights


def fold_rows(rows: Sequence[Sequence[str]], names: Sequence[str]) -> list[CompatColumn]:
    """Fold rows of CSV text, in batches of 500."""
    fields = [Field(name, pa.string(), textual=True) for name in names]
    parts = [rows[start : start + 500] for start in range(0, len(rows), 500)]
    return fold_compat(
        ([pa.array(cells, pa.string()) for cells in zip(*part, strict=True)] for part in parts), fields
    )


def read_csv(path: Path) -> list[list[str]]:
    with path.open(newline="") as stream:
        return list(csv.reader(stream))


def captured_rows(path: Path) -> list[list[str]]:
    """Rows of captured CSV records as SageMaker assembles them: prediction first, then inputs."""
    rows = []
    for line in path.read_text().splitlines():
        record = json.loads(line)["captureData"]
        cells = [
            next(csv.reader(io.StringIO(record[side]["data"].strip())))
            for side in ("endpointOutput", "endpointInput")
        ]
        rows.append([*cells[0], *cells[1]])
    return rows


def violations(outcomes: list[Outcome]) -> set[tuple[str | None, str, str]]:
    """Violations as a report lists them; their order there means nothing."""
    return {
        (o.constraint.column, CHECKS[o.constraint.check].check_type, o.reason)
        for o in outcomes
        if o.is_violation
    }


def published(path: Path) -> set[tuple[str | None, str, str]]:
    items: list[dict[str, Any]] = json.loads(path.read_text())["violations"]
    return {(v["feature_name"], v["constraint_check_type"], v["description"]) for v in items}


def assert_same_statistics(mine: FeatureStatistics, real: FeatureStatistics) -> None:
    assert (mine.name, mine.inferred_type, mine.n_present, mine.n_missing) == (
        real.name,
        real.inferred_type,
        real.n_present,
        real.n_missing,
    )
    assert mine.numeric is not None
    assert real.numeric is not None
    for number in "mean", "sum", "std_dev", "min", "max":
        assert getattr(mine.numeric, number) == pytest.approx(getattr(real.numeric, number), rel=1e-12), (
            number
        )
    assert (mine.numeric.min, mine.numeric.max) == (real.numeric.min, real.numeric.max)
    assert mine.numeric.buckets == real.numeric.buckets
    assert mine.numeric.sketch == real.numeric.sketch


@pytest.fixture(scope="module")
def files(data: Path) -> Path:
    return data / "sagemaker"


def test_golden_1_housing_baseline(files: Path) -> None:
    header, *rows = read_csv(files / "housing/housing.csv")
    statistics, constraints = suggest(fold_rows(rows, header), header)
    real = read_statistics((files / "housing/statistics.json").read_bytes())
    assert statistics.item_count == real.item_count == 506
    assert len(statistics.features) == len(real.features) == 13
    for mine, theirs in zip(statistics.features, real.features, strict=True):
        assert_same_statistics(mine, theirs)
    assert write_constraints(constraints) == (files / "housing/constraints.json").read_text()


@pytest.mark.parametrize("weights", ["distinct", "rows"])
def test_golden_2_housing_traffic_of_two_rows(files: Path, weights: Weights) -> None:
    constraints = read_constraints((files / "housing/constraints.json").read_bytes())
    statistics = read_statistics((files / "housing/statistics.json").read_bytes())
    ((prediction, first, *middle, last),) = captured_rows(files / "captured/housing_2021.jsonl")
    traffic = [
        [prediction, repr(float(first) * 100_000), *middle, last],
        [prediction, first, *middle, f"-{last}"],
    ]
    names = [f"_c{i}" for i in range(13)]
    outcomes = judge(constraints, statistics, fold_rows(traffic, names), names, weights=weights)
    assert violations(outcomes) == published(files / "housing/constraint_violations.json")
    assert [o.constraint.column for o in outcomes if o.is_violation] == ["chas", "nox", "rad", "tax"]


def test_golden_3_churn_baseline(files: Path) -> None:
    header, *rows = read_csv(files / "churn/training-dataset-with-header.csv")
    statistics, constraints = suggest(fold_rows(rows, header), header)
    assert write_constraints(constraints) == (files / "churn/constraints.json").read_text()
    real = read_statistics((files / "churn/statistics_partial.json").read_bytes())
    assert statistics.item_count == real.item_count == 2333
    assert len(real.features) == 29
    for mine, theirs in zip(statistics.features[:29], real.features, strict=True):
        assert_same_statistics(mine, theirs)


@pytest.fixture(scope="module")
def churn_replay(files: Path) -> list[CompatColumn]:
    once = read_csv(files / "churn/test_sample.csv")
    cycle = itertools.cycle(read_csv(files / "churn/test-dataset-input-cols.csv"))
    inputs = itertools.islice(itertools.chain(once, cycle), 1977)
    rng = np.random.default_rng(2022)
    predictions = [repr(float(p)) for p in rng.uniform(size=1977)]
    return fold_rows([[p, *row] for p, row in zip(predictions, inputs, strict=True)], ["x"] * 70)


def churn_baseline(files: Path) -> tuple[Constraints, Statistics]:
    header, *rows = read_csv(files / "churn/training-dataset-with-header.csv")
    statistics, _ = suggest(fold_rows(rows, header), header)
    return read_constraints((files / "churn/constraints.json").read_bytes()), statistics


def test_golden_4_churn_replay(files: Path, churn_replay: list[CompatColumn]) -> None:
    constraints, statistics = churn_baseline(files)
    found = violations(judge(constraints, statistics, churn_replay, ["x"] * 70))
    assert len(found) == 60
    assert {check for _, check, _ in found} == {"data_type_check"}
    shares = [reason.split("Only ")[1].split(" of")[0] for _, _, reason in found]
    assert (shares.count("99.64592817400101%"), shares.count("0.0%")) == (59, 1)
    assert [name for name, _, reason in found if "Only 0.0%" in reason] == ["Churn"]
    assert published(files / "observed_violations/churn_2022_first10.json") < found


def test_golden_4_row_weights_add_drift_on_churn(files: Path, churn_replay: list[CompatColumn]) -> None:
    constraints, statistics = churn_baseline(files)
    plain = violations(judge(constraints, statistics, churn_replay, ["x"] * 70))
    by_rows = violations(judge(constraints, statistics, churn_replay, ["x"] * 70, weights="rows"))
    assert plain < by_rows
    assert [(name, check) for name, check, _ in by_rows - plain] == [("Churn", "baseline_drift_check")]


def test_golden_4_the_run_of_2020(files: Path) -> None:
    """61 violations: the example cut two characters of the 120 rows it sent first, not in its endless loop.

    So some account lengths are empty, and the 1,412 records have a completeness violation beside the 60.
    """
    cut = [line[2:] for line in (files / "churn/test_sample.csv").read_text().splitlines()]
    cycle = itertools.cycle((files / "churn/test-dataset-input-cols.csv").read_text().splitlines())
    lines = itertools.islice(itertools.chain(cut, cycle), 1412)
    rows = [[f"0.{i:04}", *line.split(",")] for i, line in enumerate(lines)]
    constraints, statistics = churn_baseline(files)
    found = violations(judge(constraints, statistics, fold_rows(rows, ["x"] * 70), ["x"] * 70))
    assert len(found) == 61
    assert [(name, check) for name, check, _ in found if check != "data_type_check"] == [
        ("Account Length", "completeness_check")
    ]
    assert published(files / "observed_violations/churn_2020_first10.json") < found


def test_golden_6_distance_of_a_third_party_sample() -> None:
    baseline = KLL().update(np.repeat(np.arange(1.0, 11.0), 30))
    below, inside = np.linspace(0.01, 0.99, 58), np.linspace(1.5, 9.5, 5)
    distinct = np.concatenate([below, inside])
    current = KLL().update(np.concatenate([distinct, np.resize(distinct, 320 - 63)]))
    assert current.n_rows == 320
    assert sagemaker_distance(baseline, current, "Robust") == 0.30791265775509713


def test_golden_7_weather_sketches(files: Path) -> None:
    raw = (files / "weather/statistics.json").read_text()
    statistics = read_statistics(raw)
    sketches = [f.numeric.sketch for f in statistics.features if f.numeric is not None]
    assert len(sketches) == 16
    for feature, sketch in zip(statistics.features[1:], sketches, strict=True):
        assert sketch is not None
        assert len(sketch.levels) == 9
        assert sketch.n_rows == feature.n_present == 652_652
    assert write_statistics(statistics) == raw


@pytest.mark.parametrize("run", ["weather", "amazon_reviews"])
def test_golden_7_buckets_come_from_the_sketch(files: Path, run: str) -> None:
    for feature in read_statistics((files / run / "statistics.json").read_bytes()).features:
        if feature.numeric is None:
            continue
        assert feature.numeric.sketch is not None
        assert feature.numeric.min is not None
        assert feature.numeric.max is not None
        sketch = KLL.of_levels(feature.numeric.sketch.levels)
        edges, counts = sketch.buckets(feature.numeric.min, feature.numeric.max)
        assert edges[:-1].tolist() == [b.lower_bound for b in feature.numeric.buckets]
        assert edges[1:].tolist() == [b.upper_bound for b in feature.numeric.buckets]
        assert counts.tolist() == [b.count for b in feature.numeric.buckets]


def test_golden_8_text_without_distribution(files: Path) -> None:
    constraints = read_constraints((files / "amazon_reviews/constraints.json").read_bytes())
    statistics = read_statistics((files / "amazon_reviews/statistics.json").read_bytes())
    names = [f.name for f in constraints.features]
    rows = [[str(1 + i % 5), f"review number {i}"] for i in range(1000)]
    outcomes = judge(constraints, statistics, fold_rows(rows, names), names)
    assert violations(outcomes) == set()
    drift = [
        o for o in outcomes if o.constraint.column == "review_body" and o.constraint.check.startswith("l_inf")
    ]
    assert [o.status for o in drift] == [Status.UNDETERMINED]


def test_golden_9_keys_sorted_as_text(files: Path) -> None:
    keys = [f"_c{i}" for i in range(64)]
    order = [int(key[2:]) for key in sort_keys_as_text(keys)]
    typed = [InferredType.FRACTIONAL] * 3 + [InferredType.INTEGRAL] * 61
    constraints = Constraints(
        tuple(Feature(k, t, completeness=1.0) for k, t in zip(keys, typed, strict=True))
    )
    row = ["0.5"] * 3 + ["1"] * 61
    names = [keys[i] for i in order]
    outcomes = judge(constraints, None, fold_rows([[row[i] for i in order]] * 247, names), names)
    assert violations(outcomes) == published(files / "observed_violations/bank_marketing_2024_run_a.json")


def test_golden_10_negative_numbers_are_not_a_violation() -> None:
    names = ["x"]
    baseline, constraints = suggest(fold_rows([[f"{i}.5"] for i in range(100)], names), names)
    assert constraints.features[0].is_non_negative is True
    current = fold_rows([[f"-{i}.5"] for i in range(100)], names)
    found = violations(judge(constraints, baseline, current, names))
    assert {check for _, check, _ in found} <= {"baseline_drift_check"}
    assert violations(judge(constraints, None, current, names)) == set()


def test_golden_13_weather_traffic(files: Path) -> None:
    constraints = read_constraints((files / "weather/constraints.json").read_bytes())
    statistics = read_statistics((files / "weather/statistics.json").read_bytes())
    rows = captured_rows(files / "captured/weather_2021.jsonl")
    names = [f"_c{i}" for i in range(17)]
    outcomes = judge(constraints, statistics, fold_rows(rows, names), names)
    assert violations(outcomes) == published(files / "observed_violations/weather_2021.json")
