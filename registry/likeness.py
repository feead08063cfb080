"""Likeness: whether two names look like one, so that nobody is taken for somebody else.

For refusing only: what looks alike may still be two people, and a right is given to the very name that has it.
"""

from __future__ import annotations

import unicodedata
from typing import Final

__all__ = ["is_blank", "is_like"]

# Nothing is drawn for these, though Unicode does not call them format characters (Default_Ignorable_Code_Point).
_UNSEEN: Final = frozenset(
    chr(code)
    for first, last in (
        (0x034F, 0x034F),
        (0x115F, 0x1160),
        (0x17B4, 0x17B5),
        (0x180B, 0x180F),
        (0x2800, 0x2800),
        (0x3164, 0x3164),
        (0xFE00, 0xFE0F),
        (0xFFA0, 0xFFA0),
        (0xE0100, 0xE01EF),
    )
    for code in range(first, last + 1)
)

# Letters that are drawn as Latin ones: of Cyrillic, Greek and Armenian those that whole names can be written with, and
# what one typeface or another does not keep apart (Unicode Technical Standard 39, section 4, in small).
_DRAWN: Final = str.maketrans(
    "АВЕЅІЈКМНОРСТХҮԌԚԜаеѕіјорсухһԁԛԝүѵӏ" + "ΑΒΕΖΗΙΚΜΝΟΡΤΥΧανορυιγχ" + "օոսհց" + "ıƖǀɑɡ" + "I1|0",
    "ABESIJKMHOPCTXYGQWaesijopcyxhdqwyvl" + "ABEZHIKMNOPTYXavopuiyx" + "onuhg" + "ilIag" + "lllO",
)


def is_like(one: str, other: str) -> bool:
    """Tell whether two names are, or look like, one: ``Ann``, ``ann `` and one with a Cyrillic ``а`` do.

    Examples
    --------
    >>> is_like("ann", "Ann "), is_like("paul", "pauI"), is_like("ann", "bob")
    (True, True, False)
    """
    first, second = _seen(one), _seen(other)
    return first.casefold() == second.casefold() or _drawn(first) == _drawn(second)


def is_blank(name: str) -> bool:
    """Tell whether nothing of a name is seen."""
    return not _seen(name)


def _seen(name: str) -> str:
    shown = "".join(
        ch
        for ch in unicodedata.normalize("NFKC", name)
        if ch not in _UNSEEN and (ch.isspace() or unicodedata.category(ch) not in ("Cf", "Cc"))
    )
    # Once more: what stood between two characters may have kept them from becoming one.
    return " ".join(unicodedata.normalize("NFKC", shown).split())


def _drawn(name: str) -> str:
    # Twice: some of the capitals become a letter of the table, such as the Cyrillic I.
    return name.translate(_DRAWN).translate(_DRAWN).casefold().translate(_DRAWN).replace("rn", "m").casefold()
