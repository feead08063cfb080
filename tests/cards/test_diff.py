"""Differences of two versions of a card: none is missed, and none is made up."""

from __future__ import annotations

import json
import sys
import types
from typing import TYPE_CHECKING, Any

from hypothesis import given
from hypothesis import strategies as st

from driftline.cards.diff import SCHEMA, Change, compare, diff_document, differences, text_diff, worded
from driftline.cards.views import view
from driftline.registry import cards

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from driftline.workspace import Workspace

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-2, 2)
    | st.sampled_from([1.0, 0.5])
    | st.sampled_from(["a", "b", ""])
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["name", "role", "value", "x.y"]), inner, max_size=3)
        | st.lists(st.fixed_dictionaries({"name": st.sampled_from("abc"), "value": inner}), max_size=3)
    ),
    max_leaves=12,
)


def canonical(value: Any) -> str:
    """Return JSON as RFC 8785 sees it: 1.0 is 1, and the order of keys says nothing."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, dict):
        return "{" + ",".join(json.dumps(key) + ":" + canonical(value[key]) for key in sorted(value)) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(canonical, value)) + "]"
    return json.dumps(value)


def seed(data: Path) -> dict[str, Any]:
    text = (data / "content/seed_sample_card.content.json").read_text("utf-8")
    return {"content": json.loads(text), "extensions": {}}


@given(VALUES, VALUES)
def test_there_is_a_difference_exactly_where_the_values_differ(old: Any, new: Any) -> None:
    assert (list(compare(old, new)) == []) == (canonical(old) == canonical(new))


@given(VALUES, VALUES)
def test_the_other_way_round_it_is_the_same_places(old: Any, new: Any) -> None:
    turned = {"added": "removed", "removed": "added"}
    there = {(one.path, one.kind) for one in compare(old, new) if one.kind != "reordered"}
    back = {
        (one.path, turned.get(one.kind, one.kind)) for one in compare(new, old) if one.kind != "reordered"
    }
    assert there == back


@given(VALUES, VALUES)
def test_what_is_told_can_be_written_and_shown(old: Any, new: Any) -> None:
    found = list(compare(old, new))
    assert json.loads(json.dumps(diff_document(found), allow_nan=False))["schema"] == SCHEMA
    assert all(line.isprintable() for line in worded(found))


def test_a_card_against_itself(data: Path) -> None:
    card = seed(data)
    assert differences(card, json.loads(json.dumps(card))) == []
    assert differences(card, {"content": {}, "extensions": {}})
    assert differences({}, {"content": {}}) == []


def test_items_are_told_apart_by_their_names(data: Path) -> None:
    old, new = seed(data), seed(data)
    job = new["content"]["evaluation_details"][0]
    job["metric_groups"][0]["metric_data"][0]["value"] = 0.75
    new["content"]["evaluation_details"] = [{"name": "earlier", "metric_groups": []}, job]
    job_name, group = job["name"], job["metric_groups"][0]["name"]
    changes = differences(old, new)
    assert [(one.kind, one.path) for one in changes] == [
        (
            "changed",
            f"evaluation_details[{job_name}].metric_groups[{group}].metric_data[accuracy].value",
        ),
        ("added", "evaluation_details[earlier]"),
        ("reordered", "evaluation_details"),
    ]
    assert (changes[0].old, changes[0].new) == (0.5, 0.75)
    assert changes[2].new == ["earlier", job_name]


def test_extensions_are_told_apart_by_several_keys() -> None:
    extras = [
        {"evaluation": "e", "group": "g", "metric": "m", "slice": "sex=F", "sample_size": 10},
        {"evaluation": "e", "group": "g", "metric": "m", "slice": "sex=M", "sample_size": 10},
    ]
    changed = [extras[0], {**extras[1], "sample_size": 11}]
    found = differences({"extensions": {"evaluation": extras}}, {"extensions": {"evaluation": changed}})
    assert found == [Change("extensions.evaluation[e / g / m / sex=M].sample_size", "changed", 10, 11)]


def test_without_names_the_place_counts() -> None:
    old = {"extensions": {"risks": [{"risk": "a"}, {"risk": "a", "status": "open"}]}}
    new = {"extensions": {"risks": [{"risk": "a"}, {"risk": "a", "status": "closed"}, {"risk": "b"}]}}
    assert [(one.path, one.kind) for one in differences(old, new)] == [
        ("extensions.risks[1].status", "changed"),
        ("extensions.risks[2]", "added"),
    ]


def test_a_flag_is_no_number() -> None:
    assert [one.kind for one in compare({"a": True}, {"a": 1})] == ["changed"]
    assert list(compare({"a": 1}, {"a": 1.0})) == []
    assert [one.kind for one in compare({"a": None}, {"a": 0})] == ["changed"]
    assert list(compare({"a": (1, 2)}, {"a": [1, 2]})) == []


def test_hostile_names_cannot_forge_a_path_or_a_line() -> None:
    names = ["a].b[c", "x\ny", "\u202eabc", ' "', "a / b", "w" * 5000, ""]
    new = {"content": {"evaluation_details": [{"name": name} for name in names]}}
    found = differences({"content": {"evaluation_details": []}}, new)
    assert len({one.path for one in found}) == len(names)
    assert all(one.path.isprintable() and len(one.path) < 350 for one in found)
    assert found[0].path == 'evaluation_details["a].b[c"]'
    assert all(line.isprintable() for line in worded(found))


def test_long_values_are_shown_in_part() -> None:
    points = [[float(n), float(n)] for n in range(10_000)]
    line = worded([Change("a.value", "changed", points, "x" * 10_000)], width=60)[0]
    assert len(line) < 180
    assert line.startswith("changed a.value: [[0.0,0.0],[1.0,1.0]")


class Version:
    def __init__(self, number: int, text: str) -> None:
        self.version = number
        self.content: dict[str, Any] = {"model_overview": {"model_description": text}}
        self.extensions: dict[str, Any] = {}


class View:
    def __init__(self, number: int, text: str) -> None:
        self.card = types.SimpleNamespace(name="churn")
        self.version = Version(number, text)


def test_versions_are_compared_as_they_are() -> None:
    found = differences(Version(1, "a"), Version(2, "b"))  # type: ignore[arg-type]
    assert found == [Change("model_overview.model_description", "changed", "a", "b")]


def test_rendered_text_is_compared_line_by_line(monkeypatch: pytest.MonkeyPatch) -> None:
    module = types.ModuleType("driftline.cards.render.markdown")
    module.to_markdown = lambda view: view.version.content["model_overview"]["model_description"]  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "driftline.cards.render.markdown", module)
    old, new = View(1, "one\ntwo\u2028three\n"), View(2, "one\ntwo\u2028four\n")
    assert text_diff(old, new) == (  # type: ignore[arg-type]
        "--- churn version 1\n+++ churn version 2\n@@ -1,3 +1,3 @@\n one\n-two\u2028three\n+two\u2028four\n \n"
    )
    assert text_diff(old, View(2, "one\ntwo\u2028three\n")) == ""  # type: ignore[arg-type]


def test_two_versions_are_read_side_by_side(workspace: Workspace) -> None:
    hostile = "x\n+++ forged\n\u202e<b>"
    for reason, text in (("first", "Sorts forms."), ("second", hostile)):
        content = {"intended_uses": {"purpose_of_model": text}}
        with workspace.registry.write("ann", reason) as tx:
            if cards.find(tx, "income") is None:
                cards.create(tx, "income", content)
            else:
                cards.revise(tx, "income", content=content)
    old, new = (view(workspace.registry, "income", number) for number in (1, 2))
    text = text_diff(old, new)
    assert text.startswith("--- income version 1\n+++ income version 2\n@@ ")
    assert "\n-  Sorts forms.\n" in text
    assert "\u202e" not in text
    assert "\n+++ forged" not in text
    assert text_diff(new, new) == ""
