"""Which status may follow which, and who may approve."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.errors import DriftlineError
from driftline.registry.card_life import Rules, check_step, read_rules, writers
from driftline.registry.card_types import STATUSES

NAMES = st.sampled_from(["ann", "bob", "cay", "driftline"])


def step(now: str, wanted: str, **given: Any) -> str:
    """Return "yes", "no change", or the code of the refusal."""
    values: dict[str, Any] = {
        "name": "churn",
        "version": 3,
        "who": "bob",
        "authors": ("ann",),
        "rules": Rules(),
        "reason": "because",
        **given,
    }
    try:
        return "yes" if check_step(now, wanted, **values) else "no change"
    except DriftlineError as error:
        return error.code if error.fix else "no fix"


def test_the_table_of_steps() -> None:
    D, P, A, R = STATUSES
    expected = {
        D: {D: "no change", P: "yes", A: "E-CARD-STEP", R: "yes"},
        P: {D: "yes", P: "no change", A: "yes", R: "yes"},
        A: {D: "E-CARD-STEP", P: "yes", A: "no change", R: "yes"},
        R: {D: "E-CARD-ARCHIVED", P: "E-CARD-ARCHIVED", A: "E-CARD-ARCHIVED", R: "no change"},
    }
    assert {now: {wanted: step(now, wanted) for wanted in STATUSES} for now in STATUSES} == expected


def test_direct_approval_needs_the_rule_and_another_person() -> None:
    rules = Rules(allow_direct_approval=True)
    assert step("Draft", "Approved", rules=rules) == "yes"
    assert step("Draft", "Approved", rules=rules, who="ann") == "E-CARD-OWN-TEXT"


def test_sending_back_needs_a_reason() -> None:
    assert step("PendingReview", "Draft", reason=" \n") == "E-REASON"


def test_reviewers_only_review() -> None:
    rules = Rules(reviewers=("eve",))
    for now, wanted in (
        ("PendingReview", "Approved"),
        ("PendingReview", "Draft"),
        ("Approved", "PendingReview"),
    ):
        assert step(now, wanted, rules=rules) == "E-CARD-REVIEWER"
        assert step(now, wanted, rules=rules, who="eve") == "yes"
        # Users are told apart by every letter: who only looks like a reviewer is none.
        for who in ("Eve", "eve ", "\uff45ve", "\u0435ve", "eve\u200b"):
            assert step(now, wanted, rules=rules, who=who) == "E-CARD-REVIEWER"
    assert step("Draft", "PendingReview", rules=rules) == "yes"
    assert step("Draft", "Archived", rules=rules) == "yes"


@pytest.mark.parametrize("who", ["driftline", "Driftline", " DRIFTLINE", "driftline\u200b", "driftIine"])
def test_the_program_itself_approves_nothing(who: str) -> None:
    assert step("PendingReview", "Approved", who=who) == "E-CARD-REVIEWER"
    assert (
        step("PendingReview", "Approved", who=who, rules=Rules(reviewers=("driftline",))) == "E-CARD-REVIEWER"
    )


@pytest.mark.parametrize("who", ["", " ", "\u200b", "\u3164"])
def test_nobody_approves_without_a_name_that_is_seen(who: str) -> None:
    assert step("PendingReview", "Approved", who=who) == "E-CARD-REVIEWER"


@pytest.mark.parametrize(
    "who",
    [
        "ann",
        "Ann",
        " ann\t",
        "\uff41nn",
        "ANN",
        "ann\u200b",
        "a\u00adnn",
        "\u202eann",
        "\u0430nn",
        "ann\ufe0f",
    ],
)
def test_another_spelling_is_no_other_person(who: str) -> None:
    assert step("PendingReview", "Approved", who=who) == "E-CARD-OWN-TEXT"


@given(
    st.sampled_from(STATUSES), st.sampled_from(STATUSES), NAMES, st.sets(NAMES), st.booleans(), st.sets(NAMES)
)
def test_nobody_approves_what_they_wrote(
    now: str, wanted: str, who: str, authors: set[str], direct: bool, reviewers: set[str]
) -> None:
    rules = Rules(direct, tuple(sorted(reviewers)))
    told = step(now, wanted, who=who, authors=authors, rules=rules)
    if told == "yes" and wanted == "Approved":
        assert who not in authors
        assert who != "driftline"
        assert not reviewers or who in reviewers
        assert now == "PendingReview" or (now == "Draft" and direct)
    assert (told == "no change") == (now == wanted)
    assert now != "Archived" or told in ("no change", "E-CARD-ARCHIVED")


@given(st.lists(st.tuples(NAMES, st.booleans()), min_size=1, max_size=8))
def test_writers_are_those_since_the_last_approval(history: list[tuple[str, bool]]) -> None:
    versions = [(n, author, approved) for n, (author, approved) in enumerate(history, 1)]
    found = set(writers(reversed(versions)))
    expected = {history[-1][0]}
    for author, approved in reversed(history[:-1]):
        if approved:
            break
        expected.add(author)
    assert found == expected


def test_rules_are_read_strictly() -> None:
    assert read_rules(None) == read_rules({}) == Rules()
    assert read_rules({"reviewers": [" ann", "ann "]}).reviewers == ("ann",)
    rules = Rules(True, ("ann", "bob"))
    assert read_rules(rules.document()) == rules
    for wrong in (
        [],
        {"reviewer": []},
        {"allow_direct_approval": 1},
        {"reviewers": "ann"},
        {"reviewers": [""]},
    ):
        with pytest.raises(DriftlineError) as caught:
            read_rules(wrong)
        assert caught.value.code == "E-CARD-RULES"
