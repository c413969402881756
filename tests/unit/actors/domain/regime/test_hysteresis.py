"""Schmitt trigger and label hysteresis: what moves them and what does not."""

from __future__ import annotations

import numpy as np
import pytest

from actors.domain.errors import InvalidParamsError
from actors.domain.regime.hysteresis import LabelHysteresis, SchmittTrigger


def test_trigger_keeps_its_position_inside_the_band():
    trigger = SchmittTrigger()
    path = [(0.5, False), (1.99, False), (2.01, True), (1.5, True), (1.01, True), (0.99, False), (1.9, False)]
    assert [trigger.update(x, low=1.0, high=2.0) for x, _ in path] == [on for _, on in path]


def test_label_waits_for_dwell_margin_and_confirmation():
    h = LabelHysteresis(initial=0, min_dwell_bars=3, margin_frac=0.2, confirm_bars=2)
    lead, slight = (0.2, 0.8), (0.45, 0.55)
    assert [h.update(lead) for _ in range(4)] == [0, 0, 0, 1]
    back = (0.8, 0.2)
    assert [h.update(p) for p in (back, slight, back, back)] == [1, 1, 1, 0]
    assert h.bars_in_state == 1


def test_urgent_label_does_not_wait_but_needs_the_margin():
    h = LabelHysteresis(initial=0, min_dwell_bars=50, margin_frac=0.3, confirm_bars=5, urgent=(2,))
    assert h.update((0.4, 0.0, 0.6)) == 0
    assert h.update((0.3, 0.0, 0.7)) == 2


def test_never_more_switches_than_the_raw_argmax():
    rng = np.random.default_rng(3)
    raw = np.cumsum(rng.normal(0, 0.4, (800, 3)), axis=0) * 0.1
    p = np.exp(raw) / np.exp(raw).sum(axis=1, keepdims=True)
    h = LabelHysteresis(initial=int(p[0].argmax()), min_dwell_bars=2, margin_frac=0.05)
    held = [h.update(tuple(row)) for row in p.tolist()]
    switches = int((np.diff(held) != 0).sum())
    assert 0 < switches <= int((np.diff(p.argmax(axis=1)) != 0).sum())


@pytest.mark.parametrize(
    "bad", [{"min_dwell_bars": -1}, {"margin_frac": 1.0}, {"margin_frac": -0.1}, {"confirm_bars": 0}]
)
def test_refuses_nonsense(bad):
    good = {"initial": 0, "min_dwell_bars": 1, "margin_frac": 0.1, "confirm_bars": 1}
    with pytest.raises(InvalidParamsError, match="hysteresis: expected"):
        LabelHysteresis(**{**good, **bad})
