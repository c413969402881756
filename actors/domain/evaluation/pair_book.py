"""What a run says of each pair, as its report draws it: bars, fills, wishes, detected regimes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from actors.domain.evaluation.metrics.regime_accuracy import RegimeAccuracy, regime_accuracy
from actors.domain.evaluation.report_model import Fill, PairSeries
from actors.domain.events.base import Event
from actors.domain.events.execution import OrderFilled
from actors.domain.events.market import BarClosed
from actors.domain.events.regime import REGIMES, RegimeChanged
from actors.domain.events.signal import TargetExposureSet
from actors.domain.model.money import normal_str

Handler = Callable[[Any, bool], None]


class PairBook:
    """Series of all pairs of a run; its handlers take ``(event, warmup)``.

    Parameters
    ----------
    pairs : sequence of str

    Attributes
    ----------
    series : dict pair → PairSeries
        Without the warm-up.
    close : dict pair → float
        Last closes, the warm-up's too.
    synthetic : bool
        True if any bar was made up.
    """

    def __init__(self, pairs: Sequence[str]) -> None:
        self.series = {p: PairSeries(pair=p, ts_ns=[], close=[]) for p in pairs}
        self.close: dict[str, float] = {}
        self.synthetic = False
        self._regime = dict.fromkeys(pairs, "")
        self._target: dict[str, float] = {}

    def handlers(self) -> dict[type[Event], Handler]:
        """Return what takes which event."""
        return {BarClosed: self._bar, TargetExposureSet: self._wish, RegimeChanged: self._regime_changed}

    def adopt(self, pair: str, series: PairSeries) -> None:
        """Take over the bars of a pair that were computed in columns; fills stay as they were added."""
        series.fills = self.series[pair].fills
        self.series[pair] = series

    def fill(self, event: OrderFilled) -> None:
        """Add a fill."""
        self.series[event.instrument_id or ""].fills.append(
            Fill(
                event.ts_event_ns,
                event.side,
                normal_str(event.quantity),
                float(event.price),
                f"{normal_str(event.fee)} {event.fee_currency}",
                event.liquidity,
            )
        )

    def moved(self) -> list[tuple[int, float]]:
        """Return time and value of every fill, in order."""
        fills = (f for one in self.series.values() for f in one.fills)
        return sorted((f.ts_ns, float(f.quantity) * f.price) for f in fills)

    def newest(self, now_ns: int) -> dict[str, int]:
        """Return the position of the last bar of each pair that has one which closed at `now_ns`."""
        at = {}
        for pair, series in self.series.items():
            ts = series.ts_ns
            if ts and ts[-1] == now_ns:
                at[pair] = len(ts) - 1
        return at

    def accuracy(self, truth: Mapping[str, Mapping[int, str]]) -> dict[str, RegimeAccuracy]:
        """Compare the detected regimes with planted ones.

        Parameters
        ----------
        truth : mapping pair → (close time in ns → label)
        """
        out = {}
        for pair, series in self.series.items():
            if pair in truth:
                planted = truth[pair]
                out[pair] = regime_accuracy(
                    series.detected, [planted.get(ts, "") for ts in series.ts_ns], REGIMES
                )
        return out

    def plant(self, truth: Mapping[str, Mapping[int, str]]) -> None:
        """Put the planted regimes, and how well they were found, beside the detected ones."""
        for pair, accuracy in self.accuracy(truth).items():
            series, planted = self.series[pair], truth[pair]
            series.truth = [planted.get(ts, "") for ts in series.ts_ns]
            series.accuracy = accuracy

    def _bar(self, event: BarClosed, warmup: bool) -> None:
        pair = event.instrument_id or ""
        self.synthetic = self.synthetic or event.synthetic
        self.close[pair] = event.close
        if warmup:
            return
        series = self.series[pair]
        if series.ts_ns and series.ts_ns[-1] >= event.close_ns:
            return
        series.ts_ns.append(event.close_ns)
        series.close.append(event.close)
        series.high.append(event.high)
        series.low.append(event.low)
        series.detected.append(self._regime[pair])

    def _wish(self, event: TargetExposureSet, warmup: bool) -> None:
        pair = event.instrument_id or ""
        if not warmup and self._target.get(pair) != event.target_frac:
            self._target[pair] = event.target_frac
            self.series[pair].targets.append((event.ts_event_ns, event.target_frac))

    def _regime_changed(self, event: RegimeChanged, warmup: bool) -> None:
        pair = event.instrument_id or ""
        self._regime[pair] = event.label
        series = self.series[pair]
        # bars come before regimes in a step: the bar at this close carries the new label
        if not warmup and series.ts_ns and series.ts_ns[-1] == event.ts_event_ns:
            series.detected[-1] = event.label
