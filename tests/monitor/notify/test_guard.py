"""The guard goes where it may, to the address it checked, and comes back in time."""

from __future__ import annotations

import gzip
import re
import socket
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from driftline.errors import InputError, UsageError
from driftline.monitor.notify.error import SendError
from driftline.monitor.notify.guard import PRIVATE_NETWORKS, Guard

if TYPE_CHECKING:
    from collections.abc import Callable

    from driftline.monitor.notify.exchange import Answer

Make = Any

# Every one of them is 127.0.0.1, or something else that is nobody's business, to some program.
SPELLINGS = [
    "https://127.0.0.1:{port}/",
    "https://127.1:{port}/",
    "https://127.0.1:{port}/",
    "https://2130706433:{port}/",
    "https://0x7f000001:{port}/",
    "https://0x7F.0.0.1:{port}/",
    "https://0x7f.1:{port}/",
    "https://0177.0.0.1:{port}/",
    "https://017700000001:{port}/",
    "https://127.0.0.01:{port}/",
    "https://127.0.0.1.:{port}/",
    "https://127.0.0.0x1:{port}/",
    "https://0.0.0.0:{port}/",
    "https://0:{port}/",
    "https://[::1]:{port}/",
    "https://[0:0:0:0:0:0:0:1]:{port}/",
    "https://[::]:{port}/",
    "https://[::ffff:127.0.0.1]:{port}/",
    "https://[::ffff:7f00:1]:{port}/",
    "https://[::127.0.0.1]:{port}/",
    "https://[64:ff9b::127.0.0.1]:{port}/",
    "https://[2002:7f00:1::]:{port}/",
    "https://[fe80::1%25lo]:{port}/",
    "https://[::1%lo]:{port}/",
    "https://[fc00::1]:{port}/",
    "https://[::1:{port}/",
    "https://localhost:{port}/",
    "https://LOCALHOST:{port}/",
    "https://localhost.:{port}/",
    "https://foo.localhost:{port}/",
    "https://localhost.localdomain:{port}/",
    "https://ip6-localhost:{port}/",
    "https://①②⑦.⓪.⓪.①:{port}/",
    "https://１２７.0.0.1:{port}/",
    "https://127。0。0。1:{port}/",
    "https://xn--:{port}/",
    "https://xn--127-.0.0.1:{port}/",
    "https://xn--localhost-:{port}/",
    "https://%31%32%37.0.0.1:{port}/",
    "https://127.0.0.1%00.example.com:{port}/",
    "https://10.1.2.3:{port}/",
    "https://172.16.0.1:{port}/",
    "https://192.168.1.1:{port}/",
    "https://100.64.0.1:{port}/",
    "https://224.0.0.1:{port}/",
    "https://255.255.255.255:{port}/",
    "https://169.254.169.254/latest/meta-data/",
    "https://[fd00:ec2::254]/latest/meta-data/",
    "https://168.63.129.16/machine",
    "https://metadata.google.internal/",
    "https://METADATA/",
    "https://user@127.0.0.1:{port}/",
    "https://user:word@example.com/",
    "https://example.com@127.0.0.1:{port}/",
    "https://example.com:{port}@127.0.0.1/",
    "https://example.com\\@127.0.0.1:{port}/",
    "https://127.0.0.1:{port}\\.example.com/",
    "https://example.com:0/",
    "https://example.com:65536/",
    "https://example.com:-1/",
    "https://example.com:/",
    "https://example.com:80:{port}/",
    "https://example.com:４４３/",
    "https://:{port}/",
    "https:///127.0.0.1:{port}/",
    "https://",
    "https:127.0.0.1:{port}/",
    "//127.0.0.1:{port}/",
    "https://exa mple.com/",
    "https://example.com/\r\nHost: 127.0.0.1",
    "https://example.com/\t",
    "\thttps://example.com/",
    "https://example..com/",
    "https://.example.com/",
    "https://-example.com/",
    "https://exa_mple-.com/",
    "https://example.com/#@127.0.0.1/",
    "https://" + "a" * 64 + ".com/",
    "https://" + "a." * 127 + "com/",
    "https://example.com/" + "a" * 2048,
    "file:///etc/passwd",
    "gopher://127.0.0.1:{port}/",
    "ftp://example.com/",
    "http://example.com/",
    "HTTP://example.com/",
    "javascript:alert(1)",
    "",
]


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_what_is_refused_when_it_is_saved_is_refused_when_it_is_sent(
    spelling: str, receiver: Callable[..., Any]
) -> None:
    canary = receiver()
    url = spelling.replace("{port}", str(canary.port))
    guard = Guard(resolver=lambda host, port: ["127.0.0.1"])
    with pytest.raises(UsageError) as saved:
        guard.check(url)
    assert saved.value.code == "E-URL"
    with pytest.raises(SendError) as sent:
        guard.post(url, b"{}", {})
    assert (sent.value.kind, sent.value.permanent) == ("refused", True)
    assert canary.hits == 0


