"""Figures: every metric against scikit-learn, and what is said where there is none."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest
from scored import BINARY, MULTICLASS, REGRESSION, binary, many, numbers
from sklearn import metrics as oracle

from driftline.baselines.quality import QualityBaseline
from driftline.capture.open import open_source
from driftline.monitor.quality.figures import Figure, figures_of, recalled, slice_figures, top_figures
from driftline.monitor.quality.fold import Folded, fold, pack_folded, unpack_folded
from driftline.monitor.quality.job import make_baseline
from driftline.monitor.quality.settings import read_settings

if TYPE_CHECKING:
    from collections.abc import Mapping


def folded(given: dict[str, Any], table: pa.Table) -> Folded:
    return fold(open_source(table), read_settings(given))


def figures(given: dict[str, Any], table: pa.Table) -> Mapping[str, Figure]:
    return figures_of(folded(given, table), read_settings(given), seed=0).metrics


def test_two_classes_as_scikit_learn_has_them() -> None:
    table = binary(3000, 1)
    y, p = table["y"].to_numpy(), table["p"].to_numpy()
    said = (p > 0.5).astype(int)
    found = figures(BINARY, table)
    expected = {
        "recall": oracle.recall_score(y, said),
        "precision": oracle.precision_score(y, said),
        "accuracy": oracle.accuracy_score(y, said),
        "false_positive_rate": 1.0 - oracle.recall_score(1 - y, 1 - said),
        "f0_5": oracle.fbeta_score(y, said, beta=0.5),
        "f1": oracle.f1_score(y, said),
        "f2": oracle.fbeta_score(y, said, beta=2),
        "auc": oracle.roc_auc_score(y, p),
        "log_loss": oracle.log_loss(y, p),
        "brier": oracle.brier_score_loss(y, p),
    }
    assert {name: found[name].value for name in expected} == pytest.approx(expected, rel=1e-12)


def test_many_classes_as_scikit_learn_has_them() -> None:
    table = many(3000, 1)
    y, said = table["y"].to_pylist(), table["said"].to_pylist()
    lists = MULTICLASS | {"probability": "sure", "labels": ["ant", "bee", "cow"]}
    found = figures(lists, table)
    sure = np.array(table["sure"].to_pylist())
    expected = {
        "accuracy": oracle.accuracy_score(y, said),
        "weighted_recall": oracle.recall_score(y, said, average="weighted"),
        "weighted_precision": oracle.precision_score(y, said, average="weighted"),
        "weighted_f0_5": oracle.fbeta_score(y, said, beta=0.5, average="weighted"),
        "weighted_f1": oracle.f1_score(y, said, average="weighted"),
        "weighted_f2": oracle.fbeta_score(y, said, beta=2, average="weighted"),
        "log_loss": oracle.log_loss(y, sure),
        # The sum over the classes, which is twice scikit-learn's number for two of them.
        "brier": float(
            ((np.eye(3)[[["ant", "bee", "cow"].index(one) for one in y]] - sure) ** 2).sum(axis=1).mean()
        ),
    }
    assert {name: found[name].value for name in expected} == pytest.approx(expected, rel=1e-12)


def test_numbers_as_scikit_learn_has_them() -> None:
    table = numbers(1001, 1)
    y, said = table["y"].to_numpy(), table["said"].to_numpy()
    found = figures(REGRESSION, table)
    expected = {
        "mae": oracle.mean_absolute_error(y, said),
        "mse": oracle.mean_squared_error(y, said),
        "rmse": oracle.root_mean_squared_error(y, said),
        "r2": oracle.r2_score(y, said),
    }
    assert {name: found[name].value for name in expected} == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    ("given", "draw", "names"),
    [
        (BINARY, binary, ("accuracy", "recall", "precision", "f1", "auc", "brier")),
        (MULTICLASS, many, ("accuracy", "weighted_precision", "weighted_f1")),
        (REGRESSION, numbers, ("mae", "rmse", "r2")),
    ],
)
def test_standard_errors_are_what_windows_spread(
    given: dict[str, Any], draw: Any, names: tuple[str, ...]
) -> None:
    """Of 120 windows of 400 rows: the spread of the values is the mean of the standard errors, within a third."""
    windows = [figures(given | {"bootstrap": {"replicates": 100}}, draw(400, seed)) for seed in range(120)]
    for name in names:
        spread = float(np.std([one[name].value for one in windows], ddof=1))
        told = float(np.mean([one[name].standard_error for one in windows]))
        assert 0.75 < told / spread < 1.33, name
        inside = [one[name].interval for one in windows]
        truth = float(np.mean([one[name].value for one in windows]))
        covered = np.mean([low <= truth <= high for low, high in inside if low is not None])
        assert covered > 0.88, name


def test_a_baseline_is_recalled_as_it_was_computed() -> None:
    for given, draw in ((BINARY, binary), (MULTICLASS, many), (REGRESSION, numbers)):
        settings = read_settings(given)
        table = draw(500, 3)
        baseline = make_baseline(table, settings)
        one = folded(given, table)
        assert baseline.statistics is not None
        assert recalled(one, baseline.statistics) == figures_of(one, settings, seed=0).metrics
    made = make_baseline(binary(500, 3), read_settings(BINARY), compat="sagemaker")
    plain = made.statistics
    assert plain is not None
    assert QualityBaseline.from_files(made.files(), file="x").statistics == plain
    assert recalled(folded(BINARY, binary(500, 3)), plain) is None


def test_what_cannot_be_computed_says_why() -> None:
    none = figures(BINARY, pa.table({"y": pa.nulls(3, pa.int64()), "p": [0.1, 0.2, 0.3]}))
    assert {one.value for one in none.values()} == {None}
    assert none["accuracy"].why_not == "no row has both a label and a prediction"
    negative = figures(BINARY, pa.table({"y": [0, 0], "p": [0.1, 0.2]}))
    assert negative["recall"].why_not == "no row is actually positive"
    assert negative["precision"].why_not == "no row is predicted as positive"
    assert negative["auc"].why_not == "it needs scored rows of both classes"
    positive = figures(BINARY, pa.table({"y": [1, 1], "p": [0.1, 0.2]}))
    assert positive["false_positive_rate"].why_not == "no row is actually negative"


def test_slices_are_the_metrics_of_their_rows() -> None:
    settings = read_settings(BINARY | {"slices": ["region"]})
    table = binary(2000, 5)
    one = fold(open_source(table), settings)
    for region in ("north", "south"):
        mine = table.filter(pa.compute.equal(table["region"], region))
        alone = figures(BINARY, mine)
        found = slice_figures(one.slices[("region", region)], "binary", settings, seed=0)
        assert {name: f.value for name, f in found.items()} == {name: alone[name].value for name in found}
    errors = read_settings(REGRESSION | {"slices": ["kind"]})
    table = numbers(2001, 5)
    split = fold(open_source(table), errors)
    mine = table.filter(pa.compute.equal(table["kind"], "a"))
    whole, part = (
        figures(REGRESSION, mine),
        slice_figures(split.slices[("kind", "a")], "regression", errors, seed=0),
    )
    for name in ("mae", "rmse"):
        assert part[name].value == pytest.approx(whole[name].value, rel=1e-12)
        assert part[name].standard_error == pytest.approx(whole[name].standard_error, rel=0.02)
    classes = read_settings(MULTICLASS | {"slices": ["said"]})
    split = fold(open_source(many(900, 5)), classes)
    share = slice_figures(split.slices[("said", "ant")], "multiclass", classes, seed=0)["accuracy"]
    rows = many(900, 5).to_pandas().query("said == 'ant'")
    assert (share.hits, share.n) == (int((rows.y == "ant").sum()), len(rows))


def test_the_highest_scores() -> None:
    table = binary(1000, 6)
    y, p = table["y"].to_numpy(), table["p"].to_numpy()
    scores = folded(BINARY, table).scores
    assert scores is not None
    count, share = top_figures(scores, (0.1, 250.0))[::-1]
    order = np.argsort(-p, kind="stable")
    assert (count.k, share.k) == (250, 100)
    assert count.precision.value == pytest.approx(y[order[:250]].mean())
    assert share.recall.value == pytest.approx(y[order[:100]].sum() / y.sum())
    [deep] = top_figures(scores, (50.0,), of=200)
    assert deep.k == 250
    assert top_figures(folded(BINARY, pa.table({"y": [None, None], "p": [0.1, 0.2]})).scores, (3.0,)) == []  # type: ignore[arg-type]


def test_states_are_written_and_read_back() -> None:
    for given, draw in (
        (BINARY | {"slices": ["region"]}, binary),
        (MULTICLASS | {"probability": "sure", "labels": ["ant", "bee", "cow"], "slices": ["said"]}, many),
        (REGRESSION | {"slices": ["kind"]}, numbers),
    ):
        one = folded(given, draw(300, 7))
        again = unpack_folded(pack_folded(one), problem=one.problem, n_rows=one.n_rows)
        assert again == one
        assert list(again.slices) == list(one.slices)
    with pytest.raises(KeyError):
        unpack_folded({}, problem="binary", n_rows=0)


def test_the_way_a_source_is_cut_does_not_matter() -> None:
    for given, draw in ((BINARY | {"slices": ["region"]}, binary), (MULTICLASS, many), (REGRESSION, numbers)):
        table = draw(700, 8)
        parts = pa.Table.from_batches(table.take(np.arange(699, -1, -1)).to_batches(max_chunksize=13))
        assert folded(given, parts) == folded(given, table)
        assert not math.isnan(folded(given, table).n_judged)
