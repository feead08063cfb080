"""The census: people whose income the demo's second model estimates, and how it learns to."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from driftline.capture.arrays import mask_array, numpy_array, text_array
from driftline.demo.data import read
from driftline.demo.model import fit
from driftline.demo.scoring import FEATURES, TEXTS, Scoring, terms
from driftline.documents import encode

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

__all__ = [
    "ABOVE",
    "BELOW",
    "INPUTS",
    "TRUTH",
    "learnt",
    "model_of",
    "parquet",
    "people",
    "prediction_of",
    "program",
    "scored",
]

TRUTH: Final = "income"
ABOVE: Final = ">50K"
BELOW: Final = "<=50K"
INPUTS: Final = (
    *("age", "workclass", "education", "education_num", "marital_status", "occupation", "relationship"),
    *("race", "sex", "capital_gain", "capital_loss", "hours_per_week", "native_country"),
)
"""What the service is sent about a person; the model looks at some of it."""

_HELD_BACK = 3
_ROUNDS = 10


def people(which: str) -> pa.Table:
    """Return the people who are there: :data:`INPUTS`, and the truth.

    Parameters
    ----------
    which : {"train", "test"}
        32,561 or 16,281 of them.
    """
    # read_table() would import pandas.
    return pq.ParquetFile(pa.BufferReader(read(f"census-{which}.parquet"))).read([*INPUTS, TRUTH])


def learnt() -> tuple[pa.Table, pa.Table]:
    """Return those the model learns from, and every third, held back: 21,707 and 10,854 people."""
    everybody = people("train")
    is_held_back = np.arange(everybody.num_rows) % _HELD_BACK == 1
    return everybody.filter(mask_array(~is_held_back)), everybody.filter(mask_array(is_held_back))


def model_of(table: pa.Table) -> dict[str, Any]:
    """Learn from people whose income is known.

    Returns
    -------
    dict
        What :class:`~driftline.demo.scoring.Scoring` reads.
    """
    columns = _columns(table)
    numbers = terms(columns)
    words = {name: sorted(set(columns[name])) for name in TEXTS}
    flags = {(name, word): np.array(columns[name]) == word for name in TEXTS for word in words[name]}
    design = np.column_stack([*numbers.values(), *flags.values()]).astype(np.float64)
    fitted = fit(design, _is_above(table), rounds=_ROUNDS).document()
    scale = np.array(fitted["scale"])
    points = np.array(fitted["weights"][1:]) / scale
    intercept = fitted["weights"][0] - float(points @ np.array(fitted["centre"]))
    by_column = dict(zip([*numbers, *flags], points.tolist(), strict=True))
    return {
        "intercept": intercept,
        "numbers": {name: by_column[name] for name in numbers},
        "texts": {name: {word: by_column[name, word] for word in words[name]} for name in TEXTS},
    }


def scored(table: pa.Table, model: Scoring) -> pa.Table:
    """Return people as captures show them once the truth is known: with ``probability``, ``prediction`` and ``label``."""
    probability = model.probability(_columns(table))
    return (
        table.select(INPUTS)
        .append_column("probability", numpy_array(probability, pa.float64(), nan_is_null=False))
        .append_column("prediction", text_array([prediction_of(p) for p in probability.tolist()]))
        .append_column("label", table[TRUTH])
    )


def parquet(table: pa.Table) -> bytes:
    """Return a table as a Parquet file."""
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd")
    return bytes(sink.getvalue())


def program(document: Mapping[str, Any]) -> bytes:
    """Return a model as a program that needs nothing else of the demo's: its ``predict`` takes columns."""
    source = files("driftline.demo").joinpath("scoring.py").read_text("utf-8")
    points = encode(document, indent=4)
    return f"{source}\n\nMODEL = Scoring(\n{points}\n)\n\npredict = MODEL.probability\n".encode()


def prediction_of(probability: float) -> str:
    """Say what a probability comes down to."""
    return ABOVE if probability > 0.5 else BELOW


def _columns(table: pa.Table) -> dict[str, list[Any]]:
    return {name: table[name].to_pylist() for name in FEATURES}


def _is_above(table: pa.Table) -> NDArray[np.float64]:
    return np.array([truth == ABOVE for truth in table[TRUTH].to_pylist()], np.float64)
