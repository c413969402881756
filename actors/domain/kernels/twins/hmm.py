"""Twins of filter, smoother and most likely path of a hidden Markov model (``hmm.rs``, ``hmm_offline.rs``)."""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, inf, isinf, lgamma, log
from math import pi as pi_

import numpy as np
from numpy.typing import NDArray

from actors.domain.kernels.twins._codec import Reader, Writer
from actors.domain.kernels.twins._grid import FloatArray
from actors.domain.kernels.twins._stream import StreamTwin

_LN_2PI = 1.8378770664093453
_OBSERVATION = "an observation is infinite, or a log density is +inf or partly NaN"
_IMPOSSIBLE = "no state that can be reached allows this observation"


def _is_distribution(p: Sequence[float]) -> bool:
    return all(x >= 0.0 for x in p) and abs(sum(p) - 1.0) <= 1e-6


class _Chain:
    """Initial and transition probabilities, checked; `into` holds the transposed rows."""

    __slots__ = ("into", "start")

    def __init__(self, pi: Sequence[float], rows: Sequence[Sequence[float]]) -> None:
        k = len(pi)
        if not k:
            raise ValueError("parameter out of range: a model needs at least one state")
        if len(rows) != k or any(len(r) != k for r in rows):
            raise ValueError(f"expected {k} x {k} transition probabilities")
        if not _is_distribution(pi) or not all(_is_distribution(r) for r in rows):
            raise ValueError(
                "parameter out of range: pi and the rows of P must be non-negative and sum to 1 within 1e-6"
            )
        self.start, self.into = list(pi), [[r[j] for r in rows] for j in range(k)]

    def step(
        self, row: int, alpha: Sequence[float] | None, log_b: Sequence[float]
    ) -> tuple[list[float], float]:
        """Return the next filtered distribution and ``ln c_t``."""
        if all(b != b for b in log_b):
            log_b = [0.0] * len(log_b)
        if alpha is None:
            prior = self.start
        else:
            prior = []
            for into in self.into:
                u = 0.0
                for p, a in zip(into, alpha, strict=True):
                    u += a * p
                prior.append(u)
        top = -inf
        for u, b in zip(prior, log_b, strict=True):
            if b != b or b == inf:
                raise ValueError(f"row {row}: {_OBSERVATION}")
            if u > 0.0 and b > top:
                top = b
        if top == -inf:
            raise ValueError(f"row {row}: {_IMPOSSIBLE}")
        # a state that cannot be reached stays at 0 even where its density is far above `top`
        joint = [u * exp(b - top) if u > 0.0 else 0.0 for u, b in zip(prior, log_b, strict=True)]
        c = 0.0
        for u in joint:
            c += u
        return [u / c for u in joint], log(c) + top


def hmm_forward_filter(
    log_b: FloatArray, pi: FloatArray, transitions: FloatArray, alpha: FloatArray, /
) -> float:
    """Filter a series of log densities into `alpha`; return the log-likelihood."""
    chain = _Chain(pi.tolist(), transitions.tolist())
    if log_b.shape != alpha.shape or log_b.shape[1:] != pi.shape:
        raise ValueError(f"expected log_b and alpha of {pi.shape[0]} columns and equal length")
    now: list[float] | None = None
    total = 0.0
    rows = []
    for t, row in enumerate(log_b.tolist()):
        now, gain = chain.step(t, now, row)
        total += gain
        rows.append(now)
    alpha[:] = np.array(rows).reshape(alpha.shape)
    return total


def hmm_smooth(log_b: FloatArray, pi: FloatArray, transitions: FloatArray, gamma: FloatArray, /) -> float:
    """Smooth a series of log densities into `gamma`; return the log-likelihood."""
    total = hmm_forward_filter(log_b, pi, transitions, gamma)
    into = transitions.T.tolist()
    rows = gamma.tolist()
    k = len(into)
    for t in range(len(rows) - 2, -1, -1):
        now, after = rows[t], rows[t + 1]
        share = []
        for j in range(k):
            ahead = 0.0
            for p, a in zip(into[j], now, strict=True):
                ahead += a * p
            share.append(after[j] / ahead if ahead > 0.0 else 0.0)
        for i in range(k):
            back = 0.0
            for j in range(k):
                back += into[j][i] * share[j]
            now[i] *= back
    gamma[:] = np.array(rows).reshape(gamma.shape)
    return total


