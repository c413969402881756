"""Indicators under TA-Lib's names and conventions, written anew over our kernels; NaN before the first value.

Every function takes float64 arrays of one length and returns one array or a tuple of them. Agreement with TA-Lib 0.8,
its defaults included, is tested to 1e-9. Definitions: Wilder (1978), "New Concepts in Technical Trading Systems", for
RSI, ATR, ADX and SAR; Kaufman (1995), "Smarter Trading", for KAMA; Lambert (1980) for CCI; Lane for the stochastics;
Williams for %R and the ultimate oscillator; Chande (1994) for CMO and Aroon; Mulloy (1994) for DEMA and TEMA.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from actors.domain import kernels
from actors.domain.errors import ConfigError

Array = npt.NDArray[np.float64]


def _from_first(x: Array) -> int:
    """Return the first row with a value."""
    known = np.flatnonzero(~np.isnan(x))
    return int(known[0]) if known.size else x.size


def _padded(x: Array, size: int) -> Array:
    return np.concatenate([np.full(size - x.size, np.nan), x])


def _windows(x: Array, n: int) -> Array:
    return np.lib.stride_tricks.sliding_window_view(x, n)


def _rolled(x: Array, n: int, how: str) -> Array:
    """Reduce each window of n values; as long as `x`."""
    begin = _from_first(x)
    if x.size - begin < n:
        return np.full(x.size, np.nan)
    return _padded(np.asarray(getattr(_windows(x[begin:], n), how)(axis=1), dtype=np.float64), x.size)


def _kernel(function: object, x: Array, n: int) -> Array:
    """Run a kernel on what follows the leading gaps; TA-Lib counts its warm-up from there as well."""
    begin = _from_first(x)
    rest = np.ascontiguousarray(x[begin:])
    return _padded(function(rest, n), x.size) if rest.size else x.copy()  # type: ignore[operator]


# -- averages ------------------------------------------------------------------------------------------------


def sma(real: Array, timeperiod: int = 30) -> Array:
    """Return the mean of the last `timeperiod` values."""
    return _kernel(kernels.sma, real, timeperiod) if timeperiod > 1 else real.copy()


def ema(real: Array, timeperiod: int = 30) -> Array:
    """Return the exponential mean, seeded by the first simple one."""
    return _kernel(kernels.ema, real, timeperiod) if timeperiod > 1 else real.copy()


def wma(real: Array, timeperiod: int = 30) -> Array:
    """Return the mean with weights that grow by one towards the newest value."""
    begin, weights = _from_first(real), np.arange(1.0, timeperiod + 1.0)
    if real.size - begin < timeperiod:
        return np.full(real.size, np.nan)
    return _padded(_windows(real[begin:], timeperiod) @ (weights / weights.sum()), real.size)


def dema(real: Array, timeperiod: int = 30) -> Array:
    """Return twice the exponential mean less its own exponential mean."""
    one = ema(real, timeperiod)
    return 2.0 * one - ema(one, timeperiod)


def tema(real: Array, timeperiod: int = 30) -> Array:
    """Return the triple exponential mean."""
    one = ema(real, timeperiod)
    two = ema(one, timeperiod)
    return 3.0 * one - 3.0 * two + ema(two, timeperiod)


def trima(real: Array, timeperiod: int = 30) -> Array:
    """Return the mean of a mean: weights grow towards the middle."""
    half = (timeperiod + 1) // 2
    return sma(sma(real, half), half if timeperiod % 2 else half + 1)


def kama(real: Array, timeperiod: int = 30) -> Array:
    """Return the mean whose speed follows the efficiency of the moves (Kaufman)."""
    out = np.full(real.size, np.nan)
    begin = _from_first(real) + timeperiod
    if begin >= real.size:
        return out
    moved = np.abs(np.diff(real, prepend=np.nan))
    fast, slow = 2.0 / 3.0, 2.0 / 31.0
    last = real[begin - 1]
    for i in range(begin, real.size):
        way, net = float(moved[i - timeperiod + 1 : i + 1].sum()), real[i] - real[i - timeperiod]
        efficiency = 1.0 if way <= net or way == 0.0 else abs(net / way)
        last += (efficiency * (fast - slow) + slow) ** 2 * (real[i] - last)
        out[i] = last
    return out


_AVERAGES = {0: sma, 1: ema, 2: wma, 3: dema, 4: tema, 5: trima, 6: kama}


def ma(real: Array, timeperiod: int = 30, matype: int = 0) -> Array:
    """Return the mean of a kind: 0 simple, 1 exponential, 2 weighted, 3 double, 4 triple, 5 triangular, 6 Kaufman's."""
    if matype not in _AVERAGES:
        raise ConfigError(
            "STRATEGY_UNSUPPORTED", f"matype: expected one of {list(_AVERAGES)}, found {matype}"
        )
    return _AVERAGES[matype](real, timeperiod)


