"""The default fleet: resolved configuration in, list of `AgentSpec` out; the same for both hosts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from actors.domain.features.sentiment import SENTIMENT_COLUMNS
from actors.domain.model.account import MARGIN, PERPETUAL, SPOT
from actors.domain.model.timeframe import parse_timeframe
from actors.domain.regime.multi_timeframe import checked_frames, member_weights
from actors.domain.risk.exits import ExitParams
from actors.runtime.graph import FEED, AgentSpec, Input

_A = "actors.agents"
_C = "actors.coordinators"
_M = "actors.meta"
EXECUTION_GROUP = "execution"
EXITS = "execution-exits"
ACCOUNT_RULE = "account_leverage"
SENTIMENT = "sentiment"
"""Name of the agent that reads news, and kind of the detector that hears it."""


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


def venue_params(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters of the venue's agent: its settings, the deposit, and the terms of a leveraged account."""
    venue, account = dict(config["venue"]), config["account"]
    mode = account.get("mode", SPOT)
    terms = {name: venue.pop(name, {}) for name in (MARGIN, PERPETUAL)}
    out = {k: v for k, v in venue.items() if k != "kind"} | {"initial_cash": account["initial_cash_quote"]}
    if mode != SPOT:
        out["account"] = {**terms[mode], "mode": mode, "leverage": account["leverage"]}
    return out


