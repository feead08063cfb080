"""Frozen: how the columns are read, decided once on the baseline's data and applied to every window.

Whether 45 is a threshold or a value, which labels are positive, which groups there are and where the group variable is cut:
none of this is looked for in live data again, so that a short or odd window cannot change what a metric means.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from driftline.errors import SchemaError
from driftline.kernels.fairness import Coded
from driftline.monitor.bias.binary import (
    OTHER,
    Kind,
    Rule,
    canonical,
    coded,
    freeze,
    group_of,
    read_rule,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from driftline.documents import Node
    from driftline.monitor.bias.column import Column
    from driftline.monitor.bias.settings import FacetSetting, Settings

__all__ = ["MOST_KNOWN", "Axis", "Frozen", "Group", "GroupRule", "freeze_columns", "read_frozen"]

MOST_KNOWN: Final = 50
"""Most values of a label, or of a facet, that are remembered in order to notice new ones."""


@dataclass(frozen=True, slots=True)
class Group:
    """Somebody who is looked at, against everybody else.

    Attributes
    ----------
    facet : str
        Name of the facet: the column, or the columns joined by ``" & "``.
    value : str
        As ``analysis.json`` has it: a value, an interval, or several joined by ``" & "``.
    text : str
        As reports have it, such as ``sex=Female & race=Black``.
    name, others : str
        How sentences call the group and the rest.
    """

    facet: str
    value: str
    text: str
    name: str
    others: str


@dataclass(frozen=True, slots=True)
class Axis:
    """One facet column, or several that are crossed: every row falls into one of its groups, or none.

    Attributes
    ----------
    columns : tuple of str
    rules : tuple of tuple of Rule
        For each column, which values make a group.
    names : tuple of (str or None, str or None)
        What the settings call each column's group and its others.
    known : tuple of tuple of str
        For each column, the values that the baseline had; empty where it had too many to tell, or numbers.
    """

    columns: tuple[str, ...]
    rules: tuple[tuple[Rule, ...], ...]
    names: tuple[tuple[str | None, str | None], ...] = ()
    known: tuple[tuple[str, ...], ...] = ()

    @property
    def facet(self) -> str:
        """Name of the facet."""
        return " & ".join(self.columns)

    @property
    def groups(self) -> tuple[Group, ...]:
        """Everybody who is looked at."""
        found = []
        for rules in product(*self.rules):
            value = " & ".join(rule.text for rule in rules)
            text = " & ".join(f"{rule.column}={rule.text}" for rule in rules)
            name = f"rows with {' and '.join(_told(rule) for rule in rules)}"
            others = "all other rows"
            if len(rules) == 1:
                name, others = self._named(name, rules[0])
            found.append(Group(self.facet, value, text, name, others))
        return tuple(found)

    def _named(self, plain: str, rule: Rule) -> tuple[str, str]:
        name, others = self.names[0] if self.names else (None, None)
        if others is None:
            others = "all other rows"
            rest = [word for word in self.known[0] if word not in {canonical(value) for value in rule.values}]
            if rule.threshold is not None:
                others = f"rows with {rule.column} up to {rule.threshold:g}"
            elif len(rest) == 1:
                others = f"rows with {rule.column}={rest[0]}"
        return name or plain, others

    def coded(self, columns: Mapping[str, Column]) -> Coded:
        """Say to which group every row belongs, by the group's value; ``(other)`` for none."""
        parts = [coded(rules, columns[name]) for name, rules in zip(self.columns, self.rules, strict=True)]
        if len(parts) == 1:
            return parts[0]
        words = [" & ".join(texts) for texts in product(*(part.words[:-1] for part in parts))]
        code = np.zeros(parts[0].codes.shape[0], np.int64)
        other = np.zeros(code.shape[0], bool)
        missing = np.zeros(code.shape[0], bool)
        for part in parts:
            n = len(part.words) - 1
            missing |= part.codes < 0
            other |= part.codes == n
            code = code * n + np.clip(part.codes, 0, n - 1)
        code[other] = len(words)
        code[missing] = -1
        return Coded((*words, OTHER), code)

    def document(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "columns": list(self.columns),
            "rules": [[rule.document() for rule in rules] for rules in self.rules],
            "names": [list(pair) for pair in self.names],
            "known": [list(words) for words in self.known],
        }


def _told(rule: Rule) -> str:
    return (
        f"{rule.column}={rule.text}" if rule.threshold is None else f"{rule.column} above {rule.threshold:g}"
    )


