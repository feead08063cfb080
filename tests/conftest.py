"""Shared by all tests: a deterministic hypothesis profile and the folder with test data."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile(
    "driftline",
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    max_examples=50,
)
settings.register_profile("exam", deadline=None, max_examples=2000, suppress_health_check=list(HealthCheck))
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "driftline"))


@pytest.fixture(scope="session")
def data() -> Path:
    """Folder with the files that tests read."""
    return Path(__file__).parent / "data"
