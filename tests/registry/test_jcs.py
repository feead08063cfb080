"""Canonical JSON: the published vectors, and laws."""

from __future__ import annotations

import hashlib
import itertools
import json
import struct
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.errors import UsageError
from driftline.registry.jcs import canonical_json, content_hash, digest_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
NUMBERS = st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(1 << 53), 1 << 53)
DOCUMENTS = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(TEXTS, inner, max_size=5),
    max_leaves=20,
)

# RFC 8785, appendix B.
APPENDIX_B = {
    "0000000000000000": "0",
    "8000000000000000": "0",
    "0000000000000001": "5e-324",
    "8000000000000001": "-5e-324",
    "7fefffffffffffff": "1.7976931348623157e+308",
    "ffefffffffffffff": "-1.7976931348623157e+308",
    "4340000000000000": "9007199254740992",
    "c340000000000000": "-9007199254740992",
    "4430000000000000": "295147905179352830000",
    "44b52d02c7e14af5": "9.999999999999997e+22",
    "44b52d02c7e14af6": "1e+23",
    "44b52d02c7e14af7": "1.0000000000000001e+23",
    "444b1ae4d6e2ef4e": "999999999999999700000",
    "444b1ae4d6e2ef4f": "999999999999999900000",
    "444b1ae4d6e2ef50": "1e+21",
    "3eb0c6f7a0b5ed8c": "9.999999999999997e-7",
    "3eb0c6f7a0b5ed8d": "0.000001",
    "41b3de4355555553": "333333333.3333332",
    "41b3de4355555554": "333333333.33333325",
    "41b3de4355555555": "333333333.3333333",
    "41b3de4355555556": "333333333.3333334",
    "41b3de4355555557": "333333333.33333343",
    "becbf647612f3696": "-0.0000033333333333333333",
    "43143ff3c1cb0959": "1424953923781206.2",
}

# The repository's table: SHA-256 of the first lines of the generated file.
LINES = {
    1000: "be18b62b6f69cdab33a7e0dae0d9cfa869fda80ddc712221570f9f40a5878687",
    10_000: "b9f7a8e75ef22a835685a52ccba7f7d6bdc99e34b010992cbc5864cd12be6892",
    100_000: "22776e6d4b49fa294a0d0f349268e5c28808fe7e0cb2bcbe28f63894e494d4c7",
}


def double(bits: int) -> float:
    return float(struct.unpack("<d", bits.to_bytes(8, "little"))[0])


def doubles(data: Path) -> Iterator[int]:
    """The published sequence: edge cases, doubles in a row, then a chain of hashes."""
    for line in (data / "jcs" / "es6-numbers.txt").read_text().split():
        yield int(line, 16)
    yield from range(0x0010000000000000, 0x0010000000000000 + 2000)
    block = bytes(32)
    while True:
        block = hashlib.sha256(block).digest()
        for (bits,) in struct.iter_unpack("<Q", block):
            if bits << 1 & (1 << 64) - 1 and bits >> 52 & 0x7FF != 0x7FF:
                yield bits


@pytest.mark.parametrize("name", ["arrays", "french", "structures", "unicode", "values", "weird"])
def test_published_documents(data: Path, name: str) -> None:
    given = json.loads((data / "jcs" / f"{name}.input.json").read_text("utf-8"))
    assert canonical_json(given) == (data / "jcs" / f"{name}.output.json").read_bytes()


@pytest.mark.parametrize("bits", APPENDIX_B)
def test_numbers_of_the_rfc(bits: str) -> None:
    assert canonical_json(double(int(bits, 16))).decode() == APPENDIX_B[bits]


def test_published_hashes_of_a_hundred_thousand_numbers(data: Path) -> None:
    made = hashlib.sha256()
    for n, bits in enumerate(itertools.islice(doubles(data), max(LINES)), 1):
        made.update(f"{bits:x},".encode() + canonical_json(double(bits)) + b"\n")
        if n in LINES:
            assert made.hexdigest() == LINES[n]


@given(DOCUMENTS)
def test_canonical_json_is_json_and_its_own_canonical_form(document: Any) -> None:
    made = canonical_json(document)
    assert canonical_json(json.loads(made)) == made
    assert json.loads(made, parse_int=float) == document


@given(st.dictionaries(TEXTS, st.integers(0, 9), max_size=8), st.randoms())
def test_the_order_of_members_does_not_matter(document: dict[str, int], rng: Any) -> None:
    items = list(document.items())
    rng.shuffle(items)
    assert canonical_json(dict(items)) == canonical_json(document)


@given(st.lists(TEXTS, unique=True, max_size=8))
def test_members_are_in_the_order_of_utf_16(names: list[str]) -> None:
    made = list(json.loads(canonical_json(dict.fromkeys(names, 0))))
    assert made == sorted(
        names, key=lambda name: struct.unpack(f">{len(u := name.encode('utf-16-be')) // 2}H", u)
    )


def test_a_letter_beyond_the_first_plane_stands_before_a_private_one() -> None:
    assert list(json.loads(canonical_json({"\ufb33": 1, "\U0001f600": 2}))) == ["\U0001f600", "\ufb33"]


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (float("nan"), "E-VALUE"),
        (float("-inf"), "E-VALUE"),
        ((1 << 53) + 1, "E-VALUE"),
        (10**400, "E-VALUE"),
        (10**30 + 1, "E-VALUE"),
        ({1: "a"}, "E-VALUE"),
        (b"bytes", "E-VALUE"),
        ({1, 2}, "E-VALUE"),
        ("\ud800", "E-TEXT"),
        ({"\udfff": 1}, "E-TEXT"),
    ],
)
def test_what_has_no_canonical_form_is_refused(value: Any, code: str) -> None:
    with pytest.raises(UsageError) as caught:
        canonical_json({"a": [value]} if not isinstance(value, dict) else value)
    assert caught.value.code == code
    assert caught.value.fix


def test_what_nests_too_deep_is_refused() -> None:
    deep: Any = 0
    for _ in range(128):
        deep = [deep]
    canonical_json(deep)
    with pytest.raises(UsageError, match="nests"):
        canonical_json([deep])
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(UsageError, match="nests"):
        canonical_json(deep)


def test_whole_numbers_that_are_doubles_are_spelled_as_those() -> None:
    assert canonical_json([1 << 60, 10**21, 295147905179352830000, -(1 << 53)]).decode() == (
        "[1152921504606847000,1e+21,295147905179352830000,-9007199254740992]"
    )


def test_the_hash_is_that_of_text_and_extensions_together() -> None:
    content, extensions = {"b": 1, "a": "é"}, {"x": []}
    spelled = '{"content":{"a":"é","b":1},"extensions":{"x":[]}}'.encode()
    assert content_hash(content, extensions) == "sha256:" + hashlib.sha256(spelled).hexdigest()
    assert content_hash(content, {}) != content_hash({}, content)
    assert digest_of(None) == "sha256:" + hashlib.sha256(b"null").hexdigest()


def test_a_shell_can_compute_the_same_hash() -> None:
    spelled = canonical_json({"content": {"a": 1.5}, "extensions": {}})
    done = subprocess.run(["sha256sum"], input=spelled, capture_output=True, check=True)
    assert content_hash({"a": 1.5}, {}) == "sha256:" + done.stdout.decode().split()[0]
