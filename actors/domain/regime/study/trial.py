"""One trial of a study: simulate, label by every row, score. Pure, so that trials can run anywhere in any order."""

from __future__ import annotations

from collections.abc import Sequence
from math import nan
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from actors.domain.regime.study.process import THREE_STATES, TWO_STATES, TWO_STATES_T, Process
from actors.domain.regime.study.published import LENGTHS
from actors.domain.regime.study.rows import ORACLE, ROWS, Trial
from actors.domain.regime.study.scoring import auc, balanced_accuracy, matching, recalls, switching
from actors.domain.regime.study.shipped import FIRST_BAR, LEAST_BARS, TRIALS, shipped_labels

PROCESSES: tuple[Process, ...] = (TWO_STATES, TWO_STATES_T, THREE_STATES)
BINS = 10


class Cell(NamedTuple):
    """What a trial is about: a process, by its number in `PROCESSES`, and a length."""

    process: int
    bars: int


class Task(NamedTuple):
    """One trial of a cell, and whether a fleet's detectors run on it too, as they ship."""

    cell: Cell
    shipped: bool = False


class RowScore(NamedTuple):
    """How one row did in one trial.

    Attributes
    ----------
    bac : float
    delays : tuple of int
        Bars, of each true change that was found.
    missed, false_switches : int
    recalls : tuple of float, shape (states,)
        NaN for a state that never occurs.
    auc : float
        Of three states; NaN for two, and where one never occurs.
    """

    bac: float
    delays: tuple[int, ...]
    missed: int
    false_switches: int
    recalls: tuple[float, ...] = ()
    auc: float = nan


class TrialScore(NamedTuple):
    """All rows of one trial, and how often the turbulent state was there when its probability lay in each tenth.

    Attributes
    ----------
    rows : dict
        By the row's name.
    bins : array, shape (10, 3)
        Bars, sum of probabilities and hits of the frozen t-HMM; zeros where there are three states.
    shipped : dict
        The oracle and the rows of a fleet from `FIRST_BAR` on, labels as they are; empty where these were not run.
    """

    rows: dict[str, RowScore]
    bins: NDArray[np.float64]
    shipped: dict[str, RowScore] = {}  # noqa: RUF012 - nobody writes to it


def cells(studies: tuple[str, ...], lengths: tuple[int, ...]) -> list[Cell]:
    """Return the cells of these studies that were published.

    Examples
    --------
    >>> len(cells(("two_states", "three_states"), LENGTHS))
    11
    """
    return [
        Cell(i, bars)
        for i, process in enumerate(PROCESSES)
        if process.name in studies
        for bars in lengths
        if process is not THREE_STATES or bars > LENGTHS[0]
    ]


def tasks(wanted: Sequence[Cell], trials: int) -> list[Task]:
    """Return the trials of these cells, cell after cell; the first ones of long two-state cells run as shipped too.

    Examples
    --------
    >>> found = tasks([Cell(0, 2000), Cell(0, 250)], 30)
    >>> len(found), sum(t.shipped for t in found)
    (60, 20)
    """
    return [
        Task(cell, k < TRIALS and cell.bars >= LEAST_BARS and len(PROCESSES[cell.process].means) == 2)
        for cell in wanted
        for k in range(trials)
    ]


def run_task(shared: Any, task: Task, rng: np.random.Generator) -> TrialScore:
    """Run a trial, and a fleet's detectors on it if so wanted; they draw nothing from the trial's generator."""
    return run_trial(shared, task.cell, rng, shipped=task.shipped)


def run_trial(_shared: Any, cell: Cell, rng: np.random.Generator, *, shipped: bool = False) -> TrialScore:
    """Simulate and score one trial; labels are renumbered to fit best in every row alike, oracles included.

    Those of the rows as shipped, and of the oracle beside them, are not: what they mean is given.
    """
    trial = Trial(PROCESSES[cell.process], cell.bars, rng)
    scores: dict[str, RowScore] = {}
    for row in ROWS:
        if row.study not in ("", trial.process.name):
            continue
        raw = row.labels(trial)
        numbers = matching(raw, trial.truth, trial.states)
        labels = numbers[raw]
        followed = switching(labels, trial.truth)
        area = nan
        if trial.states > 2:
            p = None if row.probabilities is None else row.probabilities(trial)
            area = auc(np.eye(trial.states)[labels] if p is None else p[:, np.argsort(numbers)], trial.truth)
        scores[row.name] = RowScore(
            balanced_accuracy(labels, trial.truth, trial.states), tuple(followed.delays), followed.missed,
            followed.false_switches, recalls(labels, trial.truth, trial.states), area,
        )  # fmt: skip
    bins = np.zeros((BINS, 3))
    if trial.states == 2 and trial.student is not None:
        p = trial.student.filtered(trial.y)[:, 1]
        at = np.minimum((p * BINS).astype(int), BINS - 1)
        for column, values in enumerate((np.ones_like(p), p, (trial.truth == 1).astype(float))):
            bins[:, column] = np.bincount(at, weights=values, minlength=BINS)
    return TrialScore(scores, bins, _shipped(trial) if shipped else {})


def _shipped(trial: Trial) -> dict[str, RowScore]:
    truth = trial.truth[FIRST_BAR:]
    oracle = trial.by_prior(trial.oracle, trial.process.stationary())
    out = {}
    for name, labels in {ORACLE: oracle, **shipped_labels(trial.y)}.items():
        mine = labels[FIRST_BAR:]
        followed = switching(mine, truth)
        out[name] = RowScore(
            balanced_accuracy(mine, truth, 2),
            tuple(followed.delays),
            followed.missed,
            followed.false_switches,
        )
    return out
