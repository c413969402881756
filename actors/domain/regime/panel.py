"""All detectors of one pair with the ensemble over them, outside of a fleet: one call per bar, the fleet's answers.

A fleet runs each detector in an agent of its own; where a whole series is to be labelled, one object that holds them
all gives the same views, because names and seeds are the fleet's, and so is how good the data are found to be.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import log, nan
from typing import Any, ClassVar

from actors.domain import registry
from actors.domain.agent_params import checked
from actors.domain.data_quality import PairQuality, QualityParams
from actors.domain.errors import InvalidBarError, InvalidParamsError
from actors.domain.fitting import FitRunner
from actors.domain.model.bars import BarFrame
from actors.domain.model.timeframe import parse_timeframe
from actors.domain.processor import derive_seed
from actors.domain.regime.base import Assessment, Detector, Observation, bars_missing, return_per_bar
from actors.domain.regime.confidence.confident import ConfidentEnsemble
from actors.domain.regime.confidence.factors import Quality
from actors.domain.regime.ensemble import EnsembleParams
from actors.domain.regime.multi_timeframe import (
    FrameDetector,
    checked_frames,
    frame_pools,
    member_weights,
    without_vetoed,
)
from actors.domain.state import Stateful

PACKAGE = "actors.domain.regime"
ENSEMBLE = "ensemble"
"""Name of the ensemble's view, behind those of the detectors."""


