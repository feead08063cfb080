"""What driftline writes fits the schema that CloudFormation has for ``AWS::SageMaker::ModelCard``.

The schema comes with cfn-lint. Known differences, where driftline takes more: an empty list of source algorithms, or
several; a hyper-parameter without a value or with an empty one; keys of custom details without a letter.
"""

from __future__ import annotations

import json
import re
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest
from card_content import contents, placed
from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER
from hypothesis import given
from jsonschema import Draft7Validator

from driftline.cards.limits import METRIC, RULES, Items, Number, Text
from driftline.cards.validation import problems

if TYPE_CHECKING:
    from pathlib import Path

FREE_KEYS = ("custom_details", "metadata")


@cache
def judge() -> Draft7Validator:
    published = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", "AWS::SageMaker::ModelCard").schema
    return Draft7Validator({"definitions": published["definitions"], "$ref": "#/definitions/Content"})


def pascal(value: Any) -> Any:
    """Return content with the keys that CloudFormation has."""
    if isinstance(value, dict):
        return {
            "".join(word.capitalize() for word in key.split("_")): item if key in FREE_KEYS else pascal(item)
            for key, item in value.items()
        }
    return [pascal(item) for item in value] if isinstance(value, list) else value


def without_known_differences(content: dict[str, Any]) -> dict[str, Any]:
    content = json.loads(json.dumps(content))
    package = content.get("model_package_details", {})
    if package.get("source_algorithms") == []:
        del package["source_algorithms"]
    elif "source_algorithms" in package:
        package["source_algorithms"] = package["source_algorithms"][:1]
    job = content.get("training_details", {}).get("training_job_details", {})
    for name in ("hyper_parameters", "user_provided_hyper_parameters"):
        job[name] = [h for h in job.get(name, []) if re.search(".", h.get("value", ""))]
    maps = [content.get("additional_information", {}).get("custom_details", {})]
    maps += [evaluation.get("metadata", {}) for evaluation in content.get("evaluation_details", [])]
    for free in maps:
        for key in [key for key in free if not re.search("[a-zA-Z_]", key)]:
            del free[key]
    return content


@given(contents())
def test_valid_content_fits(content: dict[str, Any]) -> None:
    judge().validate(pascal(without_known_differences(content)))


def test_sample_cards_fit(data: Path) -> None:
    for path in sorted((data / "content").glob("*.json")):
        judge().validate(pascal(json.loads(path.read_text())))


@pytest.mark.parametrize(
    "content",
    [
        placed("model_package_details.source_algorithms", []),
        placed("model_package_details.source_algorithms", [{"algorithm_name": "a"}] * 2),
        placed("training_details.training_job_details.hyper_parameters", [{"name": "h"}]),
        placed("training_details.training_job_details.hyper_parameters", [{"name": "h", "value": ""}]),
        placed("additional_information.custom_details", {"1": "x"}),
    ],
)
def test_known_differences_are_real(content: dict[str, Any]) -> None:
    assert problems(content) == []
    assert not judge().is_valid(pascal(content))


# What CloudFormation lets pass, and driftline does not: texts measured by an unanchored pattern, lists measured inside
# their items, and texts that have no length there.
LOOSER_THERE = {
    "model_package_details.domain",
    "model_package_details.task",
    "model_package_details.inference_specification.containers.*.nearest_model_name",
}


@pytest.mark.parametrize("pattern", [p for p, rule in RULES.items() if isinstance(rule, Text) and rule.high])
def test_texts_are_never_longer_than_published(pattern: str) -> None:
    """Where CloudFormation states a length, driftline has the same."""
    high = RULES[pattern].high
    stated_by_pattern = pattern.endswith(".name") or "hyper_parameters" in pattern
    for size, fits in ((high, True), (high + 1, stated_by_pattern)):
        content = placed(pattern, "x" * size)
        if pattern.endswith("hyper_parameters.*.name"):
            above = pattern.removesuffix(".name")
            content = placed(above, {"name": "x" * size, "value": "needed there"})
        assert judge().is_valid(pascal(content)) == fits, size


def test_texts_without_limit_have_none_there() -> None:
    free = {p for p, rule in RULES.items() if isinstance(rule, Text) and rule.high is None}
    assert free == LOOSER_THERE
    for pattern in free:
        assert judge().is_valid(pascal(placed(pattern, "x" * 5000)))


@pytest.mark.parametrize(
    "pattern", [p for p, rule in RULES.items() if isinstance(rule, Items) and rule.high is not None]
)
def test_lists_are_never_longer_than_published(pattern: str) -> None:
    high = RULES[pattern].high
    item: Any = {"name": "m", "value": 1, "algorithm_name": "a", "image": "i"}
    wanted = {
        "metrics": ("name", "value"),
        "parameters": ("name", "value"),
        "algorithms": ("algorithm_name",),
        "containers": ("image",),
    }
    names = next((names for end, names in wanted.items() if pattern.endswith(end)), None)
    item = "x" if names is None else {name: item[name] for name in names}
    if pattern.endswith("parameters"):
        item["value"] = "1"
    one_there = pattern.endswith("source_algorithms")
    inside_items = pattern.endswith(("metrics", "parameters"))
    assert judge().is_valid(pascal(placed(pattern, [item] * high))) != one_there
    assert judge().is_valid(pascal(placed(pattern, [item] * (high + 1)))) == inside_items


@pytest.mark.parametrize("pattern", [p for p, rule in RULES.items() if isinstance(rule, Number)])
def test_numbers_have_the_published_minimum(pattern: str) -> None:
    minimum = RULES[pattern].minimum
    assert judge().is_valid(pascal(placed(pattern, 0))) == (minimum is None)


def test_matrices_have_the_published_size() -> None:
    for size, fits in ((20, True), (21, False)):
        content = placed(METRIC, {"name": "m", "type": "matrix", "value": [[1] * size] * size})
        assert judge().is_valid(pascal(content)) == fits == (problems(content) == [])
