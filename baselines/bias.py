"""BiasBaseline: how the groups fared when the model was accepted, and what live data is held to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Final

from driftline.baselines.analysis import read_analysis, write_analysis
from driftline.baselines.folder import refuse_report
from driftline.baselines.index import INDEX, Index, read_index, write_index
from driftline.documents import decode
from driftline.errors import DocumentError, printable
from driftline.files import digest, write_folder

if TYPE_CHECKING:
    from collections.abc import Mapping
    from os import PathLike

    from driftline.baselines.analysis import Analysis

__all__ = ["ANALYSIS", "CONFIG", "STATES", "BiasBaseline"]

ANALYSIS: Final = "analysis.json"
STATES: Final = "states.arrow"
CONFIG: Final = "analysis_config.json"


@dataclass(frozen=True, repr=False)
class BiasBaseline:
    """What the groups of live data are held to.

    Attributes
    ----------
    label : str
        Name for people.
    analysis : Analysis
        The metrics, in the form of SageMaker Clarify: the constraints. People may edit the values, and remove what is not
        to be judged.
    states : bytes or None
        The counts behind the numbers, as :func:`driftline.baselines.packing.pack` writes them; None for Clarify's file.
    settings : mapping
        Plain JSON values, as :func:`driftline.monitor.bias.settings.read_settings` takes them; empty where nothing says
        which column is which.
    details : mapping
        Plain JSON values: how the columns are read, decided once; see :mod:`driftline.monitor.bias.frozen`.
    names : tuple of str
        Columns that data must have.
    n_rows : int
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
    analysis: Analysis
    states: bytes | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    details: Mapping[str, Any] = field(default_factory=dict)
    names: tuple[str, ...] = ()
    n_rows: int = 0
    mode: str = "default"
    created: str | None = None
    sources: tuple[str, ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    file: str | None = None

    recipe: ClassVar[str] = "bias"

    def __repr__(self) -> str:
        rows = f"{self.n_rows:,} {'row' if self.n_rows == 1 else 'rows'}"
        n = len(self.facets)
        groups = f"{n:,} {'group' if n == 1 else 'groups'}"
        return f"<BiasBaseline {printable(self.label, 80)}: {rows}, {groups}>"

    @property
    def facets(self) -> tuple[tuple[str, str], ...]:
        """The groups that the analysis speaks of: name of the facet and its value, each once."""
        found: dict[tuple[str, str], None] = {}
        for stage in self.analysis.stages.values():
            for name, results in stage.facets.items():
                found.update(dict.fromkeys((name, one.value_or_threshold) for one in results))
        return tuple(found)

    @property
    def digest(self) -> str:
        """``sha256:…`` of the counts, or of the analysis where there are none."""
        return digest(self._analysis() if self.states is None else self.states)

    def _analysis(self) -> bytes:
        return write_analysis(self.analysis).encode("utf-8", "surrogatepass")

    def files(self) -> dict[str, bytes]:
        """Return the baseline as files by name, ``baseline.json`` last."""
        result = {ANALYSIS: self._analysis()}
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
            self.details,
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
    def from_files(cls, files: Mapping[str, bytes], *, file: str) -> BiasBaseline:
        """Read a baseline from its files.

        Parameters
        ----------
        files : mapping of str to bytes
            What :meth:`files` gave; or Clarify's ``analysis.json``, with or without the ``analysis_config.json`` that says
            which column is which.
        file : str
            Folder they stand in, for errors.

        Raises
        ------
        DocumentError
            If a file is missing, malformed, or not the one that ``baseline.json`` names. ``analysis.json`` is meant to be
            edited and may differ; that is noted.
        """
        if ANALYSIS not in files:
            raise DocumentError(
                f"there is no {ANALYSIS} here",
                code="E-BASELINE",
                file=file,
                fix="give the folder that `driftline baseline --kind bias` wrote, or one with Clarify's file",
            )
        analysis = read_analysis(files[ANALYSIS], file=f"{file}/{ANALYSIS}")
        if not analysis.stages:
            raise DocumentError(
                "has no bias metrics",
                code="E-BASELINE",
                file=f"{file}/{ANALYSIS}",
                fix="give the analysis.json of a bias job",
            )
        if INDEX not in files:
            settings = {}
            if CONFIG in files:
                settings = decode(files[CONFIG], file=f"{file}/{CONFIG}")
                if not isinstance(settings, dict):
                    raise DocumentError("expected an object", code="E-FIELD", file=f"{file}/{CONFIG}")
            note = "the baseline is SageMaker Clarify's own"
            return cls(file, analysis, settings=settings, mode="sagemaker", notes=(note,), file=file)
        index = read_index(files, file=file, recipe=cls.recipe, editable=(ANALYSIS,))
        baseline = cls(
            index.label,
            analysis,
            files.get(STATES),
            index.settings,
            index.details,
            index.names,
            index.n_rows,
            index.mode,
            index.created,
            index.sources,
            index.versions,
            index.notes,
            file,
        )
        if baseline.states is not None and baseline.digest != index.digest:
            raise DocumentError(
                "does not match the digest in baseline.json: it was damaged or replaced",
                code="E-BASELINE-DAMAGED",
                file=f"{file}/{STATES}",
                fix="make the baseline again, or restore the file",
            )
        return baseline
