"""The default fleet: resolved configuration in, list of `AgentSpec` out; the same for both hosts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from actors.runtime.graph import FEED, AgentSpec, Input

_A = "actors.agents"
_C = "actors.coordinators"
_M = "actors.meta"
EXECUTION_GROUP = "execution"


def _slug(kind: str) -> str:
    """Readable agent name of a kind; a stranger's ``module:Class`` keeps its class name."""
    return kind.rpartition(":")[2].rpartition(".")[2].lower() if ":" in kind else kind


def _names(prefix: str, parts: Sequence[Mapping[str, Any]]) -> list[str]:
    """Names for components; a kind that occurs again gets a number."""
    seen: dict[str, int] = {}
    out = []
    for part in parts:
        slug = _slug(part["kind"])
        seen[slug] = seen.get(slug, 0) + 1
        out.append(f"{prefix}-{slug}" + (f"-{seen[slug]}" if seen[slug] > 1 else ""))
    return out


def default_fleet(config: Mapping[str, Any], feature_names: Sequence[str]) -> list[AgentSpec]:
    """Return the agents of a resolved configuration.

    Parameters
    ----------
    config : mapping
        ``ResolvedConfig.model`` dumped to plain values.
    feature_names : sequence of str
        Columns of the configured feature pipeline.
    """
    detectors, predictors = config["regime"]["detectors"], config["learning"]["predictors"]
    strategies, algos = config["strategies"], config["execution"]["algos"]
    detector_names = _names("regime", detectors)
    predictor_names = _names("predict", predictors)
    strategy_names = _names("strategy", strategies)
    algo_names = _names("execution", algos)
    lag = int(config["coordination"]["weights_lag_steps"])
    coordination = {k: v for k, v in config["coordination"].items() if k != "weights_lag_steps"}
    execution = {k: v for k, v in config["execution"].items() if k != "algos"}
    venue = config["venue"]
    cash = config["account"]["initial_cash_quote"]
    bars, ensemble = "market-data", "regime-ensemble"

    def spec(name: str, kind: str, factory: str, inputs: Sequence[Input], **more: Any) -> AgentSpec:
        return AgentSpec(name=name, kind=kind, factory=factory, inputs=tuple(inputs), **more)

    out = [
        spec(bars, "market_data", f"{_A}.market_data:MarketDataAgent", [Input(FEED)], tier=0),
        spec("health", "meta:health", f"{_M}.health_monitor:HealthMonitor", [Input(bars)],
             params=dict(config["health"])),
        spec("features", "features", f"{_A}.features:FeaturesAgent", [Input(bars)],
             params=dict(config["features"])),
    ]  # fmt: skip
    out += [
        spec(name, f"regime:{_slug(d['kind'])}", f"{_A}.regime:RegimeAgent", [Input(bars), Input("health")],
             params={"kind": d["kind"], "params": d["params"]})
        for name, d in zip(detector_names, detectors, strict=True)
    ]  # fmt: skip
    out.append(
        spec(ensemble, "regime:ensemble", f"{_A}.regime:EnsembleAgent", [Input(n) for n in detector_names],
             params={"members": detector_names, "params": dict(config["regime"]["ensemble"])})
    )  # fmt: skip
    out += [
        spec(name, f"predict:{_slug(p['kind'])}", f"{_A}.prediction:PredictionAgent", [Input("features")],
             params={"kind": p["kind"], "params": p["params"], "feature_names": list(feature_names)})
        for name, p in zip(predictor_names, predictors, strict=True)
    ]  # fmt: skip
    heard = [Input(bars), Input(ensemble), *[Input(n) for n in predictor_names]]
    out += [
        spec(name, f"strategy:{_slug(s['kind'])}", f"{_A}.strategy:StrategyAgent", heard,
             params={"kind": s["kind"], "params": s["params"]}, parent="coordinator-strategy")
        for name, s in zip(strategy_names, strategies, strict=True)
    ]  # fmt: skip
    weights = {n: float(s.get("weight", 1.0)) for n, s in zip(strategy_names, strategies, strict=True)}
    out += [
        spec("coordinator-strategy", "coordinator:strategy", f"{_C}.strategy:StrategyCoordinator",
             [*[Input(n) for n in strategy_names], Input(ensemble), Input("performance", lag)],
             params={"members": strategy_names, "base_weights": weights, "params": coordination}),
        spec("performance", "meta:performance", f"{_M}.performance:PerformanceAgent",
             [Input(bars), *[Input(n) for n in strategy_names], *[Input(n) for n in predictor_names]],
             params={"strategies": strategy_names, "predictors": predictor_names, "weights_lag_steps": lag,
                     "params": dict(config["evaluation"])}),
    ]  # fmt: skip
    risk_kinds = config["risk"]["agents"]
    risk_names = _names("risk", risk_kinds)
    market_risk = [n for n, r in zip(risk_names, risk_kinds, strict=True) if r["kind"] != "drawdown"]
    book_risk = [n for n, r in zip(risk_names, risk_kinds, strict=True) if r["kind"] == "drawdown"]
    out += [
        spec(name, f"risk:{_slug(r['kind'])}", f"{_A}.risk:RiskAgent",
             [Input("ledger")] if name in book_risk else [Input(bars)], loop=name in book_risk,
             params={"kind": r["kind"], "params": r["params"]}, parent="coordinator-risk")
        for name, r in zip(risk_names, risk_kinds, strict=True)
    ]  # fmt: skip
    venue_inputs = [Input("journal", 1), Input(bars)]
    out += [
        spec("venue", f"venue:{venue['kind']}", f"{_A}.venue:VenueAgent", venue_inputs, loop=True, tier=0,
             params={**{k: v for k, v in venue.items() if k != "kind"}, "initial_cash": cash}),
        spec("ledger", "portfolio:ledger", f"{_A}.portfolio:LedgerAgent",
             [Input("venue"), Input(bars), Input("coordinator-risk", 1)], loop=True, tier=0,
             params={"initial_cash": cash, "quote": config["account"]["quote"]}),
        spec("coordinator-risk", "coordinator:risk", f"{_C}.risk:RiskCoordinator",
             [Input("ledger"), Input("coordinator-strategy"), *[Input(n) for n in market_risk],
              Input("health"), Input(bars)],
             loop=True, tier=0, params={k: v for k, v in config["risk"].items() if k != "agents"}),
        spec("coordinator-execution", "coordinator:execution", f"{_C}.execution:ExecutionCoordinator",
             [Input("coordinator-risk"), Input("venue"), Input(bars)], loop=True, tier=0,
             group=EXECUTION_GROUP,
             params={"agents": {_slug(a["kind"]): n for n, a in zip(algo_names, algos, strict=True)},
                     "params": execution}),
    ]  # fmt: skip
    out += [
        spec(name, f"execution:{_slug(a['kind'])}", f"{_A}.execution:ExecutionAgent",
             [Input("coordinator-execution"), Input("venue"), Input(bars)], loop=True, tier=0,
             group=EXECUTION_GROUP, parent="coordinator-execution",
             params={"kind": a["kind"], "params": a["params"]})
        for name, a in zip(algo_names, algos, strict=True)
    ]  # fmt: skip
    out.append(
        spec("journal", "journal", f"{_A}.journal:JournalAgent",
             [*[Input(n) for n in algo_names], Input("venue")], loop=True, tier=0)
    )  # fmt: skip
    return out
