"""Trials of a study in a database, by Optuna's own tables: SQLite in a file, or PostgreSQL for drivers anywhere.

Optuna's tools can read it. What a study needs to go on is in it too: values and results as they were, so that nothing
is rounded on the way. The returns of trials lie beside it as files; one that is missing is computed again.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import sqlalchemy as sa
from optuna.exceptions import DuplicatedStudyError, OptunaError, StorageInternalError
from optuna.study import StudyDirection
from optuna.trial import TrialState, create_trial
from sqlalchemy.pool import NullPool

from actors.adapters.journal.engine import WriterLock
from actors.adapters.studies.distributions import distributions, drawn_of
from actors.domain.errors import ConfigError, JournalUnavailableError, StorageError
from actors.domain.search.objectives.base import Direction
from actors.domain.search.space import Space
from actors.domain.search.study.trial import TrialResult

_ABOUT, _VALUES, _RESULT = "tradewind:about", "tradewind:values", "tradewind:result"
_PASSWORD = "TRADEWIND_STUDY_PASSWORD"  # noqa: S105 - the name of a variable
_WAIT_S = 10.0
_STATES = {
    "complete": TrialState.COMPLETE, "pruned": TrialState.PRUNED, "fail": TrialState.FAIL,
}  # fmt: skip


class StudyStore:
    """One study in a database; use it as a context manager.

    Parameters
    ----------
    url : str
        ``sqlite:///PATH`` or ``postgresql+pg8000://USER@HOST/DATABASE``; a password comes from
        TRADEWIND_STUDY_PASSWORD or the file that TRADEWIND_STUDY_PASSWORD_FILE names.
    name : str
    space : Space
    directions : sequence of {"maximize", "minimize"}
    about : mapping name → text
        What decides the study; a study that goes on must agree in all of it.
    resume : bool
        True: the study must be there; False: it must not.
    folder : Path
        Where returns of trials go.
    wait_s : float
        How long a lock is waited for.

    Raises
    ------
    ConfigError
        If the URL is none, the study is there or not, or was made of something else.
    StorageError
        If the database is locked, held by another driver, or does not answer.
    """

    def __init__(
        self, url: str, name: str, space: Space, directions: Sequence[Direction], about: Mapping[str, str], *,
        resume: bool, folder: Path, wait_s: float = _WAIT_S,
    ) -> None:  # fmt: skip
        logging.getLogger("optuna").setLevel(logging.ERROR)
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        parsed = study_url(url)
        self._where = url.rpartition("@")[2]
        self._space, self._distributions, self._folder = space, distributions(space), folder
        self._ids: list[int] = []
        sqlite = parsed.drivername == "sqlite"
        if sqlite:
            Path(str(parsed.database)).parent.mkdir(parents=True, exist_ok=True)
        arguments: dict[str, Any] = {"timeout": wait_s} if sqlite else {}
        self._lock = WriterLock(parsed, f"study {name}", wait_s)
        self._engine = sa.create_engine(parsed, poolclass=NullPool, connect_args=arguments)
        self._held: sa.Connection | None = None
        try:
            with self._told():
                self._held = self._engine.connect()
                self._acquire(name)
                self._storage = optuna.storages.RDBStorage(
                    parsed.render_as_string(hide_password=False),
                    engine_kwargs={"connect_args": arguments},
                )
                if sqlite:
                    _quick(self._storage.engine)
                self._id = self._study(name, directions, dict(about), resume=resume)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> StudyStore:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the database."""
        self._lock.release()
        if self._held is not None:
            with contextlib.suppress(sa.exc.SQLAlchemyError):
                self._held.close()
            self._held = None
        self._engine.dispose()

    # -- as `actors.domain.search.study.engine.Store` ---------------------------------------------------------

    def load(self) -> list[tuple[Mapping[str, Any], TrialResult | None]]:
        """Return values and result of each trial by number."""
        with self._told():
            found = sorted(self._storage.get_all_trials(self._id, deepcopy=False), key=lambda t: t.number)
        self._ids = [t._trial_id for t in found]
        out: list[tuple[Mapping[str, Any], TrialResult | None]] = []
        for t in found:
            values = json.loads(t.user_attrs[_VALUES])
            done = t.state.is_finished()
            out.append((values, self._result(t.number, json.loads(t.user_attrs[_RESULT])) if done else None))
        return out

    def begin(self, number: int, values: Mapping[str, Any]) -> None:
        """Remember that a trial was asked."""
        trial = create_trial(
            state=TrialState.RUNNING,
            params={d.path: drawn_of(d.range, values[d.path]) for d in self._space.dimensions},
            distributions=self._distributions,
            user_attrs={_VALUES: json.dumps(dict(values))},
        )
        with self._told():
            self._ids.append(self._storage.create_new_trial(self._id, trial))

    def end(self, number: int, result: TrialResult) -> None:
        """Remember what came of a trial."""
        if result.returns is not None:
            self._save(number, result.returns)
        row = {
            "state": result.state, "values": result.values, "reason": result.reason,
            "intermediate": result.intermediate, "violations": result.violations, "metrics": dict(result.metrics),
        }  # fmt: skip
        state = _STATES[result.state]
        with self._told():
            trial = self._ids[number]
            self._storage.set_trial_user_attr(trial, _RESULT, json.dumps(row))
            for step, value in enumerate(result.intermediate):
                if value is not None:
                    self._storage.set_trial_intermediate_value(trial, step, value)
            values = list(result.values) if state is TrialState.COMPLETE else None
            self._storage.set_trial_state_values(trial, state, values)

    # -- inside -----------------------------------------------------------------------------------------------

    def _result(self, number: int, row: Mapping[str, Any]) -> TrialResult:
        path = self._path(number)
        try:
            returns = np.load(path, allow_pickle=False) if path.exists() else None
        except (OSError, ValueError):
            returns = None  # cut off by a crash: computed again
        return TrialResult(
            row["state"], tuple(row["values"]), row["reason"], tuple(row["intermediate"]), tuple(row["violations"]),
            row["metrics"], returns,
        )  # fmt: skip

    def _path(self, number: int) -> Path:
        return self._folder / f"{number:06d}.npy"

    def _save(self, number: int, returns: np.ndarray[Any, Any]) -> None:
        path = self._path(number)
        partial = path.with_suffix(".partial")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with partial.open("wb") as f:
                np.save(f, returns)
            partial.replace(path)
        except OSError as e:
            raise StorageError(
                "STUDY_UNWRITABLE",
                f"{path}: expected to write it, found {e.strerror or e}; free space, then --resume",
            ) from e

    def _study(
        self, name: str, directions: Sequence[Direction], about: dict[str, str], *, resume: bool
    ) -> int:
        if not resume:
            try:
                made = self._storage.create_new_study(
                    [
                        StudyDirection.MAXIMIZE if d == "maximize" else StudyDirection.MINIMIZE
                        for d in directions
                    ],
                    name,
                )
            except DuplicatedStudyError as e:
                raise ConfigError(
                    "STUDY_EXISTS",
                    f"--study {name}: expected a new name, found one that {self._where} holds; go on with it by "
                    "--resume, or choose another",
                ) from e
            self._storage.set_study_user_attr(made, _ABOUT, about)
            return made
        known = {s.study_name: s._study_id for s in self._storage.get_all_studies()}
        if name not in known:
            raise ConfigError(
                "STUDY_UNKNOWN",
                f"--study {name}: expected one of {', '.join(sorted(known)) or 'none'} in {self._where}, found none "
                "of that name; leave --resume out to begin it",
            )
        then = self._storage.get_study_user_attrs(known[name]).get(_ABOUT)
        if then is None:  # it was killed before it could say
            self._storage.set_study_user_attr(known[name], _ABOUT, about)
            return known[name]
        other = [k for k in about if then.get(k) != about[k]]
        if other:
            rows = "; ".join(f"{k}: it began with {then.get(k)}, found {about[k]}" for k in other)
            raise ConfigError(
                "STUDY_OTHER",
                f"--study {name}: expected what the study began with, since its trials rest on it, found another "
                f"{rows}; begin a new study",
            )
        return known[name]

    def _acquire(self, name: str) -> None:
        assert self._held is not None
        try:
            self._lock.acquire(self._held)
        except JournalUnavailableError as e:
            raise StorageError(
                "STUDY_LOCKED",
                f"study {name} in {self._where}: expected to be its only driver, found another process that runs it; "
                "end that one, or wait for it",
                retryable=True,
            ) from e

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        """Tell what a database refuses."""
        try:
            yield
        except (sa.exc.SQLAlchemyError, StorageInternalError, OSError) as e:
            cause: BaseException = e
            while cause.__cause__ is not None:
                cause = cause.__cause__
            text = str(getattr(cause, "orig", None) or cause).splitlines()[0]
            locked = "locked" in text
            remedy = (
                "another process holds its write lock: end that, or wait, then go on with --resume"
                if locked
                else "look at the address, the server and the rights"
            )
            raise StorageError(
                "STUDY_LOCKED" if locked else "STUDY_STORAGE",
                f"study storage {self._where}: expected to read and write it, found: {text}; {remedy}",
                retryable=True,
            ) from e
        except DuplicatedStudyError:
            raise
        except OptunaError as e:
            raise StorageError(
                "STUDY_STORAGE", f"study storage {self._where}: expected to read and write it, found: {e}"
            ) from e


