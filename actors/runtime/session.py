"""A Ray session of our own, or a running cluster joined: environment, authentication, and a clean end."""

from __future__ import annotations

import contextlib
import logging
import os
import re
import socket
from collections.abc import Iterator, Sequence

import ray
from ray._private.services import canonicalize_bootstrap_address_or_die
from ray.exceptions import AuthenticationError as RayAuthenticationError

from actors.domain.errors import ConfigError, VenueUnavailableError

_PROBE_S = 5.0


@contextlib.contextmanager
def ray_session(
    *,
    address: str | None = None,
    num_cpus: int | None = None,
    object_store_mb: int | None = None,
    quiet: bool = True,
    code_paths: Sequence[str] = (),
) -> Iterator[None]:
    """Hold a connection to Ray for a block of code.

    Parameters
    ----------
    address : str or None
        ``auto`` or ``host:port`` of a running cluster; None starts one that ends with the block.
    num_cpus, object_store_mb : int or None
        Only for a session of our own. Agents take no CPU resource; fits take one each.
    code_paths : sequence of str
        Folders in which the actors' processes look for a user's own modules, beside the current one.

    Raises
    ------
    ConfigError
        If the address is none.
    VenueUnavailableError
        If there is no cluster at the address.
    """
    if "RAY_AUTH_MODE" not in os.environ:
        raise ConfigError(
            "RAY_ENVIRONMENT",
            "Ray: expected prepare_environment before the first import of ray; found no RAY_AUTH_MODE",
        )
    if ray.is_initialized():
        yield
        return
    level = logging.ERROR if quiet else logging.INFO
    job = ray.job_config.JobConfig(_py_driver_sys_path=list(code_paths))
    logging.getLogger("ray").setLevel(level)
    if address is None:
        ray.init(
            address="local",
            num_cpus=num_cpus or max(4, os.cpu_count() or 1),
            include_dashboard=False,
            job_config=job,
            object_store_memory=(object_store_mb or 200) << 20,
            log_to_driver=not quiet,
            logging_level=level,
            configure_logging=False,
        )
    else:
        refuse_dead_address(address)
        _refuse_what_ray_makes_of(address)
        try:
            ray.init(
                address=address, job_config=job, log_to_driver=not quiet, logging_level=level, configure_logging=False
            )  # fmt: skip
        except (ConnectionError, RuntimeError, RayAuthenticationError) as e:
            raise _unreachable(address, str(e).splitlines()[0]) from e
    try:
        yield
    finally:
        ray.shutdown()


def refuse_dead_address(address: str) -> None:
    """Knock at an address first: Ray itself asks a dead one again and again, for minutes and without a word.

    Raises
    ------
    ConfigError
        If it is neither ``auto`` nor ``host:port``.
    VenueUnavailableError
        If nobody listens there.
    """
    if address == "auto":
        return
    found = re.fullmatch(r"(?:ray://)?([\w.-]+|\[[0-9a-fA-F:]+\]):(\d{1,5})", address)
    if found is None or not 0 < int(found[2]) < 65536:
        raise ConfigError(
            "CLUSTER_ADDRESS",
            f"--address: expected auto or host:port such as 127.0.0.1:6379, found {address!r}",
        )
    host, port = found[1].strip("[]"), int(found[2])
    try:
        socket.create_connection((host, port), timeout=_PROBE_S).close()
    except OSError as e:
        raise _unreachable(address, e.strerror or str(e)) from e


def _refuse_what_ray_makes_of(address: str) -> None:
    """Knock where Ray will: it finds ``auto`` by itself, and takes loopback for this machine's own address."""
    if address.startswith("ray://"):
        return
    try:
        found = canonicalize_bootstrap_address_or_die(address)
    except (ConnectionError, ValueError) as e:
        raise _unreachable(address, str(e).splitlines()[0]) from e
    try:
        refuse_dead_address(found)
    except VenueUnavailableError as e:
        raise VenueUnavailableError(
            "CLUSTER_UNREACHABLE",
            f"Ray cluster {address!r}: expected it to answer at {found}, which is what Ray looks for, found nobody "
            "there; a cluster of `tradewind up` listens on loopback only: use it from the folder (--userdir) that "
            "started it",
        ) from e


def _unreachable(address: str, why: str) -> VenueUnavailableError:
    return VenueUnavailableError(
        "CLUSTER_UNREACHABLE",
        f"Ray cluster {address!r}: expected it to answer, found: {why}; start one with `tradewind up` or "
        "`ray start --head`, and use the same RAY_AUTH_MODE",
    )
