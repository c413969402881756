"""What every submitted verb needs: data that the job can see, a user's folder that stays, the cluster it runs on."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from actors.adapters.feeds.data_args import split_data
from actors.domain.errors import DataError, TradingError


def missing_in_copy(data: list[str]) -> None:
    """Refuse relative paths that the uploaded copy does not hold.

    Raises
    ------
    DataError
        Naming the job's folder and the remedy.
    """
    for item in data:
        path = Path(split_data(item)[1])
        if not path.is_absolute() and not path.exists():
            raise DataError(
                "JOB_PATH",
                f"--data {path}: expected a file in the job's folder {Path.cwd()} (an uploaded copy of the working "
                "directory), found none; make the path absolute before submitting, or put the file into the "
                "working directory (and not into .gitignore)",
            )


def run_submitted(
    verb: str, argv: Sequence[str] | None = None, *, job: str | None = None, fixed: Sequence[str] = ()
) -> int:
    """Run a verb on the cluster that runs this job; return its exit code.

    Parameters
    ----------
    verb : str
    argv : sequence of str, optional
        Flags of the verb; by default those of this process.
    job : str, optional
        Name of the job's module where it is not the verb's.
    fixed : sequence of str
        Flags that this job always gives.

    Notes
    -----
    The job runs in an uploaded copy of the working directory: data must be named by absolute paths that exist on the
    head node, or lie inside it. Results go to TRADEWIND_USERDIR, by default ~/tradewind_data.
    """
    given = list(sys.argv[1:] if argv is None else argv)
    parser = argparse.ArgumentParser(
        prog=f"python -m cluster.jobs.{(job or verb).replace('-', '_')}", add_help=False
    )
    parser.add_argument("--data", action="append", default=[])
    parser.add_argument("--userdir", default=None)
    parser.add_argument("--address", default=None)
    known, rest = parser.parse_known_args(given)
    try:
        missing_in_copy(known.data)
    except TradingError as e:
        sys.stderr.write(f"{parser.prog.removeprefix('python -m ')}: {e}\n")
        return e.exit_code
    folder = known.userdir or os.environ.get("TRADEWIND_USERDIR") or str(Path.home() / "tradewind_data")
    from cluster.cli.main import main as tradewind

    data = [word for item in known.data for word in ("--data", item)]
    address = known.address or os.environ.get("RAY_ADDRESS") or "auto"
    # a cluster started without a mode runs without tokens, and its jobs inherit what it was started with
    os.environ.setdefault("RAY_AUTH_MODE", "disabled")
    return tradewind([verb, *fixed, "--address", address, "--userdir", folder, *data, *rest])
