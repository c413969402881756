"""Numbers of a column as float64, with those that a spreadsheet's locale has ruined set apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

_PLAIN: Final = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$"
_NOT_FINITE: Final = r"^(?i:[+-]?(nan|inf|infinity)|null|none|n/a|na|)$"
# Two dots, or a comma: 14.748.800.659.179.600 and 1,234.5 and 0,5 have all lost or may have lost their value.
_LOCALE: Final = r"^[+-]?[0-9]*([.,'  ][0-9]+){2,}$|^[+-]?[0-9]*,[0-9]+$"


@dataclass(frozen=True)
class Numbers:
    """Values of a column.

    Attributes
    ----------
    values : float64 array, shape (n,)
        NaN where there is no number.
    ruined : bool array, shape (n,)
        Written with thousands separators or a decimal comma.
    unparsable : bool array, shape (n,)
        Neither a number nor a ruined one; missing values are NaN and not counted here.
    """

    values: npt.NDArray[np.float64]
    ruined: npt.NDArray[np.bool_]
    unparsable: npt.NDArray[np.bool_]


def read_numbers(column: Any) -> Numbers:
    """Read a pyarrow column of numbers.

    Examples
    --------
    >>> import pyarrow as pa
    >>> r = read_numbers(pa.array(["1.5", "14.748.800.659", "1,5", "x", "", "1e3"]))
    >>> r.values.tolist(), r.ruined.tolist(), r.unparsable.tolist()
    ([1.5, nan, nan, nan, nan, 1000.0], [False, True, True, False, False, False], [False, False, False, True, False, False])
    """  # noqa: E501 (one line of output)
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.types as pt

    n = len(column)
    none = np.zeros(n, dtype=bool)
    if pt.is_decimal(column.type):
        # by way of text: the direct cast is off by one unit in the last place now and then
        column = column.cast(pa.string())
    if pt.is_integer(column.type) or pt.is_floating(column.type):
        values = column.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
        return Numbers(np.asarray(values, dtype=np.float64), none, none)
    if not (pt.is_string(column.type) or pt.is_large_string(column.type)):
        return Numbers(np.full(n, np.nan), none, ~none)
    text = pc.utf8_trim_whitespace(column).fill_null("")
    plain = pc.match_substring_regex(text, _PLAIN)
    values = pc.if_else(plain, text, "nan").cast(pa.float64()).to_numpy()
    rest = ~plain.to_numpy(zero_copy_only=False)
    if not rest.any():
        return Numbers(values, none, none)
    empty = pc.match_substring_regex(text, _NOT_FINITE).to_numpy(zero_copy_only=False)
    ruined = rest & pc.match_substring_regex(text, _LOCALE).to_numpy(zero_copy_only=False)
    return Numbers(values, ruined, rest & ~ruined & ~empty)
