"""Typed facts and commands that travel between agents.

Why `msgspec.Struct` and not frozen dataclasses: a frozen dataclass pays `object.__setattr__` for each field
(2-3 µs an event; some twenty events a bar), needs a hand-written codec and has no schema rules. A frozen
Struct is immutable, slotted, about ten times cheaper to make, pickles, and brings a strict codec in which
new fields need defaults: the evolution rule this project wants anyway. Cost: one small dependency.

The head is short on purpose: `(step, source, seq)` is the identity of an event and is known from where it
stands in an agent's output, so it is written down when the event is recorded (`EventRecord`), not carried.
"""
