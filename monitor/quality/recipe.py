"""Recipe: what a check of model quality does once the data are open. No files, no clock."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from driftline.baselines.packing import unpack
from driftline.errors import DocumentError, UsageError, printable
from driftline.kernels.calibration import Calibration
from driftline.kernels.confusion import ConfusionState
from driftline.monitor.quality.compat import outcomes_of
from driftline.monitor.quality.estimates import estimate_exhibit, estimate_of
from driftline.monitor.quality.evidence import calibration_p
from driftline.monitor.quality.exhibits import exhibits_of
from driftline.monitor.quality.figures import Figure, figures_of, recalled
from driftline.monitor.quality.fold import Folded, fold, unpack_folded
from driftline.monitor.quality.judge import estimated_outcomes, judge, names_judged
from driftline.monitor.quality.settings import Settings, read_settings
from driftline.monitor.quality.telling import incidents_of, notes_of
from driftline.monitor.rows import canonical
from driftline.reports.outcome import Status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from driftline.baselines.quality import QualityBaseline
    from driftline.capture.source import Source
    from driftline.kernels.estimation import Estimate
    from driftline.kernels.scores import ScoreState
    from driftline.monitor.overrides import Overrides
    from driftline.monitor.quality.figures import Figures
    from driftline.monitor.quality.judge import Judged
    from driftline.reports.exhibit import Exhibit
    from driftline.reports.outcome import Outcome
    from driftline.reports.report import Incident

__all__ = ["CALIBRATION", "Compared", "Known", "settings_of"]

CALIBRATION: Final = "calibration"
"""Name of the calibration among the States of a baseline."""


@dataclass(frozen=True)
class Compared:
    """What a comparison comes to.

    Attributes
    ----------
    figures : Figures
        Of the window.
    outcomes : tuple of Outcome
    incidents : tuple of Incident
    n_tests : int
    alpha : float
    exhibits : tuple of Exhibit
    notes : tuple of str
    judged : tuple of Judged
        Behind the outcomes; empty in SageMaker's mode.
    """

    figures: Figures
    outcomes: tuple[Outcome, ...]
    incidents: tuple[Incident, ...]
    n_tests: int
    alpha: float
    exhibits: tuple[Exhibit, ...]
    notes: tuple[str, ...]
    judged: tuple[Judged, ...] = ()


@dataclass(frozen=True)
class Known:
    """A baseline, unpacked, ready for any number of windows.

    Attributes
    ----------
    baseline : QualityBaseline
    settings : Settings
    before : Folded or None
        Its rows as they were folded; None for SageMaker's files.
    calibration : Calibration or None
    labels : tuple of str
        The classes it knows; two of them with the positive one last.
    """

    baseline: QualityBaseline
    settings: Settings
    before: Folded | None = None
    calibration: Calibration | None = None
    labels: tuple[str, ...] = field(default=())

    @classmethod
    def of(cls, baseline: QualityBaseline, settings: Settings) -> Known:
        """Unpack a baseline.

        Raises
        ------
        DocumentError
            If its States are damaged.
        UsageError
            If the positive label of the settings is none of its own.
        """
        before, calibration = _before(baseline)
        return cls(baseline, settings, before, calibration, _labels(baseline, before, settings))

    def fold(self, source: Source, progress: Callable[[int, int], None] | None = None) -> Folded:
        """Fold the rows of a window.

        Raises
        ------
        SchemaError, SourceError
            As :func:`driftline.monitor.quality.fold.fold`.
        """
        slices: dict[str, list[str | None]] = {}
        for column, value in () if self.before is None else self.before.slices:
            slices.setdefault(column, []).append(value)
        known = {column: tuple(values) for column, values in slices.items()}
        return fold(source, self.settings, known=self.labels, slices=known, progress=progress)

    def compare(self, now: Folded, decided: Overrides, *, compat: bool = False) -> Compared:
        """Hold a window to the baseline.

        Parameters
        ----------
        now : Folded
        decided : Overrides
        compat : bool
            By SageMaker's rule.
        """
        settings = self.settings
        # Another seed than the baseline's, or the same draws would go up and down together on both sides.
        figures = figures_of(now, settings, seed=settings.seed + 1, compat=compat)
        if self.calibration is not None and now.scores is not None and not compat:
            figures = _with_calibration_p(figures, now.scores, self.calibration, settings.seed + 1)
        then = _figures(self.baseline, self.before, self.labels, settings, compat=compat)
        return (
            self._as_sagemaker(now, then, figures)
            if compat
            else self._by_evidence(now, then, figures, decided)
        )

    def _as_sagemaker(self, now: Folded, then: Mapping[str, Figure], figures: Figures) -> Compared:
        outcomes = outcomes_of(self.baseline.constraints, figures)
        sides = (self.before, now)
        return Compared(
            figures,
            tuple(outcomes),
            incidents_of(outcomes, sides),
            0,
            self.baseline.constraints.alpha,
            tuple(exhibits_of(sides, (then, figures), (), self.settings)),
            tuple(notes_of(now, figures, list(figures.metrics), self._slices)),
        )

    @property
    def _slices(self) -> tuple[tuple[str, str | None], ...]:
        return () if self.before is None else tuple(self.before.slices)

    def _by_evidence(
        self, now: Folded, then: Mapping[str, Figure], figures: Figures, decided: Overrides
    ) -> Compared:
        sides = (self.before, now)
        judged, n_tests, alpha = judge(self.baseline, self.settings, decided, sides, (then, figures))
        exhibits = list(exhibits_of(sides, (then, figures), judged, self.settings))
        outcomes = [one.outcome for one in judged]
        names = names_judged(self.baseline, self.settings, decided)
        notes = [*self._about_baseline(), *notes_of(now, figures, names, self._slices)]
        expected = estimate_of(now, self.calibration, self.settings)
        if expected is not None:
            exhibits.append(self._exhibit(expected, judged, then, figures))
            estimated = estimated_outcomes(expected, judged, alpha)
            if self.settings.judge_estimates:
                outcomes += estimated
                n_tests += sum(one.q_value is not None for one in estimated)
            else:
                notes += [
                    f"expected of the rows without a label, and not judged: {one.reason}"
                    for one in estimated
                    if one.status is Status.VIOLATED
                ]
        return Compared(
            figures,
            tuple(outcomes),
            incidents_of(outcomes, sides),
            n_tests,
            alpha,
            tuple(exhibits),
            tuple(notes),
            tuple(judged),
        )

    def _exhibit(
        self, expected: Estimate, judged: list[Judged], then: Mapping[str, Figure], figures: Figures
    ) -> Exhibit:
        bounds = {
            one.name: one.claim.constraint.bound
            for one in judged
            if one.claim.segment is None and one.claim.constraint.bound is not None
        }
        return estimate_exhibit(expected, figures.metrics, then, bounds)

    def _about_baseline(self) -> Iterator[str]:
        if self.before is not None:
            return
        if self.baseline.statistics is None:
            yield "the baseline has thresholds only: they are taken as they stand, as if they were known exactly"
        elif self.baseline.constraints.problem == "regression":
            yield "the baseline does not say how sure its metrics are: it is taken to vary as this window does"
        else:
            yield "what chance did to the baseline follows from its confusion matrix; of AUC, from its classes"
        if self.settings.slices or self.settings.top_k:
            yield "slices and the highest scores are shown and not judged: the baseline's files do not have them"


def _with_calibration_p(figures: Figures, scores: ScoreState, calibration: Calibration, seed: int) -> Figures:
    name = "calibration_error"
    one = figures.metrics.get(name)
    if one is None or one.value is None:
        return figures
    tested = replace(one, p_unchanged=calibration_p(scores, calibration, seed=seed))
    return replace(figures, metrics={**figures.metrics, name: tested})


def settings_of(baseline: QualityBaseline, given: Settings | None) -> Settings:
    """Return the settings of a check: those given, else the baseline's own.

    Raises
    ------
    UsageError
        ``E-CONFIG`` if there are none, or they are for another problem than the baseline's.
    """
    if given is None and not baseline.settings:
        raise UsageError(
            "SageMaker's files do not say which column is the label and which the prediction",
            code="E-CONFIG",
            file=baseline.file,
            fix="give a configuration with problem, label, prediction or probability",
        )
    settings = given or read_settings(
        dict(baseline.settings), file=f"{baseline.file or 'the baseline'}: settings"
    )
    if settings.problem != baseline.constraints.problem:
        raise UsageError(
            f"the settings are for {settings.problem}, and the baseline is of {baseline.constraints.problem}",
            code="E-CONFIG",
            field="problem",
            fix="give the settings of the baseline, or another baseline",
        )
    return settings


def _before(baseline: QualityBaseline) -> tuple[Folded | None, Calibration | None]:
    """Return the baseline's rows as they were folded; None for SageMaker's files."""
    if baseline.states is None:
        return None, None
    where = f"{baseline.file}/states.arrow" if baseline.file else "states.arrow"
    parts = unpack(baseline.states, file=where)
    try:
        packed = parts.pop(CALIBRATION, None)
        calibration = None if packed is None else Calibration.unpack(packed)
        return unpack_folded(parts, problem=baseline.constraints.problem, n_rows=baseline.n_rows), calibration
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise DocumentError(
            f"is not what a baseline of model quality keeps: {error}",
            code="E-STATES",
            file=where,
            fix="make the baseline again",
        ) from None


def _labels(baseline: QualityBaseline, before: Folded | None, settings: Settings) -> tuple[str, ...]:
    """Return the classes that the baseline knows; two of them with the positive one last."""
    if before is not None:
        found = before.labels
    else:
        matrix = {} if baseline.statistics is None else baseline.statistics.confusion
        found = tuple(dict.fromkeys(canonical(name) or name for name in matrix))
    if settings.problem != "binary" or not found:
        return found
    other = next((name for name in found if name != settings.positive), None)
    if settings.positive not in found or len(found) > 2 or other is None:
        raise UsageError(
            f"the positive label is {printable(settings.positive, 40)!r}, and the baseline has "
            + ", ".join(repr(printable(name, 40)) for name in found[:8]),
            code="E-CONFIG",
            field="positive",
            fix="say which of them is the positive one",
        )
    return (other, settings.positive)


def _figures(
    baseline: QualityBaseline,
    before: Folded | None,
    labels: tuple[str, ...],
    settings: Settings,
    *,
    compat: bool,
) -> Mapping[str, Figure]:
    """Return the baseline's metrics."""
    if before is not None:
        known = None if compat or baseline.statistics is None else recalled(before, baseline.statistics)
        if known is not None:
            return known
        return figures_of(before, settings, seed=settings.seed, compat=compat).metrics
    statistics = baseline.statistics
    if statistics is None:
        return {}
    found: dict[str, Figure] = {
        name: Figure(one.value, statistics.n_rows, one.standard_error, one.interval, one.standard_deviation)
        for name, one in (*statistics.metrics.items(), *statistics.own.items())
        if not name.endswith("_classifier")
    }
    matrix = _matrix(baseline, labels)
    if matrix is not None:
        counted = Folded(settings.problem, statistics.n_rows, matrix.labels, matrix)
        for name, figure in figures_of(counted, settings, seed=settings.seed).metrics.items():
            if name in found:
                found[name] = replace(figure, value=found[name].value, deviation=found[name].deviation)
        rows = matrix.counts.sum(axis=1)
        if "auc" in found and settings.problem == "binary":
            found["auc"] = replace(found["auc"], n=int(rows.sum()), least=int(rows.min()))
    return found


def _matrix(baseline: QualityBaseline, labels: tuple[str, ...]) -> ConfusionState | None:
    """Return the confusion matrix of SageMaker's statistics."""
    assert baseline.statistics is not None
    given = baseline.statistics.confusion
    if not given:
        return None
    place = {label: i for i, label in enumerate(labels)}
    table = np.zeros((len(labels) + 2, len(labels) + 2), np.int64)
    for actual, row in given.items():
        for predicted, n in row.items():
            at, to = (place.get(canonical(name) or name, len(labels)) for name in (actual, predicted))
            table[at, to] += n
    return ConfusionState(labels, table)
