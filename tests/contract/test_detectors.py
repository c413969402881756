"""What every detector of regimes must keep to, found by discovery: outputs, bad input, flicker, numbering of states."""

from __future__ import annotations

from itertools import pairwise
from math import exp, inf, log, nan, sqrt
from typing import Any

import numpy as np
import pytest

from actors.domain import registry
from actors.domain.errors import InvalidBarError
from actors.domain.events.regime import REGIMES
from actors.domain.fitting import InlineFits
from actors.domain.params import search_space
from actors.domain.regime.base import (
    STANDING_STILL,
    STILL_BARS,
    UNIFORM,
    WARMING_UP,
    Assessment,
    Detector,
    Observation,
    silent,
)
from actors.domain.regime.panel import Panel
from actors.domain.regime.sentiment import NO_NEWS
from actors.domain.state import dumps, loads

PACKAGE = "actors.domain.regime"
HOUR_NS = 3_600 * 10**9
KINDS = registry.kinds(PACKAGE)
QUICK = {"min_history_bars": 150, "refit_every_bars": 120, "window_bars": 300, "lag_steps": 5}
VARIANTS: list[tuple[str, dict[str, Any]]] = [
    *((kind, {}) for kind in KINDS),
    *(("volatility", {"estimator": e}) for e in ("parkinson", "garman_klass", "rogers_satchell", "yang_zhang")),
    ("garch", {"innovations": "normal", "asymmetric": False}),
    ("jump", {"continuous": True}),
    ("clustering", {"method": "kmeans"}),
    ("duration_hmm", {"phases": 1}),
]  # fmt: skip
every_variant = pytest.mark.parametrize(("kind", "params"), VARIANTS)
# all but the one that hears no prices
every_price_variant = pytest.mark.parametrize(
    ("kind", "params"), [v for v in VARIANTS if v[0] != "sentiment"]
)
# what each state of a fitted model is numbered by
NUMBERED = {
    "hmm": ("start", "means", "variances", "drift", "level"),
    "student_hmm": ("start", "means", "variances", "scales", "dof", "drift", "level"),
    "duration_hmm": ("start", "means", "variances", "leave", "drift", "level"),
    "jump": ("centres", "drift", "level"),
    "clustering": ("means", "roots", "norms", "drift", "level"),
}
FILTERS = ("duration_hmm", "hmm", "student_hmm")
SQUARES = ("transitions", "follow")


def make(kind: str, params: dict[str, Any] | None = None) -> Detector:
    known = registry.load(PACKAGE, kind).Params.model_fields
    quick = {k: v for k, v in QUICK.items() if k in known and k != "window_bars"}
    if kind != "trend" and "window_bars" in known:
        quick["window_bars"] = 300
    return registry.build(PACKAGE, kind, quick | (params or {}), fits=InlineFits(), name=f"x/{kind}", seed=3)


