from __future__ import annotations

import json
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import pytest
from card_content import contents
from hypothesis import given

from driftline.cards.content import SECTIONS, content_of, parse, sections_of, serialise
from driftline.cards.errors import CardError, CardTypeError
from driftline.cards.evaluation import EvaluationJob, Metric
from driftline.cards.overview import ModelOverview
from driftline.cards.package import ModelPackage
from driftline.cards.sections import BusinessDetails, IntendedUses
from driftline.cards.training import TrainingDetails
from driftline.cards.validation import problems
from driftline.errors import DocumentError

if TYPE_CHECKING:
    from pathlib import Path

SAMPLES = ("seed_sample_card", "model_package_card")


@pytest.mark.parametrize("name", SAMPLES)
def test_a_card_is_saved_as_it_was_loaded(name: str, data: Path) -> None:
    text = (data / "content" / f"{name}.content.json").read_text()
    in_the_form_of_the_sdk = json.dumps(json.loads(text))
    assert serialise(parse(text)) == in_the_form_of_the_sdk
    assert serialise(content_of(sections_of(parse(text)))) == in_the_form_of_the_sdk
    assert problems(parse(text)) == []


def test_a_card_of_a_package_may_have_a_model_id(data: Path) -> None:
    text = (data / "content" / "model_package_card.content.json").read_text()
    sections = sections_of(parse(text))
    assert sections["model_overview"].model_id == sections["model_package_details"].model_package_arn
    assert isinstance(sections["model_package_details"], ModelPackage)


def test_the_sample_card_is_made_from_its_parts(data: Path) -> None:
    job = "arn:aws:sagemaker:us-east-1:123456789012:training-job/linear-learner-2022-11-30-00-00-00-000"
    details = TrainingDetails(
        objective_function={
            "function": {"function": "Minimize", "facet": "Loss"},
            "notes": "This is a example objective function.",
        },
        training_observations="Additional training observations could be put here.",
    )
    from driftline.cards.training import TrainingJobDetails

    details.training_job_details = TrainingJobDetails(
        training_arn=job,
        training_environment={"container_image": ["registry.example/linear-learner:1"]},
        training_metrics=[
            {"name": "train:binary_f_beta", "value": 0.9655172},
            {"name": "train:objective_loss", "value": 0.321},
        ],
        hyper_parameters=[
            {"name": "feature_dim", "value": 2},
            {"name": "mini_batch_size", "value": "10"},
            {"name": "predictor_type", "value": "binary_classifier"},
        ],
    )
    evaluation = EvaluationJob(
        name="Example evaluation job",
        evaluation_observation="Evaluation observations.",
        datasets=["s3://path/to/evaluation/data"],
    )
    group = evaluation.add_metric_group("binary classification metrics")
    group.add_metric(Metric(name="accuracy", type="number", value=0.5))
    expected = json.loads((data / "content" / "seed_sample_card.content.json").read_text())
    made = content_of({"evaluation_details": [evaluation], "training_details": details})
    wanted = {name: expected[name] for name in ("training_details", "evaluation_details")}
    assert json.dumps(made) == json.dumps(wanted)


# --- putting together --------------------------------------------------------------------------------------------


def test_sections_are_in_their_order_and_only_those_that_are_there() -> None:
    made = content_of(
        {
            "model_package_details": ModelPackage(),
            "evaluation_details": [],
            "business_details": None,
            "intended_uses": IntendedUses(),
            "model_overview": {"model_name": "x"},
        }
    )
    assert list(made) == ["model_overview", "intended_uses", "model_package_details"]
    assert content_of({}) == {}


def test_a_section_that_cards_do_not_have() -> None:
    with pytest.raises(CardTypeError, match="no section 'business_detail'; did you mean 'business_details'"):
        content_of({"business_detail": None})
    with pytest.raises(CardTypeError, match="no section 'whatever'"):
        sections_of({"whatever": {}})
    with pytest.raises(CardTypeError, match="list of evaluation jobs"):
        sections_of({"evaluation_details": {"name": "x"}})


def test_sections_have_their_classes() -> None:
    sections = sections_of(
        {"model_overview": {}, "business_details": None, "evaluation_details": [{"name": "e"}]}
    )
    assert isinstance(sections["model_overview"], ModelOverview)
    assert sections["evaluation_details"] == [EvaluationJob("e")]
    assert "business_details" not in sections


