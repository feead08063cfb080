from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.baselines.constraint import InferredType
from driftline.baselines.sagemaker_statistics import read_statistics, write_statistics
from driftline.baselines.statistics import (
    Bucket,
    FeatureStatistics,
    NumericStatistics,
    Sketch,
    Statistics,
    StringStatistics,
)
from driftline.errors import DocumentError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

numbers = st.floats(allow_nan=False, allow_infinity=False)
positive = st.floats(0, 1e300)
counts = st.integers(0, 10**12)
buckets = st.tuples(numbers, numbers, positive).map(lambda t: Bucket(min(t[:2]), max(t[:2]), t[2]))
sketches = st.builds(
    Sketch,
    st.lists(st.lists(numbers, max_size=5).map(tuple), max_size=4).map(tuple),
    st.floats(0.1, 1),
    st.floats(8, 4096),
)
numeric = st.builds(
    NumericStatistics,
    mean=st.none() | numbers,
    sum=st.none() | numbers,
    std_dev=st.none() | positive,
    min=st.none() | numbers,
    max=st.none() | numbers,
    buckets=st.lists(buckets, max_size=3).map(tuple),
    sketch=st.none() | sketches,
    approximate_distinct=st.none() | positive,
    completeness=st.none() | st.floats(0, 1),
)
string = st.builds(
    StringStatistics, st.none() | positive, st.none() | st.dictionaries(st.text(), counts, max_size=4)
)
extras = st.dictionaries(st.text(), st.none() | numbers | st.text() | st.lists(numbers), max_size=3)


def feature(name: str, kind: InferredType, block: object, present: int, missing: int, extra: object) -> Any:
    return FeatureStatistics(
        name,
        kind,
        present,
        missing,
        block if isinstance(block, NumericStatistics) else None,
        block if isinstance(block, StringStatistics) else None,
        extra,  # type: ignore[arg-type]
    )


features = st.lists(
    st.builds(feature, st.text(), st.sampled_from(InferredType), numeric | string, counts, counts, extras),
    min_size=1,
    max_size=4,
    unique_by=lambda f: f.name,
).map(tuple)


@given(st.builds(Statistics, counts, features))
def test_what_is_written_reads_back(statistics: Statistics) -> None:
    assert read_statistics(write_statistics(statistics)) == statistics


@pytest.mark.parametrize("run", ["housing", "weather", "amazon_reviews"])
def test_real_files_come_out_byte_for_byte(data: Path, run: str) -> None:
    text = (data / "sagemaker" / run / "statistics.json").read_text()
    assert write_statistics(read_statistics(text)) == text


@pytest.mark.parametrize("name", ["churn/statistics_partial.json", "sdk_fixtures/statistics.json"])
def test_files_in_another_layout_keep_their_values(data: Path, name: str) -> None:
    text = (data / "sagemaker" / name).read_text()
    assert json.loads(write_statistics(read_statistics(text))) == json.loads(text)


def test_categories_of_the_fixture(data: Path) -> None:
    statistics = read_statistics((data / "sagemaker/sdk_fixtures/statistics.json").read_bytes())
    assert statistics == Statistics(
        418,
        (
            FeatureStatistics(
                "message",
                InferredType.STRING,
                418,
                0,
                string=StringStatistics(1.0, {"preproc-not-YET-supported-for-csv-json": 418}),
            ),
        ),
    )
    assert statistics.feature("message") is statistics.features[0]
    assert statistics.feature("other") is None


def test_a_feature_without_a_block_is_missing_in_every_row() -> None:
    text = '{"dataset": {"item_count": 7}, "features": [{"name": "x", "inferred_type": "Unknown"}]}'
    statistics = read_statistics(text)
    assert statistics.features == (FeatureStatistics("x", InferredType.UNKNOWN, 0, 7),)
    assert read_statistics(write_statistics(statistics)) == statistics


def test_counts_survive_without_a_block() -> None:
    odd = Statistics(7, (FeatureStatistics("x", InferredType.UNKNOWN, 3, 4),))
    (read,) = read_statistics(write_statistics(odd)).features
    assert (read.n_present, read.n_missing) == (3, 4)


def test_newer_containers_say_distinct_and_completeness() -> None:
    newer = document()
    newer["features"][0]["numerical_statistics"].update(
        {"approximate_num_distinct_values": 82, "completeness": 0.5, "mean": "NaN", "max": "Infinity"}
    )
    read = read_statistics(json.dumps(newer)).features[0]
    assert read.numeric is not None
    assert (read.numeric.approximate_distinct, read.numeric.completeness) == (82.0, 0.5)
    assert (read.numeric.mean, read.numeric.max) == (None, None)
    assert '"approximate_num_distinct_values" : 82,' in write_statistics(Statistics(3, (read,)))