@dataclass(frozen=True, slots=True)
class GroupRule:
    """How the group variable is read.

    Attributes
    ----------
    column : str
    edges : tuple of float
        Where numbers are cut: a value belongs to the piece that ends at the first edge not below it.
    values : tuple of str
        Where it is not cut: the values that keep a group of their own, all others share one. Empty where all do.
    """

    column: str
    edges: tuple[float, ...] = ()
    values: tuple[str, ...] = ()

    def coded(self, column: Column) -> Coded:
        """Say to which piece or value every row belongs."""
        if not self.edges:
            found = group_of(column)
            if not self.values:
                return found
            place = {word: i for i, word in enumerate(self.values)}
            moved = np.array([*(place.get(word, len(self.values)) for word in found.words), -1], np.int64)
            return Coded((*self.values, OTHER), moved[found.codes])
        numbers = column.numbers()
        codes = np.searchsorted(np.array(self.edges), numbers, side="left").astype(np.int64)
        codes[np.isnan(numbers)] = -1
        return Coded(self.words, codes)

    @property
    def words(self) -> tuple[str, ...]:
        """The pieces, as people read them."""
        if not self.edges:
            return self.values
        ends = [f"{edge:g}" for edge in self.edges]
        inner = [f"({low}, {high}]" for low, high in zip(ends, ends[1:], strict=False)]
        # Two edges that look alike would be one piece.
        return tuple(f"{i:04d} {text}" for i, text in enumerate([f"≤ {ends[0]}", *inner, f"> {ends[-1]}"]))

    def document(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {"column": self.column, "edges": list(self.edges), "values": list(self.values)}


@dataclass(frozen=True, slots=True)
class Frozen:
    """How all columns are read.

    Attributes
    ----------
    label : Rule or None
        Which labels are positive; None where there is no label.
    prediction : Rule or None
        Which predictions are positive; None where they come from a probability, or there are none.
    axes : tuple of Axis
    group : GroupRule or None
    features : tuple of str
        Columns of the flip test.
    known_labels : tuple of str
        Label values that the baseline had; empty where it had too many to tell.
    """

    label: Rule | None
    prediction: Rule | None
    axes: tuple[Axis, ...]
    group: GroupRule | None = None
    features: tuple[str, ...] = ()
    known_labels: tuple[str, ...] = ()

    @property
    def positive_text(self) -> str:
        """What counts as positive, as ``analysis.json`` has it."""
        rule = self.label or self.prediction
        return "1" if rule is None else rule.text

    def document(self) -> dict[str, Any]:
        """Return plain JSON values, which :func:`read_frozen` reads."""
        return {
            "label": None if self.label is None else self.label.document(),
            "prediction": None if self.prediction is None else self.prediction.document(),
            "axes": [axis.document() for axis in self.axes],
            "group": None if self.group is None else self.group.document(),
            "features": list(self.features),
            "known_labels": list(self.known_labels),
        }


def read_frozen(node: Node) -> Frozen:
    """Read what :meth:`Frozen.document` gave.

    Raises
    ------
    DocumentError
    """
    from driftline.baselines.index import texts_of

    axes = []
    for item in node["axes"].items():
        columns = texts_of(item["columns"])
        rules = tuple(tuple(read_rule(rule) for rule in rules.items()) for rules in item["rules"].items())
        known = tuple(texts_of(words) for words in item["known"].items())
        names = []
        for pair in item["names"].items():
            found = [None if end.value is None else str(end.value) for end in pair.items()]
            if len(found) != 2:
                raise pair.error("expected two names")
            names.append((found[0], found[1]))
        if not len(columns) == len(rules) == len(known) == len(names) or not columns:
            raise item.error("columns, rules, known and names must be of one length")
        axes.append(Axis(columns, rules, tuple(names), known))
    group = None
    if node.has("group"):
        inner = node["group"]
        edges = tuple(_number(edge) for edge in inner["edges"].items())
        group = GroupRule(inner.text("column"), edges, texts_of(inner["values"]))
    return Frozen(
        read_rule(node["label"]) if node.has("label") else None,
        read_rule(node["prediction"]) if node.has("prediction") else None,
        tuple(axes),
        group,
        texts_of(node["features"]),
        texts_of(node["known_labels"]),
    )


def _number(node: Node) -> float:
    if isinstance(node.value, bool) or not isinstance(node.value, int | float):
        raise node.error("expected a number")
    return float(node.value)


def freeze_columns(columns: Mapping[str, Column], settings: Settings, features: Sequence[str] = ()) -> Frozen:
    """Decide how columns are read, on the baseline's data.

    Parameters
    ----------
    columns : mapping of str to Column
        All columns that the settings name, by that name, whole.
    settings : Settings
    features : sequence of str
        Columns of the flip test.

    Returns
    -------
    Frozen

    Raises
    ------
    SchemaError
        ``E-BIAS-VALUE`` where the data cannot be read so: no row is positive, or of the group.
    """
    kind = None if settings.label_kind == "auto" else Kind(settings.label_kind)
    label = prediction = None
    if settings.label is not None:
        (label,) = freeze(columns[settings.label], settings.positive, role="label", kind=kind)
    if settings.prediction is not None:
        found = columns[settings.prediction]
        if label is None:
            (prediction,) = freeze(found, settings.positive, role="label", kind=kind)
        else:
            prediction = Rule(
                settings.prediction, label.kind, label.values, label.threshold, label.text, label.note
            )
            _refuse_strangers(prediction, found, columns[settings.label or ""])
    named = {facet.column: (facet.name, facet.others) for facet in settings.facets}
    axes = [
        _axis((facet,), columns, settings, {facet.column: (facet.name, facet.others)})
        for facet in settings.facets
    ]
    for crossed in settings.intersections:
        facets = tuple(_facet_of(column, settings) for column in crossed)
        axes.append(_axis(facets, columns, settings, named))
    known: tuple[str, ...] = ()
    if label is not None and label.threshold is None:
        known = _known(columns[settings.label or ""])
    group = None if settings.group is None else _group(columns[settings.group], settings)
    return Frozen(label, prediction, tuple(axes), group, tuple(features), known)


def _refuse_strangers(rule: Rule, predictions: Column, labels: Column) -> None:
    """Refuse predictions that are of another kind than the labels: all of them would count as negative."""
    if rule.threshold is not None:
        if predictions.n_valid and not (predictions.numbers() == predictions.numbers()).any():
            raise _mismatch(rule, predictions, labels)
        return
    theirs = {canonical(word) for word in predictions.distinct()[0]}
    ours = {canonical(word) for word in labels.distinct()[0]}
    if theirs and not theirs & ours:
        raise _mismatch(rule, predictions, labels)


def _mismatch(rule: Rule, predictions: Column, labels: Column) -> SchemaError:
    def some(column: Column) -> str:
        words = sorted(str(word) for word in column.distinct()[0][:1000])
        return ", ".join(words[:4]) + (", …" if len(words) > 4 else "")

    return SchemaError(
        f"predictions ({some(predictions)}) have no value in common with the labels of {labels.name!r} ({some(labels)})",
        code="E-BIAS-VALUE",
        field=rule.column,
        fix="name the column of the predicted label, or give the probability and a threshold",
    )


def _facet_of(column: str, settings: Settings) -> FacetSetting:
    from driftline.monitor.bias.settings import FacetSetting

    return next((facet for facet in settings.facets if facet.column == column), FacetSetting(column))


def _axis(
    facets: tuple[FacetSetting, ...],
    columns: Mapping[str, Column],
    settings: Settings,
    named: Mapping[str, tuple[str | None, str | None]],
) -> Axis:
    rules, names, known = [], [], []
    for facet in facets:
        column = columns[facet.column]
        values = (facet.threshold,) if facet.threshold is not None else facet.values or ()
        found = freeze(column, values, kind=None if facet.kind == "auto" else Kind(facet.kind))
        if not values and len(found) > settings.max_values:
            found = _frequent(column, found, settings.max_values)
        rules.append(found)
        # A name is for the one group that the settings give; each of many values has its own.
        names.append(named.get(facet.column, (None, None)) if len(found) == 1 else (None, None))
        known.append(_known(column) if all(rule.threshold is None for rule in found) else ())
    n = int(np.prod([len(found) for found in rules]))
    if n > 10 * settings.max_values:
        raise SchemaError(
            f"there are {n:,} combinations of these columns, more than the limit of {10 * settings.max_values:,}",
            code="E-BIAS-VALUE",
            field=" & ".join(facet.column for facet in facets),
            fix="give the values that matter, or raise max_values",
        )
    return Axis(tuple(facet.column for facet in facets), tuple(rules), tuple(names), tuple(known))


def _frequent(column: Column, rules: tuple[Rule, ...], most: int) -> tuple[Rule, ...]:
    words, codes = column.distinct()
    counts = np.bincount(codes[codes >= 0], minlength=len(words))
    by_text = {canonical(word): int(count) for word, count in zip(words, counts, strict=True)}
    ranked = sorted(rules, key=lambda rule: (-by_text.get(canonical(rule.values[0]), 0), rule.text))[:most]
    return tuple(rule for rule in rules if rule in ranked)


def _known(column: Column) -> tuple[str, ...]:
    words = {canonical(word) for word in column.distinct()[0]}
    return tuple(sorted(words)) if len(words) <= MOST_KNOWN else ()


def _group(column: Column, settings: Settings) -> GroupRule:
    words, codes = column.distinct()
    if column.is_number and len(words) > settings.group_bins:
        numbers = column.numbers()
        present = numbers[np.isfinite(numbers)]
        levels = np.arange(1, settings.group_bins) / settings.group_bins
        edges = np.unique(np.quantile(present, levels, method="inverted_cdf"))
        edges = edges[edges < present.max()]
        if not edges.shape[0]:  # nearly all rows have the largest value
            edges = present[present < present.max()].max(keepdims=True)
        return GroupRule(column.name, tuple(float(edge) for edge in edges))
    texts = [canonical(word) for word in words]
    if len(set(texts)) <= MOST_KNOWN:
        return GroupRule(column.name)
    counts: dict[str, int] = {}
    for text, count in zip(texts, np.bincount(codes[codes >= 0], minlength=len(words)).tolist(), strict=True):
        counts[text] = counts.get(text, 0) + count
    ranked = sorted(counts, key=lambda text: (-counts[text], text))[:MOST_KNOWN]
    return GroupRule(column.name, values=tuple(sorted(ranked)))
