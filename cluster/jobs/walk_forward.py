"""``python -m cluster.jobs.walk_forward``: the verb ``walk-forward`` as a job of a running Ray cluster.

Submit it from the checkout::

    ray job submit --working-dir . -- python -m cluster.jobs.walk_forward -s rsi --data /abs/BTCUSDT_1h.parquet \
        -p BTC/USDT -i 1h

See `cluster.jobs.submitted` for where data and results must lie.
"""

from __future__ import annotations

from cluster.jobs.submitted import run_submitted


def main(argv: list[str] | None = None) -> int:
    """Run the verb; return its exit code."""
    return run_submitted("walk-forward", argv)


if __name__ == "__main__":
    raise SystemExit(main())
