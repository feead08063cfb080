"""Signed requests, as Standard Webhooks describes them: who sent this, that it is unchanged, and that it is not old.

The signature is HMAC-SHA256 over ``id.timestamp.body``. The id is the event's and stays over retries, so a receiver can
drop what it has seen; the timestamp is that of the attempt.

References
----------
Standard Webhooks, "Signature scheme" and "Symmetric signatures".
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
import secrets as random_bytes
from typing import TYPE_CHECKING, Final

from driftline.errors import InputError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["ID", "SIGNATURE", "TIMESTAMP", "new_secret", "sign", "verify"]

ID: Final = "webhook-id"
TIMESTAMP: Final = "webhook-timestamp"
SIGNATURE: Final = "webhook-signature"

PREFIX: Final = "whsec_"
LEAST_BYTES: Final = 24
MOST_BYTES: Final = 64
MOST_SIGNATURES: Final = 32


def new_secret() -> str:
    """Return a new secret of 32 random bytes, ``whsec_`` and base64."""
    return PREFIX + base64.b64encode(random_bytes.token_bytes(32)).decode("ascii")


def sign(body: bytes, *, event_id: str, timestamp: int, secrets: Sequence[str]) -> dict[str, str]:
    """Return the headers that prove a body.

    Parameters
    ----------
    body : bytes
    event_id : str
        The same over retries; without dots.
    timestamp : int
        Seconds since 1970-01-01 UTC, now.
    secrets : sequence of str
        ``whsec_<base64>``, of 24 to 64 bytes. While keys are changed there are several, and a signature of each.

    Returns
    -------
    dict of str to str
        ``webhook-id``, ``webhook-timestamp`` and ``webhook-signature``.

    Raises
    ------
    UsageError
        ``E-SECRET``: there is no secret, or one is malformed. The secret is not shown.

    Examples
    --------
    >>> headers = sign(
    ...     b'{"test": 2432232314}',
    ...     event_id="msg_p5jXN8AQM9LWM0D4loKWxJek",
    ...     timestamp=1614265330,
    ...     secrets=["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],
    ... )
    >>> headers["webhook-signature"]
    'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE='
    """
    if not secrets:
        raise _bad_secret("there is no secret to sign with")
    if "." in event_id:
        raise UsageError("the id of an event holds a dot", code="E-EVENT", field="id")
    marks = [_mark(_key(secret), event_id, str(timestamp), body) for secret in secrets]
    return {
        ID: event_id,
        TIMESTAMP: str(timestamp),
        SIGNATURE: " ".join("v1," + base64.b64encode(mark).decode("ascii") for mark in marks),
    }


def verify(
    headers: Mapping[str, str],
    body: bytes,
    secrets: Sequence[str],
    now: float,
    tolerance_seconds: float = 300,
) -> str:
    """Check that a request comes from who has the secret, is unchanged, and is not old.

    Parameters
    ----------
    headers : mapping of str to str
        Of the request; the case of their names does not matter.
    body : bytes
        As it arrived.
    secrets : sequence of str
        Any of them will do.
    now : float
        Seconds since 1970-01-01 UTC.
    tolerance_seconds : float, default 300
        How far the clocks may be apart, either way.

    Returns
    -------
    str
        Id of the event. A receiver that has seen it drops the request: within the tolerance it could be a replay.

    Raises
    ------
    InputError
        ``E-SIGNATURE``.
    UsageError
        ``E-SECRET``: a secret is malformed.
    """
    found = {name.lower(): value for name, value in headers.items()}
    event_id, stamp, signature = (found.get(name, "") for name in (ID, TIMESTAMP, SIGNATURE))
    if not (event_id and stamp and signature):
        raise _forged("a header is missing")
    if not re.fullmatch(r"[0-9]{1,12}", stamp):
        raise _forged("the timestamp is no number")
    if not abs(now - int(stamp)) <= tolerance_seconds:
        raise _forged("the timestamp is too far from now")
    expected = [_mark(_key(secret), event_id, stamp, body) for secret in secrets]
    matched = False
    for part in signature.split(" ")[:MOST_SIGNATURES]:
        version, _, text = part.partition(",")
        if version != "v1":
            continue
        try:
            given = base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            continue
        for mark in expected:
            matched |= hmac.compare_digest(mark, given)
    if not matched:
        raise _forged("no signature matches")
    return event_id


def _mark(key: bytes, event_id: str, stamp: str, body: bytes) -> bytes:
    head = f"{event_id}.{stamp}.".encode("utf-8", "surrogateescape")
    return hmac.new(key, head + body, hashlib.sha256).digest()


def _key(secret: str) -> bytes:
    if not secret.startswith(PREFIX):
        raise _bad_secret(f"the secret does not begin with {PREFIX}")
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        raise _bad_secret("the secret is no base64") from None
    if not LEAST_BYTES <= len(key) <= MOST_BYTES:
        raise _bad_secret(f"the secret has {len(key)} bytes, not {LEAST_BYTES} to {MOST_BYTES}")
    return key


def _bad_secret(message: str) -> UsageError:
    return UsageError(
        message, code="E-SECRET", fix="make one with driftline.monitor.notify.signature.new_secret()"
    )


def _forged(message: str) -> InputError:
    return InputError(message, code="E-SIGNATURE", fix="drop the request")
