"""Settings: what an attribution monitor must be told, strictly read.

::

    features = ["age", "income"]         # default: every column but those under ignore
    ignore = ["label", "prediction"]
    label_headers = ["approved"]         # names of the model's outputs
    agg = "mean_abs"                     # mean_abs, median or mean_sq
    logit = false                        # explain log-odds instead of probabilities
    rows = 200                           # rows that are explained, of the baseline and of each window
    n_samples = 2048                     # coalitions for each row; default min(2^F - 2, 2 F + 2048)
    seed = 0

    [model]
    kind = "python"
    file = "model.py"

    [background]                         # what a missing feature is replaced with
    clusters = 10                        # or: file = "background.csv", or: rows = [[39, 1200.0]]

    [groups]                             # explained as one
    money = ["capital_gain", "capital_loss"]

    [pdp]
    features = ["age"]
    grid = 15
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, Final

from driftline.documents import Node, nearest
from driftline.errors import DocumentError, UsageError
from driftline.monitor.attribution.model_settings import ModelSettings, model_document, read_model
from driftline.monitor.overrides import _DEEP_KEY, _not_toml

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "AGGREGATIONS",
    "MOST_FEATURES",
    "Background",
    "PartialDependence",
    "Settings",
    "read_settings",
    "settings_document",
]

AGGREGATIONS: Final = ("mean_abs", "median", "mean_sq")
"""How the attributions of many rows become one number for each feature."""

MOST_FEATURES: Final = 5_000
MOST_ROWS: Final = 100_000
MOST_BACKGROUND: Final = 1_000
MOST_SAMPLES: Final = 1_000_000
MOST_LABELS: Final = 1_000


@dataclass(frozen=True, slots=True)
class Background:
    """What takes the place of features that a coalition leaves out.

    Attributes
    ----------
    file : str or None
        Data file whose rows are used.
    rows : tuple of tuple, or None
        The rows themselves, in the order of the features: numbers, text, booleans or None.
    clusters : int or None
        So many rows, chosen from the training data by k-means. With neither of the three the number is chosen, from 1
        to 12.
    cap : int
        Of more rows than this, so many are used.
    """

    file: str | None = None
    rows: tuple[tuple[float | str | bool | None, ...], ...] | None = None
    clusters: int | None = None
    cap: int = 100


@dataclass(frozen=True, slots=True)
class PartialDependence:
    """Whether, and for which features, the mean prediction is drawn over their values.

    Attributes
    ----------
    features : tuple of str, or None
        None: the `top` features by attribution.
    grid : int
        Buckets of a number's range.
    top : int
        0: no curves.
    """

    features: tuple[str, ...] | None = None
    grid: int = 15
    top: int = 10


@dataclass(frozen=True, slots=True)
class Settings:
    """What an attribution monitor was told.

    Attributes
    ----------
    model : ModelSettings or None
        None where the model itself is handed over.
    features : tuple of str, or None
        Columns that the model takes, in its order. None: all but those of `ignore`.
    ignore : tuple of str
        Columns that are no features: the label, the prediction, ids.
    label_headers : tuple of str
        Names of the model's outputs; empty: ``label0``, ``label1``, ….
    agg : str
        One of :data:`AGGREGATIONS`.
    logit : bool
        Explain log-odds.
    rows : int
        Rows that are explained.
    n_samples : int or None
        Coalitions for each row.
    seed : int
    background : Background
    groups : tuple of (str, tuple of str)
        Columns that are explained as one, by the name of their group.
    pdp : PartialDependence
    """

    model: ModelSettings | None = None
    features: tuple[str, ...] | None = None
    ignore: tuple[str, ...] = ()
    label_headers: tuple[str, ...] = ()
    agg: str = "mean_abs"
    logit: bool = False
    rows: int = 200
    n_samples: int | None = None
    seed: int = 0
    background: Background = field(default_factory=Background)
    groups: tuple[tuple[str, tuple[str, ...]], ...] = ()
    pdp: PartialDependence = field(default_factory=PartialDependence)


_KEYS: Final = tuple(f.name for f in fields(Settings))


def read_settings(given: Mapping[str, Any] | bytes | None, *, file: object = "config") -> Settings:
    """Read the settings of an attribution monitor.

    Parameters
    ----------
    given : mapping, bytes or None
        Bytes are TOML. None: nothing but the defaults, for a model that is handed over.
    file : object
        Name used in errors.

    Returns
    -------
    Settings

    Raises
    ------
    DocumentError
        For malformed TOML, unknown keys and values out of range, naming the field and the nearest known key.
    UsageError
        If `given` is something else.
    """
    node = Node(_mapping(given, file), file).known(*_KEYS)
    model_node = node.get("model")
    model = None if model_node is None else read_model(model_node)
    features = _names(node, "features", MOST_FEATURES) if node.has("features") else None
    ignore = _names(node, "ignore", MOST_FEATURES)
    if features is not None:
        for name in ignore:
            if name in features:
                raise node.error(
                    f"{name!r} is among the features, too", key="ignore", fix="remove it from one"
                )
    return Settings(
        model,
        features,
        ignore,
        _names(node, "label_headers", MOST_LABELS),
        node.choice("agg", AGGREGATIONS, "mean_abs"),
        node.boolean("logit", default=False),
        node.integer("rows", 200, low=2, high=MOST_ROWS),
        node.integer("n_samples", low=2, high=MOST_SAMPLES) if node.has("n_samples") else None,
        node.integer("seed", 0, high=(1 << 32) - 1),
        _background(node.get("background"), features),
        _groups(node.get("groups"), features),
        _pdp(node.get("pdp"), features),
    )


def settings_document(settings: Settings) -> dict[str, Any]:
    """Return the settings as plain JSON values, without those that are as they would be anyway.

    ``read_settings(settings_document(s)) == s``. A model in memory has no place in a document: only its kind is kept.
    """
    document: dict[str, Any] = {}
    if settings.model is not None:
        document["model"] = model_document(settings.model)
    for name in ("features", "ignore", "label_headers"):
        value = getattr(settings, name)
        if value:
            document[name] = list(value)
    plain = Settings()
    for name in ("agg", "logit", "rows", "n_samples", "seed"):
        if getattr(settings, name) != getattr(plain, name):
            document[name] = getattr(settings, name)
    background: dict[str, Any] = {}
    if settings.background.rows is not None:
        background["rows"] = [list(row) for row in settings.background.rows]
    for name in ("file", "clusters", "cap"):
        if getattr(settings.background, name) != getattr(plain.background, name):
            background[name] = getattr(settings.background, name)
    if background:
        document["background"] = background
    if settings.groups:
        document["groups"] = {name: list(members) for name, members in settings.groups}
    pdp: dict[str, Any] = {}
    if settings.pdp.features is not None:
        pdp["features"] = list(settings.pdp.features)
    for name in ("grid", "top"):
        if getattr(settings.pdp, name) != getattr(plain.pdp, name):
            pdp[name] = getattr(settings.pdp, name)
    if pdp:
        document["pdp"] = pdp
    return document


def _mapping(given: Mapping[str, Any] | bytes | None, file: object) -> dict[str, Any]:
    if given is None:
        return {}
    if isinstance(given, bytes):
        return _toml(given, file)
    if not isinstance(given, Mapping):
        raise UsageError(
            f"expected a mapping or TOML, found an object of type {type(given).__name__}",
            code="E-CONFIG",
            field=str(file),
            fix='give something like {"model": {"kind": "python", "file": "model.py"}}',
        )
    # Python's own mappings and sequences are taken as JSON's.
    return {str(key): _plain(value) for key, value in given.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        # The model itself stands under "object" and stays what it is.
        return {str(k): v if k == "object" else _plain(v) for k, v in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    item = getattr(value, "item", None)
    return item() if callable(item) and getattr(value, "shape", None) == () else value


def _toml(given: bytes, file: object) -> dict[str, Any]:
    try:
        text = given.decode("utf-8-sig")
        if not _DEEP_KEY.search(text):
            return tomllib.loads(text)
    except UnicodeDecodeError:
        raise DocumentError("not valid UTF-8", code="E-CONFIG", file=file, fix="save it as UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        raise _not_toml(str(error), file) from None
    except RecursionError:
        pass
    raise DocumentError("nests too deeply", code="E-CONFIG", file=file, fix="flatten it")


def _names(node: Node, key: str, most: int) -> tuple[str, ...]:
    """Read a list of distinct names; one alone may stand without brackets."""
    found = node.get(key)
    if found is None:
        return ()
    if isinstance(found.value, str):
        return (found.value,)
    names: list[str] = []
    items = found.items()
    if len(items) > most:
        raise node.error(f"has {len(items):,} entries, more than the limit of {most:,}", key=key)
    seen: set[str] = set()
    for item in items:
        if not isinstance(item.value, str) or not item.value:
            raise item.error("expected a name")
        if item.value in seen:
            raise item.error(f"{item.value!r} stands here twice", fix="remove one")
        seen.add(item.value)
        names.append(item.value)
    if not names:
        raise node.error("names nothing", key=key, fix="remove it, or name something")
    return tuple(names)


def _background(node: Node | None, features: tuple[str, ...] | None) -> Background:
    if node is None:
        return Background()
    node.known("file", "rows", "clusters", "cap")
    given = [key for key in ("file", "rows", "clusters") if node.has(key)]
    if len(given) > 1:
        raise node.error(f"stands beside {given[0]}", key=given[1], fix="keep one of file, rows and clusters")
    cap = node.integer("cap", 100, low=1, high=MOST_BACKGROUND)
    clusters = node.integer("clusters", low=1, high=MOST_BACKGROUND) if node.has("clusters") else None
    rows = None
    if node.has("rows"):
        if features is None:
            raise node.error(
                "rows need to know their columns", key="rows", fix="say features = [...] in the same order"
            )
        rows = _rows(node["rows"], features)
    return Background(node.text("file") if node.has("file") else None, rows, clusters, cap)


def _rows(node: Node, features: tuple[str, ...]) -> tuple[tuple[float | str | bool | None, ...], ...]:
    rows: list[tuple[float | str | bool | None, ...]] = []
    items = node.items()
    if not items or len(items) > MOST_BACKGROUND:
        raise node.error(f"expected 1 to {MOST_BACKGROUND:,} rows, found {len(items):,}")
    for item in items:
        if isinstance(item.value, dict):
            item.known(*features)
            cells: list[Any] = [item.value.get(name) for name in features]
        else:
            cells = [cell.value for cell in item.items()]
        if len(cells) != len(features):
            raise item.error(f"has {len(cells):,} values for {len(features):,} features")
        for name, cell in zip(features, cells, strict=True):
            if cell is not None and not isinstance(cell, bool | int | float | str):
                raise item.error(f"{name}: expected a number, text, true, false or null")
            if isinstance(cell, int) and not isinstance(cell, bool) and abs(cell) > 1 << 1000:
                raise item.error(f"{name}: the number is larger than a double can hold")
        rows.append(tuple(cells))
    return tuple(rows)


def _groups(node: Node | None, features: tuple[str, ...] | None) -> tuple[tuple[str, tuple[str, ...]], ...]:
    if node is None:
        return ()
    groups: list[tuple[str, tuple[str, ...]]] = []
    taken: dict[str, str] = {}
    for name in node.object():
        members = _names(node, name, MOST_FEATURES)
        if not name or not members:
            raise node.error("a group needs a name and columns", key=name)
        for member in members:
            if member in taken:
                raise node.error(f"{member!r} is in the group {taken[member]!r}, too", key=name)
            if features is not None and member not in features:
                raise node.error(f"{member!r} is no feature", key=name, fix=_did_you_mean(member, features))
            taken[member] = name
        groups.append((name, members))
    for name, members in groups:
        if features is not None and name in features and name not in members:
            raise node.error("is the name of a feature outside of the group, too", key=name, fix="rename it")
    return tuple(groups)


def _pdp(node: Node | None, features: tuple[str, ...] | None) -> PartialDependence:
    if node is None:
        return PartialDependence()
    node.known("features", "grid", "top")
    names = _names(node, "features", 100) if node.has("features") else None
    for name in names or ():
        if features is not None and name not in features:
            raise node.error(f"{name!r} is no feature", key="features", fix=_did_you_mean(name, features))
    return PartialDependence(
        names, node.integer("grid", 15, low=2, high=1_000), node.integer("top", 10, high=100)
    )


def _did_you_mean(name: str, known: Iterable[str]) -> str:
    close = nearest(name, known)
    return f"did you mean {close!r}?" if close else "name one of the features"
