"""The data-quality recipe of SageMaker Model Monitor, numbers and quirks included.

:func:`suggest` is its baseline job and :func:`judge` its monitoring run, both as pure functions of what
:func:`~driftline.monitor.recipes.sagemaker_fold.fold_compat` saw. What is peculiar, on purpose:

* columns are matched to the baseline **by position**; names do not matter;
* types are read from text, strictly: ``0.0`` is not Integral and ``1`` is not Fractional;
* drift of numbers counts every different stored value once (``weights="rows"`` counts rows instead);
* ``is_non_negative`` is suggested and never enforced;
* there is no smallest number of rows.

Descriptions are worded like the service's. Where nobody has published the service's answer, the reading taken
here is: columns that differ in number hide all other checks; a Boolean value counts as a String; the first
sentence of the column checks; the 2019 words for ``categorical_values_check``; and ChiSquared under Robust is
violated where its p-value is *below* ``categorical_comparison_threshold``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from driftline.monitor.recipes.sagemaker_fold import CompatColumn, fold_compat
from driftline.monitor.recipes.sagemaker_judge import judge
from driftline.monitor.recipes.sagemaker_suggest import suggest

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["CompatColumn", "fold_compat", "judge", "sort_keys_as_text", "suggest"]


def sort_keys_as_text(names: Iterable[str]) -> list[str]:
    """Return `names` in the order in which SageMaker assembles the columns of a preprocessor's rows.

    Keys are sorted as text, so ``_c10`` comes before ``_c2``; the columns are then matched to the baseline by
    position.
    """
    return sorted(names)
