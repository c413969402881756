"""An objective that kills the process it is asked in, where that is a worker."""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping
from typing import Any


def deadly(metrics: Mapping[str, Any]) -> float:
    """Return the number of trades; where it is a multiple of three the process dies, as it does without memory."""
    if metrics["trade_count"] % 3 == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return float(metrics["trade_count"])
