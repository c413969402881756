"""What a configuration may say: frozen pydantic models, unknown keys refused, units in the names.

Each default stands in exactly one place: general settings here, parameters of a component beside the
component (`params` stays a plain mapping here; the fleet builder validates what `config.parts` lists). The
YAML files only say which components run and where a mode differs from these defaults.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any, Literal

import pydantic
from pydantic import Field

from config.provenance import Provenance
from config.terms import MarginTerms, PerpetualTerms

LIVE_ACKNOWLEDGEMENT = "I accept that real money can be lost"
TIMEFRAME_PATTERN = r"^[1-9]\d{0,5}[smhdw]$"
PAIR_PATTERN = r"^[A-Z0-9]+/[A-Z0-9]+$"

ADAPTIVE = "adaptive"
"""Kind of the strategy that switches another one's parameters."""

Frac = Annotated[float, Field(ge=0.0, le=1.0)]
PositiveDecimal = Annotated[Decimal, Field(gt=0)]
Pair = Annotated[str, Field(pattern=PAIR_PATTERN)]


class Section(pydantic.BaseModel):
    """Base of all sections: frozen, unknown keys refused, not a number and infinity refused."""

    model_config = pydantic.ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class AgentSection(Section):
    """A section whose further keys are parameters of one agent, validated by that agent at start-up."""

    model_config = pydantic.ConfigDict(extra="allow")


class Component(Section):
    """A part found by its kind: a file name, or ``module:Class`` of a stranger's."""

    kind: Annotated[str, Field(pattern=r"^[A-Za-z_][\w.]*(:[A-Za-z_]\w*)?$")]
    params: dict[str, Any] = {}


class StrategyComponent(Component):
    """A strategy and its starting weight; weights are normalised over the strategies of a run.

    Its kind may also be ``PATH/FILE.py:Class``: a class in freqtrade's style, which trades alone. `exits` replace
    those of the run section by section, where the strategy is the run's only one. `adaptive` lets parameters follow
    the regime, ``by_regime: {bull: {fast_bars: 10}}``; its keys are those of `actors.domain.strategies.adaptive`.
    """

    kind: Annotated[str, Field(pattern=r"^([A-Za-z_][\w.]*(:[A-Za-z_]\w*)?|.+\.py:[A-Za-z_]\w*)$")]
    weight: Annotated[float, Field(gt=0.0)] = 1.0
    exits: dict[str, Any] = {}
    adaptive: dict[str, Any] = {}

    @property
    def part(self) -> tuple[str, dict[str, Any]]:
        """Kind and parameters of the component that runs: the strategy, or `adaptive` around it."""
        return running({"kind": self.kind, "params": self.params, "adaptive": self.adaptive})


class InstrumentRules(Section):
    """Tick (quote), lot (base) and smallest order value (quote) of a pair."""

    tick: PositiveDecimal = Decimal("0.01")
    lot: PositiveDecimal = Decimal("0.00001")
    min_notional: Annotated[Decimal, Field(ge=0)] = Decimal("10")


class Instruments(Section):
    """Rules of every pair (`default`) and of single pairs; an override replaces all three figures."""

    default: InstrumentRules = InstrumentRules()
    overrides: dict[Pair, InstrumentRules] = {}

    def rules(self, pair: str) -> InstrumentRules:
        """Return the rules of a pair."""
        return self.overrides.get(pair, self.default)


class Account(Section):
    """Quote currency, starting cash and mode of the simulated account.

    `mode` ``spot`` spends what it owns; ``margin`` borrows on spot and ``perpetual`` trades linear contracts, both up
    to a gross exposure of `leverage` times the equity, long and short, on the venue's terms for that mode.
    """

    quote: Annotated[str, Field(pattern=r"^[A-Z0-9]+$")] = "USDT"
    initial_cash_quote: PositiveDecimal = Decimal("100000")
    mode: Literal["spot", "margin", "perpetual"] = "spot"
    leverage: Annotated[Decimal, Field(ge=1)] = Decimal(1)


