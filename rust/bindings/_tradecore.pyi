"""Compiled kernels of Tradewind; import them through ``actors.domain.kernels``."""

from collections.abc import Callable, Sequence
from typing import Final, final

import numpy as np
from numpy.typing import NDArray

_FloatArray = NDArray[np.float64]

__all__ = [
    "ABI_TAG",
    "SET_COLUMNS",
    "SOURCE_HASH",
    "Adx",
    "Atr",
    "Bocpd",
    "Bollinger",
    "Cmf",
    "Donchian",
    "Ema",
    "Forest",
    "HeikinAshi",
    "HmmFilter",
    "HmmStudent",
    "IndicatorSet",
    "JumpFilter",
    "Keltner",
    "Macd",
    "Obv",
    "OrderSim",
    "Rsi",
    "Sma",
    "Squeeze",
    "Std",
    "StochRsi",
    "TextScorer",
    "__version__",
    "adx",
    "atr",
    "bollinger",
    "bootstrap_paths",
    "cmf",
    "donchian",
    "ema",
    "force_instruction_set",
    "fused",
    "garch_filter",
    "heikin_ashi",
    "hmm_fit",
    "hmm_forward_filter",
    "hmm_smooth",
    "hmm_viterbi",
    "instruction_set",
    "jump_fit",
    "keltner",
    "ma_cross_backtest",
    "macd",
    "obv",
    "return_statistics",
    "rsi",
    "signal_backtest",
    "sma",
    "squeeze",
    "std",
    "stoch_rsi",
    "sweep_bollinger",
    "sweep_donchian",
    "sweep_ma_cross",
    "sweep_momentum",
    "sweep_rsi",
]

__version__: Final[str]
ABI_TAG: Final[int]
SOURCE_HASH: Final[str]
SET_COLUMNS: Final[list[str]]

def instruction_set() -> str: ...
def force_instruction_set(name: str, /) -> None: ...
def adx(
    high: _FloatArray,
    low: _FloatArray,
    close: _FloatArray,
    window: int,
    adx: _FloatArray,
    plus_di: _FloatArray,
    minus_di: _FloatArray,
    /,
) -> None: ...
def atr(
    high: _FloatArray, low: _FloatArray, close: _FloatArray, window: int, out: _FloatArray, /
) -> None: ...
def bollinger(
    x: _FloatArray, window: int, k_dev: float, upper: _FloatArray, middle: _FloatArray, lower: _FloatArray, /
) -> None: ...
def bootstrap_paths(
    returns: _FloatArray,
    steps: int,
    restart: int,
    seed: int,
    center: float,
    low: float,
    high: float,
    mass: float,
    growth: _FloatArray,
    deepest: _FloatArray,
    sums: _FloatArray,
    /,
) -> None: ...
def return_statistics(
    x: _FloatArray, curve: bool, low: float, high: float, mass: float, out: _FloatArray, /
) -> None: ...
def cmf(
    high: _FloatArray,
    low: _FloatArray,
    close: _FloatArray,
    volume: _FloatArray,
    window: int,
    out: _FloatArray,
    /,
) -> None: ...
def donchian(
    high: _FloatArray,
    low: _FloatArray,
    window: int,
    upper: _FloatArray,
    lower: _FloatArray,
    middle: _FloatArray,
    /,
) -> None: ...
def ema(x: _FloatArray, window: int, out: _FloatArray, /) -> None: ...
def fused(
    high: _FloatArray,
    low: _FloatArray,
    close: _FloatArray,
    windows: Sequence[int],
    k_dev: float,
    out: Sequence[_FloatArray],
    /,
) -> None: ...
def heikin_ashi(
    open_: _FloatArray,
    high: _FloatArray,
    low: _FloatArray,
    close: _FloatArray,
    ha_open: _FloatArray,
    ha_high: _FloatArray,
    ha_low: _FloatArray,
    ha_close: _FloatArray,
    /,
) -> None: ...
def garch_filter(
    returns: _FloatArray,
    omega: float,
    alpha: float,
    gamma: float,
    beta: float,
    first: float,
    dof: float,
    out: _FloatArray,
    /,
) -> float: ...
def hmm_fit(
    x: _FloatArray,
    start: _FloatArray,
    transitions: _FloatArray,
    means: _FloatArray,
    covariances: _FloatArray,
    dof: _FloatArray,
    prior_start: _FloatArray,
    prior_moves: _FloatArray,
    prior_means: _FloatArray,
    prior_scatter: _FloatArray,
    mean_weight: float,
    weight: float,
    full: bool,
    max_iterations: int,
    tolerance: float,
    fit_start: bool,
    fit_dof: bool,
    min_variance: float,
    threads: int,
    out: _FloatArray,
    /,
) -> None: ...
def hmm_forward_filter(
    log_b: _FloatArray, pi: _FloatArray, transitions: _FloatArray, alpha: _FloatArray, /
) -> float: ...
def hmm_smooth(
    log_b: _FloatArray, pi: _FloatArray, transitions: _FloatArray, gamma: _FloatArray, /
) -> float: ...
def hmm_viterbi(
    log_b: _FloatArray, pi: _FloatArray, transitions: _FloatArray, states: NDArray[np.int64], /
) -> float: ...
def jump_fit(
    x: _FloatArray,
    centres: _FloatArray,
    points: _FloatArray,
    costs: _FloatArray,
    penalty: float,
    max_iterations: int,
    tolerance: float,
    threads: int,
    labels: NDArray[np.int64],
    out: _FloatArray,
    /,
) -> int: ...
def keltner(
    high: _FloatArray,
    low: _FloatArray,
    close: _FloatArray,
    ema_window: int,
    atr_window: int,
    k: float,
    upper: _FloatArray,
    middle: _FloatArray,
    lower: _FloatArray,
    /,
) -> None: ...

