"""What took confidence away, in words."""

from __future__ import annotations

from actors.domain.regime.confidence.factors import Quality

UNCALIBRATED, DISSENT, MISTAKEN, BOUNDARY, WILD = 1, 2, 4, 8, 16
_WORDS = {
    UNCALIBRATED: "too few outcomes are known to calibrate",
    DISSENT: "members disagree",
    MISTAKEN: "this regime was often wrong when it was said",
    BOUNDARY: "another regime is close",
    WILD: "unusual volatility",
}
PHRASES = tuple("; ".join(text for bit, text in _WORDS.items() if mask & bit) for mask in range(32))
"""By the sum of what applies."""
POOR_QUALITY = 0.9
"""Data quality below which it is named."""


def of_quality(quality: Quality, silent_bars: int) -> str:
    """Return what is the matter with the data, or nothing.

    Examples
    --------
    >>> of_quality(Quality(0.5, completeness=0.5), 0), of_quality(Quality(1.0), 0)
    ('data quality 0.50 (bars are missing)', '')
    """
    if silent_bars:
        return f"no bar for {silent_bars} bars"
    if quality.score >= POOR_QUALITY:
        return ""
    worst = min(quality.completeness, quality.freshness, quality.outlier_free)
    found = (
        "bars are missing" if worst == quality.completeness
        else "bars are late" if worst == quality.freshness
        else "wild bars"
    )  # fmt: skip
    return f"data quality {quality.score:.2f} ({found})"
