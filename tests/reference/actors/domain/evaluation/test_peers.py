"""Ratios, alpha, beta and block lengths beside empyrical-reloaded 0.7.1, quantstats 0.0.86 and arch 8.0.0.

The peers' figures for the same seeded sample are written down here, so that the tests need none of them; where
they are installed, they are asked again, about other samples too. Differences of definition are tests as well: each
of the rows of the table in `actors.domain.evaluation.metrics`.
"""

import math
import warnings

import numpy as np
import pytest

from actors.domain.evaluation.metrics.benchmark import benchmark_statistics
from actors.domain.evaluation.metrics.block_length import optimal_block_length
from actors.domain.evaluation.metrics.summary import ratios_of
from actors.domain.kernels import return_statistics

YEAR = 365.0
# our name → the peer's figure; signs of losses turned, as ours are positive
EMPYRICAL = {
    "sharpe_ann": 2.2305369628520086, "sortino_ann": 3.5102499933966533,
    "volatility_ann_frac": 0.25611187420031933, "cagr_frac": 0.7129581849078541,
    "calmar": 4.069140881539679, "max_drawdown_frac": 0.1752109857248505, "omega": 1.372170350289769,
    "tail_ratio": 1.1800047168567331, "total_return_frac": 1.0902635296423635,
    "var_95_frac": 0.020042778542096837, "es_95_frac": 0.028728513844035033,
}  # fmt: skip
QUANTSTATS = {
    "sharpe_ann": 2.230536962852007, "sortino_ann": 3.51024999339665,
    "volatility_ann_frac": 0.25611187420031933, "cagr_frac": 0.7129581849078541,
    "calmar": 4.069140881539679, "max_drawdown_frac": 0.1752109857248505, "omega": 1.372170350289769,
    "tail_ratio": 1.1800047168567334, "total_return_frac": 1.0902635296423635,
    "profit_factor_bars": 1.372170350289769, "max_consecutive_losing_bars": 6.0,
    "best_bar_frac": 0.05652358203847052, "worst_bar_frac": -0.043927609602512865,
}  # fmt: skip
# losses, signs turned: of the first n returns; of all of them
EMPYRICAL_SHORTFALL = {487: 0.028063639518557046, 500: 0.028728513844035033}
QUANTSTATS_TAIL = {"value_at_risk": 0.02048498367955741, "expected_shortfall": 0.026086598343251173}
ARCH = {"ar": 20.45185288772181, "negative ma": 20.600822201017678}


def sample():
    rng = np.random.default_rng(11)
    r = rng.standard_t(4, 500) * 0.01 + 0.0008
    b = 0.6 * r + rng.standard_normal(500) * 0.008
    r[[50, 51, 200]] = 0.0
    return r, b


def chains():
    rng = np.random.default_rng(12)
    e = rng.standard_normal(3000)
    ar, negative = e.copy(), e.copy()
    for t in range(1, 3000):
        ar[t] += 0.7 * ar[t - 1]
        negative[t] -= 0.4 * negative[t - 1]
    return {"ar": ar, "negative ma": negative}


@pytest.mark.parametrize("peer", [EMPYRICAL, QUANTSTATS], ids=["empyrical", "quantstats"])
def test_same_definitions_give_the_same_figures(peer):
    ours = ratios_of(return_statistics(sample()[0]), YEAR)
    for name, figure in peer.items():
        assert ours[name] == pytest.approx(figure, rel=1e-12), name


