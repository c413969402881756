"""What an account may do: spot, spot margin or a linear perpetual, and the venue's terms for it.

All three keep the same books, base and quote owned, both signed: a short owns less than no base, a leveraged
long less than no quote. Equity is quote plus base at its price, exactly, in every mode; the modes differ in how
much may be opened, in what carrying a position costs, and in when the venue closes it.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final, Literal

import msgspec

from actors.domain.errors import InvalidParamsError
from actors.domain.model.money import MONEY_CONTEXT, ZERO, to_decimal

SPOT, MARGIN, PERPETUAL = "spot", "margin", "perpetual"
AccountMode = Literal["spot", "margin", "perpetual"]
MODES: Final = (SPOT, MARGIN, PERPETUAL)
YEAR_NS: Final = 365 * 86_400_000_000_000


class AccountTerms(msgspec.Struct, frozen=True, kw_only=True):
    """Mode and terms of one account.

    Attributes
    ----------
    mode : str
        ``spot``: what is owned can be spent, nothing else. ``margin``: base and quote are borrowed where they
        are short, interest runs. ``perpetual``: linear contracts margined in quote, funding is exchanged.
    leverage : Decimal
        Gross exposure per equity up to which positions may be opened, at least 1.
    maintenance_frac : Decimal
        Equity per gross exposure at and below which the venue liquidates; below ``1 / leverage``.
    liquidation_fee_frac : Decimal
        Of the liquidated value, on top of the taker's fee, at most what is left of the equity.
    borrow_base_frac, borrow_quote_frac : Decimal
        Interest per bar on what is borrowed (margin).

    Raises
    ------
    InvalidParamsError
        If a term is out of its range.

    Examples
    --------
    >>> AccountTerms(mode="perpetual", leverage=Decimal(5), maintenance_frac=Decimal("0.01")).leveraged
    True
    >>> AccountTerms(mode="margin", leverage=Decimal(20), maintenance_frac=Decimal("0.1"))  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    actors.domain.errors.InvalidParamsError: maintenance_frac: expected >= 0 and below 1 / leverage 20, found 0.1 [...
    """

    mode: AccountMode = "spot"
    leverage: Decimal = Decimal(1)
    maintenance_frac: Decimal = ZERO
    liquidation_fee_frac: Decimal = ZERO
    borrow_base_frac: Decimal = ZERO
    borrow_quote_frac: Decimal = ZERO

    def __post_init__(self) -> None:
        problem = ""
        if self.mode not in MODES:
            problem = f"mode: expected one of {', '.join(MODES)}, found {self.mode!r}"
        elif not self.leverage >= 1:
            problem = f"leverage: expected at least 1, found {self.leverage}"
        elif self.mode == SPOT and self.leverage != 1:
            problem = f"leverage: expected 1 for a spot account, found {self.leverage}"
        elif not 0 <= self.maintenance_frac * self.leverage < 1:
            problem = (
                f"maintenance_frac: expected >= 0 and below 1 / leverage {self.leverage}, "
                f"found {self.maintenance_frac}"
            )
        elif min(self.liquidation_fee_frac, self.borrow_base_frac, self.borrow_quote_frac) < 0:
            problem = f"fees and interest: expected none below 0, found {self}"
        if problem:
            raise InvalidParamsError("ACCOUNT_TERMS", problem)

    @property
    def leveraged(self) -> bool:
        """Whether positions are opened against equity (margin, perpetual) and not bought with what is owned."""
        return self.mode != SPOT


def account_terms(settings: Mapping[str, Any] | None, bar_ns: int) -> AccountTerms:
    """Return the terms that a configuration states, interest turned from a year to a bar.

    Parameters
    ----------
    settings : mapping or None
        ``mode leverage maintenance_frac liquidation_fee_bps borrow_base_ann_frac borrow_quote_ann_frac``; None
        and a mode of ``spot`` are a spot account.
    bar_ns : int
        Length of a bar; a year has 365 days.

    Examples
    --------
    >>> found = account_terms({"mode": "margin", "leverage": "2", "borrow_quote_ann_frac": "0.0876"}, 3600 * 10**9)
    >>> found.borrow_quote_frac
    Decimal('0.000010000000')
    """
    if settings is None or settings.get("mode", SPOT) == SPOT:
        return AccountTerms()

    def per_bar(name: str) -> Decimal:
        # on twelve digits: a rate is stated, and both simulators must read the same one
        yearly = to_decimal(settings.get(name, 0))
        return MONEY_CONTEXT.divide(yearly * bar_ns, Decimal(YEAR_NS)).quantize(Decimal("1e-12"))

    return AccountTerms(
        mode=settings["mode"],
        leverage=to_decimal(settings.get("leverage", 1)),
        maintenance_frac=to_decimal(settings.get("maintenance_frac", 0)),
        liquidation_fee_frac=to_decimal(settings.get("liquidation_fee_bps", 0)) * Decimal("0.0001"),
        borrow_base_frac=per_bar("borrow_base_ann_frac"),
        borrow_quote_frac=per_bar("borrow_quote_ann_frac"),
    )
