"""Constants of `reliability`: ``python -m cluster.bench.confidence_reliability`` learns and prints them again.

Learnt on 216 simulated markets of 6,000 bars (`actors.domain.evaluation.confidence_markets`, seeds 20,000 to 26,999):
24 each of the default synthetic market, of longer and shorter regimes, of regimes nearer and further apart, of other
assets, of other detectors, of fewer regimes, and 72 of chains of two states under hidden Markov models. None of the
markets that judge is among them.
"""

from __future__ import annotations

COEFFICIENTS: tuple[float, ...] = (
    0.069, 0.041, 0.334, -2.368, 1.296, 0.202, -0.716, -1.358, -1.881, 0.538, 0.102, 0.971, -0.406, 0.293, 0.235, 0.981,
)  # fmt: skip
"""In the order of `LabelReliability.rows`; *entropy* is that of the regimes in use, *sharpness* the members' mean
probability of what hindsight says. Log of the smoothed probability: alone, times sharpness, times entropy. Votes. Log
of the members' mean probability: alone, times entropy. Being the label in force: alone, times its lead. Being the label
in hindsight: alone, times entropy, times agreement. Minus the log of one less the smoothed probability: alone, times
entropy. Having all votes: alone, times entropy. Votes times entropy.
"""
BIASES: tuple[float, ...] = (0.126, -0.643, 0.0, -7.655, -3.291, 0.015)
"""Per regime, times one minus the sharpness. A crash is seen far more often than there is one."""
