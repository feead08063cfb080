"""Addresses within addresses are judged themselves."""

from __future__ import annotations

import ipaddress

import pytest

from driftline.errors import UsageError
from driftline.monitor.notify.address import Allowed, read_url, refusal

NOBODY = Allowed(())
EVERYBODY = Allowed(["0.0.0.0/0", "::/0"])


@pytest.mark.parametrize(
    ("address", "is_public"),
    [
        ("8.8.8.8", True),
        ("10.0.0.1", False),
        ("2606:4700::1111", True),
        ("::ffff:8.8.8.8", True),
        ("::ffff:10.0.0.1", False),
        ("64:ff9b::808:808", True),
        ("64:ff9b::a00:1", False),
        ("2002:808:808::1", True),
        ("2002:a00:1::1", False),
        ("4000::1", False),
    ],
)
def test_what_is_public(address: str, is_public: bool) -> None:
    found = refusal(ipaddress.ip_address(address), NOBODY)
    assert found == (None if is_public else "not a public address")


@pytest.mark.parametrize(
    "address",
    ["169.254.169.254", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::1", "fd00:ec2::254"],
)
def test_metadata_are_closed_to_everybody(address: str) -> None:
    for allowed, named in ((NOBODY, False), (EVERYBODY, False), (NOBODY, True)):
        found = refusal(ipaddress.ip_address(address), allowed, host_is_allowed=named)
        assert found == "the metadata service of a cloud"


def test_what_is_allowed_is_allowed_inside_too() -> None:
    allowed = Allowed(["10.0.0.0/8"])
    for address in ("10.0.0.1", "::ffff:10.0.0.1", "64:ff9b::a00:1"):
        assert refusal(ipaddress.ip_address(address), allowed) is None


@pytest.mark.parametrize(
    ("url", "header", "target"),
    [
        ("https://Example.COM", "example.com", "/"),
        ("https://example.com:443/a?b", "example.com", "/a?b"),
        ("https://example.com:8443?b", "example.com:8443", "/?b"),
        ("http://example.com:443", "example.com:443", "/"),
        ("https://[2606:4700:0:0::1111]:8443/", "[2606:4700::1111]:8443", "/"),
    ],
)
def test_what_is_read(url: str, header: str, target: str) -> None:
    found = read_url(url, NOBODY, allow_http=True)
    assert (found.host_header, found.target) == (header, target)


def test_what_is_secret_in_a_url_is_not_shown() -> None:
    found = read_url("https://example.com/services/planted?planted", NOBODY, allow_http=False)
    assert repr(found) == str(found) == "<Destination https://example.com/…>"
    for url in (
        "https://planted@example.com/",
        "https://example.com/planted#",
        "https://127.1/planted",
        "x://planted",
    ):
        with pytest.raises(UsageError) as refused:
            read_url(url, NOBODY, allow_http=False)
        assert "planted" not in str(refused.value)
