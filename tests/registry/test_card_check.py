"""Damage to the store of model cards, done with raw statements: each is found, at the right place."""

from __future__ import annotations

import json
import random
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from card_rig import approve, breaks, make, refused, revise, text

from driftline.registry import card_chain, cards
from driftline.registry.card_check import GUARDS, guards_missing
from driftline.registry.fsck import fsck
from driftline.registry.jcs import content_hash
from driftline.registry.tables import canonical

if TYPE_CHECKING:
    from collections.abc import Iterator

    from driftline.registry.store import Registry, Tx

FILE = "sha256:" + "f" * 64
ZERO = "sha256:" + "0" * 64


@pytest.fixture
def full(registry: Registry) -> Registry:
    """Two cards; `churn`: 1 approved, 2 approved, 3 a draft; with evidence, an export and tags."""
    make(registry, tags={"team": "a"}, provenance={"a.b": {"source": "x"}}, extensions={"scope": {"x": 1}})
    approve(registry)
    revise(registry, 2)
    approve(registry)
    with registry.write("ann", "later") as tx:
        cards.add_evidence(
            tx,
            "churn",
            source="executions/1",
            kind="bias",
            status="passed",
            path="r/1",
            digest=FILE,
            summary="ok",
            window=(1, 2),
        )
        job = cards.start_export(tx, "churn", "job", output="out")
        cards.finish_export(tx, job.arn, artifact="f", digest=FILE)
        cards.set_policy(tx, "churn", {"evaluations": "off"})
    revise(registry, 3)
    make(registry, "other", n=9)
    assert breaks(registry) == []
    return registry


class UndoneError(Exception):
    """Ends a trial."""


@contextmanager
def trial(registry: Registry) -> Iterator[Tx]:
    """Give a transaction in which anything may be done, and which is undone."""
    with suppress(UndoneError), registry.write("mallory") as tx:
        unguard(tx)
        yield tx
        raise UndoneError


def unguard(tx: Tx) -> None:
    for name in GUARDS["sqlite" if tx.database.is_sqlite else "postgresql"]:
        table = next(t for t in ("card_records", "card_versions", "cards") if name.startswith(t))
        run(tx, f"DROP TRIGGER {name}" + ("" if tx.database.is_sqlite else f" ON {table}"))


def run(tx: Tx, statement: str, **values: Any) -> Any:
    return tx.connection.execute(sa.text(statement), values)


def first(tx: Tx) -> tuple[str, int | None, int | None] | None:
    found = cards.verify(tx)
    return (found[0].card, found[0].version, found[0].record) if found else None


CHURN = "(SELECT id FROM cards WHERE name = 'churn')"


