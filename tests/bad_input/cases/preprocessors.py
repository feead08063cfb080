"""Preprocessor files that are missing, broken, slow, or give nonsense."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bad_input.case import BASELINE, Case, refused, refused_data, told
from bad_input.making import files, json_lines, nothing, together

if TYPE_CHECKING:
    from bad_input.case import Make


def _with(code: str | bytes, data: bytes = b"") -> Make:
    source = code.encode("utf-8", "surrogatepass") if isinstance(code, str) else code
    return files({"p.py": source, "x.jsonl": data or json_lines(5)})


def _refused(name: str, code: str | bytes, line: str, data: bytes = b"") -> Case:
    return refused_data(name, "x.jsonl", line, _with(code, data), "--preprocessor", "p.py")


def _gives(name: str, value: str, line: str) -> Case:
    return _refused(name, f"def preprocess_handler(record):\n    return {value}\n", line)


CASES: list[Case] = [
    refused_data("missing", "x.jsonl", "?", files({"x.jsonl": json_lines(5)}), "--preprocessor", "nowhere.py"),
    refused_data("a-folder", "x.jsonl", "?", files({"x.jsonl": json_lines(5)}), "--preprocessor", BASELINE),
    refused_data("a-device", "x.jsonl", "?", files({"x.jsonl": json_lines(5)}), "--preprocessor", "/dev/zero"),
    _refused("empty", " ", "?"),
    _refused("syntax-error", "def preprocess_handler(record):\n    return {\n", "?"),
    _refused("tabs-and-blanks", "def preprocess_handler(record):\n\tif 1:\n        return {}\n", "?"),
    _refused("not-utf8", b"# \xff\ndef preprocess_handler(r): return {}\n", "?"),
    _refused("nul-byte", "def preprocess_handler(r): return {}\0\n", "?"),
    _refused("binary", bytes(range(256)) * 8, "?"),
    _refused("too-large", "#" * (2 << 20), "?"),
    _refused("no-handler", "def handler(record):\n    return {}\n", "?"),
    _refused("handler-misspelt", "def preproces_handler(record):\n    return {}\n", "?"),
    _refused("handler-is-no-function", "preprocess_handler = 3\n", "?"),
    _refused("handler-without-arguments", "def preprocess_handler():\n    return {}\n", "?"),
    _refused("handler-with-three-arguments", "def preprocess_handler(a, b, c):\n    return {}\n", "?"),
    _refused("raises-when-loaded", "import nowhere_to_be_found\n", "?"),
    _refused("leaves-when-loaded", "import sys\nsys.exit(0)\n", "?"),
    _refused("raises", "def preprocess_handler(record):\n    return {'a': 1 / 0}\n", "?"),
    _refused("raises-hostile-words", "def preprocess_handler(record):\n    raise ValueError('\\x1b[2J\\n\\u202e<script>')\n", "?"),
    _refused("raises-at-the-third", "n = 0\ndef preprocess_handler(record):\n    global n\n    n += 1\n    if n == 3:\n        raise KeyError('amount')\n    return record\n", "?"),
    _refused("recursion-without-end", "def preprocess_handler(record):\n    return preprocess_handler(record)\n", "?"),
    _refused("leaves", "import os\ndef preprocess_handler(record):\n    os._exit(0)\n", "?"),
    _refused("kills-itself", "import os, signal\ndef preprocess_handler(record):\n    os.kill(os.getpid(), signal.SIGKILL)\n", "?"),
    _refused("crashes", "import ctypes\ndef preprocess_handler(record):\n    ctypes.string_at(0)\n", "?"),
    _refused("takes-all-memory", "def preprocess_handler(record):\n    return {'a': len(bytearray(1 << 34))}\n", "?"),
    _refused("starts-a-process", "import os\ndef preprocess_handler(record):\n    os.fork()\n    return record\n", "?"),
    _refused("writes-to-the-channel", "import os\ndef preprocess_handler(record):\n    for n in range(3, 20):\n        try:\n            os.write(n, b'garbage' * 100)\n        except OSError:\n            pass\n    return record\n", "?"),
    _gives("gives-none", "None", "?"),
    _gives("gives-a-number", "7", "?"),
    _gives("gives-text", "'text'", "?"),
    _gives("gives-a-generator", "(x for x in [1])", "?"),
    _gives("gives-a-list-of-numbers", "[1, 2]", "?"),
    _gives("gives-inner-objects", "{'a': {'b': 1}}", "?"),
    _gives("gives-a-list-inside", "{'a': [1, 2]}", "?"),
    _gives("gives-bytes", "{'a': b'x'}", "?"),
    _gives("gives-an-object", "{'a': object()}", "?"),
    _gives("gives-numbers-as-keys", "{1: 2}", "?"),
    _gives("gives-half-a-surrogate", "{'a': '\\ud800'}", "?"),
    _gives("gives-half-a-surrogate-as-key", "{'\\ud800': 1}", "?"),
    _gives("gives-a-number-of-a-thousand-digits", "{'a': 10 ** 1000}", "?"),
    _gives("gives-nothing-at-all", "[]", "?"),
    _gives("gives-empty-rows", "{}", "?"),
    told("prints-and-works", "x.jsonl", together(_with("import sys\nprint('loaded')\ndef preprocess_handler(record):\n    print('\\x1b[2J' * 1000, file=sys.stderr)\n    return record\n", json_lines(300))), 0, "--preprocessor", "p.py", rows=300, violated=[]),
    told("drops-half", "x.jsonl", _with("n = 0\ndef preprocess_handler(record):\n    global n\n    n += 1\n    return record if n % 2 else []\n", json_lines(300)), 0, "--preprocessor", "p.py", rows=150, notes=lambda n: "dropped 150 of 300" in n[0]),
    told("gives-nan", "x.jsonl", _with("def preprocess_handler(record):\n    return {**record, 'amount': float('nan')}\n", json_lines(100)), 1, "--preprocessor", "p.py", violated=lambda v: "amount/completeness" in v),
    refused("over-broken-data", ("check", "x.jsonl", "-b", BASELINE, "--preprocessor", "p.py"), "?", _with("def preprocess_handler(record):\n    return record\n", json_lines(3) + b'{"amount"\n')),
]
