"""``backtesting``: would it have made money? Costs on, decisions at the close, fills at the next open."""

from __future__ import annotations

import argparse
import sys

from cluster.cli import common
from cluster.runs import perpetual, session
from cluster.runs.backtest import exit_code
from cluster.runs.backtest_run import conclude, execute, prepare

HELP = (
    "Backtest strategies (or the whole fleet) over stored bars, costs on; result, trades and report are kept."
)
EXAMPLE = (
    "tradewind backtesting -s ma_crossover --data BTCUSDT_1h.parquet -p BTC/USDT -i 1h "
    "--set strategy.fast_bars=10 --set strategy.slow_bars=50"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Flags of the verb."""
    common.add_market(parser)
    common.add_detail(parser)
    perpetual.add_arguments(parser)
    g = parser.add_argument_group("backtest")
    g.add_argument(
        "--fee", default=None, metavar="FRAC",
        help="one fee for resting and taking orders, on entry and on exit, as a fraction: 0.001 is 0.1 %%; "
        "instead of the configured fees",
    )  # fmt: skip
    g.add_argument(
        "--path", choices=("auto", "fast", "event"), default="auto",
        help="fast: strategies in columns, same trades; event: every agent at every step; default auto",
    )  # fmt: skip
    g.add_argument(
        "--no-regimes", action="store_true",
        help="do not observe regimes beside a run whose strategies do not read them (quicker)",
    )  # fmt: skip
    g.add_argument(
        "--rerun", default=None, metavar="RUN", help="make a stored backtest again and compare, bit for bit"
    )
    g.add_argument(
        "--export-trades", default=None, metavar="FILE", help="round trips as .csv, .json or .parquet"
    )
    g.add_argument(
        "--export-equity", default=None, metavar="FILE", help="equity, benchmark, drawdown, exposures per bar"
    )
    g.add_argument(
        "--windows",
        default=None,
        metavar="CSV",
        help="spans to mark: columns start, end (UTC days) and event",
    )


def run(args: argparse.Namespace) -> common.Outcome:
    """Run the verb."""
    began = session.started()
    job = prepare(args)
    backtest = execute(job)
    outcome = conclude(job, backtest, began)
    outcome.code = exit_code(backtest)
    if backtest.error is not None:
        sys.stderr.write(f"tradewind backtesting: {backtest.error}\n")
    return outcome
