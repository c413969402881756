"""Prediction of a fitted tree ensemble from flat arrays, far faster than scikit-learn on single rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from actors.domain.errors import KernelError, ModelError, NotFittedError
from actors.domain.kernels import _checks as check
from actors.domain.kernels._checks import FloatArray
from actors.domain.kernels._dispatch import impl
from actors.domain.kernels._matrix import matrix

_FOREST_KINDS = (
    "ExtraTreesClassifier",
    "ExtraTreesRegressor",
    "RandomForestClassifier",
    "RandomForestRegressor",
)


@dataclass(frozen=True, eq=False)
class ForestArrays:
    """A fitted ensemble as plain arrays, checked on construction and on unpickling.

    No index in it can leave its arrays: every child lies after its parent in the same tree, every node but
    the roots has one parent, every split feature is a column. The arrays become read-only.

    Parameters
    ----------
    feature : int32 array, shape (n_nodes,)
        Column a node splits on; not read at leaves.
    threshold : float64 array, shape (n_nodes,)
        A row goes left when ``float32(x) <= threshold``.
    left, right : int32 array, shape (n_nodes,)
        Children, numbered over all trees; both -1 at a leaf.
    value : float64 array, shape (n_nodes, n_outputs)
        Prediction of each leaf: class probabilities, or one number.
    offsets : int64 array, shape (n_trees + 1,)
        First node of each tree, then ``n_nodes``.
    n_features : int
        Columns of a row.
    classes : tuple
        Labels of the outputs of a classifier, empty for a regression.

    Raises
    ------
    KernelError
        If the arrays are not an ensemble.

    Examples
    --------
    >>> stump = ForestArrays(
    ...     np.array([0, -2, -2], np.int32), np.array([0.5, 0.0, 0.0]), np.array([1, -1, -1], np.int32),
    ...     np.array([2, -1, -1], np.int32), np.array([[0.0], [1.0], [3.0]]), np.array([0, 3]), 1,
    ... )
    >>> forest_predict(stump, np.array([[0.2], [0.7]])).tolist()
    [[1.0], [3.0]]
    """

    feature: NDArray[np.int32]
    threshold: FloatArray
    left: NDArray[np.int32]
    right: NDArray[np.int32]
    value: FloatArray
    offsets: NDArray[np.int64]
    n_features: int
    classes: tuple[Any, ...] = ()
    _model: Any = field(init=False, repr=False)

    def __post_init__(self) -> None:
        for name, dtype, dims in _FIELDS:
            found = getattr(self, name)
            if not isinstance(found, np.ndarray) or found.dtype != dtype or found.ndim != dims:
                raise KernelError(
                    "KERNEL_FOREST_ARRAYS",
                    f"ForestArrays.{name}: expected a {dims}-D {np.dtype(dtype).name} array, found "
                    f"{getattr(found, 'dtype', type(found).__name__)}: convert it first",
                    argument=name,
                )
            # a private copy: what has been checked cannot be changed behind our back
            copy = np.array(found, order="C")
            copy.flags.writeable = False
            object.__setattr__(self, name, copy)
        if self.classes and len(self.classes) != self.value.shape[1]:
            raise KernelError(
                "KERNEL_FOREST_ARRAYS",
                f"ForestArrays.classes: expected {self.value.shape[1]} labels, found {len(self.classes)}",
                argument="classes",
            )
        try:
            model = impl().Forest(*self._parts())
        except (ValueError, TypeError, OverflowError) as e:
            raise KernelError("KERNEL_FOREST_ARRAYS", f"ForestArrays: {e}: refit or export again") from e
        object.__setattr__(self, "_model", model)

    def _parts(self) -> tuple[Any, ...]:
        return (*(getattr(self, name) for name, _, _ in _FIELDS), self.n_features)

    def __reduce__(self) -> tuple[Callable[..., Self], tuple[Any, ...]]:
        return type(self), (*self._parts(), self.classes)

    @property
    def n_trees(self) -> int:
        """Number of trees."""
        return int(self.offsets.shape[0]) - 1

    @property
    def n_outputs(self) -> int:
        """Numbers per prediction: classes, or 1."""
        return int(self.value.shape[1])

    @classmethod
    def from_sklearn(cls, model: Any) -> Self:
        """Export a fitted forest of scikit-learn.

        Parameters
        ----------
        model : RandomForestClassifier, RandomForestRegressor, ExtraTreesClassifier or ExtraTreesRegressor
            With one target.

        Raises
        ------
        NotFittedError
            If it has no trees yet.
        ModelError
            If it is another kind of model, or has several targets.
        """
        kind = type(model).__name__
        if kind not in _FOREST_KINDS:
            raise ModelError(
                "MODEL_NOT_A_FOREST",
                f"from_sklearn: expected one of {', '.join(_FOREST_KINDS)}, found {kind}: "
                "export another model",
            )
        if not hasattr(model, "estimators_"):
            raise NotFittedError(
                "MODEL_NOT_FITTED", f"from_sklearn: expected a fitted {kind}, found one without trees: fit it"
            )
        if model.n_outputs_ != 1:
            raise ModelError(
                "MODEL_SEVERAL_TARGETS",
                f"from_sklearn: expected one target, found {model.n_outputs_}: fit one model per target",
            )
        trees = [e.tree_ for e in model.estimators_]
        offsets = np.concatenate([[0], np.cumsum([t.node_count for t in trees])]).astype(np.int64)

        def children(name: str) -> NDArray[np.int32]:
            shifted = [
                np.where((c := getattr(t, name)) < 0, -1, c + at)
                for t, at in zip(trees, offsets[:-1], strict=True)
            ]
            return np.concatenate(shifted).astype(np.int32)

        return cls(
            feature=np.concatenate([t.feature for t in trees]).astype(np.int32),
            threshold=np.concatenate([t.threshold for t in trees]).astype(np.float64),
            left=children("children_left"),
            right=children("children_right"),
            value=np.concatenate([t.value[:, 0, :] for t in trees]).astype(np.float64),
            offsets=offsets,
            n_features=int(model.n_features_in_),
            classes=tuple(model.classes_.tolist()) if hasattr(model, "classes_") else (),
        )


_FIELDS: tuple[tuple[str, Any, int], ...] = (
    ("feature", np.int32, 1),
    ("threshold", np.float64, 1),
    ("left", np.int32, 1),
    ("right", np.int32, 1),
    ("value", np.float64, 2),
    ("offsets", np.int64, 1),
)


def forest_predict(arrays: ForestArrays, rows: FloatArray, *, out: FloatArray | None = None) -> FloatArray:
    """Return the mean over the trees for each row: class probabilities, or the regression.

    Equal to scikit-learn's ``predict_proba`` or ``predict``: features are rounded to float32 before they are
    compared, leaf values are added in tree order.

    Parameters
    ----------
    arrays : ForestArrays
    rows : array, shape (n_rows, n_features)
        A row with a feature that is not finite as float32 gives NaN: an undefined feature is no evidence.
        (scikit-learn refuses infinities and sends NaN to one side of every split.)
    out : array, shape (n_rows, n_outputs), optional
        Buffer for the result.

    Returns
    -------
    array, shape (n_rows, n_outputs)
        Columns in the order of ``arrays.classes`` for a classifier.

    Raises
    ------
    KernelError
        If an argument is unfit.

    Examples
    --------
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> x = np.arange(8.0).reshape(-1, 1)
    >>> forest = RandomForestClassifier(5, random_state=0).fit(x, x[:, 0] > 3)
    >>> arrays = ForestArrays.from_sklearn(forest)
    >>> bool(np.array_equal(forest_predict(arrays, x), forest.predict_proba(x)))
    True
    """
    if not isinstance(arrays, ForestArrays):
        raise KernelError(
            "KERNEL_INPUT_TYPE",
            f"arrays: expected ForestArrays, found {type(arrays).__name__}: use ForestArrays.from_sklearn",
            argument="arrays",
        )
    rows = matrix("rows", rows, columns=arrays.n_features)
    out = check.buffer("out", out, (rows.shape[0], arrays.n_outputs), rows)
    arrays._model.predict(rows, out)
    return out
