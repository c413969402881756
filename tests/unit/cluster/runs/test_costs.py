"""Fees on the command line, what counts as switched off, and presets against the sources they name."""

from __future__ import annotations

import io
import json
import zipfile
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from actors.domain.errors import ConfigError
from cluster.runs.costs import costs_off, fee_override
from config.load import resolve

EXCHANGES = ("binance", "binance_usdm", "bybit", "coinbase", "kraken", "okx")


def off(*sets: str) -> list[str]:
    return costs_off(resolve("backtest", sets=list(sets)).model)


@pytest.mark.parametrize(
    ("sets", "said"),
    [
        (["venue.spread={kind: none}"], "spread is switched off (venue.spread: none)"),
        (["venue.slippage={kind: none}"], "slippage is switched off (venue.slippage: none)"),
        (["venue.spread.params.half_spread_bps=0"], "spread is switched off (venue.spread.half_spread_bps = 0)"),
        (["venue.fees.params.maker_bps=0"], "fees are partly switched off (venue.fees.maker_bps = 0)"),
        (["venue.fees={kind: tiered, params: {tiers: [[0, 0, 0]]}}"],
         "fees are switched off (venue.fees: tiered charges nothing with these parameters)"),
        (["venue.fees.params.discount_frac=1"],
         "fees are switched off (venue.fees: maker_taker charges nothing with these parameters)"),
        (["venue.max_volume_share=null"], "orders may take all of a bar's volume (venue.max_volume_share: none)"),
        (["venue.through_ticks=0"], "resting orders are served by a touch (venue.through_ticks = 0)"),
        (fee_override("0"), "fees are switched off (venue.fees.maker_bps = 0, venue.fees.taker_bps = 0)"),
    ],
)  # fmt: skip
def test_what_is_off_is_said(sets: list[str], said: str) -> None:
    assert off(*sets) == [said]


MARGIN = ["account.mode=margin", "account.leverage=2"]
PERPETUAL = ["account.mode=perpetual", "account.leverage=2"]


@pytest.mark.parametrize(
    ("sets", "said"),
    [
        ([*MARGIN, "venue.margin.borrow_base_ann_frac=0"],
         "interest is partly switched off (venue.margin.borrow_base_ann_frac = 0)"),
        ([*MARGIN, "venue.margin.borrow_base_ann_frac=0", "venue.margin.borrow_quote_ann_frac=0"],
         "interest is switched off (venue.margin.borrow_base_ann_frac = 0, venue.margin.borrow_quote_ann_frac = 0)"),
        ([*PERPETUAL, "venue.perpetual.funding_rate=0"],
         "funding is switched off for pairs without a series (venue.perpetual.funding_rate = 0)"),
        ([*PERPETUAL, "venue.perpetual.liquidation_fee_bps=0"],
         "liquidation fees are switched off (venue.perpetual.liquidation_fee_bps = 0)"),
        ([*MARGIN, "venue.margin.maintenance_frac=0"],
         "a position is liquidated only when nothing is left (venue.margin.maintenance_frac = 0)"),
    ],
)  # fmt: skip
def test_what_holding_does_not_cost_is_said(sets: list[str], said: str) -> None:
    assert off(*sets) == [said]
    # on by default, and not told of accounts that never owe them
    assert off(*sets[:2]) == off(sets[2]) == []


@pytest.mark.parametrize("text", ["0.1", "-0.001", "1", "ten", "nan", "inf", ""])
def test_a_fee_that_is_no_fraction_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="fraction"):
        fee_override(text)


def test_a_fee_replaces_a_preset_s_schedule() -> None:
    fees = resolve("backtest", ["preset:kraken"], sets=fee_override("0.0012")).model.venue.fees
    assert (fees.kind, fees.params) == (
        "maker_taker",
        {"maker_bps": 12, "taker_bps": 12, "discount_frac": 0},
    )


@pytest.mark.parametrize("name", EXCHANGES)
def test_a_preset_of_an_exchange_leaves_no_cost_out(name: str) -> None:
    assert costs_off(resolve("backtest", [f"preset:{name}"]).model) == []


def tiers(name: str) -> list[list[float]]:
    rows: list[list[float]] = resolve("backtest", [f"preset:{name}"]).model.venue.fees.params["tiers"]
    return rows


def test_presets_have_the_fees_of_ccxt_where_they_say_so() -> None:
    import ccxt

    binance = resolve("backtest", ["preset:binance"]).model.venue.fees.params
    trading = ccxt.binance().fees["trading"]
    assert (binance["maker_bps"], binance["taker_bps"]) == (trading["maker"] * 1e4, trading["taker"] * 1e4)
    usdm, linear = (
        resolve("backtest", ["preset:binance_usdm"]).model.venue.fees.params,
        ccxt.binance().fees["linear"],
    )
    assert usdm["maker_bps"] == pytest.approx(linear["trading"]["maker"] * 1e4)
    assert usdm["taker_bps"] == pytest.approx(linear["trading"]["taker"] * 1e4)
    coinbase, found = ccxt.coinbase().fees["trading"], tiers("coinbase")
    assert found[0] == [0, pytest.approx(coinbase["maker"] * 1e4), pytest.approx(coinbase["taker"] * 1e4)]
    makers, takers = coinbase["tiers"]["maker"], coinbase["tiers"]["taker"]
    for row, maker, taker in zip(found[1:], makers[1:], takers[1:], strict=True):
        assert row == [maker[0], pytest.approx(maker[1] * 1e4), pytest.approx(taker[1] * 1e4)]
        assert maker[0] == taker[0]


@pytest.mark.shared_data
def test_the_preset_of_kraken_is_what_kraken_said(shared_data: Path) -> None:
    """A recorded answer of its public AssetPairs: fees in percent, decimals of price and quantity."""
    with zipfile.ZipFile(shared_data / "exchange_traffic" / "nautilus_fixtures.zip") as archive:
        name = next(n for n in archive.namelist() if n.endswith("kraken/http_asset_pairs.json"))
        said: dict[str, Any] = json.load(io.BytesIO(archive.read(name)), parse_float=Decimal)
    pair = said["result"]["XBTUSDT"]
    both = zip(pair["fees_maker"], pair["fees"], strict=True)
    assert tiers("kraken") == [
        [taker[0], float(maker[1] * 100), float(taker[1] * 100)] for maker, taker in both
    ]
    rules = resolve("backtest", ["preset:kraken"]).model.instruments.rules("BTC/USDT")
    assert (str(rules.tick), rules.lot) == (pair["tick_size"], Decimal(1).scaleb(-pair["lot_decimals"]))
