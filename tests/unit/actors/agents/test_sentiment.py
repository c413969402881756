"""The sentiment agent, and who hears it: readings per step, no news from the future, columns, levels."""

from __future__ import annotations

import random
from collections.abc import Sequence
from math import isnan

import numpy as np
import pytest

from actors.agents.features import FeaturesAgent
from actors.agents.fleet import default_fleet
from actors.agents.regime import RegimeAgent
from actors.agents.sentiment import SentimentAgent
from actors.domain.errors import DataError, InvalidParamsError, UnknownComponentError
from actors.domain.events.features import FeaturesComputed
from actors.domain.events.market import BarClosed
from actors.domain.events.regime import RegimeAssessed
from actors.domain.events.sentiment import HeadlinePublished, SentimentScored
from actors.domain.features.sentiment import SENTIMENT_COLUMNS
from actors.domain.fitting import InlineFits
from actors.domain.model.bars import BarFrame
from actors.domain.model.instrument import Instrument
from actors.domain.processor import AgentContext, Step
from actors.domain.sentiment.scorers.base import Scorer, Verdict
from actors.runtime.slices import HEADLINES_BEFORE_NS, SliceFeed
from config.load import resolve

HOUR = 3_600_000_000_000
PAIR = "BTC/USDT"
LEXICON = {"kind": "lexicon"}


class Shouting(Scorer):
    """A model of somebody else: the share of capitals."""

    def __init__(self, params: object) -> None:
        pass

    def score(self, texts: Sequence[str | None]) -> list[Verdict]:
        """Count capitals."""
        return [Verdict(sum(c.isupper() for c in t or "") / max(1, len(t or ""))) for t in texts]


class Broken(Shouting):
    """Says what is no score."""

    def score(self, texts: Sequence[str | None]) -> list[Verdict]:
        """Return too much."""
        return [Verdict(2.0) for _ in texts]


def context(name: str = "sentiment") -> AgentContext:
    return AgentContext(name, {PAIR: Instrument(pair=PAIR)}, HOUR, 7, InlineFits())


def head(hour: float, text: str = "", **more) -> HeadlinePublished:
    ns = round(hour * HOUR)
    return HeadlinePublished(ts_event_ns=ns, source="feed", published_ns=ns, outlet="x", text=text, **more)


def frame(hours: int, start: int = 0) -> BarFrame:
    close = 100.0 + np.arange(hours) % 7
    columns = {
        "open_ns": (start + np.arange(hours)) * HOUR, "open": close, "high": close + 1, "low": close - 1,
        "close": close, "volume": np.ones(hours),
    }  # fmt: skip
    return BarFrame.from_columns(PAIR, HOUR, columns, source="t", synthetic=True)


def told(feed: SliceFeed) -> list[tuple[int, str]]:
    return [(s.step, e.text) for s in feed for e in s.events if isinstance(e, HeadlinePublished)]


def test_a_headline_enters_the_first_step_that_closes_at_or_after_its_time() -> None:
    # steps close at 11, 12, 13
    times = {
        "old": 3.0,
        "before": 10.5,
        "at": 11.0,
        "just after": 11.0 + 1e-6,
        "in": 11.7,
        "last": 13.0,
        "late": 13.1,
    }
    heads = [head(h, name) for name, h in times.items()]
    feed = SliceFeed({PAIR: frame(3, 10)}, headlines=random.Random(1).sample(heads, len(heads)))
    assert told(feed) == [(0, "old"), (0, "before"), (0, "at"), (1, "just after"), (1, "in"), (2, "last")]
    for s in feed:
        for e in s.events:
            if isinstance(e, HeadlinePublished):
                assert e.published_ns <= s.ts_event_ns == e.ts_event_ns
    ancient = head(10 - HEADLINES_BEFORE_NS / HOUR - 1, "ancient")
    assert told(SliceFeed({PAIR: frame(3, 10)}, headlines=[ancient])) == []


