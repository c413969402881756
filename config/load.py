"""Resolving a configuration once: files, environment and overrides into one validated, hashed model.

Order, the later wins: base.yaml, the mode's file, regime_detection.yaml, sentiment_analysis.yaml,
strategies.yaml, files of `-c` (``preset:NAME`` names one of ours), TRADEWIND__SECTION__KEY, `--set`.

Example: ``python -m config.load --show --mode backtest --set seed=3``.
"""

from __future__ import annotations

import argparse
import difflib
import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pydantic

from config.account import account_problems
from config.contradictions import across, contradictions
from config.documents import Document, parse_value, read_document
from config.hashing import choice_hash, content_hash
from config.merge import assign, located, merge
from config.parts import components
from config.problems import ConfigProblem, Problem
from config.provenance import provenance_problems
from config.schema import LIVE_ACKNOWLEDGEMENT, PAIR_PATTERN, TIMEFRAME_PATTERN, Config
from config.secrets import is_secret_key, secret_paths

HERE = Path(__file__).parent
MODES = ("backtest", "paper", "live")
INCLUDES = ("regime_detection", "sentiment_analysis", "strategies")
ENV_PREFIX = "TRADEWIND__"
_MEANT = {
    PAIR_PATTERN: "BASE/QUOTE in capitals such as BTC/USDT",
    TIMEFRAME_PATTERN: "a number and one of s m h d w such as 1h",
}


class ResolvedConfig(NamedTuple):
    """The result of `resolve`.

    Attributes
    ----------
    model : Config
    content_hash : str
        SHA-256 over what may change decisions, hexadecimal; the `config_hash` of CLI.md.
    sources : tuple of str
        Files and overrides that were applied, in order.
    notes : tuple of str
        What was given but has no effect, for the person to see.
    """

    model: Config
    content_hash: str
    sources: tuple[str, ...]
    notes: tuple[str, ...]


class _Layers:
    """The tree so far, with the origin of each key path."""

    def __init__(self) -> None:
        self.tree: dict[str, Any] = {}
        self.origins: dict[str, str] = {}
        self.problems: list[Problem] = []
        self.sources: list[str] = []

    def add(self, doc: Document) -> None:
        self.problems += doc.problems
        self.problems += [
            Problem(path, "found a secret in a file; it belongs in the environment or a *_FILE", doc.name)
            for path in secret_paths(doc.tree)
        ]
        self.tree = merge(self.tree, doc.tree)
        for path in _paths(doc.tree):
            line = doc.lines.get(path)
            self.origins[path] = f"{doc.name}:{line}" if line else doc.name
        self.sources.append(doc.name)

    def set(self, keys: list[str], text: str, origin: str) -> None:
        path = ".".join(keys)
        if any(is_secret_key(k) for k in keys):
            self.problems.append(Problem(path, "found a secret; give it as TRADEWIND_NAME or *_FILE", origin))
            return
        if not all(keys):
            self.problems.append(Problem(path, "expected KEY.PATH=VALUE, found an empty key", origin))
            return
        try:
            value = parse_value(text)
            self.tree = assign(self.tree, keys, value)
        except ValueError as e:
            self.problems.append(Problem(path, str(e), origin))
            return
        where = located(self.tree, keys)
        # what stood below has been replaced: no old file may be blamed for it
        self.origins = {k: v for k, v in self.origins.items() if not k.startswith(f"{where}.")}
        self.origins[where] = origin
        self.sources.append(origin)

    def origin(self, path: str) -> str:
        """Return the origin of a path or of what contains it."""
        if path not in self.origins:
            # a section that should not be there was made by a key below it, not by the section around it
            for known, where in self.origins.items():
                if known.startswith(f"{path}."):
                    return where
        keys = path.split(".")
        for n in range(len(keys), 0, -1):
            if (found := self.origins.get(".".join(keys[:n]))) is not None:
                return found
        return ""


