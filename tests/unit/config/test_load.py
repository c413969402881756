"""Resolution: order of layers, all problems at once with file and key, the hash."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest

from config.load import resolve
from config.parts import components
from config.problems import ConfigProblem
from config.schema import LIVE_ACKNOWLEDGEMENT, Config

_TWO_LIMITS = (
    "risk.rules=[{kind: max_position_frac, params: {limit_frac: 0.9}},"
    " {kind: max_gross_exposure, params: {limit_frac: 0.5}}]"
)


def problems_of(**kwargs: object) -> dict[str, str]:
    with pytest.raises(ConfigProblem) as caught:
        resolve(**kwargs)  # type: ignore[arg-type]
    return {p.path: f"{p.origin}: {p.message}" for p in caught.value.problems}


@pytest.mark.parametrize("mode", ["backtest", "paper"])
def test_shipped_modes_resolve(mode: str) -> None:
    out = resolve(mode)
    assert out.model.mode == mode
    assert out.model.seed == 7
    assert [s.kind for s in out.model.strategies] == ["ma_crossover", "rsi", "macd", "regime_aware"]


def test_mode_defaults_to_paper() -> None:
    assert resolve().model.mode == "paper"


def test_later_layers_win(tmp_path: Path) -> None:
    first, second = tmp_path / "a.yaml", tmp_path / "b.json"
    first.write_text("seed: 1\ntimeframe: 15m\nruntime: {block_steps: 4, restart_budget: 9}\n")
    second.write_text(json.dumps({"seed": 2, "runtime": {"block_steps": 5}}))
    env = {"TRADEWIND__SEED": "3", "TRADEWIND__DATA__MAX_MISSING_FRAC": "0.5", "SEED": "99"}
    model = resolve("paper", [first, second], ["seed=4"], env).model
    assert (model.seed, model.timeframe, model.data.max_missing_frac) == (4, "15m", 0.5)
    assert (model.runtime.block_steps, model.runtime.restart_budget) == (5, 9)
    assert resolve("paper", [first, second], [], env).model.seed == 3
    assert resolve("paper", [first, second]).model.seed == 2
    assert resolve("paper", [second, first]).model.seed == 1


def test_lists_are_replaced_and_members_set_by_kind(tmp_path: Path) -> None:
    file = tmp_path / "c.yaml"
    file.write_text("strategies: [{kind: rsi}, {kind: 'my.mod:Mine', params: {a: 1}}]\n")
    model = resolve("paper", [file], ["strategies.rsi.weight=2.5", "strategies.1.params.a=1e-3"]).model
    assert [(s.kind, s.weight) for s in model.strategies] == [("rsi", 2.5), ("my.mod:Mine", 1.0)]
    assert model.strategies[1].params == {"a": 0.001}


def test_another_kind_drops_the_parameters_of_the_first(tmp_path: Path) -> None:
    file = tmp_path / "c.yaml"
    file.write_text("venue: {fees: {kind: a, params: {x: 1}}}\n")
    assert resolve("paper", [file], ["venue.fees={kind: b}"]).model.venue.fees.params == {}


def test_all_problems_at_once_with_file_line_and_key(tmp_path: Path) -> None:
    file = tmp_path / "bad.yaml"
    file.write_text("seed: many\nrisk:\n  rulez: []\ndata:\n  policy: ignore\n  max_missing_frac: 2\n")
    found = problems_of(mode="paper", files=[file], sets=["runtime.block_steps=0", "nokey"], env={})
    assert set(found) == {"nokey", "seed", "data.max_missing_frac", "data.policy", "risk.rulez",
                          "runtime.block_steps"}  # fmt: skip
    assert f"{file}:1" in found["seed"]
    assert f"{file}:3" in found["risk.rulez"]
    assert "did you mean rules" in found["risk.rulez"]
    assert f"{file}:5" in found["data.policy"]
    assert "--set runtime.block_steps" in found["runtime.block_steps"]
    assert "no '='" in found["nokey"]


def test_an_unknown_section_is_blamed_on_what_made_it() -> None:
    with pytest.raises(ConfigProblem) as caught:
        resolve("paper", sets=["venue.fes.kind=flat"], env={"TRADEWIND__RISK__SIZNG__KIND": "x"})
    assert {p.path: p.origin for p in caught.value.problems} == {
        "risk.sizng": "environment TRADEWIND__RISK__SIZNG__KIND",
        "venue.fes": "--set venue.fes.kind",
    }


def test_duplicate_keys_are_refused(tmp_path: Path) -> None:
    yaml, js = tmp_path / "d.yaml", tmp_path / "d.json"
    yaml.write_text("seed: 1\ndata:\n  policy: reject\n  policy: quarantine\nseed: 2\n")
    js.write_text('{"seed": 1, "seed": 2}')
    found = problems_of(mode="paper", files=[yaml, js])
    assert f"{yaml}:4" in found["data.policy"]
    assert "line 3" in found["data.policy"]
    assert "seed" in found


@pytest.mark.parametrize(
    ("text", "needle"),
    [
        ("!!python/object/apply:os.system ['true']", "python/object"),
        ("seed: !!python/name:os.system", "python/name"),
        ("a: &a [*a]", "alias"),
        ("seed: 2020-01-01", "quote it"),
        ("data: {max_missing_frac: .nan}", "finite"),
        ("[1, 2]", "expected a mapping"),
        ("seed: [1", "expected YAML"),
        ("base: &b {x: 1}\ndata:\n  <<: *b\n", "merge key"),
        ("account: {api_key: abc}", "secret"),
    ],
)
def test_dangerous_or_broken_yaml_is_refused(tmp_path: Path, text: str, needle: str) -> None:
    file = tmp_path / "x.yaml"
    file.write_text(text)
    with pytest.raises(ConfigProblem, match=needle):
        resolve("paper", [file])


def test_alias_bomb_is_refused(tmp_path: Path) -> None:
    lines = ["a0: &a0 [1,1,1,1,1,1,1,1,1,1]"]
    lines += [f"a{i}: &a{i} [{','.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 12)]
    file = tmp_path / "bomb.yaml"
    file.write_text("\n".join(lines))
    with pytest.raises(ConfigProblem, match="alias"):
        resolve("paper", [file])


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigProblem, match=r"nothing at .*gone\.yaml"):
        resolve("paper", [tmp_path / "gone.yaml"])


@pytest.mark.parametrize(
    ("setting", "path"),
    [
        ("strategies.rsi.params={oversold: 70, overbought: 30}", "strategies.1.params.oversold"),
        ("strategies.0.params={fast_bars: 20, slow_bars: 20}", "strategies.0.params.fast_bars"),
        (_TWO_LIMITS, "risk.rules.0.params.limit_frac"),
        ("pairs=[BTC/USDT, BTC/USDT]", "pairs.1"),
        ("pairs=[BTC/EUR]", "pairs.0"),
        ("runtime.block_steps=5000", "runtime"),
        ("kernels={backend: python, require_native: true}", "kernels"),
        ("journal.url='postgresql+pg8000://me:pw@host/db'", "journal.url"),
        ("sentiment.enabled=true", "sentiment"),
            ("sentiment={enabled: true, sources: [{path: ''}]}", "sentiment.sources.0.path"),
            ("sentiment={enabled: true, sources: [{path: a.csv, kind: rumour}]}", "sentiment.sources.0.kind"),
            ("sentiment={sources: [{path: a, columns: {txt: b}}]}", "sentiment.sources.0.columns.txt.[key]"),
    ],
)  # fmt: skip
def test_contradictions_are_refused(setting: str, path: str) -> None:
    found = problems_of(mode="paper", sets=[setting])
    assert path in found
    assert "pw@" not in found[path]


def test_live_stays_refused_without_acknowledgement_and_venue() -> None:
    assert {"live.acknowledge", "venue.kind"} <= set(problems_of(mode="live"))
    found = problems_of(mode="live", sets=[f"live.acknowledge={LIVE_ACKNOWLEDGEMENT}"])
    assert list(found) == ["venue.kind"]


def test_mode_of_a_file_is_used_when_the_verb_leaves_it_open(tmp_path: Path) -> None:
    file = tmp_path / "m.yaml"
    file.write_text("mode: backtest\n")
    assert resolve(None, [file]).model.mode == "backtest"
    out = resolve("paper", [file])
    assert out.model.mode == "paper"
    assert "has no effect" in out.notes[0]


def test_hash_covers_what_decides_and_nothing_else() -> None:
    base = resolve("paper").content_hash
    same = ["runtime.block_steps=8", "journal.url=sqlite:///x.db", "kernels.require_native=true",
            "account.initial_cash_quote='100000.00'", "data.max_missing_frac=0.010"]  # fmt: skip
    assert all(resolve("paper", sets=[s]).content_hash == base for s in same)
    other = ["seed=8", "pairs=[ETH/USDT]", "account.initial_cash_quote=1", "strategies.rsi.weight=2",
             "kernels.backend=python", "coordination.weights_lag_steps=2", "timeframe=4h"]  # fmt: skip
    hashes = {resolve("paper", sets=[s]).content_hash for s in other}
    assert len(hashes) == len(other)
    assert base not in hashes


def test_hash_is_the_same_in_another_process() -> None:
    env = {**os.environ, "PYTHONHASHSEED": "77"}
    out = subprocess.run([sys.executable, "-m", "config.load", "--show", "--mode", "paper"], env=env,
                         capture_output=True, text=True, check=True)  # fmt: skip
    assert json.loads(out.stdout)["config_hash"] == resolve("paper").content_hash


def test_command_exits_2_with_all_problems() -> None:
    out = subprocess.run([sys.executable, "-m", "config.load", "--set", "a=1", "--set", "seed=x"],
                         capture_output=True, text=True, check=False)  # fmt: skip
    assert out.returncode == 2
    assert out.stderr.count("\n") == 2


def test_components_lists_all_with_package() -> None:
    refs = list(components(resolve("paper").model))
    paths = [r.path for r in refs]
    assert len(paths) == len(set(paths))
    assert {
        "strategies.3",
        "risk.sizing",
        "venue.fees",
        "learning.predictors.1",
        "regime.detectors.0",
    } <= set(paths)


def test_model_survives_a_dump_and_problems_survive_pickling() -> None:
    model = resolve("paper").model
    assert Config.model_validate(model.model_dump(mode="json")) == model
    with pytest.raises(ConfigProblem) as caught:
        resolve("paper", sets=["seed=x"])
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


def test_config_imports_nothing_of_ours() -> None:
    code = "import sys, config.load, config.history; print(sorted({m.split('.')[0] for m in sys.modules}))"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"actors", "serve", "cluster", "ray", "numpy"} & set(eval(out.stdout))


@pytest.mark.parametrize(
    ("sets", "path", "words"),
    [
        (
            ["account.mode=perpetual", "account.leverage=50"],
            "account.leverage",
            ("at most 20 (venue.perpetual.max_leverage), found 50", "lower it"),
        ),
        (
            ["account.mode=margin", "account.leverage=5"],
            "account.leverage",
            ("at most 3 (venue.margin.max_leverage), found 5",),
        ),
        (
            ["account.leverage=2"],
            "account.leverage",
            ("expected 1 on a spot account, found 2", "account.mode"),
        ),
        (
            ["account.mode=perpetual", "account.leverage=20", "venue.perpetual.maintenance_frac=0.05"],
            "venue.perpetual.maintenance_frac",
            ("below 1 / account.leverage = 1 / 20, found 0.05",),
        ),
        (["account.mode=margin", "venue.fill_at=intrabar"], "venue.fill_at", ("expected next_open",)),
        (
            ["account.mode=perpetual", "venue.fees={kind: maker_taker, params: {fee_currency: received}}"],
            "venue.fees.params.fee_currency",
            ("expected quote", "found received"),
        ),
        (
            ["coordination.allow_short=true"],
            "coordination.allow_short",
            ("expected false on a spot account",),
        ),
        (
            ["risk.params={allow_short: true}"],
            "risk.params.allow_short",
            ("expected false on a spot account",),
        ),
        (["account.mode=futures"], "account.mode", ("found 'futures'",)),
        (["account.mode=margin", "account.leverage=0.5"], "account.leverage", ("found 0.5",)),
        (
            ["account.mode=perpetual", "venue.perpetual.funding_rate=0.01%"],
            "venue.perpetual.funding_rate",
            ("found '0.01%'",),
        ),
    ],
    ids=lambda x: x if isinstance(x, str) else None,
)
def test_what_does_not_go_with_the_accounts_mode_is_told(
    sets: list[str], path: str, words: tuple[str, ...]
) -> None:
    found = problems_of(sets=sets)
    assert list(found) == [path]
    assert all(word in found[path] for word in words), found


def test_terms_of_other_modes_decide_nothing() -> None:
    spot = resolve("backtest").content_hash
    assert resolve("backtest", sets=["venue.perpetual.funding_rate=0.0002"]).content_hash == spot
    perpetual = ["account.mode=perpetual", "account.leverage=2"]
    one = resolve("backtest", sets=perpetual).content_hash
    assert one != spot
    assert resolve("backtest", sets=[*perpetual, "venue.margin.max_leverage=4"]).content_hash == one
    assert resolve("backtest", sets=[*perpetual, "venue.perpetual.funding_rate=0.0002"]).content_hash != one
