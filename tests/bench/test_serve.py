"""Figures of serving: what counts as lost, late or failed."""

from __future__ import annotations

import json
import math
from typing import Any

import served

from cluster.bench import serve
from cluster.bench.figures import tally
from cluster.bench.serve_load import Load
from serve.schemas import RegimeRequest


def seen(**change: Any) -> Load:
    made = Load([i / 1000 for i in range(1, 101)], [(0.0, 0.1, 2)] * 100, [], [], 4.0)
    for name, value in change.items():
        setattr(made, name, value)
    return made


def test_latencies_are_those_of_ordered_answers() -> None:
    load = seen()
    assert (load.quantile_ms(0.5), load.quantile_ms(0.99), load.quantile_ms(1.0)) == (50.0, 99.0, 100.0)
    assert load.per_s == 25.0
    assert math.isnan(seen(latencies_s=[]).quantile_ms(0.5))


def measured(swap: Load, kill: Load, stale: int = 0) -> dict[str, Any]:
    rows = {n: serve.told(seen()) for n in serve.CLIENTS}
    struck = [
        {"deployment": d, "pid": 1, "whole_after_s": s}
        for d, s in (("Gateway", 3.0), ("RegimeInference", 5.0))
    ]
    return {
        "ready_s": 20.0, "load_average": 1.5, "seconds": 4.0, "fitted": rows, "learning": rows,
        "swap": {**serve.told(swap), "swaps": 8, "stale": stale, "answers_by_version": {2: 50, 3: 50}},
        "kill": {**serve.told(kill), "kills": struck, "longest_silence_s": 1.25},
    }  # fmt: skip


def test_one_failed_swap_one_stale_answer_or_one_lost_request_misses_a_goal() -> None:
    assert tally(serve.figures(measured(seen(), seen()))) == (3, 3)
    # failed at first and answered at the second try is what killing may cost
    assert tally(serve.figures(measured(seen(), seen(failures=["500: x"])))) == (3, 3)
    assert tally(serve.figures(measured(seen(failures=["500: x"]), seen()))) == (2, 3)
    assert tally(serve.figures(measured(seen(), seen(lost=["500: x"])))) == (2, 3)
    assert tally(serve.figures(measured(seen(), seen(), stale=1))) == (2, 3)
    slowest = next(f for f in serve.figures(measured(seen(), seen())) if "again" in f.name)
    assert slowest.value == 5.0
    json.dumps(measured(seen(), seen()))


def test_the_bench_asks_what_the_server_understands() -> None:
    for version in (None, 2):
        asked = RegimeRequest.model_validate_json(serve.question(served.bars(60), version))
        assert asked.model is not None
        assert asked.model.version == version
        assert len(asked.series[0].close) == 60
