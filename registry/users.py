"""Users, their roles, and the tokens with which programs act for them.

A token is shown once, when it is made. What is kept is SHA-256 of its secret part: 256 random bits need no slow hash.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from driftline.errors import UsageError, printable
from driftline.registry import models
from driftline.registry.database import RegistryError
from driftline.registry.given import check_moment, check_page, check_words, missing
from driftline.registry.ids import new_id
from driftline.registry.store import SYSTEM
from driftline.registry.tables import tokens, users

if TYPE_CHECKING:
    from collections.abc import Iterable

    from driftline.registry.store import Tx

__all__ = [
    "ROLES",
    "Token",
    "User",
    "check_token",
    "create",
    "create_token",
    "disable",
    "enable",
    "find",
    "get",
    "list_tokens",
    "list_users",
    "mark_used",
    "revoke",
    "set_roles",
]

ROLES: Final = {
    "admin": "IT admin",
    "risk": "model risk manager",
    "engineer": "ML engineer",
    "scientist": "data scientist",
    "auditor": "auditor",
    "viewer": "business viewer",
}
"""Short names of the roles, and what people call them."""

_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._@+-]{0,126}[A-Za-z0-9])?")
_SCOPE = re.compile(r"[a-z][a-z0-9:._*-]{0,62}")
_TOKEN = re.compile(r"dl_([0-9A-HJKMNP-TV-Z]{26})_([0-9a-f]{64})")

MARK_EVERY = 60_000_000
"""Microseconds between two notes that a token was used."""


@dataclass(frozen=True, slots=True)
class User:
    """Somebody who may do something.

    Attributes
    ----------
    name : str
    full_name, email : str or None
    roles : tuple of str
        Of :data:`ROLES`, sorted.
    created, modified : int
    disabled : int or None
        When; None while they may act.
    """

    name: str
    full_name: str | None
    email: str | None
    roles: tuple[str, ...]
    created: int
    modified: int
    disabled: int | None


@dataclass(frozen=True, slots=True)
class Token:
    """What a program shows instead of a password; not its secret.

    Attributes
    ----------
    id, user : str
    label : str or None
        What it is for.
    scopes : tuple of str
        What it may be used for, sorted; nothing more than its user may do.
    created : int
    expires, revoked, used : int or None
        When it ends, was taken back, and was last used (to a minute).
    """

    id: str
    user: str
    label: str | None
    scopes: tuple[str, ...]
    created: int
    expires: int | None
    revoked: int | None
    used: int | None


def _user(row: Any) -> User:
    return User(row.name, row.full_name, row.email, tuple(row.roles), row.created, row.modified, row.disabled)


def _token(row: Any) -> Token:
    return Token(
        row.id, row.user, row.label, tuple(row.scopes), row.created, row.expires, row.revoked, row.used
    )


def _check_name(name: object) -> str:
    if isinstance(name, str) and len(name) <= 128 and _NAME.fullmatch(name) and name != SYSTEM:
        return name
    raise UsageError(
        f"{printable(repr(name), 80)} is no name for a user",
        code="E-NAME",
        fix=f"use up to 128 letters, digits, '-', '_', '.', '+' and '@'; {SYSTEM!r} is taken",
    )


def _check_roles(roles: Iterable[str]) -> list[str]:
    given = [roles] if isinstance(roles, str) else list(roles)
    for role in given:
        if role not in ROLES:
            raise UsageError(
                f"{printable(repr(role), 60)} is no role",
                code="E-ROLE",
                field="roles",
                fix="use " + ", ".join(ROLES),
            )
    return sorted(set(given))


def find(tx: Tx, name: str) -> User | None:
    """Return a user, disabled ones too, or None."""
    row = tx.one(sa.select(users).where(users.c.name == _check_name(name)))
    return None if row is None else _user(row)


def get(tx: Tx, name: str) -> User:
    """Return a user, disabled ones too.

    Raises
    ------
    RegistryError
        ``E-NO-USER``.
    """
    found = find(tx, name)
    if found is None:
        raise missing(tx, "user", name, users.c.name)
    return found


def create(
    tx: Tx, name: str, *, roles: Iterable[str] = (), full_name: str | None = None, email: str | None = None
) -> User:
    """Create a user.

    Parameters
    ----------
    name : str
    roles : iterable of str
        Of :data:`ROLES`.
    full_name, email : str, optional

    Returns
    -------
    User
        As it is; creating the same again changes nothing.

    Raises
    ------
    UsageError
        ``E-NAME``, ``E-ROLE``, ``E-TEXT``.
    RegistryError
        ``E-USER-EXISTS``: there is one, and it is another.
    """
    before = find(tx, name)
    values: dict[str, Any] = {
        "roles": _check_roles(roles),
        "full_name": None if full_name is None else check_words("full_name", full_name, most=256),
        "email": None if email is None else check_words("email", email, most=256),
    }
    if before is not None:
        if before.disabled is None and not models.changes(before, values)[1]:
            return before
        raise RegistryError(
            f"there is a user {name!r} already{' (disabled)' if before.disabled is not None else ''}",
            code="E-USER-EXISTS",
            fix="change the roles, or enable the user",
        )
    tx.insert(users, name=name, **values, created=tx.now, modified=tx.now)
    tx.record("user.created", f"users/{name}", after=values, data={"user": name, "roles": values["roles"]})
    return get(tx, name)


def set_roles(tx: Tx, name: str, roles: Iterable[str]) -> bool:
    """Give a user these roles and no others; False where that is so.

    Raises
    ------
    UsageError
        ``E-NAME``, ``E-ROLE``.
    RegistryError
        ``E-NO-USER``.
    """
    before = get(tx, name)
    wanted = _check_roles(roles)
    if list(before.roles) == wanted:
        return False
    tx.execute(sa.update(users).where(users.c.name == name).values(roles=wanted, modified=tx.now))
    tx.record(
        "user.roles_changed",
        f"users/{name}",
        before={"roles": list(before.roles)},
        after={"roles": wanted},
        data={"user": name, "roles": wanted},
    )
    return True


def disable(tx: Tx, name: str) -> bool:
    """Let a user act no more, nor any of their tokens; False where that is so.

    Raises
    ------
    RegistryError
        ``E-NO-USER``.
    """
    return _switch(tx, name, tx.now)


def enable(tx: Tx, name: str) -> bool:
    """Let a disabled user act again; False where they may. Their tokens count again too.

    Raises
    ------
    RegistryError
        ``E-NO-USER``.
    """
    return _switch(tx, name, None)


def _switch(tx: Tx, name: str, disabled: int | None) -> bool:
    if (get(tx, name).disabled is None) == (disabled is None):
        return False
    tx.execute(sa.update(users).where(users.c.name == name).values(disabled=disabled, modified=tx.now))
    action = "user.enabled" if disabled is None else "user.disabled"
    tx.record(action, f"users/{name}", data={"user": name})
    return True


def list_users(tx: Tx, *, after: str | None = None, limit: int = 100, disabled: bool = False) -> list[User]:
    """Return users by name; those that are disabled too where asked for."""
    query = sa.select(users).order_by(users.c.name).limit(check_page(limit))
    if not disabled:
        query = query.where(users.c.disabled.is_(None))
    if after is not None:
        query = query.where(users.c.name > check_words("after", after))
    return [_user(row) for row in tx.execute(query)]


# --- tokens ---------------------------------------------------------------------------------------------------------


def create_token(
    tx: Tx,
    user: str,
    *,
    label: str | None = None,
    scopes: Iterable[str] = (),
    expires: int | None = None,
) -> tuple[Token, str]:
    """Make a token for a user.

    Parameters
    ----------
    user : str
    label : str, optional
        What it is for.
    scopes : iterable of str
        What it may be used for, such as ``capture:write``.
    expires : int, optional
        When it ends, microseconds since 1970-01-01 UTC.

    Returns
    -------
    token : Token
    secret : str
        ``dl_<id>_<secret>``: to be shown once; it cannot be had again.

    Raises
    ------
    RegistryError
        ``E-NO-USER``, ``E-USER-DISABLED``.
    UsageError
        ``E-SCOPE``, ``E-TEXT``, ``E-MOMENT``; ``E-EXPIRES``: it would have ended already.
    """
    if get(tx, user).disabled is not None:
        raise RegistryError(
            f"the user {user!r} is disabled", code="E-USER-DISABLED", fix="enable the user first"
        )
    given = sorted({scopes} if isinstance(scopes, str) else set(scopes))
    for scope in given:
        if not _SCOPE.fullmatch(scope):
            raise UsageError(
                f"{printable(repr(scope), 60)} is no scope",
                code="E-SCOPE",
                field="scopes",
                fix="write capture:write",
            )
    if expires is not None and check_moment("expires", expires) <= tx.now:
        raise UsageError(
            "the token would have ended already", code="E-EXPIRES", field="expires", fix="give a time to come"
        )
    if label is not None:
        check_words("label", label, most=256)
    name, secret = new_id(tx.now), secrets.token_hex(32)
    tx.insert(
        tokens,
        id=name,
        user=user,
        label=label,
        secret=_kept(secret),
        scopes=given,
        created=tx.now,
        expires=expires,
    )
    told = {"token": name, "label": label, "scopes": given, "expires": expires}
    tx.record("user.token_created", f"users/{user}", after=told, data={"user": user, "token": name})
    return Token(name, user, label, tuple(given), tx.now, expires, None, None), f"dl_{name}_{secret}"


def _kept(secret: str) -> str:
    return hashlib.sha256(secret.encode("ascii")).hexdigest()


_NOBODY = "0" * 64


def check_token(tx: Tx, text: object) -> Token | None:
    """Return the token that a text is; None where it is none, has ended, was revoked, or its user is disabled.

    Notes
    -----
    The secret is compared in constant time, and so for an id that is not there.
    """
    found = _TOKEN.fullmatch(text) if isinstance(text, str) and len(text) < 128 else None
    if found is None:
        return None
    row = tx.one(
        sa.select(tokens, users.c.disabled.label("disabled"))
        .join_from(tokens, users)
        .where(tokens.c.id == found[1])
    )
    right = hmac.compare_digest(_kept(found[2]), _NOBODY if row is None else row.secret)
    if not right or row is None or row.revoked is not None or row.disabled is not None:
        return None
    if row.expires is not None and row.expires <= tx.now:
        return None
    return _token(row)


def mark_used(tx: Tx, token: Token) -> bool:
    """Note that a token was used, once a minute at most; not in the audit log."""
    if token.used is not None and tx.now - token.used < MARK_EVERY:
        return False
    return bool(tx.execute(sa.update(tokens).where(tokens.c.id == token.id).values(used=tx.now)).rowcount)


def revoke(tx: Tx, token: str) -> bool:
    """Take a token back for ever; False where it was.

    Raises
    ------
    RegistryError
        ``E-NO-TOKEN``.
    """
    row = tx.one(sa.select(tokens).where(tokens.c.id == check_words("token", token, most=64)))
    if row is None:
        # Somebody may have given the whole of it: it is not shown.
        raise RegistryError(
            "there is no such token", code="E-NO-TOKEN", fix="give its id, as the list shows it"
        )
    if row.revoked is not None:
        return False
    tx.execute(sa.update(tokens).where(tokens.c.id == token).values(revoked=tx.now))
    tx.record(
        "user.token_revoked",
        f"users/{row.user}",
        before={"token": row.id, "label": row.label},
        data={"user": row.user, "token": row.id},
    )
    return True


def list_tokens(
    tx: Tx, user: str | None = None, *, after: str | None = None, limit: int = 100
) -> list[Token]:
    """Return tokens, of one user or of all, the oldest first; revoked ones too."""
    query = sa.select(tokens).order_by(tokens.c.id).limit(check_page(limit))
    if user is not None:
        query = query.where(tokens.c.user == get(tx, user).name)
    if after is not None:
        query = query.where(tokens.c.id > check_words("after", after, most=64))
    return [_token(row) for row in tx.execute(query)]
