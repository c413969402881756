"""The chosen parameters run again under other conditions: neighbours, noise, other markets, other costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from actors.domain import registry
from actors.domain.search.neighbours import neighbours
from actors.domain.search.space import Space, Values
from actors.domain.validation.other_markets import noisy_candles, resampled_market
from cluster.runs.search_space import applied
from cluster.runs.study_trial import Question, metrics_of
from cluster.runs.walk_forward import run_of
from config.schema import Config

Condition = Literal["chosen", "neighbours", "noisy_candles", "costs", "resampled_markets"]
_FIGURES: Mapping[str, tuple[str, ...]] = {
    "fees": ("maker_bps", "taker_bps"),
    "spread": ("half_spread_bps", "share_of_sigma_day"),
    "slippage": ("prefactor", "cost_bps", "price_impact"),
}
LOWEST, HIGHEST = 0.5, 3.0
"""Factors of fees, spread and slippage: drawn evenly between them on a logarithmic scale."""
LATEST = 2
"""Most extra bars that an order takes."""


@dataclass(frozen=True)
class RerunSettings:
    """How many runs of each kind, and how far they go.

    Attributes
    ----------
    count : int
        Of noisy candles, resampled markets and costs each.
    radius : float
        Largest move of a neighbour, as a share of a range.
    noise : float
        Deviation of the noise, in ranges of a bar.
    block_bars : float
        Mean block of a resampled market.
    """

    count: int = 20
    radius: float = 0.1
    noise: float = 0.1
    block_bars: float = 168.0


@dataclass(frozen=True)
class Rerun:
    """One run."""

    condition: Condition
    values: Values
    settings: RerunSettings


def reruns(space: Space, values: Values, settings: RerunSettings, rng: np.random.Generator) -> list[Rerun]:
    """Return all runs around a chosen set, that of the set itself first."""
    near = neighbours(space, values, rng, radius=settings.radius, joint=settings.count)
    out = [Rerun("chosen", values, settings)]
    out += [Rerun("neighbours", v, settings) for v in near]
    for condition in ("noisy_candles", "costs", "resampled_markets"):
        out += [Rerun(condition, values, settings)] * settings.count
    return out


def rerun(shared: Question, item: Rerun, rng: np.random.Generator) -> dict[str, float | int | None]:
    """Run it; returns the metrics that are compared."""
    s, question, values = item.settings, shared, dict(item.values)
    ticks = {p: float(shared.config.model.instruments.rules(p).tick) for p in shared.frames}
    if item.condition == "noisy_candles":
        frames = {p: noisy_candles(f, rng, share=s.noise, tick=ticks[p]) for p, f in shared.frames.items()}
        question = replace(shared, frames=frames)
    elif item.condition == "resampled_markets":
        frames = resampled_market(shared.frames, rng, mean_block=s.block_bars, ticks=ticks)
        question = replace(shared, frames=frames)
    elif item.condition == "costs":
        model = applied(shared.config, values).model
        values |= random_costs(model, rng)
    record, _ = run_of(question, values)
    found = metrics_of(record)
    return {n: found[n] for n in ("sharpe_ann", "total_return_frac", "max_drawdown_frac", "trade_count")}


def random_costs(config: Config, rng: np.random.Generator) -> Values:
    """Return other costs and latencies by configuration path: each part of the venue by a factor of its own.

    Examples
    --------
    >>> from config.load import resolve
    >>> found = random_costs(resolve("backtest").model, np.random.default_rng(0))
    >>> sorted(found)[:2], found["venue.latency"]["kind"]
    (['venue.fees.params.maker_bps', 'venue.fees.params.taker_bps'], 'uniform')
    """
    out: Values = {}
    for part, names in _FIGURES.items():
        component = getattr(config.venue, part)
        factor = float(np.exp(rng.uniform(np.log(LOWEST), np.log(HIGHEST))))
        fields = registry.params_of(
            registry.load(f"actors.domain.simulation.{part}", component.kind)
        ).model_fields
        for name in names:
            if name in fields:
                usual = component.params.get(name, fields[name].default)
                if isinstance(usual, int | float) and usual > 0:
                    out[f"venue.{part}.params.{name}"] = float(usual) * factor
    steps = int(rng.integers(0, LATEST + 1))
    out["venue.latency"] = {
        "kind": "uniform", "params": {"max_latency_steps": steps, "seed": int(rng.integers(0, 2**31))},
    }  # fmt: skip
    return out


def compared(
    items: Sequence[Rerun], found: Sequence[Mapping[str, float | int | None]]
) -> dict[str, dict[str, Any]]:
    """Return, by condition, what the Sharpe ratios of its runs were.

    A run whose equity did not vary has none: it counts as one that did not earn, and in no median.
    """
    own = next(r["sharpe_ann"] for i, r in zip(items, found, strict=True) if i.condition == "chosen")
    out: dict[str, dict[str, Any]] = {}
    for condition in ("neighbours", "noisy_candles", "costs", "resampled_markets"):
        rows = [r for i, r in zip(items, found, strict=True) if i.condition == condition]
        known = [float(r["sharpe_ann"]) for r in rows if r["sharpe_ann"] is not None]
        low, middle, high = np.quantile(known, [0.05, 0.5, 0.95]).tolist() if known else (None, None, None)
        out[condition] = {
            "runs": len(rows), "undefined": len(rows) - len(known), "chosen_sharpe_ann": own,
            "median_sharpe_ann": middle, "q05_sharpe_ann": low, "q95_sharpe_ann": high,
            "positive_frac": sum(x > 0.0 for x in known) / len(rows) if rows else None,
            "sharpes_ann": [r["sharpe_ann"] for r in rows],
            "returns_frac": [r["total_return_frac"] for r in rows],
        }  # fmt: skip
    return out
