"""Python twins of the native kernels: same names, same arguments, same bits."""

from actors.domain.kernels.twins.cmf import Cmf, cmf
from actors.domain.kernels.twins.donchian import Donchian, donchian
from actors.domain.kernels.twins.forest import Forest
from actors.domain.kernels.twins.heikin_ashi import HeikinAshi, heikin_ashi
from actors.domain.kernels.twins.hmm import HmmFilter, hmm_forward_filter
from actors.domain.kernels.twins.obv import Obv, obv
from actors.domain.kernels.twins.sma import Sma, sma

__all__ = [
    "Cmf",
    "Donchian",
    "Forest",
    "HeikinAshi",
    "HmmFilter",
    "Obv",
    "Sma",
    "cmf",
    "donchian",
    "heikin_ashi",
    "hmm_forward_filter",
    "obv",
    "sma",
]
