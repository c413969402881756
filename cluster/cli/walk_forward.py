"""``walk-forward``: chosen by the past alone, again and again, would it have earned afterwards?"""

from __future__ import annotations

import argparse

from cluster.cli import _search, common
from cluster.runs.pools import add_workers

HELP = (
    "Optimise on each fold's past, run the choice on what follows, put the tests end to end and judge them."
)
EXAMPLE = (
    "tradewind walk-forward -s ma_crossover --data BTCUSDT_1h.parquet -p BTC/USDT -i 1h -e 20 -j 2 "
    "--train 180d --test 60d"
)
KEYS = """keys of the JSON result: verdict {words, checks, would_change}, metrics and intervals of the stitched
out-of-sample bars, benchmark, efficiency, folds [{number, train_from, train_to, test_from, test_to, params, reason,
train {value, trials, failed, study_hash, metrics, regimes
{choices, searched, value, used, notes}}, test {total_return_frac, cagr_frac, sharpe_ann, max_drawdown_frac,
trade_count}, efficiency, held, exit_cost_frac}], unused_bars, oos_hash, report."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Flags of the verb."""
    parser.description = f"{HELP}\n\n{KEYS}"
    _search.add_search(parser, epochs=30, sampler="tpe")
    g = parser.add_argument_group("folds")
    g.add_argument(
        "--folds", type=int, default=None, metavar="N", help="tests; default 6, or as many as --train and --test allow"
    )  # fmt: skip
    g.add_argument(
        "--train", default=None, metavar="LENGTH",
        help="730d, 12w, 36h or a number of bars; default: 3 tests long",
    )  # fmt: skip
    g.add_argument("--test", default=None, metavar="LENGTH", help="default: what --folds leave")
    g.add_argument("--embargo", default="24", metavar="LENGTH",
                   help="between train and test; default 24 bars")  # fmt: skip
    g.add_argument(
        "--anchored", action="store_true", help="every train begins at the first bar; else they roll"
    )
    g.add_argument(
        "--learn-regimes", action="store_true",
        help="learn parameters per regime in each fold: in each regime those of the trial that did best in it on the "
        "train; the map is used where it does better there than the global parameters",
    )  # fmt: skip
    g.add_argument(
        "--regime-bars", type=int, default=250, metavar="N",
        help="bars of a regime in the train that its own parameters need; default 250",
    )  # fmt: skip
    g.add_argument(
        "--regime-trades", type=int, default=10, metavar="N",
        help="round trips in that regime that they need; default 10",
    )  # fmt: skip
    g.add_argument(
        "--resume",
        action="store_true",
        help="keep the folds that an interrupted run of the same question finished",
    )
    add_workers(parser)


def run(args: argparse.Namespace) -> common.Outcome:
    """Run the verb."""
    from cluster.runs.walk_forward_run import conclude, execute, prepare  # Optuna: only who searches needs it

    job = prepare(args)
    return conclude(job, execute(job))
