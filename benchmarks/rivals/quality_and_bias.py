"""One process of ``python -m benchmarks.quality_and_bias``: ``HOW FOLDER NUMBER`` prints what it measured as JSON.

HOW is ``baselines`` (make what the checks need), ``driftline``, ``checks``, ``pandas`` or ``pyarrow``, called NUMBER times;
or ``sklearn`` (NUMBER row bootstraps) or ``fairlearn`` (one row in NUMBER).
"""

from __future__ import annotations

import importlib
import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

REPLICATES = 1000
THREADS = 2
QUALITY = {"problem": "binary", "label": "label", "probability": "score", "positive": "1"}
BIAS = {
    "label": "label",
    "positive": [1],
    "probability": "score",
    "group": "group",
    "facets": [{"column": "facet"}],
    "replicates": REPLICATES,
}


def one_pass(file: Path) -> dict[str, float]:
    """Read the file once; return some of the numbers."""
    import numpy as np
    import pyarrow.parquet as pq

    from driftline.kernels.calibration import calibration_error, reliability
    from driftline.kernels.confusion import binary_metrics, constant_counts, majority
    from driftline.kernels.fairness import Coded, FairnessState
    from driftline.kernels.fairness_metrics import COUNTED, basics
    from driftline.kernels.ranking import auc_interval
    from driftline.kernels.resample import bootstrap
    from driftline.kernels.score_bins import score_replicates
    from driftline.kernels.scores import ScoreFold, ScoreState
    from driftline.monitor.bias.intervals import Needs, estimates

    def coded(column: Any) -> Coded:
        chunk = column.chunk(0)
        words = tuple(chunk.dictionary.to_pylist())
        return Coded(words, chunk.indices.to_numpy().astype(np.int64))

    def folded(groups: range) -> tuple[ScoreState, FairnessState]:
        reader = pq.ParquetFile(file, read_dictionary=["facet", "group"])
        fold, fairness = ScoreFold(), FairnessState()
        for group in groups:
            rows = reader.read_row_group(group, use_threads=False)
            score, label = rows["score"].to_numpy(), rows["label"].to_numpy().astype(np.int8)
            predicted = (score > 0.5).view(np.int8)
            fold.add(score, label, predicted)
            fairness = fairness.update(coded(rows["facet"]), coded(rows["group"]), label, predicted)
        return fold.state(), fairness

    def quality(scores: ScoreState) -> dict[str, float]:
        counts = scores.confusion
        found = scores.finalize() | {k: float(v) for k, v in binary_metrics(counts).items()}
        for constant in (1, int(majority(counts))):
            binary_metrics(constant_counts(counts, constant))
        bootstrap(counts, binary_metrics, REPLICATES, plausible=True)
        score_replicates(scores, REPLICATES)
        auc_interval(scores.auc or 0.0, scores.n_positive, scores.n_negative)
        assert scores.roc_curve() is not None
        assert scores.precision_recall_curve() is not None
        assert reliability(scores) is not None
        assert calibration_error(scores) is not None
        scores.top_k([100, 10_000])
        told = {name: float(found[name] or 0.0) for name in ("auc", "recall", "brier")}
        return told | {"auc_bound": scores.bound.auc}

    def bias(fairness: FairnessState) -> None:
        for facet in fairness.facets:
            rows = fairness.table(facet)
            basics(rows)
            estimates(rows, COUNTED, Needs(replicates=REPLICATES))

    n = pq.ParquetFile(file).num_row_groups
    with ThreadPoolExecutor(THREADS) as threads:
        parts = list(threads.map(folded, [range(first, n, THREADS) for first in range(THREADS)]))
        biased = threads.submit(bias, FairnessState.merge_many([part[1] for part in parts]))
        told = quality(ScoreState.merge_many([part[0] for part in parts]))
        biased.result()
    return told


def checks(folder: Path) -> dict[str, float]:
    """Hold the file to both baselines."""
    from driftline.baselines.bias import BiasBaseline
    from driftline.baselines.quality import QualityBaseline
    from driftline.monitor.bias import job as bias
    from driftline.monitor.quality import job as quality

    def files(name: str) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in sorted((folder / name).iterdir())}

    file = folder / "current.parquet"
    reports = (
        quality.check(file, QualityBaseline.from_files(files("quality"), file="quality")),
        bias.check(file, BiasBaseline.from_files(files("bias"), file="bias")),
    )
    assert all(report.outcomes for report in reports)
    return {}


def baselines(folder: Path) -> dict[str, float]:
    """Make the baselines of both recipes."""
    from driftline.monitor.bias import job as bias
    from driftline.monitor.quality import job as quality

    file = folder / "baseline.parquet"
    quality.make_baseline(file, quality.read_settings(QUALITY)).save(folder / "quality")
    bias.make_baseline(file, bias.read_settings(BIAS)).save(folder / "bias")
    return {}


