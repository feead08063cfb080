"""The tables of a page about metrics: what is violated, and everything that was judged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from driftline.reports import wording
from driftline.reports.html_findings import LOUD, QUIET, left_out_of, number_cell
from driftline.reports.markup import CLASSES, fit, icon, name, safe
from driftline.reports.outcome import Status

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from driftline.reports.outcome import Outcome
    from driftline.reports.report import Report

__all__ = ["metrics", "violations"]

VIOLATIONS_BYTES: Final = 1_000_000
METRICS_BYTES: Final = 600_000
OPEN: Final = 30
"""Longer tables of everything that was judged are folded."""

_RANK: Final = {Status.VIOLATED: 0, Status.UNDETERMINED: 1, Status.PASSED: 2}
_NUMBERS: Final = (
    ("Metric", ""), ("Baseline", "num"), ("Current", "num"), ("95% interval", ""), ("Allowed", ""), ("p", "num"),
    ("q", "num"),
)  # fmt: skip


def violations(report: Report, anchors: Mapping[str | None, str]) -> str:
    """Render every violated metric as a row: both values, the interval, what is allowed, and the evidence."""
    violated = [(i, o) for i, o in enumerate(report.outcomes) if o.is_violation]
    if not violated:
        return ""
    number_of = {at: n for n, incident in enumerate(report.incidents, 1) for at in incident.outcomes}
    last = len(report.incidents) + 1
    violated.sort(key=lambda found: (number_of.get(found[0], last), found[0]))
    outcomes = [o for _, o in violated]
    is_alike = bool(_common_reason(outcomes))
    rows = (
        _row(
            report,
            o,
            anchors,
            f"{_incident(number_of.get(i))}<td>{LOUD if _is_loud(o) else QUIET}</td>",
            is_alike=is_alike,
        )
        for i, o in violated
    )
    markup, left_out = fit(rows, VIOLATIONS_BYTES)
    table = _table(report, outcomes, markup, (("Incident", "num"), ("Status", "")), "Table of violations")
    return (
        '<section id="violations" aria-labelledby="h-violations"><h2 id="h-violations">Violations'
        f" <small>{len(violated):,}</small></h2>"
        "<p>One row per metric that is beyond its bound, in the order of the incidents. Where scripts run, click a"
        f" heading to sort.{_bounds(outcomes)}</p>{table}{left_out_of(left_out, 'violation')}</section>"
    )


def metrics(report: Report, anchors: Mapping[str | None, str]) -> str:
    """Render every metric that was judged, the violated ones first."""
    if not report.outcomes:
        return ""
    ordered = sorted(report.outcomes, key=lambda o: _RANK[o.status])
    is_alike = bool(_common_reason(ordered))
    rows = (_row(report, o, anchors, f"<td>{_status(o)}</td>", is_alike=is_alike) for o in ordered)
    markup, left_out = fit(rows, METRICS_BYTES)
    table = _table(report, ordered, markup, (("Status", ""),), "Table of all metrics")
    n = len(ordered)
    if n > OPEN:
        table = f"<details><summary>Show all {n:,}</summary>{table}</details>"
    return (
        f'<section id="metrics" aria-labelledby="h-metrics"><h2 id="h-metrics">All metrics <small>{n:,}</small></h2>'
        f"<p>Everything that was judged, with what it was held to.{_bounds(ordered)}</p>"
        f"{table}{left_out_of(left_out, 'metric')}</section>"
    )


def _table(
    report: Report, outcomes: Sequence[Outcome], rows: str, last: Sequence[tuple[str, str]], title: str
) -> str:
    first = [(_part(report), "")] if _has_parts(report) else []
    heads = "".join(
        f'<th scope="col"{_class(class_)}>{label}</th>' for label, class_ in (*first, *_NUMBERS, *last)
    )
    free = "" if len(outcomes) > OPEN else " free"
    return (
        f'<div class="scroll{free}" role="region" aria-label="{title}" tabindex="0"><table data-sortable>'
        f"<thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _has_parts(report: Report) -> bool:
    return any(o.constraint.column is not None or o.segment is not None for o in report.outcomes)


def _part(report: Report) -> str:
    return {"bias": "Group", "attribution": "Feature"}.get(report.recipe, "Rows")


def _class(names: str) -> str:
    return f' class="{names}"' if names else ""


def _is_loud(outcome: Outcome) -> bool:
    return outcome.constraint.severity == "critical"


def _incident(n: int | None) -> str:
    return number_cell(f'<a href="#incident-{n}">{n}</a>' if n else wording.NONE, n)


def _status(outcome: Outcome) -> str:
    word = "Not judged" if outcome.status is Status.UNDETERMINED else wording.status_word(outcome.status)
    return f'<span class="{CLASSES[outcome.status]}">{icon(outcome.status)} {word}</span>'


def _common_reason(outcomes: Sequence[Outcome]) -> str:
    """Return how all the bounds were chosen, where they were chosen alike."""
    reasons = {o.constraint.why for o in outcomes}
    return next(iter(reasons)) if len(reasons) == 1 else ""


def _bounds(outcomes: Sequence[Outcome]) -> str:
    reason = _common_reason(outcomes)
    return f" Allowed: {safe(wording.sentence(reason), 300)}" if reason else ""


def _rows(n: int | None) -> str:
    return "" if n is None else f"<small>{wording.plural(n, 'row')}</small>"


def _row(
    report: Report, outcome: Outcome, anchors: Mapping[str | None, str], last: str, *, is_alike: bool
) -> str:
    c, m = outcome.constraint, outcome.measurement
    title = safe(wording.title(c.check))
    if _has_parts(report):
        of = name(wording.scope(outcome))
        if c.column in anchors:
            of = f'<a href="#{anchors[c.column]}">{of}</a>'
        lead = f'<th scope="row">{of}</th><td class="wrap metric">{title}</td>'
    else:
        lead = f'<th scope="row">{title}</th>'
    why = f'<small class="why">{safe(c.why, 200)}</small>' if c.why and not is_alike else ""
    cells = (
        lead,
        number_cell(f"{wording.baseline(m)}{_rows(m.n_baseline)}", m.baseline),
        number_cell(f"{wording.value(m)}{_rows(m.n_current)}", m.value),
        f"<td>{wording.interval(m)}</td>",
        f'<td class="wrap">{safe(wording.bound(c))}{why}</td>',
        number_cell(wording.probability(m.p_value), m.p_value),
        number_cell(wording.probability(outcome.q_value), outcome.q_value),
        last,
    )
    return f"<tr>{''.join(cells)}</tr>"
