"""What the detectors that learn promise beyond the contract: meaning, alignment, choice of a penalty, fresh fits."""

from __future__ import annotations

from math import log, nan

import numpy as np
import pytest

from actors.domain import registry
from actors.domain.errors import InvalidParamsError
from actors.domain.events.regime import REGIMES
from actors.domain.fitting import InlineFits
from actors.domain.regime.base import Assessment, Detector, Observation
from actors.domain.regime.clustering import fit_clusters
from actors.domain.regime.garch import fit_garch
from actors.domain.regime.jump import fit_jump
from actors.domain.regime.walk_forward import WalkForward

PACKAGE = "actors.domain.regime"
QUICK = {"min_history_bars": 300, "refit_every_bars": 300, "window_bars": 900, "lag_steps": 5}
PERIOD = 150


def planted(
    bars: int, seed: int, drifts: tuple[float, ...], deviations: tuple[float, ...]
) -> list[Observation]:
    """States that take turns every `PERIOD` bars; drift in deviations of a bar."""
    rng = np.random.default_rng(seed)
    which = np.arange(bars) // PERIOD % len(drifts)
    sigma = np.array(deviations)[which]
    returns = sigma * (np.array(drifts)[which] + rng.standard_t(5, bars) * np.sqrt(3 / 5))
    close = 100.0 * np.exp(np.cumsum(returns))
    wick = rng.exponential(0.5, (2, bars)) * sigma
    before = np.concatenate([[100.0], close[:-1]])
    high, low = np.maximum(close, before) * np.exp(wick[0]), np.minimum(close, before) * np.exp(-wick[1])
    rows = zip(high.tolist(), low.tolist(), close.tolist(), before.tolist(), strict=True)
    return [
        Observation(step=i, high=h, low=lo, close=c, log_return=log(c / b) if i else nan)
        for i, (h, lo, c, b) in enumerate(rows)
    ]


def make(kind: str, **params: object) -> Detector:
    return registry.build(PACKAGE, kind, params, fits=InlineFits(), name=f"x/{kind}", seed=3)


def views(detector: Detector, bars: list[Observation]) -> list[Assessment]:
    return [detector.update(o) for o in bars]


@pytest.mark.parametrize("kind", ["student_hmm", "jump", "clustering", "garch", "change_point"])
def test_turbulence_is_told_from_calm(kind: str) -> None:
    bars = planted(2400, 5, (0.0, 0.0), (0.002, 0.008))
    params = QUICK if kind not in ("change_point",) else {}
    said = views(make(kind, **params), bars)
    turbulent = np.arange(2400) // PERIOD % 2 == 1
    late = (np.arange(2400) > 1000) & (np.arange(2400) % PERIOD > 40)
    weight = np.array([v.probabilities[REGIMES.index("high_volatility")] for v in said])
    weight += np.array([v.probabilities[REGIMES.index("crash")] for v in said])
    assert weight[late & turbulent].mean() > weight[late & ~turbulent].mean() + 0.2


@pytest.mark.parametrize("kind", ["momentum", "jump", "clustering", "change_point"])
def test_up_is_told_from_down(kind: str) -> None:
    bars = planted(2400, 6, (0.35, -0.35), (0.005, 0.005))
    params = QUICK if kind in ("jump", "clustering") else {}
    if kind == "momentum":
        params = {"horizons_bars": (12, 24, 48)}
    said = views(make(kind, **params), bars)
    up = np.arange(2400) // PERIOD % 2 == 0
    late = (np.arange(2400) > 1000) & (np.arange(2400) % PERIOD > 80)
    lean = np.array(
        [v.probabilities[REGIMES.index("bull")] - v.probabilities[REGIMES.index("bear")] for v in said]
    )
    assert lean[late & up].mean() > lean[late & ~up].mean() + 0.15


@pytest.mark.parametrize("kind", ["jump", "clustering", "student_hmm"])
def test_numbers_of_the_states_do_not_change_the_view(kind: str) -> None:
    bars = planted(1200, 7, (0.2, -0.2, 0.0), (0.003, 0.006, 0.012))
    one, two = make(kind, **QUICK), make(kind, **QUICK)
    inner = type(two).fit
    shuffled = {
        "jump": ("centres", "drift", "level"),
        "clustering": ("means", "roots", "norms", "drift", "level"),
        "student_hmm": ("start", "means", "variances", "scales", "dof", "drift", "level"),
    }[kind]

    def permuted(*args: object) -> dict[str, object]:
        model = inner(*args)
        k = len(model[shuffled[0]])
        order = np.roll(np.arange(k), 1)
        out = model | {name: np.ascontiguousarray(model[name][order]) for name in shuffled}
        if "transitions" in model:
            out["transitions"] = np.ascontiguousarray(model["transitions"][np.ix_(order, order)])
        return out

    two._refit._fn = permuted
    for a, b in zip(views(one, bars), views(two, bars), strict=True):
        assert b.probabilities == pytest.approx(a.probabilities, abs=1e-9)
    assert one._model is not None


