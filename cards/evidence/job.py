"""A report as an evaluation job: small enough that a card holds several, and complete enough to be read alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal

from driftline.cards.evidence import charts, outcomes
from driftline.cards.evidence.fitting import Piece, Section, clip, fill, label, weight
from driftline.cards.shapes import MOST_JOB_NAME, MOST_VALUE, fitted, group, metric
from driftline.errors import printable
from driftline.reports.headline import headline, subtitle

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from driftline.reports.report import Report

__all__ = [
    "BUDGET",
    "OF_BASELINES",
    "TITLES",
    "assembled",
    "evaluation_of_report",
    "is_monitor_made",
    "job_name",
    "short_datasets",
    "without_charts",
]

BUDGET: Final = 16_000
"""Characters of one job as JSON: six of them leave room in a card of 100,000."""

SHORT: Final = 4_000

OF_BASELINES: Final = 10_000
"""Characters of the job of a baseline: it is told with what is held to it, and changes seldom."""

TITLES: Final = {
    "data-quality": "Data quality",
    "model-quality": "Model quality",
    "bias": "Bias",
    "attribution": "Feature attribution",
}

CHARTS: Final = ("linear_graph", "bar_chart", "matrix")
_MOST_OBSERVATION: Final = 2096
_MOST_ARN: Final = 256
_WITHOUT: Final = "Its charts were left out for want of room."


def job_name(kind: str, of: str) -> str:
    """Return the name of the job of a monitor or baseline; the same each time, so that a newer one takes its place.

    Examples
    --------
    >>> job_name("data-quality", "churn-hourly")
    'Data quality: churn-hourly'
    """
    return fitted(f"{TITLES.get(kind, kind)}: {printable(of, 1000)}", MOST_JOB_NAME)


def evaluation_of_report(
    report: Report,
    *,
    name: str | None = None,
    arn: str | None = None,
    level: Literal["full", "short"] = "full",
    facts: Mapping[str, str | int | None] | None = None,
) -> dict[str, Any]:
    """Return a report as an evaluation job of a card's content.

    Parameters
    ----------
    report : Report
    name : str, optional
        Of the job; made of the kind and the schedule, or the data, where not given.
    arn : str, optional
        Of what made the report; ``evaluation_job_arn``.
    level : {"full", "short"}
        With charts and up to 16,000 characters, or without and up to 4,000.
    facts : mapping of str to str, optional
        What the report does not know, for ``metadata``: ``source``, ``schedule``, ``window``, ``execution``, ``report``,
        ``report_digest``, ``baseline``, ``baseline_version``, ``model``, ``model_version``.

    Returns
    -------
    dict
        Within all limits of a card: at most 16,000 characters as JSON. Numbers are those of the report, with all digits.
        What does not fit is the least severe; how much that is, ``evaluation_observation`` says.

    Notes
    -----
    Groups: ``verdict``; ``violations - <kind>``, ``incidents - <kind>``, ``undetermined - <kind>``: texts with the reasons
    as notes; ``<kind> metrics``, of all rows and of each segment or group: numbers with baseline, interval and bound as
    notes; ``charts - <kind>``. An outcome that nobody can tell says so wherever it stands.
    """
    given = {key: str(value) for key, value in (facts or {}).items() if value is not None}
    is_full = level == "full"
    job: dict[str, Any] = {
        "name": fitted(name, MOST_JOB_NAME) if name else job_name(report.recipe, _of(report, given)),
        "evaluation_observation": "",
        **({"evaluation_job_arn": arn[:_MOST_ARN]} if arn else {}),
        "datasets": short_datasets(report.current.label, report.current.sources),
        "metadata": _metadata(report, given),
        "metric_groups": [_verdict(report, given)],
    }
    sections = [Section("violation", outcomes.violations(report), 4_200 if is_full else 1_400)]
    if is_full:
        sections.append(Section("incident", outcomes.incidents(report), 1_500, most=8))
    if report.recipe == "data-quality":
        sections.append(Section("check", outcomes.checks(report), 1_500))
    told = (*outcomes.measurements(report), *charts.unjudged(report))
    most = 30 if report.recipe == "data-quality" else 1_000
    sections.append(Section("measurement", _in_order(told), 4_500 if is_full else 900, most=most))
    sections.append(Section("undetermined outcome", outcomes.undetermined(report), 700, most=8))
    if is_full:
        sections.append(Section("chart", charts.charts(report), 3_000))
        sections.append(Section("other number", charts.tables(report), 600))
    return assembled(
        job, sections, [headline(report), subtitle(report), *report.notes], BUDGET if is_full else SHORT
    )


def _in_order(pieces: Sequence[Piece]) -> tuple[Piece, ...]:
    """Put what is not judged behind what is judged of all rows, before the parts."""
    first = pieces[0].group if pieces else ""
    return tuple(sorted(pieces, key=lambda piece: piece.group != first))


def assembled(
    job: dict[str, Any], sections: Sequence[Section], said: Sequence[str], budget: int
) -> dict[str, Any]:
    """Fill a job that has its facts: groups, then the observation, with what had to be left out."""
    most = min(_MOST_OBSERVATION, budget // 8)
    text = " ".join(_sentence(one) for one in said if one)
    left = "Not shown here, for want of room: {}; the report has them."
    room = budget - weight(job) - most - 80
    groups, left_out = fill(room, sections)
    tail = f" {left.format(', '.join(left_out))}" if left_out else ""
    job["evaluation_observation"] = clip(text, most - len(tail), most - weight(tail)) + tail
    job["metric_groups"] = [*job["metric_groups"], *groups]
    return job


def _sentence(text: str) -> str:
    shown = printable(text.strip(), 600)
    return shown if shown.endswith((".", "!", "?", "…")) else f"{shown}."


def _of(report: Report, given: Mapping[str, str]) -> str:
    return given.get("schedule") or report.current.label or "report"


def _window(report: Report, given: Mapping[str, str]) -> str:
    return given.get("window") or report.current.label or "not named"


def _verdict(report: Report, given: Mapping[str, str]) -> dict[str, Any]:
    counts = report.counts
    version = given.get("baseline_version")
    baseline = label(given.get("baseline") or report.baseline.label, MOST_VALUE - 16)
    named = f"{baseline}, version {version}" if version else baseline
    return group(
        "verdict",
        [
            metric("status", "string", report.status.value, notes=clip(headline(report), 300, 500)),
            metric("window", "string", label(_window(report, given), MOST_VALUE)),
            metric("rows", "number", report.current.n_rows),
            metric("baseline", "string", named[:MOST_VALUE], notes=report.baseline.digest),
            metric("baseline rows", "number", report.baseline.n_rows),
            *(metric(word, "number", n) for word, n in counts.items()),
            metric(
                "alpha",
                "number",
                report.alpha,
                notes=f"false alarms are held to this share of all alarms, over {report.n_tests} tests",
            ),
        ],
    )


def _metadata(report: Report, given: Mapping[str, str]) -> dict[str, str]:
    found = {
        "monitor": report.recipe,
        **given,
        "status": report.status.value,
        "baseline_digest": report.baseline.digest,
        "data_digest": report.current.digest,
        "mode": report.mode,
        "created": report.created,
    }
    if "driftline" in report.versions:
        found["driftline_version"] = report.versions["driftline"]
    return {key: clip(value, 200, 300) for key, value in found.items() if value}


def short_datasets(label_: str, sources: Sequence[str]) -> list[str]:
    """Name the data: what it is called, then the files, or where they lie if there are many."""
    shown = [clip(label_, 200, 300)] if label_ else []
    if len(sources) <= 3:
        shown += [clip(one, 300, 500) for one in sources]
    else:
        folder = _common([one for one in sources if one])
        shown.append(clip(f"{folder or 'several places'} ({len(sources):,} files)", 300, 500))
    return list(dict.fromkeys(one for one in shown if one.strip()))


def _common(sources: Sequence[str]) -> str:
    parts = [one.split("/") for one in (min(sources), max(sources))] if sources else [[], []]
    same = []
    for a, b in zip(*parts, strict=False):
        if a != b:
            break
        same.append(a)
    return "/".join(same)


def is_monitor_made(job: Mapping[str, Any]) -> bool:
    """Tell whether driftline made a job of a card's content, of a report or a baseline of the workspace."""
    metadata = job.get("metadata")
    source = metadata.get("source") if isinstance(metadata, dict) else None
    return isinstance(source, str) and source.startswith(("executions/", "baselines/"))


def without_charts(job: Mapping[str, Any]) -> dict[str, Any]:
    """Return a job without its charts, saying so; the same job where it has none."""
    groups = []
    for one in job.get("metric_groups") or ():
        kept = [m for m in one.get("metric_data") or () if m.get("type") not in CHARTS]
        if kept:
            groups.append({**one, "metric_data": kept})
    if groups == list(job.get("metric_groups") or ()):
        return dict(job)
    said = str(job.get("evaluation_observation") or "")
    made = {**job, "metric_groups": groups}
    if _WITHOUT not in said:
        made["evaluation_observation"] = f"{said[: _MOST_OBSERVATION - len(_WITHOUT) - 1]} {_WITHOUT}".strip()
    return made