_Totals = tuple[float, float, float, float, int, int]

def ma_cross_backtest(
    open: _FloatArray,
    close: _FloatArray,
    fast: int,
    slow: int,
    band: float,
    cash: float,
    fee: float,
    slip: float,
    exposure: float,
    short: bool,
    equity: _FloatArray,
    /,
) -> tuple[_Totals, NDArray[np.uint64]]: ...
def macd(
    x: _FloatArray,
    fast: int,
    slow: int,
    signal: int,
    line: _FloatArray,
    signal_line: _FloatArray,
    histogram: _FloatArray,
    /,
) -> None: ...
def obv(close: _FloatArray, volume: _FloatArray, out: _FloatArray, /) -> None: ...
def rsi(x: _FloatArray, window: int, out: _FloatArray, /) -> None: ...
def signal_backtest(
    open: _FloatArray,
    close: _FloatArray,
    signal: _FloatArray,
    cash: float,
    fee: float,
    slip: float,
    exposure: float,
    short: bool,
    equity: _FloatArray,
    /,
) -> tuple[_Totals, NDArray[np.uint64]]: ...
def sma(x: _FloatArray, window: int, out: _FloatArray, /) -> None: ...
def squeeze(
    high: _FloatArray,
    low: _FloatArray,
    close: _FloatArray,
    window: int,
    bands_k: float,
    channel_k: float,
    out: _FloatArray,
    /,
) -> None: ...
def std(x: _FloatArray, window: int, out: _FloatArray, /) -> None: ...
def stoch_rsi(
    x: _FloatArray,
    rsi_window: int,
    range_window: int,
    k_window: int,
    d_window: int,
    k: _FloatArray,
    d: _FloatArray,
    /,
) -> None: ...

_Terms = tuple[float, float, float, float, bool]

