"""The error tree: one stable code per failure, context that survives pickling.

Raise for bugs, broken inputs and broken worlds; a business "no" is an event, never an exception.
"""

from __future__ import annotations

from typing import Any, ClassVar


class TradingError(Exception):
    """Base of every error of this system.

    Parameters
    ----------
    code : str
        Stable identifier in UPPER_SNAKE, fit for scripts.
    message : str
        What was expected, what was found, what to do.
    retryable : bool
        True only if the same call may succeed later without a change by a person.
    **context
        Plain values that help to find the cause; must be picklable.

    Examples
    --------
    >>> e = DataError("BAR_UNSORTED", "timestamps: expected increasing, found a step back at row 7", row=7)
    >>> e.code, e.context["row"]
    ('BAR_UNSORTED', 7)
    """

    exit_code: ClassVar[int] = 5

    def __init__(self, code: str, message: str, *, retryable: bool = False, **context: Any) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.retryable = retryable
        self.context = context

    def __str__(self) -> str:
        return f"{self.message} [{self.code}]"

    def __reduce__(self) -> tuple[Any, ...]:
        return (_rebuild, (type(self), self.code, self.message, self.retryable, self.context))


def _rebuild(
    cls: type[TradingError], code: str, message: str, retryable: bool, context: dict[str, Any]
) -> TradingError:
    return cls(code, message, retryable=retryable, **context)


class ConfigError(TradingError):
    """Usage or configuration is wrong."""

    exit_code = 2


class UnknownComponentError(ConfigError):
    """A `kind` names no component."""


class InvalidParamsError(ConfigError):
    """Parameters of a component do not validate."""


class DataError(TradingError):
    """Input data cannot be trusted or found."""

    exit_code = 3


class InvalidBarError(DataError):
    """A bar contradicts itself."""


class DataGapError(DataError):
    """Bars are missing where the policy does not allow it."""


class StaleDataError(DataError):
    """Data is older than a decision may use."""


class InsufficientDataError(DataError):
    """Too few observations for the question."""


class ModelError(TradingError):
    """A model cannot be fitted or used."""


class NotFittedError(ModelError):
    """A model was asked before it was trained."""


class ConvergenceError(ModelError):
    """A fit did not converge."""


class ModelVersionError(ModelError):
    """A stored model does not match the code."""


class RiskError(TradingError):
    """A risk invariant is broken."""


class BudgetInvariantError(RiskError):
    """A risk budget does not add up."""


class ExecutionError(TradingError):
    """An order cannot be handled."""

    exit_code = 4


class OrderStateError(ExecutionError):
    """An order was moved along a forbidden edge."""


class UnknownOrderOutcomeError(ExecutionError):
    """Nobody knows whether the venue took an order: reconcile, never resend."""


class VenueError(ExecutionError):
    """The venue or the network said no."""


class VenueUnavailableError(VenueError):
    """The venue does not answer."""


class RateLimitedError(VenueError):
    """The venue asks for patience."""


class AuthenticationError(VenueError):
    """The venue does not accept the key."""


class InsufficientBalanceError(VenueError):
    """The account cannot pay for the order."""


class KernelError(TradingError):
    """A numeric kernel was misused."""


class KernelUnavailableError(KernelError):
    """The native kernels are required but not importable."""

    exit_code = 2


class AgentError(TradingError):
    """An agent failed."""


class AgentUnavailableError(AgentError):
    """An agent does not answer."""


class StrategyError(AgentError):
    """A strategy raised: its code or its parameters do not fit the bars."""

    exit_code = 2


class SupervisionError(AgentError):
    """The supervisor gave up."""


class FleetUnavailableError(SupervisionError):
    """The cluster does not keep the fleet's processes alive, or not in time."""

    exit_code = 4


class StorageError(TradingError):
    """A disk takes nothing more, or what was to be written may not be."""

    exit_code = 4


class JournalError(TradingError):
    """The journal cannot be written or contradicts itself."""


class JournalUnavailableError(JournalError):
    """The journal's database or its disk does not answer, or takes nothing more."""

    exit_code = 4


class SnapshotError(TradingError):
    """A snapshot is missing, foreign or tampered with."""


class SnapshotUnwritableError(SnapshotError):
    """The disk of the snapshots takes nothing more, or may not be written."""

    exit_code = 4
