from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.cards.enums import FacetEnum, RiskRatingEnum
from driftline.cards.training import (
    Function,
    HyperParameter,
    ObjectiveFunction,
    TrainingDetails,
    TrainingJobDetails,
    TrainingMetric,
    as_text,
)


def test_a_known_facet_is_a_member_and_any_other_stays() -> None:
    assert Function("Minimize", "Loss").facet is FacetEnum.LOSS
    assert Function("Minimize", FacetEnum.AUC).to_content() == {"function": "Minimize", "facet": "AUC"}
    for text in ("CrossEntropy", "loss", "", "x" * 63):
        read = Function.from_content({"facet": text})
        assert read.facet == text
        assert type(read.facet) is str
        assert read.to_content() == {"facet": text}


@pytest.mark.parametrize("value", [1, ["Loss"], RiskRatingEnum.LOW])
def test_a_facet_is_text(value: Any) -> None:
    with pytest.raises(ValueError, match="expected one of AUC, Accuracy, Loss, MAE, RMSE, or any other text"):
        Function(facet=value)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (2, "2"),
        (0.1, "0.1"),
        (-1e-07, "-1e-07"),
        (float("nan"), "nan"),
        (np.int64(3), "3"),
        (np.float64(0.1), "0.1"),
        (np.float32(0.5), "0.5"),
        ("relu", "relu"),
        (None, None),
        (True, True),
    ],
)
def test_a_number_as_a_hyper_parameter_becomes_text(value: Any, text: Any) -> None:
    parameter = HyperParameter("p", value)
    assert parameter.value == text
    assert type(parameter.value) is type(text)
    parameter.value = value
    assert parameter.value == text


@given(st.floats(allow_nan=False) | st.integers())
def test_the_text_of_a_number_reads_as_the_same_number(value: float) -> None:
    assert type(value)(as_text(value)) == value


def test_training_details_take_dicts() -> None:
    details = TrainingDetails(
        objective_function={"function": {"function": "Maximize", "facet": "F1"}, "notes": "n"},
        training_job_details={"hyper_parameters": [{"name": "a", "value": 1}]},
    )
    assert isinstance(details.objective_function, ObjectiveFunction)
    assert isinstance(details.objective_function.function, Function)
    assert isinstance(details.training_job_details, TrainingJobDetails)
    assert details.training_job_details.hyper_parameters[0].value == "1"
    assert details.to_content() == {
        "objective_function": {"function": {"function": "Maximize", "facet": "F1"}, "notes": "n"},
        "training_job_details": {"hyper_parameters": [{"name": "a", "value": "1"}]},
    }


def test_a_new_job_writes_its_empty_lists() -> None:
    assert TrainingJobDetails(training_arn="arn").to_content() == {
        "training_arn": "arn",
        "training_datasets": [],
        "training_metrics": [],
        "user_provided_training_metrics": [],
        "hyper_parameters": [],
        "user_provided_hyper_parameters": [],
    }


def test_metrics_and_parameters_are_added_to_those_of_people() -> None:
    details = TrainingDetails()
    details.add_metric(TrainingMetric("auc", 0.9, "n"))
    details.add_parameter(HyperParameter("depth", 3))
    job = details.training_job_details
    assert job is not None
    assert job.user_provided_training_metrics == [TrainingMetric("auc", 0.9, "n")]
    assert job.user_provided_hyper_parameters == [HyperParameter("depth", "3")]
    assert job.training_metrics == []
    assert job.hyper_parameters == []


def test_what_is_added_is_of_its_class_and_has_room() -> None:
    details = TrainingDetails()
    with pytest.raises(TypeError):
        details.add_metric({"name": "auc", "value": 1})  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        details.add_parameter(TrainingMetric("auc", 1))  # type: ignore[arg-type]
    for _ in range(50):
        details.add_metric(TrainingMetric("auc", 1))
    with pytest.raises(ValueError, match="room for 50 items, not for 51"):
        details.add_metric(TrainingMetric("auc", 1))
    for _ in range(100):
        details.add_parameter(HyperParameter("depth", "1"))
    with pytest.raises(ValueError, match="room for 100 items, not for 101"):
        details.add_parameter(HyperParameter("depth", "1"))
