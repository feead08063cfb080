"""The laws of a State, once, for every State there is; a new one fails here until it has a strategy."""

from __future__ import annotations

import importlib
import pkgutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import finite, floats, hashes, integers, rows_of, texts

from driftline import kernels
from driftline.documents import decode, encode
from driftline.kernels.attribution import LARGEST, AttributionState
from driftline.kernels.categories import Categories
from driftline.kernels.confusion import ConfusionState
from driftline.kernels.distinct import Distinct
from driftline.kernels.distribution import Distribution
from driftline.kernels.fairness import Coded, FairnessState
from driftline.kernels.moments import Moments
from driftline.kernels.numbers import Numbers
from driftline.kernels.residuals import ResidualState
from driftline.kernels.sampled import SampledRows
from driftline.kernels.scores import ScoreState
from driftline.kernels.state import Packed, State, StateMismatchError, states
from driftline.kernels.tally import Sort, Tally
from driftline.kernels.texts import Texts

if TYPE_CHECKING:
    from collections.abc import Callable

for module in pkgutil.iter_modules(kernels.__path__):
    if module.name != "native":  # loads a compiler, and holds no State
        importlib.import_module(f"driftline.kernels.{module.name}")


@dataclass(frozen=True)
class Kind:
    """How a State is made and fed.

    ``empty`` gives States without data, of every configuration worth trying; ``row`` one row; ``fold`` folds a list of
    rows, each with its number, into a State.
    """

    empty: st.SearchStrategy
    row: st.SearchStrategy
    fold: Callable[[Any, list[tuple[int, Any]]], Any]


def _values(state: Any, rows: list[tuple[int, Any]]) -> Any:
    """Integers and doubles come in columns of their own, as they do in a table whose type changed over the months."""
    whole = [v for _, v in rows if isinstance(v, int)]
    real = [v for _, v in rows if isinstance(v, float)]
    return state.update(np.array(whole, np.int64), np.array(real, np.float64))


def _hashes(state: Any, rows: list[tuple[int, Any]]) -> Any:
    return state.update(np.array([v for _, v in rows], np.uint64))


def _texts(state: Any, rows: list[tuple[int, Any]]) -> Any:
    return state.update(Texts.of(v for _, v in rows), np.array([i for i, _ in rows], np.int64))


def _sorts(state: Any, rows: list[tuple[int, Any]]) -> Any:
    ordered = sorted(rows)
    return state.update(
        np.array([v for _, v in ordered], np.int8), np.array([i for i, _ in ordered], np.int64)
    )


def _classes(state: Any, rows: list[tuple[int, Any]]) -> Any:
    pairs = np.array([v for _, v in rows], np.int64).reshape(-1, 2)
    return state.update(pairs[:, 0], pairs[:, 1])


def _scored(state: Any, rows: list[tuple[int, Any]]) -> Any:
    scores = np.array([v[0] for _, v in rows], np.float64)
    outcomes = np.array([v[1:] for _, v in rows], np.int8).reshape(-1, 2)
    return state.update(scores, outcomes[:, 0], outcomes[:, 1])


def _pairs(state: Any, rows: list[tuple[int, Any]]) -> Any:
    return state.update(np.array([v for _, v in rows], np.float64).reshape(-1, 2))


def _judged(state: Any, rows: list[tuple[int, Any]]) -> Any:
    pairs = np.array([v for _, v in rows], np.float64).reshape(-1, 2)
    return state.update(pairs[:, 0], pairs[:, 1])


def _attributed(state: Any, rows: list[tuple[int, Any]]) -> Any:
    matrix = np.array([v for _, v in rows], np.float64).reshape(-1, 3)
    return state.update(matrix[:, : state.n_features])


def _facts(state: Any, rows: list[tuple[int, Any]]) -> Any:
    facet, group, label, prediction, truth, guess = (
        zip(*(v for _, v in rows), strict=True) if rows else [()] * 6
    )
    outcomes = [np.array(v, np.int8) for v in (label, prediction)]
    return state.update(Coded.of(facet), Coded.of(group), *outcomes, Coded.of(truth), Coded.of(guess))


