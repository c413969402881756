"""Hears what detectors and ensemble say of each pair and keeps what a report shows of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from actors.domain.evaluation.regime_statistics import regime_statistics
from actors.domain.evaluation.regime_trace import STAY, RegimeTrace, RegimeView
from actors.domain.evaluation.run_metrics import YEAR_NS
from actors.domain.events.regime import REGIMES, RegimeAssessed
from actors.domain.processor import derive_seed
from actors.domain.regime.base import UNIFORM

ENSEMBLE = "ensemble"


class Bars(Protocol):
    """What this needs of a pair's series."""

    @property
    def close(self) -> Sequence[float]: ...

    @property
    def detected(self) -> Sequence[str]: ...

    @property
    def truth(self) -> Sequence[str]: ...


class RegimeBook:
    """One trace per pair.

    Parameters
    ----------
    pairs : sequence of str
    stay_probability : float
        Of the ensemble's filter; see `regime_reliability.Hindsight`.

    Attributes
    ----------
    observed : bool
        True if no decision hears of these regimes.
    """

    def __init__(self, pairs: Sequence[str], stay_probability: float = STAY) -> None:
        self.observed = False
        self.traces = {pair: RegimeTrace(stay_probability) for pair in pairs}
        self._said: dict[str, list[RegimeAssessed]] = {}

    @property
    def step_ns(self) -> int | None:
        """Time of what was said and not put together yet; None if there is nothing."""
        for said in self._said.values():
            return said[0].ts_event_ns
        return None

    def take(self, event: RegimeAssessed, warmup: bool) -> None:
        """Take one view; the warm-up's are left out."""
        if not warmup:
            pair = event.instrument_id or ""
            said = self._said.get(pair)
            if said is None:
                self._said[pair] = [event]
            else:
                said.append(event)

    def close_step(self, at: Mapping[str, int]) -> None:
        """Put together what was said in a step.

        Parameters
        ----------
        at : mapping pair → number of its bar in this step
            Views of a pair without one, and of a pair about which nothing is known yet, are left out.
        """
        for pair, said in self._said.items():
            if pair not in at:
                continue
            whole: RegimeAssessed | None = None
            members = []
            for event in said:
                if event.detector != ENSEMBLE:
                    members.append(event)
                elif whole is None:
                    whole = event
            if whole is not None and whole.probabilities != UNIFORM:
                self.traces[pair].add(at[pair], whole, members)
        self._said = {}

    def views(self, series: Mapping[str, Bars], *, timeframe_ns: int, seed: int) -> list[RegimeView]:
        """Return what a report shows of every pair about which anything was said.

        Parameters
        ----------
        series : mapping pair → its bars with labels
        timeframe_ns, seed : int
        """
        out = []
        for pair, trace in self.traces.items():
            if not trace.bars:
                continue
            one = series[pair]
            found = regime_statistics(
                one.detected, one.close, REGIMES, periods_per_year=YEAR_NS / timeframe_ns, totals=trace.totals,
                seed=derive_seed(seed, "regimes", pair),
            )  # fmt: skip
            out.append(trace.view(pair, found, one.detected, one.truth, observed=self.observed))
        return out
