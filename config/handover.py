"""What a study hands over: its choice as a configuration file, with the provenance that deflates its Sharpe ratio.

For whoever writes studies, this is all there is to do:

1. Resolve the configuration of the chosen trial as a run of it would (`config.load.resolve`, or the plan's own
   ``config.model``).
2. Keep the **per-period** Sharpe ratio of every trial that was computed, also of pruned, failed and worthless ones
   (None): leaving some out is what flatters. Grids and repeated studies over the same bars count together.
3. Write `handed_over` of them as YAML; ``tradewind backtesting -c FILE`` runs it.

A backtest of that file deflates its Sharpe ratio by these trials (``statistics.dsr`` and ``trials`` in JSON, the table
"How the parameters were chosen" in the report). Whoever changes a parameter afterwards is refused until provenance is
set to null, which leaves the number of trials unknown; other bars, pairs, accounts and costs are no change of the
choice (`config.hashing.NOT_CHOSEN`), another timeframe is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from config.hashing import NOT_CHOSEN, NOT_DECIDING, choice_hash
from config.provenance import Provenance, provenance_of
from config.schema import Config


def handed_over(
    model: Config,
    study: str,
    trial: int,
    sharpes: Sequence[float | None],
    *,
    before: Provenance | None = None,
) -> dict[str, Any]:
    """Return the configuration file of a study's choice, as plain values.

    Parameters
    ----------
    model : Config
        Of the chosen trial.
    study : str
        Its name or id.
    trial : int
        Number of the chosen trial, an index of `sharpes`.
    sharpes : sequence of float or None
        **Per-period** Sharpe ratios of all trials, by number; None of a trial that found nothing.
    before : Provenance, optional
        Of the configuration that the study went on from: its trials count too.

    Returns
    -------
    dict
        All sections that the choice consists of, defaults written out, the timeframe and ``provenance``.

    Raises
    ------
    ValueError
        If `trial` is none of them.

    Examples
    --------
    >>> from config.load import resolve
    >>> model = resolve("backtest", sets=["strategies.rsi.params.window_bars=9"]).model
    >>> tree = handed_over(model, "rsi-2024", 1, [0.010, 0.034, None])
    >>> tree["provenance"]["trials"], tree["timeframe"], "venue" in tree
    (3, '1h', False)
    """
    if not 0 <= trial < len(sharpes):
        raise ValueError(f"trial: expected one of the {len(sharpes)} trials, found {trial}")
    left_out = {*NOT_CHOSEN, *(path for path in NOT_DECIDING if "." not in path)}
    tree = {name: value for name, value in model.model_dump(mode="json").items() if name not in left_out}
    tree["timeframe"] = model.timeframe
    tree["provenance"] = provenance_of(
        study, trial, sharpes, timeframe=model.timeframe, choice_hash=choice_hash(model), before=before
    )
    return tree
