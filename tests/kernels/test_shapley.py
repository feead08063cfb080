"""Attributions of models, beside the definition, closed forms, and the package shap."""

from __future__ import annotations

import itertools
import math
import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.errors import InputError, SchemaError, UsageError
from driftline.kernels.compiled import kernel
from driftline.kernels.shapley import (
    CLIP,
    SCRATCH_ROWS,
    Explanation,
    answers,
    block_rows,
    evaluations,
    explain,
    masked_rows,
)


def _rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def curved(x: np.ndarray) -> np.ndarray:
    """Interactions of third order, and two outputs."""
    return np.column_stack([np.sin(x).prod(axis=1) + x[:, 0], np.exp(x.mean(axis=1))])


def logistic(x: np.ndarray) -> np.ndarray:
    """A probability."""
    return 1.0 / (1.0 + np.exp(-(x @ np.linspace(-1.0, 1.0, x.shape[1]) - 0.5)))


def defined(model: Any, row: np.ndarray, background: np.ndarray, groups: list[list[int]]) -> np.ndarray:
    """Shapley values by their definition."""
    k = len(groups)

    def v(chosen: tuple[int, ...]) -> np.ndarray:
        mixed = background.copy()
        for g in chosen:
            mixed[:, groups[g]] = row[groups[g]]
        return np.asarray(model(mixed)).reshape(background.shape[0], -1).mean(axis=0)

    total = []
    for i in range(k):
        others = [j for j in range(k) if j != i]
        found = 0.0
        for size in range(k):
            weight = math.factorial(size) * math.factorial(k - size - 1) / math.factorial(k)
            for chosen in itertools.combinations(others, size):
                found = found + weight * (v((*chosen, i)) - v(chosen))
        total.append(found)
    return np.array(total)


def _same(a: Explanation, b: Explanation) -> bool:
    return all(
        getattr(a, name).tobytes() == getattr(b, name).tobytes()
        for name in ("values", "predictions", "expected_value", "standard_error")
    )


@pytest.mark.parametrize("n_background", [1, 2, 9])
@pytest.mark.parametrize("groups", [None, [[0, 3], [1], [2, 4]], [[4, 3, 2, 1, 0]]])
def test_all_coalitions_give_the_definition(n_background: int, groups: list[list[int]] | None) -> None:
    rows, background = _rng().normal(size=(3, 5)), _rng(1).normal(size=(n_background, 5))
    found = explain(curved, rows, background, groups=groups)
    assert found.exact
    assert not found.standard_error.any()
    assert found.values.shape == (3, len(groups or range(5)), 2)
    for i, row in enumerate(rows):
        expected = defined(curved, row, background, groups or [[j] for j in range(5)])
        assert found.values[i] == pytest.approx(expected, abs=1e-12)
    assert found.predictions == pytest.approx(curved(rows))
    assert found.expected_value == pytest.approx(curved(background).mean(axis=0), abs=1e-15)


@given(
    n=st.integers(0, 5),
    f=st.integers(1, 14),
    b=st.integers(1, 4),
    n_samples=st.integers(1, 200),
    seed=st.integers(0, 1000),
)
def test_attributions_add_up_to_the_prediction(n: int, f: int, b: int, n_samples: int, seed: int) -> None:
    rows, background = _rng(seed).normal(size=(n, f)), _rng(seed + 1).normal(size=(b, f))
    rows[rows < -1] = background[0, 0]
    found = explain(logistic, rows, background, n_samples=n_samples, seed=seed)
    expected = found.predictions - found.expected_value
    assert found.values.sum(axis=1) == pytest.approx(expected, rel=1e-12, abs=1e-14)
    assert found.values.shape == found.standard_error.shape == (n, f, 1)


def test_linear_model_has_its_closed_form() -> None:
    rows, background, weights = (
        _rng().normal(size=(7, 20)),
        _rng(1).normal(size=(5, 20)),
        _rng(2).normal(size=20),
    )
    found = explain(lambda x: x @ weights + 3.0, rows, background, n_samples=100)
    assert not found.exact
    assert found.values[:, :, 0] == pytest.approx((rows - background.mean(axis=0)) * weights, abs=1e-10)
    assert found.standard_error.max() < 1e-10


