"""Handling: what people do with alerts, each with who and why.

::

    open ──────── acknowledge ──▶ acknowledged        resolve: from any of the three, with a reason
     ▲ ▲                              │               a more severe violation opens all three again
     │ └── unsnooze, time is up ── snoozed ◀── snooze (from open or acknowledged; again to change the time)

Two people at once are served one after the other; both are in the log, and the second sees what the first did.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import sqlalchemy as sa

from driftline.errors import UsageError
from driftline.registry import alert_store
from driftline.registry.database import RegistryError
from driftline.registry.given import check_moment, check_words
from driftline.registry.moments import shown
from driftline.registry.tables import alerts

if TYPE_CHECKING:
    from driftline.registry.alert_store import Alert
    from driftline.registry.store import Tx

__all__ = ["LONGEST_SNOOZE", "acknowledge", "comment", "resolve", "snooze", "unsnooze", "wake_due"]

LONGEST_SNOOZE: Final = 90 * 86_400 * 1_000_000
"""Microseconds: nothing is put off for longer."""

MOST_WORDS: Final = 2000


def acknowledge(tx: Tx, alert: str, comment: str = "") -> Alert:
    """Say that somebody is at it: no more reminders, unless it gets worse.

    Parameters
    ----------
    alert : str
        Its id.
    comment : str

    Raises
    ------
    RegistryError
        ``E-NO-ALERT``; ``E-ALERT-STATE``: it is resolved.
    UsageError
        ``E-TEXT``.

    Notes
    -----
    A second person may acknowledge it too: that is logged, and the first one stays named. Once more by the same person
    changes nothing.
    """
    said = _said(comment)
    before = _unresolved(tx, alert, "be acknowledged")
    if before.state == "acknowledged" and before.acknowledged_by == tx.who:
        return before
    by = before.acknowledged_by or tx.who
    changed = alert_store.change(tx, before, state="acknowledged", acknowledged_by=by, snoozed_until=None)
    return _done(tx, "acknowledged", before, changed, said)


def snooze(tx: Tx, alert: str, until: int, comment: str) -> Alert:
    """Put an alert off; it comes back at its time, and before where it gets more severe.

    Parameters
    ----------
    alert : str
        Its id.
    until : int
        Microseconds since 1970-01-01 UTC; in the future, at most 90 days away.
    comment : str
        Why.

    Raises
    ------
    RegistryError
        ``E-NO-ALERT``; ``E-ALERT-STATE``: it is resolved.
    UsageError
        ``E-SNOOZE``: the time is past or too far away; ``E-REASON``: no reason is given; ``E-TEXT``; ``E-MOMENT``.
    """
    said = _reason(comment)
    wanted = check_moment("until", until)
    before = _unresolved(tx, alert, "be snoozed")
    if not tx.now < wanted <= tx.now + LONGEST_SNOOZE:
        past = wanted <= tx.now
        raise UsageError(
            f"{shown(wanted)} is {'not in the future' if past else 'more than 90 days away'}",
            code="E-SNOOZE",
            field="until",
            fix="give a time within the next 90 days",
        )
    changed = alert_store.change(tx, before, state="snoozed", snoozed_until=wanted)
    return _done(tx, "snoozed", before, changed, said, snoozed_until=shown(wanted))


def unsnooze(tx: Tx, alert: str, comment: str = "") -> Alert:
    """Take a snooze back.

    Raises
    ------
    RegistryError
        ``E-NO-ALERT``; ``E-ALERT-STATE``: it is not snoozed.
    """
    said = _said(comment)
    before = alert_store.get(tx, alert)
    if before.state != "snoozed":
        raise _refused(before, "be woken")
    return _wake(tx, before, said)


def wake_due(tx: Tx) -> list[Alert]:
    """Open the snoozed alerts whose time is up, and remind of them; to be called every minute or so."""
    query = (
        sa.select(alerts.c.id)
        .where(alerts.c.state == "snoozed", alerts.c.snoozed_until <= tx.now)
        .order_by(alerts.c.snoozed_until, alerts.c.id)
    )
    return [_wake(tx, alert_store.get(tx, row.id), None) for row in tx.all(query)]


def _wake(tx: Tx, before: Alert, said: str | None) -> Alert:
    changed = alert_store.change(tx, before, state="open", snoozed_until=None, acknowledged_by=None)
    return _done(tx, "woken", before, changed, said)


def comment(tx: Tx, alert: str, text: str) -> Alert:
    """Write something into the log of an alert, whatever its state.

    Raises
    ------
    RegistryError
        ``E-NO-ALERT``.
    UsageError
        ``E-REASON``: there is no text; ``E-TEXT``.
    """
    said = _reason(text)
    before = alert_store.get(tx, alert)
    return _done(tx, "commented", before, before, said)


def resolve(tx: Tx, alert: str, reason: str) -> Alert:
    """Close an alert by hand.

    Parameters
    ----------
    alert : str
        Its id.
    reason : str

    Raises
    ------
    RegistryError
        ``E-NO-ALERT``; ``E-ALERT-STATE``: it is resolved already.
    UsageError
        ``E-REASON``: no reason is given; ``E-TEXT``.

    Notes
    -----
    While its rule stays InAlert, the same causes open no new alert; a new cause does, and a more severe one, and so does
    the rule when it was OK in between. Monitors that stay silent, or fail, are told of again after the same time.
    """
    said = _reason(reason)
    before = _unresolved(tx, alert, "be resolved")
    changed = alert_store.change(tx, before, state="resolved", resolved=tx.now, snoozed_until=None)
    return _done(tx, "resolved", before, changed, said)


def _done(
    tx: Tx, what: str, before: Alert, after: Alert, said: str | None, *, snoozed_until: str | None = None
) -> Alert:
    detail = {} if snoozed_until is None else {"until": snoozed_until}
    alert_store.note(tx, after.id, what, reason=said, detail=detail)
    # The words of people go into the log and into the event; the audit log has them, too, as part of what changed.
    more = {"comment": said, "reason": said, "snoozed_until": snoozed_until}
    given = {key: value for key, value in more.items() if value is not None}
    alert_store.tell(tx, f"alert.{what}", after, given, before=before)
    return after


def _unresolved(tx: Tx, alert: str, what: str) -> Alert:
    found = alert_store.get(tx, alert)
    if not found.is_open:
        raise _refused(found, what)
    return found


def _refused(alert: Alert, what: str) -> RegistryError:
    when = f" since {shown(alert.resolved)}" if alert.resolved is not None else ""
    return RegistryError(
        f"alert {alert.id} is {alert.state}{when} and cannot {what}",
        code="E-ALERT-STATE",
        fix="write a comment instead" if not alert.is_open else "look at it again",
    )


def _said(text: object) -> str | None:
    return check_words("comment", text, most=MOST_WORDS).strip() or None


def _reason(text: object) -> str:
    said = _said(text)
    if said is None:
        raise UsageError("no reason is given", code="E-REASON", field="reason", fix="say why, in a few words")
    return said
