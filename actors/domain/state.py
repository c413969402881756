"""Explicit state: what a component remembers, as plain trees that survive a process.

`Stateful` lists its attributes in `STATE`; `dumps`/`loads` turn the tree into msgpack with extensions for
arrays, Decimals and big integers. Objects of other libraries go through `Opaque` (pickle inside), which
`loads` refuses unless the caller has verified the record's signature first (`allow_opaque=True`).
"""

from __future__ import annotations

import pickle
from collections import deque
from decimal import Decimal
from typing import Any, ClassVar

import msgspec
import numpy as np

from actors.domain.errors import SnapshotError

_NDARRAY, _DECIMAL, _BIGINT, _OPAQUE, _TUPLE = 1, 2, 3, 4, 5
_INT64 = 1 << 63


class Opaque(msgspec.Struct, frozen=True):
    """A third-party object kept by pickle; legal only inside a signed snapshot."""

    value: Any


def _ext(code: int, payload: bytes) -> msgspec.msgpack.Ext:
    return msgspec.msgpack.Ext(code, payload)


def _plain(value: Any) -> Any:
    """Replace what msgpack does not know by extensions, tuples included (lists and tuples stay distinct)."""
    if value is None or isinstance(value, bool | float | str | bytes):
        return float(value) if isinstance(value, np.floating) else value
    if isinstance(value, int):
        return value if -_INT64 <= value < _INT64 else _ext(_BIGINT, str(value).encode())
    if isinstance(value, Decimal):
        return _ext(_DECIMAL, str(value).encode())
    if isinstance(value, np.ndarray):
        head = msgspec.msgpack.encode([value.dtype.str, list(value.shape)])
        return _ext(_NDARRAY, len(head).to_bytes(4, "little") + head + np.ascontiguousarray(value).tobytes())
    if isinstance(value, np.integer):
        return int(value)
    if isinstance(value, np.bool_):
        return bool(value)
    if isinstance(value, tuple):
        return _ext(_TUPLE, msgspec.msgpack.encode([_plain(v) for v in value]))
    if isinstance(value, list | deque):
        return [_plain(v) for v in value]
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    if isinstance(value, Opaque):
        return _ext(_OPAQUE, pickle.dumps(value.value, protocol=5))
    raise SnapshotError(
        "STATE_TYPE",
        f"state: expected plain values, arrays, Decimals or Opaque, found {type(value).__name__}",
    )


def dumps(tree: Any) -> bytes:
    """Return a state tree as bytes.

    Examples
    --------
    >>> loads(dumps({"a": (1, Decimal("1.5")), "b": np.arange(2.0)}))["a"]
    (1, Decimal('1.5'))
    """
    return msgspec.msgpack.encode(_plain(tree))


def loads(data: bytes, *, allow_opaque: bool = False) -> Any:
    """Return the tree of `dumps`.

    Raises
    ------
    SnapshotError
        If the bytes are damaged, or hold a pickled object and `allow_opaque` is False.
    """

    def hook(code: int, view: memoryview) -> Any:
        payload = bytes(view)
        if code == _NDARRAY:
            size = int.from_bytes(payload[:4], "little")
            dtype, shape = msgspec.msgpack.decode(payload[4 : 4 + size])
            return np.frombuffer(payload[4 + size :], dtype=dtype).reshape(shape).copy()
        if code == _DECIMAL:
            return Decimal(payload.decode())
        if code == _BIGINT:
            return int(payload)
        if code == _TUPLE:
            return tuple(msgspec.msgpack.decode(payload, ext_hook=hook))
        if code == _OPAQUE:
            if not allow_opaque:
                raise SnapshotError(
                    "STATE_UNSIGNED_PICKLE",
                    "state: found a pickled object outside a signed snapshot; refused",
                )
            return Opaque(pickle.loads(payload))  # noqa: S301 - the caller has verified the record's HMAC
        raise SnapshotError("STATE_CORRUPT", f"state: unknown extension {code}")

    try:
        return msgspec.msgpack.decode(data, ext_hook=hook)
    except msgspec.DecodeError as e:
        raise SnapshotError("STATE_CORRUPT", f"state: expected msgpack, found {e}") from e


class Stateful:
    """Mixin: state is the attributes named in `STATE` (base classes first).

    Values may be plain trees, arrays, Decimals, `numpy.random.Generator`, deques, other `Stateful` objects,
    kernel state objects (with ``snapshot()``/``restore(bytes)``), and lists or dicts of those. On load,
    nested objects are restored in place, so they must already exist with the same shape (built by
    ``__init__`` from the same parameters).
    """

    STATE: ClassVar[tuple[str, ...]] = ()

    @classmethod
    def _fields(cls) -> tuple[str, ...]:
        out: dict[str, None] = {}
        for base in reversed(cls.__mro__):
            for name in vars(base).get("STATE", ()):
                out[name] = None
        return tuple(out)

    def state(self) -> dict[str, Any]:
        """Return the state as a plain tree."""
        return {name: _freeze(getattr(self, name)) for name in self._fields()}

    def load_state(self, tree: dict[str, Any]) -> None:
        """Restore what `state` returned.

        Raises
        ------
        SnapshotError
            If the tree was made by another shape of this class.
        """
        fields = self._fields()
        if set(tree) != set(fields):
            raise SnapshotError(
                "STATE_FIELDS",
                f"{type(self).__name__}: expected state {sorted(fields)}, found {sorted(tree)}",
            )
        for name in fields:
            setattr(self, name, _thaw(getattr(self, name), tree[name], f"{type(self).__name__}.{name}"))


def _is_kernel(value: Any) -> bool:
    return hasattr(value, "snapshot") and hasattr(value, "restore")


def _freeze(value: Any) -> Any:
    if isinstance(value, Stateful):
        return value.state()
    if isinstance(value, np.random.Generator):
        return value.bit_generator.state
    if _is_kernel(value):
        return value.snapshot()
    if isinstance(value, dict):
        return {k: _freeze(v) for k, v in value.items()}
    if isinstance(value, list | deque):
        return [_freeze(v) for v in value]
    if isinstance(value, tuple):
        return tuple(_freeze(v) for v in value)
    return value


def _thaw(template: Any, tree: Any, where: str) -> Any:
    if isinstance(template, Stateful):
        template.load_state(tree)
        return template
    if isinstance(template, np.random.Generator):
        template.bit_generator.state = tree
        return template
    if _is_kernel(template):
        template.restore(tree)
        return template
    if isinstance(template, deque):
        return deque(tree, maxlen=template.maxlen)
    if isinstance(template, dict) and any(
        isinstance(v, Stateful) or _is_kernel(v) for v in template.values()
    ):
        if list(template) != list(tree):
            raise SnapshotError("STATE_KEYS", f"{where}: expected keys {list(template)}, found {list(tree)}")
        return {k: _thaw(v, tree[k], f"{where}[{k}]") for k, v in template.items()}
    if isinstance(template, list | tuple) and any(isinstance(v, Stateful) or _is_kernel(v) for v in template):
        if len(template) != len(tree):
            raise SnapshotError(
                "STATE_LENGTH", f"{where}: expected {len(template)} entries, found {len(tree)}"
            )
        return type(template)(_thaw(v, t, where) for v, t in zip(template, tree, strict=True))
    return tree
