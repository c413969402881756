"""``python -m cluster.head start …`` is ``ray start …`` for a node that others cannot reach.

Ray replaces a loopback ``--node-ip-address`` by the machine's own address, and its servers then listen on every
interface. They listen on loopback alone when the node's address is 127.0.0.1, so this process, which passes the
address on to all others, is told that the machine has no other.
"""

from __future__ import annotations

import sys

LOOPBACK = "127.0.0.1"


def main() -> None:
    """Run Ray's command line with loopback as the machine's only address."""
    from ray._private import services
    from ray.scripts import scripts

    if not hasattr(services, "get_node_ip_address"):
        sys.stderr.write("cluster.head: expected Ray to have services.get_node_ip_address, found none\n")
        raise SystemExit(5)
    services.get_node_ip_address = lambda *_: LOOPBACK
    scripts.main()


if __name__ == "__main__":
    main()
