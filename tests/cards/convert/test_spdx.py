"""SPDX 3: what is written loads into SPDX's own model; what is read loses nothing silently."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import pytest
from card_strategies import contents, extensions
from hypothesis import given
from spdx_python_model import v3_0_1

from driftline.cards.convert import spdx
from driftline.cards.convert.converted import Meta
from driftline.cards.errors import CardError

if TYPE_CHECKING:
    from pathlib import Path


def _load(data: bytes) -> Any:
    """Load a document with SPDX's own bindings, which check types, words and counts."""
    found = v3_0_1.SHACLObjectSet()
    v3_0_1.JSONLDDeserializer().read(io.BytesIO(data), found)
    assert found.link() == set(), "every element that is named is there"
    # Writing checks that what must be there is there.
    v3_0_1.JSONLDSerializer().write(found, io.BytesIO())
    return found


@given(content=contents(), beyond=extensions())
def test_what_is_written_loads_into_the_model(content: dict[str, Any], beyond: dict[str, Any]) -> None:
    for keep in (True, False):
        written = spdx.write(content, beyond, Meta("churn", 1, keep=keep))
        (package,) = _load(written.data).foreach_type(v3_0_1.ai_AIPackage)
        assert package.name == ((content.get("model_overview") or {}).get("model_name") or "churn")


def test_the_example(data: Path) -> None:
    text = (data / "convert" / "spdx" / "sentiment.json").read_bytes()
    _load(text)
    found = spdx.read(text, "model.spdx3.json")
    assert found.name == "sentiment"
    assert found.content["intended_uses"] == {"intended_uses": "Reads reviews.", "risk_rating": "High"}
    assert found.content["model_overview"]["model_creator"] == "Example Inc"
    assert found.extensions["legal"] == {"standards": [{"name": "ISO/IEC 42001:2023"}], "licence": "CC0-1.0"}
    assert found.extensions["compute"] == [
        {"activity": "training", "energy_kwh": 0.0048},
        {"activity": "inference", "energy_kwh": pytest.approx(2.0)},
    ]
    assert found.extensions["data"][1] == {
        "name": "reviews",
        "uri": "https://example.org/reviews",
        "split": "train",
        "collection": "Copied from a shop.",
        "cleaning": "dropped empty ones",
        "personal_data": "no",
    }
    assert found.lost == (
        "@graph.4: an element of the type software_File has no place in a card",
        "@graph.5.software_copyrightText: a card has no place for it",
        "@graph.5.ai_energyConsumption.ai_inferenceEnergyConsumption.1.ai_energyQuantity: expected kilowatt hours or "
        "megajoules",
        "@graph.6.dataset_datasetType: a card does not say of what type data are",
        "@graph.6.dataset_datasetSize: a card counts rows, not bytes",
    )


def test_small_numbers_are_decimals() -> None:
    beyond = {"compute": [{"activity": "inference", "energy_kwh": 3.6e-06}]}
    written = spdx.write({}, beyond, Meta("x", keep=False))
    assert b'"ai_energyQuantity": "0.0000036"' in written.data
    assert spdx.read(written.data).extensions == beyond


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({"spdxVersion": "SPDX-2.3"}, "E-CARD-DOCUMENT: x: @context: expected SPDX 3.0 as JSON-LD"),
        (
            {
                "@context": "https://spdx.org/rdf/3.0.1/spdx-context.jsonld",
                "@graph": [{"type": "software_File"}, 1],
            },
            "E-CARD-DOCUMENT: x: @graph: it has no element of the type ai_AIPackage",
        ),
    ],
)
def test_what_is_no_ai_package(document: dict[str, Any], said: str) -> None:
    with pytest.raises(CardError) as caught:
        spdx.read(json.dumps(document).encode(), "x")
    assert said in str(caught.value)


def test_values_of_wrong_types_are_told() -> None:
    package = {
        "type": "ai_AIPackage",
        "name": ["x"],
        "suppliedBy": 5,
        "ai_metric": [{"key": "a", "value": 5}, 7],
        "ai_energyConsumption": "much",
        "ai_safetyRiskAssessment": "awful",
        "extension": ["x", {"type": "other"}],
    }
    graph = [package, {"type": "Relationship", "from": None, "to": 5, "relationshipType": "trainedOn"}]
    found = spdx.read(json.dumps({"@context": "https://spdx.org/rdf/3.0.1/", "@graph": graph}).encode())
    assert found.content == {}
    assert {line.partition(": ")[0] for line in found.lost} >= {
        "@graph.0.name",
        "@graph.0.ai_safetyRiskAssessment",
    }
