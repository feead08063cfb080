from __future__ import annotations

import ast
import inspect

import pytest

from driftline.cards import errors
from driftline.cards.validation import Problem
from driftline.errors import DocumentError, DriftlineError, InputError, SourceError, UsageError

EXPECTED: dict[type[DriftlineError], tuple[type[BaseException], ...]] = {
    errors.CardAttributeError: (AttributeError,),
    errors.CardConflictError: (UsageError, ValueError),
    errors.CardError: (DocumentError, ValueError),
    errors.CardExistsError: (UsageError, ValueError, FileExistsError),
    errors.CardModelError: (UsageError, ValueError),
    errors.CardStateError: (UsageError, ValueError),
    errors.CardTypeError: (TypeError,),
    errors.CardValueError: (UsageError, ValueError),
    errors.NoCardError: (UsageError, ValueError, LookupError),
    errors.ReportMissingError: (SourceError, FileNotFoundError),
}


def test_the_errors_are_those_that_are_public() -> None:
    assert {kind.__name__ for kind in EXPECTED} | {"as_card_error"} == set(errors.__all__)


@pytest.mark.parametrize("kind", EXPECTED)
def test_users_of_the_sdk_catch_what_they_know(kind: type[DriftlineError]) -> None:
    error = kind("it is so", field="name", fix="do this")
    for known in EXPECTED[kind]:
        assert isinstance(error, known)
    assert str(error) == f"{kind.default_code}: name: it is so; do this"
    with pytest.raises(EXPECTED[kind]):
        raise error


def test_the_docstring_draws_every_error() -> None:
    for kind in EXPECTED:
        assert f"    {kind.__name__} (" in (errors.__doc__ or "")


def test_a_card_error_carries_its_problems() -> None:
    problem = Problem("a", "b")
    assert errors.CardError("b", problems=[problem]).problems == (problem,)
    assert errors.CardError("b").problems == ()


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("E-CARD-EXISTS", FileExistsError),
        ("E-CARD-MODEL", errors.CardModelError),
        ("E-NO-CARD", errors.NoCardError),
        ("E-CARD-VERSION", errors.NoCardError),
        ("E-CARD-CONFLICT", errors.CardConflictError),
        ("E-CARD-ARCHIVED", errors.CardStateError),
        ("E-CARD-HASH", errors.CardStateError),
        ("E-CARD-KEPT", errors.CardStateError),
        ("E-CARD-OWN-TEXT", errors.CardStateError),
        ("E-CARD-REVIEWER", errors.CardStateError),
        ("E-CARD-STEP", errors.CardStateError),
    ],
)
def test_the_registrys_errors_get_their_class(code: str, kind: type[BaseException]) -> None:
    original = InputError("words", code=code, file="f", line=3, field="x", fix="y")
    made = errors.as_card_error(original)
    assert isinstance(made, kind)
    assert str(made) == str(original)
    assert errors.as_card_error(made) is made


def test_other_errors_stay_as_they_are() -> None:
    original = InputError("words", code="E-REGISTRY")
    assert errors.as_card_error(original) is original


def test_every_class_is_documented() -> None:
    tree = ast.parse(inspect.getsource(errors))
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            assert ast.get_docstring(node), node.name
