"""What the baseline decides about columns."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pytest

from driftline.documents import Node
from driftline.errors import DocumentError, SchemaError
from driftline.monitor.bias.binary import Kind
from driftline.monitor.bias.column import Column, column_of
from driftline.monitor.bias.frozen import MOST_KNOWN, Frozen, GroupRule, freeze_columns, read_frozen
from driftline.monitor.bias.settings import read_settings


def columns(**arrays: list[object]) -> dict[str, Column]:
    return {name: column_of(name, pa.array(values)) for name, values in arrays.items()}


DATA = columns(
    sex=["Female", "Male", "Female", "Male", "Male", None],
    race=["a", "b", "c", "b", "b", "a"],
    age=[20, 30, 40, 50, 60, 70],
    y=[1, 0, 1, 0, 1, 1],
    p=[1, 0, 0, 0, 1, 1],
)
GIVEN = {
    "label": "y",
    "positive": [1],
    "prediction": "p",
    "facets": [
        {"column": "sex", "values": ["Female"], "name": "women"},
        {"column": "race"},
        {"column": "age", "threshold": 45},
    ],
    "intersections": [["sex", "age"]],
    "group": "age",
    "group_bins": 3,
}


def frozen(**change: object) -> Frozen:
    return freeze_columns(DATA, read_settings({**GIVEN, **change}), ("age",))


def test_groups_have_names_for_programs_and_for_people() -> None:
    groups = [group for axis in frozen().axes for group in axis.groups]
    assert [group.text for group in groups] == [
        "sex=Female",
        "race=a",
        "race=b",
        "race=c",
        "age=(45, 70]",
        "sex=Female & age=(45, 70]",
    ]
    assert [(group.name, group.others) for group in groups] == [
        ("women", "rows with sex=Male"),
        ("rows with race=a", "all other rows"),
        ("rows with race=b", "all other rows"),
        ("rows with race=c", "all other rows"),
        ("rows with age above 45", "rows with age up to 45"),
        ("rows with sex=Female and age above 45", "all other rows"),
    ]
    assert (groups[5].facet, groups[5].value) == ("sex & age", "Female & (45, 70]")


def test_rows_fall_into_groups() -> None:
    axes = frozen().axes
    sex = axes[0].coded(DATA)
    assert [None if c < 0 else sex.words[c] for c in sex.codes] == [
        "Female", "(other)", "Female", "(other)", "(other)", None,
    ]  # fmt: skip
    crossed = axes[3].coded(DATA)
    assert [None if c < 0 else crossed.words[c] for c in crossed.codes] == ["(other)"] * 5 + [None]
    women = columns(sex=["Female", "Female"], age=[50, 40])
    both = axes[3].coded(women)
    assert [both.words[c] for c in both.codes] == ["Female & (45, 70]", "(other)"]


def test_a_value_above_what_the_baseline_had_is_above_the_threshold() -> None:
    old = frozen().axes[2].coded(columns(age=[99, 45]))
    assert [old.words[c] for c in old.codes] == ["(45, 70]", "(other)"]


def test_it_survives_its_document() -> None:
    found = frozen()
    document = json.loads(json.dumps(found.document()))
    assert read_frozen(Node(document, "baseline.json")) == found


def test_a_damaged_document_is_named() -> None:
    document = frozen().document()
    document["axes"][0]["names"] = []
    with pytest.raises(DocumentError, match=r"baseline\.json: axes\[0\]: columns, rules, known and names"):
        read_frozen(Node(document, "baseline.json"))


def test_a_group_variable_of_numbers_is_cut_at_quantiles() -> None:
    group = frozen().group
    assert group == GroupRule("age", (30.0, 50.0))
    assert group.words == ("0000 ≤ 30", "0001 (30, 50]", "0002 > 50")
    coded = group.coded(columns(age=[1, 30, 31, 50, 51, None])["age"])
    assert coded.codes.tolist() == [0, 0, 1, 1, 2, -1]


def test_numbers_that_are_nearly_all_the_largest_are_cut_below_it() -> None:
    data = {**DATA, "age": column_of("age", pa.array([1, 2, 3, *[9] * 97]))}
    found = freeze_columns(
        {**columns(y=[0, 1] * 50, g=["a", "b"] * 50), "age": data["age"]},
        read_settings(
            {"label": "y", "positive": [1], "facets": [{"column": "g"}], "group": "age", "group_bins": 2}
        ),
    )
    assert found.group == GroupRule("age", (3.0,))


def test_rare_values_of_a_group_variable_share_a_group() -> None:
    words = [f"w{i:03d}" for i in range(MOST_KNOWN + 20)]
    values = [*words, *words[:MOST_KNOWN]]
    n = len(values)
    found = freeze_columns(
        columns(y=[0, 1] * (n // 2), g=["a", "b"] * (n // 2), z=values),
        read_settings({"label": "y", "positive": [1], "facets": [{"column": "g"}], "group": "z"}),
    )
    assert found.group is not None
    assert found.group.values == tuple(words[:MOST_KNOWN])
    coded = found.group.coded(columns(z=["w000", "w069", "new", None])["z"])
    assert [None if c < 0 else coded.words[c] for c in coded.codes] == ["w000", "(other)", "(other)", None]


def test_only_the_most_frequent_values_become_groups() -> None:
    values = np.repeat([f"v{i}" for i in range(30)], np.arange(30, 0, -1)).tolist()
    data = columns(v=values, y=[0, 1] * (len(values) // 2) + [0] * (len(values) % 2))
    given = {"label": "y", "positive": [1], "facets": [{"column": "v"}], "max_values": 4}
    (axis,) = freeze_columns(data, read_settings(given)).axes
    assert [group.value for group in axis.groups] == ["v0", "v1", "v2", "v3"]


def test_clarifys_rule_decides_once() -> None:
    config = {
        "label": "y",
        "label_values_or_threshold": [1],
        "facet": [{"name_or_index": "age", "value_or_threshold": [45]}],
    }
    (axis,) = freeze_columns(DATA, read_settings(config)).axes
    assert axis.rules[0][0].kind is Kind.CONTINUOUS
    many = {**columns(y=[0, 1] * 600), "age": column_of("age", pa.array([*range(20, 60)] * 30))}
    (axis,) = freeze_columns(many, read_settings(config)).axes
    assert axis.rules[0][0].kind is Kind.CATEGORICAL  # 40 values in 1,200 rows: 45 means exactly 45
    assert axis.rules[0][0].note is not None


def test_predictions_of_another_kind_are_refused() -> None:
    data = {**DATA, **columns(p=["yes", "no", "no", "yes", "no", "no"])}
    with pytest.raises(
        SchemaError, match=r"predictions \(no, yes\) have no value in common with the labels of 'y' \(0, 1\)"
    ):
        freeze_columns(data, read_settings(GIVEN))
