"""MemoryModel: a function of arrays, or an estimator of scikit-learn, that the caller holds in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from driftline.errors import UsageError
from driftline.monitor.attribution.models import Model, handed

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from driftline.monitor.attribution.encoding import Encoding
    from driftline.monitor.attribution.model_settings import ModelSettings

__all__ = ["MemoryModel"]


class MemoryModel(Model):
    """A callable, or an object with ``predict_proba`` or ``predict``.

    Notes
    -----
    It runs in this process, and nobody can stop it: it is the caller's own. A callable receives the matrix of doubles
    unless ``input`` says otherwise. An estimator that was fitted on a frame receives a frame with the columns it
    knows, in its order; one that was not, the matrix. Of a ``predict_proba`` with two columns the second is
    explained, the probability of the second class.
    """

    def __init__(self, settings: ModelSettings, encoding: Encoding) -> None:
        super().__init__(settings, encoding)
        given = settings.object
        if given is None:
            raise UsageError(
                "the baseline was made with a model in memory, which no file can hold",
                code="E-MODEL",
                field="model",
                fix="give it again: check(..., model=...), or use a model from a file or an endpoint",
            )
        self._columns: list[str] | None = None
        self._binary = False
        if settings.kind == "callable":
            self._call: Any = given
        elif callable(getattr(given, "predict_proba", None)):
            self._call = given.predict_proba
            self._binary = settings.output is None
        else:
            self._call = given.predict
        self._input = settings.input or "matrix"
        if settings.kind == "sklearn" and settings.input is None:
            self._read_names(getattr(given, "feature_names_in_", None))

    @property
    def name(self) -> str:
        """Name for people."""
        given = self.settings.object
        return str(getattr(given, "__name__", type(given).__name__))

    def _read_names(self, known: Any) -> None:
        if known is None:
            self._input = "frame" if self.encoding.has_text else "matrix"
            return
        self._input = "frame"
        self._columns = [str(name) for name in known]
        missing = [name for name in self._columns if name not in self.encoding.names]
        if missing:
            raise UsageError(
                f"the model was fitted with a column {missing[0]!r}, which is no feature here",
                code="E-MODEL",
                field="features",
                fix="name the columns that the model was fitted with under features",
            )
        extra = [name for name in self.encoding.names if name not in self._columns]
        if extra:
            raise UsageError(
                f"the model was not fitted with the column {extra[0]!r}",
                code="E-MODEL",
                field="features",
                fix="name it under ignore",
            )

    def ask(self, matrix: NDArray[np.float64]) -> Any:
        """Call the model."""
        batch = handed(matrix, self.encoding, self._input)
        if self._columns is not None:
            batch = batch[self._columns]
        answer = self._call(batch)
        if self._binary and getattr(answer, "ndim", 0) == 2 and answer.shape[1] == 2:
            return answer[:, 1:]
        return answer
