from __future__ import annotations

import zlib

import pyarrow as pa
import pytest

from driftline.capture.failure import as_source_error, reading
from driftline.errors import DocumentError, SchemaError, SourceError

CASES = [
    (FileNotFoundError(2, "No such file"), "E-FILE", "does not exist"),
    (PermissionError(13, "denied"), "E-FILE", "permission denied"),
    (OSError(5, "Input/output error"), "E-FILE", "Input/output error"),
    (OSError("Couldn't deserialize thrift"), "E-X", "thrift"),
    (pa.ArrowInvalid("Invalid:\n  something."), "E-X", "Invalid: something"),
    (pa.ArrowNotImplementedError("no"), "E-X", "no"),
    (MemoryError(), "E-MEMORY", "more memory"),
    (pa.ArrowMemoryError("malloc"), "E-MEMORY", "more memory"),
    (zlib.error("Error -3"), "E-GZIP", "gzip"),
    (OverflowError("too large"), "E-X", "too large"),
    (UnicodeEncodeError("utf-8", "\ud800", 0, 1, "surrogates"), "E-X", "surrogates"),
]


@pytest.mark.parametrize(("raised", "code", "text"), CASES)
def test_foreign_errors_become_ours(raised: Exception, code: str, text: str) -> None:
    with pytest.raises(SourceError, match=text) as caught, reading("f", "fails", code="E-X"):
        raise raised
    assert caught.value.code == code
    assert caught.value.file == "f"
    assert "\n" not in str(caught.value)


def test_our_errors_pass() -> None:
    with pytest.raises(SchemaError, match="mine"), reading("f"):
        raise SchemaError("mine")


def test_faults_of_ours_pass() -> None:
    with pytest.raises(KeyError), reading("f"):
        raise KeyError("x")


def test_document_errors_keep_their_place() -> None:
    error = as_source_error(DocumentError("bad", code="E-JSON", file="f", line=3, fix="mend it"))
    assert str(error) == "E-JSON: f:3: bad; mend it"
