"""The seed post's five snippets run as they stand there; only the import and the session are driftline's."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

import driftline.cards
from driftline.registry import cards
from driftline.registry.importing.sagemaker import from_sagemaker

if TYPE_CHECKING:
    from pathlib import Path

    from driftline.workspace import Workspace

MODEL = "model-card-test-model"


def run(snippets: list[str], names: dict[str, Any]) -> None:
    for snippet in snippets:
        exec(compile(snippet, "seed.md", "exec"), names)


@pytest.fixture
def snippets(data: Path) -> list[str]:
    found = re.findall(
        r"^```python\n(.*?)^```$", (data / "seed.md").read_text("utf-8"), re.DOTALL | re.MULTILINE
    )
    assert len(found) == 5
    return found


def names_of(session: object) -> dict[str, Any]:
    """What `from driftline.cards import *` and the cell before give."""
    names: dict[str, Any] = {}
    exec("from driftline.cards import *", names)
    return names | {"model_name": MODEL, "sagemaker_session": session}


@pytest.fixture
def imported(workspace: Workspace, data: Path) -> Workspace:
    folder = data / "sagemaker"
    from_sagemaker(
        workspace.registry, [folder / "describe_model.json", folder / "describe_training_job.json"], MODEL
    )
    return workspace


def test_the_snippets_make_the_sample_card(
    imported: Workspace, snippets: list[str], data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = names_of(imported)
    run(snippets, names)
    with imported.registry.read() as tx:
        stored = cards.version(tx, "sample-notebook-model-card")
        card = cards.get(tx, "sample-notebook-model-card")
    wanted = json.loads((data / "content" / "seed_sample_card.content.json").read_text("utf-8"))
    # As text: the order of the keys is the SDK's, too.
    assert json.dumps(stored.content) == json.dumps(wanted)
    assert (card.status, card.version, card.model, card.risk_rating) == ("Draft", 1, MODEL, "Low")
    overview, training = wanted["model_overview"], wanted["training_details"]["training_job_details"]
    assert capsys.readouterr().out.splitlines() == [
        overview["model_id"],
        str(overview["inference_environment"]["container_image"]),
        str(overview["model_artifact"]),
        training["training_arn"],
        str(training["training_environment"]["container_image"]),
        str(training["training_metrics"]),
    ]


def test_the_card_knows_where_its_values_came_from(
    imported: Workspace, snippets: list[str], data: Path
) -> None:
    run(snippets, names_of(imported))
    with imported.registry.read() as tx:
        stored = cards.version(tx, "sample-notebook-model-card")
    wanted = json.loads((data / "content" / "seed_sample_card.content.json").read_text("utf-8"))
    model, job = (
        wanted["model_overview"]["model_id"],
        wanted["training_details"]["training_job_details"]["training_arn"],
    )
    found = {path: said["source"] for path, said in stored.provenance.items()}
    below = "training_details.training_job_details"
    assert found == {
        "model_overview.model_name": f"models/{MODEL}/1",
        "model_overview.model_id": model,
        "model_overview.model_artifact": model,
        "model_overview.inference_environment.container_image": model,
        f"{below}.training_arn": job,
        f"{below}.training_environment.container_image": job,
        f"{below}.training_metrics": job,
        f"{below}.hyper_parameters": job,
    }
    assert all(re.fullmatch(r"\d{4}-.*Z", said["moment"]) for said in stored.provenance.values())


def test_either_name_of_the_session_will_do(imported: Workspace, snippets: list[str]) -> None:
    code = "\n".join(snippets).replace("sagemaker_session=sagemaker_session", "workspace=sagemaker_session")
    assert code.count("workspace=") == 3
    run([code], names_of(imported.root))
    assert driftline.cards.ModelCard.load("sample-notebook-model-card", workspace=imported).version == 1


def test_the_sample_card_loads_and_saves_unchanged(imported: Workspace, snippets: list[str]) -> None:
    run(snippets, names_of(imported))
    card = driftline.cards.ModelCard.load("sample-notebook-model-card", workspace=imported)
    assert card.update() == {}
    assert (card.version, str(card.status)) == (1, "Draft")


def test_a_second_card_of_the_model_is_refused(imported: Workspace, snippets: list[str]) -> None:
    run(snippets, names_of(imported))
    with pytest.raises(ValueError, match="sample-notebook-model-card"):
        run(snippets[:1], names_of(imported))
