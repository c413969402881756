"""Parameters that follow the regime in a whole fleet: kept in the journal, and the same on a resumed run."""

from __future__ import annotations

from pathlib import Path

import pytest
import small

from actors.adapters.journal.reader import JournalReader
from actors.adapters.journal.verify import verify
from actors.domain.events.signal import ParametersSwitched
from actors.runtime.recorder import Recorder
from cluster.runs.execute import Finished, open_run, run_local

MAP = ("{min_dwell_bars: 4, confirm_bars: 1, min_confidence: 0.1, by_regime: {sideways: {window_bars: 7}, "
       "high_volatility: {window_bars: 21}, bull: {window_bars: 28}}}")  # fmt: skip
SETS = (
    f"strategies=[{{kind: rsi, adaptive: {MAP}}}, {{kind: ma_crossover}}]", "learning.predictors=[]",
    "features.indicators=[]", "regime.detectors=[{kind: volatility}, {kind: trend}]",
    "runtime.snapshot_every_steps=64", "runtime.block_steps=32",
)  # fmt: skip


class Stopped(Exception):
    pass


def _run(folder: Path, *, resume: bool = False, until: int | None = None) -> Finished:
    def stop(steps: int, _: Recorder) -> None:
        if until is not None and steps >= until:
            raise Stopped

    plan = small.plan(folder, journal=True, sets=SETS)
    open_run(plan, {})
    return run_local(plan, resume=resume, progress=stop)


def test_switches_are_in_the_journal_in_the_log_and_in_the_record_and_survive_a_crash(tmp_path: Path) -> None:
    whole = _run(tmp_path / "whole")
    record = whole.recorder.record
    lines = (whole.plan.run_dir / "decisions.jsonl").read_text().splitlines()
    with JournalReader(whole.plan.journal_url, whole.plan.run_id) as journal:
        kept = [r for r in journal.reports() if isinstance(r.event, ParametersSwitched)]
        assert verify(journal) == []
    assert len(kept) == sum('"ParametersSwitched"' in line for line in lines) >= len(record.switches) > 2
    assert {r.source for r in kept} == {"strategy-rsi"}
    last = [r.event for r in kept][-len(record.switches) :]
    assert [(e.ts_event_ns, e.instrument_id, e.previous, e.chosen) for e in last] == [
        (s.ts_ns, s.pair, s.previous, s.chosen) for s in record.switches
    ]
    for pair in whole.plan.pairs:
        chain = [e for e in (r.event for r in kept) if e.instrument_id == pair]
        assert [e.previous for e in chain] == ["global", *(e.chosen for e in chain[:-1])]

    with pytest.raises(Stopped):
        _run(tmp_path / "cut", until=300)
    found = _run(tmp_path / "cut", resume=True)
    assert found.recorder.log.digest() == whole.recorder.log.digest()
    assert found.recorder.record.switches == record.switches
