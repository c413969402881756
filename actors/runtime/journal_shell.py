"""The journal's shell: the only writer of a run's database.

Besides the journal agent's own steps (order intents before their effect, venue reports) it commits the
external inputs: a block of bars is handed on only after it is durable, so nobody acts on a bar that a restart
would not know. All appends are idempotent by key; a repeated call under the same key changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from actors.domain.events.base import EventRecord
from actors.runtime.build import RunSettings
from actors.runtime.graph import AgentSpec
from actors.runtime.shell import AgentShell
from actors.runtime.wire import decode_block

if TYPE_CHECKING:
    from actors.adapters.journal.patient import PatientJournal


class JournalShell(AgentShell):
    """An `AgentShell` around the journal agent, with the database attached."""

    def __init__(self, spec: AgentSpec, run: RunSettings, **more: Any) -> None:
        super().__init__(spec, run, **more)
        self.journal: PatientJournal | None = None
        if run.journal_url:
            # imported here: the supervisor names this class and needs no database library for it
            from actors.adapters.journal.patient import PatientJournal
            from actors.adapters.journal.store import Journal

            self.journal = PatientJournal(Journal(run.journal_url, run.run_id))
            self.agent.attach(self.journal)  # type: ignore[attr-defined]

    def commit_inputs(self, first: int, times: Sequence[int], payload: bytes) -> bytes:
        """Commit a block of external events and hand it on."""
        if self.journal is not None:
            self.journal.commit_inputs(
                [
                    EventRecord(step=first + offset, source=event.source, seq=seq, event=event)
                    for offset, events in enumerate(decode_block(payload))
                    for seq, event in enumerate(events)
                ]
            )
        return payload

    def commit_times_ms(self) -> list[float]:
        """Return the durations of the durable commits of order intents."""
        return list(self.journal.commit_ms) if self.journal is not None else []