def document() -> dict[str, Any]:
    return {
        "dataset": {"item_count": 3},
        "features": [
            {
                "name": "x",
                "inferred_type": "Fractional",
                "numerical_statistics": {
                    "common": {"num_present": 2, "num_missing": 1},
                    "mean": 1.0,
                    "distribution": {
                        "kll": {
                            "buckets": [{"lower_bound": 0.0, "upper_bound": 1.0, "count": 2.0}],
                            "sketch": {"parameters": {"c": 0.64, "k": 2048.0}, "data": [[0.0, 1]]},
                        }
                    },
                },
            },
            {
                "name": "y",
                "inferred_type": "String",
                "string_statistics": {
                    "common": {"num_present": 2, "num_missing": 1},
                    "distribution": {"categorical": {"buckets": [{"value": "a", "count": 2}]}},
                },
            },
        ],
    }


X = "features[0].numerical_statistics"
KLL = f"{X}.distribution.kll"
Y = "features[1].string_statistics"


def numeric_block(d: dict[str, Any]) -> dict[str, Any]:
    block: dict[str, Any] = d["features"][0]["numerical_statistics"]
    return block


def kll(d: dict[str, Any]) -> dict[str, Any]:
    block: dict[str, Any] = numeric_block(d)["distribution"]["kll"]
    return block


def categories(d: dict[str, Any]) -> list[Any]:
    block: list[Any] = d["features"][1]["string_statistics"]["distribution"]["categorical"]["buckets"]
    return block


@pytest.mark.parametrize(
    ("change", "field", "message"),
    [
        (lambda d: d.pop("features"), "features", "there is no list of features"),
        (lambda d: d["features"].clear(), "features", "is empty"),
        (lambda d: d.pop("dataset"), "dataset", "required and missing"),
        (lambda d: d["dataset"].update(item_count=-1), "dataset.item_count", "at least 0"),
        (lambda d: d["dataset"].update(item_count=1.5), "dataset.item_count", "whole number"),
        (lambda d: d["features"][0].pop("name"), "features[0].name", "required and missing"),
        (lambda d: d["features"][1].update(name="x"), "features[1].name", "occurred before"),
        (
            lambda d: d["features"][0].update(inferred_type="Float"),
            "features[0].inferred_type",
            "unknown value",
        ),
        (lambda d: numeric_block(d).pop("common"), f"{X}.common", "required and missing"),
        (lambda d: numeric_block(d).update(mean="1"), f"{X}.mean", "expected a number, found text"),
        (lambda d: kll(d)["buckets"][0].pop("count"), f"{KLL}.buckets[0].count", "required and missing"),
        (lambda d: kll(d)["buckets"][0].update(count=-1), f"{KLL}.buckets[0].count", "at least 0"),
        (lambda d: kll(d)["buckets"][0].update(lower_bound=2), f"{KLL}.buckets[0]", "is above upper_bound"),
        (
            lambda d: kll(d)["sketch"].update(data=[[0.0, "1"]]),
            f"{KLL}.sketch.data[0][1]",
            "expected a number",
        ),
        (lambda d: kll(d)["sketch"].update(data=[3]), f"{KLL}.sketch.data[0]", "expected a list"),
        (
            lambda d: kll(d)["sketch"].update(data=[[10**390]]),
            f"{KLL}.sketch.data[0]",
            "larger than a double",
        ),
        (lambda d: kll(d)["sketch"].update(data=[[]] * 63), f"{KLL}.sketch.data", "63 levels"),
        (lambda d: kll(d)["sketch"]["parameters"].update(c=2), f"{KLL}.sketch.parameters.c", "to 1, found 2"),
        (
            lambda d: categories(d).append({"value": "a", "count": 1}),
            f"{Y}.distribution.categorical.buckets[1].value",
            "before",
        ),
        (
            lambda d: categories(d)[0].update(value=1),
            f"{Y}.distribution.categorical.buckets[0].value",
            "expected text",
        ),
        (lambda d: d["features"][1].update(numerical_statistics={"common": {}}), "features[1]", "found both"),
        (lambda d: d["features"][0].update(driftline=3), "features[0].driftline", "expected an object"),
    ],
)
def test_what_is_refused(change: Callable[[dict[str, Any]], object], field: str, message: str) -> None:
    broken = document()
    assert read_statistics(json.dumps(broken))
    change(broken)
    with pytest.raises(DocumentError) as caught:
        read_statistics(json.dumps(broken), file="my/statistics.json")
    assert (caught.value.file, caught.value.field) == ("my/statistics.json", field)
    assert message in str(caught.value)


def test_an_empty_document_is_refused() -> None:
    with pytest.raises(DocumentError, match="the document is empty"):
        read_statistics(b"")
