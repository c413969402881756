"""What a database says becomes a code, a remedy and whether to repeat; secrets never show."""

from __future__ import annotations

import pickle
import sqlite3

import pytest
import sqlalchemy.exc

from actors.adapters.journal.faults import journal_error


class DatabaseError(Exception):
    """As pg8000 raises it: the server's fields as a mapping."""


class InterfaceError(Exception):
    """As pg8000 raises it when the network fails."""


def server(sqlstate: str) -> DatabaseError:
    return DatabaseError({"S": "ERROR", "C": sqlstate, "M": "what happened"})


@pytest.mark.parametrize(
    ("raised", "code", "retryable"),
    [
        (sqlite3.OperationalError("database or disk is full"), "JOURNAL_FULL", False),
        (server("53100"), "JOURNAL_FULL", False),
        (OSError(28, "No space left on device"), "JOURNAL_FULL", False),
        (sqlite3.OperationalError("attempt to write a readonly database"), "JOURNAL_READ_ONLY", False),
        (OSError(30, "Read-only file system"), "JOURNAL_READ_ONLY", False),
        (server("25006"), "JOURNAL_READ_ONLY", False),
        (sqlite3.OperationalError("database is locked"), "JOURNAL_LOCKED", True),
        (server("55P03"), "JOURNAL_LOCKED", True),
        (server("40001"), "JOURNAL_LOCKED", True),
        (server("28P01"), "JOURNAL_LOGIN", False),
        (server("3D000"), "JOURNAL_MISSING", False),
        (sqlite3.DatabaseError("file is not a database"), "JOURNAL_DAMAGED", False),
        (sqlite3.OperationalError("disk I/O error"), "JOURNAL_IO", False),
        (InterfaceError("network error"), "JOURNAL_LOST", True),
        (ConnectionResetError(104, "Connection reset by peer"), "JOURNAL_LOST", True),
        (server("57P01"), "JOURNAL_LOST", True),
        (server("42601"), "JOURNAL_FAILED", False),
    ],
)
def test_every_fault_has_a_code_and_says_whether_to_repeat(
    raised: Exception, code: str, retryable: bool
) -> None:
    wrapped = sqlalchemy.exc.DBAPIError("INSERT", {}, raised)
    for error in (raised, wrapped):
        found = journal_error(error, "sqlite:////j.db", "commit")
        assert (found.code, found.retryable) == (code, retryable)
        assert "sqlite:////j.db, commit: expected" in str(found)
    again = pickle.loads(pickle.dumps(found))
    assert (again.code, again.retryable, str(again)) == (found.code, found.retryable, str(found))
