"""The demo's data: real customers, as a model learns from them and as a service is asked about them."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.csv as pc_csv

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["TARGET", "customers", "matrix", "published", "read", "training"]

TARGET = "Churn"


def read(name: str) -> bytes:
    """Return a file that comes with the demo."""
    return files("driftline.demo").joinpath("data", name).read_bytes()


def training() -> pa.Table:
    """Return what the model learns from: 2,333 rows, the target first."""
    return pc_csv.read_csv(pa.BufferReader(read("churn-training.csv")))


def published() -> list[bytes]:
    """Return 334 requests as they were published, a row of CSV each; the first one is mangled."""
    return read("churn-traffic.csv").splitlines()


def customers() -> list[bytes]:
    """Return all customers there are, a row of CSV each, without the target and without the mangled row."""
    learnt = [line.partition(b",")[2] for line in read("churn-training.csv").splitlines()[1:]]
    return learnt + published()[1:]


def matrix(table: pa.Table) -> NDArray[np.float64]:
    """Return the columns of a table as an array of shape (rows, columns)."""
    # Neither to_numpy() nor, below, pa.array(): they import pandas.
    columns = [np.from_dlpack(c.combine_chunks().cast(pa.float64())) for c in table.columns]
    return np.column_stack(columns).astype(np.float64, copy=False)
