"""Paths into a card."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.cards.diff import differences
from driftline.errors import UsageError
from driftline.rooms.card_paths import put, removed, taken

CARD: dict[str, Any] = {
    "intended_uses": {"risk_rating": "Low"},
    "evaluation_details": [
        {"name": "hold.out", "datasets": ["a"], "metric_groups": [{"name": "all", "metric_data": []}]},
        {"name": "field"},
    ],
    "additional_information": {"custom_details": {"two words": "x", "a.b": "y"}},
    "extensions": {"scope": {"primary_users": ["case workers"]}},
}


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("intended_uses.risk_rating", "Low"),
        ("evaluation_details.1.name", "field"),
        ("evaluation_details[field]", {"name": "field"}),
        ("evaluation_details[hold.out].datasets.0", "a"),
        ('evaluation_details["hold.out"].metric_groups[all].metric_data', []),
        ("additional_information.custom_details.two words", "x"),
        ("additional_information.custom_details.a.b", "y"),
        ('additional_information.custom_details."a.b"', "y"),
        ("extensions.scope.primary_users.0", "case workers"),
    ],
)
def test_a_path_leads_to_a_value(path: str, found: object) -> None:
    assert taken(CARD, path) == found
    other = {"name": "field", "more": 1}
    assert taken(put(CARD, path, other), path) == other
    assert taken(CARD, path) == found


def test_what_is_missing_on_the_way_is_made() -> None:
    made = put({}, "evaluation_details.0.metric_groups.0.name", "all")
    assert made == {"evaluation_details": [{"metric_groups": [{"name": "all"}]}]}
    assert put({}, "additional_information.custom_details.2024", "x") == {
        "additional_information": {"custom_details": {"2024": "x"}}
    }


def test_the_length_of_a_list_appends() -> None:
    made = put(CARD, "evaluation_details[hold.out].datasets.1", "b")
    assert taken(made, "evaluation_details.0.datasets") == ["a", "b"]


def test_what_is_empty_afterwards_goes_too() -> None:
    assert "intended_uses" not in removed(CARD, "intended_uses.risk_rating")
    assert "extensions" not in removed(CARD, "extensions.scope.primary_users.0")
    left = removed(CARD, "evaluation_details.0")
    assert [job["name"] for job in left["evaluation_details"]] == ["field"]


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("", "no path"),
        (".", "no path"),
        ("a..b", "no path"),
        ("a.b.", "no path"),
        ("a[b", "no path"),
        ('"a', "no path"),
        (".".join("a" * 40), "no path"),
        ("intended_uses.risk", "did you mean 'risk_rating'?"),
        ("intended_uses.risk_rating.x", "nothing there"),
        ("evaluation_details.2", "no item '2'"),
        ("evaluation_details.-1", "no item '-1'"),
        ("evaluation_details.٠", "no item"),
        ("evaluation_details[feild]", "no item 'feild'"),
    ],
)
def test_what_leads_nowhere_is_told(path: str, told: str) -> None:
    for look in (taken, removed):
        with pytest.raises(UsageError) as caught:
            look(CARD, path)
        assert caught.value.code == "E-CARD-PATH"
        assert told in str(caught.value)


@pytest.mark.parametrize("path", ["intended_uses.risk_rating.x", "evaluation_details.3", "a..b"])
def test_a_value_cannot_be_put_just_anywhere(path: str) -> None:
    with pytest.raises(UsageError) as caught:
        put(CARD, path, "x")
    assert (caught.value.code, caught.value.field) == ("E-CARD-PATH", path)


names = st.text(alphabet=st.sampled_from('ab .[]"\\é\u202e1'), min_size=1, max_size=8)


@given(key=names, before=st.integers(), after=st.integers())
def test_a_path_that_a_difference_has_can_be_taken(key: str, before: int, after: int) -> None:
    """What ``card diff`` prints can be handed to ``card edit --set``."""
    old = {"content": {"section": {key: before}}}
    new = {"content": {"section": {key: after}}}
    for change in differences(old, new):
        if "\\u" not in change.path and "\\x" not in change.path:
            assert taken(new["content"], change.path) == after
            assert put(old["content"], change.path, after) == new["content"]
