"""SageMaker Clarify's bias analysis, as it is: types from the sample, its definitions, its texts, its errors.

For comparing with what the managed job wrote, and for monitors that must behave as it did. The default mode of the monitor
does none of this: it freezes types with the baseline and uses complete definitions.

Kept on purpose: a column's type depends on the sample at hand, so that a 0/1 label of at most 40 rows is "continuous" and a
threshold of 1 makes no row positive; values that are missing belong to no group and are not positive; a stage without any
positive prediction fails as a whole.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from driftline.baselines.analysis import Analysis, FacetResult, MetricValue, Stage
from driftline.errors import InputError
from driftline.kernels.fairness import Coded, FairnessState
from driftline.kernels.fairness_metrics import (
    DESCRIPTIONS,
    POST_TRAINING,
    PRE_TRAINING,
    Basics,
    basics,
    metric,
    performance,
    why_undefined,
)
from driftline.kernels.neighbours import flip_test
from driftline.monitor.bias.binary import Kind, canonical, kind_of
from driftline.monitor.bias.column import Column, Dtype

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from driftline.monitor.bias.binary import Scalar

    Flags = NDArray[np.bool_]

__all__ = [
    "Facet",
    "Performance",
    "Question",
    "analyse",
    "basic_statistics",
    "convert_values",
    "model_performance",
    "post_training",
    "pre_training",
    "value_text",
]

_REGISTERED: Final = {
    PRE_TRAINING: ["CI", "DPL", "KL", "JS", "LP", "TVD", "KS", "CDDL"],
    POST_TRAINING: ["DPPL", "DI", "DCA", "DCR", "RD", "SD", "DAR", "DRR", "AD", "CDDPL", "TE", "FT", "GE"],
}
"""The metrics in the order in which an error lists them."""


@dataclass(frozen=True, slots=True)
class Facet:
    """A sensitive column.

    Attributes
    ----------
    name : str
    values : tuple of str, int, float or bool
        The values, or the threshold, that make up the group; empty for each value against the rest.
    """

    name: str
    values: tuple[Scalar, ...] = ()


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of a data set.

    Attributes
    ----------
    label : str
        Name of the column of observed labels.
    positive : tuple of str, int, float or bool
        Label values, or the threshold, that count as positive.
    facets : tuple of Facet
    predicted : str or None
        Name of the column of predicted labels; None where only the labels are analysed.
    group : str or None
        Name of the group variable.
    features : tuple of str or None
        Columns by which the flip test judges similarity (never the facet, the label, the predicted label); None for
        all columns.
    metrics : tuple of str
        Codes; empty for all.
    """

    label: str
    positive: tuple[Scalar, ...]
    facets: tuple[Facet, ...]
    predicted: str | None = None
    group: str | None = None
    features: tuple[str, ...] | None = None
    metrics: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Performance:
    """How well the model predicts, over all rows.

    Attributes
    ----------
    metrics : mapping of str to float
        The ten numbers by SageMaker Clarify's names, in its order.
    binary_confusion : tuple of four floats
        Shares of TP, FP, FN and TN.
    confusion : mapping of str to mapping of str to int, or None
        Rows by true and predicted label, for the labels that occur as truth; None where the label is continuous.
    """

    metrics: Mapping[str, float]
    binary_confusion: tuple[float, float, float, float]
    confusion: Mapping[str, Mapping[str, int]] | None


def _failure(message: str, field: str | None = None, fix: str | None = None) -> InputError:
    return InputError(message, code="E-BIAS-CLARIFY", field=field, fix=fix)


def analyse(columns: Mapping[str, Column], question: Question) -> Analysis:
    """Analyse the bias of the labels and, where there are predictions, of the predictions.

    Parameters
    ----------
    columns : mapping of str to Column
        All columns of the data set, by name, of the same length.
    question : Question

    Returns
    -------
    Analysis

    Raises
    ------
    InputError
        ``E-BIAS-CLARIFY`` where SageMaker Clarify fails as a whole, with its message.
    """
    after = post_training(columns, question) if question.predicted is not None else None
    return Analysis(pre_training=pre_training(columns, question), post_training=after)


def pre_training(columns: Mapping[str, Column], question: Question) -> Stage:
    """Analyse the bias of the labels; see :func:`analyse`."""
    return _stage(columns, question, PRE_TRAINING)


