"""``python -m cluster.jobs.stress``: the verb ``stress`` as a job of a running Ray cluster.

Submit it from the checkout::

    ray job submit --working-dir . -- python -m cluster.jobs.stress --data /abs/BTCUSDT_1h.parquet -p BTC/USDT -i 1h

See `cluster.jobs.submitted` for where data and results must lie.
"""

from __future__ import annotations

from cluster.jobs.submitted import run_submitted


def main(argv: list[str] | None = None) -> int:
    """Run the verb; return its exit code."""
    return run_submitted("stress", argv)


if __name__ == "__main__":
    raise SystemExit(main())
