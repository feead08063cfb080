"""What can go wrong with a model card, as types a caller can catch.

::

    CardError (DocumentError)                    E-CARD            a card's content is not what a card may hold
    CardValueError (UsageError)                  E-CARD-VALUE      a value that an attribute does not take
    CardTypeError (DriftlineError, TypeError)    E-CARD-TYPE       an object of the wrong class, an unknown argument
    CardAttributeError (…, AttributeError)       E-CARD-ATTRIBUTE  there is no such attribute, or it is only read
    CardExistsError (…, FileExistsError)         E-CARD-EXISTS     the name is taken, or the card is created already
    CardModelError (UsageError)                  E-CARD-MODEL      the model has a card already
    NoCardError (UsageError, LookupError)        E-NO-CARD         there is no such card, version or export
    CardConflictError (UsageError)               E-CARD-CONFLICT   somebody else wrote a newer version
    CardStateError (UsageError)                  E-CARD-STEP …     the card's status, or a rule, does not allow it
    ReportMissingError (…, FileNotFoundError)    E-FILE            an evaluation report is not there

Whoever knows the SDK for SageMaker catches ``ValueError``, ``TypeError``, ``FileExistsError`` and
``FileNotFoundError`` at the places where the SDK raises them; each class here derives from the one expected.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from driftline.errors import DocumentError, DriftlineError, SourceError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from driftline.cards.validation import Problem

__all__ = [
    "CardAttributeError",
    "CardConflictError",
    "CardError",
    "CardExistsError",
    "CardModelError",
    "CardStateError",
    "CardTypeError",
    "CardValueError",
    "NoCardError",
    "ReportMissingError",
    "as_card_error",
]


class CardError(DocumentError):
    """A card's content is not what a card may hold.

    Parameters
    ----------
    message : str
        One sentence, of the first problem.
    problems : sequence of Problem
        All that is wrong with the content, in the document's order.
    code, file, field, fix : str, optional
        As for every :class:`~driftline.errors.DriftlineError`; ``field`` is the first problem's path.

    Attributes
    ----------
    problems : tuple of Problem
    """

    default_code = "E-CARD"

    def __init__(
        self,
        message: str,
        *,
        problems: Sequence[Problem] = (),
        code: str | None = None,
        file: object = None,
        field: str | None = None,
        fix: str | None = None,
    ) -> None:
        super().__init__(message, code=code, file=file, field=field, fix=fix)
        self.problems = tuple(problems)


class CardValueError(UsageError):
    """An attribute of a card is given a value that it does not take."""

    default_code = "E-CARD-VALUE"


class CardTypeError(DriftlineError, TypeError):
    """An object of the wrong class, or an argument that a part of a card does not have."""

    default_code = "E-CARD-TYPE"


class CardAttributeError(DriftlineError, AttributeError):
    """A part of a card has no such attribute, or it is for reading only."""

    default_code = "E-CARD-ATTRIBUTE"


class CardExistsError(UsageError, FileExistsError):
    """The name is taken, or the card is created already."""

    default_code = "E-CARD-EXISTS"


class CardModelError(UsageError):
    """The model has a card already; a model has one."""

    default_code = "E-CARD-MODEL"


class NoCardError(UsageError, LookupError):
    """There is no card, no version, or no export of that name."""

    default_code = "E-NO-CARD"


class CardConflictError(UsageError):
    """Somebody else wrote a newer version in the meantime."""

    default_code = "E-CARD-CONFLICT"


class CardStateError(UsageError):
    """The status of the card, or a rule of the workspace, does not allow it."""

    default_code = "E-CARD-STEP"


class ReportMissingError(SourceError, FileNotFoundError):
    """An evaluation report is not where it should be."""

    default_code = "E-FILE"


_CLASSES: Final[Mapping[str, type[DriftlineError]]] = {
    "E-CARD-ARCHIVED": CardStateError,
    "E-CARD-CONFLICT": CardConflictError,
    "E-CARD-EXISTS": CardExistsError,
    "E-CARD-HASH": CardStateError,
    "E-CARD-KEPT": CardStateError,
    "E-CARD-MODEL": CardModelError,
    "E-CARD-OWN-TEXT": CardStateError,
    "E-CARD-REVIEWER": CardStateError,
    "E-CARD-STEP": CardStateError,
    "E-CARD-VERSION": NoCardError,
    "E-NO-CARD": NoCardError,
}


def as_card_error(error: DriftlineError) -> DriftlineError:
    """Give an error of the registry the class that users of the SDK for SageMaker catch.

    Parameters
    ----------
    error : DriftlineError
        As the registry raised it, known by its code.

    Returns
    -------
    DriftlineError
        The same words, code and place; `error` itself where the code is none of a card's.

    Examples
    --------
    >>> from driftline.errors import InputError
    >>> isinstance(as_card_error(InputError("taken", code="E-CARD-EXISTS")), FileExistsError)
    True
    """
    known = _CLASSES.get(error.code)
    if known is None or isinstance(error, known):
        return error
    return known(
        error.message, code=error.code, file=error.file, line=error.line, field=error.field, fix=error.fix
    )