def test_where_quantstats_means_something_else():
    r, _ = sample()
    ours, s = ratios_of(return_statistics(r), YEAR), return_statistics(r)
    n = r.size
    # its win rate leaves bars of zero out; ours counts them, as a zero is not a win
    assert ours["win_rate_bars_frac"] == pytest.approx(0.5432595573440644 * (n - 3) / n, rel=1e-12)
    # its ulcer index divides by n - 1
    assert ours["ulcer"] == pytest.approx(0.07990721446623189 * math.sqrt((n - 1) / n), rel=1e-12)
    # its value at risk and shortfall are those of a normal law with the sample's moments
    mean, sd = r.mean(), r.std(ddof=1)
    assert 1.6448536269514722 * sd - mean == pytest.approx(QUANTSTATS_TAIL["value_at_risk"], rel=1e-12)
    density = math.exp(-(1.6448536269514722**2) / 2.0) / math.sqrt(2.0 * math.pi)
    assert sd * density / 0.05 - mean == pytest.approx(QUANTSTATS_TAIL["expected_shortfall"], rel=1e-9)
    assert ours["var_95_frac"] != pytest.approx(QUANTSTATS_TAIL["value_at_risk"], rel=1e-3)
    assert ours["es_95_frac"] != pytest.approx(QUANTSTATS_TAIL["expected_shortfall"], rel=1e-3)
    # its skewness and excess kurtosis are corrected for the sample's size, ours are the population's
    g1, g2 = s.m3 / n / (s.m2 / n) ** 1.5, s.m4 / n / (s.m2 / n) ** 2 - 3.0
    assert (ours["skew"], ours["kurtosis"]) == pytest.approx((g1, g2 + 3.0), rel=1e-12)
    assert g1 * math.sqrt(n * (n - 1)) / (n - 2) == pytest.approx(0.14962504440465377, rel=1e-9)
    corrected = ((n + 1) * g2 + 6.0) * (n - 1) / ((n - 2) * (n - 3))
    assert corrected == pytest.approx(1.5641512068913614, rel=1e-9)
    # its probabilistic Sharpe ratio takes those corrected moments: close, not equal
    assert ours["psr"] == pytest.approx(0.9955386740532318, abs=2e-6)


def test_alpha_and_beta():
    r, b = sample()
    ours = benchmark_statistics(r, b, YEAR)
    assert ours.beta == pytest.approx(0.8308961376044214, rel=1e-12)
    # quantstats multiplies by the periods of a year as we do, empyrical compounds
    assert ours.alpha_ann_frac == pytest.approx(0.28026628226859124, rel=1e-12)
    assert (1.0 + ours.alpha_ann_frac / YEAR) ** YEAR - 1.0 == pytest.approx(0.3233398569310446, rel=1e-12)
    # quantstats does not annualise the information ratio
    assert ours.information_ratio_ann == pytest.approx(0.059691032433897805 * math.sqrt(YEAR), rel=1e-12)


@pytest.mark.parametrize("name", ARCH)
def test_block_length_of_arch(name):
    assert optimal_block_length(chains()[name]) == pytest.approx(ARCH[name], rel=1e-9)


def test_block_length_is_never_below_one_bar():
    # arch prints 0.21 for these returns; a block shorter than a bar does not exist
    assert optimal_block_length(sample()[0]) == 1.0


@pytest.mark.parametrize("n", [487, 500])
def test_where_empyrical_means_another_shortfall(n):
    r = sample()[0][:n]
    ours, worst = ratios_of(return_statistics(r), YEAR), np.sort(r)
    # its shortfall is the mean of the worst int((n - 1) a) + 1 returns: more than a share a of them, mostly
    whole = int((n - 1) * 0.05) + 1
    assert -worst[:whole].mean() == pytest.approx(EMPYRICAL_SHORTFALL[n], rel=1e-12)
    # ours is that of exactly a share a (Acerbi & Tasche 2002): the last one counts for a part
    mass = 0.05 * n
    part = -(worst[: int(mass)].sum() + (mass - int(mass)) * worst[int(mass)]) / mass
    assert ours["es_95_frac"] == pytest.approx(part, rel=1e-12)
    assert (ours["es_95_frac"] == pytest.approx(EMPYRICAL_SHORTFALL[n], rel=1e-9)) == (n == 500)


