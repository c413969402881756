"""Online logistic regression that learns each outcome as it matures and starts over when it drifts.

A running standard scaler and a logistic regression (stochastic gradient descent on the log loss, as river's),
watched by river's ADWIN on the model's own errors: when the error rate rises, the weights are forgotten (or
kept, by configuration) and the learning rate is raised for a while.

References
----------
Bifet & Gavaldà (2007), "Learning from time-changing data with adaptive windowing"; Montiel et al. (2021),
"River: machine learning for streaming data in Python".
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any, ClassVar, Literal

import pydantic

from actors.domain.errors import InvalidParamsError
from actors.domain.fitting import FitRunner
from actors.domain.learning.base import Notice, Predictor, Sample
from actors.domain.learning.drift.adwin import Adwin
from actors.domain.learning.logistic import LogisticSgd
from actors.domain.learning.scaling import RunningScaler
from actors.domain.registry import Params, component

NAN = float("nan")
_EDGE = 1e-6


class OnlineParams(Params):
    """Parameters of `Online`.

    Attributes
    ----------
    horizon_bars : int
        The label of bar t is whether the close at ``t + horizon_bars`` is above the close at t.
    min_samples : int
        Outcomes to learn (again after a reset) before the model speaks.
    learning_rate, l2 : float
        Of stochastic gradient descent.
    drift_delta : float
        ADWIN's confidence; smaller: fewer alarms.
    on_drift : {"reset", "boost"}
        Forget the weights, or keep them; both raise the learning rate.
    boost_factor : float
        Learning rate after an alarm, relative to the normal one, for `boost_samples` outcomes.
    """

    horizon_bars: int = pydantic.Field(1, ge=1)
    min_samples: int = pydantic.Field(200, ge=1)
    learning_rate: float = pydantic.Field(0.005, gt=0)
    l2: float = pydantic.Field(0.001, ge=0)
    drift_delta: float = pydantic.Field(0.002, gt=0, lt=1)
    on_drift: Literal["reset", "boost"] = "reset"
    boost_factor: float = pydantic.Field(4.0, ge=1)
    boost_samples: int = pydantic.Field(100, ge=0)


@component
class Online(Predictor):
    """The online predictor.

    Notes
    -----
    State: the scaler, ADWIN and the regression, the scaled vectors of the last `horizon_bars` bars, whose
    outcomes are not known yet, with their columns. Cost per bar: O(columns). A
    bar whose features are not ready is neither scaled nor learnt nor predicted. Each bar is scored with the
    prediction made before its outcome, then learnt.
    """

    Params = OnlineParams
    STATE: ClassVar[tuple[str, ...]] = (
        "version",
        "_scaler",
        "_model",
        "_adwin",
        "_columns",
        "_waiting",
        "_learnt",
        "_boost",
    )

    def __init__(
        self, params: OnlineParams, *, names: Sequence[str], fits: FitRunner, name: str, seed: int
    ) -> None:
        super().__init__(params, names=names, fits=fits, name=name, seed=seed)

        self.horizon_bars = params.horizon_bars
        self.version = 1
        self._columns: tuple[str, ...] = self.names
        self._index: tuple[int, ...] | None = None
        # one row per bar, oldest first: (scaled features or None, their columns or None: all, close, prediction)
        self._waiting: deque[tuple[list[float] | None, tuple[int, ...] | None, float, float]] = deque()
        self._learnt = 0
        self._boost = 0
        self._scaler = RunningScaler(len(self.names))
        self._model = self._fresh()
        self._adwin = Adwin(params.drift_delta)

    def select(self, names: Sequence[str]) -> None:
        """Use only these columns from the next bar on; weights of the others rest until they return.

        Raises
        ------
        InvalidParamsError
            If a name is no column.
        """
        unknown = [n for n in names if n not in self.names]
        if unknown or not names:
            raise InvalidParamsError(
                "COLUMNS_UNKNOWN",
                f"{self.name}: expected names among {list(self.names)}, found {list(names)}",
            )
        self._columns = tuple(names)
        self._index = self._positions()

    def update(self, sample: Sample) -> tuple[float, Sequence[Notice]]:
        """Learn the outcome that has matured, then return P(up) for this bar, NaN while untrained."""
        notices: Sequence[Notice] = ()
        waiting = self._waiting
        if len(waiting) == self.horizon_bars:
            scaled, columns, close, p = waiting.popleft()
            if scaled is not None:
                notices = self._learn(scaled, columns, sample.close > close, p)
        if not sample.ready:
            waiting.append((None, None, sample.close, NAN))
            return NAN, notices
        scaled, columns = self._scaler.take(sample.features), self._index
        if columns is not None:
            scaled = [scaled[i] for i in columns]
        p = NAN
        if self._learnt >= self.params.min_samples:
            p = self._model.probability(scaled, columns)
            p = _EDGE if p < _EDGE else 1.0 - _EDGE if p > 1.0 - _EDGE else p
        waiting.append((scaled, columns, sample.close, p))
        return p, notices

    def _learn(
        self, row: list[float], columns: tuple[int, ...] | None, up: bool, p: float
    ) -> Sequence[Notice]:
        notices: Sequence[Notice] = ()
        if p == p:
            adwin = self._adwin
            before = adwin.estimation
            # ADWIN also cuts when errors become rarer: that is no reason to forget
            if adwin.update(float((p > 0.5) != up)) and adwin.estimation > before:
                notices = (Notice("drift", {"statistic": adwin.estimation, "before": before}),)
                self._start_over()
        self._model.learn(row, up, columns)
        self._learnt += 1
        if self._boost:
            self._boost -= 1
            if not self._boost:
                self._model.rate = self.params.learning_rate
        return notices

    def _start_over(self) -> None:
        p = self.params
        self.version += 1
        self._boost = p.boost_samples
        if p.on_drift == "reset":
            self._model = self._fresh()
            self._learnt = 0
        if self._boost:
            self._model.rate = p.learning_rate * p.boost_factor

    def _fresh(self) -> LogisticSgd:
        return LogisticSgd(len(self.names), rate=self.params.learning_rate, l2=self.params.l2)

    def _positions(self) -> tuple[int, ...] | None:
        if self._columns == self.names:
            return None
        at = {n: i for i, n in enumerate(self.names)}
        return tuple(at[n] for n in self._columns)

    def load_state(self, tree: dict[str, Any]) -> None:
        """Restore what `state` returned."""
        super().load_state(tree)
        self._index = self._positions()
