"""Attributions by Kernel SHAP, beside the package shap and beside the model's own evaluations alone (workload W6).

``python -m benchmarks.attribution`` explains rows of 30 features against 100 background rows with 2,048 coalitions a
row, for three models of scikit-learn. Nobody can be much faster than the model: what 204,800 rows take it in one batch is
measured beside. The contenders take turns, 20 rows each. What counts is processor time, with one thread for everybody:
it is the time that passes on a machine at rest, and depends least on what else a busy one is doing.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.files import data_folder
from benchmarks.pairs import Spread, pin
from benchmarks.results import KEPT, PUBLISHED_ROUNDS, header, save
from benchmarks.tables import attribution as table

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np
    from numpy.typing import NDArray

__all__ = ["MODELS", "Workload", "errors", "make", "measured", "timed"]

ROWS = 200
EXPLAINED = 100
"""Rows of W6 that are explained: the time that a row takes does not depend on how many there are."""

FEATURES = 30
BACKGROUND = 100
COALITIONS = 2_048
JUDGED = 10
"""Rows whose attributions are compared with exact ones."""

REFERENCE = 40_000
"""Coalitions of the reference where no exact attributions can be had."""

MODELS = ("LogisticRegression", "GradientBoosting, 100 trees of depth 4", "HistGradientBoosting, 100 trees")
QUANTITIES = ("driftline", "shap", "model")
_clock = time.process_time


@dataclass(frozen=True)
class Workload:
    """Rows, background, and a fitted model."""

    rows: NDArray[np.float64]
    background: NDArray[np.float64]
    estimator: Any
    is_ensemble: bool

    def predict(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the probability of the second class."""
        answer: NDArray[np.float64] = self.estimator.predict_proba(x)[:, 1]
        return answer


def make(name: str, n_train: int = 20_000) -> Workload:
    """Return W6 with one of the models: correlated normals, a logistic truth with one interaction."""
    import numpy as np
    from sklearn.ensemble import GradientBoostingClassifier, HistGradientBoostingClassifier
    from sklearn.linear_model import LogisticRegression

    from benchmarks.workloads import generator

    rng = generator(6, 0, 0, 0)
    mix = rng.standard_normal((FEATURES, FEATURES)) * 0.3 + np.eye(FEATURES)
    x = rng.standard_normal((n_train, FEATURES)) @ mix
    weights = rng.standard_normal(FEATURES) * (rng.random(FEATURES) < 0.6)
    y = (x @ weights + x[:, 0] * x[:, 1] + rng.logistic(size=n_train) > 0).astype(int)
    few = min(8_000, n_train)
    estimator = {
        MODELS[0]: lambda: LogisticRegression(max_iter=500).fit(x, y),
        MODELS[1]: lambda: GradientBoostingClassifier(n_estimators=100, max_depth=4, random_state=0).fit(
            x[:few], y[:few]
        ),
        MODELS[2]: lambda: HistGradientBoostingClassifier(max_iter=100, random_state=0).fit(x, y),
    }[name]()
    return Workload(x[-ROWS:].copy(), x[:BACKGROUND].copy(), estimator, name != MODELS[0])


def _shap() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import shap
    return shap


class _Clocked:
    """A model that tells how long it took."""

    def __init__(self, model: Callable[[Any], Any]) -> None:
        self.model, self.seconds = model, 0.0

    def __call__(self, x: Any) -> Any:
        begin = _clock()
        answer = self.model(x)
        self.seconds += _clock() - begin
        return answer


def _ours(
    work: Workload, model: Any, rows: NDArray[np.float64], n_samples: int, seed: int = 0
) -> NDArray[np.float64]:
    from driftline.kernels.shapley import block_rows, explain

    found = explain(
        model,
        rows,
        work.background,
        n_samples=n_samples,
        seed=seed,
        batch_rows=block_rows(FEATURES, ensemble=work.is_ensemble),
    )
    return found.values[:, :, 0]


def _theirs(work: Workload, model: Any, rows: NDArray[np.float64], n_samples: int) -> NDArray[np.float64]:
    import numpy as np

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        explainer = _shap().KernelExplainer(model, work.background)
        return np.asarray(explainer.shap_values(rows, nsamples=n_samples, l1_reg=0, silent=True))


