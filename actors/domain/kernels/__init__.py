"""Numeric kernels: one checked Python function per kernel, native or twin behind it.

This package is the only importer of ``_tradecore``. The choice of backend is made once per process
(`select_backend`, or by the first call; the environment variable ``TRADEWIND_KERNEL_BACKEND`` forces it) and
`backend` says what was chosen and why, so a fallback is never silent.

The law: **batch equals streaming to the bit** on either backend, and on every instruction set of the
native one. Native and twin run the same operations in the same order; the parity tests state a tolerance
per kernel and it is 0 unless said otherwise.

How a kernel is added (``sma`` shows every step):

1. ``rust/kernels/src/sma.rs``: ``pub fn sma(x, window, out) -> Result<()>`` and ``pub struct Sma`` with
   ``new``, ``update``, ``snapshot``, ``restore``. The module comment states the order of operations and the
   NaN rule. ``pub use`` both in ``lib.rs``; tests in ``rust/kernels/tests``.
2. ``rust/bindings/src/trend.rs``: the same names for Python, positional-only arguments, results written into
   ``out`` arrays the caller made; one ``register`` line in ``lib.rs``; the names in ``_tradecore.pyi``.
   A stream of several lines names them (``stream_class!(… update(x) -> [line, signal])``): it gets ``advance``,
   which returns the first line without building a tuple, and an attribute for each line.
3. ``actors/domain/kernels/twins/sma.py``: the same names, arguments and bits in NumPy or plain Python;
   re-exported by ``twins/__init__.py``.
4. ``actors/domain/kernels/trend.py`` (or another file by family): the public function. It checks dtype,
   shape, contiguity, parameters and buffers with `_checks`, then calls ``impl().sma(...)``; and the factory
   ``sma_stream(window_bars)``. Re-export it here.
5. ``tests/parity/kernels/test_core_kernels.py`` (native = twin, batch = streaming, snapshot = same future),
   ``tests/reference/kernels`` (TA-Lib, extended precision), one row in ``cluster/bench/kernels.py``.

Conventions: inputs are float64, 1-D (other float or integer arrays raise; a non-contiguous view is copied
once by ``np.ascontiguousarray``), read-only arrays are welcome. Outputs are fresh arrays, or the caller's
``out=`` buffers (C-contiguous, writeable, not overlapping an input). Warm-up is NaN. Snapshots of streaming
objects are the same bytes from both backends: `restore_stream` opens them on the active one.
"""

from actors.domain.kernels._dispatch import BackendInfo, backend, restore_stream, select_backend
from actors.domain.kernels.backtest import (
    TRADE_DTYPE,
    VectorRun,
    ma_cross_backtest,
    signal_backtest,
)
from actors.domain.kernels.candles import heikin_ashi, heikin_ashi_stream
from actors.domain.kernels.changes import bocpd_stream, garch_backcast, garch_filter
from actors.domain.kernels.channels import (
    donchian,
    donchian_stream,
    keltner,
    keltner_stream,
    squeeze,
    squeeze_stream,
)
from actors.domain.kernels.forest import ForestArrays, forest_predict
from actors.domain.kernels.fused import (
    SET_COLUMNS,
    FusedLines,
    FusedWindows,
    SetWindows,
    fused_features,
    indicator_set,
)
from actors.domain.kernels.hmm import (
    hmm_filter_stream,
    hmm_forward_filter,
    hmm_smooth,
    hmm_student_stream,
    hmm_viterbi,
)
from actors.domain.kernels.hmm_fit import HmmFits, HmmModels, HmmPrior, hmm_fit
from actors.domain.kernels.jump import JumpFit, jump_fit, jump_stream, simplex_grid
from actors.domain.kernels.momentum import AdxLines, adx, adx_stream, rsi, rsi_stream
from actors.domain.kernels.sim import REPORT_DTYPE, OrderSim, SimReport, SimRules, Slippage
from actors.domain.kernels.statistics import (
    BootstrapPaths,
    ReturnStatistics,
    bootstrap_paths,
    equity_statistics,
    return_statistics,
)
from actors.domain.kernels.stochastic import stoch_rsi, stoch_rsi_stream
from actors.domain.kernels.sweep import (
    SWEEP_DTYPE,
    sweep_bollinger,
    sweep_donchian,
    sweep_ma_cross,
    sweep_momentum,
    sweep_rsi,
)
from actors.domain.kernels.text import TEXT_COLUMNS, TEXT_RULES, TextHit, TextScorer
from actors.domain.kernels.trend import (
    MacdLines,
    ema,
    ema_stream,
    macd,
    macd_stream,
    sma,
    sma_stream,
)
from actors.domain.kernels.volatility import (
    BandLines,
    atr,
    atr_stream,
    bollinger,
    bollinger_stream,
    rolling_std,
    rolling_std_stream,
)
from actors.domain.kernels.volume import cmf, cmf_stream, obv, obv_stream

__all__ = [
    "REPORT_DTYPE",
    "SET_COLUMNS",
    "SWEEP_DTYPE",
    "TEXT_COLUMNS",
    "TEXT_RULES",
    "TRADE_DTYPE",
    "AdxLines",
    "BackendInfo",
    "BandLines",
    "BootstrapPaths",
    "ForestArrays",
    "FusedLines",
    "FusedWindows",
    "HmmFits",
    "HmmModels",
    "HmmPrior",
    "JumpFit",
    "MacdLines",
    "OrderSim",
    "ReturnStatistics",
    "SetWindows",
    "SimReport",
    "SimRules",
    "Slippage",
    "TextHit",
    "TextScorer",
    "VectorRun",
    "adx",
    "adx_stream",
    "atr",
    "atr_stream",
    "backend",
    "bocpd_stream",
    "bollinger",
    "bollinger_stream",
    "bootstrap_paths",
    "cmf",
    "cmf_stream",
    "donchian",
    "donchian_stream",
    "ema",
    "ema_stream",
    "equity_statistics",
    "forest_predict",
    "fused_features",
    "garch_backcast",
    "garch_filter",
    "heikin_ashi",
    "heikin_ashi_stream",
    "hmm_filter_stream",
    "hmm_fit",
    "hmm_forward_filter",
    "hmm_smooth",
    "hmm_student_stream",
    "hmm_viterbi",
    "indicator_set",
    "jump_fit",
    "jump_stream",
    "keltner",
    "keltner_stream",
    "ma_cross_backtest",
    "macd",
    "macd_stream",
    "obv",
    "obv_stream",
    "restore_stream",
    "return_statistics",
    "rolling_std",
    "rolling_std_stream",
    "rsi",
    "rsi_stream",
    "select_backend",
    "signal_backtest",
    "simplex_grid",
    "sma",
    "sma_stream",
    "squeeze",
    "squeeze_stream",
    "stoch_rsi",
    "stoch_rsi_stream",
    "sweep_bollinger",
    "sweep_donchian",
    "sweep_ma_cross",
    "sweep_momentum",
    "sweep_rsi",
]
