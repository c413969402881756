import csv
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from actors.adapters.feeds.files import load_bars, load_with_report
from actors.adapters.feeds.quality import check_table
from actors.domain.errors import DataError

START_S, N = 1_577_836_800, 80
# what may become of a line, and whether the line is still a bar afterwards
DAMAGE = {
    "low above open": lambda t, v: [str(t), "10", "11", "10.5", "10.7", v],
    "zero price": lambda t, v: [str(t), "10", "11", "0", "10", v],
    "empty close": lambda t, v: [str(t), "10", "11", "9", "", v],
    "negative volume": lambda t, v: [str(t), "10", "11", "9", "10", "-1"],
    "milliseconds": lambda t, v: [str(t * 1000), "10", "11", "9", "10", v],
    "no time": lambda t, v: ["soon", "10", "11", "9", "10", v],
    "torn": lambda t, v: [str(t), "10"],
}


@given(
    damage=st.dictionaries(st.integers(0, N - 1), st.sampled_from(sorted(DAMAGE)), max_size=8),
    doubled=st.sets(st.integers(0, N - 1), max_size=3),
    swapped=st.sets(st.integers(0, N - 2), max_size=3),
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_row_is_ever_lost_without_a_trace(
    tmp_path: Path, damage: dict[int, str], doubled: set[int], swapped: set[int]
) -> None:
    lines = []
    for k in range(N):
        time, volume = START_S + 3600 * k, str(k + 0.5)
        sound = [str(time), "10", "11", "9", "10", volume]
        lines.append(DAMAGE[damage[k]](time, volume) if k in damage else sound)
        if k in doubled:
            lines.append(lines[-1])
    for k in sorted(swapped):
        lines[k], lines[k + 1] = lines[k + 1], lines[k]
    path = tmp_path / "b.csv"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([["timestamp", "open", "high", "low", "close", "volume"], *lines])
    sound_rows = [k for k in range(N) if k not in damage]

    clean = not damage and not doubled and lines == sorted(lines, key=lambda cells: int(cells[0]))
    assert check_table(path).ok == clean
    if clean:
        assert len(load_bars(path, "A/B")) == N
    else:
        with pytest.raises(DataError):
            load_bars(path, "A/B")

    loaded = load_with_report(path, "A/B", policy="quarantine", max_missing_frac=1.0)
    expected = np.array([START_S + 3600 * k for k in sound_rows]) * 10**9
    np.testing.assert_array_equal(loaded.frame.open_ns, expected)
    assert loaded.frame.volume.tolist() == [k + 0.5 for k in sound_rows]
    aside = loaded.quarantined.rows if loaded.quarantined else 0
    assert aside + len(loaded.frame) == len(lines)
    sidecar = tmp_path / "b.csv.quarantine.csv"
    if aside:
        with sidecar.open(newline="") as file:
            kept = list(csv.reader(file))[1:]
        assert len(kept) == aside
        for line in kept:
            assert int(line[0]) >= 2
        sidecar.unlink()
