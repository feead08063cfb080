"""Kept Profiles: what is merged from them is what folding all rows gives, to the last bit, whatever was kept before."""

from __future__ import annotations

import itertools
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest
from captured import HOUR, NOON, body, event
from hypothesis import given, settings
from hypothesis import strategies as st

from driftline.baselines.column import Limits
from driftline.capture.archive import Archive
from driftline.capture.captures import Captures
from driftline.capture.open import open_source
from driftline.capture.tables import META
from driftline.capture.target import target_of
from driftline.capture.upkeep import compact, erase
from driftline.errors import SchemaError, SourceError, UsageError
from driftline.monitor.captured import captured_source, input_digest
from driftline.monitor.engine import Run, compare
from driftline.monitor.job import make_baseline
from driftline.monitor.keeper import FolderKeeper, unpacked
from driftline.monitor.kept import captured_profile, forget_stale
from driftline.monitor.scan import scan
from driftline.reports.codec import to_json

if TYPE_CHECKING:
    from driftline.baselines.profile import Profile

SMALL = Limits(16, 8, 8)
_numbers = itertools.count()


class Memory:
    """Keeps in a dictionary, and counts."""

    def __init__(self) -> None:
        self.held: dict[str, bytes] = {}
        self.n_put = 0

    def get(self, key: str) -> bytes | None:
        return self.held.get(key)

    def put(self, key: str, data: bytes) -> None:
        self.held[key] = data
        self.n_put += 1


class Full(Memory):
    """A disk without room."""

    def put(self, key: str, data: bytes) -> None:
        raise UsageError("no room", code="E-WRITE")


def direct(root: Path, start: int, end: int, limits: Limits | None = SMALL, **options: Any) -> Profile:
    source = captured_source(root, "churn", start, end, **options)
    assert source is not None
    return scan(source, threads=1, limits=limits, compiled=False)


def kept(root: Path, start: int, end: int, keeper: Any, limits: Limits | None = SMALL, **options: Any) -> Any:
    options = {"threads": 1, "compiled": False, **options}
    return captured_profile(root, "churn", start, end, keeper=keeper, limits=limits, **options)


def store(root: Path, bodies: list[tuple[int, Any]], *, variant: str = "AllTraffic", seals: int = 1) -> None:
    """Write events, given as (microseconds after noon, body)."""
    with Captures(root, seal_in="thread") as captures:
        for part in range(seals):
            captures.write(
                [
                    event(f"e{next(_numbers)}", at=NOON + at, input=body(value), variant=variant)
                    for at, value in bodies[part::seals]
                ]
            )
            assert captures.seal()


