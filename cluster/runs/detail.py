"""Finer bars of a run: found among its data, checked against its bars, counted in its result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from actors.adapters.feeds.data_args import select_detail
from actors.adapters.feeds.files import load_pair
from actors.domain.errors import DataError
from actors.domain.model.bars import BarFrame
from actors.domain.model.detail import BarDetail, detail_of
from actors.domain.model.timeframe import format_timeframe, parse_timeframe
from actors.domain.model.timerange import format_ns
from actors.runtime.slices import SliceFeed
from config.schema import Config

_SHOWN = 5


def load_details(data: Sequence[str], config: Config, frames: Mapping[str, BarFrame]) -> dict[str, BarDetail]:
    """Return the detail of each pair that ``timeframe_detail`` asks for; nothing if it asks for none.

    Parameters
    ----------
    data : sequence of str
        ``[PAIR=]PATH`` arguments, those of the frames among them.
    config : Config
    frames : mapping pair → BarFrame

    Raises
    ------
    ConfigError
        If a pair has no file of it.
    DataError
        If a file does not pass, has other bars, or does not belong to the pair's.
    """
    if config.timeframe_detail is None:
        return {}
    files = select_detail(data, list(frames), config.timeframe_detail)
    rules, out = config.data, {}
    for pair, frame in frames.items():
        finer, _ = load_pair(files[pair], pair, None, rules.policy, max_missing_frac=rules.max_missing_frac)
        if finer.timeframe_ns != parse_timeframe(config.timeframe_detail):
            listed = ", ".join(str(p) for p in files[pair])
            found = format_timeframe(finer.timeframe_ns) if finer.timeframe_ns % 10**9 == 0 else "others"
            raise DataError(
                "DETAIL_SPACING",
                f"{listed}: expected bars of {config.timeframe_detail} (--timeframe-detail), found {found}",
                pair=pair,
            )
        out[pair] = detail_of(frame, finer)
    return out


def detail_result(feed: SliceFeed, fills: Mapping[str, Sequence[int]]) -> dict[str, Any] | None:
    """Return how many bars of the decision range had detail, and how many fills fell into those that had none.

    Parameters
    ----------
    feed : SliceFeed
    fills : mapping pair → closing times of the bars in which something was filled
    """
    if not feed.details:
        return None
    width = next(iter(feed.frames.values())).timeframe_ns
    begin, end = int(feed.times[feed.warmup_steps]) - width, int(feed.times[-1])
    pairs = {}
    for pair, detail in feed.details.items():
        lacking = detail.lacking(begin, end)
        without = set(lacking)
        filled = [ts - width in without for ts in fills.get(pair, ())]
        pairs[pair] = {
            **detail.tally(begin, end),
            "first_without": [format_ns(ts) for ts in lacking[:_SHOWN]],
            "fills": len(filled),
            "fills_without_detail": sum(filled),
        }
    return {"bar_ns": next(iter(feed.details.values())).bars.timeframe_ns, "per_pair": pairs}


def detail_notes(found: Mapping[str, Any] | None) -> list[str]:
    """Return the notes that a reader of the report needs: where the pessimistic rule was in force all the same."""
    if found is None:
        return []
    out = []
    for pair, row in found["per_pair"].items():
        lacking = row["bars"] - row["with_detail"]
        if lacking:
            reasons = ", ".join(
                f"{row[k]} {k}" for k in ("absent", "incomplete", "different", "filled") if row[k]
            )
            out.append(
                f"DETAIL: {pair}: {lacking} of {row['bars']} bars have no finer ones ({reasons}; the first at "
                f"{row['first_without'][0]}): there stops come before targets; {row['fills_without_detail']} of "
                f"{row['fills']} fills fell into them"
            )
    return out
