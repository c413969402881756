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


def encode_block(steps: Sequence[Sequence[Event]]) -> bytes:
    """Return the events of consecutive steps as bytes.

    Examples
    --------
    >>> decode_block(encode_block([[], []]))
    [[], []]
    """
    return _ENCODER.encode(steps)


def decode_block(payload: bytes) -> list[list[Event]]:
    """Return one list of events per step."""
    return _DECODER.decode(payload)
