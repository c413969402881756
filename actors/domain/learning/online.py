"""Online logistic regression that learns each outcome as it matures and starts over when it drifts.

A running standard scaler and river's `LogisticRegression` (stochastic gradient descent on the log loss),
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
from actors.domain.learning.scaling import RunningScaler
from actors.domain.registry import Params, component
from actors.domain.state import Opaque

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
    State: the scaler, ADWIN and river's regression (kept whole, inside the signed snapshot), the scaled
    vectors of the last `horizon_bars` bars, whose outcomes are not known yet. Cost per bar: O(columns). A
    bar whose features are not ready is neither scaled nor learnt nor predicted. Each bar is scored with the
    prediction made before its outcome, then learnt.
    """

    Params = OnlineParams
    STATE: ClassVar[tuple[str, ...]] = (
        "version",
        "_scaler",
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
        # one row per bar, oldest first: (scaled features or None, close, what was predicted)
        self._waiting: deque[tuple[dict[str, float] | None, float, float]] = deque()
        self._learnt = 0
        self._boost = 0
        self._scaler = RunningScaler(len(self.names))
        self._model: Any = self._fresh(params.learning_rate)
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
            scaled, close, p = waiting.popleft()
            if scaled is not None:
                notices = self._learn(scaled, sample.close > close, p)
        if not sample.ready:
            waiting.append((None, sample.close, NAN))
            return NAN, notices
        self._scaler.learn(sample.features)
        scaled_row = self._scaler.scaled(sample.features)
        if self._index is not None:
            scaled_row = [scaled_row[i] for i in self._index]
        x = dict(zip(self._columns, scaled_row, strict=True))
        p = NAN
        if self._learnt >= self.params.min_samples:
            p = self._model.predict_proba_one(x)[True]
            p = _EDGE if p < _EDGE else 1.0 - _EDGE if p > 1.0 - _EDGE else float(p)
        waiting.append((x, sample.close, p))
        return p, notices

    def _learn(self, x: dict[str, float], up: bool, p: float) -> Sequence[Notice]:
        notices: Sequence[Notice] = ()
        if p == p:
            adwin = self._adwin
            before = adwin.estimation
            # ADWIN also cuts when errors become rarer: that is no reason to forget
            if adwin.update(float((p > 0.5) != up)) and adwin.estimation > before:
                notices = (Notice("drift", {"statistic": adwin.estimation, "before": before}),)
                self._start_over()
        self._model.learn_one(x, up)
        self._learnt += 1
        if self._boost:
            self._boost -= 1
            if not self._boost:
                self._rate(self.params.learning_rate)
        return notices

    def _start_over(self) -> None:
        p = self.params
        fast = p.learning_rate * p.boost_factor
        self.version += 1
        self._boost = p.boost_samples
        if p.on_drift == "reset":
            self._model = self._fresh(p.learning_rate)
            self._learnt = 0
        if self._boost:
            self._rate(fast)

    def _fresh(self, rate: float) -> Any:
        from river.linear_model import LogisticRegression
        from river.optim import SGD

        return LogisticRegression(optimizer=SGD(rate), l2=self.params.l2, intercept_lr=rate)

    def _rate(self, rate: float) -> None:
        from river.optim.schedulers import Constant

        self._model.optimizer.lr = Constant(rate)
        self._model.intercept_lr = Constant(rate)

    def _positions(self) -> tuple[int, ...] | None:
        if self._columns == self.names:
            return None
        at = {n: i for i, n in enumerate(self.names)}
        return tuple(at[n] for n in self._columns)

    def state(self) -> dict[str, Any]:
        """Return the state; river's object travels by pickle inside `Opaque`."""
        return {**super().state(), "river": Opaque(self._model)}

    def load_state(self, tree: dict[str, Any]) -> None:
        """Restore what `state` returned."""
        rest = dict(tree)
        self._model = rest.pop("river").value
        super().load_state(rest)
        self._index = self._positions()
