"""What is remembered of a local cluster."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ClusterNote:
    """What ``cluster.json`` keeps of a cluster that `start` made.

    Attributes
    ----------
    pid : int
        The head's leading process, and its session.
    created_s : float
        When that process began: a reused pid is not mistaken for it.
    """

    pid: int
    created_s: float
    address: str
    dashboard: str
    metrics: str
    auth_mode: str
    token_path: str
    temp_dir: str
    log: str
