"""Online decode of a continuous jump model: the state is a mixture of states, moved at a price."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from actors.domain import kernels
from actors.domain.errors import SnapshotError

FloatArray = NDArray[np.float64]


class MixtureDecode:
    """Values of the mixtures on a grid of the simplex, one bar at a time.

    ``V_t(g) = Σ_k g_k ½‖x_t − θ_k‖² + min_h (V_{t−1}(h) + λ/4 ‖g − h‖₁²)``, less its smallest entry. With the grid of
    corners alone it is `actors.domain.kernels.jump_stream`. O(N²) per bar for N grid points.

    Parameters
    ----------
    centres : array, shape (K, D)
    penalty : float
    grid_step : float
        ``1 / M`` for a whole M; at most some hundred points.

    Examples
    --------
    >>> f = MixtureDecode(np.array([[0.0], [2.0]]), 1.0, 1.0)
    >>> [f.update(np.array([v])).round(2).tolist() for v in (0.0, 2.0, 2.0)]
    [[0.0, 2.0], [1.0, 0.0], [3.0, 0.0]]
    """

    def __init__(self, centres: FloatArray, penalty: float, grid_step: float) -> None:
        self._centres = centres
        self._points = kernels.simplex_grid(len(centres), grid_step)
        apart = np.abs(self._points[:, None, :] - self._points[None, :, :]).sum(axis=2)
        self._moves = 0.25 * penalty * apart * apart
        self._values = np.empty(0)  # before the first bar

    def update(self, x: FloatArray) -> FloatArray:
        """Take a standardised bar, shape (D,); values of the grid points, 0 for the best."""
        away = self._centres - x
        now = self._points @ (0.5 * (away * away).sum(axis=1))
        if self._values.size:
            now = now + (self._moves + self._values[:, None]).min(axis=0)
        self._values = now - now.min()
        return self._values

    def shares(self, x: FloatArray, temperature: float) -> FloatArray:
        """Take a bar; probabilities of the states: mixtures averaged with weights ``exp(−V/temperature)``."""
        weights = np.exp(-self.update(x) / temperature)
        out: FloatArray = weights @ self._points / weights.sum()
        return out

    def snapshot(self) -> bytes:
        """Return the values as bytes."""
        return self._values.astype("<f8").tobytes()

    def restore(self, data: bytes) -> None:
        """Replace the values.

        Raises
        ------
        SnapshotError
            If they belong to another grid.
        """
        values = np.frombuffer(data, dtype="<f8").astype(np.float64)
        if values.size not in (0, len(self._points)):
            raise SnapshotError(
                "MIXTURE_SNAPSHOT", f"mixtures: expected {len(self._points)} values, found {values.size}"
            )
        self._values = values
