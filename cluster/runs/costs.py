"""Which costs a run has, which of them are switched off, and what each took."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from actors.agents.venue import build_model
from actors.domain.errors import ConfigError, InvalidParamsError
from actors.domain.evaluation.cost_parts import CostBook
from actors.domain.model.instrument import BUY, SELL, Instrument
from actors.domain.model.money import normal_str, to_decimal
from config.schema import Config
from config.terms import MarginTerms, PerpetualTerms

_FREE = {
    "fees": ("none", ("maker_bps", "taker_bps")),
    "spread": ("none", ("half_spread_bps", "share_of_sigma_day")),
    "slippage": ("none", ("prefactor", "cost_bps", "price_impact")),
}


def costs_off(config: Config) -> list[str]:
    """Return a sentence for each cost or constraint of the venue that is switched off.

    Examples
    --------
    >>> from config.load import resolve
    >>> costs_off(resolve("backtest").model)
    []
    >>> costs_off(resolve("backtest", sets=["venue.fees={kind: none}"]).model)
    ['fees are switched off (venue.fees: none)']
    """
    out = []
    for name, (kind, figures) in _FREE.items():
        part = getattr(config.venue, name)
        zeros = [k for k in figures if part.params.get(k) == 0]
        verb = "are" if name == "fees" else "is"
        given = [k for k in figures if k in part.params]
        if part.kind == kind:
            out.append(f"{name} {verb} switched off (venue.{name}: {kind})")
        elif zeros:
            some = "partly " if name == "fees" and (zeros != given or len(zeros) == 1) else ""
            listed = ", ".join(f"venue.{name}.{k} = 0" for k in zeros)
            out.append(f"{name} {verb} {some}switched off ({listed})")
        elif name == "fees" and not _charges(config):
            out.append(
                f"fees are switched off (venue.fees: {part.kind} charges nothing with these parameters)"
            )
    if config.venue.max_volume_share is None:
        out.append("orders may take all of a bar's volume (venue.max_volume_share: none)")
    if config.venue.through_ticks == 0:
        out.append("resting orders are served by a touch (venue.through_ticks = 0)")
    if config.venue.queue_ahead_frac == 0:
        out.append("nobody stands before a resting order (venue.queue_ahead_frac = 0)")
    return out + _carry_off(config)


def _carry_off(config: Config) -> list[str]:
    """Return what holding a leveraged position does not cost."""
    mode = config.account.mode
    terms = config.venue.terms(mode)
    if terms is None:
        return []
    out = []
    if isinstance(terms, PerpetualTerms) and terms.funding_rate == 0:
        out.append("funding is switched off for pairs without a series (venue.perpetual.funding_rate = 0)")
    if isinstance(terms, MarginTerms):
        free = [n for n in ("borrow_base_ann_frac", "borrow_quote_ann_frac") if getattr(terms, n) == 0]
        if free:
            some = "" if len(free) == 2 else "partly "
            out.append(f"interest is {some}switched off ({', '.join(f'venue.margin.{n} = 0' for n in free)})")
    if terms.liquidation_fee_bps == 0:
        out.append(f"liquidation fees are switched off (venue.{mode}.liquidation_fee_bps = 0)")
    if terms.maintenance_frac == 0:
        out.append(f"a position is liquidated only when nothing is left (venue.{mode}.maintenance_frac = 0)")
    return out


def cost_words(metrics: Mapping[str, Any]) -> str:
    """Return what a run paid, in words and to two digits behind the point: fees and slippage always, the rest where
    there was any.

    Slippage is all between the price that was decided on and the fill's: spread, impact and what the market did.

    Examples
    --------
    >>> cost_words({"fees_quote": "3.0625", "slippage_quote": "0.004", "funding_quote": "-2", "borrow_quote": "0"})
    'fees 3.06, slippage 0.004, funding -2.00'
    """
    rest = (("funding", "funding"), ("borrow", "interest"), ("liquidation", "liquidation fees"))
    words = [f"{name} {_short(metrics[f'{name}_quote'])}" for name in ("fees", "slippage")]
    words += [
        f"{text} {_short(metrics[key])}"
        for name, text in rest
        if metrics.get(key := f"{name}_quote", "0") != "0"
    ]
    return ", ".join(words)


def _short(money: str) -> str:
    amount = Decimal(money)
    return f"{amount:.2f}" if amount == 0 or abs(amount) >= Decimal("0.01") else f"{amount:.1g}"


def _charges(config: Config) -> bool:
    part = config.venue.fees
    model = build_model("fees", {"kind": part.kind, "params": part.params})
    pair, one = Instrument(pair="BASE/QUOTE"), Decimal(1)
    return any(model.fee(pair, SELL, one, one, liquidity)[0] > 0 for liquidity in ("maker", "taker"))


def entry_fee_frac(config: Config) -> float:
    """Return the fee of the one purchase that buy and hold makes, as a fraction: that of a taker, mean over the pairs.

    Examples
    --------
    >>> from config.load import resolve
    >>> entry_fee_frac(resolve("backtest", sets=fee_override("0.00075")).model)
    0.00075
    >>> entry_fee_frac(resolve("backtest", files=["preset:kraken"]).model)
    0.004
    """
    part, share = config.venue.fees, config.account.initial_cash_quote / len(config.pairs)
    model = build_model("fees", {"kind": part.kind, "params": part.params})
    paid = [model.fee(Instrument(pair=pair), BUY, share, Decimal(1), "taker")[0] for pair in config.pairs]
    # to the last unit that a venue charges
    return round(float(sum(paid, Decimal(0)) / len(paid) / share), 10)


def fee_override(text: str | None) -> list[str]:
    """Return the override that ``--fee FRAC`` stands for: one rate for resting and taking orders.

    Raises
    ------
    ConfigError
        If it is no fraction.

    Examples
    --------
    >>> fee_override("0.00075")
    ['venue.fees={kind: maker_taker, params: {maker_bps: 7.5, taker_bps: 7.5, discount_frac: 0}}']
    """
    if text is None:
        return []
    try:
        frac = to_decimal(text)
    except InvalidParamsError:
        frac = Decimal(-1)
    if not 0 <= frac < Decimal("0.1"):
        raise ConfigError(
            "FEE_INVALID",
            f"--fee: expected a fraction of the notional from 0 to below 0.1 (0.001 is 0.1 %), found {text!r}",
        )
    bps = normal_str(frac * 10_000)
    params = f"{{maker_bps: {bps}, taker_bps: {bps}, discount_frac: 0}}"
    return [f"venue.fees={{kind: maker_taker, params: {params}}}"]


def costs_of(config: Config, book: CostBook) -> dict[str, Any]:
    """Return the models of a run's costs, what is off, and ``breakdown``: what each took."""
    return {
        **{name: getattr(config.venue, name).kind for name in (*_FREE, "latency")},
        "switched_off": costs_off(config),
        "breakdown": book.report(),
    }


def cost_notes(config: Config) -> list[str]:
    """Return the notes that stand at the top of a report."""
    return [f"COSTS: {text}" for text in costs_off(config)]
