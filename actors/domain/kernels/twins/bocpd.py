"""Twin of Bayesian online change-point detection (see ``bocpd.rs``)."""

from __future__ import annotations

from math import exp, inf, isfinite, isinf, lgamma, log, nan, pi

from actors.domain.kernels.twins._codec import Reader, Writer
from actors.domain.kernels.twins._grid import FloatArray
from actors.domain.kernels.twins._stream import StreamTwin

Value = tuple[float, float, float, float]


class Bocpd(StreamTwin):
    """Bayesian online change-point detection of mean and variance."""

    __slots__ = ("_betas", "_last", "_means", "_norms", "_p", "_weights")

    def __init__(
        self,
        hazard: float,
        mean: float,
        kappa: float,
        alpha: float,
        beta: float,
        max_run: int,
        recent: int,
        /,
    ) -> None:
        self._shape(hazard, mean, kappa, alpha, beta, max_run, recent)
        self._weights, self._means, self._betas = [1.0], [mean], [beta]
        self._last: Value = (nan, nan, nan, nan)

    def _shape(
        self, hazard: float, mean: float, kappa: float, alpha: float, beta: float, max_run: int, recent: int
    ) -> None:
        """Check and keep the parameters, and what follows from them alone."""
        if not (
            all(isfinite(v) and v > 0.0 for v in (kappa, alpha, beta))
            and isfinite(mean)
            and 0.0 < hazard < 1.0
        ):
            raise ValueError(
                "parameter out of range: kappa, alpha and beta must be finite and positive, mean finite, hazard within "
                "(0, 1)"
            )
        if not 2 <= max_run <= 1 << 20 or not 0 <= recent < max_run:
            raise ValueError("parameter out of range: max_run must be 2 to 2^20 and recent below it")
        self._p = (hazard, mean, kappa, alpha, beta, max_run, recent)
        shapes = [alpha + 0.5 * r for r in range(max_run + 1)]
        self._norms = [lgamma(a + 0.5) - lgamma(a) - 0.5 * log(2.0 * pi * a) for a in shapes]

    def update(self, x: float, /) -> Value:
        """Take one bar; P(run <= recent), mean run, most likely run, surprise."""
        if x != x:
            return self._last
        if isinf(x):
            raise ValueError("parameter out of range: an observation is infinite")
        hazard, prior_mean, kappa0, alpha0, beta0, max_run, near = self._p
        joint, top = [], -inf
        for r, (m, b) in enumerate(zip(self._means, self._betas, strict=True)):
            kappa, alpha = kappa0 + r, alpha0 + 0.5 * r
            scale = b * (kappa + 1.0) / (alpha * kappa)
            z = x - m
            p = self._norms[r] - 0.5 * log(scale) - (alpha + 0.5) * log(1.0 + z * z / (2.0 * alpha * scale))
            joint.append(p)
            top = max(top, p)
        joint = [w * exp(p - top) for w, p in zip(self._weights, joint, strict=True)]
        total = 0.0
        for j in joint:
            total += j
        surprise = -(log(total) + top)
        stay = (1.0 - hazard) / total
        if len(joint) > max_run:
            joint[-2] += joint[-1]
            joint.pop()
        weights, means, betas = [hazard], [prior_mean], [beta0]
        for r, j in enumerate(joint):
            kappa = kappa0 + r
            z = x - self._means[r]
            weights.append(j * stay)
            betas.append(self._betas[r] + 0.5 * kappa / (kappa + 1.0) * (z * z))
            means.append(self._means[r] + z / (kappa + 1.0))
        self._weights, self._means, self._betas = weights, means, betas
        recent = mean = 0.0
        for r, w in enumerate(weights):
            if r <= near:
                recent += w
            mean += r * w
        self._last = (recent, mean, float(weights.index(max(weights))), surprise)
        return self._last

    def run(self, x: FloatArray, out: FloatArray, /) -> None:
        """Take many bars; their four values go to the rows of `out`."""
        if out.shape != (x.shape[0], 4):
            raise ValueError("expected out of shape (n, 4)")
        for t, v in enumerate(x.tolist()):
            out[t] = self.update(v)

    def snapshot(self) -> bytes:
        *head, max_run, recent = self._p
        w = Writer("Bocpd").u64(int(max_run), int(recent), len(self._weights)).f64s(head)
        return w.f64s(self._weights).f64s(self._means).f64s(self._betas).f64s(self._last).done()

    def restore(self, data: bytes, /) -> None:
        r = Reader(data, "Bocpd")
        max_run, recent, runs = r.u64(), r.u64(), r.u64()
        if not 0 < runs <= max_run + 1:
            raise ValueError("not a snapshot of this kernel: truncated")
        hazard, mean, kappa, alpha, beta = r.f64s(5)
        weights, means, betas = (list(r.f64s(runs)) for _ in range(3))
        a, b, c, d = r.f64s(4)
        r.end()
        if not (all(w >= 0.0 for w in weights) and all(v > 0.0 for v in betas)):
            raise ValueError("not a snapshot of this kernel: its weights are none")
        self._shape(hazard, mean, kappa, alpha, beta, max_run, recent)
        self._weights, self._means, self._betas, self._last = weights, means, betas, (a, b, c, d)
