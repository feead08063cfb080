"""Coalitions: which subsets of the features a model is asked about, and how its answers become attributions.

The attribution of player i is its Shapley value, ``sum over S without i of |S|! (k-|S|-1)! / k! * (v(S+i) -
v(S))``. It is also the solution of a weighted least squares problem over all coalitions (Lundberg and Lee, "A
unified approach to interpreting model predictions", 2017, theorem 2), which can be estimated from some of them.

Coalitions come in pairs, each with its complement, of the same weight. In such a design the least squares solution
depends on the *differences* ``d = v(S) - v(complement of S)`` alone (Covert and Lee, "Improving KernelSHAP", 2021):
whatever of the game is even under complement cancels instead of becoming noise, and the problem is half as long. A
design therefore depends only on the number of players, the budget and the seed; its solution is a matrix, made once
and shared by all rows.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from driftline.errors import UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["MOST", "Design", "automatic_samples", "design_of", "samples_used"]

MOST = 1 << 20
"""Most coalitions of a design."""


@dataclass(frozen=True, eq=False, slots=True)
class Design:
    """Coalitions, and the linear map from a model's answers on them to attributions.

    Attributes
    ----------
    n_players : int
        k.
    coalitions : ndarray of uint8, shape (m, k)
        1 where the player takes part. Rows ``2p`` and ``2p + 1`` are each other's complement. Neither the empty
        coalition nor the full one is among them.
    signs : ndarray of float64, shape (m / 2, k)
        +1 where the player takes part in the first of a pair, else -1.
    operator : ndarray of float64, shape (k, m / 2)
    share : ndarray of float64, shape (k,)
        ``attributions = operator @ d + share * (v(full) - v(empty))``.
    noise : ndarray of float64, shape (k, n_drawn)
        For the pairs at the end, which were drawn at random, what one unit of unexplained difference tells of the
        error. The other pairs belong to sizes that are there completely; where all are, there are no drawn ones.
    """

    n_players: int
    coalitions: NDArray[np.uint8]
    signs: NDArray[np.float64]
    operator: NDArray[np.float64]
    share: NDArray[np.float64]
    noise: NDArray[np.float64]

    @property
    def n_samples(self) -> int:
        """Coalitions, m."""
        return int(self.coalitions.shape[0])

    @property
    def is_exact(self) -> bool:
        """Tell whether every coalition is there, so that the attributions are the Shapley values themselves."""
        return bool(self.noise.shape[1] == 0)

    def attributions(
        self, worth: NDArray[np.float64], gain: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return attributions and their convergence errors.

        Parameters
        ----------
        worth : ndarray of float64, shape (m, K)
            v of every coalition, for K outputs.
        gain : ndarray of float64, shape (K,)
            ``v(full) - v(empty)``.

        Returns
        -------
        values : ndarray of float64, shape (k, K)
            They add up to `gain`, but for rounding.
        standard_error : ndarray of float64, shape (k, K)
            Standard deviation over the draw of the coalitions; 0 where the design is exact.

        Notes
        -----
        Every drawn pair is one independent block of the sample. What the attributions leave unexplained of its
        difference, times the pair's row of the operator, is its influence on the error, and the influences add up
        in squares. Each is raised for what fitting took from it (divided by the root of one less the pair's
        leverage; MacKinnon and White's HC2) and lowered for the part of its size that was drawn. In tests
        the result is within 5 % of the real error; where the players' even turns (see :func:`design_of`) help the real one
        most, it is up to 10 % above.
        """
        differences = worth[0::2] - worth[1::2]
        values = self.operator @ differences + self.share[:, None] * gain
        # The sum is right but for rounding; what rounding left over goes to all players alike.
        values += (gain - values.sum(axis=0)) / self.n_players
        if self.is_exact:
            return values, np.zeros_like(values)
        start = differences.shape[0] - self.noise.shape[1]
        unexplained = differences[start:] - self.signs[start:] @ values
        return values, np.sqrt(self.noise**2 @ unexplained**2)


