"""Sharpe ratios under doubt: the worked examples of Bailey & López de Prado (2012, 2014), to their printed digits."""

import numpy as np
import pytest

from actors.domain.errors import InvalidParamsError
from actors.domain.evaluation.metrics.deflated import (
    deflated_sharpe,
    deflated_sharpe_of,
    expected_max_normal,
    expected_max_sharpe,
)
from actors.domain.evaluation.metrics.psr import min_track_record_of, psr_of


@pytest.mark.parametrize(("skew", "kurtosis", "printed"), [(-2.448, 10.164, 0.913), (0.0, 3.0, 0.982)])
def test_probabilistic_sharpe_of_the_paper(skew, kurtosis, printed):
    assert psr_of(0.458, 24, skew, kurtosis) == pytest.approx(printed, abs=5e-4)


@pytest.mark.parametrize(
    ("periods", "skew", "kurtosis", "printed"),
    [(250, 0.0, 3.0, 2.73), (52, 0.0, 3.0, 2.83), (12, 0.0, 3.0, 3.24), (12, -0.72, 5.78, 4.99)],
)
def test_minimum_track_record_of_the_paper_in_years(periods, skew, kurtosis, printed):
    year = periods**0.5
    needed = min_track_record_of(2 / year, skew, kurtosis, benchmark=1 / year, alpha=0.05)
    assert needed / periods == pytest.approx(printed, abs=5e-3)


@pytest.mark.parametrize(("trials", "printed"), [(40, 2.189), (100, 2.531), (1000, 3.255)])
def test_expected_best_of_many_normals(trials, printed):
    assert expected_max_normal(trials) == pytest.approx(printed, abs=5e-4)
    draws = np.random.default_rng(4).standard_normal((4000, trials)).max(axis=1)
    # the formula is an approximation, 0.03 above the truth for 40 trials; three errors of the mean on top
    assert expected_max_normal(trials) == pytest.approx(draws.mean(), abs=0.055)


@pytest.mark.parametrize(("trials", "printed"), [(100, 0.9004), (46, 0.9505)])
def test_deflated_sharpe_of_the_paper(trials, printed):
    if trials == 100:
        assert expected_max_sharpe(trials, 0.5 / 250) == pytest.approx(0.1132, abs=5e-5)
    found = deflated_sharpe_of(2.5 / 250**0.5, 1250, -3.0, 10.0, trials=trials, variance=0.5 / 250)
    assert found == pytest.approx(printed, abs=5e-5)


def test_best_of_noise_does_not_pass_and_a_true_edge_does():
    rng = np.random.default_rng(10)
    noise = rng.standard_normal((100, 1000)) * 0.01
    ratios = noise.mean(axis=1) / noise.std(axis=1, ddof=1)
    assert psr_of(ratios.max(), 1000, 0.0, 3.0) > 0.98  # what a naive reader would believe
    assert deflated_sharpe(noise[ratios.argmax()], ratios) < 0.9
    edge = noise[0] + 0.0025
    assert deflated_sharpe(edge, [*ratios, edge.mean() / edge.std(ddof=1)]) > 0.95


def test_one_trial_is_no_choice():
    with pytest.raises(InvalidParamsError, match="expected at least 2, found 1"):
        deflated_sharpe_of(0.1, 100, 0.0, 3.0, trials=1, variance=0.0)
