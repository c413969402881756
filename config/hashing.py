"""Hashes of a configuration: of what may change decisions, and of what a study may have chosen."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from config.schema import Config

NOT_DECIDING = ("mode", "runtime", "journal", "live", "kernels.require_native", "provenance")
"""What cannot change a decision: where and how fast a run is computed, who agreed to it, where it is written, and
where its parameters come from."""
NOT_CHOSEN = (
    "seed", "timeframe", "timeframe_detail", "pairs", "instruments", "account", "data", "kernels", "venue",
)  # fmt: skip
"""What a choice of parameters is applied to, rather than a part of it."""


def content_hash(model: Config) -> str:
    """Return the SHA-256 of the canonical JSON of what may change decisions.

    Examples
    --------
    >>> from config.load import resolve
    >>> a = resolve("backtest").model
    >>> b = resolve("paper", sets=["runtime.block_steps=8"]).model
    >>> content_hash(a) == content_hash(b)
    True
    """
    return _hash_without(model, NOT_DECIDING)


def choice_hash(model: Config) -> str:
    """Return the SHA-256 of what a study may have chosen: all that decides but market, bars, account and costs.

    The same choice on another pair or over other bars has the same hash.

    Examples
    --------
    >>> from config.load import resolve
    >>> a, b, c = (resolve("backtest", sets=[s]).model for s in (
    ...     "account.initial_cash_quote=5000", "pairs=[ETH/USDT]", "strategies.rsi.params.window_bars=9"))
    >>> choice_hash(a) == choice_hash(b) != choice_hash(c)
    True
    """
    return _hash_without(
        model, [p for p in NOT_DECIDING if p.split(".")[0] not in NOT_CHOSEN] + [*NOT_CHOSEN]
    )


def _hash_without(model: Config, paths: Iterable[str]) -> str:
    tree = model.model_dump()
    for path in paths:
        node, *rest = path.split(".")
        if rest:
            del tree[node][rest[0]]
        else:
            del tree[node]
    for part in (tree, *tree["strategies"]):
        if not part["exits"]:
            del part["exits"]  # nothing said: a run without them keeps the hash it had before there were any
    # the terms of modes that the account is not in decide nothing
    for mode in ("margin", "perpetual"):
        if model.account.mode != mode and "venue" in tree:
            del tree["venue"][mode]
    if model.account.mode == "spot" and "account" in tree:
        del tree["account"]["mode"], tree["account"]["leverage"]
    text = json.dumps(_canonical(tree), sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _canonical(value: Any) -> Any:
    """Return a JSON tree in which equal settings look equal: 1 and 1.0, Decimal 10 and 10.00."""
    if isinstance(value, dict):
        return {str(k): _canonical(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_canonical(v) for v in value]
    if isinstance(value, Decimal):
        return format(value.normalize(), "f")
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value
