"""Twin of the prediction of a tree ensemble (see ``forest.rs``): rows and trees at once, level by level."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from actors.domain.kernels.twins._grid import FloatArray

# rows times trees walked at once: bounds the memory of one step
_CELLS = 1 << 16


def _refuse(bad: NDArray[np.bool_], what: str) -> None:
    if bad.any():
        raise ValueError(f"row {int(np.argmax(bad))}: {what}")


class Forest:
    """A fitted tree ensemble, checked; a leaf leads to itself."""

    __slots__ = ("_depth", "_feature", "_features", "_left", "_right", "_roots", "_threshold", "_value")

    def __init__(
        self,
        feature: NDArray[np.int32],
        threshold: FloatArray,
        left: NDArray[np.int32],
        right: NDArray[np.int32],
        value: FloatArray,
        offsets: NDArray[np.int64],
        n_features: int,
        /,
    ) -> None:
        n = feature.shape[0]
        if offsets.shape[0] < 2 or n_features < 1 or value.shape[1] < 1:
            raise ValueError("parameter out of range: an ensemble needs a tree, a feature and an output")
        if any(len(a) != n for a in (threshold, left, right, value)):
            raise ValueError(f"expected {n} nodes in every array: pass arrays of equal length")
        if offsets[0] != 0 or offsets[-1] != n or (np.diff(offsets) < 1).any():
            raise ValueError("parameter out of range: offsets must rise from 0 to the number of nodes")
        node = np.arange(n)
        end = np.repeat(offsets[1:], np.diff(offsets))
        leaf = (left == -1) & (right == -1)
        stray = (left <= node) | (right <= node) | (left >= end) | (right >= end) | (left == right)
        _refuse(~leaf & stray, "a child lies outside its tree or not after its parent")
        unfit = (feature < 0) | (feature >= n_features) | ~np.isfinite(threshold)
        _refuse(~leaf & unfit, "a split has no such feature or no finite threshold")
        _refuse(leaf & ~np.isfinite(value).all(axis=1), "a leaf value is not finite")
        parents = np.bincount(np.concatenate([left[~leaf], right[~leaf]]), minlength=n)
        _refuse(parents > 1, "a node has two parents")
        parents[offsets[:-1]] += 1
        _refuse(parents != 1, "nobody leads to this node")
        self._feature = np.where(leaf, 0, feature)
        self._threshold = np.where(leaf, np.inf, threshold)
        self._left, self._right = np.where(leaf, node, left), np.where(leaf, node, right)
        self._value, self._roots, self._features = value, offsets[:-1].copy(), n_features
        self._depth, level = 0, self._roots
        while (level := level[~leaf[level]]).size:
            level = np.concatenate([left[level], right[level]])
            self._depth += 1

    def predict(self, rows: FloatArray, out: FloatArray, /) -> None:
        """Write the mean over the trees for each row of `rows` into `out`."""
        if rows.shape != (out.shape[0], self._features) or out.shape[1] != self._value.shape[1]:
            raise ValueError(f"expected rows of {self._features} features and one output row for each")
        with np.errstate(over="ignore", invalid="ignore"):
            narrow = rows.astype(np.float32)
        step = max(1, _CELLS // self._roots.shape[0])
        for start in range(0, rows.shape[0], step):
            x = narrow[start : start + step]
            values = self._value[self._leaves(x)]
            # accumulate adds in tree order, like the native kernel; sum() would pair
            mean = np.add.accumulate(values, axis=1)[:, -1] / self._roots.shape[0]
            mean[~np.isfinite(x).all(axis=1)] = np.nan
            out[start : start + step] = mean

    def _leaves(self, x: NDArray[np.float32]) -> NDArray[Any]:
        at = np.broadcast_to(self._roots, (x.shape[0], self._roots.shape[0]))
        row = np.arange(x.shape[0])[:, None]
        for _ in range(self._depth):
            above = x[row, self._feature[at]] > self._threshold[at]
            at = np.where(above, self._right[at], self._left[at])
        return at
