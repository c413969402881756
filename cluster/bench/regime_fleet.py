"""A fleet with regimes against the same fleet without, walk-forward; see `regime_value`.

The fleet is the default one without predictors (no difference between the three would come of them, and they cost most
of the time). Varied are the trend and momentum lengths of its strategies. With regimes and with parameters per regime
the trials of a train are the same: the map is learnt from them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from actors.domain import kernels
from actors.domain.errors import DataError
from actors.domain.evaluation.metrics.deflated import deflated_sharpe
from actors.domain.evaluation.metrics.summary import ratios_of
from actors.domain.model.bars import BarFrame
from actors.domain.model.timeframe import parse_timeframe
from actors.domain.model.timerange import TimeRange, parse_timerange
from actors.domain.search.study.by_regime import LearnRule
from actors.domain.search.study.luck import sharpes_per_bar
from actors.domain.validation.paired import Difference, paired_difference
from actors.domain.validation.splits import walk_forward_folds
from actors.domain.validation.stitching import FoldFigures, stitch
from actors.domain.validation.verdict import CONVINCING, NONE, SOME, WEAK
from cluster.bench.regime_labels import SEED, frame_of
from cluster.runs.search_space import config_space
from cluster.runs.study import StudyResult, StudySpec, run_study
from cluster.runs.study_trial import Question
from cluster.runs.walk_forward import learnt_map, tested
from config.load import ResolvedConfig, resolve

FloatArray = NDArray[np.float64]
VARIANTS = ("without", "with", "adaptive")
PATHS = (
    "strategies.ma_crossover.params.fast_bars", "strategies.ma_crossover.params.slow_bars",
    "strategies.rsi.params.window_bars", "strategies.macd.params.fast_bars", "strategies.macd.params.slow_bars",
)  # fmt: skip
BARE = ("learning.predictors=[]", "features.indicators=[]")
FILES = "ohlcv/binance_spot"
TRAIN_TO_TEST, EMBARGO = 3, 24
YEAR_NS = 365 * 86_400 * 10**9


@dataclass(frozen=True)
class Terms:
    """What the comparison consists of; fixed before it was run for the first time."""

    pairs: tuple[str, ...] = ("BTC/USDT", "ETH/USDT", "BNB/USDT", "XRP/USDT", "LTC/USDT", "ADA/USDT")
    timeframe: str = "4h"
    timerange: str = "20180101-20240101"
    folds: int = 6
    trials: int = 6
    jobs: int = 1
    rule: LearnRule = field(default_factory=LearnRule)


@dataclass
class Record:
    """What came of one variant on one pair.

    Attributes
    ----------
    folds : list of FoldFigures
    sharpes : list of float or None
        Per-bar Sharpe ratios of all trials on their trains.
    trials : int
        How much was tried: trials, and for the map one more search among them per regime, and its own run.
    used : int
        Folds in which a map was used.
    """

    folds: list[FoldFigures] = field(default_factory=list)
    sharpes: list[float | None] = field(default_factory=list)
    trials: int = 0
    used: int = 0

    @property
    def returns(self) -> FloatArray:
        """Out of sample, put end to end."""
        return np.concatenate([f.returns for f in self.folds])


@dataclass
class PairRecord:
    """All variants over the same tests of one pair; `times` are closing times, `held` what holding it returns."""

    pair: str
    records: dict[str, Record]
    times: NDArray[np.int64]
    held: FloatArray
    notes: list[str]


def run(shared: Path, terms: Terms, tell: Callable[[str], None]) -> dict[str, Any]:
    """Return the figures of every pair, and of all pairs held in equal shares."""
    found: list[PairRecord] = []
    for one in _computed(shared, terms):
        found.append(one)
        tell(f"fleet: {one.pair}, {len(found)} of {len(terms.pairs)} pairs")
    year = YEAR_NS / parse_timeframe(terms.timeframe)
    rows = [_figures(one.pair, one.records, one.held, year) | {"notes": one.notes} for one in found]
    return {
        "terms": asdict(terms) | {"varied": list(PATHS), "embargo_bars": EMBARGO, "train_to_test": TRAIN_TO_TEST},
        "pairs": rows, "together": _figures("all pairs", *together(found), year),
    }  # fmt: skip


def _computed(shared: Path, terms: Terms) -> Iterator[PairRecord]:
    if terms.jobs == 1:
        yield from (walk(shared, terms, pair) for pair in terms.pairs)
        return
    with ProcessPoolExecutor(terms.jobs) as pool:
        yield from pool.map(walk, [shared] * len(terms.pairs), [terms] * len(terms.pairs), terms.pairs)


def walk(shared: Path, terms: Terms, pair: str) -> PairRecord:
    """Walk forward over one pair in all variants.

    Raises
    ------
    DataError
        If there are no bars of the pair.
    """
    frame = bars_of(shared, pair, terms.timeframe)
    span = parse_timerange(terms.timerange)
    inside = frame.slice_time(span.start_ns, span.end_ns)
    opened = [*inside.open_ns.tolist(), inside.end_ns]
    test = (len(inside) - EMBARGO) // (terms.folds + TRAIN_TO_TEST)
    folds = walk_forward_folds(
        len(inside), train_bars=TRAIN_TO_TEST * test, test_bars=test, embargo_bars=EMBARGO, anchored=False
    )[-terms.folds :]
    sets = [f"pairs=['{pair}']", f"timeframe={terms.timeframe}", *BARE]
    fleets = {
        "without": resolve("backtest", sets=[*sets, "regime.detectors=[]"]), "with": resolve("backtest", sets=sets)
    }  # fmt: skip
    records = {name: Record() for name in VARIANTS}
    times: list[NDArray[np.int64]] = []
    notes: list[str] = []
    for k, fold in enumerate(folds):
        train = TimeRange(opened[fold.train_begin], opened[fold.train_end])
        tests = TimeRange(opened[fold.test_begin], opened[fold.test_end])
        for name, config in fleets.items():
            notes += _fold(records, name, k, config, frame, train, tests, terms, times)
    at = np.concatenate(times)
    close = frame.close[np.searchsorted(frame.close_ns, at)]
    held = np.concatenate([[0.0], close[1:] / close[:-1] - 1.0])
    return PairRecord(pair, records, at, held, notes)


def _fold(
    records: dict[str, Record], name: str, number: int, config: ResolvedConfig, frame: BarFrame, train: TimeRange,
    tests: TimeRange, terms: Terms, times: list[NDArray[np.int64]],
) -> list[str]:  # fmt: skip
    """Compute one fold of one fleet, and of the map that its trials teach; returns what a reader must know."""
    learns = name == "with"
    space = config_space(config.model, PATHS)
    spec = StudySpec(epochs=terms.trials, sampler="random", seed=SEED + number)
    question = Question(config, {frame.pair: frame}, train, by_regime=learns)
    study = run_study(config, question.frames, train, space, spec, by_regime=learns)
    best = study.best
    mine = [name, "adaptive"] if learns else [name]
    for one in mine:
        _note_trials(records[one], study, YEAR_NS / frame.timeframe_ns)
    chosen = {} if best is None else dict(best.params)
    test = Question(config, question.frames, tests)
    notes = []
    if best is None:
        notes.append(f"{name}, fold {number + 1}: no trial had a Sharpe ratio, so the defaults were traded")
    found = tested(test, chosen)
    trained = None if best is None else best.result.metrics.get("cagr_frac")
    figures = FoldFigures(found.returns, trained, int(found.metrics.get("trade_count") or 0))
    records[name].folds.append(figures)
    if not learns:
        times.append(found.times)
        return notes
    values: dict[str, Any] = {}
    if best is not None:
        values, told = learnt_map(question, study, best, terms.rule)
        records["adaptive"].trials += told["searched"] * terms.trials + (told["searched"] > 0)
        notes += [f"adaptive, fold {number + 1}, {n}" for n in told["notes"]]
    if values:
        records["adaptive"].used += 1
        found = tested(test, {**chosen, **values})
        figures = FoldFigures(found.returns, trained, int(found.metrics.get("trade_count") or 0))
    records["adaptive"].folds.append(figures)
    return notes


def _note_trials(record: Record, study: StudyResult, year: float) -> None:
    record.trials += len(study.trials)
    record.sharpes += sharpes_per_bar(study.trials, year)


def bars_of(shared: Path, pair: str, timeframe: str) -> BarFrame:
    """Return the bars of a pair in the timeframe, from its own file or from hourly bars.

    Raises
    ------
    DataError
        If there is no file.
    """
    symbol = pair.replace("/", "")
    for length in (timeframe, "1h"):
        file = shared / FILES / f"{symbol}_{length}.parquet"
        if file.exists():
            return frame_of(file, pair, timeframe)
    raise DataError(
        "PAIR_FILE",
        f"{pair}: expected {symbol}_{timeframe}.parquet or {symbol}_1h.parquet in {FILES}, found neither",
    )


def together(found: Sequence[PairRecord]) -> tuple[dict[str, Record], FloatArray]:
    """Return the records of all pairs in equal shares: at each time the mean over the pairs that are tested then."""
    times = np.unique(np.concatenate([one.times for one in found]))
    at = [np.searchsorted(times, one.times) for one in found]

    def mean(columns: Iterable[FloatArray]) -> FloatArray:
        total, count = np.zeros(len(times)), np.zeros(len(times))
        for rows, values in zip(at, columns, strict=True):
            total[rows] += values
            count[rows] += 1.0
        out: FloatArray = total / count
        return out

    records = {}
    for name in VARIANTS:
        own = [one.records[name] for one in found]
        trained = [f.train_cagr_frac for r in own for f in r.folds]
        known = [c for c in trained if c is not None]
        records[name] = Record(
            [
                FoldFigures(
                    mean(r.returns for r in own),
                    float(np.mean(known)) if len(known) == len(trained) else None,
                    sum(f.trade_count for r in own for f in r.folds),
                )
            ],
            [s for r in own for s in r.sharpes], sum(r.trials for r in own), sum(r.used for r in own),
        )  # fmt: skip
    return records, mean(one.held for one in found)


def _figures(name: str, records: Mapping[str, Record], held: FloatArray, year: float) -> dict[str, Any]:
    """Return the figures of the variants over the same bars."""
    # who compares three variants has tried all of their trials; those of the map were run once for two of them
    tried = records["without"].trials + records["adaptive"].trials
    sharpes = [math.nan if s is None else s for r in ("without", "with") for s in records[r].sharpes]
    sharpes += [math.nan] * (tried - len(sharpes))
    rows = {}
    for variant, record in records.items():
        judged = stitch(record.folds, held, periods_per_year=year, seed=SEED, paths=500)
        m = judged.metrics
        rows[variant] = {
            **{k: m[k] for k in ("total_return_frac", "cagr_frac", "sharpe_ann", "max_drawdown_frac", "psr")},
            "sharpe_low": judged.sharpe_interval.low if judged.sharpe_interval else None,
            "sharpe_high": judged.sharpe_interval.high if judged.sharpe_interval else None,
            "dsr": deflated_sharpe(record.returns, sharpes), "trials": record.trials, "maps_used": record.used,
            "trade_count": sum(f.trade_count for f in record.folds), "verdict": judged.words,
        }  # fmt: skip
    differences = {}
    for first, second in (("with", "without"), ("adaptive", "with"), ("adaptive", "without")):
        d = paired_difference(
            records[first].returns, records[second].returns, periods_per_year=year, seed=SEED
        )
        differences[f"{first} less {second}"] = vars(d) | {"words": words(d, rows[first]["dsr"])}
    market = ratios_of(kernels.return_statistics(np.ascontiguousarray(held)), year)
    return {
        "name": name, "bars": len(held), "trials_counted": tried, "variants": rows, "differences": differences,
        "held": {k: market[k] for k in ("cagr_frac", "sharpe_ann", "max_drawdown_frac")},
    }  # fmt: skip


def words(difference: Difference, dsr: float | None) -> str:
    """Return what a difference comes to, by the rule that the module states.

    Examples
    --------
    >>> d = Difference(0.4, 0.1, 0.7, 0.02, 0.0, 0.05, 0.99, 20.0, 0.95, 2000)
    >>> words(d, 0.97), words(d, 0.5), words(Difference(0.4, -0.1, 0.7, 0.02, 0.0, 0.05, 0.9, 20.0, 0.95, 2000), 0.99)
    ('evidence', 'weak evidence', 'no evidence')
    """
    if difference.sharpe_low is None or difference.sharpe_low <= 0.0:
        return NONE
    return SOME if dsr is not None and dsr >= CONVINCING else WEAK


def lines(found: Mapping[str, Any]) -> list[str]:
    """Return the tables as a person reads them."""
    t = found["terms"]
    out = [
        (
            f"{t['timeframe']} bars {t['timerange']}, {t['folds']} folds, {t['trials']} trials per fold and fleet; "
            "out of sample, after costs"
        )
    ]
    for part in (*found["pairs"], found["together"]):
        h = part["held"]
        out.append(
            f"{part['name']}: {part['bars']} bars, {part['trials_counted']} trials counted; held: {_p(h['cagr_frac'])} "
            f"a year, Sharpe {_n(h['sharpe_ann'])}, max drawdown {_p(h['max_drawdown_frac'])}"
        )
        for name, r in part["variants"].items():
            maps = f", map used in {r['maps_used']} folds" if name == "adaptive" else ""
            out.append(
                f"  {name:<10}{_p(r['cagr_frac']):>8} a year  Sharpe {_n(r['sharpe_ann']):>5} ({_n(r['sharpe_low'])} "
                f"to {_n(r['sharpe_high'])})  DSR {_n(r['dsr'])}  max dd {_p(r['max_drawdown_frac'])}  "
                f"{r['trade_count']} trades  {r['verdict']}{maps}"
            )
        for name, d in part["differences"].items():
            out.append(
                f"  {name}: Sharpe {_n(d['sharpe_ann'])} ({_n(d['sharpe_low'])} to {_n(d['sharpe_high'])}), return "
                f"{_p(d['return_ann'])} a year ({_p(d['return_low'])} to {_p(d['return_high'])}): {d['words']}"
            )
    return out


def _n(x: float | None) -> str:
    return "-" if x is None or x != x else f"{x:.2f}"


def _p(x: float | None) -> str:
    return "-" if x is None or x != x else f"{x:+.1%}"
