"""The section of a page that shows how well the model works: each evaluation with its groups of metrics."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING, Any, Final

from driftline.cards.render.blocks import (
    Band,
    Bars,
    Block,
    Column,
    Curve,
    Fact,
    Facts,
    Matrix,
    Paragraph,
    Row,
    Section,
    Span,
    Table,
    Words,
    given,
    muted,
    own,
)
from driftline.cards.render.content import part, simple_value
from driftline.cards.render.values import fact, is_stated, lines_of, named, number, objects, source_words
from driftline.reports import wording

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

__all__ = ["evaluation"]

CHARTS: Final = ("linear_graph", "bar_chart", "matrix")

MOST_SHARED: Final = 6
"""Groups with no more metrics, the same in all of them, stand in one table with a column for each metric."""

LONGEST_SHARED: Final = 24

_EMPTY: Final = "This version of the card reports no evaluation."


def evaluation(jobs: Sequence[Any], extensions: Mapping[str, Any], provenance: Mapping[str, Any]) -> Section:
    """Return the section on evaluations, without numbers.

    Parameters
    ----------
    jobs : sequence of mapping
        ``evaluation_details``.
    extensions : mapping
        ``evaluation`` and ``metric_rationale`` are shown here.
    provenance : mapping
    """
    anchor, title, lead = part("evaluation_details")
    blocks: list[Block] = [Paragraph(own(lead), "lead")]
    if is_stated(extensions.get("metric_rationale")):
        reason = fact("Why these metrics", extensions["metric_rationale"], is_prose=True)
        blocks.append(Facts((reason,), "Choice of metrics"))
    shown = objects(jobs)
    if not shown:
        blocks.append(Paragraph(muted(_EMPTY), "note"))
    if len(shown) > 1:
        blocks.append(_overview(shown))
    extras = objects(extensions.get("evaluation"))
    for place, job in enumerate(shown):
        name = str(job.get("name", ""))
        mine = [extra for extra in extras if extra.get("evaluation") == name]
        source = source_words(provenance, f"evaluation_details.{place}")
        blocks.append(_job(job, f"evaluation-{place + 1}", mine, source))
    names = {str(job.get("name", "")) for job in shown}
    loose = [extra for extra in extras if extra.get("evaluation") not in names]
    if loose:
        blocks += _extras(
            loose, own("Statements about evaluations that this version does not have"), with_job=True
        )
    return Section(own(title), anchor, tuple(blocks))


def _metrics_of(group: Any) -> list[dict[str, Any]]:
    return objects(group.get("metric_data")) if isinstance(group, dict) else []


def _overview(jobs: Sequence[Mapping[str, Any]]) -> Table:
    rows = []
    for job in jobs:
        groups = objects(job.get("metric_groups"))
        metrics = [metric for group in groups for metric in _metrics_of(group)]
        charts = sum(metric.get("type") in CHARTS for metric in metrics)
        counts = (len(groups), len(metrics) - charts, charts)
        rows.append(Row((named(job.get("name")), *(own(f"{n:,}") for n in counts))))
    return Table(
        own("All evaluations of this version"),
        (
            Column("Evaluation", 3.0),
            Column("Groups", 0.8, is_number=True),
            Column("Metrics", 0.8, is_number=True),
            Column("Charts", 0.8, is_number=True),
        ),
        tuple(rows),
    )


def _job(job: Mapping[str, Any], anchor: str, extras: Sequence[Mapping[str, Any]], source: Words) -> Section:
    facts: list[Fact] = []
    for key, title, is_prose in (
        ("evaluation_observation", "Observations", True),
        ("evaluation_job_arn", "Job", False),
        ("datasets", "Data", False),
    ):
        if is_stated(job.get(key)):
            facts.append(fact(title, job[key], is_prose=is_prose))
    metadata = job.get("metadata")
    if isinstance(metadata, dict):
        facts += [Fact(given(key), lines_of(value)) for key, value in metadata.items() if is_stated(value)]
    if source:
        facts.append(Fact(own("Source"), (source,)))
    blocks: list[Block] = [Facts(tuple(facts), "About this evaluation")] if facts else []
    groups = objects(job.get("metric_groups"))
    pieces = itertools.groupby(enumerate(groups, 1), key=lambda pair: _has_charts(pair[1]))
    for with_charts, run in pieces:
        numbered = list(run)
        if with_charts:
            blocks += [_with_charts(group, f"{anchor}-{n}") for n, group in numbered]
        else:
            blocks.append(_simple([group for _, group in numbered]))
    if not groups:
        blocks.append(Paragraph(muted("This evaluation holds no metrics."), "note"))
    if extras:
        blocks += _extras(extras, own("How sure these figures are, and what they were held to"))
    return Section(named(job.get("name")), anchor, tuple(blocks))


def _has_charts(group: Mapping[str, Any]) -> bool:
    return any(metric.get("type") in CHARTS for metric in _metrics_of(group))


def _with_charts(group: Mapping[str, Any], anchor: str) -> Section:
    metrics = _metrics_of(group)
    simple = [metric for metric in metrics if metric.get("type") not in CHARTS]
    blocks: list[Block] = []
    if simple:
        blocks.append(_table(own("Metrics"), [("", simple)]))
    blocks += [_chart(metric) for metric in metrics if metric.get("type") in CHARTS]
    return Section(named(group.get("name")), anchor, tuple(blocks), is_listed=False)


def _simple(groups: Sequence[Mapping[str, Any]]) -> Table:
    pairs = [(str(group.get("name", "")), _metrics_of(group)) for group in groups]
    if len(pairs) == 1:
        return _table(named(pairs[0][0]), [("", pairs[0][1])])
    names = _shared([metrics for _, metrics in pairs])
    if names:
        return _pivot(pairs, names)
    return _table(own("Metrics by group"), pairs)


def _shared(groups: Sequence[Sequence[Mapping[str, Any]]]) -> list[str]:
    """Return the names of the metrics where all groups have the same few ones with nothing but a value; else nothing."""
    names = [str(metric.get("name", "")) for metric in groups[0]]
    if not 0 < len(names) <= MOST_SHARED or len({*names}) < len(names):
        return []
    if any(len(name) > LONGEST_SHARED or "\n" in name for name in names):
        return []
    same = all([str(metric.get("name", "")) for metric in some] == names for some in groups)
    bare = all(
        not _notes(metric) and not isinstance(metric.get("value"), str) for some in groups for metric in some
    )
    return names if same and bare else []


def _pivot(groups: Sequence[tuple[str, Sequence[Mapping[str, Any]]]], names: Sequence[str]) -> Table:
    return Table(
        own("Metrics by group"),
        (Column("Group", 3.0), *(Column(name, 0.8, is_number=True, is_outside=True) for name in names)),
        tuple(
            Row((named(name), *(simple_value(metric.get("value")) for metric in metrics)))
            for name, metrics in groups
        ),
    )


def _table(caption: Words, groups: Sequence[tuple[str, Sequence[Mapping[str, Any]]]]) -> Table:
    metrics = [metric for _, some in groups for metric in some]
    has_notes = any(_notes(metric) for metric in metrics)
    columns = [Column("Metric", 2.4), Column("Value", 1.0, is_number=True)]
    if has_notes:
        columns.append(Column("Notes", 2.4))
    rows: list[Row | Band] = []
    for name, some in groups:
        if len(groups) > 1:
            rows.append(Band(named(name)))
        for metric in some:
            cells = [named(metric.get("name")), simple_value(metric.get("value"))]
            if has_notes:
                cells.append(_notes(metric))
            rows.append(Row(tuple(cells)))
        if not some:
            rows.append(Row((muted("no metrics"), *(() for _ in columns[1:]))))
    return Table(caption, tuple(columns), tuple(rows))


def _notes(metric: Mapping[str, Any]) -> Words:
    """Return the notes of a simple metric, its axis names among them, should somebody have given any."""
    pieces: list[Span] = []
    if is_stated(metric.get("notes")):
        pieces.append(Span(str(metric["notes"]), "given"))
    for key, title in (("x_axis_name", "x: "), ("y_axis_name", "y: ")):
        name = metric.get(key)
        if isinstance(name, str) and is_stated(name):
            pieces += [Span("; " if pieces else ""), Span(title, "muted"), Span(name, "given")]
    return tuple(pieces)


def _chart(metric: Mapping[str, Any]) -> Block:
    caption = named(metric.get("name"))
    note = str(metric["notes"]) if is_stated(metric.get("notes")) else ""
    x, y, value = metric.get("x_axis_name"), metric.get("y_axis_name"), metric.get("value")
    values = value if isinstance(value, (list, tuple)) else ()
    if metric["type"] == "linear_graph":
        points = tuple(
            (float(pair[0]), float(pair[1]))
            for pair in values
            if isinstance(pair, (list, tuple)) and len(pair) == 2 and all(_is_number(end) for end in pair)
        )
        if points:
            return Curve(caption, points, _name(x), _name(y), note)
    elif metric["type"] == "bar_chart":
        bars = [bar for bar in values if _is_number(bar)]
        labels = _labels(x, len(bars), "bar")
        if bars:
            return Bars(caption, labels, tuple(float(bar) for bar in bars), _name(y), note)
    else:
        rows = [
            tuple(float(cell) for cell in row if _is_number(cell))
            for row in values
            if isinstance(row, (list, tuple))
        ]
        width = max((len(row) for row in rows), default=0)
        if width:
            # The axis of the rows is x, as evaluation reports have it; where only the other way fits, that is meant.
            if isinstance(x, list) and isinstance(y, list) and len(x) == width != len(rows) == len(y):
                x, y = y, x
            return Matrix(
                caption, _labels(x, len(rows), "row"), _labels(y, width, "column"), tuple(rows), note
            )
    return Table(caption, (Column("Chart", 1.0),), (Row((muted("holds no number that can be drawn"),)),))


def _is_number(value: Any) -> bool:
    return (
        isinstance(value, (int, float))
        and not isinstance(value, bool)
        and abs(value) <= 1.7e308
        and math.isfinite(value)
    )


def _name(axis: Any) -> str:
    return axis if isinstance(axis, str) else ""


def _labels(axis: Any, n: int, what: str) -> tuple[str, ...]:
    """Return a label for each of `n` bars, rows or columns; where there is none, its number."""
    known = [str(label) for label in axis] if isinstance(axis, (list, tuple)) else []
    return tuple(known[i] if i < len(known) else f"{what} {i + 1}" for i in range(n))


# -- what the extensions say of an evaluation

_ABOUT: Final = (
    ("measured_by", "Measured by"),
    ("verified", "Measured by others than the authors"),
    ("metric_rationale", "Why this metric"),
    ("procedure", "Procedure"),
    ("log_uri", "Log"),
    ("digest", "Digest of the log"),
)


def _extras(
    extras: Sequence[Mapping[str, Any]], caption: Words, *, with_job: bool = False
) -> Iterator[Block]:
    figures = [
        extra
        for extra in extras
        if any(key in extra for key in ("confidence_interval", "sample_size", "test"))
    ]
    if figures:
        columns = (
            Column("Of", 2.2),
            Column("Interval", 1.3, is_number=True),
            Column("Rows", 0.8, is_number=True),
            Column("Held to", 1.6),
            Column("Result", 0.8),
        )
        yield Table(caption, columns, tuple(_figure(extra, with_job=with_job) for extra in figures))
    for extra in extras:
        facts = [
            fact(title, extra[key], is_prose=key in ("procedure", "metric_rationale"))
            for key, title in _ABOUT
            if is_stated(extra.get(key))
        ]
        for one in objects(extra.get("signatures")):
            signed = " · ".join(
                str(one[key]) for key in ("signer", "role", "date") if is_stated(one.get(key))
            )
            more = [one[key] for key in ("log_uri", "digest") if is_stated(one.get(key))]
            facts.append(fact("Signed by", [signed, *more]))
        if facts:
            yield Facts((Fact(own("About"), (_subject(extra, with_job=with_job),)), *facts), "Evidence")


def _subject(extra: Mapping[str, Any], *, with_job: bool) -> Words:
    keys = ("evaluation", "group", "metric") if with_job else ("group", "metric")
    names = [str(extra[key]) for key in keys if is_stated(extra.get(key))]
    pieces: list[Span] = []
    for name in names:
        pieces += [Span(" › ", "muted")] if pieces else []
        pieces.append(Span(name, "given"))
    if not pieces:
        pieces.append(Span("the whole evaluation"))
    if is_stated(extra.get("slice")):
        pieces += [Span(", for "), Span(str(extra["slice"]), "given")]
    return tuple(pieces)


def _figure(extra: Mapping[str, Any], *, with_job: bool) -> Row:
    interval, test = extra.get("confidence_interval"), extra.get("test")
    spread: Words = ()
    if isinstance(interval, dict):
        level = interval.get("level")
        rate = f" ({wording.share(level)})" if _is_number(level) else ""
        ends = [
            number(end) if _is_number(end) else "?" for end in (interval.get("low"), interval.get("high"))
        ]
        method = interval.get("method")
        how: Words = (Span(", ", "muted"), Span(str(method), "given")) if is_stated(method) else ()
        spread = (*own(f"{ends[0]} to {ends[1]}{rate}"), *how)
    held: list[Span] = []
    result: Words = ()
    if isinstance(test, dict):
        if is_stated(test.get("comparison")):
            held.append(Span(f"{test['comparison']} ", "given"))
        if _is_number(test.get("threshold")):
            held.append(Span(number(test["threshold"])))
        if is_stated(test.get("description")):
            held += [Span("; " if held else ""), Span(str(test["description"]), "given")]
        if isinstance(test.get("passed"), bool):
            result = own("✓ held") if test["passed"] else (Span("✕ not held", "strong"),)
    size = extra.get("sample_size")
    return Row(
        (
            _subject(extra, with_job=with_job),
            spread,
            own(number(size)) if _is_number(size) else (),
            tuple(held),
            result,
        )
    )