def carried_rules(config: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the configured rules; what the account carries is asked before the smallest order, or where it is named.

    Examples
    --------
    >>> rules = [{"kind": "cooldown"}, {"kind": "min_notional"}]
    >>> for rule in carried_rules({"account": {"leverage": "2"}, "risk": {"rules": rules}}):
    ...     print(rule)
    {'kind': 'cooldown'}
    {'kind': 'account_leverage', 'params': {'leverage': 2.0}}
    {'kind': 'min_notional'}
    """
    rules = [dict(rule) for rule in config["risk"]["rules"]]
    kinds = [rule["kind"] for rule in rules]
    if ACCOUNT_RULE not in kinds:
        at = kinds.index("min_notional") if "min_notional" in kinds else len(rules)
        rules.insert(at, {"kind": ACCOUNT_RULE})
    carried = {"leverage": float(config["account"].get("leverage", 1))}
    for rule in rules:
        if rule["kind"] == ACCOUNT_RULE:
            rule["params"] = carried | (rule.get("params") or {})
    return rules


def default_fleet(config: Mapping[str, Any], feature_names: Sequence[str]) -> list[AgentSpec]:
    """Return the agents of a resolved configuration.

    Parameters
    ----------
    config : mapping
        ``ResolvedConfig.model`` dumped to plain values.
    feature_names : sequence of str
        Columns of the configured feature pipeline.

    Notes
    -----
    A fleet without detectors has no ensemble, one without predictors computes no features: nobody would
    hear them. One without protective exits has no agent for them.
    """
    config = with_sentiment(config)
    mood = config.get("sentiment", {})
    detectors, predictors = config["regime"]["detectors"], config["learning"]["predictors"]
    strategies, algos = config["strategies"], config["execution"]["algos"]
    members = _members(config)
    predictor_names = _names("predict", predictors)
    strategy_names = _names("strategy", strategies)
    algo_names = _names("execution", algos)
    lag = int(config["coordination"]["weights_lag_steps"])
    coordination = {k: v for k, v in config["coordination"].items() if k != "weights_lag_steps"}
    execution = {k: v for k, v in config["execution"].items() if k != "algos"}
    venue = venue_params(config)
    risk = {k: v for k, v in config["risk"].items() if k != "agents"}
    risk["rules"] = carried_rules(config)
    if "account" in venue:
        # who trades on margin or perpetuals trades both sides, unless the configuration says otherwise
        coordination = {"allow_short": True, **coordination}
        risk["params"] = {"allow_short": True, **risk["params"]}
    cash = config["account"]["initial_cash_quote"]
    bars, ensemble = "market-data", "regime-ensemble"
    exits = exits_of(config)
    guarded = bool(exits)

    def spec(name: str, kind: str, factory: str, inputs: Sequence[Input], **more: Any) -> AgentSpec:
        return AgentSpec(name=name, kind=kind, factory=factory, inputs=tuple(inputs), **more)

    out = [
        spec(bars, "market_data", f"{_A}.market_data:MarketDataAgent", [Input(FEED)], tier=0),
        spec("health", "meta:health", f"{_M}.health_monitor:HealthMonitor", [Input(bars)],
             params=dict(config["health"])),
    ]  # fmt: skip
    featured = bool(mood.get("enabled") and mood["features"] and predictors)
    if mood.get("enabled") and (featured or any(d["kind"] == SENTIMENT for d in detectors)):
        out.append(
            spec(SENTIMENT, SENTIMENT, f"{_A}.sentiment:SentimentAgent", [Input(FEED)],
                 params={"scorer": dict(mood["scorer"]), "aggregate": dict(mood["aggregate"]),
                         "kinds": sorted({s["kind"] for s in mood["sources"]})})
        )  # fmt: skip
    if featured:
        feature_names = (*feature_names, *SENTIMENT_COLUMNS)
    if predictors:
        out.append(
            spec("features", "features", f"{_A}.features:FeaturesAgent",
                 [Input(bars), *([Input(SENTIMENT)] if featured else [])],
                 params=dict(config["features"]) | ({"sentiment": True} if featured else {}))
        )  # fmt: skip
    out += [
        spec(name, f"regime:{_slug(d['kind'])}", f"{_A}.regime:RegimeAgent",
             [Input(bars), Input("health"),
              *([Input(SENTIMENT)] if d["kind"] == SENTIMENT and mood.get("enabled") else [])],
             params={"kind": d["kind"], "params": d["params"]} | ({"timeframe": frame} if frame else {}))
        for name, d, frame in members
    ]  # fmt: skip
    if detectors:
        out.append(
            spec(ensemble, "regime:ensemble", f"{_A}.regime:EnsembleAgent",
                 [Input(bars), Input("health"), *[Input(n) for n, _, _ in members]], params=_pooled(config, members))
        )  # fmt: skip
    regime = [Input(ensemble)] if detectors else []
    out += [
        spec(name, f"predict:{_slug(p['kind'])}", f"{_A}.prediction:PredictionAgent", [Input("features")],
             params={"kind": p["kind"], "params": p["params"], "feature_names": list(feature_names)})
        for name, p in zip(predictor_names, predictors, strict=True)
    ]  # fmt: skip
    heard = [Input(bars), *regime, *[Input(n) for n in predictor_names]]
    out += [
        spec(name, f"strategy:{_slug(s['kind'])}", f"{_A}.strategy:StrategyAgent", heard,
             params=_strategy(s), parent="coordinator-strategy")
        for name, s in zip(strategy_names, strategies, strict=True)
    ]  # fmt: skip
    weights = {n: float(s.get("weight", 1.0)) for n, s in zip(strategy_names, strategies, strict=True)}
    out += [
        spec("coordinator-strategy", "coordinator:strategy", f"{_C}.strategy:StrategyCoordinator",
             [*[Input(n) for n in strategy_names], *regime, Input("performance", lag)],
             params={"members": strategy_names, "base_weights": weights, "params": coordination}),
        spec("performance", "meta:performance", f"{_M}.performance:PerformanceAgent",
             [Input(bars), *[Input(n) for n in strategy_names], *[Input(n) for n in predictor_names]],
             params={"strategies": strategy_names, "predictors": predictor_names, "weights_lag_steps": lag,
                     "params": dict(config["evaluation"])}),
    ]  # fmt: skip
    risk_kinds = list(config["risk"]["agents"])
    measured = ExitParams(**exits)
    if measured.needs_range and all(r["kind"] != "atr" for r in risk_kinds):
        risk_kinds.append({"kind": "atr", "params": {"window_bars": measured.atr_window_bars}})
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
        spec("venue", f"venue:{config['venue']['kind']}", f"{_A}.venue:VenueAgent", venue_inputs, loop=True, tier=0,
             params=venue),
        spec("ledger", "portfolio:ledger", f"{_A}.portfolio:LedgerAgent",
             [Input("venue"), Input(bars), Input("coordinator-risk", 1)], loop=True, tier=0,
             params={"initial_cash": cash, "quote": config["account"]["quote"]}),
        spec("coordinator-risk", "coordinator:risk", f"{_C}.risk:RiskCoordinator",
             [Input("ledger"), Input("coordinator-strategy"), *regime, *[Input(n) for n in market_risk],
              Input("health"), Input(bars), Input("venue")],
             loop=True, tier=0, params=risk | ({"exits": exits} if guarded else {})),
        spec("coordinator-execution", "coordinator:execution", f"{_C}.execution:ExecutionCoordinator",
             [Input("coordinator-risk"), Input("venue"), Input(bars)], loop=True, tier=0,
             group=EXECUTION_GROUP,
             params={"agents": {_slug(a["kind"]): n for n, a in zip(algo_names, algos, strict=True)},
                     "params": execution} | ({"protected": True} if guarded else {})),
    ]  # fmt: skip
    out += [
        spec(name, f"execution:{_slug(a['kind'])}", f"{_A}.execution:ExecutionAgent",
             [Input("coordinator-execution"), Input("venue"), Input(bars)], loop=True, tier=0,
             group=EXECUTION_GROUP, parent="coordinator-execution",
             params={"kind": a["kind"], "params": a["params"]})
        for name, a in zip(algo_names, algos, strict=True)
    ]  # fmt: skip
    senders = list(algo_names)
    # what an adaptive strategy switches is kept beside the orders that follow from it
    switching = [n for n, s in zip(strategy_names, strategies, strict=True) if s.get("adaptive")]
    if guarded:
        range_names = [n for n, r in zip(risk_names, risk_kinds, strict=True) if r["kind"] == "atr"]
        senders.append(EXITS)
        out.append(
            spec(EXITS, "exits", f"{_A}.exits:ExitAgent",
                 [*[Input(n) for n in algo_names], Input("venue"), Input("ledger"),
                  *[Input(n) for n in range_names if measured.needs_range], Input(bars)],
                 loop=True, tier=0, group=EXECUTION_GROUP, parent="coordinator-execution",
                 params={"exits": exits})
        )  # fmt: skip
    out.append(
        spec("journal", "journal", f"{_A}.journal:JournalAgent",
             [*[Input(n) for n in (*switching, *senders)], Input("venue")], loop=True, tier=0)
    )  # fmt: skip
    return out


def _strategy(part: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a strategy's agent runs: the strategy, or the one that switches its parameters around it."""
    own = {"kind": part["kind"], "params": part["params"]}
    adaptive = part.get("adaptive") or {}
    return {"kind": "adaptive", "params": {**own, "by_regime": {}, **adaptive}} if adaptive else own


def _members(config: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any], str]]:
    """Return name, component and longer frame ("" for the run's bars) of every detector agent."""
    regime = config["regime"]
    names = _names("regime", regime["detectors"])
    frames = checked_frames(parse_timeframe(config["timeframe"]), regime.get("timeframes", ()))
    return [
        (f"{name}-{frame}" if frame else name, part, frame)
        for frame in ("", *frames)
        for name, part in zip(names, regime["detectors"], strict=True)
    ]


