import numpy as np
import pytest
from pydantic import ValidationError
from scipy.stats import kurtosis

from actors.domain.simulation.synthetic.chain import draw_regimes
from actors.domain.simulation.synthetic.market import SyntheticMarket, generate
from actors.domain.simulation.synthetic.params import DEFAULT_REGIMES, AssetParams, SyntheticParams

PAIRS = ("BTC/USDT", "ETH/USDT", "SOL/USDT")


@pytest.fixture(scope="module")
def market() -> SyntheticMarket:
    return generate(SyntheticParams(n_bars=12_000), seed=11)


def _returns(market: SyntheticMarket) -> np.ndarray:
    return np.array([np.log(f.close / f.open) for f in market.frames.values()])


def _by_regime(market: SyntheticMarket, name: str) -> np.ndarray:
    return np.asarray(market.regime_names)[market.truth] == name


def test_every_frame_says_that_it_is_synthetic(market: SyntheticMarket) -> None:
    assert tuple(market.frames) == PAIRS
    assert all(f.synthetic and "synthetic" in f.source for f in market.frames.values())
    assert all(len(f) == len(market.truth) == 12_000 for f in market.frames.values())
    assert not any(f.gaps() for f in market.frames.values())


def test_the_same_seed_gives_the_same_market_and_another_seed_another() -> None:
    params = SyntheticParams(n_bars=200)
    first, again, other = (generate(params, seed=s) for s in (3, 3, 4))
    assert [f.data_hash for f in first.frames.values()] == [f.data_hash for f in again.frames.values()]
    assert all(first.frames[p].data_hash != other.frames[p].data_hash for p in PAIRS)


@pytest.mark.parametrize("n", [1, 2, 371, 1999])
def test_a_longer_market_begins_with_the_shorter_one(n: int) -> None:
    short, long = (generate(SyntheticParams(n_bars=k), seed=5) for k in (n, 2000))
    np.testing.assert_array_equal(short.truth, long.truth[:n])
    for pair in PAIRS:
        assert short.frames[pair].equals(long.frames[pair].slice_rows(0, n))
        np.testing.assert_array_equal(short.spreads_bps[pair], long.spreads_bps[pair][:n])


def test_tails_are_fat_also_within_a_regime(market: SyntheticMarket) -> None:
    planted = np.array([r.volatility_bars for r in market.params.regimes])[market.truth]
    for returns in _returns(market):
        assert kurtosis(returns, fisher=False) > 6
        assert kurtosis(returns / planted, fisher=False) > 4


def test_volatility_clusters_also_within_a_regime(market: SyntheticMarket) -> None:
    planted = np.array([r.volatility_bars for r in market.params.regimes])[market.truth]
    for returns in _returns(market):
        for series in (np.abs(returns), np.abs(returns / planted)):
            for lag in (1, 5, 10):
                # three standard errors of an independent series
                assert np.corrcoef(series[:-lag], series[lag:])[0, 1] > 3 / np.sqrt(len(series))
        assert abs(np.corrcoef(returns[:-1], returns[1:])[0, 1]) < 0.06


def test_assets_correlate_as_planted(market: SyntheticMarket) -> None:
    planted = np.array([r.volatility_bars for r in market.params.regimes])[market.truth]
    found = np.corrcoef(_returns(market) / planted)
    np.testing.assert_allclose(found, market.planted_correlation, atol=0.06)


def test_each_regime_moves_as_its_name_says() -> None:
    market = generate(SyntheticParams(n_bars=40_000), seed=2)
    returns = _returns(market)[0]
    mean, spread, volume, deviation = {}, {}, {}, {}
    for regime in market.params.regimes:
        rows = _by_regime(market, regime.name)
        assert rows.any()
        mean[regime.name], deviation[regime.name] = returns[rows].mean(), returns[rows].std()
        spread[regime.name] = market.spreads_bps["BTC/USDT"][rows].mean()
        volume[regime.name] = market.frames["BTC/USDT"].volume[rows].mean()
        standard_error = returns[rows].std() / np.sqrt(rows.sum())
        assert abs(mean[regime.name] - regime.drift_bars) < 5 * standard_error + 1e-4
        assert deviation[regime.name] == pytest.approx(regime.volatility_bars, rel=0.3)
    assert mean["crash"] < mean["bear"] < 0 < mean["bull"]
    by_deviation = sorted(deviation, key=lambda name: deviation[name])
    assert by_deviation == ["low_volatility", "sideways", "bull", "bear", "high_volatility", "crash"]
    for answer in (volume, spread):
        assert max(answer, key=lambda name: answer[name]) == "crash"
        assert min(answer, key=lambda name: answer[name]) == "low_volatility"