def post_training(columns: Mapping[str, Column], question: Question) -> Stage:
    """Analyse the bias of the predictions; see :func:`analyse`."""
    if question.predicted is None:
        raise _failure(
            "predicted_label_column has to be provided for Post training metrics",
            fix="name the predicted label",
        )
    return _stage(columns, question, POST_TRAINING)


def _stage(columns: Mapping[str, Column], question: Question, stage: tuple[str, ...]) -> Stage:
    names = _names(question, stage)
    positive, predicted = _outcomes(columns, question, with_predictions=stage is POST_TRAINING)
    facets: dict[str, list[FacetResult]] = {}
    for facet in question.facets:
        for text, is_d in _groups(columns, facet):
            table = _table(columns, question, is_d, positive, predicted)
            values = []
            for name in names:
                if name == "FT":
                    features = _features(columns, question, facet)
                    assert predicted is not None
                    values.append(_flip(features, is_d, predicted))
                    continue
                error = why_undefined(name, table, compat=True)
                value = None if error else float(metric(name, table, compat=True))
                if name == "GE" and value is not None and predicted is not None:
                    value = _entropy(positive, predicted)
                values.append(MetricValue(name, DESCRIPTIONS[name], value, error))
            facets.setdefault(facet.name, []).append(FacetResult(text, tuple(values)))
    return Stage(
        question.label,
        value_text(_column(columns, question.label), question.positive),
        {name: tuple(results) for name, results in facets.items()},
    )


def _entropy(positive: Flags, predicted: Flags) -> float:
    """Return the generalized entropy, added up row by row as Clarify does: its texts have the last digit."""
    benefit = predicted.astype(np.int64) - positive.astype(np.int64) + 1
    return float(((benefit / benefit.mean()) ** 2 - 1).sum() / (benefit.shape[0] * 2))


def _names(question: Question, stage: tuple[str, ...]) -> tuple[str, ...]:
    if not question.metrics:
        return stage
    for name in question.metrics:
        if name not in DESCRIPTIONS:
            raise _failure(
                f"Invalid metric_name: metrics should be one of the registered metrics{_REGISTERED[stage]}",
                field=name,
                fix="remove it, or correct its spelling",
            )
    return tuple(name for name in stage if name in question.metrics)


def _column(columns: Mapping[str, Column], name: str) -> Column:
    if name not in columns:
        raise _failure("this column is not in the data", name, f"it has {', '.join(list(columns)[:10])}")
    return _as_pandas(columns[name])


def _as_pandas(column: Column) -> Column:
    """Give whole numbers among which some are missing as fractional ones, and such booleans as categories."""
    if not column.n_missing:
        return column
    if column.dtype is Dtype.INTEGER:
        return Column(column.name, Dtype.FLOAT, column.values.astype(np.float64), column.valid)
    if column.dtype is Dtype.BOOLEAN:
        words, codes = column.distinct()
        return Column(column.name, Dtype.CATEGORY, np.maximum(codes, 0), column.valid, words)
    return column


def _typed(column: Column, values: Sequence[Scalar]) -> tuple[Kind, tuple[Scalar, ...]]:
    """Return the type of a column, and the values, of which a threshold has become a number."""
    kind = kind_of(column, len(values))
    if kind is Kind.CATEGORICAL or not values or isinstance(values[0], (int, float)):
        return kind, tuple(values)
    try:
        return kind, (float(values[0]), *values[1:])
    except ValueError:
        raise _failure(
            "Facet/label value provided must be a single numeric threshold for continuous data", column.name
        ) from None


def _outcomes(
    columns: Mapping[str, Column], question: Question, *, with_predictions: bool
) -> tuple[Flags, Flags | None]:
    """Return which rows are positive, and predicted to be."""
    for facet in question.facets:
        if facet.name not in columns:
            raise _failure(f"Facet column {facet.name} is not present in the dataset", facet.name)
    if not question.positive:
        raise _failure("Positive label values or thresholds are empty for Label column", question.label)
    label = _column(columns, question.label)
    if label.n_rows == 0:
        raise _failure("the data have no rows", fix="give data with rows in it")
    kind, values = _typed(label, question.positive)
    positive = _flags(label, kind, values, label)
    if not with_predictions or question.predicted is None:
        return positive, None
    predicted = _column(columns, question.predicted)
    own, values = _typed(predicted, values)
    if own is not kind:
        raise _failure(
            "Predicted Label Column series datatype is not the same as Label Column series",
            question.predicted,
            f"the labels are {kind} and the predictions {own}: give both the same type",
        )
    guesses = _flags(predicted, kind, values, label)
    if not guesses.any():
        raise _failure(
            "No Label values are present in the predicted Label Column,"
            "Positive Predicted Index Series contains all False values",
            question.predicted,
        )
    return positive, guesses


