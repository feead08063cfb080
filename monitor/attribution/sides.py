"""Sides: what is made of the rows of the training data, or of a window."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from driftline.capture.open import open_source
from driftline.documents import Node
from driftline.errors import SchemaError, UsageError
from driftline.monitor.attribution.background import summarised
from driftline.monitor.attribution.captured import captured_values
from driftline.monitor.attribution.dependence import MOST_ROWS, chosen_features, dependence_of
from driftline.monitor.attribution.encoding import fit_encoding, read_encoding
from driftline.monitor.attribution.explaining import attributions_of, explained, labels_of, players_of
from driftline.monitor.attribution.keeping import background_kept
from driftline.monitor.attribution.models import open_model
from driftline.monitor.attribution.sample import read_sample, renamed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from driftline.baselines.attribution import AttributionBaseline
    from driftline.baselines.explanations import Attribution, Dependence
    from driftline.capture.source import Source
    from driftline.monitor.attribution.encoding import Encoding
    from driftline.monitor.attribution.explaining import Explained, Players
    from driftline.monitor.attribution.model_settings import ModelSettings
    from driftline.monitor.attribution.models import Model
    from driftline.monitor.attribution.settings import Settings

    Progress = Callable[[int, int], None]

__all__ = ["SideResult", "captured_side", "explained_baseline", "explained_window", "model_settings"]

TRAINING_ROWS: Final = 10_000
"""Rows of the training data that are looked at: for the encoding, the background and the grids of curves."""


@dataclass(frozen=True, eq=False, slots=True)
class SideResult:
    """What was made of one side's rows.

    Attributes
    ----------
    n_rows, n_explained : int
        Rows that were read, and rows that were explained.
    found : Explained or None
        None where there is no row.
    labels : tuple of str
    attributions : tuple of Attribution
        Over all rows, one for each label.
    dependence : tuple of Dependence
    encoding : Encoding or None
        With the texts that these rows brought; None for captured attributions.
    background : ndarray of float64 or None
    version : str or None
        Of the model.
    notes : tuple of str
    """

    n_rows: int
    n_explained: int
    found: Explained | None
    labels: tuple[str, ...] = ()
    attributions: tuple[Attribution, ...] = ()
    dependence: tuple[Dependence, ...] = ()
    encoding: Encoding | None = None
    background: NDArray[np.float64] | None = None
    version: str | None = None
    notes: tuple[str, ...] = ()


def model_settings(settings: Settings) -> ModelSettings:
    """Return the settings of the model.

    Raises
    ------
    UsageError
        ``E-MODEL`` if there are none.
    """
    if settings.model is None:
        raise UsageError(
            "no model is given",
            code="E-MODEL",
            field="model",
            fix='say [model] kind = "…" in the configuration, or give model=... from Python',
        )
    return settings.model


def explained_baseline(
    source: Source, settings: Settings, names: tuple[str, ...], progress: Progress | None
) -> SideResult:
    """Explain rows of the training data, after finding out what its columns are and which rows stand for all."""
    table, n_rows = read_sample(source, names, max(TRAINING_ROWS, settings.rows), settings.seed)
    if table is None:
        return SideResult(n_rows, 0, None)
    textual = {field.name: field.textual for field in source.fields}
    encoding = fit_encoding(table, names, [textual[name] for name in names])
    matrix, encoding, notes = encoding.encode(table)
    players = players_of(names, settings.groups)
    background, wider = background_of(settings, encoding, matrix)
    with open_model(model_settings(settings), wider) as model:
        side = _asked(model, matrix, background, players, settings, progress, None)
    return replace(side, n_rows=n_rows, encoding=wider, background=background, notes=(*notes, *side.notes))


def explained_window(
    source: Source,
    settings: Settings,
    names: tuple[str, ...],
    baseline: AttributionBaseline,
    mode: str,
    progress: Progress | None,
) -> SideResult:
    """Explain rows of a window, against the background of the baseline."""
    table, n_rows = read_sample(source, names, settings.rows, settings.seed)
    if table is None:
        return SideResult(n_rows, 0, None)
    told = baseline.details.get("encoding")
    if told is None:
        textual = {field.name: field.textual for field in source.fields}
        encoding = fit_encoding(table, names, [textual[name] for name in names])
    else:
        encoding = read_encoding(Node(told, baseline.file or "the baseline", "details.encoding"))
    matrix, encoding, notes = encoding.encode(table)
    players = players_of(names, settings.groups)
    background: NDArray[np.float64] | None
    wider = encoding
    if "background" in baseline.parts:
        background = background_kept(baseline.parts["background"])
    else:
        background, wider = background_of(settings, encoding, None)
    like = baseline.explanations.dependence if mode == "default" else ()
    with open_model(model_settings(settings), wider) as model:
        side = _asked(model, matrix, background, players, settings, progress, like)
    return replace(side, n_rows=n_rows, encoding=wider, background=background, notes=(*notes, *side.notes))


def _asked(
    model: Model,
    matrix: NDArray[np.float64],
    background: NDArray[np.float64] | None,
    players: Players,
    settings: Settings,
    progress: Progress | None,
    like: Sequence[Dependence] | None,
) -> SideResult:
    """Explain the first rows of a matrix, and draw curves over more of them; `like` says which curves, and where."""
    if background is None and not model.exact:
        raise UsageError(
            "the background is not known: Clarify's analysis.json does not hold it",
            code="E-BACKGROUND",
            field="background",
            fix='say background = {file = "baseline.csv"} with the rows that Clarify wrote beside it',
        )
    rows = matrix[: settings.rows]
    found = explained(model, rows, background, players, settings, progress)
    labels = labels_of(found.values.shape[2], settings)
    attributions = attributions_of(found, labels, settings.agg)
    notes = list(model.notes)
    dependence: tuple[Dependence, ...] = ()
    curves = _curves(attributions, model, settings, like)
    if curves and model.settings.kind == "http":
        notes.append(
            "no partial dependence is drawn of a model behind an address, unless pdp.features names some"
        )
        curves = curves if settings.pdp.features is not None else []
    if curves:
        some = matrix[: max(MOST_ROWS, settings.rows)]
        dependence = tuple(
            dependence_of(model, some, feature, settings.pdp.grid, labels, shape) for feature, shape in curves
        )
    return SideResult(
        0, rows.shape[0], found, labels, attributions, dependence, version=model.version, notes=tuple(notes)
    )


def _curves(
    attributions: Sequence[Attribution],
    model: Model,
    settings: Settings,
    like: Sequence[Dependence] | None,
) -> list[tuple[int, Dependence | None]]:
    names = model.encoding.names
    if like is not None:
        return [(names.index(one.feature), one) for one in like if one.feature in names and one.error is None]
    weight = np.array([sum(abs(one.values.get(name, 0.0)) for one in attributions) for name in names])
    chosen = chosen_features(settings.pdp.features, settings.pdp.top, names, weight)
    return [(names.index(name), None) for name in chosen]


def captured_side(source: Source, settings: Settings, names: tuple[str, ...]) -> SideResult:
    """Take the attributions that the service captured."""
    table, n_rows = read_sample(source, names, settings.rows, settings.seed)
    if table is None:
        return SideResult(n_rows, 0, None)
    found, notes = captured_values(table, settings, names)
    labels = labels_of(found.values.shape[2], settings)
    return SideResult(
        n_rows,
        found.values.shape[0],
        found,
        labels,
        attributions_of(found, labels, settings.agg),
        notes=notes,
    )


def background_of(
    settings: Settings, encoding: Encoding, training: NDArray[np.float64] | None
) -> tuple[NDArray[np.float64] | None, Encoding]:
    """Return the background rows, and the encoding with the texts that only they have."""
    told = settings.background
    if told.rows is not None:
        matrix, wider = encoding.encode_rows(told.rows)
        return matrix[: told.cap], wider
    if told.file is not None:
        source = open_source(told.file)
        names = encoding.names
        if not source.named and len(source.fields) == len(names):
            source = renamed(source, names)
        table, _ = read_sample(source, names, told.cap, settings.seed)
        if table is None:
            raise SchemaError(
                "holds not a single row", code="E-BACKGROUND", file=told.file, fix="give at least one row"
            )
        matrix, wider, _ = encoding.encode(table)
        return matrix, wider
    if training is None:
        return None, encoding
    return summarised(training, encoding, told.clusters, settings.seed)[: told.cap], encoding
