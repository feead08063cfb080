"""What the demo does: train, serve, capture, baseline, check."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pc_csv

from driftline.capture.captures import Captures
from driftline.capture.event import now
from driftline.capture.middleware import Middleware
from driftline.capture.tables import HOUR
from driftline.capture.upkeep import expire
from driftline.capture.window import window
from driftline.demo.model import fit
from driftline.demo.service import ask, prediction, served
from driftline.monitor.job import check, make_baseline

if TYPE_CHECKING:
    import os
    from collections.abc import Callable

    from driftline.reports.report import Report

__all__ = ["Story", "tell"]

TARGET = "Churn"


@dataclass(frozen=True, slots=True)
class Story:
    """What the demo made.

    Attributes
    ----------
    report : Report
    baseline, capture, page : Path
        The baseline's folder, the captured traffic, and the HTML report.
    """

    report: Report
    baseline: Path
    capture: Path
    page: Path


def _data(name: str) -> bytes:
    return files("driftline.demo").joinpath("data", name).read_bytes()


def _read(name: str) -> pa.Table:
    return pc_csv.read_csv(pa.BufferReader(_data(name)))


def _lines(name: str) -> list[bytes]:
    return _data(name).splitlines()


def _matrix(table: pa.Table) -> np.ndarray[Any, np.dtype[np.float64]]:
    # Neither to_numpy() nor, below, pa.array(): they import pandas.
    return np.column_stack([np.from_dlpack(c.combine_chunks().cast(pa.float64())) for c in table.columns])


def tell(folder: str | os.PathLike[str], say: Callable[[str], None]) -> Story:
    """Run the demo in `folder`.

    Parameters
    ----------
    folder : path
    say : callable
        Receives a line about every step.

    Returns
    -------
    Story
    """
    place = Path(folder)
    training = _read("churn-training.csv")
    inputs = [n for n in training.column_names if n != TARGET]
    model = fit(_matrix(training.select(inputs)), _matrix(training.select([TARGET]))[:, 0])
    say(f"trained    a churn model on {training.num_rows:,} customers, {len(inputs)} inputs")

    bodies = _lines("churn-traffic.csv")
    folder = place / "captures"
    with Captures(
        folder, input_names={"churn": inputs}, output_names={"churn": [TARGET]}, seal_in="thread"
    ) as captures:
        # What an earlier demo has left.
        expire(captures.archive, before=now() + HOUR, endpoint="churn")
        with served(Middleware(prediction(model), captures, endpoint="churn")) as port:
            ask(port, bodies)
        captures.seal()
        rows = captures.stats("churn").rows
    (capture,) = window(folder, "churn", 0, now() + 1).files
    say(f"served     {len(bodies):,} requests over HTTP")
    say(f"captured   {rows:,} of them, what came in and what was answered")

    baseline = make_baseline(training, label="churn training data")
    baseline.save(place / "baseline")
    say(f"baselined  {baseline.n_rows:,} rows, {len(baseline.names)} columns")

    report = check(folder / "churn", place / "baseline", label="churn endpoint, captured traffic")
    report.save(place / "report")
    say(f"checked    {report.current.n_rows:,} rows against {len(report.outcomes):,} constraints")
    return Story(report, place / "baseline", Path(capture), place / "report" / "report.html")
