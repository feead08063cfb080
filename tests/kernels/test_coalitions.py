from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.errors import UsageError
from driftline.kernels.coalitions import MOST, Design, automatic_samples, design_of, samples_used

players = st.integers(2, 12)
budgets = st.one_of(st.none(), st.integers(1, 3000))
seeds = st.integers(0, 2**32)


def shapley(k: int, worth: dict[frozenset[int], float]) -> np.ndarray:
    """The definition."""
    found = np.zeros(k)
    for i in range(k):
        others = [j for j in range(k) if j != i]
        for size in range(k):
            weight = math.factorial(size) * math.factorial(k - size - 1) / math.factorial(k)
            for chosen in itertools.combinations(others, size):
                s = frozenset(chosen)
                found[i] += weight * (worth[s | {i}] - worth[s])
    return found


@pytest.mark.parametrize(
    ("k", "n"), [(1, 0), (2, 2), (3, 6), (10, 1022), (11, 2046), (12, 2072), (20, 2088), (5000, 12048)]
)
def test_automatic_number_of_coalitions(k: int, n: int) -> None:
    assert automatic_samples(k) == n


def test_budgets_are_kept_within_reason() -> None:
    assert samples_used(10) == 1022
    assert samples_used(10, 5000) == 1022
    assert samples_used(14, 101) == 100
    assert samples_used(14, 15) == 42
    assert samples_used(15, 1) == 46
    assert samples_used(3, 1) == 6
    with pytest.raises(UsageError, match="n_samples"):
        samples_used(5, 0)
    assert samples_used(1) == 0
    with pytest.raises(UsageError, match="at most"):
        samples_used(30, MOST + 1)


@given(k=players, n=budgets, seed=seeds)
def test_coalitions_are_different_pairs(k: int, n: int | None, seed: int) -> None:
    design = design_of(k, n, seed)
    z = design.coalitions
    assert z.shape == (samples_used(k, n), k)
    assert (z[0::2] + z[1::2] == 1).all()
    assert np.unique(z, axis=0).shape == z.shape
    sizes = z.sum(axis=1)
    assert sizes.min() >= 1
    assert sizes.max() <= k - 1
    assert (sizes == 1).sum() == k
    assert design.is_exact == (z.shape[0] == 2**k - 2)


@given(k=players, n=budgets, seed=seeds)
def test_same_numbers_give_the_same_design(k: int, n: int | None, seed: int) -> None:
    a, b = design_of(k, n, seed), design_of(k, n, seed)
    for name in ("coalitions", "signs", "operator", "share", "noise"):
        assert getattr(a, name).tobytes() == getattr(b, name).tobytes()


def test_another_seed_gives_other_coalitions() -> None:
    assert (design_of(14, 200, 1).coalitions != design_of(14, 200, 2).coalitions).any()


@pytest.mark.parametrize("k", [2, 3, 4, 7])
def test_all_coalitions_give_the_definition(k: int) -> None:
    rng = np.random.default_rng(k)
    worth = {frozenset(s): rng.normal() for n in range(k + 1) for s in itertools.combinations(range(k), n)}
    design = design_of(k)
    assert design.is_exact
    told = np.array([worth[frozenset(np.flatnonzero(row).tolist())] for row in design.coalitions])[:, None]
    gain = np.array([worth[frozenset(range(k))] - worth[frozenset()]])
    found, error = design.attributions(told, gain)
    assert found[:, 0] == pytest.approx(shapley(k, worth), abs=1e-12)
    assert not error.any()


@given(k=st.integers(4, 40), n=st.integers(1, 400), seed=seeds)
def test_attributions_add_up_to_the_gain(k: int, n: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    design = design_of(k, n, seed)
    gain = rng.normal(size=3) * 100
    found, error = design.attributions(rng.normal(size=(design.n_samples, 3)), gain)
    assert found.sum(axis=0) == pytest.approx(gain, rel=1e-12, abs=1e-12)
    assert error.shape == found.shape == (k, 3)
    assert (error >= 0).all()


@given(k=st.integers(4, 30), n=st.integers(1, 300), seed=seeds)
def test_games_of_second_order_are_exact_at_any_budget(k: int, n: int, seed: int) -> None:
    """What is even under complement cancels, and of a product of two players nothing else is left but its halves."""
    rng = np.random.default_rng(seed)
    single, double = rng.normal(size=k), rng.normal(size=(k, k))
    np.fill_diagonal(double, 0.0)
    design = design_of(k, n, seed)
    z = design.coalitions.astype(float)
    worth = z @ single + np.einsum("mi,mj,ij->m", z, z, double)
    found, error = design.attributions(worth[:, None], np.array([single.sum() + double.sum()]))
    expected = single + (double + double.T).sum(axis=1) / 2
    assert found[:, 0] == pytest.approx(expected, abs=1e-9)
    assert error.max() < 1e-9


def _errors(n: int, k: int = 10) -> tuple[float, float]:
    """Root mean squares of the real error and of what is said of it, over games of third order and seeds."""
    games = np.random.default_rng(0).normal(size=(k, k, k, 20))

    def explained(design: Design) -> tuple[np.ndarray, np.ndarray]:
        z = design.coalitions.astype(float)
        products = np.einsum("mi,mj,ml->mijl", z, z, z).reshape(z.shape[0], -1)
        return design.attributions(products @ games.reshape(k**3, -1), games.sum(axis=(0, 1, 2)))

    exact, _ = explained(design_of(k, MOST))
    found = [explained(design_of(k, n, seed)) for seed in range(40)]
    real = np.sqrt(np.mean([(values - exact) ** 2 for values, _ in found]))
    said = np.sqrt(np.mean([error**2 for _, error in found]))
    return float(real), float(said)


@pytest.mark.parametrize("n", [50, 100, 300, 700])
def test_convergence_error_is_what_it_says(n: int) -> None:
    real, said = _errors(n)
    assert 0.9 < said / real < 1.1


def test_more_coalitions_are_more_exact() -> None:
    errors = [_errors(n)[0] for n in (50, 200, 800)]
    assert errors[0] > 1.7 * errors[1] > 1.7**2 * errors[2]


@pytest.mark.parametrize("k", [64, 101, 700])
def test_many_players(k: int) -> None:
    design = design_of(k)
    assert design.n_samples == 2 * k + 2048
    weights = np.random.default_rng(k).normal(size=k)
    worth = design.coalitions @ weights
    found, _ = design.attributions(worth[:, None], np.array([weights.sum()]))
    assert found[:, 0] == pytest.approx(weights, abs=1e-9)


@pytest.mark.parametrize("s", [3, 5, 6, 10])
def test_players_take_even_turns(s: int) -> None:
    design = design_of(30, 2048)
    first = design.coalitions[0::2]
    turns = first[first.sum(axis=1) == s].sum(axis=0, dtype=int)
    # Were they drawn one by one, the standard deviation would be that of a binomial distribution.
    by_chance = np.sqrt(turns.mean() * (1 - s / 30))
    assert turns.std() < by_chance / 2
