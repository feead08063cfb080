"""Kept Profiles: a window is merged from what was folded before, and only what is missing is folded.

What is kept is one Profile per endpoint, variant and hour of capture, under a key that is a digest of everything it
follows from: the digests of the hour's files, the limits, the columns. Files that come late, are put together or lose a
person's rows have other digests, so that what was kept of them is simply not found any more.

Hours that are merged are kept as well, in blocks (:mod:`driftline.monitor.blocks`), under the digest of the keys of their
parts. A window of any length is then a few blocks and, at its ends, some hours; a late event costs its hour and the blocks
around it.

The result is what folding all rows of the window in one go gives, to the last bit. Each piece is brought to the columns and
types that the files of the window have together, and its row numbers to their places among them. Where a type cannot be
changed afterwards (a number that is text in another hour) the hour is folded again as that type, and kept as such.
"""

from __future__ import annotations

import hashlib
import threading
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from driftline.baselines.column import Column, Limits
from driftline.baselines.profile import Profile
from driftline.capture.matching import ALWAYS
from driftline.capture.stored import FACTS
from driftline.capture.target import target_of
from driftline.capture.window import segments_of
from driftline.documents import encode
from driftline.errors import SchemaError, UsageError
from driftline.kernels.compiled import worth_loading
from driftline.monitor.blocks import Node, cover
from driftline.monitor.captured import SegmentFiles, captured_source, found, segments_digest
from driftline.monitor.fitting import Readings, empty_column, fitted, is_as, merged_column, written
from driftline.monitor.keeper import FORMAT, Keeper, Origin, Piece, files_digest, packed, unpacked
from driftline.monitor.scan import n_threads, scan

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Collection, Iterator, Sequence
    from datetime import timedelta

    from driftline.capture.manifest import Segment
    from driftline.capture.source import Field, Source
    from driftline.capture.window import Window
    from driftline.monitor.keeper import FolderKeeper

__all__ = ["Keeper", "Kept", "captured_profile", "forget_stale", "labelled_profile"]

_TASK_HOURS = 24
"""Largest block that one thread makes by itself."""


@dataclass(frozen=True, slots=True)
class Kept:
    """The Profile of a window, and how it came about.

    Attributes
    ----------
    profile : Profile or None
        None where nothing was captured.
    n_rows : int
        Rows of the window.
    n_merged, n_folded : int
        Hours, of one variant each, that were merged from what was kept, and that were folded from their rows.
    rows_merged, rows_folded : int
        Their rows, as far as they lie in the window.
    segments_digest : str or None
        What the input is known by, see :func:`driftline.monitor.captured.input_digest`; None where nothing was captured.
    sources : tuple of str
        The files of the window.
    notes : tuple of str
        What a reader of the result should know.
    named : bool
        False where columns are positions, see :attr:`driftline.capture.source.Source.named`.
    """

    profile: Profile | None
    n_rows: int
    n_merged: int = 0
    n_folded: int = 0
    rows_merged: int = 0
    rows_folded: int = 0
    segments_digest: str | None = None
    sources: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    named: bool = True


