"""MlflowModel: a pyfunc of MLflow. Loading one runs code that the model brings along, so somebody must trust it."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from driftline.errors import UsageError
from driftline.monitor.attribution.failure import ModelError, missing_extra, reason_of
from driftline.monitor.attribution.models import Model, handed

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from driftline.monitor.attribution.encoding import Encoding
    from driftline.monitor.attribution.model_settings import ModelSettings

__all__ = ["MlflowModel"]


class MlflowModel(Model):
    """A pyfunc: one in memory, or at a URI such as ``models:/churn/7`` or a folder.

    Notes
    -----
    MLflow unpickles what it loads, in this process: a model from elsewhere can do whatever its author wants. So a URI needs
    ``trusted = true``.
    """

    def __init__(self, settings: ModelSettings, encoding: Encoding) -> None:
        super().__init__(settings, encoding)
        given = settings.object
        if given is None:
            if settings.uri is None:
                raise UsageError(
                    "an MLflow model needs a uri, or the model itself", code="E-MODEL", field="model.uri"
                )
            if not settings.trusted:
                raise UsageError(
                    "loading an MLflow model runs code that it brings along, in this process",
                    code="E-MODEL-TRUST",
                    field="model.trusted",
                    fix="say trusted = true if you know who made it; else serve it, and use the kind http",
                )
            given = _loaded(settings.uri)
        self._pyfunc = given
        metadata = getattr(given, "metadata", None)
        self.version = getattr(metadata, "model_uuid", None)

    def ask(self, matrix: NDArray[np.float64]) -> Any:
        """Call the pyfunc with a frame."""
        return self._pyfunc.predict(handed(matrix, self.encoding, "frame"))


def _loaded(uri: str) -> Any:
    try:
        pyfunc: Any = importlib.import_module("mlflow.pyfunc")
    except ImportError:
        raise missing_extra("mlflow", "mlflow", "a model of the kind mlflow") from None
    try:
        return pyfunc.load_model(uri)
    except Exception as error:  # noqa: BLE001 - its loaders are as many as its flavours, and raise what they like
        raise ModelError(
            f"cannot be loaded by MLflow: {reason_of(error)}", code="E-MODEL-FILE", file=uri
        ) from None
