"""Every kind of model in memory or in a file answers, and every way to fail ends in an error that says which."""

from __future__ import annotations

import json
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from monitor_attribution_shared import numbers

from driftline.errors import InputError, UsageError
from driftline.monitor.attribution import models
from driftline.monitor.attribution.encoding import Encoding, FeatureCode
from driftline.monitor.attribution.failure import ModelError
from driftline.monitor.attribution.model_settings import ModelSettings, model_of
from driftline.monitor.attribution.models import Predictor, open_model

if TYPE_CHECKING:
    from pathlib import Path

X = np.random.default_rng(0).normal(size=(50, 3))
ABC = numbers("a", "b", "c")


def truth(x: Any) -> Any:
    return 1.0 / (1.0 + np.exp(-(x[:, 0] + 2.0 * x[:, 1] * x[:, 2])))


def asked(settings: ModelSettings, encoding: Encoding = ABC, x: Any = X) -> Any:
    with open_model(settings, encoding) as model:
        return Predictor(model)(x)


def test_a_function() -> None:
    np.testing.assert_array_equal(asked(ModelSettings("callable", truth)), truth(X)[:, None])


def test_a_function_of_columns_and_of_a_frame(mixed: Encoding) -> None:
    x = np.array([[1.0, 2.0, 1.0, 0.0], [3.0, 4.0, 0.0, 2.0]])

    def by_column(columns: dict[str, Any]) -> Any:
        return columns["income"] + columns["member"] + (columns["city"] == "Wien")

    assert asked(ModelSettings("callable", by_column, input="columns"), mixed, x).tolist() == [[2.0], [4.0]]

    def by_frame(frame: pd.DataFrame) -> Any:
        assert isinstance(frame, pd.DataFrame)
        return frame["income"] + frame["member"] + (frame["city"] == "Wien")

    assert asked(ModelSettings("callable", by_frame, input="frame"), mixed, x).tolist() == [[2.0], [4.0]]


