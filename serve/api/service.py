"""What the routes need: the store, where jobs are done, and limits."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field

from serve.inference.job import Inference
from serve.models.store import ModelStore

DEFAULT_MODEL = "default"


@dataclass
class Service:
    """Handed to every route.

    Attributes
    ----------
    store : ModelStore
    inference : Inference
    max_body_bytes : int
    budget_s : float
        Seconds that one series may take.
    """

    store: ModelStore
    inference: Inference
    max_body_bytes: int = 8 << 20
    budget_s: float = 20.0
    checking: asyncio.Lock = field(default_factory=asyncio.Lock, repr=False)
    checked: tuple[float, list[tuple[str, str]]] | None = field(default=None, repr=False)

    def fresh_checks(self) -> list[tuple[str, str]] | None:
        """Return the last look at our dependencies, if it is less than a second old: anybody may ask for it."""
        if self.checked is None or time.monotonic() - self.checked[0] > 1.0:
            return None
        return self.checked[1]
