"""The strategy coordinator: who speaks, how views are pooled, what is held, when weights change."""

from __future__ import annotations

import math
from typing import Any

import msgspec
import pytest

from actors.coordinators.strategy import StrategyCoordinator
from actors.domain.errors import AgentError, InvalidParamsError
from actors.domain.events.base import Event
from actors.domain.events.evaluation import WeightsRevised
from actors.domain.events.regime import REGIMES, RegimeAssessed, RegimeConfidence
from actors.domain.events.signal import SignalEmitted, SignalsAggregated, TargetExposureSet
from actors.domain.fitting import InlineFits
from actors.domain.model.instrument import Instrument
from actors.domain.processor import AgentContext, Step

BTC, ETH = "BTC/USDT", "ETH/USDT"
MEMBERS = ("ma_crossover", "rsi", "macd", "regime_aware")


def _make(members: Any = MEMBERS, base: Any = None, **params: Any) -> StrategyCoordinator:
    instruments = {p: Instrument(pair=p) for p in (BTC, ETH)}
    ctx = AgentContext("coordinator-strategy", instruments, 3600 * 10**9, 7, InlineFits())
    return StrategyCoordinator(ctx, members, base, params)


def _signal(member: str, direction: float, confidence: float, pair: str = BTC) -> SignalEmitted:
    return SignalEmitted(
        ts_event_ns=1, source=f"strategy-{member}", instrument_id=pair, strategy=member,
        direction=direction, confidence=confidence,
    )  # fmt: skip


def _all(direction: float, confidence: float, pair: str = BTC) -> list[Event]:
    return [_signal(m, direction, confidence, pair) for m in MEMBERS]


def _regime(label: str, confidence: float, detector: str = "ensemble", pair: str = BTC) -> RegimeAssessed:
    return RegimeAssessed(
        ts_event_ns=1, source=f"regime-{detector}", instrument_id=pair, detector=detector, label=label,
        probabilities=tuple(1.0 if r == label else 0.0 for r in REGIMES), confidence=confidence,
    )  # fmt: skip


def _weights(effective: int, *weights: float, members: Any = MEMBERS) -> WeightsRevised:
    return WeightsRevised(
        ts_event_ns=1, source="performance", effective_step=effective, members=tuple(members), weights=weights
    )


def _run(c: StrategyCoordinator, inbox: list[Event], number: int = 0) -> list[Event]:
    return list(c.process(Step(number, 1000 + number, tuple(inbox))))


def _targets(events: list[Event]) -> dict[str | None, float]:
    return {e.instrument_id: e.target_frac for e in events if isinstance(e, TargetExposureSet)}


def _target(events: list[Event]) -> float:
    return _targets(events)[BTC]


def test_a_unanimous_certain_view_asks_for_the_whole_allowance() -> None:
    assert _target(_run(_make(max_target_frac=0.4), _all(1.0, 1.0))) == pytest.approx(0.4)


def test_each_pair_with_signals_gets_both_events_and_no_other_pair_does() -> None:
    got = _run(_make(), [*_all(1.0, 0.5), _regime("bull", 0.5)])
    assert [type(e) for e in got] == [SignalsAggregated, TargetExposureSet]
    assert {e.instrument_id for e in got} == {BTC}
    assert {e.source for e in got} == {"coordinator-strategy"}
    assert {e.ts_event_ns for e in got} == {1000}
    both = _run(_make(), [*_all(1.0, 0.5), *_all(-1.0, 0.5, ETH)])
    assert [e.instrument_id for e in both] == [BTC, BTC, ETH, ETH]


def test_spot_never_wants_less_than_nothing() -> None:
    assert _target(_run(_make(), _all(-1.0, 1.0))) == 0.0
    assert _target(_run(_make(allow_short=True), _all(-1.0, 1.0))) == pytest.approx(-0.5)


