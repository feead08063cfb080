"""A card on paper, read back: words, pages, outline, tags, standards, bytes."""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
import unicodedata
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pypdf
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rendered_cards import HOSTILE, hostile, rich, small, view_of, with_live

from driftline.cards.render import pdf
from driftline.cards.render.document import check, to_json
from driftline.cards.render.fonts import FOLDER, SANS, Faces, bundled
from driftline.cards.render.pdf import to_pdf
from driftline.cards.render.text import direction, spelled, visible
from driftline.errors import SourceError

if TYPE_CHECKING:
    from driftline.cards.view import CardView

TESTS = Path(__file__).parents[2]


def read(data: bytes) -> pypdf.PdfReader:
    return pypdf.PdfReader(io.BytesIO(data), strict=True)


@cache
def rich_pdf() -> pypdf.PdfReader:
    return read(to_pdf(rich()))


def words(reader: pypdf.PdfReader) -> str:
    return "\n".join(page.extract_text() for page in reader.pages)


def squeezed(text: str) -> str:
    """Leave white space out: lines break where there is room."""
    return "".join(text.split())


def drawn(text: str) -> str:
    text = unicodedata.normalize("NFC", visible(text))
    return "".join(ch if ch.isspace() or bundled().has(ch) else spelled(ch) for ch in text)


def titles(outline: list, depth: int = 0) -> list[tuple[int, str]]:
    found = []
    for item in outline:
        found += titles(item, depth + 1) if isinstance(item, list) else [(depth, item.title)]
    return found


def test_the_words_of_the_card_are_on_paper() -> None:
    text = squeezed(words(rich_pdf()))
    view = rich()
    for part in (
        view.version.content_hash,
        view.record.hash,
        "Approved by bea.reviewer on 2026-11-25 18:00:00 UTC.",
        view.version.content["training_details"]["training_observations"],
        "s3://ml-artifacts-eu/churn/7/output/preprocessor.tar.gz",
        "post_training_bias_metrics - label Target = 1 and facet Income=8",
        "has_more_than_one_",
        "Checked against the validation report",
        "ISO/IEC TR 24027:2021",
    ):
        assert squeezed(part) in text, part


def test_every_page_says_which_card_and_version_it_is_of() -> None:
    pages = [squeezed(page.extract_text()) for page in rich_pdf().pages]
    total = len(pages)
    assert 12 < total < 20
    for n, page in enumerate(pages, 1):
        assert f"Page{n}of{total}" in page
        assert "Modelcardchurn-card" in page
        assert "Version35" in page
        assert "Approved" in page
        assert "notapproved" not in page


@pytest.mark.parametrize(
    ("given", "mark"),
    [
        ({"status": "Draft"}, "Draft – not approved"),
        ({"status": "PendingReview"}, "In review – not approved"),
        ({"status": "Archived"}, "Archived – no longer maintained"),
        ({"status": "Approved", "newest": (3, 2)}, "Superseded by version 2"),
    ],
)
def test_a_version_that_is_not_in_force_says_so_on_every_page(given: dict, mark: str) -> None:
    for page in read(to_pdf(small(**given))).pages:
        assert squeezed(mark) in squeezed(page.extract_text())


def test_it_has_a_title_an_author_a_date_and_a_language() -> None:
    reader = rich_pdf()
    assert reader.metadata is not None
    assert reader.metadata.title == "Customer churn – model card, version 35"
    assert reader.metadata.author == "ann"
    assert reader.metadata.subject == "Model card churn-card, version 35: Approved"
    assert reader.metadata["/CreationDate"] == "D:20261125160000Z"
    root = reader.trailer["/Root"]
    assert root["/Lang"] == "en"
    assert root["/ViewerPreferences"]["/DisplayDocTitle"].value is True


def test_it_says_that_it_keeps_to_the_standards() -> None:
    root = rich_pdf().trailer["/Root"]
    about = root["/Metadata"].get_data().decode("utf-8")
    assert "<pdfaid:part>3</pdfaid:part><pdfaid:conformance>A</pdfaid:conformance>" in about
    assert "<pdfuaid:part>1</pdfuaid:part>" in about
    assert root["/MarkInfo"]["/Marked"].value is True


