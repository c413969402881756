"""Every node of a cluster is looked at before work starts: one that would compute otherwise is refused by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import ray
from ray.exceptions import RayError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from actors.domain import kernels
from actors.domain.errors import KernelError
from actors.runtime import node_probe
from actors.runtime.node_card import NodeCard, differences, my_card, told

REMEDY = "install the same release on every node (one image, or the same wheels), or end the node"
_PATIENCE_S = 300.0


def refuse_other_nodes(patience_s: float = _PATIENCE_S) -> int:
    """Ask each living node what it is made of; return how many were asked.

    A cluster of one node is not asked: whoever works there shows its own card anyway.

    Raises
    ------
    KernelError
        ``NODES_DIFFER`` with every node that lacks a package or has other code, kernels or versions.
    """
    nodes = [n for n in ray.nodes() if n["Alive"]]
    if len(nodes) < 2:
        return 0
    ray.cloudpickle.register_pickle_by_value(node_probe)
    try:
        ask = ray.remote(num_cpus=0, max_retries=1)(node_probe.probe)
        asked = {
            ask.options(scheduling_strategy=NodeAffinitySchedulingStrategy(n["NodeID"], soft=False)).remote(
                kernels.backend().name
            ): n
            for n in nodes
        }
    finally:
        ray.cloudpickle.unregister_pickle_by_value(node_probe)
    done, late = ray.wait(list(asked), num_returns=len(asked), timeout=patience_s)
    problems = [
        told(name_of(asked[ref]), [f"expected an answer within {patience_s:g} s, found none"]) for ref in late
    ]
    for ref in done:
        problems += _problem(asked[ref], ref)
    if problems:
        raise KernelError(
            "NODES_DIFFER",
            f"cluster: expected every node as this driver; {' | '.join(sorted(problems))}; {REMEDY}",
        )
    return len(asked)


def _problem(node: Mapping[str, Any], ref: Any) -> list[str]:
    try:
        answer = ray.get(ref)
    except RayError as e:
        if not any(n["NodeID"] == node["NodeID"] and n["Alive"] for n in ray.nodes()):
            return []  # it is gone: nothing will be computed there
        return [
            told(name_of(node), [f"expected an answer, found {type(e).__name__}: {str(e).splitlines()[-1]}"])
        ]
    if answer["problem"] is not None:
        return [told(name_of(node), [f"packages: expected ours, found {answer['problem']}"])]
    found = differences(my_card(), NodeCard(**answer["card"]))
    return [told(name_of(node), found)] if found else []


def name_of(node: Mapping[str, Any]) -> str:
    """Return how people recognise a node: id, host and address."""
    return f"node {node['NodeID'][:8]} ({node['NodeManagerHostname']}, {node['NodeManagerAddress']})"
