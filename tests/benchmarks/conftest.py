"""The benchmarks are not installed: they are found where they stand, at the root of the tree."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
# At the end, so that nothing at the root comes before an installed package.
sys.path.append(str(ROOT))
