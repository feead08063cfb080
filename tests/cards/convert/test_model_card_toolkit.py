"""Cards of Model Card Toolkit: both schemas are read, the newer one is written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from card_strategies import contents, extensions
from hypothesis import given
from jsonschema import Draft7Validator

from driftline.cards.convert import model_card_toolkit
from driftline.cards.convert.converted import Meta
from driftline.cards.errors import CardError

FOLDER = Path(__file__).parents[2] / "data" / "cards" / "convert" / "model_card_toolkit"
VALIDATOR = Draft7Validator(json.loads((FOLDER / "schema-0.0.2.json").read_bytes()))


@given(content=contents(), beyond=extensions())
def test_what_is_written_follows_the_schema(content: dict[str, Any], beyond: dict[str, Any]) -> None:
    written = model_card_toolkit.write(content, beyond, Meta("churn"))
    assert [error.message for error in VALIDATOR.iter_errors(json.loads(written.data))] == []


def test_the_example() -> None:
    found = model_card_toolkit.read((FOLDER / "cats.json").read_bytes(), "cats.json")
    assert found.content["model_overview"] == {
        "model_name": "Cat or dog",
        "model_description": "Tells pictures of cats from pictures of dogs.",
        "model_version": 2.0,
        "model_owner": "Pets team",
        "model_artifact": ["models/cats"],
    }
    assert found.extensions["change_log"] == [
        {"date": "2020-08-28", "version": "v2.0", "description": "More dogs."}
    ]
    assert found.extensions["io"]["decision_threshold"] == 0.5
    assert found.extensions["evaluation"][0]["confidence_interval"] == {"low": 0.98, "high": 1.0}
    assert [group["name"] for group in found.content["evaluation_details"][0]["metric_groups"]] == [
        "all data",
        "cat",
        "dog",
    ]
    assert found.lost == (
        "model_details.owners.1.contact: a contact has a name",
        "model_details.licenses.1.custom_text: a card names one licence",
        "model_parameters.data.0.graphics.collection: a card has no images; metrics can be charts",
        "model_parameters.data.0.graphics.description: a card has no place for it",
        "quantitative_analysis.performance_metrics.2.confidence_interval.lower_bound: an interval has two ends",
        "quantitative_analysis.graphics.collection: a card has no images; metrics can be charts",
    )


@pytest.mark.parametrize("name", ["cats.json", "old.json"])
def test_there_and_back(name: str) -> None:
    found = model_card_toolkit.read((FOLDER / name).read_bytes())
    written = model_card_toolkit.write(found.content, found.extensions, Meta("x"))
    again = model_card_toolkit.read(written.data)
    if not written.lost:
        assert (again.content, again.extensions) == (found.content, found.extensions)
    assert again.content == found.content


def test_the_older_schema() -> None:
    found = model_card_toolkit.read((FOLDER / "old.json").read_bytes())
    assert found.extensions["legal"] == {"licence": "Apache-2.0"}
    assert found.extensions["data"] == [
        {"name": "train", "uri": "data/train"},
        {"name": "eval", "description": "A tenth."},
    ]
    assert found.content["intended_uses"]["intended_uses"] == "Sorting albums.\nFinding lost pets."
    assert found.lost == ()


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (
            {"schema_version": "9"},
            "E-CARD-DOCUMENT: x: schema_version: schema version '9' is not one that driftline reads",
        ),
        (
            {"model": 1},
            "E-CARD-DOCUMENT: x: expected a card of Model Card Toolkit, with one of model_details",
        ),
    ],
)
def test_what_is_no_card(document: dict[str, Any], said: str) -> None:
    with pytest.raises(CardError) as caught:
        model_card_toolkit.read(json.dumps(document).encode(), "x")
    assert said in str(caught.value)


def test_many_metrics_are_read_quickly_and_told() -> None:
    metrics = [{"type": f"m{n}", "value": str(n), "slice": f"s{n}"} for n in range(20_000)]
    document = {"model_details": {}, "quantitative_analysis": {"performance_metrics": metrics}}
    found = model_card_toolkit.read(json.dumps(document).encode())
    assert found.lost[-1].startswith("and ")