@pytest.fixture(scope="module")
def hours(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three days of twenty events an hour, in two files each; a column comes late, one is whole numbers at first."""
    root = tmp_path_factory.mktemp("hours")
    rng = np.random.default_rng(5)
    bodies: list[tuple[int, Any]] = []
    for hour in range(72):
        for at in range(20):
            row = {
                "x": int(rng.integers(9)) if hour < 30 else float(rng.normal()),
                "c": f"c{rng.integers(30)}",
            }
            if hour > 50:
                row["late"] = bool(at % 2)
            bodies.append((hour * HOUR + at * HOUR // 20, row))
    store(root, bodies, seals=2)
    return root


END = NOON + 72 * HOUR

# --- the law

values = {
    "whole": st.integers(-5, 5),
    "large": st.integers(2**53 - 1, 2**62),
    "real": st.floats(-4, 4) | st.sampled_from([1e300, -0.0, 0.5]),
    "text": st.sampled_from(["", "a", "1", "1.50", "true", "größe", "x" * 300]),
    "flag": st.booleans(),
    "none": st.none(),
    "mixed": st.sampled_from([1, 2.5, "a", None, True]),
}
names = st.sampled_from(["x", "y", "a/b", "", "__index_level_0__", "_c0", "label", "_model_version", "ü "])
eras = st.dictionaries(names, st.sampled_from(sorted(values)), max_size=4)


@st.composite
def traffic(draw: st.DrawFn) -> list[tuple[int, str, Any]]:
    """Events of a few eras, each with columns of its own, over two days."""
    events = []
    for era in draw(st.lists(eras, min_size=1, max_size=4)):
        for _ in range(draw(st.integers(1, 6))):
            at = draw(st.integers(0, 30)) * HOUR + draw(st.integers(0, HOUR - 1))
            row = {name: draw(values[kind]) for name, kind in era.items() if draw(st.booleans())}
            events.append((at, draw(st.sampled_from(["red", "red-2", "blue"])), row))
    return events


spans = st.tuples(st.integers(0, 31 * HOUR), st.integers(1, 31 * HOUR)) | st.tuples(
    st.integers(0, 30).map(lambda h: h * HOUR), st.integers(1, 31).map(lambda h: h * HOUR)
)


@settings(max_examples=40)
@given(
    events=traffic(),
    windows=st.lists(spans, min_size=1, max_size=3),
    variant=st.sampled_from([None, None, "red"]),
    keep=st.sampled_from([(), ("_side", "_time"), ("_model_version",)]),
    limits=st.sampled_from([SMALL, None]),
    data=st.data(),
)
def test_merging_what_was_kept_is_folding_all_rows(
    tmp_path_factory: pytest.TempPathFactory,
    events: list[tuple[int, str, Any]],
    windows: list[tuple[int, int]],
    variant: str | None,
    keep: tuple[str, ...],
    limits: Limits | None,
    data: st.DataObject,
) -> None:
    root = tmp_path_factory.mktemp("any")
    keeper = Memory()
    cut = data.draw(st.integers(0, len(events)))
    for part in (events[:cut], events[cut:]):
        # What comes with the second part is late for what was kept of the first.
        with Captures(root, seal_in="thread") as captures:
            captures.write(
                [event(f"e{next(_numbers)}", at=NOON + at, input=body(row), variant=v) for at, v, row in part]
            )
            assert captures.seal()
        for first, length in windows:
            span = NOON + first, NOON + first + length
            options = {"variant": variant, "keep": keep}
            source, refused = _opened(root, *span, **options)
            if refused:
                with pytest.raises(SchemaError) as caught:
                    kept(root, *span, keeper, limits, **options)
                assert str(caught.value) == refused
                continue
            found = kept(root, *span, keeper, limits, **options)
            assert found.segments_digest == input_digest(root, "churn", *span, variant)
            if source is None:
                assert (found.profile, found.n_rows, found.segments_digest) == (None, 0, None)
                continue
            expected = scan(source, threads=1, limits=limits, compiled=False)
            assert found.profile.digest == expected.digest
            assert found.profile.sources == found.sources == expected.sources
            assert (found.notes, found.named) == (source.notes, source.named)
            assert found.n_rows == expected.n_rows == found.rows_merged + found.rows_folded
        for key in data.draw(st.sets(st.sampled_from(sorted(keeper.held)))) if keeper.held else ():
            del keeper.held[key]


def _opened(root: Path, *span: int, **options: Any) -> tuple[Any, str]:
    try:
        return captured_source(root, "churn", *span, **options), ""
    except SchemaError as error:
        return None, str(error)


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("compiled", [True, False], ids=["compiled", "numpy"])
def test_threads_and_engine_do_not_show(hours: Path, threads: int, compiled: bool) -> None:
    expected = direct(hours, NOON, END).digest
    keeper = Memory()
    for _ in range(2):
        found = kept(hours, NOON, END, keeper, threads=threads, compiled=compiled)
        assert found.profile.digest == expected


def test_it_is_what_reading_the_files_gives(hours: Path) -> None:
    files = sorted(str(path) for path in hours.rglob("*.parquet"))
    expected = scan(open_source(files), threads=1, compiled=False)
    found = kept(hours, NOON, END, Memory(), None)
    assert found.profile.digest == expected.digest
    assert found.profile.sources == expected.sources


def test_a_report_on_it_is_the_same(hours: Path) -> None:
    start = NOON + 20 * HOUR + HOUR // 3
    baseline = make_baseline([{"x": i / 10, "c": f"c{i}", "gone": 1} for i in range(50)])
    assert baseline.profile is not None
    limits = baseline.profile.limits
    run = Run("now", "2026-01-01T00:00:00Z", 0.0, {})
    keeper = Memory()
    reports = [
        to_json(compare(baseline, profile, run))
        for profile in (
            kept(hours, start, END, keeper, limits).profile,
            kept(hours, start, END, keeper, limits).profile,
            direct(hours, start, END, limits),
        )
    ]
    assert reports[0] == reports[1] == reports[2]


# --- what is folded and what is merged


def test_a_second_run_folds_nothing(hours: Path) -> None:
    keeper = Memory()
    first = kept(hours, NOON, END, keeper)
    assert (first.n_merged, first.n_folded, first.rows_folded) == (0, 72, 1440)
    n_put = keeper.n_put
    second = kept(hours, NOON, END, keeper)
    assert (second.n_merged, second.n_folded, second.rows_merged, second.rows_folded) == (72, 0, 1440, 0)
    assert keeper.n_put == n_put


def test_only_hours_that_lie_in_the_window_wholly_are_kept(hours: Path) -> None:
    keeper = Memory()
    start, end = NOON + HOUR // 2, NOON + 3 * HOUR - 1
    for merged, folded in ((0, 3), (1, 2)):
        found = kept(hours, start, end, keeper)
        assert (found.n_merged, found.n_folded) == (merged, folded)
        assert found.profile.digest == direct(hours, start, end).digest
    assert keeper.n_put == 1


def test_windows_that_overlap_share_hours_and_blocks(hours: Path) -> None:
    keeper = Memory()
    kept(hours, NOON, NOON + 48 * HOUR, keeper)
    found = kept(hours, NOON + HOUR, NOON + 50 * HOUR, keeper)
    assert (found.n_merged, found.n_folded) == (47, 2)


def test_hours_are_shared_by_whoever_asks_for_the_same_columns(hours: Path) -> None:
    keeper = Memory()
    end = NOON + HOUR
    kept(hours, NOON, end, keeper, keep={"x", "c", "not there"})
    assert kept(hours, NOON, end, keeper).n_folded == 0
    for options in ({"keep": ("_side",)}, {"columns": ["x"]}, {"limits": Limits(32, 8, 8)}):
        found = kept(hours, NOON, end, keeper, **options)
        assert found.n_folded == 1
        assert found.profile.digest == direct(hours, NOON, end, **{"limits": SMALL, **options}).digest


def test_late_events_cost_their_hour(tmp_path: Path) -> None:
    store(tmp_path, [(hour * HOUR, {"x": hour}) for hour in range(30)])
    keeper = Memory()
    span = NOON, NOON + 30 * HOUR
    before = kept(tmp_path, *span, keeper)
    store(tmp_path, [(7 * HOUR + 5, {"x": 100})])
    after = kept(tmp_path, *span, keeper)
    assert (after.n_merged, after.n_folded, after.rows_folded, after.n_rows) == (29, 1, 2, 31)
    assert after.segments_digest != before.segments_digest
    assert after.profile.digest == direct(tmp_path, *span).digest


def test_what_was_erased_is_not_found_again(tmp_path: Path) -> None:
    tmp_path, beside = tmp_path / "captures", tmp_path / "kept"
    store(tmp_path, [(i * HOUR // 4, {"who": f"person {i}"}) for i in range(40)])
    keeper = FolderKeeper(target_of(beside))
    span = NOON, NOON + 10 * HOUR
    kept(tmp_path, *span, keeper)
    erase(Archive(tmp_path), event_ids=[min(_ids(tmp_path), key=lambda name: int(name[1:]))])
    found = kept(tmp_path, *span, keeper)
    assert (found.n_rows, found.n_folded) == (39, 1)
    assert found.profile.digest == direct(tmp_path, *span, keep=()).digest
    categories = found.profile.column("who").categories
    assert categories.counts_of([b"person 0"]).tolist() == [0]
    # Its hour and the blocks around it, as they were.
    kept_before = len(list(beside.rglob("*.arrows")))
    assert forget_stale(tmp_path, keeper) > 0
    texts = [_texts_in(path) for path in beside.rglob("*.arrows")]
    assert 0 < len(texts) < kept_before
    assert not any(b"person 0" in each for each in texts)
    assert forget_stale(tmp_path, keeper) == 0
    assert kept(tmp_path, *span, keeper).n_folded == 0


def _texts_in(path: Path) -> list[bytes]:
    piece = unpacked(path.stem, path.read_bytes())
    assert piece is not None
    categories = piece.profile.column("who").categories  # type: ignore[union-attr]
    assert categories is not None
    return [categories.texts.at(i) for i in range(categories.texts.n)]


def _ids(root: Path) -> list[str]:
    from driftline.capture.window import window

    return window(root, "churn", NOON, NOON + 100 * HOUR).table(["_event_id"])["_event_id"].to_pylist()


def test_files_that_were_put_together_are_folded_anew(tmp_path: Path) -> None:
    store(tmp_path, [(i * HOUR // 10, {"x": i}) for i in range(30)], seals=3)
    keeper = Memory()
    span = NOON, NOON + 3 * HOUR
    before = kept(tmp_path, *span, keeper)
    compact(Archive(tmp_path))
    after = kept(tmp_path, *span, keeper)
    assert len(after.sources) < len(before.sources)
    assert after.profile.digest == direct(tmp_path, *span).digest


# --- types that change


def _eras(tmp_path: Path, *kinds: Any) -> None:
    for hour, kind in enumerate(kinds):
        store(tmp_path, [(hour * HOUR + i, {"x": kind(i), "id": i}) for i in range(20)])


def test_whole_numbers_that_become_fractions_are_merged(tmp_path: Path) -> None:
    _eras(tmp_path, int, float, lambda i: i + 0.5, int)
    keeper = Memory()
    span = NOON, NOON + 4 * HOUR
    for folded in (4, 0):
        found = kept(tmp_path, *span, keeper)
        assert found.n_folded == folded
        assert found.profile.digest == direct(tmp_path, *span).digest


def test_whole_numbers_that_fractions_cannot_hold_are_folded_again_and_kept(tmp_path: Path) -> None:
    _eras(tmp_path, int, lambda i: 2**60 + i, lambda i: i + 0.5)
    keeper = Memory()
    span = NOON, NOON + 3 * HOUR
    for hour in range(3):
        kept(tmp_path, NOON + hour * HOUR, NOON + (hour + 1) * HOUR, keeper)
    for folded in (1, 0):
        found = kept(tmp_path, *span, keeper)
        assert (found.n_merged, found.n_folded) == (3 - folded, folded)
        assert found.profile.digest == direct(tmp_path, *span).digest


def test_numbers_that_become_text_are_folded_again_and_kept(tmp_path: Path) -> None:
    _eras(tmp_path, int, float, lambda i: "n/a" if i % 3 else str(i), lambda _: None)
    keeper = Memory()
    span = NOON, NOON + 4 * HOUR
    for hour in range(4):
        kept(tmp_path, NOON + hour * HOUR, NOON + (hour + 1) * HOUR, keeper)
    for folded in (3, 0):
        found = kept(tmp_path, *span, keeper)
        assert found.n_folded == folded
        assert found.profile.digest == direct(tmp_path, *span).digest
        assert found.profile.column("x").family == "lexical"


def test_types_that_no_file_shares_are_told_as_when_reading_them(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    for hour, values in enumerate((pa.array([[1]]), pa.array(["a"]))):
        archive.store(f"h{hour}", [("churn", "AllTraffic", table(hour, x=values))])
    with pytest.raises(SchemaError) as expected:
        direct(tmp_path, NOON, NOON + 2 * HOUR)
    with pytest.raises(SchemaError) as caught:
        kept(tmp_path, NOON, NOON + 2 * HOUR, Memory())
    assert str(caught.value) == str(expected.value)


def _moments(after: list[int]) -> pa.Array:
    return pa.array([NOON + at for at in after]).cast(META.field("_time").type)


def table(hour: int, **columns: pa.Array) -> pa.Table:
    n = len(next(iter(columns.values())))
    times = _moments([hour * HOUR + i for i in range(n)])
    meta = [[f"h{hour}-{i}" for i in range(n)], [0] * n, times, times, ["both"] * n, *[[None] * n] * 3]
    arrays = [pa.array(v, f.type) for v, f in zip(meta, META, strict=True)]
    fields = [*META, *(pa.field(name, values.type) for name, values in columns.items())]
    return pa.table([*arrays, *columns.values()], schema=pa.schema(fields, META.metadata))


@pytest.mark.parametrize(
    "kinds",
    [
        (pa.int8(), pa.int32()),
        (pa.uint8(), pa.uint64()),
        (pa.uint64(), pa.int64()),
        (pa.float32(), pa.float64()),
        (pa.int16(), pa.float32()),
        (pa.null(), pa.date32()),
        (pa.decimal128(5, 2), pa.decimal128(9, 4)),
        (pa.decimal128(5, 2), pa.float64()),
        (pa.timestamp("s"), pa.timestamp("us")),
        (pa.bool_(), pa.string()),
        (pa.dictionary(pa.int32(), pa.string()), pa.large_string()),
    ],
    ids=str,
)
def test_types_are_joined_as_when_read_together(tmp_path: Path, kinds: tuple[Any, Any]) -> None:
    archive = Archive(tmp_path)
    given = [1, None, 0, 1, 1]
    for hour, kind in enumerate(kinds):
        values = pa.nulls(5) if pa.types.is_null(kind) else _cast(given, kind)
        archive.store(f"h{hour}", [("churn", "AllTraffic", table(hour, x=values, y=pa.array(given)))])
    keeper = Memory()
    for _ in range(2):
        found = kept(tmp_path, NOON, NOON + 2 * HOUR, keeper)
        assert found.profile.digest == direct(tmp_path, NOON, NOON + 2 * HOUR).digest


def _cast(values: list[int | None], kind: pa.DataType) -> pa.Array:
    if pa.types.is_decimal(kind):
        return pa.array([None if v is None else Decimal(v) / 4 for v in values], kind)
    if pa.types.is_dictionary(kind):
        return _cast(values, kind.value_type).dictionary_encode()
    if pa.types.is_date(kind):
        return pa.array(values, pa.int32()).cast(kind)
    return pa.array(values).cast(kind)


def test_limits_follow_from_the_columns_of_the_window(tmp_path: Path) -> None:
    store(tmp_path, [(0, {f"a{i}": i for i in range(200)}), (HOUR, {f"b{i}": i for i in range(200)})])
    span = NOON, NOON + 2 * HOUR
    found = kept(tmp_path, *span, Memory(), None)
    assert found.profile.limits == Limits.for_width(401)
    assert found.profile.digest == direct(tmp_path, *span, None).digest


# --- what is kept is never trusted


def damage(keeper: FolderKeeper, how: str) -> int:
    files = sorted(Path(keeper.target.name).rglob("*.arrows"))
    for file in files:
        data = file.read_bytes()
        if how == "cut":
            file.write_bytes(data[: len(data) // 2])
        elif how == "flipped":
            at = len(data) // 2
            file.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
        elif how == "empty":
            file.write_bytes(b"")
        elif how == "gone":
            file.unlink()
        elif how == "folder":
            file.unlink()
            file.mkdir()
        elif how == "another":
            file.write_bytes(files[0].read_bytes())
    return len(files)


@pytest.mark.parametrize("how", ["cut", "flipped", "empty", "gone", "another"])
def test_what_is_damaged_is_folded_anew_and_replaced(hours: Path, tmp_path: Path, how: str) -> None:
    keeper = FolderKeeper(target_of(tmp_path))
    end = NOON + 13 * HOUR
    expected = kept(hours, NOON, end, keeper).profile.digest
    n_files = damage(keeper, how)
    assert n_files > 13
    for is_damaged in (True, False):
        found = kept(hours, NOON, end, keeper)
        assert found.profile.digest == expected
        assert (found.n_folded > 0) == is_damaged
        assert found.notes == ()


def test_what_cannot_be_kept_is_noted(hours: Path, tmp_path: Path) -> None:
    keeper = FolderKeeper(target_of(tmp_path))
    span = NOON, NOON + HOUR
    kept(hours, *span, keeper)
    damage(keeper, "folder")
    for unwilling in (keeper, Full()):
        found = kept(hours, *span, unwilling)
        assert found.profile.digest == direct(hours, *span).digest
        (note,) = found.notes
        assert note.startswith("profiles could not be kept")


def test_a_segment_that_is_not_what_was_written_is_never_kept(tmp_path: Path) -> None:
    store(tmp_path, [(0, {"x": 1})])
    (file,) = tmp_path.rglob("*.parquet")
    data = file.read_bytes()
    keeper = Memory()
    for change in (lambda: file.write_bytes(data + b"x"), file.unlink):
        change()
        with pytest.raises(SourceError) as caught:
            kept(tmp_path, NOON, NOON + HOUR, keeper)
        assert (caught.value.code, caught.value.file) == ("E-DIGEST", str(file))
    assert not keeper.held


# --- windows


def test_a_window_without_rows_is_told(hours: Path) -> None:
    found = kept(hours, NOON - 5 * HOUR, NOON, Memory())
    assert (found.profile, found.n_rows, found.segments_digest, found.sources) == (None, 0, None, ())
    # Within the times of a file, and between two of its events.
    found = kept(hours, NOON + 1, NOON + 2, Memory())
    assert (found.profile.n_rows, found.n_rows) == (0, 0)
    assert found.profile.digest == direct(hours, NOON + 1, NOON + 2).digest


def test_progress_counts_hours(hours: Path) -> None:
    told: list[tuple[int, int]] = []
    keeper = Memory()
    for _ in range(2):
        told.clear()
        kept(hours, NOON, END + 1, keeper, threads=2, progress=lambda *now: told.append(now))
        assert told[-1] == (72, 72)
        assert told == sorted(told)