def read_pandas(file: Path) -> dict[str, float]:
    """Read the file."""
    import pandas as pd

    return {"rows": float(len(pd.read_parquet(file)))}


def read_pyarrow(file: Path) -> dict[str, float]:
    """Read the file, texts as dictionaries."""
    import pyarrow.parquet as pq

    return {"rows": float(pq.read_table(file, read_dictionary=["facet", "group"]).num_rows)}


def with_sklearn(file: Path, n_bootstraps: int) -> dict[str, float]:
    """Compute eleven metrics once, then again of rows drawn anew."""
    import numpy as np
    import pyarrow.parquet as pq
    from sklearn import metrics

    def eleven(label: Any, score: Any) -> dict[str, float]:
        predicted = (score > 0.5).astype(np.int64)
        metrics.confusion_matrix(label, predicted)
        return {
            "auc": metrics.roc_auc_score(label, score),
            "log_loss": metrics.log_loss(label, score),
            "brier": metrics.brier_score_loss(label, score),
            "average_precision": metrics.average_precision_score(label, score),
            "accuracy": metrics.accuracy_score(label, predicted),
            "precision": metrics.precision_score(label, predicted),
            "recall": metrics.recall_score(label, predicted),
            "f0_5": metrics.fbeta_score(label, predicted, beta=0.5),
            "f1": metrics.f1_score(label, predicted),
            "f2": metrics.fbeta_score(label, predicted, beta=2.0),
        }

    rows = pq.read_table(file, columns=["label", "score"])
    label, score = rows["label"].to_numpy(), rows["score"].to_numpy()
    began = time.perf_counter()
    found = eleven(label, score)
    once = time.perf_counter() - began
    rng = np.random.default_rng(0)
    began = time.perf_counter()
    for _ in range(n_bootstraps):
        drawn = rng.integers(0, label.shape[0], label.shape[0])
        eleven(label[drawn], score[drawn])
    return {**found, "once": once, "a_bootstrap": (time.perf_counter() - began) / n_bootstraps}


def with_fairlearn(file: Path, one_in: int) -> dict[str, float]:
    """Compute seven metrics by facet and group, once, on one row in so many."""
    import pyarrow.parquet as pq
    from fairlearn.metrics import (
        MetricFrame,
        false_negative_rate,
        false_positive_rate,
        selection_rate,
        true_negative_rate,
        true_positive_rate,
    )
    from sklearn.metrics import accuracy_score, precision_score

    rows = pq.read_table(file).to_pandas().iloc[::one_in]
    began = time.perf_counter()
    frame = MetricFrame(
        metrics={
            "accuracy": accuracy_score,
            "precision": precision_score,
            "selected": selection_rate,
            "tpr": true_positive_rate,
            "tnr": true_negative_rate,
            "fpr": false_positive_rate,
            "fnr": false_negative_rate,
        },
        y_true=rows["label"],
        y_pred=(rows["score"] > 0.5).astype(int),
        sensitive_features=rows["facet"],
        control_features=rows["group"],
    )
    frame.difference()
    frame.ratio()
    return {"rows": float(len(rows)), "seconds": time.perf_counter() - began}


IMPORTS = {
    "driftline": ("pyarrow.parquet", "driftline.monitor.bias.intervals", "driftline.kernels.calibration"),
    "checks": ("driftline.monitor.bias.job", "driftline.monitor.quality.job"),
    "pandas": ("pandas", "pyarrow.parquet"),
    "pyarrow": ("pyarrow.parquet",),
}


def timed(call: Callable[[], dict[str, float]], repeats: int) -> dict[str, float]:
    """Return the seconds of the first call, imports aside, of the best of the others, and the least processor time."""
    seconds, processor, found = [], [], {}
    for _ in range(repeats):
        began, used = time.perf_counter(), time.process_time()
        found = call()
        seconds.append(time.perf_counter() - began)
        processor.append(time.process_time() - used)
    return {
        "first": seconds[0],
        "warm": min(seconds[1:], default=seconds[0]),
        "processor": min(processor[1:], default=processor[0]),
        **found,
    }


def main() -> int:
    """Do what is asked."""
    how, folder, number = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    file = folder / "current.parquet"
    calls: dict[str, Callable[[], dict[str, float]]] = {
        "baselines": lambda: baselines(folder),
        "driftline": lambda: one_pass(file),
        "checks": lambda: checks(folder),
        "pandas": lambda: read_pandas(file),
        "pyarrow": lambda: read_pyarrow(file),
    }
    if how == "sklearn":
        print(json.dumps(with_sklearn(file, number)))
    elif how == "fairlearn":
        print(json.dumps(with_fairlearn(file, number)))
    else:
        for module in IMPORTS.get(how, ()):
            importlib.import_module(module)
        print(json.dumps(timed(calls[how], number)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
