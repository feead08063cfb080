"""Exhibits: what they may hold, written and read back."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from metric_reports import metric_report, odd_exhibits

from driftline.errors import DocumentError, InternalError
from driftline.reports import exhibit as module
from driftline.reports.codec import from_json, report_id, to_json
from driftline.reports.exhibit import KINDS, STATUSES, UNITS, Exhibit, flaws, flaws_of_all

if TYPE_CHECKING:
    from driftline.reports.report import Report

TEXT = st.text(max_size=12)
NUMBER = st.none() | st.floats(allow_nan=False) | st.integers(-(2**60), 2**60)
CELL = NUMBER | TEXT | st.sampled_from(["NaN", "Infinity", "-Infinity"])
OPTIONS = st.dictionaries(
    TEXT, TEXT | st.booleans() | st.floats(allow_nan=False, allow_infinity=False), max_size=3
)
WIDTHS = {"curve": 3, "intervals": 8, "bars": 3}


@st.composite
def exhibits(draw: st.DrawFn) -> Exhibit:
    kind = draw(st.sampled_from(KINDS))
    n = WIDTHS.get(kind) or draw(st.integers(1, 4))
    rows = []
    for _ in range(draw(st.integers(0, 4))):
        cells: list[Any] = [draw(CELL if kind == "table" else NUMBER) for _ in range(n)]
        if kind != "table":
            cells[0] = draw(TEXT)
        if kind == "intervals":
            cells[7] = draw(st.none() | st.sampled_from(STATUSES))
        rows.append(tuple(cells))
    texts = draw(st.lists(TEXT, min_size=n, max_size=n).map(tuple))
    units = draw(st.just(()) | st.lists(st.sampled_from(UNITS), min_size=n, max_size=n).map(tuple))
    return Exhibit(
        draw(st.text(min_size=1, max_size=9)),
        kind,
        draw(TEXT),
        draw(TEXT),
        texts,
        tuple(rows),
        units,
        draw(OPTIONS),
    )


def written(*made: Exhibit) -> Report:
    return metric_report("model-quality", [], exhibits=made)


@given(st.lists(exhibits(), max_size=3, unique_by=lambda one: one.name))
def test_the_round_trip_is_exact(made: list[Exhibit]) -> None:
    report = written(*made)
    text = to_json(report)
    assert from_json(text, file="r.json") == report
    assert to_json(from_json(text, file="r.json")) == text


def test_the_odd_ones_are_no_flaw() -> None:
    assert list(flaws_of_all(odd_exhibits())) == []


def test_a_report_without_exhibits_is_written_as_before() -> None:
    assert '"exhibits"' not in to_json(written())
    assert report_id(written()) != report_id(written(TABLE))


def test_each_has_a_line_of_its_own() -> None:
    lines = to_json(written(TABLE, replace(TABLE, name="other"))).splitlines()
    assert sum(line.startswith('{"caption":') for line in lines) == 2


TABLE = Exhibit("slices", "table", "Slices", "", ("slice", "rows"), (("a", 1), ("b", None)), ("text", "rows"))
CURVE = Exhibit("roc", "curve", "ROC", "", ("side", "x", "y"), (("now", 0.0, 1.0),))
INTERVALS = Exhibit("m", "intervals", "M", "", tuple("abcdefgh"), (("r", 1, 2, 1, 3, 0, None, "passed"),))


@pytest.mark.parametrize(
    ("made", "changes", "where", "what"),
    [
        (TABLE, {"name": ""}, "name", "expected a name, found no text"),
        (TABLE, {"kind": "pie"}, "kind", "there is no kind 'pie': use one of table, matrix, curve, intervals, bars"),
        (TABLE, {"title": "x" * 4001}, "title", "expected at most 4,000 characters, found 4,001"),
        (TABLE, {"columns": ()}, "columns", "expected 1 to 500 columns, found 0"),
        (TABLE, {"columns": ("a" * 5000, "b")}, "columns[0]", "expected at most 4,000 characters, found 5,000"),
        (TABLE, {"units": ("text",)}, "units", "expected 2 units, found 1"),
        (TABLE, {"units": ("text", "%")}, "units[1]",
         "there is no unit '%': use one of '', 'text', 'number', 'share', 'rows'"),
        (TABLE, {"rows": (("a",),)}, "rows[0]", "expected 2 cells, found 1"),
        (TABLE, {"rows": (("a", True),)}, "rows[0][1]", "expected text, a number or null"),
        (TABLE, {"rows": (("a", 10**400),)}, "rows[0][1]", "expected a number that a double holds"),
        (TABLE, {"rows": (("a", "y" * 4001),)}, "rows[0][1]", "expected at most 4,000 characters, found 4,001"),
        (CURVE, {"columns": ("a", "b")}, "columns", "expected 3 columns for the kind 'curve', found 2"),
        (CURVE, {"rows": ((1, 2, 3),)}, "rows[0][0]", "expected text"),
        (CURVE, {"rows": (("a", 1, "b"),)}, "rows[0][2]", "expected a number or null"),
        (CURVE, {"options": {"diagonal": 1}}, "options.diagonal", "expected true or false"),
        (CURVE, {"options": {"x_min": "0"}}, "options.x_min", "expected a finite number"),
        (CURVE, {"options": {"y_max": math.inf}}, "options.y_max", "expected a finite number"),
        (CURVE, {"options": {"y_max": True}}, "options.y_max", "expected a finite number"),
        (CURVE, {"options": {"k": math.nan}}, "options.k", "expected text, a finite number or a boolean"),
        (CURVE, {"options": {"k": "z" * 5000}}, "options.k", "expected at most 4,000 characters, found 5,000"),
        (CURVE, {"options": {str(i): 1 for i in range(33)}}, "options", "expected at most 32 options, found 33"),
        (INTERVALS, {"rows": (("r", 1, 2, 1, 3, 0, None, "bad"),)}, "rows[0][7]",
         "expected one of passed, violated, undetermined, or null"),
        (INTERVALS, {"rows": (("r", 1, 2, 1, 3, 0, "all", None),)}, "rows[0][6]", "expected a number or null"),
    ],
)  # fmt: skip
def test_a_flaw_is_named_and_neither_written_nor_read(
    made: Exhibit, changes: dict[str, Any], where: str, what: str
) -> None:
    assert list(flaws(made)) == []
    flawed = replace(made, **changes)
    assert (where, what) in list(flaws(flawed))
    with pytest.raises(InternalError, match="cannot be written"):
        to_json(written(flawed))
    document = json.loads(to_json(written(made)))
    for key, value in changes.items():
        document["exhibits"][0][key] = value
    try:
        text = json.dumps(document, allow_nan=False)
    except ValueError:  # no document can say it
        return
    with pytest.raises(DocumentError, match=r"^E-(FIELD|JSON): r\.json"):
        from_json(text, file="r.json")


def test_counts_have_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_ROWS", 1)
    assert list(flaws(TABLE)) == [("rows", "expected at most 1 rows, found 2")]
    monkeypatch.setattr(module, "MOST_ROWS", 9)
    monkeypatch.setattr(module, "MOST_CELLS", 3)
    assert list(flaws_of_all([TABLE])) == [
        (0, "rows", "expected at most 3 cells in all exhibits of a report")
    ]
    monkeypatch.setattr(module, "MOST_EXHIBITS", 1)
    assert (1, "", "expected at most 1 exhibits, found 2") in list(flaws_of_all([CURVE, TABLE]))


def test_names_are_unique() -> None:
    assert list(flaws_of_all([TABLE, TABLE])) == [(1, "name", "there is another exhibit 'slices'")]


@pytest.mark.parametrize(
    ("at", "value", "message"),
    [
        (("exhibits",), {}, "exhibits: expected a list, found an object"),
        (("exhibits", 0), [], "exhibits[0]: expected an object, found a list"),
        (
            ("exhibits", 0, "kind"),
            "tables",
            "exhibits[0].kind: unknown value 'tables'; did you mean 'table'?",
        ),
        (("exhibits", 0, "colour"), "red", "exhibits[0]: unknown field 'colour'; remove it"),
        (("exhibits", 0, "rows"), [1], "exhibits[0].rows[0]: expected a list of cells"),
        (("exhibits", 0, "rows"), [["a", [1]]], "exhibits[0].rows[0]: expected a number, text or null"),
        (("exhibits", 0, "rows"), [["a", True]], "exhibits[0].rows[0]: expected a number, text or null"),
        (("exhibits", 0, "rows"), [["a"]], "exhibits[0].rows[0]: expected 2 cells, found 1"),
        (("exhibits", 0, "columns"), [1], "exhibits[0].columns[0]: expected text"),
        (
            ("exhibits", 0, "options"),
            {"a": None},
            "exhibits[0].options.a: expected text, a number or a boolean",
        ),
        (("exhibits", 0, "options"), [], "exhibits[0].options: expected an object, found a list"),
    ],
)
def test_refused_with_its_place(at: tuple[str | int, ...], value: Any, message: str) -> None:
    document: Any = json.loads(to_json(written(TABLE)))
    inner = document
    for step in at[:-1]:
        inner = inner[step]
    inner[at[-1]] = value
    with pytest.raises(DocumentError) as caught:
        from_json(json.dumps(document), file="r.json")
    assert str(caught.value) == f"E-FIELD: r.json: {message}"
