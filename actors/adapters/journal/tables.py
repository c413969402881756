"""The journal's schema, the same for SQLite and PostgreSQL."""

from __future__ import annotations

import functools
from typing import Any, Final

import sqlalchemy as sa

SCHEMA_VERSION: Final = 1
METADATA: Final = sa.MetaData()


def _key(name: str, kind: type[Any]) -> sa.Column[Any]:
    return sa.Column(name, kind, primary_key=True, autoincrement=False)


def _value(name: str, kind: type[Any]) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=False)


schema_info = sa.Table("journal_schema", METADATA, _key("version", sa.Integer))
runs = sa.Table(
    "runs", METADATA,
    _key("run_id", sa.Text), _value("created_ns", sa.BigInteger), _value("config_hash", sa.Text),
    _value("data_hash", sa.Text), _value("seed", sa.BigInteger), _value("mode", sa.Text),
    _value("args", sa.Text), _value("code_version", sa.Text), _value("status", sa.Text),
)  # fmt: skip
commits = sa.Table(
    "commits", METADATA,
    _key("run_id", sa.Text), _key("commit_no", sa.BigInteger), _value("hash", sa.Text),
)  # fmt: skip
inputs = sa.Table(
    "inputs", METADATA,
    _key("run_id", sa.Text), _key("step", sa.BigInteger), _key("source", sa.Text), _key("seq", sa.BigInteger),
    _value("ts_event_ns", sa.BigInteger), _value("record", sa.LargeBinary),
    _value("commit_no", sa.BigInteger),
)  # fmt: skip
intents = sa.Table(
    "intents", METADATA,
    _key("run_id", sa.Text), _key("key", sa.Text), _value("client_order_id", sa.Text),
    _value("step", sa.BigInteger), _value("kind", sa.Text), _value("record", sa.LargeBinary),
    _value("state", sa.Text), _value("commit_no", sa.BigInteger),
)  # fmt: skip
reports = sa.Table(
    "reports", METADATA,
    _key("run_id", sa.Text), _key("key", sa.Text), _value("client_order_id", sa.Text),
    _value("fill_id", sa.Text), _value("step", sa.BigInteger), _value("seq", sa.BigInteger),
    _value("record", sa.LargeBinary), _value("commit_no", sa.BigInteger),
)  # fmt: skip
decisions = sa.Table(
    "decisions", METADATA,
    _key("run_id", sa.Text), _key("step", sa.BigInteger), _key("n", sa.BigInteger), _value("line", sa.Text),
    _value("commit_no", sa.BigInteger),
)  # fmt: skip
commands = sa.Table(
    "commands", METADATA,
    _key("run_id", sa.Text), _key("key", sa.Text), _value("step", sa.BigInteger),
    _value("payload", sa.LargeBinary), _value("commit_no", sa.BigInteger),
)  # fmt: skip
snapshots = sa.Table(
    "snapshots", METADATA,
    _key("run_id", sa.Text), _key("step", sa.BigInteger), _value("agents", sa.BigInteger),
    _value("commit_no", sa.BigInteger),
)  # fmt: skip

ENTRIES: Final = (inputs, intents, reports, decisions, commands, snapshots)
"""Tables whose rows are chained, in the order in which a commit hashes them."""

MUTABLE: Final = ("state", "commit_no", "run_id")
"""Columns that are not part of an entry's content."""


@functools.cache
def content_columns(table: sa.Table) -> tuple[str, ...]:
    """Return the columns that make up an entry, keys included."""
    return tuple(c.name for c in table.columns if c.name not in MUTABLE)


@functools.cache
def key_columns(table: sa.Table) -> tuple[str, ...]:
    """Return the key of an entry inside its run."""
    return tuple(c.name for c in table.primary_key.columns if c.name != "run_id")