def sweep_bollinger(
    open: _FloatArray,
    close: _FloatArray,
    windows: Sequence[int],
    widths: Sequence[float],
    reversal: bool,
    terms: _Terms,
    threads: int,
    out: NDArray[np.uint64],
    /,
) -> None: ...
def sweep_donchian(
    open: _FloatArray,
    high: _FloatArray,
    low: _FloatArray,
    close: _FloatArray,
    entry: Sequence[int],
    exit: Sequence[int],
    terms: _Terms,
    threads: int,
    out: NDArray[np.uint64],
    /,
) -> None: ...
def sweep_ma_cross(
    open: _FloatArray,
    close: _FloatArray,
    fast: Sequence[int],
    slow: Sequence[int],
    bands: Sequence[float],
    terms: _Terms,
    threads: int,
    out: NDArray[np.uint64],
    /,
) -> None: ...
def sweep_momentum(
    open: _FloatArray,
    close: _FloatArray,
    spans: tuple[Sequence[int], Sequence[int], Sequence[int], Sequence[int]],
    terms: _Terms,
    threads: int,
    out: NDArray[np.uint64],
    /,
) -> None: ...
def sweep_rsi(
    open: _FloatArray,
    close: _FloatArray,
    windows: Sequence[int],
    oversold: Sequence[float],
    overbought: Sequence[float],
    terms: _Terms,
    threads: int,
    out: NDArray[np.uint64],
    /,
) -> None: ...

@final
class Adx:
    @property
    def adx(self) -> float: ...
    @property
    def plus_di(self) -> float: ...
    @property
    def minus_di(self) -> float: ...
    def __new__(cls, window: int) -> Adx: ...
    def update(self, high: float, low: float, close: float, /) -> tuple[float, float, float]: ...
    def advance(self, high: float, low: float, close: float, /) -> float: ...
    def snapshot(self) -> bytes: ...
    def restore(self, data: bytes, /) -> None: ...
    @staticmethod
    def from_snapshot(data: bytes, /) -> Adx: ...
    def __reduce__(self) -> tuple[Callable[[bytes], Adx], tuple[bytes]]: ...

@final
class Atr:
    def __new__(cls, window: int) -> Atr: ...
    def update(self, high: float, low: float, close: float, /) -> float: ...
    def snapshot(self) -> bytes: ...
    def restore(self, data: bytes, /) -> None: ...
    @staticmethod
    def from_snapshot(data: bytes, /) -> Atr: ...
    def __reduce__(self) -> tuple[Callable[[bytes], Atr], tuple[bytes]]: ...

@final
class Bollinger:
    @property
    def upper(self) -> float: ...
    @property
    def middle(self) -> float: ...
    @property
    def lower(self) -> float: ...
    def __new__(cls, window: int, k_dev: float) -> Bollinger: ...
    def update(self, x: float, /) -> tuple[float, float, float]: ...
    def advance(self, x: float, /) -> float: ...
    def snapshot(self) -> bytes: ...
    def restore(self, data: bytes, /) -> None: ...
    @staticmethod
    def from_snapshot(data: bytes, /) -> Bollinger: ...
    def __reduce__(self) -> tuple[Callable[[bytes], Bollinger], tuple[bytes]]: ...

@final
class Cmf:
    def __new__(cls, window: int) -> Cmf: ...
    def update(self, high: float, low: float, close: float, volume: float, /) -> float: ...
    def snapshot(self) -> bytes: ...
    def restore(self, data: bytes, /) -> None: ...
    @staticmethod
    def from_snapshot(data: bytes, /) -> Cmf: ...
    def __reduce__(self) -> tuple[Callable[[bytes], Cmf], tuple[bytes]]: ...

@final
class Donchian:
    @property
    def upper(self) -> float: ...
    @property
    def lower(self) -> float: ...
    @property
    def middle(self) -> float: ...
    def __new__(cls, window: int) -> Donchian: ...
    def update(self, high: float, low: float, /) -> tuple[float, float, float]: ...
    def advance(self, high: float, low: float, /) -> float: ...
    def snapshot(self) -> bytes: ...
    def restore(self, data: bytes, /) -> None: ...
    @staticmethod
    def from_snapshot(data: bytes, /) -> Donchian: ...
    def __reduce__(self) -> tuple[Callable[[bytes], Donchian], tuple[bytes]]: ...

@final
class Ema:
    def __new__(cls, window: int) -> Ema: ...
    def update(self, x: float, /) -> float: ...
    def snapshot(self) -> bytes: ...
    def restore(self, data: bytes, /) -> None: ...
    @staticmethod
    def from_snapshot(data: bytes, /) -> Ema: ...
    def __reduce__(self) -> tuple[Callable[[bytes], Ema], tuple[bytes]]: ...

