"""Export jobs of cards."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from card_rig import approve, breaks, make, refused, revise

from driftline.registry import cards
from driftline.registry.outbox import read_events

if TYPE_CHECKING:
    from driftline.registry.store import Registry

FILE = "sha256:" + "f" * 64


def test_a_job_is_started_and_finished(registry: Registry) -> None:
    card = make(registry)
    approve(registry)
    revise(registry, 2)
    with registry.write("ann", "for the audit") as tx:
        job = cards.start_export(tx, "churn", "job-1", output="s3://out", version="approved")
        assert (job.arn, job.version, job.format) == (f"{card.arn}/export-job/job-1", 1, "pdf")
        done = cards.finish_export(tx, job.arn, artifact="s3://out/churn/job-1.pdf", digest=FILE)
        assert cards.get_export(tx, job.arn) == done
        assert (done.status, done.card) == ("Completed", "churn")
        record = cards.records(tx, "churn")[-1]
        told = [event for event in read_events(tx) if "export" in event.short]
    assert (record.kind, record.version, record.content_hash) == ("exported", 1, card.content_hash)
    assert record.detail["digest"] == FILE
    assert [event.short for event in told] == ["card.export_started", "card.exported"]
    assert told[1].data["artifact"] == "s3://out/churn/job-1.pdf"
    assert told[1].data["detail"]["ModelCardVersion"] == 1
    assert breaks(registry) == []
    error = refused(registry, "ann", lambda tx: cards.finish_export(tx, job.arn, artifact="x", digest=FILE))
    assert error.code == "E-EXPORT-ENDED"
    assert refused(registry, "ann", lambda tx: cards.fail_export(tx, job.arn, "no")).code == "E-EXPORT-ENDED"


def test_a_job_that_fails_says_why(registry: Registry) -> None:
    make(registry)
    with registry.write("ann") as tx:
        job = cards.start_export(tx, "churn", "job", output="out", format="html")
        failed = cards.fail_export(tx, job.arn, "no room\n" + "x" * 2000)
    assert failed.status == "Failed"
    assert failed.failure_reason is not None
    assert failed.failure_reason.startswith("no room\\n")
    assert len(failed.failure_reason) == 1024
    assert breaks(registry) == []


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"name": "a_b"}, "E-NAME"),
        ({"name": "x" * 64}, "E-NAME"),
        ({"format": "docx"}, "E-EXPORT"),
        ({"version": 2}, "E-CARD-VERSION"),
        ({"version": "approved"}, "E-CARD-VERSION"),
        ({"output": "x" * 1025}, "E-TEXT"),
        ({"output": "s3://key:secret@bucket/cards"}, "E-SECRET"),
        ({"output": "s3://bucket/cards?secret_key=x"}, "E-SECRET"),
        ({"card": "gone"}, "E-NO-CARD"),
        ({"name": "there"}, "E-EXPORT-EXISTS"),
    ],
)
def test_what_is_refused(registry: Registry, more: dict[str, Any], code: str) -> None:
    make(registry)
    with registry.write("ann") as tx:
        cards.start_export(tx, "churn", "there", output="out")
    given = {"card": "churn", "name": "job", "output": "out", **more}
    assert refused(registry, "ann", lambda tx: cards.start_export(tx, **given)).code == code


def test_unknown_jobs(registry: Registry) -> None:
    make(registry)
    assert refused(registry, "ann", lambda tx: cards.get_export(tx, "x")).code == "E-NO-EXPORT"
    assert refused(registry, "ann", lambda tx: cards.exports(tx, "churn", after="x")).code == "E-NO-EXPORT"
    for wrong in ({"status": "Done"}, {"sort": "version"}):
        error = refused(registry, "ann", lambda tx, wrong=wrong: cards.exports(tx, "churn", **wrong))
        assert error.code == "E-EXPORT"


def test_lists(registry: Registry) -> None:
    make(registry)
    revise(registry, 2)
    with registry.write("ann") as tx:
        for n, name in enumerate(("b", "Ab", "c")):
            job = cards.start_export(tx, "churn", name, output="out", version=1 + n % 2)
            if n == 0:
                cards.finish_export(tx, job.arn, artifact="f", digest=FILE)
            elif n == 1:
                cards.fail_export(tx, job.arn, "no")

        def jobs(**given: Any) -> list[str]:
            return [job.name for job in cards.exports(tx, "churn", **given)]

        assert jobs(sort="name") == ["Ab", "b", "c"]
        assert jobs(sort="name", descending=True, limit=2) == ["c", "b"]
        assert jobs(sort="name", descending=True, after="b") == ["Ab"]
        assert jobs(sort="status") == ["b", "Ab", "c"]
        assert jobs(sort="status", after="b") == ["Ab", "c"]
        assert jobs(contains="B", sort="name") == ["Ab", "b"]
        assert jobs(version=2) == ["Ab"]
        assert jobs(status="InProgress") == ["c"]
        assert jobs(created_after=tx.now) == jobs(created_before=tx.now) == []
        assert len(jobs()) == 3
