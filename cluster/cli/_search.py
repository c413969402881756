"""Flags that choose what is varied and how it is searched, for verbs that search inside something larger."""

from __future__ import annotations

import argparse

from cluster.cli import common
from cluster.runs import perpetual


def add_search(parser: argparse.ArgumentParser, *, epochs: int, sampler: str) -> None:
    """Flags of the market, of costs and of the search; `epochs` holds where nobody says how many."""
    parser.set_defaults(usual_epochs=epochs)
    common.add_market(parser)
    common.add_detail(parser)
    perpetual.add_arguments(parser)
    g = parser.add_argument_group("search")
    g.add_argument("--fee", default=None, metavar="FRAC", help="one fee as a fraction, as in backtesting")
    g.add_argument("-e", "--epochs", type=int, default=None, metavar="N", help=f"trials; default {epochs}")
    g.add_argument(
        "--space", "--spaces", dest="space", action="extend", nargs="+", default=[], metavar="PATH[=RANGE]",
        help="what to vary, as in hyperopt: strategy.fast_bars, exits.stop.frac=0.01..0.1; default: all ranges of the "
        "strategies",
    )  # fmt: skip
    g.add_argument(
        "--objective", "--hyperopt-loss", dest="objective", action="append", default=[], metavar="NAME[,KEY=V]",
        help="sharpe (default), sortino, calmar, … as in hyperopt, or module:function of the metrics",
    )  # fmt: skip
    g.add_argument(
        "--constraint", action="append", default=[], metavar="TEXT",
        help="trade_count>=30 over a trial's metrics, or strategy.fast_bars<strategy.slow_bars; repeatable",
    )  # fmt: skip
    g.add_argument(
        "--sampler", choices=("tpe", "random", "qmc", "cmaes"), default=sampler, help=f"default {sampler}"
    )
