"""Targets: who is told what."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping  # noqa: TC003  dataclasses read them
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from driftline.capture.event import check_name
from driftline.errors import UsageError, printable
from driftline.monitor.notify import alertmanager, chat, line, webhook
from driftline.monitor.notify.error import SendError
from driftline.monitor.notify.message import SEVERITIES
from driftline.monitor.notify.secret import mask, origin, parts_of_url, read_secret
from driftline.registry import outbox

if TYPE_CHECKING:
    from driftline.monitor.notify.guard import Guard
    from driftline.monitor.notify.message import Event

__all__ = ["KINDS", "Sender", "Target", "sender"]

KINDS: Final = ("webhook", "alertmanager", "apprise", "log", "heartbeat")

HEARTBEAT_EVENTS: Final = ("scheduler.heartbeat",)

MAX_MESSAGE: Final = 300

_GLOB = re.compile(r"[a-z0-9_.*?\[\]!-]{1,128}")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")


@dataclass(frozen=True, slots=True, repr=False)
class Target:
    """Somebody who is told.

    Attributes
    ----------
    name : str
    kind : str
        ``webhook``: CloudEvents, signed. ``alertmanager``: Prometheus Alertmanager. ``apprise``: chats, mail, pagers.
        ``log``: a line in the log. ``heartbeat``: a webhook for signs of life, which need no signature.
    url, url_env, url_file : str or None
        Where to; one of them, and none for ``log``. The addresses of many services are secrets: name a variable of the
        environment or a file that holds it. ``apprise`` takes nothing else.
    secret_env, secret_file : str or None
        A variable and a file with keys, ``whsec_<base64>``, one or several between white space: while keys are changed,
        requests bear a signature of each. A ``webhook`` needs one; what ``alertmanager`` is given is its bearer token.
    events : tuple of str
        Patterns of events, such as ``alert.*`` or ``schedule.failed``. Without any: alerts opened, escalated and
        resolved, and monitors that stopped reporting and came back; for ``heartbeat``, ``scheduler.heartbeat``.
    severity : str
        The least, of events that have one.
    models, endpoints : tuple of str
        Only events of these names, or patterns of names, of those that name one; of all, where there are none.

    Raises
    ------
    UsageError
        ``E-TARGET``: a field makes no sense; ``E-NAME``: the name.
    """

    name: str
    kind: str
    url: str | None = None
    url_env: str | None = None
    url_file: str | None = None
    secret_env: str | None = None
    secret_file: str | None = None
    events: tuple[str, ...] = ()
    severity: str = "warning"
    models: tuple[str, ...] = ()
    endpoints: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_name("a target", self.name)
        self._one_of("kind", KINDS)
        self._one_of("severity", SEVERITIES)
        given_events: object = self.events
        if isinstance(given_events, str):
            raise self._refused("events", "is a list of patterns", "write it as ['alert.*']")
        events = tuple(self.events) or (
            HEARTBEAT_EVENTS if self.kind == "heartbeat" else outbox.DEFAULT_EVENTS
        )
        for pattern in events:
            if not _GLOB.fullmatch(pattern):
                raise self._refused(
                    "events", f"{printable(repr(pattern), 80)} is no pattern", "write 'alert.*'"
                )
        object.__setattr__(self, "events", events)
        for field in ("url_env", "secret_env"):
            value = getattr(self, field)
            if value is not None and not _VARIABLE.fullmatch(value):
                # It is not shown: somebody may have put the secret itself here.
                raise self._refused(field, "is no name of a variable of the environment", "name the variable")
        given = [field for field in ("url", "url_env", "url_file") if getattr(self, field) is not None]
        if self.kind == "log":
            if given or self._has_secret:
                raise self._refused("kind", "a log needs no address and no secret", "leave them out")
            return
        if len(given) != 1:
            raise self._refused("url", "there must be one address", "give one of url, url_env and url_file")
        if self.kind == "apprise" and self.url is not None:
            raise self._refused("url", "the address of a chat is a secret", "use url_env or url_file")
        if self.kind == "apprise" and self._has_secret:
            raise self._refused("secret_env", "a chat has its secrets in its address", "leave it out")
        if self.kind == "webhook" and not self._has_secret:
            raise self._refused("secret_env", "a webhook is signed", "give secret_env or secret_file")

    @property
    def _has_secret(self) -> bool:
        return self.secret_env is not None or self.secret_file is not None

    def _one_of(self, field: str, known: tuple[str, ...]) -> None:
        value = getattr(self, field)
        if value not in known:
            raise self._refused(
                field, f"{printable(repr(value), 80)} is unknown", f"use one of {', '.join(known)}"
            )

    def _refused(self, field: str, message: str, fix: str) -> UsageError:
        return UsageError(f"target {self.name}: {message}", code="E-TARGET", field=field, fix=fix)

    def __repr__(self) -> str:
        if self.kind == "log":
            where = "log"
        elif self.url is not None:
            where = origin(self.url)
        else:
            where = f"${self.url_env}" if self.url_env else printable(self.url_file)
        return f"<Target {self.name}: {self.kind} {where}, {' '.join(self.events)}, {self.severity} or worse>"

    def matches(self, event: Event) -> bool:
        """Tell whether this target is told of an event: by the outbox's rule, which is the only one."""
        config = {name: getattr(self, name) for name in ("events", "severity", "models", "endpoints")}
        return outbox.is_wanted(
            config, outbox.Event(event.id, event.type, event.subject, event.time_us, event.data)
        )

    def address(self, environ: Mapping[str, str] | None = None) -> str:
        """Return the URL.

        Raises
        ------
        SendError
            ``secret``: the variable or the file is missing or empty.
        """
        return self.url if self.url is not None else read_secret(self.url_env, self.url_file, environ)

    def secrets(self, environ: Mapping[str, str] | None = None) -> list[str]:
        """Return the keys, none where the target has none.

        Raises
        ------
        SendError
            ``secret``: the variable or the file is missing or empty.
        """
        return read_secret(self.secret_env, self.secret_file, environ).split()

    def check(self, guard: Guard, environ: Mapping[str, str] | None = None) -> None:
        """Refuse what could never be sent: for the moment a configuration is applied.

        A variable or a file that is missing is no reason, since they may be on another machine.

        Raises
        ------
        UsageError
            ``E-URL``: the address is one that the guard refuses. ``E-EXTRA``: apprise is not installed.
        """
        if self.kind == "apprise":
            chat.need()
        elif self.kind != "log":
            try:
                url = self.address(environ)
            except SendError:
                return
            try:
                guard.check(url)
            except UsageError as error:
                raise UsageError(
                    f"target {self.name}: {error.message}", code=error.code, field="url", fix=error.fix
                ) from None


