"""A baseline as an evaluation job: what the model did on the data that everything later is held to."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from driftline.baselines.index import INDEX
from driftline.cards.evidence.charts import POINTS
from driftline.cards.evidence.fitting import Piece, Section, label
from driftline.cards.evidence.job import CHARTS, OF_BASELINES, TITLES, assembled, short_datasets
from driftline.cards.reports import parse
from driftline.cards.reports.values import scalar
from driftline.cards.shapes import MOST_JOB_NAME, MOST_VALUE, fitted, group, metric, thinned
from driftline.documents import Node, decode
from driftline.errors import DocumentError, printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["evaluation_of_baseline"]

_STATISTICS: Final = "statistics.json"
_CONSTRAINTS: Final = "constraints.json"
_ANALYSIS: Final = "analysis.json"
_QUALITY: Final = ("regression", "binary_classification", "multiclass_classification")


def evaluation_of_baseline(
    files: Mapping[str, bytes],
    *,
    name: str | None = None,
    arn: str | None = None,
    file: str = "baseline",
    facts: Mapping[str, str | int | None] | None = None,
) -> dict[str, Any]:
    """Return a baseline as an evaluation job of a card's content.

    Parameters
    ----------
    files : mapping of str to bytes
        Of the baseline's folder, by name: ``baseline.json``, and ``statistics.json`` or ``analysis.json``; SageMaker's own
        files will do.
    name : str, optional
        Of the job; made of the kind and the baseline's label where not given.
    arn : str, optional
        ``evaluation_job_arn``.
    file : str
        The folder, for errors.
    facts : mapping of str to str, optional
        For ``metadata``: ``source``, ``baseline``, ``baseline_version``, ``digest``, ``model``.

    Returns
    -------
    dict
        Within all limits of a card: at most 10,000 characters as JSON.

    Raises
    ------
    DocumentError
        ``E-CARD-REPORT`` where it is no baseline; ``E-JSON``, ``E-FIELD`` where a file is damaged.
    """
    given = {key: str(value) for key, value in (facts or {}).items() if value is not None}
    index = _document(files, INDEX, file) if INDEX in files else Node({}, file)
    kind = _kind(files, index, file)
    called = given.get("baseline") or index.text("label", file)
    rows = _rows(files, index, kind, file)
    sources = [str(one) for one in index.object().get("sources") or ()]
    versions = index.object().get("versions") or {}
    metadata = {
        "monitor": kind,
        **given,
        "status": "baseline",
        "created": index.object().get("created"),
        "mode": index.object().get("mode"),
        "driftline_version": versions.get("driftline") if isinstance(versions, dict) else None,
    }
    version = given.get("baseline_version")
    named = label(called, MOST_VALUE - 16)
    verdict = [
        metric("status", "string", "baseline", notes="What later data are held to; nothing is judged here."),
        metric("baseline", "string", f"{named}, version {version}" if version else named),
        *([metric("rows", "number", rows)] if rows is not None else []),
    ]
    job: dict[str, Any] = {
        "name": fitted(name or f"Baseline, {TITLES[kind].lower()}: {printable(called, 1000)}", MOST_JOB_NAME),
        "evaluation_observation": "",
        **({"evaluation_job_arn": arn[:256]} if arn else {}),
        "datasets": short_datasets(called, sources),
        "metadata": {key: printable(value, 300) for key, value in metadata.items() if value},
        "metric_groups": [group("verdict", verdict)],
    }
    sections, warnings = _sections(files, kind, file)
    counted = f"{rows:,} rows" if rows is not None else "data"
    said = [f"The baseline of {TITLES[kind].lower()}: what was measured on {counted}.", *warnings]
    return assembled(
        job, sections, [*said, *(str(one) for one in index.object().get("notes") or ())], OF_BASELINES
    )


def _document(files: Mapping[str, bytes], name: str, file: str) -> Node:
    node = Node(decode(files[name], file=f"{file}/{name}"), f"{file}/{name}")
    node.object()
    return node


def _kind(files: Mapping[str, bytes], index: Node, file: str) -> str:
    if index.has("recipe"):
        return index.choice("recipe", TITLES)
    if _ANALYSIS in files:
        keys = _document(files, _ANALYSIS, file).object()
        is_bias = any(key.endswith("_training_bias_metrics") for key in keys)
        return "bias" if is_bias or "explanations" not in keys else "attribution"
    if _STATISTICS in files:
        keys = _document(files, _STATISTICS, file).object()
        return "model-quality" if any(f"{one}_metrics" in keys for one in _QUALITY) else "data-quality"
    raise DocumentError(
        "holds no baseline: there is neither statistics.json nor analysis.json",
        code="E-CARD-REPORT",
        file=file,
        fix="name the folder of a baseline",
    )


def _rows(files: Mapping[str, bytes], index: Node, kind: str, file: str) -> int | None:
    if index.has("n_rows"):
        return index.integer("n_rows")
    if _STATISTICS in files and kind in ("data-quality", "model-quality"):
        node = _document(files, _STATISTICS, file)
        if node.has("dataset") and node["dataset"].has("item_count"):
            return node["dataset"].integer("item_count")
    return None


def _sections(files: Mapping[str, bytes], kind: str, file: str) -> tuple[list[Section], tuple[str, ...]]:
    wanted = _STATISTICS if kind in ("data-quality", "model-quality") else _ANALYSIS
    if wanted not in files:
        raise DocumentError(
            f"holds no {wanted}", code="E-CARD-REPORT", file=file, fix="name the folder of a baseline"
        )
    node = _document(files, wanted, file)
    if kind == "data-quality":
        pieces = tuple(_columns(node))
        return [
            Section("type", tuple(_types(node)), 1_000),
            Section("statistic", pieces, 7_000, most=80),
        ], ()
    parsed = parse(dict(node.object()), "auto", file=node.file)
    simple: list[Piece] = []
    charts: list[Piece] = []
    for one in parsed.groups:
        for made in one["metric_data"]:
            piece = Piece(label(one["name"], 200), _small(made))
            (charts if made["type"] in CHARTS else simple).append(piece)
    constraints = tuple(_thresholds(files, file)) if kind == "model-quality" else ()
    return [
        Section("metric", tuple(simple), 4_500),
        Section("threshold", constraints, 1_000),
        Section("chart", tuple(charts), 3_000),
    ], parsed.warnings


def _small(made: dict[str, Any]) -> dict[str, Any]:
    """Return a metric with fewer points, and names that can stand in a card."""
    made = {**made, "name": label(made["name"])}
    if made["type"] == "linear_graph":
        points, note = thinned(made["value"], POINTS)
        notes = "; ".join(part for part in (made.get("notes"), note) if part) or None
        return metric(made["name"], made["type"], points, notes=notes, x=_axis(made, "x"), y=_axis(made, "y"))
    for key in ("x_axis_name", "y_axis_name"):
        if isinstance(made.get(key), list):
            made[key] = [label(one, 40) for one in made[key]]
        elif made.get(key):
            made[key] = label(made[key], 63)
    return made


def _axis(made: Mapping[str, Any], axis: str) -> str | None:
    name = made.get(f"{axis}_axis_name")
    return label(name, 63) if isinstance(name, str) and name else None


def _thresholds(files: Mapping[str, bytes], file: str) -> Iterator[Piece]:
    if _CONSTRAINTS not in files:
        return
    node = _document(files, _CONSTRAINTS, file)
    for one in _QUALITY:
        key = f"{one}_constraints"
        if not node.has(key):
            continue
        for name in node[key].object():
            threshold = node[key][name]
            number = scalar(threshold, "threshold") if threshold.has("threshold") else None
            if number is not None:
                how = threshold.text("comparison_operator", "")
                notes = {"LessThanThreshold": "at least this", "GreaterThanThreshold": "at most this"}.get(
                    how
                )
                yield Piece("thresholds", metric(label(name), "number", number, notes=notes))


def _types(node: Node) -> Iterator[Piece]:
    kinds = Counter(item.text("inferred_type", "Unknown") for item in node["features"].items())
    yield Piece("columns", metric("columns", "number", sum(kinds.values())))
    for kind, n in sorted(kinds.items()):
        yield Piece("columns", metric(f"columns of type {label(kind, 40)}", "number", n))


def _columns(node: Node) -> Iterator[Piece]:
    for item in node["features"].items():
        name = label(item.text("name"), 80)
        for key in ("numerical_statistics", "string_statistics"):
            if not item.has(key):
                continue
            found = item[key]
            if found.has("common"):
                yield from _numbers(found["common"], name, ("num_missing",))
            yield from _numbers(found, name, ("mean", "std_dev", "min", "max", "distinct_count"))


def _numbers(found: Node, name: str, keys: tuple[str, ...]) -> Iterator[Piece]:
    for key in keys:
        value = scalar(found, key) if found.has(key) else None
        if value is not None:
            yield Piece("column statistics", metric(f"{name} - {key}", "number", value))
