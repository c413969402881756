"""``python -m cluster.jobs.paper``: paper trading of recorded bars as a job of a running Ray cluster.

Submit it from the checkout::

    ray job submit --working-dir . -- python -m cluster.jobs.paper --data /abs/BTCUSDT_1h.parquet -p BTC/USDT

The job runs in an uploaded copy of the working directory. Data must therefore be named by absolute paths that
exist on the head node, or lie inside the working directory. Results go to TRADEWIND_USERDIR, by default
~/tradewind_data, never into the copy, which Ray deletes.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from actors.domain.errors import DataError, TradingError


def missing_in_copy(data: list[str]) -> None:
    """Refuse relative paths that the uploaded copy does not hold.

    Raises
    ------
    DataError
        Naming the job's folder and the remedy.
    """
    for item in data:
        pair, sep, rest = item.partition("=")
        path = Path(rest if sep and "/" in pair and not Path(item).exists() else item)
        if not path.is_absolute() and not path.exists():
            raise DataError(
                "JOB_PATH",
                f"--data {path}: expected a file in the job's folder {Path.cwd()} (an uploaded copy of the working "
                "directory), found none; make the path absolute before submitting, or put the file into the "
                "working directory (and not into .gitignore)",
            )


def main(argv: list[str] | None = None) -> int:
    """Run ``trade --replay --host ray`` on the cluster that runs this job; return its exit code."""
    given = sys.argv[1:] if argv is None else argv
    parser = argparse.ArgumentParser(prog="python -m cluster.jobs.paper", add_help=False)
    parser.add_argument("--data", action="append", default=[])
    parser.add_argument("--userdir", default=None)
    parser.add_argument("--address", default=None)
    known, rest = parser.parse_known_args(given)
    try:
        missing_in_copy(known.data)
    except TradingError as e:
        sys.stderr.write(f"cluster.jobs.paper: {e}\n")
        return e.exit_code
    folder = known.userdir or os.environ.get("TRADEWIND_USERDIR") or str(Path.home() / "tradewind_data")
    from cluster.cli.main import main as tradewind

    data = [word for item in known.data for word in ("--data", item)]
    address = known.address or os.environ.get("RAY_ADDRESS") or "auto"
    # a cluster started without a mode runs without tokens, and its jobs inherit what it was started with
    os.environ.setdefault("RAY_AUTH_MODE", "disabled")
    return tradewind(
        ["trade", "--replay", "--host", "ray", "--address", address, "--userdir", folder, *data, *rest]
    )


if __name__ == "__main__":
    raise SystemExit(main())
