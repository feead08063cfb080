"""Types and booleans: how a facet or a label column is reduced to "belongs to the group" and "is positive".

Two ways. :func:`freeze` decides once, on the baseline's data, and gives a :class:`Rule` that the baseline keeps and every
window applies without looking at its own values. :mod:`driftline.monitor.bias.clarify` decides on every data set anew, as
SageMaker Clarify does.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np

from driftline.errors import SchemaError
from driftline.kernels.fairness import UNKNOWN, Coded
from driftline.monitor.bias.column import Column, Dtype

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from driftline.documents import Node

__all__ = [
    "OTHER",
    "UNIQUENESS",
    "Kind",
    "Rule",
    "Scalar",
    "canonical",
    "coded",
    "freeze",
    "group_of",
    "kind_of",
    "predicted_labels",
    "read_rule",
]

Scalar: TypeAlias = "str | int | float | bool"

UNIQUENESS: Final = 0.05
"""Share of distinct values from which whole numbers are taken as a continuous quantity."""

OTHER: Final = "(other)"
"""Facet value of rows that no rule names."""


class Kind(StrEnum):
    """How the values of a column are read."""

    CATEGORICAL = "categorical"
    CONTINUOUS = "continuous"


def kind_of(column: Column, n_values: int) -> Kind:
    """Return SageMaker Clarify's type of a column, which depends on the sample.

    Parameters
    ----------
    column : Column
    n_values : int
        Configured values; more than one make any column categorical.
    """
    dtype = column.dtype
    if dtype in (Dtype.CATEGORY, Dtype.BOOLEAN) or n_values > 1:
        return Kind.CATEGORICAL
    if dtype is Dtype.FLOAT:
        return Kind.CONTINUOUS
    if dtype is Dtype.TEXT and (column.n_missing or not column.is_integral_text):
        return Kind.CATEGORICAL
    share = column.n_distinct / column.n_valid if column.n_valid else 0.0
    return Kind.CONTINUOUS if share >= UNIQUENESS else Kind.CATEGORICAL


def canonical(value: Scalar) -> str:
    """Spell a value so that equal values of different types are spelled alike: 1, 1.0, "1", "1.0" and True.

    Texts are taken for numbers only where they are spelled as such, so ``"01"`` stays apart from ``"1"``.
    """
    if isinstance(value, (bool, int)):
        return str(int(value))
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1 << 63 else repr(value)
    try:
        number = float(value)
    except ValueError:
        return value
    if repr(number) == value:
        return canonical(number)
    return value


@dataclass(frozen=True, slots=True)
class Rule:
    """Which values of a column belong to the group, or are positive: fixed by the baseline, applied to every window.

    Attributes
    ----------
    column : str
    kind : Kind
    values : tuple of str, int, float or bool
        Of a categorical column: the values that match.
    threshold : float or None
        Of a continuous column: values above it match.
    text : str
        The values joined by commas, or the interval ``(threshold, maximum of the baseline]``.
    note : str or None
        What a reader should know about how the column was read.
    """

    column: str
    kind: Kind
    values: tuple[Scalar, ...]
    threshold: float | None
    text: str
    note: str | None = None

    def matches(self, column: Column) -> NDArray[np.int8]:
        """Apply the rule.

        Parameters
        ----------
        column : Column
            Of any type: 1, 1.0, "1" and True are the same value.

        Returns
        -------
        ndarray of int8, shape (n,)
            1 where the value matches, 0 where it does not, 2 (:data:`~driftline.kernels.fairness.UNKNOWN`) where it is
            missing, or is no number although the column is continuous.
        """
        if self.threshold is not None:
            numbers = column.numbers()
            with np.errstate(invalid="ignore"):
                above = numbers > self.threshold
            return np.where(np.isnan(numbers), UNKNOWN, above).astype(np.int8)
        wanted = {canonical(value) for value in self.values}
        return _outcomes(column, wanted)

    def document(self) -> dict[str, Any]:
        """Return the rule as plain JSON values."""
        document: dict[str, Any] = {"column": self.column, "type": str(self.kind), "text": self.text}
        if self.threshold is None:
            document["values"] = list(self.values)
        else:
            document["threshold"] = self.threshold
        return document if self.note is None else {**document, "note": self.note}


def _outcomes(column: Column, wanted: set[str]) -> NDArray[np.int8]:
    result = np.full(column.n_rows, UNKNOWN, np.int8)
    words, codes = column.distinct()
    hit = np.array([*(canonical(word) in wanted for word in words), False], bool)
    known = codes >= 0
    result[known] = hit[codes[known]]
    return result


def read_rule(node: Node) -> Rule:
    """Read what :meth:`Rule.document` gave.

    Raises
    ------
    DocumentError
        ``E-FIELD`` naming the field.
    """
    node.known("column", "type", "text", "values", "threshold", "note")
    kind = Kind(node.choice("type", [str(kind) for kind in Kind]))
    note = node.text("note") if node.has("note") else None
    if kind is Kind.CONTINUOUS:
        return Rule(node.text("column"), kind, (), node.number("threshold"), node.text("text", ""), note)
    values = []
    for one in node["values"].items():
        if not isinstance(one.value, (str, int, float)):
            raise one.error("expected text, a number or a boolean")
        values.append(one.value)
    if not values:
        raise node.error("the list of values is empty", key="values")
    return Rule(node.text("column"), kind, tuple(values), None, node.text("text", ""), note)


def freeze(
    column: Column, values: Sequence[Scalar] = (), *, role: str = "facet", kind: Kind | None = None
) -> tuple[Rule, ...]:
    """Decide how a column of the baseline is read.

    A column of two values is categorical if the configured value is one of them. Otherwise the type is `kind`, or follows
    :func:`kind_of`.

    Parameters
    ----------
    column : Column
        The baseline's values.
    values : sequence of str, int, float or bool
        Configured values, or one threshold; empty for one rule per value, which a facet may have.
    role : {"facet", "label"}
        Used in errors; a label needs values.
    kind : Kind, optional
        The type, where the user says it.

    Returns
    -------
    tuple of Rule
        One for configured values; else one per value, sorted.

    Raises
    ------
    SchemaError
        ``E-BIAS-VALUE`` if no row matches, the values are missing, or they are no threshold.
    """
    if column.n_valid == 0:
        raise _error(column, "has no values", "leave it out, or give a baseline with values in it")
    if not values and role == "label":
        raise _error(
            column, "which values are positive is not configured", "set label_values_or_threshold to them"
        )
    chosen = kind or _kind(column, values)
    if chosen is Kind.CONTINUOUS:
        return (_above(column, values, role),)
    if not values:
        words, _ = column.distinct()
        if len(words) > MAX_VALUES:
            raise _error(
                column,
                f"has {len(words):,} different values, more than the limit of {MAX_VALUES:,} for one facet",
                "configure the values that make up the group, or a threshold",
            )
        return tuple(_equal(column, (word,), None) for word in sorted(words, key=_order))
    rule = _equal(column, tuple(values), _note(column, values, kind))
    if not (rule.matches(column) == 1).any():
        some = ", ".join(_shown(word) for word in sorted(column.distinct()[0], key=_order)[:6])
        fix = f"it has {some}{', …' if column.n_distinct > 6 else ''}"
        if column.is_number:
            fix += "; if the value is a threshold, set the type to continuous"
        raise _error(column, f"no row has {' or '.join(_shown(value) for value in values)}", fix)
    return (rule,)


MAX_VALUES: Final = 200
"""Most values of a facet that are looked at one against the rest."""


def _error(column: Column, message: str, fix: str) -> SchemaError:
    return SchemaError(message, code="E-BIAS-VALUE", field=column.name, fix=fix)


def _order(value: Scalar) -> tuple[int, float, str]:
    """Sort numbers by size, before texts."""
    return (1, 0.0, value) if isinstance(value, str) else (0, float(value), "")


def _shown(value: Scalar) -> str:
    return repr(value) if isinstance(value, str) else str(value)


def _kind(column: Column, values: Sequence[Scalar]) -> Kind:
    if column.n_distinct <= 2:
        words = {canonical(word) for word in column.distinct()[0]}
        if not values or any(canonical(value) in words for value in values):
            return Kind.CATEGORICAL
    return kind_of(column, len(values))


def _note(column: Column, values: Sequence[Scalar], kind: Kind | None) -> str | None:
    if kind is not None or len(values) > 1 or column.n_distinct <= 2 or not column.is_number:
        return None
    return (
        f"{column.name} has {column.n_distinct:,} different values in {column.n_valid:,} rows, so it is read as "
        f"categories: {values[0]} means exactly {values[0]}, not a threshold (set the type to continuous for one)"
    )


def _equal(column: Column, values: tuple[Scalar, ...], note: str | None) -> Rule:
    return Rule(column.name, Kind.CATEGORICAL, values, None, ",".join(str(value) for value in values), note)


def _above(column: Column, values: Sequence[Scalar], role: str) -> Rule:
    if len(values) != 1:
        raise _error(
            column,
            f"is continuous, which takes one threshold, and {len(values) or 'none'} is given",
            f"give the number above which a row {'belongs to the group' if role == 'facet' else 'is positive'}",
        )
    try:
        threshold = float(values[0])
    except ValueError:
        raise _error(
            column,
            f"is continuous, and {values[0]!r} is no number",
            "give a number, or set the type to categorical",
        ) from None
    numbers = column.numbers()
    known = numbers[~np.isnan(numbers)]
    if not math.isfinite(threshold) or not (known > threshold).any():
        raise _error(
            column,
            f"no row is above {values[0]}, the largest value is {_number(float(known.max()), column)}"
            if known.shape[0]
            else "no value is a number",
            "give a smaller threshold, or set the type to categorical",
        )
    text = f"({_number(threshold, column)}, {_number(float(known.max()), column)}]"
    return Rule(column.name, Kind.CONTINUOUS, (), threshold, text)


def _number(value: float, column: Column) -> str:
    is_whole = column.dtype is not Dtype.FLOAT and value.is_integer()
    return str(int(value)) if is_whole else repr(value)


def coded(rules: Sequence[Rule], column: Column) -> Coded:
    """Say which rule names the value of every row, the first that does, by the rule's text.

    Rows that no rule names are :data:`OTHER`; rows without a value are missing.
    """
    codes = np.full(column.n_rows, len(rules), np.int64)
    for i in reversed(range(len(rules))):
        outcome = rules[i].matches(column)
        codes[outcome == 1] = i
        codes[outcome == UNKNOWN] = -1
    return Coded((*(rule.text for rule in rules), OTHER), codes)


def group_of(column: Column) -> Coded:
    """Encode a group variable: every value is a group, 1 and 1.0 the same."""
    words, codes = column.distinct()
    place: dict[str, int] = {}
    moved = [place.setdefault(canonical(word), len(place)) for word in words]
    return Coded(tuple(place), np.array([*moved, -1], np.int64)[codes])


def predicted_labels(scores: NDArray[np.float64], threshold: float = 0.5) -> NDArray[np.int8]:
    """Turn probabilities into labels: 1 above the threshold, 0 at or below it, UNKNOWN for NaN.

    Parameters
    ----------
    scores : ndarray of float64, shape (n,)
    threshold : float, default 0.5
    """
    with np.errstate(invalid="ignore"):
        return np.where(np.isnan(scores), UNKNOWN, scores > threshold).astype(np.int8)
