"""A stored backtest made again, and what differs if it does not come out the same to the bit."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import Any

from actors.domain.errors import ConfigError
from cluster.cli.common import plain
from cluster.runs import backtest_store as stored
from cluster.runs.backtest_causes import causes, outcome, parting
from config.hashing import content_hash
from config.load import ResolvedConfig
from config.schema import Config

# a rerun has a life of its own in these
_OWN = ("run_id", "status", "args", "format", "verb", "result")
FILES = ("data", "funding", "mark")
"""Flags that name files: a rerun may name them anew where they have moved."""
_KEPT = (
    "data",
    "funding",
    "mark",
    "pairs",
    "timeframe",
    "timerange",
    "timeframe_detail",
    "strategy",
    "fleet",
    "config",
    "set",
    "seed",
    "windows",
    "path",
)


def kept_args(args: argparse.Namespace, absolute: Callable[[Sequence[str]], list[str]]) -> dict[str, Any]:
    """Return the flags that a record keeps; `absolute` makes ``[PAIR=]PATH`` arguments hold anywhere."""
    kept = {name: getattr(args, name, None) for name in _KEPT}
    return kept | {name: absolute(kept[name] or []) for name in FILES}


def configured(record: Mapping[str, Any]) -> ResolvedConfig:
    """Return the stored configuration as this release understands it.

    Raises
    ------
    ConfigError
        If this release no longer knows it.
    """
    try:
        model = Config.model_validate(record["config"])
    except ValueError as e:
        raise ConfigError(
            "RUN_CONFIG",
            f"--rerun {record['run_id']}: expected a configuration that this release understands, found: {e}",
        ) from e
    return ResolvedConfig(model, content_hash(model), (f"run {record['run_id']}",), ())


def differences(then: Mapping[str, Any], now: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return ``what then now`` for every setting, version and hash in which two records differ.

    Examples
    --------
    >>> differences({"seed": 7, "data_hash": "a"}, {"seed": 8, "data_hash": "a"})
    [{'what': 'seed', 'then': 7, 'now': 8}]
    """
    left, right = dict(_leaves(_compared(then))), dict(_leaves(_compared(now)))
    return [
        {"what": key, "then": left.get(key), "now": right.get(key)}
        for key in dict.fromkeys([*left, *right])
        if left.get(key) != right.get(key)
    ]


def outcome_differences(then: Mapping[str, Any], now: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the same for what two runs came to: hash, metrics, trades, positions."""
    keys = ("decision_hash", "metrics", "trades", "positions", "decisions", "orders", "fills")
    return differences({k: then.get(k) for k in keys}, {k: now.get(k) for k in keys})


def first_decision(before: Iterable[str], after: Iterable[str]) -> dict[str, Any] | None:
    """Return where two decision logs part, with both records; None if they do not."""
    for number, (a, b) in enumerate(zip_longest(before, after)):
        if a != b:
            one, other = (None if x is None else json.loads(x) for x in (a, b))
            step = (one if one is not None else other or [None])[0]
            return {"line": number, "step": step, "then": one, "now": other}
    return None


def compare(then_folder: Path, now_folder: Path) -> dict[str, Any]:
    """Return ``of equal causes outcome differences first_difference`` of two stored runs.

    `equal` means: the same decisions, metrics and trades to the bit. What changed is named in `causes`, with an
    effect or without; `outcome` is a sentence, None where the runs are equal.
    """
    then = json.loads((then_folder / stored.RECORD).read_text(encoding="utf-8"))
    now = json.loads((now_folder / stored.RECORD).read_text(encoding="utf-8"))
    came_to = outcome_differences(then.get("result") or {}, now.get("result") or {})
    equal = not came_to and then.get("result") is not None
    parted = None
    if not equal:
        parted = first_decision(stored.log_lines(then_folder), stored.log_lines(now_folder))
    changed = differences(then, now)
    both = then.get("result") is not None and now.get("result") is not None
    return {
        "of": then["run_id"],
        "equal": equal,
        "causes": causes(then, now, changed),
        "outcome": outcome(then["result"], now["result"]) if both and not equal else None,
        "differences": [*changed, *came_to],
        "first_difference": parted,
    }


def lines(found: Mapping[str, Any]) -> list[str]:
    """Return a comparison for a person."""
    verdict = "equal to the bit" if found["equal"] else "NOT equal"
    out = [f"rerun of: {found['of']}: {verdict}"]
    effect = "changed, without effect:" if found["equal"] else "changed: "
    out += [f"{effect} {text}" for text in found["causes"]]
    if found["equal"]:
        return out
    if found["outcome"] is None:
        return [*out, "came to:  the stored run has no result to compare with: it did not come to its end"]
    if not found["causes"]:
        out.append(
            "changed:  nothing that is recorded; equal inputs must give equal runs, so please report this"
        )
    out.append(f"came to:  {found['outcome']}")
    if found["first_difference"] is not None:
        out.append(f"first:    {parting(found['first_difference'])}")
    return out


def _compared(record: Mapping[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in record.items() if k not in _OWN}


def _leaves(value: Any, path: str = "") -> list[tuple[str, Any]]:
    value = plain(value)
    if isinstance(value, Mapping) and value:
        return [leaf for k, v in value.items() for leaf in _leaves(v, f"{path}.{k}" if path else str(k))]
    if isinstance(value, list) and value and isinstance(value[0], Mapping | list):
        return [leaf for i, v in enumerate(value) for leaf in _leaves(v, f"{path}.{i}")]
    return [(path, value)]
