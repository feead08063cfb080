"""Identifiers of licences: SPDX's spelling, and how Hugging Face and CycloneDX write the same."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["SPDX", "is_expression", "of_hugging_face", "to_hugging_face"]

SPDX: Final = (
    "AFL-3.0", "AGPL-3.0-only", "Apache-2.0", "Artistic-2.0", "BSD-2-Clause", "BSD-3-Clause", "BSD-3-Clause-Clear",
    "BSL-1.0", "CC-BY-2.0", "CC-BY-2.5", "CC-BY-3.0", "CC-BY-4.0", "CC-BY-NC-2.0", "CC-BY-NC-3.0", "CC-BY-NC-4.0",
    "CC-BY-NC-ND-3.0", "CC-BY-NC-ND-4.0", "CC-BY-NC-SA-2.0", "CC-BY-NC-SA-3.0", "CC-BY-NC-SA-4.0", "CC-BY-ND-4.0",
    "CC-BY-SA-3.0", "CC-BY-SA-4.0", "CC0-1.0", "CDLA-Permissive-1.0", "CDLA-Permissive-2.0", "CDLA-Sharing-1.0",
    "ECL-2.0", "EPL-1.0", "EPL-2.0", "EUPL-1.1", "EUPL-1.2", "GPL-2.0-only", "GPL-2.0-or-later", "GPL-3.0-only",
    "GPL-3.0-or-later", "ISC", "LGPL-2.1-only", "LGPL-3.0-only", "LPPL-1.3c", "MIT", "MPL-2.0", "MS-PL", "NCSA",
    "ODbL-1.0", "OFL-1.1", "OSL-3.0", "PDDL-1.0", "PostgreSQL", "Unlicense", "WTFPL", "Zlib",
)  # fmt: skip
"""Identifiers of the SPDX licence list that models and data commonly have."""

_HUGGING_FACE: Final = {
    **{one.lower(): one for one in SPDX},
    "agpl-3.0": "AGPL-3.0-only",
    "gpl-2.0": "GPL-2.0-only",
    "gpl-3.0": "GPL-3.0-only",
    "lgpl-2.1": "LGPL-2.1-only",
    "lgpl-3.0": "LGPL-3.0-only",
    "ms-pl": "MS-PL",
}
_OWN: Final = {spdx: own for own, spdx in _HUGGING_FACE.items()}

_EXPRESSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+-]*(?: (?:AND|OR|WITH) [A-Za-z0-9][A-Za-z0-9.+-]*)*")


def of_hugging_face(text: str) -> str:
    """Return SPDX's spelling of a licence of Hugging Face; one that SPDX does not have stays as it is.

    Examples
    --------
    >>> of_hugging_face("apache-2.0"), of_hugging_face("gpl-3.0"), of_hugging_face("openrail")
    ('Apache-2.0', 'GPL-3.0-only', 'openrail')
    """
    return _HUGGING_FACE.get(text.lower(), text)


def to_hugging_face(text: str) -> str | None:
    """Return how Hugging Face writes a licence, or None where it has no identifier for it."""
    return _OWN.get(text)


def is_expression(text: str) -> bool:
    """Tell whether a text may be an SPDX licence expression.

    Examples
    --------
    >>> is_expression("MIT OR Apache-2.0"), is_expression("our own terms")
    (True, False)
    """
    return _EXPRESSION.fullmatch(text) is not None