def _flags(column: Column, kind: Kind, values: tuple[Scalar, ...], label: Column) -> Flags:
    """Reduce a column to booleans; `label` is the column of labels where this is their prediction, else the same."""
    if kind is Kind.CATEGORICAL:
        return _equal(column, values)
    numbers, reach = column.numbers(), label.numbers()
    if column is not label:
        if (
            label.dtype is not Dtype.FLOAT
        ):  # predictions take the type of the labels, which cuts fractions off
            numbers = np.trunc(numbers)
        reach = np.concatenate([reach, numbers])
    return _within(numbers, _interval(reach, values))


def _groups(columns: Mapping[str, Column], facet: Facet) -> list[tuple[str, Flags]]:
    """Return the groups of a facet: the text of each, and the rows that belong to it."""
    column = _column(columns, facet.name)
    kind, values = _typed(column, facet.values)
    if kind is Kind.CONTINUOUS:
        interval = _interval(column.numbers(), values)
        return [(_interval_text(interval, column, values), _within(column.numbers(), interval))]
    if values:
        return [(",".join(str(value) for value in values), _equal(column, values))]
    return [(str(word), _equal(column, (word,))) for word in column.distinct()[0]]


def _equal(column: Column, values: tuple[Scalar, ...]) -> Flags:
    found = _is_one_of(column, values)
    return found if found.any() else _is_one_of(column, convert_values(column, values))


def _is_one_of(column: Column, values: tuple[Scalar, ...]) -> Flags:
    words, codes = column.distinct()
    # 1 equals 1.0, and neither equals True or "1".
    wanted = {(value, isinstance(value, bool)) for value in values}
    return np.array([*((word, isinstance(word, bool)) in wanted for word in words), False], bool)[codes]


def convert_values(column: Column, values: tuple[Scalar, ...]) -> tuple[Scalar, ...]:
    """Give configured values the type of a column's first element.

    Raises
    ------
    InputError
        ``E-BIAS-CLARIFY`` if that is impossible.
    """
    first = column.first()
    try:
        if isinstance(first, bool):
            return tuple(bool(value) for value in values)
        if isinstance(first, str):
            return tuple(str(value) for value in values)
        if isinstance(first, int):
            try:
                return tuple(int(value) for value in values)
            except ValueError:
                return tuple(float(value) for value in values)
        return tuple(float(value) for value in values)
    except ValueError as error:
        raise _failure(
            f"no row has {' or '.join(repr(value) for value in values)}, and {error}",
            column.name,
            "configure values that the column has",
        ) from None


def _interval(reach: NDArray[np.float64], values: tuple[Scalar, ...]) -> tuple[float, float] | None:
    """Return the half-open interval (low, high] that a threshold and the largest value span; None where there is none."""
    if not values:
        raise _failure("Threshold values must be provided for continuous features")
    threshold = float(values[0])
    known = reach[~np.isnan(reach)]
    most = float(known.max()) if known.shape[0] else threshold
    if abs(most) == threshold:
        return None
    return min(threshold, most), max(threshold, most)


def _within(numbers: NDArray[np.float64], interval: tuple[float, float] | None) -> Flags:
    if interval is None:
        return np.zeros(numbers.shape[0], bool)
    with np.errstate(invalid="ignore"):
        return (numbers > interval[0]) & (numbers <= interval[1])


def _interval_text(interval: tuple[float, float] | None, column: Column, values: tuple[Scalar, ...]) -> str:
    if interval is None:
        return ""
    is_whole = isinstance(values[0], int) and column.dtype is not Dtype.FLOAT
    low, high = (str(int(end)) if is_whole else repr(end) for end in interval)
    return f"({low}, {high}]"


def value_text(column: Column, values: tuple[Scalar, ...]) -> str:
    """Return the text for the positive values or the threshold of a label column.

    Raises
    ------
    InputError
        ``E-BIAS-CLARIFY``, as :func:`analyse`.
    """
    if not values:
        raise _failure("Positive label values or thresholds are empty for Label column", column.name)
    column = _as_pandas(column)
    kind, values = _typed(column, values)
    if kind is Kind.CATEGORICAL:
        return ",".join(str(value) for value in values)
    return _interval_text(_interval(column.numbers(), values), column, values)


