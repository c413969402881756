"""Hidden Markov model with Student's t emissions: a wild bar is taken for a wild bar, not for another state.

Multivariate t emissions fitted by EM (Peel and McLachlan 2000), degrees of freedom included; otherwise as
`actors.domain.regime.hmm`. Gaussian states explain every fat tail by a change of state (Bulla 2011); these need not.
"""

from __future__ import annotations

from typing import Any, ClassVar

from actors.domain import kernels
from actors.domain.params import Param
from actors.domain.regime.hmm import Hmm, HmmParams
from actors.domain.registry import Params, component


class StudentHmmParams(HmmParams):
    """Parameters of `StudentHmm`."""

    first_dof: float = Param(
        6.0, gt=2.1, le=200.0, low=3.0, high=30.0, log=True, about="degrees of freedom that a fit starts from"
    )


@component
class StudentHmm(Hmm):
    """Filters hidden states with fat tails out of returns and ranges and reads each as a mixture of regimes.

    State, warm-up and cost as `Hmm`.
    """

    Params: ClassVar[type[Params]] = StudentHmmParams

    MEASURES: ClassVar[tuple[str, ...]] = ("return_sd", "log_range_sd", "log_likelihood", "dof")
    FIGURES: ClassVar[tuple[str, ...]] = ("log_likelihood", "common_dof")

    def _arguments(self) -> tuple[Any, ...]:
        return (*super()._arguments(), self.params.first_dof)

    def _live(self, model: dict[str, Any]) -> Any:
        return kernels.hmm_student_stream(
            model["start"], model["transitions"], model["means"], model["scales"], model["dof"]
        )
