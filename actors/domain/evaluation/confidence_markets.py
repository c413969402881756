"""Simulated markets with known regimes for confidence: what judges it, and many kinds of others that it is tuned on.

A market is, per bar, the members' views, the bar, and the true regime as an index into `REGIMES`. Families differ in
what a running system cannot know: how long regimes last, how far apart they are, which there are, who looks at them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import exp, log, nan

import numpy as np

from actors.domain import registry
from actors.domain.events.regime import REGIMES
from actors.domain.fitting import InlineFits
from actors.domain.regime.base import Assessment, Observation
from actors.domain.regime.study.models import Model, fit_model
from actors.domain.regime.study.process import Process, simulate
from actors.domain.regime.vocabulary import distinctness
from actors.domain.simulation.synthetic.market import generate
from actors.domain.simulation.synthetic.params import DEFAULT_REGIMES, RegimeParams, SyntheticParams

MEMBERS = ("hmm", "volatility", "trend")
"""The default fleet."""
TRAINING_BARS = 5000
CALM_WILD = (5, 4)
"""Where two states stand among the six."""
_MIDDLE = 0.006  # volatility per bar that separations stretch from
_PANELS = (
    ("hmm", "volatility", "momentum"), ("student_hmm", "volatility", "trend"), ("hmm", "trend"),
    ("volatility", "trend", "momentum"), ("jump", "volatility", "trend"), ("clustering", "volatility", "trend"),
    ("hmm", "student_hmm", "jump", "volatility", "trend", "momentum", "clustering"), ("change_point", "hmm", "trend"),
)  # fmt: skip
_SOME = (
    ("bull", "bear"), ("sideways", "high_volatility"), ("low_volatility", "high_volatility"),
    ("bull", "bear", "sideways"), ("bull", "high_volatility", "low_volatility"), ("bull", "bear", "crash"),
    ("bull", "bear", "sideways", "high_volatility"), ("sideways", "bear", "low_volatility"),
)  # fmt: skip
Row = tuple[list[Assessment], Observation, int]


def synthetic(
    params: SyntheticParams, seed: int, *, members: Sequence[str] = MEMBERS, asset: int = 0
) -> list[Row]:
    """Return, per bar of one asset of a synthetic market, what these detectors see of it and the truth."""
    market = generate(params, seed)
    place = [REGIMES.index(name) for name in market.regime_names]
    frame = list(market.frames.values())[asset]
    fits = InlineFits()
    panel = [
        registry.build("actors.domain.regime", kind, None, fits=fits, name=f"study/{kind}", seed=seed)
        for kind in members
    ]
    out: list[Row] = []
    before = nan
    columns = (frame.high.tolist(), frame.low.tolist(), frame.close.tolist(), market.truth.tolist())
    for t, (high, low, close, state) in enumerate(zip(*columns, strict=True)):
        obs = Observation(step=t, high=high, low=low, close=close, log_return=log(close / before))
        before = close
        out.append(([m.update(obs) for m in panel], obs, place[state]))
    return out


def chain(
    process: Process, bars: int, rng: np.random.Generator, *, field: Sequence[int] = CALM_WILD
) -> list[Row]:
    """Return, per bar of a chain, the views of two frozen hidden Markov models and the truth.

    The models, with normal and with t emissions, are fitted to independent bars of the same process; their states, by
    volatility, stand for the regimes of `field`.
    """
    truth, y = simulate(process, bars, rng)
    _, training = simulate(process, TRAINING_BARS, rng)
    models = [fit_model(training, len(field), 5, rng, student=student) for student in (False, True)]
    filtered = [m.filtered(y) for m in models if isinstance(m, Model)]
    said = [[_embedded(p, field) for p in alpha.tolist()] for alpha in filtered]
    out: list[Row] = []
    for t, (r, state) in enumerate(zip(y.tolist(), truth.tolist(), strict=True)):
        obs = Observation(step=t, high=exp(abs(r)), low=exp(-abs(r)), close=1.0, log_return=r)
        out.append(([views[t] for views in said], obs, field[state]))
    return out


def _embedded(p: list[float], field: Sequence[int]) -> Assessment:
    probabilities = [0.0] * len(REGIMES)
    for place, share in zip(field, p, strict=True):
        probabilities[place] = share
    best = max(field, key=lambda k: probabilities[k])
    return Assessment(REGIMES[best], tuple(probabilities), distinctness(probabilities))


def _regimes(
    *, dwell: float = 1.0, apart: float = 1.0, only: Sequence[str] = REGIMES
) -> tuple[RegimeParams, ...]:
    """Return the synthetic market's regimes, longer by `dwell`, further apart by `apart`, or some of them."""
    out = []
    for r in DEFAULT_REGIMES:
        if r.name not in only:
            continue
        follows = {name: w for name, w in r.next_weights.items() if name in only}
        if not follows:
            follows = {name: 1.0 for name in only if name != r.name}
        least = max(1, round(r.min_duration_bars * dwell))
        out.append(RegimeParams(
            name=r.name, drift_bars=r.drift_bars * apart, pull_bars=r.pull_bars,
            volatility_bars=_MIDDLE * (r.volatility_bars / _MIDDLE) ** apart, min_duration_bars=least,
            mean_duration_bars=max(r.mean_duration_bars * dwell, least + 1.0), volume_factor=r.volume_factor,
            spread_factor=r.spread_factor, next_weights=follows,
        ))  # fmt: skip
    return tuple(out)


