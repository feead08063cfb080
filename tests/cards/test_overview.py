from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

import pytest

import driftline.cards
from driftline.cards.overview import Environment, ModelOverview
from driftline.cards.package import ModelPackage
from driftline.cards.training import TrainingDetails


def test_an_overview_by_position_and_by_keyword() -> None:
    overview = ModelOverview(
        "id", "name", "text", 2, "Regression", "GLM", "us", "them", ["s3://a"], Environment(["i"])
    )
    assert overview.to_content() == {
        "model_id": "id",
        "model_name": "name",
        "model_description": "text",
        "model_version": 2,
        "problem_type": "Regression",
        "algorithm_type": "GLM",
        "model_creator": "us",
        "model_owner": "them",
        "model_artifact": ["s3://a"],
        "inference_environment": {"container_image": ["i"]},
    }
    assert ModelOverview(**overview.to_content()) == overview


def test_images_are_a_list_of_at_most_fifteen() -> None:
    assert Environment(container_image=["i"] * 15).container_image[0] == "i"
    assert Environment(container_image=None).to_content() == {"container_image": []}
    with pytest.raises(ValueError, match="room for 15 items"):
        Environment(["i"] * 16)
    with pytest.raises(TypeError):
        Environment()  # type: ignore[call-arg]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """Give the calls that reach ``driftline.cards.population``."""
    calls: list[tuple[Any, ...]] = []

    class Population(ModuleType):
        def __getattr__(self, name: str) -> Any:
            return lambda *args, **kwargs: calls.append((name, *args, kwargs)) or name

    stub = Population("driftline.cards.population")
    monkeypatch.setitem(sys.modules, "driftline.cards.population", stub)
    monkeypatch.setattr(driftline.cards, "population", stub, raising=False)
    return calls


def test_what_is_recorded_is_asked_for_where_it_is_known(asked: list[tuple[Any, ...]]) -> None:
    overview, package = ModelOverview(), ModelPackage()
    ModelOverview.from_model_name("churn", sagemaker_session="s", model_owner="o")
    ModelOverview.from_name("churn", "s", model_owner="o")
    TrainingDetails.from_model_overview(overview, sagemaker_session="s", training_observations="t")
    TrainingDetails.from_model_s3_artifacts(model_artifacts=["a"], sagemaker_session="s")
    TrainingDetails.from_training_job_name(training_job_name="job")
    ModelPackage.from_model_package_arn("arn", "s")
    package.discover_training_details("s")
    package.discover_evaluation_details()
    package.get_latest_model_card_name_from_model_package_group("s")
    assert asked == [
        ("overview", ModelOverview, "churn", "s", {"model_owner": "o"}),
        ("overview", ModelOverview, "churn", "s", {"model_owner": "o"}),
        ("training_from_overview", TrainingDetails, overview, "s", {"training_observations": "t"}),
        ("training_from_artifacts", TrainingDetails, ["a"], "s", {}),
        ("training_from_job", TrainingDetails, "job", None, {}),
        ("package", ModelPackage, "arn", "s", {}),
        ("package_training", package, "s", {}),
        ("package_evaluation", package, None, {}),
        ("package_group_card", package, "s", {}),
    ]
