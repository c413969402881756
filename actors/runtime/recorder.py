"""What a run leaves behind: the canonical decision log and the series of its report.

The recorder hears each finished step in order, on every host, so both hosts leave the same record. It can be
snapshotted with the fleet; the log itself is an append-only file that a resumed run cuts back to its snapshot.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, TextIO

from actors.domain.events.base import Event
from actors.domain.events.codec import DecisionLog
from actors.domain.events.evaluation import AgentScored, WeightsRevised
from actors.domain.events.execution import OrderFilled, OrderRejected, SubmitOrder
from actors.domain.events.market import DataGapDetected
from actors.domain.events.portfolio import AccountUpdated, TradeClosed
from actors.domain.events.prediction import DriftDetected, ModelTrained
from actors.domain.events.regime import RegimeAssessed, RegimeChanged
from actors.domain.events.risk import (
    CircuitBreakerTripped,
    OrderIntentApproved,
    OrderIntentDenied,
    RiskLimitBreached,
)
from actors.domain.events.signal import SignalsAggregated
from actors.domain.events.system import AlertRaised
from actors.domain.state import Stateful
from actors.runtime.slices import Slice

ENSEMBLE = "regime-ensemble"
Outputs = Sequence[tuple[str, Sequence[Event]]]


class Recorder(Stateful):
    """Collects a run.

    Parameters
    ----------
    pairs : sequence of str
    log_path : Path or None
        Where the canonical decision lines go.
    resume : bool
        Keep an existing log; `load_state` cuts it back.
    """

    STATE: ClassVar[tuple[str, ...]] = (
        "steps", "times", "equity", "exposure", "drawdown", "closes", "regimes", "regime_confidence", "counts",
        "kept", "trades", "decisions", "log_bytes", "last_account", "_last_lines", "agreement",
    )  # fmt: skip

    def __init__(self, pairs: Sequence[str], log_path: Path | None = None, *, resume: bool = False) -> None:
        self.pairs = tuple(pairs)
        self.log = DecisionLog()
        self._path = log_path
        # a resumed run keeps the file until its snapshot says how much of it stands
        mode = "a" if resume else "w"
        self._file: TextIO | None = log_path.open(mode, encoding="utf-8") if log_path is not None else None
        self.lines: list[str] = []
        """Kept in memory only where there is no file (tests, parity)."""
        self.steps = 0
        self.log_bytes = 0
        self.times: list[int] = []
        self.equity: list[float] = []
        self.exposure: list[float] = []
        self.drawdown: list[float] = []
        self.closes: dict[str, list[float]] = {p: [] for p in self.pairs}
        self.regimes: dict[str, list[str]] = {p: [] for p in self.pairs}
        self.regime_confidence: dict[str, list[float]] = {p: [] for p in self.pairs}
        self.agreement: dict[str, list[float]] = {p: [] for p in self.pairs}
        self.counts: dict[str, int] = {}
        self.kept: dict[str, list[list[Any]]] = {n: [] for n in _KEPT}
        self.trades: list[dict[str, Any]] = []
        self.decisions = 0
        self.last_account: dict[str, Any] = {}
        self._last_lines: dict[str, Any] = {}

    def on_step(self, item: Slice, outputs: Outputs) -> None:
        """Take one finished step."""
        for line in self.log.add_step(item.step, _spoken(outputs)):
            self.decisions += 1
            if self._file is not None:
                self.log_bytes += self._file.write(line + "\n")
            else:
                self.lines.append(line)
        self.steps += 1
        self.times.append(item.ts_event_ns)
        close = {e.instrument_id: e.close for e in item.events}
        for pair in self.pairs:
            row = self.closes[pair]
            row.append(close.get(pair, row[-1] if row else float("nan")))
        regime: dict[str | None, RegimeAssessed] = {}
        agreement: dict[str | None, float] = {}
        for source, events in outputs:
            for event in events:
                if event.source != source:
                    continue
                name = type(event).__name__
                self.counts[name] = self.counts.get(name, 0) + 1
                if isinstance(event, RegimeAssessed):
                    if source == ENSEMBLE:
                        regime[event.instrument_id] = event
                elif isinstance(event, AccountUpdated):
                    self._account(event)
                elif isinstance(event, SignalsAggregated):
                    agreement[event.instrument_id] = event.agreement
                elif isinstance(event, TradeClosed):
                    self.trades.append(_trade(event))
                elif name in _KEPT:
                    self.kept[name].append(_KEPT[name](item.step, event))
        for pair in self.pairs:
            seen = regime.get(pair)
            labels, confidences = self.regimes[pair], self.regime_confidence[pair]
            labels.append(seen.label if seen is not None else (labels[-1] if labels else ""))
            confidences.append(seen.confidence if seen is not None else float("nan"))
            self.agreement[pair].append(agreement.get(pair, float("nan")))
        if len(self.equity) < self.steps:
            self.equity.append(self.equity[-1] if self.equity else float("nan"))
            self.exposure.append(self.exposure[-1] if self.exposure else 0.0)
            self.drawdown.append(self.drawdown[-1] if self.drawdown else 0.0)

    def _account(self, event: AccountUpdated) -> None:
        self.equity.append(float(event.equity))
        self.exposure.append(sum(abs(x) for x in event.exposures_frac))
        self.drawdown.append(event.drawdown_frac)
        self.last_account = {
            "equity": str(event.equity), "cash": str(event.cash),
            "positions": {p: str(q) for p, q in zip(self.pairs, event.positions, strict=True)},
            "fees_quote": str(event.fees_quote), "slippage_quote": str(event.slippage_quote),
        }  # fmt: skip

    def flush(self) -> None:
        """Make the log file durable up to now."""
        if self._file is not None:
            self._file.flush()

    def close(self) -> None:
        """Close the log file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def state(self) -> dict[str, Any]:
        """State including what the log needs to go on."""
        self.flush()
        self._last_lines = self.log.state()
        return super().state()

    def load_state(self, tree: dict[str, Any]) -> None:
        """Go on from a snapshot: the log file is cut back and hashed anew."""
        if self._file is not None:
            self._file.close()
            self._file = None
        super().load_state(tree)
        if self._path is not None:
            with self._path.open("rb") as f:
                head = f.read(self.log_bytes)
            self._path.write_bytes(head)
            self.log = DecisionLog.resumed(head, self._last_lines)
            self._file = self._path.open("a", encoding="utf-8")


