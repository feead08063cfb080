"""Hypothesis strategies that several tests share."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

LARGEST = 1.7976931348623157e308
SMALLEST = 5e-324

odd_floats = st.sampled_from(
    [
        0.0,
        -0.0,
        SMALLEST,
        -SMALLEST,
        2.2250738585072014e-308,
        -1e-310,
        LARGEST,
        -LARGEST,
        1e-170,
        1.0,
        np.nextafter(1.0, 2.0).item(),
        1e16 + 2,
        2.0**53,
        0.1,
        -0.5,
        1e154,
        -1e154,
    ]
)
finite = st.one_of(
    odd_floats,
    st.floats(allow_nan=False, allow_infinity=False),
    st.integers(-5, 5).map(float),
    st.floats(-1, 1).map(lambda v: 1e9 + v),
)
floats = st.one_of(finite, st.sampled_from([float("nan"), float("inf"), float("-inf")]))
integers = st.one_of(
    st.integers(-5, 5),
    st.integers(-(2**63), 2**63 - 1),
    st.sampled_from(
        [2**53, 2**53 + 1, -(2**53) - 1, 2**63 - 1, -(2**63), 2**31, -(2**31), 2**62 + 1, 2**63 - 1024]
    ),
)
texts = st.one_of(
    st.sampled_from(
        [b"", b"a", b"b", b"12345678", b"123456789", "größe".encode(), "日本".encode(), b"a" * 300]
    ),
    st.text(max_size=20).map(lambda s: s.encode("utf-8", "surrogatepass")),
    st.integers(0, 40).map(lambda i: b"c%d" % i),
)
hashes = st.one_of(st.integers(0, 2**64 - 1), st.integers(0, 9), st.integers(0, 63).map(lambda i: 1 << i))


def rows_of(values: st.SearchStrategy, *, most: int = 60) -> st.SearchStrategy:
    """Lists that sometimes hold one value only, and often repeat some."""
    plain = st.lists(values, max_size=most)
    constant = st.builds(lambda v, n: [v] * n, values, st.integers(0, most))
    return st.one_of(plain, plain, constant)
