"""The audit log is verified by a reader of its own."""

from __future__ import annotations

import ast
import inspect
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
from tampering import ENTRIES, fill, tamper_trials, unguarded

from driftline.registry import audit, audit_check
from driftline.registry.database import RegistryError

if TYPE_CHECKING:
    from pathlib import Path

    from driftline.registry.store import Registry

TRIALS = 2_000
"""The examination runs 10,000."""


def test_an_empty_log_is_whole(registry: Registry) -> None:
    with registry.read() as tx:
        assert audit_check.check(tx) == audit_check.AuditCheck(0, audit.GENESIS)
        assert audit_check.checkpoint(tx) == (0, audit.GENESIS)


def test_a_log_of_many_pages_is_whole(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit_check, "_PAGE", 3)
    fill(registry, "a")
    with registry.read() as tx:
        made = audit_check.check(tx, checkpoint=audit_check.checkpoint(tx))
        assert (made.entries, made.head) == audit.head(tx) == audit_check.checkpoint(tx)
        assert made.is_whole
        assert made.entries == ENTRIES


def test_tampering_is_found_with_the_right_entry() -> None:
    rows = tamper_trials(TRIALS, seed=1)
    assert sum(row.tries for row in rows) == TRIALS
    assert [row for row in rows if row.failures] == []


def test_tampering_is_found_on_either_engine(url: str, tmp_path: Path) -> None:
    assert [row for row in tamper_trials(140, seed=2, url=url, root=tmp_path) if row.failures] == []


def test_erasure_takes_the_text_and_leaves_the_chain(registry: Registry) -> None:
    with registry.write("ann") as tx:
        for n in range(3):
            tx.record("user.created", f"users/{n}", after={"email": "eve@example.com" if n == 1 else n})
        before = audit_check.checkpoint(tx)
    with registry.write("dpo", "request 17") as tx:
        assert audit.erase_body(tx, 2)
        assert not audit.erase_body(tx, 2)
    with registry.read() as tx:
        made = audit_check.check(tx, checkpoint=before)
        entries = list(audit.entries(tx))
        texts = tx.all(sa.text("SELECT body FROM audit_bodies"))
    assert made.is_whole
    assert made.erased == (2,)
    assert entries[1].change is None
    assert (entries[3].action, entries[3].subject, entries[3].reason) == (
        "audit.erased",
        "audit/2",
        "request 17",
    )
    assert "eve" not in str(texts)


@pytest.mark.parametrize("seq", [0, -1, 99, 1 << 70])
def test_what_is_not_there_cannot_be_erased(registry: Registry, seq: int) -> None:
    with pytest.raises(RegistryError, match="E-NO-ENTRY"), registry.write("ann") as tx:
        audit.erase_body(tx, seq)


def test_a_text_that_vanished_without_a_word_is_a_fault(registry: Registry) -> None:
    fill(registry, "a")
    with registry.write("mallory") as tx:
        tx.execute(sa.text("DELETE FROM audit_bodies"))
        assert audit_check.check(tx).bad == 3


def test_bytes_that_are_no_text_are_named(tmp_path: Path) -> None:
    from driftline.registry.store import Registry

    with Registry.create(tmp_path / "r.db") as registry:
        fill(registry, "a")
        unguarded(registry)
        with registry.write("mallory") as tx:
            tx.execute(sa.text("UPDATE audit SET who = CAST(x'ff' AS TEXT) WHERE seq = 4"))
        with registry.read() as tx:
            made = audit_check.check(tx)
    assert made.bad == 4
    assert made.why is not None
    assert "no text" in made.why


def test_the_reader_shares_no_code_with_the_writer() -> None:
    source = inspect.getsource(audit_check)
    assert source.count("\n") <= 200
    tree = ast.parse(source)
    imported = {
        alias.name if isinstance(node, ast.Import) else node.module
        for node in tree.body
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    assert imported == {"__future__", "dataclasses", "hashlib", "json", "sqlalchemy", "typing"}
