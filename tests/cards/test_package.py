from __future__ import annotations

import pytest

from driftline.cards.package import (
    Container,
    InferenceSpecification,
    ModelPackage,
    ModelPackageCreator,
    ModelPackageModelCard,
    SourceAlgorithm,
)


def test_a_package_in_full() -> None:
    package = ModelPackage(
        model_package_arn="arn",
        model_package_status="InProgress",
        model_approval_status="PendingManualApproval",
        model_package_version=1,
        created_by=ModelPackageCreator("ann"),
        source_algorithms=[SourceAlgorithm("algorithm")],
        inference_specification=InferenceSpecification([Container("image", nearest_model_name="near")]),
        model_metrics={"Bias": {}},
    )
    assert package.to_content() == {
        "model_package_arn": "arn",
        "model_package_status": "InProgress",
        "model_approval_status": "PendingManualApproval",
        "model_package_version": 1,
        "created_by": {"user_profile_name": "ann"},
        "source_algorithms": [{"algorithm_name": "algorithm"}],
        "inference_specification": {"containers": [{"image": "image", "nearest_model_name": "near"}]},
    }
    assert ModelPackage.from_content(package.to_content()) == package


def test_containers_are_at_most_fifteen() -> None:
    assert len(InferenceSpecification([Container("i")] * 15).containers) == 15
    with pytest.raises(ValueError, match="room for 15 items"):
        InferenceSpecification([Container("i")] * 16)


def test_source_algorithms_are_at_most_fifteen() -> None:
    assert len(ModelPackage(source_algorithms=[{"algorithm_name": "a"}] * 15).source_algorithms) == 15
    with pytest.raises(ValueError, match="room for 15 items"):
        ModelPackage(source_algorithms=[SourceAlgorithm("a")] * 16)


@pytest.mark.parametrize("name", ["model_package_status", "model_approval_status"])
def test_statuses_are_those_that_exist(name: str) -> None:
    with pytest.raises(ValueError, match="expected one of"):
        ModelPackage(**{name: "Done"})


def test_the_card_inside_a_package() -> None:
    card = ModelPackageModelCard("{}", "Draft")
    assert card.to_content() == {"model_card_content": "{}", "model_card_status": "Draft"}
    assert ModelPackageModelCard().to_content() == {}
