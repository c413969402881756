"""The journal: what came from outside, what goes outside, durable before anyone acts on it.

Why SQL and not a log file of our own: idempotent appends, group commit and crash safety are what SQLite's
WAL and PostgreSQL are trusted for; one SQLAlchemy Core schema serves both, SQLite embedded by default.
"""

from actors.adapters.journal.entries import Batch, Intent, RunInfo
from actors.adapters.journal.reader import JournalReader, list_runs, sqlite_url
from actors.adapters.journal.store import Journal
from actors.adapters.journal.verify import verify

__all__ = ["Batch", "Intent", "Journal", "JournalReader", "RunInfo", "list_runs", "sqlite_url", "verify"]
