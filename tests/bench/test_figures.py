"""Tables of the bench: goals are judged on the right side, rows become figures, nothing unmeasured counts."""

from __future__ import annotations

import json
import math

import pytest

from cluster.bench import fleet, ray_figures
from cluster.bench.figures import Figure, kernel_figures, table, tally
from cluster.bench.processes import parse_pss_mib, percentile
from cluster.cli.bench import chosen
from cluster.cli.common import plain


@pytest.mark.parametrize(
    ("value", "sense", "met"),
    [(3.0, ">=", True), (2.9, ">=", False), (3.0, "<=", True), (3.1, "<=", False), (None, ">=", None),
     (math.nan, "<=", None)],
)  # fmt: skip
def test_goal_is_judged_on_its_side(value: float | None, sense: str, met: bool | None) -> None:
    assert Figure("ray", "x", value, "ms", 3.0, sense).met is met  # type: ignore[arg-type]


def test_tally_counts_only_what_was_measured() -> None:
    figures = [
        Figure("a", "met", 2.0, goal=1.0), Figure("a", "missed", 0.5, goal=1.0),
        Figure("a", "unmeasured", None, goal=1.0), Figure("a", "no goal", 7.0),
    ]  # fmt: skip
    assert tally(figures) == (1, 2)
    text = table(figures)
    assert text.count("NOT MET") == 1
    assert len(text.splitlines()) == 4
    assert table([]) == ""


def test_kernel_rows_become_figures_with_their_goals() -> None:
    rows = [
        {"what": "sma 20", "faster_than_talib": 1.7, "max_error": 2e-11},
        {"what": "macd", "faster_than_talib": None},
        {"what": "donchian 20", "faster_than_talib": 0.5},
        {"what": "fused 9, caller's buffers", "faster_than_talib": 1.9, "max_error": 1e-13},
        {"what": "fused 9, fresh outputs", "faster_than_talib": 1.0, "max_error": None},
        {"what": "stream ema", "ns_per_bar": 70.0, "x_empty_call": 1.3},
        {"what": "stream rsi", "ns_per_bar": 70.0, "x_empty_call": 1.3},
        {"what": "stream indicator_set", "ns_per_bar": 240.0, "x_empty_call": 3.0},
    ]
    found = {f.name: f for f in kernel_figures(rows)}
    assert found["sma 20 against TA-Lib"].met is True
    assert found["sma 20 error"].met is False
    assert found["macd against TA-Lib"].met is None
    assert "not installed" in found["macd against TA-Lib"].note
    assert not any(name.startswith(("donchian", "fused 9, fresh")) for name in found)
    assert found["fused 9, caller's buffers against TA-Lib"].goal == 1.8
    assert found["ema update against an empty call"].met is False
    assert found["rsi update against an empty call"].met is True
    assert found["ten indicators, one bar"].met is True


def _local() -> dict[str, object]:
    return {
        "pairs": 2, "agents": 27, "empty_call_ns": 100.0, "pair_bars_per_cpu_s": 2000.0,
        "pair_bars_per_s_at_reference": 4000.0, "pair_bars_per_s": 1900.0, "us_per_pair_bar": 500.0,
        "empty_calls_per_pair_bar": 5000.0, "fit_cpu_s": 1.0, "fit_count": 3, "plumbing_frac": 0.2,
        "x_empty_fleet": 40.0, "empty_fleet_us_per_pair_bar": 12.0,
    }  # fmt: skip


def test_local_figures_say_at_which_speed_the_goal_is_met() -> None:
    found = {f.name: f for f in fleet.figures({"2_pairs": _local()})}
    assert found["2 pairs: pair-bars per CPU second"].met is False
    assert found["2 pairs: the same where an empty call takes 50 ns"].met is True
    assert found["2 pairs: share of plumbing"].value == 20.0


def _ray(*, whole: bool) -> dict[str, object]:
    measured: dict[str, object] = {
        "memory": {"light_max_mib": 66.0, "light_worst": "bus", "light_median_mib": 60.0, "heavy_max_mib": None,
                   "heavy_worst": ""},
        "start_cpu_s": 30.0, "start_wall_s": 15.0, "processes": 31, "bars_per_s": 70.0, "pair_bars": 512,
        "x_empty_every_step": 0.5, "bars_per_s_every_step": 20.0, "empty_bars_per_s_every_step": 40.0,
        "x_empty_as_it_runs": 0.1, "bars_per_s_as_it_runs": 70.0, "empty_bars_per_s_as_it_runs": 700.0,
        "trial_steps": 512, "trials": 70, "trials_broken": 9, "decisions_per_s": 200.0, "verdict_p50_ms": 20.0,
        "verdict_p99_ms": 60.0, "single_steps": 64, "step_p50_ms": 25.0, "step_p99_ms": 80.0,
        "input_commit_p50_ms": 3.0, "input_commit_p99_ms": 9.0, "order_commit_p50_ms": 3.0,
        "order_commit_p99_ms": 9.0, "order_commits": 10,
    }  # fmt: skip
    if whole:
        measured |= {"plain_start_cpu_s": 20.0, "recovery_light_s": 1.0, "recovery_heavy_s": 9.0}
    return measured


def test_ray_figures_of_a_whole_run() -> None:
    found = {f.name: f for f in ray_figures.figures(_ray(whole=True))}
    assert found["start-up against import-free actors"].value == 1.5
    assert found["start-up against import-free actors"].met is False
    assert found["recovery of a light agent after SIGKILL"].met is True
    assert found["recovery of a heavy agent after SIGKILL"].met is False
    assert found["against an empty fleet, a call for every step in both"].met is False
    assert found["against an empty fleet, each as it runs"].goal is None
    assert "70 trials for 512 steps, 9 broken" in found["against an empty fleet, each as it runs"].note


def test_quick_run_leaves_out_and_says_so() -> None:
    figures = ray_figures.figures(_ray(whole=False))
    missing = [f for f in figures if f.value is None and f.goal is not None]
    assert [f.met for f in missing] == [None] * 4  # start-up, two recoveries, heavy memory unknown
    assert sum("--quick" in f.note for f in missing) == 3
    json.dumps(plain([f.row() for f in figures]), allow_nan=False)


def test_only_keeps_the_order_and_refuses_the_unknown() -> None:
    assert chosen("ray,kernels") == ["kernels", "ray"]
    for text in ("", "kernel", "local,gpu"):
        with pytest.raises(Exception, match="--only: expected"):
            chosen(text)


def test_memory_and_percentiles_of_nothing_are_undefined() -> None:
    assert parse_pss_mib("Rss: 1 kB\n") is None
    assert math.isnan(percentile([], 0.5))
    assert percentile([5.0], 0.99) == 5.0
