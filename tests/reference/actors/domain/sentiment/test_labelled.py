"""What people said of headlines: ahead of VADER on crypto by the stated margin, cut-points from training folds only."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from actors.domain.errors import DataError, InsufficientDataError
from actors.domain.sentiment.judging import CLASSES, best_cuts, cross_validated, f1_of, folds
from cluster.bench.sentiment import LEAD_GOAL, accuracy_rows, labelled


@pytest.mark.shared_data
def test_crypto_headlines_ahead_of_vader_and_textblob(shared_data: Path) -> None:
    rows = accuracy_rows(shared_data / "sentiment", 7, 10, learnt=False, sets=["cryptolin"])
    by = {r["scorer"]: r for r in rows}
    assert by["lexicon"]["n"] == 1339
    # the file's own answers and those of the installed peer are the same
    data = labelled(shared_data / "sentiment", "cryptolin")
    assert by["lexicon"]["macro_f1"] > by["textblob"]["macro_f1"] + 0.15
    assert by["lexicon"]["lead_over_vader"] >= LEAD_GOAL
    assert 0.01 < by["lexicon"]["lead_se"] < 0.03
    assert by["lexicon"]["macro_f1"] == pytest.approx(0.60, abs=0.02)
    assert by["vader"]["customary_macro_f1"] == pytest.approx(0.446, abs=0.01)
    truth, said = data.truth, np.array([float(v) for v in data.columns["vader"]])
    file_says = cross_validated(said, truth, seed=7)[0].macro_f1
    assert file_says == pytest.approx(by["vader"]["macro_f1"], abs=0.01)


@pytest.mark.shared_data
def test_financial_sentences_ahead_of_vader(shared_data: Path) -> None:
    rows = accuracy_rows(shared_data / "sentiment", 7, 3, learnt=False, sets=["phrasebank_all"])
    by = {r["scorer"]: r for r in rows}
    assert by["lexicon"]["n"] == 1189
    assert by["lexicon"]["macro_f1"] > 0.70
    assert by["lexicon"]["lead_over_vader"] > 0.15


def test_cut_points_never_see_the_test_fold() -> None:
    rng = np.random.default_rng(1)
    truth = np.repeat(CLASSES, 60)
    noise = rng.standard_normal(180)
    judged, answers = cross_validated(noise, truth, seed=3)
    assert judged.macro_f1 < 0.40, "noise has no skill, however often cut-points are chosen"
    clear, _ = cross_validated(truth + 0.1 * noise, truth, seed=3)
    assert clear.macro_f1 > 0.99
    assert len(answers) == 10
    for train, test in folds(truth, 5, rng):
        assert not set(train) & set(test)
        assert [int(np.sum(truth[test] == c)) for c in CLASSES] == [12, 12, 12]
    with pytest.raises(InsufficientDataError):
        list(folds(np.array([-1, 0, 1]), 2, rng))


def test_best_cuts_are_the_best_of_all_pairs() -> None:
    rng = np.random.default_rng(2)
    for _ in range(5):
        scores = rng.standard_normal(50).round(1)
        truth = rng.integers(-1, 2, 50)
        low, high = best_cuts(scores, truth)

        def macro(a: float, b: float, s: np.ndarray = scores, t: np.ndarray = truth) -> float:
            said = np.where(s <= a, -1, np.where(s > b, 1, 0))
            counts = np.array(
                [[np.sum((t == p) & (said == q)) for q in CLASSES] for p in CLASSES], dtype=float
            )
            return float(f1_of(counts).mean())

        edges = np.concatenate([[-9.0], np.unique(scores) + 0.05, [9.0]])
        best = max(macro(a, b) for a in edges for b in edges if a <= b)
        assert macro(low, high) == pytest.approx(best, abs=0.03)


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="expected columns news and final_manual_labelling"):
        labelled(tmp_path, "cryptolin")
