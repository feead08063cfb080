"""The flip test on kept rows."""

from __future__ import annotations

import numpy as np
import pytest

from driftline.kernels.neighbours import flip_test
from driftline.kernels.sampled import SampledRows
from driftline.monitor.bias.flips import flip_estimate


def kept(rows: np.ndarray, capacity: int = 5000) -> SampledRows:
    return SampledRows(rows.shape[1], capacity).update(rows)


def drawn(n: int, seed: int, shift: float = 0.0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 2))
    return np.column_stack([x, (x[:, 0] + shift + rng.normal(0, 0.3, n) > 0).astype(float)])


def estimate(samples: dict[str, SampledRows], **more: object) -> object:
    given: dict[str, object] = {"most": 5000, "min_rows": 30, "standardise": False, "seed": 1, **more}
    return flip_estimate(samples, "d", [0, 1], **given)  # type: ignore[arg-type]


def test_all_rows_kept_give_the_flip_test_itself() -> None:
    a, d = drawn(400, 1), drawn(300, 2, -0.5)
    found = estimate({"d": kept(d), "(other)": kept(a)})
    rows = np.concatenate([a, d])
    exact = flip_test(rows[:, :2], np.arange(700) >= 400, rows[:, 2] == 1)
    assert found.value == pytest.approx(exact.value)  # type: ignore[attr-defined]
    assert found.n_rows == 700  # type: ignore[attr-defined]


def test_a_sample_is_close_to_the_whole() -> None:
    a, d = drawn(6000, 3), drawn(4000, 4, -0.5)
    rows = np.concatenate([a, d])
    exact = flip_test(rows[:, :2], np.arange(10_000) >= 6000, rows[:, 2] == 1).value
    found = estimate({"d": kept(d, 800), "b": kept(a[:4000], 800), "(other)": kept(a[4000:], 800)}, most=800)
    assert abs(found.value - exact) < 3 * found.error  # type: ignore[attr-defined]


def test_the_error_is_the_scatter_of_fresh_samples() -> None:
    fresh = [
        estimate({"d": kept(drawn(300, 100 + i, -0.3)), "(other)": kept(drawn(500, 900 + i))})
        for i in range(40)
    ]
    scatter = np.std([one.value for one in fresh], ddof=1)  # type: ignore[attr-defined]
    told = np.mean([one.error for one in fresh])  # type: ignore[attr-defined]
    assert 0.75 < told / scatter < 1.6


def test_agreement_is_not_certain() -> None:
    a = np.column_stack([np.linspace(0, 1, 100), np.zeros(100), np.ones(100)])
    found = estimate({"d": kept(a[:50]), "(other)": kept(a[50:])})
    assert found.value == 0.0  # type: ignore[attr-defined]
    assert found.error > 0.015  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("samples", "features", "reason"),
    [
        ({"(other)": kept(drawn(50, 1))}, [0], "there is no whole row of the group"),
        ({"d": kept(drawn(50, 1))}, [0], "there is no whole row of the others"),
        (
            {"d": kept(drawn(1, 1)), "(other)": kept(drawn(50, 1))},
            [0],
            "there is only 1 whole row of the group to compare, fewer than 30",
        ),
        (
            {"d": kept(drawn(50, 1)), "(other)": kept(drawn(50, 2))},
            [],
            "there is no numeric feature to judge similarity by",
        ),
    ],
)
def test_too_little_is_said(samples: dict[str, SampledRows], features: list[int], reason: str) -> None:
    found = flip_estimate(samples, "d", features, most=100, min_rows=30, standardise=False, seed=1)
    assert (found.value, found.reason) == (None, reason)


def test_the_same_rows_give_the_same_number() -> None:
    samples = {"d": kept(drawn(300, 2)), "(other)": kept(drawn(300, 1))}
    assert estimate(samples) == estimate(dict(reversed(samples.items())))