@given(contents())
def test_content_through_the_classes_is_the_same(content: dict[str, Any]) -> None:
    ordered = {name: content[name] for name in SECTIONS if content.get(name, []) != []}
    assert json.dumps(content_of(sections_of(content))) == json.dumps(ordered)


# --- text --------------------------------------------------------------------------------------------------------


@given(contents())
def test_what_is_written_is_read(content: dict[str, Any]) -> None:
    text = serialise(content)
    assert parse(text) == content
    assert parse(text.encode()) == content
    assert serialise(parse(text)) == text
    assert "\n" not in text


def test_ascii_is_written_as_the_sdk_does_and_the_rest_as_itself() -> None:
    content = {"model_overview": {"model_name": 'a "b"\\\n', "model_artifact": [], "model_version": 1.0}}
    assert serialise(content) == json.dumps(content)
    assert (
        serialise({"model_overview": {"model_name": "模型 é"}})
        == '{"model_overview": {"model_name": "模型 é"}}'
    )


class Colour(StrEnum):
    RED = "red"


def test_objects_of_the_classes_are_written_too() -> None:
    assert (
        serialise({"business_details": BusinessDetails("p"), "evaluation_details": (EvaluationJob("e"),)})
        == '{"business_details": {"business_problem": "p"}, '
        '"evaluation_details": [{"name": "e", "datasets": [], "metric_groups": []}]}'
    )
    assert (
        serialise({"model_overview": {"model_name": Colour.RED}})
        == '{"model_overview": {"model_name": "red"}}'
    )


@pytest.mark.parametrize("value", [float("nan"), float("inf"), object(), {1, 2}, b"x"])
def test_what_json_cannot_hold_is_refused_with_its_place(value: Any) -> None:
    content = {
        "training_details": {"training_job_details": {"training_metrics": [{"name": "m", "value": value}]}}
    }
    with pytest.raises(CardError) as caught:
        serialise(content)
    assert caught.value.field == "training_details.training_job_details.training_metrics.0.value"


@pytest.mark.parametrize(
    "text",
    ["", "{", '{"a": 1, "a": 2}', '{"a": NaN}', '{"a": 1e999}', b"\xff", "[" * 200 + "]" * 200],
)
def test_text_that_is_no_strict_json(text: str | bytes) -> None:
    with pytest.raises(DocumentError, match=r"card\.json"):
        parse(text, "card.json")


@pytest.mark.parametrize("source", ["[]", "1", '"x"', "null", [], None, 1])
def test_content_is_an_object(source: Any) -> None:
    with pytest.raises(CardError, match="expected an object with sections"):
        parse(source)


def test_null_members_are_left_out_and_numbers_of_settings_become_text() -> None:
    source = {
        "model_overview": {"model_name": None, "model_artifact": []},
        "business_details": None,
        "training_details": {
            "training_job_details": {
                "hyper_parameters": [{"name": "a", "value": 1}, {"name": "b", "value": None}],
                "user_provided_hyper_parameters": [{"name": "c", "value": 0.1}, {"name": "d", "value": True}],
                "training_metrics": [{"name": "m", "value": 1, "notes": None}],
            }
        },
        "additional_information": {"custom_details": {"kept": None}},
        "unknown": None,
    }
    before = json.dumps(source)
    assert parse(source) == {
        "model_overview": {"model_artifact": []},
        "training_details": {
            "training_job_details": {
                "hyper_parameters": [{"name": "a", "value": "1"}, {"name": "b"}],
                "user_provided_hyper_parameters": [
                    {"name": "c", "value": "0.1"},
                    {"name": "d", "value": True},
                ],
                "training_metrics": [{"name": "m", "value": 1}],
            }
        },
        "additional_information": {"custom_details": {"kept": None}},
        "unknown": None,
    }
    assert json.dumps(source) == before  # a copy


def test_a_mapping_that_nests_without_end() -> None:
    around: dict[str, Any] = {}
    around["model_overview"] = around
    with pytest.raises(CardError, match="nests too deep"):
        parse(around)


def test_sections_are_seven() -> None:
    assert SECTIONS == (
        "model_overview",
        "intended_uses",
        "business_details",
        "training_details",
        "evaluation_details",
        "additional_information",
        "model_package_details",
    )
