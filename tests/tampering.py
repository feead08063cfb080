"""Tampering with the audit log, in every way that raw statements allow; each must be found, with the right entry.

A trial happens in a transaction that is undone, so that thousands need no copies. The same function serves the tests and
the examination.
"""

from __future__ import annotations

import hashlib
import random
import tempfile
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import sqlalchemy as sa

from driftline.registry import audit, audit_check
from driftline.registry.store import Registry, Tx
from driftline.registry.tables import canonical

if TYPE_CHECKING:
    from collections.abc import Callable

ENTRIES = 14
_COLUMNS = ("moment", "who", "action", "subject", "reason", "body", "previous", "hash")


class Row(NamedTuple):
    """A line of the table."""

    case: str
    tries: int
    failures: int


@dataclass
class Log:
    """What a trial works on."""

    tx: Tx
    rng: random.Random
    other: list[dict[str, Any]]
    other_bodies: dict[str, str]

    def run(self, statement: str, **values: Any) -> Any:
        return self.tx.connection.execute(sa.text(statement), values)

    def rows(self) -> list[dict[str, Any]]:
        return [dict(row._mapping) for row in self.run("SELECT * FROM audit ORDER BY seq")]

    def bodies(self) -> list[str]:
        return [row.digest for row in self.run("SELECT digest FROM audit_bodies ORDER BY digest")]

    def put(self, row: dict[str, Any]) -> None:
        self.run(
            "INSERT INTO audit (seq, moment, who, action, subject, reason, body, previous, hash) "
            "VALUES (:seq, :moment, :who, :action, :subject, :reason, :body, :previous, :hash)",
            **row,
        )

    def write(self, rows: list[dict[str, Any]]) -> None:
        """Replace the whole log."""
        self.run("DELETE FROM audit")
        for row in rows:
            self.put(row)

    def set_head(self, seq: int, made: str) -> None:
        self.run("UPDATE audit_head SET seq = :seq, hash = :made", seq=seq, made=made)


def rehashed(row: dict[str, Any], previous: str) -> dict[str, Any]:
    values = {key: row[key] for key in ("seq", "moment", "who", "action", "subject", "reason", "body")}
    return {**values, "previous": previous, "hash": audit.hash_of(previous, **values)}


def _other_value(log: Log, row: dict[str, Any], column: str) -> Any:
    if column == "moment":
        return row["moment"] + log.rng.choice((-3_600_000_000, -1, 1, 10**6))
    if column in ("body", "previous", "hash"):
        if column == "body" and row["body"] is not None and log.rng.random() < 0.3:
            return None
        return f"{log.rng.getrandbits(256):064x}"
    old: str = row[column]
    return log.rng.choice((old + " ", old + "\u200b", "x" + old, old.upper() + "!", "mallory"))


# Each returns the number of the entry that must be named, with a
# checkpoint and without; None where nothing can tell then.


def edit(log: Log) -> tuple[int, int | None]:
    row = log.rng.choice(log.rows())
    column = log.rng.choice(_COLUMNS)
    value = _other_value(log, row, column)
    log.run(f"UPDATE audit SET {column} = :value WHERE seq = :seq", value=value, seq=row["seq"])
    found = row["seq"]
    return found, found


def edit_and_hash(log: Log) -> tuple[int, int | None]:
    rows = log.rows()
    row = log.rng.choice(rows)
    new = rehashed(row | {"who": "mallory"}, row["previous"])
    log.run(
        "UPDATE audit SET who = 'mallory', hash = :made WHERE seq = :seq", made=new["hash"], seq=row["seq"]
    )
    # Its own hash fits; the next entry, or the head, does not.
    found = min(row["seq"] + 1, len(rows))
    return found, found


def renumber(log: Log) -> tuple[int, int | None]:
    rows = log.rows()
    row = log.rng.choice(rows)
    new = log.rng.choice((0, -1, -5, len(rows) + 1, row["seq"] + 1000, 1 << 40))
    log.run("UPDATE audit SET seq = :new WHERE seq = :seq", new=new, seq=row["seq"])
    found = new if new < 1 else row["seq"]
    return found, found


def delete(log: Log) -> tuple[int, int | None]:
    rows = log.rows()
    first = log.rng.randrange(len(rows))
    several = rows[first : first + log.rng.choice((1, 1, 2, 5))]
    log.run(
        "DELETE FROM audit WHERE seq >= :low AND seq <= :high", low=several[0]["seq"], high=several[-1]["seq"]
    )
    found = several[0]["seq"]
    return found, found


