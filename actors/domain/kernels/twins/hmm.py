"""Twin of the forward filter of a hidden Markov model (see ``hmm.rs``)."""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, inf, isinf, log

import numpy as np

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


class HmmFilter(StreamTwin):
    """Streaming filter of a Gaussian HMM with diagonal covariances."""

    __slots__ = ("_alpha", "_bars", "_chain", "_means", "_terms", "_total", "_variances")

    def __init__(
        self, pi: FloatArray, transitions: FloatArray, means: FloatArray, variances: FloatArray, /
    ) -> None:
        self._build(pi.tolist(), transitions.tolist(), means.tolist(), variances.tolist())

    def _build(
        self, pi: list[float], rows: list[list[float]], means: list[list[float]], variances: list[list[float]]
    ) -> None:
        self._chain = _Chain(pi, rows)
        if len(means) != len(pi) or [len(m) for m in means] != [len(v) for v in variances] or not means[0]:
            raise ValueError(
                "parameter out of range: means and vars must both be K x D with at least one feature"
            )
        if not (np.isfinite(means).all() and np.isfinite(variances).all() and np.min(variances) > 0.0):
            raise ValueError("parameter out of range: means must be finite, vars finite and positive")
        self._means, self._variances = means, variances
        self._terms = [
            [(m, 0.5 / v, 0.5 * (_LN_2PI + log(v))) for m, v in zip(ms, vs, strict=True)]
            for ms, vs in zip(means, variances, strict=True)
        ]
        self._alpha: list[float] = [0.0] * len(pi)
        self._total, self._bars = 0.0, 0

    def update(self, x: FloatArray, /) -> FloatArray:
        """Take one bar (a vector of features); the filtered state probabilities."""
        features = x.tolist()
        if len(features) != len(self._means[0]):
            raise ValueError(
                f"expected {len(self._means[0])} bars in every array, found {len(features)}: "
                "pass arrays of equal length"
            )
        if any(isinf(v) for v in features):
            raise ValueError(f"row {self._bars}: {_OBSERVATION}")
        log_b = []
        for state in self._terms:
            s = 0.0
            for v, (mean, half_precision, norm) in zip(features, state, strict=True):
                if v == v:
                    d = v - mean
                    s -= half_precision * (d * d) + norm
            log_b.append(s)
        before = self._alpha if self._bars else None
        self._alpha, gain = self._chain.step(self._bars, before, log_b)
        self._total += gain
        self._bars += 1
        return np.array(self._alpha)

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

    def snapshot(self) -> bytes:
        k, d = len(self._means), len(self._means[0])
        w = Writer("HmmFilter").u64(k, d, self._bars).f64s(self._chain.start)
        for part in (*self._chain.into, *self._means, *self._variances):
            w.f64s(part)
        return w.f64s((self._total,)).f64s(self._alpha).done()

    def restore(self, data: bytes, /) -> None:
        r = Reader(data, "HmmFilter")
        k, d, bars = r.u64(), r.u64(), r.u64()
        if not k or not d:
            raise ValueError("not a snapshot of this kernel: truncated")
        start = list(r.f64s(k))
        into = [r.f64s(k) for _ in range(k)]
        means, variances = ([list(r.f64s(d)) for _ in range(k)] for _ in range(2))
        total, alpha = r.f64s(1)[0], list(r.f64s(k))
        r.end()
        if total != total or (bars and not _is_distribution(alpha)):
            raise ValueError("not a snapshot of this kernel: its probabilities are none")
        self._build(start, [[row[i] for row in into] for i in range(k)], means, variances)
        self._alpha, self._total, self._bars = alpha, total, bars
