"""The rule of the verdict, the record it rests on, and stitched folds."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from actors.domain.errors import InsufficientDataError, InvalidParamsError
from actors.domain.evaluation.metrics.deflated import deflated_sharpe, expected_max_sharpe
from actors.domain.validation.evidence import EvidenceSettings, record_evidence
from actors.domain.validation.record import TrialRecord
from actors.domain.validation.selection import by_walk_forward, trial_sharpes
from actors.domain.validation.stitching import FoldFigures, stitch
from actors.domain.validation.verdict import verdict_of

ALL_MET: dict[str, Any] = {
    "sample": {"trade_count": 50}, "deflated_sharpe": {"value": 0.97}, "pbo": {"value": 0.1},
    "spa_benchmark": {"consistent": 0.01}, "cpcv": {"worst_path_sharpe_ann": 0.5},
    "walk_forward": {"worst_path_sharpe_ann": 0.4},
}  # fmt: skip
AGAIN: dict[str, Any] = {
    name: {"chosen_sharpe_ann": 2.0, "median_sharpe_ann": 1.5, "positive_frac": 1.0}
    for name in ("neighbours", "noisy_candles", "costs", "resampled_markets")
}
FAST = EvidenceSettings(blocks=8, paths=200)


def record(returns: np.ndarray, **how: Any) -> TrialRecord:
    best = int(trial_sharpes(returns).argmax())
    market = np.random.default_rng(99).standard_normal(len(returns)) * 0.01
    return TrialRecord(returns, best, market, 365.0, 1, how.get("trades", 40), how.get("length", 3.0))


def test_every_check_must_be_met_for_evidence() -> None:
    assert verdict_of(ALL_MET, AGAIN).words == "evidence"
    for name, key, value in (
        ("pbo", "value", 0.21), ("spa_benchmark", "consistent", 0.06), ("cpcv", "worst_path_sharpe_ann", 0.0),
        ("walk_forward", "worst_path_sharpe_ann", None), ("sample", "trade_count", 29),
    ):  # fmt: skip
        found = verdict_of(ALL_MET | {name: {key: value}}, AGAIN)
        assert found.words == "weak evidence", name
        assert len(found.reasons) == len(found.would_change) == 1, name
    for name, change in (
        ("neighbours", {"median_sharpe_ann": 0.9}), ("noisy_candles", {"median_sharpe_ann": None}),
        ("costs", {"positive_frac": 0.9}), ("resampled_markets", {"positive_frac": 0.4}),
    ):  # fmt: skip
        assert verdict_of(ALL_MET, AGAIN | {name: AGAIN[name] | change}).words == "weak evidence", name


def test_nothing_else_helps_where_the_deflated_sharpe_ratio_does_not_convince() -> None:
    for value in (0.9499, None):
        found = verdict_of(ALL_MET | {"deflated_sharpe": {"value": value}}, AGAIN)
        assert found.words == "no evidence"
        assert found.would_change


def test_a_rank_says_nothing_where_all_trials_earn() -> None:
    alike = ALL_MET | {"pbo": {"value": 0.5, "loss_probability": 0.04}}
    assert verdict_of(alike, AGAIN).words == "evidence"
    assert (
        verdict_of(ALL_MET | {"pbo": {"value": 0.5, "loss_probability": 0.06}}, AGAIN).words
        == "weak evidence"
    )


def test_noise_is_not_evidence_and_a_strong_edge_is() -> None:
    rng = np.random.default_rng(4)
    noise = rng.standard_normal((1200, 30)) * 0.01
    found = record_evidence(record(noise), FAST)
    assert verdict_of(found).words == "no evidence"
    own = trial_sharpes(noise)
    assert found["deflated_sharpe"]["value"] == pytest.approx(
        deflated_sharpe(noise[:, int(own.argmax())], own), rel=1e-9
    )
    edge = noise + np.where(np.arange(30) == 3, 0.003, 0.0)
    assert verdict_of(record_evidence(record(edge), FAST)).words == "evidence"


def test_trials_made_before_count() -> None:
    returns = np.random.default_rng(8).standard_normal((600, 12)) * 0.01
    one = record(returns)
    more = TrialRecord(one.returns, one.chosen, one.benchmark, 365.0, 1, 40, 3.0, earlier=488)
    few, many = (record_evidence(r, FAST)["deflated_sharpe"] for r in (one, more))
    assert (few["trials"], many["trials"]) == (12, 500)
    assert many["value"] < few["value"]
    own = trial_sharpes(returns)
    variance = float(own.var(ddof=1))
    assert many["expected_best_sharpe"] == pytest.approx(expected_max_sharpe(500, variance), rel=1e-12)


def test_bars_missing_are_those_that_would_make_it_convincing() -> None:
    rng = np.random.default_rng(8)
    returns = rng.standard_normal((600, 12)) * 0.01
    returns[:, 5] += 0.0012
    dsr = record_evidence(record(returns), FAST)["deflated_sharpe"]
    assert 0.5 < dsr["value"] < 0.95
    factor = -(-dsr["bars_needed"] // 600)
    longer = record(np.tile(returns, (factor, 1)))
    assert dsr["bars_missing"] == dsr["bars_needed"] - 600
    assert record_evidence(longer, FAST)["deflated_sharpe"]["value"] >= 0.95


def test_a_flat_record_is_undefined_and_never_zero() -> None:
    flat = np.zeros((200, 3))
    found = record_evidence(TrialRecord(flat, 0, flat[:, 0], 365.0, 1, 0, None), FAST)
    assert found["sharpe"]["sharpe_ann"] is None
    assert found["deflated_sharpe"]["value"] is None
    assert "undefined" in found["spa_cash"]
    assert verdict_of(found).words == "no evidence"


def test_a_record_that_cannot_be_judged_is_refused() -> None:
    good = np.random.default_rng(0).standard_normal((100, 3))
    with pytest.raises(InsufficientDataError, match="found 63 and 3"):
        TrialRecord(good[:63], 0, good[:63, 0], 365.0, 1, 1, None)
    with pytest.raises(InsufficientDataError, match="2 trials"):
        TrialRecord(good[:, :1], 0, good[:, 0], 365.0, 1, 1, None)
    with pytest.raises(InvalidParamsError, match="finite"):
        TrialRecord(np.where(good > 2.0, np.nan, good), 0, good[:, 0], 365.0, 1, 1, None)


def test_walk_forward_over_trials_chooses_by_the_past_alone() -> None:
    rng = np.random.default_rng(2)
    returns = rng.standard_normal((400, 4)) * 0.01
    first = by_walk_forward(returns, 5, train_folds=3)
    later = returns.copy()
    later[350:] = later[350:][:, ::-1] + 0.05  # the last test alone
    again = by_walk_forward(later, 5, train_folds=3)
    assert [c.chosen for c in again.choices] == [c.chosen for c in first.choices]
    assert np.array_equal(again.paths[0, :-50], first.paths[0, :-50])


def folds(drift: float, seed: int = 0, cagr: float | None = 0.5, trades: int = 12) -> list[FoldFigures]:
    rng = np.random.default_rng(seed)
    return [FoldFigures(rng.standard_normal(400) * 0.01 + drift, cagr, trades) for _ in range(4)]


def test_stitched_is_the_concatenation_and_efficiency_its_growth_over_that_in_sample() -> None:
    parts = folds(0.001)
    market = np.random.default_rng(5).standard_normal(1600) * 0.02
    found = stitch(parts, market, periods_per_year=365.0, seed=7, paths=300)
    assert np.array_equal(found.returns, np.concatenate([p.returns for p in parts]))
    grown = float(np.prod(1.0 + found.returns)) ** (365.0 / 1600) - 1.0
    assert found.metrics["cagr_frac"] == pytest.approx(grown, rel=1e-9)
    assert found.efficiency == pytest.approx(grown / 0.5, rel=1e-9)
    assert found.words == "evidence"


def test_folds_without_an_edge_or_without_trades_show_nothing() -> None:
    market = np.random.default_rng(5).standard_normal(1600) * 0.02
    noise = stitch(folds(0.0, seed=3), market, periods_per_year=365.0, seed=7, paths=200)
    assert noise.words == "no evidence"
    idle = [FoldFigures(np.zeros(400), None, 0) for _ in range(4)]
    found = stitch(idle, market, periods_per_year=365.0, seed=7, paths=200)
    assert (found.words, found.metrics["sharpe_ann"], found.efficiency) == ("no evidence", None, None)
    assert "trades out of sample" in found.would_change[0]
    lost = stitch(folds(0.001, cagr=-0.1), market, periods_per_year=365.0, seed=7, paths=200)
    assert lost.efficiency is None
    assert lost.words == "weak evidence"


def test_trials_that_never_traded_count_and_do_not_lower_the_bar() -> None:
    returns = np.random.default_rng(8).standard_normal((600, 12)) * 0.01
    idle = np.hstack([returns, np.zeros((600, 60))])
    few, many = (record_evidence(record(r), FAST)["deflated_sharpe"] for r in (returns, idle))
    assert (few["trials"], many["trials"]) == (12, 72)
    assert many["sharpe_variance"] == few["sharpe_variance"]
    assert many["expected_best_sharpe"] > few["expected_best_sharpe"]
    lonely = np.hstack([returns[:, :1] + 0.01, np.zeros((600, 3))])
    alone = record_evidence(record(lonely), FAST)["deflated_sharpe"]
    assert (alone["value"], alone["undefined"]) == (None, "fewer than two trials have a Sharpe ratio")


def test_few_runs_under_other_conditions_are_no_full_evidence() -> None:
    assert verdict_of(ALL_MET, AGAIN, rerun_count=10).words == "evidence"
    for count, reruns in ((9, AGAIN), (0, None)):
        found = verdict_of(ALL_MET, reruns, rerun_count=count)
        assert found.words == "weak evidence"
        assert found.reasons == (f"reruns: {count:.2f}, expected at least 10",)
        assert any("--reruns 10 or more" in text for text in found.would_change)
