"""Evaluation results of a Hugging Face card: ``model-index`` and the evaluations of a card, both ways.

A result is of one task on one data set; an evaluation of a card has a group for each task.

References
----------
.. [1] huggingface/hub-docs, ``modelcard.md``: task, dataset, metrics and source of a result.
.. [2] huggingface/huggingface_hub, ``repocard_data.py``: EvalResult.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from driftline.cards.convert.performance import metric_of
from driftline.documents import decode, encode
from driftline.errors import DocumentError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from driftline.cards.convert.draft import Draft
    from driftline.cards.convert.source import Source

__all__ = ["read_results", "slug", "written_results"]

DATASET: Final = ("config", "split", "revision")
MOST_NAME: Final = 63


def slug(text: str) -> str:
    """Return an identifier for a name, as task and metric types have them.

    Examples
    --------
    >>> slug("Token Classification"), slug("F1"), slug("模型")
    ('token-classification', 'f1', 'other')
    """
    return re.sub(r"[^a-z0-9]+", "-", text.casefold()).strip("-") or "other"


def read_results(index: list[Source], draft: Draft) -> None:
    """Make evaluations of the results of the models of a ``model-index``."""
    for model in index:
        name = model.text("name")
        if name is not None and draft.get("model_overview.model_name") is None:
            draft.put("model_overview.model_name", name, model.join("name"))
        last: tuple[Any, ...] | None = None
        for result in model.each("results"):
            last = _result(result, draft, last)


def _result(result: Source, draft: Draft, last: tuple[Any, ...] | None) -> tuple[Any, ...] | None:
    task, dataset, source = result.inside("task"), result.inside("dataset"), result.inside("source")
    kind, known = dataset.text("type"), dataset.text("name")
    name = known or kind or "Evaluation"
    details: dict[str, Any] = {}
    for key in DATASET:
        details[f"dataset_{key}"] = dataset.text(key)
    given = dataset.raw("args")
    details["dataset_args"] = given if isinstance(given, str) else encode(given) if given else None
    for key in ("name", "url"):
        details[f"source_{key}"] = source.text(key)
    identity = (name, kind, *sorted((key, value) for key, value in details.items() if value is not None))
    task_kind = task.text("type")
    group = task.text("name") or task_kind or "metrics"
    if task_kind is not None and slug(group) != task_kind:
        details[f"task_type {group}"] = task_kind
    metrics: list[dict[str, Any]] = []
    flags: list[tuple[str, bool]] = []
    for one in result.each("metrics"):
        _metric(one, metrics, details, flags)
    made: dict[str, Any] = {
        "name": name,
        "group": {"name": group, "metric_data": metrics},
        "datasets": [kind] if kind is not None and kind != slug(name) else [],
        "metadata": {key: value for key, value in details.items() if value is not None},
    }
    made_name = _add(made, draft, result.path, same=identity == last)
    for metric, flag in flags:
        entry = {"evaluation": made_name, "group": made["group"]["name"], "metric": metric, "verified": flag}
        draft.add("extensions.evaluation", entry, result.join("metrics.*.verified"))
    return identity


def _metric(
    one: Source, metrics: list[dict[str, Any]], details: dict[str, Any], flags: list[tuple[str, bool]]
) -> None:
    kind, value = one.text("type"), one.raw("value")
    name = one.text("name") or kind
    metric = (
        None
        if name is None
        else metric_of(name, value)
        if not isinstance(value, str)
        else _of_text(name, value)
    )
    if metric is None or name is None:
        one.leave(
            "value", "a metric has a name, and is a number, true or false, or text of at most 63 characters"
        )
        return
    metrics.append(metric)
    if kind is not None and slug(name) != kind:
        details[f"metric_type {name}"] = kind
    for key, detail in (
        ("config", "metric_config"),
        ("args", "metric_args"),
        ("verifyToken", "verify_token"),
    ):
        given = one.raw(key)
        if given is not None:
            details[f"{detail} {name}"] = given if isinstance(given, str) else encode(given)
    flag = one.raw("verified")
    if isinstance(flag, bool):
        flags.append((name, flag))
    elif flag is not None:
        one.leave("verified", "expected true or false")


def _of_text(name: str, value: str) -> dict[str, Any] | None:
    return {"name": name, "type": "string", "value": value} if len(value) <= MOST_NAME else None


def _add(made: dict[str, Any], draft: Draft, source: str, *, same: bool) -> str:
    """Add a group to the evaluation before it where it is of the same data, else a new evaluation; return its name."""
    for what in (made, made["group"]):
        if len(what["name"]) > MOST_NAME:
            # The whole name stays in the metadata.
            made["metadata"]["dataset_name" if what is made else "task_name"] = what["name"]
            what["name"] = what["name"][: MOST_NAME - 1] + "…"
    jobs = draft.content.get("evaluation_details") or []
    if same and jobs:
        job = jobs[-1]
        job["metric_groups"].append(made["group"])
        if made["metadata"]:
            job["metadata"] = {**job.get("metadata", {}), **made["metadata"]}
        return str(job["name"])
    job = {"name": made["name"]}
    if made["datasets"]:
        job["datasets"] = made["datasets"]
    if made["metadata"]:
        job["metadata"] = made["metadata"]
    draft.add("evaluation_details", {**job, "metric_groups": [made["group"]]}, source)
    return str(made["name"])


def written_results(content: Mapping[str, Any], extensions: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the simple metrics of a card as results; a chart has no place there."""
    verified = {
        (one["evaluation"], one.get("group"), one.get("metric")): one["verified"]
        for one in extensions.get("evaluation") or ()
        if "verified" in one and one.get("slice") is None
    }
    return [
        result for job in content.get("evaluation_details") or () for result in _written_job(job, verified)
    ]


