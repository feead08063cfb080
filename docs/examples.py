"""The examples of the documentation: find them, run them, compare what they print, and write it anew.

::

    python docs/examples.py                     run every page and say where a page and the program differ
    python docs/examples.py --write docs/x.md   put what the program prints into the page

A page runs in an empty folder of its own, from top to bottom. What counts as an example:

=========== ===========================================================================================
``console`` lines that begin with ``$`` are commands; the lines below one are all that it prints
``python``  run in one namespace per page; a ``text`` block right below holds what it prints
``toml``    must be overrides or settings that driftline accepts, a card, or a part of ``driftline.toml``
``json``    must be JSON
``sh``      never run: installing and the like
=========== ===========================================================================================

A block whose first line is ``# some-name.ext`` is a file: it is written, not run. Within expected output ``[…]``
stands for any characters, and for any lines where it is alone on its line. A page with the comment
``<!-- uses make_data.py -->`` starts with the files that this script of ``getting-started.md`` makes, and one with
``<!-- uses driftline/demo/data -->`` with the data of the demo, where they lie in the repository.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

__all__ = ["ROOT", "Block", "Difference", "blocks", "pages", "rewritten", "run_page", "same_output"]

ROOT = Path(__file__).resolve().parents[1]
STORE = "127.0.0.1:9000"
"""Address of the object store in the pages; tests put their own in its place."""

ANYTHING = "[…]"
DATA_SCRIPT = "make_data.py"
DATA_PAGE = ROOT / "docs" / "getting-started.md"
DEMO_DATA = "driftline/demo/data"
DECLARED = {"models": ["churn"], "endpoints": ["churn-prod"], "baselines": ["churn"]}
"""Names that every part of a ``driftline.toml`` on a page may use."""

_FENCE = re.compile(r"^```(\w*)\s*$")
_FILE = re.compile(r"^# ([\w.-]+\.\w+)$")
# What changes from run to run, or from release to release.
_VOLATILE = (
    (re.compile(r"\b20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ"), ANYTHING),
    (re.compile(r"sha256:[0-9a-f]{64}"), f"sha256:{ANYTHING}"),
)


@dataclass(frozen=True, slots=True)
class Block:
    """One fenced block of a page.

    Attributes
    ----------
    kind : str
        The word behind the fence.
    text : str
        What stands between the fences.
    line : int
        1-based line of the page at which `text` begins.
    """

    kind: str
    text: str
    line: int

    @property
    def file(self) -> str | None:
        """Name of the file that this block is, or None."""
        found = _FILE.match(self.text.partition("\n")[0])
        return found[1] if found and self.kind in ("python", "toml") else None


@dataclass(frozen=True, slots=True)
class Difference:
    """Where a page and the program differ.

    Attributes
    ----------
    line : int
        Of the page, where the expected output begins.
    what : str
        The command or the code.
    expected, found : str
    """

    line: int
    what: str
    expected: str
    found: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.what}\n--- the page says\n{self.expected}\n--- it prints\n{self.found}\n"


def pages() -> list[Path]:
    """Return the README and every page of docs/, sorted."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def blocks(text: str) -> Iterator[Block]:
    """Yield the fenced blocks of a page."""
    kind, start = "", 0
    inside: list[str] | None = None
    for number, line in enumerate(text.split("\n"), start=1):
        fence = _FENCE.match(line)
        if inside is None:
            if fence:
                kind, start, inside = fence[1], number + 1, []
        elif line == "```":
            yield Block(kind, "\n".join(inside), start)
            inside = None
        else:
            inside.append(line)
    if inside is not None:
        raise ValueError(f"line {start - 1}: the block is never closed")


