"""A user's file runs in a process of its own: what it gives back, and what it cannot break."""

from __future__ import annotations

import base64
import datetime as dt
import decimal
import json
import math
import os
import select
import signal
import subprocess
import sys
import tempfile
import textwrap
import time
import tracemalloc
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.errors import InputError, PreprocessorError, UsageError
from driftline.monitor import preprocessor, preprocessor_process
from driftline.monitor.preprocessor import BATCH_RECORDS, BATCHES_AHEAD, Preprocessor
from driftline.monitor.preprocessor_process import system_call_filter
from driftline.reports.outcome import Place

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    Write = Callable[[str], Path]

MIB = 1024 * 1024


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a preprocessor file and return its path."""

    def write(source: str) -> Path:
        path = tmp_path / "pre.py"
        path.write_text(textwrap.dedent(source), encoding="utf-8")
        return path

    return write


@pytest.fixture(autouse=True)
def nothing_left_behind(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """After each test: no descriptor, child process or folder more than before."""
    folder = tmp_path_factory.mktemp("folders")
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    before = _held()
    yield
    assert _held() == before
    assert list(folder.iterdir()) == []


def _held() -> tuple[int, str]:
    children = Path(f"/proc/self/task/{os.getpid()}/children").read_text()
    return len(list(Path("/proc/self/fd").iterdir())), children


def places(records: Iterable[Any], source: str = "data.csv") -> Iterator[tuple[Place, Any]]:
    for row, record in enumerate(records, 1):
        yield Place(source, row), record


def run(path: Path, records: Iterable[Any], **options: Any) -> list[dict[str, object]]:
    with Preprocessor(path, **options) as preprocessor:
        return [row for _, row in preprocessor.rows(places(records))]


def failure(path: Path, records: Iterable[Any], **options: Any) -> PreprocessorError:
    with pytest.raises(PreprocessorError) as caught:
        run(path, records, **options)
    return caught.value


def captured(data: str = "1,2", output: str = "0.5", encoding: str = "CSV") -> dict[str, Any]:
    return {
        "captureData": {
            "endpointInput": {
                "observedContentType": "text/csv",
                "mode": "INPUT",
                "data": data,
                "encoding": encoding,
            },
            "endpointOutput": {
                "observedContentType": "text/csv; charset=utf-8",
                "mode": "OUTPUT",
                "data": output,
                "encoding": encoding,
            },
        },
        "eventMetadata": {
            "eventId": "feca1ab1",
            "inferenceId": "mine-7",
            "customAttributes": ["a", "b"],
            "inferenceTime": "2022-04-18T00:21:48Z",
        },
        "eventVersion": "0",
    }


class TestReturnValues:
    """What a handler may give back."""

    def test_dict_is_one_row_at_the_place_of_its_record(self, write: Write) -> None:
        path = write("def preprocess_handler(line):\n    return {'n': int(line)}\n")
        with Preprocessor(path) as preprocessor:
            rows = list(preprocessor.rows(places(["10", "20"])))
        assert rows == [(Place("data.csv", 1), {"n": 10}), (Place("data.csv", 2), {"n": 20})]
        assert (preprocessor.n_records, preprocessor.n_dropped) == (2, 0)

    def test_empty_list_drops_and_list_multiplies(self, write: Write) -> None:
        path = write("def preprocess_handler(line):\n    return [{'i': i} for i in range(int(line))]\n")
        with Preprocessor(path) as preprocessor:
            rows = [(place.row, row["i"]) for place, row in preprocessor.rows(places("0203"))]
        assert rows == [(2, 0), (2, 1), (4, 0), (4, 1), (4, 2)]
        assert (preprocessor.n_records, preprocessor.n_dropped) == (4, 2)

    def test_counts_span_batches_and_calls(self, write: Write) -> None:
        path = write("def preprocess_handler(r):\n    return [] if r['n'] % 3 else r\n")
        with Preprocessor(path) as preprocessor:
            for _ in range(2):
                kept = [row["n"] for _, row in preprocessor.rows(places({"n": n} for n in range(2000)))]
                assert kept == list(range(0, 2000, 3))
        assert (preprocessor.n_records, preprocessor.n_dropped) == (4000, 2 * 1333)

    def test_nothing_in_nothing_out(self, write: Write) -> None:
        assert run(write("def preprocess_handler(r):\n    return r\n"), []) == []

    def test_row_handed_back_after_a_change(self, write: Write) -> None:
        path = write("def preprocess_handler(r):\n    r['b'] = r.pop('a') + 1\n    return r\n")
        assert run(path, [{"a": 1}]) == [{"b": 2}]

    def test_one_dict_filled_again_and_again(self, write: Write) -> None:
        path = write("row = {}\ndef preprocess_handler(r):\n    row['x'] = r\n    return row\n")
        assert run(path, ["a", "b", "c"]) == [{"x": "a"}, {"x": "b"}, {"x": "c"}]

    def test_plain_values_keep_type_and_order(self, write: Write) -> None:
        path = write(
            """
            def preprocess_handler(r):
                return {"i": 1, "f": 1.0, "t": True, "n": None, "nan": float("nan"), "inf": -float("inf"),
                        "zero": -0.0, "tiny": 5e-324, "big": 10**30, "text": "a\\n\\u2028\\"é", "": "no name"}
            """
        )
        (row,) = run(path, ["x"])
        assert list(row) == ["i", "f", "t", "n", "nan", "inf", "zero", "tiny", "big", "text", ""]
        assert [type(value) for value in row.values()][:3] == [int, float, bool]
        assert repr(row["nan"]) == "nan"
        assert repr(row["zero"]) == "-0.0"
        assert (row["inf"], row["tiny"], row["big"], row["text"]) == (
            -math.inf,
            5e-324,
            10**30,
            'a\n\u2028"é',
        )

    def test_numpy_and_pandas_values_become_plain(self, write: Write) -> None:
        path = write(
            """
            import enum
            import numpy as np
            import pandas as pd

            class Colour(enum.StrEnum):
                RED = "red"

            def preprocess_handler(r):
                frame = pd.DataFrame({"a": [1, 2]})
                return {"sum": frame["a"].sum(), "f": np.float64(0.1), "b": np.bool_(True),
                        "f32": np.float32(0.5), "s": np.str_("x"), "zero_d": np.array(7),
                        "colour": Colour.RED}
            """
        )
        (row,) = run(path, ["x"])
        assert row == {"sum": 3, "f": 0.1, "b": True, "f32": 0.5, "s": "x", "zero_d": 7, "colour": "red"}
        assert [type(value).__name__ for value in row.values()] == [
            *("int", "float", "bool", "float", "str", "int", "str")
        ]

    def test_integer_keys_become_text(self, write: Write) -> None:
        path = write("def preprocess_handler(line):\n    return dict(enumerate(line.split(',')))\n")
        assert run(path, ["a,b"]) == [{"0": "a", "1": "b"}]

    def test_sorted_keys_put_c10_before_c2(self, data: Path) -> None:
        path = data / "preprocessors" / "positions.py"
        line = ",".join(str(i) for i in range(64))
        (row,) = run(path, [line], sort_keys=True)
        assert list(row) == sorted(f"_c{i}" for i in range(64))
        assert (list(row).index("_c10"), list(row).index("_c2")) == (2, 12)  # as in the published run
        (row,) = run(path, [line])
        assert list(row) == [f"_c{i}" for i in range(64)]

    @pytest.mark.parametrize(
        ("result", "complaint", "field"),
        [
            ("None", "returned None; return a dict of column to value", None),
            ("{}", "returned an empty dict; return a dict", None),
            ("3.5", "returned a float; return a dict", None),
            ("'text'", "returned text; return a dict", None),
            ("[{'a': 1}, None]", "returned None; return a dict", None),
            ("(x for x in ())", "returned a generator; return a dict", None),
            ("{'ok': 1, 'bad': [1]}", "returned a list as a value; give numbers, text", "bad"),
            ("{'bad': {'x': 1}}", "returned a dict as a value", "bad"),
            ("{'bad': object()}", "returned an object as a value", "bad"),
            ("{'bad': b'x'}", "returned a bytes as a value", "bad"),
            ("{(1, 2): 1}", "returned a tuple as a key; make every key text", None),
            ("{1: 'a', '1': 'b'}", "returned this key twice", "1"),
            ("{'bad': '\\ud800'}", "not valid Unicode", "bad"),
            ("{'\\ud800': 1}", "not valid Unicode", "\\ud800"),
            ("{'bad': 10**5000}", "returned a number that cannot be written", "bad"),
            ("{'bad': 'x' * (17 << 20)}", "more than the limit of 16,777,216", None),
        ],
    )
    def test_what_is_no_row_names_record_and_key(
        self, write: Write, result: str, complaint: str, field: str | None
    ) -> None:
        path = write(f"def preprocess_handler(r):\n    return {{'a': 1}} if r != '3' else {result}\n")
        error = failure(path, "12345")
        assert error.code == "E-PREPROCESSOR-RESULT"
        assert str(error).startswith(f"E-PREPROCESSOR-RESULT: {path}: ")
        assert "record 3 (row 3 of data.csv): preprocess_handler returned" in str(error)
        assert complaint in str(error)
        assert error.field == field

    def test_wide_rows_are_split_over_frames(self, write: Write) -> None:
        path = write(
            "def preprocess_handler(r):\n    return [{'x': 'é' * (4 << 20)}, {'x': 'y' * (9 << 20)}]\n"
        )
        lengths = [len(str(row["x"])) for row in run(path, "123")]
        assert lengths == [4 << 20, 9 << 20] * 3


@pytest.fixture(scope="module")
def identity(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Preprocessor]:
    """An open preprocessor that changes nothing."""
    path = tmp_path_factory.mktemp("identity") / "pre.py"
    path.write_text("def preprocess_handler(r):\n    return r\n")
    with Preprocessor(path) as preprocessor:
        yield preprocessor


_PLAIN = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(st.characters(codec="utf-8"), max_size=20),
)


class TestRoundTrip:
    """The way there and back changes nothing."""

    @given(
        st.lists(
            st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=5), _PLAIN, min_size=1), max_size=5
        )
    )
    def test_identity_handler_gives_the_same_rows(
        self, identity: Preprocessor, rows: list[dict[str, Any]]
    ) -> None:
        # repr tells 1 from 1.0 and True, and compares NaN and the order of keys.
        assert repr([row for _, row in identity.rows(places(rows))]) == repr(rows)

    def test_types_that_json_lacks(self, identity: Preprocessor) -> None:
        record = {
            "at": dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=dt.UTC),
            "day": dt.date(2026, 1, 2),
            "price": decimal.Decimal("1.25"),
        }
        assert [row for _, row in identity.rows(places([record]))] == [
            {"at": "2026-01-02T03:04:05+00:00", "day": "2026-01-02", "price": 1.25}
        ]


class TestRecords:
    """What a handler receives."""

    def test_attributes_of_a_captured_record(self, data: Path) -> None:
        record = captured()
        record["groundTruthData"] = {"data": "1", "encoding": "CSV"}
        (row,) = run(data / "preprocessors" / "describe_record.py", [record])
        assert row == {
            "event_id": "feca1ab1",
            "event_time": "2022-04-18T00:21:48Z",
            "custom_attribute": "a|b",
            "event_version": "0",
            "inference_id": "mine-7",
            "same": True,
            "endpoint_input": "CSV 1,2 text/csv INPUT",
            "endpoint_output": "CSV 0.5 text/csv; charset=utf-8 OUTPUT",
            "batch_transform_output": None,
            "ground_truth": "CSV 1 None None",
        }

    def test_nested_json_is_made_flat(self, data: Path) -> None:
        record = captured(
            json.dumps({"customer": {"age": 41, "vip": True}}), json.dumps({"predictions": [0.25, 1]}), "JSON"
        )
        (row,) = run(data / "preprocessors" / "flatten_json.py", [record])
        assert list(row.items()) == [
            *(("prediction0", 0.25), ("prediction1", 1), ("age", 41), ("city", None), ("vip", True))
        ]

    def test_logger_and_base64(self, data: Path) -> None:
        payload = base64.b64encode(b"1 2\n3 4\n").decode()
        with Preprocessor(data / "preprocessors" / "decode_base64.py") as preprocessor:
            rows = [
                row
                for _, row in preprocessor.rows(places([captured(payload, encoding="BASE64"), captured()]))
            ]
        assert rows == [{"width": 1.0, "height": 2.0}, {"width": 3.0, "height": 4.0}]
        assert preprocessor.n_dropped == 1
        assert preprocessor.log_tail == ("WARNING expected BASE64, found CSV",)

    def test_sampling_draws_the_same_records_again(self, data: Path) -> None:
        path = data / "preprocessors" / "sample_and_mask.py"
        lines = [f"{n},-1" for n in range(1000)]
        rows = run(path, lines)
        assert rows == run(path, lines)
        assert 60 < len(rows) < 140
        assert all(row["_c1"] is None for row in rows)

    def test_record_handed_back_whole_goes_to_unpack(self, write: Write) -> None:
        path = write(
            """
            def preprocess_handler(r):
                if isinstance(r, str):
                    return r
                r.endpoint_input.data = "masked"
                return r if r.event_version == "0" else r.as_dict()
            """
        )

        def unpack(record: dict[str, Any] | str) -> list[dict[str, object]]:
            if isinstance(record, str):
                return [{"line": record}]
            return [
                {"data": record["captureData"][side]["data"]} for side in ("endpointInput", "endpointOutput")
            ]

        records = [captured(), captured() | {"eventVersion": "1"}, "a,b"]
        both = [{"data": "masked"}, {"data": "0.5"}]
        assert run(path, records, unpack=unpack) == [*both, *both, {"line": "a,b"}]
        assert "returned the captured record itself; return a dict" in str(failure(path, records))

    def test_value_that_cannot_be_handed_over(self, write: Write) -> None:
        path = write("def preprocess_handler(r):\n    return r\n")
        error = failure(path, [{"a": 1}, {"a": 1, "raw": b"x"}])
        assert (error.code, error.field) == ("E-PREPROCESSOR-RECORD", "raw")
        assert "record 2 (row 2 of data.csv): cannot be handed to a preprocessor" in str(error)


class TestFaultsInTheFile:
    """Errors that show before the first record."""

    def test_syntax_error_names_the_line(self, write: Write) -> None:
        path = write("x = 1\ndef preprocess_handler(r)\n    return r\n")
        error = failure(path, ["x"])
        assert str(error) == f"E-PREPROCESSOR-SYNTAX: {path}:2: not valid Python: expected ':'"

    def test_null_byte(self, write: Write) -> None:
        assert "null bytes" in str(failure(write("x = 1\0"), ["x"]))

    def test_exception_while_loading(self, write: Write) -> None:
        path = write("import json\nLIMITS = json.loads('{')\n")
        error = failure(path, ["x"])
        assert (error.code, error.line) == ("E-PREPROCESSOR-LOAD", 2)
        assert "JSONDecodeError: Expecting property name" in str(error)
        assert "line 2 in <module>: LIMITS = json.loads('{')" in str(error)

    def test_package_that_is_not_installed(self, write: Write) -> None:
        error = failure(write("import no_such_package_anywhere\n"), ["x"])
        assert "No module named 'no_such_package_anywhere'" in str(error)
        assert error.fix == "install the package in the environment that runs driftline"

    @pytest.mark.parametrize("source", ["", "def process(r):\n    return r\n", "preprocess_handler = 3\n"])
    def test_no_handler(self, write: Write, source: str) -> None:
        error = failure(write(source), ["x"])
        assert error.code == "E-PREPROCESSOR-HANDLER"
        assert "defines no function preprocess_handler" in str(error)

    @pytest.mark.parametrize("arguments", ["", "a, b, c", "a, *, logger"])
    def test_wrong_number_of_arguments(self, write: Write, arguments: str) -> None:
        error = failure(write(f"def preprocess_handler({arguments}):\n    return {{}}\n"), ["x"])
        assert error.code == "E-PREPROCESSOR-HANDLER"
        assert f"preprocess_handler({arguments}) can be called neither" in str(error)

    @pytest.mark.parametrize(
        ("arguments", "logger"),
        [
            ("r", "no"),
            ("r, logger", "yes"),
            ("r, logger=None", "yes"),
            ("r, log", "yes"),
            ("r, log='no'", "no"),
        ],
    )
    def test_logger_goes_where_it_is_wanted(self, write: Write, arguments: str, logger: str) -> None:
        second = arguments.split(", ")[-1].split("=")[0]
        path = write(
            f"""
            def preprocess_handler({arguments}):
                return {{"l": "yes" if hasattr({second}, "info") else "no"}}
            """
        )
        assert run(path, ["x"]) == [{"l": logger}]

    def test_file_missing_folder_too_large_or_not_utf8(self, tmp_path: Path) -> None:
        large, latin = tmp_path / "large.py", tmp_path / "latin.py"
        large.write_bytes(b"#" * (MIB + 1))
        latin.write_bytes(b"x = 1\n# caf\xe9\n")
        for path, message in (
            (tmp_path / "absent.py", "does not exist"),
            (tmp_path, "is not a regular file"),
            (large, "more than the limit of 1,048,576"),
            (latin, "latin.py:2: byte 11 is not valid UTF-8"),
        ):
            with pytest.raises(InputError) as caught:
                run(path, ["x"])
            assert caught.value.code == "E-FILE"
            assert message in str(caught.value)

    def test_byte_order_mark_is_no_error(self, tmp_path: Path) -> None:
        path = tmp_path / "bom.py"
        path.write_bytes(b"\xef\xbb\xbfdef preprocess_handler(r):\n    return {'a': r}\n")
        assert run(path, ["x"]) == [{"a": "x"}]

    def test_endless_loop_while_loading(self, write: Write) -> None:
        error = failure(write("while True: pass\n"), ["x"], timeout_seconds=0.5)
        assert "E-PREPROCESSOR-TIMEOUT" in str(error)
        assert "the file was not loaded after 0.5 seconds" in str(error)

    def test_nothing_is_written_beside_the_file(self, write: Write) -> None:
        path = write("def preprocess_handler(r):\n    return {'a': __file__}\n")
        assert run(path, ["x"]) == [{"a": str(path)}]
        assert [p.name for p in path.parent.iterdir()] == ["pre.py"]


class TestFaultsInTheHandler:
    """Errors that name the record."""

    def test_exception_shows_the_frames_of_the_file(self, write: Write) -> None:
        path = write(
            """
            import json

            def parse(line):
                return json.loads(line)

            def preprocess_handler(line):
                return parse(line)
            """
        )
        error = failure(path, ['{"a": 1}', "{"])
        assert (error.code, error.line) == ("E-PREPROCESSOR-RAISED", 5)
        assert str(error).startswith(
            f"E-PREPROCESSOR-RAISED: {path}:5: record 2 (row 2 of data.csv): JSONDecodeError"
        )
        assert (
            "line 8 in preprocess_handler: return parse(line); line 5 in parse: return json.loads(line)"
            in str(error)
        )
        assert "preprocessor_child" not in str(error)

    def test_record_number_counts_over_batches_and_calls(self, write: Write) -> None:
        path = write("def preprocess_handler(r):\n    return {'x': 1 / (r['n'] - 1500)}\n")
        with Preprocessor(path) as preprocessor:
            assert len(list(preprocessor.rows(places([{"n": 0}] * 700, "a.jsonl")))) == 700
            rows = preprocessor.rows(places(({"n": n} for n in range(3000)), "b.jsonl"))
            with pytest.raises(PreprocessorError) as caught:
                list(rows)
        assert "record 2,201 (row 1,501 of b.jsonl): ZeroDivisionError" in str(caught.value)

    def test_rows_before_the_batch_of_the_fault_arrive(self, write: Write) -> None:
        path = write("def preprocess_handler(r):\n    return {'x': 1 / (r['n'] - 1500)}\n")
        seen = []
        with Preprocessor(path) as preprocessor:
            rows = preprocessor.rows(places({"n": n} for n in range(3000)))
            with pytest.raises(PreprocessorError):
                seen.extend(iter(lambda: next(rows), None))
        assert len(seen) == 1500 // BATCH_RECORDS * BATCH_RECORDS

    @pytest.mark.parametrize(
        ("body", "message"),
        [
            ("sys.exit(3)", r"sys.exit(3) was called in preprocess_handler"),
            ("raise KeyboardInterrupt", "KeyboardInterrupt"),
            ("return preprocess_handler(r)", "RecursionError: maximum recursion depth exceeded"),
            ("raise Odd", "Odd: (its message cannot be shown)"),
            ("return {'x': input()}", "EOFError"),
            ("open('big', 'wb').write(bytes(100 << 20))", "File too large"),
            ("return {'f': len([open('/dev/null') for _ in range(400)])}", "Too many open files"),
        ],
    )
    def test_what_python_raises_is_told(self, write: Write, body: str, message: str) -> None:
        path = write(
            f"""
            import sys

            class Odd(Exception):
                def __str__(self):
                    raise ValueError

            def preprocess_handler(r):
                {body}
            """
        )
        error = failure(path, ["x"])
        assert error.code == "E-PREPROCESSOR-RAISED"
        assert "record 1 (row 1 of data.csv): " in str(error)
        assert message in str(error)

    @pytest.mark.parametrize(
        ("body", "code", "message"),
        [
            ("os._exit(0)", "DIED", "its process ended itself with exit status 0"),
            ("os._exit(3)", "DIED", "its process ended itself with exit status 3"),
            ("os.kill(os.getpid(), 9)", "DIED", "its process was killed, perhaps because the machine"),
            ("ctypes.string_at(0)", "DIED", "its process crashed (SIGSEGV)"),
            ("os.abort()", "DIED", "its process crashed (SIGABRT)"),
            (
                "os.kill(os.getpid(), 24)",
                "TIMEOUT",
                "its process used more than 3,600 seconds of processor time",
            ),
            ("os.execv(sys.executable, [sys.executable, '-c', ''])", "DIED", "its process ended itself"),
            (
                "os.execv(sys.executable, [sys.executable, '-c', 'import time; time.sleep(60)'])",
                "DIED",
                "its process closed the connection to driftline",
            ),
        ],
    )
    def test_sudden_end_names_the_record(self, write: Write, body: str, code: str, message: str) -> None:
        path = write(
            f"""
            import ctypes, os, sys

            def preprocess_handler(r):
                if r == "700":
                    print("now")
                    sys.stdout.flush()
                    {body}
                return {{"r": r}}
            """
        )
        error = failure(path, (str(n) for n in range(1000)))
        assert error.code == f"E-PREPROCESSOR-{code}"
        assert "record 701 (row 701 of data.csv)" in str(error)
        assert message in str(error)
        assert "it last printed: now" in str(error)

    def test_shared_memory_cut_short(self, write: Write) -> None:
        path = write(
            """
            import os

            def preprocess_handler(r):
                for d in range(3, 9):
                    if "memfd" in os.path.realpath(f"/proc/self/fd/{d}"):
                        os.truncate(d, 0)
                return {"r": r}
            """
        )
        error = failure(path, "ab")
        assert error.code == "E-PREPROCESSOR-DIED"
        assert "its process crashed (SIGBUS)" in str(error)

    def test_descriptors_that_are_not_its_own_closed(self, write: Write) -> None:
        path = write("import os\ndef preprocess_handler(r):\n    os.closerange(3, 64)\n    return {'r': r}\n")
        error = failure(path, "ab")
        assert error.code == "E-PREPROCESSOR-DIED"
        assert "Bad file descriptor" in str(error)

    def test_sudden_end_while_loading(self, write: Write) -> None:
        error = failure(write("import os\nos._exit(4)\n"), ["x"])
        assert "ended itself with exit status 4 before the file was loaded" in str(error)

    @pytest.mark.parametrize(
        "body",
        [
            "bytearray(4 << 30)",
            "'x' * (1 << 30)",
            "[bytearray(1 << 16) for _ in iter(int, 1)]",
        ],
    )
    def test_memory_limit(self, write: Write, body: str) -> None:
        path = write(f"kept = [None]\ndef preprocess_handler(r):\n    {body}\n")
        error = failure(path, ["x"], memory_bytes=128 * MIB)
        assert error.code == "E-PREPROCESSOR-MEMORY"
        assert "record 1 (row 1 of data.csv): more than 128 MiB of memory were needed" in str(error)
        assert error.line == 3

    def test_memory_held_to_the_last_byte_can_still_be_told(self, write: Write) -> None:
        path = write(
            """
            kept = [None]

            def fill(size):
                try:
                    while True:
                        kept[0] = (kept[0], bytes(size))
                except MemoryError:
                    pass

            def preprocess_handler(r):
                for size in (1 << 20, 1 << 16, 1 << 12, 1 << 10, *range(500, 0, -25)):
                    fill(size)
                raise MemoryError
            """
        )
        error = failure(path, ["x"], memory_bytes=128 * MIB)
        assert error.code == "E-PREPROCESSOR-MEMORY"
        assert "record 1 (row 1 of data.csv): more than 128 MiB" in str(error)

    def test_garbage_on_descriptors_that_are_not_its_own(self, write: Write) -> None:
        path = write(
            """
            import os

            def preprocess_handler(r):
                for descriptor in range(3, 64):
                    try:
                        os.write(descriptor, b"\\xff" * 100)
                    except OSError:
                        pass
                return {"a": 1}
            """
        )
        assert failure(path, ["x"]).code == "E-PREPROCESSOR-PROTOCOL"

    @pytest.mark.parametrize(
        "answer",
        [
            b'R[true,[0],[{"a":[1]}]]',
            b'R[true,[5],[{"a":1}]]',
            b'R[true,[-1],[{"a":1}]]',
            b'R[true,[0],[{"a":1},{"a":2}]]',
            b'R[1,[0],[{"a":1}]]',
            b"R[" + b"[" * 100_000,
            b"Rnull",
            b"Hnull",
            b"Enull",
        ],
    )
    def test_forged_answer(self, write: Write, answer: bytes) -> None:
        path = write(
            f"""
            import os, stat

            def preprocess_handler(r):
                for d in range(3, 64):
                    try:
                        fifo = stat.S_ISFIFO(os.fstat(d).st_mode)
                    except OSError:
                        continue
                    if fifo:
                        answer = {answer!r}
                        os.write(d, answer[:1] + (len(answer) - 1).to_bytes(4, "big") + answer[1:])
                return {{"a": 1}}
            """
        )
        assert failure(path, ["x"]).code == "E-PREPROCESSOR-PROTOCOL"


class TestTime:
    """Limits of time, told by record."""

    @pytest.mark.parametrize(
        "body", ["while True: pass", "time.sleep(600)", "while True: print('x' * 10_000)"]
    )
    def test_hanging_handler_is_killed(self, write: Write, body: str) -> None:
        path = write(
            f"""
            import time

            def preprocess_handler(r):
                if r == "3":
                    {body}
                return {{"r": r}}
            """
        )
        started = time.monotonic()
        error = failure(path, "12345", timeout_seconds=0.5)
        assert time.monotonic() - started < 5
        assert error.code == "E-PREPROCESSOR-TIMEOUT"
        assert "record 3 (row 3 of data.csv): the handler was not done with it after 0.5 seconds" in str(
            error
        )

    def test_slow_batch_is_no_hanging_handler(self, write: Write) -> None:
        path = write("import time\ndef preprocess_handler(r):\n    time.sleep(0.03)\n    return {'r': r}\n")
        assert len(run(path, ["x"] * 50, timeout_seconds=0.75)) == 50

    def test_limit_for_the_whole_run(self, write: Write) -> None:
        path = write("import time\ndef preprocess_handler(r):\n    time.sleep(0.01)\n    return {'r': r}\n")
        error = failure(path, ["x"] * 10_000, max_seconds=0.5)
        assert error.code == "E-PREPROCESSOR-TIMEOUT"
        assert "when the run had taken 0.5 seconds in all" in str(error)

    def test_processor_time_is_limited_while_the_caller_is_busy(self, write: Write) -> None:
        path = write(
            """
            import os

            def preprocess_handler(r):
                while r == "600":
                    pass
                return {"pid": os.getpid()}
            """
        )
        with Preprocessor(path, max_seconds=1.9) as preprocessor:
            rows = preprocessor.rows(places(str(n) for n in range(1000)))
            watched = os.pidfd_open(int(str(next(rows)[1]["pid"])))
            assert select.select([watched], [], [], 60)[0]
            os.close(watched)
            with pytest.raises(PreprocessorError) as caught:
                list(rows)
        assert caught.value.code == "E-PREPROCESSOR-TIMEOUT"
        assert "record 601 (row 601 of data.csv)" in str(caught.value)
        assert "its process used more than 2 seconds of processor time" in str(caught.value)

    def test_time_of_a_busy_caller_does_not_count(
        self, write: Write, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = write("def preprocess_handler(r):\n    return {'r': r}\n")
        busy = 0.0
        monkeypatch.setattr(preprocessor_process.time, "monotonic", lambda real=time.monotonic: real() + busy)
        with Preprocessor(path, max_seconds=30) as preprocessor:
            for _ in preprocessor.rows(places(["x"] * 5000)):
                busy += 100.0

    @pytest.mark.parametrize(
        "options",
        [
            {"timeout_seconds": 0},
            {"timeout_seconds": math.nan},
            {"max_seconds": math.inf},
            {"memory_bytes": 1000},
        ],
    )
    def test_limits_that_make_no_sense(self, write: Write, options: dict[str, Any]) -> None:
        with pytest.raises(UsageError, match=next(iter(options))):
            Preprocessor(write(""), **options)


class TestStreaming:
    """Bounded memory in both directions."""

    def test_records_are_read_no_further_than_two_batches_ahead(self, write: Write) -> None:
        path = write("def preprocess_handler(r):\n    return {'r': r}\n")
        n_read = n_given = 0

        def records() -> Iterator[tuple[Place, str]]:
            nonlocal n_read
            for n_read in range(1, 10_001):
                yield Place("", n_read), str(n_read)

        with Preprocessor(path) as preprocessor:
            for place, row in preprocessor.rows(records()):
                n_given += 1
                assert (place.row, row) == (n_given, {"r": str(n_given)})
                assert n_read - n_given <= BATCHES_AHEAD * BATCH_RECORDS
        assert n_given == 10_000

    def test_much_in_and_much_out_at_once(self, write: Write) -> None:
        path = write("def preprocess_handler(r):\n    return [{'i': i, 'x': r} for i in range(40)]\n")
        record = "x" * 100_000
        n_bytes = 0
        tracemalloc.start()
        try:
            with Preprocessor(path) as preprocessor:
                for _, row in preprocessor.rows(places(record for _ in range(40))):
                    n_bytes += len(str(row["x"]))
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert n_bytes == 40 * 40 * 100_000
        assert peak < 60 * MIB  # well below the 152 MiB that passed through

    def test_prints_are_drained_and_cut_to_a_tail(self, write: Write) -> None:
        path = write(
            """
            import os, sys

            def preprocess_handler(r):
                for _ in range(32):
                    sys.stdout.write("x" * (1 << 20))
                    os.write(1, b"R\\0\\0\\0\\4null")
                for i in range(100):
                    print(f"\\033[31mline {i}", file=sys.stderr)
                return {"r": r}
            """
        )
        tracemalloc.start()
        try:
            with Preprocessor(path) as preprocessor:
                assert [row for _, row in preprocessor.rows(places("ab"))] == [{"r": "a"}, {"r": "b"}]
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert peak < 8 * MIB
        assert preprocessor.log_tail == tuple(f"\\x1b[31mline {i}" for i in range(80, 100))

    def test_abandoned_rows_close_the_preprocessor(self, write: Write) -> None:
        path = write("def preprocess_handler(r):\n    return {'r': r}\n")
        with Preprocessor(path) as preprocessor:
            rows = preprocessor.rows(places(["x"] * 10))
            next(rows)
            with pytest.raises(UsageError, match="busy"):
                next(preprocessor.rows(places(["x"])))
            rows.close()  # type: ignore[attr-defined]
            with pytest.raises(UsageError, match="not open"):
                next(preprocessor.rows(places(["x"])))

    def test_fault_of_the_records_themselves_passes_through(self, write: Write) -> None:
        path = write("def preprocess_handler(r):\n    return {'r': r}\n")

        def records() -> Iterator[tuple[Place, str]]:
            yield Place("", 1), "x"
            raise InputError("torn", file="x.csv")

        with Preprocessor(path) as preprocessor, pytest.raises(InputError, match="torn"):
            list(preprocessor.rows(records()))

    def test_use_outside_with(self, write: Write) -> None:
        preprocessor = Preprocessor(write("def preprocess_handler(r):\n    return {'r': r}\n"))
        assert preprocessor.log_tail == ()
        with pytest.raises(UsageError, match="not open"):
            next(preprocessor.rows(places(["x"])))
        with preprocessor:
            pass
        with pytest.raises(UsageError, match="entered once"):
            preprocessor.__enter__()

    def test_two_at_once_do_not_meet(self, write: Write) -> None:
        path = write("def preprocess_handler(r):\n    return {'r': r}\n")
        with Preprocessor(path) as first, Preprocessor(path) as second:
            pairs = zip(
                first.rows(places(str(n) for n in range(3000))),
                second.rows(places(str(-n) for n in range(3000))),
                strict=True,
            )
            assert all(int(str(a["r"])) == -int(str(b["r"])) for (_, a), (_, b) in pairs)


class TestSurroundings:
    """What the process sees and what it can start."""

    def test_no_variable_of_the_caller(self, write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "planted")
        monkeypatch.setenv("PYTHONPATH", "planted")
        path = write("import os\ndef preprocess_handler(r):\n    return dict(os.environ)\n")
        (row,) = run(path, ["x"])
        assert "planted" not in row.values()
        assert {"HOME", "LANG", "PATH", "PYTHONHASHSEED", "TMPDIR", "TZ"} <= set(row)
        assert {name for name in row if not name.endswith("_THREADS")} == {
            *("HOME", "LANG", "MALLOC_ARENA_MAX", "PATH", "PYTHONHASHSEED", "TMPDIR", "TZ")
        }
        assert {value for name, value in row.items() if name.endswith("_THREADS")} == {"1"}

    def test_interpreter_and_process_state(self, write: Write) -> None:
        path = write(
            """
            import os, resource, sys

            loaded = ",".join(m for m in ("driftline", "numpy", "pandas", "site") if m in sys.modules)

            def preprocess_handler(r):
                mask = os.umask(0)
                os.umask(mask)
                return {
                    "loaded": loaded, "files": len(os.listdir()), "umask": mask,
                    "leader": os.getsid(0) == os.getpid(),
                    "core": resource.getrlimit(resource.RLIMIT_CORE)[1],
                    "user_site": sys.flags.no_user_site,
                    "own_folder_importable":
                        any(os.path.exists(p + "/preprocessor_child.py") for p in sys.path),
                    "no_new_privileges": "NoNewPrivs:\\t1" in open("/proc/self/status").read(),
                    "argv": len(sys.argv), "hash": hash("x"),
                }
            """
        )
        (row,) = run(path, ["x"])
        assert row == {
            "loaded": "site",
            "files": 0,
            "leader": True,
            "umask": 0o077,
            "core": 0,
            "user_site": 1,
            "own_folder_importable": False,
            "no_new_privileges": True,
            "argv": 1,
            "hash": row["hash"],
        }
        assert run(path, ["x"]) == [row]

    def test_working_folder_goes_with_what_was_put_there(self, write: Write) -> None:
        path = write(
            """
            import os, tempfile

            def preprocess_handler(r):
                os.makedirs("deep/er")
                open("deep/er/file", "w").close()
                os.chmod("deep", 0)
                return {"same": os.path.samefile(os.getcwd(), tempfile.gettempdir()), "folder": os.getcwd()}
            """
        )
        (row,) = run(path, ["x"])
        assert row["same"] is True
        assert not Path(str(row["folder"])).exists()

    @pytest.mark.parametrize(
        "call",
        [
            "os.fork()",
            "subprocess.run(['true'])",
            "os.posix_spawn('x', ['x'], {})",
            "os.setsid()",
            "os.setpgid(0, 0)",
        ],
    )
    def test_no_new_process_nor_group(self, write: Write, call: str) -> None:
        path = write(f"import os, subprocess\ndef preprocess_handler(r):\n    {call}\n    os._exit(0)\n")
        error = failure(path, ["x"])
        assert "PermissionError: [Errno 1] Operation not permitted" in str(error)
        assert error.fix == "a preprocessor may not start processes; install packages beforehand"

    def test_threads_stay_possible(self, write: Write) -> None:
        path = write(
            """
            from concurrent.futures import ThreadPoolExecutor

            pool = ThreadPoolExecutor(4)

            def preprocess_handler(r):
                return {"total": sum(pool.map(int, "123"))}
            """
        )
        with Preprocessor(path) as preprocessor:
            assert preprocessor.confined
            assert [row for _, row in preprocessor.rows(places(["x"]))] == [{"total": 6}]

    def test_storm_of_forks_is_a_hanging_handler(self, write: Write) -> None:
        path = write(
            """
            import os

            def preprocess_handler(r):
                for _ in range(20):  # bounded, should the refusal ever fail
                    try:
                        os.fork()
                    except OSError:
                        pass
                while True:
                    pass
            """
        )
        assert failure(path, ["x"], timeout_seconds=0.3).code == "E-PREPROCESSOR-TIMEOUT"

    def test_processes_that_are_allowed_die_with_the_run(self, write: Write) -> None:
        path = write(
            """
            import os, signal, subprocess, sys

            def preprocess_handler(r):
                pid = os.fork()
                if pid == 0:
                    try:
                        os.setsid()
                    except PermissionError:
                        signal.signal(signal.SIGTERM, signal.SIG_IGN)
                        while True:
                            signal.pause()
                    os._exit(0)
                other = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
                return [{"pid": pid}, {"pid": other.pid}]
            """
        )
        with Preprocessor(path, allow_processes=True) as preprocessor:
            pids = [int(str(row["pid"])) for _, row in preprocessor.rows(places(["x"]))]
            watched = [os.pidfd_open(pid) for pid in pids]
        assert len(watched) == 2
        for descriptor in watched:
            assert select.select([descriptor], [], [], 5)[0]
            os.close(descriptor)

    def test_without_the_filter_processes_still_die_with_the_run(
        self, write: Write, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(preprocessor, "system_call_filter", lambda *_, **__: b"")
        path = write(
            """
            import os, signal

            def preprocess_handler(r):
                return {"pid": os.fork() or signal.pause()}
            """
        )
        with Preprocessor(path) as running:
            assert not running.confined
            ((_, row),) = running.rows(places(["x"]))
            watched = os.pidfd_open(int(str(row["pid"])))
        assert select.select([watched], [], [], 5)[0]
        os.close(watched)

    @pytest.mark.parametrize(("machine", "known"), [("x86_64", True), ("aarch64", True), ("riscv64", False)])
    def test_filter_is_written_for_known_machines(self, machine: str, known: bool) -> None:
        for allow_processes in (False, True):
            program = system_call_filter(machine, allow_processes=allow_processes)
            assert len(program) % 8 == 0
            assert bool(program) is known

    def test_interpreter_that_cannot_be_started(self, write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sys, "executable", "no-such-interpreter")
        error = failure(write(""), ["x"])
        assert error.code == "E-PREPROCESSOR-START"
        assert "no process could be started for it: No such file or directory" in str(error)

    def test_both_sides_of_a_fork_that_come_back(self, write: Write) -> None:
        path = write(
            """
            import os

            me = os.getpid()

            def preprocess_handler(r):
                if r == "fork" and os.fork():
                    os.wait()
                return {"mine": os.getpid() == me}
            """
        )
        with Preprocessor(path, allow_processes=True) as running:
            for record in ("fork", "next", "fork", "next"):
                ((_, row),) = running.rows(places([record]))
                assert row == {"mine": True}

    def test_answer_is_not_awaited_from_the_dead(self, write: Write) -> None:
        path = write(
            """
            import os, signal

            def preprocess_handler(r):
                if os.fork():
                    os._exit(7)
                while True:
                    signal.pause()
            """
        )
        error = failure(path, ["x"], allow_processes=True, timeout_seconds=30)
        assert "record 1 (row 1 of data.csv): its process ended itself with exit status 7" in str(error)

    def test_process_dies_with_a_parent_that_is_killed(self, write: Write) -> None:
        path = write("import time\ndef preprocess_handler(r):\n    print(r)\n    time.sleep(600)\n")
        script = textwrap.dedent(
            """
            import sys
            from driftline.monitor.preprocessor import Preprocessor
            from driftline.reports.outcome import Place

            with Preprocessor(sys.argv[1]) as preprocessor:
                print(preprocessor._process._child.pid, preprocessor._process._folder, flush=True)
                list(preprocessor.rows([(Place("", 1), "x")]))
            """
        )
        with subprocess.Popen(
            [sys.executable, "-c", script, str(path)], stdout=subprocess.PIPE, text=True
        ) as parent:
            assert parent.stdout is not None
            pid, folder = parent.stdout.readline().split()
            watched = os.pidfd_open(int(pid))
            parent.send_signal(signal.SIGKILL)
            assert select.select([watched], [], [], 5)[0]
            os.close(watched)
        # Nobody was left to remove it.
        Path(folder).rmdir()
