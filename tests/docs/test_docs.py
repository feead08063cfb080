"""Every example of the documentation runs, and prints what its page says."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
RUNS = [page for page in PAGES if "```console" in (text := page.read_text("utf-8")) or "```python" in text]


@pytest.mark.parametrize("page", RUNS, ids=lambda page: page.stem)
def test_examples_print_what_the_page_says(
    page: Path, examples: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    store = request.getfixturevalue("store") if examples.STORE in page.read_text("utf-8") else None
    if store:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{store}")
    differences: Sequence[object] = examples.run_page(page, store=store)
    assert not differences, "\n".join(
        [*map(str, differences), f"python docs/examples.py --write {page.relative_to(ROOT)}"]
    )


def test_the_runner_looks_at_every_page(examples: Any) -> None:
    assert examples.pages() == PAGES


def test_an_example_that_prints_something_else_is_found(examples: Any, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("```console\n$ echo one\ntwo\n```\n\n```python\nprint(1)\n```\n\n```text\n2\n```\n")
    found = examples.run_page(page)
    assert [(d.expected, d.found) for d in found] == [("two", "one"), ("2", "1")]
    assert examples.rewritten(page.read_text(), found) == page.read_text().replace("two", "one").replace(
        "\n2\n", "\n1\n"
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("```console\n$ false\n```\n", "exit status 1"),
        ("```python\nprint(1)\n```\n\n```sh\nls\n```\n", "not shown"),
        ("```console\nls\n```\n", "begins with a command"),
        ("```console\n$ ls\n", "never closed"),
        ("```json\n{,}\n```\n", "property name"),
    ],
)
def test_a_broken_example_is_refused(examples: Any, tmp_path: Path, text: str, message: str) -> None:
    page = tmp_path / "page.md"
    page.write_text(text)
    with pytest.raises((RuntimeError, ValueError), match=message):
        examples.run_page(page)


def test_toml_with_a_misspelt_key_is_refused(examples: Any, tmp_path: Path) -> None:
    from driftline.errors import DocumentError

    page = tmp_path / "page.md"
    page.write_text("```toml\n[check.ks]\nbound = 0.1\n```\n")
    with pytest.raises(DocumentError, match="checks"):
        examples.run_page(page)


@pytest.mark.parametrize(
    ("expected", "found", "same"),
    [
        ("a", "a  \n\n", True),
        ("a […] d", "a b c d", True),
        ("a\n[…]\nd", "a\nb\nc\nd", True),
        ("a\n[…]", "a", True),
        ("a […] d", "a\nd", False),
        ("a", "a\nb", False),
        ("", "a", False),
    ],
)
def test_what_counts_as_the_same_output(examples: Any, expected: str, found: str, same: bool) -> None:
    assert examples.same_output(expected, found) is same
