"""``hyperopt``: which parameters would have done best, how sure is that, and how much of it is luck?"""

from __future__ import annotations

import argparse

from actors.adapters.studies.names import SAMPLERS
from actors.domain.search.study.pruning import NAMES as PRUNERS
from cluster.cli import common
from cluster.runs import perpetual

HELP = "Search the best parameters of strategies, exits, sizing or risk over stored bars, on this machine or a cluster."
EXAMPLE = (
    "tradewind hyperopt -s ma_crossover --data BTCUSDT_1h.parquet -p BTC/USDT -i 1h -e 100 -j 2 "
    "--constraint 'trade_count>=30'"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Flags of the verb."""
    common.add_market(parser)
    common.add_detail(parser)
    perpetual.add_arguments(parser)
    g = parser.add_argument_group("search")
    g.add_argument("--fee", default=None, metavar="FRAC", help="one fee as a fraction, as in backtesting")
    g.add_argument(
        "-e", "--epochs", type=int, default=None, metavar="N", help="trials; default 100, of a grid all of it"
    )
    g.add_argument(
        "--space", "--spaces", dest="space", action="extend", nargs="+", default=[], metavar="PATH[=RANGE]",
        help="what to vary: strategy.fast_bars, exits.stop.frac=0.01..0.1, 'regime.detectors.*', "
        "risk.sizing.kind='fixed_fraction | volatility_target'; default: all ranges of the strategies",
    )  # fmt: skip
    g.add_argument(
        "--objective", "--hyperopt-loss", dest="objective", action="append", default=[], metavar="NAME[,KEY=V]",
        help="sharpe (default), sortino, calmar, profit_factor, total_return, drawdown_limited_return, expectancy, "
        "ulcer, or module:function of the metrics; repeatable: several make a Pareto front",
    )  # fmt: skip
    g.add_argument(
        "--constraint", action="append", default=[], metavar="TEXT",
        help="trade_count>=30 over a trial's metrics, or strategy.fast_bars<strategy.slow_bars over what is varied; "
        "repeatable",
    )  # fmt: skip
    g.add_argument("--min-trades", type=int, default=None, metavar="N", help="as --constraint trade_count>=N")
    g.add_argument("--sampler", choices=SAMPLERS, default="tpe", help="default tpe")
    g.add_argument(
        "--grid-points", type=int, default=10, metavar="N", help="points of a range that has more, in a grid"
    )
    g.add_argument(
        "--engine", choices=("auto", "fleet", "sweep"), default="auto",
        help="sweep: a whole grid by the kernel; fleet: a backtest per trial; auto: sweep where it can be",
    )  # fmt: skip
    g.add_argument(
        "--pruner",
        choices=PRUNERS,
        default="none",
        help="end trials that lag behind after a slice of the time",
    )
    g.add_argument(
        "--slices", type=int, default=4, metavar="N", help="slices of the time for --pruner; default 4"
    )
    g.add_argument(
        "--early-stop", type=int, default=None, metavar="N", help="stop after N trials without an improvement"
    )
    g = parser.add_argument_group("study")
    g.add_argument("--study", default=None, metavar="NAME", help="its name; default: a new one by date")
    g.add_argument(
        "--storage", default=None, metavar="URL",
        help="sqlite:///PATH or postgresql+pg8000://USER@HOST/DB (password: TRADEWIND_STUDY_PASSWORD[_FILE]); default: "
        "a file in --userdir",
    )  # fmt: skip
    g.add_argument(
        "--resume", action="store_true",
        help="go on with --study, or with the newest unfinished one, with the flags that it began with",
    )  # fmt: skip
    g.add_argument(
        "--write-preset",
        default=None,
        metavar="NAME",
        help="write the best parameters as a preset, with provenance",
    )
    g.add_argument(
        "--preset-into", choices=("userdir", "config"), default="userdir",
        help="presets/ of --userdir (default), or config/presets of this checkout",
    )  # fmt: skip
    g = parser.add_argument_group("workers")
    g.add_argument(
        "-j", "--workers", type=int, default=None, metavar="N",
        help="parallel workers; default all processors; 1: this process alone, without Ray; same result for any number",
    )  # fmt: skip
    g.add_argument("--address", default=None, help="a running Ray cluster, e.g. auto or host:6379")
    g.add_argument(
        "--memory-budget",
        type=float,
        default=None,
        metavar="MIB",
        help="replace a worker that holds more for itself",
    )


def run(args: argparse.Namespace) -> common.Outcome:
    """Run the verb."""
    from cluster.runs.study_run import conclude, execute, prepare  # Optuna: only who searches needs it

    if args.write_preset is not None:
        from cluster.runs.study_preset import preset_path

        preset_path(args.write_preset, args.preset_into, common.userdir(args))
    job = prepare(args)
    return conclude(job, execute(job))
