"""Encode, decode and upgrade events: msgpack with a type tag and a schema version.

New fields have defaults; nothing is renamed or retyped. A new meaning is a new `schema_version` with an
entry in `_UPGRADES`, and journals written before must still decode.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from operator import attrgetter, itemgetter
from typing import Any

import msgspec

from actors.domain.errors import JournalError
from actors.domain.events import (
    evaluation,
    execution,
    features,
    market,
    portfolio,
    prediction,
    regime,
    risk,
    sentiment,
    system,
)
from actors.domain.events import signal as signal_events
from actors.domain.events.base import Event, EventRecord
from actors.domain.model.money import normal_str

_MODULES = (
    market,
    sentiment,
    features,
    regime,
    prediction,
    signal_events,
    risk,
    execution,
    portfolio,
    evaluation,
    system,
)
EVENT_TYPES: dict[str, type[Event]] = {
    name: obj
    for module in _MODULES
    for name, obj in sorted(vars(module).items())
    if isinstance(obj, type) and issubclass(obj, Event) and obj is not Event
}
_UPGRADES: dict[tuple[str, int], Callable[[dict[str, Any]], dict[str, Any]]] = {}
_DECODERS = {name: msgspec.msgpack.Decoder(cls) for name, cls in EVENT_TYPES.items()}
_ENCODER = msgspec.msgpack.Encoder()
_to_lines = msgspec.json.Encoder().encode_lines

DECISION_TYPES: tuple[str, ...] = (
    "SignalEmitted", "TargetExposureSet", "OrderIntentApproved", "OrderIntentDenied", "CircuitBreakerTripped",
    "CircuitBreakerReset", "SubmitOrder", "CancelOrder", "OrderRejected", "OrderFilled", "OrderCanceled",
    "OrderExpired", "AccountCharged", "ParametersSwitched",
)  # fmt: skip
_ON_CHANGE = ("SignalEmitted", "TargetExposureSet")
_WHERE_SET = {
    "SubmitOrder": frozenset(
        (
            "stop_price",
            "trailing_offset",
            "trailing_kind",
            "post_only",
            "reduce_only",
            "order_list_id",
            "parent_id",
            "parent_offset",
            "parent_offset_kind",
        )
    ),
}
"""Fields that stand in a canonical record only where they say something, so that the hash of a run that does
not use them is what it was before there were such fields."""
_HEAD = ("source", "correlation_id", "causation_id")
_MEMO = {"OrderFilled": ("spread_quote", "impact_quote")}
"""Figures that split another field for people to read: nothing is decided by them."""
_FIELDS = {
    n: tuple(f for f in c.__struct_fields__ if f not in (*_HEAD, *_MEMO.get(n, ())))
    for n, c in EVENT_TYPES.items()
}
_STAGES = ("system", "market", "venue", "ledger", "features", "regime", "learning", "strategies",
           "coordination", "risk", "execution", "evaluation")  # fmt: skip
STAGE_ORDER: dict[str, int] = {name: i for i, name in enumerate(_STAGES)}


def _decision(name: str) -> tuple[str, int, tuple[str, ...], Callable[[Any], tuple[Any, ...]], bool]:
    on_change = name in _ON_CHANGE
    fields = tuple(f for f in _FIELDS[name] if not (on_change and f == "ts_event_ns"))
    return name, STAGE_ORDER[EVENT_TYPES[name].stage], fields, attrgetter(*fields), on_change


_DECISIONS = {EVENT_TYPES[n]: _decision(n) for n in DECISION_TYPES}
_DECISION_SET = frozenset(_DECISIONS)
_place = itemgetter(0, 1, 2)
_AS_IT_IS = frozenset((str, int, type(None)))


def encode(record: EventRecord) -> bytes:
    """Return one record as bytes.

    Examples
    --------
    >>> from actors.domain.events.system import AlertRaised
    >>> r = EventRecord(step=1, source="a", seq=0, event=AlertRaised(
    ...     ts_event_ns=5, source="a", severity="info", code="X", message="hello"))
    >>> decode(encode(r)) == r
    True
    """
    name = type(record.event).__name__
    head = (name, EVENT_TYPES[name].schema_version, record.step, record.source, record.seq)
    return _ENCODER.encode((*head, msgspec.Raw(_ENCODER.encode(record.event))))


def decode(data: bytes) -> EventRecord:
    """Return the record, upgraded to the present schema.

    Raises
    ------
    JournalError
        If the type is unknown, the version is from the future, or the bytes are not a record.
    """
    try:
        name, version, step, source, seq, raw = msgspec.msgpack.decode(
            data, type=tuple[str, int, int, str, int, msgspec.Raw]
        )
        if name not in EVENT_TYPES:
            raise JournalError("EVENT_UNKNOWN", f"journal: expected a known event type, found {name!r}")
        current = EVENT_TYPES[name].schema_version
        if version > current:
            raise JournalError(
                "EVENT_FROM_FUTURE",
                f"journal: {name} has schema {version}, this program knows {current}; use a newer release",
            )
        if version == current:
            event = _DECODERS[name].decode(raw)
        else:
            fields = msgspec.msgpack.decode(raw)
            for v in range(version, current):
                fields = _UPGRADES[(name, v)](fields)
            event = msgspec.convert(fields, EVENT_TYPES[name])
    except (msgspec.DecodeError, ValueError) as e:
        raise JournalError("EVENT_CORRUPT", f"journal: expected an event record, found {e}") from e
    return EventRecord(step=step, source=source, seq=seq, event=event)


def canonical(value: Any) -> Any:
    """Return a value in the one form that is hashed: Decimals normalised, floats on a grid of 1e-9.

    Examples
    --------
    >>> canonical((Decimal("1.50"), 0.1 + 0.2))
    ['1.5', 0.3]
    """
    if type(value) is float:
        # adding zero turns -0.0 into 0.0
        return round(value, 9) + 0.0 if value == value else "nan"
    if isinstance(value, Decimal):
        return normal_str(value)
    if isinstance(value, bool) or value is None or isinstance(value, int | str):
        return value
    if isinstance(value, float):
        return canonical(float(value))
    if isinstance(value, tuple | list):
        return [canonical(v) for v in value]
    raise TypeError(f"canonical: unexpected {type(value).__name__}")


def on_grid(value: float) -> Any:
    """Return ``canonical(value)`` of a float, in a third of the time where no digit is in doubt.

    `round` writes a number out in decimal and reads it back. The quotient of two integers that floats hold exactly
    is the same nearest float, once it is sure which integer: the product below is off by less than 2e-4 for the sizes
    let in, so only what lies near the middle between two is left to `round`. NaN fails the comparisons.

    Examples
    --------
    >>> on_grid(0.1 + 0.2), on_grid(-1e-12), on_grid(float("nan"))
    (0.3, 0.0, 'nan')
    """
    scaled = value * 1e9
    if -1e12 < scaled < 1e12:
        whole = round(scaled)
        if -0.499 < scaled - whole < 0.499:
            return whole / 1e9
    return canonical(value)


def _body(raw: tuple[Any, ...]) -> list[Any]:
    """Return the canonical form of an event's values; the common types without a call each."""
    return [
        v if type(v) in _AS_IT_IS else on_grid(v) if type(v) is float else canonical(v) for v in raw
    ]  # fmt: skip


