"""What is kept of a backtest so that it can be made again: configuration, parameters, bars, code, decisions."""

from __future__ import annotations

import hashlib
import importlib
import inspect
import json
import platform
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from actors.domain import kernels, registry
from actors.domain.errors import ConfigError, DataError
from cluster import __version__
from cluster.cli.common import plain
from cluster.runs.plan import RunPlan
from config.parts import blocks, components
from config.schema import Config, in_freqtrade_style

RECORD = "run.json"
LOG = "decisions.jsonl.zst"
FORMAT = 1
_OURS = ("actors", "config", "cluster")


def run_record(plan: RunPlan, args: Mapping[str, Any], path: str) -> dict[str, Any]:
    """Return everything that decides a backtest, as plain JSON.

    Parameters
    ----------
    plan : RunPlan
    args : mapping
        Flags of the verb; ``data`` absolute.
    path : str
        ``event`` or ``fast``.
    """
    info = kernels.backend()
    return {
        "format": FORMAT,
        "verb": "backtesting",
        "run_id": plan.run_id,
        "status": "running",
        "args": dict(args),
        "path": path,
        "seed": plan.settings.seed,
        "config": plan.config.model.model_dump(mode="json"),
        "config_hash": plan.config.content_hash,
        "components": effective(plan.config.model),
        "data": {
            pair: {"source": str(Path(f.source).absolute()), "rows": len(f), "data_hash": f.data_hash}
            for pair, f in plan.feed.frames.items()
        },
        "data_hash": plan.data_hash,
        "warmup_steps": plan.feed.warmup_steps,
        "versions": {
            "tradewind": __version__,
            "python": platform.python_version(),
            "numpy": np.__version__,
            "machine": platform.machine(),
            "kernel_backend": info.name,
            "kernels": info.reason,
            "code": code_hash(),
        },
    }


def effective(config: Config) -> dict[str, dict[str, Any]]:
    """Return each component's kind and validated parameters by key path; defaults included.

    A stranger's component also names its file's hash: its code is not part of ours.

    Examples
    --------
    >>> from config.load import resolve
    >>> found = effective(resolve("backtest").model)
    >>> found["venue.fees"]["params"]["taker_bps"]
    10.0
    """
    out: dict[str, dict[str, Any]] = {}
    for ref in components(config):
        params = registry.validate(ref.package, ref.kind, ref.params)
        out[ref.path] = {"kind": ref.kind, "params": plain(params.model_dump(mode="json"))}
        if ":" in ref.kind:
            source = inspect.getsourcefile(registry.load(ref.package, ref.kind))
            text = Path(source).read_bytes() if source else b""
            out[ref.path]["code"] = hashlib.sha256(text).hexdigest()
    for i, part in enumerate(config.strategies):
        if in_freqtrade_style(part.kind):
            text = Path(part.kind.rpartition(":")[0]).expanduser().read_bytes()
            out[f"strategies.{i}"] = {
                "kind": part.kind, "params": plain(part.params), "code": hashlib.sha256(text).hexdigest()
            }  # fmt: skip
    for ref in blocks(config):
        module, _, name = ref.kind.partition(":")
        model = getattr(importlib.import_module(module), name)
        out[ref.path] = {"kind": name, "params": plain(model(**ref.params).model_dump(mode="json"))}
    return out


def code_hash() -> str:
    """Return one hash of our Python sources and the native module, wherever they were loaded from."""
    digest = hashlib.sha256()
    for name, text in _sources():
        digest.update(name.encode() + b"\0" + hashlib.sha256(text).digest())
    return digest.hexdigest()


def _sources() -> Iterator[tuple[str, bytes]]:
    for package in _OURS:
        root = Path(str(importlib.import_module(package).__file__)).parent
        for path in sorted([*root.rglob("*.py"), *root.rglob("*.yaml")]):
            yield f"{package}/{path.relative_to(root)}", path.read_bytes()
    native = sys.modules.get("_tradecore")
    file = getattr(native, "__file__", None)
    if file is not None and Path(file).is_file():
        yield "_tradecore", Path(file).read_bytes()


def save(folder: Path, record: Mapping[str, Any]) -> None:
    """Write a run's record atomically."""
    folder.mkdir(parents=True, exist_ok=True)
    partial = folder / f"{RECORD}.partial"
    partial.write_text(json.dumps(plain(record), indent=1, allow_nan=False), encoding="utf-8")
    partial.replace(folder / RECORD)


def find(root: Path, run_id: str) -> tuple[Path, dict[str, Any]]:
    """Return folder and record of the one stored backtest whose id is or begins with `run_id`.

    Raises
    ------
    ConfigError
        If there is none, or several.
    DataError
        If its record is damaged or of another format.
    """
    known = sorted(p.parent for p in root.glob(f"*/{RECORD}"))
    fits = [p for p in known if p.name == run_id] or [p for p in known if p.name.startswith(run_id)]
    if len(fits) != 1 or not run_id:
        some = ", ".join(p.name for p in known[-5:]) or "none"
        raise ConfigError(
            "RUN_UNKNOWN",
            f"--rerun {run_id}: expected one stored backtest in {root} (the last: {some}), found {len(fits)}",
        )
    path = fits[0] / RECORD
    try:
        record: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as e:
        raise DataError("RUN_DAMAGED", f"{path}: expected JSON, found {e}", path=str(path)) from e
    if record.get("format") != FORMAT:
        raise DataError(
            "RUN_FORMAT",
            f"{path}: expected format {FORMAT}, found {record.get('format')}; it was made by another release",
            path=str(path),
        )
    return fits[0], record


def pack_log(raw: Path) -> Path | None:
    """Compress a decision log beside itself and remove the plain text; return the new file."""
    if not raw.exists():
        return None
    import pyarrow as pa

    target = raw.with_name(LOG)
    with raw.open("rb") as source, pa.output_stream(str(target), compression="zstd") as out:
        while chunk := source.read(1 << 20):
            out.write(chunk)
    raw.unlink()
    return target


def log_lines(folder: Path) -> Iterator[str]:
    """Yield the canonical decision lines of a stored run; nothing if it kept none."""
    path = folder / LOG
    if not path.exists():
        return
    import io

    import pyarrow as pa

    with pa.input_stream(str(path), compression="zstd") as source:
        yield from (line.rstrip("\n") for line in io.TextIOWrapper(source, encoding="utf-8"))
