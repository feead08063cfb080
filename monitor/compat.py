"""Compat: the run that SageMaker Model Monitor would have made, as a driftline Report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from driftline.baselines.baseline import CONSTRAINTS, STATISTICS, write_statistics_text
from driftline.baselines.constraint import CHECKS
from driftline.baselines.sagemaker import write_constraints
from driftline.errors import printable
from driftline.files import digest
from driftline.monitor.recipes.sagemaker import fold_compat, judge, suggest
from driftline.monitor.views import view_of_statistics
from driftline.reports.incident import group
from driftline.reports.outcome import Status
from driftline.reports.report import Report, Side

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import pyarrow as pa

    from driftline.baselines.baseline import Baseline
    from driftline.baselines.constraint import Constraints
    from driftline.baselines.statistics import Statistics
    from driftline.capture.source import Source

__all__ = ["compat_report", "differences", "suggested"]


def _batches(source: Source) -> Iterator[tuple[pa.Array, ...]]:
    everything = range(len(source.fields))
    for part in source.parts:
        for batch in part.read(everything):
            yield batch.arrays


def suggested(source: Source) -> tuple[Statistics, Constraints]:
    """Return what SageMaker's baseline job would write for `source`."""
    return suggest(fold_compat(_batches(source), source.fields), [f.name for f in source.fields])


def compat_report(
    source: Source,
    baseline: Baseline,
    label: str,
    created: str,
    versions: Mapping[str, str],
    notes: tuple[str, ...],
) -> Report:
    """Hold data to a baseline as SageMaker would: by position, by text, with its sketches and words."""
    names = [f.name for f in source.fields]
    columns = fold_compat(_batches(source), source.fields, constraints=baseline.constraints)
    statistics, constraints = suggest(columns, names)
    outcomes = judge(baseline.constraints, baseline.statistics, columns, names)
    text = write_statistics_text(statistics)
    current = {f.name: f for f in statistics.features}
    before = {} if baseline.statistics is None else {f.name: f for f in baseline.statistics.features}
    views = []
    for i, feature in enumerate(baseline.constraints.features):
        now = current.get(names[i]) if len(names) == len(baseline.constraints.features) else None
        if now is not None or feature.name in before:
            views.append(view_of_statistics(feature.name, before.get(feature.name), now))
    told = [*notes, *baseline.notes, "compat mode: columns were paired by position, whatever their names"]
    if baseline.mode != "sagemaker" and baseline.statistics is not None:
        told.append(
            "the baseline was made in the default mode: its sketches are not SageMaker's, so drift distances "
            "differ from the service's; make it with --compat sagemaker"
        )
    n_rows = columns[0].n_rows if columns else 0
    return Report(
        recipe="data-quality",
        mode="sagemaker",
        matching="position",
        baseline=Side(
            baseline.label,
            baseline.n_rows,
            len(baseline.constraints.features),
            baseline.digest,
            baseline.sources,
            baseline.created,
        ),
        current=Side(label, n_rows, len(columns), digest(text), source.sources, created),
        alpha=0.003,
        n_tests=0,
        outcomes=tuple(outcomes),
        incidents=group(outcomes),
        columns=tuple(views),
        created=created,
        versions=versions,
        notes=tuple(told),
        companions={
            STATISTICS: lambda: text,
            CONSTRAINTS: lambda: write_constraints(constraints).encode("utf-8", "surrogatepass"),
        },
    )


def differences(default: Report, sagemaker: Report) -> tuple[str, ...]:
    """Return, sentence by sentence, where the two modes answer differently about the same data."""
    ours = {(o.constraint.column, CHECKS[o.constraint.check].check_type): o for o in default.violations}
    theirs = {(o.constraint.column, CHECKS[o.constraint.check].check_type): o for o in sagemaker.violations}
    told = []
    for key in sorted(theirs.keys() - ours.keys(), key=str):
        told.append(
            f"{_where(key[0])}: SageMaker reports {key[1]} ({printable(theirs[key].reason, 300)}); "
            f"driftline does not{_instead(default, key)}"
        )
    for key in sorted(ours.keys() - theirs.keys(), key=str):
        told.append(
            f"{_where(key[0])}: driftline reports {key[1]} ({printable(ours[key].reason, 300)}); SageMaker does not"
        )
    return tuple(told) or ("both modes report the same violations",)


def _where(column: str | None) -> str:
    return "the data set" if column is None else printable(column, 80)


def _instead(report: Report, key: tuple[str | None, str]) -> str:
    for outcome in report.outcomes:
        constraint = outcome.constraint
        if constraint.column == key[0] and CHECKS[constraint.check].check_type == key[1]:
            word = "cannot tell" if outcome.status is Status.UNDETERMINED else "finds it in order"
            return f", it {word}: {printable(outcome.reason, 300)}"
    return ""