class Panel(Stateful):
    """Detectors and ensemble of one pair, in step.

    Parameters
    ----------
    detectors : sequence of (kind, params)
        In the order of the ensemble's members; one kind once.
    ensemble : mapping
        See `actors.domain.regime.ensemble.EnsembleParams`.
    pair : str
    seed : int
        Of the run: detectors draw as they do in a fleet with this seed.
    fits : FitRunner
    timeframe : str
        Of the bars: tells longer ones, and which bars are missing.
    timeframes : sequence of str
        Longer bars, on which every detector runs as well; see `actors.domain.regime.multi_timeframe`.
    health : mapping
        Parameters of the fleet's health monitor, of which those of `actors.domain.data_quality.QualityParams` count.
    always_open : bool
        False: a market with sessions, whose closed hours are no missing bars; without longer frames only.

    Raises
    ------
    InvalidParamsError
        If there is no detector, or one kind twice.
    ConfigError
        If a longer frame does not fit the bars.
    UnknownComponentError

    Examples
    --------
    >>> from actors.domain.fitting import InlineFits
    >>> panel = Panel([("volatility", {})], {}, pair="BTC/USDT", seed=7, fits=InlineFits())
    >>> panel.names, [v.label for v in panel.update(101.0, 99.0, 100.0)]
    (('volatility', 'ensemble'), ['sideways', 'sideways'])
    """

    STATE: ClassVar[tuple[str, ...]] = (
        "_detectors",
        "_longer",
        "_ensemble",
        "_data",
        "_close",
        "_due_ns",
        "_bars",
    )

    def __init__(
        self,
        detectors: Sequence[tuple[str, Mapping[str, Any]]],
        ensemble: Mapping[str, Any],
        *,
        pair: str,
        seed: int,
        fits: FitRunner,
        timeframe: str = "1h",
        timeframes: Sequence[str] = (),
        health: Mapping[str, Any] | None = None,
        always_open: bool = True,
    ) -> None:
        kinds = [kind for kind, _ in detectors]
        if not kinds or len(set(kinds)) != len(kinds):
            raise InvalidParamsError(
                "PANEL_DETECTORS", f"detectors: expected at least one, and each kind once, found {kinds}"
            )

        def made(name: str, kind: str, params: Mapping[str, Any]) -> Detector:
            detector: Detector = registry.build(
                PACKAGE, kind, params, fits=fits, name=f"regime-{name}/{pair}",
                seed=derive_seed(seed, f"regime-{name}", pair),
            )  # fmt: skip
            return detector

        base_ns = parse_timeframe(timeframe)
        frames = checked_frames(base_ns, timeframes)
        self._detectors = {kind: made(kind, kind, params) for kind, params in detectors}
        self._longer = {
            f"{kind}-{frame}": FrameDetector(
                made(f"{kind}-{frame}", kind, params), base_ns=base_ns, frame_ns=parse_timeframe(frame)
            )
            for frame in frames
            for kind, params in detectors
        }
        settings = dict(ensemble)
        self._frames: tuple[str, ...] = ()
        if frames:
            settings["weights"] = member_weights(settings.get("weights", ()), len(kinds), base_ns, frames)
            self._frames = tuple(frame for frame in (timeframe, *frames) for _ in kinds)
        names = (*self._detectors, *self._longer)
        self._ensemble = ConfidentEnsemble(EnsembleParams.parse(settings), members=len(names), names=names)
        own = {k: v for k, v in (health or {}).items() if k in QualityParams.model_fields}
        self._data = PairQuality(checked(QualityParams, own, "health"), base_ns)
        self._base_ns = base_ns
        self._always_open = always_open
        self._close = nan
        self._due_ns = -1  # when the next bar begins, if none is missing
        self._bars = 0

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the views of `update`, in their order."""
        return (*self._detectors, *self._longer, ENSEMBLE)

    @property
    def bars(self) -> int:
        """How many bars were taken."""
        return self._bars

    @property
    def warmup_bars(self) -> dict[str, int]:
        """Bars that each detector needs before it says anything."""
        return {kind: detector.warmup_bars for kind, detector in self._detectors.items()}

    @property
    def vocabularies(self) -> dict[str, tuple[tuple[str, ...], tuple[str, ...]]]:
        """Per detector the names of its own states, as far as it has them by now, and of its measures."""
        longer = {name: frame.detector for name, frame in self._longer.items()}
        return {name: (d.own_states, d.MEASURES) for name, d in (self._detectors | longer).items()}

    @property
    def frames(self) -> tuple[str, ...]:
        """Timeframe of each detector's view; empty without longer frames."""
        return self._frames

    def run(self, frame: BarFrame) -> Iterator[list[Assessment]]:
        """Take the bars of a frame, which follow those taken before; yield the views at each close, as `update` does.

        Raises
        ------
        InvalidBarError
        """
        columns = (frame.open_ns, frame.open, frame.high, frame.low, frame.close, frame.volume, frame.flags)
        for open_ns, first, high, low, close, volume, flags in zip(
            *(c.tolist() for c in columns), strict=True
        ):
            yield self.update(high, low, close, open_ns=open_ns, volume=volume, open=first, flags=flags)

    def update(
        self,
        high: float,
        low: float,
        close: float,
        quality: float | None = None,
        *,
        open_ns: int = -1,
        volume: float = nan,
        open: float = nan,  # noqa: A002 - a bar's own word
        flags: int = 0,
    ) -> list[Assessment]:
        """Take the next bar (prices in quote), return the views at its close: the detectors', then the ensemble's.

        `open_ns`, when the bar began, tells missing bars, matters to longer frames and, with `volume` in base, to the
        market context of an enhanced ensemble; `open` to some estimators of volatility; `flags` are those of a
        `BarFrame`. Without `quality`, in [0, 1], that of the data is found from when bars began; without either
        confidence leaves that factor out.

        Raises
        ------
        InvalidBarError
            If the close is no price, or longer frames are not told when the bar began.
        """
        if self._longer and open_ns < 0:
            raise InvalidBarError(
                "BAR_TIME", f"open_ns: expected when bar {self._bars} began, found {open_ns}"
            )
        if not close > 0.0:
            raise InvalidBarError("BAR_PRICE", f"close: expected above 0, found {close} at bar {self._bars}")
        known = None if quality is None else Quality(quality)
        if quality is None and open_ns >= 0:
            closed, data = open_ns + self._base_ns, self._data
            data.bar(closed, high, low, close, flags, closed)
            known = Quality(data.score, data.completeness, data.freshness, data.outlier_free)
        score = 1.0 if known is None else known.score
        missing = bars_missing(self._due_ns, open_ns, self._base_ns) if self._always_open else 0
        self._due_ns = open_ns + self._base_ns if open_ns >= 0 else -1
        obs = Observation(
            step=self._bars, high=high, low=low, close=close,
            log_return=return_per_bar(log(close / self._close), missing), quality=score, volume=volume,
            close_ns=open_ns + self._base_ns if open_ns >= 0 else None, open=open, missing_bars=missing,
        )  # fmt: skip
        self._close = close
        self._bars += 1
        said = [detector.update(obs) for detector in self._detectors.values()]
        if not self._longer:
            return [*said, self._ensemble.update(said, obs, known)]
        said += [f.update(obs.step, open_ns, high, low, close, score, open) for f in self._longer.values()]
        heard = without_vetoed(said, self._frames, frame_pools(said, self._frames))
        return [*said, self._ensemble.update(heard, obs, known)]