def test_regimes_last_as_planted() -> None:
    truth = draw_regimes(DEFAULT_REGIMES, "sideways", 300_000, np.random.default_rng(7))
    names = [r.name for r in DEFAULT_REGIMES]
    starts = np.flatnonzero(np.diff(truth, prepend=-1))
    lengths, states = np.diff(starts), truth[starts[:-1]]
    for k, regime in enumerate(DEFAULT_REGIMES):
        found = lengths[states == k]
        assert found.min() >= regime.min_duration_bars
        error = found.std() / np.sqrt(len(found))
        assert abs(found.mean() - regime.mean_duration_bars) < 4 * error
        followers = {names[s] for s in truth[starts[1:]][states == k]}
        assert followers <= set(regime.next_weights)


def test_prices_lie_on_the_tick_and_volume_on_the_lot(market: SyntheticMarket) -> None:
    for asset in market.params.assets:
        frame = market.frames[asset.pair]
        for column in (frame.open, frame.high, frame.low, frame.close):
            np.testing.assert_array_equal(column, np.round(column, asset.price_decimals))
        np.testing.assert_array_equal(frame.volume, np.round(frame.volume, asset.volume_decimals))
        np.testing.assert_array_equal(frame.open[1:], frame.close[:-1])
        assert (frame.volume > 0).all()
        assert (market.spreads_bps[asset.pair] > 0).all()


def test_the_range_inside_a_bar_fits_its_volatility(market: SyntheticMarket) -> None:
    frame = market.frames["BTC/USDT"]
    # for a Brownian path the mean squared log range is 4 ln 2 of the variance (Parkinson 1980)
    ratio = np.mean(np.log(frame.high / frame.low) ** 2) / np.mean(np.log(frame.close / frame.open) ** 2)
    assert ratio == pytest.approx(4 * np.log(2), rel=0.2)


def test_volume_answers_to_the_size_of_the_move(market: SyntheticMarket) -> None:
    frame = market.frames["ETH/USDT"]
    rows = _by_regime(market, "bull")
    moves, volume = np.abs(np.log(frame.close / frame.open))[rows], np.log(frame.volume)[rows]
    assert np.corrcoef(moves, volume)[0, 1] > 0.2


def test_a_price_cannot_fall_below_one_tick() -> None:
    sinking = DEFAULT_REGIMES[0].model_copy(update={"drift_bars": -0.2})
    other = DEFAULT_REGIMES[2].model_copy(
        update={"next_weights": {"bull": 1.0}, "drift_bars": -0.2, "pull_bars": 0.0}
    )
    sinking = sinking.model_copy(update={"next_weights": {"sideways": 1.0}})
    asset = AssetParams(pair="A/B", start_price=1.0, price_decimals=2)
    market = generate(SyntheticParams(n_bars=300, assets=(asset,), regimes=(sinking, other)))
    assert market.frames["A/B"].low.min() == 0.01


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"garch_alpha": 0.5, "garch_beta": 0.5}, "garch_alpha"),
        ({"first_regime": "boom"}, "boom"),
        ({"n_bars": 0}, "n_bars"),
        ({"shock_dof": 2.0}, "shock_dof"),
        ({"unknown": 1}, "unknown"),
        ({"assets": (AssetParams(pair="A/B", start_price=1, price_decimals=2),) * 2}, "distinct"),
    ],
)
def test_contradictory_parameters_are_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        SyntheticParams(**changes)  # type: ignore[arg-type]


def test_the_truth_is_published_read_only(market: SyntheticMarket) -> None:
    assert market.truth.dtype == np.int8
    with pytest.raises(ValueError, match="read-only"):
        market.truth[0] = 1