# our name → how the peers are asked
ASK_EMPYRICAL = {
    "sharpe_ann": lambda e, r: e.sharpe_ratio(r, annualization=YEAR),
    "sortino_ann": lambda e, r: e.sortino_ratio(r, annualization=YEAR),
    "volatility_ann_frac": lambda e, r: e.annual_volatility(r, annualization=YEAR),
    "cagr_frac": lambda e, r: e.annual_return(r, annualization=YEAR),
    "calmar": lambda e, r: e.calmar_ratio(r, annualization=YEAR),
    "max_drawdown_frac": lambda e, r: -e.max_drawdown(r),
    "omega": lambda e, r: e.omega_ratio(r),
    "tail_ratio": lambda e, r: e.tail_ratio(r),
    "total_return_frac": lambda e, r: e.cum_returns_final(r),
    "var_95_frac": lambda e, r: -e.value_at_risk(r),
}
ASK_QUANTSTATS = {
    "sharpe_ann": lambda q, r: q.sharpe(r, periods=YEAR),
    "sortino_ann": lambda q, r: q.sortino(r, periods=YEAR),
    "volatility_ann_frac": lambda q, r: q.volatility(r, periods=YEAR),
    "cagr_frac": lambda q, r: q.cagr(r, periods=YEAR),
    "calmar": lambda q, r: q.calmar(r, periods=YEAR),
    "max_drawdown_frac": lambda q, r: -q.max_drawdown(r),
    "omega": lambda q, r: q.omega(r),
    "tail_ratio": lambda q, r: q.tail_ratio(r),
    "total_return_frac": lambda q, r: q.comp(r),
    "profit_factor_bars": lambda q, r: q.profit_factor(r),
    "max_consecutive_losing_bars": lambda q, r: q.consecutive_losses(r),
    "best_bar_frac": lambda q, r: q.best(r),
    "worst_bar_frac": lambda q, r: q.worst(r),
}


@pytest.mark.parametrize("seed", range(6))
def test_the_peers_themselves_where_they_are_installed(seed):
    pandas = pytest.importorskip("pandas")
    rng = np.random.default_rng(seed)
    n = int(rng.integers(60, 900))
    r = rng.standard_t(3 + seed, n) * 0.012 + rng.uniform(-0.001, 0.002)
    r[rng.integers(0, n, n // 20)] = 0.0
    series = pandas.Series(r, index=pandas.date_range("2020-01-01", periods=n))
    ours = ratios_of(return_statistics(r), YEAR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        empyrical = pytest.importorskip("empyrical")
        stats = pytest.importorskip("quantstats.stats")
        found = {f"empyrical {k}": ask(empyrical, r) for k, ask in ASK_EMPYRICAL.items()}
        found |= {f"quantstats {k}": ask(stats, series) for k, ask in ASK_QUANTSTATS.items()}
    for name, figure in found.items():
        assert ours[name.split()[1]] == pytest.approx(float(figure), rel=1e-9), name


def test_written_down_figures_are_the_peers_own_where_they_are_installed():
    pandas = pytest.importorskip("pandas")
    r = sample()[0]
    series = pandas.Series(r, index=pandas.date_range("2020-01-01", periods=r.size))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        empyrical = pytest.importorskip("empyrical")
        stats = pytest.importorskip("quantstats.stats")
        shortfall = {n: -empyrical.conditional_value_at_risk(r[:n]) for n in EMPYRICAL_SHORTFALL}
        tail = {name: -getattr(stats, name)(series) for name in QUANTSTATS_TAIL}
        ulcer = stats.ulcer_index(series)
    assert shortfall == pytest.approx(EMPYRICAL_SHORTFALL, rel=1e-12)
    assert tail == pytest.approx(QUANTSTATS_TAIL, rel=1e-12)
    assert ulcer == pytest.approx(0.07990721446623189, rel=1e-12)


def test_arch_itself_where_it_is_installed():
    bootstrap = pytest.importorskip("arch.bootstrap")
    for name, x in chains().items():
        assert float(bootstrap.optimal_block_length(x)["stationary"].iloc[0]) == pytest.approx(ARCH[name])
