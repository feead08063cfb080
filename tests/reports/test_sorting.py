"""The script of the page and its digest."""

from __future__ import annotations

import base64
import hashlib

from driftline.reports.sorting import SCRIPT, SCRIPT_DIGEST


def test_the_digest_is_that_of_the_script() -> None:
    digest = base64.b64encode(hashlib.sha256(SCRIPT.encode("utf-8")).digest()).decode()
    assert f"sha256-{digest}" == SCRIPT_DIGEST


def test_the_script_can_stand_in_a_page() -> None:
    assert "</" not in SCRIPT
    assert "<!--" not in SCRIPT
    assert SCRIPT.isascii()
    for word in ("innerHTML", "outerHTML", "eval", "document.write", "fetch", "insertAdjacentHTML"):
        assert word not in SCRIPT
