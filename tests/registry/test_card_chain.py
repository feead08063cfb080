"""Chains of records: their hashes, and documents that are checked without the database."""

from __future__ import annotations

import copy
import hashlib
import json
import string
from typing import TYPE_CHECKING, Any

import pytest
from card_rig import act, approve, make, revise, text
from hypothesis import given
from hypothesis import strategies as st

from driftline.registry import cards
from driftline.registry.card_chain import GENESIS, check_chain, record_hash, verify_document
from driftline.registry.card_types import STATUSES, Record
from driftline.registry.jcs import canonical_json

if TYPE_CHECKING:
    from driftline.registry.store import Registry

HASH = "sha256:" + "a" * 64


def link(seq: int, previous: str, **given: Any) -> Record:
    """A record with the hash that it should have."""
    values: dict[str, Any] = {
        "kind": "status",
        "version": 1,
        "content_hash": HASH,
        "status": "Draft",
        "previous_status": None,
        "who": "ann",
        "moment": seq * 1_000_000,
        "reason": "",
        "detail": {},
        **given,
    }
    made = record_hash("ID", "churn", seq=seq, previous=previous, **values)
    return Record(seq=seq, previous=previous, hash=made, **values)


def chain(*given: dict[str, Any]) -> list[Record]:
    records: list[Record] = []
    for seq, values in enumerate(given, 1):
        records.append(link(seq, records[-1].hash if records else GENESIS, **values))
    return records


CREATED = {"kind": "created", "detail": {"stored": HASH, "model": None}}
SENT = {"status": "PendingReview", "previous_status": "Draft"}
APPROVED = {"status": "Approved", "previous_status": "PendingReview", "who": "bob"}
REVISED = {"kind": "revised", "version": 2, "previous_status": "Approved", "detail": {"stored": HASH}}


def wrong(*given: dict[str, Any]) -> list[int | None]:
    return [one.record for one in check_chain("ID", "churn", chain(*given))[1]]


def test_a_right_chain_tells_the_story() -> None:
    story, breaks = check_chain("ID", "churn", chain(CREATED, SENT, APPROVED, REVISED))
    assert breaks == []
    assert (story.version, story.status, story.approved_version) == (2, "Draft", 1)
    assert story.versions[1].approved_by == "bob"
    assert (story.created, story.modified, story.modified_by) == (1_000_000, 4_000_000, "ann")


def test_the_hash_is_that_of_the_canonical_document() -> None:
    document = {
        "card": "ID",
        "name": "churn",
        "seq": 1,
        "kind": "created",
        "version": 1,
        "content_hash": HASH,
        "status": "Draft",
        "previous_status": None,
        "who": "ann",
        "time": "1970-01-01T00:00:01Z",
        "reason": "",
        "detail": CREATED["detail"],
        "previous": "0" * 64,
    }
    assert chain(CREATED)[0].hash == hashlib.sha256(canonical_json(document)).hexdigest()


@pytest.mark.parametrize(
    "given",
    [
        [SENT],
        [CREATED, CREATED],
        [{**CREATED, "version": 2}],
        [{**CREATED, "status": "Approved"}],
        [{**CREATED, "status": "Done"}],
        [CREATED, {"kind": "renamed"}],
        [CREATED, SENT, {**APPROVED, "who": "ann"}],
        [CREATED, SENT, {**APPROVED, "who": "Ann "}],
        [CREATED, APPROVED],
        [CREATED, {**SENT, "version": 2}],
        [CREATED, {**SENT, "content_hash": "sha256:" + "b" * 64}],
        [CREATED, SENT, APPROVED, {"status": "Draft", "previous_status": "Approved"}],
        [CREATED, SENT, APPROVED, {**REVISED, "version": 3}],
        [CREATED, SENT, APPROVED, {**REVISED, "status": "Approved"}],
        [CREATED, SENT, APPROVED, {**REVISED, "previous_status": "Draft"}],
        [
            CREATED,
            {"status": "Archived", "previous_status": "Draft"},
            {**REVISED, "previous_status": "Archived"},
        ],
        [CREATED, {"status": "Archived", "previous_status": "Draft"}, {"previous_status": "Archived"}],
        [CREATED, {"kind": "deleted"}, {"kind": "tagged"}],
        [CREATED, {"kind": "exported", "version": 2}],
    ],
)
def test_a_chain_of_right_hashes_that_cannot_have_happened_is_found(given: list[dict[str, Any]]) -> None:
    assert wrong(*given)[0] == len(given)


