"""Parameters of the synthetic market: what each regime and each asset is like."""

from __future__ import annotations

from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from actors.domain.model.timeframe import HOUR_NS

START_NS = 1_704_067_200_000_000_000  # 2024-01-01T00:00:00Z


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class RegimeParams(_Frozen):
    """One regime: how prices move while it lasts, how long it lasts, what follows.

    Attributes
    ----------
    drift_bars : float
        Mean log return per bar of an asset with ``beta`` 1.
    volatility_bars : float
        Standard deviation of the log return per bar of an asset with ``beta`` 1.
    pull_bars : float
        Share of the distance to the price at the regime's start that is undone per bar.
    min_duration_bars, mean_duration_bars : int, float
        The length is the minimum plus a negative binomial of shape 2: no memoryless exits.
    volume_factor, spread_factor : float
        Against the asset's own base.
    next_weights : dict
        What follows, by name; weights need not sum to 1.
    """

    name: str
    drift_bars: float
    volatility_bars: float = Field(gt=0)
    pull_bars: float = Field(default=0.0, ge=0, lt=1)
    min_duration_bars: int = Field(ge=1)
    mean_duration_bars: float
    volume_factor: float = Field(default=1.0, gt=0)
    spread_factor: float = Field(default=1.0, gt=0)
    next_weights: dict[str, float]

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.mean_duration_bars <= self.min_duration_bars:
            raise ValueError(
                f"mean_duration_bars: expected > min_duration_bars {self.min_duration_bars}, "
                f"found {self.mean_duration_bars}"
            )
        if self.name in self.next_weights:
            raise ValueError(f"next_weights: expected other regimes only, found {self.name!r} itself")
        if (
            not self.next_weights
            or min(self.next_weights.values()) < 0
            or sum(self.next_weights.values()) <= 0
        ):
            raise ValueError(f"next_weights: expected weights >= 0 with a sum > 0, found {self.next_weights}")
        return self


class AssetParams(_Frozen):
    """One asset.

    Attributes
    ----------
    pair : str
    start_price : float, quote currency
    price_decimals, volume_decimals : int
        The tick is ``10**-price_decimals``, the lot of the volume ``10**-volume_decimals``.
    beta : float
        How strongly the asset moves with the regime, in drift and in volatility.
    common_share : float in [0, 1)
        Share of the variance that comes from the common factor: two assets correlate with
        ``sqrt(common_share_i * common_share_j)``.
    base_volume : float, base currency per bar
    spread_bps : float
        Spread between bid and ask in quiet times.
    """

    pair: str
    start_price: float = Field(gt=0)
    price_decimals: int = Field(ge=0, le=8)
    volume_decimals: int = Field(default=4, ge=0, le=8)
    beta: float = Field(default=1.0, gt=0)
    common_share: float = Field(default=0.6, ge=0, lt=1)
    base_volume: float = Field(default=1000.0, gt=0)
    spread_bps: float = Field(default=2.0, gt=0)


DEFAULT_REGIMES = (
    RegimeParams(
        name="bull", drift_bars=0.0012, volatility_bars=0.006, min_duration_bars=72, mean_duration_bars=210,
        volume_factor=1.2,
        next_weights={
            "sideways": 0.35, "high_volatility": 0.25, "crash": 0.2, "bear": 0.1, "low_volatility": 0.1,
        },
    ),
    RegimeParams(
        name="bear", drift_bars=-0.0014, volatility_bars=0.008, min_duration_bars=72, mean_duration_bars=180,
        volume_factor=1.1, spread_factor=1.3,
        next_weights={"sideways": 0.4, "high_volatility": 0.25, "bull": 0.2, "low_volatility": 0.15},
    ),
    RegimeParams(
        name="sideways", drift_bars=0.0, volatility_bars=0.004, pull_bars=0.03, min_duration_bars=72,
        mean_duration_bars=200, volume_factor=0.8,
        next_weights={"bull": 0.35, "bear": 0.3, "low_volatility": 0.2, "high_volatility": 0.15},
    ),
    RegimeParams(
        name="crash", drift_bars=-0.010, volatility_bars=0.022, min_duration_bars=12, mean_duration_bars=24,
        volume_factor=4.0, spread_factor=5.0,
        next_weights={"high_volatility": 0.5, "bear": 0.4, "bull": 0.1},
    ),
    RegimeParams(
        name="high_volatility", drift_bars=0.0, volatility_bars=0.015, min_duration_bars=36,
        mean_duration_bars=96, volume_factor=2.0, spread_factor=2.5,
        next_weights={"bull": 0.3, "bear": 0.4, "sideways": 0.3},
    ),
    RegimeParams(
        name="low_volatility", drift_bars=0.0001, volatility_bars=0.0018, min_duration_bars=72,
        mean_duration_bars=168, volume_factor=0.5, spread_factor=0.8,
        next_weights={"sideways": 0.35, "bull": 0.3, "bear": 0.15, "high_volatility": 0.2},
    ),
)  # fmt: skip

