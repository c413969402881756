"""``python two_hosts_driver.py ADDRESS ITEMS``: a fan-out over a running cluster; says where it was done."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np


def where(shared: Any, item: int, rng: np.random.Generator) -> tuple[str, float]:
    """Return the address of the node that does this, and a number that must not depend on it."""
    import time

    import ray

    time.sleep(0.05)  # long enough for both to get some
    return ray.util.get_node_ip_address(), float(shared["offset"]) + item + rng.random()


def main(address: str, items: int) -> None:
    """Run and print."""
    from actors.runtime.fanout import RayFanOut
    from actors.runtime.fanout_serial import SerialFanOut
    from actors.runtime.nodes import refuse_other_nodes
    from actors.runtime.session import ray_session

    shared = {"offset": 5.0, "history": np.arange(200_000.0)}
    with ray_session(address=address, code_paths=[str(Path(__file__).parent)]):
        looked_at = refuse_other_nodes()
        with RayFanOut(shared, workers=2, seed=4) as pool:
            found = pool.map(where, range(items))
    alone = [value for _, value in SerialFanOut(shared, seed=4).map(_alone, range(items))]
    print(json.dumps({
        "nodes": looked_at, "addresses": sorted({ip for ip, _ in found}),
        "equal": [value for _, value in found] == alone, "items": len(found),
    }))  # fmt: skip


def _alone(shared: Any, item: int, rng: np.random.Generator) -> tuple[str, float]:
    return "", float(shared["offset"]) + item + rng.random()


if __name__ == "__main__":
    import two_hosts_driver  # by its name, so that workers can import what they are sent

    two_hosts_driver.main(sys.argv[1], int(sys.argv[2]))
