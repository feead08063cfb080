"""The fonts of paper: which characters they have, and how wide these are.

The fonts lie beside this file, so that a page is the same on every machine; those of the machine are not looked at.
Only what is needed here is read of them: the tables ``cmap``, ``hmtx``, ``hhea`` and ``head`` of OpenType.

References
----------
ISO/IEC 14496-22 (Open Font Format), sections 5.1.1 to 5.1.3 and 5.2.1.
"""

from __future__ import annotations

import struct
import sys
from array import array
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from driftline.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["FOLDER", "MONO", "SANS", "Face", "Faces", "bundled", "read_face"]

FOLDER: Final = Path(__file__).resolve().parent / "fonts"

SANS: Final = (
    "Driftline Sans",
    "Driftline Arabic",
    "Driftline Hebrew",
    "Driftline Devanagari",
    "Driftline Thai",
    "Driftline Math",
    "Driftline Symbols2",
    "Driftline Symbols",
    "Driftline CJK",
)
"""Families that text is set in; of each character, the first that has it."""

MONO: Final = "Driftline Mono"
"""Family of identifiers and hashes; what it does not have comes from the others."""


@dataclass(frozen=True, slots=True)
class Face:
    """One font.

    Attributes
    ----------
    glyphs : mapping of int to int
        Glyph of each character.
    advances : array of int
        Width of each glyph, in units; the last holds for all further ones.
    units : int
        To the em.
    """

    glyphs: Mapping[int, int]
    advances: array[int]
    units: int

    def width(self, ch: int) -> float | None:
        """Return the width of a character in ems; None where the font does not have it."""
        glyph = self.glyphs.get(ch)
        if glyph is None:
            return None
        return self.advances[min(glyph, len(self.advances) - 1)] / self.units


@dataclass(frozen=True, slots=True)
class Faces:
    """Fonts in the order in which they are asked.

    Attributes
    ----------
    sans, bold, mono : tuple of Face
    """

    sans: tuple[Face, ...]
    bold: tuple[Face, ...]
    mono: tuple[Face, ...]

    def has(self, ch: str) -> bool:
        """Tell whether a character can be drawn."""
        code = ord(ch)
        return any(code in face.glyphs for face in self.sans)

    def width(self, text: str, size: float = 1.0, style: str = "sans") -> float:
        """Return how wide a line of text is, without kerning; what no font has counts as one em.

        Parameters
        ----------
        text : str
        size : float, default 1
            Of the font.
        style : {"sans", "bold", "mono"}
        """
        faces = {"bold": self.bold, "mono": self.mono}.get(style, self.sans)
        total = 0.0
        for ch in text:
            code = ord(ch)
            total += next((w for w in (face.width(code) for face in faces) if w is not None), 1.0)
        return total * size


def read_face(data: bytes, *, file: str, number: int = 0) -> Face:
    """Read a font.

    Parameters
    ----------
    data : bytes
        Of a ``.ttf``, ``.otf`` or ``.ttc`` file.
    file : str
        Name for errors.
    number : int, default 0
        Which font of a collection.

    Raises
    ------
    SourceError
        ``E-CARD-FONT``: no font, or a damaged one.
    """
    try:
        start = 0
        if data[:4] == b"ttcf":
            [start] = struct.unpack_from(">I", data, 12 + 4 * number)
        tables = _tables(data, start)
        [units] = struct.unpack_from(">H", tables[b"head"], 18)
        [n_advances] = struct.unpack_from(">H", tables[b"hhea"], 34)
        pairs = array("H", tables[b"hmtx"][: 4 * n_advances])
        if sys.byteorder == "little":
            pairs.byteswap()
        return Face(_characters(tables[b"cmap"]), pairs[::2], units)
    except (struct.error, KeyError, IndexError, ValueError) as error:
        raise SourceError(
            "is no OpenType font, or a damaged one", code="E-CARD-FONT", file=file, fix="give another font"
        ) from error


def _tables(data: bytes, start: int) -> dict[bytes, bytes]:
    [n] = struct.unpack_from(">H", data, start + 4)
    found = {}
    for i in range(n):
        tag, _, offset, length = struct.unpack_from(">4sIII", data, start + 12 + 16 * i)
        found[tag] = data[offset : offset + length]
        if len(found[tag]) < length:
            raise ValueError("the file ends too early")
    return found


def _characters(cmap: bytes) -> dict[int, int]:
    """Return the glyph of each character: from the table of all Unicode, else from that of the first 65,536 characters."""
    [n] = struct.unpack_from(">H", cmap, 2)
    offsets: dict[int, int] = {}
    for i in range(n):
        platform, encoding, offset = struct.unpack_from(">HHI", cmap, 4 + 8 * i)
        if (platform, encoding) in ((3, 10), (0, 4), (0, 6), (3, 1), (0, 3)):
            [kind] = struct.unpack_from(">H", cmap, offset)
            offsets.setdefault(kind, offset)
    if 12 in offsets:
        return _segments(cmap, offsets[12])
    return _ranges(cmap, offsets[4])


def _segments(cmap: bytes, at: int) -> dict[int, int]:
    found: dict[int, int] = {}
    [n] = struct.unpack_from(">I", cmap, at + 12)
    for i in range(n):
        first, last, glyph = struct.unpack_from(">III", cmap, at + 16 + 12 * i)
        found.update(zip(range(first, last + 1), range(glyph, glyph + last - first + 1), strict=True))
    return found


def _ranges(cmap: bytes, at: int) -> dict[int, int]:
    [double] = struct.unpack_from(">H", cmap, at + 6)
    n = double // 2
    table = at + 14
    lasts = struct.unpack_from(f">{n}H", cmap, table)
    firsts = struct.unpack_from(f">{n}H", cmap, table + double + 2)
    deltas = struct.unpack_from(f">{n}H", cmap, table + 2 * double + 2)
    shifts_at = table + 3 * double + 2
    shifts = struct.unpack_from(f">{n}H", cmap, shifts_at)
    found: dict[int, int] = {}
    for i, (first, last, delta, shift) in enumerate(zip(firsts, lasts, deltas, shifts, strict=True)):
        for ch in range(first, last + 1):
            if shift:
                [glyph] = struct.unpack_from(">H", cmap, shifts_at + 2 * i + shift + 2 * (ch - first))
            else:
                glyph = ch
            glyph = (glyph + delta) & 0xFFFF if glyph or not shift else 0
            if glyph and ch != 0xFFFF:
                found[ch] = glyph
    return found


@cache
def bundled() -> Faces:
    """Return the fonts that come with driftline; they are read once."""
    regular = {family: _own(family, "Regular") for family in SANS}
    bold = {family: _own(family, "SemiBold") for family in SANS[:3]}
    sans = tuple(regular.values())
    return Faces(sans, (*bold.values(), *sans), (_own(MONO, "Regular"), *sans))


def _own(family: str, style: str) -> Face:
    name = f"{family.replace(' ', '')}-{style}"
    [path] = FOLDER.glob(f"{name}.*tf")
    return read_face(path.read_bytes(), file=path.name)


def with_others(faces: Faces, others: Sequence[Face]) -> Faces:
    """Return fonts that ask `others` last."""
    return Faces((*faces.sans, *others), (*faces.bold, *others), (*faces.mono, *others))
