"""What is asked of a node before work starts; travels by value, so that a node without our packages can answer too.

Nothing of ours may be imported outside of `probe`.
"""

from __future__ import annotations

import os
from typing import Any


def probe(backend: str) -> dict[str, Any]:
    """Return ``host`` and the node's card as a dict, or the ``problem`` that keeps it from having one.

    Parameters
    ----------
    backend : {"native", "python"}
        The driver's kernels; the twins are asked for by name, native ones never: the card tells the difference.
    """
    host = os.uname().nodename
    try:
        from dataclasses import asdict

        from actors.domain import kernels
        from actors.runtime.node_card import my_card

        if backend == "python":
            kernels.select_backend("python")
        return {"host": host, "card": asdict(my_card()), "problem": None}
    except Exception as e:  # noqa: BLE001 - whatever keeps a node from answering is its answer
        return {"host": host, "card": None, "problem": f"{type(e).__name__}: {e}"}
