"""Protocol: what the baselines of all kinds have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from os import PathLike

__all__ = ["AnyBaseline"]


class AnyBaseline(Protocol):
    """What the four kinds of baselines have in common."""

    @property
    def recipe(self) -> str:
        """One of :data:`driftline.baselines.kinds.KINDS`."""

    @property
    def label(self) -> str:
        """Name for people."""

    @property
    def created(self) -> str | None:
        """ISO 8601, UTC."""

    @property
    def n_rows(self) -> int:
        """Rows that it was made of."""

    @property
    def digest(self) -> str:
        """``sha256:…`` of what it was made of."""

    @property
    def sources(self) -> tuple[str, ...]:
        """The files that it was made of."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader must know."""

    @property
    def file(self) -> str | None:
        """Folder or file it was read from."""

    def files(self) -> dict[str, bytes]:
        """Return the baseline as files by name, ``baseline.json`` last."""

    def save(self, folder: str | PathLike[str]) -> None:
        """Write it into a folder, whole or not at all."""
