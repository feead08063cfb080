"""Session: a workspace, its path or its registry will do; what is opened here is closed here."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING, Any

import pytest

from driftline.cards import ModelCard
from driftline.cards.errors import NoCardError
from driftline.cards.session import Session, session_of
from driftline.errors import UsageError
from driftline.registry.store import Registry

if TYPE_CHECKING:
    from pathlib import Path

    from driftline.workspace import Workspace


@pytest.fixture
def closed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Workspaces that were closed."""
    names: list[str] = []
    real = Registry.close

    def close(self: Registry) -> None:
        names.append(self.root)
        real(self)

    monkeypatch.setattr(Registry, "close", close)
    return names


def test_a_workspace_its_path_and_its_registry_will_do(workspace: Workspace) -> None:
    for given in (workspace, workspace.root, workspace.registry, Session(workspace)):
        with session_of(given) as session:
            assert session.root == workspace.root
            assert session.read(lambda tx: tx.now) > 0


def test_nothing_is_the_usual_workspace(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRIFTLINE_WORKSPACE", workspace.root)
    with session_of() as session:
        assert session.root == workspace.root


def test_what_a_path_opened_is_closed_with_the_session(workspace: Workspace, closed: list[str]) -> None:
    with Session(workspace.root):
        assert closed == []
    assert closed == [workspace.root]


def test_what_a_path_opened_is_closed_when_nothing_holds_it(workspace: Workspace, closed: list[str]) -> None:
    card = ModelCard("churn", workspace=workspace.root)
    card.create()
    assert closed == []
    del card
    gc.collect()
    assert closed == [workspace.root]


def test_a_workspace_that_was_open_is_left_open(workspace: Workspace, closed: list[str]) -> None:
    ModelCard("churn", workspace=workspace).create()
    Session(workspace).close()
    gc.collect()
    assert closed == []


def test_who_acts(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRIFTLINE_USER", "cat")
    assert Session(workspace).who == "cat"
    assert Session(workspace, who="ann").who == "ann"
    assert Session(Session(workspace, who="ann")).who == "ann"
    assert session_of(Session(workspace, who="ann"), who="bob").who == "bob"


def test_either_name_but_not_both(workspace: Workspace, tmp_path: Path) -> None:
    assert session_of(None, workspace).root == session_of(workspace, None).root
    with pytest.raises(UsageError, match=r"E-CARD-SESSION: workspace: .*differ"):
        session_of(workspace, tmp_path)


class SageMakers:
    sagemaker_client: Any = None


@pytest.mark.parametrize(
    ("given", "said"), [(3, "a int is no workspace"), (SageMakers(), "is a session of SageMaker")]
)
def test_what_is_no_workspace_is_refused(given: object, said: str) -> None:
    with pytest.raises(UsageError, match=f"E-CARD-SESSION: sagemaker_session: {said}"):
        session_of(given)


def test_errors_have_the_classes_that_users_of_the_sdk_catch(workspace: Workspace) -> None:
    with pytest.raises(NoCardError):
        ModelCard.load("churn", workspace=workspace)
