"""Random forest, fitted walk-forward on matured outcomes and walked through flat arrays.

scikit-learn fits (seeded, one thread, away from the bar); prediction goes through `kernels.forest_predict`,
because a single-row call of scikit-learn costs milliseconds. Between fits the model is frozen.

References
----------
Breiman (2001), "Random forests"; walk-forward after Pardo (2008), "The evaluation and optimization of
trading strategies".
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import pydantic
from numpy.typing import NDArray

from actors.domain import kernels
from actors.domain.errors import InvalidParamsError
from actors.domain.fitting import FitRunner, Refit
from actors.domain.learning.base import Notice, Predictor, Sample
from actors.domain.processor import derive_seed
from actors.domain.registry import Params, component

FloatArray = NDArray[np.float64]
NAN = float("nan")
_EDGE = 1e-6


class ForestParams(Params):
    """Parameters of `Forest`.

    Attributes
    ----------
    horizon_bars : int
        The label of bar t is whether the close at ``t + horizon_bars`` is above the close at t.
    window_bars : int
        A fit uses the ready bars among the last so many whose outcome is known.
    min_samples : int
        Fewest samples for a fit; at most `window_bars`.
    refit_every_bars, refit_lag_steps : int
        A fit is asked for every so many bars and takes effect so many steps later.
    trees, max_depth, min_leaf_samples : int
        Shape of the forest; each split looks at √columns of them.
    """

    horizon_bars: int = pydantic.Field(1, ge=1)
    window_bars: int = pydantic.Field(1000, ge=10)
    min_samples: int = pydantic.Field(300, ge=10)
    refit_every_bars: int = pydantic.Field(250, ge=1)
    refit_lag_steps: int = pydantic.Field(4, ge=1)
    trees: int = pydantic.Field(40, ge=1)
    max_depth: int = pydantic.Field(4, ge=1)
    min_leaf_samples: int = pydantic.Field(20, ge=1)

    @pydantic.model_validator(mode="after")
    def _ordered(self) -> ForestParams:
        if self.min_samples > self.window_bars:
            raise ValueError(
                f"min_samples: expected <= window_bars ({self.window_bars}), found {self.min_samples}"
            )
        return self


@component
class Forest(Predictor):
    """The walk-forward forest.

    Notes
    -----
    State: a ring of the last ``window_bars + horizon_bars`` feature rows and labels, the flat arrays of the
    present version, a pending fit. Cost per bar: one row copied, O(trees·depth). A bar whose features are
    not ready is neither learnt nor predicted. Trees are stored with the numbers of the full row's columns,
    so that a selection of columns changes fits only.
    """

    Params = ForestParams
    STATE: ClassVar[tuple[str, ...]] = (
        "version", "_count", "_rows", "_labels", "_waiting", "_arrays", "_refit", "_columns",
        "_since", "_right", "_scored",
    )  # fmt: skip

    def __init__(
        self, params: ForestParams, *, names: Sequence[str], fits: FitRunner, name: str, seed: int
    ) -> None:
        super().__init__(params, names=names, fits=fits, name=name, seed=seed)
        self.horizon_bars = params.horizon_bars
        self.version = 0
        self._size = params.window_bars + params.horizon_bars
        self._count = 0
        self._rows: FloatArray = np.zeros((self._size, len(self.names)))
        self._labels: FloatArray = np.full(self._size, np.nan)
        # one entry per bar whose outcome is open: (ready, close, predicted, version)
        self._waiting: deque[tuple[bool, float, float, int]] = deque()
        self._columns: tuple[int, ...] = tuple(range(len(self.names)))
        self._since = 0
        self._right = self._scored = 0
        self._refit = Refit(fits, name, fit_forest, params.refit_lag_steps)
        self._arrays: dict[str, Any] | None = None
        self._forest: kernels.ForestArrays | None = None

    def select(self, names: Sequence[str]) -> None:
        """Use only these columns from the next fit on.

        Raises
        ------
        InvalidParamsError
            If a name is no column.
        """
        at = {n: i for i, n in enumerate(self.names)}
        if not names or any(n not in at for n in names):
            raise InvalidParamsError(
                "COLUMNS_UNKNOWN",
                f"{self.name}: expected names among {list(self.names)}, found {list(names)}",
            )
        self._columns = tuple(sorted(at[n] for n in names))

    def update(self, sample: Sample) -> tuple[float, Sequence[Notice]]:
        """Label what has matured, install and ask for fits, return P(up) for this bar (NaN: no model)."""
        slot = self._count % self._size
        waiting = self._waiting
        if len(waiting) == self.horizon_bars:
            self._mature(*waiting.popleft(), sample.close)
        self._labels[slot] = NAN
        if sample.ready:
            self._rows[slot] = sample.features
        self._count += 1
        notices = self._install(sample.step) if self._refit.pending else ()
        self._since += 1
        if self._since >= self.params.refit_every_bars and not self._refit.pending:
            self._ask(sample.step)
        p = NAN
        if sample.ready and self._forest is not None:
            p = float(kernels.forest_predict(self._forest, self._rows[slot : slot + 1])[0, 0])
            p = _EDGE if p < _EDGE else 1.0 - _EDGE if p > 1.0 - _EDGE else p
        waiting.append((sample.ready, sample.close, p, self.version))
        return p, notices

    def _mature(self, ready: bool, close: float, p: float, version: int, now: float) -> None:
        if ready:
            up = now > close
            self._labels[(self._count - self.horizon_bars) % self._size] = 1.0 if up else 0.0
            if p == p and version == self.version:
                self._scored += 1
                self._right += (p > 0.5) == up

    def _ask(self, step: int) -> None:
        order = np.arange(self._count - self._size, self._count) % self._size
        order = order[~np.isnan(self._labels[order])]
        if len(order) < self.params.min_samples:
            return
        self._since = 0
        p = self.params
        self._refit.ask(
            step,
            (
                self._rows[order], self._labels[order], self._columns, p.trees, p.max_depth,
                p.min_leaf_samples, derive_seed(self.seed, self.version + 1) % 2**32,
            ),
        )  # fmt: skip

    def _install(self, step: int) -> Sequence[Notice]:
        arrays = self._refit.take(step)
        if arrays is None:
            return ()
        score = self._right / self._scored if self._scored else NAN
        self.version += 1
        self._right = self._scored = 0
        self._arrays = arrays
        self._forest = self._compiled()
        figures = {
            "version": float(self.version),
            "requested_step": float(self._refit.asked_step),
            "observations": float(arrays["observations"]),
            "score": score,
        }
        return (Notice("trained", figures),)

    def _compiled(self) -> kernels.ForestArrays | None:
        if self._arrays is None:
            return None
        a = self._arrays
        return kernels.ForestArrays(
            feature=a["feature"], threshold=a["threshold"], left=a["left"], right=a["right"],
            value=a["value"], offsets=a["offsets"], n_features=len(self.names),
        )  # fmt: skip

    def load_state(self, tree: dict[str, Any]) -> None:
        """Restore what `state` returned; a pending fit is asked for again."""
        super().load_state(tree)
        self._forest = self._compiled()


def fit_forest(
    rows: FloatArray,
    labels: FloatArray,
    columns: tuple[int, ...],
    trees: int,
    max_depth: int,
    min_leaf_samples: int,
    seed: int,
) -> dict[str, Any]:
    """Fit a forest and return it as flat arrays over the full row.

    Parameters
    ----------
    rows : array, shape (n_samples, n_columns)
    labels : array, shape (n_samples,), 0 or 1
    columns : tuple of int
        Columns that the fit may use.
    trees, max_depth, min_leaf_samples, seed : int

    Returns
    -------
    dict
        ``feature, left, right`` int32 (n_nodes,), ``threshold`` float64 (n_nodes,), ``value`` float64
        (n_nodes, 1): P(up), ``offsets`` int64 (trees + 1,), ``observations`` int.
    """
    from sklearn.ensemble import RandomForestClassifier

    model = RandomForestClassifier(
        n_estimators=trees, max_depth=max_depth, min_samples_leaf=min_leaf_samples, max_features="sqrt",
        n_jobs=1, random_state=seed,
    )  # fmt: skip
    model.fit(rows[:, list(columns)], labels)
    flat = kernels.ForestArrays.from_sklearn(model)
    # one class only: nothing in the window ever rose, or everything did
    value = flat.value[:, [flat.classes.index(1.0)]] if 1.0 in flat.classes else np.zeros((len(flat.left), 1))
    original = np.asarray(columns, dtype=np.int32)
    return {
        "feature": original[np.where(flat.left < 0, 0, flat.feature)],
        "threshold": np.array(flat.threshold),
        "left": np.array(flat.left),
        "right": np.array(flat.right),
        "value": value,
        "offsets": np.array(flat.offsets),
        "observations": len(labels),
    }