def _market(bars: int, regimes: tuple[RegimeParams, ...] = DEFAULT_REGIMES) -> SyntheticParams:
    names = [r.name for r in regimes]
    first = "sideways" if "sideways" in names else names[0]
    return SyntheticParams(n_bars=bars, regimes=regimes, first_regime=first)


def _log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    return float(exp(rng.uniform(log(low), log(high))))


def _dwell(bars: int, seed: int, rng: np.random.Generator) -> list[Row]:
    return synthetic(_market(bars, _regimes(dwell=_log_uniform(rng, 0.4, 3.0))), seed)


def _apart(bars: int, seed: int, rng: np.random.Generator) -> list[Row]:
    return synthetic(_market(bars, _regimes(apart=_log_uniform(rng, 0.6, 1.8))), seed)


def _assets(bars: int, seed: int, rng: np.random.Generator) -> list[Row]:
    return synthetic(_market(bars), seed, asset=1 + int(rng.integers(2)))


def _panels(bars: int, seed: int, rng: np.random.Generator) -> list[Row]:
    return synthetic(_market(bars), seed, members=_PANELS[int(rng.integers(len(_PANELS)))])


def _few(bars: int, seed: int, rng: np.random.Generator) -> list[Row]:
    some = _SOME[int(rng.integers(len(_SOME)))]
    return synthetic(_market(bars, _regimes(only=some)), seed)


def _chains(bars: int, seed: int, rng: np.random.Generator) -> list[Row]:
    """Two states, longer or shorter, nearer or further apart than those that judge."""
    calm, wild = _log_uniform(rng, 1 / 800, 1 / 100), _log_uniform(rng, 1 / 120, 1 / 15)
    spread = _log_uniform(rng, 1.5, 3.0)
    dof = None if rng.random() < 0.5 else float(rng.uniform(3.5, 9.0))
    process = Process(
        "chain", (0.0006, -0.0009), (0.007, 0.007 * spread), ((1.0 - calm, calm), (wild, 1.0 - wild)), dof
    )
    field = CALM_WILD if rng.random() < 0.5 else (0, 1)
    return chain(process, bars, rng, field=field)


FAMILIES: dict[str, Callable[[int, int, np.random.Generator], list[Row]]] = {
    "six": lambda bars, seed, rng: synthetic(_market(bars), seed),
    "dwell": _dwell, "separation": _apart, "assets": _assets, "panels": _panels, "few": _few, "chains": _chains,
}  # fmt: skip
"""Kinds of markets to tune on; `bars`, `seed` and a generator of one's own make one."""
