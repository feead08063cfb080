"""Batch jobs: files of inputs and of outputs become events, one a row.

The job is the endpoint, the time of its start that of its events. The id of an event is made of the job, the content of
the input file and the number of the row, or of the job and the row's own id, so that an import that is repeated stores
nothing twice. A job is stored whole or not at all.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from typing import TYPE_CHECKING, Literal

import pyarrow as pa
import pyarrow.compute as pc

from driftline.capture.batch_files import Job, file_time, found_of, job_of, pairs
from driftline.capture.batch_rows import (
    Rows,
    aligned,
    column,
    columns_of_sides,
    generated_in,
    is_value,
    joined,
    missing_id,
    position_of,
    times_of,
)
from driftline.capture.event import DEFAULT_VARIANT, MAX_ID, check_name
from driftline.capture.imports import Imported, archive_of, paths_of, tally
from driftline.capture.manifest import IMPORT
from driftline.capture.open import open_found
from driftline.capture.tables import META
from driftline.errors import SourceError

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterator, Sequence

    from driftline.capture.archive import Archive
    from driftline.capture.captures import Captures
    from driftline.capture.manifests import Member
    from driftline.capture.source import Source

__all__ = ["import_batch"]

Header = bool | Literal["auto"]


def import_batch(
    captures: Archive | Captures | Callable[[], Archive],
    inputs: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    outputs: str | os.PathLike[str] | Sequence[str | os.PathLike[str]] | None = None,
    *,
    job: str,
    variant: str | None = None,
    id_column: str | None = None,
    time: int | None = None,
    model_version: str | None = None,
    format: str | None = None,  # noqa: A002
    header: Header = "auto",
    output_header: Header = "auto",
    progress: Callable[[int, int], None] | None = None,
) -> Imported:
    """Bring in what a batch job read and answered.

    Parameters
    ----------
    captures : Archive, Captures or callable
        Where to; a callable makes it, once it is clear that there is something to bring in.
    inputs, outputs : path, pattern, URL or a list of these
        Parquet, CSV or JSON Lines, or manifests of SageMaker. Without `outputs` those are taken that lie beside the
        inputs with ``.out`` behind their names, or that the manifests of the outputs name; where there are none, the
        inputs are stored alone.
    job : str
        Name of the job, which is the endpoint of its events.
    variant : str, optional
        ``AllTraffic`` where it is not given.
    id_column : str, optional
        Column of both sides by which rows are joined; by their position otherwise.
    time : int, optional
        Start of the job in microseconds since 1970-01-01 UTC. Otherwise it is what ``GenerateInferenceId`` has put in the
        outputs, the hour in the path of a manifest, what was taken when files of this job were imported before, or the
        time of the oldest output file.
    model_version : str, optional
    format : {"parquet", "csv", "jsonl"}, optional
        Of the inputs; told from the names and the content otherwise, as that of the outputs is.
    header, output_header : bool or "auto"
        Whether CSV files begin with names. ``"auto"`` takes the first line for names unless any of them is a number, a
        time or a UUID.
    progress : callable, optional
        Called with bytes done and bytes in all; every file is read twice.

    Returns
    -------
    Imported

    Raises
    ------
    SourceError, SchemaError
        Where the files cannot be read, ``E-BATCH-FILES`` where they cannot be paired, ``E-BATCH-ROWS`` where a pair has
        different numbers of rows, ``E-BATCH-ID`` for ids that do not name rows.
    UsageError
        ``E-NAME``.
    """
    variant = variant or DEFAULT_VARIANT
    check_name("an endpoint", job)
    check_name("a variant", variant)
    files = job_of(paths_of(inputs), None if outputs is None else paths_of(outputs))
    everything = [*files.inputs, *files.outputs]
    told = _Progress(progress, 2 * sum(member.blob.size for member in everything))
    digests = [_digest(member, told) for member in everything]
    settings = [job, variant, id_column, model_version, format, header, output_header]
    name = IMPORT + hashlib.sha256(json.dumps(["batch", settings, digests]).encode()).hexdigest()
    reader = _Reader(
        files, digests, job, variant, id_column, model_version, format, (header, output_header), told
    )
    archive = archive_of(captures)
    if archive.manifest.token_of(name) is not None:
        return _again(archive, reader, len(everything))
    key = f"job {job}/{variant}"
    usual = files.time
    if usual is None:
        usual = archive.manifest.noted(key)
    if usual is None:
        usual = file_time(files.outputs or files.inputs)
        archive.manifest.note(key, usual)
    reader.time, reader.usual, reader.received = time, usual, archive.clock()
    counts = archive.store(name, reader.tables())
    if counts is None:
        return _again(archive, reader, len(everything))
    return tally(counts, files=len(everything), notes=tuple(reader.notes()))


class _Progress:
    def __init__(self, tell: Callable[[int, int], None] | None, total: int) -> None:
        self._tell, self._total, self._done = tell, total, 0

    def add(self, n_bytes: int) -> None:
        self._done += n_bytes
        if self._tell is not None:
            self._tell(self._done, self._total)


def _digest(member: Member, progress: _Progress) -> str:
    digest = hashlib.sha256()
    for chunk in member.blob.chunks():
        digest.update(chunk)
        progress.add(len(chunk))
    return digest.hexdigest()


def _again(archive: Archive, reader: _Reader, n_files: int) -> Imported:
    """Count what was stored before."""
    n = reader.count()
    counts = {(reader.job, reader.variant, what, ""): n for what in ("received", "duplicate")}
    archive.manifest.commit(counts=counts, now=archive.clock())
    return tally(counts, files=n_files, notes=("these files were imported before",))


class _Reader:
    """Makes tables of a job."""

    time: int | None = None
    usual: int = 0
    received: int = 0

    def __init__(
        self,
        files: Job,
        digests: Sequence[str],
        job: str,
        variant: str,
        id_column: str | None,
        model_version: str | None,
        kind: str | None,
        headers: tuple[Header, Header],
        progress: _Progress,
    ) -> None:
        self.job, self.variant = job, variant
        self._files = files
        self._digests = dict(zip((m.blob.name for m in files.inputs), digests, strict=False))
        self._id_column = id_column
        self._model_version = model_version
        self._kind = kind
        self._headers = headers
        self._progress = progress
        self._seen: Counter[str] = Counter()
        self._alone: Counter[str] = Counter()
        self._notes: dict[str, None] = {}
        self._pairs = [] if id_column is not None and files.outputs else pairs(files)

    def _open(self, members: Sequence[Member], side: int) -> Source:
        found = found_of(members, self._kind if side == 0 else None)
        header = self._headers[side]
        if header == "auto" and found.format == "csv":
            header = _begins_with_names(members[0])
        label = members[0].blob.name
        if len(members) > 1:
            label += f" and {len(members) - 1} more"
        return open_found(found, label=label, header=header)

    def count(self) -> int:
        """Count the rows, without making tables of them."""
        if not self._pairs:
            inputs, outputs = self._open(self._files.inputs, 0), self._open(self._files.outputs, 1)
            with joined(inputs, outputs, self._id_column or "") as rows:
                return sum(some.n for some in rows)
        total = 0
        for member, _ in self._pairs:
            source = self._open([member], 0)
            total += sum(
                part.n_rows if part.n_rows is not None else sum(len(b.arrays[0]) for b in part.read((0,)))
                for part in source.parts
            )
        return total

    def tables(self) -> Iterator[tuple[str, str, pa.Table]]:
        """Give the rows of the job, some at a time."""
        if not self._pairs:
            inputs, outputs = self._open(self._files.inputs, 0), self._open(self._files.outputs, 1)
            with joined(inputs, outputs, self._id_column or "") as rows:
                prefix = hashlib.sha256(f"{self.job}\n{self.variant}".encode()).hexdigest()[:20]
                yield from self._made(rows, inputs, outputs, prefix)
            self._progress.add(sum(m.blob.size for m in (*self._files.inputs, *self._files.outputs)))
            return
        for member, partner in self._pairs:
            inputs = self._open([member], 0)
            beside = None if partner is None else self._open([partner], 1)
            told = f"{self.job}\n{self.variant}"
            if self._id_column is None:
                digest = self._digests[member.blob.name]
                told += f"\n{digest}\n{self._seen[digest]}"
                self._seen[digest] += 1
            prefix = hashlib.sha256(told.encode()).hexdigest()[:20]
            yield from self._made(aligned(inputs, beside), inputs, beside, prefix)
            self._progress.add(member.blob.size + (0 if partner is None else partner.blob.size))

    def _made(
        self, rows: Iterator[Rows], inputs: Source, outputs: Source | None, prefix: str
    ) -> Iterator[tuple[str, str, pa.Table]]:
        last = inputs if outputs is None else outputs
        generated = generated_in(last)
        leave: list[set[int]] = [set(), set()]
        if generated is not None:
            leave[outputs is not None] |= {generated.id, generated.time}
        at = None
        if self._id_column is not None:
            at = position_of(inputs, self._id_column)
            leave[0].add(at)
            if outputs is not None:
                leave[1].add(position_of(outputs, self._id_column))
        chosen = columns_of_sides(inputs, outputs, leave)
        for note in (*inputs.notes, *(() if outputs is None else outputs.notes)):
            self._notes[note] = None
        row = 0
        for some in rows:
            ids, times = some.ids, None
            if ids is None and at is not None:
                ids = some.inputs[at].cast(pa.string())
                if ids.null_count:
                    raise missing_id(inputs, self._id_column)
            callers = ids
            if generated is not None:
                held = some.inputs if outputs is None else some.outputs
                callers = held[generated.id].cast(pa.string())
                if self.time is None:
                    times = times_of(held[generated.time], last.label, self.usual)
            if ids is None:
                ids = pa.array(map(str, range(row, row + some.n)), pa.string())
            named = pc.binary_join_element_wise(prefix, ids, "-")
            yield self.job, self.variant, self._table(some, (inputs, outputs), chosen, named, callers, times)
            row += some.n

    def _table(
        self,
        some: Rows,
        sources: tuple[Source, Source | None],
        chosen: Sequence[tuple[int, int, str]],
        ids: pa.Array,
        callers: pa.Array | None,
        times: pa.Array | None,
    ) -> pa.Table:
        n = some.n
        if callers is not None and (pc.max(pc.utf8_length(callers)).as_py() or 0) > MAX_ID:
            raise SourceError(
                f"holds an id of more than {MAX_ID} characters", code="E-BATCH-ID", file=sources[0].label
            )
        moment = self.usual if self.time is None else self.time
        when = times if times is not None else _repeated(moment, n, pa.int64())
        sides = some.sides if some.sides is not None else _repeated("both" if some.outputs else "input", n)
        if some.sides is not None:
            self._alone.update(
                {item["values"]: item["counts"] for item in pc.value_counts(sides).to_pylist()}
            )
        facts = [
            ids,
            _repeated(0, n, pa.int32()),
            when.cast(META.field("_time").type),
            _repeated(self.received, n, pa.int64()).cast(META.field("_received").type),
            sides,
            pa.nulls(n, pa.string()) if callers is None else callers,
            _repeated(self._model_version, n) if self._model_version else pa.nulls(n, pa.string()),
            pa.nulls(n, META.field("_attributes").type),
        ]
        fields, arrays = list(META), facts
        both = (some.inputs, some.outputs)
        for side, at, name in chosen:
            source = sources[side]
            assert source is not None
            field, array = column(source.fields[at], name, both[side][at])
            fields.append(field)
            arrays.append(array)
        return pa.table(arrays, schema=pa.schema(fields, META.metadata))

    def notes(self) -> Iterator[str]:
        """Say what the reader of the numbers should know."""
        yield from self._notes
        for side, other in (("input", "output"), ("output", "input")):
            n = self._alone[side]
            if n:
                yield f"{n:,} {'row has' if n == 1 else 'rows have'} an {side} and no {other}"


def _repeated(value: object, n: int, kind: pa.DataType | None = None) -> pa.Array:
    return pa.repeat(pa.scalar(value, kind or pa.string()), n)


def _begins_with_names(member: Member) -> Header:
    """Look whether a file begins with names: no, where any of them is a number, a time or an id."""
    from driftline.capture.formats.csv_record import records, split
    from driftline.capture.text import text_chunks

    first = next(records(member.blob.name, text_chunks(member.blob)), None)
    return False if first is not None and any(map(is_value, split(first.text, ","))) else "auto"