def commands(block: Block) -> Iterator[tuple[str, str, int]]:
    """Yield command, expected output and the line of the output of a console block."""
    command: str | None = None
    output: list[str] = []
    start = block.line
    for number, line in enumerate(block.text.split("\n"), start=block.line):
        if command is not None and command.endswith("\\") and not output:
            command += "\n" + line
            start = number + 1
        elif line.startswith("$ "):
            if command is not None:
                yield command, "\n".join(output), start
            command, output, start = line[2:], [], number + 1
        elif command is None:
            raise ValueError(f"line {number}: a console block begins with a command")
        else:
            output.append(line)
    if command is not None:
        yield command, "\n".join(output), start


def tidy(output: str) -> str:
    """Return output without blanks at the ends of lines and without empty lines at its end."""
    return "\n".join(line.rstrip() for line in output.split("\n")).rstrip("\n")


def same_output(expected: str, found: str) -> bool:
    """Tell whether `found` is what `expected` allows."""
    pattern = ""
    for line in tidy(expected).split("\n"):
        if line.strip() == ANYTHING:
            pattern += r"(?:.*\n)*?"
        else:
            pattern += r"[^\n]*".join(re.escape(piece) for piece in line.split(ANYTHING)) + r"\n"
    return re.fullmatch(pattern, tidy(found) + "\n") is not None


class _Page:
    """A page while it runs."""

    def __init__(self, path: Path, store: str | None, variables: Mapping[str, str]) -> None:
        self.path = path
        self.store = store
        self.namespace: dict[str, Any] = {"__name__": f"docs.{path.stem}"}
        self.status = 0
        self.environment = {
            **os.environ,
            **variables,
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
            "COLUMNS": "80",
            "LC_ALL": "C.UTF-8",
            "NO_COLOR": "1",
            "PYTHONWARNINGS": "error",
        }

    def here(self, text: str) -> str:
        """Put the address of the store that is running into the place of the one in the page."""
        return text.replace(STORE, self.store) if self.store else text

    def there(self, text: str) -> str:
        """Put the address in the page into the place of the one that is running."""
        return text.replace(self.store, STORE) if self.store else text

    def shell(self, command: str) -> str:
        exported = re.fullmatch(r"export (\w+)=(\S+)", command)
        if exported:
            self.environment[exported[1]] = self.here(exported[2])
            self.status = 0
            return ""
        done = subprocess.run(  # noqa: S603
            ["/bin/bash", "-c", f"(exit {self.status}); {self.here(command)}"],
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            timeout=300,
            check=False,
        )
        self.status = done.returncode
        return tidy(self.there(done.stdout.decode("utf-8", "backslashreplace")))

    def python(self, block: Block) -> str:
        printed = io.StringIO()
        # Lines of tracebacks are lines of the page.
        code = compile("\n" * (block.line - 1) + self.here(block.text), str(self.path), "exec")
        with contextlib.redirect_stdout(printed):
            exec(code, self.namespace)  # noqa: S102
        return tidy(self.there(printed.getvalue()))


def _failed(command: str, status: int, output: str) -> str | None:
    """Say what is wrong with an exit status, or return None."""
    if command.startswith("driftline"):
        refused = "driftline: E-" in output
        if refused == (status == 2) and status in (0, 1, 2, 4):
            return None
        return f"{command}: exit status {status}\n{output}"
    if status and not command.startswith("echo"):
        return f"{command}: exit status {status}\n{output}"
    return None


def _check_toml(block: Block) -> None:
    from driftline.cards.limits import SECTIONS as OF_CARDS
    from driftline.configuration import SECTIONS, read_configuration

    name, data = f"line {block.line}", block.text.encode()
    if block.file == "driftline.toml":
        read_configuration(data, name)
    elif set(tomllib.loads(block.text)) & set(SECTIONS):
        # A part of a file may speak of what stands in another part.
        read_configuration(data, name, known=DECLARED)
    elif set(tomllib.loads(block.text)) & set(OF_CARDS):
        from driftline.cards.text import read_card

        read_card(data, name, "toml")
    else:
        _check_overrides(data, name)