def resolve(
    mode: str | None = None,
    files: Sequence[str | Path] = (),
    sets: Sequence[str] = (),
    env: Mapping[str, str] | None = None,
) -> ResolvedConfig:
    """Return the configuration of a run.

    Parameters
    ----------
    mode : str or None
        ``backtest``, ``paper`` or ``live`` fixes the mode (a verb's choice); None takes it from the other
        arguments, ``paper`` if nobody names one.
    files : sequence of path
        YAML or JSON, the later wins; ``preset:NAME`` is ``config/presets/NAME.yaml``.
    sets : sequence of str
        ``key.path=value`` with a YAML value; list members by index or kind.
    env : mapping or None
        The environment; only names that start with ``TRADEWIND__`` are read. None is an empty one.

    Raises
    ------
    ConfigProblem
        With every problem, its key path and origin.

    Examples
    --------
    >>> r = resolve("backtest", sets=["seed=3", "strategies.rsi.weight=2"])
    >>> r.model.mode, r.model.seed, len(r.content_hash)
    ('backtest', 3, 64)
    """
    env = env or {}
    layers, notes = _Layers(), []
    user = [_user_document(f) for f in files]
    overrides = _overrides(env, sets, layers.problems)
    asked = _asked_mode(user, overrides)
    chosen = mode or asked or "paper"
    if chosen not in MODES:
        layers.problems.append(Problem("mode", f"expected one of {', '.join(MODES)}, found {chosen!r}"))
    if mode is not None and asked == "live":
        # a person who asks for real money must not be left to think that this is what happens
        layers.problems.append(
            Problem("mode", f"expected {mode}: this command trades simulated money only, found live")
        )
    elif mode is not None and asked not in (None, mode):
        notes.append(f"mode: this command runs {mode}; {asked!r} of the configuration has no effect")
    for name in ("base", chosen if chosen in MODES else "paper", *INCLUDES):
        layers.add(read_document(HERE / f"{name}.yaml", f"{name}.yaml"))
    for doc in user:
        layers.add(doc)
    for keys, text, origin in overrides:
        layers.set(keys, text, origin)
    layers.tree["mode"] = chosen
    model = _validate(layers)
    problems = layers.problems
    if problems or model is None:
        located = [p if p.origin else p._replace(origin=layers.origin(p.path)) for p in problems]
        raise ConfigProblem(list(dict.fromkeys(located)))
    return ResolvedConfig(model, content_hash(model), tuple(layers.sources), tuple(notes))


def _user_document(file: str | Path) -> Document:
    path, name = _locate(file)
    if name.startswith("preset:") and not path.is_file():
        known = ", ".join(sorted(p.stem for p in (HERE / "presets").glob("*.yaml")))
        return Document(
            name, {}, {}, [Problem("", f"expected one of {known}, found no preset of that name", name)]
        )
    return read_document(path, name)


def _locate(file: str | Path) -> tuple[Path, str]:
    text = str(file)
    if text.startswith("preset:"):
        name = text.removeprefix("preset:")
        return HERE / "presets" / f"{Path(name).name}.yaml", text
    return Path(file), text


def _overrides(
    env: Mapping[str, str], sets: Sequence[str], problems: list[Problem]
) -> list[tuple[list[str], str, str]]:
    out = []
    for name in sorted(env):
        if name.startswith(ENV_PREFIX):
            keys = name.removeprefix(ENV_PREFIX).lower().split("__")
            out.append((keys, env[name], f"environment {name}"))
    for item in sets:
        key, sep, text = item.partition("=")
        if not sep:
            problems.append(Problem(key, "expected KEY.PATH=VALUE, found no '='", "--set"))
            continue
        out.append((key.strip().split("."), text, f"--set {key.strip()}"))
    return out


def _asked_mode(user: Sequence[Document], overrides: Sequence[tuple[list[str], str, str]]) -> str | None:
    asked = None
    for doc in user:
        asked = doc.tree.get("mode", asked)
    for keys, text, _ in overrides:
        if keys == ["mode"]:
            asked = text.strip()
    return None if asked is None else str(asked)


def _validate(layers: _Layers) -> Config | None:
    """Return the model, or None with all problems noted."""
    # on the raw tree, so that they show up together with what the schema refuses
    layers.problems += _live(layers.tree) + contradictions(_mappings(layers.tree))
    try:
        model = Config.model_validate(layers.tree)
    except pydantic.ValidationError as e:
        errors = [dict(err) for err in e.errors()]
        # pydantic counts only the members that are right: a list of wrong ones is not an empty list
        layers.problems += [
            _problem(err) for err in errors if not (err["type"] == "too_short" and err.get("input"))
        ]
        return None
    layers.problems += _consistency(model)
    layers.problems += across((ref.path, ref.kind, ref.params) for ref in components(model))
    return model


