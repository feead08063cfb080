"""Numbers: the metrics of one side, the baseline's or the current data's, of every group, with their uncertainty."""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from driftline.baselines.analysis import Analysis, FacetResult, MetricValue, Stage
from driftline.kernels.fairness_metrics import DESCRIPTIONS, POST_TRAINING, PRE_TRAINING
from driftline.monitor.bias.binary import Kind, Rule
from driftline.monitor.bias.frozen import Axis, Frozen, Group, GroupRule
from driftline.monitor.bias.intervals import Estimate, Needs, estimates, scaled

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from driftline.monitor.bias.counting import Counted
    from driftline.monitor.bias.settings import FacetSetting, Settings

__all__ = [
    "EVERYBODY",
    "Numbers",
    "analysis_of",
    "frozen_of",
    "needs_of",
    "numbers_of",
    "numbers_of_analysis",
]

EVERYBODY: Final = Group("", "", "", "all rows", "")
"""Whom metrics are about that know no groups."""

UNGROUPED: Final = ("GE",)
"""Metrics that know no groups."""


@dataclass(frozen=True)
class Numbers:
    """The metrics of one side.

    Attributes
    ----------
    estimates : mapping of (str, str) to Estimate
        By the group's text and the code; the text is empty for metrics that know no groups.
    tables : mapping of str to ndarray of int64, shape (2, G + 1, 3, 3)
        Counts by the group's text; none where only the metrics are known.
    n_rows : int
    """

    estimates: Mapping[tuple[str, str], Estimate]
    tables: Mapping[str, NDArray[np.int64]] = field(default_factory=dict)
    n_rows: int = 0


def needs_of(settings: Settings) -> Needs:
    """Return what a sample must have."""
    return Needs(settings.min_rows, settings.min_events, settings.replicates, settings.seed)


def numbers_of(
    counted: Counted, frozen: Frozen, settings: Settings, flips: Mapping[str, Estimate] | None = None
) -> Numbers:
    """Measure every group.

    Parameters
    ----------
    counted : Counted
    frozen : Frozen
    settings : Settings
    flips : mapping of str to Estimate, optional
        The flip test by the group's text, where it was done before.

    Returns
    -------
    Numbers
    """
    codes = [code for code in settings.codes if code not in ("FT", *UNGROUPED)]
    found: dict[tuple[str, str], Estimate] = {}
    tables = {}
    for i, axis in enumerate(frozen.axes):
        for group in axis.groups:
            table = tables[group.text] = counted.cells[i].table(group.value)
            needs = replace(needs_of(settings), seed=_seed(settings, group.text))
            for code, estimate in estimates(table, codes, needs).items():
                found[group.text, code] = estimate
            if "FT" in settings.codes:
                known = None if flips is None else flips.get(group.text)
                found[group.text, "FT"] = known or _flip(counted, frozen, settings, i, axis, group)
    if "GE" in settings.codes:
        # Rows without a facet value count here, so the cells are added up without regard to it.
        whole = counted.cells[0].cells.counts.sum(axis=0).reshape(3, 3)
        table = np.zeros((2, 1, 3, 3), np.int64)
        table[1, 0] = whole
        found["", "GE"] = estimates(table, ("GE",), needs_of(settings))["GE"]
    return Numbers(found, tables, counted.n_rows)


def _seed(settings: Settings, text: str) -> int:
    return (settings.seed + zlib.crc32(text.encode("utf-8", "surrogatepass"))) % (1 << 63)


def _flip(
    counted: Counted, frozen: Frozen, settings: Settings, at: int, axis: Axis, group: Group
) -> Estimate:
    from driftline.monitor.bias.flips import flip_estimate

    if not counted.samples:
        reason = "there is no numeric feature to judge similarity by"
        return Estimate("FT", None, None, 0.0, counted.n_rows, reason)
    return flip_estimate(
        counted.samples[at],
        group.value,
        [i for i, name in enumerate(frozen.features) if name not in axis.columns],
        most=settings.flip_rows,
        min_rows=settings.min_rows,
        standardise=settings.standardise,
        seed=_seed(settings, group.text),
    )


def analysis_of(numbers: Numbers, frozen: Frozen, settings: Settings) -> Analysis:
    """Write the metrics as an :class:`~driftline.baselines.analysis.Analysis`, in the default definitions.

    Metrics that know no groups stand with every group, as SageMaker has them.
    """
    stages: dict[str, Stage | None] = {"pre": None, "post": None}
    for stage, codes in (("pre", PRE_TRAINING), ("post", POST_TRAINING)):
        wanted = [code for code in codes if code in settings.codes]
        if not wanted:
            continue
        facets: dict[str, list[FacetResult]] = {}
        for axis in frozen.axes:
            for group in axis.groups:
                metrics = tuple(_metric_value(numbers, group, code) for code in wanted)
                facets.setdefault(group.facet, []).append(FacetResult(group.value, metrics))
        label = settings.label or settings.prediction or settings.probability or ""
        stages[stage] = Stage(
            label, frozen.positive_text, {name: tuple(found) for name, found in facets.items()}
        )
    return Analysis(pre_training=stages["pre"], post_training=stages["post"])


