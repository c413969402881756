"""What bars bring to a leveraged account of the exact simulator beside their prices: funding, marks, missing bars."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import nan
from typing import Any

import numpy as np
from numpy.typing import NDArray

from actors.domain.errors import KernelError
from actors.domain.kernels._checks import FloatArray
from actors.domain.kernels.twins.sim import exact_of
from actors.domain.model.account import PERPETUAL, AccountTerms


@dataclass(frozen=True, slots=True)
class Carry:
    """Of one bar.

    Parameters
    ----------
    funding : float or None
        Rate that falls due at its close (perpetual).
    assumed : bool
        The rate is configured, not recorded: either side pays it.
    mark : (open, high, low, close) or None
        Mark price over the bar: liquidates, and funding is on its close. Without one the bar's own prices do.
    missing_bars : int
        Bars missing before it, for which interest runs on what was carried (margin).
    """

    funding: float | None = None
    assumed: bool = False
    mark: tuple[float, float, float, float] | None = None
    missing_bars: int = 0


@dataclass(frozen=True, slots=True)
class CarryColumns:
    """The same over columns of bars; None where there is none of a kind, NaN where a bar has none.

    Parameters
    ----------
    funding : array, shape (n_bars,), or None
    assumed : bool
        Of all rates.
    marks : four arrays, shape (n_bars,), or None
        Open, high, low, close.
    missing_bars : int64 array, shape (n_bars,), or None
    """

    funding: FloatArray | None = None
    assumed: bool = False
    marks: Sequence[FloatArray] | None = None
    missing_bars: NDArray[np.int64] | None = None


def lend(sim: Any, account: AccountTerms) -> None:
    """Give a native simulator or its twin the terms of a leveraged account.

    Raises
    ------
    KernelError
        If they cannot be kept: fees in base on a perpetual.
    """
    rates = (
        account.leverage, account.maintenance_frac, account.liquidation_fee_frac, account.borrow_base_frac,
        account.borrow_quote_frac,
    )  # fmt: skip
    try:
        sim.lend(account.mode == PERPETUAL, [exact_of(Decimal(rate)) for rate in rates])
    except ValueError as e:
        raise KernelError("ACCOUNT_INVALID", str(e)) from e


def bring(sim: Any, carry: Carry) -> None:
    """Say what the next bar brings."""
    mark = [nan] * 4 if carry.mark is None else list(carry.mark)
    sim.carry(nan if carry.funding is None else carry.funding, carry.assumed, mark, carry.missing_bars)


def bring_all(sim: Any, carry: CarryColumns, bars: int) -> None:
    """Say what the bars from the next one on bring."""
    none = np.full(bars, nan)

    def column(name: str, values: FloatArray | None) -> FloatArray:
        if values is None:
            return none
        found = np.ascontiguousarray(values, dtype=np.float64)
        if found.shape != (bars,):
            raise KernelError(
                "KERNEL_LENGTHS_DIFFER", f"{name}: expected shape ({bars},), found {found.shape}"
            )
        return found

    marks = [None] * 4 if carry.marks is None else list(carry.marks)
    if len(marks) != 4:
        text = f"marks: expected open, high, low, close, found {len(marks)} columns"
        raise KernelError("KERNEL_LENGTHS_DIFFER", text)
    missing = np.zeros(bars, np.int64) if carry.missing_bars is None else carry.missing_bars
    if missing.shape != (bars,):
        raise KernelError(
            "KERNEL_LENGTHS_DIFFER", f"missing_bars: expected shape ({bars},), found {missing.shape}"
        )
    sim.carries(
        column("funding", carry.funding), carry.assumed, [column("marks", m) for m in marks],
        np.ascontiguousarray(missing, dtype=np.int64),
    )  # fmt: skip


__all__ = ["Carry", "CarryColumns", "bring", "bring_all", "lend"]
