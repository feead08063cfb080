"""Evidence on a card: noted once, newest per schedule."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from card_rig import act, breaks, make, refused

from driftline.registry import cards

if TYPE_CHECKING:
    from driftline.registry.store import Registry, Tx

ONE, TWO = "sha256:" + "1" * 64, "sha256:" + "2" * 64


def given(n: int, **more: Any) -> dict[str, Any]:
    return {
        "source": f"executions/{n:03}",
        "kind": "data-quality",
        "status": "violated",
        "path": f"reports/{n}",
        "digest": ONE,
        "summary": f"{n} columns drifted.",
        "schedule": "hourly",
        "window": (n * 10, n * 10 + 10),
        "moment": n * 10 + 15,
        **more,
    }


def test_evidence_is_noted_once(registry: Registry) -> None:
    make(registry)
    with registry.write("driftline") as tx:
        assert cards.add_evidence(tx, "churn", **given(1))
        assert not cards.add_evidence(tx, "churn", **given(1))
        before = cards.get(tx, "churn")
    error = refused(registry, "driftline", lambda tx: cards.add_evidence(tx, "churn", **given(1, digest=TWO)))
    assert error.code == "E-CARD-EVIDENCE"
    with registry.read() as tx:
        (one,) = cards.evidence(tx, "churn")
        record = cards.records(tx, "churn")[-1]
    assert (one.window, one.summary, one.status) == ((10, 20), "1 columns drifted.", "violated")
    assert (record.kind, record.detail["source"], record.detail["digest"]) == (
        "evidence",
        "executions/001",
        ONE,
    )
    assert (before.version, before.modified_by) == (1, "ann"), "evidence is beside the text"
    assert breaks(registry) == []


def test_pages_and_schedules(registry: Registry) -> None:
    make(registry)

    def note(tx: Tx) -> None:
        for n in (3, 1, 2):
            cards.add_evidence(tx, "churn", **given(n))
        cards.add_evidence(tx, "churn", **given(4, schedule="daily", kind="bias"))
        cards.add_evidence(
            tx, "churn", **given(5, source="baselines/b/1", status="baseline", schedule=None, window=None)
        )
        # Late data: an old window looked at again is newer evidence, and not of the latest window.
        cards.add_evidence(tx, "churn", **given(9, window=(10, 20)))

    act(registry, "driftline", note)
    with registry.read() as tx:

        def sources(**more: Any) -> list[str]:
            return [one.source.rpartition("/")[2] for one in cards.evidence(tx, "churn", **more)]

        assert sources() == ["009", "1", "004", "003", "002", "001"]
        assert sources(limit=2) == ["009", "1"]
        assert sources(after="baselines/b/1", limit=2) == ["004", "003"]
        assert sources(schedule="daily") == ["004"]
        latest = [(one.kind, one.schedule, one.source) for one in cards.latest_evidence(tx, "churn")]
    assert latest == [
        ("bias", "daily", "executions/004"),
        ("data-quality", None, "baselines/b/1"),
        ("data-quality", "hourly", "executions/003"),
    ]
    assert (
        refused(registry, "ann", lambda tx: cards.evidence(tx, "churn", after="x")).code == "E-CARD-EVIDENCE"
    )
    assert breaks(registry) == []


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"kind": "quality"}, "E-CARD-EVIDENCE"),
        ({"status": "ok"}, "E-CARD-EVIDENCE"),
        ({"path": "../x"}, "E-PATH"),
        ({"digest": "x"}, "E-DIGEST"),
        ({"summary": "x" * 1025}, "E-TEXT"),
        ({"source": "a\0"}, "E-TEXT"),
        ({"schedule": 7}, "E-TEXT"),
        ({"window": (1, -1)}, "E-MOMENT"),
        ({"moment": "now"}, "E-MOMENT"),
    ],
)
def test_what_makes_no_sense_is_refused(registry: Registry, more: dict[str, Any], code: str) -> None:
    make(registry)
    error = refused(registry, "ann", lambda tx: cards.add_evidence(tx, "churn", **given(1, **more)))
    assert error.code == code


def test_an_archived_card_goes_on_collecting_and_a_deleted_one_keeps_nothing(registry: Registry) -> None:
    make(registry)
    with registry.write("ann") as tx:
        cards.set_status(tx, "churn", "Archived")
        assert cards.add_evidence(tx, "churn", **given(1))
        cards.delete(tx, "churn")
        assert [r.kind for r in cards.records(tx, "churn")] == ["created", "status", "evidence", "deleted"]
    assert breaks(registry) == []
    assert refused(registry, "ann", lambda tx: cards.evidence(tx, "churn")).code == "E-NO-CARD"