@final
class Forest:
    def __new__(
        cls,
        feature: NDArray[np.int32],
        threshold: _FloatArray,
        left: NDArray[np.int32],
        right: NDArray[np.int32],
        value: _FloatArray,
        offsets: NDArray[np.int64],
        n_features: int,
        /,
    ) -> Forest: ...
    def predict(self, rows: _FloatArray, out: _FloatArray, /) -> None: ...

@final
class HeikinAshi:
    @property
    def open(self) -> float: ...
    @property
    def high(self) -> float: ...
    @property
    def low(self) -> float: ...
    @property
    def close(self) -> float: ...
    def __new__(cls) -> HeikinAshi: ...
    def update(
        self, open_: float, high: float, low: float, close: float, /
    ) -> tuple[float, float, float, float]: ...
    def advance(self, open_: float, high: float, low: float, close: float, /) -> float: ...
    def snapshot(self) -> bytes: ...
    def restore(self, data: bytes, /) -> None: ...
    @staticmethod
    def from_snapshot(data: bytes, /) -> HeikinAshi: ...
    def __reduce__(self) -> tuple[Callable[[bytes], HeikinAshi], tuple[bytes]]: ...

@final
class Bocpd:
    def __new__(
        cls,
        hazard: float,
        mean: float,
        kappa: float,
        alpha: float,
        beta: float,
        max_run: int,
        recent: int,
        /,
    ) -> Bocpd: ...
    def update(self, x: float, /) -> tuple[float, float, float, float]: ...
    def run(self, x: _FloatArray, out: _FloatArray, /) -> None: ...
    def snapshot(self) -> bytes: ...
    def restore(self, data: bytes, /) -> None: ...
    @staticmethod
    def from_snapshot(data: bytes, /) -> Bocpd: ...
    def __reduce__(self) -> tuple[Callable[[bytes], Bocpd], tuple[bytes]]: ...

@final
class JumpFilter:
    @property
    def bars(self) -> int: ...
    def __new__(cls, centres: _FloatArray, penalty: float, /) -> JumpFilter: ...
    def update(self, x: _FloatArray, /) -> _FloatArray: ...
    def run(self, x: _FloatArray, values: _FloatArray, /) -> None: ...
    def snapshot(self) -> bytes: ...
    def restore(self, data: bytes, /) -> None: ...
    @staticmethod
    def from_snapshot(data: bytes, /) -> JumpFilter: ...
    def __reduce__(self) -> tuple[Callable[[bytes], JumpFilter], tuple[bytes]]: ...

@final
class HmmFilter:
    @property
    def alpha(self) -> _FloatArray | None: ...
    @property
    def log_likelihood(self) -> float: ...
    @property
    def bars(self) -> int: ...
    def __new__(
        cls, pi: _FloatArray, transitions: _FloatArray, means: _FloatArray, variances: _FloatArray, /
    ) -> HmmFilter: ...
    def update(self, x: _FloatArray, /) -> _FloatArray: ...
    def run(self, x: _FloatArray, alpha: _FloatArray, /) -> None: ...
    def snapshot(self) -> bytes: ...
    def restore(self, data: bytes, /) -> None: ...
    @staticmethod
    def from_snapshot(data: bytes, /) -> HmmFilter: ...
    def __reduce__(self) -> tuple[Callable[[bytes], HmmFilter], tuple[bytes]]: ...

@final
class HmmStudent:
    @property
    def alpha(self) -> _FloatArray | None: ...
    @property
    def log_likelihood(self) -> float: ...
    @property
    def bars(self) -> int: ...
    def __new__(
        cls,
        pi: _FloatArray,
        transitions: _FloatArray,
        means: _FloatArray,
        scales: _FloatArray,
        dof: _FloatArray,
        /,
    ) -> HmmStudent: ...
    def update(self, x: _FloatArray, /) -> _FloatArray: ...
    def run(self, x: _FloatArray, alpha: _FloatArray, /) -> None: ...
    def snapshot(self) -> bytes: ...
    def restore(self, data: bytes, /) -> None: ...
    @staticmethod
    def from_snapshot(data: bytes, /) -> HmmStudent: ...
    def __reduce__(self) -> tuple[Callable[[bytes], HmmStudent], tuple[bytes]]: ...

