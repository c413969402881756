"""Strategies in a handful of lines: what is written is what happens, and the contract comes with it."""

from __future__ import annotations

import importlib
import pickle
import sys
from pathlib import Path
from typing import Any

import pytest

from actors.domain import registry
from actors.domain.errors import InvalidParamsError
from actors.domain.indicators.base import Indicator
from actors.domain.params import search_space
from actors.domain.registry import Params
from actors.domain.strategies.base import Market
from actors.domain.strategies.simple import Memory, Param, SimpleStrategy, indicator
from actors.domain.strategies.trial import columns_of, faults, opinions

PACKAGE = "actors.domain.strategies"
HERE = __name__


class Cross(SimpleStrategy):
    """Above or below."""

    fast_bars = Param(2, ge=1, low=2, high=20, about="the quick one")
    slow_bars = Param(4, ge=2, low=4, high=60)
    width: float = Param(2, gt=0)
    how = Param("plain", choices=("plain", "faded"))
    shorts = Param(True)
    ordered = ("fast_bars", "slow_bars")

    def indicators(self) -> Any:
        return {
            "slow": indicator("sma", window_bars=self.slow_bars),
            "fast": indicator("sma", window_bars=self.fast_bars),
        }

    def decide(self, bar: Market, fast: float, slow: float) -> Any:
        if fast == slow:
            return None
        return 1 if fast > slow else (-0.5 if self.shorts else 0)


class Latch(SimpleStrategy):
    """Counts closes above the upper band since the last one below the lower band, and reads more than bars."""

    reads = ("regime", "predictions")
    seen = Memory([])
    count = Memory(0)

    def indicators(self) -> Any:
        return {"bands": indicator("bollinger", window_bars=10, k_dev=1.0), "rise": indicator(f"{HERE}:Rise")}

    def decide(self, bar: Market, bands: tuple[float, float, float], rise: float) -> Any:
        upper, _, lower = bands
        if bar.close > upper:
            self.count += 1
            self.seen = [*self.seen, rise][-3:]
        elif bar.close < lower:
            self.count = 0
        if bar.regime == "crash" or not self.count:
            return None
        p = bar.predictions["forest"]
        return (1.0 if sum(self.seen) > 0.0 else -1.0), 0.5 if p != p else 0.5 * p


class Rise(Indicator):
    """The last move; it has no batch form."""

    names = ("rise",)
    warmup_bars = 1
    STATE = ("_last",)

    def __init__(self, params: Params) -> None:
        self._last = float("nan")

    def update(self, bar: Any) -> tuple[float]:
        move, self._last = bar.close / self._last - 1.0, bar.close
        return (move,)


class Child(Cross):
    """Its parent, with one more parameter."""

    more_bars = Param(3)


@pytest.fixture(autouse=True)
def _importable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, HERE, sys.modules.get(HERE) or importlib.import_module(HERE))


def _cross(**params: Any) -> Cross:
    return Cross(Cross.Params(**params))


def test_by_hand() -> None:
    # averages of 2 and 4 at bars 3, 4, 5: 13.5 > 12, 12 = 12, 9 < 11.25
    direction, confidence = opinions(_cross(), columns_of([10.0, 11.0, 13.0, 14.0, 10.0, 8.0]))
    assert direction == [0, 0, 0, 1, 0, -1]
    assert confidence == [0, 0, 0, 1, 0, 0.5]
    assert opinions(_cross(shorts=False), columns_of([10.0, 11.0, 13.0, 14.0, 10.0, 8.0]))[0] == [
        0,
        0,
        0,
        1,
        0,
        0,
    ]


@pytest.mark.parametrize("cls", [Cross, Latch, Child])
def test_the_contract_comes_with_it(cls: type[SimpleStrategy]) -> None:
    assert faults(lambda: cls(cls.Params())) == []


def test_warm_up_is_the_longest_of_the_indicators() -> None:
    assert _cross(slow_bars=30).warmup_bars == 29
    assert Latch(Latch.Params()).warmup_bars == 9


def test_parameters_are_plain_typed_and_searchable() -> None:
    made = Cross.Params()
    assert made.model_dump() == {"fast_bars": 2, "slow_bars": 4, "width": 2.0, "how": "plain", "shorts": True}
    assert Cross.Params.model_validate_json(made.model_dump_json()) == made
    assert pickle.loads(pickle.dumps(Child.Params(more_bars=7))) == Child.Params(more_bars=7)
    space = {name: str(r) for name, r in search_space(Cross.Params).items()}
    assert space == {
        "fast_bars": "2..20", "slow_bars": "4..60", "how": "plain | faded", "shorts": "False | True"
    }  # fmt: skip
    assert list(Child.Params.model_fields) == [*Cross.Params.model_fields, "more_bars"]


