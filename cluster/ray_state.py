"""The state interface of a running cluster over HTTP: nodes and agents, without importing Ray."""

from __future__ import annotations

import http.client
import json
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from actors.domain.errors import AuthenticationError, VenueUnavailableError
from cluster.note import ClusterNote

_LIMIT = 10_000  # Ray's own maximum
_SPACE = "tradewind-"
HEALTHY, STARTING, ILL = "healthy", "starting", "ill"
_HEALTH = {
    "ALIVE": HEALTHY, "PENDING_CREATION": STARTING, "DEPENDENCIES_UNREADY": STARTING, "RESTARTING": ILL,
}  # fmt: skip


def get(note: ClusterNote, path: str, timeout_s: float = 10.0) -> Any:
    """Return the JSON answer of the dashboard.

    Raises
    ------
    VenueUnavailableError
        If nobody answers, or not in JSON.
    AuthenticationError
        If the token is refused.
    """
    request = urllib.request.Request(note.dashboard + path)  # noqa: S310 - loopback http of our own note
    if note.auth_mode == "token" and note.token_path:
        try:
            token = Path(note.token_path).read_text(encoding="utf-8").strip()
        except OSError as e:
            raise AuthenticationError(
                "TOKEN_UNREADABLE", f"{note.token_path}: expected the cluster's token, found {e.strerror}"
            ) from e
        request.add_header("Authorization", f"Bearer {token}")
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # loopback needs no proxy
    try:
        with opener.open(request, timeout=timeout_s) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as e:
        if e.code in (401, 403):
            raise AuthenticationError(
                "TOKEN_REFUSED",
                f"{note.dashboard}: expected the token of {note.token_path} to fit, found {e.code}",
            ) from e
        raise VenueUnavailableError(
            "CLUSTER_UNREACHABLE", f"{note.dashboard}{path}: expected an answer, found {e}"
        ) from e
    except (OSError, ValueError, http.client.HTTPException) as e:
        reason = getattr(e, "reason", e)
        raise VenueUnavailableError(
            "CLUSTER_UNREACHABLE",
            f"{note.dashboard}: expected the cluster to answer, found: {reason}; `tradewind down`, then "
            "`tradewind up` start it anew",
        ) from e


def _rows(note: ClusterNote, what: str) -> list[dict[str, Any]]:
    answer = get(note, f"/api/v0/{what}?limit={_LIMIT}&detail=true")
    if not answer.get("result"):
        raise VenueUnavailableError(
            "CLUSTER_UNREACHABLE", f"{note.dashboard}: expected a list of {what}, found {answer.get('msg')!r}"
        )
    rows: list[dict[str, Any]] = answer["data"]["result"]["result"]
    return rows


def nodes(note: ClusterNote) -> list[dict[str, Any]]:
    """Return the nodes: ``node_id ip state head cpus memory_mib``."""
    return [
        {
            "node_id": r["node_id"],
            "ip": r["node_ip"],
            "state": r["state"],
            "head": bool(r.get("is_head_node")),
            "cpus": (r.get("resources_total") or {}).get("CPU"),
        }
        for r in _rows(note, "nodes")
    ]


def agents(note: ClusterNote) -> tuple[list[dict[str, Any]], int]:
    """Return the agents of all runs that go on, and how many actors of ended runs the cluster remembers.

    An actor that is dead while others of its run live is listed as ill.
    """
    ours = [r for r in _rows(note, "actors") if str(r.get("ray_namespace", "")).startswith(_SPACE)]
    runs = {r["ray_namespace"] for r in ours if r["state"] != "DEAD"}
    rows, ended = [], 0
    named: dict[tuple[str, str], dict[str, Any]] = {}
    for r in ours:
        if r["ray_namespace"] not in runs:
            ended += 1
            continue
        row = {
            "name": r["name"] or r["class_name"],
            "kind": kind_of(r),
            "pid": r["pid"] or None,
            "state": r["state"],
            "health": _HEALTH.get(r["state"], ILL),
            "restarts": int(r.get("num_restarts") or 0),
            "run_id": r["ray_namespace"].removeprefix(_SPACE),
            "node_id": r.get("node_id"),
        }
        key = (row["run_id"], row["name"])
        # a name that was taken over by a new actor stands for the living one
        if key not in named or named[key]["state"] == "DEAD":
            named[key] = row
    rows = sorted(named.values(), key=lambda a: (a["run_id"], a["name"]))
    return rows, ended


def kind_of(row: dict[str, Any]) -> str:
    """Return what an actor is: what it says of itself, else its class.

    Examples
    --------
    >>> kind_of({"repr_name": "strategy:rsi", "class_name": "AgentShell"})
    'strategy:rsi'
    >>> kind_of({"repr_name": "", "class_name": "EventBus"})
    'EventBus'
    """
    return str(row.get("repr_name") or row["class_name"])
