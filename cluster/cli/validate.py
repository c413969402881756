"""``validate``: is the best of these trials more than luck? One verdict, all evidence, what would change it."""

from __future__ import annotations

import argparse

from cluster.cli import _search, common
from cluster.runs.pools import add_workers

HELP = "Search, then question the best trial by every test there is, and end in one verdict on one page."
EXAMPLE = (
    "tradewind validate -s ma_crossover --data BTCUSDT_1h.parquet -p BTC/USDT -i 1h -e 50 -j 2 "
    "--space strategy.fast_bars strategy.slow_bars"
)
KEYS = """The rule: "no evidence" if the deflated Sharpe ratio over all trials is below 0.95 or undefined; "evidence" if
every check is met; "weak evidence" between.

keys of the JSON result: verdict {words, checks [{name, asks, value, bound, at_least, met}], reasons, would_change},
best {number, params, value}, evidence {sample, sharpe, deflated_sharpe {value, trials, effective_trials,
expected_best_sharpe, bars_needed, bars_missing}, pbo {value, halves, loss_probability}, spa_cash and spa_benchmark
{lower, consistent, upper, superior}, k_fold, cpcv, walk_forward {choices, paths_sharpe_ann}, bootstrap {drawdown,
growth, loss_probability, ruin_probability}}, reruns {neighbours, noisy_candles, costs, resampled_markets}: {runs,
median_sharpe_ann, positive_frac, sharpes_ann}, trade_reshuffle, report. A part that cannot be computed is
{"undefined": why}. With --noise-study: noise_study {rows [{edge, markets, alarms, alarm_frac, pbo_mean, pbo_se,
spa_alarms}], checks}."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Flags of the verb."""
    parser.description = f"{HELP}\n\n{KEYS}"
    _search.add_search(parser, epochs=100, sampler="random")
    g = parser.add_argument_group("validation")
    g.add_argument("--blocks", type=int, default=16, metavar="S", help="of PBO, even; default 16")
    g.add_argument("--reruns", type=int, default=20, metavar="N",
                   help="of each other condition; default 20, 0 leaves them out")  # fmt: skip
    g.add_argument(
        "--trials-before", type=int, default=None, metavar="N",
        help="trials already made on this idea, which count too; default: those of the study that a preset names, or 0",
    )  # fmt: skip
    g.add_argument("--paths", type=int, default=1000, metavar="N", help="of each bootstrap; default 1000")
    g.add_argument(
        "--ruin", type=float, default=0.5, metavar="FRAC", help="drawdown that is ruin; default 0.5"
    )
    g.add_argument("--noise", type=float, default=0.1, metavar="SHARE",
                   help="noise of candles, in ranges of a bar; default 0.1")  # fmt: skip
    g = parser.add_argument_group("does the judge judge rightly?")
    g.add_argument(
        "--noise-study", type=int, default=None, metavar="MARKETS",
        help="instead: so many random walks without and with a planted edge, -e trials each (200), judged by the same "
        "code; needs no data; exit 1 if it cries wolf",
    )  # fmt: skip
    g.add_argument("--noise-bars", type=int, default=2000, metavar="N", help="bars of each; default 2000")
    g.add_argument(
        "--edges", default="0.05,0.1,0.15,0.2", metavar="LIST", help="planted edges, in deviations of a bar"
    )
    add_workers(parser)


def run(args: argparse.Namespace) -> common.Outcome:
    """Run the verb."""
    if args.noise_study is not None:
        from cluster.runs.noise_study import noise_study

        return noise_study(args)
    from cluster.runs.validate_run import conclude, execute, prepare  # Optuna: only who searches needs it

    job = prepare(args)
    return conclude(job, execute(job))