# -- bands and dispersion ------------------------------------------------------------------------------------


def stddev(real: Array, timeperiod: int = 5, nbdev: float = 1.0) -> Array:
    """Return the population deviation of the last values."""
    return _kernel(kernels.rolling_std, real, timeperiod) * nbdev


def var(real: Array, timeperiod: int = 5, nbdev: float = 1.0) -> Array:
    """Return their population variance."""
    return stddev(real, timeperiod) ** 2


def bbands(
    real: Array, timeperiod: int = 20, nbdevup: float = 2.0, nbdevdn: float = 2.0, matype: int = 0
) -> tuple[Array, Array, Array]:
    """Return upper, middle and lower band."""
    middle, width = ma(real, timeperiod, matype), stddev(real, timeperiod)
    return middle + nbdevup * width, middle, middle - nbdevdn * width


def linearreg_slope(real: Array, timeperiod: int = 14) -> Array:
    """Return the slope of the least-squares line through the last values."""
    x = np.arange(timeperiod) - (timeperiod - 1) / 2.0
    begin = _from_first(real)
    if real.size - begin < timeperiod:
        return np.full(real.size, np.nan)
    return _padded(_windows(real[begin:], timeperiod) @ (x / (x**2).sum()), real.size)


def linearreg(real: Array, timeperiod: int = 14) -> Array:
    """Return the newest value of that line."""
    return sma(real, timeperiod) + linearreg_slope(real, timeperiod) * (timeperiod - 1) / 2.0


def linearreg_angle(real: Array, timeperiod: int = 14) -> Array:
    """Return its angle in degrees."""
    return np.degrees(np.arctan(linearreg_slope(real, timeperiod)))


def highest(real: Array, timeperiod: int = 30) -> Array:
    """Return the highest of the last values."""
    return _rolled(real, timeperiod, "max")


def lowest(real: Array, timeperiod: int = 30) -> Array:
    """Return the lowest of the last values."""
    return _rolled(real, timeperiod, "min")


def total(real: Array, timeperiod: int = 30) -> Array:
    """Return the sum of the last values."""
    return sma(real, timeperiod) * timeperiod


# -- momentum ------------------------------------------------------------------------------------------------


def _before(real: Array, n: int) -> Array:
    return np.concatenate([np.full(min(n, real.size), np.nan), real[: max(real.size - n, 0)]])


def mom(real: Array, timeperiod: int = 10) -> Array:
    """Return the change over `timeperiod` rows."""
    return real - _before(real, timeperiod)


def rocp(real: Array, timeperiod: int = 10) -> Array:
    """Return it as a fraction."""
    return real / _before(real, timeperiod) - 1.0


def roc(real: Array, timeperiod: int = 10) -> Array:
    """Return it in per cent."""
    return rocp(real, timeperiod) * 100.0


def rocr(real: Array, timeperiod: int = 10) -> Array:
    """Return the ratio of both values."""
    return real / _before(real, timeperiod)


def rsi(real: Array, timeperiod: int = 14) -> Array:
    """Return Wilder's relative strength, 0 where nothing has moved."""
    out = _kernel(kernels.rsi, real, timeperiod)
    # where nothing has moved ours is undefined, TA-Lib's is 0
    out[_from_first(real) + timeperiod :] = np.nan_to_num(out[_from_first(real) + timeperiod :], nan=0.0)
    return out


def cmo(real: Array, timeperiod: int = 14) -> Array:
    """Return Chande's momentum, from -100 to 100."""
    out = 2.0 * _kernel(kernels.rsi, real, timeperiod) - 100.0
    out[_from_first(real) + timeperiod :] = np.nan_to_num(out[_from_first(real) + timeperiod :], nan=0.0)
    return out


def macd(
    real: Array, fastperiod: int = 12, slowperiod: int = 26, signalperiod: int = 9
) -> tuple[Array, Array, Array]:
    """Return the difference of two exponential means, its exponential mean, and what lies between them."""
    begin = _from_first(real)
    lines = kernels.macd(np.ascontiguousarray(real[begin:]), fastperiod, slowperiod, signalperiod)
    one, two, three = (_padded(line, real.size) for line in lines)
    return one, two, three


def ppo(real: Array, fastperiod: int = 12, slowperiod: int = 26, matype: int = 1) -> Array:
    """Return the difference of two means in per cent of the slow one."""
    slow = ma(real, slowperiod, matype)
    return (ma(real, fastperiod, matype) - slow) / slow * 100.0


