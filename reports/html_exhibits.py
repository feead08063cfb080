"""The exhibits of the page: tables, matrices of counts, curves, intervals and pairs of bars.

Every picture has its numbers beside it or in a table below it. Exhibits of one family, such as the metrics of every
group, stand together; those without a finding are folded where there are many.
"""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING, Final

from driftline.reports import svg_rows, wording
from driftline.reports.markup import fit, icon, name, safe
from driftline.reports.outcome import Status
from driftline.reports.scale import Scale, finite, span
from driftline.reports.svg_curve import MOST_DRAWN, curve, series_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from driftline.reports.exhibit import Exhibit

__all__ = ["anchors", "cell", "exhibits", "figure"]

EXHIBITS_BYTES: Final = 2_400_000
FIGURE_BYTES: Final = 300_000
OPEN_FAMILY: Final = 6
"""Members of a family beyond this many are folded, unless something in them is violated."""

OPEN_VIOLATED: Final = 12
LONG: Final = 40
"""Longer tables scroll in a frame of their own."""

MOST_POINTS: Final = 60

_WORDS: Final = {
    "passed": (Status.PASSED, "good", "Passed"),
    "violated": (Status.VIOLATED, "bad", "Violated"),
    "undetermined": (Status.UNDETERMINED, "unsure", "Not judged"),
}
_KEYS: Final[Mapping[str, str]] = {
    "intervals": (
        '<span><svg class="row" aria-hidden="true" viewBox="0 0 16 16" width="16" height="16">'
        '<circle class="x-base" cx="8" cy="8" r="5.2"/></svg>Baseline</span>'
        '<span><svg class="row" aria-hidden="true" viewBox="0 0 34 16" width="34" height="16">'
        '<path class="x-whisker" d="M2 8H32M2 4v8M32 4v8"/><circle class="x-now" cx="17" cy="8" r="4.4"/></svg>'
        "Current, with its 95% interval; a diamond where violated</span>"
        '<span><svg class="row" aria-hidden="true" viewBox="0 0 28 16" width="28" height="16">'
        '<rect class="x-band" x="1" y="1" width="26" height="14"/><path class="x-bound" d="M1 1v14M27 1v14"/></svg>'
        "Allowed</span>"
    ),
    "bars": '<span><i class="key b"></i>Baseline, above</span><span><i class="key now"></i>Current, below</span>',
    "matrix": '<span><i class="key heat"></i>Darker: a larger share of its row</span>',
}


def anchors(exhibits: Iterable[Exhibit]) -> dict[str | None, str]:
    """Return where in the page a group or a feature is shown, by its name."""
    places: dict[str | None, str] = {}
    for at, exhibit in enumerate(exhibits):
        _, colon, of = exhibit.name.partition(":")
        if colon:
            places.setdefault(of, f"x{at}")
    return places


def exhibits(shown: Sequence[Exhibit], budget: int = EXHIBITS_BYTES) -> str:
    """Render the exhibits in about `budget` bytes; what does not fit is counted."""
    if not shown:
        return ""
    legends = {kind: f'<div class="legend">{key}</div>' for kind, key in _KEYS.items()}
    sheet = _Sheet()
    used = left_out = 0
    for _, grouped in itertools.groupby(enumerate(shown), key=lambda pair: pair[1].name.partition(":")[0]):
        members = list(grouped)
        pieces: list[tuple[Exhibit, str]] = []
        for at, exhibit in members:
            markup = figure(exhibit, at, legends.pop(exhibit.kind, ""))
            used += len(markup.encode())
            if used > budget and at:
                break
            pieces.append((exhibit, markup))
        left_out += len(members) - len(pieces)
        sheet.add(pieces)
    left = (
        f'<p class="left">{left_out:,} more not shown here; the JSON report has them all.</p>'
        if left_out
        else ""
    )
    return (
        '<section id="exhibits" aria-labelledby="h-exhibits">'
        f'<h2 id="h-exhibits">Figures and tables <small>{len(shown):,}</small></h2>'
        f"{sheet.markup()}{left}</section>"
    )