class DecisionLog:
    """The canonical log of decisions and its hash.

    Records must arrive step by step; inside a step they are put into (stage, source, seq) order. A signal
    or target is logged only when it differs from the last one of its source and pair.
    """

    def __init__(self) -> None:
        self._sha = hashlib.sha256()
        # raw values, if known, and canonical ones: what did not change need not be made canonical to see it
        self._last: dict[tuple[str, str | None, str], list[Any]] = {}
        self.count = 0

    def add_step(self, step: int, outputs: Iterable[tuple[str, Sequence[Event]]]) -> list[str]:
        """Add the outputs of one step, ``(agent, events)`` each; return the canonical lines it added."""
        return self.add_text(step, outputs).decode().split("\n")[:-1]

    def add_text(self, step: int, outputs: Iterable[tuple[str, Sequence[Event]]]) -> bytes:
        """Add as `add_step` does; return the lines as they are hashed: UTF-8, each with its newline."""
        rows = []
        find, nothing_in, latest = _DECISIONS.get, _DECISION_SET.isdisjoint, self._last.get
        for source, events in outputs:
            # most agents say one thing, which is no decision
            if len(events) == 1:
                if type(events[0]) not in _DECISION_SET:
                    continue
            elif nothing_in(map(type, events)):
                continue
            for seq, event in enumerate(events):
                known = find(type(event))
                if known is None:
                    continue
                name, stage, names, values, on_change = known
                raw = values(event)
                if on_change:
                    key = (name, event.instrument_id, source)
                    last = latest(key)
                    if last is None:
                        last = self._last[key] = [None, None]
                    elif last[0] == raw:
                        continue
                    last[0] = raw
                    body = _body(raw)
                    if last[1] == body:
                        continue
                    last[1] = body
                    fields = [("ts_event_ns", event.ts_event_ns), *zip(names, body)]  # noqa: B905 - made of them
                else:
                    fields = list(zip(names, _body(raw)))  # noqa: B905 - made of them
                    optional = _WHERE_SET.get(name)
                    if optional is not None:
                        fields = [f for f in fields if f[1] is not None or f[0] not in optional]
                rows.append((stage, source, seq, name, fields))
        if not rows:
            return b""
        if len(rows) > 1:
            rows.sort(key=_place)
        text = _to_lines([(step, name, source, fields) for _, source, _, name, fields in rows])
        self._sha.update(text)
        self.count += len(rows)
        return text

    def add_lines(self, lines: Sequence[str]) -> None:
        """Add canonical lines that were made elsewhere; see `events.columns`."""
        self._sha.update("".join([line + "\n" for line in lines]).encode())
        self.count += len(lines)

    def digest(self) -> str:
        """SHA-256 over all lines so far, hexadecimal."""
        return self._sha.hexdigest()

    def state(self) -> dict[str, Any]:
        """The part that decides which later signals count as changes (the hash itself is recomputed)."""
        return {"last": [[*k, body] for k, (_, body) in self._last.items()], "count": self.count}

    @classmethod
    def resumed(cls, lines: bytes, state: dict[str, Any]) -> DecisionLog:
        """Return a log that goes on behind `lines` (the file so far) with the kept `state`."""
        log = cls()
        log._sha.update(lines)
        log._last = {(n, i, s): [None, v] for n, i, s, v in state["last"]}
        log.count = state["count"]
        return log
