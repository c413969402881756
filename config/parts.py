"""Who validates what of a configuration: every component and every block of parameters, with its key path.

Parameters stand beside what they belong to, so the configuration only names them; the fleet builder validates each.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from config.schema import ADAPTIVE, Component, Config, in_freqtrade_style


class ComponentRef(NamedTuple):
    """A component as the fleet builder validates it: ``registry.validate(package, kind, params)``."""

    path: str
    package: str
    kind: str
    params: dict[str, Any]


def components(config: Config) -> Iterator[ComponentRef]:
    """Yield every component of a configuration with its key path, in the order of the data's way.

    Examples
    --------
    >>> c = Config(strategies=({"kind": "rsi"},))
    >>> [(r.path, r.package) for r in components(c) if r.kind == "rsi"]
    [('strategies.0', 'actors.domain.strategies')]
    """
    lists: tuple[tuple[str, str, tuple[Component, ...]], ...] = (
        ("features.indicators", "actors.domain.indicators", config.features.indicators),
        ("regime.detectors", "actors.domain.regime", config.regime.detectors),
        ("learning.predictors", "actors.domain.learning", config.learning.predictors),
        ("strategies", "actors.domain.strategies", config.strategies),
        ("risk.agents", "actors.domain.risk.measurement", config.risk.agents),
        ("risk.rules", "actors.domain.risk.rules", config.risk.rules),
        ("execution.algos", "actors.domain.execution.algos", config.execution.algos),
    )
    for path, package, members in lists:
        for i, member in enumerate(members):
            if package == "actors.domain.strategies" and in_freqtrade_style(member.kind):
                # its parameters are its own file's: they are checked when the file is loaded
                continue
            yield ComponentRef(f"{path}.{i}", package, member.kind, member.params)
    for i, strategy in enumerate(config.strategies):
        if strategy.adaptive and not in_freqtrade_style(strategy.kind):
            yield ComponentRef(f"strategies.{i}.{ADAPTIVE}", "actors.domain.strategies", *strategy.part)
    singles = (
        ("sentiment.scorer", "actors.domain.sentiment.scorers", config.sentiment.scorer),
        ("risk.sizing", "actors.domain.risk.sizing", config.risk.sizing),
        ("venue.fees", "actors.domain.simulation.fees", config.venue.fees),
        ("venue.spread", "actors.domain.simulation.spread", config.venue.spread),
        ("venue.slippage", "actors.domain.simulation.slippage", config.venue.slippage),
        ("venue.latency", "actors.domain.simulation.latency", config.venue.latency),
    )
    for path, package, member in singles:
        yield ComponentRef(path, package, member.kind, member.params)


def blocks(config: Config) -> Iterator[ComponentRef]:
    """Yield the parameters of agents that are no registry components; `kind` is ``module:Model``.

    The fleet builder validates each by the pydantic model that `kind` names.

    Examples
    --------
    >>> [r.path for r in blocks(Config(strategies=({"kind": "rsi"},), health={"x": 1})) if r.params]
    ['health']
    """
    coordination, execution = config.coordination.model_extra, config.execution.model_extra
    members: tuple[tuple[str, str, str, dict[str, Any] | None], ...] = (
        (
            "features.selection",
            "actors.domain.features.selection",
            "SelectionParams",
            config.features.selection,
        ),
        ("regime.ensemble", "actors.domain.regime.ensemble", "EnsembleParams", config.regime.ensemble),
        (
            "sentiment.aggregate",
            "actors.domain.sentiment.aggregate",
            "AggregateParams",
            config.sentiment.aggregate,
        ),
        (
            "sentiment.detector",
            "actors.domain.regime.sentiment",
            "SentimentParams",
            config.sentiment.detector,
        ),
        ("coordination", "actors.coordinators.strategy", "StrategyCoordinatorParams", coordination),
        ("risk.params", "actors.domain.risk.policy", "RiskPolicy", config.risk.params),
        ("exits", "actors.domain.risk.exits", "ExitParams", config.exits),
        ("execution", "actors.coordinators.execution", "ExecutionParams", execution),
        ("health", "actors.meta.health_monitor", "HealthMonitorParams", config.health),
        ("evaluation", "actors.meta.performance", "PerformanceParams", config.evaluation),
    )
    exits = "actors.domain.risk.exits:ExitParams"
    for i, strategy in enumerate(config.strategies):
        if strategy.exits:
            merged = {**config.exits, **strategy.exits}
            yield ComponentRef(f"strategies.{i}.exits", "actors.domain.risk", exits, merged)
    for path, module, model, params in members:
        yield ComponentRef(path, module.rpartition(".")[0], f"{module}:{model}", dict(params or {}))
