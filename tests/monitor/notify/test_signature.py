"""Signatures are those of Standard Webhooks, and nothing forged is accepted."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.errors import InputError, UsageError
from driftline.monitor.notify.signature import new_secret, sign, verify

# From the examples of the specification and the tests of its libraries.
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
ID = "msg_p5jXN8AQM9LWM0D4loKWxJek"
BODY = b'{"test": 2432232314}'
NOW = 1614265330
HEADERS = {
    "webhook-id": ID,
    "webhook-timestamp": str(NOW),
    "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
}
OTHER = "whsec_" + base64.b64encode(b"o" * 24).decode()


def test_the_signature_of_the_specification() -> None:
    assert sign(BODY, event_id=ID, timestamp=NOW, secrets=[SECRET]) == HEADERS
    assert verify(HEADERS, BODY, [SECRET], NOW) == ID


@given(st.binary(max_size=200), st.from_regex(r"[A-Za-z0-9_-]{1,40}", fullmatch=True), st.integers(0, 10**10))
def test_what_is_signed_verifies(body: bytes, event_id: str, timestamp: int) -> None:
    headers = sign(body, event_id=event_id, timestamp=timestamp, secrets=[SECRET])
    assert verify(headers, body, [SECRET], timestamp) == event_id
    with pytest.raises(InputError):
        verify(headers, body + b" ", [SECRET], timestamp)
    with pytest.raises(InputError):
        verify(headers, body, [OTHER], timestamp)


@pytest.mark.parametrize(
    ("old", "new"), [([SECRET], [SECRET, OTHER]), ([SECRET, OTHER], [OTHER]), ([SECRET, OTHER], [SECRET])]
)
def test_keys_can_be_changed(old: list[str], new: list[str]) -> None:
    # Whoever is first, sender or receiver, one of them has both for a while.
    for signing, verifying in ((old, new), (new, old)):
        headers = sign(BODY, event_id=ID, timestamp=NOW, secrets=signing)
        assert headers["webhook-signature"].count("v1,") == len(signing)
        assert verify(headers, BODY, verifying, NOW) == ID


@pytest.mark.parametrize("apart", [-300, -1, 0, 1, 300])
def test_clocks_may_be_apart(apart: int) -> None:
    assert verify(HEADERS, BODY, [SECRET], NOW + apart) == ID


@pytest.mark.parametrize(
    "change",
    [
        {"webhook-id": "msg_other"},
        {"webhook-id": ""},
        {"webhook-timestamp": str(NOW + 1)},
        {"webhook-timestamp": "hello"},
        {"webhook-timestamp": "nan"},
        {"webhook-timestamp": f"{NOW}.0"},
        {"webhook-timestamp": f"-{NOW}"},
        {"webhook-timestamp": "9" * 30},
        {"webhook-timestamp": "١٦١٤٢٦٥٣٣٠"},
        {"webhook-signature": ""},
        {"webhook-signature": "v1,"},
        {"webhook-signature": "v1"},
        {"webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OA="},
        {"webhook-signature": HEADERS["webhook-signature"].replace("v1", "v2")},
        {"webhook-signature": HEADERS["webhook-signature"].replace("v1", "v1a")},
        {"webhook-signature": "v1,é"},
        {"webhook-signature": "x " * 100 + HEADERS["webhook-signature"]},
    ],
)
def test_forged_headers_are_refused(change: dict[str, str]) -> None:
    with pytest.raises(InputError, match="E-SIGNATURE"):
        verify(HEADERS | change, BODY, [SECRET], NOW)


@pytest.mark.parametrize("missing", HEADERS)
def test_missing_headers_are_refused(missing: str) -> None:
    with pytest.raises(InputError, match="a header is missing"):
        verify({k: v for k, v in HEADERS.items() if k != missing}, BODY, [SECRET], NOW)


@pytest.mark.parametrize("now", [NOW - 301, NOW + 301, float("nan"), float("inf")])
def test_replays_are_refused(now: float) -> None:
    with pytest.raises(InputError, match="too far from now"):
        verify(HEADERS, BODY, [SECRET], now)


def test_a_good_signature_among_bad_ones_is_found() -> None:
    mixed = f"v1,AAAA v2,BBBB {HEADERS['webhook-signature']} nonsense"
    assert (
        verify(
            {k.upper(): v for k, v in (HEADERS | {"webhook-signature": mixed}).items()}, BODY, [SECRET], NOW
        )
        == ID
    )


def test_without_keys_nothing_verifies() -> None:
    with pytest.raises(InputError, match="no signature matches"):
        verify(HEADERS, BODY, [], NOW)


@pytest.mark.parametrize(
    "secret",
    [
        "",
        "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "whsec_",
        "whsec_not base64!",
        "whsec_c2hvcnQ=",
        "whsec_" + base64.b64encode(b"x" * 23).decode(),
        "whsec_" + base64.b64encode(b"x" * 65).decode(),
    ],
)
def test_a_malformed_secret_is_refused_and_not_shown(secret: str) -> None:
    with pytest.raises(UsageError) as found:
        sign(BODY, event_id=ID, timestamp=NOW, secrets=[secret])
    assert found.value.code == "E-SECRET"
    assert not secret or secret == "whsec_" or secret not in str(found.value)


def test_nothing_is_signed_without_a_key_or_with_a_dot_in_the_id() -> None:
    options: list[dict[str, Any]] = [
        {"secrets": [], "event_id": ID},
        {"secrets": [SECRET], "event_id": "a.1"},
    ]
    for option in options:
        with pytest.raises(UsageError):
            sign(BODY, timestamp=NOW, **option)


def test_new_secrets_are_new_and_good() -> None:
    secrets = {new_secret() for _ in range(100)}
    assert len(secrets) == 100
    for secret in secrets:
        sign(BODY, event_id=ID, timestamp=NOW, secrets=[secret])
