"""Problems of a configuration: collected, located by file and key, raised together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple


class Problem(NamedTuple):
    """One thing that is wrong.

    Attributes
    ----------
    path : str
        Key path such as ``risk.rules.0.kind``; empty for a whole file.
    message : str
        Expected, found, what to do.
    origin : str
        Where the value came from: ``file:line``, ``environment NAME``, ``--set`` or ``defaults``.
    """

    path: str
    message: str
    origin: str = ""

    def __str__(self) -> str:
        where = f" ({self.origin})" if self.origin else ""
        return f"{self.path or 'config'}{where}: {self.message}"


class ConfigProblem(Exception):  # noqa: N818 - it carries problems; the command line makes it a ConfigError
    """All problems of one resolution.

    Examples
    --------
    >>> print(ConfigProblem([Problem("seed", "expected an integer, found 'x'", "--set")]))
    seed (--set): expected an integer, found 'x'
    """

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(str(p) for p in problems))
        self.problems = tuple(Problem(*p) for p in problems)

    def __reduce__(self) -> tuple[Any, ...]:
        return (ConfigProblem, (self.problems,))