def captured_profile(
    root: str | os.PathLike[str],
    endpoint: str,
    start_us: int,
    end_us: int,
    *,
    variant: str | None = None,
    keeper: Keeper,
    limits: Limits | None = None,
    keep: Collection[str] = (),
    columns: Sequence[str] | None = None,
    threads: int | None = None,
    progress: Callable[[int, int], None] | None = None,
    compiled: bool | None = None,
) -> Kept:
    """Return the Profile of what was captured in a window, from kept Profiles as far as there are any.

    Parameters
    ----------
    root : path or URL
        Of the captures.
    endpoint : str
    start_us, end_us : int
        Microseconds since 1970-01-01 UTC; `end_us` is not part of the window. Hours that lie in it wholly are kept.
    variant : str, optional
        All of them by default.
    keeper : Keeper
        What it lacks is made and put there; that it cannot be written is a note, not an error.
    limits : Limits, optional
        The baseline's; they follow from the number of columns where not given.
    keep : collection of str
        Columns about the event to read too, as :func:`driftline.monitor.job.check` does those of the baseline.
    columns : sequence of str, optional
        Columns to read, in this order.
    threads : int, optional
        See :func:`driftline.monitor.scan.n_threads`.
    progress : callable, optional
        Called with (hours done, hours in all).
    compiled : bool, optional
        Use the compiled loops; decided by the amount of data where not given.

    Returns
    -------
    Kept
        Its profile is that of :func:`~driftline.monitor.scan.scan` over
        :func:`~driftline.monitor.captured.captured_source`, with the same digest.

    Raises
    ------
    UsageError
        ``E-TIME``, ``E-NAME``, ``E-THREADS``.
    SourceError, SchemaError
        As :func:`driftline.capture.open.open_source`; ``E-DIGEST`` where a file is missing or is not what was written.
    """
    asked = found(root, endpoint, start_us, end_us, variant)
    if not asked.segments:
        return Kept(None, 0)
    facts = tuple(sorted(FACTS.intersection(keep)))
    readings = Readings(endpoint, facts, columns)
    run = _Run(asked, keeper, readings, n_threads(threads), progress, compiled)
    try:
        if limits is not None:
            return run.kept(limits)
        # As many columns as the newest file has, which is nearly always right.
        likely = Limits.for_width(run.width(asked.segments[-1]))
        try:
            return run.kept(likely, follow=True)
        except _OtherLimitsError as other:
            return run.kept(other.limits)
    except (SchemaError, _NotMergedError):
        # Reading all files as one says what is wrong with them, if anything is.
        return run.in_one_go(
            captured_source(
                root,
                endpoint,
                start_us,
                end_us,
                variant=variant,
                keep=facts,
                columns=columns,
                threads=run.threads,
            ),
            limits,
        )


def labelled_profile(
    root: str | os.PathLike[str],
    endpoint: str,
    start_us: int,
    end_us: int,
    *,
    variant: str | None = None,
    delay: timedelta | None = None,
    as_of: int | None = None,
    limits: Limits | None = None,
    keep: Collection[str] = (),
    threads: int | None = None,
    progress: Callable[[int, int], None] | None = None,
    compiled: bool | None = None,
) -> Kept:
    """Return the Profile of a window with its labels, folded from the rows: a label may come at any time.

    Parameters
    ----------
    root, endpoint, start_us, end_us, variant, limits, keep, threads, progress, compiled
        As for :func:`captured_profile`.
    delay, as_of
        As for :func:`driftline.capture.labelled.labelled`.

    Returns
    -------
    Kept
        Its columns are the features and those of the labels; ``_label_time`` only where `keep` names it. The digest of
        the input counts every file of labels of the endpoint.

    Raises
    ------
    UsageError, SourceError
        As :func:`driftline.capture.labelled.labelled` and its batches.
    SchemaError
        ``E-NO-COLUMNS``.
    """
    from driftline.capture.labelled import labelled
    from driftline.monitor.labels import labelled_source

    joined = labelled(root, endpoint, start_us, end_us, variant=variant, delay=delay, as_of=as_of)
    if not joined.window.segments:
        return Kept(None, 0)
    source = labelled_source(joined, keep)
    profile = scan(source, threads=n_threads(threads), limits=limits, compiled=compiled, progress=progress)
    n_hours = len({(s.variant, s.hour) for s in joined.window.segments})
    digest = segments_digest(joined.window.segments, joined.labels)
    n_rows = profile.n_rows
    return Kept(profile, n_rows, 0, n_hours, 0, n_rows, digest, profile.sources, source.notes, source.named)


