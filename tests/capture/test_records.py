from __future__ import annotations

from collections import Counter

import pyarrow as pa
import pytest
from captured import event, halves
from hypothesis import given
from hypothesis import strategies as st

from driftline.capture.records import (
    Rejected,
    carried_payload,
    dropped_payload,
    event_payload,
    held_in,
    open_payloads,
    rejected_of,
    rejected_payload,
    table_payload,
)
from driftline.errors import SourceError

TABLE = pa.table({"_row": pa.array([0, 1, 0], pa.int32()), "a": [1, 2, 3]})
TEXT = st.text(st.characters(codec=None, exclude_categories=()), max_size=20)


def test_each_kind_survives() -> None:
    ask, _ = halves("h")
    opened = open_payloads(
        [
            event_payload(event("a")),
            table_payload("churn", "blue", TABLE),
            dropped_payload({("churn", "blue", "overload"): 3}),
            dropped_payload({("churn", "blue", "overload"): 2, ("x", "", "disk"): 1}),
            carried_payload("log-1", "token", ask),
        ]
    )
    assert opened.events == [event("a")]
    ((endpoint, variant, table),) = opened.tables
    assert (endpoint, variant) == ("churn", "blue")
    assert table.equals(TABLE)
    assert opened.dropped == Counter({("churn", "blue", "overload"): 5, ("x", "", "disk"): 1})
    assert opened.carried == [("log-1", "token", ask)]
    assert opened.unreadable == 0


@given(TEXT, TEXT, TEXT, TEXT)
def test_rejected_survive(endpoint: str, variant: str, code: str, reason: str) -> None:
    made = Rejected(event("a\n").pack(), endpoint, variant, code, reason)
    assert rejected_of(rejected_payload(made)) == made


@pytest.mark.parametrize("payload", [b"", b"Q", b"Q\n", b"Q[1]\n", b"E{}\n", b"Qnull\n", b"Q\xff\n"])
def test_other_bytes_are_no_rejected_event(payload: bytes) -> None:
    with pytest.raises(SourceError) as info:
        rejected_of(payload)
    assert info.value.code == "E-LOG"


ODD = [
    b"",
    b"X",
    b"E",
    b"E\n",
    b"T",
    b"Ta b\nx",
    b"Tab\n",
    b"D",
    b"D[[1]]",
    b"D3",
    b"C",
    b"Ca\n",
    b"C\xff \n{}",
    b"Q[]\n",
]


@pytest.mark.parametrize("payload", ODD)
def test_odd_payloads_are_counted(payload: bytes) -> None:
    opened = open_payloads([payload, event_payload(event("a"))])
    assert (opened.unreadable, len(opened.events)) == (1, 1)
    assert held_in([payload, event_payload(event("a"))], "churn").events == 1


@given(st.binary(max_size=60))
def test_noise_never_fails(noise: bytes) -> None:
    for kind in (b"E", b"T", b"D", b"C", b"Q", b""):
        open_payloads([kind + noise])
        held_in([kind + noise], "churn")


def test_events_are_counted_without_taking_them_apart() -> None:
    ask, _ = halves("h")
    payloads = [
        event_payload(event("a")),
        event_payload(event("b", endpoint="other", attributes={"long": "x" * 5000})),
        table_payload("churn", "blue", TABLE),
        dropped_payload({("churn", "v", "overload"): 3, ("other", "v", "overload"): 4}),
        carried_payload("log", "token", ask),
    ]
    assert held_in(payloads).events == 4
    assert held_in(payloads).dropped == {"overload": 7}
    assert held_in(payloads).carried == {("log", "token"): 1}
    assert held_in(payloads, "other").events == 1
    assert held_in(payloads, "churn").events == 3
    assert held_in(payloads, "other").dropped == {"overload": 4}
    assert held_in(payloads, "other").carried == {("log", "token"): 0}
    assert held_in(payloads, "nobody").events == 0
