"""Views: what is gathered about a version is the same tomorrow, unless the monitors are asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from driftline.cards import ModelCard
from driftline.cards.errors import NoCardError
from driftline.cards.views import view, view_in
from driftline.registry import cards, models

if TYPE_CHECKING:
    from driftline.cards.session import Session
    from driftline.workspace import Workspace


@pytest.fixture
def card(ann: Session, bob: Session) -> ModelCard:
    """Version 1 approved, version 2 a draft."""
    made = ModelCard("churn", intended_uses={"risk_rating": "Low"}, sagemaker_session=ann)
    made.create()
    made.submit()
    ModelCard.load("churn", sagemaker_session=bob).approve()
    made = ModelCard.load("churn", sagemaker_session=ann)
    made.update(intended_uses={"risk_rating": "High"})
    return made


def test_a_version_has_its_own_history(card: ModelCard, workspace: Workspace) -> None:
    first, second = view(workspace, "churn", "approved"), view(workspace.registry, "churn")
    assert (first.version.version, first.record.status, first.record.seq) == (1, "Approved", 3)
    assert [r.kind for r in first.records] == ["created", "status", "status"]
    assert (second.version.version, second.record.status, second.record.seq) == (2, "Draft", 4)
    assert second.records[:3] == first.records
    assert view(workspace, card.arn or "") == second


def test_what_comes_later_beside_the_text_changes_no_view(card: ModelCard, workspace: Workspace) -> None:
    before = view(workspace, "churn", 1)
    with workspace.registry.write("ann") as tx:
        cards.add_evidence(
            tx,
            "churn",
            source="executions/01",
            schedule="s",
            kind="data-quality",
            status="passed",
            window=(1, 2),
            path="reports/1",
            digest="sha256:" + "0" * 64,
            summary="Nothing is violated.",
        )
    after = view(workspace, "churn", 1)
    assert (after.version, after.record, after.records, after.evidence) == (
        before.version,
        before.record,
        before.records,
        (),
    )
    assert [one.source for one in view(workspace, "churn", monitors=True).evidence] == ["executions/01"]


def test_the_monitors_are_there_only_when_asked_for(ann: Session) -> None:
    def declare(tx: object) -> None:
        models.declare(tx, "churn")  # type: ignore[arg-type]

    ann.act(declare)
    ModelCard("churn", model_overview={"model_id": "churn"}, sagemaker_session=ann).create()
    assert ann.read(lambda tx: view_in(tx, "churn", monitors=True)).monitors == ()


def test_what_does_not_pass_a_check_is_a_warning(ann: Session) -> None:
    content = {"intended_uses": {"risk_rating": "Low"}, "model_overview": {"model_name": "x" * 1025}}
    ann.act(lambda tx: cards.create(tx, "old", content))
    (warning,) = view(ann, "old").warnings
    assert warning.startswith("model_overview.model_name: ")


def test_no_card(workspace: Workspace) -> None:
    with pytest.raises(NoCardError):
        view(workspace, "churn")