class _Sheet:
    """Figures in a grid, where a curve or a small matrix takes half the width; long families are folded."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._grid: list[str] = []

    def add(self, family: Sequence[tuple[Exhibit, str]]) -> None:
        first = list(family)
        if len(first) > OPEN_FAMILY:
            hit = [piece for piece in family if _is_hit(piece[0])]
            first = hit[:OPEN_VIOLATED] or first[:OPEN_FAMILY]
        self._grid += [markup for _, markup in first]
        chosen = {one.name for one, _ in first}
        rest = [markup for one, markup in family if one.name not in chosen]
        if rest:
            self._flush()
            quiet = (
                " without violations"
                if not any(_is_hit(one) for one, _ in family if one.name not in chosen)
                else ""
            )
            summary = f"<summary>{len(rest):,} more like these{quiet}</summary>"
            self._parts.append(
                f'<details class="group">{summary}<div class="exhibits">{"".join(rest)}</div></details>'
            )

    def _flush(self) -> None:
        if self._grid:
            self._parts.append(f'<div class="exhibits">{"".join(self._grid)}</div>')
        self._grid = []

    def markup(self) -> str:
        self._flush()
        return "".join(self._parts)


def _is_half(exhibit: Exhibit) -> bool:
    return exhibit.kind == "curve" or (exhibit.kind == "matrix" and len(exhibit.columns) <= 7)


def _is_hit(exhibit: Exhibit) -> bool:
    return exhibit.kind == "intervals" and any(row[7] == "violated" for row in exhibit.rows)


def figure(exhibit: Exhibit, at: int, legend: str = "") -> str:
    """Render one exhibit.

    Parameters
    ----------
    exhibit : Exhibit
    at : int
        Its position in the report; its ``id`` is ``x`` and this number.
    legend : str
        Markup that explains the picture, where nothing above does.
    """
    body = {
        "table": _table,
        "matrix": _matrix,
        "curve": _curve,
        "intervals": _intervals,
        "bars": _bars,
    }[exhibit.kind](exhibit)
    if not exhibit.rows or not body:
        body = '<p class="left">There is nothing to show.</p>'
    caption = f"<p>{safe(exhibit.caption, 1200)}</p>" if exhibit.caption else ""
    half = " half" if _is_half(exhibit) else ""
    return (
        f'<figure class="exhibit{half}" id="x{at}" tabindex="-1"><figcaption><h3>{safe(exhibit.title, 300)}</h3>'
        f"{caption}</figcaption>{legend}{body}</figure>"
    )


def cell(value: float | str | None, unit: str, limit: int = 160) -> str:
    """Spell a cell in its unit, escaped."""
    if isinstance(value, str):
        return safe(value, limit)
    return safe(wording.cell(value, unit))


def _framed(table: str, rows: int, title: str) -> str:
    if rows <= LONG:
        return f'<div class="scroll free">{table}</div>'
    return f'<div class="scroll" role="region" aria-label="{safe(title)}" tabindex="0">{table}</div>'


def _more(left_out: int, noun: str) -> str:
    if not left_out:
        return ""
    return (
        f'<p class="left">{wording.plural(left_out, "more " + noun, f"more {noun}s")} in the JSON report.</p>'
    )


def _capital(label: str) -> str:
    return safe(label[:1].upper() + label[1:], 80)


def _head(label: str, class_: str = "") -> str:
    of_class = f' class="{class_}"' if class_ else ""
    return f'<th scope="col"{of_class}>{_capital(label)}</th>'


# -- tables


def _table(exhibit: Exhibit) -> str:
    numeric = [
        exhibit.unit(j) not in ("", "text")
        or any(isinstance(row[j], (int, float)) for row in exhibit.rows[:50])
        for j in range(len(exhibit.columns))
    ]
    heads = "".join(
        _head(label, "num" if is_number else "")
        for label, is_number in zip(exhibit.columns, numeric, strict=True)
    )
    rows, left_out = fit((_table_row(exhibit, row, numeric) for row in exhibit.rows), FIGURE_BYTES)
    sortable = " data-sortable" if len(exhibit.rows) > 2 else ""
    table = f"<table{sortable}><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>"
    return _framed(table, len(exhibit.rows), exhibit.title) + _more(left_out, "row")


def _table_row(exhibit: Exhibit, row: Sequence[float | str | None], numeric: Sequence[bool]) -> str:
    first = row[0]
    lead = name(first) if isinstance(first, str) else cell(first, exhibit.unit(0))
    cells = [f'<th scope="row">{lead}</th>']
    for j in range(1, len(row)):
        value, text = row[j], cell(row[j], exhibit.unit(j))
        if numeric[j]:
            key = repr(float(value)) if isinstance(value, (int, float)) and not math.isnan(value) else ""
            cells.append(f'<td class="num" data-v="{key}">{text}</td>')
        else:
            cells.append(f'<td class="wrap">{text}</td>')
    return f"<tr>{''.join(cells)}</tr>"


# -- matrices


def _matrix(exhibit: Exhibit) -> str:
    heads = _head(exhibit.columns[0]) + "".join(
        f'<th scope="col" class="num">{safe(label, 60)}</th>' for label in exhibit.columns[1:]
    )
    parts = [_parts_of(row) for row in exhibit.rows]
    peak = max((part for row in parts for part in row), default=0.0)
    pairs = zip(exhibit.rows, parts, strict=True)
    rows, left_out = fit((_matrix_row(exhibit, row, of, peak) for row, of in pairs), FIGURE_BYTES)
    table = f'<table class="matrix"><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>'
    return _framed(table, len(exhibit.rows), exhibit.title) + _more(left_out, "row")


def _parts_of(row: Sequence[float | str | None]) -> list[float]:
    """Return each cell's share of its row; 0 where it has none."""
    numbers = [x if x is not None and x > 0 else 0.0 for x in _finite_or_none(row[1:])]
    largest = max(numbers, default=0.0)
    if not largest:
        return numbers
    # Scaled first, so that the sum of huge weights cannot overflow.
    total = math.fsum(x / largest for x in numbers)
    return [x / largest / total for x in numbers]


