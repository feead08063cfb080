"""What the pages say about checks, names, codes and files is complete and true."""

from __future__ import annotations

import inspect
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

import driftline as dl
from driftline.baselines.column import Limits
from driftline.baselines.constraint import CHECKS, MonitoringConfig

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", ROOT / "DECISIONS.md", *sorted(DOCS.glob("*.md"))]
CODE = ("driftline", "monitor", "registry", "baselines", "capture", "kernels", "reports", "cards")


def sections(page: str, level: str) -> dict[str, str]:
    """Return the text under every heading of a level, by its first word in backquotes."""
    parts = re.split(rf"^{level} (?:class )?`(\w+)`\n", (DOCS / page).read_text("utf-8"), flags=re.MULTILINE)
    return dict(
        zip(parts[1::2], (re.split(r"^#{1,3} ", p, flags=re.MULTILINE)[0] for p in parts[2::2]), strict=True)
    )


def rows(text: str) -> dict[str, str]:
    """Return the second cell of every table row by the first."""
    found = re.findall(r"^\| ([^|]+?) \| ([^|]+?) \|", text, flags=re.MULTILINE)
    return {first.strip("`"): second for first, second in found}


def test_every_check_has_a_section() -> None:
    assert list(sections("checks.md", "###")) == list(CHECKS)


@pytest.mark.parametrize("name", CHECKS)
def test_a_section_says_what_the_check_is(name: str) -> None:
    table = rows(sections("checks.md", "###")[name])
    info = CHECKS[name]
    assert table["constraint_check_type"] == f"`{info.check_type}`"
    assert table["unit"] == info.unit
    assert table["on by default"] == ("yes" if info.enabled else "no")
    bound = table["default bound"]
    assert (
        bound in ("none", "from the baseline")
        if info.default_bound is None
        else bound == str(info.default_bound)
    )


def test_every_setting_is_explained() -> None:
    from dataclasses import fields

    from driftline.baselines.constraint import Settings

    text = (DOCS / "checks.md").read_text("utf-8").partition("## Columns")[0]
    assert {f.name for f in fields(Settings)} <= set(re.findall(r"`(\w+)`", text))


def test_the_python_page_has_every_public_name() -> None:
    page = (DOCS / "python.md").read_text("utf-8")
    documented = set(sections("python.md", "##"))
    assert documented | {"__version__"} == set(dl.__all__)
    assert "`__version__`" in page


@pytest.mark.parametrize("name", ["baseline", "check", "diff", "profile", "load_baseline", "load_report"])
def test_the_python_page_has_every_parameter(name: str) -> None:
    text = sections("python.md", "##")[name]
    cells = re.findall(r"^\| (`[^|]+`) \|", text, flags=re.MULTILINE)
    documented = {word for cell in cells for word in re.findall(r"`(\w+)`", cell)}
    assert documented == set(inspect.signature(getattr(dl, name)).parameters)


@pytest.mark.parametrize("name", ["Baseline", "Report"])
def test_the_python_page_has_every_attribute(name: str) -> None:
    from dataclasses import fields

    cls: Any = getattr(dl, name)
    public = {f.name for f in fields(cls)} | {n for n in vars(cls) if not n.startswith("_")}
    public -= {"columns", "from_files"} if name == "Baseline" else set()
    cells = re.findall(r"^\| (`[^|]+`) \|", sections("python.md", "##")[name], flags=re.MULTILINE)
    assert {word for cell in cells for word in re.findall(r"`(\w+)", cell)} == public


def codes_in_code() -> set[str]:
    """Return every error code that stands in a string of the program."""
    found: set[str] = set()
    for folder in CODE:
        for path in (ROOT / folder).rglob("*.py"):
            # The mapped folders stand inside driftline/ as links, too.
            found |= set(re.findall(r"\bE-[A-Z][A-Z0-9]*(?:-[A-Z0-9]+)*\b", path.read_text("utf-8")))
    # "E-CODE" is how messages are written about; the example of a docstring.
    return found - {"E-CODE"}


def test_every_error_code_is_explained() -> None:
    page = (DOCS / "errors.md").read_text("utf-8")
    documented = set(re.findall(r"^\| `(E-[A-Z0-9-]+)`", page, flags=re.MULTILINE))
    assert documented == codes_in_code()


def test_the_command_line_page_is_what_the_program_prints(command_line: Any) -> None:
    assert (DOCS / "cli.md").read_text("utf-8") == command_line.page(), "python docs/command_line.py"


def test_every_environment_variable_is_explained() -> None:
    used: set[str] = set()
    for folder in CODE:
        for path in (ROOT / folder).rglob("*.py"):
            used |= set(re.findall(r'"(DRIFTLINE_[A-Z_]+)"', path.read_text("utf-8")))
    assert used == set(re.findall(r"`(DRIFTLINE_[A-Z_]+)`", (DOCS / "cli.md").read_text("utf-8")))


