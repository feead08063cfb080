"""Receivers that behave and receivers that do not, on the loopback interface."""

from __future__ import annotations

import contextlib
import datetime as dt
import ipaddress
import json
import socket
import ssl
import subprocess
import threading
import urllib.request
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from driftline.monitor.notify.guard import Guard
from driftline.monitor.notify.message import Event

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

LOOPBACK = ("127.0.0.0/8", "::1")
ALERTMANAGER = "/usr/bin/prometheus-alertmanager"


@dataclass
class Request:
    head: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Receiver:
    """A plain socket that takes requests and hands each connection to a function."""

    behave: Callable[[socket.socket, threading.Event], None]
    host: str = "127.0.0.1"
    context: ssl.SSLContext | None = None
    reads: bool = True
    requests: list[Request] = field(default_factory=list)
    hits: int = 0

    def __post_init__(self) -> None:
        self.stop = threading.Event()
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        self._listener = socket.create_server((self.host, 0), family=family)
        self.port = self._listener.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}/hook"

    def _accept(self) -> None:
        while True:
            connection, _ = self._listener.accept()
            if self.stop.is_set():
                connection.close()
                return
            self.hits += 1
            thread = threading.Thread(target=self._serve, args=(connection,))
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        # Senders hang up on those who misbehave, which is what is tested.
        with contextlib.suppress(OSError), connection:
            connection.settimeout(10)
            sock = connection
            if self.context is not None:
                sock = self.context.wrap_socket(connection, server_side=True)
            with sock:
                if self.reads:
                    self.requests.append(read_request(sock))
                self.behave(sock, self.stop)

    def close(self) -> None:
        self.stop.set()
        with contextlib.suppress(OSError):
            socket.create_connection((self.host, self.port), timeout=5).close()
        for thread in self._threads:
            thread.join(10)
        self._listener.close()


def read_request(sock: socket.socket) -> Request:
    data = b""
    while b"\r\n\r\n" not in data:
        piece = sock.recv(65536)
        if not piece:
            raise OSError("hung up")
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    while len(body) < int(headers.get("content-length", 0)):
        body += sock.recv(65536)
    return Request(first, headers, body)


def answers(status: int = 200, body: bytes = b"ok", **headers: str) -> Callable[..., None]:
    """Return a behaviour: one answer."""
    lines = [f"HTTP/1.1 {status} Whatever", f"Content-Length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    data = "\r\n".join([*lines, "", ""]).encode() + body

    def behave(sock: socket.socket, stop: threading.Event) -> None:
        sock.sendall(data)

    return behave


@pytest.fixture(name="answers")
def _answers() -> Callable[..., Callable[..., None]]:
    return answers


@pytest.fixture
def receiver() -> Iterator[Callable[..., Receiver]]:
    """Start receivers; without arguments, one that takes everything."""
    started: list[Receiver] = []

    def start(behave: Callable[..., None] | None = None, **options: Any) -> Receiver:
        started.append(Receiver(behave or answers(), **options))
        return started[-1]

    yield start
    for one in started:
        one.close()


@pytest.fixture
def guard() -> Callable[..., Guard]:
    """Make a guard that may speak to this machine, and is impatient."""

    def make(**options: Any) -> Guard:
        return Guard(
            **{"allow_private": LOOPBACK, "allow_http": True, "connect_seconds": 2, "total_seconds": 5}
            | options
        )

    return make


@pytest.fixture
def event() -> Callable[..., Event]:
    """Make an event of an alert."""

    def make(name: str = "alert.opened", **data: Any) -> Event:
        return Event(
            id="01JDB6Y5T8M4Z3Q7K2W9X1V0NC",
            type=f"io.driftline.{name}.v1",
            source="/workspaces/churn",
            subject="alerts/01JDB6Y5T8M4Z3Q7K2W9X1V0AA",
            time_us=1_795_417_200_000_000,
            data={
                "severity": "warning",
                "state": "open",
                "schedule": "churn-hourly",
                "model": "churn",
                **data,
            },
        )

    return make


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], tuple[ssl.SSLContext, str]]:
    """Return a server's context for a host name, and the file of the authority that vouches for it."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    folder = tmp_path_factory.mktemp("certificates")
    since = dt.datetime.now(dt.UTC) - dt.timedelta(days=1)
    until = since + dt.timedelta(days=30)

    def certificate(name: str, issuer: str, key: Any, signer: Any, extensions: list[tuple[Any, bool]]) -> Any:
        names = [x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)]) for text in (name, issuer)]
        builder = x509.CertificateBuilder(names[1], names[0], key.public_key(), x509.random_serial_number())
        builder = builder.not_valid_before(since).not_valid_after(until)
        identifiers = [
            (x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False),
            (x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), False),
        ]
        for extension, critical in [*extensions, *identifiers]:
            builder = builder.add_extension(extension, critical)
        return builder.sign(signer, hashes.SHA256())

    root_key = ec.generate_private_key(ec.SECP256R1())
    usage = x509.KeyUsage(True, False, False, False, False, True, True, False, False)
    root = certificate(
        "root",
        "root",
        root_key,
        root_key,
        [(x509.BasicConstraints(ca=True, path_length=None), True), (usage, True)],
    )
    ca_file = folder / "ca.pem"
    ca_file.write_bytes(root.public_bytes(serialization.Encoding.PEM))

    def make(host: str) -> tuple[ssl.SSLContext, str]:
        key = ec.generate_private_key(ec.SECP256R1())
        try:
            name: x509.GeneralName = x509.IPAddress(ipaddress.ip_address(host))
        except ValueError:
            name = x509.DNSName(host)
        cert = certificate(host, "root", key, root_key, [(x509.SubjectAlternativeName([name]), False)])
        file = folder / f"{host}.pem"
        file.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
            + cert.public_bytes(serialization.Encoding.PEM)
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        return context, str(ca_file)

    return make


@dataclass(frozen=True)
class Alertmanager:
    """A real Alertmanager."""

    url: str

    def alerts(self) -> list[dict[str, Any]]:
        with urllib.request.urlopen(f"{self.url}/api/v2/alerts", timeout=10) as answer:
            found: list[dict[str, Any]] = json.load(answer)
        return found


@pytest.fixture(scope="session")
def alertmanager(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Alertmanager]:
    """Debian's prometheus-alertmanager, on the loopback interface, with a folder of its own."""
    folder: Path = tmp_path_factory.mktemp("alertmanager")
    (folder / "config.yml").write_text("route: {receiver: nobody}\nreceivers: [{name: nobody}]\n")
    process = subprocess.Popen(
        [
            ALERTMANAGER,
            f"--config.file={folder}/config.yml",
            f"--storage.path={folder}/data",
            "--web.listen-address=127.0.0.1:0",
            "--cluster.listen-address=",
            "--log.format=json",
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    lines = map(json.loads, process.stderr)
    address = next(line["address"] for line in lines if line.get("msg") == "Listening on")
    # A full pipe would stop it.
    drain = threading.Thread(target=process.stderr.read)
    drain.start()
    yield Alertmanager(f"http://{address}")
    process.terminate()
    process.wait(20)
    drain.join(20)
    process.stderr.close()