def _matrix_row(
    exhibit: Exhibit, row: Sequence[float | str | None], parts: Sequence[float], peak: float
) -> str:
    cells = [f'<th scope="row">{name(str(row[0]), 60)}</th>']
    for j, (value, part) in enumerate(zip(row[1:], parts, strict=True), 1):
        text = cell(value, exhibit.unit(j))
        told = ""
        if exhibit.unit(j) != "share" and any(parts) and value is not None:
            told = f"<small>{safe(_brief(part))}</small>"
        right = " right" if exhibit.columns[j] == row[0] else ""
        heat = f' style="--heat:{part / peak * 100:.0f}%"' if part >= 0.005 else ""
        cells.append(f'<td class="num heat{right}"{heat}>{text}{told}</td>')
    return f"<tr>{''.join(cells)}</tr>"


def _finite_or_none(values: Iterable[float | str | None]) -> list[float | None]:
    return [next(iter(finite((value,))), None) for value in values]


def _brief(part: float) -> str:
    if part in (0, 1):
        return f"{part:.0%}"
    return "<1%" if part < 0.005 else ">99%" if part > 0.995 else f"{part:.0%}"


# -- curves


def _curve(exhibit: Exhibit) -> str:
    drawn = curve(exhibit)
    if not drawn:
        return ""
    n = len(series_of(exhibit))
    note = (
        f'<p class="left">{MOST_DRAWN} of {n:,} are drawn; the JSON report has them all.</p>'
        if n > MOST_DRAWN
        else ""
    )
    return f"{drawn}{note}{_points(exhibit)}"


