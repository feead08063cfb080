"""Lists of model cards: filters, order, pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from card_rig import act, approve, make, refused, revise, text

from driftline.registry import cards, models
from driftline.registry.store import Registry

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def clocked(url: str, tmp_path: Path) -> Iterator[tuple[Registry, list[int]]]:
    """A registry whose clock is a list of one number."""
    now = [1_000]
    with Registry.open(url, root=tmp_path, clock=lambda: now[0]) as registry:
        yield registry, now


def names(registry: Registry, **given: Any) -> list[str]:
    with registry.read() as tx:
        return [card.name for card in cards.list_cards(tx, **given)]


def test_filters(clocked: tuple[Registry, list[int]]) -> None:
    registry, now = clocked
    with registry.write("ann") as tx:
        models.declare(tx, "m")
        cards.create(tx, "Alpha", text(1, model_id="id-1"), tags={"team": "a", "x": "1"})
        now[0] = 2_000
    with registry.write("ann") as tx:
        cards.create(tx, "beta", {"intended_uses": {"risk_rating": "Low"}}, tags={"team": "b"}, model="m")
        now[0] = 3_000
    with registry.write("ann") as tx:
        cards.create(tx, "beta-2", {"model_package_details": {"model_package_group_name": "g"}})
        now[0] = 4_000
    approve(registry, "Alpha")
    everything = ["Alpha", "beta", "beta-2"]
    for given, expected in (
        ({}, everything),
        ({"contains": "ALPH"}, ["Alpha"]),
        ({"contains": "%"}, []),
        ({"status": "Draft"}, ["beta", "beta-2"]),
        ({"status": "Approved"}, ["Alpha"]),
        ({"risk_rating": "High"}, ["Alpha"]),
        ({"risk_rating": "low"}, ["beta"]),
        ({"owner": "growth"}, ["Alpha"]),
        ({"model": "m"}, ["beta"]),
        ({"model_id": "id-1"}, ["Alpha"]),
        ({"package_group": "g"}, ["beta-2"]),
        ({"tag": "team"}, ["Alpha", "beta"]),
        ({"tag": "team=b"}, ["beta"]),
        ({"created_after": 1_000}, ["beta", "beta-2"]),
        ({"created_before": 2_000}, ["Alpha"]),
        ({"approved_before": 4_001}, ["Alpha"]),
        ({"approved_before": 4_000}, []),
        ({"sort": "name", "descending": True}, ["beta-2", "beta", "Alpha"]),
        ({"sort": "modified"}, ["beta", "beta-2", "Alpha"]),
        ({"contains": "beta", "status": "Draft", "limit": 1}, ["beta"]),
    ):
        assert names(registry, **given) == expected, given


def test_what_was_written_is_found_at_once(registry: Registry) -> None:
    with registry.write("ann") as tx:
        cards.create(tx, "churn", text())
        assert [c.name for c in cards.list_cards(tx, risk_rating="High")] == ["churn"]
        cards.set_status(tx, "churn", "Archived")
        assert [c.name for c in cards.list_cards(tx, status="Archived")] == ["churn"]


@pytest.mark.parametrize("sort", ["created", "name", "modified"])
@pytest.mark.parametrize("descending", [False, True])
def test_pages_are_the_whole_list(clocked: tuple[Registry, list[int]], sort: str, descending: bool) -> None:
    registry, now = clocked
    for n in range(7):
        # Some made at the same time.
        now[0] = 1_000 + n // 3
        make(registry, f"c{(n * 5) % 7}", n=n)
    now[0] = 5_000
    revise(registry, 99, name="c3")
    given = {"sort": sort, "descending": descending}
    everything = names(registry, **given)
    assert len(everything) == 7
    for size in (1, 2, 3, 7):
        for place in ("card", "cursor", "name"):
            seen: list[str] = []
            after: Any = None
            while True:
                with registry.read() as tx:
                    page = cards.list_cards(tx, **given, after=after, limit=size)
                seen += [card.name for card in page]
                if len(page) < size:
                    break
                last = page[-1]
                after = {"card": last, "cursor": cards.cursor_of(last, sort), "name": last.name}[place]
            assert seen == everything


def test_a_place_in_a_list_stays_when_the_card_moves_or_goes(clocked: tuple[Registry, list[int]]) -> None:
    registry, now = clocked
    for name in ("a", "b", "c"):
        now[0] += 1
        make(registry, name)
    with registry.read() as tx:
        first = cards.list_cards(tx, sort="modified", limit=1)[0]
    now[0] = 9_000
    revise(registry, 2, name="a")
    assert names(registry, sort="modified", after=first) == ["b", "c", "a"]
    act(registry, "ann", lambda tx: cards.delete(tx, "a"))
    assert names(registry, sort="modified", after=cards.cursor_of(first, "modified")) == ["b", "c"]
    assert names(registry, after="a") == ["b", "c"]


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"limit": 0}, "E-LIMIT"),
        ({"limit": 101}, "E-LIMIT"),
        ({"limit": True}, "E-LIMIT"),
        ({"limit": "5"}, "E-LIMIT"),
        ({"status": "approved"}, "E-CARD-STATUS"),
        ({"risk_rating": "Severe"}, "E-RISK"),
        ({"sort": "name; DROP TABLE cards"}, "E-CARD-SORT"),
        ({"sort": None}, "E-CARD-SORT"),
        ({"created_after": -1}, "E-MOMENT"),
        ({"created_before": "now"}, "E-MOMENT"),
        ({"approved_before": 1 << 63}, "E-MOMENT"),
        ({"after": "gone"}, "E-NO-CARD"),
        ({"after": "99999999999999999999/x"}, "E-NAME"),
        ({"after": 7}, "E-NAME"),
        ({"contains": "\0"}, "E-TEXT"),
        ({"owner": "\ud800"}, "E-TEXT"),
        ({"model_id": 5}, "E-TEXT"),
    ],
)
def test_bad_questions_are_refused(registry: Registry, given: dict[str, Any], code: str) -> None:
    make(registry)
    assert refused(registry, "ann", lambda tx: cards.list_cards(tx, **given)).code == code


def test_versions_are_listed(clocked: tuple[Registry, list[int]]) -> None:
    registry, now = clocked
    make(registry)
    for n in range(2, 6):
        now[0] = n * 1_000
        revise(registry, n)
    approve(registry)
    with registry.read() as tx:

        def numbers(**given: Any) -> list[int]:
            return [v.version for v in cards.versions(tx, "churn", **given)]

        assert numbers() == [1, 2, 3, 4, 5]
        assert numbers(descending=True, limit=2) == [5, 4]
        assert numbers(descending=True, after=4) == [3, 2, 1]
        assert numbers(after=3, limit=1) == [4]
        assert numbers(status="Approved") == [5]
        assert numbers(since=2_000, until=4_000) == [2, 3]


@pytest.mark.parametrize("which", [0, -1, 3, True, 1.5, "newest", "01x", None, 1 << 40, "9999999999"])
def test_versions_that_there_are_not(registry: Registry, which: Any) -> None:
    make(registry)
    revise(registry, 2)
    assert refused(registry, "ann", lambda tx: cards.version(tx, "churn", which)).code == "E-CARD-VERSION"


def test_an_unapproved_card_says_what_it_is(registry: Registry) -> None:
    make(registry)
    error = refused(registry, "ann", lambda tx: cards.version(tx, "churn", "approved"))
    assert error.code == "E-CARD-VERSION"
    assert "version 1 is Draft" in error.fix


def test_a_number_may_be_spelled(registry: Registry) -> None:
    make(registry)
    with registry.read() as tx:
        assert cards.version(tx, "churn", "1") == cards.version(tx, "churn", 1) == cards.version(tx, "churn")


def test_records_are_paged(registry: Registry) -> None:
    make(registry)
    for n in range(2, 6):
        revise(registry, n)
    with registry.read() as tx:
        assert [r.seq for r in cards.records(tx, "churn", limit=2)] == [1, 2]
        assert [r.seq for r in cards.records(tx, "churn", after=2)] == [3, 4, 5]
        assert cards.records(tx, "churn", after=1 << 70) == []


def test_metadata_only() -> None:
    said = {
        "model_overview": {"model_id": "i", "model_name": "n", "model_description": "secret"},
        "intended_uses": {"risk_rating": "Low", "purpose_of_model": "secret"},
        "model_package_details": {"model_package_arn": "a", "domain": "secret"},
        "additional_information": {"ethical_considerations": "secret"},
        "business_details": [],
    }
    assert cards.metadata_of(said) == {
        "model_overview": {"model_id": "i", "model_name": "n"},
        "intended_uses": {"risk_rating": "Low"},
        "model_package_details": {"model_package_arn": "a"},
    }
