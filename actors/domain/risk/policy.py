"""The risk coordinator's own settings: dead band, patience with working intents, repetition of denials."""

from __future__ import annotations

import pydantic

from actors.domain import registry
from actors.domain.params import Param


class RiskPolicy(registry.Params):
    """Settings beside sizing, rules and breakers.

    Attributes
    ----------
    allow_short : bool
        False for spot: a wish below zero counts as flat.
    rebalance_band_frac : float
        An exposure is left alone while it is within this distance (fraction of equity) of the wished one;
        full exits are always made.
    working_steps : int
        An approved intent is given so many steps to be worked before an unchanged wish is asked for again.
    exit_retry_steps : int
        The same for exits that a breaker demands.
    stale_steps : int
        An intent at work is withdrawn when its pair has had no bar for so many steps: nobody knows any more what
        the order is worth.
    repeat_denial_steps : int
        An unchanged denial is said again only after so many steps; a limit that the market breaks is
        reported again only when it held for so many steps in between.
    """

    allow_short: bool = False
    rebalance_band_frac: float = Param(0.05, ge=0, lt=1, low=0.0, high=0.2)
    working_steps: int = pydantic.Field(12, ge=2)
    exit_retry_steps: int = pydantic.Field(4, ge=2)
    stale_steps: int = pydantic.Field(5, ge=1)
    repeat_denial_steps: int = pydantic.Field(48, ge=1)