class Data(Section):
    """Quality of bars: how many may be missing, what happens to bad rows, how much history warms up.

    `max_warmup_bars` bounds the bars before the time range that the fleet learns from; None takes all.
    """

    max_missing_frac: Frac = 0.01
    policy: Literal["reject", "quarantine", "fill_forward_flagged"] = "reject"
    max_warmup_bars: Annotated[int, Field(ge=0)] | None = 1000


class Kernels(Section):
    """Which implementation of the numeric kernels runs; `require_native` refuses the Python twins."""

    backend: Literal["auto", "native", "python"] = "auto"
    require_native: bool = False

    @pydantic.model_validator(mode="after")
    def _no_contradiction(self) -> Kernels:
        if self.require_native and self.backend == "python":
            raise ValueError("require_native is true but backend is python; choose one")
        return self


class Features(Section):
    """Indicators that become feature columns, and the parameters of their selection."""

    indicators: tuple[Component, ...] = ()
    selection: dict[str, Any] = {}


class Regime(Section):
    """Regime detectors (one agent each) and the ensemble over them.

    `timeframes` are longer bars, such as ``[4h, 1d]``, on which every detector runs as well, in an agent of its own;
    their views are joined at the close of the longer bars.
    """

    detectors: tuple[Component, ...] = ()
    timeframes: tuple[Annotated[str, Field(pattern=TIMEFRAME_PATTERN)], ...] = ()
    ensemble: dict[str, Any] = {}


class Learning(Section):
    """Predictors (one agent each)."""

    predictors: tuple[Component, ...] = ()


class SentimentSource(Section):
    """A file of texts or index values: CSV, JSON, JSON lines, RSS or Atom, perhaps gzipped.

    `kind` is ``news``, ``social`` or ``index`` (0 to 100, fear to greed). `columns` names the columns of ``time``,
    ``text``, ``score`` (in [-1, 1]; without one, texts are scored here), ``value`` and ``first_seen`` where they are
    called otherwise; an empty name means that none shall be read. `day_first` reads 3-4-2022 as the 3rd of April. A
    time without a clock counts from the end of its day.
    """

    path: Annotated[str, Field(min_length=1)]
    kind: Literal["news", "social", "index"] = "news"
    name: str = ""
    weight: Annotated[float, Field(gt=0.0, le=1000.0)] = 1.0
    day_first: bool = False
    columns: dict[Literal["time", "text", "score", "value", "first_seen"], str] = {}


class Sentiment(Section):
    """Sentiment analysis: an agent that reads `sources`, and a detector that the ensemble hears.

    `scorer` reads texts: ``lexicon`` or ``module:Class`` of your own. `aggregate` and `detector` are parameters of the
    agent and of the detector ``sentiment``, which joins the configured detectors by itself. `features` adds columns to
    the feature pipeline. Nothing is fetched from anywhere while a run is computed.
    """

    enabled: bool = False
    sources: tuple[SentimentSource, ...] = ()
    scorer: Component = Component(kind="lexicon")
    aggregate: dict[str, Any] = {}
    detector: dict[str, Any] = {}
    features: bool = True

    @pydantic.model_validator(mode="after")
    def _something_to_read(self) -> Sentiment:
        if self.enabled and not self.sources:
            raise ValueError(
                "enabled: expected at least one of sentiment.sources to read, found none; name a file "
                "(`tradewind sentiment collect` makes one), or set it to false"
            )
        return self


class Coordination(AgentSection):
    """Strategy coordinator; revised weights reach it `weights_lag_steps` after they were made."""

    weights_lag_steps: Annotated[int, Field(ge=1)] = 64


class Risk(Section):
    """Risk agents (one measure each), sizing, pre-trade rules (asked in this order), circuit breakers.

    A breaker that is not named, or is null, does not exist. `params` are the risk coordinator's own.
    """

    agents: tuple[Component, ...] = ()
    sizing: Component = Component(kind="volatility_target")
    rules: tuple[Component, ...] = ()
    breakers: dict[str, dict[str, Any]] = {}
    params: dict[str, Any] = {}

    @pydantic.field_validator("breakers", mode="before")
    @classmethod
    def _switched_off(cls, value: Any) -> Any:
        # sections are merged, so a later file cannot leave a breaker out: it says null
        return {k: v for k, v in value.items() if v is not None} if isinstance(value, dict) else value


