"""Secrets come from the environment or a mounted file, never from YAML, and never travel with a config.

The process that needs a secret reads it by name (OWASP's advice on secrets: shortest way, fewest readers).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from config.problems import ConfigProblem, Problem

_SECRET_WORDS = re.compile(r"(^|_)(password|passwd|secret|token|api_?key|private_?key|credentials?)(_|$)")


def read_secret(name: str, env: Mapping[str, str]) -> SecretStr | None:
    """Return the secret `name` (UPPER_SNAKE) or None if it is not given.

    Looks for ``TRADEWIND_<name>``, then for the file named by ``TRADEWIND_<name>_FILE``, whose trailing line
    break is dropped.

    Raises
    ------
    ConfigProblem
        If both are given, or the file cannot be read or is empty.

    Examples
    --------
    >>> str(read_secret("JOURNAL_PASSWORD", {"TRADEWIND_JOURNAL_PASSWORD": "pw"}))
    '**********'
    """
    key, file_key = f"TRADEWIND_{name}", f"TRADEWIND_{name}_FILE"
    value, file = env.get(key), env.get(file_key)
    if value is not None and file is not None:
        raise ConfigProblem([Problem(key, f"expected one of {key} and {file_key}, found both")])
    if value is not None:
        return SecretStr(value)
    if file is None:
        return None
    try:
        text = Path(file).read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as e:
        raise ConfigProblem([Problem(file_key, f"expected a readable text file, found {e}")]) from e
    if not text:
        raise ConfigProblem([Problem(file_key, f"expected a secret in {file}, found an empty file")])
    return SecretStr(text)


def is_secret_key(key: str) -> bool:
    """Return whether a key's name says that its value is a secret.

    Examples
    --------
    >>> is_secret_key("api_key"), is_secret_key("max_tokens_frac"), is_secret_key("key")
    (True, False, False)
    """
    return _SECRET_WORDS.search(key.lower()) is not None


def secret_paths(tree: Any, path: str = "") -> list[str]:
    """Return the paths of all keys in a tree that are named like secrets and hold something."""
    out: list[str] = []
    if isinstance(tree, dict):
        for key, value in tree.items():
            here = f"{path}.{key}" if path else str(key)
            if is_secret_key(str(key)) and value is not None:
                out.append(here)
            else:
                out += secret_paths(value, here)
    elif isinstance(tree, list):
        for i, value in enumerate(tree):
            out += secret_paths(value, f"{path}.{i}")
    return out