@pytest.mark.parametrize(
    ("statement", "version", "record"),
    [
        (
            "UPDATE card_versions SET content = replace(content, 'text 2', 'text 5') WHERE version = 2",
            2,
            None,
        ),
        ("UPDATE card_versions SET content = replace(content, ':', ': ') WHERE version = 2", 2, None),
        ("UPDATE card_versions SET extensions = '{}' WHERE card = {card} AND version = 1", 1, None),
        ("UPDATE card_versions SET provenance = '{}' WHERE card = {card} AND version = 1", 1, None),
        (f"UPDATE card_versions SET content_hash = '{ZERO}' WHERE version = 3", 3, None),
        ("UPDATE card_versions SET content = 'x' WHERE version = 3", 3, None),
        ("UPDATE card_versions SET content = '[]' WHERE version = 3", 3, None),
        ("UPDATE card_versions SET status = 'Draft' WHERE version = 2", 2, None),
        ("UPDATE card_versions SET status = 'Approved' WHERE version = 3", 3, None),
        ("UPDATE card_versions SET approved = 5, approved_by = 'eve' WHERE version = 3", 3, None),
        ("UPDATE card_versions SET approved_by = 'eve' WHERE version = 2", 2, None),
        ("UPDATE card_versions SET approved = NULL WHERE version = 2", 2, None),
        ("UPDATE card_versions SET author = 'eve' WHERE version = 2", 2, None),
        ("UPDATE card_versions SET created = created + 1 WHERE version = 2", 2, None),
        ("UPDATE card_versions SET reason = 'none' WHERE version = 2", 2, None),
        ("DELETE FROM card_versions WHERE version = 2", 2, None),
        ("UPDATE card_versions SET version = 4 WHERE version = 3", 4, None),
        ("UPDATE card_records SET status = 'Draft' WHERE card = {card} AND seq = 3", 1, 3),
        ("UPDATE card_records SET who = 'eve' WHERE card = {card} AND seq = 3", 1, 3),
        ("UPDATE card_records SET moment = moment + 1 WHERE card = {card} AND seq = 3", 1, 3),
        ("UPDATE card_records SET reason = '' WHERE card = {card} AND seq = 3", 1, 3),
        (f"UPDATE card_records SET content_hash = '{ZERO}' WHERE card = {{card}} AND seq = 3", 1, 3),
        (f"UPDATE card_records SET hash = '{'0' * 64}' WHERE card = {{card}} AND seq = 3", 1, 3),
        (f"UPDATE card_records SET previous = '{'0' * 64}' WHERE card = {{card}} AND seq = 3", 1, 3),
        ("UPDATE card_records SET detail = '{}' WHERE card = {card} AND seq = 4", 2, 4),
        ("UPDATE card_records SET detail = 'x' WHERE card = {card} AND seq = 4", 2, 4),
        ("DELETE FROM card_records WHERE card = {card} AND seq = 4", 2, 4),
        ("DELETE FROM card_records WHERE card = {card} AND seq = 1", 1, 1),
        ("DELETE FROM card_records WHERE card = {card} AND seq = 10", None, 10),
        ("DELETE FROM card_records WHERE card = {card}", None, 1),
        ("UPDATE card_evidence SET status = 'violated'", None, 7),
        ("UPDATE card_evidence SET window_end = 9", None, 7),
        ("DELETE FROM card_evidence", None, 7),
        ("UPDATE card_exports SET digest = NULL", None, 8),
        ("DELETE FROM card_exports", None, 8),
        ("UPDATE cards SET status = 'Approved' WHERE name = 'churn'", None, None),
        ("UPDATE cards SET approved_version = 3 WHERE name = 'churn'", None, None),
        ("UPDATE cards SET version = 2 WHERE name = 'churn'", None, None),
        ("UPDATE cards SET tags = '{{\"team\":\"b\"}}' WHERE name = 'churn'", None, None),
        ("UPDATE cards SET policy = '{}' WHERE name = 'churn'", None, None),
        ("UPDATE cards SET cloned_from = '{}' WHERE name = 'churn'", None, None),
        ("UPDATE cards SET owner = NULL WHERE name = 'churn'", None, None),
        ("UPDATE cards SET model = 'm' WHERE name = 'churn'", None, None),
        ("UPDATE cards SET model_key = 'm' WHERE name = 'churn'", None, None),
        ("UPDATE cards SET created_by = 'eve' WHERE name = 'churn'", None, None),
        ("UPDATE cards SET deleted = 5 WHERE name = 'churn'", None, None),
        ("UPDATE cards SET records = 9 WHERE name = 'churn'", None, None),
    ],
)
def test_damage_is_found_where_it_is(
    full: Registry, statement: str, version: int | None, record: int | None
) -> None:
    with trial(full) as tx:
        changed = run(tx, statement.replace("{card}", CHURN).replace("{{", "{").replace("}}", "}"))
        assert changed.rowcount >= 1
        assert first(tx) == ("churn", version, record)
        assert ("churn", version, record) == (lambda b: (b.card, b.version, b.record))(
            cards.verify(tx, "churn")[0]
        )
        assert cards.verify(tx, "other") == []
    assert breaks(full) == []


def test_every_byte_of_a_text_counts(full: Registry) -> None:
    rng = random.Random(4)
    with trial(full) as tx:
        for column in ("content", "extensions", "provenance"):
            query = f"SELECT {column} FROM card_versions WHERE card = {CHURN} AND version = 1"
            was = run(tx, query).scalar_one()
            for place in sorted(rng.sample(range(len(was)), min(len(was), 40))):
                put = rng.choice([chr(ord(was[place]) ^ 1), " ", "é", ""])
                now = was[:place] + put + was[place + 1 :]
                if now == was:
                    continue
                update = f"UPDATE card_versions SET {column} = :now WHERE card = {CHURN} AND version = 1"
                run(tx, update, now=now)
                assert first(tx) == ("churn", 1, None), (column, now)
            run(tx, f"UPDATE card_versions SET {column} = :now WHERE card = {CHURN} AND version = 1", now=was)
        assert cards.verify(tx) == []


