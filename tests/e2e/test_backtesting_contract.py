"""The JSON of backtesting: every key of the contract has its type, money is decimal text, times are RFC 3339 UTC."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from actors.adapters.storage.bar_store import BarStore
from actors.domain.simulation.synthetic.market import generate
from actors.domain.simulation.synthetic.params import SyntheticParams
from cluster.cli import main as cli

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
HASH = re.compile(r"[0-9a-f]{64}")
TRADE = {
    "pair": str, "side": str, "opened_at": str, "closed_at": str, "quantity": str, "entry_price": str,
    "exit_price": str, "fees_quote": str, "slippage_quote": str, "pnl_quote": str, "return_frac": float,
    "duration_bars": int, "exit_reason": str, "strategy": str,
}  # fmt: skip
COUNTS = ("warmup_bars", "decisions", "orders", "fills", "trade_count")


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Two strategies on two synthetic pairs."""
    folder = tmp_path_factory.mktemp("contract")
    store, words = BarStore(folder), []
    for pair, frame in list(generate(SyntheticParams(n_bars=900), 7).frames.items())[:2]:
        words += ["--data", f"{pair}={store.write(frame)}"]
    out = folder / "out.json"
    words += [
        "-s",
        "ma_crossover",
        "rsi",
        "-p",
        "BTC/USDT",
        "ETH/USDT",
        "-i",
        "1h",
        "--userdir",
        str(folder / "ud"),
    ]
    assert cli.main(["backtesting", *words, "--no-progress", "--json", str(out)]) == 0
    found: dict[str, Any] = json.loads(out.read_text(encoding="utf-8"), parse_constant=pytest.fail)
    return found


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, str, Any]]:
    """Yield ``(path, key, value)`` of everything that is no container."""
    if isinstance(value, dict):
        for k, v in value.items():
            yield from leaves(v, f"{path}.{k}")
    elif isinstance(value, list):
        for i, v in enumerate(value):
            yield from leaves(v, f"{path}[{i}]")
    else:
        yield path, path.rpartition(".")[2].partition("[")[0], value


def test_head_and_counts(document: dict[str, Any]) -> None:
    assert set(document) == {
        "tradewind", "verb", "seed", "config_hash", "data_hash", "kernel_backend", "started_at", "duration_s", "result",
    }  # fmt: skip
    assert TIME.fullmatch(document["started_at"])
    result = document["result"]
    assert all(
        HASH.fullmatch(h) for h in (document["config_hash"], document["data_hash"], result["decision_hash"])
    )
    for name in COUNTS:
        assert type(result[name]) is int, name
    assert Path(result["report"]).is_file()
    assert result["trade_count"] == len(result["trades"]) > 0


def test_trades_have_the_types_of_the_contract(document: dict[str, Any]) -> None:
    for trade in document["result"]["trades"]:
        for name, kind in TRADE.items():
            assert type(trade[name]) is kind, name
        assert trade["side"] in ("long", "short")
        assert TIME.fullmatch(trade["opened_at"])
        assert trade["opened_at"] < trade["closed_at"]


def test_money_is_decimal_text_wherever_it_stands(document: dict[str, Any]) -> None:
    seen = 0
    for path, key, value in leaves(document["result"]):
        if key.endswith(("_quote", "_price")) or key == "quantity":
            assert value is None or type(value) is str, path
            assert value is None or Decimal(value).is_finite(), path
            seen += 1
        if key.endswith("_at"):
            assert TIME.fullmatch(value), path
        if key.endswith("_ns"):
            assert value is None or type(value) is int, path
        if key.endswith("_frac"):
            assert value is None or type(value) in (float, int), path
    assert seen > 100
