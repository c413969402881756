"""Risk agents: figures against direct computation, silence before they are defined, restore."""

import math
from decimal import Decimal

import numpy as np
import pytest

from actors.agents.risk import RiskAgent
from actors.domain.events.market import BarClosed
from actors.domain.events.portfolio import AccountUpdated
from actors.domain.fitting import InlineFits
from actors.domain.model.instrument import Instrument
from actors.domain.processor import AgentContext, Step
from actors.domain.risk.measures import expected_shortfall, historical_var

HOUR = 3_600_000_000_000
PAIRS = ("BTC/USDT", "ETH/USDT", "SOL/USDT")


def make(kind, params=None, pairs=PAIRS):
    ctx = AgentContext(f"risk-{kind}", {p: Instrument(pair=p) for p in pairs}, HOUR, 7, InlineFits())
    return RiskAgent(ctx, kind, params)


def prices(n, pairs=PAIRS, seed=5):
    rng = np.random.default_rng(seed)
    common = rng.standard_normal((n, 1))
    moves = 0.006 * common + 0.008 * rng.standard_normal((n, len(pairs)))
    return 100.0 * np.exp(np.cumsum(moves, axis=0))


def step_of(number, closes, pairs=PAIRS):
    ts = (number + 1) * HOUR
    return Step(
        number,
        ts,
        tuple(
            BarClosed(
                ts_event_ns=ts, source="m", instrument_id=p, open_ns=ts - HOUR, close_ns=ts, open=c, high=c,
                low=c, close=c, volume=1.0,
            )
            for p, c in zip(pairs, closes, strict=True)
            if not math.isnan(c)
        ),
    )  # fmt: skip


def run(agent, table, pairs=PAIRS):
    return [agent.process(step_of(k, row, pairs)) for k, row in enumerate(table.tolist())]


def test_volatility_is_the_weighted_root_mean_square():
    table = prices(200)
    out = run(make("volatility", {"half_life_bars": 20, "min_observations": 30}), table)
    assert out[29] == []
    assert [e.instrument_id for e in out[30]] == list(PAIRS)
    r = table[1:, 0] / table[:-1, 0] - 1
    weights = 0.5 ** (np.arange(len(r))[::-1] / 20)
    last = out[-1][0]
    assert last.value == pytest.approx(math.sqrt((weights * r**2).sum() / weights.sum()), rel=1e-12)
    assert last.observations == 199


def test_flat_prices_have_no_volatility_to_report():
    assert not any(run(make("volatility", {"min_observations": 2}), np.full((50, 3), 10.0)))


def test_tail_equals_the_batch_functions_on_the_window():
    table = prices(400)
    params = {"confidence": 0.95, "window_bars": 150, "min_observations": 150}
    out = run(make("tail", params), table)
    assert out[149] == []
    for k in (150, 233, 399):
        r = table[1 : k + 1, 1] / table[:k, 1] - 1
        var, es = (e for e in out[k] if e.instrument_id == PAIRS[1])
        assert (var.measure, es.measure, var.confidence) == ("var", "es", 0.95)
        assert var.value == pytest.approx(historical_var(r[-150:], confidence=0.95), rel=1e-12)
        assert es.value == pytest.approx(expected_shortfall(r[-150:], confidence=0.95), rel=1e-12)
        assert es.value >= var.value


def test_correlation_of_couples_and_average():
    table = prices(3000)
    out = run(make("correlation", {"half_life_bars": 1e9}), table)
    r = table[1:] / table[:-1] - 1
    m = (r.T @ r) / np.sqrt(np.outer((r**2).sum(0), (r**2).sum(0)))
    mean, by_pair = m[np.triu_indices(3, 1)].mean(), (m.sum(0) - 1) / 2
    assert [e.instrument_id for e in out[-1]] == [*PAIRS, None]
    assert out[-1][-1].value == pytest.approx(mean, abs=1e-6)
    assert out[-1][0].value == pytest.approx(by_pair[0], abs=1e-6)


def test_one_pair_has_no_correlation():
    one = PAIRS[:1]
    assert not any(run(make("correlation", pairs=one), prices(100, one), one))


def test_missing_bars_make_no_returns_across_the_gap():
    table = prices(60)
    table[30:33, 0] = np.nan
    table[33:, 0] *= 2.0  # a jump over the gap must not become one bar's return
    out = run(make("volatility", {"min_observations": 5}), table)
    assert max(e.value for step in out for e in step) < 0.05
    assert [e.observations for e in out[-1]] == [55, 59, 59]


def test_drawdown_counts_bars_under_water():
    agent = make("drawdown")
    assert agent.consumes == (AccountUpdated,)
    depths, seen = [0.0, 0.1, 0.05, 0.0, 0.02], []
    for k, depth in enumerate(depths):
        account = AccountUpdated(
            ts_event_ns=k, source="ledger", equity=Decimal(1), cash=Decimal(1), positions=(),
            exposures_frac=(), drawdown_frac=depth, fees_quote=Decimal(0), slippage_quote=Decimal(0),
            realised_pnl_quote=Decimal(0),
        )  # fmt: skip
        seen.append({e.measure: e.value for e in agent.process(Step(k, k, (account,)))})
    assert [s["bars_under_water"] for s in seen] == [0, 1, 2, 0, 1]
    assert [s["max_drawdown"] for s in seen] == [0.0, 0.1, 0.1, 0.1, 0.1]


@pytest.mark.parametrize("kind", ["volatility", "tail", "correlation"])
def test_restore_gives_the_same_future(kind):
    table = prices(300)
    table[120, 1] = np.nan
    whole, first = make(kind), make(kind)
    expected = run(whole, table)
    for k in range(170):
        first.process(step_of(k, table[k].tolist()))
    second = make(kind)
    second.restore(first.snapshot())
    rest = [second.process(step_of(k, table[k].tolist())) for k in range(170, 300)]
    assert rest == expected[170:]
    assert second.snapshot() == whole.snapshot()
