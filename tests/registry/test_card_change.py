"""Many writers of one card at once, and writers that are killed."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
from card_rig import breaks, make, text

from driftline.errors import DriftlineError
from driftline.registry import audit_check, cards
from driftline.registry.fsck import fsck

if TYPE_CHECKING:
    from driftline.registry.store import Registry, Tx

_PROGRAM = """
import sys
from driftline.registry import cards
from driftline.registry.store import Registry

url, root, name = sys.argv[1:]
with Registry.open(url, root=root) as registry:
    print("ready", flush=True)
    sys.stdin.readline()
    for n in range(1_000_000):
        def act(tx):
            cards.revise(tx, "churn", content={"x": f"{name} {n}"})
            cards.set_tags(tx, "churn", {"n": f"{name} {n}"})
        registry.act(act, who=name, seconds=120)
        print(n, flush=True)
"""


def test_of_two_writers_with_one_version_one_wins(registry: Registry) -> None:
    make(registry)
    rounds, writers = 6, 4
    for n in range(1, rounds + 1):
        results: dict[str, str] = {}
        gate = threading.Barrier(writers)

        def work(
            who: str, n: int = n, gate: threading.Barrier = gate, results: dict[str, str] = results
        ) -> None:
            gate.wait()
            try:
                registry.act(
                    lambda tx: cards.revise(tx, "churn", content=text(n, model_owner=who), expected=n),
                    who=who,
                    seconds=60,
                )
                results[who] = "won"
            except DriftlineError as error:
                results[who] = f"{error.code} {error.message}"

        threads = [threading.Thread(target=work, args=(f"w{k}",)) for k in range(writers)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        winners = [who for who, told in results.items() if told == "won"]
        assert len(winners) == 1
        for told in results.values():
            assert told == "won" or (told.startswith("E-CARD-CONFLICT") and f"by {winners[0]} at" in told)
    with registry.read() as tx:
        assert cards.get(tx, "churn").version == rounds + 1
    assert breaks(registry) == []


def test_an_approval_races_an_edit_and_is_of_the_text_that_was_seen(registry: Registry) -> None:
    make(registry)
    for n in range(2, 10):
        with registry.write("ann") as tx:
            seen = cards.set_status(tx, "churn", "PendingReview")
        told: list[str] = []

        def approve(card: cards.Card = seen, told: list[str] = told) -> None:
            def act(tx: Tx) -> None:
                cards.set_status(tx, "churn", "Approved", content_hash=card.content_hash)

            try:
                registry.act(act, who="bob", seconds=60)
            except DriftlineError as error:
                told.append(error.code)

        def edit(n: int = n) -> None:
            registry.act(lambda tx: cards.revise(tx, "churn", content=text(n)), who="ann", seconds=60)

        both = [threading.Thread(target=approve), threading.Thread(target=edit)]
        random.Random(n).shuffle(both)
        for thread in both:
            thread.start()
        for thread in both:
            thread.join()
        with registry.read() as tx:
            approved = cards.versions(tx, "churn", status="Approved")
            assert cards.get(tx, "churn").status == "Draft"
        if told:
            assert told == ["E-CARD-HASH"]
            assert seen.version not in [v.version for v in approved]
        else:
            assert approved[-1].content_hash == seen.content_hash
    assert breaks(registry) == []


def test_a_killed_writer_leaves_all_of_a_change_or_nothing(registry: Registry, url: str) -> None:
    make(registry)
    rng = random.Random(3)
    for n in range(4):
        program = [sys.executable, "-c", _PROGRAM, url, registry.root, f"k{n}"]
        with subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as writer:
            assert writer.stdin is not None
            assert writer.stdout is not None
            assert writer.stdout.readline() == "ready\n"
            writer.stdin.write("\n")
            writer.stdin.flush()
            heard = [writer.stdout.readline() for _ in range(rng.randint(1, 8))][-1].strip()
            os.kill(writer.pid, signal.SIGKILL)
            writer.wait(60)
        with registry.write("after") as tx:
            card, newest = cards.get(tx, "churn"), cards.version(tx, "churn")
        # The text and the tags are of one change, and what was answered is there.
        assert card.tags["n"] == newest.content["x"]
        assert int(card.tags["n"].split()[1]) >= int(heard)
    assert breaks(registry) == []
    assert fsck(registry) == []


def test_what_cannot_be_recorded_is_not_done(registry: Registry) -> None:
    make(registry)
    with registry.write("mallory") as tx:
        # The number of the next entry of the audit log is taken.
        tx.execute(
            sa.text(
                "INSERT INTO audit (seq, moment, who, action, subject, reason, previous, hash) "
                "VALUES (2, 0, '', '', '', '', '', '')"
            )
        )
    with pytest.raises(sa.exc.IntegrityError), registry.write("ann") as tx:
        cards.revise(tx, "churn", content=text(2))
    with registry.read() as tx:
        assert cards.get(tx, "churn").version == 1
        assert len(cards.records(tx, "churn")) == 1
        assert not audit_check.check(tx).is_whole
