"""A card as a page: what stands where, what is told of each version, what is missing."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Any

import pytest
from rendered_cards import HOSTILE, content_file, hostile, rich, small, view_of, with_live

from driftline.cards.extension_table import TABLE
from driftline.cards.extensions import problems
from driftline.cards.render.blocks import Bars, Curve, Facts, Matrix, Section, Span, Table, plain
from driftline.cards.render.further import CHAPTERS, ELSEWHERE
from driftline.cards.render.labels import FIELDS, PARTS
from driftline.cards.render.page import page_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from driftline.cards.view import CardView


def texts(value: Any) -> Iterator[str]:
    """Yield all words of a page."""
    if isinstance(value, Span):
        yield value.text
    elif isinstance(value, str):
        yield value
    elif isinstance(value, tuple):
        for item in value:
            yield from texts(item)
    elif is_dataclass(value):
        for one in fields(value):
            yield from texts(getattr(value, one.name))


def blocks(section: Section, kind: type) -> list[Any]:
    found = [block for block in section.blocks if isinstance(block, kind)]
    return found + [block for one in section.sections() for block in blocks(one, kind)]


def titles(view: CardView) -> list[str]:
    return [f"{one.number} {plain(one.title)}" for one in page_of(view).sections]


def section(view: CardView, anchor: str) -> Section:
    return next(one for one in page_of(view).sections if one.anchor == anchor)


def test_sections_come_in_the_order_of_the_record() -> None:
    assert titles(small()) == [
        "1 Model overview",
        "2 Intended uses and risk",
        "3 Business details",
        "4 Training",
        "5 Evaluation",
        "6 Ethics, caveats and further details",
        "7 Version history",
        "A What this card does not state",
        "B How to read this document",
    ]


def test_a_package_and_extensions_have_sections_where_they_say_anything() -> None:
    names = [title.partition(" ")[2] for title in titles(rich())]
    assert names[6] == "Model package"
    told = [chapter for chapter in CHAPTERS if any(key in rich().version.extensions for key in chapter.keys)]
    assert names[7:-3] == [chapter.title for chapter in told]
    assert len(told) == 11


def test_every_extension_has_a_place() -> None:
    placed = [key for chapter in CHAPTERS for key in chapter.keys]
    assert sorted([*placed, *ELSEWHERE]) == sorted(TABLE.fields)
    assert problems(rich().version.extensions) == []


def test_everything_that_is_stated_is_shown() -> None:
    view = rich()
    shown = "\n".join(texts(page_of(view)))

    def strings(value: Any) -> Iterator[str]:
        if isinstance(value, str):
            yield from value.split("\n")
        elif isinstance(value, dict):
            for item in value.values():
                yield from strings(item)
        elif isinstance(value, list):
            for item in value:
                yield from strings(item)

    words = {"number", "string", "boolean", "linear_graph", "bar_chart", "matrix", "1.0", "7"}
    missing = [text for text in strings(view.version.content) if text not in shown and text not in words]
    assert missing == []
    missing = [text for text in strings(view.version.extensions) if text not in shown and text not in words]
    assert missing == []


def test_every_field_of_the_schema_has_a_label() -> None:
    assert {*PARTS} == {*FIELDS} | {"evaluation_details"}
    for labels in FIELDS.values():
        assert len({label.path for label in labels}) == len(labels)


def test_anchors_are_unique() -> None:
    def anchors(one: Section) -> list[str]:
        return [one.anchor, *(anchor for inner in one.sections() for anchor in anchors(inner))]

    found = [anchor for one in page_of(with_live(rich())).sections for anchor in anchors(one)]
    assert len({*found}) == len(found)


def test_collected_and_entered_values_stand_apart() -> None:
    tables = {plain(table.caption): table for table in blocks(section(rich(), "training-details"), Table)}
    assert [*tables] == [
        "Collected metrics",
        "Metrics entered by hand",
        "Collected hyper-parameters",
        "Hyper-parameters entered by hand",
    ]
    assert plain(tables["Collected metrics"].note).startswith("collected from training job churn-2026-11-19")
    assert tables["Metrics entered by hand"].note == ()


def test_charts_are_what_their_metrics_are() -> None:
    evaluation = section(rich(), "evaluation-details")
    assert [len(blocks(evaluation, kind)) for kind in (Curve, Bars, Matrix)] == [3, 2, 2]
    matrix = blocks(evaluation, Matrix)[0]
    assert (matrix.row_labels[1], matrix.values[1][1]) == ("leaves by itself", 402)


def test_groups_with_the_same_few_metrics_are_columns_of_one_table() -> None:
    fairness = next(
        one for one in section(rich(), "evaluation-details").sections() if one.anchor == "evaluation-2"
    )
    [table] = blocks(fairness, Table)
    assert [column.title for column in table.columns] == ["Group", "AD", "DPPL", "DI", "RD"]
    assert len(table.rows) == 36


def test_a_matrix_whose_axes_fit_the_other_way_only_is_turned() -> None:
    metric = {
        "name": "m",
        "type": "matrix",
        "value": [[1, 2, 3]],
        "x_axis_name": ["a", "b", "c"],
        "y_axis_name": ["r"],
    }
    content = {
        "evaluation_details": [{"name": "e", "metric_groups": [{"name": "g", "metric_data": [metric]}]}]
    }
    [matrix] = blocks(section(view_of(content), "evaluation-details"), Matrix)
    assert (matrix.row_labels, matrix.column_labels) == (("r",), ("a", "b", "c"))


@pytest.mark.parametrize(
    "metric",
    [
        {"name": "x", "type": "linear_graph", "value": []},
        {"name": "x", "type": "linear_graph", "value": [[1], "y", [None, 2]]},
        {"name": "x", "type": "bar_chart", "value": None},
        {"name": "x", "type": "matrix", "value": [[]]},
    ],
)
def test_a_chart_without_numbers_is_told_not_drawn(metric: dict[str, Any]) -> None:
    content = {
        "evaluation_details": [{"name": "e", "metric_groups": [{"name": "g", "metric_data": [metric]}]}]
    }
    assert "holds no number that can be drawn" in "\n".join(texts(page_of(view_of(content))))


def test_empty_sections_say_so_and_stand_in_the_annex() -> None:
    view = view_of(content_file("model_package_card"))
    page = page_of(view)
    assert "states nothing here" in "\n".join(texts(page.sections[1]))
    [table] = blocks(section(view, "not-stated"), Table)
    rows = {(plain(row.cells[0]), plain(row.cells[1])) for row in table.rows}
    assert ("Business details", "The whole section") in rows
    assert ("Model overview", "Owner") in rows
    assert ("Model overview", "Model ID") not in rows


def test_an_unknown_risk_is_not_stated() -> None:
    view = view_of({"intended_uses": {"risk_rating": "Unknown"}})
    [table] = blocks(section(view, "not-stated"), Table)
    assert ("Intended uses and risk", "Risk rating") in {
        (plain(r.cells[0]), plain(r.cells[1])) for r in table.rows
    }


def test_an_empty_card_is_a_page() -> None:
    page = page_of(view_of({}))
    assert page.title == "churn-card"
    assert [badge.text for badge in page.cover.badges] == ["Draft", "Version 1", "Risk: Unknown"]


@pytest.mark.parametrize(
    ("given", "badge", "tone", "mark"),
    [
        ({"status": "Draft"}, "Draft", "unsure", "Draft – not approved"),
        ({"status": "PendingReview"}, "In review", "unsure", "In review – not approved"),
        ({"status": "Approved"}, "Approved", "good", ""),
        ({"status": "Archived"}, "Archived", "calm", "Archived – no longer maintained"),
        ({"status": "Approved", "newest": (3, 1)}, "Approved", "good", ""),
        ({"status": "Approved", "newest": (3, 2)}, "Superseded", "unsure", "Superseded by version 2"),
        (
            {"status": "Draft", "newest": (3, None)},
            "Superseded",
            "unsure",
            "Superseded by version 3, never approved",
        ),
    ],
)
def test_the_status_is_told_on_every_page(given: dict[str, Any], badge: str, tone: str, mark: str) -> None:
    page = page_of(small(**given))
    assert (page.status.text, page.status.tone, page.mark) == (badge, tone, mark)


def test_a_deleted_card_says_so() -> None:
    view = small()
    gone = dataclasses.replace(view, card=dataclasses.replace(view.card, deleted=1))
    assert page_of(gone).mark == "Deleted – kept for the record"


def test_the_cover_names_approver_moment_and_hashes() -> None:
    view = rich()
    cover = "\n".join(texts(page_of(view).cover))
    for text in (
        "bea.reviewer",
        "2026-11-25 18:00:00 UTC",
        view.version.content_hash,
        view.record.hash,
        view.card.arn,
    ):
        assert text in cover
    assert "Version 36 is being written" in "\n".join(texts(page_of(rich(newest=(36, 35))).cover))


def test_the_history_has_every_change_of_text_and_status() -> None:
    view = rich()
    [table] = blocks(section(view, "history"), Table)
    assert len(table.rows) == len(view.records) == 59
    assert [plain(cell) for cell in table.rows[-1].cells][:6] == [
        "59",
        "2026-11-25 18:00",
        "35",
        "Approved",
        "bea.reviewer",
        "Figures and limits checked",
    ]


def test_other_records_are_counted() -> None:
    view = small()
    more = [
        dataclasses.replace(view.record, kind=kind, seq=n)
        for n, kind in enumerate(("evidence", "evidence", "tagged"), 2)
    ]
    page = "\n".join(texts(section(dataclasses.replace(view, records=(*view.records, *more)), "history")))
    assert "The chain also holds 2 reports of monitors, 1 change of tags." in page


def test_a_long_history_keeps_its_end() -> None:
    view = small()
    many = tuple(dataclasses.replace(view.record, seq=n) for n in range(1, 502))
    history = section(dataclasses.replace(view, records=many), "history")
    [table] = blocks(history, Table)
    assert len(table.rows) == 400
    assert "The first 101 records are left out here" in "\n".join(texts(history))


def test_live_state_stands_apart_from_the_text() -> None:
    view = with_live(rich())
    names = [title.partition(" ")[2] for title in titles(view)]
    assert names[-5:-2] == ["Live state of the monitors", "Reports beside the text", "Version history"]
    assert "no part of the approved text" in "\n".join(texts(section(view, "monitors")))


def test_warnings_stand_in_the_annex() -> None:
    assert "look here" in "\n".join(texts(section(small(warnings=("look here",)), "not-stated")))


def test_what_the_table_does_not_know_is_shown_as_it_is() -> None:
    view = view_of({}, {"future": {"a": [1, {"b": "x"}]}, "scope": {"new_key": "y", "limitations": ["z"]}})
    shown = "\n".join(texts(page_of(view)))
    assert "Further statements" in shown
    assert '{"a": [1, {"b": "x"}]}' in shown
    assert "New key" in shown


@pytest.mark.parametrize("wrong", [None, 3, "text", [], [3, None], {"a": 1}])
def test_content_of_another_form_is_never_an_error(wrong: Any) -> None:
    content = dict.fromkeys((*PARTS, "other"), wrong)
    extensions = dict.fromkeys(TABLE.fields, wrong)
    page_of(view_of(content, extensions))
    group = {"name": wrong, "metric_data": wrong}
    page_of(
        view_of({"evaluation_details": [{"name": wrong, "metric_groups": [group, wrong], "metadata": wrong}]})
    )


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_kept_as_it_is(text: str) -> None:
    shown = [*texts(page_of(hostile(text)))]
    lines = text.strip("\n").split("\n")
    assert all(line in shown for line in lines if line.strip())


def test_long_json_is_cut_with_a_count() -> None:
    schema = [
        {"name": f"column {n} with a long name that does not fit on a line beside another", "type": "double"}
        for n in range(90)
    ]
    view = view_of({}, {"io": {"input_schema": schema}})
    facts = blocks(section(view, "inputs-outputs"), Facts)[0]
    lines = [plain(line) for line in facts.rows[0].lines]
    assert len(lines) == 61
    assert lines[-1] == f"and {4 * 90 + 2 - 60:,} more lines, all in the JSON of this card"
    assert (
        json.loads(
            "\n".join(
                plain(line)
                for line in blocks(
                    section(view_of({}, {"io": {"input_schema": schema[:9]}}), "inputs-outputs"), Facts
                )[0]
                .rows[0]
                .lines
            )
        )
        == schema[:9]
    )
