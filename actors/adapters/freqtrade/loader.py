"""Loads a strategy class out of a file and tells at once everything in it that is not supported."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from actors.adapters.freqtrade import parameters, protections, shim, support
from actors.adapters.freqtrade.interface import IStrategy
from actors.adapters.freqtrade.provider import RunMode
from actors.domain.errors import ConfigError, TradingError


def settings(
    *,
    pairs: Sequence[str] = (),
    quote: str = "USDT",
    timeframe: str = "1h",
    max_open_trades: int = 3,
    stake: float | None = None,
    cash: float = 10_000.0,
    mode: str = "spot",
) -> dict[str, Any]:
    """Return what a strategy finds in ``self.config``; a stake of None is ``unlimited``.

    `mode` is the account's: ``spot``, ``margin`` or ``perpetual``, which files of this style call ``futures``.
    """
    return {
        "dry_run": True,
        "dry_run_wallet": cash,
        "runmode": RunMode.BACKTEST,
        "trading_mode": "futures" if mode == "perpetual" else mode,
        "margin_mode": "" if mode == "spot" else "cross",
        "stake_currency": quote,
        "stake_amount": "unlimited" if stake is None else stake,
        "max_open_trades": max_open_trades,
        "timeframe": timeframe,
        "exchange": {"name": "tradewind", "pair_whitelist": list(pairs), "pair_blacklist": []},
    }


ANYWHERE = settings(mode="perpetual")
"""For whoever only looks at a class: nothing in it is refused for the account's sake."""


def load_strategy(
    path: Path | str,
    name: str | None = None,
    *,
    config: Mapping[str, Any] | None = None,
    params: Mapping[str, Any] | None = None,
    timeframe: str | None = None,
    checked: bool = True,
) -> IStrategy:
    """Return an instance of the strategy class in a file, its parameters filled in.

    Parameters
    ----------
    path : path
        A Python file; it is executed: run only code that you trust.
    name : str, optional
        Class; needed where the file holds several.
    config : mapping, optional
        ``self.config``; default `settings`.
    params : mapping, optional
        Values of parameters (or of settings such as ``stoploss``) that override all others.
    timeframe : str, optional
        Instead of the class's own.
    checked : bool
        False leaves out what is unsupported or senseless, for whoever checks it later.

    Raises
    ------
    ConfigError
        ``STRATEGY_FILE`` (no file, does not load), ``STRATEGY_CLASS`` (none, several, other name),
        ``STRATEGY_UNSUPPORTED`` (naming every such member at once), ``STRATEGY_PARAMS``, ``STRATEGY_JSON``,
        ``STRATEGY_RAISED`` (its constructor).
    """
    file = Path(path).expanduser()
    module = _module(file)
    classes = {
        n: c
        for n, c in vars(module).items()
        if isinstance(c, type) and issubclass(c, IStrategy) and c.__module__ == module.__name__
    }
    found = ", ".join(classes) or "none"
    if name is not None and name not in classes:
        raise ConfigError("STRATEGY_CLASS", f"{file}: expected a strategy class {name}, found {found}")
    if name is None and len(classes) != 1:
        raise ConfigError(
            "STRATEGY_CLASS", f"{file}: expected one strategy class, found {found}; name it as FILE:CLASS"
        )
    cls = classes[name] if name is not None else next(iter(classes.values()))
    return instance(cls, file, config=config, params=params, timeframe=timeframe, checked=checked)


def instance(
    cls: type[IStrategy],
    file: Path | None = None,
    *,
    config: Mapping[str, Any] | None = None,
    params: Mapping[str, Any] | None = None,
    timeframe: str | None = None,
    checked: bool = True,
) -> IStrategy:
    """Return a strategy of a class; see `load_strategy`."""
    try:
        with shim.installed():
            strategy = cls(dict(config) if config is not None else settings())
    except TradingError:
        raise
    except Exception as e:
        raise ConfigError("STRATEGY_RAISED", f"{cls.__name__}(): {type(e).__name__}: {e}") from e
    if not hasattr(strategy, "config"):
        strategy.config = dict(config) if config is not None else settings()
    parameters.fill(strategy, file if file is not None else Path("none.py"), params or {})
    if timeframe is not None:
        strategy.timeframe = timeframe
    if checked:
        support.refuse_unsupported(strategy)
        protections.parse(strategy.protections)
    return strategy


def _module(file: Path) -> ModuleType:
    if not file.is_file():
        raise ConfigError("STRATEGY_FILE", f"strategy: expected a Python file, found nothing at {file}")
    name = f"tradewind_user_strategy_{file.stem}"
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise ConfigError("STRATEGY_FILE", f"strategy: expected a Python file (.py), found {file}")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    beside = str(file.resolve().parent)
    # files of this style import helpers that lie beside them
    sys.path.append(beside)
    try:
        with shim.installed():
            spec.loader.exec_module(module)
    except TradingError:
        raise
    except ImportError as e:
        raise ConfigError(
            "STRATEGY_FILE",
            f"{file}: expected its imports to be installed, found: {e}; install the package with pip, or remove the "
            "import",
        ) from e
    except SyntaxError as e:
        raise ConfigError("STRATEGY_FILE", f"{file}: expected Python, found {e}") from e
    except Exception as e:
        raise ConfigError("STRATEGY_FILE", f"{file}: {type(e).__name__} while it was loaded: {e}") from e
    finally:
        sys.path.remove(beside)
    return module
