"""Baseline: a Profile held still, its statistics, its constraints, and where the data came from."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar

from driftline.baselines.folder import refuse_report
from driftline.baselines.index import INDEX, SCHEMA, index_id, texts_of
from driftline.baselines.profile import Profile
from driftline.baselines.sagemaker import (
    read_constraints,
    read_statistics,
    write_constraints,
    write_statistics,
)
from driftline.documents import Node, decode, encode
from driftline.errors import DocumentError, SchemaError, printable
from driftline.files import digest, write_folder

if TYPE_CHECKING:
    from collections.abc import Mapping
    from os import PathLike

    from driftline.baselines.column import Column, Limits
    from driftline.baselines.constraint import Constraints
    from driftline.baselines.statistics import Statistics

__all__ = ["INDEX", "SCHEMA", "Baseline", "Segment"]

STATISTICS = "statistics.json"
CONSTRAINTS = "constraints.json"
PROFILE = "profile.arrow"


@dataclass(frozen=True, slots=True)
class Segment:
    """The rows of a baseline that share one value of the segment column.

    Attributes
    ----------
    value : str or None
        None for the rows without a value.
    profile : Profile
    """

    value: str | None
    profile: Profile


@dataclass(frozen=True, repr=False)
class Baseline:
    """What live data is compared with and held to.

    Attributes
    ----------
    label : str
        Name for people, such as the file it was made of.
    constraints : Constraints
    profile : Profile or None
        None for a baseline that somebody else computed: its distributions come from the statistics.
    statistics_text : bytes or None
        ``statistics.json`` as it stands; parsed only when asked for.
    mode : str
        ``default`` or ``sagemaker``.
    created : str or None
        ISO 8601, UTC.
    sources : tuple of str
    named : bool
        Whether the columns had names when the baseline was made.
    versions : mapping of str to str
    segment_column : str or None
    segments : tuple of Segment
    notes : tuple of str
    file : str or None
        Folder or file it was read from.
    """

    label: str
    constraints: Constraints
    profile: Profile | None = None
    statistics_text: bytes | None = None
    mode: str = "default"
    created: str | None = None
    sources: tuple[str, ...] = ()
    named: bool = True
    versions: Mapping[str, str] = field(default_factory=dict)
    segment_column: str | None = None
    segments: tuple[Segment, ...] = ()
    notes: tuple[str, ...] = ()
    file: str | None = None

    recipe: ClassVar[str] = "data-quality"
    """One of :data:`driftline.baselines.kinds.KINDS`."""

    @property
    def statistics(self) -> Statistics | None:
        """The statistics document, or None where the baseline has constraints only."""
        if "_statistics" not in self.__dict__:
            parsed = None
            if self.statistics_text is not None:
                parsed = read_statistics(self.statistics_text, file=self._path(STATISTICS))
            object.__setattr__(self, "_statistics", parsed)
        return self.__dict__["_statistics"]  # type: ignore[no-any-return]

    def __repr__(self) -> str:
        rows = f"{self.n_rows:,} {'row' if self.n_rows == 1 else 'rows'}"
        columns = f"{len(self.names):,} {'column' if len(self.names) == 1 else 'columns'}"
        return f"<Baseline {printable(self.label, 80)}: {rows}, {columns}>"

    def _path(self, name: str) -> str:
        return name if self.file is None else f"{self.file}/{name}"

    @property
    def n_rows(self) -> int:
        """Rows of the baseline data."""
        if self.profile is not None:
            return self.profile.n_rows
        return self.statistics.item_count if self.statistics is not None else 0

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns, in order."""
        return tuple(f.name for f in self.constraints.features)

    @property
    def digest(self) -> str:
        """``sha256:…`` of the profile, or of the statistics and constraints where there is none."""
        if self.profile is not None:
            return self.profile.digest
        return digest((self.statistics_text or b"") + write_constraints(self.constraints).encode())

    def columns(self, limits: Limits) -> dict[str, Column]:
        """Return the columns by name, from the profile or rebuilt from the statistics."""
        if self.profile is not None:
            return {c.name: c for c in self.profile.columns}
        # Only a baseline without a profile needs the sketches of the statistics.
        from driftline.baselines.describe import column_of

        found = {}
        for feature in self.statistics.features if self.statistics is not None else ():
            column = column_of(feature, limits)
            if column is not None:
                found[feature.name] = column
        return found

    def files(self) -> dict[str, bytes]:
        """Return the baseline as files by name, ``baseline.json`` last."""
        result: dict[str, bytes] = {}
        if self.statistics_text is not None:
            result[STATISTICS] = self.statistics_text
        result[CONSTRAINTS] = write_constraints(self.constraints).encode("utf-8", "surrogatepass")
        if self.profile is not None:
            result[PROFILE] = self.profile.to_bytes()
        segments = []
        for i, segment in enumerate(self.segments, start=1):
            name = f"segment-{i:04d}.arrow"
            result[name] = segment.profile.to_bytes()
            segments.append({"value": segment.value, "file": name, "n_rows": segment.profile.n_rows})
        index: dict[str, Any] = {
            "schema": SCHEMA,
            "label": self.label,
            "created": self.created,
            "mode": self.mode,
            "n_rows": self.n_rows,
            "n_columns": len(self.constraints.features),
            "named": self.named,
            "profile_digest": None if self.profile is None else self.profile.digest,
            "sources": list(self.sources),
            "versions": dict(self.versions),
            "notes": list(self.notes),
            "files": {name: digest(data) for name, data in result.items()},
        }
        if self.segment_column is not None:
            index["segments"] = {"column": self.segment_column, "values": segments}
        index["id"] = index_id(index)
        result[INDEX] = (encode(index, indent=2) + "\n").encode("utf-8", "surrogatepass")
        return result

    def save(self, folder: str | PathLike[str]) -> None:
        """Write the baseline into a folder, whole or not at all.

        Raises
        ------
        UsageError
            If the folder cannot be written, or holds a report.
        """
        refuse_report(folder)
        write_folder(folder, self.files())

    @classmethod
    def from_files(cls, files: Mapping[str, bytes], *, file: str) -> Baseline:
        """Read a baseline from its files.

        Parameters
        ----------
        files : mapping of str to bytes
            What :meth:`files` gave; or just SageMaker's ``constraints.json``, with or without ``statistics.json``.
        file : str
            Folder they stand in, for errors.

        Raises
        ------
        DocumentError
            If a file is missing, malformed, or not the one that ``baseline.json`` names. ``constraints.json`` is
            meant to be edited and may differ; that is noted.
        """
        if CONSTRAINTS not in files:
            raise DocumentError(
                "there is no constraints.json here",
                code="E-BASELINE",
                file=file,
                fix="give the folder that `driftline baseline` wrote, or one with SageMaker's files",
            )
        constraints = read_constraints(files[CONSTRAINTS], file=f"{file}/{CONSTRAINTS}")
        plain = cls(file, constraints, statistics_text=files.get(STATISTICS), mode="sagemaker", file=file)
        if INDEX not in files:
            if plain.statistics is not None:
                _same_columns(plain, file)
            return replace(plain, notes=("the baseline is SageMaker Model Monitor's own",))
        index = Node(decode(files[INDEX], file=f"{file}/{INDEX}"), f"{file}/{INDEX}")
        if index.text("schema") != SCHEMA:
            raise index.error(
                f"expected {SCHEMA!r}, found {index.text('schema')!r}", key="schema", fix="upgrade driftline"
            )
        notes = list(texts_of(index["notes"]))
        recorded = index["files"].object()
        for name, expected in recorded.items():
            if name not in files:
                raise DocumentError(
                    f"{name} is missing", code="E-BASELINE", file=file, fix="make the baseline again"
                )
            if digest(files[name]) == expected:
                continue
            if name != CONSTRAINTS:
                raise DocumentError(
                    "does not match the checksum in baseline.json: it was damaged or replaced",
                    code="E-BASELINE-DAMAGED",
                    file=f"{file}/{name}",
                    fix="make the baseline again, or restore the file",
                )
            notes.append("constraints.json was edited after the baseline was made")
        profile = None
        if PROFILE in recorded:
            profile = Profile.from_bytes(files[PROFILE], file=f"{file}/{PROFILE}")
        segment_column, segments = None, []
        node = index.get("segments")
        if node is not None:
            segment_column = node.text("column")
            for entry in node["values"].items():
                name = entry.text("file")
                if name not in recorded:
                    raise entry.error("is not among the files of this baseline", key="file")
                value = None if entry["value"].value is None else entry.text("value")
                segments.append(Segment(value, Profile.from_bytes(files[name], file=f"{file}/{name}")))
        baseline = cls(
            index.text("label"),
            constraints,
            profile,
            files.get(STATISTICS),
            index.choice("mode", ("default", "sagemaker")),
            index.text("created") if index.has("created") else None,
            texts_of(index["sources"]),
            index.boolean("named"),
            {str(k): str(v) for k, v in index["versions"].object().items()},
            segment_column,
            tuple(segments),
            tuple(notes),
            file,
        )
        if index.text("id") != index_id(index.object()):
            raise DocumentError(
                "the content is not the one that its id names: it was damaged, or changed after it was written",
                code="E-BASELINE-DAMAGED",
                file=f"{file}/{INDEX}",
                fix="make the baseline again, or restore the file; constraints.json is the one to edit",
            )
        if profile is not None and {c.name for c in profile.columns} != set(baseline.names):
            raise SchemaError(
                _differing({c.name for c in profile.columns}, baseline.names),
                code="E-BASELINE",
                file=f"{file}/{CONSTRAINTS}",
                fix="keep one entry per column; to leave a column out, set evaluate_constraints to Disabled",
            )
        return baseline


def _differing(profiled: set[str], constrained: tuple[str, ...]) -> str:
    stranger = next((name for name in constrained if name not in profiled), None)
    lacking = sorted(profiled.difference(constrained))
    which = f"{lacking[0]!r} is not here" if stranger is None else f"{stranger!r} is not in the profile"
    return f"constraints.json and the profile speak of different columns: {which}"


def _same_columns(baseline: Baseline, file: str) -> None:
    """Refuse statistics of another table than the constraints'; a part of the columns is fine."""
    assert baseline.statistics is not None
    known = set(baseline.names)
    strangers = [f.name for f in baseline.statistics.features if f.name not in known]
    if strangers and len(strangers) == len(baseline.statistics.features):
        raise SchemaError(
            "statistics.json and constraints.json have no column in common",
            code="E-BASELINE",
            file=f"{file}/{STATISTICS}",
            fix="give the two files of one baseline job",
        )


def write_statistics_text(statistics: Statistics) -> bytes:
    """Return ``statistics.json`` as bytes."""
    return write_statistics(statistics).encode("utf-8", "surrogatepass")
