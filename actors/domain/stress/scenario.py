"""What a scenario is: a market shock, a disturbance of the venue or of the feed, or both at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

from pydantic import Field, model_validator

from actors.domain.model.bars import BarFrame
from actors.domain.registry import Params
from actors.domain.stress import shocks

MARKET: Final = ("flash_crash", "gap", "slide", "correlation_one", "liquidity_gone")
VENUE: Final = ("spread", "clock_skew", "exchange_down", "venue_dies")
FEED: Final = ("feed_stops",)


class Shock(Params):
    """One synthetic scenario.

    Attributes
    ----------
    name : str
        For people; unique in a table.
    kind : str
        What happens, see the fields below.
    size_frac : float
        Fall of the price: at once (``flash_crash``, ``gap``), over `bars` (all others, while the disturbance lasts).
    bars : int
        How long it lasts; a venue that dies stays dead.
    recovery_bars : int
        Until a flash crash is made good.
    spread_factor : float
        Of ``spread``.
    volume_share : float
        Of ``liquidity_gone``: what is left of the volume.
    """

    name: str = Field(min_length=1)
    kind: Literal[
        "flash_crash", "gap", "slide", "correlation_one", "liquidity_gone", "spread", "clock_skew",
        "exchange_down", "venue_dies", "feed_stops",
    ]  # fmt: skip
    size_frac: float = Field(default=0.1, ge=0.0, lt=1.0)
    bars: int = Field(default=12, ge=1)
    recovery_bars: int = Field(default=4, ge=1)
    spread_factor: float = Field(default=10.0, ge=0.0)
    volume_share: float = Field(default=1e-5, ge=0.0, le=1.0)

    @model_validator(mode="after")
    def _has_effect(self) -> Shock:
        if self.kind in ("flash_crash", "gap", "slide") and self.size_frac == 0.0:
            raise ValueError(f"{self.name}: expected a size_frac above 0, found 0")
        return self

    def market(self, frames: Mapping[str, BarFrame], at_ns: int) -> dict[str, BarFrame]:
        """Return the disturbed bars; those before `at_ns` are untouched."""
        if self.kind == "flash_crash":
            return shocks.flash_crash(
                frames, at_ns, size_frac=self.size_frac, recovery_bars=self.recovery_bars
            )
        if self.kind == "gap":
            return shocks.gap(frames, at_ns, size_frac=dict.fromkeys(frames, self.size_frac))
        if self.kind == "correlation_one":
            return shocks.together(frames, at_ns, size_frac=self.size_frac, bars=self.bars)
        fallen = shocks.slide(frames, at_ns, size_frac=self.size_frac, bars=self.bars)
        if self.kind == "liquidity_gone":
            return shocks.dry(fallen, at_ns, share=self.volume_share, bars=self.bars)
        return fallen


DEFAULT_SHOCKS: Final[tuple[Shock, ...]] = (
    Shock(name="flash crash 30 %, back in 4 bars", kind="flash_crash", size_frac=0.30),
    Shock(name="gap of 20 %", kind="gap", size_frac=0.20),
    Shock(name="20 % in 24 bars, all pairs in step", kind="correlation_one", size_frac=0.20, bars=24),
    Shock(name="liquidity gone", kind="liquidity_gone", bars=24),
    Shock(name="spread times ten", kind="spread", bars=24),
    Shock(name="feed stops", kind="feed_stops"),
    Shock(name="clock skew: every order refused", kind="clock_skew"),
    Shock(name="exchange down", kind="exchange_down"),
    Shock(name="venue dies, balances frozen", kind="venue_dies"),
)
"""Each of the last six comes with a fall of 10 %: such things happen in a falling market."""