def test_the_sizes_that_concepts_names_are_those_of_the_program() -> None:
    table = rows((DOCS / "concepts.md").read_text("utf-8"))
    narrow = Limits.for_width(256)
    assert table["up to 256"] == (
        f"{narrow.cells:,} cells; {narrow.categories:,} texts; sample of {narrow.sample:,}"
    )
    for label, width in (("up to 1,024", 1024), ("up to 4,096", 4096), ("more", 100_000)):
        limits = Limits.for_width(width)
        assert table[label] == f"{limits.cells:,} each"
        assert limits.cells == limits.categories == limits.sample
    assert Limits.for_width(257) == Limits.for_width(1024)
    assert Limits.for_width(1025) == Limits.for_width(4096)


def test_the_defaults_that_file_formats_names_are_those_of_the_program() -> None:
    table = rows((DOCS / "file-formats.md").read_text("utf-8"))
    monitoring = MonitoringConfig()
    for name in ("datatype_check_threshold", "domain_content_threshold"):
        assert float(table[name]) == getattr(monitoring, name)
    prefix = "distribution_constraints."
    assert float(table[prefix + "comparison_threshold"]) == monitoring.comparison_threshold
    assert table[prefix + "comparison_method"] == f"`{monitoring.comparison_method}`"
    assert table[prefix + "categorical_drift_method"] == f"`{monitoring.categorical_drift_method}`"


def test_the_keys_of_a_report_are_explained() -> None:
    import json

    report = dl.check({"x": [1, 2]}, dl.baseline({"x": [1, 2]}))
    text = (DOCS / "file-formats.md").read_text("utf-8").partition("## `report.json`")[2]
    documented = {
        w
        for cell in re.findall(r"^\| (`[^|]+) \|", text, flags=re.MULTILINE)
        for w in re.findall(r"`(\w+)`", cell)
    }
    assert documented == set(json.loads(report.to_json()))


def anchors(page: Path) -> set[str]:
    """Return the anchors that a forge makes of the headings of a page."""
    headings = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    text = re.sub(r"^```.*?^```$", "", page.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    links = re.findall(r"\]\(([^)\s]+)\)", text) + re.findall(r'(?:src|srcset)="([^"]+)"', text)
    for link in links:
        if link.startswith("https://"):
            continue
        path, _, anchor = link.partition("#")
        target = page if not path else (page.parent / path)
        assert target.exists(), link
        if anchor:
            assert anchor in anchors(target), link


def test_make_targets_exist() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    named = {t for page in PAGES for t in re.findall(r"\bmake (\w+)", "\n".join(_shell(page)))}
    assert {"demo", "test"} <= named
    for target in named:
        assert re.search(rf"^{target}:", makefile, flags=re.MULTILINE), target


def _shell(page: Path) -> list[str]:
    return re.findall(r"^```sh\n(.*?)^```$", page.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)


def test_every_dependency_has_a_reason() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    wanted = project["project"]["dependencies"] + project["dependency-groups"]["dev"]
    names = {re.split(r"[\[<>=~]", requirement)[0] for requirement in wanted}
    tables = re.findall(r"^\| ([\w, -]+) \| ", (ROOT / "DECISIONS.md").read_text("utf-8"), flags=re.MULTILINE)
    told = {name.strip() for cell in tables for name in cell.split(",")}
    assert names <= told, names - told


def test_the_change_notes_name_this_version() -> None:
    assert f"## [{dl.__version__}]" in (ROOT / "CHANGELOG.md").read_text("utf-8")


@pytest.mark.parametrize(
    "name", [f"{name}-{scheme}.png" for name in ("report", "drift", "column") for scheme in ("light", "dark")]
)
def test_pictures_are_there_and_small(name: str) -> None:
    data = (DOCS / "images" / name).read_bytes()
    assert data.startswith(b"\x89PNG")
    assert len(data) < 200_000


def test_every_event_is_explained() -> None:
    """Types stand in the code as plain strings; what is put together from parts is seen by the tests that emit it."""
    import dataclasses

    from driftline.monitor.attribution.model_settings import ModelSettings
    from driftline.registry.event_types import EVENTS

    families = "|".join(sorted({kind.partition(".")[0] for kind in EVENTS}))
    fields = {f"model.{f.name}" for f in dataclasses.fields(ModelSettings)} | {"model.token"}
    used: set[str] = set()
    for folder in ("registry", "monitor"):
        for path in (ROOT / folder).rglob("*.py"):
            if path.name != "event_types.py":
                used |= set(re.findall(rf'"((?:{families})\.[a-z_]+)"', path.read_text("utf-8")))
    # Files, and settings of models, which look alike.
    files = re.compile(r"\.(json|csv|py|txt)$")
    used = {one for one in used if not files.search(one) and (one in EVENTS or one not in fields)}
    assert used <= set(EVENTS)
    told = rows((DOCS / "events.md").read_text("utf-8"))
    assert {kind: told[kind] for kind in EVENTS} == EVENTS
