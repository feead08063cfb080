"""Findings: what an execution or a baseline of the registry has to tell a card."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from driftline.errors import printable
from driftline.registry import baselines, endpoints, executions, schedules
from driftline.registry.moments import shown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from driftline.registry.baselines import Baseline
    from driftline.registry.executions import Execution
    from driftline.registry.schedules import Schedule
    from driftline.registry.store import Tx

__all__ = ["Finding", "finding_of_baseline", "finding_of_execution", "findings_for", "schedules_of"]

_ARN: Final = "arn:driftline:sagemaker:workspace:000000000000"
_PAGE: Final = 100


@dataclass(frozen=True, slots=True)
class Finding:
    """What there is to tell.

    Attributes
    ----------
    source : str
        ``executions/ID`` or ``baselines/NAME/VERSION``.
    kind : str
    status : str
        ``passed``, ``violated``, ``undetermined`` or ``baseline``.
    summary : str
    model : str or None
    path, digest : str
        Of the files.
    moment : int
        When it came about.
    schedule : str or None
    window : tuple of int, or None
    facts : mapping of str to str
        For the metadata of the evaluation.
    name : str
        Of the evaluation.
    arn : str
    is_current : bool
        False where something newer speaks for the same window, or nobody scheduled it.
    """

    source: str
    kind: str
    status: str
    summary: str
    model: str | None
    path: str
    digest: str
    moment: int
    schedule: str | None
    window: tuple[int, int] | None
    facts: Mapping[str, str | int | None]
    name: str
    arn: str
    is_current: bool = True

    @property
    def reason(self) -> str:
        """Why a card is changed, for its history."""
        told = f"{self.facts.get('window')}: {self.status}" if self.window else "accepted"
        return printable(f"{self.name}, {told}", 300)

    def evaluation(self, files: Mapping[str, bytes]) -> dict[str, Any]:
        """Make the evaluation job from the files.

        Raises
        ------
        DocumentError
            Where they cannot be read.
        """
        from driftline.cards.evidence import evaluation_of_baseline, evaluation_of_report

        if self.status == "baseline":
            return evaluation_of_baseline(
                files, name=self.name, arn=self.arn, file=self.path, facts=self.facts
            )
        from driftline.reports.codec import from_json

        report = from_json(files["report.json"], file=f"{self.path}/report.json")
        return evaluation_of_report(report, name=self.name, arn=self.arn, facts=self.facts)


def finding_of_execution(tx: Tx, execution: Execution) -> Finding | None:
    """Return what an execution found; None where it looked at nothing."""
    if (
        execution.status not in executions.FINISHED
        or execution.report is None
        or execution.report_digest is None
    ):
        return None
    from driftline.cards.evidence.job import job_name

    ended = execution.ended if execution.ended is not None else execution.modified
    source = f"executions/{execution.id}"
    facts: dict[str, str | int | None] = {
        "source": source,
        "schedule": execution.schedule,
        "window": f"{shown(execution.window_start)} to {shown(execution.window_end)}",
        "window_end": shown(execution.window_end),
        "revision": execution.revision,
        "execution": execution.id,
        "ended": shown(ended),
        "report": execution.report,
        "report_digest": execution.report_digest,
        "baseline": execution.baseline,
        "baseline_version": execution.baseline_version,
        "endpoint": execution.endpoint,
        "model": execution.model,
        "model_version": execution.model_version,
    }
    return Finding(
        source,
        execution.kind,
        _status(execution),
        execution.message or execution.status,
        execution.model,
        execution.report,
        execution.report_digest,
        ended,
        execution.schedule,
        (execution.window_start, execution.window_end),
        facts,
        job_name(execution.kind, execution.schedule),
        f"{_ARN}:monitoring-schedule/{execution.schedule}/execution/{execution.id}",
        executions.is_newest(tx, execution) and execution.cause != "manual",
    )


def _status(execution: Execution) -> str:
    """Return the status of the report, as :attr:`driftline.reports.report.Report.status` has it."""
    if execution.status == "CompletedWithViolations":
        return "violated"
    result = execution.result or {}
    counts = result.get("counts") or {}
    judged = result.get("judged", True)
    return "passed" if judged and counts.get("passed") and not counts.get("undetermined") else "undetermined"


def finding_of_baseline(baseline: Baseline) -> Finding:
    """Return what there is to tell of a baseline."""
    source = f"baselines/{baseline.name}/{baseline.version}"
    decided = baseline.decided if baseline.decided is not None else baseline.proposed
    facts: dict[str, str | int | None] = {
        "source": source,
        "baseline": baseline.name,
        "baseline_version": baseline.version,
        "ended": shown(decided),
        "path": baseline.path,
        "digest": baseline.digest,
        "model": baseline.model,
    }
    from driftline.cards.evidence.job import TITLES, job_name

    kind = TITLES.get(baseline.kind, baseline.kind)
    by = f", accepted by {baseline.decided_by}" if baseline.decided_by else ""
    return Finding(
        source,
        baseline.kind,
        "baseline",
        f"{kind}: baseline {baseline.name}, version {baseline.version}{by}",
        baseline.model,
        baseline.path,
        baseline.digest,
        decided,
        None,
        None,
        facts,
        job_name(f"Baseline, {kind.lower()}", baseline.name),
        f"{_ARN}:baseline/{baseline.name}/{baseline.version}",
        baseline.state == "current",
    )


def schedules_of(tx: Tx, model: str) -> list[Schedule]:
    """Return the schedules that watch a model, by name: those of endpoints that serve it, and those with its baselines."""
    serving: set[str] = set()
    after = None
    while page := endpoints.list_endpoints(tx, model=model, after=after, limit=_PAGE):
        serving |= {one.name for one in page}
        after = page[-1].name
    mine: set[str] = set()
    after = None
    while versions := baselines.list_baselines(tx, model=model, after=after, limit=_PAGE):
        mine |= {one.name for one in versions}
        after = versions[-1].name
    return [
        one for one in schedules.list_schedules(tx) if one.endpoint in serving or (one.baseline or "") in mine
    ]


def findings_for(tx: Tx, model: str) -> list[Finding]:
    """Return what is current of a model: its baselines, then the newest report of each of its monitors."""
    found = []
    after = None
    while page := baselines.list_baselines(tx, model=model, after=after, limit=_PAGE):
        current = (baselines.find_current(tx, one.name) for one in page)
        found += [finding_of_baseline(one) for one in current if one is not None and one.model == model]
        after = page[-1].name
    for schedule in schedules_of(tx, model):
        newest = executions.history(
            tx,
            schedule=schedule.name,
            model=model,
            status=executions.FINISHED,
            newest_only=True,
            limit=1,
        )
        found += [one for execution in newest if (one := finding_of_execution(tx, execution)) is not None]
    return found