def _metric_value(numbers: Numbers, group: Group, code: str) -> MetricValue:
    estimate = numbers.estimates["" if code in UNGROUPED else group.text, code]
    extra: dict[str, Any] = {}
    if estimate.error and estimate.code not in ("DI", "KL", "JS"):
        extra["standard_error"] = estimate.error
    error = None if estimate.value is not None else estimate.reason or "not defined"
    return MetricValue(code, DESCRIPTIONS[code], estimate.value, error, extra)


_INTERVAL: Final = re.compile(r"\((\S+), (\S+)\]")


def numbers_of_analysis(analysis: Analysis, frozen: Frozen, settings: Settings) -> Numbers:
    """Read the metrics of an analysis; nothing is known about their uncertainty.

    Parameters
    ----------
    analysis : Analysis
    frozen : Frozen
    settings : Settings

    Returns
    -------
    Numbers
    """
    found: dict[tuple[str, str], Estimate] = {}
    for stage in analysis.stages.values():
        for axis in frozen.axes:
            for group in axis.groups:
                result = stage.facet(group.facet, group.value)
                for metric in () if result is None else result.metrics:
                    if metric.name in settings.codes:
                        text = "" if metric.name in UNGROUPED else group.text
                        found[text, metric.name] = _known(metric.name, metric.value, metric.error)
    return Numbers(found)


def _known(code: str, value: float | None, error: str | None) -> Estimate:
    if value is None:
        return Estimate(code, None, None, 0.0, 0, error or "it has no value")
    t = scaled(code, float(value))
    if not np.isfinite(t):
        return Estimate(code, float(value), None, 0.0, 0, "it is infinite" if np.isinf(value) else "it is 0")
    return Estimate(code, float(value), t)


def frozen_of(analysis: Analysis, settings: Settings, features: tuple[str, ...] = ()) -> Frozen:
    """Tell from Clarify's analysis how the columns were read when it was made.

    Parameters
    ----------
    analysis : Analysis
    settings : Settings
    features : tuple of str
        Columns of the flip test.

    Returns
    -------
    Frozen
        With the facets that both the analysis and the settings have.
    """
    axes = []
    for facet in settings.facets:
        values = {
            one.value_or_threshold: None
            for stage in analysis.stages.values()
            for one in stage.facets.get(facet.column, ())
        }
        wanted = _wanted(facet, list(values))
        if wanted:
            rules = tuple(_rule(facet.column, text, facet.values) for text in wanted)
            named = ((facet.name, facet.others),) if len(rules) == 1 else ((None, None),)
            axes.append(Axis((facet.column,), (rules,), named, ((),)))
    stage = next(iter(analysis.stages.values()))
    label = prediction = None
    if settings.label is not None:
        label = _rule(settings.label, stage.label_value_or_threshold, settings.positive)
    if settings.prediction is not None:
        prediction = _rule(settings.prediction, stage.label_value_or_threshold, settings.positive)
    group = None if settings.group is None else GroupRule(settings.group)
    return Frozen(label, prediction, tuple(axes), group, features)


def _wanted(facet: FacetSetting, texts: list[str]) -> list[str]:
    if facet.values is None and facet.threshold is None:
        return texts
    given = facet.values if facet.threshold is None else (facet.threshold,)
    assert given is not None
    joined = ",".join(str(value) for value in given)
    found = [text for text in texts if text == joined]
    for text in texts:
        interval = _INTERVAL.fullmatch(text)
        if interval is not None and len(given) == 1 and _equals(interval[1], given[0]):
            found.append(text)
    return found


def _equals(text: str, value: object) -> bool:
    try:
        return float(text) == float(str(value))
    except ValueError:
        return False


def _rule(column: str, text: str, values: tuple[Any, ...] | None) -> Rule:
    interval = _INTERVAL.fullmatch(text)
    if interval is not None and (values is None or len(values) <= 1):
        try:
            return Rule(column, Kind.CONTINUOUS, (), float(interval[1]), text)
        except ValueError:
            pass
    joined = ",".join(str(value) for value in values or ())
    return Rule(column, Kind.CATEGORICAL, tuple(values) if values and joined == text else (text,), None, text)
