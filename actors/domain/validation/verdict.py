"""One verdict from all evidence, by a rule that is written down before anything is computed.

- **no evidence**: the deflated Sharpe ratio, which reckons in the number of trials, is below 0.95 or undefined.
- **weak evidence**: it is 0.95 or more, but at least one of the other checks is not met or cannot be computed.
- **evidence**: every check is met.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

NONE, WEAK, SOME = "no evidence", "weak evidence", "evidence"
CONVINCING = 0.95
LARGEST_PBO = 0.2
LEVEL = 0.05
FEWEST_TRADES = 30
KEPT_SHARE = 0.5
FEWEST_RERUNS = 10


@dataclass(frozen=True)
class Check:
    """One question to the evidence.

    Attributes
    ----------
    name, asks : str
        What it is called, and what is asked in words.
    value : float or None
        None: undefined, which does not meet it.
    bound : float
    at_least : bool
        Whether the value must reach the bound or stay within it.
    met : bool
    """

    name: str
    asks: str
    value: float | None
    bound: float
    at_least: bool
    met: bool


@dataclass(frozen=True)
class Verdict:
    """What the evidence comes to.

    Attributes
    ----------
    words : str
        ``no evidence``, ``weak evidence`` or ``evidence``.
    checks : tuple of Check
        The deflated Sharpe ratio first.
    reasons : tuple of str
        Checks that are not met, in words.
    would_change : tuple of str
        What would change the verdict.
    """

    words: str
    checks: tuple[Check, ...]
    reasons: tuple[str, ...]
    would_change: tuple[str, ...]


def verdict_of(
    evidence: Mapping[str, Any], reruns: Mapping[str, Any] | None = None, *, rerun_count: int | None = None
) -> Verdict:
    """Return the verdict.

    Parameters
    ----------
    evidence : mapping
        Of `record_evidence`.
    reruns : mapping, optional
        Sharpe ratios of runs under other conditions by name (``neighbours``, ``noisy_candles``, ``costs``,
        ``resampled_markets``), each with ``chosen_sharpe_ann``, ``median_sharpe_ann`` and ``positive_frac``. Without
        them they are not asked for.
    rerun_count : int, optional
        How many runs of each condition were asked for; fewer than `FEWEST_RERUNS` meet no verdict of evidence.

    Examples
    --------
    >>> verdict_of({"deflated_sharpe": {"value": 0.4, "bars_missing": 900}}).words
    'no evidence'
    >>> found = verdict_of({"deflated_sharpe": {"value": 0.99}, "pbo": {"value": 0.3}})
    >>> found.words, found.reasons[0]
    ('weak evidence', 'pbo: 0.30, expected at most 0.2')
    """
    checks = [
        _check("deflated_sharpe", "is the Sharpe ratio above what the best of as many worthless trials shows?",
               evidence, "value", CONVINCING, at_least=True),
        _overfit(evidence.get("pbo", {})),
        _check("spa_benchmark", "does any trial beat the market held at the same volatility, the search reckoned in?",
               evidence, "consistent", LEVEL, at_least=False),
        _check("cpcv", "does choosing by other times earn on the worst of the paths?",
               evidence, "worst_path_sharpe_ann", 0.0, at_least=True),
        _check("walk_forward", "does choosing by the past alone earn afterwards?",
               evidence, "worst_path_sharpe_ann", 0.0, at_least=True),
        _check("trades", "are there enough round trips?", {"trades": evidence.get("sample", {})}, "trade_count",
               FEWEST_TRADES, at_least=True),
    ]  # fmt: skip
    for name, asks, key, bound in _RERUNS if reruns is not None else ():
        checks.append(_check(name, asks, {name: _relative(reruns or {}, name)}, key, bound, at_least=True))
    if rerun_count is not None:
        checks.append(
            _check("reruns", "was it run often enough under each other condition?",
                   {"reruns": {"count": rerun_count}}, "count", FEWEST_RERUNS, at_least=True)
        )  # fmt: skip
    reasons = tuple(_reason(c) for c in checks if not c.met)
    words = NONE if not checks[0].met else WEAK if reasons else SOME
    return Verdict(words, tuple(checks), reasons, tuple(_change(evidence, checks)))


_RERUNS = (
    ("neighbours", "do parameters nearby keep half of the Sharpe ratio?", "kept_frac", KEPT_SHARE),
    ("noisy_candles", "is half of it kept when every price is a little different?", "kept_frac", KEPT_SHARE),
    ("costs", "does it earn under 95 % of random costs and latencies?", "positive_frac", 0.95),
    (
        "resampled_markets",
        "does it earn in most markets of the same bars in other blocks?",
        "positive_frac",
        0.5,
    ),
)


def _relative(reruns: Mapping[str, Any], name: str) -> dict[str, Any]:
    row = dict(reruns.get(name) or {})
    own, median = row.get("chosen_sharpe_ann"), row.get("median_sharpe_ann")
    # of a loss no share can be kept
    row["kept_frac"] = median / own if own is not None and median is not None and own > 0.0 else None
    return row


def _check(
    name: str, asks: str, evidence: Mapping[str, Any], key: str, bound: float, *, at_least: bool
) -> Check:
    value = evidence.get(name, {}).get(key)
    met = value is not None and (value >= bound if at_least else value <= bound)
    if name in ("cpcv", "walk_forward"):
        met = value is not None and value > bound
    return Check(name, asks, None if value is None else float(value), bound, at_least, met)


def _overfit(row: Mapping[str, Any]) -> Check:
    """Where every trial earns out of sample, which of them is chosen hardly matters, and its rank says nothing."""
    value, loses = row.get("value"), row.get("loss_probability")
    met = value is not None and (value <= LARGEST_PBO or (loses is not None and loses <= LEVEL))
    asks = (
        "does the best of one half of the time stay above the middle in the other half, or at least above 0?"
    )
    if loses is not None:
        asks += f" (it loses there in {loses:.1%} of the halves; {LEVEL:.0%} or less will do)"
    return Check("pbo", asks, value, LARGEST_PBO, False, met)


def _reason(check: Check) -> str:
    side = "at least" if check.at_least else "at most"
    value = "undefined" if check.value is None else f"{check.value:.2f}"
    return f"{check.name}: {value}, expected {side} {check.bound:g}"


def _change(evidence: Mapping[str, Any], checks: Sequence[Check]) -> list[str]:
    out = []
    dsr = evidence.get("deflated_sharpe", {})
    if not checks[0].met:
        missing, expected = dsr.get("bars_missing"), dsr.get("expected_best_sharpe_ann")
        own = evidence.get("sharpe", {}).get("sharpe_ann")
        if missing:
            out.append(
                f"{missing:,} more bars with the same Sharpe ratio and the same {dsr.get('trials')} trials would bring "
                "the deflated Sharpe ratio to 0.95"
            )
        elif own is not None and expected is not None:
            out.append(
                f"no number of bars would do at this Sharpe ratio ({own:.2f} a year): the best of "
                f"{dsr.get('trials')} worthless trials is expected at {expected:.2f}; a better idea or fewer trials "
                "would"
            )
        else:
            out.append("a strategy that trades: without returns that vary nothing can be shown")
    runs = next((c for c in checks if c.name == "reruns"), None)
    if runs is not None and not runs.met:
        out.append(
            f"--reruns {FEWEST_RERUNS} or more: {runs.value:g} runs of each other condition say little"
        )
    trades = next(c for c in checks if c.name == "trades")
    if not trades.met and trades.value is not None:
        out.append(
            f"{FEWEST_TRADES - int(trades.value)} more round trips: {FEWEST_TRADES} are the least to judge by"
        )
    words = {
        "pbo": "fewer parameters, or ranges in which all sets do about as well: the choice among these trials does not "
               "carry over to other times",
        "spa_benchmark": "an edge over holding the market at the same volatility: it may be the market's own",
        "cpcv": "gains that do not hang on one stretch of time",
        "walk_forward": "a choice by the past that earns afterwards",
        "neighbours": "a plateau: parameters nearby earn far less",
        "noisy_candles": "rules that do not hang on exact prices",
        "costs": "fewer or larger trades: costs may take it all",
        "resampled_markets": "an edge that lives within blocks of bars, not in one history",
    }  # fmt: skip
    return out + [words[c.name] for c in checks if not c.met and c.name in words]
