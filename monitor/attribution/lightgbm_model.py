"""LightGBMModel: a booster of LightGBM, which gives exact tree attributions itself."""

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

__all__ = ["LightGBMModel"]


class LightGBMModel(Model):
    """A ``Booster``, an estimator of the scikit-learn interface, or the text file of one.

    Notes
    -----
    Attributions are those of ``pred_contrib``, in the unit of the raw score (log-odds for a classifier), without a
    background. Where the model was trained on a frame with categories, texts are numbered as it numbered them.
    """

    exact: ClassVar[bool] = True

    def __init__(self, settings: ModelSettings, encoding: Encoding) -> None:
        super().__init__(settings, encoding)
        try:
            lgb: Any = importlib.import_module("lightgbm")
        except ImportError:
            raise missing_extra("lightgbm", "lightgbm", "a model of the kind lightgbm") from None
        given = settings.object
        if given is not None:
            booster = given.booster_ if hasattr(given, "booster_") else given
        else:
            data, self.version = read_model_file(settings)
            booster = self._loaded(lgb, data)
        self._booster = booster
        self._n_outputs = int(booster.num_model_per_iteration())
        self._order = ordered_names(booster.feature_name(), int(booster.num_feature()), encoding, self.name)
        self._renumbered = self._categories(getattr(booster, "pandas_categorical", None))
        objective = str(booster.params.get("objective", "")) if isinstance(booster.params, dict) else ""
        if self._n_outputs > 1 or objective.startswith(("binary", "cross_entropy", "multiclass")):
            self.notes = ("attributions are in log-odds: the trees add up in that unit",)

    def _loaded(self, lgb: Any, data: bytes) -> Any:
        # Its reader trusts what it is given, so what is obviously something else never gets there.
        if not data.startswith(b"tree\n") or b"\nend of trees" not in data:
            raise self._no_model("it does not begin with 'tree', or does not end")
        try:
            return lgb.Booster(model_str=data.decode("utf-8"))
        except (lgb.basic.LightGBMError, UnicodeDecodeError, ValueError) as error:
            raise self._no_model(reason_of(error)) from None

    def _no_model(self, reason: str) -> ModelError:
        return ModelError(
            f"is no model of LightGBM: {reason}",
            code="E-MODEL-FILE",
            file=self.settings.file,
            fix='save it with booster.save_model("model.txt")',
        )

    def _categories(self, known: Any) -> dict[int, NDArray[np.float64]]:
        """Return for every column of text the numbers that the model gave its values."""
        text = [j for j in self._order if self.encoding.features[j].kind == "text"]
        if not known or len(known) != len(text):
            return {}
        result: dict[int, NDArray[np.float64]] = {}
        for j, values in zip(text, known, strict=True):
            number = {str(value): float(i) for i, value in enumerate(values)}
            codes = self.encoding.features[j].values
            result[int(j)] = np.array([number.get(value, np.nan) for value in codes])
        return result

    def _data(self, matrix: NDArray[np.float64]) -> NDArray[np.float64]:
        if self._renumbered:
            matrix = matrix.copy()
            for j, numbers in self._renumbered.items():
                there = ~np.isnan(matrix[:, j])
                matrix[there, j] = numbers[matrix[there, j].astype(np.intp)]
        return np.ascontiguousarray(matrix[:, self._order])

    def ask(self, matrix: NDArray[np.float64]) -> Any:
        """Predict: probabilities for a classifier."""
        return self._booster.predict(self._data(matrix), num_threads=1)

    def attributions(self, matrix: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return exact tree attributions; see :meth:`Model.attributions`."""
        found = np.asarray(
            self._booster.predict(self._data(matrix), pred_contrib=True, num_threads=1), np.float64
        )
        found = found.reshape(matrix.shape[0], self._n_outputs, matrix.shape[1] + 1)
        phi = np.empty((found.shape[0], matrix.shape[1], self._n_outputs))
        phi[:, self._order] = found[:, :, :-1].transpose(0, 2, 1)
        return phi, found[0, :, -1]
