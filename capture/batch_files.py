"""Files of a batch job: which ones are meant, and which output belongs to which input."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from driftline.capture.blob import Blob, local_blob
from driftline.capture.failure import reading
from driftline.capture.find import ENDINGS, Found, everything, format_of
from driftline.capture.manifests import Member, hour_of, is_output, members, other_side
from driftline.capture.sniff import settled
from driftline.errors import InputError, SourceError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["Job", "file_time", "found_of", "job_of", "pairs"]

OUT = ".out"
"""What Batch Transform puts behind the name of an input."""


@dataclass(frozen=True, slots=True)
class Job:
    """Files of a batch job.

    Attributes
    ----------
    inputs, outputs : tuple of Member
        `outputs` is empty where there are none.
    time : int or None
        When it began, by the path of a manifest, in microseconds since 1970-01-01 UTC.
    """

    inputs: tuple[Member, ...]
    outputs: tuple[Member, ...]
    time: int | None


def job_of(inputs: Sequence[str], outputs: Sequence[str] | None = None) -> Job:
    """Find the files of a batch job.

    Parameters
    ----------
    inputs, outputs : sequence of str
        Files, folders, patterns, URLs or manifests of SageMaker. Without `outputs` those are taken that lie beside the
        inputs with ``.out`` behind their names, or that a manifest in ``output/yyyy/mm/dd/hh`` names.

    Raises
    ------
    SourceError
        ``E-NO-DATA``, ``E-FILE``, ``E-STORE``, ``E-BATCH-MANIFEST``.
    """
    asked = _members(inputs)
    ours = tuple(m for m, path in asked if not is_output(path) and not m.key.endswith(OUT))
    beside = [m for m, path in asked if is_output(path)]
    times = [time for _, path in asked if (time := hour_of(path)) is not None]
    if not ours:
        if not asked:
            raise SourceError("holds no data file", code="E-NO-DATA", file=inputs[0], fix="check the path")
        # Outputs alone: what a job writes that puts its inputs before its answers.
        return Job(tuple(m for m, _ in asked), (), min(times, default=None))
    if outputs is not None:
        told = _members(outputs)
        if not told:
            raise SourceError("holds no data file", code="E-NO-DATA", file=outputs[0], fix="check the path")
        times += [time for _, path in told if (time := hour_of(path)) is not None]
        return Job(ours, tuple(m for m, _ in told), min(times, default=None))
    for path in inputs:
        there = other_side(path)
        if there is not None and not beside:
            try:
                beside = [m for m, _ in _members([there + _options(path)])]
            except InputError:
                beside = []  # No manifest of outputs: there may be outputs beside the inputs.
    return Job(ours, tuple(beside) or _beside(ours), min(times, default=None))


def _options(path: str) -> str:
    return "?" + path.partition("?")[2] if "://" in path and "?" in path else ""


def _members(paths: Sequence[str]) -> list[tuple[Member, str]]:
    """List files, those that manifests name in their place, each with the path by which it was found."""
    options = next((o[1:] for o in map(_options, paths) if o), "")
    plain: list[Blob] = []
    listed: list[tuple[Member, str]] = []
    for outright, blob in everything(paths):
        named = members(blob, options) if outright or format_of(blob.name) in ("jsonl", None) else None
        if named is not None:
            listed += [(member, blob.name) for member in named]
        elif outright or format_of(blob.name.removesuffix(OUT)) is not None:
            plain.append(blob)
    folder = _common(blob.name for blob in plain)
    listed += [(Member(blob, blob.name[len(folder) :]), blob.name) for blob in plain]
    return listed


def _common(names: Iterable[str]) -> str:
    folders = [name.rpartition("/")[0].split("/") for name in names]
    common: list[str] = []
    for parts in zip(*folders, strict=False):
        if len(set(parts)) > 1:
            break
        common.append(parts[0])
    return "/".join(common) + "/" if any(common) else ""


def _beside(inputs: Sequence[Member]) -> tuple[Member, ...]:
    """Find the outputs that lie beside the inputs; where some input has none, that is said when they are paired."""
    found = []
    for member in inputs:
        blob = member.blob
        if blob.remote:
            from pyarrow import fs

            with reading(blob.name, code="E-STORE"):
                (info,) = blob.store.get_file_info([blob.path + OUT])
            if info.type == fs.FileType.File:
                there = Blob(blob.name + OUT, info.path, info.size, blob.store)
                found.append(Member(there, member.key + OUT))
        elif os.path.exists(blob.path + OUT):  # noqa: PTH110
            found.append(Member(local_blob(blob.path + OUT, blob.name + OUT), member.key + OUT))
    return tuple(found)


def pairs(job: Job) -> list[tuple[Member, Member | None]]:
    """Put every output beside its input, by name: the same, with ``.out`` behind it, or another ending.

    Raises
    ------
    SourceError
        ``E-BATCH-FILES`` for a file without a partner.
    """
    if not job.outputs:
        return [(member, None) for member in sorted(job.inputs, key=_key)]
    if len(job.inputs) == len(job.outputs) == 1:
        return [(job.inputs[0], job.outputs[0])]
    stray = ""
    for name_of in (_plain, _stem):
        inputs = {name_of(m): m for m in job.inputs}
        outputs = {name_of(m): m for m in job.outputs}
        apart = inputs.keys() ^ outputs.keys()
        if not apart and len(inputs) == len(job.inputs) and len(outputs) == len(job.outputs):
            return [(inputs[name], outputs[name]) for name in sorted(inputs)]
        if apart:
            first = min(apart)
            stray = (inputs.get(first) or outputs[first]).blob.name
    raise SourceError(
        f"has no partner: there are {len(job.inputs):,} inputs and {len(job.outputs):,} outputs",
        code="E-BATCH-FILES",
        file=stray or job.inputs[0].blob.name,
        fix="name outputs as their inputs, with .out behind it, or join by a column with --id",
    )


def _key(member: Member) -> str:
    return member.key


def _plain(member: Member) -> str:
    return member.key.removesuffix(OUT)


def _stem(member: Member) -> str:
    name = _plain(member).removesuffix(".gz")
    ending = os.path.splitext(name)[1]  # noqa: PTH122
    return name.removesuffix(ending) if ending.lower() in ENDINGS else name


def found_of(files: Sequence[Member], kind: str | None) -> Found:
    """Return files ready to be opened.

    Raises
    ------
    SourceError
        ``E-MIXED`` where they are of several formats, ``E-FORMAT``, ``E-EMPTY``; ``E-CAPTURE`` for captured traffic.
    """
    blobs = tuple(member.blob for member in files)
    kinds = {None if m.key.endswith(OUT) else format_of(m.key) for m in files}
    if kind is None and len(kinds) > 1:
        raise SourceError(
            "the files of one side have several formats",
            code="E-MIXED",
            file=blobs[0].name,
            fix="give the format, or name the files of one format",
        )
    found = settled(Found(blobs, kind or kinds.pop(), ()))
    if found.format == "sagemaker":
        raise SourceError(
            "is captured traffic, which holds both sides",
            code="E-CAPTURE",
            file=blobs[0].name,
            fix="import it by itself, with --format sagemaker",
        )
    return replace(found, blobs=blobs)


def file_time(files: Sequence[Member]) -> int:
    """Return when the oldest of some files was written, in microseconds since 1970-01-01 UTC."""
    times = []
    for member in files:
        blob = member.blob
        if blob.stamp is not None:
            times.append(blob.stamp[1] // 1000)
        else:
            with reading(blob.name, code="E-STORE"):
                (info,) = blob.store.get_file_info([blob.path])
            times.append((info.mtime_ns or 0) // 1000)
    return min(times)
