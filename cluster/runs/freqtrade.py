"""A run of a strategy class of freqtrade's style: its own small fleet over venue, ledger and journal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from actors.adapters.freqtrade import columns, parameters, support, ta_lib
from actors.adapters.freqtrade import shim as stand_ins
from actors.adapters.freqtrade.failures import described
from actors.adapters.freqtrade.interface import IStrategy
from actors.adapters.freqtrade.loader import load_strategy, settings
from actors.adapters.freqtrade.provider import DataProvider, Wallets
from actors.agents.venue import build_model
from actors.domain.errors import StrategyError, TradingError
from actors.domain.model.bars import BarFrame
from actors.domain.model.instrument import SELL, Instrument
from actors.domain.model.timerange import format_ns
from actors.runtime.graph import FEED, AgentSpec, FleetGraph, Input
from cluster.runs.plan import RunPlan
from config.schema import Config, StrategyComponent

NAME = "freqtrade"
_PLATFORM = ("market-data", "venue", "ledger", "journal")
_SIDES = {"long": columns.LONG_COLUMNS, "short": columns.SHORT_COLUMNS}
# columns that callbacks read beside the bars travel to the agent only if somebody asks for them
_LOOKS = ("get_analyzed_dataframe", "get_pair_dataframe", "historic_ohlcv", "ohlcv(")


def freqtrade_plan(plan: RunPlan, part: StrategyComponent) -> RunPlan:
    """Return a plan over the same bars in which the strategy of a file trades alone.

    Parameters
    ----------
    plan : RunPlan
        Of any fleet.
    part : StrategyComponent
        Kind ``FILE.py:Class`` and the values of its parameters.

    Raises
    ------
    ConfigError, StrategyError
        If the class asks for anything unsupported, or its columns know the future.
    """
    path, _, class_name = part.kind.rpartition(":")
    model = plan.config.model
    most = model.freqtrade.max_open_trades
    most = len(plan.pairs) if most is None else most
    cash = model.account.initial_cash_quote
    stake = model.freqtrade.stake_quote
    config = settings(
        pairs=plan.pairs, quote=model.account.quote, timeframe=model.timeframe, max_open_trades=most,
        stake=None if stake is None else float(stake), cash=float(cash), mode=model.account.mode,
    )  # fmt: skip
    strategy = load_strategy(path, class_name, config=config, params=part.params, timeframe=model.timeframe)
    strategy.dp = DataProvider(plan.feed.frames)
    strategy.wallets = Wallets(model.account.quote, float(cash), model.freqtrade.balance_frac)
    signals, frames = signals_of(strategy, plan.feed.frames)
    source = Path(path).expanduser().read_text(encoding="utf-8")
    looks = any(word in source for word in _LOOKS)
    params: dict[str, Any] = {
        "path": str(Path(path).expanduser().absolute()), "class_name": class_name, "params": dict(part.params),
        "signals": signals, "frames": frames if looks else {}, "max_open_trades": most,
        "stake_quote": None if stake is None else str(stake), "balance_frac": model.freqtrade.balance_frac,
        "fee_frac": taker_fee(model), "cash_quote": str(cash),
        "account_mode": model.account.mode,
        "leverage": None if model.account.mode == "spot" else float(model.account.leverage),
    }  # fmt: skip
    notes = [*plan.notes, *notes_of(strategy, plan, signals, source)]
    kept = Path(path).expanduser().with_suffix(".json")
    if parameters.stored(kept, class_name):
        notes.append(f"{class_name} takes its parameters from {kept.name}")
    return replace(plan, graph=FleetGraph(fleet(plan.graph, params)), notes=tuple(notes))


def signals_of(
    strategy: IStrategy, frames: Mapping[str, BarFrame]
) -> tuple[dict[str, dict[str, Any]], dict[str, dict[str, Any]]]:
    """Return entries and exits of every pair as plain values, and the analysed frames, checked for look-ahead.

    Raises
    ------
    StrategyError
        If a column changes once later bars are known.
    """
    out: dict[str, dict[str, Any]] = {}
    analysed: dict[str, dict[str, Any]] = {}
    with stand_ins.installed():
        # what a strategy prepares once it does in each process, here for its columns
        try:
            strategy.bot_start()
            strategy.informative_pairs()
        except TradingError:
            raise
        except Exception as e:
            raise StrategyError("STRATEGY_RAISED", f"{type(strategy).__name__}: {described(e)}") from e
        for pair, bars in frames.items():
            whole = columns.analyse(strategy, bars)
            columns.refuse_lookahead(strategy, bars, whole)
            analysed[pair] = {"bars": bars, "analysed": whole}
            first = min(strategy.startup_candle_count, len(bars) - 1)
            out[pair] = {
                "enter": {s: _marked(whole, c[0], columns.ENTRY_TAG, bars) for s, c in _SIDES.items()},
                "leave": {s: _marked(whole, c[1], columns.EXIT_TAG, bars) for s, c in _SIDES.items()},
                "first_ns": int(bars.open_ns[first]),
            }
            if not strategy.can_short:
                out[pair]["enter"]["short"] = []
    return out, analysed


def _marked(frame: Any, column: str, tag: str, bars: BarFrame) -> list[list[Any]]:
    return [[int(bars.open_ns[k]), name] for k, name in columns.signal_rows(frame, column, tag)]


def notes_of(
    strategy: IStrategy, plan: RunPlan, signals: Mapping[str, Mapping[str, Any]], source: str
) -> list[str]:
    """Return what a reader of the result must know: who decides, what has no effect, where the start-up lies."""
    name, model = type(strategy).__name__, plan.config.model
    who = (
        f"{name} manages its own orders: coordination, sizing, risk rules and breakers of the configuration are not "
        "asked; signals trade at the next open, a stop comes before a target inside a bar, a trailing stop moves "
        "after its bar, and protections are on"
    )
    out = [who]
    own = support.members(type(strategy)).get("timeframe")
    if own is not None and own != model.timeframe:
        out.append(f"{name} was written for bars of {own}, this run has {model.timeframe}")
    out += support.notes(strategy)
    if not ta_lib.installed() and "talib" in source:
        out.append("TA-Lib is not installed: indicators are those of a stand-in, equal to its to 1e-9")
    begin = int(plan.feed.times[plan.feed.warmup_steps]) - plan.settings.timeframe_ns
    for pair, rows in signals.items():
        if rows["first_ns"] > max(begin, int(plan.feed.frames[pair].open_ns[0])):
            out.append(
                f"{pair}: startup_candle_count = {strategy.startup_candle_count} reaches into the run: no entry "
                f"before {format_ns(rows['first_ns'])}"
            )
    return out


def fleet(graph: FleetGraph, params: Mapping[str, Any]) -> list[AgentSpec]:
    """Return the agents: bars, venue, ledger and journal of a fleet, and the strategy in place of all others.

    Notes
    -----
    Whoever heard an agent that is not there hears the strategy instead, with the same delay.
    """
    kept = [graph.specs[graph.index[name]] for name in _PLATFORM]
    mine = AgentSpec(
        NAME, f"freqtrade:{params['class_name']}", "actors.agents.freqtrade:FreqtradeAgent", dict(params),
        (Input("venue"), Input("ledger"), Input("market-data")), loop=True,
    )  # fmt: skip
    return [*(replace(spec, inputs=tuple(dict.fromkeys(map(_heard, spec.inputs)))) for spec in kept), mine]


def _heard(edge: Input) -> Input:
    return edge if edge.source in (*_PLATFORM, FEED) else Input(NAME, edge.delay)


def taker_fee(model: Config) -> float:
    """Return the taker's fee of the configured venue as a fraction; 0 where fees are switched off."""
    fees = build_model("fees", model.venue.model_dump(mode="json")["fees"])
    one = Decimal(1)
    fee, _ = fees.fee(Instrument(pair="BASE/QUOTE"), SELL, one, one, "taker")
    return float(fee)
