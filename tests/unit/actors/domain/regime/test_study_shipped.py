"""What a fleet's detectors do on a study's trials, as they ship: defaults, causal, scored beside the oracle."""

from __future__ import annotations

import numpy as np
import pytest

from actors.domain.regime.study import shipped, summary, trial
from actors.domain.regime.study.rows import ORACLE
from config.load import resolve


def test_the_kinds_are_the_default_fleets_with_their_defaults() -> None:
    parts = resolve("paper").model.regime.detectors
    assert [(p.kind, p.params) for p in parts] == [(kind, {}) for kind in shipped.KINDS]
    assert resolve("paper").model.regime.ensemble == {}


def test_labels_know_no_future_and_follow_volatility() -> None:
    y = np.random.default_rng(5).standard_normal(700) * np.repeat([0.008, 0.02], [500, 200])
    changed = y.copy()
    changed[600:] *= -4.0
    one, two = shipped.shipped_labels(y), shipped.shipped_labels(changed)
    assert tuple(one) == shipped.NAMES
    for name in shipped.NAMES:
        np.testing.assert_array_equal(one[name][:600], two[name][:600])
    assert any((one[name][600:] != two[name][600:]).any() for name in shipped.NAMES)
    heard = one["shipped_volatility"]
    assert heard[530:600].mean() > 0.9
    assert heard[300:500].mean() < 0.2


def test_the_first_trials_of_long_two_state_cells_run_as_shipped() -> None:
    wanted = [trial.Cell(0, 2000), trial.Cell(1, 1000), trial.Cell(0, 500), trial.Cell(2, 2000)]
    found = trial.tasks(wanted, 25)
    assert [t.cell for t in found] == [c for c in wanted for _ in range(25)]
    assert [sum(t.shipped for t in found[i : i + 25]) for i in (0, 25, 50, 75)] == [20, 20, 0, 0]
    assert [t.shipped for t in found[:25]] == [True] * 20 + [False] * 5


@pytest.mark.native  # a dozen fits a trial take minutes on the twins
def test_rows_as_shipped_leave_the_other_rows_as_they_are_and_are_paired_with_the_oracle() -> None:
    cell = trial.Cell(0, 1000)
    without = trial.run_task(None, trial.Task(cell), np.random.default_rng(3))
    with_them = trial.run_task(None, trial.Task(cell, shipped=True), np.random.default_rng(3))
    assert (with_them.rows, without.shipped) == (without.rows, {})
    rows = summary.shipped_table({cell: [with_them, without]})
    assert [r["detector"] for r in rows] == [ORACLE, *shipped.NAMES]
    assert all((r["trials"], r["first_bar"]) == (1, shipped.FIRST_BAR) for r in rows)
    assert all(r["diff_mean"] == r["bac_mean"] - rows[0]["bac_mean"] for r in rows)
    assert summary.shipped_table({cell: [without]}) == []


def test_a_row_as_shipped_above_the_oracle_is_told() -> None:
    noise = 0.02 * np.random.default_rng(1).standard_normal((20, 2))

    def checked(lead: float, trials: int = 20) -> list[bool]:
        scores = [
            trial.TrialScore({}, np.zeros((trial.BINS, 3)), {
                ORACLE: trial.RowScore(0.9 + a, (), 0, 0),
                **{n: trial.RowScore(0.9 + lead + a + b, (), 0, 0) for n in shipped.NAMES},
            })
            for a, b in noise[:trials].tolist()
        ]  # fmt: skip
        rows = summary.shipped_table({trial.Cell(0, 2000): scores})
        return [c["met"] for c in summary.checks([], rows)]

    assert checked(-0.05) == [True]
    assert checked(0.05) == [False]
    assert checked(0.05, trials=19) == []
