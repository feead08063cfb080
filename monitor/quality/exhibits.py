"""Exhibits: the tables, matrices and curves of model quality, both sides beside each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

import numpy as np

from driftline.kernels.calibration import reliability
from driftline.monitor.quality.figures import slice_figures, top_figures
from driftline.monitor.quality.words import title_of
from driftline.monitor.segment import segment_label
from driftline.reports import wording
from driftline.reports.exhibit import Exhibit

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from driftline.kernels.ranking import Curve
    from driftline.kernels.scores import ScoreState
    from driftline.monitor.quality.figures import Figure, Figures
    from driftline.monitor.quality.fold import Folded
    from driftline.monitor.quality.judge import Judged
    from driftline.monitor.quality.settings import Settings

__all__ = ["exhibits_of"]

_MOST_LABELS: Final = 50
_POINTS: Final = 200
_INTERVALS: Final = ("metric", "baseline", "current", "low", "high", "allowed from", "allowed to", "status")
_SIDES: Final = ("baseline", "current")
_AXES: Final[Mapping[str, float]] = {"x_min": 0.0, "x_max": 1.0, "y_min": 0.0, "y_max": 1.0}

# One scale an exhibit: shares, errors in the unit of the truth, and what fits to neither.
_SCALES: Final = (
    (
        "metrics",
        (
            "accuracy",
            "recall",
            "precision",
            "false_positive_rate",
            "f1",
            "auc",
            "au_prc",
            "calibration_error",
        ),
    ),
    ("metrics", ("weighted_precision", "weighted_recall", "weighted_f1")),
    ("metrics", ("mae", "rmse")),
    ("metrics:losses", ("log_loss", "brier")),
    ("metrics:r2", ("r2",)),
)


def exhibits_of(
    sides: tuple[Folded | None, Folded],
    figures: tuple[Mapping[str, Figure], Figures],
    judged: Sequence[Judged],
    settings: Settings,
) -> Iterator[Exhibit]:
    """Yield what there is to show.

    Parameters
    ----------
    sides : (Folded or None, Folded)
        Baseline and current.
    figures : (mapping of str to Figure, Figures)
        Of the two sides.
    judged : sequence of Judged
    settings : Settings
    """
    yield from _intervals(figures, judged)
    yield _all_metrics(figures)
    yield _coverage(sides)
    yield from _matrices(sides)
    scores = [
        (name, side.scores)
        for name, side in zip(_SIDES, sides, strict=True)
        if side is not None and side.scores
    ]
    if scores:
        yield from _curves(scores)
        yield from _reliability(scores, settings)
        yield from _tops(sides, settings)
    if settings.slices:
        yield _slices(sides, judged, settings)


def _intervals(figures: tuple[Mapping[str, Figure], Figures], judged: Sequence[Judged]) -> Iterator[Exhibit]:
    then, now = figures
    of = {one.name: one for one in judged if one.claim.segment is None}
    rows: dict[str, list[tuple[str | float | None, ...]]] = {}
    for scale, names in _SCALES:
        for name in names:
            one = now.metrics.get(name)
            before = then.get(name)
            if one is None and before is None:
                continue
            decided = of.get(name)
            bound = None if decided is None else decided.claim.constraint.bound
            sign = 0 if decided is None else decided.sign
            low, high = (None, None) if one is None or one.interval is None else one.interval
            rows.setdefault(scale, []).append(
                (
                    title_of(name),
                    None if before is None else before.value,
                    None if one is None else one.value,
                    low,
                    high,
                    bound if sign < 0 else None,
                    bound if sign > 0 else None,
                    None if decided is None else decided.verdict.status.value,
                )
            )
    titles = {
        "metrics": "Metrics",
        "metrics:losses": "Losses of the probabilities",
        "metrics:r2": "Variance explained",
    }
    for scale, found in rows.items():
        yield Exhibit(
            scale,
            "intervals",
            titles[scale],
            "The dots are the baseline and this window, the bar is the 95% interval of the window, the band what is "
            "allowed. Metrics without a band are shown and not judged.",
            _INTERVALS,
            tuple(found),
        )


def _all_metrics(figures: tuple[Mapping[str, Figure], Figures]) -> Exhibit:
    then, now = figures
    rows: list[tuple[str | float | None, ...]] = []
    for name in dict.fromkeys([*then, *now.metrics]):
        before, one = then.get(name), now.metrics.get(name)
        usual = now.majority.get(f"{name}_majority_classifier")
        rows.append(
            (
                title_of(name),
                None if before is None else before.value,
                None if before is None else before.standard_error,
                None if one is None else one.value,
                None if one is None else one.standard_error,
                None if usual is None else usual.value,
            )
        )
    return Exhibit(
        "all_metrics",
        "table",
        "All metrics",
        "Standard errors say what chance does to as many rows. The last column is what always giving the most frequent "
        "class would have in this window: a model below it helps nobody.",
        ("metric", "baseline", "standard error", "current", "standard error", "most frequent class"),
        tuple(rows),
        ("text", "number", "number", "number", "number", "number"),
    )


_COVERAGE: Final = {
    "captured": "captured",
    "labelled": "labelled",
    "judged": "labelled and predicted",
    "without_prediction": "labelled, not predicted",
    "unknown_label": "of unknown classes",
}


def _coverage(sides: tuple[Folded | None, Folded]) -> Exhibit:
    then = {} if sides[0] is None else sides[0].coverage
    now = sides[1].coverage
    captured = now["captured"]
    rows = tuple(
        (told, then.get(key), now.get(key), now[key] / captured if captured and key in now else None)
        for key, told in _COVERAGE.items()
        if key in now
    )
    return Exhibit(
        "coverage",
        "table",
        "Rows",
        "Metrics are of the rows with a label and a prediction. What the others would say is not known.",
        ("rows", "baseline", "current", "share of the window"),
        rows,
        ("text", "rows", "rows", "share"),
    )


def _matrices(sides: tuple[Folded | None, Folded]) -> Iterator[Exhibit]:
    for name, side in zip(("confusion_matrix:baseline", "confusion_matrix"), sides, strict=True):
        if side is None or side.confusion is None:
            continue
        counts, labels = side.confusion.counts, list(side.labels)
        caption = "Rows are what turned out to be true, columns what the model said."
        if len(labels) > _MOST_LABELS:
            n = counts.sum(axis=0) + counts.sum(axis=1)
            kept = np.sort(np.argsort(-n, kind="stable")[:_MOST_LABELS])
            caption += f" The {_MOST_LABELS} most frequent of {len(labels):,} labels."
            counts, labels = counts[np.ix_(kept, kept)], [labels[i] for i in kept]
        shown = [wording.name(label, 40) for label in labels]
        which = "current" if name == "confusion_matrix" else "baseline"
        yield Exhibit(
            name,
            "matrix",
            f"Confusion matrix, {which}",
            caption,
            ("actual \\ predicted", *shown),
            tuple((label, *row) for label, row in zip(shown, counts.tolist(), strict=True)),
            ("text", *("rows",) * len(shown)),
        )


def _drawn(found: list[tuple[str, Curve | None]]) -> tuple[tuple[str | float | None, ...], ...]:
    return tuple(
        (name, float(x), float(y))
        for name, curve in found
        if curve is not None
        for x, y in zip(curve.x.tolist(), curve.y.tolist(), strict=True)
    )


def _curves(scores: list[tuple[str, ScoreState]]) -> Iterator[Exhibit]:
    roc = _drawn([(name, one.roc_curve(_POINTS)) for name, one in scores])
    if roc:
        yield Exhibit(
            "roc_curve",
            "curve",
            "ROC curve",
            "The share of positives found over the share of false alarms, for every threshold. The diagonal is guessing.",
            ("side", "false positive rate", "true positive rate"),
            roc,
            ("text", "share", "share"),
            {"diagonal": True, **_AXES},
        )
    prc = _drawn([(name, one.precision_recall_curve(_POINTS)) for name, one in scores])
    if prc:
        yield Exhibit(
            "precision_recall_curve",
            "curve",
            "Precision and recall",
            "How many of those called positive are, over how many of the positives are found, for every threshold.",
            ("side", "recall", "precision"),
            prc,
            ("text", "share", "share"),
            dict(_AXES),
        )


def _reliability(scores: list[tuple[str, ScoreState]], settings: Settings) -> Iterator[Exhibit]:
    by: Literal["mass", "width"] = "width" if settings.reliability_by == "width" else "mass"
    rows: list[tuple[str | float | None, ...]] = []
    for name, one in scores:
        table = reliability(one, settings.reliability_bins, by)
        if table is None:
            continue
        rows += [(name, x, y) for x, y in zip(table.score.tolist(), table.observed.tolist(), strict=True)]
        if name == "current":
            ends = zip(
                table.score.tolist(), table.observed_low.tolist(), table.observed_high.tolist(), strict=True
            )
            for x, low, high in ends:
                rows += [("current, 95% interval", x, low), ("current, 95% interval", x, high)]
                rows.append(("current, 95% interval", None, None))
    if rows:
        yield Exhibit(
            "reliability",
            "curve",
            "Reliability",
            "Of rows with a probability of 0.8 four in five should be positive: points on the diagonal. Below it the model "
            "promises too much, above it too little.",
            ("side", "mean probability", "observed share of positives"),
            tuple(rows),
            ("text", "share", "share"),
            {"diagonal": True, **_AXES},
        )


def _tops(sides: tuple[Folded | None, Folded], settings: Settings) -> Iterator[Exhibit]:
    before, now = sides
    if not settings.top_k or now.scores is None:
        return
    n = now.scores.n_positive + now.scores.n_negative
    then = {}
    if before is not None and before.scores is not None and n:
        then = {one.asked: one for one in top_figures(before.scores, settings.top_k, of=n)}
    rows = []
    for one in top_figures(now.scores, settings.top_k):
        other = then.get(one.asked)
        low, high = one.precision.interval or (None, None)
        rows.append(
            (
                one.name,
                one.k,
                None if other is None else other.precision.value,
                one.precision.value,
                low,
                high,
                None if other is None else other.recall.value,
                one.recall.value,
                one.lift,
                one.n_tied,
            )
        )
    yield Exhibit(
        "top_k",
        "table",
        "The highest scores",
        "Precision and recall when only the highest scores are acted on. The baseline is looked at to the same depth, as a "
        "share of its rows. Lift is precision over the share of positives.",
        (
            "rows",
            "number",
            "precision, baseline",
            "precision",
            "low",
            "high",
            "recall, baseline",
            "recall",
            "lift",
            "tied at the end",
        ),
        tuple(rows),
        ("text", "rows", "share", "share", "share", "share", "share", "share", "number", "rows"),
    )


def _slices(sides: tuple[Folded | None, Folded], judged: Sequence[Judged], settings: Settings) -> Exhibit:
    before, now = sides
    status = {(one.claim.segment, one.name): one.verdict.status.value for one in judged}
    known = {} if before is None else dict(before.slices)
    rows: list[tuple[str | float | None, ...]] = []
    for column, value in dict.fromkeys([*known, *now.slices]):
        then, current = known.get((column, value)), now.slices.get((column, value))
        label = segment_label(column, value)
        of_then = {} if then is None else slice_figures(then, now.problem, settings, seed=settings.seed)
        of_now = (
            {} if current is None else slice_figures(current, now.problem, settings, seed=settings.seed + 1)
        )
        for name in dict.fromkeys([*of_then, *of_now]):
            a, b = of_then.get(name), of_now.get(name)
            low, high = (None, None) if b is None or b.interval is None else b.interval
            rows.append(
                (
                    wording.name(label, 80),
                    title_of(name),
                    None if then is None else then.n_rows,
                    None if current is None else current.n_rows,
                    None if a is None else a.value,
                    None if b is None else b.value,
                    low,
                    high,
                    status.get((label, name), "new" if then is None else None),
                )
            )
    return Exhibit(
        "slices",
        "table",
        "Slices",
        "The same metrics of the rows that share a value. Small slices are undetermined, and values that the baseline does "
        "not know are shown only.",
        ("slice", "metric", "rows, baseline", "rows", "baseline", "current", "low", "high", "status"),
        tuple(rows),
        ("text", "text", "rows", "rows", "number", "number", "number", "number", "text"),
    )
