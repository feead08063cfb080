"""Card life: which status may follow which, who may approve, and what a chain of records says that a card is.

Pure: nothing here reads or writes; every question is answered from what is given.

=============  =====  =============  ========================  ========
from           Draft  PendingReview  Approved                  Archived
=============  =====  =============  ========================  ========
Draft          –      yes            if `direct` is allowed,   yes
                                     by another person
PendingReview  yes,   –              by a reviewer who wrote   yes
               with                  nothing of the text
               reason
Approved       no     yes            –                         yes
Archived       no     no             no                        –
=============  =====  =============  ========================  ========
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from driftline.documents import nearest
from driftline.errors import UsageError, printable
from driftline.registry.database import RegistryError
from driftline.registry.likeness import is_blank, is_like

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

__all__ = ["SETTING", "Rules", "check_step", "read_rules", "writers"]

SETTING: Final = "cards"
"""Name of the setting that holds the rules."""

_MACHINE: Final = "driftline"


@dataclass(frozen=True, slots=True)
class Rules:
    """How cards are approved in a workspace.

    Attributes
    ----------
    allow_direct_approval : bool
        Whether a draft may be approved without having been handed in for review.
    reviewers : tuple of str
        Who may review; everybody where there are none.
    """

    allow_direct_approval: bool = False
    reviewers: tuple[str, ...] = ()

    def document(self) -> dict[str, Any]:
        """Return the rules as they are stored."""
        return {"allow_direct_approval": self.allow_direct_approval, "reviewers": list(self.reviewers)}


def read_rules(document: object) -> Rules:
    """Read the rules from a document; what is not said is as it is by default.

    Raises
    ------
    UsageError
        ``E-CARD-RULES``.
    """
    if document is None:
        return Rules()
    if not isinstance(document, dict):
        raise _refused("cards", "expected an object", "give allow_direct_approval and reviewers")
    for key in document:
        if key not in Rules.__slots__:
            close = nearest(key, Rules.__slots__) if isinstance(key, str) and len(key) < 100 else None
            fix = f"did you mean {close!r}?" if close else "use " + ", ".join(Rules.__slots__)
            raise _refused("cards", f"there is no such rule: {printable(repr(key), 60)}", fix)
    direct, reviewers = document.get("allow_direct_approval", False), document.get("reviewers", ())
    if not isinstance(direct, bool):
        raise _refused("cards.allow_direct_approval", "expected true or false", "write true or false")
    if not isinstance(reviewers, list | tuple) or not all(
        isinstance(r, str) and r.strip() for r in reviewers
    ):
        raise _refused("cards.reviewers", "expected a list of names", 'write them like ["ann", "bob"]')
    return Rules(direct, tuple(sorted({one.strip() for one in reviewers})))


def _refused(field: str, message: str, fix: str) -> UsageError:
    return UsageError(message, code="E-CARD-RULES", field=field, fix=fix)


def writers(versions: Iterable[tuple[int, str, bool]]) -> tuple[str, ...]:
    """Return who wrote what the newest version says that no approved version before it said.

    Parameters
    ----------
    versions : iterable of (int, str, bool)
        Number, author, and whether its approval stands, of all versions, or of those from the last approved one on.

    Returns
    -------
    tuple of str
        The authors of the newest version, and of all those since the last approved one before it; sorted.
    """
    newest_first = sorted(versions, reverse=True)
    found = set()
    for place, (_, author, is_approved) in enumerate(newest_first):
        if place and is_approved:
            break
        found.add(author)
    return tuple(sorted(found))


def check_step(
    now: str,
    wanted: str,
    *,
    name: str,
    version: int,
    who: str,
    authors: Collection[str],
    rules: Rules,
    reason: str,
) -> bool:
    """See to it that a status may become another.

    Parameters
    ----------
    now, wanted : str
        Statuses.
    name : str
        Of the card.
    version : int
        The newest.
    who : str
        Who wants it.
    authors : collection of str
        Who wrote what is to be approved, see :func:`writers`.
    rules : Rules
    reason : str

    Returns
    -------
    bool
        False where it has this status already.

    Raises
    ------
    RegistryError
        ``E-CARD-ARCHIVED``; ``E-CARD-STEP``: there is no such step; ``E-CARD-OWN-TEXT``: who approves has written some of
        it; ``E-CARD-REVIEWER``: they are no reviewer.
    UsageError
        ``E-REASON``: the step needs one.
    """
    if now == wanted:
        return False
    card = f"the model card {printable(repr(name), 80)}"
    if now == "Archived":
        raise archived(name)
    if wanted == "Archived" or (now, wanted) == ("Draft", "PendingReview"):
        return True
    if (now, wanted) == ("Approved", "Draft"):
        raise RegistryError(
            f"version {version} of {card} is approved: it does not become a draft again",
            code="E-CARD-STEP",
            fix="change the text, that makes a new version which is a draft; or ask for another review: PendingReview",
        )
    if (now, wanted) == ("Draft", "Approved") and not rules.allow_direct_approval:
        raise RegistryError(
            f"version {version} of {card} is a draft that nobody was asked to review",
            code="E-CARD-STEP",
            fix="set it to PendingReview first, or allow direct approval in the workspace",
        )
    # Whoever only looks like a reviewer is none: users are told apart by every letter of their names.
    if is_blank(who) or is_like(who, _MACHINE) or (rules.reviewers and who not in rules.reviewers):
        raise RegistryError(
            f"{printable(repr(who), 80)} is no reviewer of model cards",
            code="E-CARD-REVIEWER",
            fix="ask " + (", ".join(printable(one, 60) for one in rules.reviewers[:5]) or "a person"),
        )
    if wanted == "Draft" and not reason.strip():
        raise UsageError(
            f"{card} cannot be sent back without saying why",
            code="E-REASON",
            field="reason",
            fix="say what the author should change",
        )
    if wanted == "Approved" and any(is_like(who, author) for author in authors):
        raise RegistryError(
            f"{printable(repr(who), 80)} wrote some of what version {version} of {card} says since the last approval",
            code="E-CARD-OWN-TEXT",
            fix="let somebody approve it who wrote nothing of it",
        )
    return True


def archived(name: str) -> RegistryError:
    """Build (not raise) the error that speaks of a card that is in the archived state."""
    return RegistryError(
        f"the model card {printable(repr(name), 80)} is in the archived state: it cannot be changed",
        code="E-CARD-ARCHIVED",
        fix="clone it, and go on with the clone",
    )
