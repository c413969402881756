"""Bench of the numeric kernels: ratios against twin, TA-Lib and a plain copy, measured in one run.

Every candidate is called in turn, round after round, and the median of process CPU time is taken, so that a
neighbour's load hits all of them alike: read the ratios, not the nanoseconds.
"""

from __future__ import annotations

import argparse
import importlib
import json
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from actors.domain import kernels
from actors.domain.kernels import _dispatch, backend, twins
from cluster.bench.kernel_models import model_rows

Row = dict[str, Any]
Call = Callable[[], object]
Bars = list[tuple[float, ...]]
TWIN_BARS = 100_000
STREAM_BARS = 100_000


def market(bars: int, seed: int = 7) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return open, high, low, close and volume of a seeded walk with fat tails and slow volatility cycles."""
    rng = np.random.default_rng(seed)
    vol = 0.0006 * np.exp(0.35 * np.sin(np.arange(bars) / 3000.0))
    step = rng.standard_t(5, bars) * vol
    close = 30_000.0 * np.exp(np.cumsum(step - step.mean()))
    opened = np.concatenate([close[:1], close[:-1]])
    wick = np.abs(rng.standard_normal((2, bars))) * vol * 0.5
    high, low = np.maximum(opened, close) * (1 + wick[0]), np.minimum(opened, close) * (1 - wick[1])
    return opened, high, low, close, rng.lognormal(2.0, 1.0, bars)


def run(bars: int, reps: int) -> list[dict[str, Any]]:
    """Return one row per measurement: what, nanoseconds per bar, ratios, accuracy.

    Parameters
    ----------
    bars : int
        Length of the arrays.
    reps : int
        Rounds; the median counts.
    """
    data = market(bars)
    return [*_batch(data, reps), *_fused(data, reps), *_streams(data, reps), *model_rows(_round_robin, reps)]


def _batch(data: tuple[np.ndarray, ...], reps: int) -> list[Row]:
    close = data[3]
    bars = close.shape[0]
    talib = _talib()
    rows: list[Row] = []
    for name, (call, peer) in _cases(talib).items():
        short = tuple(x[:TWIN_BARS] for x in data)
        target = np.empty(bars)
        jobs: dict[str, Call] = {
            "ours": partial(call, kernels, *data),
            "copy": partial(np.copyto, target, close),
            "short": partial(call, kernels, *short),
            "twin": partial(_on_twin, call, short),
        }
        if peer is not None:
            jobs["talib"] = partial(peer, *data)
        took = _round_robin(jobs, reps)
        row: Row = {
            "what": name,
            "bars": bars,
            "ns_per_bar": took["ours"] / bars,
            "x_copy": took["ours"] / took["copy"],
        }
        row["faster_than_twin"] = took["twin"] / took["short"]
        row["faster_than_talib"] = took["talib"] / took["ours"] if peer is not None else None
        row["max_error"] = _accuracy(name, close)
        rows.append(row)
    return rows


def _on_twin(call: Callable[..., object], data: tuple[np.ndarray, ...]) -> object:
    active = _dispatch._active
    before = active.impl
    active.impl = twins
    try:
        return call(kernels, *data)
    finally:
        active.impl = before


def _cases(talib: Any) -> dict[str, tuple[Callable[..., object], Callable[..., object] | None]]:
    """Return each kernel's call and TA-Lib's, both on (open, high, low, close, volume)."""

    def keltner(_o: np.ndarray, h: np.ndarray, lo: np.ndarray, c: np.ndarray, _v: np.ndarray) -> object:
        middle, width = talib.EMA(c, 20), talib.ATR(h, lo, c, 10)
        return middle + 2 * width, middle, middle - 2 * width

    def cmf(_o: np.ndarray, h: np.ndarray, lo: np.ndarray, c: np.ndarray, v: np.ndarray) -> object:
        flow = (2 * c - h - lo) / (h - lo) * v
        return talib.SUM(flow, 20) / talib.SUM(v, 20)

    def adx(_o: np.ndarray, h: np.ndarray, lo: np.ndarray, c: np.ndarray, _v: np.ndarray) -> object:
        return talib.ADX(h, lo, c, 14), talib.PLUS_DI(h, lo, c, 14), talib.MINUS_DI(h, lo, c, 14)

    def squeeze(_o: np.ndarray, h: np.ndarray, lo: np.ndarray, c: np.ndarray, _v: np.ndarray) -> object:
        upper, _, lower = talib.BBANDS(c, 20)
        middle, width = talib.EMA(c, 20), 1.5 * talib.ATR(h, lo, c, 20)
        return (upper < middle + width) & (lower > middle - width)

    def donchian(_o: np.ndarray, h: np.ndarray, lo: np.ndarray, _c: np.ndarray, _v: np.ndarray) -> object:
        upper, lower = talib.MAX(h, 20), talib.MIN(lo, 20)
        return upper, lower, (upper + lower) * 0.5

    cases: dict[str, tuple[Callable[..., object], Callable[..., object] | None]] = {
        "sma 20": (lambda k, o, h, lo, c, v: k.sma(c, 20), lambda o, h, lo, c, v: talib.SMA(c, 20)),
        "ema 20": (lambda k, o, h, lo, c, v: k.ema(c, 20), lambda o, h, lo, c, v: talib.EMA(c, 20)),
        "rsi 14": (lambda k, o, h, lo, c, v: k.rsi(c, 14), lambda o, h, lo, c, v: talib.RSI(c, 14)),
        "macd": (lambda k, o, h, lo, c, v: k.macd(c), lambda o, h, lo, c, v: talib.MACD(c)),
        "bollinger 20": (
            lambda k, o, h, lo, c, v: k.bollinger(c, 20),
            lambda o, h, lo, c, v: talib.BBANDS(c, 20),
        ),
        "rolling_std 20": (
            lambda k, o, h, lo, c, v: k.rolling_std(c, 20),
            lambda o, h, lo, c, v: talib.STDDEV(c, 20),
        ),
        "atr 14": (
            lambda k, o, h, lo, c, v: k.atr(h, lo, c, 14),
            lambda o, h, lo, c, v: talib.ATR(h, lo, c, 14),
        ),
        "adx 14": (lambda k, o, h, lo, c, v: k.adx(h, lo, c, 14), adx),
        "keltner 20": (lambda k, o, h, lo, c, v: k.keltner(h, lo, c), keltner),
        "cmf 20": (lambda k, o, h, lo, c, v: k.cmf(h, lo, c, v, 20), cmf),
        "stoch_rsi 14": (
            lambda k, o, h, lo, c, v: k.stoch_rsi(c),
            lambda o, h, lo, c, v: talib.STOCHRSI(c, 14, 14, 3),
        ),
        "obv": (lambda k, o, h, lo, c, v: k.obv(c, v), lambda o, h, lo, c, v: talib.OBV(c, v)),
        "donchian 20": (lambda k, o, h, lo, c, v: k.donchian(h, lo, 20), donchian),
        "squeeze 20": (lambda k, o, h, lo, c, v: k.squeeze(h, lo, c), squeeze),
        "heikin_ashi": (lambda k, o, h, lo, c, v: k.heikin_ashi(o, h, lo, c), None),
    }
    return {name: (ours, peer if talib is not None else None) for name, (ours, peer) in cases.items()}


def _fused(data: tuple[np.ndarray, ...], reps: int) -> list[Row]:
    _, high, low, close, _ = data
    bars = close.shape[0]
    out = [np.zeros(bars) for _ in range(9)]
    talib = _talib()
    jobs: dict[str, Call] = {
        "ours": lambda: kernels.fused_features(high, low, close, out=out),
        "fresh": lambda: kernels.fused_features(high, low, close),
        "copy": lambda: np.copyto(out[0], close),
    }
    if talib is not None:
        jobs |= {
            "SMA": lambda: talib.SMA(close, 20),
            "EMA": lambda: talib.EMA(close, 20),
            "RSI": lambda: talib.RSI(close, 14),
            "MACD": lambda: talib.MACD(close),
            "BBANDS": lambda: talib.BBANDS(close, 20),
            "ATR": lambda: talib.ATR(high, low, close, 14),
        }
    took = _round_robin(jobs, reps)
    total = sum(t for name, t in took.items() if name.isupper())
    rows: list[Row] = []
    for what, key in (("fused 9, caller's buffers", "ours"), ("fused 9, fresh outputs", "fresh")):
        ratio = total / took[key] if total else None
        rows.append(
            {
                "what": what,
                "bars": bars,
                "ns_per_bar": took[key] / bars,
                "x_copy": took[key] / took["copy"],
                "faster_than_talib": ratio,
                "max_error": _accuracy("bollinger 20", close) if key == "ours" else None,
            }
        )
    return rows


class _Empty:
    """What a Python method call costs when the method does nothing."""

    __slots__ = ()

    def one(self, x: float) -> None:
        pass

    def two(self, a: float, b: float) -> None:
        pass

    def four(self, a: float, b: float, c: float, d: float) -> None:
        pass

    def three(self, a: float, b: float, c: float) -> None:
        pass

    def five(self, a: float, b: float, c: float, d: float, e: float) -> None:
        pass


def _streams(data: tuple[np.ndarray, ...], reps: int) -> list[Row]:
    opened, high, low, close, volume = (x[:STREAM_BARS].tolist() for x in data)
    one: Bars = [(x,) for x in close]
    three: Bars = list(zip(high, low, close, strict=True))
    ranges: Bars = list(zip(high, low, strict=True))
    moves: Bars = list(zip(close, volume, strict=True))
    flows: Bars = list(zip(high, low, close, volume, strict=True))
    candles: Bars = list(zip(opened, high, low, close, strict=True))
    five: Bars = list(zip(opened, high, low, close, volume, strict=True))
    makers: dict[str, tuple[Callable[[], Any], Bars]] = {
        "sma": (lambda: kernels.sma_stream(20), one),
        "ema": (lambda: kernels.ema_stream(20), one),
        "rsi": (kernels.rsi_stream, one),
        "rolling_std": (lambda: kernels.rolling_std_stream(20), one),
        "macd": (kernels.macd_stream, one),
        "bollinger": (kernels.bollinger_stream, one),
        "atr": (kernels.atr_stream, three),
        "adx": (kernels.adx_stream, three),
        "stoch_rsi": (kernels.stoch_rsi_stream, one),
        "obv": (kernels.obv_stream, moves),
        "donchian": (kernels.donchian_stream, ranges),
        "keltner": (kernels.keltner_stream, three),
        "squeeze": (kernels.squeeze_stream, three),
        "cmf": (kernels.cmf_stream, flows),
        "heikin_ashi": (kernels.heikin_ashi_stream, candles),
        "indicator_set": (kernels.indicator_set, five),
    }
    empty = _Empty()
    floors: dict[int, Callable[..., object]] = {
        1: empty.one,
        2: empty.two,
        3: empty.three,
        4: empty.four,
        5: empty.five,
    }
    jobs: dict[str, Call] = {
        name: partial(_stream, make, "update", bars) for name, (make, bars) in makers.items()
    }
    for name in [name for name, (make, _) in makers.items() if hasattr(make(), "advance")]:
        makers[f"{name}, advance"] = makers[name]
        jobs[f"{name}, advance"] = partial(_stream, makers[name][0], "advance", makers[name][1])
    for width, bars in ((1, one), (2, moves), (3, three), (4, flows), (5, five)):
        jobs[f"empty {width}"] = partial(_drive, floors[width], bars)
    took = _round_robin(jobs, reps)
    count = len(one)
    return [
        {
            "what": f"stream {name}",
            "bars": count,
            "ns_per_bar": took[name] / count,
            "x_empty_call": took[name] / took[f"empty {len(makers[name][1][0])}"],
        }
        for name in makers
    ]


def _stream(make: Callable[[], Any], method: str, bars: Bars) -> None:
    _drive(getattr(make(), method), bars)


def _drive(update: Callable[..., object], bars: Bars) -> None:
    if len(bars[0]) == 1:
        for (x,) in bars:
            update(x)
    elif len(bars[0]) == 2:
        for a, b in bars:
            update(a, b)
    elif len(bars[0]) == 4:
        for a, b, c, d in bars:
            update(a, b, c, d)
    elif len(bars[0]) == 3:
        for a, b, c in bars:
            update(a, b, c)
    else:
        for a, b, c, d, e in bars:
            update(a, b, c, d, e)


def _accuracy(name: str, close: np.ndarray) -> float | None:
    """Return the largest error against 80-bit arithmetic, as a share of the largest input in the window."""
    window = 20
    kernel = {"sma 20": 0, "rolling_std 20": 1, "bollinger 20": 2}.get(name)
    if kernel is None or np.finfo(np.longdouble).nmant < 63:
        return None
    at = np.linspace(window - 1, close.shape[0] - 1, 3_000).astype(int)
    w = np.lib.stride_tricks.sliding_window_view(close, window)[at - window + 1].astype(np.longdouble)
    mean = w.mean(axis=1)
    sd = np.sqrt(((w - mean[:, None]) ** 2).mean(axis=1))
    found, exact = (
        (kernels.sma(close, window), mean),
        (kernels.rolling_std(close, window), sd),
        (kernels.bollinger(close, window).upper, mean + 2 * sd),
    )[kernel]
    return float((np.abs(found[at] - exact) / np.abs(w).max(axis=1)).max())


def _round_robin(jobs: dict[str, Call], reps: int) -> dict[str, float]:
    """Return the median nanoseconds of process CPU time of each job, all jobs taking turns."""
    took: dict[str, list[int]] = {name: [] for name in jobs}
    for _ in range(reps):
        for name, job in jobs.items():
            start = time.process_time_ns()
            result = job()
            took[name].append(time.process_time_ns() - start)
            del result
    return {name: max(float(statistics.median(t)), 1.0) for name, t in took.items()}


def _talib() -> Any:
    try:
        return importlib.import_module("talib")
    except ImportError:
        return None


def table(rows: list[dict[str, Any]]) -> str:
    """Return the rows as text with one line each."""
    columns = [
        "what",
        "ns_per_bar",
        "faster_than_talib",
        "faster_than_peer",
        "faster_than_twin",
        "x_copy",
        "x_empty_call",
        "max_error",
    ]

    def cell(value: Any, column: str) -> str:
        if value is None:
            return "-"
        if isinstance(value, str):
            return value
        return f"{value:.1e}" if column == "max_error" else f"{value:.2f}"

    lines = [columns, *([cell(r.get(c), c) for c in columns] for r in rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(columns))]
    return "\n".join(
        "  ".join(
            v.ljust(w) if i == 0 else v.rjust(w) for i, (v, w) in enumerate(zip(line, widths, strict=True))
        )
        for line in lines
    )


def main(arguments: list[str] | None = None) -> int:
    """Run the bench from the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m cluster.bench.kernels", description="Kernel ratios in one run"
    )
    parser.add_argument("--bars", type=int, default=1_000_000, help="bars per array")
    parser.add_argument("--reps", type=int, default=7, help="rounds; the median counts")
    parser.add_argument("--json", metavar="FILE", help="also write the rows as JSON; - for standard output")
    options = parser.parse_args(arguments)
    if options.bars < 1_000 or options.reps < 1:
        parser.error("expected --bars of at least 1000 and --reps of at least 1")
    info = backend()
    rows = run(options.bars, options.reps)
    document = json.dumps({"backend": asdict(info), "bars": options.bars, "rows": rows}, indent=1)
    if options.json == "-":
        print(document)
        return 0
    print(
        f"kernels: {info.name} {info.version} ({info.reason}), {options.bars:,} bars, {options.reps} rounds"
    )
    print(table(rows))
    if options.json:
        Path(options.json).write_text(document, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
