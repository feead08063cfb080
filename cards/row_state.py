"""Row state: what a card has of one row of a profile."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["ORIGINS", "STATES", "Found", "Missing", "Origin", "RowState", "State"]

State = Literal["filled", "partial", "missing", "not applicable"]
Origin = Literal["people", "records", "monitors"]

STATES: Final[tuple[State, ...]] = ("filled", "partial", "missing", "not applicable")
ORIGINS: Final[Mapping[Origin, str]] = {
    "people": "declared by people",
    "records": "taken from records",
    "monitors": "measured by monitors",
}
"""Where what is there comes from, and how that is said."""


@dataclass(frozen=True, slots=True)
class Found:
    """Something that a card has of what a row asks for.

    Attributes
    ----------
    what : str
        Which part of the row it is.
    path : str
        Where it stands; ``[]`` for any item of a list.
    says : str
        Beginning of it, on one printable line.
    by : {"people", "records", "monitors"}
        See :data:`ORIGINS`.
    """

    what: str
    path: str
    says: str
    by: Origin


@dataclass(frozen=True, slots=True)
class Missing:
    """Something that a row asks for and the card lacks, in whole or in part.

    Attributes
    ----------
    what : str
    add : str
        Where to write it.
    because : str
        Why it counts as missing, where that is not plain.
    """

    what: str
    add: str
    because: str = ""


@dataclass(frozen=True, slots=True)
class RowState:
    """What a card has of one row of a profile.

    Attributes
    ----------
    id, title, asks, reference : str
    number_verified : bool
        Whether the number of the reference was checked against the publication.
    state : {"filled", "partial", "missing", "not applicable"}
    reason : str
        Why it is not applicable, as stated in the card.
    found : tuple of Found
    missing : tuple of Missing
    note : str
    """

    id: str
    title: str
    asks: str
    reference: str
    number_verified: bool
    state: State
    reason: str
    found: tuple[Found, ...]
    missing: tuple[Missing, ...]
    note: str
