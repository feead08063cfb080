"""What holds of any two files: what was applied is so, and applying it again is nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from declared import made_site
from hypothesis import given, settings
from hypothesis import strategies as st

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from declared import Site

WORDS = st.sampled_from(["ann", "bea", "who leaves", "ü → π"])


@pytest.fixture(scope="module")
def lasting(tmp_path_factory: pytest.TempPathFactory, template: Path) -> Iterator[Site]:
    """One workspace for all examples, so that each begins where another ended."""
    site = made_site(tmp_path_factory.mktemp("laws") / "ws", template)
    with site.workspace:
        yield site


@st.composite
def files(draw: st.DrawFn) -> str:
    """Return a file that declares some of a few models, endpoints, monitors and targets."""
    lines = ['[baselines.b]\ndata = "train.csv"']
    for name in ("m0", "m1"):
        lines.append(f"[models.{name}]")
        for key in draw(st.sets(st.sampled_from(["owner", "description"]))):
            lines.append(f'{key} = "{draw(WORDS)}"')
        if draw(st.booleans()):
            lines.append(f'risk_rating = "{draw(st.sampled_from(["low", "high"]))}"')
        # Versions and their artifacts do not change; how they were described may.
        lines.append('versions = [{ version = "1" }, { version = "2", artifact = "churn.bin" }]')
    endpoints = draw(st.sets(st.sampled_from(["e0", "e1", "e2"])))
    for name in sorted(endpoints):
        lines.append(f"[endpoints.{name}]")
        variants = draw(st.lists(st.sampled_from(["a", "b", "c"]), min_size=1, max_size=3, unique=True))
        rows = [
            f'{{ name = "{variant}", model = "{draw(st.sampled_from(["m0", "m1"]))}", '
            f'version = "{draw(st.sampled_from("12"))}", weight = {draw(st.sampled_from([0.5, 1.0, 2.0]))} }}'
            for variant in variants
        ]
        lines.append(f"variants = [{', '.join(rows)}]")
    for name in ("q0", "q1"):
        if not endpoints or not draw(st.booleans()):
            continue
        lines.append(
            f'[monitors.{name}]\nendpoint = "{draw(st.sampled_from(sorted(endpoints)))}"\nbaseline = "b"'
        )
        lines.append(f'enabled = {str(draw(st.booleans())).lower()}\ndelay = "{draw(st.integers(0, 3))}m"')
        for rule in draw(st.lists(st.sampled_from(["default", "soon", "often"]), max_size=3, unique=True)):
            lines.append(
                f'[[monitors.{name}.alerts]]\nname = "{rule}"\nkeep_firing = {draw(st.integers(0, 2))}'
            )
    for name in ("t0", "t1"):
        if draw(st.booleans()):
            lines.append(f'[targets.{name}]\nkind = "log"\nenabled = {str(draw(st.booleans())).lower()}')
    if draw(st.booleans()):
        lines.append(f"[scheduler]\nworkers = {draw(st.integers(1, 3))}")
    return "\n".join(lines) + "\n"


@settings(max_examples=40)
@given(text=files(), prune=st.booleans())
def test_what_was_applied_is_so(lasting: Site, text: str, prune: bool) -> None:
    plan = lasting.plan(text, prune=prune)
    before = lasting.written()
    plan.apply()
    written = lasting.written()
    assert (written > before) == bool(plan)
    again = lasting.plan(text, prune=prune)
    assert again.changes == ()
    assert again.left == plan.left
    again.apply()
    assert lasting.written() == written
