"""What there is of one family of components: kinds with parameters and defaults."""

from __future__ import annotations

from typing import Any

from actors.domain import registry
from cluster.cli.common import Outcome


def listing(package: str, key: str) -> Outcome:
    """Return every kind of a package with its first sentence, parameters and defaults."""
    rows: list[dict[str, Any]] = []
    for kind in registry.kinds(package):
        cls = registry.load(package, kind)
        fields = registry.params_of(cls).model_fields
        rows.append(
            {
                "kind": kind,
                "about": (cls.__doc__ or "").strip().splitlines()[0],
                "params": {name: str(field.default) for name, field in fields.items()},
            }
        )
    text = "\n".join(
        f"{r['kind']:<16} {r['about']}\n{'':<16} " + ", ".join(f"{k}={v}" for k, v in r["params"].items())
        for r in rows
    )
    return Outcome({key: rows}, text=text)
