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


def impurities(source: str) -> list[str]:
    """Return ``line name`` of each forbidden use, called or merely passed on."""
    tree = ast.parse(source)
    names, faults = _names(tree), []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in BUILTINS:
            faults.append(f"{node.lineno} {node.func.id}")
        if isinstance(node, ast.Attribute | ast.Name):
            full = _full(node, names)
            drawn = full.startswith(("random.", "numpy.random.")) and full not in RANDOM_ALLOWED
            if full in CLOCKS or (drawn and not full.startswith("numpy.random.Generator.")):
                faults.append(f"{node.lineno} {full}")
    return faults


def test_the_domain_is_pure(repo_root: Path) -> None:
    root = repo_root / "actors" / "domain"
    files = sorted(root.rglob("*.py"))
    assert len(files) > 100
    faults = [f"{f.relative_to(root)}:{x}" for f in files for x in impurities(f.read_text(encoding="utf-8"))]
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
    ],
)
def test_the_lint_lets_seeded_and_own_names_pass(source: str) -> None:
    assert impurities(source) == []