@given(st.data())
def test_a_changed_record_is_named(data: st.DataObject) -> None:
    records = chain(CREATED, SENT, APPROVED, REVISED, {**SENT, "version": 2}, {**APPROVED, "version": 2})
    place = data.draw(st.integers(0, len(records) - 1))
    field = data.draw(st.sampled_from([name for name in Record.__slots__ if name != "seq"]))
    values = {name: getattr(records[place], name) for name in Record.__slots__}
    old = values[field]
    new: Any
    if isinstance(old, int):
        new = old + data.draw(st.integers(1, 9))
    elif isinstance(old, dict):
        new = {**old, "x": 1}
    elif old is None:
        new = data.draw(st.sampled_from(STATUSES))
    else:
        at = data.draw(st.integers(0, len(old)))
        new = old[:at] + data.draw(st.sampled_from(string.printable)) + old[at + 1 :]
    changed = [*records[:place], Record(**{**values, field: new}), *records[place + 1 :]]
    found = check_chain("ID", "churn", changed)[1]
    if new == old:
        assert found == []
    else:
        assert found[0].record == place + 1


@given(st.permutations(range(5)))
def test_records_in_another_order_are_found(order: list[int]) -> None:
    records = chain(CREATED, *({"kind": "tagged", "detail": {"tags": str(n)}} for n in range(4)))
    found = check_chain("ID", "churn", [records[n] for n in order])[1]
    assert bool(found) == (list(order) != sorted(order))


def test_records_of_another_card_are_found() -> None:
    records = chain(CREATED)
    assert check_chain("OTHER", "churn", records)[1]
    assert check_chain("ID", "other", records)[1]


# --- documents ------------------------------------------------------------------------------------------------------


@pytest.fixture
def document(registry: Registry) -> dict[str, Any]:
    make(registry)
    approve(registry)
    revise(registry, 2)
    with registry.read() as tx:
        made = cards.chain_document(tx, "churn")
        for one in made["versions"]:
            version = cards.version(tx, "churn", one["version"])
            one |= {"content": dict(version.content), "extensions": dict(version.extensions)}
    again: dict[str, Any] = json.loads(json.dumps(made))
    return again


def test_an_exported_chain_is_checked_by_itself(document: dict[str, Any]) -> None:
    assert verify_document(document) == []


@pytest.mark.parametrize(
    ("change", "version", "record"),
    [
        (lambda d: d["versions"][0]["content"]["intended_uses"].update(risk_rating="Low"), 1, None),
        (lambda d: d["versions"][1]["extensions"].update(x=1), 2, None),
        (lambda d: d["versions"][1].update(content_hash=HASH), 2, None),
        (lambda d: d["versions"][1].update(version=9), 9, None),
        (lambda d: d["versions"][0].update(content={"x": float("nan")}), 1, None),
        (lambda d: d["records"][2].update(who="carl"), 1, 3),
        (lambda d: d["records"][2].update(time="2026-01-01T00:00:00Z"), 1, 3),
        (lambda d: d["records"].pop(1), 1, 2),
        (lambda d: d["records"].pop(), None, 3),
        (lambda d: d["records"][0].update(time="2026-01-01"), None, 1),
        (lambda d: d["records"].__setitem__(1, "x"), None, 2),
        (lambda d: d.update(head=GENESIS), None, 4),
        (lambda d: d["card"].update(name="other"), 1, 1),
    ],
)
def test_a_changed_document_is_found(
    document: dict[str, Any], change: Any, version: int | None, record: int | None
) -> None:
    change(document)
    first = verify_document(document)[0]
    assert (first.version, first.record) == (version, record)
    assert first.what


@pytest.mark.parametrize(
    "given", [None, [], "x", {}, {"schema": "driftline.card-chain/v1"}, {"schema": "driftline.card-chain/v2"}]
)
def test_what_is_no_chain_is_no_chain(given: Any) -> None:
    assert verify_document(given)


def test_any_leaf_of_a_document_that_is_changed_is_found(document: dict[str, Any]) -> None:
    def leaves(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        items = (
            value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        )
        inner = [leaf for key, item in items for leaf in leaves(item, (*path, key))]
        return inner if isinstance(value, dict | list) and value else [path]

    for path in leaves(document):
        changed = copy.deepcopy(document)
        place = changed
        for key in path[:-1]:
            place = place[key]
        old = place[path[-1]]
        place[path[-1]] = old + "!" if isinstance(old, str) else old + 1 if isinstance(old, int) else "!"
        assert verify_document(changed), path


def test_a_name_that_is_used_again_has_a_chain_of_its_own(registry: Registry) -> None:
    make(registry)
    act(registry, "ann", lambda tx: cards.delete(tx, "churn"))
    make(registry, n=2)
    with registry.read() as tx:
        document = cards.chain_document(tx, "churn")
    assert verify_document(document) == []
    assert len(document["records"]) == 1
    assert document["records"][0]["content_hash"] == cards_hash(text(2))


def cards_hash(content: dict[str, Any]) -> str:
    from driftline.registry.jcs import content_hash

    return content_hash(content, {})
