"""All that the record of a search says about luck, in one table of plain values."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from actors.domain.errors import InsufficientDataError
from actors.domain.evaluation.metrics.deflated import deflated_sharpe_of, expected_max_sharpe
from actors.domain.evaluation.metrics.growth import cagr
from actors.domain.evaluation.metrics.moments import skew_kurtosis
from actors.domain.evaluation.metrics.psr import min_track_record_of, psr_of
from actors.domain.evaluation.metrics.ratios import sharpe
from actors.domain.processor import derive_seed
from actors.domain.validation.effective_trials import group_trials
from actors.domain.validation.monte_carlo import PathLaw, path_law
from actors.domain.validation.overfitting import BLOCKS, overfitting_probability
from actors.domain.validation.record import TrialRecord
from actors.domain.validation.selection import (
    Selection,
    by_combinations,
    by_k_fold,
    by_walk_forward,
    defined_sharpes,
)
from actors.domain.validation.snooping import superior_ability

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class EvidenceSettings:
    """How the record is questioned.

    Attributes
    ----------
    blocks : int
        Of PBO; even.
    folds : int
        Of purged k-fold and of walk-forward.
    groups, test_groups : int
        Of combinatorial purged cross-validation.
    embargo_frac : float
        Of the record, after each test.
    paths : int
        Of each bootstrap.
    ruin_frac : float
    seed : int
    """

    blocks: int = BLOCKS
    folds: int = 6
    groups: int = 6
    test_groups: int = 2
    embargo_frac: float = 0.01
    paths: int = 1000
    ruin_frac: float = 0.5
    seed: int = 7


def record_evidence(record: TrialRecord, settings: EvidenceSettings | None = None) -> dict[str, Any]:
    """Return what the record says, by part; a part that cannot be computed is ``{"undefined": why}``.

    Parameters
    ----------
    record : TrialRecord
    settings : EvidenceSettings, optional

    Returns
    -------
    dict
        ``sample``, ``sharpe``, ``deflated_sharpe``, ``pbo``, ``spa_cash``, ``spa_benchmark``, ``k_fold``,
        ``cpcv``, ``walk_forward``, ``bootstrap``; Sharpe ratios named ``…_ann`` are annualised, others per period.
        ``spa_cash`` compares with holding nothing, ``spa_benchmark`` with holding as much of the market as varies
        like the trial itself: a calm strategy is not asked to earn what a wild market did.

    Examples
    --------
    >>> r = np.random.default_rng(0).standard_normal((400, 20)) * 0.01
    >>> best = int(r.mean(axis=0).argmax())
    >>> found = record_evidence(TrialRecord(r, best, r[:, 0], 365.0, 1, 40, 3.0), EvidenceSettings(paths=200))
    >>> found["deflated_sharpe"]["value"] < 0.95, found["pbo"]["halves"], len(found["cpcv"]["paths_sharpe_ann"])
    (True, 12870, 5)
    """
    s = settings if settings is not None else EvidenceSettings()
    embargo = math.ceil(s.embargo_frac * record.periods)

    def seed(name: str) -> int:
        return derive_seed(s.seed, "validate", name) % 2**63

    zeros = np.zeros(record.periods)
    how = {"horizon": record.horizon, "embargo": embargo}
    parts: dict[str, Callable[[], dict[str, Any]]] = {
        "sharpe": lambda: _sharpe(record),
        "deflated_sharpe": lambda: _deflated(record),
        "pbo": lambda: _overfitting(record, s.blocks),
        "spa_cash": lambda: _snooping(record, zeros, s.paths, seed("spa_cash")),
        "spa_benchmark": lambda: _snooping(record, _as_wild(record), s.paths, seed("spa_benchmark")),
        "k_fold": lambda: _selection(record, by_k_fold(record.returns, s.folds, **how)) | how,
        "cpcv": lambda: _selection(
            record, by_combinations(record.returns, s.groups, s.test_groups, **how)
        ) | how,
        "walk_forward": lambda: _selection(
            record, by_walk_forward(record.returns, s.folds, embargo=embargo)
        ) | {"embargo": embargo},
        "bootstrap": lambda: law_row(
            path_law(record.own, paths=2 * s.paths, seed=seed("paths"), ruin_frac=s.ruin_frac)
        ),
    }  # fmt: skip
    return {"sample": _sample(record)} | {name: _tried(part) for name, part in parts.items()}


def _as_wild(record: TrialRecord) -> FloatArray:
    """Return the benchmark held in the amount that varies as much as each trial, shape (n_periods, n_trials)."""
    held = record.benchmark.std(ddof=1)
    share = record.returns.std(axis=0, ddof=1) / held if held > 0.0 else np.zeros(record.trials)
    found: FloatArray = record.benchmark[:, None] * share
    return found


def _tried(part: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    try:
        return part()
    except InsufficientDataError as e:
        return {"undefined": e.message}


def _sample(record: TrialRecord) -> dict[str, Any]:
    groups = group_trials(record.returns)
    return {
        "bars": record.bars, "periods": record.periods, "period_bars": record.period_bars,
        "trials": record.trials, "effective_trials": groups.count,
        "mean_trial_correlation": groups.mean_correlation, "trade_count": record.trade_count,
        "years": record.periods / record.periods_per_year,
    }  # fmt: skip


def _sharpe(record: TrialRecord) -> dict[str, Any]:
    year = math.sqrt(record.periods_per_year)
    own, held = sharpe(record.own), sharpe(record.benchmark)
    moments = skew_kurtosis(record.own)
    return {
        "sharpe": own, "sharpe_ann": None if own is None else own * year,
        "benchmark_sharpe_ann": None if held is None else held * year,
        "cagr_frac": cagr(record.own, record.periods_per_year),
        "benchmark_cagr_frac": cagr(record.benchmark, record.periods_per_year),
        "skew": None if moments is None else moments[0], "kurtosis": None if moments is None else moments[1],
        "psr": None if own is None or moments is None else psr_of(own, record.periods, *moments),
    }  # fmt: skip


def _deflated(record: TrialRecord) -> dict[str, Any]:
    ratios = defined_sharpes(record.returns)
    variance = float(ratios.var(ddof=1)) if ratios.size > 1 else None
    own, moments = sharpe(record.own), skew_kurtosis(record.own)
    groups = group_trials(record.returns).count
    trials = record.trials + record.earlier
    expected = None if variance is None else expected_max_sharpe(trials, variance)
    row: dict[str, Any] = {
        "value": None, "effective_value": None, "trials": trials, "effective_trials": groups,
        "sharpe_variance": variance, "expected_best_sharpe": expected,
        "expected_best_sharpe_ann": None if expected is None else expected * math.sqrt(record.periods_per_year),
        "bars_needed": None, "bars_missing": None,
    }  # fmt: skip
    if own is None or moments is None:
        return row | {"undefined": "the chosen trial's equity did not vary"}
    if variance is None or expected is None:
        return row | {"undefined": "fewer than two trials have a Sharpe ratio"}
    row["value"] = deflated_sharpe_of(own, record.periods, *moments, trials=trials, variance=variance)
    # one thing tried is no choice among several: then what is asked is only whether it is above 0
    row["effective_value"] = (
        deflated_sharpe_of(own, record.periods, *moments, trials=groups, variance=variance)
        if groups > 1
        else psr_of(own, record.periods, *moments)
    )
    needed = min_track_record_of(own, *moments, expected)
    if needed is not None:
        row["bars_needed"] = math.ceil(needed * record.period_bars)
        row["bars_missing"] = max(0, row["bars_needed"] - record.bars)
    return row


def _overfitting(record: TrialRecord, blocks: int) -> dict[str, Any]:
    found = overfitting_probability(record.returns, blocks=blocks)
    return {
        "value": found.pbo, "halves": found.halves, "blocks": found.blocks,
        "median_logit": float(np.median(found.logits)), "loss_probability": found.loss_probability,
        "degradation_slope": found.slope,
        "logit_histogram": [[float(a), int(n)] for n, a in _histogram(found.logits)],
    }  # fmt: skip


def _histogram(values: FloatArray) -> list[tuple[int, float]]:
    counts, edges = np.histogram(values, bins=24)
    return [(int(n), float((a + b) / 2.0)) for n, a, b in zip(counts, edges[:-1], edges[1:], strict=True)]


def _snooping(record: TrialRecord, against: FloatArray, paths: int, seed: int) -> dict[str, Any]:
    found = superior_ability(record.returns, against, paths=paths, seed=seed)
    row = asdict(found)
    return row | {
        "superior": len(found.superior),
        "chosen_is_superior": record.chosen in found.superior,
        "superior_trials": list(found.superior),
    }


def _selection(record: TrialRecord, found: Selection) -> dict[str, Any]:
    year = math.sqrt(record.periods_per_year)
    earned = [sharpe(np.ascontiguousarray(path)) for path in found.paths]
    annual = [None if x is None else x * year for x in earned]
    known = [x for x in annual if x is not None]
    tested = np.array([c.test for c in found.choices])
    return {
        "choices": [
            {"trial": c.chosen, "train_sharpe_ann": c.train * year, "test_sharpe_ann": c.test * year}
            for c in found.choices
        ],
        "train_sharpe_ann": float(np.mean([c.train for c in found.choices])) * year,
        "test_sharpe_ann": float(tested.mean()) * year,
        "tests_won_frac": float((tested > 0.0).mean()),
        "paths_sharpe_ann": annual,
        "worst_path_sharpe_ann": min(known) if len(known) == len(annual) else None,
        "path_cagr_frac": [cagr(np.ascontiguousarray(p), record.periods_per_year) for p in found.paths],
    }


def law_row(law: PathLaw) -> dict[str, Any]:
    """Return a law as plain values."""
    row = asdict(law)
    for name in ("drawdown", "growth"):
        row[name] = {f"q{level * 100:02.0f}": value for level, value in row[name].items()}
    return row
