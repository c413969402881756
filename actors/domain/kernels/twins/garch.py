"""Twin of the GARCH recursion (see ``garch.rs``)."""

from __future__ import annotations

from math import inf, isfinite, lgamma, log, pi

from actors.domain.kernels.twins._grid import FloatArray

_LN_2PI = 1.8378770664093453


def garch_filter(
    returns: FloatArray, omega: float, alpha: float, gamma: float, beta: float, first: float, dof: float,
    out: FloatArray, /,
) -> float:  # fmt: skip
    """Variances of all bars and of the next one into `out`; return the log-likelihood."""
    if out.shape[0] != returns.shape[0] + 1:
        raise ValueError(
            f"expected {returns.shape[0] + 1} bars in every array, found {out.shape[0]}: pass arrays of equal length"
        )
    weights = (alpha, beta, alpha + gamma)
    if not (omega > 0.0 and first > 0.0 and dof > 2.0 and all(0.0 <= w < inf for w in weights)):
        raise ValueError(
            "parameter out of range: omega and the first variance must be positive, alpha, beta and alpha + gamma not "
            "negative, dof above 2"
        )
    student = isfinite(dof)
    power, per, norm = 0.0, 0.0, -0.5 * _LN_2PI
    if student:
        power, per = 0.5 * (dof + 1.0), 1.0 / (dof - 2.0)
        norm = lgamma(0.5 * (dof + 1.0)) - lgamma(0.5 * dof) - 0.5 * log(pi * (dof - 2.0))
    expected = alpha + 0.5 * gamma + beta
    v, total = first, 0.0
    found = []
    for t, r in enumerate(returns.tolist()):
        found.append(v)
        if r != r:
            v = omega + expected * v
            continue
        square = r * r
        z = square / v
        total += norm - 0.5 * log(v) - (power * log(1.0 + z * per) if student else 0.5 * z)
        v = omega + (alpha + gamma if r < 0.0 else alpha) * square + beta * v
        if not isfinite(v):
            raise ValueError(f"row {t}: a return is infinite or the variance has left all bounds")
    out[:-1] = found
    out[-1] = v
    return total