def insert(log: Log) -> tuple[int, int | None]:
    rows = log.rows()
    at = log.rng.randint(1, len(rows) + 1)
    log.run("UPDATE audit SET seq = -(seq + 1) WHERE seq >= :at", at=at)
    log.run("UPDATE audit SET seq = -seq WHERE seq < 0")
    like = log.rng.choice(rows)
    previous = rows[at - 2]["hash"] if at > 1 else audit.GENESIS
    new = rehashed(like | {"seq": at, "who": "mallory"}, previous)
    fits = log.rng.random() < 0.5
    if not fits:
        new["hash"] = like["hash"]
    log.put(new)
    found = min(at + 1, len(rows) + 1) if fits else at
    # In the place of the checkpoint's entry it is known at once.
    return (at if at == len(rows) else found), found


def reorder(log: Log) -> tuple[int, int | None]:
    rows = log.rows()
    low, high = sorted(log.rng.sample(range(len(rows)), 2))
    rows[low], rows[high] = rows[high] | {"seq": rows[low]["seq"]}, rows[low] | {"seq": rows[high]["seq"]}
    log.write(rows)
    found = low + 1
    return found, found


def copy_from_another(log: Log) -> tuple[int, int | None]:
    rows = log.rows()
    at = log.rng.randrange(len(rows))
    rows[at] = log.other[at]
    log.write(rows)
    body = rows[at]["body"]
    if body in log.other_bodies and log.rng.random() < 0.5:
        text = log.other_bodies[body]
        log.run("INSERT INTO audit_bodies (digest, body) VALUES (:digest, :text)", digest=body, text=text)
    # The first entry of any log follows nothing: only the second tells that it is another's.
    found = max(2, at + 1)
    return found, found


def cut(log: Log) -> tuple[int, int | None]:
    rows = log.rows()
    left = log.rng.randrange(len(rows))
    log.run("DELETE FROM audit WHERE seq > :left", left=left)
    if log.rng.random() < 0.3:
        return left + 1, left + 1
    log.set_head(left, rows[left - 1]["hash"] if left else audit.GENESIS)
    log.run(
        "DELETE FROM audit_bodies WHERE NOT EXISTS (SELECT 1 FROM audit WHERE audit.body = audit_bodies.digest)"
    )
    # A cut that took an erasure with it left its texts missing without a word.
    there = log.rows()
    said = any(row["action"] == "audit.erased" for row in there)
    lacking = [row["seq"] for row in there if row["body"] and row["body"] not in log.bodies()]
    return left + 1, None if said else min(lacking, default=None)


def replace(log: Log) -> tuple[int, int | None]:
    rows = log.rows()
    start = log.rng.randrange(len(rows))
    column = log.rng.choice(("who", "moment", "reason"))
    rows[start][column] = _other_value(log, rows[start], column)
    made = rows[:start]
    for row in rows[start:]:
        made.append(rehashed(row, made[-1]["hash"] if made else audit.GENESIS))
    log.write(made)
    log.set_head(len(made), made[-1]["hash"])
    return len(made), None


def body_edit(log: Log) -> tuple[int, int | None]:
    digest = log.rng.choice(log.bodies())
    log.run("UPDATE audit_bodies SET body = body || ' ' WHERE digest = :digest", digest=digest)
    found = _first_with(log, digest)
    return found, found


def body_delete(log: Log) -> tuple[int, int | None]:
    digest = log.rng.choice(log.bodies())
    log.run("DELETE FROM audit_bodies WHERE digest = :digest", digest=digest)
    found = _first_with(log, digest, since=_erased_at(log, digest))
    return found, found


def body_moved(log: Log) -> tuple[int, int | None]:
    digest = log.rng.choice(log.bodies())
    other = f"{log.rng.getrandbits(256):064x}"
    log.run("UPDATE audit_bodies SET digest = :other WHERE digest = :digest", other=other, digest=digest)
    found = _first_with(log, digest, since=_erased_at(log, digest))
    return found, found


def body_insert(log: Log) -> tuple[int, int | None]:
    text = canonical({"n": log.rng.random()})
    digest = hashlib.sha256(text.encode()).hexdigest()
    log.run("INSERT INTO audit_bodies (digest, body) VALUES (:digest, :text)", digest=digest, text=text)
    found = len(log.rows()) + 1
    return found, found


