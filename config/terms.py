"""Terms of leveraged accounts, as a venue states them."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

import pydantic
from pydantic import Field

NotNegative = Annotated[Decimal, Field(ge=0)]


class Leveraged(pydantic.BaseModel):
    """Terms of a leveraged account.

    The venue grants at most `max_leverage`, liquidates where equity is at or below `maintenance_frac` of the gross
    exposure, and takes `liquidation_fee_bps` of what it closes (at most what is left) on top of the taker's fee.
    """

    model_config = pydantic.ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    max_leverage: Annotated[Decimal, Field(ge=1)]
    maintenance_frac: Annotated[Decimal, Field(ge=0, lt=1)]
    liquidation_fee_bps: Annotated[Decimal, Field(ge=0, le=1000)] = Decimal(100)


class MarginTerms(Leveraged):
    """Spot margin: interest a year on borrowed base (shorts) and on borrowed quote, charged per bar.

    Defaults: three times, as cross margin commonly grants; maintenance as a margin level of 1.1; interest of 0.001 %
    an hour, the example of Binance's guide to cross margin. Real rates move: state those of your venue.
    """

    max_leverage: Annotated[Decimal, Field(ge=1)] = Decimal(3)
    maintenance_frac: Annotated[Decimal, Field(ge=0, lt=1)] = Decimal("0.1")
    borrow_base_ann_frac: NotNegative = Decimal("0.0876")
    borrow_quote_ann_frac: NotNegative = Decimal("0.0876")


class PerpetualTerms(Leveraged):
    """Linear perpetuals; for want of a recorded series long and short pay `funding_rate` every `funding_interval`.

    Defaults: 0.01 % every 8 h is the interest part of Binance's formula and its most common rate; the liquidation fee
    is that of its exchangeInfo (0.01); maintenance is above its first tiers (0.004 to 0.01), as larger ones ask more.
    """

    max_leverage: Annotated[Decimal, Field(ge=1)] = Decimal(20)
    maintenance_frac: Annotated[Decimal, Field(ge=0, lt=1)] = Decimal("0.01")
    funding_rate: Annotated[float, Field(ge=-0.1, le=0.1)] = 0.0001
    funding_interval: Annotated[str, Field(pattern=r"^[1-9]\d{0,5}[smhdw]$")] = "8h"
