"""What all verbs share: flags, configuration, data, the JSON document, exit codes."""

from __future__ import annotations

import argparse
import errno
import importlib
import json
import math
import os
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from actors.adapters.feeds.data_args import select_data, select_detail
from actors.adapters.feeds.files import LoadedBars, load_pair
from actors.domain import registry
from actors.domain.errors import ConfigError, InvalidParamsError
from actors.domain.model.bars import BarFrame
from actors.domain.model.money import normal_str
from actors.domain.model.timerange import TimeRange, parse_timerange
from actors.domain.strategies.base import PREDICTIONS, REGIME
from cluster import __version__
from cluster.cli import _strategies as strategies
from cluster.runs.costs import fee_override
from config.load import ResolvedConfig, resolve
from config.problems import ConfigProblem
from config.schema import in_freqtrade_style, running

_STRATEGIES = "actors.domain.strategies"
EXIT_DONE, EXIT_CHECK, EXIT_USAGE, EXIT_DATA, EXIT_VENUE, EXIT_BUG, EXIT_INTERRUPT = 0, 1, 2, 3, 4, 5, 130


@dataclass
class Outcome:
    """What a verb returns.

    Attributes
    ----------
    result : dict
        The ``result`` of the JSON document.
    ok : bool
        False: done, but a check failed (exit 1).
    text : str
        What a person reads on stdout when no JSON is asked for.
    code : int or None
        Another exit code than `ok` gives.
    head : dict
        ``config_hash``, ``data_hash``, ``seed`` and ``kernel_backend``, where the verb has them.
    """

    result: dict[str, Any]
    ok: bool = True
    text: str = ""
    code: int | None = None
    head: dict[str, Any] = field(default_factory=dict)


def add_common(parser: argparse.ArgumentParser) -> None:
    """Flags of every verb."""
    g = parser.add_argument_group("common")
    g.add_argument(
        "-c",
        "--config",
        action="append",
        default=[],
        metavar="FILE",
        help="YAML or JSON; repeatable, the later wins",
    )
    g.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="one override; repeatable")
    g.add_argument("--userdir", default="user_data", metavar="DIR", help="default user_data in this folder")
    g.add_argument("--seed", type=int, default=None, help="default 7")
    g.add_argument(
        "--json", metavar="FILE", help="the result as one JSON document; - is stdout and nothing else"
    )
    g.add_argument("--no-progress", action="store_true", help="no progress bars and no live view")
    g.add_argument("-v", "--verbose", action="store_true", help="tracebacks and debug logs")
    g.add_argument("--log-format", choices=("text", "json"), default="text")  # fmt: skip


def add_market(parser: argparse.ArgumentParser, *, data: bool = True) -> None:
    """Flags that choose bars."""
    g = parser.add_argument_group("market")
    if data:
        g.add_argument(
            "--data",
            action="append",
            default=[],
            metavar="[PAIR=]PATH",
            help="bars as Parquet, Feather or CSV(.gz); repeatable; a folder means its files",
        )
    g.add_argument("-p", "--pairs", nargs="+", default=None, metavar="PAIR", help="BTC/USDT ETH/USDT")
    g.add_argument("-i", "--timeframe", default=None, help="for example 1h")
    g.add_argument("--timerange", default="-", metavar="START-END", help="20200101-20200301, end excluded")
    g.add_argument("-s", "--strategy", action="extend", nargs="+", default=[], metavar="KIND",
                   help="kinds of strategies, module:Class or FILE.py[:Class]; repeatable")  # fmt: skip
    g.add_argument("--fleet", choices=("auto", "lean", "full"), default="auto",
                   help="lean: no detectors, no predictors; auto: only what the strategies of -s read")  # fmt: skip


def add_detail(parser: argparse.ArgumentParser) -> None:
    """The flag that asks for finer bars inside the bars."""
    parser.add_argument(
        "--timeframe-detail", default=None, metavar="TF",
        help="settle what happens inside a bar by finer bars of the same pair, found among --data (BTCUSDT_5m beside "
        "BTCUSDT_1h); where there are none, stops come before targets",
    )  # fmt: skip


def add_host(parser: argparse.ArgumentParser, default: str) -> None:
    """Flags that choose the host."""
    g = parser.add_argument_group("host")
    g.add_argument("--host", choices=("local", "ray"), default=default, help=f"default {default}")
    g.add_argument(
        "--address", default=None, help="a running Ray cluster, e.g. auto; default: one of our own"
    )


