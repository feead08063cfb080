"""The card as Markdown: a head between ``+++``, a chapter for each section, long texts as prose, the rest in fences.

A text stands as prose where it reads back as the same text: no spaces at its ends, no heading of this form, no fence left
open, nothing that a page would run or hide. Any other text stands in its section's fence, as TOML, and is exact there.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Never

from driftline.cards import limits
from driftline.cards.errors import CardError
from driftline.cards.text.document import MAX_BYTES, SCHEMA, Parts
from driftline.cards.text.tables import JOINERS, to_toml
from driftline.cards.text.toml_form import check_schema, decoded, line_finder
from driftline.documents import nearest
from driftline.errors import printable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from driftline.cards.text.document import CardDocument

__all__ = ["is_prose", "parse", "write"]

Path = tuple[str | int, ...]

FRONT: Final = "+++"
EVALUATION: Final = "Evaluation"
"""Title of the chapter of one evaluation; its name follows after a colon."""

TOLD: Final = 2048
"""Fields that take so many characters are written as prose."""

ALSO_TOLD: Final = ("model_description", "training_observations")

_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})(.*)$")
_HEADING = re.compile(r"(#{1,6})(?:$|[ \t](.*))")
_RUNS = re.compile(r"<[A-Za-z/!?]")
_NAME = re.compile(r"[^\s#`<>\\*_\[\]](?:[^\n#`<>\\*_\[\]]*[^\s#`<>\\*_\[\]])?")


def write(document: CardDocument) -> str:
    """Return the document as Markdown."""
    head: dict[str, Any] = {"schema": SCHEMA}
    if card := document.head():
        head["card"] = card
    chapters = [f"{FRONT}\n{to_toml(head, one_line=True)}{FRONT}\n", f"# {_title(document.name)}\n"]
    for section, value in document.content.items():
        if section == "evaluation_details" and isinstance(value, list):
            chapters += _evaluations(value)
        elif isinstance(value, dict):
            chapters.append(_chapter(_words(section), section, value))
        else:
            raise CardError(
                "expected an object",
                code="E-CARD-TEXT",
                field=section,
                fix="write the card as toml or json, or correct it",
            )
    if document.extensions:
        chapters.append(_chapter(_words("extensions"), "extensions", document.extensions))
    return "\n".join(chapters)


def _title(name: str | None) -> str:
    return printable(name) if name else "Model card"


def _words(key: str) -> str:
    return key.replace("_", " ").capitalize()


def _evaluations(jobs: list[Any]) -> list[str]:
    if not jobs:
        return [f"## {_words('evaluation_details')}\n"]
    chapters = []
    for job in jobs:
        if not isinstance(job, dict):
            raise CardError(
                "expected a list of objects", code="E-CARD-TEXT", field="evaluation_details", fix="correct it"
            )
        name = job.get("name")
        heading = EVALUATION
        if isinstance(name, str) and _NAME.fullmatch(name) and _is_plain(name):
            heading = f"{EVALUATION}: {name}"
            job = {key: value for key, value in job.items() if key != "name"}
        chapters.append(_chapter(heading, "evaluation_details.*", job))
    return chapters


def _chapter(heading: str, pattern: str, value: Mapping[str, Any]) -> str:
    titles = {key: title for title, key in _titles(pattern).items()}
    prose = {key: text for key, text in value.items() if _is_told(pattern, key) and is_prose(text)}
    rest = {key: inner for key, inner in value.items() if key not in prose}
    parts = [f"## {heading}\n"]
    if rest:
        table = to_toml(rest)
        longest = max((len(run) for run in re.findall(r"`{3,}", table)), default=2)
        fence = "`" * (longest + 1)
        parts.append(f"{fence}toml\n{table}{fence}\n")
    parts += [f"### {titles[key]}\n\n{text}\n" for key, text in prose.items()]
    return "\n".join(parts)


def _titles(pattern: str) -> dict[str, str]:
    """Return the titles of the texts that may stand as prose in a chapter, with their keys."""
    if pattern == "extensions":
        from driftline.cards.extension_kinds import Text
        from driftline.cards.extension_table import TABLE

        return {_words(key): key for key, one in TABLE.fields.items() if isinstance(one, Text)}
    below = limits.keys(pattern)
    return {_words(key): key for key in below if isinstance(limits.RULES[f"{pattern}.{key}"], limits.Text)}


def _is_told(pattern: str, key: str) -> bool:
    """Tell whether people write sentences into a field."""
    if pattern == "extensions":
        return key in _titles(pattern).values() and key != "schema_version"
    rule = limits.RULES.get(f"{pattern}.{key}")
    return isinstance(rule, limits.Text) and ((rule.high or 0) >= TOLD or key in ALSO_TOLD)


def is_prose(text: object) -> bool:
    r"""Tell whether a text may stand as it is, and reads back as it is.

    Examples
    --------
    >>> is_prose("One.\n\nTwo."), is_prose("### Model name"), is_prose(" x"), is_prose("<script>")
    (True, False, False, False)
    """
    if not isinstance(text, str) or not text or _RUNS.search(text):
        return False
    if not _is_plain(text.replace("\n", "")):
        return False
    if any(line != line.rstrip() for line in text.split("\n")) or text != text.strip():
        return False
    fence: str | None = None
    for line in text.split("\n"):
        before, fence = fence, _fence(line, fence)
        heading = None if before or fence else _HEADING.match(line)
        if heading and len(heading[1]) <= 3:
            return False
    return fence is None


def _is_plain(text: str) -> bool:
    return text.isprintable() or all(ch.isprintable() or ch in JOINERS for ch in text)


def _fence(line: str, fence: str | None) -> str | None:
    """Return the fence that is open after a line: its marks, or None."""
    found = _FENCE.match(line)
    if found is None:
        return fence
    marks, info = found[1], found[2]
    if fence is None:
        # An info string of a backtick fence holds no backtick: such a line is code within a line.
        return None if marks[0] == "`" and "`" in info else marks
    closes = marks[0] == fence[0] and len(marks) >= len(fence) and not info.strip()
    return None if closes else fence


def parse(data: bytes, file: str | None) -> Parts:
    """Find the parts of a document in Markdown."""
    return _Reader(_decoded(data, file), file).run()


def _decoded(data: bytes, file: str | None) -> list[str]:
    if len(data) > MAX_BYTES:
        raise CardError(
            f"has {len(data):,} bytes, more than the limit of {MAX_BYTES:,}",
            code="E-CARD-FILE",
            file=file,
            fix="is this a model card? Charts of thousands of points belong into a report",
        )
    try:
        text = data.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        wrong = CardError(
            f"byte {error.start:,} is not valid UTF-8",
            code="E-CARD-FILE",
            file=file,
            fix="save the file as UTF-8",
        )
        wrong.line = data.count(b"\n", 0, error.start) + 1
        raise wrong from None
    return text.replace("\r\n", "\n").split("\n")


@dataclass
class _Chapter:
    """Lines between a heading of the second level and the next."""

    title: str
    line: int
    intro: list[tuple[int, str]] = field(default_factory=list)
    fields: list[tuple[str, int, list[str]]] = field(default_factory=list)


class _Reader:
    def __init__(self, lines: list[str], file: str | None) -> None:
        self._lines = lines
        self._file = file
        self._where: dict[Path, int] = {}
        self._fences: list[tuple[Path, Any, int]] = []

    def run(self) -> Parts:
        head, start = self._front()
        check_schema(head.get("schema"), self._file, 2)
        for key in head:
            if key not in ("schema", "card"):
                fix = "write sections below the head, as chapters"
                self._fail("the head has only the tables schema and card", 2, key, fix)
        chapters, title = self._chapters(start)
        card = head.get("card")
        name = card.get("name") if isinstance(card, dict) else None
        if title is not None and title[1] != _title(name if isinstance(name, str) else None):
            fix = f"write '# {_title(name if isinstance(name, str) else None)}'; the name stands in the head"
            self._fail("the title is not the name of the card", title[0], None, fix)
        content: dict[str, Any] = {}
        extensions: dict[str, Any] | None = None
        for chapter in chapters:
            section, name = self._section(chapter)
            if section == "evaluation_details":
                self._evaluation(chapter, name, content)
                continue
            if section in content or (section == "extensions" and extensions is not None):
                self._fail("this chapter is there twice", chapter.line, section, "write both as one")
            self._where[(section,)] = chapter.line
            found = self._values(chapter, section, (section,), {})
            if section == "extensions":
                extensions = found
            else:
                content[section] = found
        return Parts(card, content, extensions, self._line)

    def _front(self) -> tuple[dict[str, Any], int]:
        start = next((at for at, line in enumerate(self._lines) if line.strip()), 0)
        if not self._lines or self._lines[start].rstrip() != FRONT:
            return {}, start
        end = next(
            (at for at in range(start + 1, len(self._lines)) if self._lines[at].rstrip() == FRONT), None
        )
        if end is None:
            self._fail("the head is not closed", start + 1, None, f"write {FRONT} in a line below it")
        text = "\n".join(self._lines[start + 1 : end])
        values, _ = decoded(text, self._file, above=start + 1)
        self._fences.append(((), line_finder(text), start + 1))
        return values, end + 1

    def _chapters(self, start: int) -> tuple[list[_Chapter], tuple[int, str] | None]:
        chapters: list[_Chapter] = []
        title: tuple[int, str] | None = None
        fence: str | None = None
        opened = 0
        for at in range(start, len(self._lines)):
            line = self._lines[at]
            before, fence = fence, _fence(line, fence)
            if fence and not before:
                opened = at + 1
            heading = None if before or fence else _HEADING.match(line)
            level = len(heading[1]) if heading else 0
            words = (heading[2] or "").strip() if heading else ""
            if level == 1:
                if title is not None or chapters:
                    self._fail("a second title", at + 1, None, "begin a chapter with ##")
                title = (at + 1, words)
            elif level == 2:
                chapters.append(_Chapter(words, at + 1))
            elif not chapters:
                if line.strip():
                    fix = "begin a chapter with ##, such as '## Model overview'"
                    self._fail("text stands before the first chapter", at + 1, None, fix)
            elif level == 3:
                chapters[-1].fields.append((words, at + 1, []))
            elif chapters[-1].fields:
                chapters[-1].fields[-1][2].append(line)
            else:
                chapters[-1].intro.append((at + 1, line))
        if fence:
            self._fail("the fence is not closed", opened, None, f"write {fence} in a line below it")
        return chapters, title

    def _section(self, chapter: _Chapter) -> tuple[str, str | None]:
        kind, colon, name = chapter.title.partition(":")
        if kind.strip().casefold() == EVALUATION.casefold():
            return "evaluation_details", name.strip() if colon else ""
        known = {_words(key).casefold(): key for key in (*limits.SECTIONS, "extensions")}
        known |= {key: key for key in known.values()}
        key = known.get(chapter.title.casefold())
        if key is None:
            titles = [EVALUATION, *map(_words, (*limits.SECTIONS, "extensions"))]
            close = nearest(chapter.title[:100], titles)
            fix = f"did you mean '## {close}'?" if close else "use one of " + ", ".join(titles)
            self._fail(f"unknown chapter {printable(chapter.title, 80)!r}", chapter.line, None, fix)
        return key, None

    def _evaluation(self, chapter: _Chapter, name: str | None, content: dict[str, Any]) -> None:
        jobs = content.setdefault("evaluation_details", [])
        if name is None:
            if chapter.fields or any(line.strip() for _, line in chapter.intro):
                fix = f"begin a chapter '## {EVALUATION}: its name' for each evaluation"
                self._fail("evaluations have a chapter each", chapter.line, "evaluation_details", fix)
            return
        path = ("evaluation_details", len(jobs))
        self._where[path] = chapter.line
        given = {"name": name} if name else {}
        jobs.append(self._values(chapter, "evaluation_details.*", path, given))

    def _values(self, chapter: _Chapter, pattern: str, path: Path, given: dict[str, Any]) -> dict[str, Any]:
        found = dict(given)
        for key, value in self._table(chapter, path).items():
            if key in found:
                self._fail("is in the heading and in the fence", chapter.line, key, "remove one of them")
            found[key] = value
        titles = _titles(pattern)
        known = {title.casefold(): key for title, key in titles.items()} | {
            key: key for key in titles.values()
        }
        for title, line, lines in chapter.fields:
            name = known.get(title.casefold())
            if name is None:
                close = nearest(title[:100], titles)
                fix = f"did you mean '### {close}'?" if close else "use one of " + ", ".join(titles)
                self._fail(f"unknown heading {printable(title, 80)!r}", line, None, fix)
            text = "\n".join(lines).strip("\n")
            if not text.strip():
                continue  # a heading that waits for its text
            if name in found:
                self._fail("is there twice", line, name, "write both as one")
            found[name] = "\n".join(one.rstrip() for one in text.split("\n")).strip()
            self._where[(*path, name)] = line
        return found

    def _table(self, chapter: _Chapter, path: Path) -> dict[str, Any]:
        """Return what the fence of a chapter says; nothing else may stand before its headings."""
        lines = [(at, line) for at, line in chapter.intro if line.strip()]
        if not lines:
            return {}
        (start, opening), end = lines[0], lines[-1][0]
        mark = _FENCE.match(opening)
        if mark is None or mark[2].strip() != "toml":
            fix = "begin a text with its heading, such as '### Model description'; other fields stand in a fence ```toml"
            self._fail("text stands before the first heading of its chapter", start, None, fix)
        body: list[str] = []
        fence: str | None = mark[1]
        for at, line in chapter.intro:
            if at <= start:
                continue
            if fence is None and line.strip():
                self._fail("text stands after the fence", at, None, "begin it with its heading")
            fence = _fence(line, fence) if fence else None
            if fence:
                body.append(line)
        if end == start:
            return {}
        text = "\n".join(body)
        values, _ = decoded(text, self._file, above=start)
        self._fences.append((path, line_finder(text), start))
        return values

    def _line(self, path: Path) -> int | None:
        for start, finder, above in self._fences:
            if path[: len(start)] == start and (start or path[:1] == ("card",)):
                line = finder(path[len(start) :])
                if line is not None:
                    return int(line) + above
        return next((self._where[path[:n]] for n in range(len(path), 0, -1) if path[:n] in self._where), None)

    def _fail(self, what: str, line: int, key: str | None, fix: str) -> Never:
        error = CardError(
            what,
            code="E-CARD-FILE",
            file=self._file,
            field=None if key is None else printable(key, 80),
            fix=fix,
        )
        error.line = line
        raise error
