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
Head = tuple[int, list[int], list[bool], list[Feed]]
"""What a call says beside its payloads: first step, times, warm-ups, feeds."""
_HEAD: msgspec.msgpack.Decoder[Head] = msgspec.msgpack.Decoder(Head)


def encode_block(steps: Sequence[Sequence[Event]]) -> bytes:
    """Return the events of consecutive steps as bytes.

    Examples
    --------
    >>> decode_block(encode_block([[], []]))
    [[], []]
    """
    return _ENCODER.encode(steps)


def encode_head(first: int, times: Sequence[int], warmups: Sequence[bool], feeds: Sequence[Feed]) -> bytes:
    """Return what a call says beside its payloads as one argument.

    Ray sends bytes as they are, but pickles every list by itself, on either side of every call.

    Examples
    --------
    >>> decode_head(encode_head(7, [1, 2], [False, False], [(0, 7, 1)]))
    (7, [1, 2], [False, False], [(0, 7, 1)])
    """
    return _ENCODER.encode((first, times, warmups, feeds))


def decode_head(head: bytes) -> Head:
    """Return ``(first, times, warmups, feeds)``."""
    return _HEAD.decode(head)


def decode_block(payload: bytes) -> list[list[Event]]:
    """Return one list of events per step."""
    return _DECODER.decode(payload)