def test_any_cut_into_blocks_tells_each_headline_once() -> None:
    heads = [head(0.37 * k, f"n{k}") for k in range(80)]
    feed = SliceFeed({PAIR: frame(30)}, headlines=heads)
    whole = [e for s in feed.block(0, 30) for e in s.events]
    cut = [e for begin in range(0, 30, 7) for s in feed.block(begin, begin + 7) for e in s.events]
    assert whole == cut
    assert sum(isinstance(e, HeadlinePublished) for e in whole) == 80


def run(agent: SentimentAgent, items: Sequence[HeadlinePublished], hours: int = 40) -> list[SentimentScored]:
    feed = SliceFeed({PAIR: frame(hours)}, headlines=items)
    out = []
    for s in feed:
        (said,) = agent.process(Step(number=s.step, ts_event_ns=s.ts_event_ns, inbox=s.events))
        assert isinstance(said, SentimentScored)
        out.append(said)
    return out


def test_it_speaks_every_step_scores_texts_and_takes_given_scores() -> None:
    items = [
        head(2.5, "Bitcoin soars"), head(2.6, "bitcoin SOARS!"), head(2.7, "El precio sube mucho hoy"),
        head(20.0, "whatever", score=-0.9), head(0.5, kind="index", score=-0.5),
    ]  # fmt: skip
    said = run(SentimentAgent(context(), LEXICON, kinds=["news", "index"]), items)
    assert len(said) == 40
    assert (said[0].index, isnan(said[0].news)) == (-0.5, True)
    assert said[2].items == said[2].duplicates == said[2].unread == 1
    assert said[2].news == pytest.approx(2.4 / 6.4)
    assert said[2].coverage == pytest.approx((1 + 1 + 0) / 3)
    assert isnan(said[3].coverage)
    assert said[19].news < 0.0 < said[18].news
    assert said[39].quality < said[19].quality


def test_a_reading_knows_nothing_of_later_news() -> None:
    past = [
        head(0.9 * k, f"Bitcoin gains {k} percent and bank {k * 3} falls", score=0.1 * (k % 5))
        for k in range(22)
    ]
    one = run(
        SentimentAgent(context(), LEXICON),
        [*past, *(head(20.1 + k, f"crash {k} of doom {k}") for k in range(9))],
    )
    two = run(
        SentimentAgent(context(), LEXICON),
        [*past, *(head(20.1 + k, f"moon {k} of joy {k}") for k in range(9))],
    )
    assert repr(one[:20]) == repr(two[:20])
    assert one[20:] != two[20:]


def test_an_item_of_the_future_stops_the_run() -> None:
    step = Step(number=0, ts_event_ns=HOUR, inbox=(head(1.5, "Bitcoin soars"),))
    with pytest.raises(DataError, match="known by"):
        SentimentAgent(context(), LEXICON).process(step)


def test_it_goes_on_from_a_snapshot() -> None:
    items = [
        head(0.9 * k, f"Bitcoin gains {k} and bank {k % 7} falls", score=0.1 * (k % 5 - 2)) for k in range(40)
    ]
    feed = SliceFeed({PAIR: frame(40)}, headlines=items)
    steps = [Step(number=s.step, ts_event_ns=s.ts_event_ns, inbox=s.events) for s in feed]
    one, two = SentimentAgent(context(), LEXICON), SentimentAgent(context(), LEXICON)
    for s in steps[:17]:
        one.process(s)
    two.restore(one.snapshot())
    assert repr([one.process(s) for s in steps[17:]]) == repr([two.process(s) for s in steps[17:]])
    assert one.snapshot() == two.snapshot()


def test_a_model_of_ones_own_stands_behind_the_same_interface_and_is_checked() -> None:
    here = f"{__name__}:Shouting"
    said = run(SentimentAgent(context(), {"kind": here}), [head(0.5, "AbCd")], 2)
    assert said[0].news == 0.5
    with pytest.raises(DataError, match=r"expected a score in \[-1, 1\] or NaN, found 2.0"):
        run(SentimentAgent(context(), {"kind": f"{__name__}:Broken"}), [head(0.5, "a")], 2)
    with pytest.raises(UnknownComponentError, match="expected one of lexicon"):
        SentimentAgent(context(), {"kind": "bert"})
    with pytest.raises(InvalidParamsError, match=r"sentiment.aggregate: .*news_half_life_h"):
        SentimentAgent(context(), LEXICON, {"news_half_life_h": 0})


