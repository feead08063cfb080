"""Hashes: the same in NumPy, in the compiled loops and in plain Python."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from reference import hashing as obvious
from strategies import finite, integers, rows_of
from strategies import texts as any_text

from driftline.kernels.hashing import hash_integers, hash_numbers, hash_texts
from driftline.kernels.texts import Texts


@given(rows_of(finite))
def test_numbers(values: list[float]) -> None:
    assert hash_numbers(np.array(values, np.float64)).tolist() == [obvious.number(v) for v in values]


@given(rows_of(integers))
def test_integers(values: list[int]) -> None:
    assert hash_integers(np.array(values, np.int64)).tolist() == [obvious.integer(v) for v in values]


@given(st.lists(any_text, max_size=12))
def test_texts(values: list[bytes]) -> None:
    assert hash_texts(*Texts.of(values)).tolist() == [obvious.text(v) for v in values]


@given(st.lists(any_text, min_size=3, max_size=12))
def test_texts_within_a_longer_array(values: list[bytes]) -> None:
    whole = Texts.of(values)
    assert hash_texts(whole.offsets[1:-1], whole.data).tolist() == [obvious.text(v) for v in values[1:-1]]


def test_zeros_of_both_signs_are_one_value() -> None:
    assert len(set(hash_numbers(np.array([0.0, -0.0])).tolist())) == 1


def test_ints_and_doubles_of_one_value_share_a_hash_up_to_the_largest() -> None:
    values = [0, -1, 3, 2**53, -(2**53), 2**62, -(2**63), 2**63 - 1024]
    same = hash_numbers(np.array(values, np.float64))
    assert hash_integers(np.array(values, np.int64)).tolist() == same.tolist()


def test_large_integers_stay_apart() -> None:
    values = np.arange(2**60, 2**60 + 5000)
    assert np.unique(hash_integers(values)).shape[0] == 5000


def test_hashes_fill_their_range_evenly() -> None:
    for hashed in (
        hash_numbers(np.arange(100_000.0)),
        hash_integers(np.arange(2**60, 2**60 + 100_000)),
        hash_texts(*Texts.of(b"%d" % i for i in range(100_000))),
    ):
        for shift in (0, 32, 60):
            counts = np.bincount(((hashed >> np.uint64(shift)) & np.uint64(15)).astype(int), minlength=16)
            statistic = float(((counts - 6250.0) ** 2 / 6250.0).sum())
            assert statistic < 60  # chi-squared with 15 degrees of freedom: 1 in 4 million
