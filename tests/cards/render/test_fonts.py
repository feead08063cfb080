"""The fonts of paper."""

from __future__ import annotations

import pytest

from driftline.cards.render.fonts import FOLDER, SANS, bundled, read_face
from driftline.errors import SourceError


@pytest.mark.parametrize(
    "text", ["Az09 äöüß éñçğş Ωλ Жя", "نموذج", "מודל", "हिन्दी", "ภาษาไทย", "模型顧客モデル고객", "→≤≥±∑∞✓★●"]
)
def test_scripts_of_the_world_have_glyphs(text: str) -> None:
    assert [ch for ch in text if not bundled().has(ch)] == []


def test_what_is_missing_is_known_to_be() -> None:
    assert not any(bundled().has(ch) for ch in "\U0001f600\ue000\u0378\u0bae\n")


def test_widths_are_those_of_the_font() -> None:
    faces = bundled()
    assert faces.width("iiii") < faces.width("mmmm")
    assert faces.width("0123456789", style="mono") == pytest.approx(6.0)
    assert faces.width("bold", style="bold") > faces.width("bold")
    assert faces.width("模") == pytest.approx(1.0)
    assert faces.width("ab", 10.0) == pytest.approx(10 * (faces.width("a") + faces.width("b")))


def test_typst_knows_the_same_families() -> None:
    import typst

    book = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(FOLDER)])
    assert {*book.families()} == {*SANS, "Driftline Mono"}


def test_every_font_is_named_in_the_notice() -> None:
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")
    for path in FOLDER.glob("*.*tf"):
        assert path.name in readme
    licence = (FOLDER / "OFL.txt").read_text(encoding="utf-8")
    assert "SIL OPEN FONT LICENSE Version 1.1" in licence


@pytest.mark.parametrize("data", [b"", b"not a font at all", b"\0\1\0\0\0\1cmap" + b"\xff" * 12])
def test_a_damaged_font_is_an_error_that_names_it(data: bytes) -> None:
    with pytest.raises(SourceError) as caught:
        read_face(data, file="odd.ttf")
    assert (
        str(caught.value) == "E-CARD-FONT: odd.ttf: is no OpenType font, or a damaged one; give another font"
    )


def test_a_cut_font_is_an_error() -> None:
    data = (FOLDER / "DriftlineMono-Regular.ttf").read_bytes()
    for n in (20, 200, 4000):
        with pytest.raises(SourceError):
            read_face(data[:n], file="cut.ttf")
