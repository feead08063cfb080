"""The one client through which driftline speaks to addresses that others chose.

A name is looked up once, every address behind it is checked, and the connection goes to an address that was: an answer
that changes between two look-ups changes nothing. Redirects are not followed, proxies of the environment not asked,
compressed answers not unpacked, and everything has an end.
"""

from __future__ import annotations

import ipaddress
import queue
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, Literal

from driftline.errors import InputError, UsageError
from driftline.monitor.notify.address import Allowed, Destination, read_url, refusal
from driftline.monitor.notify.error import SendError
from driftline.monitor.notify.exchange import Answer, Deadline, exchange

__all__ = ["PRIVATE_NETWORKS", "Answer", "Guard", "Resolver"]

Resolver = Callable[[str, int], Sequence[str]]
"""Takes host and port, returns addresses as text; raises OSError where there are none."""

PRIVATE_NETWORKS: Final = (
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "::1/128",
    "fc00::/7",
)
"""For who opens the whole private network, this machine included, at once."""

MAX_ADDRESSES: Final = 16


def system_resolver(host: str, port: int) -> list[str]:
    """Ask the system, once, for the addresses of a host."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class Guard:
    """Sends requests to public addresses, and to those an administrator opened.

    Parameters
    ----------
    allow_private : iterable of str, optional
        Addresses, networks (``10.2.0.0/16``) and host names that are open besides public ones. The metadata services of
        clouds never are.
    allow_http : bool, default False
        Allow URLs without encryption.
    connect_seconds : float, default 3
        Until the connection stands: look-up, connection and TLS together.
    total_seconds : float, default 10
        Until everything is over.
    body_cap : int, default 65536
        Bytes of an answer that are read.
    resolver : callable, optional
        Looks names up; the system's, where it is left out.
    ca_file : str, optional
        Certificates (PEM) to trust instead of the system's. The variable ``SSL_CERT_FILE`` is heeded, too.

    Raises
    ------
    UsageError
        ``E-URL``: an entry of `allow_private` is none of these.
    InputError
        ``E-FILE``: `ca_file` cannot be read.
    """

    def __init__(
        self,
        allow_private: Iterable[str] = (),
        allow_http: bool = False,
        connect_seconds: float = 3,
        total_seconds: float = 10,
        body_cap: int = 65536,
        resolver: Resolver | None = None,
        *,
        ca_file: str | None = None,
    ) -> None:
        self.allowed = Allowed(allow_private)
        self.allow_http = allow_http
        self.connect_seconds = connect_seconds
        self.total_seconds = total_seconds
        self.body_cap = body_cap
        self._resolver = resolver or system_resolver
        try:
            self._context = ssl.create_default_context(cafile=ca_file)
        except OSError as error:
            reason = error.strerror or "holds no certificates"
            raise InputError(f"cannot be used: {reason}", code="E-FILE", file=ca_file) from None

    def check(self, url: str) -> None:
        """Refuse a URL that must never be used, without looking its name up: for the moment it is saved.

        Raises
        ------
        UsageError
            ``E-URL``: another scheme than https (or http where it is allowed), a user or password, a fragment, port 0,
            no host, a host of odd spelling, this machine, an address that is not public and not allowed. What a name
            means is found out, and judged, every time something is sent.
        """
        self._read(url)

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """POST `body` and return the answer, whatever its status.

        Parameters
        ----------
        url : str
        body : bytes
        headers : mapping of str to str
            Besides Host, User-Agent, Content-Length and the like.

        Returns
        -------
        Answer

        Raises
        ------
        SendError
            If it may not be sent there, or no answer came. After `total_seconds` it is over, however the receiver
            behaves.
        """
        return self._ask(url, "POST", body, headers)

    def get(self, url: str, headers: Mapping[str, str] | None = None) -> Answer:
        """GET what a URL names, and return the answer, whatever its status; as :meth:`post` otherwise."""
        return self._ask(url, "GET", b"", headers or {})

    def _ask(
        self, url: str, method: Literal["GET", "POST"], body: bytes, headers: Mapping[str, str]
    ) -> Answer:
        started = time.monotonic()
        connect, total = Deadline(self.connect_seconds), Deadline(self.total_seconds)
        try:
            destination = self._read(url)
        except UsageError as error:
            raise SendError("refused", error.message, permanent=True) from None
        status, kept, answer, is_whole = exchange(
            destination,
            self._addresses(destination, connect),
            body,
            headers,
            context=self._context,
            connect=connect,
            total=total,
            body_cap=self.body_cap,
            method=method,
        )
        return Answer(status, kept, answer, time.monotonic() - started, is_whole)

    def _read(self, url: str) -> Destination:
        return read_url(url, self.allowed, allow_http=self.allow_http)

    def _addresses(self, destination: Destination, deadline: Deadline) -> Sequence[str]:
        """Return the addresses of a destination, all of which may be connected to."""
        if destination.literal is not None:
            return [str(destination.literal)]
        host = destination.host
        texts = self._resolve(host, destination.port, deadline)[:MAX_ADDRESSES]
        if not texts:
            raise SendError("resolve", f"{host} has no address")
        named = host in self.allowed.hosts
        for text in texts:
            try:
                address = ipaddress.ip_address(text)
            except ValueError:
                raise SendError("resolve", f"{host} has an address that is none") from None
            # A zone (fe80::1%eth0) is part of an IPv6Address here, and link-local is never public.
            reason = refusal(address, self.allowed, host_is_allowed=named)
            if reason is not None:
                # One is enough to refuse them all: which of them is used is for the one who answers to choose.
                raise SendError("refused", f"{host} leads to {address}, which is {reason}")
        return texts

    def _resolve(self, host: str, port: int, deadline: Deadline) -> Sequence[str]:
        # The system's look-up takes no timeout, and up to half a minute: it is left behind in a thread of its own.
        answers: queue.SimpleQueue[Sequence[str] | OSError] = queue.SimpleQueue()

        def look_up() -> None:
            try:
                answers.put(self._resolver(host, port))
            except (OSError, UnicodeError) as error:
                answers.put(error if isinstance(error, OSError) else OSError(str(error)))

        threading.Thread(target=look_up, name="driftline-resolver", daemon=True).start()
        try:
            found = answers.get(timeout=deadline.left())
        except (queue.Empty, TimeoutError):
            raise SendError("resolve", f"the look-up of {host} took too long") from None
        if isinstance(found, OSError):
            raise SendError("resolve", f"{host} cannot be looked up: {found.strerror or found}")
        return found
