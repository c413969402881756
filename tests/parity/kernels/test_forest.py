"""Forest prediction: native = twin to the bit, hostile arrays refused by both."""

from __future__ import annotations

import importlib.util
import pickle
from typing import Any

import numpy as np
import pytest

from actors.domain.errors import KernelError, ModelError, NotFittedError
from actors.domain.kernels import ForestArrays, forest_predict, twins

BACKENDS: list[Any] = [twins]
if importlib.util.find_spec("_tradecore"):
    BACKENDS.append(importlib.import_module("_tradecore"))

Parts = dict[str, Any]


def grown(trees: int, depth: int, features: int, outputs: int) -> Parts:
    """Random trees of uneven depth, some of a single leaf."""
    rng = np.random.default_rng(trees)
    nodes: list[tuple[int, float, int, int]] = []

    def grow(level: int) -> int:
        at = len(nodes)
        nodes.append((-2, -2.0, -1, -1))
        if level and (at == 0 or rng.random() < 0.9):
            left, right = grow(level - 1), grow(level - 1)
            nodes[at] = (int(rng.integers(features)), float(rng.standard_normal()), left, right)
        return at

    offsets = [0]
    for _ in range(trees):
        grow(depth)
        offsets.append(len(nodes))
    f, t, a, b = zip(*nodes, strict=True)
    return {
        "feature": np.array(f, np.int32),
        "threshold": np.array(t),
        "left": np.array(a, np.int32),
        "right": np.array(b, np.int32),
        "value": rng.random((len(nodes), outputs)),
        "offsets": np.array(offsets, np.int64),
        "n_features": features,
    }


@pytest.mark.parametrize(("trees", "outputs"), [(1, 1), (7, 2), (8, 3), (100, 2)])
def test_native_equals_twin_to_the_bit(trees: int, outputs: int) -> None:
    parts = grown(trees, 7, 5, outputs)
    rows = np.random.default_rng(1).standard_normal((150, 5))
    rows[::2, 1] = parts["threshold"][0]  # ties
    rows[3, 4], rows[4, 0], rows[5, 2] = np.nan, np.inf, 1e300
    results = []
    for b in BACKENDS:
        out = np.empty((150, outputs))
        b.Forest(*parts.values()).predict(rows, out)
        results.append(out)
    for other in results[1:]:
        np.testing.assert_array_equal(results[0], other)
    undefined = np.isnan(results[0]).all(axis=1)
    assert np.flatnonzero(undefined).tolist() == [3, 4, 5]


def test_one_row_equals_its_row_in_a_batch() -> None:
    arrays = ForestArrays(**grown(20, 6, 4, 2))
    rows = np.random.default_rng(2).standard_normal((130, 4))
    batch = forest_predict(arrays, rows)
    np.testing.assert_array_equal(batch, np.vstack([forest_predict(arrays, r[None]) for r in rows]))
    rows.flags.writeable = False
    buffer = np.empty_like(batch)
    assert forest_predict(arrays, rows, out=buffer) is buffer
    np.testing.assert_array_equal(buffer, batch)
    assert forest_predict(arrays, rows[:0]).shape == (0, 2)


def test_pickles_and_is_frozen() -> None:
    arrays = ForestArrays(**grown(9, 5, 4, 2), classes=("down", "up"))
    copy = pickle.loads(pickle.dumps(arrays))
    rows = np.random.default_rng(2).standard_normal((30, 4))
    np.testing.assert_array_equal(forest_predict(copy, rows), forest_predict(arrays, rows))
    assert (copy.n_trees, copy.n_outputs, copy.classes) == (9, 2, ("down", "up"))
    with pytest.raises(ValueError, match="read-only"):
        arrays.left[0] = 10**6
    with pytest.raises(AttributeError):
        arrays.n_features = 99  # type: ignore[misc]


def damaged() -> list[Any]:
    def node(name: str, value: Any) -> Any:
        def change(p: Parts) -> None:
            p[name] = p[name].copy()
            p[name][0] = value

        return pytest.param(change, id=f"{name}={value}")

    def swap(name: str, make: Any) -> Any:
        def change(p: Parts) -> None:
            p[name] = make(p)

        return pytest.param(change, id=f"{name} replaced")

    return [
        node("left", 10**6),
        node("left", 0),
        node("left", -1),
        node("right", -5),
        node("feature", 99),
        node("feature", -2),
        node("threshold", np.nan),
        node("offsets", 1),
        node("offsets", -1),
        swap("value", lambda p: p["value"] * np.nan),
        swap("value", lambda p: p["value"][1:]),
        swap("threshold", lambda p: p["threshold"][1:]),
        swap("offsets", lambda p: p["offsets"][:1]),
        swap("offsets", lambda p: p["offsets"][:-1]),
        swap("offsets", lambda p: p["offsets"][::-1].copy()),
        swap("left", lambda p: p["right"]),
        swap("n_features", lambda _: 0),
    ]


@pytest.mark.parametrize("change", damaged())
def test_arrays_that_are_no_ensemble_are_refused(change: Any) -> None:
    parts = grown(4, 6, 5, 2)
    assert parts["left"][0] > 0, "the first node must split for the damage to matter"
    change(parts)
    for b in BACKENDS:
        with pytest.raises(ValueError, match=r"expected|row|parameter"):
            b.Forest(*parts.values())
    with pytest.raises(KernelError):
        ForestArrays(**parts)


def test_border_checks() -> None:
    parts = grown(4, 6, 5, 2)
    arrays = ForestArrays(**parts)
    for call in (
        lambda: forest_predict(arrays, np.zeros((3, 4))),
        lambda: forest_predict(arrays, np.zeros(5)),
        lambda: forest_predict(arrays, np.zeros((3, 5), np.float32)),
        lambda: forest_predict(arrays, np.zeros((3, 5)), out=np.zeros((3, 3))),
        lambda: forest_predict(parts, np.zeros((3, 5))),  # type: ignore[arg-type]
        lambda: ForestArrays(**{**parts, "left": parts["left"].astype(np.int64)}),
        lambda: ForestArrays(**parts, classes=("a", "b", "c")),
    ):
        with pytest.raises(KernelError):
            call()


def test_only_fitted_forests_of_one_target_are_exported() -> None:
    ensemble = pytest.importorskip("sklearn.ensemble")
    with pytest.raises(NotFittedError):
        ForestArrays.from_sklearn(ensemble.RandomForestClassifier())
    with pytest.raises(ModelError):
        ForestArrays.from_sklearn(ensemble.GradientBoostingClassifier())
    x = np.random.default_rng(0).random((30, 2))
    with pytest.raises(ModelError):
        ForestArrays.from_sklearn(ensemble.RandomForestRegressor(2).fit(x, x))