def test_logit_of_a_logistic_model_is_linear() -> None:
    rows, background = _rng().normal(size=(7, 6)), _rng(1).normal(size=(5, 6))
    found = explain(logistic, rows, background, link="logit")
    weights = np.linspace(-1.0, 1.0, 6)
    assert found.values[:, :, 0] == pytest.approx((rows - background.mean(axis=0)) * weights, abs=1e-10)
    assert found.expected_value == pytest.approx((background @ weights - 0.5).mean())


def test_probabilities_of_0_and_1_have_a_logit() -> None:
    found = explain(lambda x: (x[:, 0] > 0).astype(float), np.ones((1, 2)), -np.ones((1, 2)), link="logit")
    assert found.predictions[0, 0] == pytest.approx(math.log((1 - CLIP) / CLIP))
    assert found.values[0, 0, 0] == pytest.approx(2 * math.log((1 - CLIP) / CLIP))
    assert found.values[0, 1, 0] == 0


def test_one_feature_takes_it_all() -> None:
    found = explain(logistic, np.array([[2.0], [0.5]]), np.array([[0.0], [1.0]]))
    assert found.values[:, 0] == pytest.approx(found.predictions - found.expected_value)
    assert found.exact


def test_features_like_the_background_are_not_asked_about() -> None:
    rows, background = _rng().normal(size=(4, 9)), np.repeat(_rng(1).normal(size=(1, 9)), 3, axis=0)
    rows[:, [2, 5]] = background[0, [2, 5]]
    rows[3] = background[0]
    found = explain(curved, rows, background)
    assert not found.values[:, [2, 5]].any()
    assert not found.values[3].any()
    assert found.n_evaluations == 3 + 4 + 3 * (2**7 - 2) * 3
    whole = explain(
        lambda x: curved(x[:, :9]), np.pad(rows, ((0, 0), (0, 1))), np.pad(background, ((0, 0), (0, 1)))
    )
    assert found.values == pytest.approx(whole.values[:, :9], abs=1e-12)


def test_a_value_that_some_background_rows_share_still_varies() -> None:
    rows, background = np.zeros((1, 3)), np.array([[0.0, 0.0, 0.0], [1.0, 0.0, 2.0]])
    found = explain(lambda x: x.sum(axis=1), rows, background)
    assert found.values[0, :, 0] == pytest.approx([-0.5, 0.0, -1.0])


def test_missing_values_reach_the_model() -> None:
    rows, background = np.array([[np.nan, 1.0, np.nan]]), np.array([[0.0, 2.0, np.nan]])
    found = explain(lambda x: np.isnan(x) @ [1.0, 2.0, 4.0] + x[:, 1], rows, background)
    assert found.values[0, :, 0] == pytest.approx([1.0, -1.0, 0.0])


def test_equal_rows_are_asked_about_once() -> None:
    rows, background = _rng().normal(size=(3, 4)), _rng(1).normal(size=(2, 4))
    once = explain(curved, rows, background)
    often = explain(curved, rows[[2, 0, 1, 0, 0, 2]], background)
    assert often.n_evaluations == once.n_evaluations
    assert often.values.tobytes() == once.values[[2, 0, 1, 0, 0, 2]].tobytes()
    assert often.predictions.tobytes() == once.predictions[[2, 0, 1, 0, 0, 2]].tobytes()


def test_rows_do_not_see_each_other() -> None:
    rows, background = _rng().normal(size=(6, 12)), _rng(1).normal(size=(3, 12))
    rows[::2, :4] = 0.0
    background[:, :4] = 0.0
    whole = explain(curved, rows, background, n_samples=150)
    for i in range(6):
        alone = explain(curved, rows[i : i + 1], background, n_samples=150)
        assert alone.values.tobytes() == whole.values[i : i + 1].tobytes()
        assert alone.standard_error.tobytes() == whole.standard_error[i : i + 1].tobytes()