def _points(exhibit: Exhibit) -> str:
    step = max(1, -(-len(exhibit.rows) // MOST_POINTS))
    rows = "".join(
        f'<tr><th scope="row">{name(str(row[0]), 60)}</th><td class="num">{cell(row[1], exhibit.unit(1))}</td>'
        f'<td class="num">{cell(row[2], exhibit.unit(2))}</td></tr>'
        for row in _thinned(exhibit.rows, step)
    )
    heads = _head(exhibit.columns[0]) + "".join(_head(label, "num") for label in exhibit.columns[1:])
    every = "" if step == 1 else f", thinned to {MOST_POINTS}"
    return (
        f"<details><summary>The points in figures{every}</summary>"
        f'<div class="scroll" role="region" aria-label="{safe(exhibit.title)}: points" tabindex="0">'
        f'<table class="compact"><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div></details>'
    )


def _thinned(
    rows: Sequence[tuple[float | str | None, ...]], step: int
) -> list[tuple[float | str | None, ...]]:
    """Return every `step`-th row, and the first and last of each series."""
    kept = []
    for i, row in enumerate(rows):
        is_end = i == 0 or i == len(rows) - 1 or rows[i - 1][0] != row[0] or rows[i + 1][0] != row[0]
        if is_end or i % step == 0:
            kept.append(row)
    return kept[: 4 * MOST_POINTS]


# -- intervals and bars


def _intervals(exhibit: Exhibit) -> str:
    reference = next(iter(finite((exhibit.options.get("reference"),))), None)
    scales = svg_rows.scales(exhibit.rows, reference)
    shared = next((scale for scale in scales if scale is not None), None)
    picture = svg_rows.axis(shared, exhibit.unit(2)) if shared else "Each row on its own scale"
    heads = (
        f'{_head(exhibit.columns[0])}<th scope="col" class="picture">{picture}</th>'
        + "".join(_head(label, "num") for label in ("Baseline", "Current"))
        + "".join(_head(label) for label in ("95% interval", "Allowed", "Status"))
    )
    pairs = zip(exhibit.rows, scales, strict=True)
    rows, left_out = fit(
        (_interval_row(exhibit, row, scale, shared, reference) for row, scale in pairs), FIGURE_BYTES
    )
    table = f'<table class="pictured"><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>'
    return _framed(table, len(exhibit.rows), exhibit.title) + _more(left_out, "row")


def _interval_row(
    exhibit: Exhibit,
    row: Sequence[float | str | None],
    scale: Scale | None,
    shared: Scale | None,
    reference: float | None,
) -> str:
    unit = exhibit.unit(2)
    is_own = scale is None and shared is not None and finite(row[1:7])
    own = '<small class="own">own scale</small>' if is_own else ""
    low, high, least, most = _finite_or_wide(row[3:7])
    interval = wording.NONE if low is None or high is None else f"{cell(low, unit)} to {cell(high, unit)}"
    status, class_, word = _WORDS.get(str(row[7]), (None, "", ""))
    said = f'<span class="{class_}">{icon(status)} {word}</span>' if status is not None else wording.NONE
    return (
        f'<tr><th scope="row">{name(str(row[0]), 90)}</th>'
        f'<td class="picture">{svg_rows.intervals(tuple(row), scale, reference)}{own}</td>'
        f'<td class="num" data-l="Baseline">{cell(row[1], exhibit.unit(1))}</td>'
        f'<td class="num" data-l="Current">{cell(row[2], unit)}</td>'
        f'<td data-l="95% interval">{interval}</td>'
        f'<td class="wrap" data-l="Allowed">{safe(_allowed(least, most, unit))}</td><td class="status">{said}</td></tr>'
    )


def _finite_or_wide(values: Iterable[float | str | None]) -> list[float | None]:
    return [value if isinstance(value, (int, float)) else None for value in values]


def _allowed(least: float | None, most: float | None, unit: str) -> str:
    spelled = [
        None if x is None or math.isinf(x) else wording.unit_value(x, unit or "number") for x in (least, most)
    ]
    if spelled[0] is not None and spelled[1] is not None:
        return f"{spelled[0]} to {spelled[1]}"
    if spelled[0] is not None:
        return f"at least {spelled[0]}"
    return wording.NONE if spelled[1] is None else f"at most {spelled[1]}"


def _bars(exhibit: Exhibit) -> str:
    values = finite(x for row in exhibit.rows for x in row[1:3])
    scale = Scale(*span([0.0, *values]), svg_rows.EDGE, svg_rows.WIDTH - svg_rows.EDGE)
    heads = f'{_head(exhibit.columns[0])}<th scope="col" class="picture"></th>' + "".join(
        _head(label, "num") for label in (exhibit.columns[1], exhibit.columns[2], "Change")
    )
    rows, left_out = fit((_bar_row(exhibit, row, scale) for row in exhibit.rows), FIGURE_BYTES)
    table = f'<table class="pictured"><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>'
    return _framed(table, len(exhibit.rows), exhibit.title) + _more(left_out, "row")


def _bar_row(exhibit: Exhibit, row: Sequence[float | str | None], scale: Scale) -> str:
    before, now = _finite_or_wide(row[1:3])
    return (
        f'<tr><th scope="row">{name(str(row[0]), 90)}</th><td class="picture">{svg_rows.bars(before, now, scale)}</td>'
        f'<td class="num" data-l="{_capital(exhibit.columns[1])}">{cell(before, exhibit.unit(1))}</td>'
        f'<td class="num" data-l="{_capital(exhibit.columns[2])}">{cell(now, exhibit.unit(2))}</td>'
        f'<td class="num" data-l="Change">{safe(_change(before, now, exhibit.unit(2)))}</td></tr>'
    )


def _change(before: float | None, now: float | None, unit: str) -> str:
    if before is None or now is None or not (math.isfinite(before) and math.isfinite(now)):
        return wording.NONE
    change = now - before
    if not math.isfinite(change):
        return wording.NONE
    sign = "+" if change > 0 else ""
    if unit == "share":
        return f"{sign}{wording.number(change * 100, 3)} points"
    return sign + wording.number(change, 3)
