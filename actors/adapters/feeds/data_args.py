"""The `--data [PAIR=]PATH` arguments: which file holds the bars of which pair."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from actors.adapters.feeds.table import SUFFIXES, file_suffix
from actors.domain.errors import ConfigError, DataError
from actors.domain.model.timeframe import format_timeframe, parse_timeframe

_NAMED_FILES = 3  # of a folder that belong to nobody; more are counted
_PAIR: Final = re.compile(r"[A-Z0-9]{1,20}/[A-Z0-9]{1,20}(:[A-Z0-9]{1,20})?")
# A stem that is a pair we were not asked for, such as SOLUSDT_1h.
_PAIR_LIKE: Final = re.compile(
    r"[A-Z0-9]{2,12}[-_]?(USDT|USDC|BUSD|TUSD|FDUSD|USD|EUR|GBP|BTC|ETH|BNB)(?![A-Za-z])", re.IGNORECASE
)
_TIMEFRAME: Final = re.compile(r"(?:^|[-_. ])(\d{1,4}[smhdw])(?=$|[-_. ])")


@dataclass(frozen=True, slots=True)
class DataSelection:
    """Files per pair, in the order of the pairs, and notes on what was ignored."""

    files: dict[str, list[Path]]
    notes: tuple[str, ...]


def parse_data_args(
    data_args: Sequence[str], pairs: Sequence[str], timeframe: str | None = None
) -> dict[str, list[Path]]:
    """Return the files of each pair; see `select_data`."""
    return select_data(data_args, pairs, timeframe).files


def select_data(
    data_args: Sequence[str], pairs: Sequence[str], timeframe: str | None = None, *, required: bool = True
) -> DataSelection:
    """Decide which file belongs to which pair.

    The rule: split at the first ``=`` only if the left side looks like a pair (``BTC/USDT``); else
    one file with one pair needs no name; else the pair is the longest of ``pairs`` that starts the
    file's stem (``BTCUSDT_1h``, ``BTC_USDT-1h``). A folder means its files. Data for other pairs is
    ignored with a note.

    Parameters
    ----------
    data_args : sequence of str
        ``[PAIR=]PATH`` each.
    pairs : sequence of str
        What is to be traded; empty means the pairs named in the arguments.
    timeframe : str, optional
        Chooses among several files of one pair whose stems name a timeframe (``_1h``).
    required : bool
        Whether every pair must have a file; else those without have an empty list.

    Raises
    ------
    ConfigError
        If a file fits no pair, a pair has no file, or several files of a pair compete.
    DataError
        If a path does not exist or a folder holds no data file.
    """
    for name in pairs:
        if not _PAIR.fullmatch(name):
            raise ConfigError("PAIR_INVALID", f"pair: expected BASE/QUOTE such as BTC/USDT, found {name!r}")
    split = [_split(arg, pairs) for arg in data_args]
    wanted = list(dict.fromkeys(pairs)) or list(dict.fromkeys(p for p, _ in split if p is not None))
    expanded = [(pair, path, expand_path(path)) for pair, path in split]
    plain = [path for pair, _, paths in expanded if pair is None for path in paths]
    # "one file with one pair needs none": nothing else can be meant
    only = wanted[0] if len(wanted) == 1 and len(plain) == 1 and len(expanded) == 1 else None
    files: dict[str, list[Path]] = {pair: [] for pair in wanted}
    notes: list[str] = []
    for pair, argument, paths in expanded:
        foreign: list[Path] = []
        for path in paths:
            owner = pair or only or pair_of_stem(path, wanted)
            if only and not pair_of_stem(path, wanted) and _PAIR_LIKE.match(path.name):
                notes.append(f"{path}: taken as {only}, though its name looks like another pair's")
            if pair is not None and len(paths) > 1:
                _refuse_foreign(pair, path, wanted)
            if owner is None:
                _refuse_unnamed(path, wanted, in_folder=argument.is_dir())
                foreign.append(path)
            elif owner not in files:
                notes.append(f"{path}: data for {owner} ignored, it is not among the pairs")
            elif path not in files[owner]:
                files[owner].append(path)
        if len(foreign) > _NAMED_FILES:
            notes.append(
                f"{argument}: {len(foreign)} files ignored, whose names start with none of {', '.join(wanted)}"
            )
        else:
            notes += [f"{p}: ignored, its name starts with none of {', '.join(wanted)}" for p in foreign]
    for needed, found in files.items():
        if not found and required:
            raise ConfigError(
                "PAIR_WITHOUT_DATA",
                f"--data: expected a file for {needed}, found none; give --data {needed}=PATH",
                pair=needed,
            )
        files[needed] = _one_timeframe(needed, found, timeframe, notes)
    return DataSelection(files, tuple(notes))


def select_detail(data_args: Sequence[str], pairs: Sequence[str], timeframe: str) -> dict[str, list[Path]]:
    """Return, of the same arguments, the files of a finer timeframe for each pair.

    A file belongs to a pair as in `select_data`; its stem must name the timeframe (``BTCUSDT_5m``), unless it is the
    pair's only one.

    Raises
    ------
    ConfigError
        If a pair has none.
    """
    split = [_split(arg, pairs) for arg in data_args]
    owned = [
        (pair or pair_of_stem(path, pairs) or (pairs[0] if len(pairs) == 1 else None), path)
        for pair, argument in split
        for path in expand_path(argument)
    ]
    wanted, out = parse_timeframe(timeframe), {}
    for pair in pairs:
        mine = list(dict.fromkeys(path for owner, path in owned if owner == pair))
        named = [p for p in mine if timeframe_of_stem(p) == wanted]
        found = named or (mine if len(mine) == 1 and timeframe_of_stem(mine[0]) is None else [])
        if not found:
            listed = ", ".join(p.name for p in mine) or "none"
            raise ConfigError(
                "DETAIL_WITHOUT_DATA",
                f"--timeframe-detail {timeframe}: expected a file of {timeframe} bars for {pair} among --data, with "
                f"{timeframe} in its name, found {listed}",
                pair=pair,
            )
        out[pair] = found
    return out


def expand_path(path: Path) -> list[Path]:
    """Return a file itself, or the data files of a folder in order of name.

    Raises
    ------
    DataError
        If there is nothing, or a folder without data files.
    """
    if path.is_dir():
        found = sorted(p for p in path.iterdir() if p.is_file() and is_data_file(p))
        if not found:
            raise DataError(
                "FOLDER_EMPTY",
                f"{path}: expected files ending in {', '.join(SUFFIXES)}, found none in this folder",
                path=str(path),
            )
        return found
    if not path.exists():
        raise DataError(
            "FILE_MISSING",
            f"{path}: expected a file or folder, found nothing there (looked in {path.absolute().parent})",
            path=str(path),
        )
    return [path]


def data_files(data_args: Iterable[str]) -> list[Path]:
    """Return all files the arguments name, whatever their pair, each once: what check-data looks at."""
    found: dict[Path, None] = {}
    for arg in data_args:
        found |= dict.fromkeys(expand_path(_split(arg, ())[1]))
    return list(found)


def is_data_file(path: Path) -> bool:
    """Tell whether a folder's file is bars by its name; quarantine files and hidden files are not."""
    quarantine = path.name.endswith(".quarantine.csv")
    return file_suffix(path) is not None and not path.name.startswith(".") and not quarantine


