"""Kinds: which of the four a baseline is, told from its files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from driftline.documents import decode
from driftline.errors import DocumentError, DriftlineError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from driftline.baselines.protocol import AnyBaseline

__all__ = ["KINDS", "baseline_of", "kind_of"]

KINDS: Final = ("data-quality", "model-quality", "bias", "attribution")
"""The four recipes."""

_INDEX: Final = "baseline.json"
_CONSTRAINTS: Final = "constraints.json"
_ANALYSIS: Final = "analysis.json"
_QUALITY: Final = (
    "regression_constraints",
    "binary_classification_constraints",
    "multiclass_classification_constraints",
)


def kind_of(files: Mapping[str, bytes], *, file: str) -> str:
    """Tell of which kind a baseline is.

    Parameters
    ----------
    files : mapping of str to bytes
        Of its folder, by name; driftline's, or those of SageMaker Model Monitor and Clarify.
    file : str
        The folder, for errors.

    Returns
    -------
    str
        One of :data:`KINDS`; ``data-quality`` where nothing says otherwise.

    Raises
    ------
    DocumentError
        ``E-BASELINE`` for a kind that this driftline does not know.
    """
    if _INDEX in files:
        recipe = _member(files[_INDEX], "recipe", f"{file}/{_INDEX}")
        if recipe is None:
            return "data-quality"
        if recipe not in KINDS:
            raise DocumentError(
                f"is of the kind {recipe!r}, which this driftline does not know",
                code="E-BASELINE",
                file=f"{file}/{_INDEX}",
                fix="read it with a newer driftline",
            )
        return str(recipe)
    if _CONSTRAINTS in files:
        keys = _keys(files[_CONSTRAINTS], f"{file}/{_CONSTRAINTS}")
        return "model-quality" if keys & set(_QUALITY) else "data-quality"
    if _ANALYSIS in files:
        keys = _keys(files[_ANALYSIS], f"{file}/{_ANALYSIS}")
        return "attribution" if "explanations" in keys and not _has_bias(keys) else "bias"
    return "data-quality"


def baseline_of(files: Mapping[str, bytes], *, file: str, kind: str | None = None) -> AnyBaseline:
    """Read a baseline of any kind from its files.

    Parameters
    ----------
    files : mapping of str to bytes
    file : str
        Folder they stand in, for errors.
    kind : str, optional
        Where the files could be several: an ``analysis.json`` with bias and explanations.

    Raises
    ------
    DocumentError
        If a file is missing, malformed, or not the one that ``baseline.json`` names.
    UsageError
        ``E-KIND`` if it is not of the kind asked for.
    """
    found = kind_of(files, file=file)
    both = kind == "attribution" and found == "bias" and _INDEX not in files
    if kind is not None and kind != found and not both:
        raise UsageError(
            f"is a baseline of the kind {found}, not {kind}",
            code="E-KIND",
            file=file,
            fix=f"make one with --kind {kind}, or leave the kind out",
        )
    return _home(kind or found).from_files(files, file=file)  # type: ignore[no-any-return]


def _home(kind: str) -> Any:
    if kind == "model-quality":
        from driftline.baselines.quality import QualityBaseline

        return QualityBaseline
    if kind == "bias":
        from driftline.baselines.bias import BiasBaseline

        return BiasBaseline
    if kind == "attribution":
        from driftline.baselines.attribution import AttributionBaseline

        return AttributionBaseline
    from driftline.baselines.baseline import Baseline

    return Baseline


def _has_bias(keys: set[str]) -> bool:
    return any(key.endswith("_bias_metrics") for key in keys)


def _decoded(data: bytes, file: str) -> dict[str, Any]:
    try:
        document = decode(data, file=file)
    except DriftlineError:
        return {}  # Whoever reads the whole file says what is wrong with it.
    return document if isinstance(document, dict) else {}


def _keys(data: bytes, file: str) -> set[str]:
    return set(_decoded(data, file))


def _member(data: bytes, key: str, file: str) -> Any:
    return _decoded(data, file).get(key)
