"""Estimator: scikit-learn's estimators say what they are; nothing of it is imported here."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from driftline.cards import ModelCard
from driftline.cards.errors import CardTypeError
from driftline.cards.population import PopulationWarning, from_sklearn


@pytest.fixture
def fitted() -> LogisticRegression:
    features = np.array([[0.0, 1.0], [1.0, 0.0], [2.0, 1.0], [3.0, 0.0]])
    return LogisticRegression(C=0.5, max_iter=50).fit(features, np.array(["no", "no", "yes", "yes"]))


def test_class_parameters_classes_and_library(fitted: LogisticRegression) -> None:
    import sklearn

    found = from_sklearn(fitted, model_name="churn", model_owner="growth")
    content = found.content()
    assert content["model_overview"]["algorithm_type"] == "LogisticRegression"
    assert content["model_overview"]["problem_type"] == "Binary Classification"
    assert (content["model_overview"]["model_name"], content["model_overview"]["model_owner"]) == (
        "churn",
        "growth",
    )
    parameters = {
        one["name"]: one["value"]
        for one in content["training_details"]["training_job_details"]["hyper_parameters"]
    }
    assert parameters == {key: v if isinstance(v, str) else repr(v) for key, v in fitted.get_params().items()}
    details = content["additional_information"]["custom_details"]
    assert details["library"] == f"scikit-learn {sklearn.__version__}"
    assert found.extensions["io"] == {
        "input_schema": {"n_columns": 2},
        "output_schema": {"classes": ["no", "yes"]},
    }
    assert set(found.provenance()) >= {"model_overview.algorithm_type", "extensions.io.input_schema"}


def test_a_pipeline_names_its_steps(fitted: LogisticRegression) -> None:
    found = from_sklearn(make_pipeline(StandardScaler(), fitted)).content()
    assert found["model_overview"]["algorithm_type"] == "Pipeline: StandardScaler → LogisticRegression"
    parameters = {
        one["name"]: one["value"]
        for one in found["training_details"]["training_job_details"]["hyper_parameters"]
    }
    assert parameters["logisticregression__C"] == "0.5"
    assert parameters["standardscaler"] == "<sklearn.preprocessing._data.StandardScaler>"


class Odd:
    """Parameters that a card has no plain words for."""

    feature_names_in_ = ("a", "b")

    def get_params(self) -> dict[str, Any]:
        return {
            "array": np.arange(3),
            "a_scalar": np.float64(0.25),
            "list": [1, "a", None],
            "nested": [[1]],
            "long": "x" * 1000,
            **{f"p{i:03}": i for i in range(100)},
        }


def test_what_has_no_words_is_named_by_its_class() -> None:
    with pytest.warns(PopulationWarning) as warned:
        found = from_sklearn(Odd())
    assert len(warned) == 2
    parameters = {
        one["name"]: one["value"]
        for one in found.content()["training_details"]["training_job_details"]["hyper_parameters"]
    }
    assert len(parameters) == 100
    assert (parameters["array"], parameters["a_scalar"], parameters["list"], parameters["nested"]) == (
        "<numpy.ndarray>",
        "0.25",
        "[1, 'a', None]",
        "<builtins.list>",
    )
    assert len(parameters["long"]) == 255
    assert found.extensions["io"]["input_schema"] == {"columns": ["a", "b"]}
    assert ModelCard("odd", extensions=found.extensions, **found.sections).problems() == []


@pytest.mark.parametrize("given", [3, LogisticRegression, None])
def test_what_is_no_estimator_is_refused(given: object) -> None:
    with pytest.raises(CardTypeError, match="is no estimator"):
        from_sklearn(given)


def test_nothing_is_imported() -> None:
    code = (
        "import sys\n"
        "from driftline.cards.population import from_sklearn\n"
        "class E:\n    def get_params(self): return {'a': 1}\n"
        "from_sklearn(E())\n"
        "print([m for m in ('sklearn', 'numpy', 'pandas', 'sqlalchemy', 'onnx') if m in sys.modules])"
    )
    made = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert made.stdout.strip() == "[]"
