"""`Adwin` is river's `drift.ADWIN`: the same alarms and the same estimate at every value."""

from __future__ import annotations

import numpy as np
import pytest
from river.drift import ADWIN

from actors.domain import state
from actors.domain.learning.drift.adwin import Adwin


def _errors(seed: int) -> list[float]:
    rng = np.random.default_rng(seed)
    return (rng.random(3000) < np.repeat([0.3, 0.6, 0.45], 1000)).astype(float).tolist()


@pytest.mark.parametrize("delta", [0.002, 0.05])
@pytest.mark.parametrize("seed", [0, 1])
def test_alarms_and_estimates_are_rivers(delta: float, seed: int) -> None:
    ours, theirs = Adwin(delta), ADWIN(delta=delta)
    alarms = []
    for i, x in enumerate(_errors(seed)):
        theirs.update(x)
        assert ours.update(x) == theirs.drift_detected
        assert ours.estimation == theirs.estimation
        if ours.drift:
            alarms.append(i)
    assert alarms
    assert 1000 < alarms[0] < 1200


@pytest.mark.parametrize("cut", [5, 1100])
def test_a_restored_window_has_the_same_future(cut: int) -> None:
    errors = _errors(0)
    one, two = Adwin(), Adwin()
    for x in errors[:cut]:
        one.update(x)
    two.load_state(state.loads(state.dumps(one.state()), allow_opaque=True))
    assert [(one.update(x), one.estimation) for x in errors[cut:]] == [
        (two.update(x), two.estimation) for x in errors[cut:]
    ]
