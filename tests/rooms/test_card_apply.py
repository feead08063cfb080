"""Cards kept as files in git."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from driftline.cards.text import write_card
from driftline.errors import DriftlineError
from driftline.registry import cards
from driftline.rooms.card_files import document_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from driftline.rooms import Cards
    from driftline.workspace import Workspace

    As = Callable[[str], Cards]

TEXT = '[intended_uses]\npurpose_of_model = "Lists customers"\nrisk_rating = "High"\n'


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work in a folder of its own, as a repository is."""
    monkeypatch.chdir(tmp_path)


def refused(code: str, action: Callable[[], Any]) -> str:
    with pytest.raises(DriftlineError) as caught:
        action()
    assert caught.value.code == code, str(caught.value)
    return str(caught.value)


def exported(ann: Cards, file: str, form: str = "toml") -> Path:
    path = Path(file)
    path.write_bytes(write_card(document_of(ann.get("card"), ann.version("card")), form))
    return path


def replaced(path: Path, old: str, new: str) -> None:
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")


def test_a_file_makes_a_card_and_then_changes_nothing(acting: As) -> None:
    ann = acting("ann")
    Path("card.toml").write_text(TEXT)
    plan = ann.plan("card.toml")
    assert str(plan) == "+ card card\n\n1 to create, 0 to change, 0 unchanged"
    assert ann.list() == []
    [card] = plan.apply("merge request 1")
    assert (card.name, card.version, card.risk_rating) == ("card", 1, "High")
    assert ann.records("card")[0].reason == "merge request 1"
    again = ann.plan("card.toml")
    assert not again
    assert again.apply() == ()
    assert ann.get("card").version == 1


@pytest.mark.parametrize("form", ["toml", "json", "md"])
def test_an_exported_file_goes_back(acting: As, form: str) -> None:
    ann = acting("ann")
    ann.create("card", model="churn", tags={"a": "b"}, extensions={"metric_rationale": "cost"})
    path = exported(ann, f"card.{form}", form)
    assert not ann.plan(path)
    replaced(path, "cost", "Cost.")
    plan = ann.plan(path)
    assert "changed extensions.metric_rationale: 'cost' is now 'Cost.'" in str(plan)
    assert plan.document()["summary"] == {"create": 0, "change": 1, "unchanged": 0}
    plan.apply("clearer")
    version = ann.version("card")
    assert (version.version, version.reason) == (2, "clearer")
    assert version.extensions["metric_rationale"] == "Cost."
    # Where the rest came from is still known.
    assert version.provenance["model_overview.model_owner"]["source"] == "models/churn/3"


def test_one_file_may_change_again_and_again(acting: As) -> None:
    """Nobody writes the new version into the file: what the file itself wrote is no conflict."""
    ann = acting("ann")
    ann.create("card", {"intended_uses": {"purpose_of_model": "one"}})
    path = exported(ann, "card.toml")
    for old, new in (("one", "two"), ("two", "three")):
        replaced(path, f'"{old}"', f'"{new}"')
        ann.plan(path).apply()
    assert ann.version("card").content["intended_uses"] == {"purpose_of_model": "three"}


def test_a_card_that_moved_on_is_not_written_over(acting: As) -> None:
    ann = acting("ann")
    ann.create("card", {"intended_uses": {"purpose_of_model": "one"}})
    path = exported(ann, "card.toml")
    replaced(path, '"one"', '"two"')
    ann.plan(path).apply()
    acting("bob").set_fields("card", {"business_details.line_of_business": "Retail"})
    replaced(path, '"two"', '"three"')
    told = refused("E-CARD-CONFLICT", lambda: ann.plan(path))
    assert "card.toml" in told
    assert "bob" in told
    assert ann.version("card").content["business_details"] == {"line_of_business": "Retail"}


def test_between_plan_and_apply_nobody_may_write(acting: As) -> None:
    ann = acting("ann")
    ann.create("card", {"intended_uses": {"purpose_of_model": "one"}})
    path = exported(ann, "card.toml")
    replaced(path, '"one"', '"two"')
    plan = ann.plan(path)
    acting("bob").set_fields("card", {"business_details.line_of_business": "Retail"})
    refused("E-CARD-CONFLICT", plan.apply)
    assert ann.get("card").version == 2


