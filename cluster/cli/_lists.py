"""What there is of one family of components: kinds with parameters, defaults, units and meaning."""

from __future__ import annotations

import inspect
import re
from typing import Any

import msgspec
import pydantic
import pydantic_core
from pydantic_core import PydanticUndefined

from actors.domain import registry
from actors.domain.params import Range, search_space
from cluster.cli.common import Outcome

NOTES = ("style", "timeframe", "columns", "warmup_bars", "reads", "source", "error")
"""What a listing may say of a kind besides its parameters."""
UNITS = ("ns", "ms", "s", "bars", "steps", "bps", "frac", "quote", "base", "ann", "usd", "sd")


def listing(package: str, key: str) -> Outcome:
    """Return every kind of a package with its first sentence and its parameters."""
    rows = kinds_of(package)
    return Outcome({key: rows}, text=as_text(rows))


def kinds_of(package: str) -> list[dict[str, Any]]:
    """Return ``kind about params`` of each component."""
    rows = []
    for kind in registry.kinds(package):
        cls = registry.load(package, kind)
        rows.append({"kind": kind, "about": about(cls), "params": parameters(registry.params_of(cls))})
    return rows


def about(cls: type[Any]) -> str:
    """Return the first paragraph of a class's docstring as one line."""
    text = inspect.getdoc(cls) or ""
    return " ".join(text.split("\n\n")[0].split())


def parameters(model: type[pydantic.BaseModel]) -> dict[str, dict[str, Any]]:
    """Return each parameter's ``default type unit limits range about``; undefined is None.

    ``range`` is where a search looks: ``{kind, low, high, step, log}`` or ``{kind, choices}``.

    Examples
    --------
    >>> class P(registry.Params):
    ...     window_bars: int = pydantic.Field(14, ge=2, description="past that counts")
    >>> parameters(P)["window_bars"]
    {'default': 14, 'type': 'int', 'unit': 'bars', 'limits': ['ge=2'], 'range': None, 'about': 'past that counts'}
    """
    meanings = attribute_docs(inspect.getdoc(model) or "")
    ranges = search_space(model)
    out = {}
    for name, field in model.model_fields.items():
        default = field.get_default(call_default_factory=True, validated_data={})
        out[name] = {
            "default": None if default is PydanticUndefined else _plain(default),
            "type": _type_name(field.annotation),
            "unit": unit_of(name),
            "limits": [_limit(m) for m in field.metadata],
            "range": msgspec.to_builtins(ranges[name]) if name in ranges else None,
            "about": field.description or meanings.get(name),
        }
    return out


def _range(found: dict[str, Any]) -> str:
    return str(msgspec.convert(found, Range))


def _told(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _limit(rule: Any) -> str:
    """One bound as text, e.g. ``ge=2``."""
    parts = [f"{k}={v}" for k, v in vars(rule).items()] if hasattr(rule, "__dict__") else []
    slots = [f"{k}={getattr(rule, k)}" for k in getattr(rule, "__slots__", ()) if hasattr(rule, k)]
    return ", ".join(parts or slots) or str(rule)


def _type_name(annotation: Any) -> str:
    return annotation.__name__ if isinstance(annotation, type) else str(annotation).replace("typing.", "")


def _plain(value: Any) -> Any:
    return pydantic_core.to_jsonable_python(value)


def unit_of(name: str) -> str | None:
    """Return the unit that a parameter's name ends in.

    Examples
    --------
    >>> unit_of("half_life_bars"), unit_of("seed")
    ('bars', None)
    """
    last = name.rsplit("_", 1)[-1]
    return last if "_" in name and last in UNITS else None


def attribute_docs(text: str) -> dict[str, str]:
    """Return the meanings in the Attributes or Parameters section of a numpydoc text, by name.

    Examples
    --------
    >>> attribute_docs("P.\\n\\nAttributes\\n----------\\na, b : int\\n    What it is.\\nc : int\\n")
    {'a': 'What it is.', 'b': 'What it is.'}
    """
    section = re.search(r"(?:Attributes|Parameters)\n-+\n(.*?)(?:\n\n\w[^\n]*\n-+\n|\Z)", text, re.DOTALL)
    out: dict[str, str] = {}
    names: list[str] = []
    for line in section[1].splitlines() if section else []:
        if line[:1].strip():
            names = [n.strip() for n in line.split(" : ")[0].split(",")]
        elif line.strip():
            out |= {n: f"{out.get(n, '')} {line.strip()}".strip() for n in names}
    return out


def as_text(rows: list[dict[str, Any]]) -> str:
    """Return the kinds for a person."""
    lines = []
    for row in rows:
        lines.append(f"{row['kind']:<16} {row['about']}")
        lines += [f"{'':<16}   {key}: {_told(row[key])}" for key in NOTES if row.get(key) not in (None, [])]
        for name, p in row["params"].items():
            bounds = f" [{', '.join(p['limits'])}]" if p["limits"] else ""
            bounds += f" search {_range(p['range'])}" if p["range"] else ""
            lines.append(
                f"{'':<16}   {name}={p['default']}{bounds}" + (f"  {p['about']}" if p["about"] else "")
            )
    return "\n".join(lines)
