"""Who may ask: everything but the two health pages needs a bearer token, and changing what answers needs another one.

Ray's own token does not cover Serve's port, so this stands in front of every route, known or not. Tokens come from
``TRADEWIND_SERVE_TOKEN`` and ``TRADEWIND_SERVE_ADMIN_TOKEN`` (or ``…_FILE``) in the replica's environment, else from
``<userdir>/keys/serve_token`` and ``serve_admin_token``, made on first use with mode 0600. They are compared by digest
in constant time and appear in no argument, log or answer.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from actors.adapters.storage.private_file import make_once
from actors.domain.errors import ConfigError
from config.problems import ConfigProblem
from config.secrets import read_secret

Role = Literal["reader", "admin"]
OPEN_PATHS = frozenset({"/livez", "/readyz"})
NAMES: Mapping[Role, str] = {"reader": "SERVE_TOKEN", "admin": "SERVE_ADMIN_TOKEN"}
_LEAST = 32


class Tokens:
    """Digests of the two tokens; what may be kept in memory and compared."""

    def __init__(self, reader: str, admin: str) -> None:
        if hmac.compare_digest(_digest(reader), _digest(admin)):
            raise ConfigError(
                "SERVE_TOKENS_EQUAL",
                "serve: expected two different tokens for readers and admins, found the same twice",
            )
        self._digests: dict[Role, bytes] = {"reader": _digest(reader), "admin": _digest(admin)}

    def role(self, authorization: str | None) -> Role | None:
        """Return whose token an ``Authorization`` header carries; None if nobody's."""
        scheme, _, given = (authorization or "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        found: Role | None = None
        digest = _digest(given.strip())
        for role, known in self._digests.items():  # always both: how long it takes says nothing
            if hmac.compare_digest(known, digest):
                found = role
        return found


def token_path(userdir: Path, role: Role) -> Path:
    """Return where a token lies that nobody has given."""
    return userdir / "keys" / NAMES[role].lower()


def tokens(userdir: Path, env: Mapping[str, str]) -> Tokens:
    """Return the tokens of this installation, making those that are missing.

    Raises
    ------
    ConfigError
        If one is shorter than 32 characters, others may read its file, or both are the same.
    """
    return Tokens(_token(userdir, "reader", env), _token(userdir, "admin", env))


def _token(userdir: Path, role: Role, env: Mapping[str, str]) -> str:
    try:
        given = read_secret(NAMES[role], env)
    except ConfigProblem as e:
        raise ConfigError("SERVE_TOKEN", str(e)) from e
    where = f"TRADEWIND_{NAMES[role]}"
    if given is not None:
        text = given.get_secret_value()
    else:
        path = token_path(userdir, role)
        where = str(path)
        text = _from_file(path)
    if len(text) < _LEAST:
        raise ConfigError(
            "SERVE_TOKEN_SHORT", f"{where}: expected at least {_LEAST} characters, found {len(text)}"
        )
    return text


def _from_file(path: Path) -> str:
    make_once(path, secrets.token_urlsafe(32).encode())
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        raise ConfigError(
            "SERVE_TOKEN_MODE",
            f"{path}: expected a file that only its owner can read (mode 0600), found {mode:04o}; others may know the "
            "token: delete the file, and a new one is made",
        )
    return path.read_text(encoding="utf-8").strip()


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()
