"""Cards of the Hub: header, results and chapters become fields of a card; what does not is told."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from driftline.cards.convert import huggingface
from driftline.cards.convert.converted import Meta
from driftline.cards.convert.header import read_header, split
from driftline.cards.errors import CardError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def folder(data: Path) -> Path:
    return data / "convert" / "huggingface"


def _read(folder: Path, name: str) -> Any:
    return huggingface.read((folder / name).read_bytes(), name)


def test_results_become_evaluations(folder: Path) -> None:
    found = _read(folder, "income.md")
    job = found.content["evaluation_details"][0]
    assert (job["name"], job["datasets"]) == ("Adult (census of 1994)", ["uci/adult"])
    assert job["metadata"]["dataset_split"] == "test"
    assert job["metadata"]["dataset_revision"] == "5503434ddd753f426f4b38109466949a1217c2bb"
    assert job["metric_groups"] == [
        {
            "name": "Tabular Classification",
            "metric_data": [
                {"name": "Accuracy", "type": "number", "value": 0.8534},
                {"name": "F1 of >50K", "type": "string", "value": "0.71 ± 0.02"},
            ],
        },
        {"name": "tabular-regression", "metric_data": [{"name": "mae", "type": "number", "value": 12}]},
    ]
    verified = [one for one in found.extensions["evaluation"] if one.get("verified")]
    assert [one["metric"] for one in verified] == ["Accuracy"]


def test_header_and_chapters_become_fields(folder: Path) -> None:
    found = _read(folder, "income.md")
    beyond = found.extensions
    assert found.name == "income-small"
    assert beyond["catalogue"]["languages"] == ["en", "no"], "no is a language, not false"
    assert beyond["legal"] == {"licence": "census-terms-1.0", "licence_uri": "https://example.org/terms"}
    assert beyond["environment"]["carbon_kg"] == 1.5
    assert (
        beyond["scope"]["out_of_scope_uses"][1] == "Forms from before 1990,\nwhose wages mean something else"
    )
    assert beyond["base_models"] == [{"name": "example/income-base", "relation": "fine-tuned"}]
    assert found.content["intended_uses"]["purpose_of_model"] == "Ordering of forms."
    parameters = found.content["training_details"]["training_job_details"]["hyper_parameters"]
    assert {"name": "C", "value": "0.5"} in parameters
    assert found.content["additional_information"]["custom_details"] == {
        "language(s) (nlp)": "English",
        "Fairness promise": "We publish the rates of every group.",
    }
    assert found.lost == (
        "Model Description (line 85), license: the header, or a chapter before it, says something else",
        "metrics: no value is given for bleu",
        "thumbnail: a card has no place for it",
        "model-index.0.results.1.metrics.0.value: a metric has a name, and is a number, true or false, or text of at "
        "most 63 characters",
        "co2_eq_emissions.training_type: a card has no place for it",
    )


def test_cards_that_a_trainer_wrote(folder: Path) -> None:
    found = _read(folder, "trainer.md")
    assert "intended_uses" not in found.content, "a text that says a text is missing says nothing"
    assert len(found.content["training_details"]["training_job_details"]["hyper_parameters"]) == 4
    assert found.extensions["third_party"] == [
        {"name": "Transformers", "version": "4.51.0"},
        {"name": "Pytorch", "version": "2.7.0+cu126"},
    ]
    assert found.lost == ("metrics: no value is given for accuracy",)


def test_every_chapter_of_the_template_has_a_place(folder: Path) -> None:
    template = (folder / "template.md").read_text(encoding="utf-8").replace("{{ card_data }}", "license: mit")
    told = {"hours_used": "12", "co2_emitted": "3 kg"}
    names = re.findall(r"\{\{ (\w+) ", template)
    card = re.sub(r"\{\{ (\w+) .*?\}\}", lambda found: told.get(found[1], f"text-of-{found[1]}"), template)
    found = huggingface.read(card.encode())
    said = "Model Description (line 15), license: the header, or a chapter before it, says something else"
    assert found.lost == (said,)
    whole = json.dumps([found.content, found.extensions])
    # The header says licence and language already.
    missing = [name for name in names if name not in told and f"text-of-{name}" not in whole]
    assert missing == ["license"]
    assert (found.extensions["environment"]["hours"], found.extensions["environment"]["carbon_kg"]) == (12, 3)


def test_the_empty_template_says_nothing(folder: Path) -> None:
    template = (folder / "template.md").read_text(encoding="utf-8").replace("{{ card_data }}", "{}")
    empty = re.sub(r"\{\{ (\w+) \| default\(\"(.*?)\", true\) ?\}\}", r"\2", template)
    assert "{{" not in empty
    found = huggingface.read(empty.encode())
    assert "model_overview" not in found.content
    assert set(found.content) <= {"additional_information", "intended_uses"}
    assert found.lost == ()


def test_written_cards_read_well() -> None:
    content = {
        "model_overview": {
            "model_name": "churn",
            "model_creator": "Ann",
            "model_description": "Finds\n\n# leavers",
        },
        "evaluation_details": [
            {
                "name": "Held-out month",
                "datasets": ["team/churn"],
                "metric_groups": [
                    {"name": "quality", "metric_data": [{"name": "AUC", "type": "number", "value": 0.9}]},
                    {
                        "name": "curves",
                        "metric_data": [{"name": "ROC", "type": "linear_graph", "value": [[0, 0], [1, 1]]}],
                    },
                ],
            }
        ],
    }
    beyond = {
        "legal": {"licence": "Apache-2.0"},
        "evaluation": [
            {"evaluation": "Held-out month", "group": "quality", "metric": "AUC", "verified": True}
        ],
    }
    text = huggingface.write(content, beyond, Meta("churn")).data.decode()
    header, body, _ = split(text, None)
    assert header is not None
    values = read_header(header)
    assert values["license"] == "apache-2.0"
    assert values["model-index"] == [
        {
            "name": "churn",
            "results": [
                {
                    "task": {"type": "quality", "name": "quality"},
                    "dataset": {"type": "team/churn", "name": "Held-out month"},
                    "metrics": [{"type": "auc", "value": 0.9, "name": "AUC", "verified": True}],
                }
            ],
        }
    ]
    assert body.startswith(
        "\n# Model Card for churn\n\n## Model Details\n\n### Model Description\n\nFinds\n\n\\# leavers\n"
    )
    assert "- **Developed by:** Ann\n" in body
    assert "| Held-out month | quality | AUC | 0.9 |" in body
    public = huggingface.write(content, beyond, Meta("churn", keep=False))
    assert b"driftline" not in public.data
    assert public.lost == ("evaluation_details.0.metric_groups: a Hugging Face card has no place for it",)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"---\na: 1\n", "E-CARD-DOCUMENT: x.md:1: the header is not closed"),
        (b"\n---\na: [\n---\n", "E-CARD-YAML: x.md:"),
        (b"---\na: 1\na: 2\n---\n", "E-CARD-YAML: x.md:3: the key 'a' is there twice"),
        (b"a\n\xff", "E-CARD-DOCUMENT: x.md:2: byte 2 is not valid UTF-8"),
        (b"x" * (8 * 1024 * 1024 + 1), "more than the limit of 8,388,608"),
        (
            b"---\ndriftline: 1\n---\n",
            "x.md: driftline: what driftline keeps in a header is not as it wrote it",
        ),
        (b"---\ndriftline:\n  put:\n    /content/a/b: 1\n---\n", "what driftline kept in it does not fit"),
        (b"---\ndriftline:\n  put:\n    /content/model_overview: {model_nam: x}\n---\n", "E-CARD"),
    ],
)
def test_what_is_no_card(text: bytes, said: str) -> None:
    try:
        found = huggingface.read(text, "x.md")
    except CardError as error:
        assert said in str(error)  # noqa: PT017
    else:
        assert any("the document was changed after driftline wrote it" in line for line in found.lost)


def test_long_texts_go_whole_where_there_is_room() -> None:
    description, uses, code = "d " * 800, "u " * 1500, "line of code\n" * 200
    card = f"# x\n\n{description}\n\n## Direct Use\n\n{uses}\n\n## Odd chapter\n\n{code}\n\n## Endless\n\n{'y' * 5000}\n"
    found = huggingface.read(card.encode())
    assert found.extensions["architecture"]["description"] == description.strip()
    assert found.extensions["instructions_for_use"]["description"] == uses.strip()
    details = found.content["additional_information"]["custom_details"]
    assert "\n".join(details.values()) == code.strip()
    assert list(details) == ["Odd chapter", "Odd chapter (2)", "Odd chapter (3)"]
    assert found.lost == ("Endless (line 213): has 5,000 characters, custom details have no room for it",)


def test_large_cards_are_read_quickly() -> None:
    many = "\n".join(f"## chapter {n}\ntext" for n in range(100_000))
    found = huggingface.read(f"# x\n{many}\n".encode())
    assert len(found.content["additional_information"]["custom_details"]) == 200
    assert found.lost[-1] == "and 98,800 more"
    huggingface.read(b"<!--" * 500_000)
    huggingface.read(b"- **a" * 200_000)