def hmm_viterbi(
    log_b: FloatArray, pi: FloatArray, transitions: FloatArray, states: NDArray[np.int64], /
) -> float:
    """Most likely states of a series of log densities; return the log probability of the path."""
    chain = _Chain(pi.tolist(), transitions.tolist())
    if log_b.shape[1:] != pi.shape or states.shape != log_b.shape[:1]:
        raise ValueError(f"expected log_b of {pi.shape[0]} columns and as many states as rows")
    if not states.shape[0]:
        return 0.0
    k = len(chain.start)
    into = [[log(p) if p > 0.0 else -inf for p in row] for row in chain.into]
    best = [log(p) if p > 0.0 else -inf for p in chain.start]
    came: list[list[int]] = []
    for t, row in enumerate(log_b.tolist()):
        if t:
            moved, chosen = [], []
            for j in range(k):
                top, at = -inf, 0
                for i in range(k):
                    reached = best[i] + into[j][i]
                    if reached > top:
                        top, at = reached, i
                moved.append(top)
                chosen.append(at)
            best = moved
            came.append(chosen)
        if not all(b != b for b in row):
            if any(b != b or b == inf for b in row):
                raise ValueError(f"row {t}: a log density is +inf or partly NaN")
            best = [d + b for d, b in zip(best, row, strict=True)]
        if max(best) == -inf:
            raise ValueError(f"row {t}: {_IMPOSSIBLE}")
    at = best.index(max(best))
    total = best[at]
    for t in range(len(came), 0, -1):
        states[t] = at
        at = came[t - 1][at]
    states[0] = at
    return total


class _Filter(StreamTwin):
    """A forward filter over the log densities that a subclass works out."""

    __slots__ = ("_alpha", "_bars", "_chain", "_means", "_total")
    _chain: _Chain
    _means: list[list[float]]
    _alpha: list[float]
    _total: float
    _bars: int

    def _log_density(self, features: list[float]) -> list[float]:
        raise NotImplementedError

    def update(self, x: FloatArray, /) -> FloatArray:
        """Take one bar (a vector of features); the filtered state probabilities."""
        return np.array(self._take(x.tolist()))

    def _take(self, features: list[float]) -> list[float]:
        if len(features) != len(self._means[0]):
            raise ValueError(
                f"expected {len(self._means[0])} bars in every array, found {len(features)}: "
                "pass arrays of equal length"
            )
        if any(isinf(v) for v in features):
            raise ValueError(f"row {self._bars}: {_OBSERVATION}")
        before = self._alpha if self._bars else None
        self._alpha, gain = self._chain.step(self._bars, before, self._log_density(features))
        self._total += gain
        self._bars += 1
        return self._alpha

    def run(self, x: FloatArray, alpha: FloatArray, /) -> None:
        """Take many bars; their filtered probabilities go to `alpha`."""
        if x.shape[1] != len(self._means[0]):
            raise ValueError(f"expected {len(self._means[0])} features")
        if alpha.shape != (x.shape[0], len(self._means)):
            raise ValueError(f"expected alpha of shape {(x.shape[0], len(self._means))}")
        for t, row in enumerate(x.tolist()):
            alpha[t] = self._take(row)

    @property
    def alpha(self) -> FloatArray | None:
        """Filtered probabilities after the last bar; None before the first."""
        return np.array(self._alpha) if self._bars else None

    @property
    def log_likelihood(self) -> float:
        """Log-likelihood of all bars so far."""
        return self._total

    @property
    def bars(self) -> int:
        """Bars taken."""
        return self._bars

    def _begin(self, pi: list[float], rows: list[list[float]], means: list[list[float]]) -> None:
        self._chain, self._means = _Chain(pi, rows), means
        self._alpha, self._total, self._bars = [0.0] * len(pi), 0.0, 0

    def _write(self, tag: str, *parts: Sequence[float]) -> bytes:
        k, d = len(self._means), len(self._means[0])
        w = Writer(tag).u64(k, d, self._bars).f64s(self._chain.start)
        for part in (*self._chain.into, *self._means, *parts):
            w.f64s(part)
        return w.f64s((self._total,)).f64s(self._alpha).done()

    def _read(self, r: Reader, k: int, bars: int) -> tuple[list[float], float]:
        total, alpha = r.f64s(1)[0], list(r.f64s(k))
        r.end()
        if total != total or (bars and not _is_distribution(alpha)):
            raise ValueError("not a snapshot of this kernel: its probabilities are none")
        return alpha, total


def _sizes(r: Reader) -> tuple[int, int, int]:
    k, d, bars = r.u64(), r.u64(), r.u64()
    if not k or not d:
        raise ValueError("not a snapshot of this kernel: truncated")
    return k, d, bars


