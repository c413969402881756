"""Probability of backtest overfitting by combinatorially symmetric cross-validation.

Bailey, Borwein, López de Prado & Zhu (2017), "The probability of backtest overfitting".
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from actors.domain.errors import InsufficientDataError, InvalidParamsError

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BLOCKS = 16
_CHUNK = 2048
_EQUAL = 1e-12


@dataclass(frozen=True)
class Overfitting:
    """What choosing the best in one half of the time was worth in the other half.

    Attributes
    ----------
    pbo : float in [0, 1]
        Share of the halves whose best column came out of the other half in its worse half (λ ≤ 0).
    halves : int
    blocks : int
    logits : array, shape (halves,)
        λ = ln(ω / (1 − ω)), ω the out-of-sample rank of the chosen column over N + 1.
    chosen : array, shape (halves,)
        The column that was best in-sample.
    in_sample, out_of_sample : array, shape (halves,)
        Its metric in either half.
    loss_probability : float
        Share of the halves whose chosen column lost out of sample (metric below 0).
    slope : float or None
        Of the out-of-sample metric on the in-sample one (performance degradation); None without variance.
    """

    pbo: float
    halves: int
    blocks: int
    logits: FloatArray
    chosen: IntArray
    in_sample: FloatArray
    out_of_sample: FloatArray
    loss_probability: float
    slope: float | None


def overfitting_probability(returns: FloatArray, *, blocks: int = BLOCKS) -> Overfitting:
    """Return the probability of backtest overfitting of choosing the best column.

    Parameters
    ----------
    returns : array, shape (n_bars, n_trials), fraction per bar
        One column per trial, in time order; at least two bars per block and two trials.
    blocks : int
        Even; C(blocks, blocks/2) halves are compared.

    Returns
    -------
    Overfitting

    Raises
    ------
    InvalidParamsError
        If the matrix is not finite or not of two dimensions, or `blocks` is odd, below 2 or above 20.
    InsufficientDataError
        If there are fewer than two trials or than two bars per block.

    Notes
    -----
    The metric is mean / deviation (ddof 1). In a half in which a column does not vary it is 0: it found nothing. Of
    equal columns the first is the best; equal ones share their average rank, the worst has rank 1. Sums per block
    make a half's metric a product of two matrices, so the cost grows with halves × trials, not with bars.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> noise = rng.standard_normal((1600, 20)) * 0.01
    >>> better = noise + np.where(np.arange(20) == 7, 0.002, 0.0)
    >>> overfitting_probability(better).pbo, bool(0.2 < overfitting_probability(noise).pbo < 0.8)
    (0.0, True)
    """
    table = _checked(returns, blocks)
    trials = table.shape[1]
    sums, squares, sizes = _block_sums(table, blocks)
    count = math.comb(blocks, blocks // 2)
    chosen = np.empty(count, dtype=np.int64)
    ins, outs, logits = (np.empty(count) for _ in range(3))
    done = 0
    for half in _halves(blocks):
        span = slice(done, done + len(half))
        inside = _metric(half, sums, squares, sizes)
        outside = _metric(1.0 - half, sums, squares, sizes)
        best = inside.argmax(axis=1)
        rows = np.arange(len(half))
        ins[span], outs[span] = inside[rows, best], outside[rows, best]
        # identical columns may differ in the last bit of a product of matrices
        own = outs[span][:, None]
        near = _EQUAL * np.maximum(np.abs(own), 1.0)
        below = (outside < own - near).sum(axis=1)
        level = (np.abs(outside - own) <= near).sum(axis=1)
        rank = below + (level + 1.0) / 2.0
        share = rank / (trials + 1.0)
        logits[span] = np.log(share / (1.0 - share))
        chosen[span] = best
        done += len(half)
    return Overfitting(
        pbo=float((logits <= 1e-12).mean()), halves=count, blocks=blocks, logits=logits, chosen=chosen,
        in_sample=ins, out_of_sample=outs, loss_probability=float((outs < 0.0).mean()), slope=_slope(ins, outs),
    )  # fmt: skip


def _checked(returns: FloatArray, blocks: int) -> FloatArray:
    table = np.asarray(returns, dtype=np.float64)
    if table.ndim != 2 or not np.isfinite(table).all():
        raise InvalidParamsError(
            "PBO_MATRIX",
            f"returns: expected finite values of shape (bars, trials), found shape {table.shape}",
        )
    if blocks < 2 or blocks > 20 or blocks % 2:
        raise InvalidParamsError(
            "PBO_BLOCKS", f"blocks: expected an even number from 2 to 20, found {blocks}"
        )
    if table.shape[1] < 2 or table.shape[0] < 2 * blocks:
        raise InsufficientDataError(
            "PBO_TOO_SMALL",
            f"returns: expected at least {2 * blocks} bars and 2 trials (bars are rows), found "
            f"{table.shape[0]} and {table.shape[1]}",
        )
    return table


def _block_sums(table: FloatArray, blocks: int) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return sums and sums of squares per block and column, and the bars of each block; columns in their own unit."""
    scale = np.abs(table).max(axis=0)
    unit = table / np.where(scale > 0.0, scale, 1.0)
    parts = np.array_split(unit, blocks)
    sums = np.array([p.sum(axis=0) for p in parts])
    squares = np.array([(p * p).sum(axis=0) for p in parts])
    return sums, squares, np.array([float(len(p)) for p in parts])


def _halves(blocks: int) -> Iterator[FloatArray]:
    """Yield indicator rows of all halves, in chunks, in the order of `itertools.combinations`."""
    chooser = itertools.combinations(range(blocks), blocks // 2)
    while rows := list(itertools.islice(chooser, _CHUNK)):
        half = np.zeros((len(rows), blocks))
        half[np.arange(len(rows))[:, None], np.array(rows)] = 1.0
        yield half


def _metric(half: FloatArray, sums: FloatArray, squares: FloatArray, sizes: FloatArray) -> FloatArray:
    n = (half @ sizes)[:, None]
    total = half @ sums
    square = half @ squares
    mean = total / n
    variance = (square - total * mean) / (n - 1.0)
    # what rounding leaves of a column that does not vary
    varies = variance > 1e-13 * square / n
    return np.where(varies, mean / np.sqrt(np.where(varies, variance, 1.0)), 0.0)


def _slope(x: FloatArray, y: FloatArray) -> float | None:
    deviation = x - x.mean()
    square = float(deviation @ deviation)
    return float(deviation @ y) / square if square > 0.0 else None
