"""Runs of the default fleet on the local host: with every agent's inbox kept, or with all outputs as bytes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import component_inputs as given
import contract
import small

from actors.domain.fitting import InlineFits
from actors.domain.model.bars import BarFrame
from actors.domain.processor import Agent, Step
from actors.runtime.build import build_agent
from actors.runtime.local import LocalHost
from actors.runtime.wire import encode_block
from cluster.runs.plan import RunPlan

BARS = 1450
EXITS = ["exits.stop.atr=3", "exits.target.r=2", "exits.time.bars=40"]
"""What the recorded fleet has beside the defaults, so that the agents of protective exits have work too."""


@dataclass
class Recording:
    """What each agent heard and answered, in order."""

    plan: RunPlan
    heard: dict[str, list[Step]]
    said: dict[str, list[bytes]]

    def build(self, name: str) -> Agent:
        """A fresh instance of one agent, with a fit runner of its own."""
        spec = self.plan.graph.specs[self.plan.graph.index[name]]
        return build_agent(spec, self.plan.settings, InlineFits())


def process(agent: Agent, step: Step) -> list[Any]:
    """Feed one step."""
    return list(agent.process(step))


def record(folder: Path, bars: int = BARS, parts_at: int | None = None) -> Recording:
    """Run the fleet and keep all inboxes.

    Parameters
    ----------
    parts_at : int, optional
        Step from which on the market is another one.
    """
    market = small.frames(bars)
    if parts_at is not None:
        market = changed(market, parts_at)
    plan = small.plan(folder, market=market, sets=EXITS)
    host = LocalHost(plan.graph, plan.settings)
    heard: dict[str, list[Step]] = {n: [] for n in plan.graph.names}
    said: dict[str, list[bytes]] = {n: [] for n in plan.graph.names}

    def listen(agent: Agent, name: str) -> None:
        inner = agent.process

        def kept(step: Step) -> Sequence[Any]:
            heard[name].append(step)
            out = inner(step)
            said[name].append(contract.encoded(list(out)))
            return out

        agent.process = kept  # type: ignore[method-assign]

    for name, agent in zip(plan.graph.names, host.agents, strict=True):
        listen(agent, name)
    for item in plan.feed:
        host.step(item)
    return Recording(plan, heard, said)


def changed(market: Mapping[str, BarFrame], step: int) -> dict[str, BarFrame]:
    """The same market up to a step, another one from there on."""
    cut_ns = int(next(iter(market.values())).open_ns[step])
    return {pair: given.another_future(f, cut_ns) for pair, f in market.items()}


def truncated(market: Mapping[str, BarFrame], step: int) -> dict[str, BarFrame]:
    """The market as it was known before a step."""
    cut_ns = int(next(iter(market.values())).open_ns[step])
    return {pair: f.slice_time(None, cut_ns) for pair, f in market.items()}


def one_pair_gone(market: Mapping[str, BarFrame], step: int) -> dict[str, BarFrame]:
    """The last pair's last bar is that of a step, which announces its end; there are none after it."""
    cut_ns = int(next(iter(market.values())).open_ns[step + 1])
    last = list(market)[-1]
    return {pair: f.slice_time(None, cut_ns) if pair == last else f for pair, f in market.items()}


def fleet_outputs(plan: RunPlan, until: int | None = None) -> list[bytes]:
    """All that the agents of a plan say, one entry per step."""
    host = LocalHost(plan.graph, plan.settings)
    slices = plan.feed.block(0, len(plan.feed) if until is None else until)
    return [step_bytes(host, item) for item in slices]


def step_bytes(host: LocalHost, item: Any) -> bytes:
    """One step of a fleet as bytes, with the names of who spoke."""
    return b"\n".join(name.encode() + encode_block([list(events)]) for name, events in host.step(item))


def check_fleet_causal(
    folder: Path,
    market: Mapping[str, BarFrame],
    futures: Mapping[str, Mapping[str, BarFrame]],
    step: int,
    sets: Sequence[str] = (),
) -> list[str]:
    """What the fleet says before a step is the same whatever follows it."""
    expected = fleet_outputs(small.plan(folder / "base", market=dict(market), sets=sets), step)
    faults = []
    for name, future in futures.items():
        found = fleet_outputs(small.plan(folder / name, market=dict(future), sets=sets), step)
        faults += contract.compare(f"fleet, {name}", expected, found)
    return faults