def userdir(args: argparse.Namespace) -> Path:
    """The user's folder, absolute."""
    return Path(args.userdir).expanduser().resolve()


def own_code(args: argparse.Namespace) -> list[str]:
    """Let ``module:Class`` find a user's own files: the current folder and ``strategies`` in the user's folder.

    They come last on the path, so a file there never hides a module of ours or of a library. Returns what the
    actors' processes must search too; Ray takes the current folder along by itself.
    """
    folders = [str(Path.cwd()), str(userdir(args) / "strategies")]
    sys.path += [f for f in folders if f not in sys.path]
    importlib.invalidate_caches()  # a folder that was not there at an earlier look, or a new file in it
    return folders[1:]


def make_userdir(folder: Path) -> Path:
    """Make the user's folder and check that it takes files.

    Raises
    ------
    ConfigError
        If it is no folder or cannot be written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=folder, prefix=".tradewind-")
        os.close(descriptor)
        Path(name).unlink()
    except OSError as e:
        raise ConfigError(
            "USERDIR_UNWRITABLE",
            f"--userdir {folder}: expected a folder that can be written to, found: {e.strerror or e}; choose another "
            "--userdir, or change its permissions",
        ) from e
    return folder


def refuse_unwritable(target: str | None) -> None:
    """Look at the target of ``--json`` before a long run, not after it.

    Raises
    ------
    ConfigError
        If it is a folder, or its folder takes no file.
    """
    if target is None or target == "-":
        return
    path = Path(target)
    try:
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except OSError as e:
        raise ConfigError(
            "JSON_PATH",
            f"--json {target}: expected a file that can be written, found: {e.strerror or e}; choose another path",
        ) from e


def configuration(
    args: argparse.Namespace, mode: str, extra_sets: Sequence[str] = (), files: Sequence[str] = ()
) -> ResolvedConfig:
    """Resolve the configuration of a verb from its flags, and say what was given in vain.

    Raises
    ------
    ConfigError
        With all problems at once.
    """
    found = resolved(args, mode, extra_sets, files)
    tell(found.notes)
    return found


def resolved(
    args: argparse.Namespace, mode: str, extra_sets: Sequence[str] = (), files: Sequence[str] = ()
) -> ResolvedConfig:
    """Resolve the configuration of a verb from its flags, without a word.

    Raises
    ------
    ConfigError
        With all problems at once.
    """
    sets = [*extra_sets]
    if getattr(args, "pairs", None):
        sets.append("pairs=" + json.dumps(args.pairs))
    if getattr(args, "timeframe", None):
        sets.append(f"timeframe={args.timeframe}")
    if getattr(args, "timeframe_detail", None):
        sets.append(f"timeframe_detail={args.timeframe_detail}")
    if args.seed is not None:
        sets.append(f"seed={args.seed}")
    chosen = strategies.chosen(args)
    if chosen:
        sets.append("strategies=" + json.dumps(chosen))
        own = None if getattr(args, "timeframe", None) else strategies.timeframe_of(chosen)
        sets += [f"timeframe={own}"] if own else []
    sets += _lean(getattr(args, "fleet", "full"), chosen, regimes=_follows_regimes(args))
    sets += fee_override(getattr(args, "fee", None))
    sets += [s for s in args.set if not s.startswith("strategy.")]
    try:
        return resolve(mode, files=[*files, *args.config], sets=sets, env=dict(os.environ))
    except ConfigProblem as e:
        raise ConfigError("CONFIG_INVALID", str(e)) from e


def tell(notes: Sequence[str]) -> None:
    """Say on stderr what was given but has no effect."""
    for note in notes:
        sys.stderr.write(f"note: {note}\n")


def _follows_regimes(args: argparse.Namespace) -> bool:
    """Tell whether the verb itself lets parameters follow the regime: it learns them, or varies them per regime."""
    space = getattr(args, "space", None) or []
    return bool(getattr(args, "learn_regimes", False)) or any(".adaptive." in text for text in space)


def _lean(fleet: str, chosen: Sequence[Mapping[str, Any]], *, regimes: bool = False) -> list[str]:
    """Return the overrides that leave out what no chosen strategy reads; `regimes` are read by the verb itself.

    Raises
    ------
    ConfigError
        If a lean fleet is asked for and a strategy needs more.
    """
    if fleet == "full" or (fleet == "auto" and not chosen):
        return []
    reads: dict[str, list[str]] = {}
    for part in chosen:
        if in_freqtrade_style(part["kind"]):
            continue  # it reads bars
        kind, params = running(part)
        try:
            strategy = registry.build(_STRATEGIES, kind, params)
        except InvalidParamsError:
            continue  # told with all other problems, once the configuration is checked
        # one that has no batch form does not show what it reads
        known = getattr(strategy, "has_batch", False)
        for what in strategy.reads if known else (REGIME, PREDICTIONS):
            reads.setdefault(what, []).append(part["kind"])
    if fleet == "lean" and (reads or not chosen):
        found = "; ".join(f"{', '.join(kinds)} reads {what}" for what, kinds in reads.items()) or "no -s"
        raise ConfigError(
            "FLEET_LEAN", f"--fleet lean: expected strategies of -s that read bars only, found {found}"
        )
    out = [] if REGIME in reads or regimes else ["regime.detectors=[]"]
    return out if PREDICTIONS in reads else [*out, "learning.predictors=[]", "features.indicators=[]"]


def load_frames(
    args: argparse.Namespace, config: ResolvedConfig, *, quarantine_dir: Path | None = None
) -> tuple[dict[str, BarFrame], dict[str, list[LoadedBars]], list[str]]:
    """Load the bars of `--data` for the configured pairs; return frames, reports and notes.

    Raises
    ------
    ConfigError, DataError
    """
    if not args.data:
        raise ConfigError("DATA_MISSING", "--data: expected at least one file or folder of bars, found none")
    model = config.model
    selection = select_data(args.data, list(model.pairs), model.timeframe)
    frames, loaded = {}, {}
    for pair in model.pairs:
        frames[pair], loaded[pair] = load_pair(
            selection.files[pair], pair, model.timeframe, model.data.policy,
            max_missing_frac=model.data.max_missing_frac, quarantine_dir=quarantine_dir,
        )  # fmt: skip
    notes = list(selection.notes)
    if model.timeframe_detail is not None:
        finer = select_detail(args.data, list(model.pairs), model.timeframe_detail)
        used = {str(path) for files in finer.values() for path in files}
        notes = [n for n in notes if n.partition(": ignored,")[0] not in used]
    tell(notes)
    return frames, loaded, notes


def timerange(args: argparse.Namespace) -> TimeRange:
    """The range of decisions."""
    return parse_timerange(args.timerange)


def plain(value: Any) -> Any:
    """Return a value as JSON knows it: Decimals as text, undefined as null."""
    if isinstance(value, Decimal):
        return normal_str(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [plain(v) for v in value]
    if isinstance(value, Path):
        return str(value)
    if hasattr(value, "item") and not isinstance(value, str | bytes):
        return plain(value.item())
    return value


def document(verb: str, outcome: Outcome, started: float, seed: int | None) -> dict[str, Any]:
    """Return the JSON document of a finished verb."""
    from actors.domain import kernels

    head = outcome.head
    return {
        "tradewind": __version__,
        "verb": verb,
        "seed": head.get("seed", 7 if seed is None else seed),
        "config_hash": head.get("config_hash"),
        "data_hash": head.get("data_hash"),
        "kernel_backend": head.get("kernel_backend") or kernels.backend().name,
        "started_at": datetime.fromtimestamp(started, UTC)
        .isoformat(timespec="milliseconds")
        .replace("+00:00", "Z"),
        "duration_s": round(time.time() - started, 3),
        "result": plain(outcome.result),
    }


def emit(doc: dict[str, Any], target: str | None, text: str) -> None:
    """Write the document to a file or stdout, and the text to stdout unless JSON took it."""
    if target == "-":
        sys.stdout.write(json.dumps(doc, allow_nan=False, ensure_ascii=False) + "\n")
        return
    if target:
        path = Path(target)
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(path.name + ".partial")
        partial.write_text(json.dumps(doc, allow_nan=False, ensure_ascii=False, indent=1), encoding="utf-8")
        partial.replace(path)
    if text:
        sys.stdout.write(text.rstrip("\n") + "\n")
