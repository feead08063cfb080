from __future__ import annotations

import json
import math
import re
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.baselines.constraint import Severity
from driftline.baselines.sagemaker_style import encode_sagemaker, java_double

if TYPE_CHECKING:
    from pathlib import Path

NUMBER = re.compile(r"(?<=[\s\[,:])-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?(?=[\s,\]}])")
JAVA = re.compile(r"-?(?:\d{1,7}\.\d+|\d\.\d+E-?\d+)")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0.0"),
        (-0.0, "-0.0"),
        (1.0, "1.0"),
        (100.0, "100.0"),
        (0.1, "0.1"),
        (0.001, "0.001"),
        (0.00025, "2.5E-4"),
        (0.0009999999999999998, "9.999999999999998E-4"),
        (9999999.0, "9999999.0"),
        (10000000.0, "1.0E7"),
        (1318537244.0, "1.318537244E9"),
        (-14590236.0, "-1.4590236E7"),
        (1e22, "1.0E22"),
        (1.7976931348623157e308, "1.7976931348623157E308"),
        (5e-324, "5.0E-324"),
        (99.64592817400101, "99.64592817400101"),
    ],
)
def test_doubles_as_java_prints_them(value: float, text: str) -> None:
    assert java_double(value) == text


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_double_reads_back(value: float) -> None:
    text = java_double(value)
    assert float(text) == value
    assert JAVA.fullmatch(text)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_numbers_that_json_lacks_are_refused(value: float) -> None:
    with pytest.raises(ValueError, match="is not a JSON number"):
        encode_sagemaker({"x": [value]})


@pytest.mark.parametrize("run", ["housing", "weather", "amazon_reviews"])
def test_every_number_of_real_files(data: Path, run: str) -> None:
    texts = NUMBER.findall((data / "sagemaker" / run / "statistics.json").read_text())
    fractional = [t for t in texts if "." in t]
    assert len(fractional) > 500
    assert [java_double(float(t)) for t in fractional] == fractional


@pytest.mark.parametrize(
    "name",
    [
        "housing/constraints.json",
        "housing/statistics.json",
        "housing/constraint_violations.json",
        "churn/constraints.json",
        "weather/statistics.json",
        "amazon_reviews/statistics.json",
    ],
)
def test_real_files_byte_for_byte(data: Path, name: str) -> None:
    text = (data / "sagemaker" / name).read_text()
    assert encode_sagemaker(json.loads(text)) == text


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(values)
def test_any_value_reads_back(value: object) -> None:
    text = encode_sagemaker(value)
    assert json.loads(text) == value
    assert text.encode("utf-8")


def test_nothing_inside() -> None:
    assert encode_sagemaker({"a": [], "b": {}}) == '{\n  "a" : [ ],\n  "b" : { }\n}'


def test_half_a_surrogate_pair_is_escaped() -> None:
    text = encode_sagemaker({"é\ud800": 1})
    assert text.encode("utf-8")
    assert json.loads(text) == {"é\ud800": 1}


def test_numbers_and_enumerations_of_other_classes() -> None:
    value = {"n": np.float64(0.5), "s": Severity.CRITICAL, "t": (1, 2)}
    assert encode_sagemaker(value) == '{\n  "n" : 0.5,\n  "s" : "critical",\n  "t" : [ 1, 2 ]\n}'


def test_other_types_are_refused() -> None:
    with pytest.raises(TypeError, match="set cannot be written as JSON"):
        encode_sagemaker({"a": {1}})
