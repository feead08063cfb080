"""ModelCard: the life of a card as a Python object, as the SDK has it and better."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from driftline.cards import ModelCard, ModelCardStatusEnum, ModelOverview
from driftline.cards.errors import (
    CardAttributeError,
    CardConflictError,
    CardError,
    CardExistsError,
    CardModelError,
    CardStateError,
    CardTypeError,
    CardValueError,
    NoCardError,
)
from driftline.errors import DriftlineError, UsageError
from driftline.registry import cards, models
from driftline.registry.tables import card_versions

if TYPE_CHECKING:
    from pathlib import Path

    from driftline.cards.session import Session
    from driftline.workspace import Workspace


def text(description: str) -> dict[str, Any]:
    return {"model_name": "churn", "model_description": description}


@pytest.fixture
def card(ann: Session) -> ModelCard:
    made = ModelCard("churn-card", model_overview=text("one"), sagemaker_session=ann)
    made.create(reason="begun")
    return made


def stored(session: Session, number: int | str = "latest") -> cards.CardVersion:
    return session.read(lambda tx: cards.version(tx, "churn-card", number))


# --- the life of a card (spec 4.8, 4) -------------------------------------------------------------------------------


def test_the_life_of_a_card(card: ModelCard, ann: Session, bob: Session) -> None:
    assert (card.version, card.status) == (1, ModelCardStatusEnum.DRAFT)
    assert set(card.update(model_overview=text("two"))) == {"content"}
    assert (card.version, card.status) == (2, "Draft")
    assert card.update(model_overview=text("two")) == {}
    assert card.version == 2
    card.submit(reason="please")
    reviewed = ModelCard.load("churn-card", sagemaker_session=bob)
    reviewed.approve(reason="sound")
    assert (reviewed.version, reviewed.status) == (2, "Approved")
    before = ann.read(
        lambda tx: tx.one(sa.select(card_versions.c.content).where(card_versions.c.version == 2)).content
    )
    card = ModelCard.load("churn-card", sagemaker_session=ann)
    assert set(card.update(model_overview=text("three"))) == {"content"}
    assert (card.version, card.status) == (3, "Draft")
    after = ann.read(
        lambda tx: tx.one(sa.select(card_versions.c.content).where(card_versions.c.version == 2)).content
    )
    assert before == after
    approved = ModelCard.load("churn-card", "approved", sagemaker_session=ann)
    assert (approved.version, approved.status, approved.content()["model_overview"]["model_description"]) == (
        2,
        "Approved",
        "two",
    )
    card.archive(reason="replaced")
    with pytest.raises(CardStateError, match="E-CARD-ARCHIVED"):
        card.update(model_overview=text("four"))
    assert stored(ann).status == "Archived"
    with pytest.raises(CardStateError, match="E-CARD-KEPT"):
        card.delete()
    assert card.delete(force=True, reason="ten years are over") is True
    assert (card.status, card.deleted) == ("Archived", True)
    with pytest.raises(NoCardError):
        ModelCard.load("churn-card", sagemaker_session=ann)
    with pytest.raises(ValueError, match="is deleted"):
        card.update()


def test_create_fills_what_the_store_says(card: ModelCard) -> None:
    assert card.arn == "arn:driftline:sagemaker:workspace:000000000000:model-card/churn-card"
    assert isinstance(card.created_time, datetime)
    assert card.created_time.tzinfo is UTC
    assert (card.created_by, card.last_modified_by, card.deleted) == ("ann", "ann", False)
    assert card.content_hash == stored(card.session).content_hash
    assert stored(card.session).reason == "begun"


def test_creating_twice_is_refused(card: ModelCard, ann: Session) -> None:
    with pytest.raises(FileExistsError):
        card.create()
    with pytest.raises(CardExistsError):
        ModelCard("churn-card", sagemaker_session=ann).create()


def test_what_is_not_stored_cannot_change(ann: Session) -> None:
    card = ModelCard("churn-card", sagemaker_session=ann)
    for act in (card.update, card.submit, card.archive, card.delete, card.get_version_history):
        with pytest.raises(ValueError, match="not stored yet"):
            act()


@pytest.mark.parametrize(
    "name", ["name", "arn", "version", "created_time", "created_by", "last_modified_time", "last_modified_by"]
)
def test_what_the_store_says_is_for_reading(card: ModelCard, name: str) -> None:
    with pytest.raises(AttributeError, match=f"{name} of a model card is for reading only"):
        setattr(card, name, "x")


def test_a_name_that_is_none_is_refused_with_the_nearest(card: ModelCard) -> None:
    with pytest.raises(CardAttributeError, match="intended_uses"):
        card.intended_use = {}  # type: ignore[attr-defined]
    with pytest.raises(AttributeError):
        _ = card.nothing


def test_an_unknown_name_in_update_is_a_warning(card: ModelCard) -> None:
    with pytest.warns(UserWarning, match="'intended_use' .*did you mean 'intended_uses'"):
        assert card.update(intended_use={}) == {}


# --- content before status ------------------------------------------------------------------------------------------


def test_text_is_written_before_the_status(card: ModelCard, ann: Session) -> None:
    done = card.update(model_overview=text("two"), status="PendingReview")
    assert list(done) == ["content", "status"]
    assert (card.version, card.status, stored(ann, 1).status) == (2, "PendingReview", "Draft")


def test_new_text_is_never_approved_by_its_author(card: ModelCard, ann: Session, bob: Session) -> None:
    card.submit()
    approving = ModelCard.load("churn-card", sagemaker_session=bob)
    with pytest.raises(DriftlineError):
        approving.update(model_overview=text("two"), status=ModelCardStatusEnum.APPROVED)
    # Both or neither: the text was not stored either.
    assert (stored(ann).version, stored(ann).status) == (1, "PendingReview")


def test_text_after_an_approval_is_a_draft(card: ModelCard, ann: Session, bob: Session) -> None:
    card.submit()
    ModelCard.load("churn-card", sagemaker_session=bob).approve()
    card = ModelCard.load("churn-card", sagemaker_session=ann)
    card.model_overview = text("two")  # type: ignore[assignment]
    card.update()
    assert (card.version, card.status) == (2, "Draft")


def test_an_approval_is_of_the_text_that_was_read(card: ModelCard, bob: Session) -> None:
    card.submit()
    approving = ModelCard.load("churn-card", sagemaker_session=bob)
    approving.model_overview = text("something else")  # type: ignore[assignment]
    with pytest.raises(CardStateError, match="E-CARD-HASH"):
        approving.approve()
    with pytest.raises(CardStateError, match="E-CARD-HASH"):
        approving.approve("sha256:" + "0" * 64)
    approving.approve(card.content_hash)
    assert approving.status == "Approved"


def test_an_author_does_not_approve(card: ModelCard) -> None:
    card.submit()
    with pytest.raises(CardStateError, match="E-CARD-OWN-TEXT"):
        card.approve()


def test_a_rejection_has_a_reason(card: ModelCard, bob: Session) -> None:
    card.submit()
    reviewing = ModelCard.load("churn-card", sagemaker_session=bob)
    with pytest.raises(UsageError, match="E-REASON"):
        reviewing.reject(reason="")
    reviewing.reject(reason="risks are missing")
    assert reviewing.status == "Draft"


# --- several writers (4.8, 7) ---------------------------------------------------------------------------------------


def test_the_second_of_two_writers_conflicts(card: ModelCard, ann: Session, bob: Session) -> None:
    other = ModelCard.load("churn-card", sagemaker_session=bob)
    card.update(model_overview=text("two"))
    with pytest.raises(
        CardConflictError, match=r"version 2 was written by ann at .*, and this is about version 1"
    ):
        other.update(model_overview=text("also two"))
    assert stored(ann).content["model_overview"]["model_description"] == "two"


def test_an_old_version_does_not_revert_newer_text(card: ModelCard, ann: Session) -> None:
    card.update(model_overview=text("two"))
    old = ModelCard.load("churn-card", 1, ann)
    with pytest.raises(CardConflictError):
        old.update()
    assert old.version == 1


def test_one_of_many_writers_at_once_wins(card: ModelCard, workspace: Workspace) -> None:
    loaded = [ModelCard.load("churn-card", workspace=workspace, who=f"p{i}") for i in range(6)]

    def write(i: int) -> str:
        try:
            loaded[i].update(model_overview=text(f"by {i}"))
        except CardConflictError:
            return "conflict"
        return "written"

    with ThreadPoolExecutor(6) as pool:
        results = sorted(pool.map(write, range(6)))
    assert results == ["conflict"] * 5 + ["written"]
    assert card.session.read(lambda tx: cards.get(tx, "churn-card").version) == 2


# --- what it says ---------------------------------------------------------------------------------------------------


def test_a_card_with_a_package_and_a_model_loads_and_saves_unchanged(ann: Session, data: Path) -> None:
    content = json.loads((data / "content" / "model_package_card.content.json").read_text("utf-8"))
    assert "model_id" in content["model_overview"]
    assert "model_package_arn" in content["model_package_details"]
    ann.act(lambda tx: cards.create(tx, "packaged", content))
    card = ModelCard.load("packaged", sagemaker_session=ann)
    assert json.dumps(card.content()) == json.dumps(content)
    assert card.update() == {}
    assert card.version == 1


def test_an_unknown_facet_loads(ann: Session) -> None:
    content = {"training_details": {"objective_function": {"function": {"facet": "CrossEntropy"}}}}
    ann.act(lambda tx: cards.create(tx, "faceted", content))
    card = ModelCard.load("faceted", sagemaker_session=ann)
    assert card.training_details is not None
    assert card.training_details.objective_function is not None
    assert card.training_details.objective_function.function is not None
    assert card.training_details.objective_function.function.facet == "CrossEntropy"
    assert card.update() == {}


def test_text_that_was_written_elsewhere_is_saved_as_it_was(ann: Session) -> None:
    content = {"training_details": {"training_job_details": {"training_arn": "a"}}, "model_overview": {}}
    ann.act(lambda tx: cards.create(tx, "sparse", content))
    card = ModelCard.load("sparse", sagemaker_session=ann)
    assert card.update() == {}
    card.submit()
    assert card.status == "PendingReview"


@pytest.mark.parametrize(
    ("sections", "path"),
    [
        ({"model_overview": {"model_name": "x" * 1025}}, "model_overview.model_name"),
        ({"evaluation_details": [{"name": "x" * 64}]}, "evaluation_details.0.name"),
        (
            {"evaluation_details": [{"name": "x", "evaluation_observation": "x" * 2097}]},
            "evaluation_details.0.evaluation_observation",
        ),
        ({"extensions": {"scoope": {}}}, "extensions.scoope"),
    ],
)
def test_a_broken_limit_is_named_before_anything_is_stored(
    ann: Session, sections: dict[str, Any], path: str
) -> None:
    card = ModelCard("churn-card", sagemaker_session=ann, **sections)
    assert [problem.path for problem in card.problems()] == [path]
    with pytest.raises(CardError) as caught:
        card.create()
    assert caught.value.problems[0].path == path
    assert ModelCard.list(workspace=ann) == []


def test_a_hundred_thousand_characters_fit_and_one_more_does_not(ann: Session) -> None:
    def card(n: int) -> ModelCard:
        details = {f"key{i:03}": "x" * 1000 for i in range(98)}
        made = ModelCard(f"c{n}", additional_information={"custom_details": details}, sagemaker_session=ann)
        size = len(json.dumps(made.content()))
        details["filler"] = "x" * (n - size - len(', "filler": ""'))
        made.additional_information = {"custom_details": details}  # type: ignore[assignment]
        assert len(json.dumps(made.content())) == n
        return made

    card(100_000).create()
    with pytest.raises(CardError, match="100,001"):
        card(100_001).create()


def test_extensions_tags_and_policy_are_stored(ann: Session) -> None:
    card = ModelCard(
        "churn-card",
        extensions={"scope": {"limitations": ["small"]}},
        tags={"stage": "live"},
        policy={"evaluations": "draft"},
        sagemaker_session=ann,
    )
    card.create()
    again = ModelCard.load("churn-card", sagemaker_session=ann)
    assert again.extensions is not None
    assert again.extensions["scope"] == {"limitations": ["small"]}
    assert (again.tags, (again.policy or {})["evaluations"]) == ({"stage": "live"}, "draft")
    done = again.update(tags={"stage": "old"}, policy={"evaluations": "off"})
    assert (set(done), again.version) == ({"tags", "policy"}, 1)
    assert set(again.update(extensions={"scope": {"limitations": ["tiny"]}})) == {"content"}
    assert again.version == 2
    assert [change.path for change in again.diff()] == ["extensions.scope.limitations"]


def test_provenance_follows_the_values(workspace: Workspace, ann: Session) -> None:
    with workspace.registry.write("ann") as tx:
        models.declare(tx, "churn", owner="growth", description="Who leaves")
    card = ModelCard(
        "churn-card", model_overview=ModelOverview.from_name("churn", ann), sagemaker_session=ann
    )
    card.create()
    assert set(stored(ann).provenance) == {
        "model_overview.model_name",
        "model_overview.model_id",
        "model_overview.model_description",
        "model_overview.model_owner",
    }
    assert stored(ann).provenance["model_overview.model_owner"]["source"] == "models/churn"
    card = ModelCard.load("churn-card", sagemaker_session=ann)
    assert card.model_overview is not None
    card.model_overview.model_owner = "risk"
    card.update()
    assert set(stored(ann).provenance) == {
        "model_overview.model_name",
        "model_overview.model_id",
        "model_overview.model_description",
    }


def test_the_card_is_tied_to_the_registrys_model(workspace: Workspace, ann: Session) -> None:
    with workspace.registry.write("ann") as tx:
        models.declare(tx, "churn", risk_rating="low")
        models.declare_version(tx, "churn", "1", training={"job": "j"})
    card = ModelCard.from_model(
        "churn", workspace=ann, intended_uses={"purpose_of_model": "To know who leaves"}
    )
    card.create()
    found = ann.read(lambda tx: cards.find_by_model(tx, "churn"))
    assert found is not None
    assert (found.name, found.risk_rating) == ("churn", "Low")
    assert card.content()["training_details"]["training_job_details"]["training_arn"] == "j"
    with pytest.raises(CardModelError):
        ModelCard("other", model_overview={"model_id": "churn"}, workspace=ann).create()


def test_another_card_of_the_same_name_is_not_written_over(card: ModelCard, bob: Session) -> None:
    ModelCard.load("churn-card", workspace=bob).delete()
    other = ModelCard("churn-card", model_overview=text("of bob"), workspace=bob)
    other.create()
    for action in (
        lambda: card.update(model_overview=text("two")),
        lambda: card.submit(),
        lambda: card.delete(),
    ):
        with pytest.raises(CardConflictError, match="another one of this name"):
            action()
    assert stored(bob).content == {"model_overview": text("of bob")}
    assert stored(bob).status == "Draft"


@pytest.mark.parametrize(
    ("what", "first", "second"),
    [
        ("tags", {"team": "a"}, {"team": "b"}),
        ("policy", {"evaluations": "off"}, {"evaluations": "draft"}),
    ],
)
def test_tags_and_policies_of_others_are_not_written_over(
    card: ModelCard, ann: Session, bob: Session, what: str, first: dict[str, str], second: dict[str, str]
) -> None:
    other = ModelCard.load("churn-card", workspace=bob)
    card.update(**{what: first})
    with pytest.raises(CardConflictError, match="changed by somebody else"):
        other.update(**{what: second}, model_overview=text("two"))
    assert getattr(ModelCard.load("churn-card", workspace=ann), what).items() >= first.items()
    assert stored(ann).version == 1, "all of it, or nothing"
    again = ModelCard.load("churn-card", workspace=bob)
    again.update(**{what: second})
    assert getattr(ModelCard.load("churn-card", workspace=ann), what).items() >= second.items()


def test_a_card_that_was_not_read_is_written_only_as_the_version_it_names(
    card: ModelCard, ann: Session
) -> None:
    blind = ModelCard("churn-card", arn=card.arn, workspace=ann, model_overview=text("two"))
    with pytest.raises(CardValueError, match="which version"):
        blind.update()
    told = ModelCard("churn-card", arn=card.arn, version=1, workspace=ann, model_overview=text("two"))
    assert set(told.update()) == {"content"}
    late = ModelCard("churn-card", arn=card.arn, version=1, workspace=ann, model_overview=text("three"))
    with pytest.raises(CardConflictError):
        late.update()


# --- clone, lists, history ------------------------------------------------------------------------------------------


@pytest.fixture
def whole(ann: Session) -> ModelCard:
    card = ModelCard(
        "churn-card",
        model_overview={"model_id": "m", "model_name": "n", "model_owner": "o", "model_artifact": ["s3://a"]},
        intended_uses={"risk_rating": "High"},
        business_details={"line_of_business": "Phones"},
        training_details={
            "training_observations": "seen",
            "objective_function": {"function": {"function": "Minimize", "facet": "Loss"}},
            "training_job_details": {"training_arn": "a"},
        },
        evaluation_details=[{"name": "holdout"}],
        additional_information={"custom_details": {"a": "b"}},
        extensions={
            "scope": {"limitations": ["small"]},
            "metric_rationale": "why",
            "io": {"input_format": "rows"},
        },
        sagemaker_session=ann,
    )
    card.create()
    return card


def test_a_clone_has_what_people_wrote(whole: ModelCard) -> None:
    whole.update(business_details={"line_of_business": "Tablets"})
    made = whole.clone("copy", 1, reason="a new model")
    assert (made.version, made.status) == (1, "Draft")
    assert made.content() == {
        "model_overview": {"model_owner": "o"},
        "intended_uses": {"risk_rating": "High"},
        "business_details": {"line_of_business": "Phones"},
        "training_details": {
            "objective_function": {"function": {"function": "Minimize", "facet": "Loss"}},
            "training_observations": "seen",
        },
        "additional_information": {"custom_details": {"a": "b"}},
    }
    assert {"scope", "metric_rationale"} == set(made.extensions or {}) - {"schema_version"}
    origin = whole.session.read(lambda tx: cards.get(tx, "copy")).cloned_from
    first = whole.get_version_history()[0]
    assert origin == {"name": "churn-card", "version": 1, "content_hash": first["ContentHash"]}


def test_a_full_clone_has_all_but_the_model_id(whole: ModelCard) -> None:
    made = whole.clone("copy", full=True)
    content = whole.content()
    del content["model_overview"]["model_id"]
    assert made.content() == content


def test_cards_are_listed(ann: Session) -> None:
    for name, risk in (("a", "High"), ("b", "Low"), ("c", "High")):
        ModelCard(name, intended_uses={"risk_rating": risk}, workspace=ann).create()
    assert [card.name for card in ModelCard.list(workspace=ann)] == ["a", "b", "c"]
    assert [card.name for card in ModelCard.list(sagemaker_session=ann, risk_rating="High", limit=1)] == ["a"]
    soon = datetime.now(UTC) + timedelta(days=1)
    assert ModelCard.list(workspace=ann, created_after=soon) == []
    assert (
        len(ModelCard.list(workspace=ann, created_before=soon.isoformat(), descending=True, sort="name")) == 3
    )
    with pytest.raises(CardTypeError, match="did you mean 'risk_rating'"):
        ModelCard.list(workspace=ann, riskrating="High")


def test_the_history_has_all_pages(card: ModelCard) -> None:
    for i in range(2, 104):
        card.update(model_overview=text(f"{i}"))
    history = card.get_version_history()
    assert [one["ModelCardVersion"] for one in history] == list(range(1, 104))
    assert history[0] == {
        "ModelCardName": "churn-card",
        "ModelCardArn": card.arn,
        "ModelCardStatus": "Draft",
        "ModelCardVersion": 1,
        "CreationTime": history[0]["CreationTime"],
        "LastModifiedTime": history[0]["LastModifiedTime"],
        "ContentHash": history[0]["ContentHash"],
        "Author": "ann",
        "Reason": "begun",
        "ApprovedBy": None,
    }
    newest = card.get_version_history(SortBy="Version", SortOrder="Descending", MaxResults=2)
    assert [one["ModelCardVersion"] for one in newest] == [103, 102]
    assert card.get_version_history(ModelCardStatus="Approved") == []
    after = history[100]["CreationTime"]
    assert [one["ModelCardVersion"] for one in card.get_version_history(CreationTimeAfter=after)][-1] == 103
    with pytest.raises(TypeError, match="did you mean 'SortOrder'"):
        card.get_version_history(SortOrdr="Descending")
    with pytest.raises(ValueError, match="Ascending, Descending"):
        card.get_version_history(SortOrder="up")


def test_differences_from_the_version_before(card: ModelCard) -> None:
    assert card.diff() == []
    card.update(model_overview=text("two"))
    (change,) = card.diff()
    assert (change.path, change.old, change.new) == ("model_overview.model_description", "one", "two")
    assert card.diff("latest") == []


# --- the chain (4.8, 8) ---------------------------------------------------------------------------------------------


def test_verification_names_the_version_that_was_altered(card: ModelCard, workspace: Workspace) -> None:
    card.update(model_overview=text("two"))
    card.update(model_overview=text("three"))
    assert card.session.read(lambda tx: cards.verify(tx, "churn-card")) == []
    with workspace.registry.write("mallory") as tx:
        for name in tx.all(sa.text("SELECT name FROM sqlite_master WHERE type = 'trigger'")):
            tx.execute(sa.text(f"DROP TRIGGER {name[0]}"))
        tx.execute(
            sa.update(card_versions)
            .where(card_versions.c.version == 2)
            .values(content=sa.func.replace(card_versions.c.content, '"two"', '"tvo"'))
        )
    breaks = card.session.read(lambda tx: cards.verify(tx, "churn-card"))
    assert {one.version for one in breaks} == {2}
    with pytest.raises(DriftlineError, match=r"E-CARD-DAMAGED.*version 2"):
        ModelCard.load("churn-card", 2, card.session)
