"""Verdict: what follows from the metrics of a run, all of them together.

A metric is violated only when it is beyond its bound *and* the evidence for that holds after the Benjamini–Hochberg
correction over every metric of the run. It is undetermined when it is beyond the bound within the noise, and when the
sample could not have shown even a gross failure. The recipes say what the bound is and find the words.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from driftline.kernels.evidence import benjamini_hochberg
from driftline.reports.outcome import Status

if TYPE_CHECKING:
    from collections.abc import Sequence

    from driftline.baselines.constraint import Constraint
    from driftline.reports.outcome import Measurement

__all__ = ["Because", "Claim", "Verdict", "decide"]


class Because(StrEnum):
    """Why a verdict is what it is."""

    WITHIN = "within"
    BEYOND = "beyond"
    NOISE = "noise"
    BLIND = "blind"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Claim:
    """A metric that is to be judged.

    Attributes
    ----------
    constraint : Constraint
    measurement : Measurement
        `p_value` is the probability of a value at least this bad if the metric were just at its bound; None where
        nothing can be said about chance.
    excess : float or None
        How far beyond its bound the metric is, positive where it is worse; None where it could not be computed.
    most : float or None
        An excess that anybody would call a gross failure: where `measurement.detectable` is larger, the sample says
        nothing.
    segment : str or None
    """

    constraint: Constraint
    measurement: Measurement
    excess: float | None
    most: float | None = None
    segment: str | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What follows.

    Attributes
    ----------
    status : Status
    because : Because
    q_value : float or None
    """

    status: Status
    because: Because
    q_value: float | None = None


def decide(claims: Sequence[Claim], alpha: float) -> tuple[list[Verdict], int]:
    """Judge all metrics of a run together.

    Parameters
    ----------
    claims : sequence of Claim
    alpha : float
        False discovery rate.

    Returns
    -------
    verdicts : list of Verdict
        In the order given.
    n_tests : int
        Number of p-values corrected together.
    """
    tested = [
        i
        for i, claim in enumerate(claims)
        if claim.constraint.evidence and claim.measurement.p_value is not None and _is_known(claim)
    ]
    corrected = benjamini_hochberg([claims[i].measurement.p_value or 0.0 for i in tested])
    q_values = dict(zip(tested, corrected, strict=True))
    return [_verdict(claim, q_values.get(i), alpha) for i, claim in enumerate(claims)], len(tested)


def _is_known(claim: Claim) -> bool:
    value, excess = claim.measurement.value, claim.excess
    if value is None or excess is None or math.isnan(value) or math.isnan(excess):
        return False
    return claim.measurement.n_current >= claim.constraint.min_rows


def _verdict(claim: Claim, q_value: float | None, alpha: float) -> Verdict:
    if not _is_known(claim):
        return Verdict(Status.UNDETERMINED, Because.UNKNOWN)
    assert claim.excess is not None
    if claim.excess > 0:
        if not claim.constraint.evidence or (q_value is not None and q_value <= alpha):
            return Verdict(Status.VIOLATED, Because.BEYOND, q_value)
        return Verdict(Status.UNDETERMINED, Because.NOISE, q_value)
    detectable = claim.measurement.detectable
    if claim.most is not None and detectable is not None and detectable > claim.most:
        return Verdict(Status.UNDETERMINED, Because.BLIND, q_value)
    return Verdict(Status.PASSED, Because.WITHIN, q_value)
