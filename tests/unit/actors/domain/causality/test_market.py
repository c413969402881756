"""Other futures leave the past alone; the witness notices what its fits are given."""

from __future__ import annotations

import numpy as np
import pytest

from actors.domain.causality.columns import first_difference, from_any, spoken
from actors.domain.causality.market import FUTURES, View, with_future
from actors.domain.causality.subjects import discover
from actors.domain.causality.witness import Witness, digest
from actors.domain.errors import ModelError
from actors.domain.model.bars import VALUE_COLUMNS
from actors.domain.simulation.synthetic.market import generate
from actors.domain.simulation.synthetic.params import SyntheticParams

FRAME = next(iter(generate(SyntheticParams(n_bars=200), 7).frames.values()))
LISTS = ("bars", "observations", "samples", "markets")


@pytest.mark.parametrize("kind", FUTURES)
@pytest.mark.parametrize("cut", [0, 1, 77, 199])
def test_another_future_begins_at_its_bar(kind: str, cut: int) -> None:
    other = with_future(FRAME, cut, kind)
    assert len(other) == len(FRAME)
    for name in VALUE_COLUMNS:
        same = getattr(other, name) == getattr(FRAME, name)
        assert same[:cut].all()
    assert not (other.close[cut:] == FRAME.close[cut:]).all()
    assert len(with_future(FRAME, 77, kind, 5)) == 82


@pytest.mark.parametrize("name", LISTS)
def test_inputs_know_their_past_only(name: str) -> None:
    whole = getattr(View(FRAME), name)
    fresh = getattr(View(FRAME.slice_rows(0, 120)), name)
    other = getattr(View(with_future(FRAME, 120, "wild")), name)
    assert digest_list(whole[:120]) == digest_list(fresh) == digest_list(other[:120])
    assert digest_list(whole) != digest_list(other)
    view = View(FRAME)
    getattr(view, name)
    assert digest_list(getattr(view.prefix(120), name)) == digest_list(fresh)


def digest_list(rows: list) -> str:
    return digest([repr(r) for r in rows])


def test_a_missing_bar_leaves_its_step_out() -> None:
    keep = np.arange(200) != 50
    columns = {c: getattr(FRAME, c)[keep] for c in ("open_ns", *VALUE_COLUMNS, "flags")}
    view = View(type(FRAME)(FRAME.pair, FRAME.timeframe_ns, **columns))
    assert view.steps[48:52] == [48, 49, 51, 52]


def test_the_witness_records_fits_and_notices_live_memory() -> None:
    data, calls = np.arange(3.0), []

    def fit(x: np.ndarray) -> float:
        calls.append(1)
        return float(x.sum())

    known: dict = {}
    one = Witness(known)
    one.bar = 7
    one.submit("a@7", fit, (data,))
    one.submit("a@7", fit, (data,))
    assert one.result("a@7") == 3.0
    assert [(r.bar, r.key) for r in one.records] == [(7, "a@7")]
    two = Witness(known)
    two.submit("a@7", fit, (data,))
    assert len(calls) == 1, "equal data, looked up"
    data[0] = 5.0
    assert two.result("a@7") == 3.0
    assert two.tampered == [(0, "a@7")]
    two.submit("b", fit, (data,))
    assert two.result("b") == 8.0
    assert one.records[0].asked != two.records[1].asked


def test_columns_of_strangers() -> None:
    import pandas as pd

    made = from_any(pd.DataFrame({"a": [1, 2], "tag": ["x", None]}), 2, "f")
    assert made["a"].tolist() == [1.0, 2.0]
    assert made["tag"].tolist()[0] == "x"
    assert list(from_any(np.zeros((2, 3)), 3, "f")) == ["value_0", "value_1"]
    with pytest.raises(ModelError, match=r"expected one value per bar \(2\), found a: \(3,\)"):
        from_any({"a": [1, 2, 3]}, 2, "f")


def test_differences_are_told_from_rounding() -> None:
    a = np.array([1.0, 2.0, 3.0, np.nan])
    assert first_difference({"x": a}, {"x": a.copy()}, 4) is None
    slight = first_difference({"x": a}, {"x": a * (1 + 1e-14)}, 4)
    assert slight is not None
    assert slight.rounding
    both = first_difference({"x": a, "y": a}, {"x": a * (1 + 1e-14), "y": a + np.array([0, 0, 1, 0])}, 4)
    assert both is not None
    assert (both.bar, both.output, both.rounding) == (2, "y", False)
    gone = first_difference({"x": a}, {}, 4)
    assert gone is not None
    assert gone.output == "x"
    assert spoken({"x": np.array([np.nan, np.nan, 1.0])}) == 2
    assert spoken({"x": np.zeros(3), "label": np.array(["a", "a", "a"])}) is None


def test_discovery_finds_all_families_and_both_forms() -> None:
    found = {s.name: s for s in discover()}
    assert len(found) >= 25
    assert {s.family for s in found.values()} == {
        "indicators",
        "regime",
        "learning",
        "strategies",
        "features",
    }
    assert all(set(s.forms) == {"stream", "batch"} for s in found.values() if s.family == "indicators")
    assert "batch" in found["strategies.ma_crossover"].forms
    assert found["regime.hmm"].learns
    assert found["learning.forest"].learns
    assert not found["regime.trend"].learns
