"""Detectors on longer bars beside those of the run: joined at their close only, and how frames that differ agree.

A longer bar is made of the run's own bars and is seen once its last one has closed; until the next closes the
detector's last view holds. A first bar that began before the data is dropped.

Where frames differ, three rules hold. **Pool**: a frame's members enter the fleet's log-opinion pool with the frame's
weight (`frame_weight`). **Veto**: while the members of a longer frame together hold a crash for more likely than all
else, members of shorter frames that see a bull are not heard. **Agreement**: how alike the frames' own pools are is a
figure, and below `MIXED` the picture is mixed; it is said, it decides nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import exp, log, nan
from typing import ClassVar, Protocol, TypeVar

import msgspec

from actors.domain.errors import ConfigError, InvalidParamsError
from actors.domain.events.regime import REGIMES
from actors.domain.model.resample import bars_per_bucket
from actors.domain.model.timeframe import floor_to_bar, format_timeframe, parse_timeframe
from actors.domain.regime import pooling
from actors.domain.regime.base import (
    WARMING_UP,
    Assessment,
    Detector,
    Observation,
    bars_missing,
    return_per_bar,
    silent,
)
from actors.domain.regime.vocabulary import BULL, CRASH
from actors.domain.state import Stateful

MIXED = 0.5
"""Agreement below which frames are said to differ."""
VETO = 0.5
"""Probability of a crash on a longer frame above which bulls of shorter ones are not heard."""
_FLOOR = 1e-300


class View(pooling.View, Protocol):
    """What these rules need of a member's view."""

    @property
    def label(self) -> str: ...


V = TypeVar("V", bound=View)


def checked_frames(base_ns: int, timeframes: Sequence[str]) -> tuple[str, ...]:
    """Return the longer frames of a run, shortest first.

    Raises
    ------
    ConfigError
        If one is no multiple of the run's bars, not longer than they are, or there twice.

    Examples
    --------
    >>> checked_frames(3_600_000_000_000, ["1d", "4h"])
    ('4h', '1d')
    """
    lengths = sorted(parse_timeframe(t) for t in timeframes)
    for length in lengths:
        if bars_per_bucket(base_ns, length) < 2 or lengths.count(length) > 1:
            raise ConfigError(
                "REGIME_TIMEFRAMES",
                "regime.timeframes: expected different frames, each longer than the run's "
                f"{format_timeframe(base_ns)}, found {', '.join(timeframes)}",
            )
    return tuple(format_timeframe(n) for n in lengths)


def frame_weight(base_ns: int, frame_ns: int) -> float:
    """Return the weight of a frame's members beside those of the run's bars: the ratio of their lengths.

    A held view repeats itself from bar to bar; so weighed, each closed bar of any frame counts once.

    Examples
    --------
    >>> frame_weight(1, 4), frame_weight(1, 1)
    (0.25, 1.0)
    """
    return base_ns / frame_ns


def member_weights(
    given: Sequence[float], kinds: int, base_ns: int, frames: Sequence[str]
) -> tuple[float, ...]:
    """Return the weights of the run's detectors, then of the same ones on each longer frame, in that order.

    Parameters
    ----------
    given : sequence of float
        Per detector; empty is 1 each.
    kinds : int
        Number of detectors.
    base_ns : int
    frames : sequence of str
        The longer frames.

    Raises
    ------
    InvalidParamsError
        If weights are given and there is not one per detector.

    Examples
    --------
    >>> member_weights((), 2, 3_600_000_000_000, ["4h"])
    (1.0, 1.0, 0.25, 0.25)
    """
    if given and len(given) != kinds:
        raise InvalidParamsError(
            "ENSEMBLE_WEIGHTS",
            f"ensemble.weights: expected one per detector, {kinds}, found {len(given)}; those of longer frames follow",
        )
    lengths = [base_ns, *map(parse_timeframe, frames)]
    return tuple(w * frame_weight(base_ns, n) for n in lengths for w in (given or (1.0,) * kinds))


