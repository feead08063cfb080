"""Model files: read whole, with their digest; and the order in which a model wants its features."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from driftline.errors import UsageError
from driftline.files import digest, read_regular
from driftline.monitor.attribution.failure import ModelError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from driftline.monitor.attribution.encoding import Encoding
    from driftline.monitor.attribution.model_settings import ModelSettings

__all__ = ["ordered_names", "read_model_file"]

MOST_BYTES: Final = 4 << 30


def read_model_file(settings: ModelSettings) -> tuple[bytes, str]:
    """Return the bytes of the model's file, and their digest.

    Raises
    ------
    InputError
        If it is missing or unreadable.
    UsageError
        If the settings name none.
    """
    if settings.file is None:
        raise UsageError(
            f"a {settings.kind} model needs a file, or the model itself",
            code="E-MODEL",
            field="model.file",
            fix='say file = "…" under [model], or give model=... from Python',
        )
    data = read_regular(settings.file, max_bytes=MOST_BYTES)
    return data, digest(data)


def ordered_names(
    known: Sequence[Any] | None, n_features: int, encoding: Encoding, model: str
) -> NDArray[np.intp]:
    """Return for each feature of a model the column of the matrix that holds it.

    Parameters
    ----------
    known : sequence of str or None
        The names that the model keeps; None where it keeps none: then position counts.
    n_features : int
        How many features it takes.

    Raises
    ------
    ModelError
        ``E-MODEL-FEATURES`` if the features are others than the model's.
    """
    names = list(encoding.names)
    if len(names) != n_features:
        raise ModelError(
            f"{model} takes {n_features:,} features, and the settings have {len(names):,}",
            code="E-MODEL-FEATURES",
            field="features",
            fix="name the model's features, in its order, under features",
        )
    if known is None or not set(names) & set(map(str, known)):
        # A booster that was trained on an array calls its features f0, f1 or Column_0 itself.
        made_up = known is None or all(_is_made_up(str(name)) for name in known)
        if made_up:
            return np.arange(n_features, dtype=np.intp)
    told = [str(name) for name in known or ()]
    spelled = {name.replace(" ", "_"): i for i, name in enumerate(names)} | {
        n: i for i, n in enumerate(names)
    }
    missing = [name for name in told if name not in spelled]
    if missing:
        raise ModelError(
            f"{model} was trained with a feature {missing[0]!r}, which is none here",
            code="E-MODEL-FEATURES",
            field="features",
            fix="name the model's features under features",
        )
    return np.array([spelled[name] for name in told], np.intp)


def _is_made_up(name: str) -> bool:
    return name.removeprefix("Column_").removeprefix("f").isdigit()
