"""``stress`` on real bars with the default fleet: the crisis and shock table holds what it promises; bad input."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cluster.cli import main as cli


def call(folder: Path, *words: str) -> tuple[int, dict[str, Any]]:
    out = folder / "out.json"
    code = cli.main(
        ["stress", "--userdir", str(folder / "ud"), "--json", str(out), "--no-progress", "-j", "1", *words]
    )
    return code, json.loads(out.read_text(encoding="utf-8"))["result"] if out.exists() else {}


@pytest.mark.shared_data
@pytest.mark.timeout(600)
def test_the_default_fleet_survives_a_crisis_a_dying_venue_and_an_outage(
    shared_data: Path, tmp_path: Path
) -> None:
    spot = shared_data / "ohlcv" / "binance_spot"
    code, result = call(
        tmp_path, "--data", str(spot / "BTCUSDT_1h.parquet"), "--data", str(spot / "ETHUSDT_1h.parquet"), "-p",
        "BTC/USDT", "ETH/USDT", "-i", "1h", "--timerange", "20230801-20230916", "--only", "covid", "dies",
        "exchange down", "Mt. Gox",
        "--no-strategies", "--no-reverse", "--set", "data.max_warmup_bars=400",
    )  # fmt: skip
    assert code == 0
    rows = {r["kind"]: r for r in result["scenarios"]}
    assert set(rows) == {"crisis", "exchange_down", "venue_dies"}
    assert result["checks"] == {
        "scenarios": 3, "failed": 0, "orders_lost": 0, "orders_doubled": 0, "orders_into_void": 0,
        "ledgers_unbalanced": 0, "ok": True,
    }  # fmt: skip
    assert [s for s in result["skipped"] if s.startswith("Mt. Gox")]
    # from the bars: the half of its value that the market lost in March 2020
    assert rows["crisis"]["market_fall_frac"] == pytest.approx(0.5, abs=0.02)
    assert rows["crisis"]["drawdown_frac"] < 0.05
    assert rows["exchange_down"]["bars_to_half"] > 12
    assert rows["venue_dies"]["bars_to_half"] is None
    assert [t["breaker"] for t in rows["venue_dies"]["breaker_trips"]].count("venue_lost") == 2
    assert rows["venue_dies"]["fills"] == 0
    seen = {r["pair"]: r for r in result["extreme_events"]}["BTC/USDT"]
    assert (seen["crises"], seen["hits"] > 5) == (10, True)
    assert Path(result["report"]).stat().st_size > 1_000_000


@pytest.mark.shared_data
def test_bad_input_is_told(shared_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = (
        "--data",
        str(shared_data / "ohlcv" / "binance_spot" / "BTCUSDT_1h.parquet"),
        "-p",
        "BTC/USDT",
        "-i",
        "1h",
    )
    for words, code, said in (
        (("--only", "meteor"), 2, "--only meteor: expected a scenario"),
        (("--windows", str(tmp_path / "none.csv")), 3, "expected a CSV file"),
        (("--shocks", str(tmp_path / "none.yaml")), 2, "expected a YAML or JSON list"),
        (("--timerange", "20231230-"), 3, "expected at least 168 bars"),
        (("-j", "0"), 2, "expected 1 or more"),
    ):
        assert call(tmp_path, *data, *words)[0] == code
        assert said in capsys.readouterr().err