def _mappings(tree: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every mapping of a tree with its path."""
    if isinstance(tree, dict):
        yield path, tree
    for key, value in _items(tree):
        yield from _mappings(value, f"{path}.{key}" if path else str(key))


def _live(tree: Mapping[str, Any]) -> list[Problem]:
    if tree.get("mode") != "live":
        return []
    out = []
    live = tree.get("live")
    if not isinstance(live, dict) or live.get("acknowledge") != LIVE_ACKNOWLEDGEMENT:
        out.append(
            Problem("live.acknowledge", f"live trading stays off: expected {LIVE_ACKNOWLEDGEMENT!r}, found "
                    f"{live.get('acknowledge') if isinstance(live, dict) else live!r}")
        )  # fmt: skip
    venue = tree.get("venue")
    if not isinstance(venue, dict) or venue.get("kind", "mock") == "mock":
        out.append(Problem("venue.kind", "live trading needs a real venue, found 'mock'; use mode paper"))
    return out


def _consistency(model: Config) -> list[Problem]:
    out = []
    for i, pair in enumerate(model.pairs):
        if pair in model.pairs[:i]:
            out.append(Problem(f"pairs.{i}", f"expected each pair once, found {pair} twice"))
        if pair.partition("/")[2] != model.account.quote:
            out.append(
                Problem(f"pairs.{i}", f"expected quote {model.account.quote} (account.quote), found {pair}")
            )
    if model.timeframe_detail is not None:
        width, finer = _seconds(model.timeframe), _seconds(model.timeframe_detail)
        if finer >= width or width % finer:
            out.append(
                Problem(
                    "timeframe_detail",
                    f"expected one that is finer than the timeframe {model.timeframe} and divides it, found "
                    f"{model.timeframe_detail}",
                )
            )
    if model.provenance is not None:
        chosen = provenance_problems(
            model.provenance, timeframe=model.timeframe, choice_hash=choice_hash(model)
        )
        out += [Problem(path, text) for path, text in chosen.items()]
    return out + account_problems(model)


def _seconds(timeframe: str) -> int:
    return int(timeframe[:-1]) * {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}[timeframe[-1]]


def _problem(err: dict[str, Any]) -> Problem:
    path = ".".join(str(k) for k in err["loc"])
    if err["type"] == "extra_forbidden":
        known = _known_keys(err["loc"][:-1])
        near = difflib.get_close_matches(str(err["loc"][-1]), known, 1)
        hint = f"; did you mean {near[0]}?" if near else ""
        return Problem(path, f"unknown key; expected one of {', '.join(known)}{hint}")
    message = str(err["msg"]).removeprefix("Value error, ")
    if err["type"] == "missing":
        return Problem(path, "expected a value, found none")
    if err["type"] == "string_pattern_mismatch" and err["ctx"]["pattern"] in _MEANT:
        return Problem(path, f"expected {_MEANT[err['ctx']['pattern']]}, found {err.get('input')!r}")
    if err["type"] == "value_error":
        return Problem(path, message)
    return Problem(path, f"{message}, found {err.get('input')!r}")


def _known_keys(loc: Sequence[Any]) -> list[str]:
    """Return the keys that the model at a location has."""
    model: Any = Config
    for key in loc:
        if isinstance(key, int):
            continue
        field = getattr(model, "model_fields", {}).get(key)
        if field is None:  # a mapping by pair: its values are what is asked for
            continue
        model = _section_of(field.annotation)
    return sorted(getattr(model, "model_fields", {}))


def _section_of(annotation: Any) -> Any:
    if isinstance(annotation, type) and issubclass(annotation, pydantic.BaseModel):
        return annotation
    for arg in getattr(annotation, "__args__", ()):
        if (found := _section_of(arg)) is not None:
            return found
    return None


def _paths(tree: Any, path: str = "") -> list[str]:
    out = [path] if path else []
    for key, value in _items(tree):
        out += _paths(value, f"{path}.{key}" if path else str(key))
    return out


def _items(tree: Any) -> list[tuple[Any, Any]]:
    if isinstance(tree, dict):
        return list(tree.items())
    return list(enumerate(tree)) if isinstance(tree, list) else []


def main(argv: Sequence[str] | None = None) -> int:
    """Print the resolved configuration; exit 0, or 2 with all problems."""
    parser = argparse.ArgumentParser(prog="python -m config.load", description="Resolve a configuration.")
    parser.add_argument("--show", action="store_true", help="print it as JSON (default: its hash)")
    parser.add_argument("--mode", choices=MODES)
    parser.add_argument("-c", "--config", action="append", default=[], metavar="FILE")
    parser.add_argument("--set", action="append", default=[], metavar="KEY.PATH=VALUE", dest="sets")
    args = parser.parse_args(argv)
    try:
        out = resolve(args.mode, args.config, args.sets, os.environ)
    except ConfigProblem as e:
        sys.stderr.write(f"{e}\n")
        return 2
    for note in out.notes:
        sys.stderr.write(f"{note}\n")
    document: dict[str, Any] = {"config_hash": out.content_hash, "sources": out.sources}
    if args.show:
        document["config"] = out.model.model_dump(mode="json")
    sys.stdout.write(json.dumps(document, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