def bars(n: int, seed: int = 4, tail: float = 4.0, switch: int = 120) -> list[Observation]:
    rng = np.random.default_rng(seed)
    sigma = 0.005 * np.where((np.arange(n) // switch) % 2, 2.5, 1.0)
    r = rng.standard_t(tail, n) * sigma
    close = 100.0 * np.exp(np.cumsum(r))
    open_ = np.concatenate([[100.0], close[:-1]])
    high = np.maximum(close, open_) * np.exp(rng.exponential(sigma))
    low = np.minimum(close, open_) * np.exp(-rng.exponential(sigma))
    mood = 0.8 * np.tanh(0.5 * np.cumsum(r) / (sigma * 10.0) + 0.2 * rng.standard_normal(n))
    rows = zip(*(v.tolist() for v in (high, low, close, open_, mood)), strict=True)
    return [
        Observation(i, h, lo, c, log(c / o) if i else nan, quality=0.9, open=o, sentiment=m)
        for i, (h, lo, c, o, m) in enumerate(rows)
    ]


@every_variant
def test_a_view_has_all_its_parts(kind: str, params: dict[str, Any]) -> None:
    detector = make(kind, params)
    heard = 0
    for obs in bars(600):
        view = detector.update(obs)
        assert sum(view.probabilities) == pytest.approx(1.0, abs=1e-9)
        if view.reason:
            assert view == Assessment("sideways", UNIFORM, 0.0, reason=WARMING_UP)
            continue
        assert view.label == REGIMES[view.probabilities.index(max(view.probabilities))]
        heard += 1
        assert len(view.own_probabilities) == len(detector.own_states)
        assert sum(view.own_probabilities) == pytest.approx(1.0, abs=1e-9)
        assert min(view.own_probabilities) >= 0.0
        assert view.native_label in detector.own_states
        assert len(view.features) == len(detector.MEASURES) > 0
        assert all(x is None or -inf < x < inf or name == "dof" for x, name in zip(
            view.features, detector.MEASURES, strict=True))  # fmt: skip
        assert view.data_quality == 0.9
        assert view.confidence <= 0.9
        assert view.bars_in_state >= 1
    assert heard > 300


@every_variant
def test_too_few_bars_and_prices_that_stand_still_are_said_and_claim_nothing(
    kind: str, params: dict[str, Any]
) -> None:
    detector = make(kind, params)
    first = [detector.update(o) for o in bars(20)]
    assert all(v.reason == WARMING_UP and v.confidence == 0.0 for v in first)
    still = make(kind, params)
    views = [still.update(Observation(i, 50.0, 50.0, 50.0, 0.0 if i else nan, open=50.0)) for i in range(700)]
    assert all(v.confidence == 0.0 and v.probabilities == UNIFORM for v in views)
    # who hears no prices does not miss them
    assert views[-1].reason == (NO_NEWS if kind == "sentiment" else STANDING_STILL)


def resumed(row: list[Observation], step: int, close: float) -> list[Observation]:
    """The same bars again, from `step` on, as they go on from a price."""
    k = close / (row[0].open)
    return [
        Observation(
            step + i, k * o.high, k * o.low, k * o.close, log(o.close / o.open), quality=0.9, open=k * o.open,
            sentiment=o.sentiment,
        )
        for i, o in enumerate(row)
    ]  # fmt: skip


def label_shares(views: list[Assessment]) -> np.ndarray:
    return np.array([sum(v.label == name for v in views) for name in REGIMES]) / len(views)


@pytest.mark.parametrize("still_bars", [STILL_BARS + 12, 1500])
@every_price_variant
def test_a_market_that_stands_still_teaches_nothing(
    kind: str, params: dict[str, Any], still_bars: int
) -> None:
    """With a halt and without one the bars after it get the same labels but for a tenth; within it there are none."""
    detector, twin = make(kind, params), make(kind, params)
    moving = bars(1000)
    for o in moving:
        detector.update(o)
        twin.update(o)
    close = moving[-1].close
    without = [twin.update(o) for o in resumed(moving, 1000, close)]
    halt = [
        detector.update(Observation(1000 + i, close, close, close, 0.0, open=close))
        for i in range(still_bars)
    ]
    after = [detector.update(o) for o in resumed(moving, 1000 + still_bars, close)]
    assert all(v == silent(STANDING_STILL) for v in halt[STILL_BARS - 1 :])
    # an estimator over fewer bars may stop before
    assert not halt[0].reason
    assert {v.reason for v in halt[: STILL_BARS - 1]} <= {"", STANDING_STILL}
    first, second = label_shares(without), label_shares(after)
    assert 0.5 * np.abs(first - second).sum() <= 0.1, (first, second)
    assert not after[0].reason


@every_price_variant
def test_what_a_halt_leaves_does_not_depend_on_its_length(kind: str, params: dict[str, Any]) -> None:
    """Nor on a snapshot taken within it."""
    short, long = make(kind, params), make(kind, params)
    moving = bars(400)
    close = moving[-1].close
    for o in moving:
        assert short.update(o) == long.update(o)
    for i in range(STILL_BARS):
        short.update(Observation(400 + i, close, close, close, 0.0, open=close))
    for i in range(600):
        long.update(Observation(400 + i, close, close, close, 0.0, open=close))
        if i == 300:
            restored = make(kind, params)
            restored.load_state(loads(dumps(long.state())))
            long = restored
    a = [short.update(o) for o in resumed(moving, 1000, close)]
    b = [long.update(o) for o in resumed(moving, 1000, close)]
    assert a == b


GOOD = {"step": 0, "high": 101.0, "low": 99.0, "close": 100.0, "log_return": 0.01}


@pytest.mark.parametrize(
    "wrong",
    [
        {"close": nan}, {"high": nan}, {"low": nan}, {"low": 0.0}, {"low": -1.0}, {"high": inf}, {"high": 99.5},
        {"low": 100.5}, {"close": 102.0}, {"log_return": inf}, {"log_return": -inf}, {"quality": nan},
        {"quality": 1.1}, {"quality": -0.1}, {"open": 102.0}, {"open": 98.0}, {"volume": -1.0}, {"volume": inf},
    ],
)  # fmt: skip
def test_a_bad_bar_never_reaches_a_detector(wrong: dict[str, float]) -> None:
    Observation(**GOOD)  # type: ignore[arg-type]
    with pytest.raises(InvalidBarError, match="expected finite prices"):
        Observation(**(GOOD | wrong))  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", KINDS)
def test_a_missing_return_in_between_says_nothing_and_harms_nothing(kind: str) -> None:
    detector = make(kind)
    row = bars(500)
    for o in row[:400]:
        detector.update(o)
    gap = row[400]
    view = detector.update(Observation(gap.step, gap.high, gap.low, gap.close, nan, open=gap.open))
    assert sum(view.probabilities) == pytest.approx(1.0, abs=1e-9)
    later = [detector.update(o) for o in row[401:]]
    assert later[-1].confidence > 0.0


def over_a_gap(panel: Panel, move: float, missing: int, *, timed: bool) -> list[list[Assessment]]:
    """Views of 500 steady bars, then of 100 that go on after missing ones and a move (log) over them."""
    row = bars(600, seed=12, tail=30.0, switch=10_000)
    out = []
    for i, o in enumerate(row):
        late = i >= 500
        k, opened = (exp(move), i + missing) if late else (1.0, i)
        out.append(
            panel.update(
                k * o.high, k * o.low, k * o.close, open_ns=opened * HOUR_NS if timed else -1, open=k * o.open
            )
        )
    return out


def lone(kind: str, params: dict[str, Any]) -> Panel:
    known = registry.load(PACKAGE, kind).Params.model_fields
    quick = {k: v for k, v in QUICK.items() if k in known and (k != "window_bars" or kind != "trend")}
    return Panel([(kind, quick | params)], {}, pair="BTC/USDT", seed=7, fits=InlineFits())


@pytest.mark.parametrize("deviations", [-1.0, 1.0])
@every_price_variant
def test_a_usual_move_over_missing_bars_is_no_crash_and_changes_little(
    kind: str, params: dict[str, Any], deviations: float
) -> None:
    """A month is missing and the price has moved by one deviation of a month: as if by one of a bar."""
    missing = 720
    move = deviations * 0.005 * sqrt(missing + 1.0)
    views = over_a_gap(lone(kind, params), move, missing, timed=True)
    assert not any(v.reason for v in views[499])
    for said in views[500:]:
        assert [v.label == "crash" for v in said] == [False, False]
    if kind in FILTERS:  # a month on, the state of before is no news
        return
    # by the models of before
    gapless = over_a_gap(lone(kind, params), 0.0, 0, timed=True)
    first, second = (label_shares([v[0] for v in run[500:515]]) for run in (views, gapless))
    assert 0.5 * np.abs(first - second).sum() <= 0.3, (first, second)


def test_the_same_move_within_a_bar_is_a_crash() -> None:
    views = over_a_gap(lone("trend", {}), -0.005 * sqrt(721.0), 720, timed=False)
    assert sum(v[0].label == "crash" for v in views[500:]) > 10


@pytest.mark.parametrize("kind", FILTERS)
def test_a_chain_moves_on_unseen_over_missing_bars(kind: str) -> None:
    detector: Any = make(kind)
    for o in bars(400):
        detector.update(o)
    live = detector._running.alpha.copy()
    detector._skip(3)
    near = np.abs(detector._running.alpha - live).sum()
    detector._skip(2000)
    far = detector._running.alpha.copy()
    detector._skip(1)
    assert 0.0 < near < np.abs(far - live).sum()
    assert detector._running.alpha == pytest.approx(far, abs=1e-4)


def switches(kind: str, row: list[Observation], params: dict[str, Any]) -> tuple[int, int]:
    """Changes of the own state and bars with a view; the model stays the same for long."""
    if "refit_every_bars" in registry.load(PACKAGE, kind).Params.model_fields:
        params = {"refit_every_bars": 1200, **params}
    native = [v.native_label for v in map(make(kind, params).update, row) if not v.reason]
    return sum(a != b for a, b in pairwise(native)), len(native)


@pytest.mark.parametrize("kind", KINDS)
def test_flicker_is_bounded(kind: str) -> None:
    """A market of fat tails whose volatility changes every 120 bars: ten changes, and nothing else to tell."""
    changes, heard = switches(kind, bars(1300, seed=8), {})
    assert heard > 1000
    assert changes <= 0.2 * heard


@pytest.mark.parametrize(
    ("kind", "params", "without"),
    [
        ("volatility", {}, {"band_quantile": 0.0}),
        ("garch", {}, {"band_quantile": 0.0}),
        ("trend", {"window_bars": 24, "enter_t": 0.8, "leave_t": 0.2}, {"leave_t": 0.8}),
        ("momentum", {}, {"leave_vote": 0.75}),
        ("hmm", {}, {"switch_margin_frac": 0.0}),
        ("student_hmm", {}, {"switch_margin_frac": 0.0}),
        ("duration_hmm", {}, {"switch_margin_frac": 0.0}),
        ("clustering", {}, {"switch_margin_frac": 0.0}),
    ],
)
def test_hysteresis_is_what_bounds_it(kind: str, params: dict[str, Any], without: dict[str, Any]) -> None:
    row = bars(1500, seed=9)
    assert 0 < switches(kind, row, params)[0] < 0.9 * switches(kind, row, params | without)[0]


@pytest.mark.parametrize("kind", sorted(NUMBERED))
def test_numbers_of_states_do_not_change_the_view(kind: str) -> None:
    row = bars(700, seed=6)
    one, two = make(kind), make(kind)
    inner = type(two).fit  # type: ignore[attr-defined]

    def permuted(*args: Any) -> dict[str, Any]:
        model = inner(*args)
        order = np.roll(np.arange(len(model["drift"])), 1)
        turned = {k: np.ascontiguousarray(model[k][order]) for k in NUMBERED[kind]}
        squares = {k: np.ascontiguousarray(model[k][np.ix_(order, order)]) for k in SQUARES if k in model}
        return {**model, **turned, **squares}

    two._refit._fn = permuted  # type: ignore[attr-defined]
    heard = 0
    for o in row:
        a, b = one.update(o), two.update(o)
        assert b.probabilities == pytest.approx(a.probabilities, abs=1e-9)
        assert b.label == a.label
        assert b.confidence == pytest.approx(a.confidence, abs=1e-9)
        assert sorted(b.own_probabilities) == pytest.approx(sorted(a.own_probabilities), abs=1e-9)
        heard += not a.reason
    assert heard > 300


@pytest.mark.parametrize("kind", KINDS)
def test_parameters_have_ranges_and_meanings(kind: str) -> None:
    model = registry.load(PACKAGE, kind).Params
    space = search_space(model)
    # what a search cannot draw or should not: tuples, and when a fit counts
    fixed = {"penalties", "horizons_bars", "lag_steps", "grid_step", "measure_every_bars", "cuts", "scale"}
    assert set(model.model_fields) - set(space) <= fixed
    assert len(space) >= 5