def test_two_texts_that_were_swapped_are_found(full: Registry) -> None:
    with trial(full) as tx:
        one, two = (
            dict(
                run(
                    tx,
                    f"SELECT content, content_hash FROM card_versions WHERE card = {CHURN} AND version = {n}",
                )
                .one()
                ._mapping
            )
            for n in (1, 3)
        )
        for n, row in ((3, one), (1, two)):
            run(
                tx,
                f"UPDATE card_versions SET content = :content, content_hash = :content_hash "
                f"WHERE card = {CHURN} AND version = {n}",
                **row,
            )
        assert [one.version for one in cards.verify(tx)] == [1, 3]


def test_the_record_of_another_card_is_found(full: Registry) -> None:
    with trial(full) as tx:
        run(tx, f"DELETE FROM card_records WHERE card = {CHURN} AND seq = 1")
        other = "(SELECT id FROM cards WHERE name = 'other')"
        run(
            tx,
            f"INSERT INTO card_records SELECT {CHURN}, seq, kind, version, content_hash, status, previous_status, who, "
            f"moment, reason, detail, previous, hash FROM card_records WHERE card = {other} AND seq = 1",
        )
        assert first(tx) == ("churn", 1, 1)


def rewrite(tx: Tx, start: int, change: dict[str, Any]) -> None:
    """Change a record, and make all hashes after it right, with the head: as somebody would who knows how."""
    card = cards.get(tx, "churn")
    previous = None
    for record in cards.records(tx, "churn"):
        values = {name: getattr(record, name) for name in record.__slots__ if name != "hash"}
        if record.seq == start:
            values |= change
        if record.seq > start and previous is not None:
            values["previous"] = previous
        previous = card_chain.record_hash(card.id, card.name, **values)
        run(
            tx,
            "UPDATE card_records SET who = :who, content_hash = :content_hash, detail = :detail, previous = :previous, "
            "hash = :hash WHERE card = :card AND seq = :seq",
            card=card.id,
            hash=previous,
            **{k: values[k] for k in ("who", "content_hash", "previous", "seq")},
            detail=canonical(values["detail"]),
        )
    run(tx, "UPDATE cards SET head = :head WHERE id = :card", head=previous, card=card.id)


def test_a_whole_chain_that_was_made_anew_does_not_fit_the_audit_log(full: Registry) -> None:
    with trial(full) as tx:
        rewrite(tx, 6, {"who": "eve"})
        run(
            tx,
            f"UPDATE card_versions SET status_by = 'eve', approved_by = 'eve' WHERE card = {CHURN} AND version = 2",
        )
        document = cards.chain_document(tx, "churn")
        assert cards.verify_document(document) == [], "the chain by itself is right"
        found = cards.verify(tx)
        assert [one.record for one in found] == [6, 7, 8, 9, 10]
        assert "audit log" in found[0].what


def test_a_text_that_was_changed_with_its_whole_chain_is_found(full: Registry) -> None:
    with trial(full) as tx:
        said = text(77)
        spelled = json.dumps(said, separators=(",", ":"))
        made = content_hash(said, {})
        stored = card_chain.stored_digest(spelled, "{}", "{}")
        run(
            tx,
            f"UPDATE card_versions SET content = :c, content_hash = :h, extensions = '{{}}', provenance = '{{}}' "
            f"WHERE card = {CHURN} AND version = 3",
            c=spelled,
            h=made,
        )
        run(tx, "UPDATE cards SET content_hash = :h WHERE name = 'churn'", h=made)
        rewrite(tx, 10, {"content_hash": made, "detail": {"stored": stored, "model": None}})
        assert first(tx) == ("churn", 3, 10)


def test_a_cut_off_end_is_found_even_with_the_head_put_right(full: Registry) -> None:
    with trial(full) as tx:
        run(tx, f"DELETE FROM card_records WHERE card = {CHURN} AND seq = 10")
        run(tx, f"DELETE FROM card_versions WHERE card = {CHURN} AND version = 3")
        last = cards.records(tx, "churn")[-1]
        before = cards.version(tx, "churn", 2)
        run(
            tx,
            "UPDATE cards SET records = 9, head = :h, version = 2, status = 'Approved', content_hash = :c, modified = :m "
            "WHERE name = 'churn'",
            h=last.hash,
            m=last.moment,
            c=before.content_hash,
        )
        (one,) = cards.verify(tx)
        assert (one.version, one.record) == (None, 10)
        assert "cut off" in one.what


