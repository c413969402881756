"""A trial of a study: what was asked, what came of it, and the hash of all of them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

State = Literal["complete", "pruned", "fail", "refused"]
"""``refused`` is no result: the study itself cannot go on there."""


@dataclass(frozen=True)
class Ask:
    """A trial to be computed.

    Attributes
    ----------
    number : int
    values : mapping path → value
    cuts : tuple of (float or None)
        Per time slice: an intermediate value that is worse ends the trial. Empty where nothing prunes.
    """

    number: int
    values: Mapping[str, Any]
    cuts: tuple[float | None, ...] = ()


@dataclass(frozen=True)
class TrialResult:
    """What came of a trial.

    Attributes
    ----------
    state : str
    values : tuple of float
        One per objective; empty unless complete.
    reason : str or None
        Why it failed or was pruned.
    intermediate : tuple of (float or None)
        The first objective at the end of each time slice that was reached, the last one excepted.
    violations : tuple of float
        How far each rule is broken; 0 or below keeps it.
    metrics : mapping
        Of the run, undefined is None.
    returns : float array or None, shape (periods,)
        Of the run's equity, over periods of equal length that all trials share; for what compares trials by them.
    """

    state: State
    values: tuple[float, ...] = ()
    reason: str | None = None
    intermediate: tuple[float | None, ...] = ()
    violations: tuple[float, ...] = ()
    metrics: Mapping[str, Any] = field(default_factory=dict)
    returns: NDArray[np.float64] | None = field(default=None, compare=False, repr=False)

    @property
    def feasible(self) -> bool:
        """True if it is complete and keeps every rule."""
        return self.state == "complete" and all(v <= 0.0 for v in self.violations)

    @classmethod
    def failed(cls, reason: str, **known: Any) -> TrialResult:
        """Return a failure with its reason, never an empty one."""
        return cls("fail", reason=reason.strip() or "no reason given", **known)


@dataclass(frozen=True)
class Trial:
    """A finished trial."""

    number: int
    params: Mapping[str, Any]
    result: TrialResult


def study_hash(trials: Sequence[Trial]) -> str:
    """Return the SHA-256 over number, parameters, values and state of every trial, and over nothing else.

    Examples
    --------
    >>> a = Trial(0, {"x": 1, "y": 0.5}, TrialResult("complete", (1.25,), metrics={"bars": 7}))
    >>> b = Trial(0, {"y": 0.5, "x": 1}, TrialResult("complete", (1.25,)))
    >>> study_hash([a]) == study_hash([b]) != study_hash([a, Trial(1, {}, TrialResult("fail"))])
    True
    """
    digest = hashlib.sha256()
    for t in trials:
        row = [t.number, dict(t.params), [repr(float(v)) for v in t.result.values], t.result.state]
        digest.update(json.dumps(row, sort_keys=True, separators=(",", ":")).encode() + b"\n")
    return digest.hexdigest()