class Execution(AgentSection):
    """Execution algorithms (one agent each); further keys are the execution coordinator's."""

    algos: Annotated[tuple[Component, ...], Field(min_length=1)] = (Component(kind="market"),)


class Venue(Section):
    """The simulated venue: costs are on by default; switching them off has to be asked for by name.

    `fill_at` is where a market order fills on the bar after its step; `max_volume_share` is the part of a
    bar's volume that our orders may take (None: all of it); `through_ticks` is how far the market must trade
    beyond a resting limit before it fills (0: a touch fills it). With `queue_ahead_frac` a touch fills it too,
    behind that share of the volume of the bar that first touches it.
    """

    kind: Literal["mock"] = "mock"
    fees: Component = Component(kind="maker_taker")
    spread: Component = Component(kind="fixed_bps")
    slippage: Component = Component(kind="square_root")
    latency: Component = Component(kind="fixed")
    fill_at: Literal["next_open", "intrabar"] = "next_open"
    max_volume_share: Annotated[float, Field(gt=0.0, le=1.0)] | None = 0.1
    through_ticks: Annotated[int, Field(ge=0)] = 1
    queue_ahead_frac: Annotated[float, Field(ge=0.0, le=100.0)] | None = None
    margin: MarginTerms = MarginTerms()
    perpetual: PerpetualTerms = PerpetualTerms()

    @pydantic.model_validator(mode="after")
    def _one_queue_rule(self) -> Venue:
        if self.queue_ahead_frac is not None and self.through_ticks == 0:
            raise ValueError("queue_ahead_frac has no effect where through_ticks is 0: choose one")
        return self

    def terms(self, mode: str) -> MarginTerms | PerpetualTerms | None:
        """Return the terms of an account's mode; None for spot."""
        if mode == "spot":
            return None
        return self.margin if mode == "margin" else self.perpetual


class Freqtrade(Section):
    """How a strategy class in freqtrade's style uses the account.

    At most `max_open_trades` at once (None: one per pair), each with `stake_quote` (None: an equal share of the
    account's worth), of `balance_frac` of the account.
    """

    max_open_trades: Annotated[int, Field(ge=1)] | None = 3
    stake_quote: PositiveDecimal | None = None
    balance_frac: Annotated[float, Field(gt=0.0, le=1.0)] = 0.99


class Runtime(Section):
    """How the hosts schedule, watch and restart; nothing here can change a decision.

    An agent that misses `heartbeat_misses` beats is restarted, at most `restart_budget` times in
    `restart_window_s`; before a group of agents is started anew there is a pause, `restart_backoff_s` at first
    and doubled each time. `mailbox_size` is how many messages of the bus may wait for one subscriber. `num_cpus`
    and `object_store_mb` size a cluster that we start; None lets Ray choose.
    """

    block_steps: Annotated[int, Field(ge=1)] = 32
    snapshot_every_steps: Annotated[int, Field(ge=1)] = 256
    restart_budget: Annotated[int, Field(ge=0)] = 5
    restart_window_s: Annotated[float, Field(gt=0)] = 300.0
    restart_backoff_s: Annotated[float, Field(ge=0)] = 0.2
    ready_deadline_s: Annotated[float, Field(gt=0)] = 180.0
    heartbeat_interval_s: Annotated[float, Field(gt=0)] = 2.0
    heartbeat_misses: Annotated[int, Field(ge=2)] = 15
    mailbox_size: Annotated[int, Field(ge=1)] = 1024
    num_cpus: Annotated[int, Field(ge=1)] | None = None
    object_store_mb: Annotated[int, Field(ge=80)] | None = None

    @pydantic.model_validator(mode="after")
    def _no_contradiction(self) -> Runtime:
        if self.block_steps > self.snapshot_every_steps:
            raise ValueError(
                f"block_steps: expected at most snapshot_every_steps = {self.snapshot_every_steps}, "
                f"found {self.block_steps}"
            )
        if self.heartbeat_interval_s * self.heartbeat_misses > self.ready_deadline_s:
            raise ValueError(
                f"heartbeat_interval_s x heartbeat_misses: expected at most ready_deadline_s = "
                f"{self.ready_deadline_s:g}, found {self.heartbeat_interval_s * self.heartbeat_misses:g}"
            )
        return self


