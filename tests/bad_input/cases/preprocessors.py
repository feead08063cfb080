"""Preprocessor files that are missing, broken, slow, or give nonsense."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bad_input.case import BASELINE, Case, as_data, refused, refused_data, told
from bad_input.making import files, json_lines, together

if TYPE_CHECKING:
    from bad_input.case import Make


def _with(code: str | bytes, data: bytes = b"") -> Make:
    source = code.encode("utf-8", "surrogatepass") if isinstance(code, str) else code
    return files({"p.py": source, "x.jsonl": data or json_lines(5)})


def _refused(name: str, code: str | bytes, line: str, data: bytes = b"") -> Case:
    return refused_data(name, "x.jsonl", line, _with(code, data), "--preprocessor", "p.py")


def _gives(name: str, value: str, line: str) -> Case:
    return _refused(name, f"def preprocess_handler(record):\n    return {value}\n", line)


def _becomes(name: str, value: str, **facts: Any) -> Case:
    make = _with(f"def preprocess_handler(record):\n    return {value}\n", json_lines(5))
    return as_data(name, "x.jsonl", make, "--preprocessor", "p.py", rows=5, **facts)


CASES: list[Case] = [
    refused_data(
        "missing",
        "x.jsonl",
        "E-FILE: nowhere.py: does not exist; check the path",
        files({"x.jsonl": json_lines(5)}),
        "--preprocessor",
        "nowhere.py",
    ),
    refused_data(
        "a-folder",
        "x.jsonl",
        "E-USAGE: Invalid value for '--preprocessor': File 'baseline' is a directory; try 'driftline <any> --help'",
        files({"x.jsonl": json_lines(5)}),
        "--preprocessor",
        BASELINE,
    ),
    refused_data(
        "a-device",
        "x.jsonl",
        "E-FILE: /dev/zero: is not a regular file",
        files({"x.jsonl": json_lines(5)}),
        "--preprocessor",
        "/dev/zero",
    ),
    _refused(
        "empty",
        " ",
        "E-PREPROCESSOR-HANDLER: p.py: defines no function preprocess_handler; define preprocess_handler(inference_record), which returns a dict",
    ),
    _refused(
        "syntax-error",
        "def preprocess_handler(record):\n    return {\n",
        "E-PREPROCESSOR-SYNTAX: p.py:2: not valid Python: <any>",
    ),
    _refused(
        "tabs-and-blanks",
        "def preprocess_handler(record):\n\tif 1:\n        return {}\n",
        "E-PREPROCESSOR-SYNTAX: p.py:3: not valid Python: <any>",
    ),
    _refused(
        "not-utf8",
        b"# \xff\ndef preprocess_handler(r): return {}\n",
        "E-FILE: p.py:1: byte 2 is not valid UTF-8; save the file as UTF-8",
    ),
    _refused(
        "nul-byte",
        "def preprocess_handler(r): return {}\0\n",
        "E-PREPROCESSOR-LOAD: p.py: <any> (while the file was loaded)",
    ),
    _refused(
        "binary", bytes(range(256)) * 8, "E-FILE: p.py:2: byte 128 is not valid UTF-8; save the file as UTF-8"
    ),
    _refused(
        "too-large", "#" * (2 << 20), "E-FILE: p.py: has 2,097,152 bytes, more than the limit of 1,048,576"
    ),
    _refused(
        "no-handler",
        "def handler(record):\n    return {}\n",
        "E-PREPROCESSOR-HANDLER: p.py: defines no function preprocess_handler; define preprocess_handler(inference_record), which returns a dict",
    ),
    _refused(
        "handler-misspelt",
        "def preproces_handler(record):\n    return {}\n",
        "E-PREPROCESSOR-HANDLER: p.py: defines no function preprocess_handler; define preprocess_handler(inference_record), which returns a dict",
    ),
    _refused(
        "handler-is-no-function",
        "preprocess_handler = 3\n",
        "E-PREPROCESSOR-HANDLER: p.py: defines no function preprocess_handler; define preprocess_handler(inference_record), which returns a dict",
    ),
    _refused(
        "handler-without-arguments",
        "def preprocess_handler():\n    return {}\n",
        "E-PREPROCESSOR-HANDLER: p.py: preprocess_handler() can be called neither with one argument nor with two; write preprocess_handler(inference_record) or preprocess_handler(inference_record, logger)",
    ),
    _refused(
        "handler-with-three-arguments",
        "def preprocess_handler(a, b, c):\n    return {}\n",
        "E-PREPROCESSOR-HANDLER: p.py: preprocess_handler(a, b, c) can be called neither with one argument nor with two; write preprocess_handler(inference_record) or preprocess_handler(inference_record, logger)",
    ),
    _refused(
        "raises-when-loaded",
        "import nowhere_to_be_found\n",
        "E-PREPROCESSOR-LOAD: p.py:1: ModuleNotFoundError: No module named 'nowhere_to_be_found' (while the file was loaded); line 1 in <module>: import nowhere_to_be_found; install the package in the environment that runs driftline",
    ),
    _refused(
        "leaves-when-loaded",
        "import sys\nsys.exit(0)\n",
        "E-PREPROCESSOR-LOAD: p.py:2: sys.exit(0) was called while the file was loaded; line 2 in <module>: sys.exit(0); raise an exception with a message instead",
    ),
    _refused(
        "raises",
        "def preprocess_handler(record):\n    return {'a': 1 / 0}\n",
        "E-PREPROCESSOR-RAISED: p.py:2: record 1 (row 1 of x.jsonl): ZeroDivisionError: division by zero (in preprocess_handler); line 2 in preprocess_handler: return {'a': 1 / 0}",
    ),
    _refused(
        "raises-hostile-words",
        "def preprocess_handler(record):\n    raise ValueError('\\x1b[2J\\n\\u202e<script>')\n",
        "E-PREPROCESSOR-RAISED: p.py:2: record 1 (row 1 of x.jsonl): ValueError: \\x1b[2J\\n\\u202e<script> (in preprocess_handler); line 2 in preprocess_handler: raise ValueError('\\x1b[2J\\n\\u202e<script>')",
    ),
    _refused(
        "raises-at-the-third",
        "n = 0\ndef preprocess_handler(record):\n    global n\n    n += 1\n    if n == 3:\n        raise KeyError('amount')\n    return record\n",
        "E-PREPROCESSOR-RAISED: p.py:6: record 3 (row 3 of x.jsonl): KeyError: 'amount' (in preprocess_handler); line 6 in preprocess_handler: raise KeyError('amount')",
    ),
    _refused(
        "recursion-without-end",
        "def preprocess_handler(record):\n    return preprocess_handler(record)\n",
        "E-PREPROCESSOR-RAISED: p.py:2: record 1 (row 1 of x.jsonl): RecursionError: <any>",
    ),
    _refused(
        "leaves",
        "import os\ndef preprocess_handler(record):\n    os._exit(0)\n",
        "E-PREPROCESSOR-DIED: p.py: record 1 (row 1 of x.jsonl): its process ended itself with exit status 0; raise an exception with a message instead",
    ),
    _refused(
        "kills-itself",
        "import os, signal\ndef preprocess_handler(record):\n    os.kill(os.getpid(), signal.SIGKILL)\n",
        "E-PREPROCESSOR-DIED: p.py: record 1 (row 1 of x.jsonl): its process was killed, perhaps because the machine ran out of memory",
    ),
    _refused(
        "crashes",
        "import ctypes\ndef preprocess_handler(record):\n    ctypes.string_at(0)\n",
        "E-PREPROCESSOR-DIED: p.py: record 1 (row 1 of x.jsonl): its process crashed (SIGSEGV); native code may have met the limit of 1,024 MiB of memory",
    ),
    _refused(
        "takes-all-memory",
        "def preprocess_handler(record):\n    return {'a': len(bytearray(1 << 34))}\n",
        "E-PREPROCESSOR-MEMORY: p.py:2: record 1 (row 1 of x.jsonl): more than 1,024 MiB of memory were needed in preprocess_handler; line 2 in preprocess_handler: return {'a': len(bytearray(1 << 34))}; hold less in memory or raise the memory limit",
    ),
    _refused(
        "starts-a-process",
        "import os\ndef preprocess_handler(record):\n    os.fork()\n    return record\n",
        "E-PREPROCESSOR-RAISED: p.py:3: record 1 (row 1 of x.jsonl): PermissionError: [Errno 1] Operation not permitted (in preprocess_handler); line 3 in preprocess_handler: os.fork(); a preprocessor may not start processes; install packages beforehand",
    ),
    _refused(
        "writes-to-the-channel",
        "import os\ndef preprocess_handler(record):\n    for n in range(3, 20):\n        try:\n            os.write(n, b'garbage' * 100)\n        except OSError:\n            pass\n    return record\n",
        "E-PREPROCESSOR-PROTOCOL: p.py: its process gave an answer that driftline does not understand; do not write to or close file descriptors that the file did not open",
    ),
    _gives(
        "gives-none",
        "None",
        "E-PREPROCESSOR-RESULT: p.py: record 1 (row 1 of x.jsonl): preprocess_handler returned None; return a dict of column to value for one row, [] to drop the record, or a list of dicts for several rows",
    ),
    _gives(
        "gives-a-number",
        "7",
        "E-PREPROCESSOR-RESULT: p.py: record 1 (row 1 of x.jsonl): preprocess_handler returned an int; return a dict of column to value for one row, [] to drop the record, or a list of dicts for several rows",
    ),
    _gives(
        "gives-a-generator",
        "(x for x in [1])",
        "E-PREPROCESSOR-RESULT: p.py: record 1 (row 1 of x.jsonl): preprocess_handler returned a generator; return a dict of column to value for one row, [] to drop the record, or a list of dicts for several rows",
    ),
    _gives(
        "gives-a-list-of-numbers",
        "[1, 2]",
        "E-PREPROCESSOR-RESULT: p.py: record 1 (row 1 of x.jsonl): preprocess_handler returned an int; return a dict of column to value for one row, [] to drop the record, or a list of dicts for several rows",
    ),
    _gives(
        "gives-inner-objects",
        "{'a': {'b': 1}}",
        "E-PREPROCESSOR-RESULT: p.py: a: record 1 (row 1 of x.jsonl): preprocess_handler returned a dict as a value; give numbers, text, True, False or None; spread lists and dicts over several keys",
    ),
    _gives(
        "gives-a-list-inside",
        "{'a': [1, 2]}",
        "E-PREPROCESSOR-RESULT: p.py: a: record 1 (row 1 of x.jsonl): preprocess_handler returned a list as a value; give numbers, text, True, False or None; spread lists and dicts over several keys",
    ),
    _gives(
        "gives-bytes",
        "{'a': b'x'}",
        "E-PREPROCESSOR-RESULT: p.py: a: record 1 (row 1 of x.jsonl): preprocess_handler returned a bytes as a value; give numbers, text, True, False or None; spread lists and dicts over several keys",
    ),
    _gives(
        "gives-an-object",
        "{'a': object()}",
        "E-PREPROCESSOR-RESULT: p.py: a: record 1 (row 1 of x.jsonl): preprocess_handler returned an object as a value; give numbers, text, True, False or None; spread lists and dicts over several keys",
    ),
    _gives(
        "gives-half-a-surrogate",
        "{'a': '\\ud800'}",
        "E-PREPROCESSOR-RESULT: p.py: a: record 1 (row 1 of x.jsonl): preprocess_handler returned text that is not valid Unicode (a lone surrogate); clean it with text.encode('utf-8', 'replace').decode()",
    ),
    _gives(
        "gives-half-a-surrogate-as-key",
        "{'\\ud800': 1}",
        "E-PREPROCESSOR-RESULT: p.py: \\ud800: record 1 (row 1 of x.jsonl): preprocess_handler returned text that is not valid Unicode (a lone surrogate); clean it with text.encode('utf-8', 'replace').decode()",
    ),
    _gives(
        "gives-a-number-of-a-thousand-digits",
        "{'a': 10 ** 1000}",
        "E-VALUE: x.jsonl:1: a: a whole number larger than a double can hold; convert it with a preprocessor",
    ),
    _gives(
        "gives-nothing-at-all",
        "[]",
        "E-NO-DATA: x.jsonl: has no rows; check the records and the preprocessor",
    ),
    _gives(
        "gives-empty-rows",
        "{}",
        "E-PREPROCESSOR-RESULT: p.py: record 1 (row 1 of x.jsonl): preprocess_handler returned an empty dict; return a dict of column to value for one row, [] to drop the record, or a list of dicts for several rows",
    ),
    _becomes("gives-text", "'text'", columns=["_c0"]),
    _becomes("gives-numbers-as-keys", "{1: 2}", columns=["1"]),
    told(
        "prints-and-works",
        "x.jsonl",
        together(
            _with(
                "import sys\nprint('loaded')\ndef preprocess_handler(record):\n    print('\\x1b[2J' * 1000, file=sys.stderr)\n    return record\n",
                json_lines(300),
            )
        ),
        0,
        "--preprocessor",
        "p.py",
        rows=300,
        violated=[],
    ),
    told(
        "drops-half",
        "x.jsonl",
        _with(
            "n = 0\ndef preprocess_handler(record):\n    global n\n    n += 1\n    return record if n % 2 else []\n",
            json_lines(300),
        ),
        0,
        "--preprocessor",
        "p.py",
        rows=150,
        notes=lambda n: "dropped 150 of 300" in n[0],
    ),
    told(
        "gives-nan",
        "x.jsonl",
        _with(
            "def preprocess_handler(record):\n    return {**record, 'amount': float('nan')}\n",
            json_lines(100),
        ),
        1,
        "--preprocessor",
        "p.py",
        violated=lambda v: "amount/completeness" in v,
    ),
    refused(
        "over-broken-data",
        ("check", "x.jsonl", "-b", BASELINE, "--preprocessor", "p.py"),
        "E-JSON: x.jsonl:4: not JSON: <any>; write one whole JSON object a line",
        _with("def preprocess_handler(record):\n    return record\n", json_lines(3) + b'{"amount"\n'),
    ),
]