def _written_job(
    job: Mapping[str, Any], verified: Mapping[tuple[str, str | None, str | None], bool]
) -> Iterator[dict[str, Any]]:
    details = job.get("metadata") or {}
    datasets = job.get("datasets") or ()
    dataset: dict[str, Any] = {
        "type": datasets[0] if datasets else slug(job["name"]),
        "name": details.get("dataset_name") or job["name"],
    }
    for key in (*DATASET, "args"):
        if details.get(f"dataset_{key}"):
            dataset[key] = _args(details[f"dataset_{key}"]) if key == "args" else details[f"dataset_{key}"]
    source = {key: details[f"source_{key}"] for key in ("name", "url") if details.get(f"source_{key}")}
    for group in job.get("metric_groups") or ():
        metrics = [
            _written_metric(metric, details, verified.get((job["name"], group["name"], metric["name"])))
            for metric in group.get("metric_data") or ()
            if metric["type"] in ("number", "string", "boolean")
        ]
        if not metrics:
            continue
        name = group["name"]
        kind = details.get(f"task_type {name}") or slug(name)
        result: dict[str, Any] = {
            "task": {"type": kind, "name": name},
            "dataset": dataset,
            "metrics": metrics,
        }
        # A source without its URL is refused by the Hub.
        yield {**result, "source": source} if "url" in source else result


def _written_metric(
    metric: Mapping[str, Any], details: Mapping[str, Any], verified: bool | None
) -> dict[str, Any]:
    name = metric["name"]
    made: dict[str, Any] = {
        "type": details.get(f"metric_type {name}") or slug(name),
        "value": metric["value"],
        "name": name,
    }
    for key, detail in (
        ("config", "metric_config"),
        ("args", "metric_args"),
        ("verifyToken", "verify_token"),
    ):
        if details.get(f"{detail} {name}"):
            text = details[f"{detail} {name}"]
            made[key] = _args(text) if key == "args" else text
    return made if verified is None else {**made, "verified": verified}


def _args(text: str) -> Any:
    """Return what arguments were before they became text: an object, or a word."""
    if not text.startswith("{"):
        return text
    try:
        return decode(text)
    except DocumentError:
        return text
