"""Constants of `reliability`: ``python -m cluster.bench.confidence_reliability`` learns and prints them again.

Learnt on 216 simulated markets of 6,000 bars (`actors.domain.evaluation.confidence_markets`, seeds 20,000 to 26,999):
24 each of the default synthetic market, of longer and shorter regimes, of regimes nearer and further apart, of other
assets, of other detectors, of fewer regimes, and 72 of chains of two states under hidden Markov models. None of the
markets that judge is among them.
"""

from __future__ import annotations

COEFFICIENTS: tuple[float, ...] = (
    -0.049, 0.019, 0.405, -1.976, 1.32, 0.181, -0.728, -1.389, -1.977, 0.588, 0.153, 1.142, -0.511, -0.188, 0.54, 0.739,
)  # fmt: skip
"""In the order of `LabelReliability.rows`; *entropy* is that of the regimes in use, *sharpness* the members' mean
probability of what hindsight says. Log of the smoothed probability: alone, times sharpness, times entropy. Votes. Log
of the members' mean probability: alone, times entropy. Being the label in force: alone, times its lead. Being the label
in hindsight: alone, times entropy, times agreement. Minus the log of one less the smoothed probability: alone, times
entropy. Having all votes: alone, times entropy. Votes times entropy.
"""
BIASES: tuple[float, ...] = (0.121, -0.642, 0.0, -7.377, -3.199, 0.077)
"""Per regime, times one minus the sharpness. A crash is seen far more often than there is one."""
