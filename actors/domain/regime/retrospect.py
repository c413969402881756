"""What the regime *was*: labels that have since become known, by a fixed-lag smoother over filtered beliefs.

A live belief knows bars up to its own; `lag_bars` later the bars between have been seen as well, and the belief of that
older bar given all of them is far sharper (Rauch's recursion for chains; fixed-lag form as in Särkkä 2013, chapter 10).
Weights, hit rates and calibration learn from these: from the past only, for a bar's label is never said before it is
due. The chain stays with one probability and leaves to all other states alike, so a step back costs O(states).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import ClassVar, NamedTuple

from actors.domain.errors import InvalidParamsError
from actors.domain.state import Stateful


class Known(NamedTuple):
    """A past bar's belief, seen from now.

    Attributes
    ----------
    bars_ago : int
        Which bar: this many updates before the present one, at least the smoother's lag.
    probabilities : tuple of float, shape (states,)
        Sum 1.
    """

    bars_ago: int
    probabilities: tuple[float, ...]

    @property
    def label(self) -> int:
        """Index of the most likely state; of equals the lowest."""
        return self.probabilities.index(max(self.probabilities))


class FixedLagSmoother(Stateful):
    """Says, `lag_bars` late, what state each bar was in.

    With `stride_bars` of 1 each update makes one bar known. A larger stride makes that many known at once, every so
    many updates and up to ``stride_bars − 1`` later, for O(1 + lag / stride) steps back per bar instead of `lag_bars`.

    Parameters
    ----------
    states : int
        At least 2.
    stay_probability : float
        Of the chain that the beliefs were filtered with, in [1/states, 1); the rest goes to the others alike.
    lag_bars, stride_bars : int
        At least 1.

    Raises
    ------
    InvalidParamsError
        If a parameter is out of range.

    Examples
    --------
    >>> s = FixedLagSmoother(states=2, stay_probability=0.9, lag_bars=2)
    >>> s.update((0.6, 0.4)), s.update((0.1, 0.9))
    ((), ())
    >>> [(k.bars_ago, k.label) for k in s.update((0.05, 0.95))]
    [(2, 1)]
    """

    STATE: ClassVar[tuple[str, ...]] = ("_beliefs", "_since")

    def __init__(self, *, states: int, stay_probability: float, lag_bars: int, stride_bars: int = 1) -> None:
        if states < 2 or not 1.0 / states <= stay_probability < 1.0 or lag_bars < 1 or stride_bars < 1:
            raise InvalidParamsError(
                "SMOOTHER_PARAMS",
                "smoother: expected states >= 2, 1/states <= stay_probability < 1, lag_bars >= 1 and stride_bars >= 1, "
                f"found {states}, {stay_probability}, {lag_bars}, {stride_bars}",
            )
        self._states, self._lag, self._stride = states, lag_bars, stride_bars
        self._leave = (1.0 - stay_probability) / (states - 1)
        self._step = stay_probability - self._leave
        self._beliefs: deque[tuple[float, ...]] = deque(maxlen=lag_bars + stride_bars)
        self._since = 0  # bars whose label is still to be said, less the lag

    @property
    def longest_wait_bars(self) -> int:
        """Updates after which every bar is known."""
        return self._lag + self._stride - 1

    def update(self, belief: Sequence[float]) -> tuple[Known, ...]:
        """Take the filtered belief of this bar (before hysteresis), return the bars that are now known, oldest first.

        Empty before the first is due. A belief must have come by one step of the chain from the one before it, whatever
        evidence went in; a bar without evidence is one whose belief is the prediction.

        Raises
        ------
        InvalidParamsError
            If the number of states is another.
        """
        if len(belief) != self._states:
            raise InvalidParamsError(
                "SMOOTHER_STATES", f"belief: expected {self._states} probabilities, found {len(belief)}"
            )
        self._beliefs.append(tuple(belief))
        if len(self._beliefs) <= self._lag:
            return ()
        self._since += 1
        if self._since < self._stride:
            return ()
        self._since = 0
        leave, step, lag = self._leave, self._step, self._lag
        known: list[Known] = []
        later = None
        for ago, alpha in enumerate(reversed(self._beliefs)):
            if later is None:
                later = alpha
            else:
                # γ_t(i) = α_t(i)·Σ_j P_ij·γ_{t+1}(j)/(α_t P)_j; Σ α = 1 makes both products affine
                ratio = [g / (leave + step * a) for g, a in zip(later, alpha, strict=True)]
                spread = leave * sum(ratio)
                later = tuple([a * (spread + step * r) for a, r in zip(alpha, ratio, strict=True)])
            if ago >= lag:
                known.append(Known(ago, later))
        known.reverse()
        return tuple(known)
