"""Texts: laid out as Arrow lays them out."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import texts as any_text

from driftline.kernels.texts import Texts, character_counts

many = st.lists(any_text, max_size=12)


def _read(texts: Texts) -> list[bytes]:
    return [texts.at(i) for i in range(texts.n)]


@given(many)
def test_of_lays_out_and_at_reads(values: list[bytes]) -> None:
    texts = Texts.of(values)
    assert _read(texts) == values
    assert texts.lengths.tolist() == [len(v) for v in values]


@given(st.lists(any_text, min_size=1, max_size=12), st.data())
def test_take_picks_and_repeats(values: list[bytes], data: st.DataObject) -> None:
    index = data.draw(st.lists(st.integers(0, len(values) - 1), max_size=20))
    assert _read(Texts.of(values).take(np.array(index, np.int64))) == [values[i] for i in index]


@given(many, many)
def test_addition_appends(left: list[bytes], right: list[bytes]) -> None:
    assert _read(Texts.of(left) + Texts.of(right)) == left + right


@given(st.lists(any_text, min_size=4, max_size=8))
def test_slices_of_longer_arrays_work(values: list[bytes]) -> None:
    whole = Texts.of(values)
    part = Texts(whole.offsets[1:-1], whole.data)
    assert _read(part) == values[1:-1]
    assert _read(part + part) == values[1:-1] * 2
    assert _read(part.take(np.arange(part.n))) == values[1:-1]


@given(st.text(max_size=40), st.integers(4, 30))
def test_a_cut_never_splits_a_character(text: str, most: int) -> None:
    data = text.encode("utf-8", "surrogatepass")
    cut = Texts.of([data]).take(np.arange(1), most).at(0)
    assert data.startswith(cut)
    assert len(cut) <= most
    assert len(cut) > most - 4 or cut == data
    assert text.startswith(cut.decode("utf-8", "surrogatepass"))


@given(st.lists(st.text(max_size=20), max_size=8))
def test_characters_are_code_points(values: list[str]) -> None:
    texts = Texts.of(v.encode("utf-8", "surrogatepass") for v in values)
    assert character_counts(texts).tolist() == [len(v) for v in values]


def test_only_texts_are_added() -> None:
    with pytest.raises(TypeError):
        Texts.of([b"a"]) + (1, 2)  # noqa: RUF005