words = st.one_of(st.none(), st.sampled_from(["", "a", "b", "größe", "\udc80", "10", "9"]))
scores = st.one_of(st.floats(0, 1), st.sampled_from([0.0, 0.25, 0.5, 1.0]), floats)
outcome = st.integers(-1, 1)
few = st.sampled_from([1, 2, 3, 7, 1 << 14])
at_least_two = st.sampled_from([2, 3, 7, 1 << 13])
KINDS: dict[type[State], Kind] = {
    Moments: Kind(st.just(Moments()), finite | integers, _values),
    Tally: Kind(st.just(Tally()), st.sampled_from([int(s) for s in Sort]), _sorts),
    Distribution: Kind(st.builds(Distribution, capacity=at_least_two), finite | integers, _values),
    Distinct: Kind(st.builds(Distinct, capacity=few), hashes, _hashes),
    Categories: Kind(st.builds(Categories, capacity=few), texts, _texts),
    Numbers: Kind(
        st.builds(
            lambda cells, sample: Numbers(distribution=Distribution(capacity=cells), sample_capacity=sample),
            at_least_two,
            few,
        ),
        finite | integers,
        _values,
    ),
    FairnessState: Kind(
        st.just(FairnessState()),
        st.tuples(words, words, st.integers(0, 2), st.integers(0, 2), words, words),
        _facts,
    ),
    AttributionState: Kind(
        st.builds(AttributionState, st.sampled_from([1, 3])),
        st.tuples(*[finite.map(lambda v: v if abs(v) <= LARGEST else v * 2.0**-800)] * 3),
        _attributed,
    ),
    ConfusionState: Kind(
        st.builds(ConfusionState, st.sampled_from([("0", "1"), ("cat", "dog", "größe"), ("x",)])),
        st.tuples(st.integers(-1, 4), st.integers(-1, 4)),
        _classes,
    ),
    ScoreState: Kind(
        st.builds(ScoreState, limit=st.sampled_from([0, 1, 2, 5, 1 << 16])),
        st.tuples(scores, outcome, outcome),
        _scored,
    ),
    SampledRows: Kind(
        st.builds(SampledRows, st.just(2), few),
        st.tuples(finite, st.sampled_from([-0.0, 0.0, 1.0])),
        _pairs,
    ),
    ResidualState: Kind(
        st.builds(ResidualState, centre=st.sampled_from([0.0, -3.5, 1e9])),
        st.tuples(floats, floats),
        _judged,
    ),
}

every_kind = pytest.mark.parametrize("cls", KINDS, ids=lambda cls: cls.__name__)


def same(a: State, b: State) -> bool:
    """Equal to the last bit: the scalars as the document spells them, the arrays with their dtype."""
    mine, theirs = a.pack(), b.pack()
    return (
        a == b
        and encode(mine.scalars) == encode(theirs.scalars)
        and mine.arrays.keys() == theirs.arrays.keys()
        and all(
            x.dtype == theirs.arrays[name].dtype and x.tobytes() == theirs.arrays[name].tobytes()
            for name, x in mine.arrays.items()
        )
    )


def _drawn(data: st.DataObject, cls: type[State]) -> tuple[Any, list[tuple[int, Any]]]:
    kind = KINDS[cls]
    return data.draw(kind.empty), list(enumerate(data.draw(rows_of(kind.row))))


def test_every_state_has_a_strategy() -> None:
    without = sorted(cls.__name__ for cls in states() if cls not in KINDS)
    assert not without, f"give these States a strategy in KINDS: {without}"


def test_kinds_are_distinct_names() -> None:
    names = [cls.kind for cls in KINDS]
    assert len(set(names)) == len(names)


@every_kind
@given(data=st.data())
def test_merge_with_empty_changes_nothing(cls: type[State], data: st.DataObject) -> None:
    empty, rows = _drawn(data, cls)
    state = KINDS[cls].fold(empty, rows)
    assert same(state.merge(empty), state)
    assert same(empty.merge(state), state)
    assert same(state.merge(state.empty()), state)
    assert same(state.empty(), empty)


@every_kind
@given(data=st.data())
def test_two_halves_merged_are_the_whole(cls: type[State], data: st.DataObject) -> None:
    empty, rows = _drawn(data, cls)
    fold = KINDS[cls].fold
    cut = data.draw(st.integers(0, len(rows)))
    whole = fold(empty, rows)
    left, right = fold(empty, rows[:cut]), fold(empty, rows[cut:])
    assert same(left.merge(right), whole)
    assert same(right.merge(left), whole)
    assert same(fold(left, rows[cut:]), whole)


@every_kind
@given(data=st.data())
def test_grouping_does_not_matter(cls: type[State], data: st.DataObject) -> None:
    empty, rows = _drawn(data, cls)
    fold = KINDS[cls].fold
    ends = sorted(data.draw(st.tuples(*[st.integers(0, len(rows))] * 2)))
    a, b, c = (fold(empty, part) for part in (rows[: ends[0]], rows[ends[0] : ends[1]], rows[ends[1] :]))
    assert same(a.merge(b).merge(c), a.merge(b.merge(c)))
    assert same(a.merge(b).merge(c), c.merge(a).merge(b))


