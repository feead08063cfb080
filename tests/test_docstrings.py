"""The examples in the docstrings run and print what they say."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

import driftline


def modules() -> list[str]:
    walked = pkgutil.walk_packages(driftline.__path__, "driftline.")
    names = ["driftline", *(found.name for found in walked if not found.name.endswith("__main__"))]
    # The child is a program of its own, not a module to import.
    return [n for n in names if not n.endswith("preprocessor_child")]


@pytest.mark.parametrize("name", modules())
def test_examples(name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: pytest.TempPathFactory) -> None:
    monkeypatch.chdir(str(tmp_path))
    module = importlib.import_module(name)
    failed, _ = doctest.testmod(module, optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    assert failed == 0
