"""What the page found: incidents, the table of violations, and what nobody can tell."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from driftline.reports import wording
from driftline.reports.markup import chips, fit, icon, name, safe
from driftline.reports.outcome import Status
from driftline.reports.selection import by_reason

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from driftline.reports.outcome import Outcome
    from driftline.reports.report import Incident, Report

__all__ = ["incidents", "left_out_of", "number_cell", "undetermined", "violations"]

INCIDENTS_BYTES = 450_000
CHIPS_BYTES = 160_000
VIOLATIONS_BYTES = 1_000_000
UNDETERMINED_BYTES = 250_000
OPEN_CHIPS = 12
OPEN_INCIDENTS = 12
LOUD = '<span class="tag loud">Critical</span>'
QUIET = f'<span class="bad">{icon(Status.VIOLATED)} Violated</span>'


def incidents(report: Report, anchors: Mapping[str | None, str]) -> str:
    """Render the incidents, the loudest first, each with its columns folded away."""
    if not report.incidents:
        return ""
    budget = max(600, CHIPS_BYTES // len(report.incidents))
    noun = wording.part(report.recipe)
    items = [_incident(n, incident, anchors, budget, noun) for n, incident in enumerate(report.incidents, 1)]
    first, left_out = fit(items[:OPEN_INCIDENTS], INCIDENTS_BYTES)
    folded, left_too = fit(items[OPEN_INCIDENTS:], INCIDENTS_BYTES - len(first))
    n = len(items)
    if folded:
        start = OPEN_INCIDENTS + 1
        folded = (
            f'<details class="group"><summary>Incidents {start} to {n - left_too:,}</summary>'
            f'<ol class="incidents" start="{start}">{folded}</ol></details>'
        )
    return (
        '<section id="incidents" aria-labelledby="h-incidents">'
        f'<h2 id="h-incidents">Incidents <small>{n:,}</small></h2>'
        "<p>Violations with one cause, told as one. Every violation belongs to exactly one incident.</p>"
        f'<ol class="incidents">{first}</ol>{folded}{left_out_of(left_out + left_too, "incident")}</section>'
    )


def left_out_of(n: int, noun: str) -> str:
    """Say how many items the page leaves to the JSON report; nothing for none."""
    if not n:
        return ""
    return f'<p class="left">{n:,} more not shown here; the JSON report lists every {noun}.</p>'


def _incident(n: int, incident: Incident, anchors: Mapping[str | None, str], budget: int, noun: str) -> str:
    loud = LOUD if incident.severity == "critical" else ""
    title, columns = safe(incident.title, 300), ""
    if len(incident.columns) == 1 and incident.columns[0] in anchors:
        title = f'<a href="#{anchors[incident.columns[0]]}">{title}</a>'
    elif len(incident.columns) > 1:
        columns = chips(((c, wording.name(c)) for c in incident.columns), anchors, budget)
    if len(incident.columns) > OPEN_CHIPS:
        summary = wording.plural(len(incident.columns), noun)
        columns = f"<details><summary>{summary}</summary>{columns}</details>"
    return (
        f'<li id="incident-{n}"><span class="n">{n}</span><div><h3>{title}{loud}</h3>'
        f"<p>{safe(incident.detail, 1200)}</p>{columns}</div></li>"
    )


# -- violations


_HEADINGS = (
    ("Column", ""), ("Check", ""), ("Value", "num"), ("Allowed", ""), ("95% interval", ""), ("p", "num"),
    ("q", "num"), ("Wrong values", "num"), ("Baseline values", "num"), ("Current values", "num"),
    ("Incident", "num"), ("Status", ""),
)  # fmt: skip


def violations(report: Report, anchors: Mapping[str | None, str]) -> str:
    """Render every violation as a row of a table that sorts where scripts run."""
    violated = [(i, o) for i, o in enumerate(report.outcomes) if o.is_violation]
    if not violated:
        return ""
    number_of = {at: n for n, incident in enumerate(report.incidents, 1) for at in incident.outcomes}
    last = len(report.incidents) + 1
    violated.sort(key=lambda found: (number_of.get(found[0], last), found[0]))
    markup, left_out = fit((_row(o, number_of.get(i), anchors) for i, o in violated), VIOLATIONS_BYTES)
    heads = "".join(f'<th scope="col"{_class(c)}>{label}</th>' for label, c in _HEADINGS)
    return (
        '<section id="violations" aria-labelledby="h-violations"><h2 id="h-violations">Violations'
        f" <small>{len(violated):,}</small></h2>"
        "<p>One row per violated constraint, in the order of the incidents. Where scripts run, click a"
        " heading to sort.</p>"
        '<div class="scroll" role="region" aria-label="Table of violations" tabindex="0">'
        "<table data-sortable>"
        f"<thead><tr>{heads}</tr></thead><tbody>{markup}</tbody></table></div>"
        f"{left_out_of(left_out, 'violation')}</section>"
    )


def _class(names: str) -> str:
    return f' class="{names}"' if names else ""


def number_cell(text: str, sort: float | None) -> str:
    """Render a cell of a sortable table, with the number that it is sorted by."""
    # Not-a-number would confuse a sort; such cells stay last.
    key = "" if sort is None or math.isnan(sort) else repr(sort)
    return f'<td class="num" data-v="{key}">{text}</td>'


def _counted(n: int | None) -> str:
    """Render a cell with a count, or a dash."""
    return number_cell(wording.NONE if n is None else f"{n:,}", n)


def _row(outcome: Outcome, incident: int | None, anchors: Mapping[str | None, str]) -> str:
    c, m = outcome.constraint, outcome.measurement
    column = name(wording.subject(outcome))
    if c.column in anchors:
        column = f'<a href="#{anchors[c.column]}">{column}</a>'
    if outcome.segment is not None and c.column is not None:
        column += f"<small>only {name(outcome.segment)}</small>"
    link = f'<a href="#incident-{incident}">{incident}</a>' if incident else wording.NONE
    cells = (
        f'<th scope="row">{column}</th><td>{safe(wording.title(c.check))}</td>',
        number_cell(wording.value(m), m.value),
        f'<td class="wrap">{safe(wording.bound(c))}</td><td>{wording.interval(m)}</td>',
        number_cell(wording.probability(m.p_value), m.p_value),
        number_cell(wording.probability(outcome.q_value), outcome.q_value),
        _counted(m.n_bad),
        _counted(m.n_baseline),
        _counted(m.n_current),
        number_cell(link, incident),
        f"<td>{LOUD if c.severity == 'critical' else QUIET}</td>",
    )
    return f"<tr>{''.join(cells)}</tr>"


# -- undetermined


def undetermined(report: Report, anchors: Mapping[str | None, str]) -> str:
    """Render what could not be judged, grouped by the reason with its numbers left out."""
    found = report.undetermined
    if not found:
        return ""
    ordered = by_reason(found)
    budget = max(400, UNDETERMINED_BYTES // len(ordered))
    render = _reason_of_metrics if wording.is_of_metrics(report.recipe) else _reason
    markup, left_out = fit((render(members, anchors, budget) for members in ordered), UNDETERMINED_BYTES)
    noun = "metrics" if wording.is_of_metrics(report.recipe) else "constraints"
    return (
        '<section id="undetermined" aria-labelledby="h-undetermined">'
        f'<h2 id="h-undetermined">Could not be judged <small>{len(found):,}</small></h2>'
        f"<p>These {noun} are neither passed nor violated, for want of data or of something to compare"
        " with.</p>"
        f'<ul class="reasons">{markup}</ul>{left_out_of(left_out, "reason")}</section>'
    )


def _reason(members: Sequence[Outcome], anchors: Mapping[str | None, str], budget: int) -> str:
    first = members[0]
    same = all(o.reason == first.reason for o in members)
    said = safe(wording.sentence(first.reason), 700)
    if not same:
        said += ' <span class="muted">The figures differ from column to column.</span>'
    checks = wording.listing(dict.fromkeys(wording.title(o.constraint.check) for o in members), 6)
    columns = dict.fromkeys((o.constraint.column, wording.subject(o)) for o in members)
    n = len(columns)
    folded = chips(columns, anchors, budget)
    if n > OPEN_CHIPS:
        folded = f"<details><summary>{wording.plural(n, 'column')}</summary>{folded}</details>"
    return (
        f'<li>{icon(Status.UNDETERMINED)} {said} <span class="muted">{safe(checks)},'
        f" {wording.plural(len(members), 'constraint')}.</span>{folded}</li>"
    )


def _reason_of_metrics(members: Sequence[Outcome], anchors: Mapping[str | None, str], budget: int) -> str:
    first = members[0]
    said = safe(wording.sentence(first.reason), 700)
    if any(o.reason != first.reason for o in members):
        said += ' <span class="muted">The figures differ.</span>'
    labels = dict.fromkeys((o.constraint.column, _labelled(o)) for o in members)
    folded = chips(labels, anchors, budget)
    if len(labels) > OPEN_CHIPS:
        folded = f"<details><summary>{wording.plural(len(labels), 'metric')}</summary>{folded}</details>"
    return f"<li>{icon(Status.UNDETERMINED)} {said}{folded}</li>"


def _labelled(outcome: Outcome) -> str:
    title = wording.title(outcome.constraint.check)
    if outcome.constraint.column is None and outcome.segment is None:
        return title
    return f"{wording.short_title(outcome.constraint.check)} of {wording.scope(outcome, 60)}"
