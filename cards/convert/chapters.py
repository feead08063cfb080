"""The body of a Hugging Face card: Markdown, taken apart by its headings."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

__all__ = ["Chapter", "chapters_of", "escaped", "facts_of", "is_placeholder", "items_of"]

_HEADING = re.compile(r" {0,3}(#{1,6})(?![^ \t])")
_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})(.*)$")
_FACT = re.compile(r"^[-*][ \t]+\*\*(.+?):?\*\*:?[ \t]*(.*)$")
_ITEM = re.compile(r"^[-*][ \t]+(.*)$")
_ESCAPED = re.compile(r"^( {0,3})\\(\\*#)", re.MULTILINE)
_TO_ESCAPE = re.compile(r"^( {0,3})(\\*#)", re.MULTILINE)
_OPTIONAL = re.compile(r"\s*\[optional\]\s*$", re.IGNORECASE)
_NO_WORD = re.compile(r"[^\w\s&,()/-]+")

MOST_TITLE: Final = 200
"""Characters of a heading that are looked at."""

PLACEHOLDERS: Final = (
    "[more information needed]",
    "more information needed",
    "[needs more information]",
    "n/a",
    "todo",
)


@dataclass(frozen=True, slots=True)
class Chapter:
    """Text below one heading, down to the next.

    Attributes
    ----------
    path : tuple of str
        The heading and those above it, in lower case, without emoji and ``[optional]``; empty before the first one.
    title : str
        The heading as it stands.
    level : int
    line : int
        Of the heading, in the body, from 1.
    text : str
        Without comments and without white space at its ends.
    """

    path: tuple[str, ...]
    title: str
    level: int
    line: int
    text: str


def chapters_of(body: str) -> list[Chapter]:
    """Take a body apart.

    Parameters
    ----------
    body : str
        Markdown. Headings in fences are none; comments are dropped, as no reader of a page sees them.
    """
    lines = _without_comments(body).split("\n")
    found: list[Chapter] = []
    above: list[tuple[int, str]] = []
    title, level, line = "", 0, 0
    text: list[str] = []
    fence: str | None = None

    def close() -> None:
        whole = "\n".join(text).strip("\n")
        path = tuple(name for _, name in above)
        found.append(Chapter(path, title, level, line, _ESCAPED.sub(r"\1\2", whole).strip()))

    for at, one in enumerate(lines, start=1):
        mark = _FENCE.match(one)
        if mark and fence is None and not (mark[1][0] == "`" and "`" in mark[2]):
            fence = mark[1]
        elif mark and fence and mark[1][0] == fence[0] and len(mark[1]) >= len(fence) and not mark[2].strip():
            fence = None
        heading = None if fence or mark else _heading(one)
        if heading is None:
            text.append(one)
            continue
        close()
        (level, title), line, text = heading, at, []
        while above and above[-1][0] >= level:
            above.pop()
        above.append((level, _plain(title)))
    close()
    return found


def _without_comments(body: str) -> str:
    """Drop comments, and keep the number of lines."""
    parts: list[str] = []
    at = 0
    while (start := body.find("<!--", at)) >= 0 and (end := body.find("-->", start)) >= 0:
        parts += [body[at:start], "\n" * body.count("\n", start, end)]
        at = end + 3
    return "".join(parts) + body[at:]


def _heading(line: str) -> tuple[int, str] | None:
    """Return level and title of a heading, or None. What closes a heading is not part of its title."""
    found = _HEADING.match(line)
    if found is None:
        return None
    title = line[found.end() :].strip()
    bare = title.rstrip("#")
    if bare != title and (not bare or bare[-1] in " \t"):
        title = bare.rstrip()
    return len(found[1]), title


def _plain(title: str) -> str:
    title = title[:MOST_TITLE]
    words = _NO_WORD.sub("", _OPTIONAL.sub("", title).replace("*", "")).strip().casefold()
    return " ".join(words.split()).strip(" -,")


def is_placeholder(text: str) -> bool:
    """Tell whether a text only says that a text is missing.

    Examples
    --------
    >>> is_placeholder("[More Information Needed]"), is_placeholder("Trained on census forms.")
    (True, False)
    """
    return text.strip().rstrip(".").casefold() in PLACEHOLDERS or not text.strip()


def escaped(text: str) -> str | None:
    r"""Return a text as part of a body that keeps the body's headings what they are; None where there is no such way.

    Examples
    --------
    >>> escaped("# not a heading"), escaped("fine"), escaped("```")
    ('\\# not a heading', 'fine', None)
    """
    if text != text.strip() or "\r" in text or "<!--" in text or "-->" in text or is_placeholder(text):
        return None
    made = _TO_ESCAPE.sub(r"\1\\\2", text)
    found = chapters_of(f"# x\n\n{made}\n")
    return made if len(found) == 2 and found[1].text == text and _is_closed(made) else None


def _is_closed(text: str) -> bool:
    """Tell whether no fence is left open, which would swallow what follows."""
    return len(chapters_of(f"{text}\n\n# x\n")) == 2


def facts_of(text: str) -> tuple[list[tuple[str, str]], str]:
    """Return the lines ``- **name:** value`` of a text, and the text without them.

    Values that are placeholders are left out.
    """
    facts: list[tuple[str, str]] = []
    rest: list[str] = []
    for line in text.split("\n"):
        found = _FACT.match(line)
        if found is None:
            rest.append(line)
        elif not is_placeholder(found[2]):
            facts.append((_plain(found[1]), found[2].strip()))
    return facts, "\n".join(rest).strip()


def items_of(text: str) -> list[str]:
    """Return the items of a text that is a list, or its paragraphs."""
    items: list[list[str]] = []
    inside = False
    for line in text.split("\n"):
        found = _ITEM.match(line)
        if found is not None:
            items.append([found[1].strip()])
            inside = True
        elif not line.strip():
            inside = False
        elif inside and line.startswith((" ", "\t")):
            items[-1].append(line.strip())
        else:
            return [part.strip() for part in text.split("\n\n") if part.strip()]
    return [made for made in ("\n".join(one) for one in items) if made.strip()]