def test_a_missing_member_abstains() -> None:
    got = _run(_make(), [_signal("macd", 1.0, 0.8)])
    aggregated = got[0]
    assert isinstance(aggregated, SignalsAggregated)
    assert aggregated.weights == (0.0, 0.0, 1.0, 0.0)
    assert _target(got) == pytest.approx(0.5 * 0.8 / 4)


def test_opposing_views_raise_the_flag_and_shrink_the_target() -> None:
    calm = _run(_make(), _all(1.0, 0.8))
    torn = _run(
        _make(),
        [_signal("ma_crossover", 1.0, 0.8), _signal("macd", 1.0, 0.8), _signal("rsi", -1.0, 0.8),
         _signal("regime_aware", -0.9, 0.8)],
    )  # fmt: skip
    a, b = calm[0], torn[0]
    assert isinstance(a, SignalsAggregated)
    assert isinstance(b, SignalsAggregated)
    assert (a.conflict, b.conflict) == (False, True)
    assert a.agreement == 1.0
    assert 0.0 < b.agreement < 0.1
    assert _target(torn) == 0.0


def test_the_regime_selects_who_speaks() -> None:
    signals: list[Event] = [_signal("rsi", 1.0, 0.8)]
    for label, share in (("sideways", 1.0), ("crash", 0.0)):
        got = _run(_make(open_frac=0.0, close_frac=0.0), [*signals, _regime(label, 1.0)])[0]
        assert isinstance(got, SignalsAggregated)
        assert got.weights[1] == share
        assert got.regime == label


def test_only_the_ensemble_counts_as_regime() -> None:
    got = _run(_make(), [_signal("rsi", 1.0, 0.8), _regime("crash", 1.0, detector="hmm")])[0]
    assert isinstance(got, SignalsAggregated)
    assert got.weights[1] == 1.0
    assert got.regime == ""


def test_small_changes_are_not_traded() -> None:
    c = _make(max_target_frac=1.0, min_change_frac=0.1)
    got = [_target(_run(c, _all(1.0, q), i)) for i, q in enumerate((0.5, 0.55, 0.59, 0.61, 0.55, 0.5))]
    assert got == pytest.approx([0.5, 0.5, 0.5, 0.61, 0.61, 0.5])


def test_opening_takes_more_than_staying() -> None:
    c = _make(max_target_frac=1.0, min_change_frac=0.0, open_frac=0.2, close_frac=0.05)
    got = [_target(_run(c, _all(1.0, q), i)) for i, q in enumerate((0.19, 0.2, 0.1, 0.06, 0.05, 0.1))]
    assert got == pytest.approx([0.0, 0.2, 0.1, 0.06, 0.0, 0.0])


def test_a_weak_opposite_view_closes_and_a_strong_one_reverses() -> None:
    for q, want in ((0.1, 0.0), (0.5, -0.5)):
        c = _make(max_target_frac=1.0, open_frac=0.2, allow_short=True)
        _run(c, _all(1.0, 0.5))
        assert _target(_run(c, _all(-1.0, q), 1)) == pytest.approx(want)


def test_revised_weights_take_effect_at_their_step_and_not_before() -> None:
    c = _make()
    one_sided: list[Event] = [_signal("rsi", 1.0, 0.8), _signal("macd", -1.0, 0.8)]
    shares = []
    for k in range(5):
        inbox = [_weights(3, 0.1, 0.1, 0.7, 0.1), *one_sided] if k == 1 else one_sided
        got = _run(c, inbox, k)[0]
        assert isinstance(got, SignalsAggregated)
        shares.append(got.weights[2])
    assert shares == pytest.approx([0.5, 0.5, 0.5, 0.875, 0.875])


def test_a_revision_for_the_present_step_counts_at_once() -> None:
    c = _make()
    _run(c, [_weights(4, 0.1, 0.1, 0.7, 0.1)], 4)
    assert c.weights == pytest.approx((0.1, 0.1, 0.7, 0.1))


