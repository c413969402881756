"""What a backtest records beside the run itself: who wanted what."""

from __future__ import annotations

from pathlib import Path

from actors.coordinators.strategy import label
from actors.domain.evaluation.attribution import Attribution
from actors.runtime.recorder import Outputs, Recorder
from actors.runtime.slices import Slice
from cluster.runs.costs import entry_fee_frac
from cluster.runs.plan import RunPlan, stay_probability


class BacktestRecorder(Recorder):
    """A recorder that also collects what attribution needs.

    Parameters
    ----------
    plan : RunPlan
    log : Path or None
        Where the canonical decision lines go; None keeps them in memory.
    """

    def __init__(self, plan: RunPlan, log: Path | None) -> None:
        cash = plan.config.model.account.initial_cash_quote
        fee, stay = entry_fee_frac(plan.config.model), stay_probability(plan.config.model)
        super().__init__(
            plan.pairs, plan.settings.timeframe_ns, cash, log, benchmark_fee_frac=fee, stay_probability=stay
        )
        self.attribution = Attribution(plan.pairs, members(plan))

    def on_step(self, item: Slice, outputs: Outputs) -> None:
        """Take one finished step."""
        super().on_step(item, outputs)
        if not item.warmup:
            self.attribution.add(outputs)


def members(plan: RunPlan) -> list[str]:
    """Return the strategies of a plan as they call themselves."""
    if "coordinator-strategy" not in plan.graph.index:
        # a strategy that manages its own orders is alone
        return [s.kind.rpartition(":")[2] for s in plan.config.model.strategies]
    coordinator = plan.graph.specs[plan.graph.index["coordinator-strategy"]]
    return [label(m) for m in coordinator.params["members"]]
