"""``ws.cards``: cards from the first draft to the archive."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from driftline.cards.errors import CardError
from driftline.errors import DriftlineError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from driftline.rooms import Cards
    from driftline.workspace import Workspace

    As = Callable[[str], Cards]

USES = {"intended_uses": {"purpose_of_model": "Lists customers", "risk_rating": "Medium"}}


def refused(code: str, action: Callable[[], Any]) -> str:
    with pytest.raises(DriftlineError) as caught:
        action()
    assert caught.value.code == code, str(caught.value)
    return str(caught.value)


def test_a_card_goes_out_from_what_is_known_of_its_model(acting: As) -> None:
    card = acting("ann").create("churn-card", USES, model="churn/3", tags={"team": "growth"}, reason="first")
    assert (card.version, card.status, card.model, card.owner) == (1, "Draft", "churn", "growth")
    version = acting("ann").version("churn-card")
    assert version.content["model_overview"]["model_artifact"] == ["s3://models/churn.onnx"]
    job = version.content["training_details"]["training_job_details"]
    assert job["training_metrics"] == [{"name": "auc", "value": 0.91}]
    # What somebody says goes before what the registry says.
    assert version.content["intended_uses"] == USES["intended_uses"]
    assert "intended_uses.risk_rating" not in version.provenance
    assert version.provenance["model_overview.model_owner"]["source"] == "models/churn/3"


def test_a_second_card_of_a_model_is_refused(acting: As) -> None:
    acting("ann").create("one", model="churn")
    assert "one" in refused("E-CARD-MODEL", lambda: acting("ann").create("two", model="churn"))
    assert "'churn'" in refused("E-NO-MODEL", lambda: acting("ann").create("two", model="chrn"))


def test_the_life_of_a_card(acting: As) -> None:
    ann, bob = acting("ann"), acting("bob")
    ann.create("card", USES)
    refused("E-CARD-STEP", lambda: bob.approve("card", bob.get("card").content_hash))
    card = ann.submit("card", reason="please")
    refused("E-CARD-OWN-TEXT", lambda: ann.approve("card", card.content_hash))
    refused("E-CARD-HASH", lambda: bob.approve("card", "sha256:" + "0" * 64))
    assert bob.reject("card", reason="whom does it fail?").status == "Draft"
    changed, is_new = ann.set_fields("card", {"intended_uses.intended_uses": "Letters"}, reason="as asked")
    assert (changed.version, changed.status, is_new) == (2, "Draft", True)
    ann.submit("card")
    assert bob.approve("card", changed.content_hash, reason="read").approved_version == 2
    again, is_new = ann.set_fields("card", {"intended_uses.intended_uses": "Letters"})
    assert (again.version, is_new) == (2, False)
    assert bob.archive("card").status == "Archived"
    refused("E-CARD-ARCHIVED", lambda: ann.set_fields("card", {"intended_uses.intended_uses": "Calls"}))
    refused("E-CARD-KEPT", lambda: ann.delete("card"))
    kinds = [record.kind for record in ann.records("card")]
    assert kinds == ["created", "status", "status", "revised", "status", "status", "status"]
    assert ann.verify() == []
    ann.delete("card", force=True, reason="a test")
    refused("E-NO-CARD", lambda: ann.get("card"))
    assert ann.verify() == []


def test_whoever_writes_over_a_newer_version_is_told(acting: As) -> None:
    acting("ann").create("card", USES)
    acting("bob").set_fields("card", {"intended_uses.risk_rating": "High"})
    told = refused("E-CARD-CONFLICT", lambda: acting("ann").revise("card", {}, expected=1))
    assert "bob" in told
    assert acting("ann").version("card").content["intended_uses"]["risk_rating"] == "High"


def test_all_that_is_wrong_is_told_at_once(acting: As) -> None:
    content = {"intended_uses": {"risk_rating": "Huge"}, "model_overvew": {}}
    with pytest.raises(CardError) as caught:
        acting("ann").create("card", content, extensions={"scop": {}})
    assert {one.path for one in caught.value.problems} == {
        "intended_uses.risk_rating",
        "model_overvew",
        "extensions.scop",
    }
    assert acting("ann").list() == []


def test_where_a_field_came_from_is_forgotten_when_somebody_changes_it(acting: As) -> None:
    ann = acting("ann")
    ann.create("card", model="churn")
    ann.set_fields("card", {"model_overview.model_owner": "sales", "model_overview.problem_type": "Binary"})
    provenance = ann.version("card").provenance
    assert "model_overview.model_owner" not in provenance
    assert "model_overview.model_name" in provenance


def test_a_text_is_json_only_where_the_field_is_no_text(acting: As) -> None:
    ann = acting("ann")
    ann.create("card", USES)
    given = {
        "model_overview.model_version": "3",
        "model_overview.model_name": "3",
        "model_overview.model_artifact": '["s3://a", "s3://b"]',
        "extensions.io.decision_threshold": "0.5",
        "additional_information.custom_details.two words": "[1]",
    }
    ann.set_fields("card", given)
    version = ann.version("card")
    overview = version.content["model_overview"]
    assert overview == {"model_version": 3, "model_name": "3", "model_artifact": ["s3://a", "s3://b"]}
    assert version.extensions["io"] == {"decision_threshold": 0.5}
    assert version.content["additional_information"]["custom_details"] == {"two words": "[1]"}
    assert list(version.content) == ["model_overview", "intended_uses", "additional_information"]


def test_a_clone_knows_where_it_came_from(acting: As) -> None:
    ann = acting("ann")
    first = ann.create("card", USES, model="churn", extensions={"metric_rationale": "cost"})
    ann.set_policy("card", {"evaluations": "off"})
    clone = ann.clone("card", "copy", reason="another country")
    assert clone.policy["evaluations"] == "off"
    assert clone.cloned_from == {"name": "card", "version": 1, "content_hash": first.content_hash}
    assert (clone.version, clone.status, clone.model_id) == (1, "Draft", None)
    said = ann.version("copy").content
    assert said["intended_uses"] == USES["intended_uses"]
    assert "training_details" not in said
    full = ann.version(ann.clone("card", "whole", full=True).name).content
    assert "training_details" in full
    assert "model_id" not in full["model_overview"]


def test_more_cards_than_a_page(acting: As) -> None:
    ann = acting("ann")
    for number in range(103):
        ann.create(f"card-{number:03}")
    assert [card.name for card in ann.list(limit=1000)] == [f"card-{number:03}" for number in range(103)]
    assert len(ann.list(limit=101)) == 101
    assert len(ann.list(contains="card-10", limit=5)) == 3
    for number in range(1, 104):
        ann.set_fields("card-000", {"model_overview.model_version": str(number)})
    assert [v.version for v in ann.versions("card-000", limit=500)] == list(range(1, 105))
    assert ann.versions("card-000", descending=True, limit=1)[0].version == 104


def test_who_may_approve(acting: As) -> None:
    ann, bob = acting("ann"), acting("bob")
    assert ann.rules().reviewers == ()
    ann.set_rules(reviewers=["carla"], reason="as decided")
    ann.create("card", USES)
    card = ann.submit("card")
    assert "carla" in refused("E-CARD-REVIEWER", lambda: bob.approve("card", card.content_hash))
    assert acting("carla").approve("card", card.content_hash).status == "Approved"


def test_policy_tags_and_model(acting: As) -> None:
    ann = acting("ann")
    ann.create("card", USES)
    assert ann.set_policy("card", {"evaluations": "draft", "every": "P7D"}).policy["every"] == "P7D"
    refused("E-CARD-POLICY", lambda: ann.set_policy("card", {"evaluation": "draft"}))
    assert ann.set_tags("card", {"a": "b"}).tags == {"a": "b"}
    assert ann.set_model("card", "churn").model == "churn"
    assert ann.version("card").version == 1


def test_a_profile_and_the_plan(acting: As, tmp_path: Path) -> None:
    ann = acting("ann")
    ann.create("card", USES, model="churn")
    found = ann.check("card")
    assert found.profile == "eu-annex-iv"
    assert {row.id: row.state for row in found.rows}["9"] == "missing"
    assert ann.check("card", "nist-ai-rmf").profile == "nist-ai-rmf"
    refused("E-CARD-PROFILE", lambda: ann.check("card", "eu-annex-v"))
    plan = ann.post_market_plan("card")
    assert plan["uncovered"] == ["data-quality", "model-quality", "bias", "attribution"]
    card, changed = ann.store_plan("card", reason="for the file")
    assert (card.version, changed) == (2, True)
    assert ann.store_plan("card") == (card, False)
    ann.create("alone")
    refused("E-CARD-NO-MODEL", lambda: ann.post_market_plan("alone"))


def test_what_differs_between_versions(acting: As) -> None:
    ann = acting("ann")
    ann.create("card", USES)
    ann.set_fields("card", {"intended_uses.risk_rating": "High"})
    [change] = ann.differences("card", 1)
    assert (change.path, change.old, change.new) == ("intended_uses.risk_rating", "Medium", "High")
    assert "High" in ann.text_diff("card", 1)
    assert ann.text_diff("card", 2) == ""
    refused("E-CARD-VERSION", lambda: ann.differences("card", 3))


def test_an_export_is_a_link_of_the_chain(acting: As, tmp_path: Path) -> None:
    ann = acting("ann")
    ann.create("card", USES)
    made, file = ann.export("card", tmp_path, format="json", reason="for the auditor")
    assert file == f"{tmp_path}/card-v1.json"
    assert json.loads((tmp_path / "card-v1.json").read_bytes())["content"] == USES
    assert (tmp_path / "card-v1.json").read_bytes() == made.data == ann.render("card", format="json").data
    [export] = ann.exports("card")
    assert (export.status, export.digest, export.artifact) == ("Completed", made.digest, file)
    assert ann.records("card")[-1].kind == "exported"
    _, again = ann.export("card", tmp_path / "named.toml")
    assert again == f"{tmp_path}/named.toml"
    assert len(ann.exports("card")) == 1  # what goes back into git is filed away there


def test_an_export_that_fails_is_kept_as_such(acting: As, tmp_path: Path) -> None:
    ann = acting("ann")
    ann.create("card", USES)
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError):
        ann.export("card", tmp_path / "file" / "card.json")
    [export] = ann.exports("card")
    assert export.status == "Failed"
    assert export.failure_reason
    refused("E-CARD-FORMAT", lambda: ann.render("card", format="docx"))


def test_an_ending_of_no_format_is_refused(acting: As, tmp_path: Path) -> None:
    ann = acting("ann")
    ann.create("card", USES)
    told = refused("E-CARD-FORMAT", lambda: ann.export("card", tmp_path / "card.docx"))
    assert "'.docx'" in told
    assert list(tmp_path.glob("card*")) == []
    assert ann.exports("card") == []
    made, _ = ann.export("card", tmp_path / "card.docx", format="md")
    assert made.format == "md"
    made, file = ann.export("card", tmp_path / "plain")
    assert (made.format, file) == ("pdf", f"{tmp_path}/plain")


def test_the_form_of_sagemaker_has_what_sagemaker_has(acting: As) -> None:
    ann = acting("ann")
    ann.create("card", USES, extensions={"metric_rationale": "cost"})
    made = ann.render("card", format="sagemaker")
    assert json.loads(made.data) == USES
    assert made.lost == ("extensions.metric_rationale",)


def test_one_byte_that_was_altered_is_found(workspace: Workspace, acting: As) -> None:
    import sqlite3

    ann = acting("ann")
    ann.create("card", USES)
    ann.set_fields("card", {"intended_uses.risk_rating": "High"})
    workspace.close()
    with sqlite3.connect(f"{workspace.root}/registry.db") as database:
        database.execute("DROP TRIGGER IF EXISTS card_versions_text")
        for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            database.execute(f'DROP TRIGGER "{name}"')
        database.execute(
            "UPDATE card_versions SET content = replace(content, 'Lists', 'lists') WHERE version = 1"
        )
    database.close()
    from driftline.workspace import Workspace as Again

    with Again(workspace.root) as opened:
        breaks = opened.cards.verify("card")
    assert any(one.version == 1 for one in breaks)
    assert not any(one.version == 2 for one in breaks)
