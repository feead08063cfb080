"""Where a URL leads, read in one way only, and which addresses are open to it.

Parsers differ in what they make of odd URLs, and a guard that reads one host while the connection takes another is no
guard. So there is one reader, it refuses whatever two programs could read differently, and what it returns is what the
connection is made from.
"""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from driftline.errors import UsageError, printable

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Allowed", "Destination", "read_url", "refusal"]

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

MAX_URL: Final = 2048
PORTS: Final = {"http": 80, "https": 443}

METADATA: Final = frozenset(
    ipaddress.ip_address(text)
    for text in (
        "169.254.169.254",  # AWS, Azure, Google, Oracle, DigitalOcean
        "169.254.170.2",  # AWS: credentials of a container
        "169.254.170.23",  # AWS: credentials of a pod
        "fd00:ec2::254",  # AWS
        "fd00:ec2::23",
        "fd20:ce::254",  # Google
        "100.100.100.200",  # Alibaba
        "192.0.0.192",  # Oracle, at first
        "168.63.129.16",  # Azure's wire server, which has a public address
    )
)
"""Where clouds give credentials to whoever asks; no list opens them."""

METADATA_NAMES: Final = frozenset(
    {"metadata", "metadata.google.internal", "metadata.goog", "instance-data", "instance-data.ec2.internal"}
)
LOOPBACK_NAMES: Final = frozenset(
    {"localhost", "localhost.localdomain", "localhost6", "localhost6.localdomain6"}
    | {"ip6-localhost", "ip6-loopback"}
)

