"""Outputs of a component as named columns, and where two sets of them part."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from actors.domain.errors import ModelError

Columns = Mapping[str, NDArray[Any]]
"""Output name → one value per bar: float64, or text for labels."""
ROUNDING = 1e-9
"""Share of a column's size below which a difference is rounding: sums in another order, not knowledge."""

_SELDOM = 0.1  # share of bars


class Difference(NamedTuple):
    """The first place where two outputs part.

    `before` and `after` are the two values, `rounding` tells that they agree to nine digits.
    """

    bar: int
    output: str
    before: float | str
    after: float | str
    rounding: bool


def gather(names: Sequence[str], rows: Iterable[Sequence[Any]]) -> Columns:
    """Return rows of outputs (one per bar) as columns.

    Examples
    --------
    >>> sorted(gather(["p", "label"], [(0.5, "bull"), (0.6, "bear")])["label"].tolist())
    ['bear', 'bull']
    """
    columns = list(zip(*rows, strict=True)) or [()] * len(names)
    if len(columns) != len(names):
        raise ModelError("OUTPUT_WIDTH", f"expected {len(names)} outputs {list(names)}, found {len(columns)}")
    return {n: _column(c) for n, c in zip(names, columns, strict=True)}


def from_any(found: Any, bars: int, what: str) -> Columns:
    """Return what a stranger's function gave back as columns.

    Parameters
    ----------
    found : array (n,) or (k, n), mapping or table of name → values, or a sequence of arrays
    bars : int
        Values that each column must have.

    Raises
    ------
    ModelError
        If it is none of these or has another length.

    Examples
    --------
    >>> {k: v.tolist() for k, v in from_any([1, 2], 2, "f").items()}
    {'value': [1.0, 2.0]}
    """
    if hasattr(found, "columns") and hasattr(found, "to_dict"):
        table: dict[str, Any] = {str(c): found[c].to_numpy() for c in found.columns}
    elif isinstance(found, Mapping):
        table = {str(k): v for k, v in found.items()}
    else:
        array = np.asarray(found)
        rows = [array] if array.ndim == 1 else list(array)
        table = {"value": rows[0]} if len(rows) == 1 else {f"value_{k}": r for k, r in enumerate(rows)}
    out = {name: _column(values) for name, values in table.items()}
    wrong = [f"{n}: {c.shape}" for n, c in out.items() if c.shape != (bars,)]
    if wrong or not out:
        raise ModelError(
            "OUTPUT_SHAPE", f"{what}: expected one value per bar ({bars}), found {', '.join(wrong) or 'none'}"
        )
    return out


def first_difference(one: Columns, two: Columns, stop: int) -> Difference | None:
    """Return where the first `stop` bars part; of several outputs of one bar the first, real ones before rounding.

    An output that one side lacks altogether differs on every bar.

    Examples
    --------
    >>> a, b = np.array([1.0, 2.0, np.nan]), np.array([1.0, 2.5, np.nan])
    >>> first_difference({"x": a}, {"x": b}, 3)
    Difference(bar=1, output='x', before=2.0, after=2.5, rounding=False)
    """
    found: list[Difference] = []
    for name in dict.fromkeys([*one, *two]):
        a, b = _or_nothing(one, name, stop), _or_nothing(two, name, stop)
        if a.dtype.kind != "f" or b.dtype.kind != "f":
            at = np.flatnonzero(a.astype(str) != b.astype(str))
            if at.size:
                k = int(at[0])
                found.append(Difference(k, name, _value(a[k]), _value(b[k]), False))
            continue
        # bits first: NaN equals NaN, and -0.0 is not 0.0
        at = np.flatnonzero((a.view(np.int64) != b.view(np.int64)) & ~(np.isnan(a) & np.isnan(b)))
        if not at.size:
            continue
        finite = np.abs(a[np.isfinite(a)])
        limit = ROUNDING * (float(finite.max()) if finite.size else 0.0)
        with np.errstate(invalid="ignore"):
            real = at[~(np.abs(a[at] - b[at]) <= limit)]
        k = int(real[0]) if real.size else int(at[0])
        found.append(Difference(k, name, float(a[k]), float(b[k]), not real.size))
    return min(found, key=lambda d: (d.rounding, d.bar), default=None)


def spoken(columns: Columns) -> int | None:
    """Return the first bar at which some output says anything: a value that differs from the bar before's.

    None if nothing is ever said: all outputs stay NaN, empty or at their first value.
    """
    first = [k for k in (_first_change(c) for c in columns.values()) if k is not None]
    return min(first, default=None)


def events(columns: Columns, most: int) -> list[int]:
    """Return bars at which an output that seldom changes does so, at most `most`, spread over all there are.

    A signal that peeks shows it on its own bars only; a cut elsewhere would miss it.

    Examples
    --------
    >>> events({"signal": np.repeat([0.0, 1.0, 0.0], [50, 2, 50]), "price": np.arange(102.0)}, 8)
    [50, 52]
    """
    found: dict[int, None] = {}
    for column in columns.values():
        changed = column[1:] != column[:-1]
        if column.dtype.kind == "f":
            changed &= ~(np.isnan(column[1:]) & np.isnan(column[:-1]))
        at = np.flatnonzero(changed) + 1
        if at.size <= _SELDOM * len(column):
            found.update(dict.fromkeys(at.tolist()))
    bars = sorted(found)
    return bars if len(bars) <= most else [bars[i * len(bars) // most] for i in range(most)]


def _first_change(column: NDArray[Any]) -> int | None:
    if not len(column):
        return None
    changed = column != column[0]
    if column.dtype.kind == "f":
        changed &= ~(np.isnan(column) & np.isnan(column[0]))
    return int(np.argmax(changed)) if changed.any() else None


def _column(values: Any) -> NDArray[Any]:
    array = np.asarray(values)
    if array.dtype.kind in "fiub":
        return array.astype(np.float64)
    try:
        return np.array([np.nan if v is None else v for v in array.tolist()], dtype=np.float64)
    except (TypeError, ValueError):
        return np.array([str(v) for v in array.tolist()])


def _or_nothing(columns: Columns, name: str, stop: int) -> NDArray[Any]:
    if name in columns:
        return np.ascontiguousarray(columns[name][:stop])
    return np.full(stop, "(no such output)")


def _value(x: Any) -> float | str:
    return float(x) if isinstance(x, float | int | np.floating) else str(x)