def apo(real: Array, fastperiod: int = 12, slowperiod: int = 26, matype: int = 1) -> Array:
    """Return the difference of two means."""
    return ma(real, fastperiod, matype) - ma(real, slowperiod, matype)


def trix(real: Array, timeperiod: int = 30) -> Array:
    """Return the one-row change of a triple exponential mean in per cent."""
    return roc(ema(ema(ema(real, timeperiod), timeperiod), timeperiod), 1)


def bop(opened: Array, high: Array, low: Array, close: Array) -> Array:
    """Return the body of a bar as a share of its range."""
    span = high - low
    return np.divide(close - opened, span, out=np.zeros_like(span), where=span > 0.0)


def cci(high: Array, low: Array, close: Array, timeperiod: int = 14) -> Array:
    """Return the distance of the typical price from its mean in mean deviations (Lambert)."""
    typical = (high + low + close) / 3.0
    if typical.size < timeperiod:
        return np.full(typical.size, np.nan)
    seen = _windows(typical, timeperiod)
    mean = seen.mean(axis=1)
    spread = np.abs(seen - mean[:, None]).mean(axis=1)
    apart = typical[timeperiod - 1 :] - mean
    usable = (apart != 0.0) & (spread != 0.0)
    return _padded(np.divide(apart, 0.015 * spread, out=np.zeros_like(apart), where=usable), typical.size)


def mfi(high: Array, low: Array, close: Array, volume: Array, timeperiod: int = 14) -> Array:
    """Return the share of volume that traded at rising prices."""
    typical = (high + low + close) / 3.0
    step = np.diff(typical, prepend=np.nan)
    flow = typical * volume
    gains = total_of(np.where(step > 0.0, flow, 0.0)[1:], timeperiod)
    losses = total_of(np.where(step < 0.0, flow, 0.0)[1:], timeperiod)
    both = gains + losses
    return _padded(np.divide(100.0 * gains, both, out=np.zeros_like(both), where=both >= 1.0), close.size)


def total_of(x: Array, n: int) -> Array:
    """Sums of each window of n values, nothing before the first."""
    return _windows(x, n).sum(axis=1) if x.size >= n else np.zeros(0)


def willr(high: Array, low: Array, close: Array, timeperiod: int = 14) -> Array:
    """Return where the close lies below the highest high, from -100 to 0 (Williams)."""
    top, bottom = highest(high, timeperiod), lowest(low, timeperiod)
    span = top - bottom
    out = np.divide(top - close, span, out=np.zeros_like(span), where=span != 0.0) * -100.0
    return np.where(np.isnan(span), np.nan, out)


def _raw_k(high: Array, low: Array, close: Array, n: int) -> Array:
    top, bottom = highest(high, n), lowest(low, n)
    span = top - bottom
    out = np.divide(close - bottom, span, out=np.zeros_like(span), where=span != 0.0) * 100.0
    return np.where(np.isnan(span), np.nan, out)


def stochf(
    high: Array, low: Array, close: Array, fastk_period: int = 5, fastd_period: int = 3, fastd_matype: int = 0
) -> tuple[Array, Array]:
    """Return fast %K and %D."""
    k = _raw_k(high, low, close, fastk_period)
    d = ma(k, fastd_period, fastd_matype)
    return np.where(np.isnan(d), np.nan, k), d


def stoch(
    high: Array, low: Array, close: Array, fastk_period: int = 5, slowk_period: int = 3,
    slowk_matype: int = 0, slowd_period: int = 3, slowd_matype: int = 0,
) -> tuple[Array, Array]:  # fmt: skip
    """Return slow %K and %D."""
    k = ma(_raw_k(high, low, close, fastk_period), slowk_period, slowk_matype)
    d = ma(k, slowd_period, slowd_matype)
    return np.where(np.isnan(d), np.nan, k), d


def stochrsi(
    real: Array, timeperiod: int = 14, fastk_period: int = 5, fastd_period: int = 3, fastd_matype: int = 0
) -> tuple[Array, Array]:
    """Return fast %K and %D of the RSI."""
    line = rsi(real, timeperiod)
    return stochf(line, line, line, fastk_period, fastd_period, fastd_matype)


def ultosc(
    high: Array, low: Array, close: Array, timeperiod1: int = 7, timeperiod2: int = 14, timeperiod3: int = 28
) -> Array:
    """Return buying pressure over three spans (Williams)."""
    before = _before(close, 1)
    floor = np.minimum(low, before)
    pressure, span = (close - floor)[1:], (np.maximum(high, before) - floor)[1:]
    size = close.size
    short, middle, long = (
        _padded(total_of(pressure, n) / total_of(span, n), size)
        for n in sorted((timeperiod1, timeperiod2, timeperiod3))
    )
    return 100.0 * (4.0 * short + 2.0 * middle + long) / 7.0