def elements(reader: pypdf.PdfReader) -> list[pypdf.generic.DictionaryObject]:
    found = []
    waiting = [reader.trailer["/Root"]["/StructTreeRoot"]]
    while waiting:
        one = waiting.pop()
        children = one.get("/K", [])
        children = children if isinstance(children, list) else [children]
        for child in children:
            child = child.get_object()
            if isinstance(child, pypdf.generic.DictionaryObject) and "/S" in child:
                found.append(child)
                waiting.append(child)
    return found


def test_tables_and_charts_are_tagged() -> None:
    tags = elements(rich_pdf())
    kinds = [tag["/S"] for tag in tags]
    assert kinds.count("/Table") > 15
    assert kinds.count("/TH") > 60
    assert kinds.count("/Caption") > 15
    charts = [tag["/Alt"] for tag in tags if "/Alt" in tag]
    assert sum("chart" in str(alt) for alt in charts) == 5
    assert any("Line chart of true_positive_rates over false_positive_rates" in str(alt) for alt in charts)


def test_the_outline_has_all_sections() -> None:
    found = titles(rich_pdf().outline)
    assert found[:2] == [(0, "Contents"), (0, "1 Model overview")]
    assert (1, "5.1 Hold-out set of October 2026") in found
    assert [title for depth, title in found if depth == 0][-1] == "B How to read this document"


def test_it_carries_the_card_as_json() -> None:
    [data] = rich_pdf().attachments["card.json"]
    assert data == to_json(rich()).encode()
    assert check(json.loads(data)) == []


def test_fonts_are_ours_and_inside() -> None:
    fonts = set()
    for page in rich_pdf().pages:
        for font in page["/Resources"].get("/Font", {}).values():
            fonts.add(font.get_object()["/BaseFont"].partition("+")[2])
    assert fonts
    assert all(font.startswith("Driftline") for font in fonts)


def test_the_same_view_is_the_same_bytes() -> None:
    assert to_pdf(rich()) == to_pdf(rich())


def test_neither_zone_nor_locale_nor_process_matter() -> None:
    program = (
        "import hashlib, sys\n"
        f"sys.path.insert(0, {str(TESTS)!r})\n"
        "from rendered_cards import rich\n"
        "from driftline.cards.render.pdf import to_pdf\n"
        "sys.stdout.write(hashlib.sha256(to_pdf(rich())).hexdigest())\n"
    )
    for surroundings in (
        {"TZ": "Asia/Kathmandu", "LC_ALL": "C", "PYTHONHASHSEED": "1"},
        {"TZ": "America/St_Johns", "LC_ALL": "C.UTF-8", "PYTHONHASHSEED": "2", "SOURCE_DATE_EPOCH": "1"},
    ):
        done = subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, **surroundings},
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout == hashlib.sha256(to_pdf(rich())).hexdigest()


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_shows_as_itself(text: str) -> None:
    found = squeezed(words(read(to_pdf(hostile(text)))))
    if direction(text) == "ltr" and not re.search("[\u0900-\u0e7f]", text):
        for line in text.split("\n"):
            assert found.count(squeezed(drawn(line))) > 15
    else:  # extracted in the order of the glyphs, not of the letters
        for word in re.findall(r"[^\W\d]{3,}", drawn(text)):
            assert word in found or re.search("[\u0900-\u0e7f]", word)


@settings(max_examples=12)
@given(st.text(max_size=30))
def test_any_text_can_be_set(text: str) -> None:
    if not any("\ud800" <= ch <= "\udfff" for ch in text):
        assert read(to_pdf(hostile(text))).pages


def test_long_words_stay_on_the_page() -> None:
    view = hostile("W" * 1000)
    for page in read(to_pdf(view)).pages:
        spots: list[float] = []

        def see(text: str, cm: list, tm: list, font: object, size: float, spots: list[float] = spots) -> None:
            if set(text.strip()) == {"W"}:
                spots.append(
                    tm[4] * cm[0] + cm[4] + bundled().width(text.strip(), abs(tm[0]) or 1.0) * abs(cm[0])
                )

        page.extract_text(visitor_text=see)
        assert all(x < float(page.mediabox.width) for x in spots)


