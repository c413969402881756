"""Bench of the model kernels: one new bar through the HMM filter, one new row through a forest.

The peers are what a live bar would otherwise pay: hmmlearn's ``predict_proba`` on the last 252 bars, and
scikit-learn's ``predict_proba`` of one row. Forest rows are all different, so the branch predictor learns
nothing.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import numpy as np

from actors.domain import kernels
from actors.domain.kernels import twins
from actors.domain.sentiment.lexicon import crypto_lexicon
from cluster.bench.sentiment import made_headlines

Row = dict[str, Any]
Rounds = Callable[[dict[str, Callable[[], object]], int], dict[str, float]]
BARS = 20_000
ROWS = 1_000
HEADLINES = 10_000


def model_rows(rounds: Rounds, reps: int) -> list[Row]:
    """Return the rows of the HMM filter, of the forest and of the headline scorer (its unit is a headline).

    Parameters
    ----------
    rounds : callable
        Takes jobs and repetitions, returns the median nanoseconds of each job.
    reps : int
    """
    return [*_hmm(rounds, reps), *_forest(rounds, reps), *_headlines(rounds, reps)]


def _row(what: str, count: int, took: float, peer: float | None) -> Row:
    ours = took / count
    ratio = peer / ours if peer is not None else None
    return {"what": what, "bars": count, "ns_per_bar": ours, "faster_than_peer": ratio}


def _hmm(rounds: Rounds, reps: int) -> list[Row]:
    rng = np.random.default_rng(5)
    pi, transitions = np.full(3, 1 / 3), np.full((3, 3), 0.05) + 0.85 * np.eye(3)
    means, variances = rng.standard_normal((3, 2)), rng.random((3, 2)) + 0.5
    x = rng.standard_normal((BARS, 2))
    bars = list(x)
    d = x[:, None, :] - means
    log_b = -0.5 * (d * d / variances + np.log(2 * np.pi * variances)).sum(axis=2)
    live = kernels.hmm_filter_stream(pi, transitions, means, variances)

    def stream() -> None:
        for bar in bars:
            live.update(bar)

    jobs: dict[str, Callable[[], object]] = {
        "stream": stream,
        "batch": lambda: kernels.hmm_forward_filter(log_b, pi, transitions),
    }
    hmm = _optional("hmmlearn.hmm")
    if hmm is not None:
        peer = hmm.GaussianHMM(3, covariance_type="diag", init_params="", params="")
        peer.startprob_, peer.transmat_, peer.means_, peer.covars_ = pi, transitions, means, variances
        jobs["window"] = lambda: peer.predict_proba(x[:252])
        jobs["whole"] = lambda: peer.predict_proba(x)
    took = rounds(jobs, reps)
    whole = took["whole"] / BARS if hmm is not None else None
    return [
        _row("hmm filter, one new bar", BARS, took["stream"], took.get("window")),
        _row("hmm filter, series", BARS, took["batch"], whole),
    ]


def _headlines(rounds: Rounds, reps: int) -> list[Row]:
    lexicon = crypto_lexicon()
    texts = made_headlines(HEADLINES)
    scorer = kernels.TextScorer(*lexicon)
    twin = twins.TextScorer(list(lexicon.texts), list(lexicon.kinds), list(lexicon.values))
    few, out = texts[: HEADLINES // 20], np.empty((HEADLINES // 20, kernels.TEXT_COLUMNS))
    took = rounds({"ours": lambda: scorer.score(texts), "twin": lambda: twin.score(few, out)}, reps)
    row = _row("headline scorer", len(texts), took["ours"], None)
    return [row | {"faster_than_twin": took["twin"] / len(few) / row["ns_per_bar"]}]


def _forest(rounds: Rounds, reps: int) -> list[Row]:
    ensemble = _optional("sklearn.ensemble")
    if ensemble is None:
        return []
    rng = np.random.default_rng(0)
    x = rng.standard_normal((8_000, 40))
    label = (x[:, 0] * x[:, 1] + x[:, 2] + rng.standard_normal(8_000)) > 0
    model = ensemble.RandomForestClassifier(100, max_depth=10, random_state=0).fit(x, label)
    arrays = kernels.ForestArrays.from_sklearn(model)
    rows = rng.standard_normal((ROWS, 40))
    single = [rows[i : i + 1] for i in range(ROWS)]

    def one_by_one() -> None:
        for row in single:
            kernels.forest_predict(arrays, row)

    took = rounds(
        {
            "single": one_by_one,
            "batch": lambda: kernels.forest_predict(arrays, rows),
            "sklearn": lambda: model.predict_proba(single[0]),
            "sklearn batch": lambda: model.predict_proba(rows),
        },
        reps,
    )
    return [
        _row("forest 100 x 10, one row", ROWS, took["single"], took["sklearn"]),
        _row("forest 100 x 10, 1000 rows", ROWS, took["batch"], took["sklearn batch"] / ROWS),
    ]


def _optional(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError:
        return None