@every_kind
@given(data=st.data())
def test_many_merged_at_once_are_the_same_as_one_by_one(cls: type[State], data: st.DataObject) -> None:
    empty, rows = _drawn(data, cls)
    fold = KINDS[cls].fold
    ends = sorted(data.draw(st.lists(st.integers(0, len(rows)), max_size=8)))
    parts = [fold(empty, rows[a:b]) for a, b in zip([0, *ends], [*ends, len(rows)], strict=True)]
    before = [encode(s.pack().scalars) + repr(s.pack().arrays) for s in parts]
    parts = data.draw(st.permutations(parts))
    assert same(cls.merge_many(parts), fold(empty, rows))
    assert sorted(encode(s.pack().scalars) + repr(s.pack().arrays) for s in parts) == sorted(before)


@every_kind
@given(data=st.data())
def test_order_of_rows_does_not_matter(cls: type[State], data: st.DataObject) -> None:
    empty, rows = _drawn(data, cls)
    fold = KINDS[cls].fold
    shuffled = data.draw(st.permutations(rows))
    assert same(fold(empty, shuffled), fold(empty, rows))
    one_by_one = empty
    for row in shuffled:
        one_by_one = fold(one_by_one, [row])
    assert same(one_by_one, fold(empty, rows))


@every_kind
@given(data=st.data())
def test_written_and_read_back_is_equal_and_still_merges(cls: type[State], data: st.DataObject) -> None:
    empty, rows = _drawn(data, cls)
    fold = KINDS[cls].fold
    cut = data.draw(st.integers(0, len(rows)))

    def through_a_file(state: State) -> State:
        packed = state.pack()
        arrays = {name: np.frombuffer(x.tobytes(), x.dtype) for name, x in packed.arrays.items()}
        return cls.unpack(Packed(decode(encode(packed.scalars)), arrays))

    state = fold(empty, rows)
    assert same(through_a_file(state), state)
    halves = through_a_file(fold(empty, rows[:cut])), through_a_file(fold(empty, rows[cut:]))
    assert same(halves[0].merge(halves[1]), state)
    assert repr(dict(through_a_file(state).finalize())) == repr(dict(state.finalize()))


@every_kind
@given(data=st.data())
def test_nothing_in_nothing_out(cls: type[State], data: st.DataObject) -> None:
    empty = data.draw(KINDS[cls].empty)
    assert set(empty.finalize().values()) == {None}
    assert same(KINDS[cls].fold(empty, []), empty)


@every_kind
@given(data=st.data())
def test_inputs_are_left_alone(cls: type[State], data: st.DataObject) -> None:
    empty, rows = _drawn(data, cls)
    fold = KINDS[cls].fold
    cut = data.draw(st.integers(0, len(rows)))
    left, right = fold(empty, rows[:cut]), fold(empty, rows[cut:])
    before = [encode(s.pack().scalars) + repr(s.pack().arrays) for s in (left, right)]
    left.merge(right)
    fold(left, rows[cut:])
    assert [encode(s.pack().scalars) + repr(s.pack().arrays) for s in (left, right)] == before


@pytest.mark.parametrize(
    ("left", "right", "setting"),
    [
        (Distribution(capacity=2), Distribution(capacity=3), "capacity"),
        (AttributionState(2), AttributionState(3), "n_features"),
        (Distinct(capacity=2), Distinct(capacity=3), "capacity"),
        (Categories(capacity=2), Categories(capacity=3), "capacity"),
        (Numbers(sample_capacity=2), Numbers(sample_capacity=3), "sample_capacity"),
        (Numbers(distribution=Distribution(capacity=2)), Numbers(), "capacity"),
        (ConfusionState(("0", "1")), ConfusionState(("1", "0")), "labels"),
        (ScoreState(2), ScoreState(3), "limit"),
        (ResidualState(0.0), ResidualState(1.0), "centre"),
    ],
    ids=lambda v: getattr(v, "kind", v),
)
def test_different_configurations_do_not_merge(left: State, right: State, setting: str) -> None:
    for merge in left.merge, lambda other: type(left).merge_many([left, other]):
        with pytest.raises(StateMismatchError, match=setting) as caught:
            merge(right)
        assert caught.value.setting == setting


def test_states_of_different_kinds_are_not_equal() -> None:
    assert Moments() != Tally()
    assert Moments() != 0


@pytest.mark.parametrize("bad", [[np.nan], [1.0, np.inf], [-np.inf]])
@pytest.mark.parametrize("state", [Moments(), Distribution()], ids=["Moments", "Distribution"])
def test_values_that_are_not_finite_are_refused(state: State, bad: list[float]) -> None:
    with pytest.raises(ValueError, match="finite"):
        state.update(np.array(bad))


def _cells(**changes: Any) -> Packed:
    scalars = {"shift": 0, "capacity": 4, "whole": 0, "zeros": 0}
    arrays = {"cells": np.array([1, 2]), "counts": np.array([1, 1])}
    return _changed(scalars, arrays, changes)


