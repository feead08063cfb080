"""Shapley values of a model's features: how much each one moved a prediction away from what is expected.

For a row x and background rows r_1, ..., r_B, ``v(S)`` is the mean over j of the model's answer on the row that
takes the features in S from x and the others from r_j. The attributions are the Shapley values of v, exact or
estimated by Kernel SHAP (see :mod:`driftline.kernels.coalitions`); they add up to the prediction less the expected
value, ``v(empty)``.

Nearly all of the time goes to the model. What is ours is to write the masked rows, in blocks large enough that a
call costs little and small enough to stay in the processor's cache, to average the answers, and one small matrix
product a row.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from driftline.errors import InputError, SchemaError, UsageError
from driftline.kernels.coalitions import design_of, samples_used
from driftline.kernels.compiled import kernel, worth_loading

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from driftline.kernels.coalitions import Design

__all__ = [
    "CLIP",
    "Explanation",
    "Link",
    "Model",
    "answers",
    "block_rows",
    "evaluations",
    "explain",
    "masked_rows",
]

Model = Callable[["NDArray[np.float64]"], Any]
"""Rows of float64, shape (m, F), to answers of shape (m,) or (m, K)."""

Link = Literal["identity", "logit"]

CLIP = 1e-7
"""Probabilities are kept this far from 0 and 1 before the logit is taken: at most 16.1 either way."""

BLOCK_VALUES = 450_000
"""Values that a model is handed at once, unless told otherwise: they stay in the processor's cache, and below the size from
which OpenBLAS starts threads for a product that takes a millisecond, and waits for them on a busy machine."""

ENSEMBLE_BLOCK_VALUES = 4 * BLOCK_VALUES
"""The same for ensembles of trees, which do a lot for each call and stay in no cache anyway: 10 % faster
so."""


@dataclass(frozen=True, eq=False, slots=True)
class Explanation:
    """Attributions of rows, for G features (or groups of features) and K outputs of the model.

    Attributes
    ----------
    values : ndarray of float64, shape (n, G, K)
        Attributions, in the unit of the model's output, or of its logit. ``values.sum(axis=1)`` is ``predictions -
        expected_value``, but for rounding.
    expected_value : ndarray of float64, shape (K,)
        Mean answer on the background rows.
    predictions : ndarray of float64, shape (n, K)
        Answers on the rows themselves (their logits where the link is logit).
    standard_error : ndarray of float64, shape (n, G, K)
        Convergence error: standard deviation of `values` over the draw of the coalitions; 0 where all were asked
        about. All rows share the draw, so a mean over rows does not make it smaller.
    n_samples : int
        Coalitions asked about for a row in which all features differ from the background.
    exact : bool
        Every row was asked about in all its coalitions.
    n_evaluations : int
        Rows that the model was given, all in all.
    """

    values: NDArray[np.float64]
    expected_value: NDArray[np.float64]
    predictions: NDArray[np.float64]
    standard_error: NDArray[np.float64]
    n_samples: int
    exact: bool
    n_evaluations: int


def evaluations(n_rows: int, n_players: int, n_background: int, n_samples: int | None = None) -> int:
    """Return the most rows that :func:`explain` gives to the model, for a budget of requests.

    Parameters
    ----------
    n_rows, n_players, n_background : int
        Rows, features (or groups), background rows.
    n_samples : int, optional
        Coalitions a row; automatic when missing.
    """
    return n_background + n_rows * (1 + samples_used(n_players, n_samples) * n_background)


def explain(
    model: Model,
    rows: NDArray[np.float64],
    background: NDArray[np.float64],
    *,
    n_samples: int | None = None,
    groups: Sequence[Sequence[int]] | None = None,
    link: Link = "identity",
    seed: int = 0,
    batch_rows: int | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> Explanation:
    """Explain the model's answers on `rows` by Shapley values.

    Parameters
    ----------
    model : callable
        Takes float64 rows of shape (m, F), of any m from 1 to `batch_rows`, and returns numbers of shape (m,) or
        (m, K). The array it is given is used again after the call; it may be changed, not kept.
    rows : ndarray of float64, shape (n, F)
        What to explain. NaN and infinities are handed on to the model.
    background : ndarray of float64, shape (B, F)
        At least one row: what a feature is replaced by where it does not take part.
    n_samples : int, optional
        Coalitions a row, by default ``min(2**G - 2, 2*G + 2048)``; see
        :func:`driftline.kernels.coalitions.samples_used`. With all ``2**G - 2`` the attributions are exact.
    groups : sequence of sequences of int, optional
        Columns that are attributed to together, such as the codes of one category: disjoint, and all columns in
        one. By default each column on its own.
    link : {"identity", "logit"}
        With logit, answers are probabilities, and attributions are in log-odds; see `CLIP`.
    seed : int
        Of the draw of the coalitions.
    batch_rows : int, optional
        Most rows to a call of the model; by default :func:`block_rows`.
    on_progress : callable, optional
        Called with rows done and rows in all, after every few rows. Equal rows count as one.

    Returns
    -------
    Explanation

    Raises
    ------
    InputError
        If the model's answers have a wrong shape, are not finite, or are no probabilities where the link is logit.
    SchemaError
        If rows and background do not have the same columns, or there is no background.
    UsageError
        If groups do not partition the columns, or a number makes no sense.

    Notes
    -----
    A feature that equals the background everywhere cannot change an answer; its attribution is 0 without asking,
    and the row has that many players fewer, which often makes it exact. The attributions of a row depend on nothing
    but the row: not on the others, their order, or `batch_rows`, as far as the model's own answers do not. Equal
    rows are asked about once.

    Beside the model, 30 features with 100 background rows and 2,048 coalitions cost 5 ms a row (docs/performance.md).
    """
    rows = _matrix(rows, "rows")
    background = _matrix(background, "background")
    n, width = rows.shape
    if background.shape[0] == 0 or background.shape[1] != width or width == 0:
        raise SchemaError(
            f"{n} rows of {width} columns cannot be explained against {background.shape[0]} background rows of "
            f"{background.shape[1]}",
            code="E-BACKGROUND",
            fix="give one background row or more, with the columns of the data",
        )
    player_of, n_players = _players(groups, width)
    ask = _Asking(model, link, block_rows(width) if batch_rows is None else batch_rows)
    expected = ask.all(background).mean(axis=0)
    different, inverse = _distinct(rows)
    predictions = ask.all(different)
    varying = _varying(different, background, player_of, n_players)
    values = np.zeros((different.shape[0], n_players, expected.shape[0]))
    errors = np.zeros_like(values)
    n_varying = varying.sum(axis=1)
    is_exact, done = True, 0
    n_masked = different.shape[0] * samples_used(n_players, n_samples) * background.shape[0]
    desk = _Desk(min(n_masked, ask.batch_rows), background, compiled=worth_loading(n_masked * width // 40))
    for k in np.unique(n_varying).tolist():
        chosen = np.flatnonzero(n_varying == k)
        if k < 2:
            gain = predictions[chosen] - expected
            values[chosen] = np.where(varying[chosen][:, :, None], gain[:, None, :], 0.0)
            done += chosen.shape[0]
            continue
        design = design_of(k, n_samples, seed)
        is_exact = is_exact and design.is_exact
        for some in _slabs(chosen, design.n_samples * background.shape[0], ask.batch_rows):
            place = _places(varying[some], k, player_of)
            worth = _worth(ask, different[some], design, place, desk)
            for i, row in enumerate(some.tolist()):
                found, error = design.attributions(worth[i], predictions[row] - expected)
                values[row, varying[row]] = found
                errors[row, varying[row]] = error
            done += some.shape[0]
            if on_progress is not None:
                on_progress(done, different.shape[0])
    return Explanation(
        values[inverse],
        expected,
        predictions[inverse],
        errors[inverse],
        samples_used(n_players, n_samples),
        is_exact,
        ask.n_rows,
    )


def answers(
    model: Model, rows: NDArray[np.float64], *, link: Link = "identity", batch_rows: int | None = None
) -> NDArray[np.float64]:
    """Return the model's checked answers on `rows`, batch by batch.

    Parameters
    ----------
    model : callable
    rows : ndarray of float64, shape (n, F)
    link : {"identity", "logit"}
    batch_rows : int, optional
        Most rows to a call.

    Returns
    -------
    ndarray of float64, shape (n, K)
        Of shape (0, 1) without rows: the model was not asked.

    Raises
    ------
    InputError
        As for :func:`explain`.
    """
    rows = _matrix(rows, "rows")
    return _Asking(model, link, block_rows(rows.shape[1]) if batch_rows is None else batch_rows).all(rows)


def block_rows(width: int, *, ensemble: bool = False) -> int:
    """Return how many rows to hand to a model at once, for rows of `width` columns.

    Parameters
    ----------
    width : int
    ensemble : bool
        The model is an ensemble of trees, see `ENSEMBLE_BLOCK_VALUES`. Which size is best is not found out by trying: the
        last bits of an answer may depend on the size of the batch, and results must not depend on the time of day.
    """
    return max(64, (ENSEMBLE_BLOCK_VALUES if ensemble else BLOCK_VALUES) // max(1, width))


class _Asking:
    """A model, with its answers checked and counted."""

    def __init__(self, model: Model, link: Link, batch_rows: int) -> None:
        if batch_rows < 1:
            raise UsageError(f"{batch_rows} rows to a call", field="batch_rows", fix="give 1 or more")
        if link not in ("identity", "logit"):
            raise UsageError(f"there is no link {link!r}", field="link", fix="give identity or logit")
        self.model, self.link, self.batch_rows = model, link, batch_rows
        self.n_rows = 0
        self.n_outputs: int | None = None

    def __call__(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the answers on one batch, shape (m, K)."""
        m = rows.shape[0]
        self.n_rows += m
        # The model may change what it is given, so its size is taken before.
        told = self.model(rows)
        try:
            found = np.asarray(told, np.float64)
        except (TypeError, ValueError):
            raise InputError(
                f"the model answered {type(told).__name__}, not an array of numbers",
                code="E-MODEL-ANSWER",
                fix="return probabilities or numbers, a row of them for each row",
            ) from None
        if found.ndim == 1:
            found = found[:, None]
        if found.ndim != 2 or found.shape[0] != m or found.shape[1] == 0:
            raise InputError(
                f"the model answered with shape {np.shape(told)} on {m} rows",
                code="E-MODEL-ANSWER",
                fix="return one number, or one list of numbers, for each row",
            )
        if self.n_outputs not in (None, found.shape[1]):
            raise InputError(
                f"the model answered {found.shape[1]} numbers a row, after {self.n_outputs}",
                code="E-MODEL-ANSWER",
            )
        self.n_outputs = found.shape[1]
        if self.link == "logit":
            low, high = float(found.min()), float(found.max())
            if not (low >= 0.0 and high <= 1.0):
                raise InputError(
                    f"the model answered {high if low >= 0.0 else low:g}, which is no probability, and the link is logit",
                    code="E-MODEL-ANSWER",
                    fix="use the link identity, or let the model return probabilities",
                )
            clipped = np.clip(found, CLIP, 1.0 - CLIP)
            found = np.log(clipped) - np.log1p(-clipped)
        return found

    def all(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the answers on rows that must stay as they are, shape (n, K)."""
        step = self.batch_rows
        parts = [self(rows[a : a + step].copy()) for a in range(0, rows.shape[0], step)]
        return _finite(np.concatenate(parts)) if parts else np.empty((0, self.n_outputs or 1))


def _finite(found: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return answers, or means of answers, none of which may be NaN or infinite: either goes through to the mean."""
    if not np.isfinite(found).all():
        raise InputError(
            "the model answered NaN or infinity; attributions need finite numbers",
            code="E-MODEL-ANSWER",
            fix="look at what the model does with values that it was not trained on",
        )
    return found


class _Desk:
    """Where masked rows are written: room that lasts, so that its pages are asked of the system once."""

    def __init__(self, n_rows: int, background: NDArray[np.float64], *, compiled: bool) -> None:
        # Compiled, a value costs 1.5 ns less; the folds, whose break-even is known, save 40 times that.
        self._write = kernel("write_masked") if compiled else masked_rows
        self.n_background, self.width = background.shape
        self._background = _aligned(background.size)
        self._background[:] = background.ravel()
        self._scratch = _aligned(2 * SCRATCH_ROWS * self.width).view(np.int64).reshape(2, -1)
        self._room = _aligned(n_rows * self.width)

    def written(
        self,
        rows: NDArray[np.float64],
        coalitions: NDArray[np.uint8],
        place: NDArray[np.int64],
        start: int,
        end: int,
    ) -> NDArray[np.float64]:
        """Return the masked rows from `start` to `end`, good until the next call; see :func:`masked_rows`."""
        block = self._room[: (end - start) * self.width]
        bits, given = rows.view(np.int64), self._background.view(np.int64)
        self._write(bits, given, coalitions, place, start, self._scratch, block.view(np.int64))
        return block.reshape(-1, self.width)


def _aligned(n: int) -> NDArray[np.float64]:
    """Return n doubles that begin on a cache line: written 10 % faster than those that straddle two."""
    room = np.empty(n + 8)
    begin = -room.ctypes.data % 64 // 8
    return room[begin : begin + n]


def masked_rows(
    rows: NDArray[np.int64],
    background: NDArray[np.int64],
    coalitions: NDArray[np.uint8],
    place: NDArray[np.int64],
    start: int,
    scratch: NDArray[np.int64],  # noqa: ARG001  the compiled loop needs it
    out: NDArray[np.int64],
) -> None:
    """Write rows that take some features from a row and the others from the background (the twin of ``write_masked``).

    Parameters
    ----------
    rows : ndarray of int64, shape (r, F)
        The bits of the rows to explain.
    background : ndarray of int64, shape (B * F,)
        The background rows, one after the other.
    coalitions : ndarray of uint8, shape (m, k + 1)
        1 where a player takes part; the last column is all ones.
    place : ndarray of int64, shape (r, F)
        The player that a column belongs to; k for columns that do not vary.
    start : int
        First masked row to write; they are numbered by row, coalition and background row, the last running fastest.
    scratch : ndarray of int64, shape (2, SCRATCH_ROWS * F)
        Room that the compiled loop needs.
    out : ndarray of int64, shape (q * F,)
        Masked rows ``start`` to ``start + q``, written over.
    """
    width = rows.shape[1]
    background, out = background.reshape(-1, width), out.reshape(-1, width)
    n_background, n_coalitions = background.shape[0], coalitions.shape[0]
    at = 0
    while at < out.shape[0]:
        item = start + at
        j, c = item % n_background, item // n_background % n_coalitions
        i = item // (n_background * n_coalitions)
        # Whole coalitions of one row at once, or what there is of one.
        left = out.shape[0] - at
        n = min(n_coalitions - c, left // n_background) if j == 0 else 0
        n, take = (n, n_background) if n else (1, min(n_background - j, left))
        keep = coalitions[c : c + n, place[i]].astype(np.int64) - 1
        part = out[at : at + n * take].reshape(n, take, width)
        np.bitwise_and(keep[:, None, :], background[j : j + take], out=part)
        np.bitwise_or((rows[i] & ~keep)[:, None, :], part, out=part)
        at += n * take


SCRATCH_ROWS = 16
"""Background rows that the compiled loop mixes at once."""


def _worth(
    ask: _Asking, rows: NDArray[np.float64], design: Design, place: NDArray[np.int64], desk: _Desk
) -> NDArray[np.float64]:
    """Return v of every coalition of some rows, shape (r, m, K)."""
    n_background = desk.n_background
    n_coalitions = rows.shape[0] * design.n_samples
    # Blocks of whole coalitions, all about the same size; or parts of a coalition, where that is too large.
    n_blocks = -(-n_coalitions // max(1, ask.batch_rows // n_background))
    ends = [i * n_coalitions // n_blocks for i in range(n_blocks + 1)]
    most = min(ask.batch_rows, -(-n_coalitions // n_blocks) * n_background)
    coalitions = np.pad(design.coalitions, ((0, 0), (0, 1)), constant_values=1)

    def told(start: int, end: int) -> NDArray[np.float64]:
        return ask(desk.written(rows, coalitions, place, start, end))

    worth: NDArray[np.float64] | None = None
    for first, last in itertools.pairwise(ends):
        end = last * n_background
        begins = range(first * n_background, end, most)
        if len(begins) == 1:
            found = told(begins[0], end)
        else:  # copied, since an answer may be a view of what the model was given
            found = np.concatenate([told(start, min(start + most, end)).copy() for start in begins])
        if worth is None:
            worth = np.empty((n_coalitions, found.shape[1]))
        if found.shape[1] == 1:
            worth[first:last, 0] = found.reshape(-1, n_background).mean(axis=1)
        else:
            worth[first:last] = found.reshape(last - first, n_background, -1).mean(axis=1)
    assert worth is not None
    return _finite(worth).reshape(rows.shape[0], design.n_samples, -1)


def _slabs(chosen: NDArray[np.int64], n_each: int, batch_rows: int) -> Iterator[NDArray[np.int64]]:
    """Cut rows into lots that fill a call of the model, or single rows where one is enough."""
    step = max(1, batch_rows // n_each)
    for a in range(0, chosen.shape[0], step):
        yield chosen[a : a + step]


def _matrix(x: NDArray[Any], what: str) -> NDArray[np.float64]:
    found = np.ascontiguousarray(x, np.float64)
    if found.ndim != 2:
        raise SchemaError(f"{what} must be a matrix, found {found.ndim} dimensions", code="E-ROWS")
    return found


def _players(groups: Sequence[Sequence[int]] | None, width: int) -> tuple[NDArray[np.int64], int]:
    """Return the player of every column, and how many there are."""
    if groups is None:
        return np.arange(width), width
    player_of = np.full(width, -1, np.int64)
    for g, columns in enumerate(groups):
        if len(columns) == 0:
            raise UsageError(f"group {g} is empty", field="groups", fix="name its columns, or leave it out")
        for column in columns:
            if not 0 <= column < width:
                raise UsageError(
                    f"group {g} names column {column} of {width}", field="groups", fix="count from 0"
                )
            if player_of[column] >= 0:
                raise UsageError(
                    f"column {column} is in group {player_of[column]} and in group {g}",
                    field="groups",
                    fix="name every column once",
                )
            player_of[column] = g
    if (player_of < 0).any():
        raise UsageError(
            f"column {int(np.argmin(player_of))} is in no group",
            field="groups",
            fix="put it into a group of its own",
        )
    return player_of, len(groups)


def _distinct(rows: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return the different rows, in the order of their first appearance, and which of them each row is."""
    packed = rows.view(np.dtype((np.void, rows.shape[1] * 8))).ravel()
    _, first, inverse = np.unique(packed, return_index=True, return_inverse=True)
    order = np.argsort(first)
    rank = np.empty_like(order)
    rank[order] = np.arange(order.shape[0])
    return rows[first[order]], rank[inverse]


def _varying(
    rows: NDArray[np.float64], background: NDArray[np.float64], player_of: NDArray[np.int64], n_players: int
) -> NDArray[np.bool_]:
    """Tell which players differ from the background anywhere, shape (n, G)."""
    first = background[0]
    is_constant = ((background == first) | (np.isnan(background) & np.isnan(first))).all(axis=0)
    same = is_constant & ((rows == first) | (np.isnan(rows) & np.isnan(first)))
    varying = np.zeros((rows.shape[0], n_players), np.bool_)
    for column, player in enumerate(player_of.tolist()):
        varying[:, player] |= ~same[:, column]
    return varying


def _places(varying: NDArray[np.bool_], n_varying: int, player_of: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the place of every column's player among those of its row that vary, shape (r, F); k for the others."""
    place = np.where(varying, np.cumsum(varying, axis=1) - 1, n_varying)
    return np.ascontiguousarray(place[:, player_of])
