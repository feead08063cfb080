"""Numbers: everything kept of a column of numbers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from driftline.kernels.distinct import CAPACITY, Distinct
from driftline.kernels.distribution import Distribution, from_key
from driftline.kernels.hashing import hash_integers, hash_numbers
from driftline.kernels.moments import Moments
from driftline.kernels.state import Packed, State, StateMismatchError, same_setting

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

__all__ = ["LOSSLESS", "Numbers"]

LOSSLESS = 1 << 53
"""Largest magnitude up to which every integer is a double."""


@dataclass(frozen=True, eq=False, slots=True)
class Numbers(State):
    """Moments, distribution and distinct values of finite numbers.

    Attributes
    ----------
    moments : Moments
    distribution : Distribution
    sample : Distinct or None
        None exactly while the distribution is the multiset of the values themselves, from which it would follow.
    sample_capacity : int
        Capacity of the sample, once there is one.
    """

    moments: Moments = field(default_factory=Moments)
    distribution: Distribution = field(default_factory=Distribution)
    sample: Distinct | None = None
    sample_capacity: int = CAPACITY

    kind: ClassVar[str] = "numbers"

    def empty(self) -> Numbers:
        """Return Numbers of nothing with the same capacity."""
        return Numbers(distribution=self.distribution.empty(), sample_capacity=self.sample_capacity)

    def update(self, *columns: NDArray[Any]) -> Numbers:
        """Fold in finite values, float64 or int64 of shape (n,)."""
        result = self
        for x in columns:
            if x.shape[0] == 0:
                continue
            values: NDArray[Any] = x if x.dtype == np.int64 else np.ascontiguousarray(x, np.float64)
            moments = Moments().update(values)
            distribution = result.distribution.empty().update(values)
            sample = None
            if _needs_sample(moments, distribution):
                hashes = hash_integers(values) if values.dtype == np.int64 else hash_numbers(values)
                sample = Distinct(capacity=self.sample_capacity).update(hashes)
            result = result.merge(Numbers(moments, distribution, sample, self.sample_capacity))
        return result

    def merge(self, other: Numbers) -> Numbers:
        """Return the Numbers of both sides' values."""
        if self.sample_capacity != other.sample_capacity:
            raise StateMismatchError(
                self.kind, "sample_capacity", self.sample_capacity, other.sample_capacity
            )
        moments = self.moments.merge(other.moments)
        distribution = self.distribution.merge(other.distribution)
        sample = None
        if self.sample is not None or other.sample is not None or _needs_sample(moments, distribution):
            sample = self.distinct.merge(other.distinct)
        return Numbers(moments, distribution, sample, self.sample_capacity)

    @classmethod
    def merge_many(cls, parts: Sequence[Numbers]) -> Numbers:
        """Return the Numbers of the values of all `parts`."""
        same_setting(cls.kind, "sample_capacity", parts)
        capacity = parts[0].sample_capacity
        moments = Moments.merge_many([part.moments for part in parts])
        distribution = Distribution.merge_many([part.distribution for part in parts])
        sample = None
        if any(part.sample is not None for part in parts) or _needs_sample(moments, distribution):
            samples = [part.sample for part in parts if part.sample is not None]
            # Those that are still the multiset of their values are one multiset together.
            exact = [part.distribution for part in parts if part.sample is None]
            if exact:
                cells = np.concatenate([part.cells for part in exact])
                counts = np.concatenate([part.counts for part in exact])
                known = Distinct(capacity=capacity)
                samples.append(known.weighted(hash_numbers(from_key(cells)), counts))
            sample = Distinct.merge_many(samples)
        return Numbers(moments, distribution, sample, capacity)

    @property
    def n(self) -> int:
        """Values folded in."""
        return self.moments.n

    @property
    def distinct(self) -> Distinct:
        """The distinct values, whether kept apart or read off the distribution."""
        if self.sample is not None:
            return self.sample
        return Distinct(capacity=self.sample_capacity).weighted(
            hash_numbers(from_key(self.distribution.cells)), self.distribution.counts
        )

    @property
    def n_distinct(self) -> float:
        """Number of different values: exact while few, else estimated."""
        if self.sample is None:
            return float(self.distribution.cells.shape[0])
        return self.sample.n_distinct

    def finalize(self) -> Mapping[str, float | None]:
        """Return the numbers of all three parts."""
        n_distinct = self.n_distinct if self.n else None
        return {**self.moments.finalize(), **self.distribution.finalize(), "n_distinct": n_distinct}

    def pack(self) -> Packed:
        """Return the packed parts under prefixed names."""
        parts: dict[str, State] = {"moments": self.moments, "distribution": self.distribution}
        if self.sample is not None:
            parts["sample"] = self.sample
        packed = {name: part.pack() for name, part in parts.items()}
        scalars = {f"{name}.{key}": v for name, p in packed.items() for key, v in p.scalars.items()}
        return Packed(
            {**scalars, "sample_capacity": self.sample_capacity},
            {f"{name}.{key}": v for name, p in packed.items() for key, v in p.arrays.items()},
        )

    @classmethod
    def unpack(cls, packed: Packed) -> Numbers:
        """Rebuild from :meth:`pack`."""

        def part(name: str) -> Packed:
            cut = len(name) + 1
            return Packed(
                {k[cut:]: v for k, v in packed.scalars.items() if k.startswith(name + ".")},
                {k[cut:]: v for k, v in packed.arrays.items() if k.startswith(name + ".")},
            )

        moments = Moments.unpack(part("moments"))
        distribution = Distribution.unpack(part("distribution"))
        sample = Distinct.unpack(part("sample")) if "sample.level" in packed.scalars else None
        if distribution.n != moments.n or (sample is not None and sample.n != moments.n):
            raise ValueError("moments and distribution count different numbers of values")
        return cls(moments, distribution, sample, int(packed.scalars["sample_capacity"]))


def _needs_sample(moments: Moments, distribution: Distribution) -> bool:
    if not distribution.is_exact:
        return True
    low, high = moments.low, moments.high
    return (isinstance(low, int) and low < -LOSSLESS) or (isinstance(high, int) and high > LOSSLESS)
