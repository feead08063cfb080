from __future__ import annotations

from itertools import combinations

import pytest

from benchmarks.kernels import CASES, COMPILED, TWIN, Case

ROWS = 5_001
"""Few enough that driftline keeps every value and all contenders have to agree."""


@pytest.mark.parametrize("case", [pytest.param(case, id=case.name) for case in CASES])
def test_contenders_find_the_same(case: Case) -> None:
    column = case.make(ROWS)
    found = {name: call(column) for name, call in case.contenders.items()}
    compared = 0
    for one, other in combinations(found, 2):
        for key in found[one].keys() & found[other].keys():
            assert found[one][key] == pytest.approx(found[other][key], rel=1e-9), (key, one, other)
            compared += 1
    assert compared > len(found)


@pytest.mark.parametrize("case", [pytest.param(case, id=case.name) for case in CASES])
def test_driftline_takes_part_in_both_engines(case: Case) -> None:
    column = case.make(500)
    assert case.contenders[COMPILED](column) == case.contenders[TWIN](column)


def test_columns_are_the_same_every_time() -> None:
    for case in CASES:
        one, two = case.make(300), case.make(300)
        assert one.values.tobytes() == two.values.tobytes()
        assert (one.texts is None) or one.texts.equals(two.texts)
