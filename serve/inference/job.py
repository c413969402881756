"""One unit of work: the bars of one series and who is to label them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from actors.domain.errors import ModelError, TradingError
from actors.domain.model.bars import BarFrame
from serve.models.version import ModelSettings


@dataclass(frozen=True)
class Job:
    """What one series needs.

    Attributes
    ----------
    frame : BarFrame
    model : (name, version) or None
        None: `settings` say it all.
    settings : ModelSettings or None
    all_bars : bool
        Answer for every bar, else for the last.
    budget_s : float
        Seconds that may be spent.
    """

    frame: BarFrame
    model: tuple[str, int] | None
    settings: ModelSettings | None
    all_bars: bool
    budget_s: float


class Inference(Protocol):
    """Where jobs are done."""

    async def detect(self, job: Job) -> bytes:
        """Return a `serve.schemas.SeriesAnswer` as JSON.

        Raises
        ------
        TradingError
        """

    async def ping(self) -> None:
        """Return if somebody is there to do jobs.

        Raises
        ------
        TradingError
        """


def out_of_time(budget_s: float, done: int, bars: int) -> TradingError:
    """Return the error of a job that takes too long."""
    return ModelError(
        "DETECTION_TIME",
        f"bars: expected to be labelled within {budget_s:g} s, found {done} of {bars} done by then; send fewer bars, "
        "detectors that refit less often (refit_every_bars), or a fitted model",
        retryable=True,
    )
