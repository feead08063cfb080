"""Model settings: the ``[model]`` table, which says what is asked for predictions, and how.

Every kind knows its own keys; a key of another kind is refused. Secrets have no place here, since the settings are kept
with the baseline: ``token_env`` and ``token_file`` say where one is.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, Final

from driftline.errors import UsageError

if TYPE_CHECKING:
    from driftline.documents import Node

__all__ = [
    "FORMATS",
    "INPUTS",
    "KINDS",
    "MEMORY_KINDS",
    "ModelSettings",
    "model_document",
    "model_of",
    "read_model",
]

KINDS: Final = ("callable", "sklearn", "python", "xgboost", "lightgbm", "onnx", "mlflow", "http", "captured")
"""What can be asked for predictions, or for attributions."""

MEMORY_KINDS: Final = ("callable", "sklearn")
"""Kinds that exist in memory only."""

INPUTS: Final = ("matrix", "columns", "frame")
"""How rows are handed over: one array of doubles; an array for each column; a frame of pandas."""

FORMATS: Final = ("csv", "json", "v2")
"""Bodies of requests: lines of CSV; ``{"instances": [[…]]}``; the Open Inference Protocol."""

_COMMON: Final = ("kind", "output", "batch")
_KEYS: Final = {
    "callable": ("object", "input"),
    "sklearn": ("object", "input"),
    "python": ("file", "function", "input", "timeout_seconds", "max_seconds", "memory_mb"),
    "xgboost": ("file", "object"),
    "lightgbm": ("file", "object"),
    "onnx": ("file", "object", "output_name"),
    "mlflow": ("uri", "object", "trusted"),
    "http": (
        "url",
        "format",
        "input",
        "response",
        "output_name",
        "headers",
        "token_env",
        "token_file",
        "token_header",
        "timeout_seconds",
        "max_seconds",
        "retries",
        "max_requests",
        "allow_private",
        "allow_http",
        "ca_file",
    ),
    "captured": ("prefix", "columns", "expected_value"),
}
_BATCH: Final = {"http": 1_000}
_FORBIDDEN_HEADERS: Final = (
    "authorization",
    "connection",
    "content-length",
    "content-type",
    "cookie",
    "host",
    "proxy-authorization",
    "transfer-encoding",
    "x-api-key",
)


@dataclass(frozen=True, slots=True)
class ModelSettings:
    """What is asked for predictions, and how.

    Attributes
    ----------
    kind : str
        One of :data:`KINDS`.
    object : object or None
        The model in memory. Neither compared nor written.
    file : str or None
        The Python file, or the file of the model.
    function : str
        Name of the function in the Python file.
    uri : str or None
        Of an MLflow model.
    trusted : bool
        That loading the MLflow model, which runs code it brings along, is fine.
    url : str or None
    input : str or None
        One of :data:`INPUTS`; None: as the kind has it.
    output : tuple of int, or None
        Positions of the outputs that are explained; None: all, of two probabilities the second.
    output_name : str or None
        Of an ONNX model or an inference server with several outputs.
    batch : int or None
        Most rows of a call.
    timeout_seconds, max_seconds : float
        For one call, and for all of them.
    memory_mb : int
        Of the process that runs a Python file.
    format : str
        One of :data:`FORMATS`.
    response : str or None
        Path of the predictions in a JSON answer, such as ``predictions.score``.
    headers : tuple of (str, str)
    token_env, token_file : str or None
        Where the token is.
    token_header : str
        The header that carries it; in ``Authorization`` it stands behind ``Bearer``.
    retries : int
    max_requests : int
    allow_private, allow_http : bool
    ca_file : str or None
    prefix : str or None
        Captured attributions: what the names of their columns begin with.
    columns : tuple of str
        Captured attributions: the columns, in the order of the features.
    expected_value : float or None
        Captured attributions: the model's mean output, where it is known.
    """

    kind: str
    object: Any = field(default=None, compare=False, repr=False)
    file: str | None = None
    function: str = "predict"
    uri: str | None = None
    trusted: bool = False
    url: str | None = None
    input: str | None = None
    output: tuple[int, ...] | None = None
    output_name: str | None = None
    batch: int | None = None
    timeout_seconds: float = 60.0
    max_seconds: float = 3600.0
    memory_mb: int = 2048
    format: str = "csv"
    response: str | None = None
    headers: tuple[tuple[str, str], ...] = ()
    token_env: str | None = None
    token_file: str | None = None
    token_header: str = "Authorization"  # noqa: S105 - the name of a header
    retries: int = 4
    max_requests: int = 10_000
    allow_private: bool = False
    allow_http: bool = False
    ca_file: str | None = None
    prefix: str | None = None
    columns: tuple[str, ...] = ()
    expected_value: float | None = None

    @property
    def rows_per_call(self) -> int:
        """Most rows of a call."""
        return self.batch if self.batch is not None else _BATCH.get(self.kind, 65_536)


_TEXTS: Final = (
    "file",
    "uri",
    "url",
    "output_name",
    "response",
    "token_env",
    "token_file",
    "ca_file",
    "prefix",
)
_FLAGS: Final = ("trusted", "allow_private", "allow_http")


def read_model(node: Node) -> ModelSettings:
    """Read a ``[model]`` table.

    Raises
    ------
    DocumentError
        For a key that the kind does not have, a value out of range, and what is missing.
    """
    kind = node.choice("kind", KINDS)
    node.known(*_COMMON, *_KEYS[kind])
    given: dict[str, Any] = {"kind": kind, "object": node.object().get("object")}
    for key in _TEXTS:
        if node.has(key):
            given[key] = node.text(key)
            if not given[key]:
                raise node.error("is empty", key=key)
    for key in _FLAGS:
        given[key] = node.boolean(key, default=False)
    if node.has("function"):
        given["function"] = node.text("function")
        if not given["function"].isidentifier():
            raise node.error("is not the name of a function", key="function")
    if node.has("input"):
        given["input"] = node.choice("input", INPUTS if kind != "http" else INPUTS[:2])
    if node.has("output"):
        given["output"] = _output(node)
    if node.has("batch"):
        given["batch"] = node.integer("batch", low=1, high=1_000_000)
    given["timeout_seconds"] = node.number("timeout_seconds", 60.0, low=0.001, high=3600.0)
    given["max_seconds"] = node.number("max_seconds", 3600.0, low=0.001, high=86_400.0)
    given["memory_mb"] = node.integer("memory_mb", 2048, low=128, high=1 << 20)
    given["retries"] = node.integer("retries", 4, high=20)
    given["max_requests"] = node.integer("max_requests", 10_000, low=1, high=100_000_000)
    given["format"] = node.choice("format", FORMATS, "csv")
    given["headers"] = _headers(node.get("headers"))
    given["token_header"] = node.text("token_header", "Authorization")
    if not _is_header(given["token_header"]):
        raise node.error("is not the name of a header", key="token_header")
    if node.has("expected_value"):
        given["expected_value"] = node.number("expected_value")
    given["columns"] = _columns(node)
    settings = ModelSettings(**given)
    _needs(node, settings)
    return settings


def model_document(settings: ModelSettings) -> dict[str, Any]:
    """Return the table as plain JSON values, without those that are as they would be anyway."""
    document: dict[str, Any] = {"kind": settings.kind}
    plain = ModelSettings(settings.kind)
    for one in fields(ModelSettings):
        if one.name in ("kind", "object"):
            continue
        value = getattr(settings, one.name)
        if value != getattr(plain, one.name):
            if one.name == "headers":
                value = dict(value)
            document[one.name] = list(value) if isinstance(value, tuple) else value
    return document


def _needs(node: Node, settings: ModelSettings) -> None:
    kind = settings.kind
    if kind in MEMORY_KINDS:
        return
    if kind == "python" and settings.file is None:
        raise node.error("this field is required and missing", key="file", fix='say file = "model.py"')
    if kind == "http" and settings.url is None:
        raise node.error("this field is required and missing", key="url")
    if kind == "captured" and (settings.prefix is None) == (not settings.columns):
        raise node.error("expected either prefix or columns", fix='say prefix = "shap_"')
    if settings.token_env is not None and settings.token_file is not None:
        raise node.error("stands beside token_env", key="token_file", fix="keep one of them")
    if kind == "http" and settings.format == "v2" and settings.response is not None:
        raise node.error("the Open Inference Protocol has no path", key="response", fix="use output_name")


def _output(node: Node) -> tuple[int, ...]:
    found = node["output"]
    if not isinstance(found.value, list):
        return (node.integer("output", high=999),)
    positions: list[int] = []
    for item in found.items():
        if isinstance(item.value, bool) or not isinstance(item.value, int) or not 0 <= item.value < 1000:
            raise item.error("expected a position from 0 to 999")
        if item.value in positions:
            raise item.error("stands here twice", fix="remove one")
        positions.append(item.value)
    if not positions:
        raise found.error("names nothing", fix="remove it, or name a position")
    return tuple(positions)


def _headers(node: Node | None) -> tuple[tuple[str, str], ...]:
    if node is None:
        return ()
    headers: list[tuple[str, str]] = []
    for name in node.object():
        value = node.text(name)
        if not _is_header(name):
            raise node.error("is not the name of a header", key=name)
        if name.lower() in _FORBIDDEN_HEADERS:
            fix = "driftline sets it itself"
            if name.lower() in ("authorization", "cookie", "proxy-authorization", "x-api-key"):
                fix = "settings are kept with the baseline: say token_env or token_file instead"
            raise node.error("is not for settings", key=name, fix=fix)
        if not value.isascii() or not value.isprintable() or len(value) > 4096:
            raise node.error("expected printable ASCII", key=name)
        headers.append((name, value))
    if len(headers) > 50:
        raise node.error(f"expected at most 50, found {len(headers)}")
    return tuple(headers)


def _is_header(name: str) -> bool:
    return name.isascii() and name.replace("-", "").isalnum() and len(name) <= 100


def _columns(node: Node) -> tuple[str, ...]:
    found = node.get("columns")
    if found is None:
        return ()
    names: list[str] = []
    for item in found.items():
        if not isinstance(item.value, str) or not item.value:
            raise item.error("expected the name of a column")
        if item.value in names:
            raise item.error("stands here twice", fix="remove one")
        names.append(item.value)
    return tuple(names)


def model_of(given: Any) -> ModelSettings:
    """Tell what a model in memory is.

    Parameters
    ----------
    given : object
        A booster of XGBoost or LightGBM, or an estimator of their scikit-learn interfaces; a session of onnxruntime; an
        MLflow pyfunc; a scikit-learn estimator; anything that can be called with an array; settings, or a mapping of them.

    Raises
    ------
    UsageError
        ``E-MODEL`` if it is none of these.
    """
    from collections.abc import Mapping

    from driftline.documents import Node

    if isinstance(given, ModelSettings):
        return given
    if isinstance(given, Mapping):
        return read_model(Node(dict(given), "model"))
    roots = {cls.__module__.partition(".")[0] for cls in type(given).__mro__}
    for kind, root in (
        ("xgboost", "xgboost"),
        ("lightgbm", "lightgbm"),
        ("onnx", "onnxruntime"),
        ("mlflow", "mlflow"),
    ):
        if root in roots:
            return ModelSettings(kind, given, trusted=kind == "mlflow")
    if callable(getattr(given, "predict_proba", None)) or callable(getattr(given, "predict", None)):
        return ModelSettings("sklearn", given)
    if callable(given):
        return ModelSettings("callable", given)
    raise UsageError(
        f"an object of type {type(given).__name__} is no model",
        code="E-MODEL",
        field="model",
        fix="give a function of an array, an object with predict_proba or predict, or settings of a model",
    )
