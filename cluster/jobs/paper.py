"""``python -m cluster.jobs.paper``: paper trading of recorded bars as a job of a running Ray cluster.

Submit it from the checkout::

    ray job submit --working-dir . -- python -m cluster.jobs.paper --data /abs/BTCUSDT_1h.parquet -p BTC/USDT

See `cluster.jobs.submitted` for where data and results must lie.
"""

from __future__ import annotations

from cluster.jobs.submitted import run_submitted


def main(argv: list[str] | None = None) -> int:
    """Run ``trade --replay --host ray``; return its exit code."""
    return run_submitted("trade", argv, job="paper", fixed=("--replay", "--host", "ray"))


if __name__ == "__main__":
    raise SystemExit(main())
