"""Constants of `reliability`: ``python -m cluster.bench.confidence_reliability`` learns and prints them again.

Learnt on 216 simulated markets of 6,000 bars (`actors.domain.evaluation.confidence_markets`, seeds 20,000 to 26,999):
24 each of the default synthetic market, of longer and shorter regimes, of regimes nearer and further apart, of other
assets, of other detectors, of fewer regimes, and 72 of chains of two states under hidden Markov models. The correction
is learnt on those of six regimes under the default detectors: 24 each of other durations, distances and assets, and 96
of the default market. None of the markets that judge is among them.
"""

from __future__ import annotations

COEFFICIENTS: tuple[float, ...] = (
    -0.049, 0.019, 0.405, -1.967, 1.32, 0.18, -0.727, -1.394, -1.978, 0.589, 0.154, 1.143, -0.511, -0.198, 0.545, 0.736,
)  # fmt: skip
"""In the order of `LabelReliability.rows`; *entropy* is that of the regimes in use, *sharpness* the members' mean
probability of what hindsight says. Log of the smoothed probability: alone, times sharpness, times entropy. Votes. Log
of the members' mean probability: alone, times entropy. Being the label in force: alone, times its lead. Being the label
in hindsight: alone, times entropy, times agreement. Minus the log of one less the smoothed probability: alone, times
entropy. Having all votes: alone, times entropy. Votes times entropy.
"""
BIASES: tuple[float, ...] = (0.124, -0.642, 0.0, -7.376, -3.198, 0.079)
"""Per regime, times one minus the sharpness. A crash is seen far more often than there is one."""
CORRECTION: tuple[tuple[float, float], ...] = (
    (0.0, 0.0), (0.011, 0.011), (0.056, 0.074), (0.146, 0.176), (0.247, 0.242), (0.349, 0.309), (0.451, 0.392),
    (0.554, 0.485), (0.657, 0.664), (0.751, 0.791), (0.861, 0.884), (0.923, 0.946), (0.962, 0.976), (1.0, 1.0),
)  # fmt: skip
"""What the logit says of the label in force, and how often that is right where many regimes are in use."""
