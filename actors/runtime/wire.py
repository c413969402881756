"""Blocks of events between processes: msgpack of a tagged union, one list of events per step.

Ray would pickle each event by itself (2-3 µs); one msgpack document per block costs a fraction of that, is
the same for every version of Python, and keeps a reply small enough to travel inline.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from operator import or_

import msgspec

from actors.domain.events.base import Event
from actors.domain.events.codec import EVENT_TYPES

_UNION = reduce(or_, EVENT_TYPES.values())
_DECODER = msgspec.msgpack.Decoder(list[list[_UNION]])  # type: ignore[valid-type]
_ENCODER = msgspec.msgpack.Encoder()

Feed = tuple[int, int, int]
"""One payload of a call: (input number, first step of the producer's block, delay)."""
Kept = tuple[int, int]
"""A trial that has ended: its first step, and how many of its steps stand; see `actors.runtime.order_path`."""
Head = tuple[int, list[int], list[bool], list[Feed], list[int] | None, Kept | None]
"""What a call says beside its payloads: first step, times, warm-ups, feeds, and of trials two things.

Which of the feeds are on trial (None in a call that is none itself), and the last trial that has ended.
"""
_STEPS = msgspec.msgpack.Decoder(list[msgspec.Raw])
_HEAD: msgspec.msgpack.Decoder[Head] = msgspec.msgpack.Decoder(Head)


def encode_block(steps: Sequence[Sequence[Event]]) -> bytes:
    """Return the events of consecutive steps as bytes.

    Examples
    --------
    >>> decode_block(encode_block([[], []]))
    [[], []]
    """
    return _ENCODER.encode(steps)


def encode_head(
    first: int,
    times: Sequence[int],
    warmups: Sequence[bool],
    feeds: Sequence[Feed],
    on_trial: Sequence[int] | None = None,
    kept: Kept | None = None,
) -> bytes:
    """Return what a call says beside its payloads as one argument.

    Ray sends bytes as they are, but pickles every list by itself, on either side of every call.

    Examples
    --------
    >>> decode_head(encode_head(7, [1, 2], [False, False], [(0, 7, 1)]))
    (7, [1, 2], [False, False], [(0, 7, 1)], None, None)
    """
    return _ENCODER.encode((first, times, warmups, feeds, on_trial, kept))


def decode_head(head: bytes) -> Head:
    """Return ``(first, times, warmups, feeds, on_trial, kept)``."""
    return _HEAD.decode(head)


def trim_block(payload: bytes, steps: int) -> bytes:
    """Return the first `steps` steps of a block, byte for byte as their agent encoded them.

    Examples
    --------
    >>> trim_block(encode_block([[], [], []]), 2) == encode_block([[], []])
    True
    """
    return _ENCODER.encode(_STEPS.decode(payload)[:steps])


def decode_block(payload: bytes) -> list[list[Event]]:
    """Return one list of events per step."""
    return _DECODER.decode(payload)
