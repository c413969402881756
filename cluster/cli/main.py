"""``tradewind VERB``: finds the verb's file, runs it, prints its result, turns errors into exit codes."""

from __future__ import annotations

import argparse
import contextlib
import errno
import importlib
import os
import pkgutil
import sys
import time
import traceback
from pathlib import Path
from typing import Any

try:
    from actors.domain.errors import TradingError
    from cluster import __version__
    from cluster.cli import common
except KeyboardInterrupt:  # these imports take longer than anything before the first word on the screen
    sys.stderr.write("tradewind: interrupted before it began\n")
    raise SystemExit(130) from None

_OWN = {"main", "common"}


def verbs() -> dict[str, str]:
    """Return verb → module, by file name."""
    package = importlib.import_module("cluster.cli")
    return {
        m.name.replace("_", "-"): f"cluster.cli.{m.name}"
        for m in pkgutil.iter_modules(package.__path__)
        if m.name not in _OWN and not m.name.startswith("_")
    }


def parser_of(verb: str, module: Any) -> argparse.ArgumentParser:
    """Return the parser of one verb."""
    parser = argparse.ArgumentParser(
        prog=f"tradewind {verb}",
        description=module.HELP,
        epilog=f"example:\n  {module.EXAMPLE}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    module.add_arguments(parser)
    common.add_common(parser)
    return parser


def _overview(known: dict[str, str]) -> str:
    rows = []
    for verb, name in sorted(known.items()):
        module = importlib.import_module(name)
        rows.append(f"  {verb:<18} {module.HELP.splitlines()[0]}")
    return (
        f"tradewind {__version__}: a crypto trading system as a fleet of agents\n\n"
        "usage: tradewind VERB [flags]        tradewind VERB --help\n\nverbs:\n" + "\n".join(rows) + "\n"
    )


def main(argv: list[str] | None = None) -> int:
    """Run one verb; return the exit code."""
    try:
        return _main(sys.argv[1:] if argv is None else argv)
    except KeyboardInterrupt:
        sys.stderr.write("tradewind: interrupted before it began\n")
        return common.EXIT_INTERRUPT


def _main(argv: list[str]) -> int:
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, "1")  # before numpy is used: reductions must not depend on threads
    known = verbs()
    if not argv or argv[0] in ("-h", "--help"):
        sys.stdout.write(_overview(known))
        return common.EXIT_DONE if argv else common.EXIT_USAGE
    if argv[0] == "--version":
        sys.stdout.write(f"tradewind {__version__}\n")
        return common.EXIT_DONE
    verb = argv[0]
    if verb not in known:
        sys.stderr.write(f"tradewind: expected a verb, found {verb!r}; one of {', '.join(sorted(known))}\n")
        return common.EXIT_USAGE
    module = importlib.import_module(known[verb])
    args = parser_of(verb, module).parse_args(argv[1:])
    return _run(verb, module, args)


def _run(verb: str, module: Any, args: argparse.Namespace) -> int:
    started = time.time()
    common.own_code(args)
    try:
        common.refuse_unwritable(args.json)
        # stdout is for the result: what a user's strategy prints goes to stderr
        with contextlib.redirect_stdout(sys.stderr):
            outcome: common.Outcome = module.run(args)
        common.emit(common.document(verb, outcome, started, args.seed), args.json, outcome.text)
    except KeyboardInterrupt as e:
        how = f"state is saved. {e}" if str(e) else "there is nothing to go on with: run it again"
        sys.stderr.write(f"tradewind {verb}: interrupted; {how}\n")
        return common.EXIT_INTERRUPT
    except TradingError as e:
        # some messages name the verb themselves: once is enough
        sys.stderr.write(f"tradewind {verb}: {str(e).removeprefix(f'{verb}: ')}\n")
        if args.verbose:
            traceback.print_exc()
        return e.exit_code
    except BrokenPipeError:
        return common.EXIT_DONE  # the reader of our output has seen enough
    except OSError as e:
        sys.stderr.write(f"tradewind {verb}: {_of_the_machine(e, verb)}\n")
        if args.verbose:
            traceback.print_exc()
        return common.EXIT_VENUE
    except Exception as e:  # noqa: BLE001 - the last resort: our own bug, written down for a report
        path = _bug_report(verb, args)
        sys.stderr.write(f"tradewind {verb}: unexpected {type(e).__name__}: {e}; details in {path}\n")
        if args.verbose:
            traceback.print_exc()
        return common.EXIT_BUG
    if outcome.code is not None:
        return outcome.code
    return common.EXIT_DONE if outcome.ok else common.EXIT_CHECK


def _of_the_machine(error: OSError, verb: str) -> str:
    """Return what the operating system refused, with what to do."""
    where = f"{error.filename}: " if error.filename else ""
    full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
    remedy = (
        "free some space, or choose another --userdir" if full else "look at this path and its permissions"
    )
    found = f"{where}expected the system to allow it, found: {error.strerror or error}; {remedy}"
    if verb != "trade":
        return found
    return f"{found}; what was committed before stands, and `tradewind trade --resume` goes on with it"


def _bug_report(verb: str, args: argparse.Namespace) -> Path:
    folder = common.userdir(args) / "logs"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"error-{verb}-{int(time.time())}.txt"
    path.write_text(
        f"tradewind {__version__} {verb} {vars(args)}\n\n{traceback.format_exc()}", encoding="utf-8"
    )
    return path


if __name__ == "__main__":
    raise SystemExit(main())
