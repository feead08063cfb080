"""The compiled loops hold copies of constants of other modules: they must agree."""

from __future__ import annotations

from driftline.kernels import categories, exact, hashing, native, tally
from driftline.kernels.tally import Sort


def test_sorts_are_those_of_the_tally() -> None:
    for name in (
        "NULL",
        "NAN",
        "POSITIVE_INFINITY",
        "NEGATIVE_INFINITY",
        "INTEGRAL",
        "FRACTIONAL",
        "ZERO",
        "NEGATIVE",
    ):
        assert getattr(native, name) == Sort[name]


def test_places_are_those_of_the_tally() -> None:
    assert native.N_PLACES == tally.N_PLACES
    assert native.NOWHERE == tally.NOWHERE


def test_offsets_are_those_of_the_exact_sums() -> None:
    assert native.OFFSET_VALUES == exact.OFFSET_VALUES
    assert native.OFFSET_SQUARES == exact.OFFSET_SQUARES


def test_hash_constants_are_those_of_the_hashes() -> None:
    for name in ("MIX", "GOLDEN", "WORD_1", "WORD_2", "LONG"):
        assert getattr(native, name) == getattr(hashing, name)


def test_buckets_are_those_of_the_categories() -> None:
    assert native.U1023 == categories.N_BUCKETS - 1
