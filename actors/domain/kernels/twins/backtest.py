"""Twin of the vector backtests: the same operations in the same order (see ``rust/kernels/src/sim``)."""

from __future__ import annotations

from itertools import pairwise
from math import inf
from struct import pack

import numpy as np
from numpy.typing import NDArray

from actors.domain.kernels.twins._grid import FloatArray
from actors.domain.kernels.twins.sma import sma

Totals = tuple[float, float, float, float, int, int]
Words = NDArray[np.uint64]


class _Account:
    """One position, filled at opens; ``account.rs`` states the order of operations."""

    def __init__(self, cash: float, fee: float, slip: float, exposure: float) -> None:
        self.cash, self.units, self.held = cash, 0.0, 0
        self.fee, self.slip, self.exposure = fee, slip, exposure
        self.before, self.size, self.entry_price = cash, 0.0, 0.0
        self.entry_bar = -1
        self.trade_fees = self.trade_slippage = self.fees = self.slippage = 0.0
        self.words: list[bytes] = []

    def enter(self, bar: int, price: float, direction: int) -> None:
        px = price * (1.0 + direction * self.slip)
        self.size = self.cash * self.exposure / (px * (1.0 + self.fee))
        paid, lost = self.size * px * self.fee, self.size * price * self.slip
        self.before, self.units = self.cash, direction * self.size
        self.cash = self.cash - self.units * px - paid
        self.fees += paid
        self.slippage += lost
        self.held, self.entry_bar, self.entry_price = direction, bar, px
        self.trade_fees, self.trade_slippage = paid, lost

    def leave(self, bar: int, px: float, lost: float) -> None:
        paid = self.size * px * self.fee
        self.cash = self.cash + self.units * px - paid
        direction, self.units, self.held = self.held, 0.0, 0
        self.fees += paid
        self.slippage += lost
        self.trade_fees += paid
        self.trade_slippage += lost
        self.file(bar, direction, px, self.cash)

    def file(self, exit_bar: int, direction: int, px: float, equity: float) -> None:
        pnl = equity - self.before
        share = pnl / (self.size * self.entry_price)
        self.words.append(
            pack(
                "<qqq7d", self.entry_bar, exit_bar, direction, self.size, self.entry_price, px,
                self.trade_fees, self.trade_slippage, pnl, share,
            )
        )  # fmt: skip


def signal_backtest(
    open_: FloatArray,
    close: FloatArray,
    signal: FloatArray,
    cash: float,
    fee: float,
    slip: float,
    exposure: float,
    short: bool,
    equity: FloatArray,
    /,
) -> tuple[Totals, Words]:
    """Trade the sign of `signal`: seen at a close, filled at the next open."""
    _costs_ok(cash, fee, slip, exposure)
    _rows_ok(open_, close, signal)
    signs = np.sign(signal).astype(np.int8)
    if not short:
        signs = np.maximum(signs, 0)
    return _run(open_, close, signs, _Account(cash, fee, slip, exposure), equity)


def ma_cross_backtest(
    open_: FloatArray,
    close: FloatArray,
    fast: int,
    slow: int,
    band: float,
    cash: float,
    fee: float,
    slip: float,
    exposure: float,
    short: bool,
    equity: FloatArray,
    /,
) -> tuple[Totals, Words]:
    """Trade the crossover of two moving averages of the close."""
    _costs_ok(cash, fee, slip, exposure)
    if fast < 1 or slow < 2 or fast >= slow:
        raise ValueError("parameter out of range: the fast window must be below the slow one")
    if not 0.0 <= band < inf:
        raise ValueError("parameter out of range: the band must be finite and not below 0")
    _rows_ok(open_, close, None)
    f, s = np.empty(close.shape[0]), np.empty(close.shape[0])
    sma(close, fast, f)
    sma(close, slow, s)
    gap = (f - s) / s
    signs = ((gap > band) & (gap < inf)).astype(np.int8)
    if short:
        signs -= ((gap < -band) & (gap > -inf)).astype(np.int8)
    return _run(open_, close, signs, _Account(cash, fee, slip, exposure), equity)


def _run(
    open_: FloatArray, close: FloatArray, signs: NDArray[np.int8], account: _Account, equity: FloatArray
) -> tuple[Totals, Words]:
    bars, start_cash = close.shape[0], account.cash
    exposed, ruined = 0, -1
    # a change seen at a close is filled at the next open
    turns = [0, *(np.flatnonzero(np.diff(signs)) + 2).tolist()]
    if signs[0]:
        turns.insert(1, 1)
    turns = [*(t for t in turns if t < bars), bars]
    for at, stop in pairwise(turns):
        wanted = int(signs[at - 1]) if at else 0
        price = float(open_[at])
        if account.held:
            d = account.held
            account.leave(at, price * (1.0 - d * account.slip), account.size * price * account.slip)
        if wanted:
            account.enter(at, price, wanted)
        if not account.held:
            equity[at:stop] = account.cash
            continue
        equity[at:stop] = account.cash + account.units * close[at:stop]
        broke = np.flatnonzero(equity[at:stop] <= 0.0)
        if not broke.shape[0]:
            exposed += stop - at
            continue
        ruined = at + int(broke[0])
        exposed += ruined - at + 1
        account.leave(ruined, float(close[ruined]), 0.0)
        equity[ruined:] = account.cash
        break
    if account.held:
        account.file(-1, account.held, float(close[-1]), float(equity[-1]))
    peak = np.maximum(np.maximum.accumulate(equity), start_cash)
    worst = max(float(np.max(1.0 - equity / peak)), 0.0)
    words = np.frombuffer(b"".join(account.words), dtype=np.uint64)
    return (float(equity[-1]), worst, account.fees, account.slippage, exposed, ruined), words


def _costs_ok(cash: float, fee: float, slip: float, exposure: float) -> None:
    if not 0.0 < cash < inf:
        raise ValueError("parameter out of range: cash must be finite and above 0")
    if not (0.0 <= fee <= 0.5 and 0.0 <= slip <= 0.5):
        raise ValueError("parameter out of range: fee and slippage must lie in 0..0.5")
    if not 0.0 < exposure <= 1.0:
        raise ValueError("parameter out of range: exposure must lie in (0, 1]")


def _rows_ok(open_: FloatArray, close: FloatArray, signal: FloatArray | None) -> None:
    if not close.shape[0]:
        raise ValueError("parameter out of range: a backtest needs at least one bar")
    bad_open, bad_close = ~((open_ > 0.0) & (open_ < inf)), ~((close > 0.0) & (close < inf))
    bad = bad_open | bad_close
    price_row = int(np.argmax(bad)) if bad.any() else close.shape[0]
    if signal is not None and np.isnan(signal).any():
        row = int(np.argmax(np.isnan(signal)))
        if row < price_row:
            raise ValueError(f"row {row}: signal: expected a number, found NaN; use 0 for no opinion")
    if price_row < close.shape[0]:
        name = "open" if bad_open[price_row] else "close"
        raise ValueError(f"row {price_row}: {name}: expected a finite price above 0")
