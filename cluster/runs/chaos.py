"""Kills during a replay: who dies at which step (drawn from the seed), and what survived.

Each kill is SIGKILL to the actor's own process. A kill is struck while the blocks around its step are in
flight; an agent that has not come back yet is not killed again before it has.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import numpy as np

from actors.adapters.journal.entries import SUBMIT, VENUES_OWN
from actors.adapters.journal.reader import JournalReader
from actors.adapters.journal.verify import verify
from actors.domain.errors import ConfigError
from actors.domain.events.execution import OrderFilled, SubmitOrder
from actors.domain.events.portfolio import AccountCharged
from actors.domain.portfolio.ledger import Bookable, Ledger
from actors.domain.processor import derive_seed
from actors.runtime import names
from cluster.runs.execute import Finished
from cluster.runs.plan import RunPlan

MUST = (
    "coordinator-strategy",
    "coordinator-risk",
    "coordinator-execution",
    names.SUPERVISOR,
    names.BUS,
    names.JOURNAL,
)
_PLATFORM = (names.SUPERVISOR, *names.PLATFORM)


@dataclass
class Kill:
    """One kill; `recovery_ms` runs from the signal to the first answer of the restored process."""

    agent: str
    step: int
    pid_before: int = 0
    pid_after: int = 0
    recovery_ms: float = float("nan")


def draw_kills(agents: Sequence[str], kills: int, first: int, last: int, seed: int) -> list[Kill]:
    """Draw victims and steps: each of `MUST` that the fleet has at least once, the rest over everybody.

    Raises
    ------
    ConfigError
        If there are too few kills or steps.

    Examples
    --------
    >>> [k.agent for k in draw_kills(["a", *MUST], 7, 0, 100, 1)] == [
    ...     k.agent for k in draw_kills(["a", *MUST], 7, 0, 100, 1)]
    True
    """
    everybody = [*agents, *_PLATFORM]
    must = [name for name in MUST if name in everybody]
    if kills < len(must):
        raise ConfigError(
            "KILLS_FEW",
            f"--kills: expected at least {len(must)} (one each of {', '.join(must)}), found {kills}",
        )
    if last - first < kills:
        raise ConfigError(
            "KILLS_MANY", f"--kills: expected at most one per step, found {kills} on {last - first} steps"
        )
    rng = np.random.default_rng(derive_seed(seed, "chaos"))
    victims = [*must, *(everybody[int(i)] for i in rng.integers(0, len(everybody), kills - len(must)))]
    rng.shuffle(victims)
    steps = sorted(int(k) for k in rng.choice(np.arange(first, last), size=kills, replace=False))
    return [Kill(v, k) for v, k in zip(victims, steps, strict=True)]


@dataclass
class Chaos:
    """Strikes the kills of a plan and watches the recoveries; its methods are the host's hooks."""

    queue: list[Kill]
    done: list[Kill] = field(default_factory=list)
    _waiting: dict[str, tuple[Kill, float]] = field(default_factory=dict)

    def on_submit(self, step: int, host: Any) -> None:
        """Strike what is due."""
        while self.queue and self.queue[0].step <= step and self.queue[0].agent not in self._waiting:
            kill = self.queue.pop(0)
            kill.step = step
            self.done.append(kill)
            if kill.agent in _PLATFORM:
                self._strike_platform(kill, host)
            else:
                self._strike_agent(kill, host)

    def _strike_agent(self, kill: Kill, host: Any) -> None:
        kill.pid_before = host.conducting.pids[kill.agent]
        self._waiting[kill.agent] = (kill, time.monotonic())
        os.kill(kill.pid_before, signal.SIGKILL)

    def _strike_platform(self, kill: Kill, host: Any) -> None:
        handle = host.supervisor if kill.agent == names.SUPERVISOR else host.handles[kill.agent]
        kill.pid_before = _pid(handle, 60.0)
        began = time.monotonic()
        os.kill(kill.pid_before, signal.SIGKILL)
        while True:
            pid = _pid(handle, 60.0)
            if pid != kill.pid_before:
                break
            time.sleep(0.01)
        kill.pid_after, kill.recovery_ms = pid, (time.monotonic() - began) * 1e3

    def on_recovered(self, rows: dict[str, dict[str, Any]], _: float) -> None:
        """Note who came back."""
        now = time.monotonic()
        for name, row in rows.items():
            if name in self._waiting:
                kill, began = self._waiting.pop(name)
                kill.pid_after, kill.recovery_ms = row["pid"], (now - began) * 1e3


def _pid(handle: Any, deadline_s: float) -> int:
    import ray
    from ray.exceptions import RayActorError

    end = time.monotonic() + deadline_s
    while True:
        try:
            answer = ray.get(handle.whoami.remote(), timeout=deadline_s)
            return int(answer["pid"] if isinstance(answer, dict) else answer)
        except RayActorError:
            if time.monotonic() > end:
                raise
            time.sleep(0.02)


def audit(finished: Finished, reference: Finished) -> dict[str, Any]:
    """Compare the journal of a run with an undisturbed one and its own ledger.

    Returns
    -------
    dict
        ``lost_orders duplicate_orders ledger_balanced journal_problems``.
    """
    plan = finished.plan
    wanted = submitted_ids(reference.recorder.lines)
    with JournalReader(plan.journal_url, plan.run_id) as journal:
        intents = [i for i in journal.intents() if i.kind == SUBMIT]
        told = list(journal.reports())
        problems = verify(journal)
    fills = [(r.step, r.event) for r in told if isinstance(r.event, OrderFilled)]
    charges = [(r.step, r.event) for r in told if isinstance(r.event, AccountCharged)]
    written = [i.client_order_id for i in intents]
    filled: dict[str, Decimal] = {}
    for _, fill in fills:
        if fill.intent_id.startswith(VENUES_OWN):
            continue
        filled[fill.client_order_id] = filled.get(fill.client_order_id, Decimal(0)) + fill.quantity
    ordered = {
        i.client_order_id: i.record.event.quantity for i in intents if isinstance(i.record.event, SubmitOrder)
    }
    over = [k for k, q in filled.items() if k not in ordered or q > ordered[k]]
    repeated = len(written) - len(dict.fromkeys(written))
    return {
        "lost_orders": len([k for k in wanted if k not in ordered]),
        "duplicate_orders": repeated + len(over) + len([k for k in ordered if k not in wanted]),
        "ledger_balanced": ledger_balanced(plan, [*fills, *charges], finished),
        "journal_problems": problems,
    }


def submitted_ids(lines: Sequence[str]) -> dict[str, None]:
    """Return the client order ids of a decision log, in order."""
    import json

    out: dict[str, None] = {}
    for line in lines:
        _, kind, _, fields = json.loads(line)
        if kind == "SubmitOrder":
            out[dict(fields)["client_order_id"]] = None
    return out


def ledger_balanced(plan: RunPlan, booked: Sequence[tuple[int, Bookable]], finished: Finished) -> bool:
    """Rebuild the ledger from the journal's fills and charges: balanced to the last digit, equal to the run's own."""
    model = plan.config.model
    ledger = Ledger.rebuild(
        plan.settings.instruments, model.account.initial_cash_quote, model.account.quote, booked
    )
    ledger.check()
    held = {pair: ledger.position(pair).quantity for pair in plan.pairs}
    return held == dict(finished.recorder.record.positions)