def pair_of_stem(path: Path, pairs: Sequence[str]) -> str | None:
    """Return the longest pair whose symbol starts the file's stem.

    The symbol must end there: ``BTC/USD`` does not claim ``BTCUSDT_1h``.

    Examples
    --------
    >>> pair_of_stem(Path("d/BTCUSDT_1h.parquet"), ["BTC/USD", "BTC/USDT"])
    'BTC/USDT'
    >>> pair_of_stem(Path("btc_usd-1h.feather"), ["BTC/USD"]), pair_of_stem(Path("BTCUSDT.csv"), ["BTC/USD"])
    ('BTC/USD', None)
    """
    for pair in sorted(pairs, key=lambda p: (-len(p), p)):
        base, _, quote = pair.partition(":")[0].partition("/")
        if re.match(rf"{re.escape(base)}[-_]?{re.escape(quote)}(?![A-Za-z])", path.name, re.IGNORECASE):
            return pair
    return None


def timeframe_of_stem(path: Path) -> int | None:
    """Return the timeframe that a file's name states, in ns, if it states exactly one.

    Examples
    --------
    >>> timeframe_of_stem(Path("BTCUSDT_1h.parquet")) == parse_timeframe("1h")
    True
    >>> timeframe_of_stem(Path("bars.csv")) is None
    True
    """
    suffix = file_suffix(path) or ""
    stem = path.name[: len(path.name) - len(suffix)]
    found = {parse_timeframe(t) for t in _TIMEFRAME.findall(stem) if not t.startswith("0")}
    return found.pop() if len(found) == 1 else None