def test_a_refit_continues_the_old_numbers() -> None:
    past = np.random.default_rng(1).standard_normal((900, 5))
    past[:, :4] += 5.0 * np.eye(4)[np.arange(900) // 100 % 3 % 4]
    first = fit_clusters(past, "gmm", 3, 3, 50, 7, None)
    before = {name: first[name] for name in ("centre", "scale", "means", "roots", "norms")}
    assert first["alignment"] != first["alignment"]
    for seed in (8, 9, 10):  # other draws number the same clusters otherwise
        again = fit_clusters(past, "gmm", 3, 3, 50, seed, before)
        np.testing.assert_allclose(again["means"], first["means"], atol=0.05)
        assert again["alignment"] < 0.05
        assert again["churn"] < 0.01


def test_clustering_tells_how_far_its_refits_moved() -> None:
    detector = make("clustering", **QUICK)
    assert detector.alignment is None
    views(detector, planted(1200, 7, (0.0, 0.0), (0.003, 0.01)))
    assert 0.0 <= detector.alignment < 4.0
    assert 0.0 <= detector.churn <= 1.0


def test_the_penalty_is_chosen_on_bars_that_were_not_fitted() -> None:
    rng = np.random.default_rng(2)
    bars = planted(1500, 9, (0.0, 0.0), (0.002, 0.01))
    detector = make("jump", **QUICK)
    rows = np.array([detector._features(o) for o in bars[1:]])
    model = fit_jump(rows, 2, (1.0, 20.0, 1e6), 3, 7)
    assert model["penalty"] != 1e6  # one state for all bars foretells returns worst here
    assert model["scores"][:2].max() > model["scores"][2] + 0.05
    # changing the newest third changes the choice's scores, never the candidates' fit before it
    noise = rows.copy()
    noise[1000:, 3] = 0.005 * rng.standard_normal(len(noise) - 1000)
    assert not np.array_equal(fit_jump(noise, 2, (1.0, 20.0, 1e6), 3, 7)["scores"], model["scores"])
    assert np.isnan(fit_jump(rows, 2, (20.0,), 3, 7)["scores"]).all()


@pytest.mark.parametrize("grid_step", [None, 0.25])
def test_bars_that_are_foretold_do_not_scale_those_that_are_fitted(grid_step: float | None) -> None:
    """The last bar's state foretells nothing, so its features may move the judging through the scaler only."""
    rng = np.random.default_rng(5)
    rows = np.c_[rng.standard_normal((300, 3)), 0.01 * rng.standard_normal(300)]
    wild = rows.copy()
    wild[-1, :3] = 50.0
    one, two = (fit_jump(past, 2, (1.0, 20.0), 3, 7, grid_step)["scores"] for past in (rows, wild))
    assert np.isfinite(one).all()
    assert one.tolist() == two.tolist()


def test_unfit_parameters_are_refused() -> None:
    for kind, params in (
        ("jump", {"penalties": ()}),
        ("jump", {"penalties": (5.0, -1.0)}),
        ("jump", {"penalties": (nan,)}),
        ("momentum", {"horizons_bars": ()}),
        ("momentum", {"enter_vote": 0.5, "leave_vote": 0.6}),
        ("change_point", {"recent_bars": 50, "max_run_bars": 50}),
        ("student_hmm", {"first_dof": 2.0}),
        ("clustering", {"method": "ward"}),
    ):
        with pytest.raises(InvalidParamsError):
            make(kind, **params)


def test_garch_leaves_a_still_market_alone() -> None:
    assert fit_garch(np.zeros(300), True)["omega"] == 0.0


def test_what_learns_is_silent_until_its_first_model() -> None:
    for kind in ("jump", "clustering"):
        detector = make(kind, **QUICK)
        assert isinstance(detector, WalkForward)
        said = views(detector, planted(400, 1, (0.0, 0.0), (0.002, 0.01)))
        assert all(v.confidence == 0.0 for v in said[:305])
        assert any(v.confidence > 0.0 for v in said[306:])
