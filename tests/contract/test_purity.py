"""The domain reads no clock, no file and no global randomness: read off its syntax trees."""

import ast
from pathlib import Path

import pytest

CLOCKS = {
    "time.time", "time.time_ns", "time.monotonic", "time.monotonic_ns", "time.perf_counter", "time.perf_counter_ns",
    "time.process_time", "datetime.datetime.now", "datetime.datetime.utcnow", "datetime.datetime.today",
    "datetime.date.today", "uuid.uuid1", "uuid.uuid4", "os.urandom",
}  # fmt: skip
RANDOM_ALLOWED = {
    "numpy.random.default_rng", "numpy.random.Generator", "numpy.random.SeedSequence", "numpy.random.PCG64",
}  # fmt: skip
BUILTINS = {"open", "hash", "input"}
# modules whose use is I/O, another process or the environment
OUTSIDE = {"pathlib", "io", "shutil", "tempfile", "glob", "socket", "subprocess", "threading", "multiprocessing",
           "sqlite3", "urllib", "http"}  # fmt: skip
ENVIRONMENT = {"os.environ", "os.getenv"}
MAY_READ_ENVIRONMENT = {"kernels/_dispatch.py"}
# calls that keep the order of what they are given: over a set that is the order of hashes
ORDERED = {"list", "tuple", "enumerate", "zip", "map", "filter", "iter", "next", "reversed", "sum", "dict"}


def _names(tree: ast.AST) -> dict[str, str]:
    """Local name → full name, whatever the form of the import."""
    out: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for a in node.names:
                out[a.asname or a.name.split(".")[0]] = a.name if a.asname else a.name.split(".")[0]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for a in node.names:
                out[a.asname or a.name] = f"{node.module}.{a.name}"
    return out


def _full(node: ast.expr, names: dict[str, str]) -> str:
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name) or node.id not in names:
        return ""
    return ".".join([names[node.id], *reversed(parts)])


def _is_set(node: ast.expr, sets: set[str]) -> bool:
    if isinstance(node, ast.Set | ast.SetComp):
        return True
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        return node.func.id in ("set", "frozenset")
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr | ast.BitAnd | ast.Sub | ast.BitXor):
        return _is_set(node.left, sets) or _is_set(node.right, sets)
    return isinstance(node, ast.Name) and node.id in sets


def _set_names(tree: ast.AST) -> set[str]:
    """Names that are bound to sets and to nothing else."""
    bound: dict[str, list[bool]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            for t in targets:
                if isinstance(t, ast.Name):
                    bound.setdefault(t.id, []).append(_is_set(node.value, set()))
    return {n for n, kinds in bound.items() if all(kinds)}


def _iterated(node: ast.AST) -> list[ast.expr]:
    if isinstance(node, ast.For | ast.AsyncFor | ast.comprehension):
        return [node.iter]
    if isinstance(node, ast.Starred):
        return [node.value]
    if isinstance(node, ast.Call):
        f = node.func
        if (isinstance(f, ast.Name) and f.id in ORDERED) or (
            isinstance(f, ast.Attribute) and f.attr == "join"
        ):
            return list(node.args)
        if isinstance(f, ast.Attribute) and f.attr == "pop" and not node.args:
            return [f.value]
    return []


def impurities(source: str, *, environment: bool = False) -> list[str]:
    """Return ``line name`` of each forbidden use, called or merely passed on."""
    tree = ast.parse(source)
    names, faults, sets = _names(tree), [], _set_names(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            modules = (
                [node.module or ""] if isinstance(node, ast.ImportFrom) else [a.name for a in node.names]
            )
            faults += [f"{node.lineno} import {m}" for m in modules if m.split(".")[0] in OUTSIDE]
        for part in _iterated(node):
            if _is_set(part, sets):
                faults.append(f"{part.lineno} order of a set")
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in BUILTINS:
            faults.append(f"{node.lineno} {node.func.id}")
        if isinstance(node, ast.Attribute | ast.Name):
            full = _full(node, names)
            drawn = full.startswith(("random.", "numpy.random.")) and full not in RANDOM_ALLOWED
            if full in ENVIRONMENT and not environment:
                faults.append(f"{node.lineno} {full}")
            if full in CLOCKS or (drawn and not full.startswith("numpy.random.Generator.")):
                faults.append(f"{node.lineno} {full}")
    return faults


def test_the_domain_is_pure(repo_root: Path) -> None:
    root = repo_root / "actors" / "domain"
    files = sorted(root.rglob("*.py"))
    assert len(files) > 100
    faults = []
    for f in files:
        where = f.relative_to(root).as_posix()
        source = f.read_text(encoding="utf-8")
        faults += [f"{where}:{x}" for x in impurities(source, environment=where in MAY_READ_ENVIRONMENT)]
    assert faults == []


@pytest.mark.parametrize(
    "source",
    [
        "import time\nx = time.time()",
        "from time import monotonic as m\nx = m()",
        "import time as t\nf = t.time_ns",
        "from datetime import datetime\nx = datetime.now()",
        "import datetime\nx = datetime.datetime.utcnow()",
        "import uuid\nx = uuid.uuid4()",
        "import random\nx = random.random()",
        "from random import choice\nx = choice([1])",
        "import numpy as np\nx = np.random.normal()",
        "import numpy as np\nnp.random.seed(1)",
        "x = open('f')",
        "x = hash('a')",
        "from pathlib import Path",
        "import subprocess",
        "import os\nx = os.environ['A']",
        "from os import getenv\nx = getenv('A')",
        "for x in {1, 2}: print(x)",
        "y = [x for x in set('ab')]",
        "y = list(frozenset('ab'))",
        "y = ','.join({a for a in 'ab'})",
        "s = set('ab')\nfor x in s: print(x)",
        "s = set('ab')\ny = [*s]",
        "a = set('ab')\nfor x in a - {'b'}: print(x)",
        "a = set('ab')\nx = a.pop()",
    ],
)
def test_the_lint_sees_each_way_around_it(source: str) -> None:
    assert len(impurities(source)) == 1


@pytest.mark.parametrize(
    "source",
    [
        "import numpy as np\nr = np.random.default_rng(3)\nx = r.normal()",
        "import numpy as np\ndef f(r: np.random.Generator) -> float: return r.random()",
        "class A:\n    def open(self): return self.open()",
        "from datetime import datetime\nx = datetime.fromtimestamp(0)",
        "a = set('ab')\nx = sorted(a), len(a), 'a' in a, a == {'a'}",
        "for x in sorted({1, 2}): print(x)",
        "a = set('ab')\na = [1]\nfor x in a: print(x)",
        "a = [1]\nx = a.pop()",
    ],
)
def test_the_lint_lets_seeded_and_own_names_pass(source: str) -> None:
    assert impurities(source) == []
