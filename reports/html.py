"""The report as one page that needs nothing else: no network, no second file, no script to be read.

From top to bottom in the order of questions: is something wrong, what was compared, what happened, where
exactly, what do the columns look like (of metrics: what do the figures look like), and why should I believe it.
All outside text is escaped, and the page's Content-Security-Policy forbids everything but its own styles and one
sorting script known by its digest.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final

from driftline.baselines.constraint import CHECKS
from driftline.baselines.metrics import METRICS
from driftline.reports import html_columns, html_exhibits, html_findings, html_metrics, wording
from driftline.reports.codec import report_id
from driftline.reports.headline import headline, subtitle
from driftline.reports.markup import CLASSES, SYMBOLS, fit, icon, safe
from driftline.reports.outcome import Status
from driftline.reports.sorting import SCRIPT, SCRIPT_DIGEST

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from driftline.reports.report import Report, Side

__all__ = ["document", "style", "to_html"]

POLICY: Final = (
    f"default-src 'none'; style-src 'unsafe-inline'; img-src data:; script-src '{SCRIPT_DIGEST}';"
    " base-uri 'none'; form-action 'none'"
)
"""Content-Security-Policy of the page."""

RECIPES: Final = {
    "data-quality": "Data quality",
    "model-quality": "Model quality",
    "bias": "Bias",
    "attribution": "Feature attribution",
}

LIST_BYTES: Final = 60_000

PAGE_BYTES: Final = 4_900_000
"""The columns get what the other sections leave of this."""


def to_html(report: Report) -> str:
    """Render a report as one self-contained HTML page.

    Parameters
    ----------
    report : Report

    Returns
    -------
    str
        An HTML 5 document of at most 5 MB, however many columns the report has: the columns beyond the first
        two hundred stand in a table, and what still does not fit is counted, not shown. The same text for the
        same report.
    """
    status = wording.status_word(report.status)
    label = safe(report.current.label, 120)
    sections = _of_metrics(report) if wording.is_of_metrics(report.recipe) else _of_columns(report)
    links = "".join(f'<a href="#{at}">{title}</a>' for at, title, text in sections if text)
    body = "\n".join(text for *_, text in sections if text)
    return document(
        f"{status}: {label} – driftline report",
        f'<a class="skip" href="#main">Skip to the findings</a>{SYMBOLS}\n{_top(report)}\n'
        f'<main id="main">\n<nav aria-label="Contents">{links}</nav>\n{body}\n</main>\n'
        f"<footer>driftline {safe(report.versions.get('driftline', ''), 40)}."
        " This page is complete: it loads nothing from anywhere.</footer>\n",
        exhibits=bool(report.exhibits) or wording.is_of_metrics(report.recipe),
    )


def document(title: str, body: str, *, exhibits: bool = False) -> str:
    """Put a page together: head, policy, styles, the script for sorting.

    Parameters
    ----------
    title : str
        Escaped.
    body : str
        Markup.
    exhibits : bool
        Whether the page needs the styles of exhibits and time lines.
    """
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n<meta name="referrer" content="no-referrer">\n'
        f"<title>{title}</title>\n<style>{style(exhibits=exhibits)}</style>\n</head>\n"
        f"<body>\n{body}<script>{SCRIPT}</script>\n</body>\n</html>\n"
    )


_Section = tuple[str, str, str]


def _of_columns(report: Report) -> list[_Section]:
    shown = html_columns.select(report)
    anchors = html_columns.anchors(shown)
    before = [
        ("incidents", "Incidents", html_findings.incidents(report, anchors)),
        ("violations", "Violations", html_findings.violations(report, anchors)),
        ("undetermined", "Could not be judged", html_findings.undetermined(report, anchors)),
    ]
    after = [
        *([("exhibits", "Figures", html_exhibits.exhibits(report.exhibits))] if report.exhibits else []),
        ("guide", "How to read this", _guide(report)),
        ("provenance", "Provenance", _provenance(report)),
    ]
    used = len(style(exhibits=bool(report.exhibits))) + sum(
        len(text.encode()) for *_, text in (*before, *after)
    )
    return [*before, ("columns", "Columns", html_columns.columns(shown, PAGE_BYTES - used)), *after]


def _of_metrics(report: Report) -> list[_Section]:
    anchors = html_exhibits.anchors(report.exhibits)
    return [
        ("incidents", "Incidents", html_findings.incidents(report, anchors)),
        ("violations", "Violations", html_metrics.violations(report, anchors)),
        ("exhibits", "Figures", html_exhibits.exhibits(report.exhibits)),
        ("undetermined", "Could not be judged", html_findings.undetermined(report, anchors)),
        ("metrics", "All metrics", html_metrics.metrics(report, anchors)),
        ("guide", "How to read this", _guide(report)),
        ("provenance", "Provenance", _provenance(report)),
    ]


@cache
def style(*, exhibits: bool) -> str:
    """Return the style sheet of a page."""
    from importlib import resources

    files = ("report.css", "exhibit.css") if exhibits else ("report.css",)
    folder = resources.files("driftline.reports")
    return "".join(folder.joinpath(file).read_text(encoding="utf-8") for file in files)


def _top(report: Report) -> str:
    recipe = RECIPES.get(report.recipe) or safe(report.recipe, 60)
    verb = "measured" if wording.is_of_metrics(report.recipe) else "profiled"
    more = subtitle(report)
    return (
        f'<header><div class="brand"><span><b>driftline</b> · {recipe} report</span>'
        f"<span>{_when(report.created)}</span></div>"
        f'<div class="verdict">{icon(report.status)}<h1>{safe(headline(report), 400)}</h1>'
        f"{f'<p>{safe(more, 900)}</p>' if more else ''}</div>{_tally(report)}"
        f'<div class="sides"><div>{_side("Baseline", "b", report.baseline, verb)}</div>'
        f"<div>{_side('Current data', 'c', report.current, verb)}</div></div>{_terms(report)}</header>"
    )


def _when(created: str) -> str:
    return f'<time datetime="{safe(created, 40)}">{safe(_moment(created), 40)}</time>'


def _moment(created: str) -> str:
    """Show an ISO 8601 time as date, minutes and zone."""
    text = created.replace("T", " ")
    for zone in ("Z", "+00:00"):
        if text.endswith(zone):
            return text.removesuffix(zone)[:16] + " UTC"
    return text


def _tally(report: Report) -> str:
    counts = report.counts
    words = {
        Status.VIOLATED: "violated",
        Status.UNDETERMINED: "could not be judged",
        Status.PASSED: "passed",
    }
    present = [status for status in words if counts[status.value]]
    if not present:
        return ""
    bar = "".join(f'<span class="{CLASSES[s]}" style="flex:{counts[s.value]}"></span>' for s in present)
    items = "".join(f"<li>{icon(s)}<span><b>{counts[s.value]:,}</b> {words[s]}</span></li>" for s in present)
    return f'<div class="tally" aria-hidden="true">{bar}</div><ul class="counts">{items}</ul>'


def _side(title: str, key: str, side: Side, verb: str) -> str:
    made = f", {verb} {_when(side.created)}" if side.created else ""
    return (
        f'<h2><i class="key {key}"></i>{title}</h2><p class="what">{safe(side.label, 200)}</p>'
        f"<p>{wording.plural(side.n_rows, 'row')}, {wording.plural(side.n_columns, 'column')}{made}</p>"
    )


def _terms(report: Report) -> str:
    by = (
        "name"
        if report.matching == "name"
        else "position: the first column with the first, whatever their names"
    )
    mode = (
        "Default mode"
        if report.mode == "default"
        else "SageMaker mode, with the original's numbers and quirks"
    )
    split = f" Rows were also split by {safe(report.segments, 80)}." if report.segments else ""
    if report.matching == "name" and wording.is_of_metrics(report.recipe):
        return f'<p class="terms">{mode}.{split}</p>'
    return f'<p class="terms">Columns were paired by {by}. {mode}.{split}</p>'


# -- reference


_WORDS: Final = (
    ("Constraint", "A rule that the data is held to, taken from the baseline or set by somebody."),
    (
        "Violated",
        "The data breaks the rule, and by more than chance would where the rule asks for evidence.",
    ),
    (
        "Could not be judged",
        "Undetermined: too little data, or nothing to compare with. Never counts as passed.",
    ),
    ("95% interval", "Where the true value lies, given that both sides are samples."),
    ("p", "How often data like the baseline would look at least this different by chance."),
    (
        "q",
        "p, corrected for the number of comparisons; a violation needs q below the false discovery rate.",
    ),
)

_WORDS_OF_METRICS: Final = (
    (
        "Allowed",
        "The bound that the metric is held to, with how it was chosen; set by the baseline or by somebody.",
    ),
    (
        "Violated",
        "The metric is beyond its bound, and by more than chance would where the rule asks for evidence.",
    ),
    (
        "Could not be judged",
        "Undetermined: too little data, beyond the bound within the noise, or nothing to compare with."
        " Never counts as passed.",
    ),
    ("95% interval", "Where the true value of the current data lies, given that the rows are a sample."),
    ("p", "How often a value at least this bad would come by chance if the metric were just at its bound."),
    (
        "q",
        "p, corrected for the number of metrics; a violation needs q at or below the false discovery rate.",
    ),
)


def _guide(report: Report) -> str:
    checks = dict.fromkeys(o.constraint.check for o in report.outcomes)
    rows = list(_WORDS_OF_METRICS if wording.is_of_metrics(report.recipe) else _WORDS)
    for check in checks:
        info = CHECKS.get(check) or METRICS.get(check)
        if info is not None:
            rows.append((info.title, f"{info.measures[:1].upper()}{info.measures[1:]}.{_worse(info.worse)}"))
    return (
        '<section id="guide" aria-labelledby="h-guide"><h2 id="h-guide">How to read this</h2>'
        f'<dl class="facts">{"".join(f"<dt>{safe(a)}</dt><dd>{safe(b, 300)}</dd>" for a, b in rows)}</dl>'
        f"{_prose('What to know about the numbers', report.notes)}{_differences(report)}</section>"
    )


def _worse(direction: str) -> str:
    return {"higher": " Lower is better.", "lower": " Higher is better."}.get(direction, "")


def _prose(title: str, texts: Sequence[str]) -> str:
    if not texts:
        return ""
    markup, left_out = fit((f"<li>{safe(wording.sentence(text), 900)}</li>" for text in texts), LIST_BYTES)
    more = f'<li class="muted">and {left_out:,} more in the JSON report</li>' if left_out else ""
    return f'<h3 class="group">{title}</h3><ul class="plain">{markup}{more}</ul>'


def _differences(report: Report) -> str:
    other = "SageMaker mode" if report.mode == "default" else "the default mode"
    return _prose(f"Where {other} would answer differently", report.compat_differences)


def _mode(report: Report) -> str:
    if wording.is_of_metrics(report.recipe):
        return safe(report.mode, 40)
    return f"{safe(report.mode, 40)}; columns paired by {safe(report.matching, 40)}"


def _provenance(report: Report) -> str:
    rates = f"{wording.number(report.alpha)} over {wording.plural(report.n_tests, 'test')}"
    rows: list[tuple[str, str]] = [
        ("Report", f"<code>{report_id(report)}</code>"),
        ("Made", _when(report.created)),
        ("Recipe", safe(report.recipe, 60)),
        ("Mode", _mode(report)),
        ("False discovery rate", rates),
    ]
    for title, side in (("Baseline", report.baseline), ("Current data", report.current)):
        size = wording.plural(side.n_rows, "row")
        rows.append((title, f"{safe(side.label)}, {size}, <code>{safe(side.digest, 80)}</code>"))
        if side.sources:
            rows.append((f"{title}: read from", _sources(side.sources)))
    rows.append(
        ("Versions", ", ".join(f"{safe(k, 40)} {safe(v, 40)}" for k, v in list(report.versions.items())[:40]))
    )
    facts = "".join(f"<dt>{title}</dt><dd>{text}</dd>" for title, text in rows)
    return (
        '<section id="provenance" aria-labelledby="h-provenance"><h2 id="h-provenance">Provenance</h2>'
        f"<p>What went in and what computed. The report's name is the digest of its content.</p>"
        f'<dl class="facts">{facts}</dl></section>'
    )


def _sources(sources: Iterable[str]) -> str:
    listed = list(sources)
    first = ", ".join(f"<code>{safe(source, 200)}</code>" for source in listed[:3])
    if len(listed) <= 3:
        return first
    markup, left_out = fit((f"<code>{safe(source, 200)}</code><br>" for source in listed), LIST_BYTES)
    more = f"and {left_out:,} more in the JSON report" if left_out else ""
    return f"<details><summary>{len(listed):,} files</summary>{markup}{more}</details>"