def _check_overrides(data: bytes, name: str) -> None:
    """Refuse overrides that none of the recipes accepts."""
    from driftline.baselines.metrics import RECIPES
    from driftline.errors import DocumentError
    from driftline.monitor.overrides import read_overrides

    refused: DocumentError | None = None
    for recipe in RECIPES:
        try:
            read_overrides(data, file=name, recipe=recipe)
        except DocumentError as error:
            refused = refused or error
        else:
            return
    if not _is_settings(data):
        assert refused is not None
        raise refused


def _is_settings(data: bytes) -> bool:
    """Tell whether a monitor accepts this as what it must be told."""
    from driftline.errors import DriftlineError
    from driftline.monitor.kinds import KINDS, read_settings

    for kind in KINDS[1:]:
        try:
            read_settings(kind, data)
        except DriftlineError:
            continue
        return True
    return False


def run_page(
    path: Path, *, store: str | None = None, variables: Mapping[str, str] | None = None
) -> list[Difference]:
    """Run the examples of a page in the current folder, which is empty.

    Parameters
    ----------
    path : Path
    store : str, optional
        ``host:port`` of an object store that speaks S3, to stand in for the one in the page.
    variables : mapping of str to str, optional
        Environment variables for the commands.

    Returns
    -------
    list of Difference

    Raises
    ------
    RuntimeError
        If a command fails; what a Python block raises is passed on.
    """
    text = path.read_text("utf-8")
    page = _Page(path, store, variables or {})
    if f"<!-- uses {DATA_SCRIPT} -->" in text:
        script = next(b for b in blocks(DATA_PAGE.read_text("utf-8")) if b.file == DATA_SCRIPT)
        Path(DATA_SCRIPT).write_text(script.text + "\n", "utf-8")
        page.shell(f"python {DATA_SCRIPT}")
    if f"<!-- uses {DEMO_DATA} -->" in text:
        shutil.copytree(ROOT / DEMO_DATA, DEMO_DATA)
    differences = []
    printed: tuple[str, str] | None = None
    for block in blocks(text):
        if block.kind == "text" and printed is not None:
            if not same_output(block.text, printed[1]):
                differences.append(Difference(block.line, printed[0], block.text, printed[1]))
            printed = None
            continue
        if printed is not None and printed[1]:
            raise RuntimeError(f"line {block.line}: what the Python block above prints is not shown")
        printed = None
        if block.kind == "toml":
            _check_toml(block)
        if block.kind == "json":
            json.loads(block.text)
        if block.file is not None:
            Path(block.file).write_text(block.text + "\n", "utf-8")
        elif block.kind == "python":
            printed = block.text.partition("\n")[0] + " …", page.python(block)
        elif block.kind == "console":
            for command, expected, line in commands(block):
                found = page.shell(command)
                problem = _failed(command, page.status, found)
                if problem:
                    raise RuntimeError(f"line {line - 1}: {problem}")
                if not same_output(expected, found):
                    differences.append(Difference(line, command, expected, found))
    return differences


def rewritten(text: str, differences: Sequence[Difference]) -> str:
    """Return a page with what the program prints in the place of what it said."""
    lines = text.split("\n")
    for difference in sorted(differences, key=lambda d: -d.line):
        found = difference.found
        for pattern, instead in _VOLATILE:
            found = pattern.sub(instead, found)
        at = difference.line - 1
        n_lines = len(difference.expected.split("\n")) if difference.expected else 0
        lines[at : at + n_lines] = found.split("\n") if found else []
    return "\n".join(lines)


def main(arguments: Sequence[str]) -> int:
    """Run the pages named, or all of them."""
    write = "--write" in arguments
    chosen = [Path(a).resolve() for a in arguments if a != "--write"] or pages()
    n_different = 0
    for path in chosen:
        with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
            differences = run_page(path)
        n_different += len(differences)
        for difference in differences:
            print(f"{path.name}: {difference}")
        if write and differences:
            path.write_text(rewritten(path.read_text("utf-8"), differences), "utf-8")
    return int(n_different > 0 and not write)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