def test_many_spellings_are_tried() -> None:
    assert len(set(SPELLINGS)) >= 19


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com",
        "https://example.com/hook",
        "HTTPS://Hooks.Example.COM:8443/services/a%20b?c=d&e=f@g",
        "https://93.184.216.34/",
        "https://[2606:2800:220:1:248:1893:25c8:1946]:443/",
        "https://xn--mnchen-3ya.example/",
        "https://a_b.example?x",
        "https://127.0.0.1.nip.io/",
    ],
)
def test_what_is_well_formed_is_saved(url: str) -> None:
    Guard().check(url)


@pytest.mark.parametrize(
    ("url", "allow"),
    [
        ("http://127.0.0.1:9093", ["127.0.0.1"]),
        ("http://localhost:9093", ["127.0.0.0/8"]),
        ("http://localhost:9093", ["localhost"]),
        ("http://10.2.3.4", ["10.2.0.0/16"]),
        ("http://[fd12::1]", ["fd12::/16"]),
    ],
)
def test_what_an_administrator_opens_is_open(url: str, allow: list[str]) -> None:
    Guard(allow, allow_http=True).check(url)
    with pytest.raises(UsageError, match="E-URL"):
        Guard(allow_http=True).check(url)


@pytest.mark.parametrize(
    "url", ["http://169.254.169.254/", "http://[fd00:ec2::254]/", "http://metadata.google.internal/"]
)
def test_nothing_opens_the_metadata_of_a_cloud(url: str) -> None:
    everything = ["0.0.0.0/0", "::/0", "metadata.google.internal"]
    with pytest.raises(UsageError, match="metadata service"):
        Guard(everything, allow_http=True).check(url)
    guard = Guard([*everything, "host.example"], resolver=lambda host, port: ["169.254.169.254"])
    with pytest.raises(SendError, match="metadata service"):
        guard.post("https://host.example/", b"", {})


def test_the_whole_private_network_can_be_opened_at_once() -> None:
    guard = Guard(PRIVATE_NETWORKS, allow_http=True)
    for host in ("10.1.2.3", "172.31.0.1", "192.168.1.1", "127.0.0.1", "localhost", "[::1]", "[fd12::1]"):
        guard.check(f"http://{host}:9093/")
    for host in (
        "169.254.1.1",
        "169.254.169.254",
        "0.0.0.0",
        "224.0.0.1",
        "[fe80::1]",
        "[fd00:ec2::254]",
        "100.100.100.200",
    ):
        with pytest.raises(UsageError):
            guard.check(f"http://{host}:9093/")


@pytest.mark.parametrize("entry", ["10.2.0.0/33", "10.2.3.4/8", "a b", "", "https://example.com", "0x7f.1"])
def test_an_entry_that_is_nothing_is_refused(entry: str) -> None:
    with pytest.raises(UsageError, match="E-URL: allow_private"):
        Guard([entry])


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "0.0.0.0",
        "10.0.0.1",
        "100.64.0.1",
        "169.254.1.1",
        "192.0.2.1",
        "198.18.0.1",
        "224.0.0.1",
        "239.255.255.250",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::7f00:1",
        "::ffff:10.0.0.1",
        "64:ff9b::a00:1",
        "64:ff9b:1::1",
        "100::1",
        "2001::1",
        "2001:db8::1",
        "2002:a00:1::1",
        "fc00::1",
        "fe80::1%eth0",
        "fec0::1",
        "ff02::1",
        "nonsense",
    ],
)
def test_a_name_that_leads_inside_is_not_followed(address: str) -> None:
    # The public one beside it does not help.
    guard = Guard(resolver=lambda host, port: ["93.184.216.34", address])
    with pytest.raises(SendError) as found:
        guard.post("https://hooks.example.com/secret-path", b"{}", {})
    assert found.value.kind == ("resolve" if address == "nonsense" else "refused")
    assert not found.value.permanent
    assert "secret-path" not in str(found.value)