def _spoken(outputs: Outputs) -> list[tuple[str, list[Event]]]:
    """What each agent said itself; passed-on events (the journal's) are not decisions of the passer."""
    return [(source, [e for e in events if e.source == source]) for source, events in outputs]


def _trade(e: TradeClosed) -> dict[str, Any]:
    return {
        "pair": e.instrument_id, "side": e.side, "opened_ns": e.opened_ns, "closed_ns": e.closed_ns,
        "quantity": str(e.quantity), "entry_price": str(e.entry_price), "exit_price": str(e.exit_price),
        "fees_quote": str(e.fees_quote), "slippage_quote": str(e.slippage_quote),
        "pnl_quote": str(e.pnl_quote), "return_frac": e.return_frac, "duration_bars": e.duration_bars,
        "exit_reason": e.exit_reason,
    }  # fmt: skip


_KEPT: dict[str, Any] = {
    OrderFilled.__name__: lambda k, e: [
        k, e.instrument_id, e.side, str(e.quantity), str(e.price), str(e.fee), e.liquidity,
        str(e.slippage_quote), e.client_order_id, e.intent_id,
    ],
    SubmitOrder.__name__: lambda k, e: [
        k, e.instrument_id, e.side, str(e.quantity), e.order_type, e.source, e.client_order_id, e.intent_id,
    ],
    OrderRejected.__name__: lambda k, e: [k, e.instrument_id, e.code, e.message, e.client_order_id],
    OrderIntentApproved.__name__: lambda k, e: [
        k, e.instrument_id, str(e.quantity), e.reason, e.resized_by, e.intent_id, e.target_frac,
    ],
    OrderIntentDenied.__name__: lambda k, e: [k, e.instrument_id, e.code, e.rule, e.limit, e.observed],
    RiskLimitBreached.__name__: lambda k, e: [k, e.instrument_id, e.rule, e.limit, e.observed],
    CircuitBreakerTripped.__name__: lambda k, e: [k, e.breaker, e.limit, e.observed, e.until_step],
    RegimeChanged.__name__: lambda k, e: [k, e.instrument_id, e.previous, e.label, e.confidence],
    WeightsRevised.__name__: lambda k, e: [k, e.effective_step, list(e.members), list(e.weights), e.regime],
    AgentScored.__name__: lambda k, e: [k, e.agent, e.score, e.hit_rate_frac, e.observations],
    ModelTrained.__name__: lambda k, e: [
        k, e.instrument_id, e.model, e.model_version, e.requested_step, e.observations, e.score,
    ],
    DriftDetected.__name__: lambda k, e: [k, e.instrument_id, e.model, e.detector, e.statistic],
    DataGapDetected.__name__: lambda k, e: [k, e.instrument_id, e.missing_bars],
    AlertRaised.__name__: lambda k, e: [k, e.severity, e.code, e.message],
}
