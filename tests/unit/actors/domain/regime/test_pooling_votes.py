"""A vote counts what a member can tell apart: one axis does not make a bull of a market that goes nowhere."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import numpy as np

from actors.domain.events.regime import REGIMES
from actors.domain.fitting import InlineFits
from actors.domain.regime.base import Assessment
from actors.domain.regime.panel import Panel
from actors.domain.regime.pooling import vote

MEMBERS = [("volatility", {"min_history_bars": 100}), ("garch", {"min_history_bars": 100})]


def walk(bars: int, seed: int) -> list[tuple[float, float, float]]:
    """High, low and close of a walk without drift."""
    close = 100.0 * np.exp(np.cumsum(0.01 * np.random.default_rng(seed).standard_normal(bars)))
    before = np.concatenate([[100.0], close[:-1]])
    rows = np.stack([np.maximum(before, close) * 1.001, np.minimum(before, close) * 0.999, close], axis=1)
    return [tuple(row) for row in rows.tolist()]


def views(parts: list, settings: dict, bars: int = 1200, seed: int = 5) -> list[list[Assessment]]:
    panel = Panel(parts, settings, pair="A/B", seed=7, fits=InlineFits())
    return [panel.update(*row) for row in walk(bars, seed)]


def test_members_of_one_axis_make_no_bull_of_a_walk_without_drift() -> None:
    said = views(MEMBERS, {"pooling": "vote"})[200:]
    own = Counter(v[0].label for v in said)
    assert own["bull"] > 0.5 * len(said), "by its likeliest regime alone the detector would vote bull"
    bull, bear = REGIMES.index("bull"), REGIMES.index("bear")
    leads = []
    for row in said:
        scores, heard = vote(row[:2], [1.0, 1.0], len(REGIMES))
        assert heard == 2.0
        # neither knows a direction: hardly ever do both give bull what bear does not get
        leads.append(scores[bull] - scores[bear])
    assert np.mean(np.array(leads) > 1.0) < 0.01
    assert max(v[-1].probabilities[bull] - v[-1].probabilities[bear] for v in said) < 0.1


def test_a_vote_is_split_between_what_a_member_cannot_tell_apart() -> None:
    def shares(*p: float) -> list[float]:
        scores, _ = vote([Assessment("bull", (*p, *[0.0] * (6 - len(p))), 1.0)], [1.0], 6)
        return [round((np.exp(s) - 0.1 / 6) / 0.9, 6) for s in scores]

    assert shares(0.41, 0.315, 0.255) == [0.333333, 0.333333, 0.333333, 0, 0, 0]
    assert shares(0.76, 0.24) == [1.0, 0, 0, 0, 0, 0] != shares(0.75, 0.25)


def test_the_ensembles_label_is_steady_on_a_walk_without_drift() -> None:
    """Detectors' labels follow their largest probability and flicker; the ensemble stays with a regime for a while."""
    parts = [("hmm", {}), ("volatility", {}), ("trend", {})]
    dwell = 6
    for pooling in ("log", "linear", "vote"):
        labels = [row[-1].label for row in views(parts, {"pooling": pooling, "min_dwell_bars": dwell})[450:]]
        at = [k for k in range(1, len(labels)) if labels[k] != labels[k - 1]]
        assert len(at) <= 0.03 * len(labels), (pooling, len(at))
        gaps = [b - a for a, b in pairwise(at) if labels[b] != "crash"]
        assert min(gaps, default=dwell) >= dwell, pooling
