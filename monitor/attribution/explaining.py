"""Explaining: rows, a model and settings in; attributions out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, cast

import numpy as np

from driftline.baselines.explanations import Attribution, default_labels
from driftline.errors import InputError, SchemaError
from driftline.kernels.attribution import LARGEST, AttributionState
from driftline.kernels.coalitions import samples_used
from driftline.kernels.shapley import evaluations, explain
from driftline.monitor.attribution.failure import ModelError
from driftline.monitor.attribution.models import Predictor

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from driftline.kernels.attribution import Aggregate
    from driftline.monitor.attribution.models import Model
    from driftline.monitor.attribution.settings import Settings

    Progress = Callable[[int, int], None]

__all__ = [
    "Explained",
    "Players",
    "aggregated",
    "explained",
    "grouped",
    "labels_of",
    "players_of",
    "state_of",
]

MOST_EVALUATIONS: Final = 5_000_000_000
MOST_VALUES: Final = 50_000_000


@dataclass(frozen=True, slots=True)
class Players:
    """What is explained: features, and groups of features.

    Attributes
    ----------
    names : tuple of str
    columns : tuple of tuple of int
        Columns of the matrix that belong to each.
    """

    names: tuple[str, ...]
    columns: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, eq=False, slots=True)
class Explained:
    """Attributions of some rows.

    Attributes
    ----------
    players : tuple of str
        G features, or groups of features.
    values : ndarray of float64, shape (n, G, K)
    expected : tuple of float, or None
        Mean output for each of the K outputs; None where nobody knows.
    n_samples : int or None
        Coalitions asked about for a row; None where the model explained itself.
    error : float
        Convergence error: the mean standard error of the worst feature, as share of all attribution.
    n_evaluations : int
        Rows that the model was given.
    """

    players: tuple[str, ...]
    values: NDArray[np.float64]
    expected: tuple[float, ...] | None
    n_samples: int | None = None
    error: float = 0.0
    n_evaluations: int = 0


def players_of(names: Sequence[str], groups: Sequence[tuple[str, tuple[str, ...]]]) -> Players:
    """Return what is explained: each group in the place of its first member, the other features in theirs.

    Raises
    ------
    SchemaError
        ``E-COLUMN`` if a group names a column that is no feature.
    """
    place = {name: i for i, name in enumerate(names)}
    member_of: dict[str, str] = {}
    for group, members in groups:
        for member in members:
            if member not in place:
                raise SchemaError(
                    "is in a group and is no feature", code="E-COLUMN", field=member, fix="correct [groups]"
                )
            member_of[member] = group
    columns: dict[str, list[int]] = {}
    for name in names:
        columns.setdefault(member_of.get(name, name), []).append(place[name])
    return Players(tuple(columns), tuple(tuple(found) for found in columns.values()))


def grouped(values: NDArray[np.float64], players: Players) -> NDArray[np.float64]:
    """Add up the attributions of the columns of each player; shape (n, F, K) becomes (n, G, K)."""
    if all(len(columns) == 1 for columns in players.columns):
        return values[:, [columns[0] for columns in players.columns]]
    return np.stack([values[:, list(columns)].sum(axis=1) for columns in players.columns], axis=1)


def explained(
    model: Model,
    matrix: NDArray[np.float64],
    background: NDArray[np.float64] | None,
    players: Players,
    settings: Settings,
    progress: Progress | None = None,
) -> Explained:
    """Explain the rows of a matrix.

    Parameters
    ----------
    model : Model
    matrix : ndarray of float64, shape (n, n_features)
        One row or more.
    background : ndarray of float64, shape (b, n_features), or None
        Needed unless the model explains itself.
    players : Players
    settings : Settings
    progress : callable, optional

    Raises
    ------
    ModelError
        If the model fails; ``E-MODEL-BUDGET`` before the first prediction if there would be too many.
    """
    if matrix.shape[0] * len(players.names) > MOST_VALUES:
        raise ModelError(
            f"{matrix.shape[0]:,} rows of {len(players.names):,} features have more attributions than the limit of "
            f"{MOST_VALUES:,}",
            code="E-MODEL-BUDGET",
            field="rows",
            fix="explain fewer rows, or groups of features",
        )
    if model.exact:
        return _by_itself(model, matrix, players)
    assert background is not None
    n, k, b = matrix.shape[0], len(players.names), background.shape[0]
    n_different = int(np.unique(matrix, axis=0).shape[0]) if n else 0
    most = evaluations(n_different, k, b, settings.n_samples)
    coalitions = samples_used(k, settings.n_samples)
    fix = (
        f"explain fewer rows (rows = {n}), with fewer coalitions (n_samples, now up to {coalitions:,}) or a "
        f"smaller background ({b} rows: clusters or cap)"
    )
    if most > MOST_EVALUATIONS:
        raise ModelError(
            f"up to {most:,} predictions are needed, more than the limit of {MOST_EVALUATIONS:,}",
            code="E-MODEL-BUDGET",
            fix=fix,
        )
    model.planned(most, fix)
    predictor = Predictor(model)
    try:
        found = explain(
            predictor,
            matrix,
            background,
            n_samples=settings.n_samples,
            groups=players.columns,
            link="logit" if settings.logit else "identity",
            seed=settings.seed,
            batch_rows=model.settings.rows_per_call
            if model.settings.kind == "http"
            else model.settings.batch,
            on_progress=progress,
        )
    except InputError as error:
        raise ModelError(f"{model.name}: {error.message}", code=error.code, fix=error.fix) from None
    total = float(np.abs(found.values).mean(axis=0).sum())
    worst = float(found.standard_error.mean(axis=0).max(initial=0.0))
    return Explained(
        players.names,
        found.values,
        tuple(float(value) for value in found.expected_value),
        found.n_samples,
        worst / total if total > 0 else 0.0,
        found.n_evaluations,
    )


def _by_itself(model: Model, matrix: NDArray[np.float64], players: Players) -> Explained:
    values, expected = model.attributions(matrix)
    wanted = model.settings.output
    if wanted is not None:
        if max(wanted) >= values.shape[2]:
            raise ModelError(
                f"{model.name} has {values.shape[2]} outputs, and the settings want number {max(wanted)}",
                code="E-MODEL-ANSWER",
                field="model.output",
                fix="outputs are counted from 0",
            )
        values, expected = values[:, :, list(wanted)], expected[list(wanted)]
    if not np.isfinite(values).all():
        raise ModelError(f"{model.name} gave attributions that are not finite", code="E-MODEL-ANSWER")
    return Explained(
        players.names,
        grouped(values, players),
        tuple(float(value) for value in expected),
        n_evaluations=matrix.shape[0],
    )


def labels_of(n_outputs: int, settings: Settings) -> tuple[str, ...]:
    """Return the names of the outputs.

    Raises
    ------
    SchemaError
        ``E-OUTPUTS`` if the settings name more or fewer.
    """
    named = settings.label_headers
    if not named:
        return default_labels(n_outputs)
    if len(named) != n_outputs:
        raise SchemaError(
            f"names {len(named)} outputs, and the model has {n_outputs}",
            code="E-OUTPUTS",
            field="label_headers",
            fix="name each output that is explained, or say which is meant (output under [model])",
        )
    return named


def aggregated(values: NDArray[np.float64], agg: str) -> NDArray[np.float64]:
    """Return the attribution of each player over all rows.

    Parameters
    ----------
    values : ndarray of float64, shape (n, G)
    agg : {"mean_abs", "median", "mean_sq"}

    Returns
    -------
    ndarray of float64, shape (G,)
        NaN without rows.
    """
    return state_of(values).aggregate(cast("Aggregate", agg))


def state_of(values: NDArray[np.float64]) -> AttributionState:
    """Return the State of the attributions of rows to one output.

    Raises
    ------
    ModelError
        ``E-MODEL-ANSWER`` if they are too large to be added up.
    """
    if not (np.abs(values) <= LARGEST).all():
        raise ModelError(
            "attributions are not finite, or beyond what can be added up",
            code="E-MODEL-ANSWER",
            fix="look at the model's outputs: they should be probabilities, or numbers of a usual size",
        )
    return AttributionState(values.shape[1]).update(values)


def attributions_of(found: Explained, labels: Sequence[str], agg: str) -> tuple[Attribution, ...]:
    """Return what ``analysis.json`` says of the attributions, one entry for each label."""
    result = []
    for k, label in enumerate(labels):
        numbers = aggregated(found.values[:, :, k], agg)
        values = {name: float(value) for name, value in zip(found.players, numbers, strict=True)}
        expected = None if found.expected is None else found.expected[k]
        result.append(Attribution(label, values, expected))
    return tuple(result)
