"""XGBoostModel: a booster of XGBoost, which gives exact tree attributions itself."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from driftline.monitor.attribution.failure import ModelError, missing_extra, reason_of
from driftline.monitor.attribution.model_files import ordered_names, read_model_file
from driftline.monitor.attribution.models import Model

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from driftline.monitor.attribution.encoding import Encoding
    from driftline.monitor.attribution.model_settings import ModelSettings

__all__ = ["XGBoostModel"]


class XGBoostModel(Model):
    """A ``Booster``, an estimator of the scikit-learn interface, or the JSON or UBJ file of one.

    Notes
    -----
    Attributions are those of ``pred_contribs``: TreeSHAP over the paths of the trees, in the unit of the margin
    (log-odds for a classifier), without a background. Texts are handed over as their position among the sorted
    values, which is how pandas numbers categories.

    References
    ----------
    S. Lundberg et al., "From local explanations to global understanding with explainable AI for trees", Nature Machine
    Intelligence 2 (2020), algorithm 2.
    """

    exact: ClassVar[bool] = True

    def __init__(self, settings: ModelSettings, encoding: Encoding) -> None:
        super().__init__(settings, encoding)
        try:
            self._xgb: Any = importlib.import_module("xgboost")
        except ImportError:
            raise missing_extra("xgboost", "xgboost", "a model of the kind xgboost") from None
        given = settings.object
        if given is not None:
            booster = given.get_booster() if hasattr(given, "get_booster") else given
        else:
            data, self.version = read_model_file(settings)
            # One thread: a scheduler has other things to do.
            booster = self._xgb.Booster({"nthread": 1})
            try:
                booster.load_model(bytearray(data))
            except self._xgb.core.XGBoostError as error:
                first = reason_of(error).split("\\n")[0]
                raise ModelError(
                    f"is no model of XGBoost: {first}",
                    code="E-MODEL-FILE",
                    file=settings.file,
                    fix='save it with booster.save_model("model.json")',
                ) from None
        self._booster = booster
        self._order = ordered_names(booster.feature_names, int(booster.num_features()), encoding, self.name)
        best = booster.attr("best_iteration")
        self._range = (0, 0 if best is None else int(best) + 1)
        objective = _objective(booster)
        if objective.startswith(("binary:logistic", "multi:", "reg:logistic", "binary:logitraw")):
            self.notes = ("attributions are in log-odds: the trees add up in that unit",)

    def _data(self, matrix: NDArray[np.float64]) -> Any:
        names, types = self._booster.feature_names, self._booster.feature_types
        return self._xgb.DMatrix(
            matrix[:, self._order],
            feature_names=names,
            feature_types=types,
            nthread=1,
            enable_categorical=bool(types) and "c" in types,
        )

    def ask(self, matrix: NDArray[np.float64]) -> Any:
        """Predict: probabilities for a classifier."""
        return self._booster.predict(self._data(matrix), iteration_range=self._range, strict_shape=True)

    def attributions(self, matrix: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return exact tree attributions; see :meth:`Model.attributions`."""
        found = self._booster.predict(
            self._data(matrix), pred_contribs=True, iteration_range=self._range, strict_shape=True
        )
        found = np.asarray(found, np.float64)
        phi = np.empty((found.shape[0], matrix.shape[1], found.shape[1]))
        phi[:, self._order] = found[:, :, :-1].transpose(0, 2, 1)
        return phi, found[0, :, -1]


def _objective(booster: Any) -> str:
    import json

    try:
        config = json.loads(booster.save_config())
        return str(config["learner"]["objective"]["name"])
    except (ValueError, KeyError, TypeError):
        return ""
