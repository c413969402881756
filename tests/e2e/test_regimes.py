"""`regimes detect` and `regimes bench` as a user runs them."""

from __future__ import annotations

import json
from itertools import pairwise
from math import log, nan
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import small

from actors.domain import registry
from actors.domain.events.regime import REGIMES
from actors.domain.fitting import InlineFits
from actors.domain.model.bars import BarFrame
from actors.domain.processor import derive_seed
from actors.domain.regime.base import STANDING_STILL, WARMING_UP, Observation
from cluster.cli import main as cli
from cluster.cli.demo import export_bars

CELL = {
    "study", "emission", "T", "detector", "causal", "fit_protocol", "trials", "bac_mean", "bac_se", "oracle_bac_mean",
    "diff_mean", "diff_se", "delay_median", "false_switches_per_1000",
}  # fmt: skip
QUICK = [
    "--set", "regime.detectors.jump.params.min_history_bars=150", "--set",
    "regime.detectors.jump.params.lag_steps=5",
]  # fmt: skip


def call(words: list[str], folder: Path) -> tuple[int, dict[str, Any]]:
    """Run a verb in this process; return exit code and document ({} if there is none)."""
    out = folder / "out.json"
    out.unlink(missing_ok=True)
    code = cli.main([*words, "--userdir", str(folder / "ud"), "--no-progress", "--json", str(out)])
    return code, json.loads(out.read_text(encoding="utf-8")) if out.exists() else {}


