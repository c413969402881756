"""Python twins of the native kernels: same names, same arguments, same bits."""

from actors.domain.kernels.twins.sma import Sma, sma

__all__ = ["Sma", "sma"]
