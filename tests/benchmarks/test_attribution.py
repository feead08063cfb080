from __future__ import annotations

from typing import Any

import pytest

from benchmarks import attribution
from benchmarks.attribution import MODELS, Workload, errors, make, timed
from benchmarks.tables import attribution as table


@pytest.fixture(scope="module")
def linear() -> Workload:
    return make(MODELS[0], 400)


def test_contenders_are_timed_on_the_same_rows(linear: Workload) -> None:
    found = timed(linear, linear.rows[:2], 200)
    assert all(found[name] > 0 for name in ("driftline", "shap", "model", "outside"))
    assert found["outside"] < found["driftline"]


def test_both_are_about_right(linear: Workload) -> None:
    found = errors(linear, 2, 6_000)
    assert 0 < found["driftline"] < 0.1
    assert 0 < found["shap"] < 0.1


def test_table_holds_what_was_measured(linear: Workload, monkeypatch: pytest.MonkeyPatch) -> None:
    def told(work: Workload, rows: Any, n_samples: int = 0, *, first: int = 0) -> dict[str, float]:
        return {"driftline": 0.010, "shap": 0.070, "model": 0.008, "outside": 0.002}

    monkeypatch.setattr(attribution, "make", lambda name: linear)
    monkeypatch.setattr(attribution, "timed", told)
    monkeypatch.setattr(attribution, "errors", lambda work: {"driftline": 0.025, "shap": 0.03})
    monkeypatch.setenv("DRIFTLINE_ENGINE", "auto")
    document = attribution.measured(MODELS[:1], 10, 5)
    assert document["sample"]
    assert document["versions"].keys() >= {"shap", "scikit-learn"}
    numbers = "10.0 | 70.0 | 8.00 | 2.00 | 7.00 (7.00 to 7.00) | 8.75 (8.75 to 8.75) | 1.25 (1.25 to 1.25)"
    assert f"| LogisticRegression | {numbers} | 2.50 % | 3.00 % |" in table(document)
