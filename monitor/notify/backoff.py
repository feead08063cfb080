"""When to try again, and when to give up.

References
----------
M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015: "full jitter".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import random

__all__ = ["CAP_SECONDS", "DEAD_AFTER_SECONDS", "FIRST_SECONDS", "MOST_TRIES", "next_try"]

FIRST_SECONDS: Final = 5.0
CAP_SECONDS: Final = 3600.0
DEAD_AFTER_SECONDS: Final = 86400.0
MOST_TRIES: Final = 100
LEAST_SECONDS: Final = 1.0


def next_try(
    attempt: int,
    first_try_us: int,
    now_us: int,
    rng: random.Random,
    retry_after: float | None = None,
    *,
    first_seconds: float = FIRST_SECONDS,
    cap_seconds: float = CAP_SECONDS,
    dead_after_seconds: float = DEAD_AFTER_SECONDS,
    most_tries: int = MOST_TRIES,
) -> int | None:
    """Return when to try again, or None where it is time to give up: a dead letter.

    Parameters
    ----------
    attempt : int
        Tries so far, 1 after the first.
    first_try_us, now_us : int
        Microseconds since 1970-01-01 UTC.
    rng : random.Random
    retry_after : float, optional
        Seconds the receiver asks to be left alone. It is, but never longer than `cap_seconds`: a receiver does not
        decide for how long it hears nothing.
    first_seconds, cap_seconds : float
        Longest waits after the first try, and after any.
    dead_after_seconds : float
        Nothing is tried later than this after the first try.
    most_tries : int

    Returns
    -------
    int or None
        Microseconds since 1970-01-01 UTC, later than `now_us`.

    Notes
    -----
    The wait is uniform from 0 to min(cap, first · 2^(attempt − 1)), so that many notifications that failed together are
    not tried together; at least a second, and at least what the receiver asks for.
    """
    if attempt >= most_tries:
        return None
    ceiling = min(cap_seconds, first_seconds * 2.0 ** min(max(attempt, 1) - 1, 63))
    wait = max(LEAST_SECONDS, rng.uniform(0.0, ceiling))
    if retry_after is not None:
        wait = max(wait, min(retry_after, cap_seconds))
    moment = now_us + round(wait * 1e6)
    return None if moment > first_try_us + round(dead_after_seconds * 1e6) else moment
