"""From a database's exception to a `JournalError` that says what to do and whether to try again."""

from __future__ import annotations

from typing import Any

import sqlalchemy.exc

from actors.domain.errors import JournalError, JournalUnavailableError

_FULL = ("disk is full", "53100", "no space left", "53200", "file too large")
_READ_ONLY = ("readonly database", "read-only", "25006", "permission denied", "42501")
_BUSY = ("database is locked", "database table is locked", "55p03", "40001", "40p01", "53300")
_AUTH = ("28p01", "28000", "password authentication")
_NO_DATABASE = ("3d000", "unable to open database file")
_DAMAGED = ("malformed", "not a database", "xx001", "xx002")


def journal_error(error: BaseException, where: str, doing: str) -> JournalError:
    """Return the error to raise for what a database said.

    Parameters
    ----------
    error : exception
        Of SQLAlchemy or its driver.
    where : str
        The journal's URL without secrets.
    doing : str
        What was tried, e.g. ``commit``.
    """
    inner = error.orig if isinstance(error, sqlalchemy.exc.DBAPIError) and error.orig else error
    text = _text(inner).lower()

    def made(code: str, expected: str, remedy: str, retryable: bool) -> JournalError:
        cls = JournalError if code in ("JOURNAL_DAMAGED", "JOURNAL_FAILED") else JournalUnavailableError
        return cls(
            code,
            f"journal {where}, {doing}: expected {expected}, found {_text(inner)}; {remedy}",
            retryable=retryable,
            where=where,
        )

    if any(word in text for word in _FULL):
        return made("JOURNAL_FULL", "room to write", "nothing was lost: free disk space, then resume", False)
    if any(word in text for word in _READ_ONLY):
        return made(
            "JOURNAL_READ_ONLY", "write access", "nothing was lost: allow writing, then resume", False
        )
    if any(word in text for word in _BUSY):
        return made("JOURNAL_LOCKED", "a free database", "nothing was lost: repeat the same append", True)
    if any(word in text for word in _AUTH):
        return made("JOURNAL_LOGIN", "a valid login", "check user and TRADEWIND_JOURNAL_PASSWORD", False)
    if any(word in text for word in _NO_DATABASE):
        return made("JOURNAL_MISSING", "a database that can be opened", "check the journal's URL", False)
    if any(word in text for word in _DAMAGED):
        return made("JOURNAL_DAMAGED", "an intact database", "restore it from a backup", False)
    lost = isinstance(error, sqlalchemy.exc.DBAPIError) and error.connection_invalidated
    if lost or isinstance(inner, OSError) or type(inner).__name__ in ("InterfaceError", "OperationalError"):
        if "disk i/o error" in text:
            return made("JOURNAL_IO", "a working disk", "check the disk, then resume", False)
        if doing == "open":
            return made(
                "JOURNAL_LOST", "a connection", "check that the server runs and journal.url names it", True
            )
        return made("JOURNAL_LOST", "a connection", "nothing was lost: repeat the same append", True)
    if "57p0" in text:  # the server shuts down or starts up
        return made("JOURNAL_LOST", "a running server", "nothing was lost: repeat the same append", True)
    return made("JOURNAL_FAILED", "success", "report this with the message", False)


def _text(error: Any) -> str:
    """Return one line; pg8000 hands over the server's fields as a mapping (C: code, M: message)."""
    args = getattr(error, "args", ())
    if args and isinstance(args[0], dict):
        return f"{args[0].get('M', '')} (SQLSTATE {args[0].get('C', '?')})"
    return " ".join(str(error).split()) or type(error).__name__
