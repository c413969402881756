"""The regimes' part of a report, and the page of a file's regimes: charts, each with a table that says the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import plotly.graph_objects as go

from actors.domain.evaluation.metrics.proportion import Estimate
from actors.domain.evaluation.regime_reliability import PLANTED, Reliability
from actors.domain.evaluation.regime_statistics import LEAST_RETURNS, RegimeStatistics, Spell
from actors.domain.evaluation.regime_trace import FACTORS, RegimeView
from actors.domain.evaluation.report_model import PairSeries
from actors.domain.events.regime import REGIMES
from actors.domain.regime.multi_timeframe import MIXED
from actors.ops.report.price import REGIME_COLOURS
from actors.ops.report.regime_figures import (
    FACTOR_COLOURS,
    MEASURE_WORDS,
    bands_figure,
    confidence_figure,
    reliability_figure,
    short_name,
    transition_figure,
)
from actors.ops.report.style import BLUE, SKY
from actors.ops.report.tables import Table, number

CHARTED = 6
"""Pairs with charts; those after them have their tables."""


@dataclass
class RegimePart:
    """One pair's part: `key` names its charts; `legend` the regimes' colours, `lines` those of the confidence chart."""

    pair: str
    key: str
    charted: bool
    lead: str
    legend: list[tuple[str, str]]
    lines: list[tuple[str, str]]
    confidence_note: str
    durations: Table
    returns: Table
    transitions: Table
    confidence: Table
    detectors: Table
    reliability: Table | None
    levels: Table | None
    reliability_note: str
    figures: dict[str, go.Figure] = field(default_factory=dict)


def regime_part(
    series: PairSeries, view: RegimeView, k: int, quote: str, span: Sequence[int] = ()
) -> RegimePart:
    """Return the part of the pair that is the `k`-th of its page.

    Parameters
    ----------
    series : PairSeries
        With the labels in force.
    view : RegimeView
    quote : str
        Currency of the price.
    span : (first, last) close of the run in ns, optional
    """
    key, found = f"regime-{k}", view.statistics
    figures = {}
    if k < CHARTED:
        figures = {
            f"{key}-bands": bands_figure(series, view, quote, span),
            f"{key}-confidence": confidence_figure(series, view, span),
            f"{key}-transitions": transition_figure(found),
        }
        if view.reliability is not None:
            figures[f"{key}-reliability"] = reliability_figure(view.reliability)
    seen = {r.label for r in found.rows} | {label for row in view.member_labels for label in row}
    shown = [("score", BLUE), *((n, FACTOR_COLOURS[n]) for n in FACTORS if view.known_bars[n])]
    return RegimePart(
        pair=view.pair, key=key, charted=bool(figures), lead=_lead(view),
        legend=[(label.replace("_", " "), REGIME_COLOURS[label]) for label in REGIMES if label in seen],
        lines=[(MEASURE_WORDS[n], colour) for n, colour in shown]
        + ([(MEASURE_WORDS["frames"], SKY)] if view.known_bars["frames"] else []),
        confidence_note=_confidence_note(view), durations=duration_table(view), returns=return_table(view),
        transitions=transition_table(view.pair, found), confidence=confidence_table(view),
        detectors=detector_table(view), reliability=reliability_table(view.pair, view.reliability),
        levels=level_table(view.pair, view.reliability), reliability_note=_reliability_note(view.reliability),
        figures=figures,
    )  # fmt: skip


def duration_table(view: RegimeView) -> Table:
    """Time and durations per regime."""
    found = view.statistics
    rows = [
        (
            r.label.replace("_", " "), f"{r.bars:,}", number(r.share_frac, 1, 100), str(r.spells),
            number(r.mean_bars, 1), number(r.median_bars, 1), f"{r.longest_bars:,}", estimate(r.expected_bars, 1),
            number(r.mean_probability, 1, 100), number(r.probability_in_force, 1, 100),
        )
        for r in found.rows
    ]  # fmt: skip
    cut = [
        f"{text} {_spell(spell)}"
        for text, spell in (
            ("begins inside a spell of", found.first_spell), ("ends inside one of", found.last_spell)
        )
        if spell is not None
    ]  # fmt: skip
    return Table(
        caption=f"{view.pair}: how long each regime lasted",
        headers=(
            "regime", "bars", "% of time", "whole spells", "mean, bars", "median", "longest", "expected duration, bars",
            "mean probability, %", "when in force, %",
        ),
        rows=rows, numeric=(False, *[True] * 9),
        note="Expected duration is 1 / (1 − probability of staying), cut spells included, with the "
        f"{found.confidence:.0%} interval of that probability"
        + (f"; the record {' and '.join(cut)}, which mean and median leave out." if cut else ".")
        + (f" {found.unlabelled_bars:,} bars had no regime." if found.unlabelled_bars else ""),
    )  # fmt: skip


def return_table(view: RegimeView) -> Table:
    """What the market did in each regime."""
    found = view.statistics
    rows = [
        (
            r.label.replace("_", " "), f"{r.return_bars:,}", estimate(r.mean_return_ann, 0, 100),
            estimate(r.volatility_ann, 0, 100),
        )
        for r in found.rows
    ]  # fmt: skip
    return Table(
        caption=f"{view.pair}: what the market did in each regime",
        headers=("regime", "returns", "mean return, % a year", "volatility, % a year"),
        rows=rows, numeric=(False, True, True, True),
        note=f"In brackets {found.confidence:.0%} intervals of {found.paths} paths of a stationary bootstrap, from "
        f"{LEAST_RETURNS} returns on. A bar's return belongs to the regime known before it; means are not compounded.",
    )  # fmt: skip


def transition_table(pair: str, found: RegimeStatistics) -> Table:
    """Transition matrix with counts and intervals."""
    names = [r.label.replace("_", " ") for r in found.rows]
    rows = [
        (name, *(_cell(e, n) for e, n in zip(row, counts, strict=True)), f"{sum(counts):,}")
        for name, row, counts in zip(names, found.transitions, found.counts, strict=True)
    ]  # fmt: skip
    return Table(
        caption=f"{pair}: from bar to bar, % [interval] · count",
        headers=("from ↓ · to →", *names, "bars"), rows=rows, numeric=(False, *[True] * (len(names) + 1)),
        note="Wilson's interval takes the bars of a row for independent; counts below some ten say little.",
    )  # fmt: skip


def confidence_table(view: RegimeView) -> Table:
    """Mean confidence and factors, and on how many bars each was known."""
    rows = [
        (MEASURE_WORDS[name], number(view.means[name], 1, 100), f"{view.known_bars[name]:,}")
        for name in ("score", *FACTORS, "agreeing", *(["frames"] if view.known_bars["frames"] else []))
    ]
    note = f"Calibrated on {view.calibrated_bars:,} bars."
    if not all(view.known_bars[name] for name in FACTORS):
        note = f"– : no data, so the factor was left out of the confidence. {note}"
    if view.known_bars["frames"]:
        note += (
            f" Frames: 1 less the Jensen-Shannon divergence of their pools; below {MIXED:.0%} they are mixed, as on "
            f"{view.mixed_bars:,} of {view.known_bars['frames']:,} bars. A crash on a longer frame silenced bulls of "
            f"shorter ones on {view.vetoed_bars:,} bars."
        )
    return Table(
        caption=f"{view.pair}: confidence and its factors", headers=("figure", "mean, %", "bars"), rows=rows,
        numeric=(False, True, True), note=note,
    )  # fmt: skip


def detector_table(view: RegimeView) -> Table:
    """What each detector said, and how often it agreed with the regime in force."""
    rows = [
        (
            short_name(m.name), m.timeframe or "the run's", f"{m.bars:,}", f"{m.silent_bars:,}",
            number(m.agreeing_bars / m.bars if m.bars else None, 1, 100), number(m.mean_weight, 1, 100),
            *(number(n / m.bars if m.bars else None, 1, 100) for n in m.label_bars),
        )
        for m in view.members
    ]  # fmt: skip
    return Table(
        caption=f"{view.pair}: the detectors, % of the bars on which each was heard",
        headers=("detector", "bars of", "heard", "silent", "agrees", "weight", *(r.replace("_", " ") for r in REGIMES)),
        rows=rows, numeric=(False, False, *[True] * (4 + len(REGIMES))),
        note="Agrees: names the regime in force. A detector that measures one axis only, such as volatility, "
        "cannot name them all. A label here is the likeliest regime by a detector's measures and may flicker; its own "
        "state has bands against that. Weight: its mean in the pool, which an enhanced ensemble learns.",
    )  # fmt: skip


def reliability_table(pair: str, found: Reliability | None) -> Table | None:
    """Bins of the reliability diagram; None where no outcome is known."""
    if found is None:
        return None
    c = found.calibration
    rows = [
        (f"{100 * b.low:.0f} to {100 * b.high:.0f}", f"{b.count:,}", number(b.probability, 1, 100),
         number(b.rate, 1, 100), number(b.rate - b.probability, 1, 100))
        for b in c.bins
    ]  # fmt: skip
    return Table(
        caption=f"{pair}: confidence against outcome",
        headers=("stated, %", "bars", "mean stated, %", "right, %", "difference, points"),
        rows=rows, numeric=(False, True, True, True, True),
        note=f"Expected calibration error {number(c.ece, 1, 100)} points, largest {number(c.mce, 1, 100)}; Brier "
        f"{number(c.brier, 3)}; right on {number(c.base_rate, 1, 100)} % of {c.count:,} bars.",
    )  # fmt: skip


def level_table(pair: str, found: Reliability | None) -> Table | None:
    """How often each level was right; None where none was stated or no outcome is known."""
    if found is None or not found.levels:
        return None
    rows = [(x.name, f"{x.bars:,}", estimate(x.right, 1, 100)) for x in found.levels]
    return Table(
        caption=f"{pair}: levels of confidence", headers=("level", "bars", "right, %"), rows=rows,
        numeric=(False, True, True), note="Wilson's 95 % interval, which takes bars for independent: it is too narrow.",
    )  # fmt: skip


def estimate(e: Estimate, decimals: int, scale: float = 1.0) -> str:
    """Return a figure with its interval; an open end is a dash.

    Examples
    --------
    >>> estimate(Estimate(0.5, 0.25, None), 1, 100), estimate(Estimate(), 1), estimate(Estimate(2.0), 0)
    ('50.0 [25.0, –]', '–', '2')
    """
    text = number(e.value, decimals, scale)
    if e.low is None and e.high is None:
        return text
    return f"{text} [{number(e.low, decimals, scale)}, {number(e.high, decimals, scale)}]"


def _cell(e: Estimate, count: int) -> str:
    return "–" if e.value is None else f"{estimate(e, 2, 100)} · {count:,}"


def write_regime_page(
    path: Path, parts: Sequence[RegimePart], *, title: str, about: str, synthetic: bool, notes: Sequence[str]
) -> Path:
    """Write a page of regimes alone, whole or not at all; return its absolute path.

    Raises
    ------
    StorageError
        ``REPORT_UNWRITABLE`` if it cannot be written.
    """
    from actors.ops.report.html import page, script_safe, write_whole  # it shows these parts too

    figures = [(name, script_safe(str(f.to_json()))) for part in parts for name, f in part.figures.items()]
    text = page(
        "regimes.html.j2",
        title=title,
        about=about,
        synthetic=synthetic,
        parts=parts,
        figures=figures,
        notes=notes,
    )
    return write_whole(path, text)


def _lead(view: RegimeView) -> str:
    s = view.statistics
    text = (
        f"{s.bars - s.unlabelled_bars:,} bars with a regime, {s.switches:,} switches"
        f" ({number(s.switches_per_1000, 1)} per 1000 bars), {len(view.members)} detectors, mean confidence "
        f"{number(view.means['score'], 1, 100)} %."
    )
    if view.observed:
        text += " Observed beside the run: no decision depends on them."
    if view.bars_per_point > 1:
        text += (
            f" Probabilities, confidence and detectors are drawn as means (labels: the most frequent) of "
            f"{view.bars_per_point} bars; figures and tables rest on all bars."
        )
    return text


def _confidence_note(view: RegimeView) -> str:
    out = []
    bars = view.known_bars["score"]
    if not view.scored_by_detail:
        return (
            "This ensemble states no confidence with factors: the line is the probability of the regime in force, "
            "which nothing has calibrated. Agreement, history, data quality and boundary have no data."
        )
    if view.scored_by_detail < bars:
        out.append(
            f"On {bars - view.scored_by_detail:,} bars no confidence was stated; the probability of the regime in "
            "force stands for it."
        )
    none = [MEASURE_WORDS[n] for n in FACTORS if not view.known_bars[n]]
    if none:
        out.append(f"No data for: {', '.join(none)}; left out of the confidence, not set to a middle value.")
    return " ".join(out)


def _reliability_note(found: Reliability | None) -> str:
    if found is None:
        return (
            "No reliability diagram: nobody planted the truth here, and the record is too short for labels that become "
            "known later."
        )
    if found.source == PLANTED:
        return (
            "Right: the regime in force is the one that was planted at that bar. The market is synthetic; the "
            "detectors never saw the truth."
        )
    return (
        "Nobody knows the true regimes of this market. Right means here: the same ensemble, "
        f"{found.lag_bars} to {found.latest_bars} bars later, held the regime in force at that bar for the most likely "
        f"(every {found.sample_bars}th bar is asked). That tells how stable a label was; it shares the ensemble's "
        "errors, and scores state how often a label is true: rates above what is stated are as they should be."
    )


def _spell(spell: Spell) -> str:
    return f"{spell.label.replace('_', ' ')} of at least {spell.bars:,} bars"
