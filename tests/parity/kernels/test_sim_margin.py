"""Leveraged accounts in the exact simulator: native equals twin over columns; worked by hand on both."""

from __future__ import annotations

import importlib
import importlib.util
from decimal import Decimal as D
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from actors.adapters.feeds.files import load_bars
from actors.adapters.feeds.funding import load_funding
from actors.domain.errors import KernelError
from actors.domain.kernels import sim as api
from actors.domain.kernels import twins
from actors.domain.kernels.sim import Carry, CarryColumns, OrderSim, SimRules, Slippage
from actors.domain.model.account import AccountTerms
from actors.domain.model.bars import BarFrame
from actors.domain.model.instrument import BUY, SELL, Instrument
from actors.domain.simulation.synthetic.market import generate
from actors.domain.simulation.synthetic.params import SyntheticParams

BACKENDS: list[Any] = [twins]
if importlib.util.find_spec("_tradecore"):
    BACKENDS.append(importlib.import_module("_tradecore"))
native = pytest.mark.skipif(len(BACKENDS) < 2, reason="the native kernels are not installed")
PAIR = Instrument(pair="X/Y", tick=D("0.01"), lot=D("0.001"), min_notional=D(1))
FREE = SimRules(
    maker_bps=0.0, taker_bps=0.0, half_spread_bps=0.0, slippage=Slippage("none"), max_volume_share=None
)
PERPETUAL = AccountTerms(
    mode="perpetual", leverage=D(5), maintenance_frac=D("0.1"), liquidation_fee_frac=D("0.01")
)
MARGIN = AccountTerms(
    mode="margin", leverage=D(3), maintenance_frac=D("0.1"), borrow_base_frac=D("0.001"),
    borrow_quote_frac=D("0.0001"),
)  # fmt: skip


def make(
    backend: Any, account: AccountTerms | None, monkeypatch: pytest.MonkeyPatch, rules: SimRules = FREE,
    instrument: Instrument = PAIR,
) -> OrderSim:  # fmt: skip
    monkeypatch.setattr(api, "impl", lambda: backend)
    return OrderSim(instrument, D(1000), rules=rules, account=account)


def said(reports: list[api.SimReport]) -> list[tuple[Any, ...]]:
    return [(r.order, r.event, r.code, r.price, r.fee) for r in reports if r.event != "accepted"]


@pytest.fixture(params=BACKENDS, ids=lambda b: b.__name__)
def backend(request: pytest.FixtureRequest) -> Any:
    return request.param


