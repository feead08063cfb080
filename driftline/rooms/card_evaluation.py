"""Evaluation reports as parts of a card: driftline's own, baselines, and what SageMaker's jobs wrote."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from driftline.errors import DriftlineError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from driftline.rooms.card_draft import Draft

__all__ = ["evaluation_of", "with_evaluations"]

_REPORT = "report.json"
_BASELINE = "baseline.json"
_MOST_OBSERVATION = 2096
_MOST_NAME = 63
_MOST_BYTES = 64 << 20


def evaluation_of(
    source: str | os.PathLike[str],
    *,
    name: str | None = None,
    observation: str | None = None,
    datasets: Iterable[str] = (),
) -> dict[str, Any]:
    """Return a report as an evaluation job of a card.

    Parameters
    ----------
    source : path or URL
        A report or a baseline of driftline's: the folder, or its JSON. Or a JSON report of SageMaker Clarify, of a
        model-quality job, or with ``metric_groups``.
    name : str, optional
        Of the evaluation; told from the report, or from the file's name, otherwise.
    observation : str, optional
        What somebody has to say about it.
    datasets : iterable of str
        What the model was evaluated on.

    Raises
    ------
    InputError
    """
    job = _job(os.fspath(source), name)
    if observation:
        job["evaluation_observation"] = observation
    if given := list(datasets):
        job["datasets"] = given
    order = ("name", "evaluation_observation", "evaluation_job_arn", "datasets", "metadata", "metric_groups")
    return {key: job[key] for key in order if key in job}


def _job(source: str, name: str | None) -> dict[str, Any]:
    path = Path(source)
    if path.is_dir() and (path / _BASELINE).is_file():
        return _baseline(path, name)
    if path.is_dir() or _is_report(path):
        from driftline.cards.evidence import evaluation_of_report
        from driftline.files import read_regular
        from driftline.reports.codec import from_json

        file = path / _REPORT if path.is_dir() else path
        report = from_json(read_regular(file, max_bytes=_MOST_BYTES), file=str(file))
        return evaluation_of_report(report, name=name)
    if path.name == _BASELINE and path.is_file():
        return _baseline(path.parent, name)
    from driftline.cards.reports import load

    parsed = load(source)
    made: dict[str, Any] = {"name": name or _name_of(source), "metric_groups": parsed.groups}
    if parsed.warnings:
        made["evaluation_observation"] = "; ".join(parsed.warnings)[:_MOST_OBSERVATION]
    return made


def _is_report(path: Path) -> bool:
    """Tell whether a file is a report of driftline's."""
    from driftline.documents import decode
    from driftline.files import read_regular

    if not path.is_file() or path.suffix != ".json":
        return False
    try:
        value = decode(read_regular(path, max_bytes=_MOST_BYTES), file=str(path), max_bytes=_MOST_BYTES)
    except DriftlineError:
        return False  # whoever reads it next says what is wrong with it
    return isinstance(value, dict) and str(value.get("schema", "")).startswith("driftline.report/")


def _baseline(folder: Path, name: str | None) -> dict[str, Any]:
    from driftline.cards.evidence import evaluation_of_baseline
    from driftline.files import read_regular

    wanted = ("baseline.json", "statistics.json", "constraints.json", "analysis.json")
    files = {
        one: read_regular(folder / one, max_bytes=_MOST_BYTES) for one in wanted if (folder / one).is_file()
    }
    return evaluation_of_baseline(files, name=name, file=str(folder))


def _name_of(source: str) -> str:
    stem = source.rstrip("/").rpartition("/")[2].rpartition("?")[0] or source.rstrip("/").rpartition("/")[2]
    return (stem.rpartition(".")[0] or stem)[:_MOST_NAME] or "evaluation"


def with_evaluations(draft: Draft, jobs: Iterable[Mapping[str, Any]]) -> Draft:
    """Return a draft with more evaluations; one of the same name takes the place of the older."""
    there = [dict(one) for one in draft.content.get("evaluation_details") or ()]
    for job in jobs:
        places = [place for place, one in enumerate(there) if one.get("name") == job["name"]]
        if places:
            there[places[0]] = dict(job)
        else:
            there.append(dict(job))
    return draft.says({**draft.whole, "evaluation_details": there}) if there else draft
