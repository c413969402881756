"""What a run leaves behind: the canonical decision log and the record that its report is made of.

The recorder hears each finished step in order, on every host, so both hosts leave the same record. It is
snapshotted with the fleet; the log itself is an append-only file that a resumed run cuts back to its snapshot.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from decimal import Decimal
from operator import itemgetter
from pathlib import Path
from typing import IO, Any

from actors.domain.errors import JournalError, StorageError
from actors.domain.evaluation.regime_trace import STAY
from actors.domain.evaluation.run_record import RunRecord
from actors.domain.events.base import Event
from actors.domain.events.codec import DecisionLog
from actors.domain.state import Opaque
from actors.runtime.names import JOURNAL
from actors.runtime.slices import Slice

Outputs = Sequence[tuple[str, Sequence[Event]]]
_agent = itemgetter(0)


class Recorder:
    """Collects a run.

    Parameters
    ----------
    pairs : sequence of str
    timeframe_ns : int
    initial_equity : Decimal, quote currency
    log_path : Path or None
        Where the canonical decision lines go; None keeps them in `lines`.
    resume : bool
        Keep an existing log; `load_state` cuts it back.
    benchmark_fee_frac : float
        Of the one purchase that buy and hold makes.
    stay_probability : float
        Of the regime ensemble's filter.
    """

    def __init__(
        self,
        pairs: Sequence[str],
        timeframe_ns: int,
        initial_equity: Decimal,
        log_path: Path | None = None,
        *,
        resume: bool = False,
        benchmark_fee_frac: float = 0.001,
        stay_probability: float = STAY,
    ) -> None:
        self.record = RunRecord(
            pairs, timeframe_ns, initial_equity, benchmark_fee_frac=benchmark_fee_frac,
            stay_probability=stay_probability,
        )  # fmt: skip
        self.log = DecisionLog()
        self.lines: list[str] = []
        self.steps = 0
        self.last_outputs: Outputs = ()
        """Outputs of the newest step, for a live view."""
        self._bytes = 0
        self._path = log_path
        # a resumed run keeps the file until its snapshot says how much of it stands
        mode = "ab" if resume else "wb"
        self._file: IO[bytes] | None = log_path.open(mode) if log_path is not None else None

    def on_step(self, item: Slice, outputs: Outputs) -> None:
        """Take one finished step."""
        # what the journal passes on was said by others
        spoken = outputs
        if JOURNAL in map(_agent, outputs):
            spoken = [pair for pair in outputs if pair[0] != JOURNAL]
        self._write(self.log.add_text(item.step, spoken))
        self.record.add(spoken, warmup=item.warmup)
        self.steps += 1
        self.last_outputs = outputs

    def write(self, lines: Sequence[str]) -> None:
        """Keep decision lines that the log has counted."""
        self._write("".join([line + "\n" for line in lines]).encode())

    def _write(self, text: bytes) -> None:
        """Keep whole lines as the log made them."""
        if not text:
            return
        if self._file is None:
            self.lines += text.decode().split("\n")[:-1]
            return
        try:
            self._file.write(text)
        except OSError as e:
            raise self._refused(e) from e
        self._bytes += len(text)

    def flush(self, *, durable: bool = False) -> None:
        """Hand the log file's tail to the system, and with `durable` to the disk.

        Raises
        ------
        StorageError
            If it takes nothing more.
        """
        if self._file is not None:
            try:
                self._file.flush()
                if durable:
                    os.fsync(self._file.fileno())
            except OSError as e:
                raise self._refused(e) from e

    def _refused(self, error: OSError) -> StorageError:
        return StorageError(
            "LOG_UNWRITABLE",
            f"decision log {self._path}: expected room to write, found: {error.strerror or error}; nothing that was "
            "committed is lost: free some space, then resume",
        )

    def close(self) -> None:
        """Close the log file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def state(self) -> dict[str, Any]:
        """Return what a resumed run needs; legal only inside a signed snapshot.

        Raises
        ------
        StorageError
            If the log takes nothing more.
        """
        self.flush(durable=True)  # snapshots are synced: the log must not be shorter than one says
        return {
            "record": Opaque(self.record), "steps": self.steps, "bytes": self._bytes, "log": self.log.state(),
            "lines": self.lines,
        }  # fmt: skip

    def load_state(self, tree: dict[str, Any]) -> None:
        """Go on from a snapshot: the log is cut back and hashed anew.

        Raises
        ------
        JournalError
            If the log file is shorter than the snapshot says.
        """
        self.record = tree["record"].value
        self.steps, self._bytes, self.lines = tree["steps"], tree["bytes"], tree["lines"]
        if self._path is None:
            head = "".join(line + "\n" for line in self.lines).encode()
        else:
            self.close()
            head = self._path.read_bytes()[: self._bytes]
            if len(head) < self._bytes:
                raise JournalError(
                    "LOG_SHORT", f"decision log: expected {self._bytes} bytes, found {len(head)}; it was cut"
                )
            os.truncate(self._path, self._bytes)  # never rewritten: a crash here must leave what stands
            self._file = self._path.open("ab")
        self.log = DecisionLog.resumed(head, tree["log"])
