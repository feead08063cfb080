from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from driftline.baselines.sagemaker import (
    SCHEMA,
    read_constraints,
    read_statistics,
    write_constraints,
    write_statistics,
)

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("run", ["housing", "weather", "amazon_reviews", "sdk_fixtures"])
def test_both_files_of_a_real_baseline_speak_of_the_same_columns(data: Path, run: str) -> None:
    folder = data / "sagemaker" / run
    constraints = read_constraints((folder / "constraints.json").read_bytes())
    statistics = read_statistics((folder / "statistics.json").read_bytes())
    types = {f.name: f.inferred_type for f in constraints.features}
    for feature in statistics.features:
        assert types[feature.name] == feature.inferred_type
        assert feature.n_present + feature.n_missing == statistics.item_count
    assert read_constraints(write_constraints(constraints)) == constraints
    assert read_statistics(write_statistics(statistics)) == statistics
    assert SCHEMA not in write_constraints(constraints)


def test_a_reader_of_files_loads_no_arrays() -> None:
    code = (
        "import sys, driftline.baselines.sagemaker\n"
        "print([m for m in ('numpy', 'pyarrow', 'pandas', 'numba') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
