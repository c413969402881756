"""A local run that ended early leaves one decision log: not the rests of two, and not one that a crash cut short."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
import small

from actors.runtime.recorder import Recorder
from cluster.runs.execute import Finished, run_local


def _run(folder: Path, *, resume: bool = False) -> Finished:
    return run_local(small.plan(folder, journal=True), resume=resume)


def _interrupted_after(steps: int, folder: Path, *, resume: bool = False) -> None:
    def stop(done: int, _: Recorder) -> None:
        if done >= steps:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_local(small.plan(folder, journal=True), progress=stop, resume=resume)


def test_interrupted_before_the_first_snapshot_and_behind_a_later_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    quiet, disturbed = tmp_path / "quiet", tmp_path / "disturbed"
    expected = _run(quiet)
    log = disturbed / "decisions.jsonl"
    _interrupted_after(192, disturbed)
    for file in (disturbed / "snapshots").glob("*/*"):  # as if none had become whole
        file.unlink()
    assert log.stat().st_size, "the first attempt has to leave decisions behind"
    _interrupted_after(256, disturbed, resume=True)

    def torn(path: Path, _: bytes) -> int:
        path.open("wb").close()
        raise KeyboardInterrupt

    with monkeypatch.context() as crash, contextlib.suppress(KeyboardInterrupt):
        crash.setattr(Path, "write_bytes", torn)  # a crash while the log is rewritten would empty it
        _interrupted_after(320, disturbed, resume=True)
    last = disturbed / "snapshots" / "9999"  # as agents that ran ahead leave it: younger than the whole ones
    last.mkdir()
    (last / "features.snap").write_bytes(b"of the earlier attempt")
    found = _run(disturbed, resume=True)
    assert not last.exists(), "an agent that crashes now would be restored from it"
    assert log.read_bytes() == (quiet / "decisions.jsonl").read_bytes()
    assert found.recorder.log.digest() == expected.recorder.log.digest()
