"""Parameters of an agent that is not a registry component: every problem at once, as an error of ours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

import pydantic

from actors.domain.errors import InvalidParamsError
from actors.domain.registry import Params, told

P = TypeVar("P", bound=Params)


def checked(model: type[P], params: Mapping[str, Any] | None, where: str) -> P:
    """Return ``model(**params)``.

    Raises
    ------
    InvalidParamsError
        With every problem and its path under `where`.

    Examples
    --------
    >>> class Window(Params):
    ...     window_bars: int = 5
    >>> checked(Window, None, "x").window_bars
    5
    """
    try:
        return model(**dict(params or {}))
    except pydantic.ValidationError as e:
        rows = "; ".join(told(dict(err)) for err in e.errors())
        raise InvalidParamsError("PARAMS_INVALID", f"{where}: {rows}") from e
