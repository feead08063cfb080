"""Telling: what happened to the model as a whole, from the metrics that are violated together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from driftline.baselines.constraint import Severity
from driftline.monitor.quality.suggest import DERIVED
from driftline.reports import wording
from driftline.reports.outcome import Status
from driftline.reports.report import Incident

if TYPE_CHECKING:
    from collections.abc import Sequence

    from driftline.monitor.quality.figures import Figures
    from driftline.monitor.quality.fold import Folded
    from driftline.reports.outcome import Outcome

__all__ = ["incidents_of", "notes_of"]

_MOST_TOLD: Final = 3
_KIND: Final = "metric"


def incidents_of(outcomes: Sequence[Outcome], sides: tuple[Folded | None, Folded]) -> tuple[Incident, ...]:
    """Gather the violated outcomes: one incident for the model as a whole, and one for every slice.

    Parameters
    ----------
    outcomes : sequence of Outcome
    sides : (Folded or None, Folded)
        Baseline and current.
    """
    groups: dict[str | None, list[int]] = {}
    for i, outcome in enumerate(outcomes):
        if outcome.status is not Status.VIOLATED:
            continue
        segment = outcome.segment
        # What stands among the highest scores is about the whole model.
        groups.setdefault(None if segment is None or segment.startswith("k=") else segment, []).append(i)
    found = []
    for segment, places in sorted(groups.items(), key=lambda item: (item[0] is not None, item[0] or "")):
        mine = [outcomes[i] for i in places]
        titles = wording.listing(
            [wording.title(name) for name in dict.fromkeys(o.constraint.check for o in mine)], 3
        )
        whose = (
            "The model got worse" if segment is None else f"The model got worse for {wording.name(segment)}"
        )
        if segment == "estimated":
            whose = "The model is expected to be worse"
        detail = " ".join(one.reason for one in mine[:_MOST_TOLD])
        if segment is None:
            detail += _shift(sides)
        critical = any(one.constraint.severity is Severity.CRITICAL for one in mine)
        found.append(
            Incident(
                _KIND,
                f"{whose}: {titles}",
                detail,
                tuple(places),
                (),
                severity=(Severity.CRITICAL if critical else Severity.WARNING).value,
            )
        )
    return tuple(found)


def _shift(sides: tuple[Folded | None, Folded]) -> str:
    """Say what else changed that may be the reason: the share of positives, or errors to one side."""
    before, now = sides
    if before is None or not before.n_judged or not now.n_judged:
        return ""
    if now.problem == "binary" and before.confusion is not None and now.confusion is not None:
        then, current = (
            float(side[1].sum() / side.sum()) for side in (before.confusion.counts, now.confusion.counts)
        )
        return f" {wording.share(current)} of the rows are actual positives; in the baseline {wording.share(then)} were."
    if now.residuals is not None and before.residuals is not None:
        bias, was = now.residuals.mean_error, before.residuals.mean_error
        if bias is not None and was is not None:
            side = "too high" if bias > 0 else "too low"
            past = "too high" if was > 0 else "too low"
            return (
                f" On average predictions are {wording.number(abs(bias))} {side}; in the baseline they were "
                f"{wording.number(abs(was))} {past}."
            )
    return ""


def notes_of(
    now: Folded, figures: Figures, judged: Sequence[str], known_slices: Sequence[tuple[str, str | None]]
) -> list[str]:
    """Say what a reader must know to trust the numbers.

    Parameters
    ----------
    now : Folded
    figures : Figures
    judged : sequence of str
        Metrics that are.
    known_slices : sequence of (str, str or None)
        Of the baseline.
    """
    notes = []
    missing = now.n_rows - now.n_labelled
    if now.n_rows and not now.n_labelled:
        notes.append(
            f"none of the {wording.plural(now.n_rows, 'row')} has a label yet, so that no metric is known"
        )
    elif missing:
        share = wording.share(now.n_labelled / now.n_rows)
        notes.append(
            f"{missing:,} of {now.n_rows:,} rows have no label: the metrics are of the other {share}"
        )
    without = now.coverage["without_prediction"]
    if without:
        notes.append(f"{without:,} rows have a label and no usable prediction; they are in no metric")
    if now.n_infinite:
        notes.append(f"{now.n_infinite:,} numbers are infinite; their rows are in no metric")
    if now.n_without_score:
        notes.append(
            f"{now.n_without_score:,} labelled rows have no probabilities; log loss and Brier score leave them out"
        )
    if now.strangers:
        shown = wording.listing(
            [f"{wording.name(name, 30)!r} ({n:,} rows)" for name, n in now.strangers.items()], 4
        )
        what = (
            "they are left out"
            if now.problem == "binary"
            else "a row of such a class counts as predicted wrong"
        )
        if now.problem == "multiclass":
            what = "they count as classes of their own, which the baseline's model could not get right"
        notes.append(f"labels that the baseline does not know: {shown}; {what}")
    shown_only = [
        f"{name} ({DERIVED[name]})" for name in figures.metrics if name in DERIVED and name not in judged
    ]
    if shown_only:
        notes.append("shown and not judged, because others say the same: " + ", ".join(shown_only))
    new = [f"{column}={value}" for column, value in now.slices if (column, value) not in known_slices]
    if new and known_slices:
        notes.append(
            f"slices that the baseline does not have: {wording.listing([wording.name(one, 60) for one in new], 5)}"
        )
    return notes
