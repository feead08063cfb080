"""OnnxModel: a model in the Open Neural Network Exchange format, run by onnxruntime."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

import numpy as np

from driftline.errors import printable
from driftline.monitor.attribution.failure import ModelError, missing_extra, reason_of
from driftline.monitor.attribution.model_files import ordered_names, read_model_file
from driftline.monitor.attribution.models import Model

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from driftline.monitor.attribution.encoding import Encoding
    from driftline.monitor.attribution.model_settings import ModelSettings

__all__ = ["OnnxModel"]

_TYPES = {
    "tensor(float)": np.float32,
    "tensor(double)": np.float64,
    "tensor(int64)": np.int64,
    "tensor(int32)": np.int32,
    "tensor(bool)": np.bool_,
    "tensor(string)": np.str_,
}


class OnnxModel(Model):
    """An ``InferenceSession``, or the file of a model.

    Notes
    -----
    A model with one input receives the matrix; one with an input for each feature (as converters of pipelines write), the
    columns by name, texts as texts. Of several outputs the one called ``output_name`` is read; without that, the one called
    ``probabilities`` or ``output_probability``, else the last that holds floating-point numbers. Of two probabilities
    the second is explained unless ``output`` says otherwise.
    """

    def __init__(self, settings: ModelSettings, encoding: Encoding) -> None:
        super().__init__(settings, encoding)
        try:
            ort: Any = importlib.import_module("onnxruntime")
        except ImportError:
            raise missing_extra("onnxruntime", "onnx", "a model of the kind onnx") from None
        if settings.object is not None:
            self._session = settings.object
        else:
            data, self.version = read_model_file(settings)
            options = ort.SessionOptions()
            options.log_severity_level = 4
            try:
                self._session = ort.InferenceSession(data, options, providers=["CPUExecutionProvider"])
            except Exception as error:  # noqa: BLE001 - its errors share no base of their own
                raise ModelError(
                    f"is no model that onnxruntime runs: {reason_of(error)}",
                    code="E-MODEL-FILE",
                    file=settings.file,
                ) from None
        self._inputs = [(one.name, self._type(one), one) for one in self._session.get_inputs()]
        self._one = len(self._inputs) == 1 and len(encoding.features) != 1
        if len(self._inputs) == 1:
            width = self._inputs[0][2].shape[-1:]
            if self._one and width and isinstance(width[0], int):
                ordered_names(None, width[0], encoding, self.name)
            self._order = np.arange(len(encoding.features), dtype=np.intp)
        else:
            names = [name for name, _, _ in self._inputs]
            self._order = ordered_names(names, len(names), encoding, self.name)
        self._output, self._is_map, self._binary = self._found_output()

    def _type(self, one: Any) -> Any:
        if one.type not in _TYPES:
            raise ModelError(
                f"{self.name} wants {one.type} as {printable(one.name, 60)}, which columns cannot be made into",
                code="E-MODEL-FEATURES",
            )
        return _TYPES[one.type]

    def _found_output(self) -> tuple[str, bool, bool]:
        outputs = {one.name: one for one in self._session.get_outputs()}
        name = self.settings.output_name
        if name is None:
            numbers = [n for n, one in outputs.items() if "float" in one.type or "double" in one.type]
            known = [n for n in ("probabilities", "output_probability") if n in outputs]
            name = (known or numbers[-1:] or list(outputs)[:1])[0]
        if name not in outputs:
            raise ModelError(
                f"{self.name} has no output called {printable(name, 60)!r}",
                code="E-MODEL-ANSWER",
                field="model.output_name",
                fix=f"use one of {', '.join(printable(n, 60) for n in outputs)}",
            )
        is_map = outputs[name].type.startswith("seq(map(")
        binary = self.settings.output is None and ("prob" in name)
        return name, is_map, binary

    def ask(self, matrix: NDArray[np.float64]) -> Any:
        """Run the model."""
        if self._one:
            name, kind, _ = self._inputs[0]
            fed = {name: self._cast(matrix, kind)}
        else:
            columns = self.encoding.columns(matrix)
            names = self.encoding.names
            fed = {}
            for (name, kind, _), place in zip(self._inputs, self._order, strict=True):
                fed[name] = self._cast(columns[names[place]], kind)[:, None]
        (answer,) = self._session.run([self._output], fed)
        if self._is_map:
            answer = np.array([list(one.values()) for one in answer], np.float64)
        if self._binary and getattr(answer, "ndim", 0) == 2 and answer.shape[1] == 2:
            return answer[:, 1:]
        return answer

    def _cast(self, values: NDArray[Any], kind: Any) -> NDArray[Any]:
        if kind is np.str_:
            return np.array(
                ["" if value is None else str(value) for value in values.ravel()], object
            ).reshape(values.shape)
        return np.ascontiguousarray(values, dtype=kind)