def automatic_samples(n_players: int) -> int:
    """Return the number of coalitions when none is asked for, ``min(2**k - 2, 2*k + 2048)``.

    Examples
    --------
    >>> automatic_samples(10), automatic_samples(20)
    (1022, 2088)
    """
    return min(_all(n_players), 2 * n_players + 2048)


def samples_used(n_players: int, n_samples: int | None = None) -> int:
    """Return the number of coalitions that a design of this budget has.

    Parameters
    ----------
    n_players : int
    n_samples : int, optional
        The budget; automatic when missing.

    Returns
    -------
    int
        Even; at most ``2**k - 2``, which is every coalition, and otherwise at least 3 k: fewer do not determine k
        attributions and their errors.

    Raises
    ------
    UsageError
        If the budget is not positive, or beyond `MOST`.
    """
    if n_samples is None:
        n_samples = automatic_samples(n_players)
    elif n_samples < 1:
        raise UsageError(f"{n_samples} coalitions explain nothing", field="n_samples", fix="give 1 or more")
    wanted = min(max(n_samples, 3 * n_players + n_players % 2), _all(n_players))
    if wanted > MOST:
        raise UsageError(
            f"{wanted:,} coalitions a row are too many", field="n_samples", fix=f"give at most {MOST:,}"
        )
    return wanted - wanted % 2


def _all(k: int) -> int:
    return max(0, (1 << k) - 2) if k < 64 else 1 << 62