def test_an_answer_that_changes_between_look_ups_changes_nothing(
    receiver: Callable[..., Any], guard: Callable[..., Guard], monkeypatch: pytest.MonkeyPatch
) -> None:
    good = receiver()
    canary = receiver(host="127.0.0.2")
    turns: list[str] = []

    def resolver(host: str, port: int) -> list[str]:
        turns.append(host)
        return ["127.0.0.1"] if len(turns) == 1 else ["127.0.0.2"]

    asked: list[object] = []
    original = socket.getaddrinfo

    def spy(host: object, *args: Any, **kwargs: Any) -> Any:
        asked.append(host)
        return original(host, *args, **kwargs)  # type: ignore[call-overload]

    monkeypatch.setattr(socket, "getaddrinfo", spy)
    answer = guard(resolver=resolver, allow_private=["127.0.0.1"]).post(
        f"http://rebound.example:{good.port}/x", b"1", {}
    )
    assert answer.status == 200
    assert turns == ["rebound.example"]
    assert set(asked) <= {"127.0.0.1"}
    assert (good.hits, canary.hits) == (1, 0)
    with pytest.raises(SendError, match=r"leads to 127\.0\.0\.2, which is not a public address"):
        guard(resolver=resolver, allow_private=["127.0.0.1"]).post(
            f"http://rebound.example:{canary.port}/x", b"1", {}
        )
    assert canary.hits == 0


def test_an_allowed_host_may_lead_inside(receiver: Callable[..., Any]) -> None:
    there = receiver()
    guard = Guard(["inside.example"], allow_http=True, resolver=lambda host, port: ["127.0.0.1"])
    assert guard.post(f"http://inside.example:{there.port}/", b"", {}).status == 200


def test_the_second_address_is_tried_where_the_first_is_dead(
    receiver: Callable[..., Any], guard: Callable[..., Guard]
) -> None:
    there = receiver()
    answer = guard(resolver=lambda host, port: ["127.0.0.9", "127.0.0.1"]).post(
        f"http://two.example:{there.port}/", b"", {}
    )
    assert answer.status == 200


def test_ipv6_is_spoken(receiver: Callable[..., Any], guard: Callable[..., Guard]) -> None:
    there = receiver(host="::1")
    guard().post(f"http://[::1]:{there.port}/", b"", {})
    assert there.requests[0].headers["host"] == f"[::1]:{there.port}"


def test_what_arrives(receiver: Callable[..., Any], guard: Callable[..., Guard], answers: Make) -> None:
    there = receiver(answers(202, b"taken", Retry_After="7", X_Other="y"))
    url = f"http://hooks.example:{there.port}/a/b?c=d"
    answer = guard(resolver=lambda host, port: ["127.0.0.1"]).post(url, b"\x00body", {"X-One": "1"})
    assert (answer.status, answer.body, answer.is_whole) == (202, b"taken", True)
    assert answer.headers == {"content-length": "5", "retry-after": "7"}
    assert 0 < answer.seconds < 5
    request = there.requests[0]
    assert request.head == "POST /a/b?c=d HTTP/1.1"
    assert request.body == b"\x00body"
    assert request.headers == {
        "host": f"hooks.example:{there.port}",
        "user-agent": "driftline",
        "accept-encoding": "identity",
        "connection": "close",
        "content-length": "5",
        "x-one": "1",
    }


@pytest.mark.parametrize(
    "target", ["http://127.0.0.1:{port}/", "/itself", "file:///etc/passwd", "//127.0.0.1:{port}"]
)
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_not_followed(
    receiver: Callable[..., Any], guard: Callable[..., Guard], answers: Make, target: str, status: int
) -> None:
    canary = receiver()
    there = receiver(answers(status, Location=target.replace("{port}", str(canary.port))))
    assert guard().post(there.url, b"", {}).status == status
    assert (there.hits, canary.hits) == (1, 0)


