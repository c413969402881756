"""What does not go with the mode of the account: leverage, terms, fills, fees, shorts."""

from __future__ import annotations

from config.problems import Problem
from config.schema import Config


def account_problems(model: Config) -> list[Problem]:
    """Return what does not go with the mode of the account."""
    account, venue = model.account, model.venue
    terms = venue.terms(account.mode)
    short = [
        (f"{name}.allow_short", given.get("allow_short"))
        for name, given in (
            ("coordination", model.coordination.model_extra or {}),
            ("risk.params", model.risk.params),
        )
    ]
    if terms is None:
        out = [
            Problem(path, "expected false on a spot account, which has nothing to sell short, found true; set "
                    "account.mode to margin or perpetual")
            for path, value in short if value
        ]  # fmt: skip
        if account.leverage != 1:
            text = "expected 1 on a spot account, found {}; set account.mode to margin or perpetual"
            out.append(Problem("account.leverage", text.format(account.leverage)))
        return out
    out = []
    where = f"venue.{account.mode}"
    if account.leverage > terms.max_leverage:
        out.append(
            Problem("account.leverage", f"expected at most {terms.max_leverage} ({where}.max_leverage), found "
                    f"{account.leverage}; lower it, or state the terms of a venue that grants more")
        )  # fmt: skip
    if account.leverage * terms.maintenance_frac >= 1:
        out.append(
            Problem(f"{where}.maintenance_frac", f"expected below 1 / account.leverage = 1 / {account.leverage}, found "
                    f"{terms.maintenance_frac}: a position would be liquidated as it is opened")
        )  # fmt: skip
    if venue.fill_at != "next_open":
        out.append(
            Problem("venue.fill_at", f"expected next_open on a {account.mode} account, found {venue.fill_at}: inside "
                    "a bar nobody knows what came before a liquidation")
        )  # fmt: skip
    if account.mode == "perpetual" and venue.fees.params.get("fee_currency") == "received":
        out.append(
            Problem("venue.fees.params.fee_currency", "expected quote on a perpetual, which owns no base, found "
                    "received")
        )  # fmt: skip
    return out
