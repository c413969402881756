"""How much of each risk limit was used, bar by bar, measured anew from prices and held exposures."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from actors.domain import registry
from actors.domain.evaluation.report_model import ReportModel
from actors.domain.risk.measures import book_tail

FloatArray = NDArray[np.float64]
_RULES = "actors.domain.risk.rules"


def risk_use(model: ReportModel) -> dict[str, FloatArray]:
    """Return the use of each limit that can be measured at bar closes, under its name in `model.limits`.

    Exposures are those held, as in `RiskLimitBreached`: VaR and ES of what is held by the joint returns of the
    rule's window, every `remeasure_steps`; the share of the largest pair in the gross exposure (at least the
    rule's floor); approved intents within the window of the trade count. Prices of the warm-up are not in a
    report, so VaR and ES are measured once `min_observations` bars of the run have passed.

    Returns
    -------
    dict of str to array, shape (n_measured,)
        Only limits that were measured at least once; concentration needs two pairs.
    """
    exposures = np.abs(np.array(model.account.exposures, dtype=float))
    if exposures.size == 0:
        return {}
    gross, single = exposures.sum(axis=1), exposures.max(axis=1)
    out = {
        "account.leverage": gross,
        "max_gross_exposure.limit_frac": gross,
        "max_position_frac.limit_frac": single,
    }
    measures: Mapping[str, Callable[[ReportModel, Any], dict[str, FloatArray]]] = {
        "max_concentration": _concentration, "var_es_limit": _tail, "max_trades_per_window": _trades,
    }  # fmt: skip
    for rule in model.config.get("risk", {}).get("rules", ()):
        measure = measures.get(rule["kind"])
        if measure is not None:
            params = registry.validate(_RULES, rule["kind"], rule.get("params") or {})
            out |= {f"{rule['kind']}.{name}": use for name, use in measure(model, params).items()}
    return {name: use for name, use in out.items() if name in model.limits and use.size}


def _concentration(model: ReportModel, params: Any) -> dict[str, FloatArray]:
    held = np.abs(np.array(model.account.exposures, dtype=float))
    if held.shape[1] < 2:
        return {}
    base = np.maximum(held.sum(axis=1), params.gross_floor_frac)
    # without a floor an empty book has no share
    share = np.divide(held.max(axis=1), base, out=np.zeros(held.shape[0]), where=base > 0.0)
    return {"limit_frac": share}


def _tail(model: ReportModel, params: Any) -> dict[str, FloatArray]:
    returns, held = joint_returns(model), np.array(model.account.exposures, dtype=float)
    var, es = [], []
    for at in range(params.min_observations, len(returns), params.remeasure_steps):
        weights = held[at]
        used = weights != 0.0
        if not used.any():
            var.append(0.0)
            es.append(0.0)
            continue
        pnl = returns[max(0, at + 1 - params.window_bars) : at + 1, used] @ weights[used]
        pnl = pnl[~np.isnan(pnl)]
        if pnl.size >= params.min_observations:
            worst = book_tail(pnl, params.confidence)
            var.append(worst[0])
            es.append(worst[1])
    return {"var_limit_frac": np.array(var), "es_limit_frac": np.array(es)}


def joint_returns(model: ReportModel) -> FloatArray:
    """Return simple returns, shape (n_bars, n_pairs); NaN where a pair lacks this bar or the one before."""
    times = np.array(model.account.ts_ns, dtype=np.int64)
    closes = np.full((times.size, len(model.pairs)), np.nan)
    for column, series in enumerate(model.pairs):
        at = np.searchsorted(times, series.ts_ns)
        known = at < times.size
        known[known] = times[at[known]] == np.array(series.ts_ns, dtype=np.int64)[known]
        closes[at[known], column] = np.array(series.close)[known]
    out = np.full_like(closes, np.nan)
    out[1:] = closes[1:] / closes[:-1] - 1.0
    return out


def _trades(model: ReportModel, params: Any) -> dict[str, FloatArray]:
    times = np.array(model.account.ts_ns, dtype=np.int64)
    # an approval of step k stands in the window of the steps k … k + window - 1
    steps = np.searchsorted(times, model.approved_ns)
    made = np.bincount(steps[steps < times.size], minlength=times.size)
    total = np.concatenate(([0], np.cumsum(made)))
    first = np.maximum(np.arange(times.size) + 1 - params.window_steps, 0)
    return {"max_trades": (total[1:] - total[first]).astype(float)}