_VISIBLE = re.compile(r"[!-~]+")
_URL = re.compile(
    r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?P<authority>[^/?#]*)(?P<target>[^#]*)(?P<fragment>#.*)?"
)
_AUTHORITY = re.compile(r"(?P<host>\[[^\]]*\]|[^:]*)(?::(?P<port>.*))?")
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")

_LOOPBACK = ipaddress.ip_address("127.0.0.1")
_UNICAST6 = ipaddress.IPv6Network("2000::/3")
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_COMPATIBLE = ipaddress.IPv6Network("::/96")


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a URL leads.

    Attributes
    ----------
    scheme : str
        ``"http"`` or ``"https"``.
    host : str
        In lower case; of an IPv6 address without brackets.
    port : int
    target : str
        Path and query, as they are sent. Often a secret, and so not shown.
    literal : IPv4Address or IPv6Address or None
        The address, where the host is one.
    """

    scheme: str
    host: str
    port: int
    target: str
    literal: Address | None

    @property
    def host_header(self) -> str:
        """What stands behind ``Host:``."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"

    def __repr__(self) -> str:
        return f"<Destination {self.scheme}://{self.host_header}/…>"

    __str__ = __repr__


class Allowed:
    """What an administrator opens besides public addresses.

    Parameters
    ----------
    entries : iterable of str
        Addresses, networks such as ``10.2.0.0/16``, and host names.

    Raises
    ------
    UsageError
        ``E-URL``: an entry is none of these.
    """

    __slots__ = ("hosts", "networks")

    def __init__(self, entries: Iterable[str]) -> None:
        networks: list[Network] = []
        hosts: set[str] = set()
        for entry in entries:
            try:
                networks.append(ipaddress.ip_network(entry))
            except ValueError:
                if "/" in entry or not _is_name(entry.lower()):
                    raise _refused(
                        f"{printable(repr(entry), 80)} is no address, no network and no host name",
                        "write it as 10.2.0.0/16 or alertmanager.example.com",
                        field="allow_private",
                    ) from None
                hosts.add(entry.lower())
        self.networks = tuple(networks)
        self.hosts = frozenset(hosts)

    def has(self, address: Address) -> bool:
        """Tell whether a network holds the address."""
        return any(address in network for network in self.networks)


def read_url(url: str, allowed: Allowed, *, allow_http: bool) -> Destination:
    """Read a URL, and refuse what must not be asked whatever its name means at the moment.

    Raises
    ------
    UsageError
        ``E-URL``. The message shows the host at most.
    """
    if len(url) > MAX_URL or not _VISIBLE.fullmatch(url) or "\\" in url:
        raise _refused(
            f"a URL is 1 to {MAX_URL:,} visible ASCII characters without backslash",
            "write host names as xn--…, and other characters as %xx",
        )
    found = _URL.fullmatch(url)
    if found is None or found["scheme"].lower() not in PORTS:
        raise _refused("this is no https URL", "begin it with https://")
    scheme = found["scheme"].lower()
    if scheme == "http" and not allow_http:
        raise _refused("http is not encrypted, and is not allowed here", "use https, or allow http")
    if "@" in found["authority"]:
        raise _refused("the URL holds a user name or a password", "leave out what is before '@'")
    if found["fragment"] is not None:
        raise _refused("the URL has a fragment, which is never sent", "leave out '#' and what is behind it")
    parts = _AUTHORITY.fullmatch(found["authority"])
    if parts is None:
        raise _refused("what is behind '://' is no host")
    port = PORTS[scheme]
    if parts["port"] is not None:
        if not re.fullmatch(r"[1-9][0-9]{0,4}", parts["port"]) or int(parts["port"]) > 65535:
            raise _refused("the port is not one of 1 to 65535")
        port = int(parts["port"])
    literal, host = _read_host(parts["host"].lower())
    target = found["target"]
    if not target.startswith("/"):
        target = "/" + target
    if literal is not None:
        reason = refusal(literal, allowed)
        if reason is not None:
            fix = None if literal in METADATA else "use a public address, or have it allowed"
            raise _refused(f"{host} is {reason}", fix)
    _check_name(host, allowed)
    return Destination(scheme, host, port, target, literal)


def _read_host(host: str) -> tuple[Address | None, str]:
    if not host:
        raise _refused("the URL has no host")
    if host.startswith("["):
        return _read_ipv6(host[1:-1])
    if host.endswith("."):
        raise _refused("the host ends with a dot", "leave it out")
    if _NUMBER.fullmatch(host.rpartition(".")[2]):
        # Whatever ends in a number is an address to some programs: 127.1, 0x7f000001, 2130706433, 0177.0.0.1.
        try:
            address = ipaddress.IPv4Address(host)
        except ValueError:
            raise _refused(
                f"{printable(host, 80)} is an odd spelling of an address", "write four decimal numbers"
            ) from None
        return address, str(address)
    if not _is_name(host):
        raise _refused(
            f"{printable(repr(host), 80)} is no host name",
            "use letters, digits, '-' and '.', in labels up to 63",
        )
    return None, host


def _read_ipv6(text: str) -> tuple[Address, str]:
    if "%" in text:
        raise _refused("the address has a zone", "leave out '%' and what is behind it")
    try:
        address = ipaddress.IPv6Address(text)
    except ValueError:
        raise _refused(f"[{printable(text, 80)}] is no IPv6 address") from None
    if address.ipv4_mapped is not None or (address in _COMPATIBLE and int(address) > 1):
        raise _refused(f"[{address}] is an IPv4 address in disguise", "write four decimal numbers")
    return address, str(address)


def _is_name(host: str) -> bool:
    labels = host.split(".")
    return (
        len(host) <= 253 and all(map(_LABEL.fullmatch, labels)) and not any(map(_is_disguise, labels))
    ) and not _NUMBER.fullmatch(labels[-1])


def _is_disguise(label: str) -> bool:
    """Tell whether an ACE label is broken, or is a spelling of plain letters and digits."""
    if not label.startswith("xn--"):
        return False
    try:
        text = label[4:].encode("ascii").decode("punycode")
    except (UnicodeError, ValueError):
        return True
    return not text or unicodedata.normalize("NFKC", text).isascii()


def _check_name(host: str, allowed: Allowed) -> None:
    if host in METADATA_NAMES:
        raise _refused(f"{host} is the metadata service of a cloud")
    is_loopback = host in LOOPBACK_NAMES or host.endswith(".localhost")
    if is_loopback and host not in allowed.hosts and not allowed.has(_LOOPBACK):
        raise _refused(f"{host} is this machine", "use a public host, or have it allowed")


def refusal(address: Address, allowed: Allowed, *, host_is_allowed: bool = False) -> str | None:
    """Say why an address may not be connected to.

    Parameters
    ----------
    address : IPv4Address or IPv6Address
    allowed : Allowed
    host_is_allowed : bool, default False
        The administrator named the host, wherever it leads.

    Returns
    -------
    str or None
        None where it may.

    Notes
    -----
    Public is what IANA's registries call globally reachable (:attr:`ipaddress.IPv4Address.is_global`), and no
    multicast; of IPv6 only 2000::/3, from which alone addresses are given out. IPv4 addresses inside of IPv6 ones
    (mapped, NAT64, 6to4) are judged themselves.
    """
    if address in METADATA:
        return "the metadata service of a cloud"
    inner: ipaddress.IPv4Address | None = None
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if address in _NAT64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
        if inner is not None and inner in METADATA:
            return "the metadata service of a cloud"
    if host_is_allowed or allowed.has(address):
        return None
    if inner is not None:
        return refusal(inner, allowed)
    if not address.is_global or address.is_multicast:
        return "not a public address"
    if isinstance(address, ipaddress.IPv6Address) and address not in _UNICAST6:
        return "not a public address"
    return None


def _refused(message: str, fix: str | None = None, *, field: str = "url") -> UsageError:
    return UsageError(message, code="E-URL", field=field, fix=fix)
