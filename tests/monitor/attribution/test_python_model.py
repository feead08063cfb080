"""A user's file runs in a process of its own: whatever it does, this one goes on and says what happened."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from monitor_attribution_shared import numbers

from driftline.errors import InputError
from driftline.monitor.attribution.failure import ModelError
from driftline.monitor.attribution.model_settings import ModelSettings
from driftline.monitor.attribution.models import Predictor
from driftline.monitor.attribution.python_model import PythonModel

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from driftline.monitor.attribution.encoding import Encoding

AB = numbers("a", "b")
X = np.arange(20.0).reshape(10, 2)


@pytest.fixture
def model(tmp_path: Path) -> Callable[..., PythonModel]:
    def make(source: str, encoding: Encoding = AB, **more: Any) -> PythonModel:
        path = tmp_path / "model.py"
        path.write_text(source)
        return PythonModel(ModelSettings("python", file=str(path), **more), encoding)

    return make


def test_predictions(model: Callable[..., PythonModel]) -> None:
    with model("def predict(rows):\n    return rows[:, 0] - rows[:, 1]\n") as one:
        np.testing.assert_array_equal(Predictor(one)(X)[:, 0], X[:, 0] - X[:, 1])
        assert one.version is not None


def test_large_batches_with_many_outputs(model: Callable[..., PythonModel]) -> None:
    x = np.random.default_rng(0).normal(size=(60_000, 2))
    source = "import numpy as np\ndef predict(rows):\n    return np.repeat(rows[:, :1], 50, axis=1)\n"
    with model(source) as one:
        found = Predictor(one)(x)
    assert found.shape == (60_000, 50)
    np.testing.assert_array_equal(found[:, 49], x[:, 0])


def test_columns_arrive_as_they_were(model: Callable[..., PythonModel], mixed: Encoding) -> None:
    source = (
        "def predict(columns):\n"
        "    assert columns['age'].dtype.kind == 'i', columns['age'].dtype\n"
        "    assert columns['member'].dtype.kind == 'b'\n"
        "    return columns['income'] + (columns['city'] == 'Wien') + 10 * columns['member']\n"
    )
    x = np.array([[0.5, 3.0, 1.0, 2.0], [1.5, 4.0, 0.0, np.nan]])
    with model(source, mixed, input="columns") as one:
        assert Predictor(one)(x)[:, 0].tolist() == [11.5, 1.5]
    with model(source.replace("columns", "frame"), mixed, input="frame") as one:
        assert Predictor(one)(x)[:, 0].tolist() == [11.5, 1.5]


def test_a_file_beside_it_can_be_read(model: Callable[..., PythonModel], tmp_path: Path) -> None:
    (tmp_path / "weights.txt").write_text("3")
    source = (
        "from pathlib import Path\n"
        "W = float(Path(__file__).with_name('weights.txt').read_text())\n"
        "def score(rows):\n    return W * rows[:, 0]\n"
    )
    with model(source, function="score") as one:
        assert Predictor(one)(X)[1, 0] == 6.0


@pytest.mark.parametrize(
    ("source", "code", "words"),
    [
        ("def predict(rows:\n", "E-MODEL-FILE", "model.py:1: is not valid Python"),
        ("import nothing_like_this\n", "E-MODEL-RAISED", "install the package"),
        ("predict = 3\n", "E-MODEL-FILE", "defines no function predict"),
        ("import sys\nsys.exit(4)\n", "E-MODEL-RAISED", "SystemExit: 4"),
        ("def predict(rows):\n    return rows[0, 7]\n", "E-MODEL-RAISED", "model.py:2: IndexError"),
        ("def predict(rows):\n    return rows[:3, 0]\n", "E-MODEL-ANSWER", "shape (3,) for 10 rows"),
        ("def predict(rows):\n    return ['a'] * len(rows)\n", "E-MODEL-ANSWER", "returned a list"),
        ("def predict(rows):\n    return None\n", "E-MODEL-ANSWER", "returned an array of shape ()"),
        ("def predict(rows):\n    return rows[:, 0] * float('nan')\n", "E-MODEL-ANSWER", "not finite"),
        ("import os\ndef predict(rows):\n    os._exit(3)\n", "E-MODEL-DIED", "exit status 3"),
        ("import os\nprint('bye')\nos.kill(os.getpid(), 11)\n", "E-MODEL-DIED", "SIGSEGV"),
        (
            "import os\ndef predict(rows):\n    os.closerange(3, 200)\n    os._exit(0)\n",
            "E-MODEL-DIED",
            "process",
        ),
        ("def predict(rows):\n    return [0] * (1 << 40)\n", "E-MODEL-MEMORY", "memory"),
        (
            "import subprocess\ndef predict(rows):\n    subprocess.run(['true'])\n",
            "E-MODEL-RAISED",
            "may not start processes",
        ),
        (
            "import os\ndef predict(rows):\n    os.write(4, b'x' * 100)\n    return rows[:, 0]\n",
            "E-MODEL",
            "",
        ),
    ],
)
def test_a_file_that_fails(model: Callable[..., PythonModel], source: str, code: str, words: str) -> None:
    with pytest.raises(ModelError) as caught, model(source, timeout_seconds=10.0) as one:
        Predictor(one)(X)
    assert caught.value.code.startswith(code)
    assert words in str(caught.value)
    assert "model.py" in str(caught.value)


def test_an_endless_loop_has_an_end(model: Callable[..., PythonModel]) -> None:
    for source in ("while True: pass\n", "def predict(rows):\n    while True: pass\n"):
        with pytest.raises(ModelError, match="E-MODEL-TIMEOUT"), model(source, timeout_seconds=0.8) as one:
            Predictor(one)(X)


def test_the_environment_is_not_the_callers(
    model: Callable[..., PythonModel], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_OF_THE_SCHEDULER", "x")
    source = "import os\ndef predict(rows):\n    return rows[:, 0] * 0 + ('SECRET_OF_THE_SCHEDULER' in os.environ)\n"
    with model(source) as one:
        assert Predictor(one)(X).max() == 0.0


def test_the_process_is_gone_afterwards(model: Callable[..., PythonModel]) -> None:
    with model("import os\ndef predict(rows):\n    return rows[:, 0] * 0 + os.getpid()\n") as one:
        pid = int(Predictor(one)(X)[0, 0])
        assert pid != os.getpid()
    one.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist"):
        PythonModel(ModelSettings("python", file=str(tmp_path / "no.py")), AB)
    (tmp_path / "latin.py").write_bytes(b"# \xe9\n")
    with pytest.raises(InputError, match="not valid UTF-8"):
        PythonModel(ModelSettings("python", file=str(tmp_path / "latin.py")), AB)