def with_sentiment(config: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the configuration with the sentiment detector among its detectors, where sentiment is switched on.

    A fleet without detectors stays without.

    Examples
    --------
    >>> on = {"enabled": True, "detector": {"band": 0.2}}
    >>> with_sentiment({"sentiment": on, "regime": {"detectors": [{"kind": "hmm"}]}})["regime"]["detectors"]
    [{'kind': 'hmm'}, {'kind': 'sentiment', 'params': {'band': 0.2}}]
    """
    mood, regime = config.get("sentiment", {}), config["regime"]
    detectors = list(regime["detectors"])
    if not mood.get("enabled") or not detectors or any(d["kind"] == SENTIMENT for d in detectors):
        return config
    detectors.append({"kind": SENTIMENT, "params": dict(mood["detector"])})
    return {**config, "regime": {**regime, "detectors": detectors}}


def _pooled(config: Mapping[str, Any], members: Sequence[tuple[str, Any, str]]) -> dict[str, Any]:
    """Return the ensemble's parameters; with longer frames its weights are the detectors' times the frames'."""
    params, base = dict(config["regime"]["ensemble"]), config["timeframe"]
    out: dict[str, Any] = {"members": [name for name, _, _ in members], "params": params}
    if all(not frame for _, _, frame in members):
        return out
    kinds = len(config["regime"]["detectors"])
    longer = [frame for _, _, frame in members[kinds::kinds]]
    params["weights"] = list(member_weights(params.get("weights", ()), kinds, parse_timeframe(base), longer))
    return out | {"frames": [frame or base for _, _, frame in members]}


def exits_of(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the protective exits of a configuration: the run's, and over them those of its only strategy.

    Examples
    --------
    >>> exits_of({"exits": {"stop": {"frac": 0.02}}, "strategies": [{"exits": {"time": {"bars": 9}}}]})
    {'stop': {'frac': 0.02}, 'time': {'bars': 9}}
    """
    own = [s.get("exits") or {} for s in config["strategies"]]
    return {**config["exits"], **(own[0] if len(own) == 1 else {})}