class Journal(Section):
    """Where the journal lives: None is a SQLite file in the run's folder, else an SQLAlchemy URL.

    A password never stands in the URL; it comes from TRADEWIND_JOURNAL_PASSWORD or the file named by
    TRADEWIND_JOURNAL_PASSWORD_FILE.
    """

    url: str | None = None

    @pydantic.field_validator("url")
    @classmethod
    def _known_and_without_password(cls, value: str | None) -> str | None:
        if value is None:
            return None
        if re.match(r"^[\w+]+://[^/@:]*:[^/@]*@", value):
            raise ValueError("found a password in the URL; put it into TRADEWIND_JOURNAL_PASSWORD or a file")
        if not value.startswith(("sqlite:///", "postgresql+pg8000://")):
            raise ValueError("expected sqlite:///PATH or postgresql+pg8000://USER@HOST/DATABASE")
        return value


class Live(Section):
    """Real money: refused unless `acknowledge` holds the exact sentence of `LIVE_ACKNOWLEDGEMENT`."""

    acknowledge: str | None = None


class Config(Section):
    """A whole configuration; `exits`, `evaluation` and `health` are the parameters of those agents.

    `provenance` is written by the study that chose the parameters.

    `timeframe_detail` is that of the finer bars by which the venue settles what happens inside a bar (None: by its
    pessimistic rule).
    """

    mode: Literal["backtest", "paper", "live"] = "paper"
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 7
    timeframe: Annotated[str, Field(pattern=TIMEFRAME_PATTERN)] = "1h"
    timeframe_detail: Annotated[str, Field(pattern=TIMEFRAME_PATTERN)] | None = None
    pairs: Annotated[tuple[Pair, ...], Field(min_length=1)] = ("BTC/USDT",)
    instruments: Instruments = Instruments()
    account: Account = Account()
    data: Data = Data()
    kernels: Kernels = Kernels()
    features: Features = Features()
    regime: Regime = Regime()
    learning: Learning = Learning()
    sentiment: Sentiment = Sentiment()
    strategies: Annotated[tuple[StrategyComponent, ...], Field(min_length=1)]
    coordination: Coordination = Coordination()
    risk: Risk = Risk()
    exits: dict[str, Any] = {}
    execution: Execution = Execution()
    venue: Venue = Venue()
    freqtrade: Freqtrade = Freqtrade()
    evaluation: dict[str, Any] = {}
    health: dict[str, Any] = {}
    runtime: Runtime = Runtime()
    journal: Journal = Journal()
    live: Live = Live()
    provenance: Provenance | None = None


def running(part: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Return kind and parameters of what runs for a strategy's entry: itself, or `adaptive` around it.

    Examples
    --------
    >>> running({"kind": "rsi", "params": {}, "adaptive": {"min_dwell_bars": 6}})
    ('adaptive', {'kind': 'rsi', 'params': {}, 'by_regime': {}, 'min_dwell_bars': 6})
    """
    own = {"kind": part["kind"], "params": dict(part.get("params") or {})}
    adaptive = part.get("adaptive")
    return (ADAPTIVE, {**own, "by_regime": {}, **adaptive}) if adaptive else (own["kind"], own["params"])


def in_freqtrade_style(kind: str) -> bool:
    """Tell whether a strategy's kind names a class in freqtrade's style by its file.

    Examples
    --------
    >>> in_freqtrade_style("user_data/strategies/bands.py:Bands"), in_freqtrade_style("my_strategy:Mine")
    (True, False)
    """
    return ".py:" in kind
