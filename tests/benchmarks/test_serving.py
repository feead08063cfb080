from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.goals import GOALS, Rate
from benchmarks.serving import bodies, measure, percentile

if TYPE_CHECKING:
    from pathlib import Path


def test_requests_are_what_the_model_takes() -> None:
    from benchmarks.served import Customer

    assert bodies(20) == bodies(20)
    for request in bodies(20):
        head, _, body = request.partition(b"\r\n\r\n")
        assert b"content-length: %d" % len(body) in head
        assert Customer.model_validate(json.loads(body))


@given(st.lists(st.floats(0, 1e6), min_size=1), st.floats(0.01, 1.0))
def test_percentile_is_the_least_value_that_covers_the_share(values: list[float], share: float) -> None:
    found = percentile(sorted(values), share)
    assert sum(value <= found for value in values) >= share * len(values) * (1 - 1e-12)
    assert sum(value < found for value in values) < share * len(values)


def test_both_services_are_measured_and_nothing_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DRIFTLINE_BENCH_DATA", str(tmp_path))
    told = measure(0.2, 1)
    assert told["answered"] == told["stored"] > 200
    assert told["plain_rate"] > 0
    assert 0 < told["captured_p50"] <= told["captured_p99"] <= told["captured_p999"]
    assert told["added_p99"] == pytest.approx(told["captured_p99"] - told["plain_p99"])
    for goal in GOALS:
        if isinstance(goal.source, Rate) and goal.source.part == "serving":
            assert goal.source.name in told
