"""Python twins of the native kernels: same names, same arguments, same bits."""

from actors.domain.kernels.twins.adx import Adx, adx
from actors.domain.kernels.twins.atr import Atr, atr
from actors.domain.kernels.twins.bollinger import Bollinger, bollinger
from actors.domain.kernels.twins.cmf import Cmf, cmf
from actors.domain.kernels.twins.donchian import Donchian, donchian
from actors.domain.kernels.twins.ema import Ema, ema
from actors.domain.kernels.twins.forest import Forest
from actors.domain.kernels.twins.fused import SET_COLUMNS, IndicatorSet, fused
from actors.domain.kernels.twins.heikin_ashi import HeikinAshi, heikin_ashi
from actors.domain.kernels.twins.hmm import HmmFilter, hmm_forward_filter
from actors.domain.kernels.twins.keltner import Keltner, keltner
from actors.domain.kernels.twins.macd import Macd, macd
from actors.domain.kernels.twins.obv import Obv, obv
from actors.domain.kernels.twins.rsi import Rsi, rsi
from actors.domain.kernels.twins.sma import Sma, sma
from actors.domain.kernels.twins.squeeze import Squeeze, squeeze
from actors.domain.kernels.twins.std_dev import Std, std
from actors.domain.kernels.twins.stoch_rsi import StochRsi, stoch_rsi

__all__ = [
    "SET_COLUMNS",
    "Adx",
    "Atr",
    "Bollinger",
    "Cmf",
    "Donchian",
    "Ema",
    "Forest",
    "HeikinAshi",
    "HmmFilter",
    "IndicatorSet",
    "Keltner",
    "Macd",
    "Obv",
    "Rsi",
    "Sma",
    "Squeeze",
    "Std",
    "StochRsi",
    "adx",
    "atr",
    "bollinger",
    "cmf",
    "donchian",
    "ema",
    "fused",
    "heikin_ashi",
    "hmm_forward_filter",
    "keltner",
    "macd",
    "obv",
    "rsi",
    "sma",
    "squeeze",
    "std",
    "stoch_rsi",
]