def timed(
    work: Workload, rows: NDArray[np.float64], n_samples: int = COALITIONS, *, first: int = 0
) -> dict[str, float]:
    """Return seconds a row of each contender, and of driftline outside the model.

    Whoever comes first has the caches that the last one left behind, so they take turns at that, too.
    """
    import numpy as np

    chosen = np.random.default_rng(0).random((n_samples, 1, FEATURES)) < 0.5
    batch = np.where(chosen, rows[0], work.background).reshape(-1, FEATURES)
    clocked = _Clocked(work.predict)
    turns: list[tuple[str, Callable[[], Any]]] = [
        ("driftline", lambda: _ours(work, clocked, rows, n_samples)),
        ("shap", lambda: _theirs(work, work.predict, rows, n_samples)),
        ("model", lambda: [work.predict(batch) for _ in rows]),
    ]
    found = {}
    for name, run in turns[first % 3 :] + turns[: first % 3]:
        begin = _clock()
        run()
        found[name] = (_clock() - begin) / rows.shape[0]
    return found | {"outside": found["driftline"] - clocked.seconds / rows.shape[0]}


def errors(work: Workload, n_rows: int = JUDGED, reference: int = REFERENCE) -> dict[str, float]:
    """Return the mean absolute error over the mean absolute attribution, with the same budget.

    Margins of trees are held against interventional TreeSHAP, which is exact for them (not for probabilities);
    probabilities of the linear model against many more coalitions.
    """
    import numpy as np

    rows = work.rows[:n_rows]
    model = work.estimator.decision_function if work.is_ensemble else work.predict
    if work.is_ensemble:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            explainer = _shap().TreeExplainer(
                work.estimator,
                work.background,
                feature_perturbation="interventional",
            )
            exact = np.asarray(explainer.shap_values(rows, check_additivity=False))
    else:
        exact = _ours(work, model, rows, reference, seed=1)

    def error(found: NDArray[np.float64]) -> float:
        return float(np.abs(found - exact).mean() / np.abs(exact).mean())

    np.random.seed(0)  # noqa: NPY002  shap draws from the global generator
    return {
        "driftline": error(_ours(work, model, rows, COALITIONS)),
        "shap": error(_theirs(work, model, rows, COALITIONS)),
    }


def measured(names: Sequence[str], n_rows: int, rounds: int) -> dict[str, Any]:
    """Let the contenders explain `n_rows` rows, an equal part in each round."""
    os.environ["DRIFTLINE_ENGINE"] = "compiled"
    document = header("attribution", scale=min(1.0, n_rows / EXPLAINED), rounds=rounds)
    document |= {
        "rows": n_rows,
        "features": FEATURES,
        "background": BACKGROUND,
        "coalitions": COALITIONS,
        "judged": JUDGED,
    }
    document["versions"] |= _versions()
    models: dict[str, Any] = {}
    each = max(1, n_rows // rounds)
    for name in names:
        work = make(name)
        timed(work, work.rows[:2])  # compiled, imported and warm
        found = []
        for number in range(rounds):
            found.append(timed(work, work.rows[number * each : (number + 1) * each], first=number))
            line = ", ".join(f"{q} {found[-1][q] * 1000:.1f}" for q in (*QUANTITIES, "outside"))
            print(f"{name}, round {number + 1}: ms a row: {line}", file=sys.stderr, flush=True)
        models[name] = {
            "rounds": [{key: round(value, 7) for key, value in one.items()} for one in found],
            "ratios": {
                "shap / driftline": _ratio(found, "shap", "driftline"),
                "shap / model": _ratio(found, "shap", "model"),
                "driftline / model": _ratio(found, "driftline", "model"),
            },
            "errors": {key: round(value, 6) for key, value in errors(work).items()},
        }
    return document | {"models": models}


def _versions() -> dict[str, str]:
    from importlib.metadata import version

    return {name: version(name) for name in ("scikit-learn", "shap")}


def _ratio(rounds: Sequence[dict[str, float]], above: str, below: str) -> dict[str, float]:
    spread = Spread.of(one[above] / one[below] for one in rounds)
    return {name: round(getattr(spread, name), 4) for name in ("least", "median", "greatest")}


def main() -> int:
    """Measure, write and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.attribution", description=__doc__)
    parser.add_argument("--rows", type=int, default=EXPLAINED, choices=range(5, ROWS + 1), metavar="N")
    parser.add_argument("--rounds", type=int, default=PUBLISHED_ROUNDS)
    parser.add_argument("--models", nargs="+", choices=MODELS, default=MODELS, metavar="MODEL")
    parser.add_argument(
        "--results", type=Path, metavar="DIR", help="where to write; kept only from a full run by default"
    )
    asked = parser.parse_args()
    pin()
    # Before anybody imports NumPy; the measured loops of driftline are not threaded, nor is shap.
    os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", MKL_NUM_THREADS="1")
    full = asked.rows >= EXPLAINED and asked.rounds >= PUBLISHED_ROUNDS and tuple(asked.models) == MODELS
    document = measured(asked.models, asked.rows, asked.rounds)
    folder = asked.results or (KEPT if full else data_folder() / "results")
    print(table(document))
    print(f"written: {save(folder, document)}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
