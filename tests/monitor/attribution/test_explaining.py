"""Rows are explained within limits, groups are added up, and outputs have their names."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from monitor_attribution_shared import numbers

from driftline.errors import SchemaError
from driftline.monitor.attribution import explaining
from driftline.monitor.attribution.explaining import explained, grouped, labels_of, players_of, state_of
from driftline.monitor.attribution.failure import ModelError
from driftline.monitor.attribution.model_settings import ModelSettings
from driftline.monitor.attribution.models import open_model
from driftline.monitor.attribution.settings import read_settings

ABC = numbers("a", "b", "c")
X = np.array([[1.0, 2.0, 3.0], [4.0, 0.0, 1.0]])
ZERO = np.zeros((1, 3))


def found(model: Any, settings: Any = None, **more: Any) -> explaining.Explained:
    told = read_settings(settings)
    with open_model(ModelSettings("callable", model, **more), ABC) as one:
        return explained(one, X, ZERO, players_of(ABC.names, told.groups), told)


def test_players_stand_where_their_first_member_stood() -> None:
    players = players_of(["a", "b", "c", "d"], [("g", ("d", "b"))])
    assert players.names == ("a", "g", "c")
    assert players.columns == ((0,), (1, 3), (2,))
    with pytest.raises(SchemaError, match="x: is in a group and is no feature"):
        players_of(["a"], [("g", ("x",))])


def test_groups_are_added_up() -> None:
    values = np.arange(8.0).reshape(1, 4, 2)
    players = players_of(["a", "b", "c", "d"], [("g", ("d", "b"))])
    assert grouped(values, players)[0].tolist() == [[0, 1], [8, 10], [4, 5]]


def test_a_linear_model_is_explained_by_its_terms() -> None:
    one = found(lambda x: x @ [1.0, 10.0, 100.0])
    np.testing.assert_allclose(one.values[:, :, 0], X * [1.0, 10.0, 100.0])
    assert one.expected == (0.0,)
    assert one.error == 0.0
    both = found(lambda x: x @ [1.0, 10.0, 100.0], {"groups": {"g": ["a", "c"]}})
    np.testing.assert_allclose(both.values[:, 0, 0], X @ [1.0, 0.0, 100.0])


def test_log_odds() -> None:
    one = found(lambda x: 1 / (1 + np.exp(-0.1 * x.sum(axis=1))), {"logit": True})
    np.testing.assert_allclose(one.values[:, :, 0], 0.1 * X)
    with pytest.raises(ModelError, match="no probability"):
        found(lambda x: x.sum(axis=1), {"logit": True})


@pytest.mark.parametrize(
    ("limit", "words"),
    [
        ("MOST_EVALUATIONS", "up to 15 predictions are needed"),
        ("MOST_VALUES", "have more attributions than the limit"),
    ],
)
def test_limits(limit: str, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    monkeypatch.setattr(explaining, limit, 5)
    with pytest.raises(ModelError, match=words):
        found(lambda x: asked.append(len(x)) or x[:, 0])
    assert asked == []


def test_attributions_that_cannot_be_added_up() -> None:
    with pytest.raises(ModelError, match="beyond what can be added up"):
        state_of(np.array([[1e300]]))


def test_names_of_outputs() -> None:
    assert labels_of(2, read_settings(None)) == ("label0", "label1")
    assert labels_of(1, read_settings({"label_headers": "approved"})) == ("approved",)
    with pytest.raises(SchemaError, match="E-OUTPUTS"):
        labels_of(2, read_settings({"label_headers": ["a"]}))
