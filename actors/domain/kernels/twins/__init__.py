"""Python twins of the native kernels: same names, same arguments, same bits."""

from actors.domain.kernels.twins.adx import Adx, adx
from actors.domain.kernels.twins.atr import Atr, atr
from actors.domain.kernels.twins.backtest import ma_cross_backtest, signal_backtest
from actors.domain.kernels.twins.bocpd import Bocpd
from actors.domain.kernels.twins.bollinger import Bollinger, bollinger
from actors.domain.kernels.twins.cmf import Cmf, cmf
from actors.domain.kernels.twins.donchian import Donchian, donchian
from actors.domain.kernels.twins.ema import Ema, ema
from actors.domain.kernels.twins.forest import Forest
from actors.domain.kernels.twins.fused import SET_COLUMNS, IndicatorSet, fused
from actors.domain.kernels.twins.garch import garch_filter
from actors.domain.kernels.twins.heikin_ashi import HeikinAshi, heikin_ashi
from actors.domain.kernels.twins.hmm import HmmFilter, HmmStudent, hmm_forward_filter, hmm_smooth, hmm_viterbi
from actors.domain.kernels.twins.hmm_fit import hmm_fit
from actors.domain.kernels.twins.jump import JumpFilter, jump_fit
from actors.domain.kernels.twins.keltner import Keltner, keltner
from actors.domain.kernels.twins.macd import Macd, macd
from actors.domain.kernels.twins.obv import Obv, obv
from actors.domain.kernels.twins.rsi import Rsi, rsi
from actors.domain.kernels.twins.sim import OrderSim
from actors.domain.kernels.twins.sma import Sma, sma
from actors.domain.kernels.twins.squeeze import Squeeze, squeeze
from actors.domain.kernels.twins.statistics import bootstrap_paths, return_statistics
from actors.domain.kernels.twins.std_dev import Std, std
from actors.domain.kernels.twins.stoch_rsi import StochRsi, stoch_rsi
from actors.domain.kernels.twins.sweep import (
    sweep_bollinger,
    sweep_donchian,
    sweep_ma_cross,
    sweep_momentum,
    sweep_rsi,
)
from actors.domain.kernels.twins.text import TextScorer

__all__ = [
    "SET_COLUMNS",
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
    "adx",
    "atr",
    "bollinger",
    "bootstrap_paths",
    "cmf",
    "donchian",
    "ema",
    "fused",
    "garch_filter",
    "heikin_ashi",
    "hmm_fit",
    "hmm_forward_filter",
    "hmm_smooth",
    "hmm_viterbi",
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