def test_a_record_that_was_put_in_is_found(full: Registry) -> None:
    with trial(full) as tx:
        card = cards.get(tx, "churn")
        values: dict[str, Any] = {
            "seq": 11,
            "kind": "status",
            "version": 3,
            "content_hash": card.content_hash,
            "status": "Approved",
            "previous_status": "Draft",
            "who": "bob",
            "moment": card.modified,
            "reason": "",
            "detail": {},
            "previous": card.head,
        }
        made = card_chain.record_hash(card.id, card.name, **values)
        tx.insert(cards_table("card_records"), card=card.id, hash=made, **values)
        run(tx, "UPDATE cards SET records = 11, head = :h, status = 'Approved', approved_version = 3", h=made)
        run(
            tx,
            f"UPDATE card_versions SET status = 'Approved', approved = :m, approved_by = 'bob', status_by = 'bob', "
            f"status_moment = :m WHERE card = {CHURN} AND version = 3",
            m=card.modified,
        )
        assert first(tx) == ("churn", 3, 11)


def cards_table(name: str) -> sa.Table:
    from driftline.registry import tables

    found: sa.Table = getattr(tables, name)
    return found


def test_a_card_that_was_removed_with_its_chain_is_missed(full: Registry) -> None:
    with trial(full) as tx:
        other = "(SELECT id FROM cards WHERE name = 'other')"
        run(tx, f"DELETE FROM card_records WHERE card = {other}")
        run(tx, f"DELETE FROM card_versions WHERE card = {other}")
        run(tx, "DELETE FROM cards WHERE name = 'other'")
        for found in (cards.verify(tx), cards.verify(tx, "other")):
            assert [(one.card, one.version, one.record) for one in found] == [("other", None, None)]
        assert cards.verify(tx, "churn") == []


def test_what_was_erased_from_the_audit_log_is_no_damage(full: Registry) -> None:
    from driftline.registry import audit

    with full.write("ann", "asked to") as tx:
        entry = next(e for e in audit.entries(tx, subject="cards/churn") if e.action == "card.revised")
        audit.erase_body(tx, entry.seq)
        assert cards.verify(tx) == []


def test_an_erased_entry_hides_no_record_that_was_put_in(full: Registry) -> None:
    from driftline.registry import audit

    with full.write("ann", "asked to") as tx:
        entry = next(e for e in audit.entries(tx, subject="cards/churn") if e.action == "card.revised")
        audit.erase_body(tx, entry.seq)
    with trial(full) as tx:
        card = cards.get(tx, "churn")
        values: dict[str, Any] = {
            "seq": card.records + 1,
            "kind": "tagged",
            "version": card.version,
            "content_hash": card.content_hash,
            "status": card.status,
            "previous_status": None,
            "who": "bob",
            "moment": card.modified,
            "reason": "",
            "detail": {"tags": cards.records(tx, "churn")[0].detail["tags"]},
            "previous": card.head,
        }
        made = card_chain.record_hash(card.id, card.name, **values)
        tx.insert(cards_table("card_records"), card=card.id, hash=made, **values)
        found = cards.verify(tx, "churn")
        assert any("put in" in one.what and one.record == card.records + 1 for one in found)


def test_bytes_that_are_no_text_are_found(full: Registry) -> None:
    with trial(full) as tx:
        if not tx.database.is_sqlite:
            with pytest.raises(sa.exc.DatabaseError), tx.connection.begin_nested():
                run(tx, "UPDATE card_versions SET content = convert_from('\\xff', 'UTF8')")
            return
        for statement, expected in (
            ("UPDATE card_versions SET content = CAST(x'7bff7d' AS TEXT) WHERE version = 2", (2, None)),
            ("UPDATE card_records SET who = CAST(x'ff' AS TEXT) WHERE seq = 2", (1, 2)),
            ("UPDATE card_records SET detail = CAST(x'ff' AS TEXT) WHERE seq = 2", (1, 2)),
        ):
            with tx.connection.begin_nested() as trial_of_it:
                run(tx, statement)
                assert first(tx) == ("churn", *expected)
                trial_of_it.rollback()
        assert run(tx, "SELECT 'é'").scalar_one() == "é"


