"""What came of a comparison, in one sentence and a second one, the same in every renderer.

Reports on data speak of constraints and columns; those on metrics speak of metrics, and of the groups, features or
segments that these are of.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from driftline.baselines.constraint import Severity
from driftline.errors import printable
from driftline.reports import wording

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from driftline.reports.outcome import Outcome
    from driftline.reports.report import Incident, Report

__all__ = ["headline", "subtitle"]


def headline(report: Report) -> str:
    """Say in one sentence what came of the comparison."""
    if wording.is_of_metrics(report.recipe):
        return _of_metrics(report)
    counts = report.counts
    total = sum(counts.values())
    if not total:
        return "Nothing was checked: no constraint applied to this data."
    n_violated, n_unknown = counts["violated"], counts["undetermined"]
    all_columns = len(_columns(report.outcomes))
    if n_violated:
        columns = len(_columns(report.violations))
        where = f", in {columns:,} of {wording.plural(all_columns, 'column')}" if columns else ""
        verb = "is" if n_violated == 1 else "are"
        return f"{n_violated:,} of {wording.plural(total, 'constraint')} {verb} violated{where}."
    if not report.judged_anything and n_unknown < total:
        return f"Nothing could be judged: the columns are there, but {_why_nothing(report)}."
    if n_unknown == total:
        all_of_them = "the only constraint is" if total == 1 else f"all {total:,} constraints are"
        return f"Nothing could be judged: {all_of_them} undetermined."
    if n_unknown:
        whole = wording.plural(total, "constraint")
        return f"No violation was found, but {n_unknown:,} of {whole} could not be judged."
    everywhere = f" in {wording.plural(all_columns, 'column')}" if all_columns else ""
    return f"{'The only constraint holds' if total == 1 else f'All {total:,} constraints hold'}{everywhere}."


def _why_nothing(report: Report) -> str:
    for side, rows in (("data", report.current.n_rows), ("baseline", report.baseline.n_rows)):
        if not rows:
            return f"the {side} has no rows"
    return "no value could be compared"


def _columns(outcomes: Iterable[Outcome]) -> set[str]:
    return {o.constraint.column for o in outcomes if o.constraint.column is not None}


def _of_metrics(report: Report) -> str:
    counts = report.counts
    total = sum(counts.values())
    if not total:
        return "Nothing was checked: no metric could be compared."
    n_violated, n_unknown = counts["violated"], counts["undetermined"]
    metrics = wording.plural(total, "metric")
    if n_violated:
        verb, its = ("is", "its bound") if n_violated == 1 else ("are", "their bounds")
        return f"{n_violated:,} of {metrics} {verb} beyond {its}{_where(report)}."
    if not report.current.n_rows:
        return "Nothing could be judged: the data has no rows."
    if n_unknown == total:
        all_of_them = "the only metric is" if total == 1 else f"all {total:,} metrics are"
        return f"Nothing could be judged: {all_of_them} undetermined."
    if n_unknown:
        return f"No metric is beyond its bound, but {n_unknown:,} of {metrics} could not be judged."
    within = (
        "The only metric is within its bound"
        if total == 1
        else f"All {total:,} metrics are within their bounds"
    )
    return f"{within}{_everywhere(report)}."


def _parts(report: Report, outcomes: Iterable[Outcome]) -> set[str | None]:
    if report.recipe == "model-quality":
        return {o.segment for o in outcomes}
    return {o.constraint.column for o in outcomes}


def _part(report: Report) -> str:
    return "segment" if report.recipe == "model-quality" else wording.part(report.recipe)


def _where(report: Report) -> str:
    everywhere, hit = _parts(report, report.outcomes) - {None}, _parts(report, report.violations)
    if not everywhere or not hit - {None}:
        return ""
    of_all = "over all rows and " if report.recipe == "model-quality" and None in hit else ""
    return f", {of_all}in {len(hit - {None}):,} of {wording.plural(len(everywhere), _part(report))}"


def _everywhere(report: Report) -> str:
    parts = _parts(report, report.outcomes)
    n = len(parts - {None})
    if not n:
        return ""
    of_all = "over all rows and " if report.recipe == "model-quality" and None in parts else ""
    return f", {of_all}in {wording.plural(n, _part(report))}"


def subtitle(report: Report) -> str:
    """Add one sentence to the headline: what it comes down to, or what the reader may conclude."""
    counts = report.counts
    noun = "metric" if wording.is_of_metrics(report.recipe) else "constraint"
    if counts["violated"]:
        unknown = counts["undetermined"]
        rest = f" {wording.plural(unknown, noun)} could not be judged." if unknown else ""
        return (_incidents(report.incidents) + rest).strip()
    if counts["undetermined"]:
        return f"A {noun} that cannot be judged never counts as passed; the reasons are listed below."
    if counts["passed"] and report.current.n_rows:
        return (
            f"{wording.plural(report.current.n_rows, 'row')} held against a baseline of"
            f" {wording.plural(report.baseline.n_rows, 'row')}; nothing needs attention."
        )
    return ""


def _incidents(incidents: Sequence[Incident]) -> str:
    if not incidents:
        return ""
    titles = "; ".join(printable(i.title, 160).rstrip(".") for i in incidents[:3])
    more = f"; and {wording.plural(len(incidents) - 3, 'other')}" if len(incidents) > 3 else ""
    n = "one incident" if len(incidents) == 1 else f"{len(incidents):,} incidents"
    critical = sum(i.severity == Severity.CRITICAL for i in incidents)
    loud = "" if not critical else " (critical)" if len(incidents) == 1 else f" ({critical:,} critical)"
    return f"It comes down to {n}{loud}: {titles}{more}."
