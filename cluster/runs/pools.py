"""What long verbs compute by: this process, Ray workers of this machine, or those of a running cluster."""

from __future__ import annotations

import argparse
import contextlib
import os
from collections.abc import Callable, Iterator
from typing import Any

from actors.domain.errors import ConfigError
from actors.runtime.environment import prepare_environment
from actors.runtime.fanout_items import FanOut, Progress
from actors.runtime.fanout_serial import SerialFanOut
from cluster.cli import common
from cluster.local import join
from config.load import ResolvedConfig

MakePool = Callable[[Any], FanOut]


def add_workers(parser: argparse.ArgumentParser) -> None:
    """Flags that choose where work is done."""
    g = parser.add_argument_group("workers")
    g.add_argument(
        "-j", "--workers", type=int, default=None, metavar="N",
        help="parallel workers; default all processors; 1: this process alone, without Ray; same result for any number",
    )  # fmt: skip
    g.add_argument("--address", default=None, help="a running Ray cluster, e.g. auto or host:6379")


def check_workers(args: argparse.Namespace) -> None:
    """Refuse a number of workers that is none, before anything is computed.

    Raises
    ------
    ConfigError
    """
    if args.workers is not None and args.workers != -1 and args.workers < 1:
        raise ConfigError(
            "WORKERS", f"--workers: expected 1 or more, or -1 for all processors, found {args.workers}"
        )


@contextlib.contextmanager
def pools(
    args: argparse.Namespace,
    config: ResolvedConfig,
    progress: Callable[[Progress], None] | None = None,
    *,
    memory_budget_mib: float | None = None,
) -> Iterator[MakePool]:
    """Hold what work is done by; yields what makes a pool around what the items share.

    With a memory budget a worker of Ray's that holds more for itself is replaced.

    Raises
    ------
    ConfigError
        If the number of workers is none.
    """
    check_workers(args)
    workers = args.workers
    if args.address is None and workers in (None, -1):
        workers = os.cpu_count() or 1
    seed = config.model.seed
    if args.address is None and workers == 1:
        yield lambda shared: SerialFanOut(shared, seed=seed, progress=progress)
        return
    address = None if args.address is None else join(common.userdir(args), args.address)
    prepare_environment(common.userdir(args))
    from actors.runtime.session import ray_session  # reads the environment when it is loaded

    runtime = config.model.runtime
    with ray_session(
        address=address, num_cpus=None if address else max(workers or 1, runtime.num_cpus or 1),
        object_store_mb=runtime.object_store_mb, quiet=not args.verbose, code_paths=common.own_code(args),
    ):  # fmt: skip
        from actors.runtime.fanout import RayFanOut

        many = None if workers == -1 else workers
        yield lambda shared: RayFanOut(
            shared, workers=many, seed=seed, progress=progress, memory_budget_mib=memory_budget_mib
        )
