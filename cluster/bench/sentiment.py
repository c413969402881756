"""Bench of the headline scorer: macro-F1 on labelled texts beside peers, and speed beside its twin.

Cut-points are the only thing that is chosen here, in training folds; peers get the same treatment, and are shown by
their own customary cut-points too. A learnt head over words and rules is a row of its own: it is no part of the
lexicon's. What the labelled files say was not used to write the lexicon.
"""

from __future__ import annotations

import csv
import gzip
import importlib
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from actors.domain import registry
from actors.domain.errors import DataError
from actors.domain.kernels import TextScorer, backend
from actors.domain.kernels.twins import TextScorer as TwinScorer
from actors.domain.sentiment import judging
from actors.domain.sentiment.judging import Judged, Labels, Scores
from actors.domain.sentiment.lexicon import crypto_lexicon

FILES = {
    "cryptolin": ("cryptolin_half_a.csv.gz", "news", "final_manual_labelling"),
    "phrasebank_66": ("financial_phrasebank_66Agree_half_a.csv.gz", "sentence", "label"),
    "phrasebank_all": ("financial_phrasebank_AllAgree_half_a.csv.gz", "sentence", "label"),
}
"""Name of a set: file, column of the text, column of the label."""
LEAD_GOAL, SPEED_GOAL = 0.15, 200_000.0
FINBERT_PRINTED = "FinBERT's accuracy is printed as .86 at 50 % agreement (Araci 2019)"
_WORDS = {"negative": -1, "neutral": 0, "positive": 1}
_TEXTS = 40_000
Row = dict[str, Any]


class Labelled(NamedTuple):
    """Texts with what people say of them, and what peers said where the file tells."""

    name: str
    texts: list[str]
    truth: Labels
    columns: dict[str, list[str]]


def labelled(folder: Path, name: str) -> Labelled:
    """Return a labelled set.

    Raises
    ------
    DataError
        If the file is missing or not what it should be.
    """
    file, text, label = FILES[name]
    path = folder / file
    try:
        with gzip.open(path, "rt", encoding="utf-8", newline="") as stream:
            rows = list(csv.DictReader(stream))
        truth = [_WORDS[r[label]] if r[label] in _WORDS else round(float(r[label])) for r in rows]
        texts = [r[text] for r in rows]
    except (OSError, KeyError, ValueError) as e:
        raise DataError(
            "SENTIMENT_LABELLED",
            f"{path}: expected columns {text} and {label} in gzipped CSV, found {e!r}; see --data",
        ) from e
    return Labelled(name, texts, np.array(truth), {k: [r[k] for r in rows] for k in rows[0]})


def _vader(texts: Sequence[str]) -> Scores:
    analyzer = importlib.import_module("vaderSentiment.vaderSentiment").SentimentIntensityAnalyzer()
    return np.array([analyzer.polarity_scores(t)["compound"] for t in texts])


def _textblob(texts: Sequence[str]) -> Scores:
    blob = importlib.import_module("textblob").TextBlob
    return np.array([blob(t).sentiment.polarity for t in texts])


def _finbert(data: Labelled) -> Scores | None:
    if "finbert_positive" not in data.columns:
        return None
    # the file gives the negative share with its sign
    return np.array(
        [
            float(p) + float(n)
            for p, n in zip(data.columns["finbert_positive"], data.columns["finbert_negative"], strict=True)
        ]
    )


def _finbert_most(data: Labelled) -> Labels:
    shares = np.array([
        [abs(float(data.columns[f"finbert_{k}"][i])) for k in ("negative", "neutral", "positive")]
        for i in range(len(data.texts))
    ])  # fmt: skip
    most: Labels = shares.argmax(axis=1).astype(np.int64) - 1
    return most


def accuracy_rows(
    folder: Path, seed: int, repeats: int = 10, *, learnt: bool = True, sets: Sequence[str] = tuple(FILES)
) -> list[Row]:
    """Return a row per set and scorer: macro-F1 cross-validated and by customary cut-points, lead over VADER.

    A peer that is not installed has no row.
    """
    scorer = registry.build("actors.domain.sentiment.scorers", "lexicon")
    rows: list[Row] = []
    for name in sets:
        data = labelled(folder, name)
        ours = np.array([v.score for v in scorer.score(data.texts)])
        found: dict[str, tuple[Judged, list[Labels]]] = {
            "lexicon": judging.cross_validated(ours, data.truth, seed=seed, repeats=repeats)
        }
        customary: dict[str, Labels] = {"lexicon": judging.answers_of(ours, (-0.05, 0.05))}
        for peer, call in (("vader", _vader), ("textblob", _textblob)):
            try:
                said = call(data.texts)
            except ImportError:
                continue
            found[peer] = judging.cross_validated(said, data.truth, seed=seed, repeats=repeats)
            edge = 0.05 if peer == "vader" else 0.0
            customary[peer] = np.where(said > edge, 1, np.where(said < -edge, -1, 0)).astype(np.int64)
        finbert = _finbert(data)
        if finbert is not None:
            found["finbert"] = judging.cross_validated(finbert, data.truth, seed=seed, repeats=repeats)
            customary["finbert"] = _finbert_most(data)
        if learnt:
            found["lexicon + learnt head"] = _learnt(data, ours, seed, min(repeats, 3))
        common = np.bincount(data.truth + 1).argmax() - 1
        found["majority"] = judging.judge_answers(data.truth, [np.full(data.truth.size, common)], []), []
        rows += [_row(data, peer, found, customary.get(peer), seed) for peer in found]
    return rows


