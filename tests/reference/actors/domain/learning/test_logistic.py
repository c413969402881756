"""`LogisticSgd` is river's `LogisticRegression` with SGD, to the bit, whatever columns a row has."""

import math

import numpy as np
import pytest
from river.linear_model import LogisticRegression
from river.optim import SGD
from river.optim.schedulers import Constant

from actors.domain.learning.logistic import LogisticSgd

N = 7


@pytest.mark.parametrize(("rate", "l2", "scale"), [(0.005, 0.001, 1.0), (0.5, 0.0, 1.0), (2.0, 0.1, 30.0)])
def test_probabilities_are_rivers_to_the_bit(rate: float, l2: float, scale: float) -> None:
    rng = np.random.default_rng(5)
    ours = LogisticSgd(N, rate=rate, l2=l2)
    theirs = LogisticRegression(optimizer=SGD(rate), l2=l2, intercept_lr=rate)
    saturated = 0
    columns: tuple[int, ...] | None = None
    for k in range(3_000):
        if k % 100 == 99:  # another selection, in any order; now and then all columns again
            chosen = tuple(rng.permutation(N)[: rng.integers(1, N + 1)].tolist())
            columns = None if k % 300 == 299 else chosen
        if k == 1_500:
            ours.rate = rate * 4.0
            theirs.optimizer.lr = theirs.intercept_lr = Constant(rate * 4.0)
        at = tuple(range(N)) if columns is None else columns
        row = (rng.standard_normal(len(at)) * scale).tolist()
        named = {f"c{i}": x for i, x in zip(at, row, strict=True)}
        p = ours.probability(row, columns)
        assert p == theirs.predict_proba_one(named)[True]
        saturated += p in (0.0, 1.0)
        up = bool(rng.random() < 1.0 / (1.0 + math.exp(-max(-30.0, min(30.0, row[0])))))
        ours.learn(row, up, columns)
        theirs.learn_one(named, up)
    assert (saturated > 100) == (scale > 1.0)