def forget_stale(
    root: str | os.PathLike[str], keeper: FolderKeeper, *, endpoints: Collection[str] | None = None
) -> int:
    """Remove kept Profiles of files that are not to be seen any more; return how many there were.

    What is kept of files that were erased, put together or came to have company is never asked for again, but it still
    holds texts of the rows that were in them: call this after an erasure.

    Parameters
    ----------
    root : path or URL
        Of the captures.
    keeper : FolderKeeper
    endpoints : collection of str, optional
        Those whose captures are there; what is kept of others is left alone. Where not given, `keeper` must hold what is
        kept of no other captures.

    Raises
    ------
    SourceError
        ``E-NO-STORE`` where there are no captures, ``E-STORE``.
    UsageError
        ``E-STORE`` where a file cannot be removed.
    """
    target = target_of(root)
    listed: dict[tuple[str, str], dict[int, list[Segment]]] = {}

    def is_wanted(origin: Origin) -> bool:
        if endpoints is not None and origin.endpoint not in endpoints:
            return True
        key = origin.endpoint, origin.variant
        if key not in listed:
            by_hour = listed[key] = {}
            for segment in segments_of(target, *key, ALWAYS):
                by_hour.setdefault(segment.hour, []).append(segment)
        hours = range(origin.first, origin.first + origin.span)
        here = [segment for hour in hours for segment in listed[key].get(hour, ())]
        here.sort(key=lambda s: target.shown(s.path))
        return origin.files == files_digest(s.sha256 for s in here)

    return keeper.forget(is_wanted)


class _OtherLimitsError(Exception):
    """The window has more or fewer columns than was thought."""

    def __init__(self, limits: Limits) -> None:
        super().__init__()
        self.limits = limits


class _NotMergedError(Exception):
    """A column came out of another type than it was folded as."""


@dataclass(frozen=True, slots=True)
class _Plan:
    """A node whose piece is at hand, or is to be made of parts, or is the next that is made."""

    node: Node
    piece: Piece | None
    parts: tuple[_Plan, ...] = ()


