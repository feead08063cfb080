"""The columns of the page: both sides of each, drawn and in figures."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from driftline.reports import wording
from driftline.reports.markup import CLASSES, fit, icon, name, safe
from driftline.reports.outcome import Outcome, Status
from driftline.reports.svg import chart

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from driftline.reports.report import ColumnView, Incident, Report

__all__ = ["Shown", "anchors", "columns", "select"]

MAX_DRAWN: Final = 200
"""Columns beyond this many stand in a table instead of a drawing each."""

FOLDED: Final = 6
"""Longer groups of columns that ask for nothing are folded away."""

MAX_EXTRA: Final = 6
MAX_SAID: Final = 8
"""Findings told per column."""

CARDS_BYTES: Final = 1_400_000

_RANK: Final = {Status.VIOLATED: 0, Status.UNDETERMINED: 1, Status.PASSED: 2}
_KNOWN: Final = (
    "n_rows", "n_missing", "mean", "std_dev", "min", "q25", "median", "q75", "max", "n_distinct",
)  # fmt: skip
_EXTRA: Final = {
    "most_frequent": "Most frequent",
    "n_most_frequent": "Rows with it",
    "min_length": "Shortest text",
    "median_length": "Median length",
    "max_length": "Longest text",
    "n_zero": "Zeros",
    "n_negative": "Negative",
    "n_infinite": "Infinite",
}
_KINDS: Final = {
    "number": "number",
    "text": "text",
    "boolean": "true or false",
    "time": "time",
    "other": "other",
}


@dataclass(frozen=True, slots=True)
class Shown:
    """A column as the page shows it.

    Attributes
    ----------
    anchor : str
        Its ``id`` in the page.
    view : ColumnView
    outcomes : tuple of Outcome
        What was judged about it.
    status : Status
        The worst of them; passed where nothing was judged.
    group : tuple of int
        Where it stands: the rank of its status, then for columns that nothing but one incident of many hits,
        the number of that incident.
    """

    anchor: str
    view: ColumnView
    outcomes: tuple[Outcome, ...]
    status: Status
    group: tuple[int, int]


def select(report: Report) -> tuple[Shown, ...]:
    """Pair columns with their outcomes, violated ones first, in the order of the incidents."""
    judged: dict[tuple[str | None, str | None], list[int]] = {}
    own = {(view.name, view.segment) for view in report.columns}
    for at, outcome in enumerate(report.outcomes):
        key = (outcome.constraint.column, outcome.segment)
        # A segment without a drawing of its own is told with its column.
        judged.setdefault(key if key in own else (key[0], None), []).append(at)
    incident_of = {at: n for n, incident in enumerate(report.incidents, 1) for at in incident.outcomes}
    shown: list[tuple[tuple[int, int], int, int, Shown]] = []
    for i, view in enumerate(report.columns):
        positions = judged.get((view.name, view.segment), [])
        outcomes = tuple(report.outcomes[at] for at in positions)
        status = min((o.status for o in outcomes), key=_RANK.__getitem__, default=Status.PASSED)
        hit_by = sorted({incident_of[at] for at in positions if at in incident_of})
        group = (_RANK[status], 0)
        if len(hit_by) == 1 and _is_wide(report.incidents[hit_by[0] - 1]):
            group = (0, hit_by[0])
        first = hit_by[0] if hit_by else 0
        shown.append((group, first, i, Shown(f"c{i}", view, outcomes, status, group)))
    return tuple(column for *_, column in sorted(shown, key=lambda entry: entry[:3]))


def _is_wide(incident: Incident) -> bool:
    return incident.kind in ("rows", "column") and len(incident.columns) > FOLDED


def anchors(shown: Iterable[Shown]) -> dict[str | None, str]:
    """Return where each column stands in the page; the first place of a column with several."""
    places: dict[str | None, str] = {}
    for column in shown:
        places.setdefault(column.view.name, column.anchor)
    return places


def columns(shown: Sequence[Shown], budget: int) -> str:
    """Render the columns in about `budget` bytes: cards for the first, a table for the rest."""
    if not shown:
        return ""
    drawn = _draw(shown[:MAX_DRAWN], min(CARDS_BYTES, budget // 2))
    rest = shown[len(drawn) :]
    groups = [list(members) for _, members in itertools.groupby(drawn, key=lambda pair: pair[0].group)]
    parts = [
        '<section id="columns" aria-labelledby="h-columns">',
        f'<h2 id="h-columns">Columns <small>{len(shown):,}</small></h2>',
        "<p>Heights are shares of each side's own rows, so sides of different size compare.</p>",
        '<div class="legend"><span><i class="key b"></i>Baseline: filled, upper bar</span>',
        '<span><i class="key c"></i>Current: line, lower bar</span></div>',
    ]
    for members in groups:
        first = members[0][0]
        label = _label(first, len(members))
        grid = f'<div class="grid">{"".join(markup for _, markup in members)}</div>'
        is_quiet = first.group[1] > 0 or first.status is Status.PASSED
        if len(groups) == 1 and not rest:
            parts.append(grid)
        elif is_quiet and len(members) > FOLDED:
            parts.append(f'<details class="group"><summary>{label}</summary>{grid}</details>')
        else:
            parts.append(f'<h3 class="group">{label}</h3>{grid}')
    if rest:
        parts.append(_table(rest, budget - sum(len(part.encode()) for part in parts)))
    parts.append("</section>")
    return "".join(parts)


def _label(column: Shown, n: int) -> str:
    counted = wording.plural(n, "column")
    if column.group[1]:
        return f"{counted} hit by nothing but incident {column.group[1]}"
    return {
        Status.VIOLATED: f"{counted} with violations",
        Status.UNDETERMINED: f"{counted} with something that could not be judged",
        Status.PASSED: f"{counted} without findings",
    }[column.status]


def _draw(shown: Sequence[Shown], budget: int) -> list[tuple[Shown, str]]:
    drawn, used = [], 0
    for column in shown:
        markup = card(column)
        used += len(markup.encode())
        if used > budget:
            break
        drawn.append((column, markup))
    return drawn


def card(column: Shown) -> str:
    """Render one column: drawing, what was found, and the figures of both sides."""
    view = column.view
    segment = f' <small class="muted">only {name(view.segment)}</small>' if view.segment is not None else ""
    return (
        f'<article class="card" id="{column.anchor}" tabindex="-1">'
        f"<header><h3>{name(view.name)}{segment}</h3>"
        f'<span class="kind">{safe(_KINDS.get(view.kind, view.kind))}</span></header>'
        f"{chart(view)}{_said(column.outcomes)}{_figures(view)}{_passed(column.outcomes)}</article>"
    )


def _said(outcomes: Sequence[Outcome]) -> str:
    found = sorted((o for o in outcomes if o.status is not Status.PASSED), key=lambda o: _RANK[o.status])
    rows = [_finding(outcome) for outcome in found[:MAX_SAID]]
    if len(found) > MAX_SAID:
        rows.append(f'<li class="muted">and {wording.plural(len(found) - MAX_SAID, "more finding")}.</li>')
    return f'<ul class="said">{"".join(rows)}</ul>' if rows else ""


def _finding(outcome: Outcome) -> str:
    kind = CLASSES[outcome.status]
    word = f'<b class="{kind}">{safe(wording.title(outcome.constraint.check))}</b>'
    where = f' <span class="muted">only {name(outcome.segment)}</span>' if outcome.segment is not None else ""
    note = outcome.measurement.note
    more = f' <span class="muted">{safe(wording.sentence(note), 300)}</span>' if note else ""
    # Some reasons begin with the name of the check, which stands before them here.
    reason = outcome.reason.removeprefix(f"{wording.title(outcome.constraint.check)}: ")
    reason = safe(wording.sentence(reason[:1].upper() + reason[1:]), 500)
    return f"<li>{icon(outcome.status)}{word}{where} {reason}{more}</li>"


def _passed(outcomes: Sequence[Outcome]) -> str:
    passed = dict.fromkeys(wording.title(o.constraint.check) for o in outcomes if o.status is Status.PASSED)
    if not passed:
        return ""
    return f"<footer>{icon(Status.PASSED)} Passed: {safe(', '.join(passed), 300)}</footer>"


def _figures(view: ColumnView) -> str:
    b, c = view.baseline_summary, view.current_summary
    rows = [
        ("Missing", _missing(b), _missing(c)),
        *(
            (label, _figure(b.get(key)), _figure(c.get(key)))
            for key, label in (("mean", "Mean"), ("std_dev", "Std. deviation"))
        ),
        ("Smallest", _figure(b.get("min")), _figure(c.get("min"))),
        ("Median", _figure(b.get("median")), _figure(c.get("median"))),
        ("Middle half", _half(b), _half(c)),
        ("Largest", _figure(b.get("max")), _figure(c.get("max"))),
        ("Distinct", _figure(b.get("n_distinct")), _figure(c.get("n_distinct"))),
    ]
    extra = [key for key in {**b, **c} if key not in _KNOWN]
    for key in extra[:MAX_EXTRA]:
        label = _EXTRA.get(key) or safe(key.replace("_", " "), 24)
        rows.append((label, _figure(_rare(b, key)), _figure(_rare(c, key))))
    lines = "".join(
        f'<tr><th scope="row">{label}</th><td>{before}</td><td>{now}</td></tr>'
        for label, before, now in rows
        if before != wording.NONE or now != wording.NONE
    )
    if not lines:
        return ""
    return (
        '<table><thead><tr><td></td><th scope="col">Baseline</th><th scope="col">Current</th></tr></thead>'
        f"<tbody>{lines}</tbody></table>"
    )


def _rare(summary: Mapping[str, float | str | None], key: str) -> float | str | None:
    # Counts of rare things are left out of a summary where there are none.
    return summary.get(key, 0 if summary and key in ("n_zero", "n_negative", "n_infinite") else None)


def _half(summary: Mapping[str, float | str | None]) -> str:
    low, high = summary.get("q25"), summary.get("q75")
    return wording.NONE if low is None or high is None else f"{_figure(low)} to {_figure(high)}"


def _figure(value: float | str | None) -> str:
    if isinstance(value, str):
        return safe(value, 28)
    return wording.number(value)


# -- the columns that are not drawn


_NUM: Final = ' class="num"'
_HEADINGS: Final = (
    ("Column", ""), ("Kind", ""), ("Status", ""), ("Missing before", _NUM), ("Missing now", _NUM),
    ("Mean before", _NUM), ("Mean now", _NUM),
)  # fmt: skip


def _table(rest: Sequence[Shown], budget: int) -> str:
    # Ten thousand rows: tags that HTML lets one leave out are left out.
    markup, left_out = fit((_line(column) for column in rest), budget)
    more = (
        f'<p class="left">{wording.plural(left_out, "more column")} only in the JSON report.</p>'
        if left_out
        else ""
    )
    heads = "".join(f'<th scope="col"{class_}>{label}</th>' for label, class_ in _HEADINGS)
    return (
        f'<h3 class="group" id="h-rest">{wording.plural(len(rest), "more column")}, in figures only</h3>'
        '<div class="scroll" role="region" aria-label="Table of the other columns" tabindex="0">'
        '<table class="compact">'
        f"<thead><tr>{heads}</tr></thead><tbody>{markup}</tbody></table></div>{more}"
    )


def _line(column: Shown) -> str:
    view = column.view
    title = safe(wording.name(view.name), 80)
    if view.segment is not None:
        title += f"<small> only {name(view.segment, 60)}</small>"
    word = wording.status_word(column.status)
    status = (
        f'<b class="{"bad" if column.status is Status.VIOLATED else "unsure"}">{word}</b>'
        if column.status is not Status.PASSED
        else word
    )
    before, now = view.baseline_summary, view.current_summary
    return (
        f"<tr id={column.anchor}><th scope=row>{title}<td>{safe(_KINDS.get(view.kind, view.kind))}"
        f"<td>{status}"
        f"<td class=num>{_missing(before)}<td class=num>{_missing(now)}"
        f"<td class=num>{_figure(before.get('mean'))}<td class=num>{_figure(now.get('mean'))}"
    )


def _missing(summary: Mapping[str, float | str | None]) -> str:
    missing, rows = summary.get("n_missing"), summary.get("n_rows")
    if isinstance(missing, (int, float)) and isinstance(rows, (int, float)) and rows > 0:
        return wording.share(missing / rows)
    return wording.NONE
