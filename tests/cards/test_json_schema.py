from __future__ import annotations

import copy
from importlib import resources
from typing import Any

import pytest
from card_content import contents, path_of, placed
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from driftline.cards.json_schema import schema, schema_text
from driftline.cards.limits import METRIC, RULES, Text
from driftline.cards.validation import problems

JUDGE = Draft202012Validator(schema())


def test_the_file_is_the_schema() -> None:
    kept = resources.files("driftline.cards").joinpath("schema/model-card.json").read_text("utf-8")
    assert kept == schema_text()


def test_the_schema_is_a_schema() -> None:
    Draft202012Validator.check_schema(schema())


@given(contents())
def test_valid_content_fits(content: dict[str, Any]) -> None:
    JUDGE.validate(content)


SAID_BY_VALIDATION_ALONE = ("NUL", "surrogate", "labels", "first row", "double", "the content has")


def mutated(content: Any, random: Any) -> Any:
    """Return a copy with one value somewhere replaced."""
    content = copy.deepcopy(content)
    places: list[tuple[Any, Any]] = []

    def walk(value: Any) -> None:
        for key in value if isinstance(value, dict) else range(len(value)):
            places.append((value, key))
            if isinstance(value[key], (dict, list)):
                walk(value[key])

    walk(content)
    if places:
        inside, key = random.choice(places)
        inside[key] = random.choice(
            ["", "x" * 300, 0, -1, 1.5, True, [], [1], ["x"] * 101, {}, {"x": 1}, "number"]
        )
    return content


@given(contents(), st.randoms(use_true_random=False))
def test_schema_and_validation_agree(content: dict[str, Any], random: Any) -> None:
    changed = mutated(content, random)
    found = [p for p in problems(changed) if not any(word in p.what for word in SAID_BY_VALIDATION_ALONE)]
    assert JUDGE.is_valid(changed) == (not found), found


@pytest.mark.parametrize("pattern", [p for p, rule in RULES.items() if isinstance(rule, Text) and rule.high])
def test_texts_at_their_limit(pattern: str) -> None:
    high = RULES[pattern].high
    assert JUDGE.is_valid(placed(pattern, "x" * high))
    assert not JUDGE.is_valid(placed(pattern, "x" * (high + 1))), path_of(pattern)


def test_names_that_parsers_make() -> None:
    pattern = "evaluation_details.*.metric_groups.*.name"
    assert JUDGE.is_valid(placed(pattern, "explanations - pdp".ljust(255, "x")))
    assert not JUDGE.is_valid(placed(pattern, "explanations - pdp".ljust(256, "x")))


def test_a_metric_fits_one_shape() -> None:
    for kind, value in (("number", "x"), ("boolean", 1), ("matrix", [1]), ("bar_chart", [[1]]), ("other", 1)):
        assert not JUDGE.is_valid(placed(METRIC, {"name": "m", "type": kind, "value": value})), kind
