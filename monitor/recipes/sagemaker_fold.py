"""One pass over the data for SageMaker's analysis: what each column *position* holds.

The order of the rows matters (the sketch is order-dependent), names do not. Memory is bounded: a sketch of
some thousand items, a sample of at most 16,384 hashes and at most 120 counted values per column.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from driftline.baselines.constraint import InferredType
from driftline.errors import SchemaError
from driftline.kernels.distinct import Distinct
from driftline.kernels.hashing import hash_texts
from driftline.kernels.kll import KLL
from driftline.kernels.lexical import Lexical, classify, parse_numbers
from driftline.kernels.moments import Moments

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from driftline.baselines.constraint import Constraints
    from driftline.capture.source import Field

__all__ = ["MOST_CATEGORIES", "CompatColumn", "fold_compat"]

MOST_CATEGORIES: Final = 120
"""Different values up to which a column's values are listed (Deequ's default for histograms)."""

_PROBE: Final = 2048
_REPEATS: Final = 0.25


@dataclass(frozen=True, slots=True, eq=False)
class CompatColumn:
    """What one pass over the data gives for one column position.

    Attributes
    ----------
    n_rows : int
    n_null : int
        Rows without a value: null, an empty text where types are read from text, and NaN in a float column.
    classes : tuple of int
        Rows per :class:`~driftline.kernels.lexical.Lexical` class, by the class's number.
    moments : Moments
        Of the finite numbers; empty unless the column is a number column.
    sketch : KLL
        Of the same numbers, in row order.
    distinct : Distinct
        Different texts; empty for columns that are typed as numbers.
    categories : mapping of str to int, or None
        Rows per text, in order of first appearance; None beyond :data:`MOST_CATEGORIES`, and for typed
        numbers.
    n_in_domain : int or None
        Rows whose text is in the domain that the constraints give this position; None where they give none.
    """

    n_rows: int
    n_null: int
    classes: tuple[int, ...]
    moments: Moments
    sketch: KLL
    distinct: Distinct
    categories: Mapping[str, int] | None
    n_in_domain: int | None

    @property
    def n_present(self) -> int:
        """Rows with a value."""
        return self.n_rows - self.n_null

    @property
    def inferred_type(self) -> InferredType:
        """The type of the column by Deequ's rule.

        Nothing present is Unknown; any String makes a String; Booleans, alone or among numbers, make a String
        too, since SageMaker has no Boolean type; any Fractional makes a Fractional; else it is Integral.
        """
        if not self.n_present:
            return InferredType.UNKNOWN
        if self.n_of(InferredType.STRING):
            return InferredType.STRING
        return InferredType.FRACTIONAL if self.classes[Lexical.FRACTIONAL] else InferredType.INTEGRAL

    def n_of(self, inferred_type: InferredType) -> int:
        """Return how many present values are of `inferred_type` themselves; a Boolean is a String."""
        if inferred_type is InferredType.INTEGRAL:
            return self.classes[Lexical.INTEGRAL]
        if inferred_type is InferredType.FRACTIONAL:
            return self.classes[Lexical.FRACTIONAL]
        if inferred_type is InferredType.STRING:
            return sum(self.classes[c] for c in _STRINGS)
        return 0


_STRINGS: Final = (Lexical.BOOLEAN, Lexical.LOOSE, Lexical.STRING)


def fold_compat(
    batches: Iterable[Sequence[pa.Array]], fields: Sequence[Field], *, constraints: Constraints | None = None
) -> list[CompatColumn]:
    """Read all rows once and summarise every column position.

    Parameters
    ----------
    batches : iterable of sequence of pyarrow.Array
        Rows in order; each batch holds one array per field, of the field's type.
    fields : sequence of Field
        Where ``textual`` is set, the type of each value is read from its text and an empty text is null.
        Otherwise an integer column is Integral; a float or decimal column Fractional, with NaN as null; a
        boolean column Boolean; any other String, by the text that Arrow's cast gives.
    constraints : Constraints, optional
        Gives the domains to count against, by position.

    Returns
    -------
    list of CompatColumn
        One per field. The same for any cut of the rows into batches.

    Raises
    ------
    SchemaError
        If a column's type has no text form, such as a list, or a batch has another number of columns.

    Notes ----- Infinite numbers are present and Fractional, but enter neither moments nor sketch: SageMaker's
    files cannot hold them.
    """
    features = constraints.features if constraints is not None else ()
    domains = [features[i].domains if i < len(features) else None for i in range(len(fields))]
    columns = [_Column(field, domain) for field, domain in zip(fields, domains, strict=True)]
    for arrays in batches:
        if len(arrays) != len(columns):
            raise SchemaError(
                f"expected {len(columns)} columns in every batch, found one with {len(arrays)}",
                code="E-COLUMNS",
            )
        for column, array in zip(columns, arrays, strict=True):
            column.add(array)
    return [column.done() for column in columns]


class _Column:
    """A CompatColumn while rows arrive."""

    def __init__(self, field: Field, domain: tuple[str, ...] | None) -> None:
        self.field = field
        kind = field.type
        self.is_integer = not field.textual and pa.types.is_integer(kind)
        self.is_real = not field.textual and (pa.types.is_floating(kind) or pa.types.is_decimal(kind))
        self.typed_class = Lexical.BOOLEAN if pa.types.is_boolean(kind) else Lexical.STRING
        is_number = self.is_integer or self.is_real
        self.domain = None if domain is None or is_number else pa.array(domain, pa.large_string())
        self.n_rows = 0
        self.classes = np.zeros(len(Lexical), np.int64)
        self.moments = Moments()
        self.sketch = KLL()
        self.distinct = Distinct()
        self.categories: dict[str, int] | None = None if is_number else {}
        self.n_in_domain = 0

    def done(self) -> CompatColumn:
        return CompatColumn(
            n_rows=self.n_rows,
            n_null=int(self.classes[Lexical.NULL]),
            classes=tuple(self.classes.tolist()),
            moments=self.moments,
            sketch=self.sketch,
            distinct=self.distinct,
            categories=self.categories,
            n_in_domain=None if self.domain is None else self.n_in_domain,
        )

    def add(self, array: pa.Array) -> None:
        self.n_rows += len(array)
        self.classes[Lexical.NULL] += array.null_count
        array = array.drop_null() if array.null_count else array
        if len(array) == 0:
            return
        if self.is_integer:
            self.classes[Lexical.INTEGRAL] += len(array)
            self.add_numbers(_numbers(array))
        elif self.is_real:
            values = _numbers(array)
            present = values[~np.isnan(values)]
            self.classes[Lexical.NULL] += values.shape[0] - present.shape[0]
            self.classes[Lexical.FRACTIONAL] += present.shape[0]
            self.add_numbers(present)
        else:
            self.add_texts(self.texts(array))

    def texts(self, array: pa.Array) -> pa.Array:
        if pa.types.is_dictionary(array.type):
            array = array.dictionary_decode()
        if pa.types.is_string(array.type) or pa.types.is_large_string(array.type):
            return array
        try:
            return pc.cast(array, pa.large_string())
        except (pa.ArrowNotImplementedError, pa.ArrowInvalid):
            raise SchemaError(
                f"a column of type {array.type} cannot be analysed: it has no text form",
                code="E-COLUMN-TYPE",
                field=self.field.name,
                fix="leave the column out or flatten it first",
            ) from None

    def add_numbers(self, values: NDArray[Any]) -> None:
        finite = values if values.dtype.kind == "i" else values[np.isfinite(values)]
        self.moments = self.moments.update(finite)
        self.sketch = self.sketch.update(finite.astype(np.float64, copy=False))

    def add_texts(self, texts: pa.Array) -> None:
        codes: NDArray[np.int32] | None = None
        # Columns that repeat themselves are read once per different text; that also gives the categories.
        if self.categories is not None or _repeats(texts):
            encoded = texts.dictionary_encode()
            texts, codes = encoded.dictionary, encoded.indices.to_numpy()
        counts = np.ones(len(texts), np.int64) if codes is None else np.bincount(codes, minlength=len(texts))
        offsets, data = _layout(texts)
        if self.field.textual:
            classes = classify(offsets, data)
        else:
            classes = np.full(len(texts), self.typed_class, np.int8)
        self.classes += np.bincount(classes, weights=counts, minlength=len(Lexical)).astype(np.int64)
        present = classes != Lexical.NULL
        self.distinct = self.distinct.weighted(hash_texts(offsets, data)[present], counts[present])
        self.add_categories(texts, present, counts)
        if self.domain is not None:
            known = pc.is_in(texts.cast(pa.large_string()), value_set=self.domain)
            self.n_in_domain += int(counts[known.to_numpy(zero_copy_only=False) & present].sum())
        if self.classes[list(_STRINGS)].any():
            # A String stays a String; the numbers met so far are not its statistics.
            self.moments, self.sketch = Moments(), KLL()
            return
        numbers = parse_numbers(offsets, data, classes)
        row_numbers, row_present = (numbers, present) if codes is None else (numbers[codes], present[codes])
        self.add_numbers(row_numbers[row_present])

    def add_categories(self, texts: pa.Array, present: NDArray[np.bool_], counts: NDArray[np.int64]) -> None:
        if self.categories is None:
            return
        rows = np.flatnonzero(present)
        if rows.shape[0] > MOST_CATEGORIES:
            self.categories = None
            return
        for text, count in zip(texts.take(pa.array(rows)).to_pylist(), counts[rows].tolist(), strict=True):
            self.categories[text] = self.categories.get(text, 0) + count
        if len(self.categories) > MOST_CATEGORIES:
            self.categories = None


def _numbers(array: pa.Array) -> NDArray[Any]:
    """Return an array without nulls as int64 (where it fits) or float64."""
    if pa.types.is_uint64(array.type) and (pc.max(array).as_py() or 0) >= 1 << 63:
        return np.asarray(array.to_numpy(zero_copy_only=False), np.float64)
    if pa.types.is_integer(array.type):
        return np.asarray(array.cast(pa.int64()).to_numpy(zero_copy_only=False))
    return np.asarray(array.cast(pa.float64()).to_numpy(zero_copy_only=False))


def _layout(texts: pa.Array) -> tuple[NDArray[Any], NDArray[np.uint8]]:
    """Return offsets, from 0, and bytes of a string array that may be a slice of a longer one."""
    _, whole, data = texts.buffers()
    kind = np.int32 if pa.types.is_string(texts.type) else np.int64
    offsets = np.frombuffer(whole, kind)[texts.offset : texts.offset + len(texts) + 1]
    raw = np.empty(0, np.uint8) if data is None else np.frombuffer(data, np.uint8)
    return offsets - offsets[0], raw[int(offsets[0]) : int(offsets[-1])]


def _repeats(texts: pa.Array) -> bool:
    """Tell from the first rows whether reading each different text once pays."""
    head = texts.slice(0, _PROBE)
    return len(head.unique()) <= _REPEATS * len(head)
