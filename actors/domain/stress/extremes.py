"""Extreme events: a causal detector of moves that the recent market did not know, and how it did on known crises.

A bar is extreme when its return, or that of the last day, exceeds a multiple of what the exponentially weighted
deviation of the bars *before* it would make of it. Bars near each other are one event.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from math import log, sqrt
from typing import ClassVar

import numpy as np
import numpy.typing as npt
from pydantic import Field

from actors.domain.registry import Params
from actors.domain.state import Stateful


class ExtremeParams(Params):
    """When a move is extreme.

    Attributes
    ----------
    threshold : float
        In deviations.
    horizon_bars : int
        The longer of the two moves that are looked at.
    half_life_bars : float
        Of the deviation.
    warmup_bars : int
        Returns seen before anything is said.
    quiet_bars : int
        Bars without an extreme one that end an event.
    """

    threshold: float = Field(default=6.0, gt=0.0)
    horizon_bars: int = Field(default=24, ge=2)
    half_life_bars: float = Field(default=336.0, gt=0.0)
    warmup_bars: int = Field(default=168, ge=2)
    quiet_bars: int = Field(default=48, ge=1)


class ExtremeEvents(Stateful):
    """Streaming detector; state: `horizon_bars` log prices and four numbers. Cost O(1) per bar.

    Examples
    --------
    >>> detector = ExtremeEvents(ExtremeParams(warmup_bars=10))
    >>> prices = [100.0 + 0.1 * (k % 2) for k in range(40)] + [60.0]
    >>> scores = [detector.update(p) for p in prices]
    >>> scores[5] != scores[5], scores[39] < 6.0 < scores[40], detector.new
    (True, True, True)
    """

    STATE: ClassVar[tuple[str, ...]] = ("_logs", "_square", "_seen", "_last_hit", "_bar", "new")

    def __init__(self, params: ExtremeParams) -> None:
        self.params = params
        self._decay = 0.5 ** (1.0 / params.half_life_bars)
        self._logs: deque[float] = deque()
        self._square = 0.0
        self._seen = 0
        self._bar = -1
        self._last_hit = -(1 << 40)
        self.new = False

    def update(self, close: float) -> float:
        """Take a close; return the score (deviations; NaN while it learns). `new` tells whether an event begins."""
        p, logs = self.params, self._logs
        self._bar += 1
        self.new = False
        now = log(close)
        score = float("nan")
        if logs:
            step = now - logs[-1]
            if self._seen >= p.warmup_bars and self._square > 0.0:
                sd = sqrt(self._square)
                long = abs(now - logs[0]) / (sd * sqrt(len(logs)))
                score = max(abs(step) / sd, long)
                if score > p.threshold:
                    self.new = self._bar - self._last_hit > p.quiet_bars
                    self._last_hit = self._bar
            self._seen += 1
            gain = max(1.0 - self._decay, 1.0 / self._seen)
            # an extreme bar counts as a large one: otherwise the next would look small beside it
            limit = p.threshold * sqrt(self._square) if self._seen > p.warmup_bars else abs(step)
            self._square += gain * (min(abs(step), limit or abs(step)) ** 2 - self._square)
        logs.append(now)
        if len(logs) > p.horizon_bars:
            logs.popleft()
        return score


@dataclass(frozen=True)
class Detection:
    """What a detector made of known crises.

    Attributes
    ----------
    hits, crises : int
        Crises with an event inside, of those that the bars cover.
    events, false_alarms : int
        Events, and those outside of every crisis (the day before one counts as inside).
    false_alarms_per_year : float
    delays_bars : tuple of int or None
        Per covered crisis: bars from its start to the first event inside.
    """

    hits: int
    crises: int
    events: int
    false_alarms: int
    false_alarms_per_year: float
    delays_bars: tuple[int | None, ...]


def detect(closes: npt.NDArray[np.float64], params: ExtremeParams) -> list[int]:
    """Return the rows at which events begin."""
    detector = ExtremeEvents(params)
    out = []
    for k, close in enumerate(closes.tolist()):
        detector.update(close)
        if detector.new:
            out.append(k)
    return out


def judge(
    events_ns: Sequence[int], spans: Sequence[tuple[int, int]], timeframe_ns: int, *, covered_ns: int,
) -> Detection:  # fmt: skip
    """Count hits and false alarms.

    Parameters
    ----------
    events_ns : sequence of int
        Closes at which events begin.
    spans : sequence of (start, end)
        Crises that the bars cover.
    timeframe_ns, covered_ns : int
        Length of a bar; length of the record.

    Examples
    --------
    >>> d = judge([15, 40], [(10, 20), (60, 70)], 1, covered_ns=100)
    >>> d.hits, d.false_alarms, d.delays_bars
    (1, 1, (5, None))
    """
    day, year = 86_400_000_000_000, 365 * 86_400_000_000_000
    delays: list[int | None] = []
    for start, end in spans:
        inside = [t for t in events_ns if start < t <= end]
        delays.append((inside[0] - start) // timeframe_ns if inside else None)
    early = day if timeframe_ns >= 60_000_000_000 else 0
    outside = [t for t in events_ns if not any(s - early < t <= e for s, e in spans)]
    return Detection(
        hits=sum(d is not None for d in delays), crises=len(spans), events=len(events_ns),
        false_alarms=len(outside), false_alarms_per_year=len(outside) * year / covered_ns,
        delays_bars=tuple(delays),
    )  # fmt: skip