@final
class IndicatorSet:
    def __new__(cls, windows: Sequence[int], k_dev: float, /) -> IndicatorSet: ...
    def update(
        self, open_: float, high: float, low: float, close: float, volume: float, /
    ) -> _FloatArray: ...
    def snapshot(self) -> bytes: ...
    def restore(self, data: bytes, /) -> None: ...
    @staticmethod
    def from_snapshot(data: bytes, /) -> IndicatorSet: ...
    def __reduce__(self) -> tuple[Callable[[bytes], IndicatorSet], tuple[bytes]]: ...

@final
class Keltner:
    @property
    def upper(self) -> float: ...
    @property
    def middle(self) -> float: ...
    @property
    def lower(self) -> float: ...
    def __new__(cls, ema_window: int, atr_window: int, k: float) -> Keltner: ...
    def update(self, high: float, low: float, close: float, /) -> tuple[float, float, float]: ...
    def advance(self, high: float, low: float, close: float, /) -> float: ...
    def snapshot(self) -> bytes: ...
    def restore(self, data: bytes, /) -> None: ...
    @staticmethod
    def from_snapshot(data: bytes, /) -> Keltner: ...
    def __reduce__(self) -> tuple[Callable[[bytes], Keltner], tuple[bytes]]: ...

@final
class Macd:
    @property
    def line(self) -> float: ...
    @property
    def signal(self) -> float: ...
    @property
    def histogram(self) -> float: ...
    def __new__(cls, fast: int, slow: int, signal: int) -> Macd: ...
    def update(self, x: float, /) -> tuple[float, float, float]: ...
    def advance(self, x: float, /) -> float: ...
    def snapshot(self) -> bytes: ...
    def restore(self, data: bytes, /) -> None: ...
    @staticmethod
    def from_snapshot(data: bytes, /) -> Macd: ...
    def __reduce__(self) -> tuple[Callable[[bytes], Macd], tuple[bytes]]: ...

@final
class Obv:
    def __new__(cls) -> Obv: ...
    def update(self, close: float, volume: float, /) -> float: ...
    def snapshot(self) -> bytes: ...
    def restore(self, data: bytes, /) -> None: ...
    @staticmethod
    def from_snapshot(data: bytes, /) -> Obv: ...
    def __reduce__(self) -> tuple[Callable[[bytes], Obv], tuple[bytes]]: ...

_Exact = tuple[int, int]
_Finer = tuple[Sequence[_FloatArray], NDArray[np.int64], NDArray[np.int64]]
_Row = tuple[int, int, int, int, int, int, int, int, int, bool, float]