def _row(
    data: Labelled, peer: str, found: dict[str, tuple[Judged, list[Labels]]], usual: Labels | None, seed: int
) -> Row:
    judged, answers = found[peer]
    lead = se = None
    if "vader" in found and peer not in ("vader", "majority"):
        lead = judged.macro_f1 - found["vader"][0].macro_f1
        se = judging.lead_se(data.truth, answers, found["vader"][1], seed=seed)
    by_custom = None if usual is None else float(judging.f1_of(judging.confusion(data.truth, usual)).mean())
    return {
        "set": data.name, "n": int(data.truth.size), "scorer": peer, "macro_f1": judged.macro_f1,
        "spread": judged.spread, "f1": list(judged.f1), "accuracy": judged.accuracy, "confusion": judged.confusion,
        "cuts": None if judged.cuts is None else list(judged.cuts), "customary_macro_f1": by_custom,
        "lead_over_vader": lead, "lead_se": se,
    }  # fmt: skip


def _learnt(data: Labelled, ours: Scores, seed: int, repeats: int) -> tuple[Judged, list[Labels]]:
    """Judge a logistic head over words, word pairs and what the rules found, fitted in the training folds alone."""
    from scipy.sparse import csr_matrix, hstack
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

    lexicon = crypto_lexicon()
    kernel = TextScorer(*lexicon)
    columns = kernel.score(list(data.texts))
    worths = [[h.worth for h in kernel.explain(t)] for t in data.texts]
    rules = np.column_stack([
        np.nan_to_num(ours), columns[:, 3] / 4.0, columns[:, 2] / np.maximum(columns[:, 1], 1.0),
        [sum(w for w in ws if w > 0) for ws in worths], [sum(w for w in ws if w < 0) for ws in worths],
        [float("?" in t) for t in data.texts],
    ])  # fmt: skip
    said = []
    for r in range(repeats):
        answers = np.zeros(data.truth.size, dtype=np.int64)
        for train, test in judging.folds(data.truth, 5, np.random.default_rng([seed, r])):
            words = TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True)
            x = hstack(
                [words.fit_transform([data.texts[i] for i in train]), csr_matrix(rules[train])]
            ).tocsr()
            head = LogisticRegression(C=3.0, class_weight="balanced", max_iter=2000)
            head.fit(x, data.truth[train])
            y = hstack([words.transform([data.texts[i] for i in test]), csr_matrix(rules[test])]).tocsr()
            answers[test] = head.predict(y)
        said.append(answers)
    return judging.judge_answers(data.truth, said, []), said


def speed_row(rounds: int, texts: Sequence[str] | None = None) -> Row:
    """Return headlines per second of one core through the Python call, and how many times the twin's that is.

    Parameters
    ----------
    rounds : int
        The median of as many counts; both take turns.
    texts : sequence of str, optional
        By default headlines put together from the lexicon's own words.
    """
    lexicon = crypto_lexicon()
    many = list(texts) if texts is not None else made_headlines(_TEXTS)
    few = many[:1000]
    native = TextScorer(*lexicon)
    twin = TwinScorer(list(lexicon.texts), list(lexicon.kinds), list(lexicon.values))
    out = np.empty((len(few), 5))
    jobs: dict[str, Callable[[], object]] = {
        "ours": lambda: native.score(many),
        "twin": lambda: twin.score(few, out),
    }
    took: dict[str, list[float]] = {k: [] for k in jobs}
    for _ in range(rounds):
        for key, job in jobs.items():
            began = time.process_time()
            job()
            took[key].append(time.process_time() - began)
    ours = float(np.median(took["ours"])) / len(many)
    return {
        "what": "headline scorer", "backend": backend().name, "texts": len(many),
        "mean_chars": float(np.mean([len(t) for t in many])), "per_second": 1.0 / ours,
        "faster_than_twin": float(np.median(took["twin"])) / len(few) / ours,
    }  # fmt: skip


def made_headlines(count: int, seed: int = 5) -> list[str]:
    """Return texts of 8 to 14 terms of the lexicon, about as long as headlines are."""
    rng = np.random.default_rng(seed)
    terms = np.array([t for t in crypto_lexicon().texts if " " not in t])
    lengths = rng.integers(8, 15, count)
    drawn = terms[rng.integers(0, terms.size, int(lengths.sum()))]
    ends = np.cumsum(lengths)
    return [" ".join(drawn[e - n : e]) for e, n in zip(ends.tolist(), lengths.tolist(), strict=True)]
