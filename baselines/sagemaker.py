"""``statistics.json`` and ``constraints.json`` in the form of SageMaker Model Monitor, in and out.

Files that SageMaker wrote come out of :func:`write_constraints` and :func:`write_statistics` byte for byte.
"""

from __future__ import annotations

from driftline.baselines.sagemaker_constraints import SCHEMA, read_constraints, write_constraints
from driftline.baselines.sagemaker_statistics import read_statistics, write_statistics

__all__ = ["SCHEMA", "read_constraints", "read_statistics", "write_constraints", "write_statistics"]
