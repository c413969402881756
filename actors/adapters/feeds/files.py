"""Bars from Parquet, Feather and CSV(.gz) files, checked before anyone may use them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final

import numpy as np

from actors.adapters.feeds.data_args import DataSelection, parse_data_args, select_data
from actors.adapters.feeds.policy import (
    Columns,
    Quarantined,
    check_policy,
    fill_forward,
    quarantine,
    reject,
)
from actors.adapters.feeds.quality import MAX_MISSING_FRAC, Examination, examine
from actors.adapters.feeds.report import QualityReport
from actors.domain.errors import DataError, InsufficientDataError
from actors.domain.model.bars import BarFrame, concat_frames
from actors.domain.model.resample import bars_per_bucket, resample
from actors.domain.model.timeframe import format_timeframe, parse_timeframe

__all__ = [
    "DataSelection", "LoadedBars", "load_bars", "load_pair", "load_with_report", "parse_data_args",
    "select_data",
]  # fmt: skip
_SIDECAR: Final = ".quarantine.csv"


@dataclass(frozen=True)
class LoadedBars:
    """Bars and what was found on the way to them."""

    frame: BarFrame
    report: QualityReport
    quarantined: Quarantined | None = None


def load_bars(
    path: Path | str,
    pair: str,
    timeframe: str | None = None,
    policy: str = "reject",
    *,
    max_missing_frac: float = MAX_MISSING_FRAC,
    quarantine_dir: Path | None = None,
) -> BarFrame:
    """Load one file; see `load_with_report`, which also returns the findings."""
    return load_with_report(
        path, pair, timeframe, policy, max_missing_frac=max_missing_frac, quarantine_dir=quarantine_dir
    ).frame


def load_with_report(
    path: Path | str,
    pair: str,
    timeframe: str | None = None,
    policy: str = "reject",
    *,
    max_missing_frac: float = MAX_MISSING_FRAC,
    quarantine_dir: Path | None = None,
    of_one_bar: str | None = None,
) -> LoadedBars:
    """Load one file of bars under a data policy.

    Parameters
    ----------
    path : Path or str
        Parquet, Feather or CSV(.gz) with `timestamp open high low close volume` or synonyms.
    pair : str
        Such as ``BTC/USDT``; files do not say it reliably.
    timeframe : str, optional
        What the bars must be; by default the median spacing.
    policy : {'reject', 'quarantine', 'fill_forward_flagged'}
        `reject` raises on any error. `quarantine` moves bad rows to a sidecar file and restores the
        order, flagging moved rows. `fill_forward_flagged` fills gaps with flagged flat bars and
        rejects everything else.
    max_missing_frac : float
        Share of missing bars above which a file is in error (not under `fill_forward_flagged`).
    quarantine_dir : Path, optional
        Folder of the sidecar ``<file>.quarantine.csv``; by default beside the file.
    of_one_bar : str, optional
        The timeframe of a file whose single bar does not tell it; without, such a file is refused.

    Raises
    ------
    DataError
        If the file cannot be read or does not pass; the message names the first offending rows.
    ConfigError
        If the policy or timeframe is unknown.
    """
    check_policy(policy)
    path = Path(path)
    wanted = parse_timeframe(timeframe) if timeframe is not None else None
    exam = examine(path, max_missing_frac=max_missing_frac)
    moved: Quarantined | None = None
    if policy == "quarantine":
        sidecar = (quarantine_dir or path.parent) / f"{path.name}{_SIDECAR}"
        columns, moved = quarantine(exam, sidecar, max_missing_frac)
    elif policy == "fill_forward_flagged":
        columns = reject(exam, allowed=frozenset({"MISSING_BARS"}))
    else:
        columns = reject(exam)
    if wanted is None and exam.report.timeframe_ns is None and of_one_bar is not None:
        wanted = parse_timeframe(of_one_bar)
    frame_ns = _timeframe(exam, wanted)
    frame = _frame(exam, columns, pair, frame_ns)
    if policy == "fill_forward_flagged":
        frame = fill_forward(frame)
    return LoadedBars(frame, exam.report, moved)


def load_pair(
    paths: Sequence[Path],
    pair: str,
    timeframe: str | None = None,
    policy: str = "reject",
    *,
    max_missing_frac: float = MAX_MISSING_FRAC,
    quarantine_dir: Path | None = None,
) -> tuple[BarFrame, list[LoadedBars]]:
    """Load all files of one pair, join them in time, and resample to the timeframe asked for.

    Raises
    ------
    DataError
        If the files overlap or differ in timeframe.
    ConfigError
        If the files' timeframe does not divide the one asked for.
    """
    loaded = [
        load_with_report(
            p,
            pair,
            None,
            policy,
            max_missing_frac=max_missing_frac,
            quarantine_dir=quarantine_dir,
            of_one_bar=timeframe,
        )
        for p in paths
    ]
    frames = sorted((item.frame for item in loaded), key=lambda f: f.start_ns)
    for earlier, later in pairwise(frames):
        if later.start_ns < earlier.end_ns:
            raise DataError(
                "FILES_OVERLAP",
                f"{pair}: expected files that follow each other, found {earlier!r} ({earlier.source}) and "
                f"{later!r} ({later.source}) over the same time; leave one out",
                pair=pair,
            )
    frame = concat_frames(frames) if len(frames) > 1 else frames[0]
    wanted = frame.timeframe_ns if timeframe is None else parse_timeframe(timeframe)
    if bars_per_bucket(frame.timeframe_ns, wanted) > 1:
        frame = resample(frame, wanted).frame
    return frame, loaded


def _timeframe(exam: Examination, wanted: int | None) -> int:
    found = exam.report.timeframe_ns
    if found is None and wanted is None:
        raise InsufficientDataError(
            "TIMEFRAME_UNKNOWN",
            f"{exam.raw.path}: expected at least two bars to tell the timeframe, found {exam.report.rows}; "
            "name it with -i",
        )
    if wanted is not None and found is not None and found != wanted:
        text = format_timeframe(found) if found % 10**9 == 0 else f"{found} ns"
        raise DataError(
            "TIMEFRAME_MISMATCH",
            f"{exam.raw.path}: expected bars of {format_timeframe(wanted)}, found bars {text} apart",
            path=str(exam.raw.path),
        )
    return wanted if wanted is not None else found or 0


def _frame(exam: Examination, columns: Columns, pair: str, frame_ns: int) -> BarFrame:
    note = exam.raw.metadata
    values = columns.values
    flags = columns.flags
    if note and "flags" in exam.raw.header:  # our own file: what was filled or repaired stays marked
        kept = exam.raw.columns[exam.raw.header.index("flags")].to_numpy()
        flags = flags | kept[columns.rows].astype(np.uint8)
    return BarFrame(
        pair,
        frame_ns,
        columns.open_ns,
        values["open"],
        values["high"],
        values["low"],
        values["close"],
        values["volume"],
        flags,
        source=str(exam.raw.path),
        synthetic=note.get("synthetic") == "true",
    )
