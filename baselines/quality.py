"""Quality baseline: how good a model was on data whose truth is known, and what it is held to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Final

from driftline.baselines.folder import refuse_report
from driftline.baselines.index import INDEX, Index, read_index, write_index
from driftline.baselines.quality_documents import (
    read_quality_constraints,
    read_quality_statistics,
    write_quality_constraints,
    write_quality_statistics,
)
from driftline.errors import DocumentError, printable
from driftline.files import digest, write_folder

if TYPE_CHECKING:
    from collections.abc import Mapping
    from os import PathLike

    from driftline.baselines.quality_documents import QualityConstraints, QualityStatistics

__all__ = ["CONSTRAINTS", "STATES", "STATISTICS", "QualityBaseline"]

STATISTICS: Final = "statistics.json"
CONSTRAINTS: Final = "constraints.json"
STATES: Final = "states.arrow"


@dataclass(frozen=True, repr=False)
class QualityBaseline:
    """How good a model was, and what it is held to.

    Attributes
    ----------
    label : str
        Name for people.
    constraints : QualityConstraints
    statistics : QualityStatistics or None
        None where only constraints were given.
    states : bytes or None
        The States behind the numbers, as :func:`driftline.baselines.packing.pack` writes them; None for SageMaker's files.
    settings : mapping
        Plain JSON values; empty for SageMaker's files, which do not say which column is which.
    names : tuple of str
        Columns that data must have.
    n_rows : int
        Rows that were read.
    mode : str
        ``default`` or ``sagemaker``.
    created : str or None
        ISO 8601, UTC.
    sources : tuple of str
    versions : mapping of str to str
    notes : tuple of str
    file : str or None
        Folder or file it was read from.
    """

    label: str
    constraints: QualityConstraints
    statistics: QualityStatistics | None = None
    states: bytes | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    names: tuple[str, ...] = ()
    n_rows: int = 0
    mode: str = "default"
    created: str | None = None
    sources: tuple[str, ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    file: str | None = None

    recipe: ClassVar[str] = "model-quality"

    def __repr__(self) -> str:
        rows = f"{self.n_rows:,} {'row' if self.n_rows == 1 else 'rows'}"
        return f"<QualityBaseline {printable(self.label, 80)}: {self.constraints.problem}, {rows}>"

    @property
    def is_plain(self) -> bool:
        """Tell whether its documents are to be SageMaker's, without anything of driftline's."""
        return self.mode == "sagemaker"

    @property
    def digest(self) -> str:
        """``sha256:…`` of the States, or of SageMaker's documents."""
        if self.states is not None:
            return digest(self.states)
        statistics = b"" if self.statistics is None else self._statistics()
        return digest(statistics + self._constraints())

    def _statistics(self) -> bytes:
        assert self.statistics is not None
        return write_quality_statistics(self.statistics, plain=self.is_plain).encode("utf-8", "surrogatepass")

    def _constraints(self) -> bytes:
        return write_quality_constraints(self.constraints, plain=self.is_plain).encode(
            "utf-8", "surrogatepass"
        )

    def files(self) -> dict[str, bytes]:
        """Return the baseline as files by name, ``baseline.json`` last."""
        result: dict[str, bytes] = {}
        if self.statistics is not None:
            result[STATISTICS] = self._statistics()
        result[CONSTRAINTS] = self._constraints()
        if self.states is not None:
            result[STATES] = self.states
        index = Index(
            self.recipe,
            self.label,
            self.n_rows,
            self.digest,
            self.names,
            self.settings,
            self.mode,
            self.created,
            self.sources,
            self.versions,
            self.notes,
            {"problem": self.constraints.problem},
        )
        result[INDEX] = write_index(index, result)
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
    def from_files(cls, files: Mapping[str, bytes], *, file: str) -> QualityBaseline:
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
            If a file is missing, malformed, or not the one that ``baseline.json`` names. ``constraints.json`` is meant to
            be edited and may differ; that is noted.
        """
        if CONSTRAINTS not in files:
            raise DocumentError(
                "there is no constraints.json here",
                code="E-BASELINE",
                file=file,
                fix="give the folder that `driftline baseline` wrote, or one with SageMaker's files",
            )
        constraints = read_quality_constraints(files[CONSTRAINTS], file=f"{file}/{CONSTRAINTS}")
        statistics = None
        if STATISTICS in files:
            statistics = read_quality_statistics(files[STATISTICS], file=f"{file}/{STATISTICS}")
            if statistics.problem != constraints.problem:
                raise DocumentError(
                    f"is about {statistics.problem}, and {CONSTRAINTS} about {constraints.problem}",
                    code="E-BASELINE",
                    file=f"{file}/{STATISTICS}",
                    fix="give the two files of one baseline job",
                )
        if INDEX not in files:
            note = "the baseline is SageMaker Model Monitor's own"
            n_rows = 0 if statistics is None else statistics.n_rows
            return cls(
                file, constraints, statistics, n_rows=n_rows, mode="sagemaker", notes=(note,), file=file
            )
        index = read_index(files, file=file, recipe=cls.recipe, editable=(CONSTRAINTS,))
        if index.details.get("problem") != constraints.problem:
            raise DocumentError(
                f"is about {constraints.problem}, and the baseline about {index.details.get('problem')}",
                code="E-BASELINE",
                file=f"{file}/{CONSTRAINTS}",
                fix="restore the file, or make the baseline again",
            )
        baseline = cls(
            index.label,
            constraints,
            statistics,
            files.get(STATES),
            index.settings,
            index.names,
            index.n_rows,
            index.mode,
            index.created,
            index.sources,
            index.versions,
            index.notes,
            file,
        )
        if baseline.digest != index.digest and baseline.states is not None:
            raise DocumentError(
                "does not match the digest in baseline.json: it was damaged or replaced",
                code="E-BASELINE-DAMAGED",
                file=f"{file}/{STATES}",
                fix="make the baseline again, or restore the file",
            )
        return baseline