def _erased_at(log: Log, digest: str) -> int:
    seqs = {row["seq"] for row in log.rows() if row["body"] == digest}
    said = [
        row["seq"]
        for row in log.rows()
        if row["action"] == "audit.erased" and int(row["subject"].partition("/")[2]) in seqs
    ]
    return max(said, default=0)


def _first_with(log: Log, digest: str, since: int = 0) -> int:
    return int(min(row["seq"] for row in log.rows() if row["body"] == digest and row["seq"] > since))


def head(log: Log) -> tuple[int, int | None]:
    rows = log.rows()
    n, last = len(rows), rows[-1]["hash"]
    match log.rng.randrange(5):
        case 0:
            log.set_head(n + log.rng.randint(1, 5), last)
            return n + 1, n + 1
        case 1:
            log.set_head(n - log.rng.randint(1, 5), last)
        case 2:
            log.set_head(n, f"{log.rng.getrandbits(256):064x}")
        case 3:
            log.run("DELETE FROM audit_head")
        case _:
            log.run("INSERT INTO audit_head (id, seq, hash) VALUES (2, :n, :last)", n=n, last=last)
    return n, n


CASES: dict[str, Callable[[Log], tuple[int, int | None]]] = {
    "a column of an entry is edited": edit,
    "an entry is edited, and its hash made to fit": edit_and_hash,
    "an entry is renumbered": renumber,
    "entries are deleted": delete,
    "an entry is inserted": insert,
    "two entries change places": reorder,
    "an entry of another log is put in": copy_from_another,
    "the end is cut off": cut,
    "everything from an entry on is replaced": replace,
    "what changed is edited": body_edit,
    "what changed is deleted": body_delete,
    "what changed is moved": body_moved,
    "a text of no entry is put in": body_insert,
    "the head is edited": head,
}


def fill(registry: Registry, word: str) -> None:
    """Write a log with all kinds of entries: with and without what changed, twice the same, erased, erased and back."""
    for n in range(ENTRIES - 4):
        with registry.write(f"{word}-ann", f"because of é {n}") as tx:
            after = None if n % 4 == 3 else {"n": n // 2 * 2, "word": word}
            tx.record("thing.changed", f"things/{n % 3}", after=after, data={})
    for seq in (1, 5):
        with registry.write(f"{word}-bob", "asked for") as tx:
            assert audit.erase_body(tx, seq)
    with registry.write(f"{word}-ann") as tx:
        tx.record("thing.changed", "things/9", after={"n": 4, "word": word})
        tx.record("thing.changed", "things/9", after={"n": 99, "word": word})


def unguarded(registry: Registry) -> None:
    """Take away what keeps the log from being changed."""
    with registry.database.writing() as connection:
        if registry.database.is_sqlite:
            for name in ("update", "delete"):
                connection.execute(sa.text(f"DROP TRIGGER audit_no_{name}"))
        else:
            connection.execute(sa.text("DROP TRIGGER audit_closed ON audit"))


class UndoError(Exception):
    """Ends a trial."""


def undo() -> None:
    raise UndoError


def tamper_trials(n: int, seed: int, *, url: str | None = None, root: Path | None = None) -> list[Row]:
    """Tamper `n` times, each in a random way, and count for each kind how often it was not found, or at a wrong entry.

    Parameters
    ----------
    n, seed : int
    url : str, optional
        Of a fresh registry; a SQLite file that is gone afterwards where not given.
    root : path, optional
    """
    tries: Counter[str] = Counter()
    failures: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        with Registry.create(Path(folder) / "other.db") as registry:
            fill(registry, "other")
            with registry.read() as tx:
                log = Log(tx, random.Random(seed), [], {})
                other = log.rows()
                bodies = {r.digest: r.body for r in log.run("SELECT * FROM audit_bodies")}
        rng = random.Random(seed)
        with Registry.create(url or Path(folder) / "log.db", root=root or folder) as registry:
            fill(registry, "this")
            unguarded(registry)
            with registry.read() as tx:
                noted = audit_check.checkpoint(tx)
                whole = audit_check.check(tx, checkpoint=noted)
                assert whole.is_whole
                assert whole.entries == ENTRIES
                assert whole.erased == (1, 2)
            names = list(CASES)
            for trial in range(n):
                case = names[trial % len(names)]
                tries[case] += 1
                with suppress(UndoError), registry.write("mallory") as tx:
                    expected = CASES[case](Log(tx, rng, other, bodies))
                    made = audit_check.check(tx, checkpoint=noted).bad, audit_check.check(tx).bad
                    failures[case] += made != expected
                    undo()
    return [Row(case, tries[case], failures[case]) for case in CASES]