@pytest.fixture(scope="module")
def bars(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Synthetic bars of two pairs."""
    folder = tmp_path_factory.mktemp("bars")
    export_bars(small.frames(400).values(), folder)
    return folder


def test_detect_says_that_it_hears_no_news(
    bars: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["regimes", "detect", "--data", str(bars), "-p", "BTC/USDT", "-i", "1h", "--detectors", "trend"]
    news = tmp_path / "news.csv"
    news.write_text("date,title\n2021-01-01,Bitcoin soars\n", "utf-8")
    on = f"sentiment={{enabled: true, sources: [{{path: '{news}'}}]}}"
    for more, told in (([], False), (["--set", on], True)):
        code, doc = call([*words, *more], tmp_path)
        assert code == 0
        assert any(n.startswith("SENTIMENT: detect reads bars only") for n in doc["result"]["notes"]) is told
        assert capsys.readouterr().err.count("SENTIMENT: detect reads bars only") == told


def test_a_detector_without_a_view_says_why(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Too few bars, or prices that stand still: no table of dashes and no empty page without a word."""
    frame = small.frames(400)["BTC/USDT"]
    still = {c: np.full(len(frame), 100.0) for c in ("open", "high", "low", "close")}
    constant = BarFrame(
        frame.pair, frame.timeframe_ns, frame.open_ns, volume=frame.volume, source="test", **still
    )
    for name, market, why in (
        ("few", frame.slice_rows(0, 50), WARMING_UP), ("constant", constant, STANDING_STILL)
    ):  # fmt: skip
        folder = tmp_path / name
        export_bars([market], folder)
        words = ["regimes", "detect", "--data", str(folder), "-p", "BTC/USDT", "-i", "1h", "--detectors", "volatility",
                 "--report"]  # fmt: skip
        code, doc = call(words, tmp_path)
        assert code == 0
        view = doc["result"]["views"]["BTC/USDT"]["volatility"]
        assert next(iter(view["reasons"])) == why
        assert sum(view["reasons"].values()) == view["silent_bars"] == len(market)
        assert f"volatility is silent on every bar: {why}" in capsys.readouterr().out
        page = Path(doc["result"]["report"]).read_text(encoding="utf-8")
        assert f"BTC/USDT: no regime on any of {len(market)} bars; volatility: {why}" in page


def test_a_detector_of_one_axis_tells_its_own_states(
    bars: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [
        "regimes",
        "detect",
        "--data",
        str(bars),
        "-p",
        "BTC/USDT",
        "-i",
        "1h",
        "--detectors",
        "volatility",
    ]
    code, doc = call(words, tmp_path)
    assert code == 0
    view = doc["result"]["views"]["BTC/USDT"]["volatility"]
    assert set(view["states_frac"]) <= {"low", "normal", "high"}
    assert sum(view["states_frac"].values()) == pytest.approx(1.0)
    first = next(iter(view["states_frac"]))
    printed = capsys.readouterr().out
    assert f"{first} {view['states_frac'][first]:.0%}" in printed
    assert "tells no bull from a bear" in printed


def test_detect_writes_what_the_detectors_say(bars: Path, tmp_path: Path) -> None:
    words = ["regimes", "detect", "--data", str(bars), "-p", "BTC/USDT", "-i", "1h", "--detectors", "jump", "trend",
             "--out", str(tmp_path / "here"), *QUICK]  # fmt: skip
    code, doc = call(words, tmp_path)
    assert code == 0
    result = doc["result"]
    assert result["detectors"] == ["jump", "trend"]
    found = pq.read_table(result["files"]["BTC/USDT"]).to_pydict()
    assert Path(result["files"]["BTC/USDT"]).parent == tmp_path / "here"
    frame = small.frames(400)["BTC/USDT"]
    assert len(found["timestamp"]) == len(frame) == result["bars"]["BTC/USDT"]
    for kind in ("jump", "trend", "ensemble"):
        p = np.array([found[f"{kind}_p_{r}"] for r in REGIMES])
        np.testing.assert_allclose(p.sum(axis=0), 1.0, atol=1e-9)
        assert result["views"]["BTC/USDT"][kind]["bars"] == len(frame)
        assert result["views"]["BTC/USDT"][kind]["silent_bars"] < 200
    for kind in ("jump", "trend"):
        words_of = result["views"]["BTC/USDT"][kind]
        heard = [i for i, why in enumerate(found[f"{kind}_reason"]) if not why]
        assert 200 < len(heard) < len(frame)
        own = np.array([found[f"{kind}_own_{s}"] for s in words_of["own_states"]], dtype=float)
        np.testing.assert_allclose(own[:, heard].sum(axis=0), 1.0, atol=1e-9)
        assert np.isnan(own[:, 0]).all()  # null where the detector is silent
        assert all(f"{kind}_x_{m}" in found for m in words_of["measures"])
    assert found["trend_x_adx"][-1] > 0.0
    assert found["trend_x_hurst"][-1] is None  # 400 bars are too few for it
    # the same as the detector by itself, with the seed that it has in a fleet
    alone = registry.build(
        "actors.domain.regime", "jump", {"min_history_bars": 150, "lag_steps": 5}, fits=InlineFits(),
        name="regime-jump/BTC/USDT", seed=derive_seed(7, "regime-jump", "BTC/USDT"),
    )  # fmt: skip
    before = nan
    for i, (h, lo, c) in enumerate(zip(frame.high, frame.low, frame.close, strict=True)):
        view = alone.update(Observation(step=i, high=h, low=lo, close=c, log_return=log(c / before)))
        before = float(c)
        assert found["jump_label"][i] == view.label
        assert found["jump_confidence"][i] == pytest.approx(view.confidence, abs=1e-12)


def test_longer_frames_are_detected_beside_the_bars_and_their_agreement_is_told(
    bars: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["regimes", "detect", "--data", str(bars), "-p", "BTC/USDT", "-i", "1h", "--detectors", "trend",
             "--out", str(tmp_path)]  # fmt: skip
    code, doc = call([*words, "--timeframes", "4h", "2h"], tmp_path)
    assert code == 0
    views, frames = (doc["result"][k]["BTC/USDT"] for k in ("views", "frames"))
    assert list(views) == ["trend", "trend-2h", "trend-4h", "ensemble"]
    assert frames["timeframes"] == ["1h", "2h", "4h"]
    # the longest needs four times the bars, and agreement begins with the second one that is heard
    silent = [views[v]["silent_bars"] for v in ("trend", "trend-2h", "trend-4h")]
    assert silent == sorted(silent)
    assert len(set(silent)) == 3
    assert frames["bars"] == 400 - silent[1]
    assert 0.0 < frames["agreement_mean"] < 1.0
    assert 0.0 <= frames["mixed_frac"] <= 1.0
    assert "agreement" in capsys.readouterr().out
    found = pq.read_table(doc["result"]["files"]["BTC/USDT"]).to_pydict()
    opened = [int(t.timestamp()) // 3600 for t in found["timestamp"]]
    column = found["trend-4h_p_bull"]
    moved = [h for h, a, b in zip(opened[1:], column, column[1:], strict=False) if a != b]
    assert moved
    assert all(h % 4 == 3 for h in moved), "a view of four hours moves when its fourth hour has closed"
    code, doc = call(words, tmp_path)
    assert doc["result"]["frames"] == {"BTC/USDT": None}
    code, _ = call([*words, "--timeframes", "90m"], tmp_path)
    assert code == 2


def test_detect_tells_statistics_and_writes_a_page(bars: Path, tmp_path: Path) -> None:
    words = ["regimes", "detect", "--data", str(bars), "-p", "BTC/USDT", "ETH/USDT", "-i", "1h", "--detectors",
             "trend", "volatility", "--set", "regime.detectors.volatility.params.min_history_bars=60"]  # fmt: skip
    code, doc = call([*words, "--report"], tmp_path)
    assert code == 0
    result = doc["result"]
    page = Path(result["report"])
    assert page.parent == Path(result["files"]["BTC/USDT"]).parent
    text = page.read_text(encoding="utf-8")
    for pair in ("BTC/USDT", "ETH/USDT"):
        table = pq.read_table(result["files"][pair]).to_pydict()
        uniform = [
            len({table[f"ensemble_p_{r}"][k] for r in REGIMES}) == 1 for k in range(len(table["timestamp"]))
        ]
        labels = ["" if u else x for u, x in zip(uniform, table["ensemble_label"], strict=True)]
        said = result["statistics"][pair]
        assert (said["bars"], said["unlabelled_bars"]) == (len(labels), labels.count(""))
        assert {r["label"]: r["bars"] for r in said["rows"]} == {
            x: labels.count(x) for x in set(labels) - {""}
        }
        assert said["switches"] == sum(bool(a and b and a != b) for a, b in pairwise(labels))
        assert f"{pair}: how long each regime lasted" in text
        assert f'id="figure-regime-{["BTC/USDT", "ETH/USDT"].index(pair)}-bands"' in text
    assert "SYNTHETIC MARKET" in text
    assert "Nobody knows the true regimes of this market" in text
    elsewhere = tmp_path / "there" / "page.html"
    assert call([*words, "--report", str(elsewhere)], tmp_path)[1]["result"]["report"] == str(elsewhere)
    assert elsewhere.exists()
    assert call(words, tmp_path)[1]["result"]["report"] is None


def test_detect_refuses_what_it_does_not_know(
    bars: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    market = ["--data", str(bars), "-p", "BTC/USDT", "-i", "1h"]
    for words, said in (
        (["regimes", "detect", *market, "--detectors", "jmp"], "jump"),
        (["regimes", "detect", "-p", "BTC/USDT", "-i", "1h"], "--data"),
        (["regimes", "bench", "--trials", "1"], "--trials"),
        (["regimes", "bench", "--lengths", "20"], "--lengths"),
        (["regimes", "bench", "--studies", "three_states", "--lengths", "250"], "500"),
    ):
        code, doc = call(words, tmp_path)
        assert (code, doc) == (2, {})
        assert said in capsys.readouterr().err


@pytest.mark.native  # a dozen fits a trial take minutes on the twins
def test_bench_prints_cells_beside_the_oracle(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["regimes", "bench", "-j", "1", "--trials", "3", "--lengths", "250", "--studies", "two_states"]
    code, doc = call(words, tmp_path)
    assert code == 0
    cells = doc["result"]["cells"]
    assert {(c["emission"], c["T"]) for c in cells} == {("gaussian", 250), ("t5", 250)}
    assert all(set(c) >= CELL and c["trials"] == 3 for c in cells)
    oracle = [c for c in cells if c["detector"] == "oracle_prior"]
    assert all(c["diff_mean"] == 0.0 and c["bac_mean"] == c["oracle_bac_mean"] for c in oracle)
    assert any(c["published_bac"] == 0.655 for c in cells)
    assert (doc["result"]["checks"], doc["result"]["as_shipped"]) == ([], [])
    assert len(doc["result"]["calibration"]) == 2
    # three trials say nothing against print
    assert all(c["published_z"] is None for c in cells)
    assert "nothing was checked: that takes 100 trials" in capsys.readouterr().out
    again = call(words, tmp_path)[1]
    assert again["result"] == doc["result"]
    other = call([*words, "--seed", "8"], tmp_path)[1]
    assert other["result"]["cells"] != cells


@pytest.mark.native  # eight markets of thousands of bars
def test_bench_holds_confidence_against_known_truth(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["regimes", "bench", "-j", "1", "--trials", "2", "--studies", "confidence"]
    code, doc = call(words, tmp_path)
    assert code == 0
    result = doc["result"]
    assert (result["cells"], result["checks"]) == ([], [])
    section = result["confidence"]
    kinds = [(r["market"], r["learns_from"], r["scored_by"]) for r in section["markets"]]
    assert len(kinds) == len(set(kinds)) == 15
    for line in section["markets"]:
        assert line["trials"] == 2
        assert sum(b["bars"] for b in line["bins"]) == line["bars"] == sum(
            level["bars"] for level in line["levels"].values()
        )  # fmt: skip
        gaps = [(b["bars"], abs(b["score"] - b["hit_rate"])) for b in line["bins"]]
        assert line["ece"] == pytest.approx(sum(n * g for n, g in gaps) / line["bars"])
    assert {(r["market"], r["labels"]) for r in section["endings"]} == {
        (m, how) for m in {k[0] for k in kinds} for how in ("truth", "labels")
    }  # fmt: skip
    assert {k[0] for k in kinds} == {"six_regimes", "two_states", "two_states_t5", "three_states", "noise"}
    assert max(section["tuning_seeds"]) < section["first_judged_seed"]
    printed = capsys.readouterr().out
    assert "no skill" in printed
    assert "nothing was checked: that takes 20 trials" in printed
    assert "reliability" in printed


def test_a_range_is_what_is_told_and_the_bars_before_it_are_past(bars: Path, tmp_path: Path) -> None:
    words = [
        "regimes",
        "detect",
        "--data",
        str(bars),
        "-p",
        "BTC/USDT",
        "-i",
        "1h",
        "--detectors",
        "volatility",
    ]
    tables = []
    code, doc = call([*words, "--out", str(tmp_path / "all")], tmp_path)
    assert code == 0
    tables.append(pd.read_parquet(doc["result"]["files"]["BTC/USDT"]))
    times = tables[0]["timestamp"]
    start, end = times[len(times) // 2].normalize(), times[len(times) // 2].normalize() + pd.Timedelta(days=3)
    span = f"{start:%Y%m%d}-{end:%Y%m%d}"
    code, doc = call([*words, "--out", str(tmp_path / "part"), "--timerange", span], tmp_path)
    assert code == 0
    tables.append(pd.read_parquet(doc["result"]["files"]["BTC/USDT"]))
    assert doc["result"]["bars"]["BTC/USDT"] == len(tables[1]) == 72
    inside = tables[0][(times >= start) & (times < end)].reset_index(drop=True)
    pd.testing.assert_frame_equal(tables[1], inside)
    code, _ = call([*words, "--timerange", "20500101-"], tmp_path)
    assert code == 3


def test_named_detectors_keep_their_configured_parameters(bars: Path, tmp_path: Path) -> None:
    """A kind that is configured once keeps its parameters; --set comes after them; another kind has its defaults."""
    own = tmp_path / "own.yaml"
    own.write_text(
        "regime: {detectors: [{kind: volatility, params: {min_history_bars: 150}}, {kind: hmm}]}\n", "utf-8"
    )
    words = [
        "regimes",
        "detect",
        "--data",
        str(bars),
        "-p",
        "BTC/USDT",
        "-i",
        "1h",
        "--out",
        str(tmp_path / "t"),
    ]
    named = [*words, "--detectors", "volatility", "trend"]

    def silent_bars(more: list[str]) -> int:
        code, doc = call([*named, *more], tmp_path)
        assert code == 0
        assert doc["result"]["detectors"] == ["volatility", "trend"]
        table = pq.read_table(next((tmp_path / "t").glob("*.parquet")))
        said = table.column("volatility_confidence").to_pylist()
        return next((i for i, x in enumerate(said) if x), len(said))

    configured = ["-c", str(own)]
    assert (
        silent_bars([])
        != silent_bars(configured)
        == silent_bars(["--set", "regime.detectors.volatility.params.min_history_bars=150"])
    )
    over = ["--set", "regime.detectors.volatility.params.min_history_bars=90"]
    assert silent_bars([*configured, *over]) == silent_bars(over) < silent_bars(configured)
