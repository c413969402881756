"""The running scaler is river's `StandardScaler`, to the bit."""

from __future__ import annotations

import numpy as np
from river.preprocessing import StandardScaler

from actors.domain.learning.scaling import RunningScaler


def test_it_equals_rivers_scaler_to_the_bit() -> None:
    rng = np.random.default_rng(3)
    rows = (
        rng.standard_t(3, size=(400, 5)) * [1e-4, 1.0, 1e6, 1.0, 0.0] + [0.0, 50.0, 1e9, 0.0, 7.0]
    ).tolist()
    names = list("abcde")
    ours, theirs = RunningScaler(5), StandardScaler()
    for row in rows:
        x = dict(zip(names, row, strict=True))
        ours.learn(row)
        theirs.learn_one(x)
        assert ours.scaled(row) == list(theirs.transform_one(x).values())
