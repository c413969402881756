"""The contract as plain functions: each returns the faults it found, so that they can be run on cheats too.

A component is reached through two callables: ``make() -> instance`` and ``feed(instance, item) -> output``.
Outputs are compared as bytes: NaN equals NaN, -0.0 differs from 0.0, and so does the last bit.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import pydantic
from pydantic_core import PydanticUndefined

from actors.domain import state as codec
from actors.domain.errors import TradingError
from actors.domain.events.base import Event
from actors.domain.fitting import Refit
from actors.domain.state import Stateful
from actors.runtime.wire import encode_block

SCRATCH = (
    ("RiskCoordinator", "_book"),
    *(("SimulatedVenue", n) for n in ("_number", "_ts", "_moment", "_last", "_bars", "_mark_bars", "_budget")),
)  # fmt: skip
"""Attributes that each step writes before it reads them, by class and name: no memory."""
Make = Callable[[], Any]
Feed = Callable[[Any, Any], Any]


def outputs(thing: Any, feed: Feed, inputs: Sequence[Any]) -> list[bytes]:
    """Feed inputs and return each output as bytes."""
    return [encoded(feed(thing, x)) for x in inputs]


def encoded(value: Any) -> bytes:
    """Return an output as bytes; events as they travel."""
    if isinstance(value, list | tuple) and value and all(isinstance(v, Event) for v in value):
        return encode_block([list(value)])
    return pickle.dumps(_plain(value), protocol=5)


def check_deterministic(make: Make, feed: Feed, inputs: Sequence[Any]) -> list[str]:
    """Two instances, one after the other, agree on the same inputs."""
    return compare("two instances", outputs(make(), feed, inputs), outputs(make(), feed, inputs))


def check_isolated(make: Make, feed: Feed, inputs: Sequence[Any], others: Sequence[Any]) -> list[str]:
    """An instance does not notice a second one that works on other inputs between its own."""
    alone = outputs(make(), feed, inputs)
    one, two, found = make(), make(), []
    for x, y in zip(inputs, others, strict=False):
        feed(two, y)
        found.append(encoded(feed(one, x)))
    return compare("beside another instance", alone[: len(found)], found)


def check_causal(make: Make, feed: Feed, inputs: Sequence[Any], other: Sequence[Any], cut: int) -> list[str]:
    """Changing everything from `cut` on leaves the outputs before `cut` alone."""
    one = outputs(make(), feed, inputs)[:cut]
    two = outputs(make(), feed, [*inputs[:cut], *other[cut:]])[:cut]
    return compare("another future", one, two)


def check_snapshot(
    make: Make, feed: Feed, inputs: Sequence[Any], cut: int, steps: int | None = None
) -> list[str]:
    """State, through bytes, into a fresh instance: the same future; and taking it disturbs nobody.

    Parameters
    ----------
    cut : int
        Inputs before the snapshot.
    steps : int, optional
        How far into the future to look; default: as far as the inputs reach.
    """
    whole, later = make(), inputs[cut : None if steps is None else cut + steps]
    for x in inputs[:cut]:
        feed(whole, x)
    fresh = make()
    try:
        load(fresh, save(whole))
    except TradingError as e:
        return [f"after {cut} inputs: {e}"]
    faults = [f"after {cut} inputs: {x}" for x in check_same_memory(whole, fresh)]
    undisturbed = make()
    for x in inputs[:cut]:
        feed(undisturbed, x)
    expected = outputs(undisturbed, feed, later)
    faults += compare(f"snapshot taken after {cut} inputs", expected, outputs(whole, feed, later))
    return faults + compare(f"restored after {cut} inputs", expected, outputs(fresh, feed, later))


def check_pickled(make: Make, feed: Feed, inputs: Sequence[Any], cut: int) -> list[str]:
    """An instance that travelled to another process goes on as if it had stayed."""
    here = make()
    for x in inputs[:cut]:
        feed(here, x)
    try:
        there = pickle.loads(pickle.dumps(here, protocol=5))
    except (pickle.PicklingError, TypeError, AttributeError) as e:
        return [f"does not pickle: {e}"]
    return compare("after pickling", outputs(here, feed, inputs[cut:]), outputs(there, feed, inputs[cut:]))


def check_same_memory(whole: Any, fresh: Any) -> list[str]:
    """Every attribute of a restored instance equals the original's: nothing was left out of `STATE`.

    This also finds what would show in the outputs only much later.
    """
    one, two = memory(whole), memory(fresh)
    keys = list(dict.fromkeys([*one, *two]))
    return [f"attribute {k} is not restored" for k in keys if one.get(k) != two.get(k)]


def check_stateless(thing: Any, feed: Feed, inputs: Sequence[Any]) -> list[str]:
    """What says that it keeps nothing keeps nothing."""
    before = memory(thing)
    for x in inputs:
        feed(thing, x)
    return [f"attribute {k} changed" for k, v in memory(thing).items() if before.get(k) != v]


def check_batch_causal(batch: Callable[[Any], Any], frame: Any, other: Any, cut: int) -> list[str]:
    """A batch form agrees before `cut` over frames that agree there: another future, and none at all.

    The end of the frame is moved a few bars as well: a peek at one sign is right by chance every other time.
    """
    one = _rows(batch(frame))
    rivals = [("another future", other, cut)]
    rivals += [("no future", frame.slice_rows(0, k), k) for k in (cut, *range(cut - 8, cut), cut // 2)]
    faults = []
    for what, rival, end in rivals:
        two = _rows(batch(rival))
        differs = np.nonzero(~_same(one[:, :end], two[:, :end]).all(axis=0))[0]
        if differs.size:
            faults.append(f"batch: bar {int(differs[0])} changes with {what} after bar {end}")
    return faults


def check_batch(
    make: Make, feed: Feed, inputs: Sequence[Any], batch: Callable[[Any], Any], frame: Any
) -> list[str]:
    """Batch equals streaming to the bit."""
    thing = make()
    streamed = np.array([list(feed(thing, x)) for x in inputs], dtype=np.float64).T
    whole = _rows(batch(frame))
    if streamed.shape != whole.shape:
        return [f"batch: expected shape {streamed.shape}, found {whole.shape}"]
    differs = np.nonzero(~_same(streamed, whole).all(axis=0))[0]
    return [f"batch and streaming part at bar {int(differs[0])}"] if differs.size else []


def check_warmup(
    make: Make, feed: Feed, inputs: Sequence[Any], silent: Callable[[Any], bool], warmup: int, slack: int = 0
) -> list[str]:
    """Silent on each input before `warmup`, and no longer than `slack` inputs beyond it.

    Parameters
    ----------
    silent : callable
        Tells of one output whether it says nothing (NaN, flat, uniform).
    """
    thing = make()
    spoken = [not silent(feed(thing, x)) for x in inputs]
    if True not in spoken:
        return [f"warm-up: expected values after {warmup} inputs, found none in {len(inputs)}"]
    first = spoken.index(True)
    if warmup <= first <= warmup + slack:
        return []
    return [f"warm-up: declared {warmup}, first value at input {first}"]


def check_scale(
    make: Make,
    feed: Feed,
    inputs: Sequence[Any],
    scaled: Sequence[Any],
    numbers: Callable[[Any], Sequence[float]],
    rtol: float = 0.0,
) -> list[str]:
    """The same pure numbers whatever the unit of price; `rtol` 0 asks for the same bits."""
    one_thing, two_thing = make(), make()
    for k, (x, y) in enumerate(zip(inputs, scaled, strict=True)):
        one, two = (
            np.asarray(numbers(feed(t, v)), dtype=np.float64) for t, v in ((one_thing, x), (two_thing, y))
        )
        equal = _same(one, two).all() if rtol == 0.0 else np.allclose(one, two, rtol, rtol, equal_nan=True)
        if not equal:
            return [f"scale: output {k} is {one.tolist()}, in another unit {two.tolist()}"]
    return []


def check_params(cls: type[Any]) -> list[str]:
    """Parameters are frozen, refuse unknown keys, have every default, and survive JSON and pickle."""
    model = getattr(cls, "Params", None)
    if not (isinstance(model, type) and issubclass(model, pydantic.BaseModel)):
        return ["Params: missing"]
    faults = []
    if model.model_config.get("frozen") is not True:
        faults.append("Params: not frozen")
    if model.model_config.get("extra") != "forbid":
        faults.append("Params: unknown keys are accepted")
    faults += [
        f"Params.{name}: no default"
        for name, field in model.model_fields.items()
        if field.default is PydanticUndefined and field.default_factory is None
    ]
    if faults:
        return faults
    made = model()
    if model.model_validate_json(made.model_dump_json()) != made:
        faults.append("Params: lost on the way through JSON")
    if pickle.loads(pickle.dumps(made)) != made:
        faults.append("Params: lost on the way through pickle")
    return faults


def check_docstring(cls: type[Any]) -> list[str]:
    """Class, parameters and public methods say what they are; state and warm-up are told where there are any."""
    own = vars(cls).get("__doc__") or ""
    faults = [] if own.strip() else ["docstring: missing"]
    if own and not own.strip().split("\n\n")[0].rstrip().endswith((".", ":")):
        faults.append("docstring: the first paragraph is no sentence")
    if not (vars(cls.Params).get("__doc__") or "").strip():
        faults.append("Params: no docstring")
    faults += [
        f"{name}: no docstring"
        for name, value in vars(cls).items()
        if callable(value) and not name.startswith("_") and not isinstance(value, type) and not value.__doc__
    ]
    if "warmup_bars" in _annotations(cls) and "warm-up" not in own.lower():
        faults.append("docstring: the warm-up is not stated")
    return faults


def compare(what: str, expected: Sequence[bytes], found: Sequence[bytes]) -> list[str]:
    """Return the first difference of two sequences of outputs."""
    if len(expected) != len(found):
        return [f"{what}: expected {len(expected)} outputs, found {len(found)}"]
    for number, (a, b) in enumerate(zip(expected, found, strict=True)):
        if a != b:
            return [f"{what}: output {number} differs"]
    return []


def save(thing: Any) -> bytes:
    """Return an agent's or a component's state."""
    return thing.snapshot() if hasattr(thing, "snapshot") else codec.dumps(thing.state())


def load(thing: Any, data: bytes) -> None:
    """Restore what `save` returned."""
    if hasattr(thing, "restore"):
        thing.restore(data)
    else:
        thing.load_state(codec.loads(data, allow_opaque=True))


def pending_refits(thing: Any) -> list[Refit]:
    """Return the refits inside a component or agent that have been asked for and are not due yet."""
    return [r for r in _walk(thing, Refit, {}) if r.pending]


def has_refit(thing: Any) -> bool:
    """Tell whether a component or agent refits at all."""
    return any(True for _ in _walk(thing, Refit, {}))


def first_pending(make: Make, feed: Feed, inputs: Sequence[Any], start: int = 0) -> int | None:
    """Return how many inputs it takes until a refit is under way, from `start` on."""
    thing = make()
    for k, x in enumerate(inputs):
        feed(thing, x)
        if k >= start and pending_refits(thing):
            return k + 1
    return None


def memory(thing: Any) -> dict[str, Any]:
    """Return all that an object remembers, attribute by attribute, as comparable plain values."""
    return dict(_attributes(thing, list(vars(thing)), frozenset()))


def _walk(value: Any, wanted: type, seen: dict[int, Any]) -> Iterator[Any]:
    if id(value) in seen:
        return
    seen[id(value)] = value
    if isinstance(value, wanted):
        yield value
    elif isinstance(value, dict):
        for v in value.values():
            yield from _walk(v, wanted, seen)
    elif isinstance(value, list | tuple):
        for v in value:
            yield from _walk(v, wanted, seen)
    elif isinstance(value, Stateful):
        for v in vars(value).values():
            yield from _walk(v, wanted, seen)


def _remembered(value: Any, above: frozenset[int]) -> Any:
    if value is None or isinstance(value, bool | int | str | bytes):
        return value
    if isinstance(value, float):
        return "nan" if value != value else value.hex()
    if isinstance(value, np.ndarray):
        return (value.dtype.str, value.shape, value.tobytes())
    if isinstance(value, np.random.Generator):
        return repr(value.bit_generator.state)
    if hasattr(value, "submit") and hasattr(value, "result"):
        return "fits"  # the host's, not ours
    if hasattr(value, "snapshot") and not isinstance(value, Stateful):
        return value.snapshot()
    if id(value) in above:
        return "cycle"
    above = above | {id(value)}
    if isinstance(value, dict):
        return [(_remembered(k, above), _remembered(v, above)) for k, v in value.items()]
    if isinstance(value, list | tuple) or type(value).__name__ == "deque":
        return [_remembered(v, above) for v in value]
    if hasattr(value, "__struct_fields__"):
        return [_remembered(getattr(value, f), above) for f in value.__struct_fields__]
    if callable(value):
        return getattr(value, "__qualname__", type(value).__name__)
    names = list(getattr(value, "__dict__", {})) + [
        s for c in type(value).__mro__ for s in getattr(c, "__slots__", ()) if hasattr(value, s)
    ]
    if not names:
        try:
            return pickle.dumps(value, protocol=5)
        except TypeError:
            return type(value).__qualname__  # a compiled view of what is compared beside it
    return _attributes(value, names, above)


def _attributes(value: Any, names: Sequence[str], above: frozenset[int]) -> list[tuple[str, Any]]:
    own = [n for n in dict.fromkeys(names) if n != "__weakref__" and (type(value).__name__, n) not in SCRATCH]
    return [(n, _remembered(getattr(value, n), above)) for n in own]


def _annotations(cls: type[Any]) -> dict[str, Any]:
    return {name: a for c in cls.__mro__ for name, a in vars(c).get("__annotations__", {}).items()}


def _rows(columns: Any) -> Any:
    return np.atleast_2d(np.asarray(columns, dtype=np.float64))


def _same(a: Any, b: Any) -> Any:
    return (a.view(np.int64) == b.view(np.int64)) | (np.isnan(a) & np.isnan(b))


def _plain(value: Any) -> Any:
    if hasattr(value, "__struct_fields__"):
        return [type(value).__name__, *(_plain(getattr(value, f)) for f in value.__struct_fields__)]
    if isinstance(value, tuple | list):
        return [_plain(v) for v in value]
    if isinstance(value, np.ndarray):
        return [_plain(v) for v in value.tolist()]
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    if isinstance(value, float):
        return "nan" if value != value else value.hex()
    return str(value) if not isinstance(value, str | int | bool | None) else value