# -- direction and range -------------------------------------------------------------------------------------


def adx(high: Array, low: Array, close: Array, timeperiod: int = 14) -> Array:
    """Return Wilder's average directional index."""
    return kernels.adx(high, low, close, timeperiod).adx


def plus_di(high: Array, low: Array, close: Array, timeperiod: int = 14) -> Array:
    """Return the upward directional indicator."""
    return kernels.adx(high, low, close, timeperiod).plus_di


def minus_di(high: Array, low: Array, close: Array, timeperiod: int = 14) -> Array:
    """Return the downward one."""
    return kernels.adx(high, low, close, timeperiod).minus_di


def dx(high: Array, low: Array, close: Array, timeperiod: int = 14) -> Array:
    """Return their difference as a share of their sum."""
    up, down = plus_di(high, low, close, timeperiod), minus_di(high, low, close, timeperiod)
    return 100.0 * np.abs(up - down) / (up + down)


def trange(high: Array, low: Array, close: Array) -> Array:
    """Return the true range."""
    before = _before(close, 1)
    return np.maximum(high, before) - np.minimum(low, before)


def atr(high: Array, low: Array, close: Array, timeperiod: int = 14) -> Array:
    """Return Wilder's mean of the true range."""
    return kernels.atr(high, low, close, timeperiod) if timeperiod > 1 else trange(high, low, close)


def natr(high: Array, low: Array, close: Array, timeperiod: int = 14) -> Array:
    """Return it in per cent of the close."""
    return atr(high, low, close, timeperiod) / close * 100.0


def aroon(high: Array, low: Array, timeperiod: int = 14) -> tuple[Array, Array]:
    """Return how long ago the lowest low and the highest high were, as Aroon down and up."""
    n = timeperiod + 1
    if high.size < n:
        nothing = np.full(high.size, np.nan)
        return nothing, nothing.copy()
    # of equal extremes the newest counts
    since_low = np.argmin(_windows(low, n)[:, ::-1], axis=1)
    since_high = np.argmax(_windows(high, n)[:, ::-1], axis=1)
    down, up = (100.0 * (timeperiod - since) / timeperiod for since in (since_low, since_high))
    return _padded(down, high.size), _padded(up, high.size)


def aroonosc(high: Array, low: Array, timeperiod: int = 14) -> Array:
    """Return Aroon up less down."""
    down, up = aroon(high, low, timeperiod)
    return up - down


def sar(high: Array, low: Array, acceleration: float = 0.02, maximum: float = 0.2) -> Array:
    """Return Wilder's parabolic stop and reverse."""
    out = np.full(high.size, np.nan)
    if high.size < 2:
        return out
    step = min(acceleration, maximum)
    falls, rises = low[0] - low[1], high[1] - high[0]
    long = not (falls > 0.0 and falls > rises)
    level, best = (low[0], high[1]) if long else (high[0], low[1])
    af = step
    low_before, high_before = low[1], high[1]
    for i in range(1, high.size):
        h, lo = high[i], low[i]
        broken = lo <= level if long else h >= level
        if broken:
            long = not long
            level = max(best, high_before, h) if not long else min(best, low_before, lo)
            out[i] = level
            af, best = step, (lo if not long else h)
        else:
            out[i] = level
            if (h > best) if long else (lo < best):
                best, af = (h if long else lo), min(af + step, maximum)
        level += af * (best - level)
        level = min(level, low_before, lo) if long else max(level, high_before, h)
        low_before, high_before = lo, h
    return out


# -- volume and price ----------------------------------------------------------------------------------------


def obv(close: Array, volume: Array) -> Array:
    """Return the volume on balance."""
    return kernels.obv(close, volume)


def ad(high: Array, low: Array, close: Array, volume: Array) -> Array:
    """Return accumulation and distribution."""
    span = high - low
    share = np.divide((close - low) - (high - close), span, out=np.zeros_like(span), where=span > 0.0)
    return np.cumsum(share * volume)


def typprice(high: Array, low: Array, close: Array) -> Array:
    """Return the mean of high, low and close."""
    return (high + low + close) / 3.0


def medprice(high: Array, low: Array) -> Array:
    """Return the mean of high and low."""
    return (high + low) / 2.0


def wclprice(high: Array, low: Array, close: Array) -> Array:
    """Return the mean of high, low and twice the close."""
    return (high + low + 2.0 * close) / 4.0


def avgprice(opened: Array, high: Array, low: Array, close: Array) -> Array:
    """Return the mean of all four prices."""
    return (opened + high + low + close) / 4.0
