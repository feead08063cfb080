"""Which profile a card is held to: one that comes with driftline, or an organisation's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from driftline.cards.profile import Profile

__all__ = ["profile_of"]

_MOST_BYTES = 4 << 20


def profile_of(name: str) -> Profile:
    """Return a profile by its name, or by the path of its TOML file.

    Raises
    ------
    UsageError
        ``E-CARD-PROFILE``.
    InputError
        The file cannot be read, or is no profile.
    """
    from driftline.cards.profile import load_profile, read_profile
    from driftline.files import read_regular

    if name.endswith(".toml"):
        return read_profile(read_regular(name, max_bytes=_MOST_BYTES), file=name)
    return load_profile(name)