def test_batches_are_cut_to_size(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []

    def model(x: Any) -> Any:
        sizes.append(len(x))
        return x[:, 0]

    asked(ModelSettings("callable", model, batch=20))
    assert sizes == [20, 20, 10]
    sizes.clear()
    monkeypatch.setattr(models, "MOST_BYTES", 24 * 30)
    asked(ModelSettings("callable", model))
    assert sizes == [30, 20]


def broken(x: Any) -> Any:
    raise KeyError("weights")


@pytest.mark.parametrize(
    ("model", "settings", "words"),
    [
        (
            broken,
            {},
            "broken failed on a batch of 50 rows: KeyError: 'weights'; the first row of the batch is",
        ),
        (lambda x: x[:10, 0], {}, "shape (10, 1) for 50 rows"),
        (lambda x: np.zeros((50, 2, 2)), {}, "shape (50, 2, 2)"),
        (lambda x: ["yes"] * 50, {}, "gave no numbers"),
        (lambda x: np.where(np.arange(50) < 3, np.nan, 1.0), {}, "3 answers in 50 that are not finite"),
        (lambda x: x[:, :2], {"output": (2,)}, "has 2 outputs, and the settings want number 2"),
        (lambda x: np.zeros((50, 1001)), {}, "1,001 outputs"),
    ],
)
def test_a_function_that_fails(model: Any, settings: dict[str, Any], words: str) -> None:
    with pytest.raises(ModelError) as caught:
        asked(ModelSettings("callable", model, **settings))
    assert words in str(caught.value)


def test_a_model_that_cannot_take_gaps() -> None:
    x = X.copy()
    x[4, 1] = np.nan
    with pytest.raises(ModelError, match="some of these rows have no b: does the model take missing values"):
        asked(ModelSettings("callable", lambda x: x.sum(axis=1)), x=x)


def test_outputs_that_change() -> None:
    answers = iter([np.zeros((25, 1)), np.zeros((25, 2))])
    with pytest.raises(ModelError, match="2 outputs after 1"):
        asked(ModelSettings("callable", lambda x: next(answers), batch=25))


def test_a_slow_function_has_an_end() -> None:
    with pytest.raises(ModelError, match="E-MODEL-TIMEOUT"):
        asked(ModelSettings("callable", truth, max_seconds=1e-9))


def test_a_model_that_is_gone() -> None:
    with pytest.raises(UsageError, match="give it again"):
        open_model(ModelSettings("callable"), ABC)


# -- scikit-learn


def test_an_estimator_fitted_on_an_array() -> None:
    from sklearn.linear_model import LinearRegression, LogisticRegression

    y = truth(X) > 0.5
    classifier = LogisticRegression().fit(X, y)
    np.testing.assert_allclose(asked(model_of(classifier))[:, 0], classifier.predict_proba(X)[:, 1])
    both = asked(ModelSettings("sklearn", classifier, output=(0, 1)))
    np.testing.assert_allclose(both, classifier.predict_proba(X))
    regressor = LinearRegression().fit(X, truth(X))
    np.testing.assert_allclose(asked(model_of(regressor))[:, 0], regressor.predict(X))


def test_a_pipeline_fitted_on_a_frame_gets_its_columns_in_its_order() -> None:
    from sklearn.compose import make_column_transformer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder

    frame = pd.DataFrame({"city": ["x", "y", "z", "x"] * 5, "age": list(range(20))})
    prepared = make_column_transformer((OneHotEncoder(), ["city"]), remainder="passthrough")
    pipeline = make_pipeline(prepared, LogisticRegression()).fit(frame, [0, 1] * 10)
    encoding = Encoding((FeatureCode("age", "integer"), FeatureCode("city", "text", ("x", "y", "z"))))
    x = np.column_stack([frame["age"], [0.0, 1.0, 2.0, 0.0] * 5])
    np.testing.assert_allclose(
        asked(model_of(pipeline), encoding, x)[:, 0], pipeline.predict_proba(frame)[:, 1]
    )
    with pytest.raises(UsageError, match="fitted with a column 'city', which is no feature"):
        open_model(model_of(pipeline), numbers("age", "town"))
    with pytest.raises(UsageError, match="not fitted with the column 'id'"):
        open_model(model_of(pipeline), numbers("age", "city", "id"))


def test_what_is_no_model() -> None:
    with pytest.raises(UsageError, match="is no model"):
        model_of(3)


# -- trees


def target() -> Any:
    return (truth(X) > 0.5).astype(int)


def test_xgboost_gives_its_own_attributions(tmp_path: Path) -> None:
    import xgboost as xgb

    shuffled = ["c", "a", "b"]
    data = xgb.DMatrix(X[:, [2, 0, 1]], target(), feature_names=shuffled)
    booster = xgb.train({"objective": "binary:logistic", "max_depth": 3, "nthread": 1}, data, 5)
    expected = booster.predict(data, pred_contribs=True)
    path = tmp_path / "model.json"
    booster.save_model(path)
    for settings in (ModelSettings("xgboost", file=str(path)), model_of(booster)):
        with open_model(settings, ABC) as model:
            phi, base = model.attributions(X)
            np.testing.assert_allclose(phi[:, :, 0], expected[:, [1, 2, 0]], rtol=1e-6)
            np.testing.assert_allclose(base, expected[0, -1:], rtol=1e-6)
            np.testing.assert_allclose(Predictor(model)(X)[:, 0], booster.predict(data), rtol=1e-6)
            assert model.notes == ("attributions are in log-odds: the trees add up in that unit",)
            assert (model.version is not None) is (settings.file is not None)


def test_xgboost_of_several_classes_and_without_names() -> None:
    import xgboost as xgb

    booster = xgb.train(
        {"objective": "multi:softprob", "num_class": 3, "nthread": 1}, xgb.DMatrix(X, np.arange(50) % 3), 3
    )
    with open_model(model_of(booster), ABC) as model:
        phi, base = model.attributions(X)
        assert (phi.shape, base.shape) == ((50, 3, 3), (3,))
        margin = booster.predict(xgb.DMatrix(X), output_margin=True)
        np.testing.assert_allclose(phi.sum(axis=1) + base, margin, atol=1e-5)


def test_lightgbm_gives_its_own_attributions(tmp_path: Path) -> None:
    import lightgbm as lgb

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        params = {"objective": "binary", "verbosity": -1, "min_data_in_leaf": 2, "num_threads": 1}
        data = lgb.Dataset(X[:, [2, 0, 1]], target(), feature_name=["c", "a", "b"])
        booster = lgb.train(params, data, 5)
    expected = booster.predict(X[:, [2, 0, 1]], pred_contrib=True)
    path = tmp_path / "model.txt"
    booster.save_model(path)
    for settings in (ModelSettings("lightgbm", file=str(path)), model_of(booster)):
        with open_model(settings, ABC) as model:
            phi, base = model.attributions(X)
            np.testing.assert_allclose(phi[:, :, 0], expected[:, [1, 2, 0]])
            np.testing.assert_allclose(base, expected[0, -1:])
            np.testing.assert_allclose(Predictor(model)(X)[:, 0], booster.predict(X[:, [2, 0, 1]]))


def test_lightgbm_numbers_categories_as_it_did() -> None:
    import lightgbm as lgb

    rng = np.random.default_rng(0)
    city = rng.choice(["x", "y", "z"], 200)
    frame = pd.DataFrame(
        {"city": pd.Categorical(city, categories=["z", "x", "y"]), "age": rng.normal(size=200)}
    )
    model = lgb.LGBMClassifier(n_estimators=5, min_child_samples=2, verbosity=-1, n_jobs=1).fit(
        frame, city == "z"
    )
    encoding = Encoding((FeatureCode("city", "text", ("x", "y", "z")), FeatureCode("age", "number")))
    x = np.column_stack([np.searchsorted(["x", "y", "z"], city).astype(float), frame["age"]])
    np.testing.assert_allclose(asked(model_of(model), encoding, x)[:, 0], model.predict_proba(frame)[:, 1])


@pytest.mark.parametrize(("kind", "name"), [("xgboost", "m.json"), ("lightgbm", "m.txt"), ("onnx", "m.onnx")])
def test_files_that_are_no_models(kind: str, name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    with pytest.raises(InputError, match="does not exist"):
        open_model(ModelSettings(kind, file=str(path)), ABC)
    path.write_bytes(b'{"a": 1}')
    with pytest.raises(ModelError, match=f"E-MODEL-FILE: .*{name}: is no model"):
        open_model(ModelSettings(kind, file=str(path)), ABC)
    with pytest.raises(UsageError, match="needs a file, or the model itself"):
        open_model(ModelSettings(kind), ABC)


@pytest.mark.parametrize(
    ("kind", "package"),
    [("xgboost", "xgboost"), ("lightgbm", "lightgbm"), ("onnx", "onnxruntime"), ("mlflow", "mlflow")],
)
def test_a_library_that_is_not_there(kind: str, package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib

    def absent(name: str) -> Any:
        raise ImportError(name)

    monkeypatch.setattr(importlib, "import_module", absent)
    with pytest.raises(ModelError, match=f"E-EXTRA: .*needs the package {package}.*pip install"):
        open_model(ModelSettings(kind, file="x", uri="x", trusted=True), ABC)


def test_other_features_than_the_models() -> None:
    import xgboost as xgb

    booster = xgb.train({}, xgb.DMatrix(X, target(), feature_names=["a", "b", "d"]), 1)
    with pytest.raises(ModelError, match="trained with a feature 'd'"):
        open_model(model_of(booster), ABC)
    with pytest.raises(ModelError, match="takes 3 features, and the settings have 2"):
        open_model(model_of(booster), numbers("a", "b"))


# -- ONNX


def onnx_file(path: Path, *, columns: bool = False) -> None:
    from onnx import TensorProto, helper, save

    names = ["a", "b", "c"]
    if columns:
        inputs = [helper.make_tensor_value_info(n, TensorProto.FLOAT, [None, 1]) for n in names]
        joined = [helper.make_node("Concat", names, ["x"], axis=1)]
    else:
        inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, 3])]
        joined = []
    weights = helper.make_tensor("w", TensorProto.FLOAT, [3, 2], [-1.0, 1.0, -2.0, 2.0, 0.5, -0.5])
    nodes = [
        *joined,
        helper.make_node("MatMul", ["x", "w"], ["z"]),
        helper.make_node("Softmax", ["z"], ["probabilities"], axis=1),
        helper.make_node("ArgMax", ["z"], ["label"], axis=1, keepdims=0),
    ]
    outputs = [
        helper.make_tensor_value_info("label", TensorProto.INT64, [None]),
        helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, [None, 2]),
    ]
    graph = helper.make_graph(nodes, "model", inputs, outputs, [weights])
    save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), path)


