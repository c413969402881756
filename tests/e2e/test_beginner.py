"""A beginner in an empty folder: from nothing to a backtest, and one clear message for each mistake."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from actors.adapters.storage.bar_store import BarStore
from actors.domain.simulation.synthetic.market import generate
from actors.domain.simulation.synthetic.params import SyntheticParams
from cluster.cli import main as cli


@pytest.fixture(scope="module")
def bars(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    folder = tmp_path_factory.mktemp("bars")
    frame = next(iter(generate(SyntheticParams(n_bars=500), 7).frames.values()))
    file = str(BarStore(folder).write(frame))
    return ["--data", file, "-p", "BTC/USDT", "-i", "1h", "--no-regimes", "--no-progress"]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    # the command adds the user's folders
    monkeypatch.setattr(sys, "path", list(sys.path))
    return tmp_path


def told(capsys: pytest.CaptureFixture[str]) -> list[str]:
    """Messages on stderr but notes of the run; a message may go on in indented lines."""
    found: list[str] = []
    for line in capsys.readouterr().err.splitlines():
        if line.startswith("tradewind ") and ": note: " not in line:
            found.append(line)
        elif line.startswith("  ") and found:
            found[-1] += line
    return found


def test_from_nothing_to_a_backtest(home: Path, bars: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["new-strategy", "first_steps"]) == 0
    assert sorted(p.name for p in (home / "user_data" / "strategies").iterdir()) == [
        "first_steps.py", "test_first_steps.py",
    ]  # fmt: skip
    said = capsys.readouterr().out
    assert "python -m pytest user_data/strategies/test_first_steps.py" in said
    tests = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "user_data/strategies/test_first_steps.py"],
        cwd=home, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert "3 passed" in tests.stdout, tests.stdout + tests.stderr
    for word in ("first_steps:FirstSteps", "user_data/strategies/first_steps.py", "FirstSteps"):
        assert cli.main(["backtesting", "-s", word, *bars, "--set", "strategy.fast_bars=6"]) == 0
    assert "round trips" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("calm-trend", "'calm-trend': expected letters, digits and _ with a letter first"),
        ("2fast", "'2fast': expected letters, digits and _"),
        ("class", "expected no word of Python"),
        ("rsi", "a built-in strategy is called rsi"),
        ("json", "Python would find another module called json first"),
        ("", "expected letters"),
    ],
)
def test_a_name_that_will_not_do(
    name: str, message: str, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["new-strategy", name]) == 2
    (line,) = told(capsys)
    assert message in line
    assert not (home / "user_data").exists()


MISTAKES = {
    "a typo in an indicator": (
        'indicator("rsi"', 'indicator("rsii"', "indicators, rsi: kind 'rsii' in actors.domain.indicators: expected one",
        "did you mean rsi?",
    ),
    "a typo in its parameter": (
        "window_bars=self.rsi_bars", "windowbars=self.rsi_bars",
        "indicators, rsi: rsi: windowbars: unknown, expected one of window_bars; did you mean window_bars?", "found 14",
    ),
    "indicators that are no mapping": (
        "        return {\n", "        return [1]\n        return {\n",
        "expected {name: indicator(kind, …)}", "found [1]",
    ),
    "a value that nobody gives": (
        "def decide(self, bar, fast, slow, rsi)", "def decide(self, bar, fast, slow, rsi, adx)",
        "names that indicators() gives (fast, slow, rsi), found adx", "",
    ),
    "no bar": (
        "def decide(self, bar, fast", "def decide(self, fast", "expected (self, bar, …), found (self, fast", "",
    ),
    "no self": (
        "def decide(self, bar, fast", "def decide(bar, fast", "decide: expected (self, bar, …), found (bar, fast", "",
    ),
    "it returns 2": ("return -0.6", "return 2", "decide: expected a number in [-1, 1]", "found 2"),
    "it returns text": ("return -0.6", "return 'sell'", "decide: expected a number in [-1, 1]", "found 'sell'"),
    "it returns True": ("return -0.6", "return True", "decide: expected a number in [-1, 1]", "found True"),
    "it returns three things": ("return -0.6", "return 1, 0.5, 3", "(direction, confidence)", "found (1, 0.5, 3)"),
    "no default": ("Param(12, ge=2, low=5", "Param(ge=2, low=5", "argument: 'default' in", "line 16"),
    "a default outside its range": ("Param(12, ge=2", "Param(3, ge=2", "the default in it, found 3 in", "line 16"),
    "low above high": ("low=5, high=50", "low=50, high=5", "expected low < high", "line 16"),
    "parameters that do not increase": (
        "Param(48, ge=3, low=20, high=200", "Param(12, ge=3, low=2, high=200",
        "fast_bars < slow_bars: expected increasing", "found [12, 12]",
    ),
    "a misspelt parameter": ("self.hot_rsi", "self.hot_rsy", "object has no attribute 'hot_rsy' in", "line 34"),
    "a misspelt price": ("fast > slow:", "bar.clsoe > slow:", "'Market' object has no attribute 'clsoe' in", "line 33"),
    "a division by zero": ("return -0.6", "return 1 / 0", "ZeroDivisionError: division by zero in", "line 36"),
    "something remembered without Memory": (
        "        if fast > slow:", "        self.count = 1\n        if fast > slow:",
        "write `count = Memory(…)` in the class", "line 33",
    ),
    "a colon that is missing": ("if fast > slow:", "if fast > slow", "SyntaxError: expected ':' in", "line 33"),
    "an import that is not there": (
        "from actors.domain.strategies.simple", "import pandas_tea\nfrom actors.domain.strategies.simple",
        "No module named 'pandas_tea' in", "line 6",
    ),
    "another class": ("class Bad", "class Worse", "expected a class of", "found Bad"),
}  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES)
def test_each_mistake_has_one_clear_message(
    mistake: str, home: Path, bars: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    old, new, message, place = MISTAKES[mistake]
    assert cli.main(["new-strategy", "template_of_all"]) == 0
    folder = home / "user_data" / "strategies"
    text = (folder / "template_of_all.py").read_text(encoding="utf-8").replace("TemplateOfAll", "Bad")
    assert old in text
    # a module of its own for each: Python remembers what it has imported
    name = "beginner_" + "".join(c if c.isalnum() else "_" for c in mistake)
    (folder / f"{name}.py").write_text(text.replace(old, new), encoding="utf-8")
    capsys.readouterr()
    assert cli.main(["backtesting", "-s", f"{name}:Bad", *bars]) == 2
    (line,) = told(capsys)
    assert message in line
    assert place in line
    if place.startswith("line"):
        assert f"{name}.py" in line


def test_printing_is_no_mistake_and_stays_out_of_the_result(
    home: Path, bars: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["new-strategy", "prints_much"]) == 0
    file = home / "user_data" / "strategies" / "prints_much.py"
    text = file.read_text(encoding="utf-8")
    file.write_text(
        text.replace(
            "        if fast > slow:", "        print('looked at', bar.close)\n        if fast > slow:"
        )
    )
    capsys.readouterr()
    assert cli.main(["backtesting", "-s", "prints_much:PrintsMuch", *bars, "--json", "-"]) == 0
    printed = capsys.readouterr()
    assert printed.out.startswith('{"tradewind":')
    assert len(printed.out.splitlines()) == 1
    assert "looked at" in printed.err


PEEKS = """
import numpy as np
from actors.domain import registry
from actors.domain.indicators.base import Indicator
from actors.domain.strategies.simple import SimpleStrategy, indicator


