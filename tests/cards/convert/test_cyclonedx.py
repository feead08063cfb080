"""Bills of materials: what is written follows CycloneDX's own schema, what is read loses nothing silently."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from card_strategies import contents, extensions
from hypothesis import given
from jsonschema import Draft7Validator
from referencing import Registry, Resource

from driftline.cards.convert import cyclonedx
from driftline.cards.convert.converted import Meta
from driftline.cards.errors import CardError
from driftline.errors import DocumentError

FOLDER = Path(__file__).parents[2] / "data" / "cards" / "convert" / "cyclonedx"


def _validator() -> Draft7Validator:
    schemas = {path.name: json.loads(path.read_bytes()) for path in FOLDER.glob("*.schema.json")}
    base = "http://cyclonedx.org/schema/"
    registry: Registry[Any] = Registry().with_resources(
        (base + name, Resource.from_contents(schema)) for name, schema in schemas.items()
    )
    return Draft7Validator(schemas["bom-1.6.SNAPSHOT.schema.json"], registry=registry)


VALIDATOR = _validator()


def _example() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((FOLDER / "diffusion.json").read_bytes())
    return found


def test_the_example_follows_the_schema() -> None:
    assert list(VALIDATOR.iter_errors(_example())) == []
    assert list(VALIDATOR.iter_errors({**_example(), "bomFormat": "other"})) != [], (
        "the schema refuses something"
    )


@given(content=contents(), beyond=extensions())
def test_what_is_written_follows_the_schema(content: dict[str, Any], beyond: dict[str, Any]) -> None:
    for keep in (True, False):
        written = cyclonedx.write(content, beyond, Meta("churn", 1, keep=keep))
        assert [error.message for error in VALIDATOR.iter_errors(json.loads(written.data))] == []


def test_the_example() -> None:
    found = cyclonedx.read((FOLDER / "diffusion.json").read_bytes(), "bom.json")
    assert found.name == "pictures"
    assert found.content["model_overview"]["model_version"] == 1.4
    assert found.content["training_details"]["training_job_details"]["training_datasets"] == ["s3://set/more"]
    assert found.extensions["fairness"][0]["group"] == "People with rare names"
    assert found.extensions["compute"] == [
        {
            "activity": "training",
            "energy_kwh": 0.4,
            "carbon_kg": 500.0,
            "provider": "Grid",
            "region": "Oslo, Norway",
        }
    ]
    assert found.extensions["evaluation"][0]["confidence_interval"] == {"low": 8.1, "high": 9.1}
    places = [line.partition(": ")[0] for line in found.lost]
    card = "components.1.modelCard"
    assert places == [
        "components.1.hashes",
        f"{card}.modelParameters.datasets.0.classification",
        f"{card}.modelParameters.datasets.2.ref",
        f"{card}.quantitativeAnalysis.graphics.collection",
        f"{card}.quantitativeAnalysis.graphics.description",
        f"{card}.considerations.environmentalConsiderations.energyConsumptions.0.co2CostOffset",
        f"{card}.considerations.environmentalConsiderations.energyConsumptions.0.energyProviders.0.energySource",
        "components.0",
    ]


def test_written_document() -> None:
    content = {"model_overview": {"model_name": "churn", "model_id": "arn:x"}}
    beyond = {"compute": [{"activity": "testing", "energy_kwh": 2}], "legal": {"licence": "Our terms"}}
    document = json.loads(
        cyclonedx.write(content, beyond, Meta("churn", 3, moment=1_700_000_000_000_000)).data
    )
    assert document["version"] == 3
    assert document["metadata"] == {"timestamp": "2023-11-14T22:13:20Z"}
    component = document["components"][0]
    assert component["licenses"] == [{"license": {"name": "Our terms"}}]
    energy = component["modelCard"]["considerations"]["environmentalConsiderations"]["energyConsumptions"]
    assert energy == [
        {"activity": "validation", "energyProviders": [], "activityEnergyCost": {"value": 2, "unit": "kWh"}}
    ]
    kept = {one["name"]: one["value"] for one in component["modelCard"]["properties"]}
    assert kept["driftline:put:/content/model_overview/model_id"] == '"arn:x"'


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"bomFormat": "SPDX"}, "E-CARD-DOCUMENT: bom.json: bomFormat: expected a CycloneDX document"),
        (
            {"specVersion": "1.4"},
            "specVersion: version '1.4' is not one with model cards that driftline reads: 1.5",
        ),
        ({"components": []}, "components: none of its 0 components is of the type machine-learning-model"),
        ({"components": {"a": 1}}, "none of its 0 components"),
    ],
)
def test_what_is_no_model_card(change: dict[str, Any], said: str) -> None:
    with pytest.raises(CardError) as caught:
        cyclonedx.read(json.dumps({**_example(), **change}).encode(), "bom.json")
    assert said in str(caught.value)
    with pytest.raises(DocumentError, match="E-JSON"):
        cyclonedx.read(b"{", "bom.json")
    with pytest.raises(CardError, match="which is an object"):
        cyclonedx.read(b"[]", "bom.json")


def test_values_of_wrong_types_are_told() -> None:
    component = {
        "type": "machine-learning-model",
        "name": 5,
        "version": ["x"],
        "licenses": "MIT",
        "modelCard": {"modelParameters": [], "considerations": {"users": [1, "Ann"], "useCases": {"a": 1}}},
    }
    document = {"bomFormat": "CycloneDX", "specVersion": "1.6", "components": [component]}
    found = cyclonedx.read(json.dumps(document).encode())
    assert found.extensions == {"scope": {"primary_users": ["Ann"]}}
    assert [line.removeprefix("components.0.") for line in found.lost] == [
        "name: a card has no place for it",
        "version: a card has no place for it",
        "licenses: a card has no place for it",
        "modelCard.modelParameters: expected an object",
        "modelCard.considerations.users.0: expected text",
        "modelCard.considerations.useCases: a card has no place for it",
    ]


def test_fields_that_driftline_never_wrote_are_refused() -> None:
    card = {"properties": [{"name": "driftline:run", "value": "x"}]}
    component = {"type": "machine-learning-model", "name": "x", "modelCard": card}
    document = {"bomFormat": "CycloneDX", "specVersion": "1.6", "components": [component]}
    with pytest.raises(CardError, match="'driftline:run' is none of driftline's own fields"):
        cyclonedx.read(json.dumps(document).encode())
