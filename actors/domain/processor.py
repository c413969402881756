"""The mind of an agent: one pure method from a step's inputs to events.

A run is a function of its input log. Per step the host hands each agent the complete set of events that its
upstreams produced (delay 0: in this step; delay d: d steps ago), in the order (priority, source, seq). What
the agent returns may depend on that set and on its state only.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Protocol

import msgspec
import numpy as np

from actors.domain import state as state_codec
from actors.domain.events.base import Event
from actors.domain.fitting import FitRunner
from actors.domain.model.instrument import Instrument
from actors.domain.state import Stateful


class Step(msgspec.Struct, frozen=True, gc=False):
    """One time slice for one agent.

    Attributes
    ----------
    number : int
        Counts the slices of the run, warm-up included, from 0.
    ts_event_ns : int
        Close of the slice's bars.
    inbox : tuple of Event
        The agent's complete input set, ordered by (priority, source, seq).
    warmup : bool
        True before the first step in which decisions are allowed: learn, but open nothing.
    """

    number: int
    ts_event_ns: int
    inbox: tuple[Event, ...]
    warmup: bool = False


class Processor(Protocol):
    """What a host needs of an agent."""

    consumes: ClassVar[tuple[type[Event], ...]]

    def process(self, step: Step) -> Sequence[Event]: ...

    def snapshot(self) -> bytes: ...

    def restore(self, state: bytes) -> None: ...


class AgentContext:
    """What an agent may know when it is built; the same on every host.

    Attributes
    ----------
    name : str
    pairs : tuple of str
        In configured order.
    instruments : mapping pair → Instrument
    timeframe_ns : int
    seed : int
        Seed of the run; draw generators with `rng`.
    fits : FitRunner
    """

    def __init__(
        self,
        name: str,
        instruments: Mapping[str, Instrument],
        timeframe_ns: int,
        seed: int,
        fits: FitRunner,
    ) -> None:
        self.name = name
        self.instruments = dict(instruments)
        self.pairs = tuple(self.instruments)
        self.timeframe_ns = timeframe_ns
        self.seed = seed
        self.fits = fits

    def rng(self, *parts: str | int) -> np.random.Generator:
        """Return a generator seeded by (run seed, agent, parts): the same in every process."""
        return np.random.default_rng(derive_seed(self.seed, self.name, *parts))


def derive_seed(seed: int, *parts: str | int) -> int:
    """Return a 64-bit seed from a run seed and a path of names.

    Examples
    --------
    >>> derive_seed(7, "regime-hmm", "BTC/USDT") == derive_seed(7, "regime-hmm", "BTC/USDT")
    True
    """
    text = "/".join([str(seed), *map(str, parts)])
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "little")


class Agent(Stateful):
    """Base of our processors: keeps the context, snapshots by `STATE`.

    Subclasses take ``(ctx, **params)``, set `consumes`, and write `process`.
    """

    consumes: ClassVar[tuple[type[Event], ...]] = ()
    speaks_on: ClassVar[tuple[type[Event], ...] | None] = None
    """In a step without one of these it says nothing; None means any event that it consumes."""
    can_take_back: ClassVar[bool] = False
    """True if `restore` takes back all that `process` changes: its steps may be tried and taken back.

    Each class says it for itself, nobody inherits it. False where anything is written to the outside, or where
    code runs of which nobody knows what it keeps.
    """

    def __init__(self, ctx: AgentContext) -> None:
        self.ctx = ctx
        self.name = ctx.name

    def process(self, step: Step) -> Sequence[Event]:
        """Return the events of this step."""
        raise NotImplementedError

    def snapshot(self) -> bytes:
        """Return the whole state."""
        return state_codec.dumps(self.state())

    def restore(self, state: bytes) -> None:
        """Load a snapshot whose signature the shell has verified."""
        tree: dict[str, Any] = state_codec.loads(state, allow_opaque=True)
        self.load_state(tree)
