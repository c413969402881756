"""What the conductor keeps of calls: who has computed which steps, and which of them each agent has been handed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from actors.runtime.calls import Call
from actors.runtime.graph import FEED, FleetGraph
from actors.runtime.wire import trim_block


class CallBook:
    """The calls of a run, planned and remembered; knows nothing of actors.

    An agent's inputs arrive as blocks of its upstreams. Each block is handed to an agent once, with the first call
    that needs a step of it.

    Parameters
    ----------
    graph : FleetGraph

    Attributes
    ----------
    window : list of Call
        Calls since the last complete snapshot, in order of submission.
    """

    def __init__(self, graph: FleetGraph) -> None:
        self._graph = graph
        self.window: list[Call] = []
        self._produced: dict[str, list[Call]] = {n: [] for n in (FEED, *graph.names)}
        # first step not handed out, by agent and slot of its inputs
        self._cursor: dict[tuple[str, int], int] = {}
        self._before_trial: dict[tuple[str, int], int] = {}

    def resume(self, step: int, kept: Mapping[str, Sequence[Call]]) -> None:
        """Start behind `step`: `kept` are the calls whose replies feedback still needs, by agent.

        A block that reaches beyond the snapshot is handed out again whether its agent had it or not: whoever had it
        overlooks it.
        """
        for agent, calls in kept.items():
            self._produced[agent].extend(calls)
        for spec in self._graph.specs:
            for slot, edge in enumerate(spec.inputs):
                self._cursor[(spec.name, slot)] = max(0, step + 1 - edge.delay)

    def plan(self, agent: str, first: int, count: int) -> Call:
        """Return the call with every upstream block that it is the first to need."""
        call = Call(agent, first, count)
        for slot, edge in enumerate(self._graph.specs[self._graph.index[agent]].inputs):
            need = first + count - edge.delay
            cursor = self._cursor.get((agent, slot), 0)
            if cursor >= need:
                continue
            for source in self.since(edge.source, cursor):
                if source.first >= need:
                    break
                call.feeds.append((slot, source, edge.delay))
                cursor = source.last + 1
            self._cursor[(agent, slot)] = cursor
        return call

    def add(self, call: Call) -> None:
        """Take a call that was submitted."""
        self.window.append(call)
        if call.count:
            self._produced[call.agent].append(call)

    def since(self, agent: str, step: int) -> Iterator[Call]:
        """Yield an agent's calls from the one that holds `step` on, as far as they are remembered."""
        produced = self._produced[agent]
        start = len(produced)
        while start > 0 and produced[start - 1].last >= step:
            start -= 1
        yield from produced[start:]

    def last(self, agent: str) -> Call:
        """Return an agent's newest call; raises IndexError if none is remembered."""
        return self._produced[agent][-1]

    def end(self, agent: str, default: int) -> int:
        """Return the first step behind all that was submitted of an agent; `default` if nothing is remembered."""
        return max((c.last + 1 for c in self._produced[agent]), default=default)

    # -- steps on trial -----------------------------------------------------------------------------------

    def begin_trial(self) -> None:
        """Note what has been handed out, so that a trial can be taken back."""
        self._before_trial = dict(self._cursor)

    def drop_trial(self) -> None:
        """Forget the calls on trial, and that anything was handed out with them."""
        calls = [c for c in self.window if c.trial]
        if not calls:
            return
        self.window = [c for c in self.window if not c.trial]
        for name in {c.agent for c in calls}:
            self._produced[name] = [c for c in self._produced[name] if not c.trial]
        agents = {c.agent for c in calls}
        for key in [k for k in self._cursor if k[0] in agents]:
            if key in self._before_trial:
                self._cursor[key] = self._before_trial[key]
            else:
                del self._cursor[key]

    def keep_trial(self, steps: int) -> None:
        """Keep the first `steps` steps of the calls on trial; all must be answered.

        What they said of later steps is taken back, from those who heard it too.
        """
        calls = {c.agent: c for c in self.window if c.trial}
        for call in calls.values():
            assert call.reply is not None
            if steps < call.count:
                call.count = steps
                call.reply, call.ref = trim_block(call.reply, steps), None
            call.trial = False
        for name, call in calls.items():
            for slot, edge in enumerate(self._graph.specs[self._graph.index[name]].inputs):
                if edge.source in calls:
                    key = (name, slot)
                    self._cursor[key] = min(self._cursor.get(key, 0), call.last + 1)

    def forget(self, step: int) -> None:
        """Drop what nobody needs once every agent holds a snapshot of `step`; feedback needs some steps before it."""
        keep = step - self._graph.max_delay
        self.window = [c for c in self.window if c.last > step or (c.count == 0 and c.first > step)]
        for name, calls in self._produced.items():
            self._produced[name] = [c for c in calls if c.last > keep]
