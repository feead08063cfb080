"""Settings are read strictly, and written so that they can be read again."""

from __future__ import annotations

from typing import Any

import pytest

from driftline.errors import DocumentError, UsageError
from driftline.monitor.attribution.settings import Settings, read_settings, settings_document

WHOLE = b"""
features = ["age", "income", "gain", "loss"]
ignore = ["label"]
label_headers = ["approved"]
agg = "mean_sq"
logit = true
rows = 300
n_samples = 512
seed = 7

[model]
kind = "http"
url = "https://models.example.com/invocations"
format = "json"
response = "predictions.score"
batch = 500
retries = 2
token_env = "MODEL_TOKEN"
headers = {X-Team = "risk"}
output = 1

[background]
rows = [[39, 1200.0, 0, 0], [50, 900.5, 10, 0]]
cap = 50

[groups]
money = ["gain", "loss"]

[pdp]
features = ["age"]
grid = 20
"""


def test_whole() -> None:
    found = read_settings(WHOLE)
    assert found.features == ("age", "income", "gain", "loss")
    assert found.model is not None
    assert found.model.output == (1,)
    assert found.model.headers == (("X-Team", "risk"),)
    assert found.background.rows == ((39, 1200.0, 0, 0), (50, 900.5, 10, 0))
    assert found.groups == (("money", ("gain", "loss")),)


@pytest.mark.parametrize(
    "given",
    [
        None,
        {},
        WHOLE,
        {"model": {"kind": "python", "file": "m.py", "memory_mb": 512, "input": "columns"}},
        {"model": {"kind": "captured", "prefix": "shap_", "expected_value": 0.25}},
        {"model": {"kind": "captured", "columns": ["a", "b"]}},
        {"model": {"kind": "mlflow", "uri": "models:/x/1", "trusted": True}},
        {"model": {"kind": "onnx", "file": "m.onnx", "output": [0, 2]}},
        {"background": {"clusters": 5}, "pdp": {"top": 0}, "ignore": "label"},
        {"background": {"file": "b.csv"}, "n_samples": 100},
    ],
)
def test_written_and_read_again(given: Any) -> None:
    found = read_settings(given)
    assert read_settings(settings_document(found)) == found


def test_nothing_is_the_default() -> None:
    assert read_settings(None) == Settings()
    assert settings_document(Settings()) == {}


def test_background_rows_by_name() -> None:
    given = {"features": ["a", "b"], "background": {"rows": [{"b": 2, "a": "x"}]}}
    assert read_settings(given).background.rows == (("x", 2),)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (b"rows = ", "not TOML"),
        (b"\xff", "not valid UTF-8"),
        ({"rowz": 3}, "did you mean 'rows'"),
        ({"rows": 1}, "at least 2"),
        ({"agg": "mean_ab"}, "did you mean 'mean_abs'"),
        ({"agg": "sum"}, "use one of mean_abs"),
        ({"features": ["a", "a"]}, "twice"),
        ({"features": []}, "names nothing"),
        ({"features": ["a"], "ignore": ["a"]}, "among the features"),
        ({"background": {"rows": [[1]]}}, "features = [...]"),
        ({"features": ["a"], "background": {"rows": [[1, 2]]}}, "2 values for 1 features"),
        ({"features": ["a"], "background": {"rows": [[[1]]]}}, "expected a number, text"),
        ({"background": {"file": "x", "clusters": 3}}, "stands beside file"),
        ({"features": ["age"], "groups": {"g": ["aeg"]}}, "did you mean 'age'"),
        ({"groups": {"g": ["a"], "h": ["a"]}}, "in the group 'g', too"),
        ({"features": ["a", "b", "c"], "groups": {"c": ["a", "b"]}}, "rename it"),
        ({"features": ["age"], "pdp": {"features": ["agee"]}}, "did you mean 'age'"),
        ({"model": {}}, "model.kind: this field is required"),
        ({"model": {"kind": "pyton"}}, "did you mean 'python'"),
        ({"model": {"kind": "python"}}, "model.file: this field is required"),
        ({"model": {"kind": "python", "file": "m.py", "url": "x"}}, "unknown field 'url'"),
        ({"model": {"kind": "python", "file": "m.py", "function": "a.b"}}, "name of a function"),
        ({"model": {"kind": "http"}}, "model.url: this field is required"),
        ({"model": {"kind": "http", "url": "x", "format": "xml"}}, "use one of csv, json, v2"),
        ({"model": {"kind": "http", "url": "x", "headers": {"Authorization": "y"}}}, "token_env"),
        ({"model": {"kind": "http", "url": "x", "headers": {"Host": "y"}}}, "sets it itself"),
        ({"model": {"kind": "http", "url": "x", "headers": {"X-A": "y\n"}}}, "printable ASCII"),
        ({"model": {"kind": "http", "url": "x", "headers": {"X A": "y"}}}, "name of a header"),
        ({"model": {"kind": "http", "url": "x", "token_env": "A", "token_file": "b"}}, "keep one"),
        ({"model": {"kind": "http", "url": "x", "format": "v2", "response": "y"}}, "output_name"),
        ({"model": {"kind": "captured"}}, "either prefix or columns"),
        ({"model": {"kind": "captured", "prefix": "a", "columns": ["b"]}}, "either prefix or columns"),
        ({"model": {"kind": "onnx", "file": "m", "output": [0, 0]}}, "twice"),
        ({"model": {"kind": "onnx", "file": "m", "output": [-1]}}, "from 0 to 999"),
        ({"model": {"kind": "onnx", "file": ""}}, "is empty"),
    ],
)
def test_refused(given: Any, words: str) -> None:
    with pytest.raises(DocumentError) as caught:
        read_settings(given, file="attribution.toml")
    assert words in str(caught.value)
    assert "attribution.toml" in str(caught.value)


def test_something_else_is_refused() -> None:
    with pytest.raises(UsageError, match="expected a mapping"):
        read_settings(3)  # type: ignore[arg-type]
