"""A Ray session of our own, or a running cluster joined: environment, authentication, and a clean end."""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Iterator, Sequence

import ray
from ray.exceptions import AuthenticationError as RayAuthenticationError

from actors.domain.errors import ConfigError, VenueUnavailableError


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
        try:
            ray.init(
                address=address, job_config=job, log_to_driver=not quiet, logging_level=level, configure_logging=False
            )  # fmt: skip
        except (ConnectionError, RuntimeError, RayAuthenticationError) as e:
            raise VenueUnavailableError(
                "CLUSTER_UNREACHABLE",
                f"Ray cluster {address!r}: expected it to answer, found: {str(e).splitlines()[0]}; start one with "
                "`tradewind up` or `ray start --head`, and use the same RAY_AUTH_MODE",
            ) from e
    try:
        yield
    finally:
        ray.shutdown()
