"""Files: the heads of ONNX and safetensors files are read; whatever they hold, nothing is run."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING

import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper

from driftline.cards import ModelCard
from driftline.cards.population import from_file
from driftline.cards.sources.onnx import read_onnx
from driftline.errors import InputError
from driftline.files import digest

if TYPE_CHECKING:
    from pathlib import Path


def model() -> onnx.ModelProto:
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["y"])],
        "churn",
        [
            helper.make_tensor_value_info("x", TensorProto.FLOAT, ["rows", 2]),
            helper.make_tensor_value_info("w", TensorProto.FLOAT, [2, 1]),
        ],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [None, 1])],
        [helper.make_tensor("w", TensorProto.FLOAT, [2, 1], [1.0, 2.0])],
    )
    made = helper.make_model(
        graph,
        producer_name="trainer",
        producer_version="1.2",
        doc_string="Who leaves",
        model_version=7,
        domain="example.org",
        opset_imports=[helper.make_opsetid("", 18)],
    )
    helper.set_model_props(made, {"author.name": "ann"})
    return made


def test_the_head_is_what_onnx_itself_reads() -> None:
    made = model()
    assert read_onnx(made.SerializeToString()) == {
        "ir_version": made.ir_version,
        "producer_name": "trainer",
        "producer_version": "1.2",
        "domain": "example.org",
        "model_version": 7,
        "doc_string": "Who leaves",
        "graph": "churn",
        "opsets": {"ai.onnx": 18},
        "metadata": {"author.name": "ann"},
        "inputs": [{"name": "x", "type": "float32", "shape": ["rows", 2]}],
        "outputs": [{"name": "y", "type": "float32", "shape": [None, 1]}],
    }


def test_an_onnx_file_fills_a_card(tmp_path: Path) -> None:
    file = tmp_path / "churn.onnx"
    file.write_bytes(model().SerializeToString())
    found = from_file(file, model_id="churn", model_name="ours")
    overview = found.content()["model_overview"]
    assert (overview["model_id"], overview["model_name"], overview["model_version"]) == ("churn", "churn", 7)
    assert (overview["model_description"], overview["model_artifact"]) == ("Who leaves", [str(file)])
    details = found.content()["additional_information"]["custom_details"]
    assert details["artifact digest"] == digest(file.read_bytes())
    assert (details["framework"], details["made with"], details["onnx author name"]) == (
        "onnx",
        "trainer 1.2",
        "ann",
    )
    assert found.extensions["io"]["input_schema"][0]["name"] == "x"
    assert (
        found.provenance()["model_overview.model_description"]["source"]
        == f"file:{digest(file.read_bytes())}"
    )
    assert ModelCard("churn", extensions=found.extensions, **found.sections).problems() == []


@given(st.integers(0, 200), st.binary(max_size=8))
def test_damage_is_refused_or_read_but_never_breaks(at: int, noise: bytes) -> None:
    data = model().SerializeToString()
    damaged = data[:at] + noise + data[at + len(noise) :]
    with suppress(InputError):
        assert read_onnx(damaged)["ir_version"] is not None


@pytest.mark.parametrize(
    "data", [b"", b"not a model at all", b"\x08", b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"]
)
def test_what_is_no_onnx_is_refused(tmp_path: Path, data: bytes) -> None:
    file = tmp_path / "model.onnx"
    file.write_bytes(data)
    with pytest.raises(InputError, match=r"E-FORMAT: .*model\.onnx: is no ONNX model"):
        from_file(file)


def test_safetensors_say_how_many_parameters_they_have(tmp_path: Path) -> None:
    head = json.dumps(
        {
            "__metadata__": {"format": "pt"},
            "a": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]},
            "b": {"dtype": "F32", "shape": [], "data_offsets": [24, 28]},
        }
    ).encode()
    file = tmp_path / "model.safetensors"
    file.write_bytes(len(head).to_bytes(8, "little") + head + b"\0" * 28)
    found = from_file(file)
    assert found.extensions == {"architecture": {"n_parameters": 7}}
    assert found.content()["additional_information"]["custom_details"]["safetensors format"] == "pt"


@pytest.mark.parametrize(
    "data", [b"", b"\xff" * 8, b"\x02\0\0\0\0\0\0\0[", b"\x02\0\0\0\0\0\0\0[]", b"\x03\0\0\0\0\0\0\0nan"]
)
def test_what_is_no_safetensors_is_refused(tmp_path: Path, data: bytes) -> None:
    file = tmp_path / "model.safetensors"
    file.write_bytes(data)
    with pytest.raises(InputError, match="E-FORMAT"):
        from_file(file)


def test_a_pickle_is_counted_and_never_run(tmp_path: Path) -> None:
    file = tmp_path / "model.pkl"
    # What a pickle that calls pytest.fail looks like.
    file.write_bytes(b"cpytest\nfail\n(S'a pickle was run'\ntR.")
    details = from_file(file).content()["additional_information"]["custom_details"]
    assert details == {
        "artifact digest": digest(file.read_bytes()),
        "artifact bytes": str(file.stat().st_size),
    }


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="E-FILE"):
        from_file(tmp_path / "nothing.onnx")