def split_data(item: str) -> tuple[str, str]:
    """Split ``[PAIR=]PATH`` into what stands before the path and the path; a file of that whole name is a path.

    Examples
    --------
    >>> split_data("BTC/USDT=bars.csv"), split_data("a=b.csv")
    (('BTC/USDT=', 'bars.csv'), ('', 'a=b.csv'))
    """
    pair, sep, path = item.partition("=")
    return (pair + sep, path) if sep and "/" in pair and not Path(item).exists() else ("", item)


def _split(arg: str, pairs: Sequence[str]) -> tuple[str | None, Path]:
    left, equals, right = arg.partition("=")
    if equals and (_PAIR.fullmatch(left) or left.upper() in pairs):
        if not right:
            raise ConfigError("DATA_ARG_INVALID", f"--data: expected PAIR=PATH, found no path in {arg!r}")
        return left.upper(), Path(right).expanduser()
    if not arg:
        raise ConfigError("DATA_ARG_INVALID", "--data: expected [PAIR=]PATH, found an empty text")
    return None, Path(arg).expanduser()


def _refuse_foreign(pair: str, path: Path, wanted: Sequence[str]) -> None:
    named = pair_of_stem(path, list({*wanted, pair}))
    if named is not None and named != pair:
        raise ConfigError(
            "DATA_AMBIGUOUS",
            f"--data {pair}=FOLDER: expected only files of {pair}, found {path.name}, which names {named}; "
            "give the folder without a pair, or name the file",
            path=str(path),
        )


def _refuse_unnamed(path: Path, wanted: Sequence[str], *, in_folder: bool) -> None:
    if in_folder or (wanted and _PAIR_LIKE.match(path.name)):
        return
    raise ConfigError(
        "DATA_AMBIGUOUS",
        f"--data {path}: expected a name that starts with one of {', '.join(wanted) or 'the pairs of -p'}, "
        f"found {path.name!r}; write --data PAIR={path}",
        path=str(path),
    )


def _one_timeframe(pair: str, files: list[Path], timeframe: str | None, notes: list[str]) -> list[Path]:
    frames = {path: timeframe_of_stem(path) for path in files}
    distinct = sorted({f for f in frames.values() if f is not None})
    if len(distinct) < 2:
        return files
    wanted = parse_timeframe(timeframe) if timeframe is not None else None
    if wanted in distinct:
        kept = [p for p in files if frames[p] in (None, wanted)]
        notes.extend(
            f"{p}: ignored, {pair} is read from its {timeframe} file" for p in files if p not in kept
        )
        return kept
    listed = ", ".join(p.name for p in files)
    raise ConfigError(
        "DATA_AMBIGUOUS",
        f"--data: expected files of one timeframe for {pair}, found {listed} "
        f"({', '.join(format_timeframe(f) for f in distinct)}); choose one with -i or name the file",
        pair=pair,
    )