def reading(i: int, score: float, quality: float = 0.8) -> SentimentScored:
    return SentimentScored(
        ts_event_ns=(i + 1) * HOUR,
        source="sentiment",
        score=score,
        quality=quality,
        news=score,
        social=0.0,
        index=0.0,
    )


def bar(i: int) -> BarClosed:
    c = 100.0 + i % 5
    return BarClosed(
        ts_event_ns=(i + 1) * HOUR, source="market-data", instrument_id=PAIR, open_ns=i * HOUR, close_ns=(i + 1) * HOUR,
        open=c, high=c + 1, low=c - 1, close=c, volume=1.0,
    )  # fmt: skip


def test_the_detector_hears_it_and_takes_next_to_nothing_as_silence() -> None:
    params = {"min_history_bars": 5, "scale": "fixed", "cuts": (-0.5, -0.1, 0.1, 0.5), "band": 0.02}
    agent = RegimeAgent(context("regime-sentiment"), "sentiment", params)
    out: list[RegimeAssessed] = []
    for i in range(60):
        inbox = (reading(i, 0.7, 0.8 if i < 40 else 0.001), bar(i))
        out += agent.process(Step(number=i, ts_event_ns=(i + 1) * HOUR, inbox=inbox))
    assert out[39].native_label == "Euphoric"
    assert out[39].label == "bull"
    assert 0.0 < out[59].confidence < 0.9 * out[39].confidence
    assert out[0].confidence == 0.0


def test_features_get_its_columns() -> None:
    agent = FeaturesAgent(context("features"), [], sentiment=True)
    assert agent.names[-4:] == SENTIMENT_COLUMNS
    plain = FeaturesAgent(context("features"), [])
    rows = []
    for i in range(130):
        step = Step(number=i, ts_event_ns=(i + 1) * HOUR, inbox=(reading(i, 0.01 * (i % 30)), bar(i)))
        (row,) = [e for e in agent.process(step) if isinstance(e, FeaturesComputed)]
        (other,) = [e for e in plain.process(step) if isinstance(e, FeaturesComputed)]
        assert repr(row.values[:-4]) == repr(other.values)
        rows.append(row.values[-4:])
    assert isnan(rows[23][2])
    assert rows[24][2] == pytest.approx(0.24)
    assert rows[120][:2] == (0.0, 0.8)
    assert all(r == r for r in rows[120])


def test_the_fleet_has_it_only_where_it_is_switched_on_and_somebody_listens() -> None:
    on = "sentiment={enabled: true, sources: [{path: a.csv}, {path: b.csv, kind: index}]}"

    def names(*sets: str) -> dict[str, list[str]]:
        config = resolve("backtest", sets=list(sets)).model.model_dump(mode="json")
        return {s.name: [i.source for i in s.inputs] for s in default_fleet(config, ("a",))}

    off = names()
    assert "sentiment" not in off
    assert "regime-sentiment" not in off
    found = names(on)
    assert found["sentiment"] == ["feed"]
    assert found["regime-sentiment"] == ["market-data", "health", "sentiment"]
    assert "regime-sentiment" in found["regime-ensemble"]
    assert found["features"] == ["market-data", "sentiment"]
    lean = names(on, "regime.detectors=[]", "learning.predictors=[]")
    assert set(lean) & {"sentiment", "regime-sentiment", "features"} == set()
    own = names(on, "regime.detectors=[{kind: sentiment, params: {band: 0.2}}]", "learning.predictors=[]")
    assert [n for n in own if n.startswith("regime-")] == ["regime-sentiment", "regime-ensemble"]
