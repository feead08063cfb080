from __future__ import annotations

import json
from collections import Counter

import pytest

from driftline.demo.census import INPUTS, TRUTH, people
from driftline.demo.income_week import DRIFT_FROM, PEOPLE, Asking, asked, moved


@pytest.fixture(scope="module")
def week() -> list[Asking]:
    return list(asked())


def test_seven_days_of_four_windows(week: list[Asking]) -> None:
    assert [(a.day, a.hour) for a in week] == [(d, h) for d in range(1, 8) for h in (0, 6, 12, 18)]
    assert sum(len(t["label"]) for a in week for t in a.truth) == 7 * PEOPLE == 14_000
    assert len({key for a in week for key in a.ids}) == sum(len(a.bodies) for a in week) == 700


def test_the_truth_is_that_of_the_requests(week: list[Asking]) -> None:
    """Until the form changes, requests with their truth are people of the census, each of them once."""
    census = Counter(tuple(person.values()) for person in people("test").to_pylist())
    seen: Counter[tuple[object, ...]] = Counter()
    for asking in week:
        assert tuple(t["inference_id"] for t in asking.truth) == asking.ids
        for body, told in zip(asking.bodies, asking.truth, strict=True):
            instances = json.loads(body)["instances"]
            assert all(list(instance) == list(INPUTS) for instance in instances)
            if asking.day < DRIFT_FROM:
                seen.update(
                    (*instance.values(), label)
                    for instance, label in zip(instances, told["label"], strict=True)
                )
    assert people("test").column_names == [*INPUTS, TRUTH]
    assert seen <= census
    assert seen.total() == 6_000


def test_the_new_form_changes_one_number_for_women_only() -> None:
    for person in people("test").slice(0, 500).to_pylist():
        new = moved(person)
        changed = {name for name in person if new[name] != person[name]}
        if person["sex"] == "Male":
            assert new == person
        else:
            assert changed <= {"education_num"}
            assert 1 <= new["education_num"] <= 8


def test_the_same_week_every_time(week: list[Asking]) -> None:
    assert list(asked()) == week
    assert list(asked(seed=8)) != week
