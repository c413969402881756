"""Addresses of clusters: nobody waits for minutes at one where nobody is."""

from __future__ import annotations

import socket

import pytest

from actors.domain.errors import VenueUnavailableError
from actors.runtime import session


def test_where_ray_would_look_is_knocked_at_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ray takes loopback for this machine's own address, at which a cluster of loopback does not listen."""
    with socket.socket() as listening, socket.socket() as free:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        free.bind(("127.0.0.1", 0))
        alive = f"127.0.0.1:{listening.getsockname()[1]}"
        dead = f"127.0.0.1:{free.getsockname()[1]}"
        session.refuse_dead_address(alive)
        monkeypatch.setattr(session, "canonicalize_bootstrap_address_or_die", lambda address: dead)
        for asked in (alive, "auto"):
            with pytest.raises(VenueUnavailableError, match=f"answer at {dead}.*userdir") as caught:
                session._refuse_what_ray_makes_of(asked)
            assert (caught.value.code, caught.value.exit_code) == ("CLUSTER_UNREACHABLE", 4)
        monkeypatch.setattr(session, "canonicalize_bootstrap_address_or_die", lambda address: alive)
        session._refuse_what_ray_makes_of("auto")


def test_no_cluster_at_all_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(address: str) -> str:
        raise ConnectionError("Could not find any running Ray instance.\nmore")

    monkeypatch.setattr(session, "canonicalize_bootstrap_address_or_die", none)
    with pytest.raises(
        VenueUnavailableError, match=r"found: Could not find any running Ray instance.; start one"
    ):
        session._refuse_what_ray_makes_of("auto")