def test_all_or_nothing(acting: As) -> None:
    ann = acting("ann")
    ann.create("b", {"intended_uses": {"purpose_of_model": "one"}})
    Path("a.toml").write_text(TEXT)
    Path("b.toml").write_text(TEXT)
    plan = ann.plan("a.toml", "b.toml")
    acting("bob").set_fields("b", {"business_details.line_of_business": "Retail"})
    refused("E-CARD-CONFLICT", plan.apply)
    assert [card.name for card in ann.list()] == ["b"]


def test_what_people_wrote_is_completed(workspace: Workspace, acting: As) -> None:
    """A file without a version to go out from need not repeat what machines know."""
    ann = acting("ann")
    Path("card.toml").write_text('[model_overview]\nmodel_name = "churn"\nproblem_type = "Binary"\n' + TEXT)
    ann.plan("card.toml").apply()
    version = ann.version("card")
    assert ann.get("card").model == "churn"
    assert version.content["model_overview"]["model_owner"] == "growth"
    assert version.content["training_details"]["training_job_details"]["training_metrics"]
    assert not ann.plan("card.toml")
    job = {"name": "Data quality: hourly", "metadata": {"source": "executions/01"}, "metric_groups": []}

    def fed(tx: Any) -> None:
        content = {**cards.version(tx, "card").content, "evaluation_details": [job]}
        cards.revise(tx, "card", content=content)

    workspace.registry.act(fed, who="driftline")
    assert not ann.plan("card.toml")
    replaced(Path("card.toml"), '"Binary"', '"Binary Classification"')
    [change] = ann.plan("card.toml").steps[0].changes
    assert change.path == "model_overview.problem_type"


def test_tags_and_policy_of_a_file(acting: As) -> None:
    ann = acting("ann")
    head = '[card]\ntags = { team = "growth" }\npolicy = { evaluations = "draft" }\n'
    Path("card.toml").write_text(TEXT)
    ann.plan("card.toml").apply()
    Path("card.toml").write_text(head + TEXT)
    plan = ann.plan("card.toml")
    assert plan.steps[0].beside == ("tags", "policy")
    [card] = plan.apply()
    assert (card.version, card.tags) == (1, {"team": "growth"})
    assert card.policy == {"evaluations": "draft", "every": "P1D"}
    assert not ann.plan("card.toml")


def test_what_no_file_may_say(acting: As) -> None:
    ann = acting("ann")
    Path("two words.toml").write_text(TEXT)
    assert "which card" in refused("E-CARD-FILE", lambda: ann.plan("two words.toml"))
    Path("card.toml").write_text(TEXT)
    Path("again.toml").write_text('[card]\nname = "card"\n' + TEXT)
    assert "again.toml" in refused("E-CARD-FILE", lambda: ann.plan("card.toml", "again.toml"))
    Path("bad.toml").write_text('[intended_uses]\nrisk_rating = "Hgh"\n')
    assert "bad.toml:2" in refused("E-CARD", lambda: ann.plan("card.toml", "bad.toml"))
    refused("E-FILE", lambda: ann.plan("missing.toml"))


def test_an_archived_card_stays(acting: As) -> None:
    ann = acting("ann")
    Path("card.toml").write_text(TEXT)
    ann.plan("card.toml").apply()
    ann.archive("card")
    assert not ann.plan("card.toml")
    replaced(Path("card.toml"), "Lists", "Ranks")
    refused("E-CARD-ARCHIVED", lambda: ann.plan("card.toml"))


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("card.toml", ""),
        ("card.toml", "# nothing yet\n"),
        ("card.json", "{}"),
        ("card.md", "\n\n"),
        ("card.toml", '[card]\nname = "card"\n'),
        ("card.toml", "[card]\ntags = { a = 'b' }\n[intended_uses]\nintended_uses = ''\n"),
    ],
)
def test_a_file_that_says_nothing_empties_no_card(acting: As, file: str, text: str) -> None:
    ann = acting("ann")
    ann.create("card", {"intended_uses": {"risk_rating": "High"}})
    Path(file).write_text(text)
    assert file in refused("E-CARD-FILE", lambda: ann.plan(file))
    assert ann.get("card").version == 1


def test_an_exported_card_of_which_all_was_taken_empties_no_card(acting: As) -> None:
    ann = acting("ann")
    ann.create("card", {"intended_uses": {"risk_rating": "High"}})
    path = exported(ann, "card.toml")
    path.write_text(path.read_text("utf-8").partition("[intended_uses]")[0])
    assert "would empty the card 'card'" in refused("E-CARD-FILE", lambda: ann.plan(path))
