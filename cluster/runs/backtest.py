"""A backtest: one plan over stored bars in this process; what was decided before an error or an interrupt is kept."""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass
from pathlib import Path

from actors.domain import kernels
from actors.domain.errors import TradingError
from actors.domain.evaluation.attribution import Attribution
from actors.runtime.recorder import Recorder
from cluster.runs.backtest_fast import FastRun
from cluster.runs.backtest_recorder import BacktestRecorder
from cluster.runs.execute import Finished, run_local
from cluster.runs.plan import RunPlan
from cluster.runs.view import progress_view

DECISIONS = "decisions.jsonl"
DONE, FAILED, INTERRUPTED = "done", "failed", "interrupted"


@dataclass
class Backtest:
    """A backtest that came to an end, whichever.

    Attributes
    ----------
    finished : Finished
        Everything up to the last whole step.
    attribution : Attribution
        Who wanted what, collected on the way.
    status : str
        ``done``, ``failed`` or ``interrupted``.
    error : Exception or None
        What ended a failed run.
    path : str
        ``event`` or ``fast``.
    notes : tuple of str
        What a reader of the result must know about how it came about.
    """

    finished: Finished
    attribution: Attribution
    status: str = DONE
    error: Exception | None = None
    path: str = "event"
    notes: tuple[str, ...] = ()


def run_events(args: argparse.Namespace, plan: RunPlan, log: Path | None) -> Backtest:
    """Run a plan on the event path: every agent, step after step.

    Parameters
    ----------
    log : Path or None
        Where the canonical decision lines go.

    Notes
    -----
    Agents that read no fills run ahead in blocks, so an error reaches us with up to a block of steps not
    recorded yet. The run is deterministic: it is then made again, one step at a time where it broke.
    """
    recorder = BacktestRecorder(plan, log)
    status, error = DONE, None
    finished: Finished | None = None
    try:
        with progress_view(args, plan, "backtesting", "local") as view:
            finished = run_local(plan, progress=view.update, recorder=recorder)
    except KeyboardInterrupt:
        status = INTERRUPTED
    except Exception as e:  # noqa: BLE001 - whatever it is, what was decided before it is kept and shown
        status, error = FAILED, e
    if error is not None:
        reached = recorder.steps
        recorder.close()
        recorder = BacktestRecorder(plan, log)
        try:
            run_local(plan, recorder=recorder, single_from=reached)
        except KeyboardInterrupt:
            status = INTERRUPTED
        except Exception as e:  # noqa: BLE001 - the same error again, now with all steps before it
            error = e
    recorder.close()
    return Backtest(finished or partial(plan, recorder), recorder.attribution, status, error)


def run_fast(args: argparse.Namespace, plan: RunPlan, log: Path | None) -> Backtest:
    """Run a plan on the fast path; a run that breaks is made again on the event path, which knows up to where.

    Parameters
    ----------
    plan : RunPlan
        Without an `obstacle` of `backtest_fast`.
    """
    recorder = BacktestRecorder(plan, log)
    kernels.select_backend(plan.settings.kernel_backend, require_native=plan.settings.require_native)
    started, cpu, status = time.perf_counter(), time.process_time(), DONE
    try:
        with progress_view(args, plan, "backtesting", "local") as view:
            run = FastRun(plan, recorder)
            run.run(view.update)
    except KeyboardInterrupt:
        status = INTERRUPTED
    except Exception:  # whatever it is, the event path meets it too and keeps what came before
        recorder.close()
        again = run_events(args, plan, log)
        if again.status == DONE:
            raise  # it does not: our own error, and no reason to go on as if there were none
        return again
    recorder.close()
    finished = partial(plan, recorder)
    finished.wall_s, finished.extra["cpu_s"] = time.perf_counter() - started, time.process_time() - cpu
    return Backtest(finished, recorder.attribution, status, path="fast")


def partial(plan: RunPlan, recorder: Recorder) -> Finished:
    """Return what a run left behind that did not come to its end."""
    import os

    agents = [{"name": s.name, "kind": s.kind, "pid": os.getpid()} for s in plan.graph.specs]
    return Finished(plan, recorder, "local", agents, 0.0)


def exit_code(backtest: Backtest) -> int | None:
    """Return the exit code that the end of a backtest asks for; None if it is done."""
    if backtest.status == INTERRUPTED:
        return 130
    if backtest.error is None:
        return None
    return backtest.error.exit_code if isinstance(backtest.error, TradingError) else 5