class Smooth(Indicator):
    '''A centred mean: it needs the next bar.'''

    class Params(registry.Params):
        pass

    def __init__(self, params):
        self.names, self.warmup_bars = ("smooth",), 0

    def update(self, bar):
        return (bar.close,)

    def batch(self, frame):
        c = frame.close
        return np.append((c[:-1] + c[1:]) / 2, c[-1])[None, :]


class Peeks(SimpleStrategy):
    def indicators(self):
        return {"smooth": indicator("peeks_a_little:Smooth")}

    def decide(self, bar, smooth):
        return 0.02 if smooth > bar.close * 1.004 else None
"""


def test_future_data_are_found_even_where_they_earn_little(
    home: Path, bars: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    (home / "peeks_a_little.py").write_text(PEEKS, encoding="utf-8")
    assert cli.main(["backtesting", "-s", "peeks_a_little:Peeks", *bars]) == 1
    said = capsys.readouterr().out
    verdict = "LOOKAHEAD: peeks_a_little:Peeks looks ahead over its last 500 bars: direction at the bar of "
    assert said.startswith(verdict)
    assert "IMPLAUSIBLE" not in said
    page = next(line for line in said.splitlines() if line.startswith("report:")).split()[1]
    # among the page's warnings, not its notes
    assert '<p class="warn loud">LOOKAHEAD: peeks_a_little' in Path(page).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["-s", "ma_crosover"], "kind 'ma_crosover' in actors.domain.strategies: expected one of"),
        (["-s", "ma_crosover"], "or module:Class of your own; did you mean ma_crossover?"),
        (["-s", "no_such_module:Mine"], "No module named 'no_such_module'"),
        (
            ["-s", "rsi", "--set", "strategy.windowbars=3"],
            "windowbars: unknown, expected one of window_bars, oversold",
        ),
        (["-s", "rsi", "--set", "strategy.window_bars=abc"], "window_bars: Input should be a valid integer"),
        (["-s", "rsi", "macd", "--set", "strategy.window_bars=9"], "expected the strategy to be named"),
    ],
)
def test_a_typo_on_the_command_line(
    words: list[str], message: str, home: Path, bars: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["backtesting", *words, *bars]) == 2
    (line,) = told(capsys)
    assert message in line