def test_random_damage_to_any_column_is_found(full: Registry) -> None:
    rng = random.Random(11)
    tables = {
        "card_versions": {"card", "version"},
        "card_records": {"card", "seq"},
        "cards": {"id", "name"},
        "card_evidence": {"card"},
        "card_exports": {"card", "arn"},
    }
    with trial(full) as tx:
        for _ in range(250):
            name = rng.choice(list(tables))
            rows = [dict(r._mapping) for r in run(tx, f"SELECT * FROM {name}")]
            row = rng.choice(rows)
            column = rng.choice([c for c in sorted(row) if c not in tables[name]])
            old = row[column]
            new: Any
            if isinstance(old, int):
                new = old + rng.choice([-1, 1, 1000])
            else:
                was = old or ""
                new = was[: rng.choice([0, len(was), rng.randint(0, len(was))])] + rng.choice("x0 é\n")
            if old is None and column in (
                "deleted",
                "approved",
                "approved_version",
                "window_start",
                "window_end",
            ):
                new = 7
            if new == old:
                continue
            keys = sorted(tables[name])
            where = " AND ".join(f"{k} = :k_{k}" for k in keys)
            with tx.connection.begin_nested() as nested:
                run(
                    tx,
                    f"UPDATE {name} SET {column} = :new WHERE {where}",
                    new=new,
                    **{f"k_{k}": row[k] for k in keys},
                )
                assert first(tx) is not None, (name, column, old, new)
                nested.rollback()
        assert cards.verify(tx) == []


# --- what keeps it from happening -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE card_records SET who = 'eve'",
        "UPDATE card_records SET hash = hash",
        "DELETE FROM card_records",
        "DELETE FROM card_versions",
        "DELETE FROM cards",
        *(
            f"UPDATE card_versions SET {column} = 'x'"
            for column in ("card", "content", "extensions", "provenance", "content_hash", "author", "reason")
        ),
        "UPDATE card_versions SET created = 1",
        "UPDATE card_versions SET version = version + 10",
        *(f"UPDATE cards SET {column} = 'x'" for column in ("id", "name", "arn", "created_by")),
        "UPDATE cards SET created = 1",
    ],
)
def test_the_database_itself_refuses(full: Registry, statement: str) -> None:
    with pytest.raises(sa.exc.DatabaseError, match="card"), full.write("mallory") as tx:
        run(tx, statement)
    assert breaks(full) == []


def test_replacing_and_truncating_are_refused_too(full: Registry) -> None:
    with full.read() as tx:
        is_sqlite = tx.database.is_sqlite
    statements = (
        [f"REPLACE INTO {name} SELECT * FROM {name}" for name in ("cards", "card_versions", "card_records")]
        if is_sqlite
        else [f"TRUNCATE {name} CASCADE" for name in ("cards", "card_versions", "card_records")]
    )
    for statement in statements:
        with pytest.raises(sa.exc.DatabaseError, match="never changed"), full.write("mallory") as tx:
            run(tx, statement)


def test_a_deletion_cannot_be_taken_back(full: Registry) -> None:
    with full.write("ann") as tx:
        cards.delete(tx, "other")
    with pytest.raises(sa.exc.DatabaseError, match="never changed"), full.write("mallory") as tx:
        run(tx, "UPDATE cards SET deleted = NULL WHERE name = 'other'")
    assert breaks(full) == []


def test_a_guard_that_was_removed_is_missed(full: Registry) -> None:
    with full.read() as tx:
        assert guards_missing(tx) == []
    with trial(full) as tx:
        assert guards_missing(tx) == list(GUARDS["sqlite" if tx.database.is_sqlite else "postgresql"])
    with full.write("mallory") as tx:
        unguard(tx)
    (one,) = fsck(full)
    assert (one.severity, one.where) == ("error", "cards")


# --- doors that meet damage -----------------------------------------------------------------------------------------


def damage(registry: Registry, statement: str) -> None:
    with registry.write("mallory") as tx:
        unguard(tx)
        run(tx, statement)


def test_fsck_names_the_version_and_the_record(full: Registry) -> None:
    damage(full, "UPDATE card_versions SET status = 'Draft' WHERE version = 2")
    with full.write("mallory") as tx:
        run(tx, "UPDATE card_evidence SET status = 'violated'")
    assert [one.where for one in fsck(full)] == ["cards", "cards/churn/2", "cards/churn/records/7"]


def test_a_text_that_is_not_what_was_written_is_neither_shown_nor_approved(full: Registry) -> None:
    with full.write("ann") as tx:
        card = cards.set_status(tx, "churn", "PendingReview")
    damage(full, "UPDATE card_versions SET content = replace(content, 'text 3', 'text 4') WHERE version = 3")
    for action in (
        lambda tx: cards.version(tx, "churn"),
        lambda tx: cards.set_status(tx, "churn", "Approved", content_hash=card.content_hash),
        lambda tx: cards.revise(tx, "churn", extensions={"x": 1}),
        lambda tx: cards.start_export(tx, "churn", "job-2", output="out"),
    ):
        error = refused(full, "bob", action)
        assert error.code == "E-CARD-DAMAGED"
        assert "version 3" in error.message
    with full.read() as tx:
        assert cards.version(tx, "churn", 2).content == text(2)
