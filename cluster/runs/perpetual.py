"""Funding rates and mark prices of a run: from the files of ``--funding`` and ``--mark``, else as configured."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from actors.adapters.feeds.data_args import select_data
from actors.adapters.feeds.files import load_pair
from actors.adapters.feeds.funding import load_funding
from actors.domain.errors import ConfigError, DataError
from actors.domain.model.account import PERPETUAL
from actors.domain.model.bars import BarFrame
from actors.domain.model.funding import FundingSeries, assumed_series
from actors.domain.model.timeframe import format_timeframe, parse_timeframe
from actors.domain.model.timerange import format_ns
from config.schema import Config


@dataclass(frozen=True)
class Perpetuals:
    """What a run of perpetuals needs beside bars, by pair; a pair without rates pays the configured one."""

    funding: dict[str, FundingSeries] = field(default_factory=dict)
    marks: dict[str, BarFrame] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def hashes(self) -> list[str]:
        """One line per recorded series, for the hash of a run's data."""
        rates = [f"funding {p}:{s.data_hash}" for p, s in self.funding.items() if not s.assumed]
        return rates + [f"mark {p}:{f.data_hash}" for p, f in self.marks.items()]


NONE = Perpetuals()


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Flags of verbs that run perpetuals."""
    g = parser.add_argument_group("perpetuals")
    g.add_argument(
        "--funding", action="append", default=[], metavar="[PAIR=]PATH",
        help="funding rates: timestamp, funding_rate (a fraction); without, venue.perpetual.funding_rate is paid",
    )  # fmt: skip
    g.add_argument(
        "--mark", action="append", default=[], metavar="[PAIR=]PATH",
        help="bars of the mark price, which liquidates and which funding is on; without, the pair's own bars",
    )  # fmt: skip


def load(args: argparse.Namespace, config: Config) -> Perpetuals:
    """Read the files of ``--funding`` and ``--mark``.

    Raises
    ------
    ConfigError, DataError
        If the account is of another mode, a pair is named by no file or by several, or a file is unusable.
    """
    given = {"--funding": args.funding or [], "--mark": args.mark or []}
    for flag, paths in given.items():
        if paths and config.account.mode != PERPETUAL:
            raise ConfigError(
                "ACCOUNT_MODE",
                f"{flag}: expected account.mode perpetual, found {config.account.mode}; give --set "
                "account.mode=perpetual or a preset of perpetuals, or leave it out",
            )
    notes: list[str] = []
    funding = {}
    for pair, paths in _files("--funding", given["--funding"], config.pairs, notes).items():
        if len(paths) > 1:
            raise ConfigError(
                "DATA_AMBIGUOUS",
                f"--funding: expected one file for {pair}, found {', '.join(p.name for p in paths)}; name it",
            )
        funding[pair] = load_funding(paths[0], pair)
    marks = {}
    wanted = parse_timeframe(config.timeframe)
    for pair, paths in _files("--mark", given["--mark"], config.pairs, notes).items():
        frame, _ = load_pair(
            paths, pair, None, config.data.policy, max_missing_frac=config.data.max_missing_frac
        )
        if frame.timeframe_ns < wanted:
            frame, _ = load_pair(
                paths,
                pair,
                config.timeframe,
                config.data.policy,
                max_missing_frac=config.data.max_missing_frac,
            )
        marks[pair] = frame
    return Perpetuals(funding, marks, tuple(notes))


def _files(flag: str, paths: Sequence[str], pairs: Sequence[str], notes: list[str]) -> dict[str, list[Path]]:
    """Return the files of the pairs that have one."""
    if not paths:
        return {}
    try:
        selection = select_data(paths, pairs, required=False)
    except (ConfigError, DataError) as e:
        raise type(e)(e.code, f"{flag}: {e.message}") from e
    notes += selection.notes
    return {pair: found for pair, found in selection.files.items() if found}


def complete(
    given: Perpetuals, config: Config, frames: Mapping[str, BarFrame], start_ns: int | None
) -> Perpetuals:
    """Return the series of a run over `frames`: recorded ones checked, the others as configured, with notes.

    Parameters
    ----------
    frames : mapping pair → BarFrame
        Bars of the run, warm-up included.
    start_ns : int or None
        Opening of the first bar that is decided on.

    Raises
    ------
    DataError
        If a recorded series does not cover the bars that are decided on.
    """
    if config.account.mode != PERPETUAL:
        return NONE
    terms = config.venue.perpetual
    funding, notes, unrecorded = {}, list(given.notes), []
    for pair, frame in frames.items():
        begin = frame.start_ns if start_ns is None else max(frame.start_ns, start_ns)
        series = given.funding.get(pair)
        if series is None:
            interval = parse_timeframe(terms.funding_interval)
            series = assumed_series(pair, terms.funding_rate, interval, frame.start_ns, frame.end_ns)
            unrecorded.append(pair)
        else:
            series.check_covers(begin, frame.end_ns, config.data.max_missing_frac)
        funding[pair] = series
        if pair in given.marks:
            notes += _check_mark(given.marks[pair], begin, frame)
    if unrecorded:
        notes.append(
            f"FUNDING: {', '.join(unrecorded)}: no series was given (--funding), so long and short pay the configured "
            f"{terms.funding_rate:g} every {terms.funding_interval} (venue.perpetual.funding_rate)"
        )
    return Perpetuals(funding, {p: f for p, f in given.marks.items() if p in frames}, tuple(notes))


def _check_mark(mark: BarFrame, begin: int, frame: BarFrame) -> list[str]:
    width = mark.timeframe_ns
    if mark.start_ns > begin or mark.end_ns < frame.end_ns - width:
        raise DataError(
            "MARK_RANGE",
            f"{mark.source}: expected mark prices of {mark.pair} from {format_ns(begin)} to {format_ns(frame.end_ns)}, "
            f"found {mark!r}; give another --timerange, or leave --mark out",
            pair=mark.pair,
        )
    if width == frame.timeframe_ns:
        return []
    text = f"MARK: {mark.pair}: marks are of {format_timeframe(width)}, longer than the bars: funding is on them, but "
    return [text + "what liquidates are the bars' own lows and highs"]
