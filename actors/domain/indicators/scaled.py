"""Indicators that also say how their outputs become features without units."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from actors.domain.events.market import BarClosed
from actors.domain.indicators.base import Indicator


class ScaledIndicator(Indicator):
    """Base of our indicators: one streaming kernel, and features that survive a change of units.

    Attributes
    ----------
    feature_names : tuple of str
        One per value of `features`.
    """

    STATE: ClassVar[tuple[str, ...]] = ("_stream",)
    feature_names: tuple[str, ...]

    @property
    def feature_warmup_bars(self) -> int:
        """Index of the first bar whose features can be defined (given a unit)."""
        return self.warmup_bars

    def features(self, values: Sequence[float], bar: BarClosed, unit: float) -> tuple[float, ...]:
        """Return the outputs of `update` as pure numbers: the same for a price quoted in cents.

        Parameters
        ----------
        values : sequence of float
            What `update` returned for `bar`.
        bar : BarClosed
        unit : float, quote
            Usual size of one bar's move: close times volatility; above 0, or NaN.
        """
        raise NotImplementedError