def _quick(engine: sa.engine.Engine) -> None:
    """Let SQLite commit without waiting for the disk: after a power cut the last trials are asked again."""

    @sa.event.listens_for(engine, "connect")
    def quick(connection: Any, _record: Any) -> None:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")

    engine.dispose()


def study_url(url: str) -> sa.engine.URL:
    """Return the address of a storage, with the password from the environment.

    Raises
    ------
    ConfigError
        If it is none, or holds a password: addresses are told in messages and noted in files.

    Examples
    --------
    >>> study_url("postgresql+pg8000://me@db:5432/studies").database
    'studies'
    """
    try:
        parsed = sa.make_url(url)
    except (sa.exc.ArgumentError, ValueError):  # the latter of a port that is no number
        parsed = None
    if parsed is None or parsed.drivername not in ("sqlite", "postgresql+pg8000") or not parsed.database:
        found = url.rpartition("@")[2] if parsed is None else parsed.render_as_string()
        raise ConfigError(
            "STUDY_URL",
            f"--storage: expected sqlite:///PATH or postgresql+pg8000://USER@HOST/DATABASE, found {found!r}",
        )
    if parsed.drivername == "sqlite":
        return parsed.set(database=str(Path(parsed.database).absolute()))
    if parsed.password is not None or "password" in parsed.query:
        raise ConfigError(
            "STUDY_URL",
            f"--storage: expected no password in the address, found one; put it into {_PASSWORD} or a file",
        )
    value, file = os.environ.get(_PASSWORD), os.environ.get(f"{_PASSWORD}_FILE")
    if value is None and file is not None:
        try:
            value = Path(file).read_text(encoding="utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as e:
            raise ConfigError("STUDY_PASSWORD", f"{_PASSWORD}_FILE: expected a text file, found {e}") from e
    return parsed if value is None else parsed.set(password=value)
