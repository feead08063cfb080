"""AttributionBaseline: what a model leaned on when all was well, and how to ask it again."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Final

from driftline.baselines.explanations import (
    ANALYSIS,
    Explanations,
    read_explanations,
    write_explanations,
)
from driftline.baselines.folder import refuse_report
from driftline.baselines.index import INDEX, Index, read_index, write_index
from driftline.baselines.packing import pack, unpack
from driftline.errors import DocumentError, printable
from driftline.files import digest, write_folder

if TYPE_CHECKING:
    from collections.abc import Mapping
    from os import PathLike

    from driftline.kernels.state import Packed

__all__ = ["BACKGROUND", "LOCAL", "STATES", "AttributionBaseline"]

LOCAL: Final = "out.csv"
BACKGROUND: Final = "baseline.csv"
STATES: Final = "states.arrow"


@dataclass(frozen=True, repr=False)
class AttributionBaseline:
    """The attributions of a model on its training data.

    Attributes
    ----------
    label : str
        Name for people.
    explanations : Explanations
        ``analysis.json``, which people may edit.
    settings : mapping
        Plain JSON values: what the attributions were made with; empty for SageMaker's own file.
    names : tuple of str
        Columns that data must have to be held to it.
    n_rows : int
        Rows of the training data.
    parts : mapping of str to Packed
        What a check computes with: local attributions, background rows.
    details : mapping
        Plain JSON values: encoding of the columns, version of the model, coalitions, errors.
    local, background : bytes or None
        ``out.csv`` and ``baseline.csv``.
    mode : str
        ``default`` or ``sagemaker``.
    created : str or None
        ISO 8601, UTC.
    sources : tuple of str
    versions : mapping of str to str
    notes : tuple of str
    file : str or None
        Folder it was read from.
    model : object or None
        The model in memory; lost when the baseline is saved.
    """

    label: str
    explanations: Explanations
    settings: Mapping[str, Any] = field(default_factory=dict)
    names: tuple[str, ...] = ()
    n_rows: int = 0
    parts: Mapping[str, Packed] = field(default_factory=dict)
    details: Mapping[str, Any] = field(default_factory=dict)
    local: bytes | None = None
    background: bytes | None = None
    mode: str = "default"
    created: str | None = None
    sources: tuple[str, ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    file: str | None = None
    model: Any = field(default=None, compare=False)

    recipe: ClassVar[str] = "attribution"
    """One of :data:`driftline.baselines.kinds.KINDS`."""

    def __repr__(self) -> str:
        features = f"{len(self.features):,} {'feature' if len(self.features) == 1 else 'features'}"
        rows = f"{self.n_rows:,} {'row' if self.n_rows == 1 else 'rows'}"
        return f"<AttributionBaseline {printable(self.label, 80)}: {rows}, {features}>"

    @property
    def features(self) -> tuple[str, ...]:
        """Features, or groups of features, that are explained."""
        return self.explanations.features

    @property
    def labels(self) -> tuple[str, ...]:
        """Outputs of the model that are explained."""
        return self.explanations.labels

    @property
    def digest(self) -> str:
        """``sha256:…`` of what was measured; of ``analysis.json`` where there is nothing else."""
        return digest(pack(self.parts)) if self.parts else digest(write_explanations(self.explanations))

    def files(self) -> dict[str, bytes]:
        """Return the baseline as files by name, ``baseline.json`` last."""
        result = {ANALYSIS: write_explanations(self.explanations)}
        if self.local is not None:
            result[LOCAL] = self.local
        if self.background is not None:
            result[BACKGROUND] = self.background
        if self.parts:
            result[STATES] = pack(self.parts)
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
    def from_files(cls, files: Mapping[str, bytes], *, file: str) -> AttributionBaseline:
        """Read a baseline from its files.

        Parameters
        ----------
        files : mapping of str to bytes
            What :meth:`files` gave; or Clarify's ``analysis.json`` alone.
        file : str
            Folder they stand in, for errors.

        Raises
        ------
        DocumentError
            If a file is missing, malformed, or not the one that ``baseline.json`` names. ``analysis.json`` may be
            edited, but for its labels and features; that is noted.
        """
        if ANALYSIS not in files:
            raise DocumentError(
                f"there is no {ANALYSIS} here",
                code="E-BASELINE",
                file=file,
                fix="give the folder that `driftline baseline` wrote, or one with Clarify's analysis.json",
            )
        explanations = read_explanations(files[ANALYSIS], file=f"{file}/{ANALYSIS}")
        if INDEX not in files:
            return cls(
                file,
                explanations,
                names=explanations.features,
                mode="sagemaker",
                notes=(
                    "the baseline is SageMaker Clarify's own, which knows no spread: only the order of the features "
                    "is judged",
                ),
                file=file,
            )
        index = read_index(files, file=file, recipe=cls.recipe, editable=(ANALYSIS,))
        parts = unpack(files[STATES], file=f"{file}/{STATES}") if STATES in files else {}
        told = index.details.get("features"), index.details.get("labels")
        for what, before, now in (
            ("features", told[0], explanations.features),
            ("labels", told[1], explanations.labels),
        ):
            if isinstance(before, list) and set(before) != set(now):
                strange = sorted(set(before) ^ set(now), key=str)[0]
                raise DocumentError(
                    f"speaks of other {what} than the baseline was made of",
                    code="E-BASELINE",
                    file=f"{file}/{ANALYSIS}",
                    field=str(strange),
                    fix=f"edit numbers only, or make the baseline again with the {what} wanted",
                )
        return cls(
            index.label,
            explanations,
            index.settings,
            index.names,
            index.n_rows,
            parts,
            index.details,
            files.get(LOCAL),
            files.get(BACKGROUND),
            index.mode,
            index.created,
            index.sources,
            index.versions,
            index.notes,
            file,
        )
