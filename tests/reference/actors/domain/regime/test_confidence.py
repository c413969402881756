"""Confidence against known truth, on markets that were not used in tuning; `regimes bench` runs the same at length."""

from __future__ import annotations

import numpy as np
import pytest

from actors.domain.evaluation import confidence_summary as summary
from actors.domain.evaluation.confidence_study import (
    FIRST_JUDGED,
    TUNING,
    ConfidenceCell,
    ConfidenceScore,
    run_confidence,
)
from actors.domain.events.regime import HIGH, LOW

pytestmark = pytest.mark.native
TRIALS = 5
BARS = {"six_regimes": 5000, "two_states": 8000, "noise": 5000}
"""Two states are seldom in doubt: sets need so many bars."""


@pytest.fixture(scope="module")
def trials() -> dict[ConfidenceCell, list[ConfidenceScore]]:
    return {
        ConfidenceCell(market): [
            run_confidence(BARS[market], ConfidenceCell(market), np.random.default_rng([91, i]))
            for i in range(TRIALS)
        ]
        for market in BARS
    }


def row(rows: list[dict], **wanted: str) -> dict:
    (found,) = [r for r in rows if all(r[k] == v for k, v in wanted.items())]
    return found


def test_no_market_that_judges_was_used_in_tuning() -> None:
    assert max(TUNING) < FIRST_JUDGED


def test_scores_are_as_right_as_they_say(trials: dict) -> None:
    rows = summary.scores(trials)
    for market, error in (("six_regimes", 0.06), ("two_states", 0.03)):  # few bars: the bench is stricter
        told = row(rows, market=market, learns_from="truth", scored_by="truth")
        high, low = told["levels"][HIGH], told["levels"][LOW]
        assert told["ece"] <= error
        assert high["hit_rate"] >= 0.75
        assert high["hit_rate"] > high["score"] - 2.0 * high["gap_se"]
        assert high["hit_rate"] > low["hit_rate"] + 0.2
        assert told["brier"] < told["base_rate"] * (1.0 - told["base_rate"])
        assert sum(b["bars"] for b in told["bins"]) == told["bars"] == TRIALS * (BARS[market] - 700)


def test_scores_that_know_no_truth_are_as_right_as_they_say(trials: dict) -> None:
    rows = summary.scores(trials)
    for market, error in (("six_regimes", 0.07), ("two_states", 0.03)):
        alone = row(rows, market=market, learns_from="labels", scored_by="truth")
        high, low = alone["levels"][HIGH], alone["levels"][LOW]
        assert alone["ece"] <= error
        assert high["bars"] > 0.2 * alone["bars"]
        assert high["hit_rate"] > high["score"] - 2.0 * high["gap_se"]
        assert high["hit_rate"] > low["hit_rate"] + 0.2
        assert alone["set_coverage"] > 0.9 - 3.0 * alone["set_coverage_se"]
        assert alone["market_ece_worst"] >= alone["market_ece_mean"] >= alone["ece"] - 1e-12
    # hindsight agrees with what was said more often than the truth does: scores must not believe it
    labels = row(rows, market="six_regimes", learns_from="labels", scored_by="labels")
    assert labels["levels"][HIGH]["hit_rate"] > labels["levels"][HIGH]["score"] + 0.03


def test_the_checks_judge_what_live_trading_has(trials: dict, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(summary, "LEAST_TRIALS", TRIALS)
    rows, ended = summary.scores(trials), summary.endings(trials)
    names = [c["name"] for c in summary.checks(rows, ended)]
    assert "expected calibration error of confidence, six_regimes, learnt from labels" in names
    assert "sets hold the right regime, two_states, learnt from labels" in names
    assert not any("noise, learnt" in name for name in names)
    for r in rows:  # a score that promises too much, and sets that hold too little, are told
        r["ece"], r["set_coverage"], r["set_coverage_se"] = 0.2, 0.6, 0.01
        r["levels"][HIGH]["score"] = 0.99
    failed = [c["name"] for c in summary.checks(rows, ended) if not c["met"]]
    assert len([n for n in failed if "learnt from labels" in n]) == 6


def test_ends_are_foreseen_where_they_can_be_and_not_in_noise(trials: dict) -> None:
    rows = summary.endings(trials)
    assert row(rows, market="two_states", labels="truth")["skill"] > 0.01
    noise = row(rows, market="noise", labels="truth")
    assert noise["skill"] < 0.0
    assert noise["skilled_trials"] == 0


def test_a_trial_is_a_function_of_its_generator() -> None:
    cell = ConfidenceCell("two_states")
    one, two = (run_confidence(1500, cell, np.random.default_rng(3)) for _ in range(2))
    other = run_confidence(1500, cell, np.random.default_rng(4))
    assert one.scored["truth"].tally.result() == two.scored["truth"].tally.result()
    assert one.endings == two.endings
    assert one.scored["truth"].tally.result() != other.scored["truth"].tally.result()


def test_standard_errors_are_jackknifed_over_markets(trials: dict) -> None:
    found = trials[ConfidenceCell("two_states")]
    parts = [f.endings["truth"] for f in found]
    skills = []
    for i in range(TRIALS):
        rest = [p for j, p in enumerate(parts) if j != i]
        skills.append(1.0 - sum(p.loss for p in rest) / sum(p.base_loss for p in rest))
    expected = np.sqrt((TRIALS - 1) * np.var(skills))
    (line,) = [r for r in summary.endings({ConfidenceCell("two_states"): found}) if r["labels"] == "truth"]
    assert line["skill_se"] == pytest.approx(expected)
