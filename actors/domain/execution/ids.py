"""Client order ids that follow from the decision: a repeated order carries the id it had."""

from __future__ import annotations

import hashlib


def client_order_id(seed: int, intent_id: str, agent: str, child: int) -> str:
    """Return 32 lower-case hex characters (they fit the formats of Binance, Coinbase, OKX and Kraken).

    Parameters
    ----------
    seed : int
        Seed of the run.
    intent_id : str
        The approved intent the order works for.
    agent : str
        Name of the execution agent.
    child : int
        Number of the order inside that intent and agent, from 0.

    Examples
    --------
    >>> a = client_order_id(7, "i-1", "execution-twap", 0)
    >>> len(a), a == client_order_id(7, "i-1", "execution-twap", 1)
    (32, False)
    """
    text = f"{seed}\x1f{intent_id}\x1f{agent}\x1f{child}"
    return hashlib.sha256(text.encode()).hexdigest()[:32]