class Sender(Protocol):
    """Sends events to one target."""

    def send(self, event: Event) -> None:
        """Send an event, once.

        Raises
        ------
        SendError
            If it did not arrive, or nobody can say.
        """


@dataclass(frozen=True, slots=True, repr=False)
class _Sender:
    target: Target
    guard: Guard
    environ: Mapping[str, str] | None
    clock: Callable[[], float]

    def __repr__(self) -> str:
        return f"<Sender to {self.target!r}>"

    def send(self, event: Event) -> None:
        hidden: set[str] = set()
        try:
            self._send(event, hidden)
        except SendError as error:
            # A receiver may repeat what it was sent. Masked before it is cut: half a secret is too much.
            message = printable(f"target {self.target.name}: {mask(error.message, hidden)}", MAX_MESSAGE)
            raise SendError(error.kind, message, error.retry_after, error.permanent) from None

    def _send(self, event: Event, hidden: set[str]) -> None:
        target = self.target
        if target.kind == "log":
            line.deliver(event)
            return
        # Read anew each time: changed secrets count at once.
        url = target.address(self.environ)
        hidden |= parts_of_url(url, with_host=target.kind == "apprise")
        if target.kind == "apprise":
            chat.deliver(event, url, self.guard.total_seconds)
            return
        secrets = target.secrets(self.environ)
        hidden |= set(secrets) | {secret.removeprefix("whsec_") for secret in secrets}
        host, now = origin(url), self.clock()
        if target.kind == "alertmanager":
            alertmanager.deliver(event, url, host, secrets[0] if secrets else None, self.guard, now)
        else:
            webhook.deliver(event, url, host, secrets, self.guard, now)


def sender(
    target: Target,
    guard: Guard,
    *,
    environ: Mapping[str, str] | None = None,
    clock: Callable[[], float] = time.time,
) -> Sender:
    """Return what sends events to a target.

    Parameters
    ----------
    target : Target
    guard : Guard
    environ : mapping of str to str, optional
        The environment; that of the process, where it is left out.
    clock : callable, optional
        Returns seconds since 1970-01-01 UTC.

    Raises
    ------
    UsageError
        ``E-EXTRA``: the target needs apprise, which is not installed.
    """
    if target.kind == "apprise":
        chat.need()
    return _Sender(target, guard, environ, clock)
