"""Where parameters come from: a study's section is honoured for its own choice on any bars, and refused for another."""

from __future__ import annotations

from pathlib import Path
from statistics import variance

import pytest
import yaml

from config.handover import handed_over
from config.hashing import choice_hash
from config.load import ConfigProblem, ResolvedConfig, resolve

SETS = (
    'strategies=[{kind: rsi, params: {window_bars: 9}}]', "regime.detectors=[]", "learning.predictors=[]",
    "risk.sizing={kind: fixed_fraction}", "exits.stop.frac=0.03", "venue.fees={kind: none}",
)  # fmt: skip
SHARPES = [0.010, 0.034, None, float("nan"), -0.002]


def written(folder: Path, sets: tuple[str, ...] = SETS, **changed: object) -> Path:
    tree = handed_over(resolve("backtest", sets=sets).model, "mine", 1, SHARPES)
    tree["provenance"] |= changed
    path = folder / "choice.yaml"
    path.write_text(yaml.safe_dump(tree), encoding="utf-8")
    return path


def read(path: Path, *sets: str) -> ResolvedConfig:
    return resolve("backtest", files=[path], sets=sets)


def test_what_is_handed_over_is_the_same_choice_and_knows_its_trials(tmp_path: Path) -> None:
    found = read(written(tmp_path)).model
    assert choice_hash(found) == choice_hash(resolve("backtest", sets=SETS).model)
    assert found.provenance is not None
    assert (found.provenance.trials, found.provenance.trial) == (5, 1)
    # a trial that found nothing counts as one with a ratio of 0
    assert found.provenance.sharpe_variance == pytest.approx(variance([0.010, 0.034, -0.002]))
    # what it is applied to was not chosen
    assert found.venue.fees.kind != "none"


def test_where_parameters_come_from_decides_nothing(tmp_path: Path) -> None:
    path = written(tmp_path)
    assert read(path).content_hash == read(path, "provenance=null").content_hash


@pytest.mark.parametrize(
    "other",
    [
        "pairs=[ETH/USDT]", "account.initial_cash_quote=500", "venue.fees={kind: none}", "seed=4",
        "runtime.block_steps=8",
    ],
)  # fmt: skip
def test_other_bars_accounts_and_costs_leave_the_choice(tmp_path: Path, other: str) -> None:
    assert read(written(tmp_path), other).model.provenance is not None


@pytest.mark.parametrize(
    "other",
    [
        "strategies.rsi.params.window_bars=10", "exits.stop.frac=0.031", "risk.sizing={kind: volatility_target}",
        "strategies.rsi.weight=2", "coordination.weights_lag_steps=32",
    ],
)  # fmt: skip
def test_another_choice_is_refused_until_its_origin_is_given_up(tmp_path: Path, other: str) -> None:
    path = written(tmp_path)
    with pytest.raises(ConfigProblem, match=r"provenance.choice_hash.*study 'mine' chose.*found others"):
        read(path, other)
    assert read(path, other, "provenance=null").model.provenance is None


def test_ratios_per_bar_belong_to_bars_of_their_length(tmp_path: Path) -> None:
    with pytest.raises(ConfigProblem, match=r"provenance.timeframe.*expected the study's 1h.*a run of 4h"):
        read(written(tmp_path), "timeframe=4h")


@pytest.mark.parametrize(
    ("changed", "text"),
    [
        ({"trials": 1}, "expected none of a single trial"),
        ({"sharpe_variance": 2.5}, "per-period.*divide by the periods of a year"),
        ({"sharpe_variance": float("nan")}, "finite"),
        ({"trials": 0}, "greater than or equal to 1"),
        ({"choice_hash": "abc"}, "pattern"),
        ({"seed": 1}, "unknown key|Extra|extra"),
    ],
)  # fmt: skip
def test_a_section_that_cannot_be_is_refused(tmp_path: Path, changed: dict[str, object], text: str) -> None:
    with pytest.raises(ConfigProblem, match=rf"(?s)provenance.*({text})"):
        read(written(tmp_path, **changed))


def test_the_chosen_trial_is_one_of_the_study() -> None:
    with pytest.raises(ValueError, match="expected one of the 5 trials, found 5"):
        handed_over(resolve("backtest").model, "mine", 5, SHARPES)