def test_copied_identifiers_hold_nothing_invisible() -> None:
    text = words(read(to_pdf(rich())))
    assert not set("\u200b\u00ad\ufeff") & set(text)


def test_forty_long_groups_and_long_tables_repeat_their_heads() -> None:
    reader = rich_pdf()
    pages = [page.extract_text() for page in reader.pages]
    with_groups = [page for page in pages if "facet Gender=0" in page or "facet Income=8" in page]
    assert len(with_groups) == 2
    assert all("DPPL" in page for page in with_groups)
    assert sum("Content hash" in page and "When (UTC)" in page for page in pages) == 2


def test_live_state_can_be_on_paper() -> None:
    assert "Live state of the monitors" in words(read(to_pdf(with_live(rich()))))


def test_a_large_matrix_and_many_bars_fit() -> None:
    cells = [[float(i * j * 12345) for j in range(20)] for i in range(20)]
    metrics = [
        {
            "name": "m",
            "type": "matrix",
            "value": cells,
            "x_axis_name": ["r" * 63] * 20,
            "y_axis_name": ["c" * 63] * 20,
        },
        {
            "name": "b",
            "type": "bar_chart",
            "value": list(range(3000)),
            "x_axis_name": [f"bar {i}" for i in range(3000)],
        },
        {"name": "l", "type": "linear_graph", "value": [[i, -i] for i in range(10_000)]},
    ]
    content = {
        "evaluation_details": [{"name": "e", "metric_groups": [{"name": "g", "metric_data": metrics}]}]
    }
    text = words(read(to_pdf(view_of(content))))
    assert "2,960 shorter bars not drawn" in text.replace("\n", " ")
    assert "4,456,545" in text or "4.46e6" in text


@pytest.mark.parametrize("moment", [0, -1, 10**18, 253_402_300_799_000_000])
def test_any_moment_has_a_page(moment: int) -> None:
    import dataclasses

    view = small()
    odd: CardView = dataclasses.replace(view, version=dataclasses.replace(view.version, created=moment))
    assert to_pdf(odd).startswith(b"%PDF-1.7")


def test_a_folder_with_more_fonts_fills_the_gaps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(FOLDER, tmp_path / "ours", ignore=shutil.ignore_patterns("*CJK*"))
    shutil.copy(FOLDER / "DriftlineCJK-Regular.otf", tmp_path)
    shutil.copy(FOLDER.parent / "card.typ", tmp_path)
    ours = bundled()
    monkeypatch.setattr(pdf, "FOLDER", tmp_path / "ours")
    monkeypatch.setattr(pdf, "SANS", SANS[:-1])
    monkeypatch.setattr(pdf, "bundled", lambda: Faces(ours.sans[:-1], ours.bold[:-1], ours.mono[:-1]))
    more = tmp_path / "more"
    more.mkdir()
    (tmp_path / "DriftlineCJK-Regular.otf").rename(more / "cjk.otf")
    pdf._book.cache_clear()
    try:
        view = view_of({"model_overview": {"model_name": "模型"}})
        assert "[U+6A21][U+578B]" in words(read(to_pdf(view)))
        assert "模型" in words(read(to_pdf(view, fonts=[more])))
        (more / "cjk.otf").write_bytes((more / "cjk.otf").read_bytes()[:100_000])
        pdf._book.cache_clear()
        with pytest.raises(SourceError) as caught:
            to_pdf(view, fonts=[more])
        assert caught.value.code == "E-CARD-FONT"
    finally:
        pdf._book.cache_clear()


def test_a_folder_that_is_not_there_is_an_error() -> None:
    with pytest.raises(SourceError) as caught:
        to_pdf(small(), fonts=["no-such-folder"])
    assert str(caught.value) == "E-FILE: no-such-folder: is no folder; check the path"
