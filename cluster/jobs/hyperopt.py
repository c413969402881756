"""``python -m cluster.jobs.hyperopt``: a study as a job of a running Ray cluster.

Submit it from the checkout::

    ray job submit --working-dir . -- python -m cluster.jobs.hyperopt -s ma_crossover -e 200 \
        --data /abs/BTCUSDT_1h.parquet -p BTC/USDT -i 1h

The flags are those of ``tradewind hyperopt``; see `cluster.jobs.submitted` for where data and results must lie. A job
that was killed goes on with ``--resume`` (and ``--study NAME``).
"""

from __future__ import annotations

from cluster.jobs.submitted import run_submitted


def main(argv: list[str] | None = None) -> int:
    """Run the verb; return its exit code."""
    return run_submitted("hyperopt", argv)


if __name__ == "__main__":
    raise SystemExit(main())
