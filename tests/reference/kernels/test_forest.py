"""Forest prediction against scikit-learn, on rows it has seen, new rows and rows on a threshold."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from actors.domain.kernels import ForestArrays, forest_predict

ensemble = pytest.importorskip("sklearn.ensemble")


def data(classes: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(classes)
    x = rng.standard_normal((400, 6))
    x[:, 5] = np.round(x[:, 5])  # ties
    score = x[:, 0] * x[:, 1] + x[:, 2] + rng.standard_normal(400)
    return x, np.digitize(
        score, np.quantile(score, np.linspace(0, 1, classes + 1)[1:-1])
    ) if classes else score


MODELS: list[tuple[str, int, dict[str, Any]]] = [
    ("RandomForestClassifier", 2, {"max_depth": 5}),
    ("RandomForestClassifier", 3, {}),
    ("RandomForestClassifier", 2, {"max_leaf_nodes": 20, "class_weight": "balanced"}),
    ("ExtraTreesClassifier", 4, {"max_depth": 9}),
    ("RandomForestRegressor", 0, {}),
    ("ExtraTreesRegressor", 0, {"min_samples_leaf": 5}),
    ("RandomForestRegressor", 0, {"max_depth": 1}),
]


@pytest.mark.parametrize(("kind", "classes", "params"), MODELS)
def test_equals_scikit_learn(kind: str, classes: int, params: dict[str, Any]) -> None:
    x, y = data(classes)
    model = getattr(ensemble, kind)(25, random_state=3, **params).fit(x, y)
    arrays = ForestArrays.from_sklearn(model)
    thresholds = np.resize(arrays.threshold[arrays.left >= 0], (60, 6))
    rows = np.vstack([x, np.random.default_rng(9).standard_normal((200, 6)), thresholds])
    expected = model.predict_proba(rows) if classes else model.predict(rows)[:, None]
    found = forest_predict(arrays, rows)
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)
    assert arrays.n_trees == 25
    if classes:
        assert arrays.classes == tuple(range(classes))
        np.testing.assert_array_equal(found.argmax(axis=1), model.predict(rows))
