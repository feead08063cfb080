"""Chats, mail and pagers, through apprise: an optional extra.

Apprise speaks to its services itself, so the guard does not cover it. Only administrators name targets, and the address
never stands in a configuration file.
"""

from __future__ import annotations

import contextlib
import importlib
import logging
import warnings
from typing import TYPE_CHECKING, Any, Final

from driftline.errors import UsageError
from driftline.monitor.notify.error import SendError
from driftline.monitor.notify.secret import mask, parts_of_url
from driftline.monitor.notify.text import body, title

if TYPE_CHECKING:
    from collections.abc import Iterator

    from driftline.monitor.notify.message import Event

__all__ = ["deliver", "need"]

LOGGERS: Final = ("apprise", "requests", "urllib3.connectionpool", "urllib3.connection", "urllib3.util.retry")
"""Loggers that would tell a service's address, some at DEBUG only."""


def need() -> Any:
    """Return apprise.

    Raises
    ------
    UsageError
        ``E-EXTRA``: it is not installed.
    """
    try:
        with warnings.catch_warnings():
            # Among its services are some that load modules of Python that are to be removed.
            warnings.simplefilter("ignore", DeprecationWarning)
            apprise = importlib.import_module("apprise")
            importlib.import_module("apprise.manager_plugins").NotificationManager().load_modules()
            return apprise
    except ImportError:
        raise UsageError(
            "chats, mail and pagers need apprise, which is not installed",
            code="E-EXTRA",
            fix="pip install 'driftline[notify]'",
        ) from None


def deliver(event: Event, url: str, total_seconds: float) -> None:
    """Send an event as text.

    Parameters
    ----------
    event : Event
    url : str
        Apprise's URL of a service, one.
    total_seconds : float
        Longest time to wait.

    Raises
    ------
    SendError
        ``service``. Permanent where the URL is none that apprise knows.
    """
    apprise = need()
    hidden = parts_of_url(url, with_host=True)
    with _quiet(hidden):
        asset = apprise.AppriseAsset(
            allow_templates=False,
            app_desc="driftline",
            app_id="driftline",
            app_url="",
            async_mode=False,
            plugin_paths=[],
            secure_logging=True,
            storage_mode=apprise.PersistentStoreMode.MEMORY,
        )
        service = apprise.Apprise.instantiate(url, asset=asset)
        if service is None:
            raise SendError("service", "apprise knows no service of this URL", permanent=True)
        name = service.service_name
        box = apprise.Apprise(asset=asset)
        box.add(service)
        result = box.notify(
            title=title(event),
            body=body(event),
            notify_type=_kind(apprise, event),
            body_format=apprise.NotifyFormat.TEXT,
            interpret_escapes=False,
            timeout=total_seconds,
        )
    if result:
        return
    if result.status == apprise.AppriseResultStatus.TIMEOUT:
        raise SendError("timeout", f"{name} did not answer in time")
    said = [entry.message for entry in result.logs() if entry.level in ("ERROR", "WARNING")]
    reason = f": {said[-1]}" if said else ""
    raise SendError("service", f"{name} did not take it{reason}")


def _kind(apprise: Any, event: Event) -> Any:
    if event.is_resolved:
        return apprise.NotifyType.SUCCESS
    kinds = {"critical": apprise.NotifyType.FAILURE, "warning": apprise.NotifyType.WARNING}
    return kinds.get(event.severity or "", apprise.NotifyType.INFO)


class _Masking(logging.Filter):
    """Takes secrets out of what others log."""

    def __init__(self, hidden: set[str]) -> None:
        super().__init__()
        self._hidden = hidden

    def filter(self, record: logging.LogRecord) -> bool:
        shown = record.getMessage()
        masked = mask(shown, self._hidden)
        if masked != shown:
            record.msg, record.args = masked, None
        if record.exc_info:
            # A traceback shows the URL in the text of its exceptions.
            record.exc_info = None
        return True


@contextlib.contextmanager
def _quiet(hidden: set[str]) -> Iterator[None]:
    masking = _Masking(hidden)
    loggers = [logging.getLogger(name) for name in LOGGERS]
    for logger in loggers:
        logger.addFilter(masking)
    try:
        yield
    finally:
        for logger in loggers:
            logger.removeFilter(masking)
