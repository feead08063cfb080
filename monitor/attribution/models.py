"""Models: everything that can be asked for predictions, behind one door.

A :class:`Model` answers batches of rows; the :class:`Predictor` in front of it cuts batches to size, holds every
answer to its shape, refuses what is no number, and counts. The kernels see the predictor only.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, Final

import numpy as np

from driftline.monitor.attribution.failure import ModelError, reason_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Self

    from numpy.typing import NDArray

    from driftline.monitor.attribution.encoding import Encoding
    from driftline.monitor.attribution.model_settings import ModelSettings

__all__ = ["Model", "Predictor", "handed", "open_model"]

MOST_BYTES: Final = 32 * 1024 * 1024
"""Largest matrix that is handed to a model at once."""

MOST_OUTPUTS: Final = 1_000


class Model(ABC):
    """Something that predicts.

    Parameters
    ----------
    settings : ModelSettings
    encoding : Encoding
        What the columns of the matrix mean.

    Attributes
    ----------
    version : str or None
        ``sha256:…`` of the model's file, where it has one.
    notes : tuple of str
        What a reader of the attributions should know about it.
    """

    exact: ClassVar[bool] = False
    """Whether it gives attributions itself."""

    def __init__(self, settings: ModelSettings, encoding: Encoding) -> None:
        self.settings = settings
        self.encoding = encoding
        self.version: str | None = None
        self.notes: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Name for people."""
        where = self.settings.file or self.settings.uri
        return where or f"the {self.settings.kind} model"

    @abstractmethod
    def ask(self, matrix: NDArray[np.float64]) -> Any:
        """Return the predictions for a batch: an array or nested list, one number or one row of numbers for each row."""

    def attributions(self, matrix: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the attributions that the model gives itself.

        Returns
        -------
        phi : ndarray of float64, shape (n, n_features, n_outputs)
        expected : ndarray of float64, shape (n_outputs,)
        """
        raise NotImplementedError(f"{type(self).__name__} gives no attributions")

    def planned(self, n_rows: int, fix: str) -> None:  # noqa: B027 - most models have no budget
        """Refuse to be asked for so many rows, before the first is sent; `fix` says how to need fewer."""

    def close(self) -> None:  # noqa: B027 - most models hold nothing
        """Give everything back. May be called again."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Predictor:
    """The callable that the kernels see: a matrix in, predictions out.

    Parameters
    ----------
    model : Model
    progress : callable, optional
        Called with the number of rows that have been predicted.

    Attributes
    ----------
    n_rows, n_calls : int
        Rows predicted, and calls of the model.
    """

    def __init__(self, model: Model, progress: Callable[[int], None] | None = None) -> None:
        self.n_rows = 0
        self.n_calls = 0
        self._model = model
        self._progress = progress
        self._n_outputs: int | None = None
        self._started = time.monotonic()
        width = max(1, len(model.encoding.features)) * 8
        self._batch = max(1, min(model.settings.rows_per_call, MOST_BYTES // width))

    def __call__(self, matrix: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the outputs that are explained.

        Parameters
        ----------
        matrix : ndarray of float64, shape (n, n_features)

        Returns
        -------
        ndarray of float64, shape (n, n_outputs)

        Raises
        ------
        ModelError
            If the model fails, takes too long, or answers anything but finite numbers of one shape.
        """
        n = matrix.shape[0]
        parts = [self._asked(matrix[i : i + self._batch]) for i in range(0, n, self._batch)]
        if not parts:
            return np.zeros((0, self._n_outputs or 1))
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def _asked(self, matrix: NDArray[np.float64]) -> NDArray[np.float64]:
        model = self._model
        try:
            answer = model.ask(matrix)
        except (ModelError, KeyboardInterrupt, SystemExit):
            raise
        except Exception as error:
            # Whatever foreign code raises, the user must know that it was the model, and on what.
            raise ModelError(
                f"{model.name} failed on a batch of {matrix.shape[0]:,} rows: {reason_of(error)}",
                code="E-MODEL-RAISED",
                fix=self._hint(matrix),
            ) from error
        result = self._numbers(answer, matrix)
        self.n_rows += matrix.shape[0]
        self.n_calls += 1
        if self._progress is not None:
            self._progress(self.n_rows)
        taken = time.monotonic() - self._started
        if taken > model.settings.max_seconds:
            raise ModelError(
                f"{model.name} had answered {self.n_rows:,} rows when {model.settings.max_seconds:g} seconds were over",
                code="E-MODEL-TIMEOUT",
                fix="explain fewer rows (rows), with fewer coalitions (n_samples) or a smaller background (clusters), "
                "or raise max_seconds",
            )
        return result

    def _numbers(self, answer: Any, matrix: NDArray[np.float64]) -> NDArray[np.float64]:
        model, n = self._model, matrix.shape[0]
        try:
            result = np.asarray(answer, dtype=np.float64)
        except (TypeError, ValueError) as error:
            raise ModelError(
                f"{model.name} gave no numbers: {reason_of(error)}",
                code="E-MODEL-ANSWER",
                fix="give probabilities or numbers, not labels",
            ) from None
        if result.ndim == 1:
            result = result[:, None]
        elif result.ndim > 2 and result.shape[:1] == (n,) and result.size == n * result.shape[1]:
            result = result.reshape(n, -1)
        if result.ndim != 2 or result.shape[0] != n or not result.shape[1]:
            raise ModelError(
                f"{model.name} gave an answer of shape {result.shape} for {n:,} rows, expected ({n}, outputs)",
                code="E-MODEL-ANSWER",
                fix="give one number, or one row of numbers, for each row",
            )
        result = self._chosen(result)
        if self._n_outputs is None:
            self._n_outputs = result.shape[1]
        elif result.shape[1] != self._n_outputs:
            raise ModelError(
                f"{model.name} gave {result.shape[1]} outputs after {self._n_outputs}", code="E-MODEL-ANSWER"
            )
        bad = ~np.isfinite(result).all(axis=1)
        if bad.any():
            raise ModelError(
                f"{model.name} gave {int(bad.sum()):,} answers in {n:,} that are not finite",
                code="E-MODEL-ANSWER",
                fix=self._hint(matrix[bad]),
            )
        return np.ascontiguousarray(result)

    def _chosen(self, result: NDArray[np.float64]) -> NDArray[np.float64]:
        wanted = self._model.settings.output
        if wanted is None:
            if result.shape[1] > MOST_OUTPUTS:
                raise ModelError(
                    f"{self._model.name} has {result.shape[1]:,} outputs, more than the limit of {MOST_OUTPUTS:,}",
                    code="E-MODEL-ANSWER",
                    fix="say output = [...] with the positions to be explained",
                )
            return result
        if max(wanted) >= result.shape[1]:
            raise ModelError(
                f"{self._model.name} has {result.shape[1]} outputs, and the settings want number {max(wanted)}",
                code="E-MODEL-ANSWER",
                field="model.output",
                fix="outputs are counted from 0",
            )
        return result[:, list(wanted)]

    def _hint(self, matrix: NDArray[np.float64]) -> str:
        gaps = np.flatnonzero(np.isnan(matrix).any(axis=0)).tolist()
        if gaps:
            names = [self._model.encoding.names[j] for j in gaps]
            shown = ", ".join(names[:3]) + ("" if len(names) < 4 else ", …")
            return f"some of these rows have no {shown}: does the model take missing values?"
        first = ", ".join(str(cell) for cell in self._model.encoding.rows(matrix[:1])[0][:8])
        return f"the first row of the batch is: {first}"


def handed(matrix: NDArray[np.float64], encoding: Encoding, form: str) -> Any:
    """Return a batch in the form that a model takes: ``matrix``, ``columns`` or ``frame``."""
    if form == "matrix":
        return matrix
    columns = encoding.columns(matrix)
    if form == "columns":
        return columns
    import pandas as pd

    return pd.DataFrame(columns)


def open_model(settings: ModelSettings, encoding: Encoding) -> Model:
    """Open a model; use it in a ``with`` statement.

    Raises
    ------
    ModelError
        If it cannot be loaded, or a library is missing (``E-EXTRA``).
    UsageError
        ``E-MODEL`` if it was in memory and is not handed over.
    """
    kind = settings.kind
    if kind in ("callable", "sklearn"):
        from driftline.monitor.attribution.memory_model import MemoryModel

        return MemoryModel(settings, encoding)
    if kind == "python":
        from driftline.monitor.attribution.python_model import PythonModel

        return PythonModel(settings, encoding)
    if kind == "xgboost":
        from driftline.monitor.attribution.xgboost_model import XGBoostModel

        return XGBoostModel(settings, encoding)
    if kind == "lightgbm":
        from driftline.monitor.attribution.lightgbm_model import LightGBMModel

        return LightGBMModel(settings, encoding)
    if kind == "onnx":
        from driftline.monitor.attribution.onnx_model import OnnxModel

        return OnnxModel(settings, encoding)
    if kind == "mlflow":
        from driftline.monitor.attribution.mlflow_model import MlflowModel

        return MlflowModel(settings, encoding)
    from driftline.monitor.attribution.endpoint import EndpointModel

    return EndpointModel(settings, encoding)
