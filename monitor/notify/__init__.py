"""Notify: what driftline tells others, and the one door through which it goes out.

::

    Event ─► Target.matches ─► Sender.send ─► CloudEvent + signature ─► Guard.post ─► Answer
                                           └► Alertmanager, chat, log        └► SendError ─► next_try

Nothing here knows the database: what is to be sent, and what became of it, is kept by the caller.
"""