@pytest.mark.parametrize("columns", [False, True])
def test_onnx(columns: bool, tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    onnx_file(path, columns=columns)
    z = X @ np.array([[-1.0, 1.0], [-2.0, 2.0], [0.5, -0.5]])
    expected = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    settings = ModelSettings("onnx", file=str(path))
    np.testing.assert_allclose(asked(settings)[:, 0], expected[:, 1], atol=1e-6)
    both = asked(ModelSettings("onnx", file=str(path), output=(0, 1)))
    np.testing.assert_allclose(both, expected, atol=1e-6)
    label = asked(ModelSettings("onnx", file=str(path), output_name="label"))
    np.testing.assert_array_equal(label[:, 0], expected.argmax(axis=1))
    with pytest.raises(ModelError, match="use one of label, probabilities"):
        open_model(ModelSettings("onnx", file=str(path), output_name="score"), ABC)
    if columns:
        with pytest.raises(ModelError, match="trained with a feature 'c'"):
            open_model(settings, numbers("a", "b", "d"))


# -- MLflow


@pytest.mark.filterwarnings("ignore")
def test_mlflow_needs_trust(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="E-MODEL-TRUST"):
        open_model(ModelSettings("mlflow", uri=str(tmp_path)), ABC)
    with pytest.raises(ModelError, match="E-MODEL-FILE"):
        open_model(ModelSettings("mlflow", uri=str(tmp_path / "nothing"), trusted=True), ABC)


def test_a_pyfunc_in_memory() -> None:
    class Metadata:
        model_uuid = "f00d"

    class PyFuncModel:
        metadata = Metadata()

        def predict(self, frame: pd.DataFrame) -> Any:
            return frame["a"] * 2.0

    settings = ModelSettings("mlflow", PyFuncModel())
    np.testing.assert_array_equal(asked(settings)[:, 0], X[:, 0] * 2.0)
    with open_model(settings, ABC) as model:
        assert model.version == "f00d"


def test_an_mlflow_model_from_a_folder(tmp_path: Path) -> None:
    """A pyfunc of code alone, written as MLflow writes one."""
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "driftline_test_loader.py").write_text(
        "class Model:\n"
        "    def predict(self, frame):\n"
        "        return frame['a'] + 1.0\n"
        "def _load_pyfunc(path):\n"
        "    return Model()\n"
    )
    (tmp_path / "MLmodel").write_text(
        json.dumps(
            {
                "flavors": {
                    "python_function": {"loader_module": "driftline_test_loader", "code": "code", "data": "."}
                },
                "model_uuid": "abc",
            }
        )
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = asked(ModelSettings("mlflow", uri=str(tmp_path), trusted=True))
    np.testing.assert_array_equal(found[:, 0], X[:, 0] + 1.0)