@final
class OrderSim:
    def __new__(
        cls,
        steps: Sequence[_Exact],
        fees: Sequence[_Exact],
        fee_received: bool,
        half_spread: float,
        slip: tuple[int, Sequence[float]],
        share: float | None,
        through: int,
        latency: int,
        balances: Sequence[_Exact],
        /,
    ) -> OrderSim: ...
    def submit(
        self,
        side: int,
        kind: int,
        lots: int,
        limit: int = 0,
        stop: int = 0,
        trail: float = 0.0,
        trail_frac: bool = False,
        force: int = 0,
        expire: int = -1,
        post_only: bool = False,
        reduce_only: bool = False,
        list: int = 0,
        parent: int = 0,
        /,
    ) -> int: ...
    def lend(self, perpetual: bool, rates: Sequence[_Exact], /) -> None: ...
    def carry(self, funding: float, assumed: bool, mark: Sequence[float], missing: int, /) -> None: ...
    def carries(
        self,
        funding: _FloatArray,
        assumed: bool,
        marks: Sequence[_FloatArray],
        missing: NDArray[np.int64],
        /,
    ) -> None: ...
    def cancel(self, id: int, /) -> None: ...
    def advance(
        self,
        open: float,
        high: float,
        low: float,
        close: float,
        volume: float,
        filled_forward: bool = False,
        /,
    ) -> list[_Row]: ...
    def advance_parts(
        self,
        open: float,
        high: float,
        low: float,
        close: float,
        volume: float,
        finer: Sequence[Sequence[float]],
        /,
    ) -> list[_Row]: ...
    def simulate(
        self,
        columns: Sequence[_FloatArray],
        flags: NDArray[np.uint8],
        signal: _FloatArray,
        protection: Sequence[float],
        equity: _FloatArray,
        finer: _Finer | None = None,
        /,
    ) -> None: ...
    def drive(
        self,
        columns: Sequence[_FloatArray],
        flags: NDArray[np.uint8],
        on_bar: Callable[[int, float], object],
        equity: _FloatArray,
        finer: _Finer | None = None,
        /,
    ) -> None: ...
    def reports(self, fills_only: bool, /) -> NDArray[np.uint64]: ...
    def is_live(self, id: int, /) -> bool: ...
    def filled(self, id: int, /) -> int: ...
    @property
    def balances(self) -> Sequence[_Exact]: ...
    @property
    def position(self) -> int: ...
    @property
    def step(self) -> int: ...

@final
class Rsi:
    def __new__(cls, window: int) -> Rsi: ...
    def update(self, x: float, /) -> float: ...
    def snapshot(self) -> bytes: ...
    def restore(self, data: bytes, /) -> None: ...
    @staticmethod
    def from_snapshot(data: bytes, /) -> Rsi: ...
    def __reduce__(self) -> tuple[Callable[[bytes], Rsi], tuple[bytes]]: ...

@final
class Sma:
    def __new__(cls, window: int) -> Sma: ...
    def update(self, x: float, /) -> float: ...
    def snapshot(self) -> bytes: ...
    def restore(self, data: bytes, /) -> None: ...
    @staticmethod
    def from_snapshot(data: bytes, /) -> Sma: ...
    def __reduce__(self) -> tuple[Callable[[bytes], Sma], tuple[bytes]]: ...

@final
class Squeeze:
    def __new__(cls, window: int, bands_k: float, channel_k: float) -> Squeeze: ...
    def update(self, high: float, low: float, close: float, /) -> float: ...
    def snapshot(self) -> bytes: ...
    def restore(self, data: bytes, /) -> None: ...
    @staticmethod
    def from_snapshot(data: bytes, /) -> Squeeze: ...
    def __reduce__(self) -> tuple[Callable[[bytes], Squeeze], tuple[bytes]]: ...

@final
class Std:
    def __new__(cls, window: int) -> Std: ...
    def update(self, x: float, /) -> float: ...
    def snapshot(self) -> bytes: ...
    def restore(self, data: bytes, /) -> None: ...
    @staticmethod
    def from_snapshot(data: bytes, /) -> Std: ...
    def __reduce__(self) -> tuple[Callable[[bytes], Std], tuple[bytes]]: ...

@final
class StochRsi:
    @property
    def k(self) -> float: ...
    @property
    def d(self) -> float: ...
    def __new__(cls, rsi_window: int, range_window: int, k_window: int, d_window: int) -> StochRsi: ...
    def update(self, x: float, /) -> tuple[float, float]: ...
    def advance(self, x: float, /) -> float: ...
    def snapshot(self) -> bytes: ...
    def restore(self, data: bytes, /) -> None: ...
    @staticmethod
    def from_snapshot(data: bytes, /) -> StochRsi: ...
    def __reduce__(self) -> tuple[Callable[[bytes], StochRsi], tuple[bytes]]: ...

@final
class TextScorer:
    def __new__(
        cls, texts: Sequence[str], kinds: Sequence[int], values: Sequence[float], /
    ) -> TextScorer: ...
    def score(self, texts: list[str | None], out: _FloatArray, /) -> None: ...
    def explain(self, text: str, /) -> list[tuple[int, int, int, float, float, int]]: ...