def test_a_long_is_liquidated_and_its_fee_told_before(backend: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    sim = make(backend, PERPETUAL, monkeypatch)
    sim.submit("market", BUY, D(40))
    sim.advance(100.0, 100.0, 100.0, 100.0, 9.0)
    assert sim.balances == (D(40), D(-3000))
    target = sim.submit("limit", SELL, D(40), limit_price=D(120))
    # level 3000 / (40 * 0.9) = 83.33; fee 1 % of 3333.2, of which 333.2 are left
    found = sim.advance(100.0, 130.0, 80.0, 100.0, 9.0)
    assert said(found) == [
        (target, "canceled", "LIQUIDATED", D(0), D(0)),
        (0, "charged", "LIQUIDATION", D(0), D("33.332")),
        (0, "filled", "LIQUIDATION", D("83.33"), D(0)),
    ]
    assert sim.balances == (D(0), D("333.2") - D("33.332"))
    assert sim.position_lots == 0


def test_funding_marks_and_interest_are_those_of_the_bar(
    backend: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    sim = make(backend, PERPETUAL, monkeypatch)
    sim.submit("market", SELL, D(2))
    sim.advance(100.0, 100.0, 100.0, 100.0, 9.0, carry=Carry(funding=0.001))
    assert sim.balances == (D(-2), D("1200.2"))
    assert sim.position_lots == -2000
    flat = (100.0, 100.0, 100.0, 100.0, 9.0)
    assert not sim.advance(*flat)
    mark = (100.0, 100.0, 90.0, 90.0)
    (charge,) = sim.advance(*flat, carry=Carry(funding=0.001, assumed=True, mark=mark))
    assert (charge.event, charge.code, charge.fee) == ("charged", "FUNDING", D("0.18"))
    sim = make(backend, MARGIN, monkeypatch)
    sim.submit("market", SELL, D(5))
    assert sim.advance(*flat)[-1].fee == D("0.5")
    both = sim.advance(*flat, carry=Carry(missing_bars=2))
    assert [r.fee for r in both] == [D(1), D("0.5")]


def test_what_exceeds_the_leverage_is_refused(backend: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    sim = make(backend, PERPETUAL, monkeypatch)
    sim.submit("market", BUY, D("50.001"))
    sim.submit("market", SELL, D(50))
    found = sim.advance(100.0, 100.0, 100.0, 100.0, 9.0)
    assert [(r.event, r.code) for r in found if r.event != "accepted"] == [
        ("rejected", "INSUFFICIENT_MARGIN"),
        ("filled", ""),
    ]


def test_what_cannot_be_is_told(backend: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(KernelError, match="owns no base"):
        make(backend, PERPETUAL, monkeypatch, SimRules(fee_received=True))
    spot, leveraged = (make(backend, a, monkeypatch) for a in (None, PERPETUAL))
    bar = (100.0, 100.0, 100.0, 100.0, 9.0)
    with pytest.raises(KernelError, match="spot account"):
        spot.advance(*bar, carry=Carry(funding=0.001))
    for carry, text in (
        (Carry(funding=0.2), "funding"), (Carry(mark=(1.0, 1.0, 2.0, 1.0)), "mark"),
        (Carry(missing_bars=-1), "missing"),
    ):  # fmt: skip
        with pytest.raises(KernelError, match=text):
            leveraged.advance(*bar, carry=carry)
    frame = next(iter(generate(SyntheticParams(n_bars=100), 1).frames.values()))
    with pytest.raises(KernelError, match="expected shape"):
        leveraged.simulate(frame, np.zeros(len(frame)), carry=CarryColumns(funding=np.zeros(3)))


def compare(
    frame: BarFrame, account: AccountTerms, carry: CarryColumns, monkeypatch: pytest.MonkeyPatch, **how: float
) -> tuple[Any, Any]:
    rng = np.random.default_rng(5)
    signal = np.repeat(rng.choice([-1.0, 0.0, 1.0], len(frame) // 7 + 1), 7)[: len(frame)]
    out = []
    for backend in BACKENDS:
        sim = make(backend, account, monkeypatch, SimRules(), Instrument(pair="X/Y", lot=D("0.001")))
        equity = sim.simulate(frame, signal, carry=carry, **how)
        out.append((equity, sim.reports(), sim.balances))
    (one, said_one, owned_one), (two, said_two, owned_two) = out
    assert one.tobytes() == two.tobytes()
    assert said_one.tobytes() == said_two.tobytes()
    assert owned_one == owned_two
    return said_one, one


@native
@pytest.mark.parametrize("account", [PERPETUAL, MARGIN], ids=lambda a: a.mode)
@pytest.mark.parametrize("how", [{}, {"stop_frac": 0.02, "target_frac": 0.03}, {"trailing_frac": 0.01}])
def test_a_signal_of_both_sides_over_columns(
    account: AccountTerms, how: dict[str, float], monkeypatch: pytest.MonkeyPatch
) -> None:
    frame = next(iter(generate(SyntheticParams(n_bars=1500), 3).frames.values()))
    rng = np.random.default_rng(1)
    rates = np.where(np.arange(1500) % 8 == 0, np.round(rng.normal(1e-4, 5e-4, 1500), 6), np.nan)
    middle = (frame.high + frame.low) / 2
    marks = [middle + 0.8 * (c - middle) for c in (frame.open, frame.high, frame.low, frame.close)]
    missing = (rng.random(1500) < 0.01).astype(np.int64) * 3
    carry = CarryColumns(funding=rates, marks=marks, missing_bars=missing)
    found, _ = compare(frame, account, carry, monkeypatch, size_frac=0.9, **how)
    charged = {api.CODES[c] for c in found["code"][found["event"] == api.EVENTS.index("charged")].tolist()}
    assert charged >= ({"FUNDING"} if account.mode == "perpetual" else {"BORROW"})
    fills = found[found["event"] == api.EVENTS.index("filled")]
    assert set(fills["side"].tolist()) == {1, -1}


@native
@pytest.mark.shared_data
def test_a_real_perpetual_over_columns(shared_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = shared_data / "ohlcv/binance_usdm_perp"
    frame = load_bars(folder / "BTCUSDT_1h.parquet", "BTC/USDT").slice_rows(0, 2500)
    series = load_funding(folder / "BTCUSDT_funding_8h.parquet", "BTC/USDT")
    rates = np.full(len(frame), np.nan)
    at = np.searchsorted(frame.close_ns, series.due_ns)
    known = at < len(frame)
    rates[at[known]] = series.rate[known]
    wild = AccountTerms(mode="perpetual", leverage=D(50), maintenance_frac=D("0.01"))
    found, equity = compare(frame, wild, CarryColumns(funding=rates), monkeypatch, size_frac=0.5)
    codes = {api.CODES[c] for c in found["code"].tolist()}
    assert {"FUNDING", "LIQUIDATION"} <= codes
    assert np.isfinite(equity).all()
