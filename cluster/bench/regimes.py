"""Bench of the regime kernels: fits of hidden Markov and jump models beside hmmlearn and jumpmodels, in one run.

All candidates take turns from the same starting points, and process CPU time counts; only starts fitted side by side
are timed by the wall, beside hmmlearn's wall time of one start times their number. A ratio holds only where both
reach the same likelihood or objective: the difference stands beside it.
"""

from __future__ import annotations

import importlib
import logging
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from actors.domain import kernels
from actors.domain.kernels import HmmModels
from actors.domain.regime.starts import kmeans_starts
from cluster.bench.figures import Figure, number
from cluster.bench.floor import ratio, rounds

STATES, FEATURES, STARTS, JUMP_PENALTY = 3, 2, 8, 20.0
_MOVES = np.array([[0.97, 0.02, 0.01], [0.03, 0.94, 0.03], [0.02, 0.04, 0.94]])
_MEANS = np.array([[0.0, 0.0], [0.8, -0.5], [-1.0, 1.5]])
_DEVIATIONS = np.array([[0.6, 0.5], [1.2, 0.9], [2.0, 1.6]])
Floats = np.ndarray[Any, np.dtype[np.float64]]
Job = Callable[[], object]


def run(bars: int, jump_bars: int, reps: int, *, iterations: int = 20) -> dict[str, Any]:
    """Measure and return what was found, milliseconds and ratios.

    Parameters
    ----------
    bars : int
        Of the hidden Markov model's series, two features, three states.
    jump_bars : int
        Of the jump model's series.
    reps : int
        Rounds; the median counts.
    iterations : int
        Updates of a fit.
    """
    x = _series(bars)
    begin = _begin(STARTS)
    one = HmmModels(*(part[:1] for part in begin[:4]))
    full = one._replace(covariances=one.covariances[..., None] * np.eye(FEATURES))
    found: dict[str, Any] = {"bars": bars, "jump_bars": jump_bars, "iterations": iterations}
    jobs: dict[str, Job] = {
        "diagonal": lambda: _fit(x, one, iterations),
        "full": lambda: _fit(x, full, iterations),
        "t": lambda: _fit(x, one._replace(dof=np.full((1, STATES), 6.0)), iterations),
        "starts, one thread": lambda: _fit(x, begin, iterations),
    }
    hmm = _optional("hmmlearn.hmm")
    if hmm is not None:
        jobs["diagonal, hmmlearn"] = lambda: _peer(hmm, one, iterations).fit(x)
        jobs["full, hmmlearn"] = lambda: _peer(hmm, full, iterations).fit(x)
    jobs |= _filters(x, one)
    took = rounds(jobs, reps)
    found["ms"] = {name: float(np.median(t)) / 1e6 for name, t in took.items()}
    found["filter_ns"] = found["ms"]["filter"] / bars * 1e6
    found["t_filter_ns"] = found["ms"]["t filter"] / bars * 1e6
    wall = {"starts": _wall(lambda: _fit(x, begin, iterations, threads=2), reps)}
    if hmm is not None:
        for name, start in (("diagonal", one), ("full", full)):
            found[f"{name}_x"] = ratio(took, f"{name}, hmmlearn", name)
            ours, peer = _fit(x, start, iterations), _peer(hmm, start, iterations).fit(x)
            found[f"{name}_gap"] = abs(float(ours.log_likelihood[0]) / float(peer.score(x)) - 1.0)
        wall["hmmlearn"] = _wall(lambda: _peer(hmm, one, iterations).fit(x), reps)
        found["starts_x"] = STARTS * wall["hmmlearn"] / wall["starts"]
        found["starts_cpu_x"] = STARTS * ratio(took, "diagonal, hmmlearn", "starts, one thread")
    found["wall_ms"] = {name: t * 1e3 for name, t in wall.items()}
    return found | _jump(x[:jump_bars], reps)


def _series(bars: int) -> Floats:
    rng = np.random.default_rng(5)
    edges, draws = _MOVES.cumsum(axis=1), rng.random(bars)
    state = np.zeros(bars, dtype=int)
    for t in range(1, bars):
        state[t] = min(int(np.searchsorted(edges[state[t - 1]], draws[t])), STATES - 1)
    x: Floats = _MEANS[state] + _DEVIATIONS[state] * rng.standard_normal((bars, FEATURES))
    return x


def _begin(starts: int) -> HmmModels:
    rng = np.random.default_rng(6)
    shape = (starts, STATES, FEATURES)
    return HmmModels(
        np.full((starts, STATES), 1.0 / STATES),
        np.tile(np.full((STATES, STATES), 0.05) + 0.85 * np.eye(STATES), (starts, 1, 1)),
        _MEANS + 0.3 * rng.standard_normal(shape),
        (_DEVIATIONS * np.exp(0.2 * rng.standard_normal(shape))) ** 2,
    )


def _fit(x: Floats, begin: HmmModels, iterations: int, threads: int = 1) -> kernels.HmmFits:
    return kernels.hmm_fit(x, begin, max_iterations=iterations, tolerance=-np.inf, threads=threads)


