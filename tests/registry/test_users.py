"""Users and the tokens of programs."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from driftline.errors import UsageError
from driftline.registry import audit, users
from driftline.registry.database import RegistryError
from driftline.registry.store import Tx
from driftline.registry.tables import metadata, tokens

if TYPE_CHECKING:
    from driftline.registry.store import Registry


def test_creating_again_changes_and_records_nothing(registry: Registry) -> None:
    with registry.write("root") as tx:
        made = users.create(
            tx, "ann@example.com", roles=["viewer", "admin"], full_name="Ann Å", email="a@b.c"
        )
        assert made.roles == ("admin", "viewer")
        assert (
            users.create(tx, made.name, roles=["admin", "viewer"], full_name="Ann Å", email="a@b.c") == made
        )
        with pytest.raises(RegistryError, match="E-USER-EXISTS"):
            users.create(tx, made.name, roles=["risk"])
        assert users.set_roles(tx, made.name, ["risk"])
        assert not users.set_roles(tx, made.name, ["risk", "risk"])
        assert users.disable(tx, made.name)
        assert not users.disable(tx, made.name)
        assert users.list_users(tx) == []
        with pytest.raises(RegistryError, match=r"E-USER-EXISTS.*disabled"):
            users.create(tx, made.name, roles=["risk"])
        assert users.enable(tx, made.name)
        assert [u.roles for u in users.list_users(tx)] == [("risk",)]
        told = [e.action for e in audit.entries(tx)]
    assert told == ["user.created", "user.roles_changed", "user.disabled", "user.enabled"]


@pytest.mark.parametrize(
    "name",
    ["", "a\0b", "\ud800", "x" * 10_240, "a'; DROP TABLE users; --", "a/b", "driftline", "-a", " a", 3],
)
def test_bad_names_have_one_answer_on_both_engines(registry: Registry, name: Any) -> None:
    with registry.write("root") as tx:
        for action in (users.create, users.get, users.disable, users.create_token):
            with pytest.raises(UsageError, match="E-NAME"):
                action(tx, name)


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"roles": ["root"]}, "E-ROLE"),
        ({"roles": "root"}, "E-ROLE"),
        ({"roles": [None]}, "E-ROLE"),
        ({"full_name": "\0"}, "E-TEXT"),
        ({"email": "x" * 10_240}, "E-TEXT"),
    ],
)
def test_bad_users_are_refused(registry: Registry, said: dict[str, Any], code: str) -> None:
    with registry.write("root") as tx, pytest.raises(UsageError, match=code):
        users.create(tx, "ann", **said)


def test_a_token_is_what_was_shown(registry: Registry) -> None:
    with registry.write("root") as tx:
        users.create(tx, "ann", roles=["engineer"])
        token, text = users.create_token(tx, "ann", label="CI", scopes=["read", "capture:write"])
        assert text.startswith(f"dl_{token.id}_")
    with registry.read() as tx:
        assert users.check_token(tx, text) == token
        assert token.scopes == ("capture:write", "read")
        last = "0" if text[-1] != "0" else "1"
        for wrong in (
            text[:-1] + last,
            text[:-1],
            text + "0",
            text + "\n",
            text.upper(),
            text.replace(token.id, "0" * 26),
            text.replace("dl_", "dx_"),
            "",
            "dl__",
            "a\0b",
            "\ud800",
            "x" * 10_240,
            f"dl_{token.id}_{'0' * 64}",
            f"dl_{'0' * 26}_{'0' * 64}",
            None,
            b"x",
        ):
            assert users.check_token(tx, wrong) is None


def test_a_token_ends(registry: Registry) -> None:
    with registry.write("root") as tx:
        users.create(tx, "ann")
        token, text = users.create_token(tx, "ann", expires=tx.now + 1_000_000)
        assert users.check_token(tx, text) == token
        later = Tx(tx.database, tx.connection, "root", "")
        later.now = tx.now + 1_000_000
        assert users.check_token(later, text) is None
        other, kept = users.create_token(tx, "ann")
        assert users.revoke(tx, other.id)
        assert not users.revoke(tx, other.id)
        assert users.check_token(tx, kept) is None
        users.disable(tx, "ann")
        assert users.check_token(tx, text) is None
        with pytest.raises(RegistryError, match="E-USER-DISABLED"):
            users.create_token(tx, "ann")
        users.enable(tx, "ann")
        assert users.check_token(tx, text) == token
        assert [t.id for t in users.list_tokens(tx, "ann")] == sorted([token.id, other.id])
        assert [e.action for e in audit.entries(tx)].count("user.token_revoked") == 1


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"scopes": ["Everything!"]}, "E-SCOPE"),
        ({"scopes": ["a\0"]}, "E-SCOPE"),
        ({"label": "\ud800"}, "E-TEXT"),
        ({"expires": 0}, "E-EXPIRES"),
        ({"expires": 10**30}, "E-MOMENT"),
    ],
)
def test_bad_tokens_are_refused(registry: Registry, said: dict[str, Any], code: str) -> None:
    with registry.write("root") as tx:
        users.create(tx, "ann")
        with pytest.raises(UsageError, match=code):
            users.create_token(tx, "ann", **said)
        assert users.list_tokens(tx) == []


def test_an_unknown_token_is_not_shown(registry: Registry) -> None:
    with registry.write("root") as tx:
        users.create(tx, "ann")
        _, text = users.create_token(tx, "ann")
        for wrong in (text[:40], "dl_" + "0" * 26):
            with pytest.raises(RegistryError, match="E-NO-TOKEN") as caught:
                users.revoke(tx, wrong)
            assert wrong not in str(caught.value)


def test_use_is_noted_once_a_minute(registry: Registry) -> None:
    with registry.write("root") as tx:
        users.create(tx, "ann")
        token, text = users.create_token(tx, "ann")
        assert users.mark_used(tx, token)
        again = users.check_token(tx, text)
        assert again is not None
        assert again.used == tx.now
        assert not users.mark_used(tx, again)


def test_the_secret_is_nowhere(registry: Registry) -> None:
    with registry.write("root", "for CI") as tx:
        users.create(tx, "ann")
        token, text = users.create_token(tx, "ann", label="CI", scopes=["read"])
        users.check_token(tx, text)
        users.mark_used(tx, token)
        users.revoke(tx, token.id)
    secret = text.rpartition("_")[2]
    kept = hashlib.sha256(secret.encode()).hexdigest()
    found = []
    with registry.read() as tx:
        for table in metadata.sorted_tables:
            for row in tx.execute(sa.text(f"SELECT * FROM {table.name}")):
                words = str(tuple(row))
                assert secret not in words
                if kept in words:
                    found.append(table.name)
        assert tx.one(sa.select(tokens.c.secret)).secret == kept
    assert found == ["tokens"]
    assert secret not in repr(token)
