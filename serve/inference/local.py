"""Jobs done in this process, in a few threads beside its event loop."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

from serve.inference.detection import detect
from serve.inference.job import Job
from serve.models.store import ModelStore


class LocalInference:
    """Does jobs of `serve.inference.job.Inference` in threads.

    Two: the kernels let go of the interpreter, so that one series fits while another is updated; with more of them
    each only waits longer.
    """

    def __init__(self, store: ModelStore, *, threads: int = 2) -> None:
        self._store = store
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="detect")

    async def detect(self, job: Job) -> bytes:
        """Return the answer of one series as JSON; a job whose caller is cancelled ends at its next bar."""
        given_up = threading.Event()
        try:
            return await asyncio.get_running_loop().run_in_executor(
                self._pool, detect, job, self._store, given_up
            )
        except asyncio.CancelledError:
            given_up.set()  # a thread is not cancelled, and would hold a place that others wait for
            raise

    async def ping(self) -> None:
        """Return at once."""