def test_base_weights_multiply_the_learnt_ones() -> None:
    c = _make(base={"strategy-macd": 3.0})
    assert c.weights == pytest.approx((1 / 6, 1 / 6, 0.5, 1 / 6))
    _run(c, [_weights(1, 0.3, 0.3, 0.1, 0.3)], 1)
    assert c.weights == pytest.approx((0.25, 0.25, 0.25, 0.25))
    assert math.fsum(c.weights) == pytest.approx(1.0)


def test_agent_names_name_members_too() -> None:
    c = _make(members=[f"strategy-{m}" for m in MEMBERS])
    _run(c, [_weights(0, 0.1, 0.2, 0.3, 0.4, members=[f"strategy-{m}" for m in MEMBERS])])
    assert c.weights == pytest.approx((0.1, 0.2, 0.3, 0.4))


def test_weights_of_other_members_are_an_error() -> None:
    with pytest.raises(AgentError, match="expected weights for"):
        _run(_make(), [_weights(1, 0.5, 0.5, members=("rsi", "macd"))])


def test_a_restored_coordinator_has_the_same_future() -> None:
    def inbox(k: int) -> list[Event]:
        q = 0.5 + 0.4 * math.sin(k)
        extra = [_weights(k + 4, 0.4, 0.3, 0.2, 0.1)] if k == 6 else []
        return [*extra, *_all(math.cos(k), q), *_all(-math.cos(k), q, ETH), _regime("bull", q)]

    one = _make()
    for k in range(8):
        _run(one, inbox(k), k)
    two = _make()
    two.restore(one.snapshot())
    for k in range(8, 30):
        assert repr(_run(one, inbox(k), k)) == repr(_run(two, inbox(k), k))
    assert one.snapshot() == two.snapshot()


@pytest.mark.parametrize(
    ("members", "base", "params"),
    [
        ((), None, {}),
        (("rsi", "strategy-rsi"), None, {}),
        (("rsi",), {"macd": 1.0}, {}),
        (("rsi",), {"rsi": -1.0}, {}),
        (("rsi",), {"rsi": 0.0}, {}),
        (("rsi",), None, {"open_frac": 0.01, "close_frac": 0.02}),
        (("rsi",), None, {"max_target": 1}),
        (("rsi",), None, {"regime_table": {"rsi": {"panic": 1}}}),
    ],
)
def test_unfit_configuration_is_refused(members: Any, base: Any, params: dict[str, Any]) -> None:
    with pytest.raises(InvalidParamsError):
        _make(members, base, **params)


def _levelled(label: str, score: float, level: str) -> RegimeAssessed:
    plain = _regime(label, score)
    return msgspec.structs.replace(plain, detail=RegimeConfidence(score=score, raw=score, level=level))


@pytest.mark.parametrize(("level", "heeded"), [("HIGH", True), ("MEDIUM", True), ("LOW", False)])
def test_a_regime_that_is_more_likely_wrong_than_right_silences_nobody(level: str, heeded: bool) -> None:
    table = {m: {"crash": 0.0} for m in MEMBERS[:1]}
    signals = [_signal(MEMBERS[0], 1.0, 1.0), *[_signal(m, -1.0, 1.0) for m in MEMBERS[1:]]]
    free = _run(_make(regime_table=table), [*signals])[0]
    got = _run(_make(regime_table=table), [*signals, _levelled("crash", 0.6, level)])[0]
    assert isinstance(got, SignalsAggregated)
    assert isinstance(free, SignalsAggregated)
    assert (got.regime_level, got.regime_confidence) == (level, 0.6)
    assert (got.weights[0] < free.weights[0]) is heeded
    strict = _run(_make(regime_table=table, select_at="HIGH"), [*signals, _levelled("crash", 0.6, "MEDIUM")])[
        0
    ]
    assert isinstance(strict, SignalsAggregated)
    assert strict.weights == free.weights
