"""Published examples: probabilistic Sharpe ratio and track record length (Bailey & López de Prado, 2012)."""

import math

import numpy as np
import pytest
from scipy import stats

from actors.domain.evaluation.metrics.moments import skew_kurtosis
from actors.domain.evaluation.metrics.psr import min_track_record_of, psr, psr_of


def test_probabilistic_sharpe_ratio_of_the_paper():
    assert round(psr_of(0.458, 24, -2.448, 10.164), 3) == 0.913
    assert round(psr_of(0.458, 24, 0.0, 3.0), 3) == 0.982


@pytest.mark.parametrize(
    ("periods", "skew", "kurtosis", "years"),
    [(250, 0.0, 3.0, 2.73), (52, 0.0, 3.0, 2.83), (12, 0.0, 3.0, 3.24), (12, -0.72, 5.78, 4.99)],
)
def test_minimum_track_record_of_the_paper(periods, skew, kurtosis, years):
    root = math.sqrt(periods)
    assert round(min_track_record_of(2 / root, skew, kurtosis, 1 / root) / periods, 2) == years


def test_record_of_the_minimum_length_has_exactly_the_confidence():
    length = min_track_record_of(0.1, -0.5, 5.0)
    scale = math.sqrt(1 + 0.5 * 0.1 + 0.25 * 4.0 * 0.01)
    assert stats.norm.cdf(0.1 * math.sqrt(length - 1) / scale) == pytest.approx(0.95)


def test_moments_and_psr_agree_with_scipy():
    r = np.random.default_rng(3).standard_t(5, 500) / 100 + 0.001
    skew, kurtosis = skew_kurtosis(r)
    assert skew == pytest.approx(stats.skew(r))
    assert kurtosis == pytest.approx(stats.kurtosis(r, fisher=False))
    ratio = r.mean() / r.std(ddof=1)
    z = ratio * math.sqrt(499) / math.sqrt(1 - skew * ratio + (kurtosis - 1) / 4 * ratio**2)
    assert psr(r) == pytest.approx(stats.norm.cdf(z))
