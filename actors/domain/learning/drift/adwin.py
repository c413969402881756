"""ADWIN by river's compiled core: the window shrinks when its halves cannot have the same mean.

Bifet & Gavaldà (2007), "Learning from time-changing data with adaptive windowing". The core is imported
from where river's own `river.drift.ADWIN` takes it: the package `river.drift` would load river's data sets,
and with them scikit-learn and pandas, which costs an agent's process seconds and some 90 MiB. A reference
test holds this class equal to river's, alarm for alarm.
"""

from __future__ import annotations

from typing import Any, ClassVar

from actors.domain.state import Opaque, Stateful


class Adwin(Stateful):
    """Adaptive window over a stream of errors.

    Parameters
    ----------
    delta : float
        Confidence in (0, 1); smaller means fewer alarms.

    Attributes
    ----------
    drift : bool
        True if the last value made the window shrink. The next value then starts a new window.
    """

    STATE: ClassVar[tuple[str, ...]] = ("drift",)

    def __init__(self, delta: float = 0.002) -> None:
        self._delta = delta
        self.drift = False
        self._window = self._fresh()

    def _fresh(self) -> Any:
        from river._river_rust.drift import AdaptiveWindowing

        return AdaptiveWindowing(
            delta=self._delta, clock=32, max_buckets=5, min_window_length=5, grace_period=10
        )

    @property
    def estimation(self) -> float:
        """Mean of the window, 0 while it is empty."""
        width = self._window.get_width()
        return self._window.get_total() / width if width else 0.0

    def update(self, x: float) -> bool:
        """Take one value and return `drift`."""
        if self.drift:
            self._window = self._fresh()
        self.drift = bool(self._window.update(x))
        return self.drift

    def state(self) -> dict[str, Any]:
        """Return the state; the compiled window travels by pickle inside `Opaque`."""
        return {**super().state(), "window": Opaque(self._window)}

    def load_state(self, tree: dict[str, Any]) -> None:
        """Restore what `state` returned."""
        rest = dict(tree)
        self._window = rest.pop("window").value
        super().load_state(rest)
