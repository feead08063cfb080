"""Explanations: the part of Clarify's ``analysis.json`` that holds feature attributions and partial dependence.

::

    {"version": "1.0",
     "explanations": {
        "kernel_shap": {"label0": {"global_shap_values": {"Age": 0.0596}, "expected_value": 0.2506}},
        "pdp": [{"feature_name": "Age", "data_type": "numerical", "feature_values": [20.65],
                 "model_predictions": [[0.17]], "data_distribution": [0.1], "label_headers": ["label0"]}]}}

A known quirk: where the model answers JSON, a file may have the first score (``"0.7956783771514893"``) where
``label0`` belongs. Labels are therefore matched by position where their names differ.
"""

from __future__ import annotations

import csv
import io
import math
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from driftline.documents import Node, decode, encode
from driftline.errors import DocumentError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = [
    "ANALYSIS",
    "DEFAULT_LABEL",
    "Attribution",
    "Dependence",
    "Explanations",
    "default_labels",
    "local_csv",
    "matched",
    "read_explanations",
    "rows_csv",
    "write_explanations",
]

ANALYSIS: Final = "analysis.json"
DEFAULT_LABEL: Final = "label{}"
VERSION: Final = "1.0"
METHOD: Final = "kernel_shap"

MOST_FEATURES: Final = 100_000
_SCORE: Final = re.compile(r"-?\d+\.\d+(e-?\d+)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Attribution:
    """The attributions of one output of a model, over all rows.

    Attributes
    ----------
    label : str
        Name of the output.
    values : mapping of str to float
        By feature, in the order of the file.
    expected_value : float or None
        Mean output on the background.
    extra : mapping
        Other members, such as ``global_top_shap_text``, as they stand.
    """

    label: str
    values: Mapping[str, float]
    expected_value: float | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Dependence:
    """How the mean prediction depends on one feature.

    Attributes
    ----------
    feature : str
    kind : str
        ``numerical``, ``categorical`` or ``free_text``.
    values : tuple of float or str
        Centres of the buckets, or the categories.
    predictions : tuple of tuple of float
        For each label, the mean prediction at each value.
    shares : tuple of float
        Share of rows in each bucket.
    labels : tuple of str
    error : str or None
        Why there is nothing.
    """

    feature: str
    kind: str
    values: tuple[float | str, ...] = ()
    predictions: tuple[tuple[float, ...], ...] = ()
    shares: tuple[float, ...] = ()
    labels: tuple[str, ...] = ()
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Explanations:
    """The explanations of a model.

    Attributes
    ----------
    attributions : tuple of Attribution
        One for each label, in the order of the file.
    dependence : tuple of Dependence
    rest : mapping
        What else the file has, such as the metrics of bias, as it stands.
    """

    attributions: tuple[Attribution, ...]
    dependence: tuple[Dependence, ...] = ()
    rest: Mapping[str, Any] = field(default_factory=dict)

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the outputs."""
        return tuple(one.label for one in self.attributions)

    @property
    def features(self) -> tuple[str, ...]:
        """Names of the features of all labels, in the order of the file."""
        return tuple(dict.fromkeys(name for one in self.attributions for name in one.values))


def default_labels(n: int) -> tuple[str, ...]:
    """Return ``label0``, ``label1``, …."""
    return tuple(DEFAULT_LABEL.format(i) for i in range(n))


def read_explanations(data: bytes | Mapping[str, Any], *, file: object = ANALYSIS) -> Explanations:
    """Read ``analysis.json``, or the object that it holds.

    Raises
    ------
    DocumentError
        If it is malformed, or holds no attributions.
    """
    document = decode(data, file=file) if isinstance(data, bytes) else dict(data)
    root = Node(document, file)
    node = root.get("explanations")
    if node is None:
        raise DocumentError(
            "has no explanations",
            code="E-BASELINE",
            file=file,
            field="explanations",
            fix="give the analysis.json of a job that explained the model",
        )
    shap = node.get(METHOD)
    if shap is None or not shap.object():
        raise DocumentError(
            "has no feature attributions", code="E-BASELINE", file=file, field=f"explanations.{METHOD}"
        )
    attributions = tuple(_attribution(shap, label) for label in shap.object())
    pdp = node.get("pdp")
    dependence = () if pdp is None else tuple(_dependence(item) for item in pdp.items())
    rest = {key: value for key, value in root.object().items() if key not in ("version", "explanations")}
    return Explanations(attributions, dependence, rest)


def write_explanations(explanations: Explanations) -> bytes:
    """Return ``analysis.json``; :func:`read_explanations` of it gives the same again."""
    shap: dict[str, Any] = {}
    for one in explanations.attributions:
        shap[one.label] = {
            "global_shap_values": dict(one.values),
            "expected_value": one.expected_value,
            **dict(one.extra),
        }
    told: dict[str, Any] = {METHOD: shap}
    if explanations.dependence:
        told["pdp"] = [_dependence_document(one) for one in explanations.dependence]
    document = {"version": VERSION, **dict(explanations.rest), "explanations": told}
    return (encode(document, indent=2) + "\n").encode("utf-8", "surrogatepass")


def matched(baseline: Explanations, current: Explanations) -> list[tuple[Attribution, Attribution]]:
    """Pair the labels of two files: by name where the names are the same, else by position.

    Raises
    ------
    DocumentError
        ``E-OUTPUTS`` if they are not as many; ``E-FEATURES`` if the features are not the same.
    """
    if len(baseline.attributions) != len(current.attributions):
        raise DocumentError(
            f"the baseline explains {len(baseline.attributions)} outputs of the model, and now there are "
            f"{len(current.attributions)}",
            code="E-OUTPUTS",
            fix="make the baseline with the same model, or say which output is meant (output under [model])",
        )
    pairs = list(zip(baseline.attributions, current.attributions, strict=True))
    if set(baseline.labels) == set(current.labels):
        by_name = {one.label: one for one in current.attributions}
        pairs = [(one, by_name[one.label]) for one in baseline.attributions]
    for before, now in pairs:
        strange = sorted(before.values.keys() ^ now.values.keys())
        if strange:
            where = "the baseline" if strange[0] in before.values else "the current attributions"
            raise DocumentError(
                f"only {where} has this feature",
                code="E-FEATURES",
                field=strange[0],
                fix="explain the features that the baseline explains, under the same names",
            )
    return pairs


def label_shown(label: str, position: int) -> str:
    """Return the name of a label for people: a score in its place is not one."""
    return DEFAULT_LABEL.format(position) if _SCORE.fullmatch(label) else label


def local_csv(
    features: Sequence[str], labels: Sequence[str], values: Sequence[Sequence[Sequence[float]]]
) -> bytes:
    """Return ``out.csv``: a line for each explained row, a column ``<feature>_<label>`` for each feature and label.

    Parameters
    ----------
    values : nested sequence of float
        By label, row and feature.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([f"{feature}_{label}" for label in labels for feature in features])
    for rows in zip(*values, strict=True):
        writer.writerow([repr(float(value)) for row in rows for value in row])
    return out.getvalue().encode("utf-8", "surrogatepass")


def rows_csv(names: Sequence[str], rows: Sequence[Sequence[Any]]) -> bytes:
    """Return ``baseline.csv``: a header, and the background rows; a missing value is an empty field."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(names)
    for row in rows:
        writer.writerow(
            ["" if cell is None else repr(cell) if isinstance(cell, float) else cell for cell in row]
        )
    return out.getvalue().encode("utf-8", "surrogatepass")


def _attribution(shap: Node, label: str) -> Attribution:
    node = shap[label]
    values = node["global_shap_values"]
    names = values.object()
    if not names:
        raise values.error("holds no feature")
    if len(names) > MOST_FEATURES:
        raise values.error(f"has {len(names):,} features, more than the limit of {MOST_FEATURES:,}")
    numbers = {name: values.number(name) for name in names}
    expected = node.number("expected_value") if node.has("expected_value") else None
    known = ("global_shap_values", "expected_value")
    extra = {key: value for key, value in node.object().items() if key not in known}
    return Attribution(label, numbers, expected, extra)


def _dependence(node: Node) -> Dependence:
    feature = node.text("feature_name")
    kind = node.text("data_type", "numerical")
    if node.has("error"):
        return Dependence(feature, kind, error=node.text("error"))
    values: list[float | str] = []
    for item in node["feature_values"].items():
        value = item.value
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise item.error("expected a number or text")
        values.append(value if isinstance(value, str) else float(value))
    predictions = tuple(_floats(item, len(values)) for item in node["model_predictions"].items())
    shares = node.get("data_distribution")
    headers = node.get("label_headers")
    return Dependence(
        feature,
        kind,
        tuple(values),
        predictions,
        () if shares is None else _floats(shares, len(values)),
        () if headers is None else tuple(str(item.value) for item in headers.items()),
    )


def _floats(node: Node, n: int) -> tuple[float, ...]:
    numbers = []
    for item in node.items():
        value = item.value
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise item.error("expected a number")
        numbers.append(float(value))
    if len(numbers) != n:
        raise node.error(f"has {len(numbers):,} numbers for {n:,} values")
    return tuple(numbers)


def _dependence_document(one: Dependence) -> dict[str, Any]:
    document: dict[str, Any] = {"feature_name": one.feature, "data_type": one.kind}
    if one.error is not None:
        return {**document, "error": one.error}
    return {
        **document,
        "feature_values": list(one.values),
        "model_predictions": [list(row) for row in one.predictions],
        "data_distribution": list(one.shares),
        "label_headers": list(one.labels),
    }
