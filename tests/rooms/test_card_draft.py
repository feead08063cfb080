"""Drafts: one document laid over another, fields by path, and everything that is wrong."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.cards.errors import CardError
from driftline.rooms.card_draft import Draft, checked, laid_over, overlaid, problems_of, still, with_fields

values = st.recursive(
    st.none() | st.text(max_size=3) | st.integers(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=3),
    max_leaves=8,
)
objects = st.dictionaries(st.sampled_from("abc"), values, max_size=3)


@given(below=objects, above=objects)
def test_what_lies_above_is_said_and_nothing_below_is_lost(
    below: dict[str, Any], above: dict[str, Any]
) -> None:
    both = overlaid(below, above)
    assert overlaid(both, above) == both
    assert set(both) == set(below) | set(above)
    for key, value in above.items():
        if not isinstance(value, dict) and value not in (None, "", [], {}):
            assert both[key] == value


@given(document=objects)
def test_nothing_hides_nothing(document: dict[str, Any]) -> None:
    assert overlaid(document, {}) == document
    assert overlaid(document, document) == document


def test_where_fields_came_from_survives_what_is_laid_over() -> None:
    origins = {
        path: {"source": "models/a"} for path in ("model_overview.model_name", "model_overview.model_owner")
    }
    below = Draft(
        {"model_overview": {"model_name": "a", "model_owner": "x"}},
        provenance=origins,
        tags={"t": "1"},
        model="a",
    )
    above = Draft({"model_overview": {"model_owner": "y"}}, tags={"u": "2"}, lost=("widget: no place",))
    both = laid_over(below, above)
    assert both.content == {"model_overview": {"model_name": "a", "model_owner": "y"}}
    assert set(both.provenance) == {"model_overview.model_name"}
    assert (both.tags, both.model, both.lost) == ({"t": "1", "u": "2"}, "a", ("widget: no place",))


def test_what_is_gone_came_from_nowhere() -> None:
    origins = {"a.b": {}, "a.c": {}, "d.0": {}}
    before = {"a": {"b": 1, "c": 2}, "d": [3]}
    assert still(origins, before, {"a": {"b": 1, "c": 4}}) == {"a.b": {}}
    assert still({"*": {}}, before, before) == {}


def test_all_problems_have_paths_from_the_top() -> None:
    draft = Draft({"intended_uses": {"risk_rating": "Hgh"}}, {"scope": {"primary_user": []}})
    assert [one.path for one in problems_of(draft)] == [
        "intended_uses.risk_rating",
        "extensions.scope.primary_user",
    ]
    with pytest.raises(CardError, match="1 more") as caught:
        checked(draft, "card.toml")
    assert (caught.value.file, len(caught.value.problems)) == ("card.toml", 2)


@pytest.mark.parametrize(
    ("path", "text", "value"),
    [
        ("model_overview.model_name", "1", "1"),
        ("model_overview.model_version", "1", 1),
        ("model_overview.model_version", "one", "one"),
        ("model_overview.model_artifact", '["a"]', ["a"]),
        ("evaluation_details", '[{"name": "a"}]', [{"name": "a"}]),
        ("additional_information.custom_details.x", '{"a": 1}', '{"a": 1}'),
        ("extensions.scope.primary_users", '["a"]', ["a"]),
        ("intended_uses.purpose_of_model", "\ud800", "\ud800"),
    ],
)
def test_what_a_text_means(path: str, text: str, value: object) -> None:
    from driftline.rooms.card_paths import taken

    assert taken(with_fields(Draft(), [(path, text)]).whole, path) == value
