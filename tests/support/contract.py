"""Checks that every component and every fleet must pass; each returns the faults it found."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

Make = Callable[[], Any]
Feed = Callable[[Any, Any], Any]


def outputs(thing: Any, feed: Feed, inputs: Sequence[Any]) -> list[bytes]:
    """Feed inputs; each output as bytes, so that NaN equals NaN and -0.0 differs from 0.0."""
    return [pickle.dumps(_plain(feed(thing, x)), protocol=5) for x in inputs]


def check_deterministic(make: Make, feed: Feed, inputs: Sequence[Any]) -> list[str]:
    """Two instances agree on the same inputs."""
    return _compare("two instances", outputs(make(), feed, inputs), outputs(make(), feed, inputs))


def check_causal(make: Make, feed: Feed, inputs: Sequence[Any], other: Sequence[Any], cut: int) -> list[str]:
    """Changing everything from `cut` on leaves the outputs before `cut` alone."""
    one = outputs(make(), feed, inputs)[:cut]
    two = outputs(make(), feed, [*inputs[:cut], *other[cut:]])[:cut]
    return _compare("another future", one, two)


def check_snapshot(make: Make, feed: Feed, inputs: Sequence[Any], cut: int) -> list[str]:
    """State, through bytes, into a fresh instance: the same future."""
    from actors.domain import state as codec

    whole = make()
    for x in inputs[:cut]:
        feed(whole, x)
    data = codec.dumps(whole.state())
    fresh = make()
    fresh.load_state(codec.loads(data, allow_opaque=True))
    return _compare("after restore", outputs(whole, feed, inputs[cut:]), outputs(fresh, feed, inputs[cut:]))


def check_batch_causal(batch: Callable[[Any], Any], frame: Any, other: Any, cut: int) -> list[str]:
    """A batch form over two frames that agree before `cut` agrees before `cut`."""
    one, two = np.atleast_2d(np.asarray(batch(frame))), np.atleast_2d(np.asarray(batch(other)))
    if one[:, :cut].tobytes() == two[:, :cut].tobytes():
        return []
    bad = np.nonzero(~_same(one[:, :cut], two[:, :cut]).all(axis=0))[0]
    return [f"batch: bar {int(bad[0])} changes with the future after bar {cut}"]


def check_batch(
    make: Make, feed: Feed, inputs: Sequence[Any], batch: Callable[[Any], Any], frame: Any
) -> list[str]:
    """Batch equals streaming to the bit."""
    thing = make()
    streamed = np.array([list(feed(thing, x)) for x in inputs], dtype=np.float64).T
    whole = np.atleast_2d(np.asarray(batch(frame), dtype=np.float64))
    if _same(streamed, whole).all():
        return []
    bar = int(np.nonzero(~_same(streamed, whole).all(axis=0))[0][0])
    return [f"batch and streaming part at bar {bar}"]


def _same(a: Any, b: Any) -> Any:
    return (a.view(np.int64) == b.view(np.int64)) | (np.isnan(a) & np.isnan(b))


def _plain(value: Any) -> Any:
    if hasattr(value, "__struct_fields__"):
        return [_plain(getattr(value, f)) for f in value.__struct_fields__]
    if isinstance(value, tuple | list):
        return [_plain(v) for v in value]
    if isinstance(value, np.ndarray):
        return [_plain(v) for v in value.tolist()]
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    if isinstance(value, float):
        return "nan" if value != value else value.hex()
    return value


def _compare(what: str, one: list[bytes], two: list[bytes]) -> list[str]:
    for number, (a, b) in enumerate(zip(one, two, strict=True)):
        if a != b:
            return [f"{what}: output {number} differs"]
    return []
