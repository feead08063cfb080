"""Hub: facts of a card of the Hugging Face Hub, by the converter that reads such cards."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from driftline.cards.sources.facts import Facts
from driftline.files import digest, read_regular

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["facts_of_hub"]

_MOST_BYTES = 16 << 20


def facts_of_hub(source: str | os.PathLike[str] | bytes) -> tuple[Facts, dict[str, Any]]:
    """Return what a card of the Hub says.

    Parameters
    ----------
    source : path or bytes
        A ``README.md``, a folder with one, or its text.

    Returns
    -------
    facts : Facts
        Each field with the digest of the file as its source; in the notes, what has no place in a card.
    content : dict
        Of a card.

    Raises
    ------
    InputError
    """
    from driftline.cards.convert.huggingface import read

    if isinstance(source, bytes):
        data, file = source, None
    else:
        path = Path(os.fspath(source))
        path = path / "README.md" if path.is_dir() else path
        data, file = read_regular(path, max_bytes=_MOST_BYTES), str(path)
    made = read(data, file)
    facts = Facts(datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z"))
    facts.notes += made.lost
    said = f"huggingface:{digest(data)}"
    for field, value in _leaves(made.content):
        facts.values[field] = value
        facts.sources[field] = said
    for field, value in _leaves(made.extensions):
        facts.extensions[field] = value
        facts.sources[f"extensions.{field}"] = said
    return facts, made.content


def _leaves(document: Mapping[str, Any], below: str = "") -> Iterator[tuple[str, Any]]:
    """Yield paths and values; a list is one value, and so is an object with a key that a path could not name."""
    for key, value in document.items():
        path = f"{below}.{key}" if below else key
        if isinstance(value, dict) and value and not any("." in name for name in value):
            yield from _leaves(value, path)
        else:
            yield path, value
