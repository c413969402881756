"""Where parameters come from: the study that chose them, and among how many.

A figure of the best of many trials flatters it. How much follows from the number of trials and from how far they lay
apart (Bailey & López de Prado, 2014), which only the study knows; so the study writes it into the configuration that
it hands over, together with a hash of what it chose. Nobody else can say it: without the section the number of trials
of a run is unknown, and a section over other parameters than those of the hash is refused.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from statistics import variance
from typing import Annotated, Any

import pydantic
from pydantic import Field

LARGEST_VARIANCE = 1.0
"""Ratios of single bars that differ more are no such ratios, but annual ones."""


class Provenance(pydantic.BaseModel):
    """The study that chose a configuration's parameters.

    Attributes
    ----------
    study : str
        Its name or id.
    trial : int
        Number of the chosen trial.
    trials : int
        How many there were, the chosen one and those that failed among them.
    sharpe_variance : float or None
        Variance (ddof 1) of the trials' **per-period** Sharpe ratios, not annualised; None where fewer than
        two of them have one, and then nothing is deflated.
    timeframe : str
        Bars of the trials: the period of their Sharpe ratios.
    choice_hash : str
        Of the configuration as the study chose it; see `config.hashing.choice_hash`.
    """

    model_config = pydantic.ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    study: Annotated[str, Field(min_length=1)]
    trial: Annotated[int, Field(ge=0)]
    trials: Annotated[int, Field(ge=1)]
    sharpe_variance: Annotated[float, Field(ge=0.0)] | None = None
    timeframe: Annotated[str, Field(pattern=r"^[1-9]\d{0,5}[smhdw]$")]
    choice_hash: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]

    @pydantic.model_validator(mode="after")
    def _variance_of_several(self) -> Provenance:
        if self.sharpe_variance is not None and self.trials == 1:
            raise ValueError(
                "sharpe_variance: expected none of a single trial, otherwise the variance of the trials' per-period "
                f"Sharpe ratios, found {self.sharpe_variance} with {self.trials}"
            )
        if self.sharpe_variance is not None and self.sharpe_variance > LARGEST_VARIANCE:
            raise ValueError(
                f"sharpe_variance: expected that of per-period Sharpe ratios, at most {LARGEST_VARIANCE:g}, found "
                f"{self.sharpe_variance:g}; of annual ones divide by the periods of a year"
            )
        return self


def provenance_of(
    study: str, trial: int, sharpes: Sequence[float | None], *, timeframe: str, choice_hash: str,
    before: Provenance | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Return the section that a study writes into the configuration it hands over.

    Parameters
    ----------
    study : str
    trial : int
        Number of the chosen trial.
    sharpes : sequence of float or None
        **Per-period** Sharpe ratios of all trials. An undefined one (None, NaN) counts as a trial,
        and says nothing of the variance.
    timeframe : str
    choice_hash : str
        Of the configuration with the chosen parameters.
    before : Provenance, optional
        Of the configuration that the study went on from: its trials count too, though their ratios are not here. Their
        variance stands in where fewer than two ratios are known here.

    Examples
    --------
    >>> section = provenance_of("s", 1, [0.02, 0.05, None], timeframe="1h", choice_hash="0" * 64)
    >>> section["trials"], round(section["sharpe_variance"], 6)
    (3, 0.00045)
    >>> before = Provenance.model_validate(section)
    >>> provenance_of("t", 0, [0.03, 0.01], timeframe="1h", choice_hash="1" * 64, before=before)["trials"]
    5
    """
    known = [float(s) for s in sharpes if s is not None and not math.isnan(s)]
    spread = variance(known) if len(known) > 1 else None if before is None else before.sharpe_variance
    section = {
        "study": study, "trial": trial,
        "trials": len(sharpes) + (0 if before is None else before.trials),
        "sharpe_variance": spread,
        "timeframe": timeframe, "choice_hash": choice_hash,
    }  # fmt: skip
    return Provenance.model_validate(section).model_dump()


def provenance_problems(found: Provenance, *, timeframe: str, choice_hash: str) -> Mapping[str, str]:
    """Return what contradicts the configuration that a provenance stands in, by its key path.

    Examples
    --------
    >>> section = Provenance.model_validate(
    ...     provenance_of("s", 0, [0.1, 0.2], timeframe="1h", choice_hash="0" * 64))
    >>> list(provenance_problems(section, timeframe="4h", choice_hash="0" * 64))
    ['provenance.timeframe']
    """
    out = {}
    if found.timeframe != timeframe:
        out["provenance.timeframe"] = (
            f"expected the study's {found.timeframe}, as its Sharpe ratios are per bar, found a run of {timeframe}; "
            "take its timeframe, or set provenance to null, which leaves the number of trials unknown"
        )
    if found.choice_hash != choice_hash:
        out["provenance.choice_hash"] = (
            f"expected the parameters that study {found.study!r} chose ({found.choice_hash[:12]}…), found others "
            f"({choice_hash[:12]}…): what was changed after it is no choice of the study; take the change back, or set "
            "provenance to null, which leaves the number of trials unknown"
        )
    return out