def _hashed(**changes: Any) -> Packed:
    scalars = {"level": 0, "n": 3, "capacity": 4}
    arrays = {"hashes": np.array([1, 2], np.uint64), "counts": np.array([1, 2])}
    return _changed(scalars, arrays, changes)


def _listed(**changes: Any) -> Packed:
    packed = Categories(capacity=4).update(Texts.of([b"a", b"b"]), np.arange(2)).pack()
    return _changed(dict(packed.scalars), dict(packed.arrays), changes)


def _tallied(**changes: Any) -> Packed:
    packed = Tally().pack()
    return _changed(dict(packed.scalars), dict(packed.arrays), changes)


def _counted(**changes: Any) -> Packed:
    packed = ConfusionState(("a", "b")).update(np.array([0, 1]), np.array([1, 1])).pack()
    return _changed(dict(packed.scalars), dict(packed.arrays), changes)


def _ranked(limit: int = 4, /, **changes: Any) -> Packed:
    packed = ScoreState(limit).update(np.array([0.25, 0.5]), np.array([0, 1])).pack()
    return _changed(dict(packed.scalars), dict(packed.arrays), changes)


def _measured(**changes: Any) -> Packed:
    packed = ResidualState().update(np.array([1.0, 2.0]), np.array([1.0, 3.0])).pack()
    return _changed(dict(packed.scalars), dict(packed.arrays), changes)


def _changed(scalars: dict[str, Any], arrays: dict[str, Any], changes: dict[str, Any]) -> Packed:
    return Packed(
        {**scalars, **{k: v for k, v in changes.items() if k in scalars}},
        {**arrays, **{k: v for k, v in changes.items() if k in arrays}},
    )


@pytest.mark.parametrize(
    ("cls", "packed"),
    [
        (Distribution, _cells(cells=np.array([2, 1]))),
        (Distribution, _cells(cells=np.array([1, 1]))),
        (Distribution, _cells(counts=np.array([1, 0]))),
        (Distribution, _cells(counts=np.array([1]))),
        (Distribution, _cells(shift=64)),
        (Distribution, _cells(shift=-1)),
        (Distribution, _cells(capacity=1)),
        (Distinct, _hashed(hashes=np.array([2, 1], np.uint64))),
        (Distinct, _hashed(counts=np.array([1, -2]))),
        (Distinct, _hashed(n=2)),
        (Distinct, _hashed(capacity=1)),
        (Distinct, _hashed(level=64)),
        (Distinct, _hashed(hashes=np.array([1, 1 << 63], np.uint64), level=1)),
        (Categories, _listed(counts=np.array([1, 0]))),
        (Categories, _listed(offsets=np.array([0, 2, 1]))),
        (Categories, _listed(offsets=np.array([1, 1, 2]))),
        (Categories, _listed(first=np.array([1]))),
        (Categories, _listed(buckets=np.zeros(3, np.int64))),
        (Categories, _listed(capacity=1)),
        (Categories, _listed(counts=np.array([1, 2]))),
        (Tally, _tallied(counts=np.zeros(3, np.int64))),
        (Tally, _tallied(counts=-np.ones(len(Sort), np.int64))),
        (Tally, _tallied(places=np.zeros(5, np.int64))),
        (ConfusionState, _counted(labels='["a"]')),
        (ConfusionState, _counted(labels="[1, 2]")),
        (ConfusionState, _counted(table=-np.ones(16, np.int64))),
        (ScoreState, _ranked(scores=np.array([0.5, 0.25]))),
        (ScoreState, _ranked(scores=np.array([0.5, np.nan]))),
        (ScoreState, _ranked(scores=np.array([0.5]))),
        (ScoreState, _ranked(limit=1)),
        (ScoreState, _ranked(limit=-1)),
        (ScoreState, _ranked(cells=np.array([1, 2]))),
        (ScoreState, _ranked(counts=np.array([1, 0]))),
        (ScoreState, _ranked(counts=np.array([1]))),
        (ScoreState, _ranked(places=np.array([3, 4]))),
        (ScoreState, _ranked(places=np.array([-1, 9]))),
        (ScoreState, _ranked(unscored=-np.ones(9, np.int64))),
        (ScoreState, _ranked(1, cells=np.array([5, 1 << 20]))),
        (ScoreState, _ranked(1, sums=-np.ones(6, np.int64))),
        (ResidualState, _measured(n=3)),
        (ResidualState, _measured(n_beyond=-1)),
        (ResidualState, _measured(residuals_capacity=2048)),
    ],
)
def test_values_that_no_state_packs_are_refused(cls: type[State], packed: Packed) -> None:
    with pytest.raises(ValueError, match=r"belong together|wrong shape"):
        cls.unpack(packed)
