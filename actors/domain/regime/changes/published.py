"""Scores that others printed for series of the Turing Change Point Dataset, beside which ours are put.

Van den Burg and Williams' released tables (TCPDBench): default settings, and the best of a grid per series in
hindsight. Theirs run over series of unit variance and take the last bar of a segment, R's convention, as the change.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Printed(NamedTuple):
    """Scores of one series; default F1 and covering, F1 in hindsight."""

    f1: Mapping[str, float]
    covering: Mapping[str, float]
    hindsight_f1: Mapping[str, float]


_METHODS = ("bocpd", "pelt", "binary", "none")
# name: default F1 of bocpd, pelt, binary, none; default covering of the same; F1 in hindsight of the first three
_ROWS: Mapping[str, tuple[float, ...]] = {
    "bank": (0.047, 0.400, 0.400, 1.000, 0.048, 0.509, 0.509, 1.000, 1.000, 1.000, 1.000),
    "brent_spot": (0.521, 0.465, 0.483, 0.315, 0.586, 0.627, 0.627, 0.266, 0.631, 0.641, 0.670),
    "businv": (0.270, 0.370, 0.370, 0.588, 0.463, 0.603, 0.562, 0.461, 0.650, 0.588, 0.588),
    "co2_canada": (0.619, 0.661, 0.691, 0.361, 0.716, 0.611, 0.608, 0.278, 0.924, 0.894, 0.893),
    "construction": (0.634, 0.709, 0.709, 0.696, 0.395, 0.423, 0.466, 0.575, 0.709, 0.709, 0.709),
    "gdp_argentina": (0.947, 0.889, 0.889, 0.824, 0.630, 0.667, 0.667, 0.737, 0.947, 0.947, 0.947),
    "gdp_croatia": (1.000, 0.583, 0.583, 0.824, 0.642, 0.605, 0.605, 0.708, 1.000, 0.824, 0.824),
    "gdp_iran": (0.622, 0.492, 0.492, 0.652, 0.520, 0.477, 0.477, 0.583, 0.862, 0.808, 0.696),
    "gdp_japan": (0.800, 0.615, 0.615, 0.889, 0.578, 0.654, 0.654, 0.802, 1.000, 1.000, 1.000),
    "homeruns": (0.729, 0.812, 0.812, 0.659, 0.526, 0.683, 0.683, 0.511, 0.829, 0.873, 0.889),
    "jfk_passengers": (0.437, 0.776, 0.776, 0.723, 0.541, 0.839, 0.839, 0.630, 0.776, 0.776, 0.776),
    "nile": (1.000, 1.000, 1.000, 0.824, 0.888, 0.880, 0.880, 0.758, 1.000, 1.000, 1.000),
    "quality_control_1": (0.800, 1.000, 1.000, 0.667, 0.887, 0.992, 0.992, 0.503, 1.000, 1.000, 1.000),
    "quality_control_2": (1.000, 1.000, 1.000, 0.750, 0.927, 0.922, 0.922, 0.638, 1.000, 1.000, 1.000),
    "quality_control_5": (1.000, 1.000, 1.000, 1.000, 1.000, 1.000, 1.000, 1.000, 1.000, 1.000, 1.000),
    "seatbelts": (0.583, 0.683, 0.683, 0.621, 0.757, 0.797, 0.797, 0.528, 0.683, 0.683, 0.838),
    "shanghai_license": (0.713, 0.868, 0.868, 0.636, 0.856, 0.920, 0.920, 0.547, 0.868, 0.966, 0.966),
    "well_log": (0.796, 0.555, 0.534, 0.237, 0.776, 0.679, 0.695, 0.225, 0.908, 0.912, 0.944),
}


def printed(name: str) -> Printed | None:
    """Return what was printed for a series, None if nothing was.

    Examples
    --------
    >>> printed("nile").f1["none"], printed("unheard_of")
    (0.824, None)
    """
    row = _ROWS.get(name)
    if row is None:
        return None
    return Printed(*(dict(zip(_METHODS, row[i : i + 4], strict=False)) for i in (0, 4, 8)))
