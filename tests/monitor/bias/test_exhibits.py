"""How the groups fare, as tables."""

from __future__ import annotations

import numpy as np

from driftline.monitor.bias.binary import Kind, Rule
from driftline.monitor.bias.exhibits import facets_exhibit, rates_exhibit
from driftline.monitor.bias.frozen import Axis, Frozen
from driftline.monitor.bias.numbers import Numbers

RULE = Rule("sex", Kind.CATEGORICAL, ("F",), None, "F")
FROZEN = Frozen(None, None, (Axis(("sex",), ((RULE,),), ((None, None),), (("F", "M"),)),))


def numbers(cells: list[list[list[int]]]) -> Numbers:
    table = np.zeros((2, 1, 3, 3), np.int64)
    table[:, 0] = np.array(cells)
    return Numbers({}, {"sex=F": table}, int(table.sum()))


BEFORE = numbers([[[5, 5, 0], [2, 8, 0], [0, 0, 0]], [[8, 2, 0], [4, 6, 0], [0, 0, 0]]])
NOW = numbers([[[6, 4, 0], [2, 8, 0], [0, 0, 10]], [[0, 0, 0], [0, 0, 0], [0, 0, 0]]])


def test_counts_and_shares() -> None:
    exhibit = facets_exhibit(NOW, BEFORE, FROZEN)
    group, others = exhibit.rows
    assert group == ("sex=F", 20, 0.5, 0.5, 0.4, 0, 0.0, None, None)
    assert others == ("not sex=F", 20, 0.5, 0.5, 0.65, 30, 1.0, 0.5, 0.6)
    assert len(exhibit.columns) == len(exhibit.units) == len(group)


def test_a_baseline_without_counts_has_empty_cells() -> None:
    group, _ = facets_exhibit(NOW, Numbers({}), FROZEN).rows
    assert group[1:5] == (None, None, None, None)


def test_rates_are_side_by_side() -> None:
    exhibit = rates_exhibit(NOW, BEFORE, FROZEN)
    assert exhibit.rows == (
        ("sex=F: positive predictions", 0.4, None),
        ("sex=F: positive labels", 0.5, None),
        ("not sex=F: positive predictions", 0.65, 0.6),
        ("not sex=F: positive labels", 0.5, 0.5),
    )
