"""Published attributions of SageMaker Clarify, recomputed: its model, its rows, its baseline row, its files."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pytest

from driftline.kernels.shapley import Explanation, explain
from driftline.monitor.attribution.dependence import dependence_of
from driftline.monitor.attribution.encoding import Encoding, FeatureCode
from driftline.monitor.attribution.measuring import ndcg
from driftline.monitor.attribution.memory_model import MemoryModel
from driftline.monitor.attribution.model_settings import ModelSettings

if TYPE_CHECKING:
    from pathlib import Path

EXACT = {
    "age": 0.059578,
    "workclass": 0.008436,
    "fnlwgt": 0.000137,
    "education": 0.014514,
    "education_num": 0.098800,
    "marital_status": 0.054499,
    "occupation": 0.002124,
    "relationship": 0.017880,
    "ethnic_group": 0.004359,
    "sex": 0.031530,
    "capital_gain": 0.099148,
    "capital_loss": 0.013381,
    "hours_per_week": 0.036267,
    "country": 0.004428,
}
"""Mean absolute Shapley values from all 16,382 coalitions."""

RUNS = (
    "adult_ll_baseline_run1_analysis.json",
    "adult_ll_baseline_run2_json_path_label_analysis.json",
    "adult_ll_baseline_run3_analysis.json",
)
"""What the service published, with 100 coalitions a row."""


class Census(NamedTuple):
    """The census example."""

    features: list[str]
    weights: np.ndarray
    bias: float
    rows: np.ndarray
    background: np.ndarray

    def score(self, x: np.ndarray) -> np.ndarray:
        """The model."""
        return 1.0 / (1.0 + np.exp(-(x @ self.weights + self.bias)))


@pytest.fixture(scope="module")
def census(data: Path) -> Census:
    model = json.loads((data / "fairness" / "adult_ll_model.json").read_text())
    table = np.genfromtxt(data / "fairness" / "adult_ll_baseline_666.csv", delimiter=",", skip_header=1)
    rows, background = table[:, :14], np.array([model["shap_baseline_row"]], float)
    return Census(model["features"], np.array(model["weights"]), model["bias"], rows, background)


@pytest.fixture(scope="module")
def exact(census: Census) -> Explanation:
    return explain(census.score, census.rows, census.background, n_samples=16_382)


def _published(data: Path, name: str) -> tuple[np.ndarray, float]:
    document = json.loads((data / "clarify" / "shap" / name).read_text())
    (label,) = document["explanations"]["kernel_shap"].values()
    return np.array(list(label["global_shap_values"].values())), label["expected_value"]


def _mean_abs(found: Explanation) -> np.ndarray:
    return np.abs(found.values[:, :, 0]).mean(axis=0)


def test_all_coalitions_give_the_exact_column(census: Census, exact: Explanation) -> None:
    assert exact.exact
    assert exact.n_samples == 16_382
    told = dict(zip(census.features, _mean_abs(exact).round(6).tolist(), strict=True))
    assert told == EXACT


def test_expected_value_is_that_of_the_model(data: Path, exact: Explanation) -> None:
    assert exact.expected_value[0] == pytest.approx(0.2506232731, abs=5e-11)
    for run in RUNS:
        assert _published(data, run)[1] == pytest.approx(exact.expected_value[0], abs=1e-6)


def test_budget_of_the_service_gives_no_larger_errors_than_its_own(
    data: Path, census: Census, exact: Explanation
) -> None:
    theirs = [np.abs(_published(data, run)[0] - _mean_abs(exact)) for run in RUNS]
    assert np.max(theirs) < 0.0012
    ours = []
    for seed in range(10):
        found = explain(census.score, census.rows, census.background, n_samples=100, seed=seed)
        assert found.n_samples == 100
        ours.append(np.abs(_mean_abs(found) - _mean_abs(exact)))
    assert np.max(ours) < 0.0012
    assert np.mean(ours) < np.mean(theirs)


def test_runs_of_the_service_rank_the_features_alike(data: Path) -> None:
    runs = [_published(data, run)[0] for run in RUNS]
    assert ndcg(runs[0], runs[2]) == pytest.approx(0.9996906074301998, abs=1e-14)
    weather = [_published(data, f"weather_baseline_{x}_analysis.json")[0] for x in "ab"]
    assert ndcg(*weather) == pytest.approx(0.999916044524217, abs=1e-14)


def test_rankings_of_the_specification() -> None:
    baseline = np.array([0.70, 0.50, 0.05])
    assert ndcg(baseline, baseline[::-1]) == pytest.approx(0.6876396241226223, abs=1e-15)
    assert ndcg(baseline, np.array([0.5, 0.7, 0.05])) == pytest.approx(0.9290566640617995, abs=1e-15)


def test_partial_dependence(census: Census) -> None:
    encoding = Encoding(tuple(FeatureCode(name, "number") for name in census.features))
    model = MemoryModel(ModelSettings("callable", object=census.score), encoding)
    sex = dependence_of(model, census.rows, census.features.index("sex"), 15, ["label0"])
    assert sex.values == (0.0, 1.0)
    assert sex.predictions[0] == pytest.approx((0.17995397102875144, 0.2817363642461747), abs=1e-14)
    age = dependence_of(model, census.rows, 0, 10, ["label0"])
    assert age.values == pytest.approx([20.65 + 7.3 * i for i in range(10)])
    assert age.predictions[0][0] == pytest.approx(0.16957786592881893, abs=1e-14)
    assert age.predictions[0][-1] == pytest.approx(0.5376151671940363, abs=1e-14)