def design_of(n_players: int, n_samples: int | None = None, seed: int = 0) -> Design:
    """Return the coalitions to ask about, and their solution.

    Parameters
    ----------
    n_players : int
        At least 2.
    n_samples : int, optional
        Budget of coalitions, see :func:`samples_used`.
    seed : int
        Of the draw. The same three numbers give the same design.

    Raises
    ------
    UsageError
        If the budget makes no sense.

    Notes
    -----
    Size 1, with its complements, is there completely; so are 2, 3, ... while an equal part of what is left covers
    them. The other sizes get equal numbers of pairs. Within a size, permutations of the players are cut into
    coalitions, so that every player comes up equally often, and no coalition comes twice.
    """
    wanted = samples_used(n_players, n_samples)
    if wanted == _all(n_players):
        return _complete(n_players)
    return _drawn(n_players, wanted // 2, seed)


def _complete(k: int) -> Design:
    """Return all pairs, with the Shapley weights themselves."""
    # Of every pair the one with player 0; the full coalition, all ones, is the last and no member.
    first = 2 * np.arange((1 << (k - 1)) - 1, dtype=np.int64) + 1
    members = ((first[:, None] >> np.arange(k)) & 1).astype(np.uint8)
    size = members.sum(axis=1, dtype=np.int64)
    # i in S: (|S|-1)! (k-|S|)! / k!, else -|S|! (k-|S|-1)! / k!; the complement has the same with the sign turned.
    joined = np.array([0.0, *(1.0 / (k * math.comb(k - 1, s - 1)) for s in range(1, k))])
    left = np.array([0.0, *(1.0 / (k * math.comb(k - 1, s)) for s in range(1, k))])
    operator = np.where(members == 1, joined[size][:, None], -left[size][:, None]).T
    return Design(
        k,
        _both(members),
        _signs(members),
        np.ascontiguousarray(operator),
        np.full(k, 1.0 / k),
        np.empty((k, 0)),
    )


def _drawn(k: int, n_pairs: int, seed: int) -> Design:
    half = k // 2
    # Where k is even, the coalitions of half the players are each other's complements.
    pairs = [math.comb(k, s) // (1 + (2 * s == k)) for s in range(half + 1)]
    part = [1.0 / (1 + (2 * s == k)) for s in range(half + 1)]
    total = [p * 2.0 * (k - 1) / (s * (k - s)) if s else 0.0 for s, p in enumerate(part)]
    whole, left = 1, n_pairs - k
    while left * part[whole + 1] / sum(part[whole + 1 :]) >= pairs[whole + 1]:
        whole += 1
        left -= pairs[whole]
    sizes = range(whole + 1, half + 1)
    shares = np.array([part[s] for s in sizes]) * (left / sum(part[s] for s in sizes))
    # Fractions of a pair are rounded so that every size gets its share on average, and all together what there is.
    ends = np.floor(np.cumsum(shares) + np.random.default_rng([seed, k]).random() - 1e-9)
    ends[-1] = left
    counts = np.diff(ends, prepend=0.0).astype(np.int64)
    members, weights, unseen = [], [], []
    for s in range(1, whole + 1):
        members.append(_of_size(k, s))
        weights.append(np.full(pairs[s], total[s] / pairs[s]))
    for s, count, share in zip(sizes, counts.tolist(), shares.tolist(), strict=True):
        members.append(_sample(k, s, count, np.random.default_rng([seed, k, s])))
        weights.append(np.full(count, total[s] / share))
        unseen.append(np.full(count, 1.0 - count / pairs[s]))
    return _solved(k, np.concatenate(members), np.concatenate(weights), np.concatenate(unseen))


def _solved(
    k: int, members: NDArray[np.uint8], weights: NDArray[np.float64], unseen: NDArray[np.float64]
) -> Design:
    """Solve the least squares problem, under the constraint that the attributions add up to the gain."""
    signs = _signs(members)
    weighted = signs * weights[:, None]
    # Attributions are gain / k each, and a part that adds up to nothing: the problem lives in that subspace.
    centre = np.eye(k) - 1.0 / k
    inverse = centre @ np.linalg.inv(centre @ (weighted.T @ signs) @ centre + 1.0 / k) @ centre
    operator = inverse @ weighted.T
    drawn = slice(members.shape[0] - unseen.shape[0], None)
    leverage = np.einsum("pi,pi->p", weighted[drawn] @ inverse, signs[drawn])
    noise = operator[:, drawn] * np.sqrt(unseen / np.maximum(1.0 - leverage, 1e-6))
    share = (1.0 - operator @ signs.sum(axis=1)) / k
    return Design(k, _both(members), signs, operator, share, noise)


def _signs(members: NDArray[np.uint8]) -> NDArray[np.float64]:
    return np.where(members == 1, 1.0, -1.0)


def _both(members: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return every row followed by its complement."""
    coalitions = np.repeat(members, 2, axis=0)
    coalitions[1::2] ^= 1
    return coalitions


def _of_size(k: int, s: int) -> NDArray[np.uint8]:
    """Return all coalitions of one size; of half the players only those with player 0."""
    chosen = list(itertools.combinations(range(k), s))
    # In this order, those with player 0 come first.
    return _marked(k, np.array(chosen[: len(chosen) // 2] if 2 * s == k else chosen, np.int64))


def _marked(k: int, chosen: NDArray[np.int64]) -> NDArray[np.uint8]:
    members = np.zeros((chosen.shape[0], k), np.uint8)
    np.put_along_axis(members, chosen, 1, axis=1)
    return members


def _sample(k: int, s: int, count: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Return `count` different coalitions of one size, no two of them complements."""
    if count == 0:
        return np.empty((0, k), np.uint8)
    if math.comb(k, s) <= 8 * count:
        every = _of_size(k, s)
        return every[np.sort(rng.choice(every.shape[0], count, replace=False))]
    turns = k // s
    found = np.empty((0, k), np.uint8)
    while found.shape[0] < count:
        missing = count - found.shape[0]
        orders = rng.permuted(np.tile(np.arange(k), (-(-missing // turns) + 1, 1)), axis=1)
        members = _marked(k, orders[:, : turns * s].reshape(-1, s))
        if 2 * s == k:
            members[members[:, 0] == 0] ^= 1
        found = np.concatenate([found, members])
        packed = np.packbits(found, axis=1)
        _, first = np.unique(packed, axis=0, return_index=True)
        found = found[np.sort(first)]
    return found[:count]