class FrameDetector(Stateful):
    """Runs a detector on longer bars and holds its last view between their closes.

    Parameters
    ----------
    detector : Detector
        Its observations carry the number of the step in which the longer bar became known.
    base_ns, frame_ns : int
        Lengths of the bars that come and of those that the detector sees.

    Raises
    ------
    ConfigError
        If the longer is no multiple of the shorter.

    Notes
    -----
    A bar that lacks some of its parts is built from those there are; its quality is theirs times their share. One left
    open by a gap is seen when the next bar arrives.
    """

    STATE: ClassVar[tuple[str, ...]] = (
        "_detector",
        "_view",
        "_open_ns",
        "_bar",
        "_whole",
        "_last_close",
        "_due_ns",
    )

    def __init__(self, detector: Detector, *, base_ns: int, frame_ns: int) -> None:
        self._detector = detector
        self._parts = bars_per_bucket(base_ns, frame_ns)
        self._base_ns, self._frame_ns = base_ns, frame_ns
        self._view: Assessment | None = None
        self._open_ns = -1  # of the bar under way
        self._bar: list[float] = []  # its high, low, close, sum of qualities, parts, open, mood
        self._whole = False  # it began at its beginning, or not with the data
        self._last_close = nan
        self._due_ns = -1  # where the last bar that was seen ended

    @property
    def detector(self) -> Detector:
        """What sees the longer bars."""
        return self._detector

    def update(
        self,
        step: int,
        open_ns: int,
        high: float,
        low: float,
        close: float,
        quality: float,
        open: float = nan,  # noqa: A002 - a bar's own word
        mood: tuple[float, float] = (nan, 1.0),
    ) -> Assessment:
        """Take the next closed bar of the run, return the view of the longer bars that have closed by now.

        `mood` is sentiment and its quality at the close; a longer bar has that of its last bar.
        """
        bucket = floor_to_bar(open_ns, self._frame_ns)
        if bucket != self._open_ns:
            self._close(step)
            self._whole = self._open_ns >= 0 or open_ns == bucket
            self._open_ns, self._bar = bucket, [high, low, close, 0.0, 0.0, open, *mood]
        bar = self._bar
        bar[0], bar[1], bar[2] = max(bar[0], high), min(bar[1], low), close
        bar[3] += quality
        bar[4] += 1.0
        bar[6], bar[7] = mood
        if open_ns + self._base_ns >= bucket + self._frame_ns:
            self._close(step)
        return silent(WARMING_UP) if self._view is None else self._view

    def _close(self, step: int) -> None:
        """Show the detector the bar under way, if there is one that began at its beginning."""
        if self._bar and self._whole:
            high, low, close, quality, _, first, sentiment, known = self._bar
            before, self._last_close = self._last_close, close
            missing = bars_missing(self._due_ns, self._open_ns, self._frame_ns)
            self._due_ns = self._open_ns + self._frame_ns
            self._view = self._detector.update(
                Observation(step, high, low, close, return_per_bar(log(close / before), missing),
                            quality / self._parts, open=first, sentiment=sentiment, sentiment_quality=known,
                            missing_bars=missing)
            )  # fmt: skip
        self._bar = []

    def state(self) -> dict[str, object]:
        """Return the state, the held view as plain values."""
        v = self._view
        held = None if v is None else msgspec.structs.astuple(v)
        return {**super().state(), "_view": held}

    def load_state(self, tree: dict[str, object]) -> None:
        """Restore what `state` returned."""
        super().load_state(tree)
        held = tree.get("_view")
        self._view = None if held is None else Assessment(*held)  # type: ignore[misc]


def frame_pools(views: Sequence[View | None], frames: Sequence[str]) -> dict[str, tuple[float, ...]]:
    """Return each frame's log-opinion pool of the members that are heard, equal weights; silent frames are left out.

    Examples
    --------
    >>> one = Assessment("bull", (0.5, 0.1, 0.1, 0.1, 0.1, 0.1), 0.4)
    >>> frame_pools([one, None], ["1h", "4h"])["1h"] == one.probabilities
    True
    """
    logs: dict[str, list[float]] = {}
    heard: dict[str, int] = {}
    for view, frame in zip(views, frames, strict=True):
        if view is None or view.confidence <= 0.0:
            continue
        heard[frame] = heard.get(frame, 0) + 1
        row = logs.setdefault(frame, [0.0] * len(REGIMES))
        for k, p in enumerate(view.probabilities):
            row[k] += log(p or _FLOOR)
    out = {}
    for frame, row in logs.items():
        n = heard[frame]
        if n == 1:
            out[frame] = next(v.probabilities for v, f in zip(views, frames, strict=True)
                              if f == frame and v is not None and v.confidence > 0.0)  # fmt: skip
            continue
        highest = max(row)
        raw = [exp((s - highest) / n) for s in row]
        total = sum(raw)
        out[frame] = tuple(r / total for r in raw)
    return out


def frame_agreement(pools: Mapping[str, Sequence[float]]) -> float | None:
    """Return how alike the frames' pools are: 1 if equal, 0 if no two think any regime possible in common.

    One minus the Jensen-Shannon divergence of the pools, equal weights, over its largest value; None for fewer than
    two.

    Examples
    --------
    >>> frame_agreement({"1h": (1.0, 0.0), "4h": (0.0, 1.0)}), frame_agreement({"1h": (0.3, 0.7), "4h": (0.3, 0.7)})
    (0.0, 1.0)
    """
    rows = list(pools.values())
    n = len(rows)
    if n < 2:
        return None
    mean = [sum(column) / n for column in zip(*rows, strict=True)]
    divergence = _entropy(mean) - sum(_entropy(row) for row in rows) / n
    return min(1.0, max(0.0, 1.0 - divergence / log(n)))


def without_vetoed(
    views: Sequence[V | None], frames: Sequence[str], pools: Mapping[str, Sequence[float]]
) -> list[V | None]:
    """Return the views with those silenced that a crash on a longer frame does not let through.

    Parameters
    ----------
    views, frames : sequences of equal length
        Members' views and frames; "" is the run's own, shorter than all others.
    pools : mapping frame → probabilities
        As of `frame_pools`.

    Examples
    --------
    >>> bull = Assessment("bull", (0.5, 0.1, 0.1, 0.1, 0.1, 0.1), 0.4)
    >>> wild = Assessment("crash", (0.1, 0.1, 0.1, 0.6, 0.05, 0.05), 0.5)
    >>> seen = [bull, wild]
    >>> [v and v.label for v in without_vetoed(seen, ["1h", "4h"], frame_pools(seen, ["1h", "4h"]))]
    [None, 'crash']
    """
    crashing = [_length(f) for f, p in pools.items() if p[CRASH] > VETO]
    if not crashing:
        return list(views)
    longest = max(crashing)
    bull = REGIMES[BULL]
    return [
        None if v is not None and v.label == bull and _length(f) < longest else v
        for v, f in zip(views, frames, strict=True)
    ]


def _length(frame: str) -> int:
    return parse_timeframe(frame) if frame else 0


def _entropy(p: Sequence[float]) -> float:
    return -sum(x * log(x) for x in p if x > 0.0)
