"""Hub: a card of the Hugging Face Hub fills a card, and what has no place in it is told."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import pytest

from driftline.cards import ModelCard
from driftline.cards.population import from_huggingface
from driftline.errors import InputError
from driftline.files import digest

if TYPE_CHECKING:
    from pathlib import Path

    from driftline.cards.session import Session

README = b"""---
license: apache-2.0
library_name: sklearn
---

# Churn

## Model Details

### Model Description

Who leaves next month.
"""


@pytest.mark.parametrize("form", ["folder", "file", "bytes"])
def test_a_readme_fills_a_card(tmp_path: Path, ann: Session, form: str) -> None:
    file = tmp_path / "README.md"
    file.write_bytes(README)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = from_huggingface({"folder": tmp_path, "file": file, "bytes": README}[form])
    assert found.extensions["legal"]["licence"] == "Apache-2.0"
    card = ModelCard("churn", extensions=found.extensions, sagemaker_session=ann, **found.sections)
    card.create()
    assert "Who leaves next month." in str(card.content())
    source = found.provenance()["extensions.legal.licence"]["source"]
    assert source == f"huggingface:{digest(README)}"


def test_no_readme(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="E-FILE"):
        from_huggingface(tmp_path)
