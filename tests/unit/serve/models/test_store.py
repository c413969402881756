"""Versions: numbered, signed, unchanged; a fitted one goes on where its training ended."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import served

from actors.domain.errors import (
    ConfigError,
    InsufficientDataError,
    InvalidParamsError,
    ModelVersionError,
    SnapshotError,
    UnknownComponentError,
)
from serve.models.store import ModelStore, ensure
from serve.models.version import ModelSettings

HASH = "c" * 64


@pytest.fixture
def store(tmp_path: Path) -> ModelStore:
    return ModelStore(tmp_path)


def test_versions_count_up_and_read_back(store: ModelStore, tmp_path: Path) -> None:
    first = store.publish("default", served.SETTINGS, HASH)
    second = store.publish("default", served.OTHER, HASH)
    assert (first.version, second.version, store.versions("default")) == (1, 2, [1, 2])
    again = ModelStore(tmp_path)
    assert again.load("default", 2)[0] == second
    assert again.load("default", 1)[0].settings.hash == served.SETTINGS.hash != served.OTHER.hash
    assert again.names() == ["default"]
    assert again.versions("../keys") == []


def test_publishers_at_once_get_numbers_of_their_own(tmp_path: Path) -> None:
    with ThreadPoolExecutor(6) as pool:
        made = list(pool.map(lambda _: ModelStore(tmp_path).publish("m", served.OTHER, HASH), range(12)))
    assert sorted(v.version for v in made) == list(range(1, 13))


def test_a_fitted_version_says_what_the_whole_series_says(store: ModelStore, tmp_path: Path) -> None:
    whole = served.in_process(served.bars(300))
    made = store.publish("default", served.SETTINGS, HASH, served.bars(180))
    assert made.training is not None
    assert (made.training.bars, made.training.pair) == (180, served.PAIR)
    assert made.training.until_ns == served.bars(180).end_ns
    rest = served.bars(120, 180)
    for _ in range(2):  # the first answer must leave nothing behind for the second
        panel = ModelStore(tmp_path).panel("default", 1, served.PAIR, rest.timeframe_ns)
        assert [now[-1] for now in panel.run(rest)] == whole["ensemble"][180:]


def test_one_that_was_changed_or_moved_is_refused(store: ModelStore, tmp_path: Path) -> None:
    store.publish("default", served.SETTINGS, HASH)
    store.publish("default", served.OTHER, HASH)
    root = tmp_path / "models" / "regime"
    file = root / "default" / "1" / "regime.snap"
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)
    with pytest.raises(SnapshotError, match="signature"):
        ModelStore(tmp_path).load("default", 1)
    shutil.copytree(root / "default" / "2", root / "other" / "2")
    with pytest.raises(ModelVersionError, match="found the file of default"):
        ModelStore(tmp_path).load("other", 2)
    with pytest.raises(SnapshotError):
        ModelStore(tmp_path).activate("default", 1, by="admin")
    assert store.history("default") == ()


def test_few_versions_are_kept(store: ModelStore, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(4):
        store.publish("default", served.OTHER, HASH)
    monkeypatch.setattr("serve.models.store._KEPT", 2)
    assert [store.load("default", n)[0].version for n in (1, 2, 3, 4, 1)] == [1, 2, 3, 4, 1]
    assert list(store._read) == [("default", 4), ("default", 1)]


def test_another_thread_may_make_room_in_between(store: ModelStore, monkeypatch: pytest.MonkeyPatch) -> None:
    class Elsewhere(dict):  # type: ignore[type-arg]
        """Forgets at once, as if another thread had needed the place."""

        def __setitem__(self, key: object, value: object) -> None:
            super().__setitem__(key, value)
            del self[key]

    store.publish("default", served.OTHER, HASH)
    monkeypatch.setattr(store, "_read", Elsewhere())
    assert store.load("default", 1)[0].version == 1


@pytest.mark.parametrize(
    ("settings", "error"),
    [
        (ModelSettings((), {}, 1), InvalidParamsError),
        (ModelSettings((("trend", {}), ("trend", {})), {}, 1), InvalidParamsError),
        (ModelSettings((("trend", {"window": 1}),), {}, 1), InvalidParamsError),
        (ModelSettings((("wavelet", {}),), {}, 1), UnknownComponentError),
        (ModelSettings((("trend", {}),), {"weights": [1, 2]}, 1), InvalidParamsError),
        (ModelSettings((("trend", {}),), {"weights": [0.0]}, 1), InvalidParamsError),
        (ModelSettings((("trend", {}),), {"stay": 1}, 1), InvalidParamsError),
    ],
)
def test_wrong_settings_are_not_published(
    store: ModelStore, settings: ModelSettings, error: type[Exception]
) -> None:
    with pytest.raises(error, match=r"expected|Extra|Input"):
        store.publish("default", settings, HASH)
    assert store.versions("default") == []


def test_too_few_bars_fit_nothing(store: ModelStore) -> None:
    with pytest.raises(InsufficientDataError, match="expected at least 97 bars for trend"):
        store.publish("default", served.SETTINGS, HASH, served.bars(90))
    assert store.versions("default") == []


@pytest.mark.parametrize("name", ["", "../x", "UPPER", "a" * 41, "a/b", ".lock", "name\n"])
def test_names_cannot_leave_the_folder(store: ModelStore, name: str) -> None:
    with pytest.raises(ConfigError, match="expected lower-case"):
        store.publish(name, served.OTHER, HASH)
    with pytest.raises(ModelVersionError):
        store.active(name)


def test_what_is_not_there_is_named(store: ModelStore) -> None:
    with pytest.raises(ModelVersionError, match="nothing is published"):
        store.active("default")
    store.publish("default", served.OTHER, HASH)
    with pytest.raises(ModelVersionError, match=r"activate one of \[1\]"):
        store.active("default")
    with pytest.raises(ModelVersionError, match=r"its versions \[1\], found 7"):
        store.activate("default", 7, by="admin")
    with pytest.raises(ModelVersionError, match="expected one of default, found 'other'"):
        store.load("other", 1)


def test_start_activates_the_first_and_leaves_what_an_operator_chose(store: ModelStore) -> None:
    assert "version 1 is active" in ensure(store, "default", served.SETTINGS, HASH)
    assert "version 1 is active" in ensure(store, "default", served.SETTINGS, HASH)
    said = ensure(store, "default", served.OTHER, HASH)
    assert "version 1 stays active" in said
    assert "published as version 2" in said
    assert store.versions("default") == [1, 2]
    assert ensure(store, "default", served.OTHER, HASH)
    assert store.versions("default") == [1, 2]
    assert store.active("default") == 1
