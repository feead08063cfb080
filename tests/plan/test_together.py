"""Several who apply at one time, and one that is cut short."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest
from declared import DECLARED

from driftline.errors import DriftlineError
from driftline.plan import declaring
from driftline.registry import audit_check

if TYPE_CHECKING:
    from declared import Site


def test_of_many_at_once_one_does_it(site: Site) -> None:
    plans = [site.plan() for _ in range(6)]
    start = threading.Barrier(len(plans))
    ended: list[str] = []

    def go(number: int) -> None:
        start.wait()
        try:
            plans[number].apply()
            ended.append("done")
        except DriftlineError as error:
            ended.append(error.code)

    threads = [threading.Thread(target=go, args=(number,)) for number in range(len(plans))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(ended) == ["E-PLAN"] * (len(plans) - 1) + ["done"]
    assert not site.plan()
    assert [b.version for b in site.workspace.baselines.versions("churn")] == [1]
    assert site.workspace.baselines.load("churn").n_rows == 400
    with site.workspace.registry.read() as tx:
        assert audit_check.check(tx).bad is None


def test_what_is_cut_short_did_nothing(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = site.plan()

    class Cut(Exception):  # noqa: N818
        pass

    def cut(*_: object, **__: object) -> bool:
        raise Cut

    with monkeypatch.context() as patch:
        patch.setattr(declaring.schedules, "declare", cut)
        with pytest.raises(Cut):
            plan.apply()
    assert site.written() == 0
    assert site.workspace.models.list() == []
    # The files of the baseline are there, and nobody speaks of them.
    assert list((site.folder / "baselines" / "churn").iterdir())
    assert len(site.apply(DECLARED).changes) == 7
    assert site.workspace.baselines.load("churn").n_rows == 400