class HmmFilter(_Filter):
    """Streaming filter of a Gaussian HMM with diagonal covariances."""

    __slots__ = ("_terms", "_variances")

    def __init__(
        self, pi: FloatArray, transitions: FloatArray, means: FloatArray, variances: FloatArray, /
    ) -> None:
        self._build(pi.tolist(), transitions.tolist(), means.tolist(), variances.tolist())

    def _build(
        self, pi: list[float], rows: list[list[float]], means: list[list[float]], variances: list[list[float]]
    ) -> None:
        self._begin(pi, rows, means)
        if len(means) != len(pi) or [len(m) for m in means] != [len(v) for v in variances] or not means[0]:
            raise ValueError(
                "parameter out of range: means and vars must both be K x D with at least one feature"
            )
        if not (np.isfinite(means).all() and np.isfinite(variances).all() and np.min(variances) > 0.0):
            raise ValueError("parameter out of range: means must be finite, vars finite and positive")
        self._variances = variances
        self._terms = [
            [(m, 0.5 / v, 0.5 * (_LN_2PI + log(v))) for m, v in zip(ms, vs, strict=True)]
            for ms, vs in zip(means, variances, strict=True)
        ]

    def _log_density(self, features: list[float]) -> list[float]:
        log_b = []
        for state in self._terms:
            s = 0.0
            for v, (mean, half_precision, norm) in zip(features, state, strict=True):
                if v == v:
                    d = v - mean
                    s -= half_precision * (d * d) + norm
            log_b.append(s)
        return log_b

    def snapshot(self) -> bytes:
        return self._write("HmmFilter", *self._variances)

    def restore(self, data: bytes, /) -> None:
        r = Reader(data, "HmmFilter")
        k, d, bars = _sizes(r)
        start = list(r.f64s(k))
        into = [r.f64s(k) for _ in range(k)]
        means, variances = ([list(r.f64s(d)) for _ in range(k)] for _ in range(2))
        alpha, total = self._read(r, k, bars)
        self._build(start, [[row[i] for row in into] for i in range(k)], means, variances)
        self._alpha, self._total, self._bars = alpha, total, bars


class HmmStudent(_Filter):
    """Streaming filter of an HMM with multivariate t emissions and diagonal scales (see ``hmm_student.rs``)."""

    __slots__ = ("_dof", "_norms", "_scales", "_terms")

    def __init__(
        self,
        pi: FloatArray,
        transitions: FloatArray,
        means: FloatArray,
        scales: FloatArray,
        dof: FloatArray,
        /,
    ) -> None:
        self._build(pi.tolist(), transitions.tolist(), means.tolist(), scales.tolist(), dof.tolist())

    def _build(
        self, pi: list[float], rows: list[list[float]], means: list[list[float]], scales: list[list[float]],
        dof: list[float],
    ) -> None:  # fmt: skip
        self._begin(pi, rows, means)
        shapes = [len(m) for m in means] != [len(v) for v in scales]
        if len(means) != len(pi) or len(dof) != len(pi) or shapes or not means[0]:
            raise ValueError(
                "parameter out of range: means and scales must both be K x D with at least one feature, dof K"
            )
        positive = np.concatenate([np.ravel(scales), dof])
        if not (np.isfinite(means).all() and np.isfinite(positive).all() and positive.min() > 0.0):
            raise ValueError(
                "parameter out of range: means must be finite, scales and dof finite and positive"
            )
        self._scales, self._dof = scales, dof
        self._terms = [
            [(m, 1.0 / s, 0.5 * log(s)) for m, s in zip(ms, ss, strict=True)]
            for ms, ss in zip(means, scales, strict=True)
        ]
        d = len(means[0])
        self._norms = [
            [lgamma(0.5 * (nu + m)) - lgamma(0.5 * nu) - 0.5 * m * log(nu * pi_) for m in range(d + 1)]
            for nu in dof
        ]

    def _log_density(self, features: list[float]) -> list[float]:
        log_b = []
        for state, nu, norms in zip(self._terms, self._dof, self._norms, strict=True):
            q, half_logs, seen = 0.0, 0.0, 0
            for v, (mean, precision, half_log) in zip(features, state, strict=True):
                if v == v:
                    z = v - mean
                    q += precision * (z * z)
                    half_logs += half_log
                    seen += 1
            log_b.append(norms[seen] - half_logs - 0.5 * (nu + seen) * log(1.0 + q / nu))
        return log_b

    def snapshot(self) -> bytes:
        return self._write("HmmStudent", *self._scales, self._dof)

    def restore(self, data: bytes, /) -> None:
        r = Reader(data, "HmmStudent")
        k, d, bars = _sizes(r)
        start = list(r.f64s(k))
        into = [r.f64s(k) for _ in range(k)]
        means, scales = ([list(r.f64s(d)) for _ in range(k)] for _ in range(2))
        dof = list(r.f64s(k))
        alpha, total = self._read(r, k, bars)
        self._build(start, [[row[i] for row in into] for i in range(k)], means, scales, dof)
        self._alpha, self._total, self._bars = alpha, total, bars