def _table(
    columns: Mapping[str, Column],
    question: Question,
    is_d: Flags,
    positive: Flags,
    predicted: Flags | None,
) -> NDArray[np.int64]:
    group = None
    if question.group is not None:
        words, codes = _column(columns, question.group).distinct()
        # Clarify adds the groups up in their order, which shows in the last digit of its texts.
        ordered = sorted(range(len(words)), key=lambda i: (isinstance(words[i], str), words[i]))
        place = {i: n for n, i in enumerate(ordered)}
        group = Coded(tuple(f"{place[i]:09d} {word}" for i, word in enumerate(words)), codes)
    guesses = positive if predicted is None else predicted
    state = FairnessState().update(
        Coded(("a", "d"), is_d.astype(np.int64)), group, positive.astype(np.int8), guesses.astype(np.int8)
    )
    return state.table("d")


def _features(columns: Mapping[str, Column], question: Question, facet: Facet) -> list[Column]:
    names = columns if question.features is None else question.features
    left_out = {question.label, question.predicted, facet.name}
    return [_column(columns, name) for name in names if name not in left_out]


def _flip(features: list[Column], is_d: Flags, predicted: Flags) -> MetricValue:
    description = DESCRIPTIONS["FT"]

    def failed(error: str) -> MetricValue:
        return MetricValue("FT", description, None, error)

    if not is_d.any():
        return failed("Facet set is empty")
    if is_d.all():
        return failed("Negated Facet set is empty")
    if any(column.is_coded for column in features):
        return failed("FlipTest does not support non-numeric columns")
    if not features:
        return failed("Found array with 0 feature(s) while a minimum of 1 is required.")
    matrix = np.column_stack([column.numbers() for column in features])
    if np.isnan(matrix).any():
        return failed("Input X contains NaN.")
    if np.isinf(matrix).any():
        return failed("Input X contains infinity or a value too large for dtype('float64').")
    return MetricValue("FT", description, flip_test(matrix, is_d, predicted).value)


def basic_statistics(columns: Mapping[str, Column], question: Question) -> dict[str, dict[str, Basics]]:
    """Return the size, the labels and the confusion matrix of every group, by facet and value; see :func:`analyse`."""
    positive, predicted = _outcomes(columns, question, with_predictions=question.predicted is not None)
    return {
        facet.name: {
            text: basics(_table(columns, question, is_d, positive, predicted))
            for text, is_d in _groups(columns, facet)
        }
        for facet in question.facets
    }


def model_performance(columns: Mapping[str, Column], question: Question) -> Performance:
    """Return how well the model predicts, over all rows; see :func:`analyse`."""
    positive, predicted = _outcomes(columns, question, with_predictions=True)
    if predicted is None or question.predicted is None:
        raise _failure("predicted_label_column has to be provided for Post training metrics")
    everybody = np.ones(positive.shape[0], bool)
    table = _table(columns, question, everybody, positive, predicted)
    label = _column(columns, question.label)
    is_category = kind_of(label, len(question.positive)) is Kind.CATEGORICAL
    return Performance(
        {name: float(value) for name, value in performance(table).items()},
        basics(table).confusion,
        _confusion(label, _column(columns, question.predicted)) if is_category else None,
    )


def _confusion(label: Column, predicted: Column) -> dict[str, dict[str, int]]:
    words, truth = label.distinct()
    order = sorted(range(len(words)), key=lambda i: (isinstance(words[i], str), words[i]))
    texts = [str(words[i]) for i in order]
    rank = np.array([*np.argsort(np.array(order, np.int64)), -1], np.int64)
    place = {canonical(words[i]): r for r, i in enumerate(order)}
    guesses, guess = predicted.distinct()
    found = np.array([*(place.get(canonical(word), -1) for word in guesses), -1], np.int64)[guess]
    rows = rank[truth]
    known = (rows >= 0) & (found >= 0)
    k = len(texts)
    counts = np.bincount(rows[known] * k + found[known], minlength=k * k).reshape(k, k)
    return {texts[i]: {texts[j]: int(counts[i, j]) for j in range(k)} for i in range(k)}
