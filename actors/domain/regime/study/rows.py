"""What is compared in a study: oracles that know the parameters, offline fits, and causal models.

No row here is a detector of a fleet: these are models of the same kinds in the study's own form, most of them trained
before. What a fleet's detectors do by their defaults is in `actors.domain.regime.study.shipped`.

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
from actors.domain.regime.study.features import Scaler, backward, causal, published
from actors.domain.regime.study.models import Model, fit_model
from actors.domain.regime.study.pooled import NEWCOMER_SHARE, balanced, pooled_labels, trained_weights
from actors.domain.regime.study.process import THREE_STATES, Process, simulate

FloatArray = NDArray[np.float64]
States = NDArray[np.int64]
TRAINING_BARS = 5000
REFIT_BARS, FIRST_FIT_BARS = 250, 125
JUMP_PENALTY = 45.0
"""The published λ = 90 belongs to squared distances without the factor ½ of our objective."""
JUMP_TEMPERATURE = 3.0
"""What difference of values counts as one e-fold where a jump model is asked for probabilities."""
PENALTIES = (10.0, 21.5, 46.4, 100.0, 215.0, 464.0, 1000.0)
"""Grid of the three-state study, of which print shows the best in hindsight."""
BACKWARD = "jump_backward_"
ORACLE = "oracle_prior"
"""The row that all others are compared with."""


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
    def smoothed(self) -> FloatArray:
        """Probabilities that know parameters, law and the whole series."""
        p = self.process
        return kernels.hmm_smooth(self.log_density, p.stationary(), p.matrix())[0]

    @cached_property
    def whole(self) -> Model | None:
        """Gaussian model of the series itself."""
        return fit_model(self.y, self.states, 10, self.rng)

    @cached_property
    def gaussian(self) -> Model | None:
        """Gaussian model of the training series."""
        return fit_model(self.training, self.states, 5, self.rng)

    @cached_property
    def student(self) -> Model | None:
        """t-HMM of the training series."""
        return fit_model(self.training, self.states, 5, self.rng, student=True)

    @cached_property
    def walk_forward(self) -> FloatArray:
        """Balanced probabilities of a t-HMM refitted on all bars so far; NaN before the first fit.

        A new model is run over the past before it labels the bars up to the next refit.
        """
        bars = self.y.shape[0]
        out = np.full((bars, self.states), np.nan)
        for begin in (FIRST_FIT_BARS, *range(REFIT_BARS, bars, REFIT_BARS)):
            if begin >= bars:
                break
            end = min(begin + (REFIT_BARS - begin % REFIT_BARS), bars)
            model = fit_model(self.y[:begin], self.states, 3, self.rng, student=True, sticky=True)
            if model is not None:
                out[begin:end] = balanced(model.filtered(self.y[:end]), model.shares())[begin:]
        return out

    @cached_property
    def jump_values(self) -> tuple[FloatArray, FloatArray]:
        """Values of a jump model of the training series, decoded online: over that series, and over the trial's."""
        rows = causal(self.training)
        scale = Scaler(rows)
        x = scale(rows)
        # as many features, so as much loss per bar, as the penalty was published for: six of eighteen
        penalty = JUMP_PENALTY * x.shape[1] / 18.0
        fit = kernels.jump_fit(x, kmeans_starts(x, self.states, 10, _draw(self)), penalty)
        order = np.argsort([
            self.training[fit.labels == k].var() if (fit.labels == k).any() else 0.0 for k in range(self.states)
        ])  # fmt: skip
        centres = np.ascontiguousarray(fit.centres[order])
        out = []
        for features in (x, scale(causal(self.y))):
            values = np.empty((features.shape[0], self.states))
            kernels.jump_stream(centres, penalty).run(features, values)
            out.append(values)
        return out[0], out[1]

    @cached_property
    def backward_features(self) -> FloatArray:
        """Features of the three-state study, standardised over the whole series."""
        rows = backward(self.y)
        return Scaler(rows)(rows)

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
    probabilities : callable or None
        Probabilities of the states, for the area under the ROC curve; None: the labels stand for them.
    study : str
        Name of the process it is for; empty: all.
    """

    name: str
    causal: bool
    fit_protocol: str
    labels: Callable[[Trial], States]
    probabilities: Callable[[Trial], FloatArray | None] | None = None
    study: str = ""


def _oracle_prior(t: Trial) -> States:
    return t.by_prior(t.oracle, t.process.stationary())


def _oracle_argmax(t: Trial) -> States:
    labels: States = t.oracle.argmax(axis=1)
    return labels


def _smoothed_prior(t: Trial) -> States:
    return t.by_prior(t.smoothed, t.process.stationary())


def _true_path(t: Trial) -> States:
    p = t.process
    normal = np.ascontiguousarray(p.log_density(t.y, normal=True))
    return kernels.hmm_viterbi(normal, p.stationary(), p.matrix())[0]


def _jump(t: Trial) -> States:
    rows = published(t.y)
    x = Scaler(rows)(rows)
    return kernels.jump_fit(x, kmeans_starts(x, t.states, 10, _draw(t)), JUMP_PENALTY).labels


def _hmm(t: Trial) -> States:
    return t.nothing() if t.whole is None else t.whole.path(t.y)


def _smoothed(model: Model | None, y: FloatArray) -> FloatArray | None:
    return None if model is None else model.smoothed(y)


def _filtered(model: Model | None, y: FloatArray) -> FloatArray | None:
    return None if model is None else model.filtered(y)


def _hmm_frozen(t: Trial) -> States:
    return t.nothing() if t.gaussian is None else t.by_prior(t.gaussian.filtered(t.y), t.gaussian.shares())


def _student_argmax(t: Trial) -> States:
    return t.nothing() if t.student is None else t.student.filtered(t.y).argmax(axis=1)


def _student_prior(t: Trial) -> States:
    if t.student is None:
        return t.nothing()
    return t.by_prior(t.student.filtered(t.y), t.student.shares())


def _student_walk_forward(t: Trial) -> States:
    labels: States = np.where(np.isnan(t.walk_forward), 0.0, t.walk_forward).argmax(axis=1)
    return labels


def _jump_online(t: Trial) -> States:
    labels: States = t.jump_values[1].argmin(axis=1)
    return labels


def _jump_opinion(values: FloatArray) -> FloatArray:
    """Values as probabilities, whose order is theirs."""
    raw = np.exp(-(values - values.min(axis=1, keepdims=True)) / JUMP_TEMPERATURE)
    out: FloatArray = raw / raw.sum(axis=1, keepdims=True)
    return out


def _ensemble(t: Trial) -> States:
    """The enhanced ensemble over all causal members; a model that could not be fitted is no member."""
    models = [m for m in (t.gaussian, t.student) if m is not None]
    over_jump, of_jump = t.jump_values
    said = [*(balanced(m.filtered(t.y), m.shares()) for m in models), _jump_opinion(of_jump)]
    trained = [*(balanced(m.filtered(t.training), m.shares()) for m in models), _jump_opinion(over_jump)]
    weights: tuple[float, ...] = (1.0 / len(said),) * len(said)
    if models:
        known = models[-1].smoothed(t.training)
        weights = trained_weights(trained, known)
    first = (*((1.0 - NEWCOMER_SHARE) * w for w in weights), NEWCOMER_SHARE)
    return pooled_labels(t.y, [*said, t.walk_forward], first)


def _jump_backward(penalty: float) -> Callable[[Trial], States]:
    def labels(t: Trial) -> States:
        x = t.backward_features
        return kernels.jump_fit(x, kmeans_starts(x, t.states, 10, 7), penalty).labels

    return labels


def _draw(t: Trial) -> int:
    return int(t.rng.integers(2**31))


_TRAINED = f"{TRAINING_BARS} independent bars, then frozen"
ROWS: tuple[Row, ...] = (
    Row(ORACLE, True, "true parameters and law; filter, prior rule", _oracle_prior, lambda t: t.oracle),
    Row("oracle_argmax", True, "true parameters and law; filter, argmax", _oracle_argmax, lambda t: t.oracle),
    Row("smoothed_prior", False, "true parameters and law; smoother, prior rule", _smoothed_prior,
        lambda t: t.smoothed),
    Row("true_path", False, "true parameters, normal law; Viterbi", _true_path, lambda t: t.smoothed),
    Row("jump", False, "whole series, published features, lambda 90, ten k-means++ starts", _jump),
    Row("hmm", False, "whole series, maximum likelihood, ten starts; Viterbi", _hmm,
        lambda t: _smoothed(t.whole, t.y)),
    Row("hmm_frozen", True, f"{_TRAINED}; filter, prior rule", _hmm_frozen, lambda t: _filtered(t.gaussian, t.y)),
    Row("student_hmm_frozen_argmax", True, f"{_TRAINED}; filter, argmax", _student_argmax,
        lambda t: _filtered(t.student, t.y)),
    Row("student_hmm_frozen", True, f"{_TRAINED}; filter, prior rule", _student_prior,
        lambda t: _filtered(t.student, t.y)),
    Row("student_hmm_walk_forward", True, f"own past, refitted every {REFIT_BARS} bars; filter, prior rule",
        _student_walk_forward),
    Row("jump_online", True, f"{_TRAINED}; causal features, online decode", _jump_online),
    Row("ensemble", True, "enhanced, over the four causal rows above; first weights from the training series, learnt "
        "on as bars become known; prior rule", _ensemble),
    *(Row(f"{BACKWARD}{p:g}", False, "whole series, backward features of the three-state study, ten k-means++ starts",
          _jump_backward(p), study=THREE_STATES.name) for p in PENALTIES),
)  # fmt: skip
"""In the order in which they draw from a trial's generator: new rows go to the end."""