def test_proxies_of_the_environment_are_not_asked(
    receiver: Callable[..., Any], guard: Callable[..., Guard], monkeypatch: pytest.MonkeyPatch
) -> None:
    canary, there = receiver(), receiver()
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{canary.port}")
    monkeypatch.delenv("no_proxy", raising=False)
    assert guard().post(there.url, b"", {}).status == 200
    assert canary.hits == 0


# --- receivers that misbehave ----------------------------------------------------------------------------------------


def drip(text: bytes, rest: bytes = b"x") -> Callable[..., None]:
    """Return a behaviour: some text at once, then a byte every 20 ms, for ever."""

    def behave(sock: socket.socket, stop: threading.Event) -> None:
        sock.sendall(text)
        while not stop.wait(0.02):
            sock.sendall(rest)

    return behave


def flood(text: bytes, rest: bytes) -> Callable[..., None]:
    """Return a behaviour: some text, then the rest as fast as it goes, for ever."""

    def behave(sock: socket.socket, stop: threading.Event) -> None:
        sock.sendall(text)
        while not stop.is_set():
            sock.sendall(rest)

    return behave


def silent(sock: socket.socket, stop: threading.Event) -> None:
    stop.wait(10)


def reset(sock: socket.socket, stop: threading.Event) -> None:
    import struct

    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def reset_later(sock: socket.socket, stop: threading.Event) -> None:
    sock.recv(1)
    reset(sock, stop)


def hang_up(sock: socket.socket, stop: threading.Event) -> None:
    sock.shutdown(socket.SHUT_RDWR)


def timed(guard: Guard, url: str, body: bytes = b"{}") -> tuple[Answer | SendError, float]:
    started = time.monotonic()
    try:
        found: Answer | SendError = guard.post(url, body, {})
    except SendError as error:
        found = error
    return found, time.monotonic() - started