DEFAULT_ASSETS = (
    AssetParams(pair="BTC/USDT", start_price=40_000.0, price_decimals=2, volume_decimals=5, beta=1.0,
                common_share=0.75, base_volume=1_500.0, spread_bps=1.0),
    AssetParams(pair="ETH/USDT", start_price=2_200.0, price_decimals=2, volume_decimals=4, beta=1.2,
                common_share=0.70, base_volume=15_000.0, spread_bps=1.5),
    AssetParams(pair="SOL/USDT", start_price=100.0, price_decimals=3, volume_decimals=2, beta=1.5,
                common_share=0.50, base_volume=80_000.0, spread_bps=3.0),
)  # fmt: skip


class SyntheticParams(_Frozen):
    """The whole market; the defaults are tuned to look like hourly bars.

    Attributes
    ----------
    n_bars : int
        Bars per asset. More bars with the same seed give the same beginning.
    shock_dof : float
        Degrees of freedom of the Student-t shocks: the smaller, the fatter the tails.
    garch_alpha, garch_beta : float
        Volatility clustering inside a regime: ``h' = 1 - alpha - beta + (alpha z^2 + beta) h``.
    volume_reaction : float
        Log volume gained per standard deviation of the bar's move.
    volume_noise, volume_memory : float
        Standard deviation and first-order memory of the log volume.
    spread_noise : float
        Standard deviation of the log spread.
    """

    n_bars: int = Field(default=4_000, ge=1)
    timeframe_ns: int = Field(default=HOUR_NS, gt=0)
    start_ns: int = START_NS
    first_regime: str = "sideways"
    shock_dof: float = Field(default=5.0, gt=2)
    garch_alpha: float = Field(default=0.08, ge=0)
    garch_beta: float = Field(default=0.88, ge=0)
    volume_reaction: float = Field(default=0.35, ge=0)
    volume_noise: float = Field(default=0.3, ge=0)
    volume_memory: float = Field(default=0.7, ge=0, lt=1)
    spread_noise: float = Field(default=0.15, ge=0)
    assets: tuple[AssetParams, ...] = Field(default=DEFAULT_ASSETS, min_length=1)
    regimes: tuple[RegimeParams, ...] = Field(default=DEFAULT_REGIMES, min_length=2)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        names = [r.name for r in self.regimes]
        pairs = [a.pair for a in self.assets]
        if len(set(names)) < len(names) or len(set(pairs)) < len(pairs):
            raise ValueError(f"regimes and assets: expected distinct names, found {names} and {pairs}")
        wanted = {self.first_regime, *(n for r in self.regimes for n in r.next_weights)}
        unknown = sorted(wanted - set(names))
        if unknown:
            raise ValueError(f"regimes: expected names among {names}, found {unknown}")
        if self.garch_alpha + self.garch_beta >= 1:
            raise ValueError(
                f"garch_alpha + garch_beta: expected < 1, found {self.garch_alpha + self.garch_beta}"
            )
        return self
