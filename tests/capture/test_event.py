from __future__ import annotations

from typing import Any

import pytest
from captured import event
from hypothesis import given
from hypothesis import strategies as st

from driftline.capture.event import Event, Payload, check_name, new_id, now
from driftline.errors import SourceError, UsageError

TEXT = st.text(st.characters(codec=None, exclude_categories=()), max_size=20)
SIDES = st.none() | st.builds(Payload, TEXT, st.binary(max_size=40), st.booleans())
EVENTS = st.builds(
    Event,
    TEXT,
    TEXT,
    TEXT,
    st.integers(-(2**63), 2**63),
    st.none() | st.integers(),
    SIDES,
    SIDES,
    st.none() | TEXT,
    st.none() | TEXT,
    st.dictionaries(TEXT, TEXT, max_size=3),
    st.booleans(),
)


@given(EVENTS)
def test_pack_and_unpack_give_the_same_event(made: Event) -> None:
    assert Event.unpack(made.pack()) == made


@given(EVENTS, st.data())
def test_unpack_never_fails_but_with_its_own_error(made: Event, data: st.DataObject) -> None:
    packed = made.pack()
    cut = packed[: data.draw(st.integers(0, len(packed)))]
    code = None
    try:
        Event.unpack(cut)
    except SourceError as error:
        code = error.code
    # Where it passes the head is whole, and says that no body follows.
    assert code == "E-LOG" or (code is None and cut.startswith(packed.partition(b"\n")[0]))


@pytest.mark.parametrize("data", [b"", b"{}", b"[]\n", b"null\n", b"1\n", b"\xff\n", b'{"id":1}\n'])
def test_unpack_refuses_other_bytes(data: bytes) -> None:
    with pytest.raises(SourceError, match="no event") as info:
        Event.unpack(data)
    assert info.value.code == "E-LOG"


def test_moment_is_the_senders_time_or_that_of_arrival() -> None:
    assert event("a", at=7, time=3).moment == 3
    assert event("a", at=7, time=None).moment == 7
    assert event("a", at=7, time=0).moment == 0


@pytest.mark.parametrize("name", ["a", "A1", "a-b_c.d", "a" * 63, "0"])
def test_names_of_endpoints(name: str) -> None:
    assert check_name("an endpoint", name) == name


@pytest.mark.parametrize(
    "name",
    [
        "",
        "a" * 64,
        ".",
        "..",
        "../x",
        "a/b",
        "a\\b",
        "-a",
        "a-",
        "a b",
        "é",
        "a\n",
        "\n",
        "a=b",
        None,
        3,
        b"a",
    ],
)
def test_no_name_leads_out_of_its_folder(name: Any) -> None:
    with pytest.raises(UsageError) as info:
        check_name("an endpoint", name)
    assert info.value.code == "E-NAME"


def test_check_name_is_quick_for_hostile_names() -> None:
    with pytest.raises(UsageError):
        check_name("an endpoint", "a" + "-" * 10_000_000)
    with pytest.raises(UsageError):
        check_name("an endpoint", "a-" * 31 + "/")


def test_new_ids_differ_and_time_passes() -> None:
    assert len({new_id() for _ in range(1000)}) == 1000
    assert 1_600_000_000_000_000 < now() < 4_000_000_000_000_000