@pytest.mark.parametrize(
    ("behave", "kind"),
    [
        (silent, "timeout"),
        (drip(b""), "timeout"),
        (drip(b"HTTP/1.1 200 OK\r\nX: "), "timeout"),
        (drip(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n"), "timeout"),
        (drip(b"", b"HTTP/1.1 100 Continue\r\n\r\n"), "timeout"),
        (flood(b"HTTP/1.1 200 OK\r\nX: ", b"x" * 65536), "answer"),
        (flood(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n" * 1000), "answer"),
        (flood(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 1000), "answer"),
        (flood(b"", b"\x00" * 65536), "answer"),
        (flood(b"SSH-2.0-OpenSSH_9.2\r\n", b"x"), "answer"),
        (reset, "network"),
        (hang_up, "network"),
    ],
)
def test_a_receiver_without_an_answer_has_an_end(
    receiver: Callable[..., Any], guard: Callable[..., Guard], behave: Callable[..., None], kind: str
) -> None:
    found, seconds = timed(guard(total_seconds=0.3), receiver(behave).url)
    assert isinstance(found, SendError)
    assert (found.kind, found.permanent, found.retry_after) == (kind, False, None)
    assert seconds < 1.5
    if kind == "timeout":
        assert seconds >= 0.3


HEAD = b"HTTP/1.1 200 OK\r\n"


@pytest.mark.parametrize(
    ("behave", "seconds"),
    [
        (drip(HEAD + b"\r\n"), 0.3),
        (drip(HEAD + b"Content-Length: 9\r\n\r\n"), 0.18),
        (drip(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"), 0.3),
        (drip(HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\n", b"X: y\r\n"), 0.3),
        (flood(HEAD + b"\r\n", b"x" * 65536), 0.0),
        (flood(HEAD + b"Content-Length: 10737418240\r\n\r\n", b"x" * 65536), 0.0),
        (flood(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n" * 1000), 0.0),
        (flood(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1;" + b"e" * 60000 + b"\r\nx\r\n"), 0.0),
        (flood(HEAD + b"Transfer-Encoding: chunked\r\n\r\nffffffffffff\r\n", b"x" * 65536), 0.0),
        (flood(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"zz\r\n"), 0.0),
    ],
)
def test_an_answer_without_an_end_is_cut(
    receiver: Callable[..., Any], guard: Callable[..., Guard], behave: Callable[..., None], seconds: float
) -> None:
    found, spent = timed(guard(total_seconds=0.3, body_cap=1000), receiver(behave).url)
    assert not isinstance(found, SendError)
    assert found.status == 200
    assert len(found.body) <= 1000
    assert found.is_whole == (found.body == b"x" * 9)
    assert seconds <= spent < 1.5


def test_the_framing_of_an_answer_has_a_limit_too(
    receiver: Callable[..., Any], guard: Callable[..., Guard]
) -> None:
    behave = flood(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1;" + b"e" * 60000 + b"\r\nx\r\n")
    found = guard(body_cap=1000).post(receiver(behave).url, b"", {})
    assert (len(found.body) <= 2, found.is_whole) == (True, False)


def test_the_limit_of_the_answer_is_exact(
    receiver: Callable[..., Any], guard: Callable[..., Guard], answers: Make
) -> None:
    for size, is_whole in ((999, True), (1000, True), (1001, False)):
        found = guard(body_cap=1000).post(receiver(answers(200, b"x" * size)).url, b"", {})
        assert (len(found.body), found.is_whole) == (min(size, 1000), is_whole)


def test_an_answer_that_breaks_off_is_not_whole(
    receiver: Callable[..., Any], guard: Callable[..., Guard]
) -> None:
    def behave(sock: socket.socket, stop: threading.Event) -> None:
        sock.sendall(HEAD + b"Content-Length: 9\r\n\r\nxxx")

    found = guard().post(receiver(behave).url, b"", {})
    assert (found.status, found.body, found.is_whole) == (200, b"xxx", False)


def test_what_is_compressed_is_not_unpacked(
    receiver: Callable[..., Any], guard: Callable[..., Guard], answers: Make
) -> None:
    bomb = gzip.compress(bytes(10_000_000))
    found = guard().post(receiver(answers(200, bomb, Content_Encoding="gzip")).url, b"", {})
    assert found.body == bomb
    assert found.headers["content-encoding"] == "gzip"


def reads_slowly(sock: socket.socket, stop: threading.Event) -> None:
    while not stop.wait(0.02):
        sock.recv(16384)


@pytest.mark.parametrize("behave", [silent, reads_slowly])
@pytest.mark.parametrize("tls", [False, True])
def test_a_receiver_that_hardly_reads_has_an_end(
    receiver: Callable[..., Any],
    guard: Callable[..., Guard],
    authority: Make,
    tls: bool,
    behave: Callable[..., None],
) -> None:
    context, ca_file = authority("127.0.0.1")
    there = receiver(behave, reads=False, context=context if tls else None)
    url = there.url.replace("http:", "https:") if tls else there.url
    found, seconds = timed(guard(total_seconds=0.4, ca_file=ca_file), url, bytes(50_000_000))
    assert isinstance(found, SendError)
    assert found.kind == "timeout"
    assert seconds < 2


def test_an_answer_before_the_end_of_the_request_is_heard(
    receiver: Callable[..., Any], guard: Callable[..., Guard]
) -> None:
    def behave(sock: socket.socket, stop: threading.Event) -> None:
        # Closed with much unread, so that the sender is told in the middle of it.
        sock.recv(1)
        sock.sendall(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n")

    assert guard().post(receiver(behave, reads=False).url, bytes(20_000_000), {}).status == 413


def test_nobody_there(guard: Callable[..., Guard]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    found, _ = timed(guard(), f"http://127.0.0.1:{port}/secret-path")
    assert isinstance(found, SendError)
    assert found.kind == "connect"
    assert str(found) == f"E-SEND: no connection to 127.0.0.1:{port}: Connection refused"


def test_a_slow_look_up_has_an_end(guard: Callable[..., Guard]) -> None:
    release = threading.Event()

    def resolver(host: str, port: int) -> list[str]:
        release.wait(10)
        return ["127.0.0.1"]

    found, seconds = timed(guard(resolver=resolver, connect_seconds=0.2), "https://slow.example/")
    release.set()
    assert isinstance(found, SendError)
    assert found.kind == "resolve"
    assert seconds < 1.5


@pytest.mark.parametrize("outcome", [socket.gaierror(-2, "Name or service not known"), UnicodeError("x"), []])
def test_a_name_without_an_address(guard: Callable[..., Guard], outcome: Any) -> None:
    def resolver(host: str, port: int) -> list[str]:
        if isinstance(outcome, Exception):
            raise outcome
        return []

    found, _ = timed(guard(resolver=resolver), "https://none.example/")
    assert isinstance(found, SendError)
    assert (found.kind, found.permanent) == ("resolve", False)


# --- TLS -------------------------------------------------------------------------------------------------------------


def test_tls_is_with_the_name_and_not_with_the_address(
    receiver: Callable[..., Any], guard: Callable[..., Guard], authority: Make
) -> None:
    context, ca_file = authority("hooks.example")
    names: list[str | None] = []
    context.sni_callback = lambda sock, name, context: names.append(name)
    there = receiver(context=context)
    url = f"https://hooks.example:{there.port}/"
    resolver = lambda host, port: ["127.0.0.1"]  # noqa: E731
    assert guard(resolver=resolver, ca_file=ca_file, allow_http=False).post(url, b"x", {}).status == 200
    assert names == ["hooks.example"]
    assert there.requests[0].headers["host"] == f"hooks.example:{there.port}"


@pytest.mark.parametrize(("host", "trusted"), [("other.example", True), ("hooks.example", False)])
def test_a_certificate_of_somebody_else_is_not_accepted(
    receiver: Callable[..., Any], guard: Callable[..., Guard], authority: Make, host: str, trusted: bool
) -> None:
    context, ca_file = authority("hooks.example")
    there = receiver(context=context)
    made = guard(resolver=lambda h, p: ["127.0.0.1"], **({"ca_file": ca_file} if trusted else {}))
    found, _ = timed(made, f"https://{host}:{there.port}/")
    assert isinstance(found, SendError)
    assert (found.kind, found.permanent) == ("tls", False)
    assert re.search("is not accepted: ", found.message)
    assert there.requests == []


def test_the_variable_for_certificates_is_heeded(
    receiver: Callable[..., Any],
    guard: Callable[..., Guard],
    authority: Make,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    context, ca_file = authority("hooks.example")
    monkeypatch.setenv("SSL_CERT_FILE", ca_file)
    there = receiver(context=context)
    made = guard(resolver=lambda host, port: ["127.0.0.1"])
    assert made.post(f"https://hooks.example:{there.port}/", b"", {}).status == 200


@pytest.mark.parametrize(
    ("behave", "kind"), [(silent, "timeout"), (drip(b"", b"\x16"), "tls"), (reset_later, "tls")]
)
def test_a_handshake_has_an_end(
    receiver: Callable[..., Any], guard: Callable[..., Guard], behave: Callable[..., None], kind: str
) -> None:
    there = receiver(behave, reads=False)
    found, seconds = timed(guard(connect_seconds=0.3), there.url.replace("http:", "https:"))
    assert isinstance(found, SendError)
    assert found.kind == kind
    assert seconds < 1.5


def test_a_handshake_that_trickles_has_an_end(
    receiver: Callable[..., Any], guard: Callable[..., Guard]
) -> None:
    # A record of 16 KiB is announced, and comes a byte at a time.
    there = receiver(drip(b"\x16\x03\x03\x40\x00", b"\x02"), reads=False)
    found, seconds = timed(guard(connect_seconds=0.3), there.url.replace("http:", "https:"))
    assert isinstance(found, SendError)
    assert found.kind == "timeout"
    assert seconds < 1.5


@pytest.mark.parametrize("text", [None, "no certificate"])
def test_a_file_without_certificates_is_refused(tmp_path: Any, text: str | None) -> None:
    file = tmp_path / "ca.pem"
    if text is not None:
        file.write_text(text)
    with pytest.raises(InputError, match=r"E-FILE: .*ca\.pem: cannot be used"):
        Guard(ca_file=str(file))
