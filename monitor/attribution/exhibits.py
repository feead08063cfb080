"""Exhibits: attributions of both sides as bars, and partial dependence as curves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from driftline.reports.exhibit import Exhibit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from driftline.baselines.explanations import Dependence
    from driftline.monitor.attribution.recipe import Label

__all__ = ["exhibits_of"]

MOST_BARS: Final = 20


def exhibits_of(
    labels: Sequence[Label], before: Sequence[Dependence], now: Sequence[Dependence]
) -> tuple[Exhibit, ...]:
    """Return the exhibits of a report: bars for each label, then a curve for each feature that has one."""
    bars = [_bars(label, i == 0) for i, label in enumerate(labels)]
    current = {one.feature: one for one in now}
    curves = []
    for one in before:
        if one.error is None and one.values:
            curves.append(_dependence(one, current.get(one.feature)))
    return (*bars, *curves)


def _bars(label: Label, is_first: bool) -> Exhibit:
    moved = label.moved
    total = float(np.abs(moved.baseline).sum())
    scale = 1.0 / total if total > 0 else 0.0
    weight = np.maximum(np.abs(moved.baseline), np.nan_to_num(np.abs(moved.current)))
    order = np.argsort(-weight, kind="stable")
    rows = tuple(
        (
            moved.features[j],
            float(moved.baseline[j]) * scale,
            float(moved.current[j]) * scale if label.n_current else None,
        )
        for j in order[:MOST_BARS].tolist()
    )
    left_out = len(moved.features) - len(rows)
    more = f" The {len(rows)} largest of {len(moved.features)}." if left_out else ""
    of = "" if label.segment is None else f" of {label.segment}"
    return Exhibit(
        "global_attributions" if is_first else f"global_attributions:{label.name}",
        "bars",
        f"What the model leans on{of}",
        f"How much each feature moves the predictions, as share of the total in the baseline.{more}",
        ("feature", "baseline", "current"),
        rows,
        ("text", "share", "share"),
    )


def _dependence(before: Dependence, now: Dependence | None) -> Exhibit:
    title = f"How the prediction depends on {before.feature}"
    caption = "The mean prediction when every row is given the value, all else being as it is."
    name = f"partial_dependence:{before.feature}"
    if any(isinstance(value, str) for value in before.values):
        known = {} if now is None else dict(zip(now.values, (now.predictions or ((),))[0], strict=False))
        rows = tuple(
            (str(value), before.predictions[0][i], known.get(value)) for i, value in enumerate(before.values)
        )
        return Exhibit(name, "bars", title, caption, ("value", "baseline", "current"), rows, ("text", "", ""))
    points: list[tuple[str | float | None, ...]] = []
    for side, one in (("baseline", before), ("current", now)):
        if one is None or one.error is not None:
            continue
        for k, curve in enumerate(one.predictions):
            label = f"{side} {one.labels[k]}" if len(one.predictions) > 1 and k < len(one.labels) else side
            points += [(label, float(x), y) for x, y in zip(one.values, curve, strict=True)]
    return Exhibit(
        name,
        "curve",
        title,
        caption,
        ("side", before.feature, "mean prediction"),
        tuple(points),
        ("text", "number", "number"),
    )
