"""What is compared in a study: oracles that know the parameters, offline fits, and causal detectors.

Every row is a function of one trial and gives a label per bar. The *prior rule* takes the state whose probability
exceeds its long-run share most: of all rules on the same probabilities it has the best balanced accuracy.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from actors.domain import kernels
from actors.domain.regime.starts import kmeans_starts
from actors.domain.regime.study.features import Scaler, causal, published
from actors.domain.regime.study.models import Model, fit_model
from actors.domain.regime.study.process import Process, simulate

FloatArray = NDArray[np.float64]
States = NDArray[np.int64]
TRAINING_BARS = 5000
REFIT_BARS, FIRST_FIT_BARS = 250, 125
JUMP_PENALTY = 45.0
"""The published λ = 90 belongs to squared distances without the factor ½ of our objective."""


class Trial:
    """One simulated series, and what several rows need of it.

    Parameters
    ----------
    process : Process
    bars : int
    rng : Generator
        Of this trial alone.
    """

    def __init__(self, process: Process, bars: int, rng: np.random.Generator) -> None:
        self.process, self.rng = process, rng
        self.states = len(process.means)
        self.truth, self.y = simulate(process, bars, rng)
        _, self.training = simulate(process, TRAINING_BARS, rng)

    @cached_property
    def log_density(self) -> FloatArray:
        """Of every bar in every state, by the true law."""
        return np.ascontiguousarray(self.process.log_density(self.y))

    @cached_property
    def oracle(self) -> FloatArray:
        """Filtered probabilities that know parameters and law: nothing causal can know more."""
        p = self.process
        return kernels.hmm_forward_filter(self.log_density, p.stationary(), p.matrix())[0]

    @cached_property
    def student(self) -> Model | None:
        """t-HMM of the training series."""
        return fit_model(self.training, self.states, 5, self.rng, student=True)

    def by_prior(self, probabilities: FloatArray, shares: FloatArray) -> States:
        """Labels by the prior rule."""
        out: States = (probabilities / np.maximum(shares, 1e-12)).argmax(axis=1)
        return out

    def nothing(self) -> States:
        """Labels of a row that could not be fitted: the calm state throughout."""
        return np.zeros(self.y.shape[0], dtype=np.int64)


@dataclass(frozen=True)
class Row:
    """One line of a study.

    Attributes
    ----------
    name : str
    causal : bool
        Whether a label uses bars up to its own only.
    fit_protocol : str
        Where its parameters come from and how labels are read.
    labels : callable
        Labels of a trial.
    """

    name: str
    causal: bool
    fit_protocol: str
    labels: Callable[[Trial], States]


def _oracle_prior(t: Trial) -> States:
    return t.by_prior(t.oracle, t.process.stationary())


def _oracle_argmax(t: Trial) -> States:
    labels: States = t.oracle.argmax(axis=1)
    return labels


def _smoothed_prior(t: Trial) -> States:
    p = t.process
    gamma, _ = kernels.hmm_smooth(t.log_density, p.stationary(), p.matrix())
    return t.by_prior(gamma, p.stationary())


def _true_path(t: Trial) -> States:
    p = t.process
    normal = np.ascontiguousarray(p.log_density(t.y, normal=True))
    return kernels.hmm_viterbi(normal, p.stationary(), p.matrix())[0]


def _jump(t: Trial) -> States:
    rows = published(t.y)
    x = Scaler(rows)(rows)
    return kernels.jump_fit(x, kmeans_starts(x, t.states, 10, _draw(t)), JUMP_PENALTY).labels


def _hmm(t: Trial) -> States:
    model = fit_model(t.y, t.states, 10, t.rng)
    return t.nothing() if model is None else model.path(t.y)


def _hmm_frozen(t: Trial) -> States:
    model = fit_model(t.training, t.states, 5, t.rng)
    return t.nothing() if model is None else t.by_prior(model.filtered(t.y), model.shares())


def _student_argmax(t: Trial) -> States:
    return t.nothing() if t.student is None else t.student.filtered(t.y).argmax(axis=1)


def _student_prior(t: Trial) -> States:
    if t.student is None:
        return t.nothing()
    return t.by_prior(t.student.filtered(t.y), t.student.shares())


def _student_walk_forward(t: Trial) -> States:
    """Refits on all bars so far; a new model is run over the past before it labels the bars up to the next refit."""
    labels = t.nothing()
    bars = t.y.shape[0]
    for begin in (FIRST_FIT_BARS, *range(REFIT_BARS, bars, REFIT_BARS)):
        if begin >= bars:
            break
        model = fit_model(t.y[:begin], t.states, 3, t.rng, student=True, sticky=True)
        if model is None:
            continue
        end = min(begin + (REFIT_BARS - begin % REFIT_BARS), bars)
        labels[begin:end] = t.by_prior(model.filtered(t.y[:end]), model.shares())[begin:]
    return labels


def _jump_online(t: Trial) -> States:
    rows = causal(t.training)
    scale = Scaler(rows)
    x = scale(rows)
    # as many features, so as much loss per bar, as the penalty was published for: six of eighteen
    penalty = JUMP_PENALTY * x.shape[1] / 18.0
    fit = kernels.jump_fit(x, kmeans_starts(x, t.states, 10, _draw(t)), penalty)
    order = np.argsort(
        [t.training[fit.labels == k].var() if (fit.labels == k).any() else 0.0 for k in range(t.states)]
    )
    values = np.empty((t.y.shape[0], t.states))
    kernels.jump_stream(np.ascontiguousarray(fit.centres[order]), penalty).run(scale(causal(t.y)), values)
    labels: States = values.argmin(axis=1)
    return labels


def _draw(t: Trial) -> int:
    return int(t.rng.integers(2**31))


_TRAINED = f"{TRAINING_BARS} independent bars, then frozen"
ROWS: tuple[Row, ...] = (
    Row("oracle_prior", True, "true parameters and law; filter, prior rule", _oracle_prior),
    Row("oracle_argmax", True, "true parameters and law; filter, argmax", _oracle_argmax),
    Row("smoothed_prior", False, "true parameters and law; smoother, prior rule", _smoothed_prior),
    Row("true_path", False, "true parameters, normal law; Viterbi", _true_path),
    Row("jump", False, "whole series, published features, lambda 90, ten k-means++ starts", _jump),
    Row("hmm", False, "whole series, maximum likelihood, ten starts; Viterbi", _hmm),
    Row("hmm_frozen", True, f"{_TRAINED}; filter, prior rule", _hmm_frozen),
    Row("student_hmm_frozen_argmax", True, f"{_TRAINED}; filter, argmax", _student_argmax),
    Row("student_hmm_frozen", True, f"{_TRAINED}; filter, prior rule", _student_prior),
    Row("student_hmm_walk_forward", True, f"own past, refitted every {REFIT_BARS} bars; filter, prior rule",
        _student_walk_forward),
    Row("jump_online", True, f"{_TRAINED}; causal features, online decode", _jump_online),
)  # fmt: skip
"""In the order in which they draw from a trial's generator: new rows go to the end."""