@pytest.mark.parametrize(
    ("params", "match"),
    [
        ({"fast_bars": 9}, "fast_bars < slow_bars"),
        ({"how": "other"}, "plain"),
        ({"fast": 3}, "fast"),
        ({"fast_bars": 1.5}, "fast_bars"),
        ({"width": 0}, "width"),
    ],
)
def test_unfit_parameters_are_refused(params: dict[str, Any], match: str) -> None:
    with pytest.raises(InvalidParamsError, match=match):
        registry.build(PACKAGE, f"{HERE}:Cross", params)


def test_memories_are_not_shared() -> None:
    one, two = Latch(Latch.Params()), Latch(Latch.Params())
    one.seen.append(1.0)
    assert two.seen == []


def test_an_argument_without_indicator_is_named() -> None:
    class Typo(SimpleStrategy):
        def indicators(self) -> Any:
            return {"fast": indicator("sma", window_bars=3)}

        def decide(self, bar: Market, fats: float) -> float:
            return fats

    with pytest.raises(InvalidParamsError, match=r"names that indicators\(\) gives \(fast\), found fats"):
        Typo(Typo.Params())


def test_an_attribute_that_changes_must_be_a_memory() -> None:
    class Counts(SimpleStrategy):
        first = Param(3)
        kept = Memory(0)

        def __init__(self, params: Any) -> None:
            super().__init__(params)
            self.scale = 2.0  # while it is built anything may be set

        def decide(self, bar: Market) -> float:
            self.kept += 1
            self.seen = self.kept
            return self.scale / 4.0

    with pytest.raises(AttributeError, match=r"Counts\.seen: .*write `seen = Memory\(…\)` in the class"):
        opinions(Counts(Counts.Params()), columns_of([1.0]))
    made = Counts(Counts.Params())
    with pytest.raises(AttributeError, match=r"Counts\.first"):
        made.first = 4
    made.kept = 9
    again = pickle.loads(pickle.dumps(made.kept))
    assert again == 9


@pytest.mark.parametrize("said", [["sma"], {"fast": "sma"}, None])
def test_indicators_must_be_named_lines(said: Any) -> None:
    class Wrong(SimpleStrategy):
        def indicators(self) -> Any:
            return said

        def decide(self, bar: Market) -> float:
            return 1.0

    with pytest.raises(
        InvalidParamsError, match=r"Wrong\.indicators: expected \{name: indicator\(kind, …\)\}, found"
    ):
        Wrong(Wrong.Params())


def test_the_bar_comes_first() -> None:
    class NoBar(SimpleStrategy):
        def indicators(self) -> Any:
            return {"fast": indicator("sma", window_bars=3)}

        def decide(self, fast: float) -> float:
            return fast

    class NoSelf(NoBar):
        def decide(bar: Market, fast: float) -> float:
            return fast

    for cls, found in ((NoBar, "self, fast"), (NoSelf, "bar, fast")):
        with pytest.raises(
            InvalidParamsError, match=rf"decide: expected \(self, bar, …\), found \({found}\)"
        ):
            cls(cls.Params())


def test_an_indicator_that_is_misspelt_is_named_with_its_place() -> None:
    class Wrong(SimpleStrategy):
        kind = Param("smaa")
        word = Param("window_bars")

        def indicators(self) -> Any:
            return {"fast": indicator(self.kind, **{self.word: 3})}

        def decide(self, bar: Market, fast: float) -> float:
            return fast

    with pytest.raises(InvalidParamsError, match=r"Wrong\.indicators, fast: kind 'smaa'.*did you mean sma\?"):
        Wrong(Wrong.Params())
    with pytest.raises(
        InvalidParamsError, match=r"fast: sma: windowbars: unknown, expected one of window_bars; did you"
    ):
        Wrong(Wrong.Params(kind="sma", word="windowbars"))


def test_a_parameter_must_not_hide_what_the_base_has() -> None:
    with pytest.raises(InvalidParamsError, match="update: expected a name of its own"):

        class Hides(SimpleStrategy):
            update = Param(3)


@pytest.mark.parametrize(
    "said",
    [2.0, float("nan"), (1.0, 1.5), (-3.0, 0.5), "sell", True, (1.0, 0.5, 3.0), (1.0,), [0.5], ("up", 0.5)],
)
def test_an_opinion_out_of_bounds_is_refused(said: Any) -> None:
    class Loud(SimpleStrategy):
        def decide(self, bar: Market) -> Any:
            return said

    with pytest.raises(ValueError, match="decide: expected"):
        opinions(Loud(Loud.Params()), columns_of([1.0]))


def test_a_file_of_the_user_is_found_by_module_and_class(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "my_rule_of_thumb.py").write_text(
        "from actors.domain.strategies.simple import Param, SimpleStrategy\n\n\n"
        "class Thumb(SimpleStrategy):\n"
        "    level = Param(10.0, low=5.0, high=20.0)\n\n"
        "    def decide(self, bar):\n"
        "        return 1.0 if bar.close > self.level else None\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    made = registry.build(PACKAGE, "my_rule_of_thumb:Thumb", {"level": 11})
    assert opinions(made, columns_of([11.0, 12.0]))[0] == [0, 1]