def test_no_rows_are_explained_by_nothing() -> None:
    found = explain(curved, np.empty((0, 4)), _rng().normal(size=(2, 4)))
    assert found.values.shape == (0, 4, 2)
    assert found.predictions.shape == (0, 2)
    assert found.n_evaluations == 2


@pytest.mark.parametrize("batch_rows", [1, 2, 3, 7, 50, 333, None])
@pytest.mark.parametrize("n_background", [1, 3])
@pytest.mark.parametrize("engine", ["numpy", "compiled"])
def test_batches_do_not_show(
    batch_rows: int | None, n_background: int, engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows, background = _rng().integers(0, 9, (5, 8)) / 4, _rng(1).integers(0, 9, (n_background, 8)) / 4
    monkeypatch.setenv("DRIFTLINE_ENGINE", "numpy")
    expected = explain(curved, rows, background, n_samples=60)
    monkeypatch.setenv("DRIFTLINE_ENGINE", engine)
    seen = []

    def model(x: np.ndarray) -> np.ndarray:
        seen.append(x.shape[0])
        return curved(x)

    found = explain(model, rows, background, n_samples=60, batch_rows=batch_rows)
    assert _same(found, expected)
    assert max(seen) <= (batch_rows or block_rows(8))
    assert sum(seen) == found.n_evaluations == expected.n_evaluations


def test_seed_decides_the_draw() -> None:
    rows, background = _rng().normal(size=(3, 12)), _rng(1).normal(size=(2, 12))
    a, b, c = (explain(curved, rows, background, n_samples=60, seed=seed) for seed in (1, 1, 2))
    assert _same(a, b)
    assert a.values.tobytes() != c.values.tobytes()


@pytest.mark.parametrize("engine", ["numpy", "compiled"])
def test_a_model_may_change_what_it_is_given(engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRIFTLINE_ENGINE", engine)
    rows, background = _rng().normal(size=(3, 12)), _rng(1).normal(size=(2, 12))
    before = rows.copy(), background.copy()

    def model(x: np.ndarray) -> np.ndarray:
        found = curved(x)
        x[:] = np.nan
        return found

    found = explain(model, rows, background, n_samples=60, batch_rows=16)
    assert _same(found, explain(curved, rows, background, n_samples=60, batch_rows=16))
    assert rows.tobytes() == before[0].tobytes()
    assert background.tobytes() == before[1].tobytes()


@pytest.mark.parametrize("batch_rows", [1, 2, None])
def test_a_model_may_answer_with_a_view_of_what_it_is_given(batch_rows: int | None) -> None:
    rows, background = _rng().normal(size=(3, 4)), _rng(1).normal(size=(5, 4))
    found = explain(lambda x: x[:, 1:3], rows, background, batch_rows=batch_rows)
    expected = (rows - background.mean(axis=0)) * [0, 1, 1, 0]
    assert found.values.sum(axis=2) == pytest.approx(expected)


def test_planned_evaluations_are_the_most_there_can_be() -> None:
    rows, background = _rng().normal(size=(5, 12)), _rng(1).normal(size=(3, 12))
    found = explain(curved, rows, background, n_samples=70)
    assert found.n_evaluations == evaluations(5, 12, 3, 70)
    assert found.n_samples == 70
    rows[1] = rows[0]
    rows[2, 0] = background[0, 0]
    background[:, 0] = background[0, 0]
    assert explain(curved, rows, background, n_samples=70).n_evaluations < evaluations(5, 12, 3, 70)


def test_progress_is_told() -> None:
    told: list[tuple[int, int]] = []
    rows = _rng().normal(size=(9, 4))
    explain(curved, rows, rows[:2], batch_rows=30, on_progress=lambda done, of: told.append((done, of)))
    assert told == [(i, 9) for i in range(1, 10)]


def test_convergence_error_is_what_it_says() -> None:
    rows, background = _rng().normal(size=(20, 14)), _rng(1).normal(size=(3, 14))
    exact = explain(logistic, rows, background, n_samples=1 << 14)
    assert exact.exact
    found = [explain(logistic, rows, background, n_samples=200, seed=seed) for seed in range(30)]
    real = np.sqrt(np.mean([(f.values - exact.values) ** 2 for f in found]))
    said = np.sqrt(np.mean([f.standard_error**2 for f in found]))
    assert 0.9 < said / real < 1.3
    assert not any(f.exact for f in found)


floats = st.floats(allow_nan=True, allow_infinity=True)


@given(data=st.data())
def test_compiled_and_plain_write_the_same_rows(data: st.DataObject) -> None:
    draw = data.draw
    r, f, b, k = (draw(st.integers(1, most)) for most in (3, 20, 40, 5))
    m = draw(st.integers(1, 6))
    start = draw(st.integers(0, r * m * b - 1))
    n = draw(st.integers(0, r * m * b - start))
    rng = _rng(draw(st.integers(0, 99)))
    rows, background = rng.normal(size=(r, f)), rng.normal(size=(b, f))
    rows[rng.random((r, f)) < 0.2] = np.nan
    coalitions = np.pad(rng.integers(0, 2, (m, k)).astype(np.uint8), ((0, 0), (0, 1)), constant_values=1)
    place = rng.integers(0, k + 1, (r, f))
    cells = coalitions[np.arange(m)[None, :, None], place[:, None, :]].astype(bool)
    mixed = np.where(cells[:, :, None, :], rows[:, None, None, :], background)
    expected = mixed.reshape(-1, f)[start : start + n]
    scratch = np.empty((2, SCRATCH_ROWS * f), np.int64)
    for write in (masked_rows, kernel("write_masked")):
        out = np.empty((n, f))
        flat = out.reshape(-1).view(np.int64)
        write(rows.view(np.int64), background.ravel().view(np.int64), coalitions, place, start, scratch, flat)
        assert out.tobytes() == expected.tobytes()


def test_answers_come_batch_by_batch() -> None:
    seen = []
    rows = _rng().normal(size=(10, 3))
    found = answers(lambda x: (seen.append(x.shape[0]), x[:, 0])[1], rows, batch_rows=4)
    assert found[:, 0].tobytes() == rows[:, 0].tobytes()
    assert seen == [4, 4, 2]
    assert answers(curved, np.empty((0, 3))).shape == (0, 1)


def test_blocks_are_larger_for_ensembles() -> None:
    assert block_rows(30) == 15_000
    assert block_rows(30, ensemble=True) == 60_000
    assert block_rows(10**9) == 64


@pytest.mark.parametrize(
    ("model", "says"),
    [
        (lambda x: "high", "str, not an array of numbers"),
        (lambda x: None, r"shape \(\) on 2 rows"),
        (lambda x: [["a"]] * len(x), "list, not an array"),
        (lambda x: x[:-1, 0], r"shape \(1,\) on 2 rows"),
        (lambda x: 0.5, r"shape \(\) on 2 rows"),
        (lambda x: np.zeros((len(x), 1, 1)), r"shape \(2, 1, 1\)"),
        (lambda x: np.zeros((len(x), 0)), r"shape \(2, 0\)"),
        (lambda x: np.full(len(x), np.nan), "NaN or infinity"),
        (lambda x: np.where(x[:, 0] == 1, np.inf, 0.0), "NaN or infinity"),
        (lambda x: np.zeros((len(x), 1 if x[0, 0] == 0 else 2)), "2 numbers a row, after 1"),
    ],
)
@pytest.mark.parametrize("engine", ["numpy", "compiled"])
def test_answers_that_cannot_be_used_are_refused(
    model: Any, says: str, engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DRIFTLINE_ENGINE", engine)
    with pytest.raises(InputError, match=says) as caught:
        explain(model, np.ones((1, 3)), np.zeros((2, 3)))
    assert caught.value.code == "E-MODEL-ANSWER"


@pytest.mark.parametrize("answer", [-0.1, 1.5, np.nan])
def test_logit_needs_probabilities(answer: float) -> None:
    with pytest.raises(InputError, match="no probability"):
        explain(lambda x: np.full(len(x), answer), np.ones((1, 3)), np.zeros((2, 3)), link="logit")


def test_errors_of_the_model_are_its_own() -> None:
    def model(x: np.ndarray) -> np.ndarray:
        if len(x) > 2:
            raise RuntimeError("out of memory")
        return x[:, 0]

    with pytest.raises(RuntimeError, match="out of memory"):
        explain(model, np.ones((1, 9)), np.zeros((2, 9)))


@pytest.mark.parametrize(
    ("rows", "background", "says"),
    [
        (np.ones((1, 3)), np.zeros((0, 3)), "0 background rows"),
        (np.ones((1, 3)), np.zeros((2, 4)), "2 background rows of 4"),
        (np.ones((1, 0)), np.zeros((2, 0)), "0 columns"),
        (np.ones(3), np.zeros((2, 3)), "rows must be a matrix"),
        (np.ones((1, 3)), np.zeros(3), "background must be a matrix"),
    ],
)
def test_rows_and_background_must_fit(rows: np.ndarray, background: np.ndarray, says: str) -> None:
    with pytest.raises(SchemaError, match=says):
        explain(curved, rows, background)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"groups": [[0], [1, 2], []]}, "group 2 is empty"),
        ({"groups": [[0], [1, 3]]}, "column 3 of 3"),
        ({"groups": [[0], [1, 0], [2]]}, "column 0 is in group 0 and in group 1"),
        ({"groups": [[0], [2]]}, "column 1 is in no group"),
        ({"link": "probit"}, "no link 'probit'"),
        ({"batch_rows": 0}, "0 rows to a call"),
        ({"n_samples": 0}, "0 coalitions"),
    ],
)
def test_arguments_that_make_no_sense_are_refused(given: dict[str, Any], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        explain(curved, np.ones((1, 3)), np.zeros((2, 3)), **given)


# The package shap: KernelExplainer, which averages over the background and enumerates or draws coalitions as we do.


@pytest.fixture(scope="module")
def shap() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import shap as package
    return package


def _theirs(shap: Any, model: Any, rows: np.ndarray, background: np.ndarray, n_samples: int) -> np.ndarray:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        np.random.seed(0)  # noqa: NPY002  shap draws from the global generator
        explainer = shap.KernelExplainer(model, background)
        return np.asarray(explainer.shap_values(rows, nsamples=n_samples, l1_reg=0, silent=True))


def test_all_coalitions_agree_with_shap(shap: Any) -> None:
    rows, background = _rng().normal(size=(4, 8)), _rng(1).normal(size=(6, 8))
    found = explain(curved, rows, background)
    assert found.exact
    assert found.values == pytest.approx(_theirs(shap, curved, rows, background, 2**8 - 2), abs=1e-9)


def test_same_budget_is_at_least_as_exact_as_shap(shap: Any) -> None:
    rows, background = _rng().normal(size=(8, 14)), _rng(1).normal(size=(4, 14))
    exact = explain(logistic, rows, background, n_samples=1 << 14).values[:, :, 0]
    theirs = np.abs(_theirs(shap, logistic, rows, background, 400) - exact).mean()
    ours = np.mean(
        [
            np.abs(explain(logistic, rows, background, n_samples=400, seed=s).values[:, :, 0] - exact).mean()
            for s in range(5)
        ]
    )
    assert theirs < 0.1 * np.abs(exact).mean()
    assert ours < theirs


def test_trees_agree_with_their_exact_attributions(shap: Any) -> None:
    """Interventional TreeSHAP computes the same game, of a forest's mean, from the trees themselves."""
    from sklearn.ensemble import RandomForestRegressor

    x = _rng().normal(size=(300, 9))
    forest = RandomForestRegressor(5, max_depth=5, random_state=0).fit(x, x[:, 0] * x[:, 1] + x[:, 2])
    rows, background = x[:5], x[100:120]
    found = explain(forest.predict, rows, background)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        explainer = shap.TreeExplainer(forest, background, feature_perturbation="interventional")
        expected = explainer.shap_values(rows, check_additivity=False)
    assert found.values[:, :, 0] == pytest.approx(expected, abs=1e-7)