def _peer(hmm: Any, begin: HmmModels, iterations: int) -> Any:
    """hmmlearn's model at the same start, without its prior."""
    logging.getLogger("hmmlearn.base").disabled = True
    full = begin.covariances.ndim == 4
    model = hmm.GaussianHMM(
        STATES, covariance_type="full" if full else "diag", n_iter=iterations, tol=-np.inf, init_params="",
        covars_prior=0.0, covars_weight=0.0 if full else 1.0, min_covar=0.0,
    )  # fmt: skip
    model.startprob_, model.transmat_ = begin.start[0], begin.transitions[0]
    model.means_, model.covars_ = begin.means[0], begin.covariances[0]
    return model


def _filters(x: Floats, one: HmmModels) -> dict[str, Job]:
    start, moves, means, spread = (part[0] for part in one[:4])
    alpha = np.empty((x.shape[0], STATES))
    gauss = kernels.hmm_filter_stream(start, moves, means, spread)
    student = kernels.hmm_student_stream(start, moves, means, spread, np.full(STATES, 6.0))
    return {"filter": lambda: gauss.run(x, alpha), "t filter": lambda: student.run(x, alpha)}


def _wall(job: Job, reps: int) -> float:
    """Least seconds by the wall: what the fit takes when it gets its cores."""
    best = float("inf")
    for _ in range(reps):
        began = time.perf_counter()
        job()
        best = min(best, time.perf_counter() - began)
    return best


def _jump(x: Floats, reps: int) -> dict[str, Any]:
    z = np.ascontiguousarray((x - x.mean(axis=0)) / x.std(axis=0))
    begin = kmeans_starts(z, STATES, 10, 7)
    jobs: dict[str, Job] = {
        "jump": lambda: kernels.jump_fit(z, begin, JUMP_PENALTY),
        "jump with its starts": lambda: kernels.jump_fit(z, kmeans_starts(z, STATES, 10, 7), JUMP_PENALTY),
    }
    peer = _optional("jumpmodels.jump")
    if peer is not None:
        jobs["jump, jumpmodels"] = lambda: _peer_jump(peer, z, begin)
    took = rounds(jobs, reps)
    found: dict[str, Any] = {"jump_ms": {name: float(np.median(t)) / 1e6 for name, t in took.items()}}
    if peer is not None:
        ours, other = kernels.jump_fit(z, begin, JUMP_PENALTY), _peer_jump(peer, z, begin)
        found["jump_x"] = ratio(took, "jump, jumpmodels", "jump with its starts")
        found["jump_gap"] = abs(float(ours.objective[ours.best]) / float(other.val_) - 1.0)
    return found


def _peer_jump(peer: Any, z: Floats, begin: Floats) -> Any:
    model = peer.JumpModel(STATES, jump_penalty=JUMP_PENALTY, cont=False, n_init=len(begin))
    model.init_centers = lambda _: begin
    return model.fit(z, sort_by="freq")


def _optional(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


def figures(found: dict[str, Any]) -> list[Figure]:
    """Return the goals of the regime kernels."""
    ms, bars = found["ms"], f"{found['bars']:,} x {FEATURES}"

    def against(name: str, peer: str) -> str:
        if f"{name}_gap" not in found:
            return f"{peer} is not installed"
        what = "objective" if name == "jump" else "likelihood"
        return f"relative difference of the {what} {found[f'{name}_gap']:.0e}"

    rows = [
        Figure("regimes", f"HMM fit {bars}, diagonal, faster than hmmlearn", found.get("diagonal_x"), "x", 12.0,
               note=f"{number(ms['diagonal'])} ms; {against('diagonal', 'hmmlearn')}"),
        Figure("regimes", "the same with full covariances", found.get("full_x"), "x", 10.0,
               note=f"{number(ms['full'])} ms; {against('full', 'hmmlearn')}"),
        Figure("regimes", f"{STARTS} starts on two threads, by the wall", found.get("starts_x"), "x", 20.0,
               note=f"one thread by CPU time: {number(found.get('starts_cpu_x'))} x"),
        Figure("regimes", "t emissions, degrees of freedom fixed", ms["t"], "ms"),
        Figure("regimes", "filter, one bar in the kernel", found["filter_ns"], "ns", 150.0, "<="),
        Figure("regimes", "filter with t emissions", found["t_filter_ns"], "ns", 150.0, "<="),
        Figure("regimes", f"jump model {found['jump_bars']:,} x {FEATURES}, ten starts, faster than jumpmodels",
               found.get("jump_x"), "x", 100.0,
               note=f"{number(found['jump_ms']['jump with its starts'])} ms with k-means++; "
               f"{against('jump', 'jumpmodels')}"),
    ]  # fmt: skip
    rows += [
        Figure("regimes", f"{name}: difference from the peer", found[f"{name}_gap"], "", 1e-8, "<=")
        for name in ("diagonal", "full", "jump")
        if f"{name}_gap" in found
    ]
    return rows


def main() -> int:
    """Print the figures as text."""
    from cluster.bench.figures import table

    sys.stdout.write(table(figures(run(100_000, 10_000, 3))) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
