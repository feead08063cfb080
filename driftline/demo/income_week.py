"""The week of the income model: whom it is asked about, when the truth is known, and what goes wrong for some."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from driftline.demo.census import TRUTH, people
from driftline.demo.week import DAYS
from driftline.documents import encode

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["DRIFT_FROM", "PEOPLE", "TRUTH_HOUR", "Asking", "asked", "moved"]

DRIFT_FROM: Final = 4
"""Day from which on the form is another one."""

TRUTH_HOUR: Final = 6
"""Hour at which the truth about the day before comes."""

_PEOPLE: Final = {0: 200, 6: 700, 12: 700, 18: 400}
PEOPLE: Final = sum(_PEOPLE.values())
"""How many people are asked about in a day."""

_AT_ONCE: Final = 20


@dataclass(frozen=True, slots=True)
class Asking:
    """The requests of a window.

    Attributes
    ----------
    day, hour : int
        At which the window begins.
    bodies : tuple of bytes
        JSON, twenty people in each.
    ids : tuple of str
        Of the requests, by which the truth is told.
    truth : tuple of dict
        For each request ``inference_id`` and ``label``, that of each person.
    """

    day: int
    hour: int
    bodies: tuple[bytes, ...]
    ids: tuple[str, ...]
    truth: tuple[dict[str, Any], ...]


def asked(*, seed: int = 7) -> Iterator[Asking]:
    """Give the windows of the week, one after the other; nobody is asked about twice.

    From day four on women fill in a form that counts years of education from the ninth on.
    """
    everybody = people("test").to_pylist()
    order = np.random.default_rng(seed).permutation(len(everybody)).tolist()
    at = 0
    for day in range(1, DAYS + 1):
        for hour, n in _PEOPLE.items():
            some = [everybody[i] for i in order[at : at + n]]
            at += n
            bodies, ids, truth = [], [], []
            for number in range(0, n, _AT_ONCE):
                together = some[number : number + _AT_ONCE]
                key = f"day-{day}-{hour:02}h-{number // _AT_ONCE + 1}"
                instances = [{k: v for k, v in person.items() if k != TRUTH} for person in together]
                if day >= DRIFT_FROM:
                    instances = [moved(person) for person in instances]
                bodies.append(encode({"instances": instances}).encode("ascii"))
                ids.append(key)
                truth.append({"inference_id": key, "label": [person[TRUTH] for person in together]})
            yield Asking(day, hour, tuple(bodies), tuple(ids), tuple(truth))


def moved(person: Mapping[str, Any]) -> dict[str, Any]:
    """Return somebody as the new form tells it."""
    if person["sex"] != "Female":
        return dict(person)
    return {**person, "education_num": max(person["education_num"] - 8, 1)}
