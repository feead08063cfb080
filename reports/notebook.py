"""The report in a notebook cell: the verdict, the incidents and the worst violations, and no more.

Colours are borrowed from the page: text takes the notebook's own colour, and the few colours of our own stand
out on light and dark ground alike, because notebooks do not say which theme they wear.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from driftline.reports import wording
from driftline.reports.headline import headline, subtitle
from driftline.reports.markup import CLASSES, fit, name, safe
from driftline.reports.outcome import Status
from driftline.reports.selection import by_reason, representatives
from driftline.reports.svg import sparkline

if TYPE_CHECKING:
    from driftline.reports.outcome import Outcome
    from driftline.reports.report import ColumnView, Incident, Report, Side

__all__ = ["repr_html"]

MAX_INCIDENTS: Final = 6
MAX_ROWS: Final = 15
MAX_PER_INCIDENT: Final = 3
MAX_REASONS: Final = 4
PART_BYTES: Final = 24_000

_MARKS: Final = {Status.VIOLATED: "✕", Status.UNDETERMINED: "?", Status.PASSED: "✓"}
_STYLE: Final = (
    ".dlr{font-size:13px;line-height:1.45;max-width:980px;font-variant-numeric:tabular-nums}"
    ".dlr p,.dlr ol,.dlr ul{margin:0 0 8px}.dlr ol,.dlr ul{padding-left:22px}.dlr .q{opacity:.72}"
    ".dlr .h{font-size:15px;font-weight:600;margin-bottom:2px}"
    ".dlr .m{display:inline-block;min-width:1.3em;text-align:center;border-radius:4px}"
    ".dlr .m{margin-right:6px;color:#fff}"
    ".dlr .bad{background:#b3301f}.dlr .unsure{background:#8a5c00}.dlr .good{background:#1b7142}"
    ".dlr table{border-collapse:collapse;margin:4px 0 8px;border:0;color:inherit;font-size:inherit}"
    ".dlr th,.dlr td{padding:2px 10px 2px 0;text-align:left;border:0}"
    ".dlr th,.dlr td{border-bottom:1px solid rgba(128,128,128,.3)}"
    ".dlr thead th{font-weight:400;opacity:.72}.dlr .n{text-align:right}"
    ".dlr svg{display:block}.dlr .name{unicode-bidi:isolate}"
    # Cells of notebooks can be narrow, and what hangs out of them is cut: the table wraps, then scrolls.
    ".dlr{overflow-wrap:anywhere}.dlr .t{overflow-x:auto}.dlr .t table{overflow-wrap:normal}"
    ".dlr tbody th{overflow-wrap:anywhere;min-width:5em;white-space:normal}.dlr td{white-space:normal}"
    ".dlr td.w{white-space:nowrap}"
    "@media(max-width:480px){.dlr table{font-size:12px}.dlr th,.dlr td{padding-right:4px}"
    ".dlr tbody th{min-width:4em}.dlr svg{width:48px;height:auto}}"
)


def repr_html(report: Report) -> str:
    """Render a report as a fragment for a notebook cell.

    Parameters
    ----------
    report : Report

    Returns
    -------
    str
        HTML of at most 100 kB with a style of its own and no script, all outside text escaped.
    """
    status = report.status
    mark = f'<span class="m {CLASSES[status]}" aria-hidden="true">{_MARKS[status]}</span>'
    more = subtitle(report)
    return (
        f'<div class="dlr"><style>{_STYLE}</style>'
        f'<p class="h">{mark}{safe(headline(report), 400)}</p>'
        f"{f'<p>{safe(more, 700)}</p>' if more else ''}"
        f'<p class="q">{_side("Baseline", report.baseline)}<br>{_side("Current data", report.current)}</p>'
        f"{_incidents(report)}{_violations(report)}{_undetermined(report)}"
        '<p class="q">All of it: <code>report.to_html()</code>, <code>report.to_json()</code>.</p></div>'
    )


def _side(title: str, side: Side) -> str:
    size = f"{wording.plural(side.n_rows, 'row')}, {wording.plural(side.n_columns, 'column')}"
    return f"{title}: {safe(side.label, 120)}, {size}"


def _incidents(report: Report) -> str:
    items, left_out = fit((_incident(i) for i in report.incidents[:MAX_INCIDENTS]), PART_BYTES)
    if not items:
        return ""
    return f"<ol>{items}</ol>{_left(len(report.incidents) - MAX_INCIDENTS + left_out, 'more incident')}"


def _left(n: int, noun: str) -> str:
    return f'<p class="q">and {wording.plural(n, noun)}.</p>' if n > 0 else ""


def _incident(incident: Incident) -> str:
    loud = " (critical)" if incident.severity == "critical" else ""
    return f"<li><b>{safe(incident.title, 240)}{loud}</b> {safe(incident.detail, 400)}</li>"


def _violations(report: Report) -> str:
    found = report.violations
    if not found:
        return ""
    if wording.is_of_metrics(report.recipe):
        return _metrics(report)
    chosen = representatives(report, per_incident=MAX_PER_INCIDENT, limit=MAX_ROWS)
    views = {(view.name, view.segment): view for view in report.columns}
    rows, left_out = fit((_row(o, views) for o in chosen), PART_BYTES)
    heads = ("Column", "Check", "Value", "Allowed", "Evidence", "Baseline filled, current as line")
    head = "".join(f'<th scope="col"{" class=n" if title == "Value" else ""}>{title}</th>' for title in heads)
    return (
        f'<div class="t"><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>'
        f"{_left(len(found) - len(chosen) + left_out, 'more violation')}"
    )


def _metrics(report: Report) -> str:
    found = report.violations
    chosen = representatives(report, per_incident=MAX_ROWS, limit=MAX_ROWS)
    has_parts = any(o.constraint.column is not None or o.segment is not None for o in report.outcomes)
    rows, left_out = fit((_metric_row(o, has_parts=has_parts) for o in chosen), PART_BYTES)
    heads = (
        ("Metric", ""),
        *((title, " class=n") for title in ("Baseline", "Current")),
        *((title, "") for title in ("95% interval", "Allowed", "Evidence")),
    )
    head = "".join(f'<th scope="col"{class_}>{title}</th>' for title, class_ in heads)
    return (
        f'<div class="t"><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>'
        f"{_left(len(found) - len(chosen) + left_out, 'more violation')}"
    )


def _metric_row(outcome: Outcome, *, has_parts: bool) -> str:
    constraint, measurement = outcome.constraint, outcome.measurement
    of = f' <span class="q">{name(wording.scope(outcome, 60), 90)}</span>' if has_parts else ""
    return (
        f'<tr><th scope="row">{safe(wording.title(constraint.check))}{of}</th>'
        f'<td class="n">{wording.baseline(measurement)}</td><td class="n">{wording.value(measurement)}</td>'
        f"<td>{wording.interval(measurement)}</td><td>{safe(wording.bound(constraint))}</td>"
        f"<td class=w>{wording.evidence(outcome)}</td></tr>"
    )


def _row(outcome: Outcome, views: dict[tuple[str, str | None], ColumnView]) -> str:
    constraint = outcome.constraint
    column = name(wording.subject(outcome, 60), 60)
    if outcome.segment is not None and constraint.column is not None:
        column += f' <span class="q">only {name(outcome.segment, 40)}</span>'
    view = views.get((constraint.column or "", outcome.segment)) or views.get((constraint.column or "", None))
    picture = ""
    if view is not None:
        title = f"Distribution of {wording.name(view.name)}"
        picture = sparkline(view.baseline_counts, view.current_counts, title=title)
    evidence = wording.evidence(outcome)
    return (
        f'<tr><th scope="row">{column}</th><td>{safe(wording.title(constraint.check))}</td>'
        f'<td class="n">{wording.value(outcome.measurement)}</td><td>{safe(wording.bound(constraint))}</td>'
        f"<td{'' if evidence.endswith('wrong') else ' class=w'}>{evidence}</td><td>{picture}</td></tr>"
    )


def _undetermined(report: Report) -> str:
    groups = by_reason(report.undetermined)
    noun = "metric" if wording.is_of_metrics(report.recipe) else "constraint"
    items = "".join(
        f"<li>{wording.plural(len(members), noun)} could not be judged:"
        f" {safe(wording.sentence(members[0].reason), 240)}</li>"
        for members in groups[:MAX_REASONS]
    )
    return f"<ul>{items}</ul>{_left(len(groups) - MAX_REASONS, 'more reason')}" if items else ""
