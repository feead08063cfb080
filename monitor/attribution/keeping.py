"""Keeping: the numbers of a baseline as parts of its files."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from driftline.baselines.explanations import local_csv, rows_csv
from driftline.kernels.state import Packed
from driftline.monitor.attribution.explaining import state_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from driftline.monitor.attribution.encoding import Encoding
    from driftline.monitor.attribution.explaining import Explained

__all__ = ["background_kept", "background_rows", "local_of", "local_part", "local_rows", "parts_of"]


def parts_of(found: Explained, background: NDArray[np.float64] | None) -> dict[str, Packed]:
    """Return what a check computes with: attributions of the rows, their sums for each label, and the background."""
    parts = {"local": local_part(found)}
    for position in range(found.values.shape[2]):
        parts[f"state{position}"] = state_of(found.values[:, :, position]).pack()
    if background is not None:
        shape = {"rows": background.shape[0], "columns": background.shape[1]}
        parts["background"] = Packed(shape, {"values": np.ascontiguousarray(background).ravel()})
    return parts


def local_part(found: Explained) -> Packed:
    """Return the attributions of the rows."""
    n, g, k = found.values.shape
    return Packed(
        {"rows": n, "features": g, "labels": k}, {"values": np.ascontiguousarray(found.values).ravel()}
    )


def background_kept(packed: Packed) -> NDArray[np.float64]:
    """Return the background rows that :func:`parts_of` kept."""
    shape = int(packed.scalars["rows"]), int(packed.scalars["columns"])
    return np.array(packed.arrays["values"], np.float64).reshape(shape)


def local_of(parts: Mapping[str, Packed]) -> NDArray[np.float64] | None:
    """Return the attributions of the rows, shape (n, G, K); None where they were not kept."""
    packed = parts.get("local")
    if packed is None:
        return None
    size = packed.scalars
    shape = int(size["rows"]), int(size["features"]), int(size["labels"])
    return np.array(packed.arrays["values"], np.float64).reshape(shape)


def local_rows(found: Explained, labels: Sequence[str]) -> bytes:
    """Return ``out.csv``."""
    return local_csv(found.players, labels, [found.values[:, :, k].tolist() for k in range(len(labels))])


def background_rows(encoding: Encoding, background: NDArray[np.float64]) -> bytes:
    """Return ``baseline.csv``."""
    return rows_csv(encoding.names, encoding.rows(background))
