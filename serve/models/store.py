"""Where versions live: ``<userdir>/models/regime/<name>/<version>/regime.snap``, signed like agents' snapshots."""

from __future__ import annotations

import fcntl
import os
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from actors.adapters.storage.snapshots import SnapshotStore, load_key
from actors.domain import state
from actors.domain.errors import (
    ConfigError,
    DataError,
    InsufficientDataError,
    ModelVersionError,
    TradingError,
)
from actors.domain.model.bars import BarFrame
from actors.domain.regime.panel import Panel
from serve.models.activations import Activation, ActivationLog
from serve.models.version import ModelSettings, ModelVersion, Training

_FILE = "regime"
_KEPT = 32
"""Versions kept in memory; they never change."""
_NAME = re.compile(r"^[a-z][a-z0-9_-]{0,39}$")


class ModelStore:
    """Versions of models on disk, and which one is active.

    Parameters
    ----------
    userdir : path
        Every replica must see the same one: on several machines a shared volume.

    Raises
    ------
    SnapshotError
        If the installation's key cannot be used.

    Notes
    -----
    Any number of threads may use it, and none should be that of an event loop: everything here reads files.
    """

    def __init__(self, userdir: Path) -> None:
        self._root = userdir / "models" / "regime"
        self._key_path = userdir / "keys" / "snapshot.key"
        self._key = load_key(self._key_path)
        self._lock = threading.Lock()  # around what is kept in memory, never around files
        self._logs: dict[str, ActivationLog] = {}
        self._read: dict[tuple[str, int], tuple[ModelVersion, bytes | None]] = {}

    def names(self) -> list[str]:
        """Return the models that have versions, sorted."""
        if not self._root.is_dir():
            return []
        return sorted(
            p.name for p in self._root.iterdir() if _NAME.fullmatch(p.name) and self.versions(p.name)
        )

    def versions(self, name: str) -> list[int]:
        """Return the numbers of a model's versions, ascending; none if there is no such model."""
        if not _NAME.fullmatch(name):
            return []
        files = self._files(name)
        return [v for v in files.steps() if (self._root / name / str(v) / f"{_FILE}.snap").is_file()]

    def active(self, name: str) -> int:
        """Return the number of the version in force.

        Raises
        ------
        ModelVersionError
            If there is no such model, or none of its versions was activated.
        """
        known = self._known(name)
        found = self._log(name).active
        if found is None:
            raise ModelVersionError(
                "MODEL_INACTIVE",
                f"model {name}: expected an active version, found none; activate one of {known}",
            )
        return found

    def load(self, name: str, version: int) -> tuple[ModelVersion, bytes | None]:
        """Return a version and the state of its panel (None if it has learned nothing).

        Raises
        ------
        ModelVersionError
            If there is no such version, or another release wrote it.
        SnapshotError
            If its file is not what this installation wrote.
        """
        key = (name, version)
        kept = self._read.get(key)
        if kept is None:
            known = self._known(name)
            if version not in known:
                raise ModelVersionError(
                    "MODEL_VERSION_UNKNOWN",
                    f"model {name}: expected one of its versions {known}, found {version}",
                )
            header, data = self._files(name).read(_FILE, version)
            tree = state.loads(data)
            made = ModelVersion.parse(tree["model"])
            if (made.name, made.version, made.config_hash) != (name, version, header.config_hash):
                raise ModelVersionError(
                    "MODEL_MOVED",
                    f"model {name}, version {version}: found the file of {made.name}, version {made.version}; "
                    "publish it under its new name instead of moving files",
                )
            kept = (made, tree["panel"])
            with self._lock:
                for old in list(self._read)[: max(0, len(self._read) - _KEPT + 1)]:
                    del self._read[old]
                self._read[key] = kept
        return kept

    def panel(self, name: str, version: int, pair: str, timeframe_ns: int) -> Panel:
        """Return a fresh panel of a version, with what it has learned.

        Raises
        ------
        ModelVersionError, SnapshotError
            As `load`.
        """
        made, learned = self.load(name, version)
        panel = made.settings.panel(pair, timeframe_ns)
        if learned is not None:
            # the version's signature was verified, so what it holds may be unpickled
            panel.load_state(state.loads(learned, allow_opaque=True))
        return panel

    def publish(
        self, name: str, settings: ModelSettings, config_hash: str, bars: BarFrame | None = None
    ) -> ModelVersion:
        """Write the next version of a model and return it; with `bars` it has learned from them.

        Raises
        ------
        ConfigError
            If the name is none.
        InvalidParamsError, UnknownComponentError
            If the settings are wrong.
        InsufficientDataError
            If a detector has learned nothing from the bars.
        SnapshotError
            If the file cannot be written.
        """
        if not _NAME.fullmatch(name):
            raise ConfigError(
                "MODEL_NAME",
                f"name: expected lower-case letters, digits, - and _, at most 40, found {name!r}",
            )
        settings.check()
        training, learned = None, None
        if bars is not None:
            learned = state.dumps(_trained(settings, bars).state())
            training = Training(bars.pair, bars.timeframe_ns, len(bars), bars.end_ns, bars.data_hash)
        with self._locked(name):
            number = max(self.versions(name), default=0) + 1
            made = ModelVersion(name, number, settings, config_hash, time.time_ns(), training)
            tree: dict[str, Any] = {"model": made.tree(), "panel": learned}
            self._files(name).save(_FILE, number, state.dumps(tree), config_hash)
        return made

    def activate(
        self, name: str, version: int, *, by: str, request_id: str = "", key: str | None = None,
        expected: int | None = None,
    ) -> Activation:  # fmt: skip
        """Make a version answer the requests that name none, from the next one on.

        The version is loaded first: one that cannot answer does not become active.

        Raises
        ------
        ModelVersionError, SnapshotError
            As `load`, and where `serve.models.activations.ActivationLog.append` does.
        """
        made, _ = self.load(name, version)
        if made.training is not None:
            self.panel(name, version, made.training.pair, made.training.timeframe_ns)
        return self._log(name).append(
            version,
            model=name,
            at_ns=time.time_ns(),
            by=by,
            request_id=request_id,
            key=key,
            expected=expected,
        )

    def history(self, name: str) -> tuple[Activation, ...]:
        """Return all activations of a model, oldest first."""
        return self._log(name).lines()

    def _known(self, name: str) -> list[int]:
        known = self.versions(name)
        if not known:
            raise ModelVersionError(
                "MODEL_UNKNOWN",
                f"model: expected one of {', '.join(self.names()) or 'none: nothing is published'}, found {name!r}",
            )
        return known

    def _files(self, name: str) -> SnapshotStore:
        return SnapshotStore(self._root / name, self._key_path)

    def _log(self, name: str) -> ActivationLog:
        with self._lock:
            if name not in self._logs:
                self._logs[name] = ActivationLog(self._root / name / "activations.jsonl", self._key)
            return self._logs[name]

    @contextmanager
    def _locked(self, name: str) -> Iterator[None]:
        folder = self._root / name
        folder.mkdir(parents=True, exist_ok=True)
        fd = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX)
            yield
        finally:
            os.close(fd)


