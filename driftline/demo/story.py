"""What the demo does: train, serve, capture, baseline, check."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pc_csv
import pyarrow.parquet as pq

from driftline.demo.model import fit
from driftline.files import write_whole
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


def _read(name: str, column_names: list[str] | None = None) -> pa.Table:
    data = files("driftline.demo").joinpath("data", name).read_bytes()
    options = pc_csv.ReadOptions(column_names=column_names) if column_names else pc_csv.ReadOptions()
    return pc_csv.read_csv(pa.BufferReader(data), read_options=options)


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

    traffic = _read("churn-traffic.csv", inputs)
    answers = (model.probability(_matrix(traffic)) > 0.5).astype(np.int64)
    captured = traffic.add_column(
        0, TARGET, pa.Array.from_buffers(pa.int64(), len(answers), [None, pa.py_buffer(answers)])
    )
    capture = place / "captures" / "churn" / "AllTraffic" / "date=2026-11-23" / "hour=07" / "traffic.parquet"
    segment = pa.BufferOutputStream()
    pq.write_table(captured, segment)
    write_whole(capture, segment.getvalue().to_pybytes())
    say(f"served     {captured.num_rows:,} requests, and captured what came in and what was answered")

    baseline = make_baseline(training, label="churn training data")
    baseline.save(place / "baseline")
    say(f"baselined  {baseline.n_rows:,} rows, {len(baseline.names)} columns")

    report = check(place / "captures" / "churn", place / "baseline", label="churn endpoint, captured traffic")
    report.save(place / "report")
    say(f"checked    {report.current.n_rows:,} rows against {len(report.outcomes):,} constraints")
    return Story(report, place / "baseline", capture, place / "report" / "report.html")