@dataclass(slots=True)
class _Run:
    """One answer in the making."""

    asked: Window
    keeper: Keeper
    readings: Readings
    threads: int
    progress: Callable[[int, int], None] | None
    compiled: bool | None
    limits: Limits = field(default_factory=Limits)
    files: SegmentFiles = field(init=False)
    notes: dict[str, None] = field(default_factory=dict)
    folded: dict[tuple[str, int], int] = field(default_factory=dict)
    values_folded: int = 0
    hours_done: int = 0
    hours_in_all: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.files = SegmentFiles(self.asked.target)

    # --- the whole ---

    def kept(self, limits: Limits, *, follow: bool = False) -> Kept:
        """Make the answer; with `follow` only if these limits are those for the columns of the window."""
        self.limits, self.folded = limits, {}
        segments = self.asked.segments
        whole, ends = cover(self.asked)
        self.hours_done, self.hours_in_all = 0, sum(node.hours for node in (*whole, *ends))
        pieces = list(self._gathered(whole))
        schemas = {i: self._schema_of(segments[i]) for node in ends for i in node.files}
        for node, piece in zip(whole, pieces, strict=True):
            schemas |= {i: piece.schemas[s] for i, s in zip(node.files, piece.shape, strict=True)}
        names = tuple(self.asked.target.shown(s.path) for s in segments)
        source = self.readings.source((name, schemas[i]) for i, name in enumerate(names))
        if follow and (right := Limits.for_width(len(source.fields))) != limits:
            raise _OtherLimitsError(right)
        parts = []
        for node, piece in zip(whole, pieces, strict=True):
            parts.append((node.files, self._fitted(node, piece, source.fields)))
        for node in ends:
            parts.append((node.files, self._folded(node, written(source.fields), self.threads).profile))
        columns = self._merged(source.fields, parts)
        return self._answer(Profile(columns, columns[0].n_rows, limits, names), source, ())

    def in_one_go(self, source: Source | None, limits: Limits | None) -> Kept:
        """Make the answer without what is kept."""
        assert source is not None
        profile = scan(source, threads=self.threads, limits=limits, compiled=self.compiled)
        self.folded = {}
        for s in self.asked.segments:
            self.folded[s.variant, s.hour] = self.folded.get((s.variant, s.hour), 0) + s.rows
        why = "the rows were folded in one go, since what is kept of them cannot be merged"
        return self._answer(profile, source, (why,))

    def _answer(self, profile: Profile, source: Source, more: tuple[str, ...]) -> Kept:
        segments, n_rows = self.asked.segments, profile.n_rows
        rows_folded = min(n_rows, sum(self.folded.values()))
        return Kept(
            profile,
            n_rows,
            len({(s.variant, s.hour) for s in segments}) - len(self.folded),
            len(self.folded),
            n_rows - rows_folded,
            rows_folded,
            segments_digest(segments),
            profile.sources,
            (*source.notes, *more, *self.notes),
            source.named,
        )

    def width(self, segment: Segment) -> int:
        """Return how many columns of a file are read."""
        return len(self.readings.features([self._schema_of(segment)]))

    def _merged(
        self, fields: Sequence[Field], parts: Sequence[tuple[tuple[int, ...], Profile]]
    ) -> tuple[Column, ...]:
        rows = [segment.rows for segment in self.asked.segments]

        def merged(wanted: Field) -> Column:
            return merged_column(empty_column(wanted, self.limits), parts, rows)

        if self.threads == 1 or len(parts) == 1:
            return tuple(merged(wanted) for wanted in fields)
        with ThreadPoolExecutor(self.threads) as pool:
            return tuple(pool.map(merged, fields))

    # --- pieces ---

    def _gathered(self, nodes: Sequence[Node]) -> Iterator[Piece]:
        """Give the pieces of whole nodes; those that are missing are made by several threads, a few at a time."""
        missing: list[Node] = []
        with ThreadPoolExecutor(self.threads) as pool:
            there = list(pool.map(self._got, nodes))
            plans = [
                self._planned(node, missing) if piece is None else _Plan(node, piece)
                for node, piece in zip(nodes, there, strict=True)
            ]
            del there
            made = _ahead(pool, self._made, missing, self.threads + 1)
            for plan in plans:
                yield self._assembled(plan, made)

    def _planned(self, node: Node, missing: list[Node]) -> _Plan:
        """Say how a node that is missing is made: as a whole, unless it is too large for one thread."""
        if node.span <= _TASK_HOURS:
            missing.append(node)
            return _Plan(node, None)
        plans = []
        for part in node.parts:
            piece = self._got(part)
            plans.append(self._planned(part, missing) if piece is None else _Plan(part, piece))
        return _Plan(node, None, tuple(plans))

    def _assembled(self, plan: _Plan, made: Iterator[Piece]) -> Piece:
        if plan.piece is not None:
            return plan.piece
        if not plan.parts:
            return next(made)
        return self._block(plan.node, [self._assembled(part, made) for part in plan.parts], b"")

    def _gather(self, node: Node, forced: bytes) -> Piece:
        """Return the piece of a node, made where it is missing.

        `forced` is a schema that columns are read as, whatever they are.
        """
        piece = self._got(node, forced)
        return self._made(node, forced) if piece is None else piece

    def _made(self, node: Node, forced: bytes = b"") -> Piece:
        """Make the piece of a node out of its parts or its rows, and keep it."""
        if node.parts:
            return self._block(node, [self._gather(part, forced) for part in node.parts], forced)
        piece = self._folded(node, forced, self.threads if self.hours_in_all == 1 else 1)
        self._put(node, forced, piece)
        return piece

    def _block(self, node: Node, pieces: Sequence[Piece], forced: bytes) -> Piece:
        schemas = tuple(dict.fromkeys(schema for piece in pieces for schema in piece.schemas))
        number = {schema: i for i, schema in enumerate(schemas)}
        by_file: dict[int, bytes] = {}
        for part, piece in zip(node.parts, pieces, strict=True):
            by_file |= {i: piece.schemas[s] for i, s in zip(part.files, piece.shape, strict=True)}
        listed = [by_file[i] for i in node.files]
        fields = self.readings.features([*listed, *([forced] if forced else [])])
        place = {i: at for at, i in enumerate(node.files)}
        parts = [
            (tuple(place[i] for i in part.files), self._fitted(part, piece, fields))
            for part, piece in zip(node.parts, pieces, strict=True)
        ]
        rows = [self.asked.segments[i].rows for i in node.files]
        columns = tuple(merged_column(empty_column(f, self.limits), parts, rows) for f in fields)
        made = Piece(
            Profile(columns, sum(rows), self.limits), schemas, tuple(number[schema] for schema in listed)
        )
        self._put(node, forced, made)
        return made

    def _fitted(self, node: Node, piece: Piece, fields: Sequence[Field]) -> Profile:
        """Return the profile of a piece, its columns as `fields` are; folded anew where nothing else helps."""
        held = self.readings.fields([piece.schemas[s] for s in piece.shape])
        odd: list[Field] = []
        columns: list[Column] = []
        for wanted in fields:
            column = piece.profile.column(wanted.name)
            if column is None:
                continue
            fit = fitted(column, held.get(wanted.name), wanted, self.limits)
            if fit is None:
                odd.append(wanted)
            else:
                columns.append(fit)
        if odd:
            fresh = self._gather(node, written(odd)).profile
            for wanted in odd:
                column = fresh.column(wanted.name)
                if column is None or not is_as(column, empty_column(wanted, self.limits)):
                    raise _NotMergedError
                columns.append(column)
        return Profile(tuple(columns), piece.profile.n_rows, self.limits)

    def _folded(self, node: Node, forced: bytes, threads: int) -> Piece:
        """Fold the rows of an hour that lie in the window."""
        asked = self.asked
        segments = [asked.segments[i] for i in node.files]
        read_as = self.readings.schema(forced) if forced else None
        schemas = [self._schema_of(s) for s in segments]
        distinct = tuple(dict.fromkeys(schemas))
        opened = self.files.source(segments, asked.start, asked.end, label=asked.endpoint, read_as=read_as)
        source = self.readings.chosen(opened)
        n_rows = sum(s.rows for s in segments)
        profile = Profile((), n_rows, self.limits)
        if source is not None:
            compiled = self.compiled
            if compiled is None:
                # All that was folded before counts: many small hours repay loading the loops as a large one does.
                self.values_folded += n_rows * len(source.fields)
                compiled = worth_loading(self.values_folded)
            profile = scan(source, threads=threads, limits=self.limits, compiled=compiled)
        self.folded[node.variant, node.first] = profile.n_rows
        self._told(1)
        return Piece(
            replace(profile, sources=()), distinct, tuple(distinct.index(schema) for schema in schemas)
        )

    def _schema_of(self, segment: Segment) -> bytes:
        return self.readings.known(self.files.schema(segment))

    # --- keeping ---

    def _key(self, node: Node, forced: bytes) -> str:
        if node.parts:
            content = [self._key(part, forced) for part in node.parts]
        else:
            content = [self.asked.segments[i].sha256 for i in node.files]
        columns = self.readings.columns
        what = [
            FORMAT,
            self.asked.endpoint,
            node.variant,
            node.first,
            node.span,
            content,
            [self.limits.cells, self.limits.categories, self.limits.sample],
            list(self.readings.keep),
            None if columns is None else sorted(columns),
            hashlib.sha256(forced).hexdigest(),
        ]
        return hashlib.sha256(encode(what).encode("utf-8", "surrogatepass")).hexdigest()

    def _got(self, node: Node, forced: bytes = b"") -> Piece | None:
        key = self._key(node, forced)
        data = self.keeper.get(key)
        piece = None if data is None else unpacked(key, data)
        if (
            piece is None
            or piece.profile.n_rows != sum(self.asked.segments[i].rows for i in node.files)
            or piece.profile.limits != self.limits
            or len(piece.shape) != len(node.files)
        ):
            return None
        self._told(node.hours)
        return piece

    def _put(self, node: Node, forced: bytes, piece: Piece) -> None:
        key = self._key(node, forced)
        digests = files_digest(self.asked.segments[i].sha256 for i in node.files)
        origin = Origin(self.asked.endpoint, node.variant, node.first, node.span, digests)
        try:
            self.keeper.put(key, packed(key, piece, origin))
        except UsageError as error:
            why = f"profiles could not be kept, and are folded again next time: {error.message}"
            self.notes[why] = None

    def _told(self, hours: int) -> None:
        with self.lock:
            # An hour that is folded a second time, as another type, was told before.
            self.hours_done = min(self.hours_in_all, self.hours_done + hours)
            if self.progress is not None:
                self.progress(self.hours_done, self.hours_in_all)


def _ahead(
    pool: ThreadPoolExecutor, make: Callable[[Node], Piece], nodes: Sequence[Node], most: int
) -> Iterator[Piece]:
    """Give what is made of `nodes` in order, with at most so many under way."""
    waiting: deque[Any] = deque()
    try:
        for node in nodes:
            waiting.append(pool.submit(make, node))
            if len(waiting) >= most:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        for future in waiting:
            future.cancel()