def _trained(settings: ModelSettings, bars: BarFrame) -> Panel:
    panel = settings.panel(bars.pair, bars.timeframe_ns)
    if not len(bars):
        raise DataError("NO_BARS", f"{bars.pair}: expected bars to learn from, found none")
    for _ in panel.run(bars):
        pass
    short = {kind: need for kind, need in panel.warmup_bars.items() if need > len(bars)}
    if short:
        kind = max(short, key=lambda k: short[k])
        raise InsufficientDataError(
            "MODEL_NOT_FITTED",
            f"{bars.pair}: expected at least {short[kind]} bars for {kind} to learn from, found {len(bars)}",
        )
    return panel


def ensure(store: ModelStore, name: str, settings: ModelSettings, config_hash: str) -> str:
    """See that a model answers: publish and activate the configured one where there is none; return what to tell.

    One that is active stays, whatever the configuration says now: changing what answers is an operator's decision.
    """
    known = store.versions(name)
    if not known or not store.history(name):
        made = store.publish(name, settings, config_hash) if not known else store.load(name, known[-1])[0]
        store.activate(name, made.version, by="start")
        return f"model {name}: version {made.version} is active"
    active = store.active(name)
    damaged, alike = [], False
    for number in known:
        try:
            found, _ = store.load(name, number)
        except TradingError as e:
            if number == active:
                raise
            damaged.append(f"; version {number} cannot be used: {e}")
            continue
        alike = alike or (found.settings.hash == settings.hash and found.training is None)
    told = "".join(damaged)
    if alike:
        return f"model {name}: version {active} is active{told}"
    made = store.publish(name, settings, config_hash)
    return (
        f"model {name}: version {active} stays active; the configuration says otherwise and was published as version "
        f"{made.version}: activate it if that is meant{told}"
    )
