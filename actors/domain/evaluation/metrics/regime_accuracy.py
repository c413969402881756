"""How often detected regimes equal the planted truth: accuracy, balanced accuracy, confusion."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from actors.domain.errors import InvalidParamsError


class RegimeAccuracy(msgspec.Struct, frozen=True):
    """Agreement of labels with the truth.

    Attributes
    ----------
    bars : int
        Bars with a label and a truth; the others are counted in `unlabelled`.
    accuracy : float or None
        Share of bars with the right label.
    balanced_accuracy : float or None
        Mean of the recalls of the regimes that occur in the truth.
    labels : tuple of str
        Rows (truth) and columns (detected) of `confusion`, in the given order, those that occur.
    """

    bars: int
    unlabelled: int
    accuracy: float | None
    balanced_accuracy: float | None
    labels: tuple[str, ...]
    confusion: tuple[tuple[int, ...], ...]
    recalls: tuple[float | None, ...]


def regime_accuracy(
    detected: Sequence[str | None], truth: Sequence[str | None], vocabulary: Sequence[str]
) -> RegimeAccuracy:
    """Compare two label series bar by bar; no labels are re-matched, both use one vocabulary.

    Raises
    ------
    InvalidParamsError
        If lengths differ or a label is not in the vocabulary.

    Examples
    --------
    >>> r = regime_accuracy(["a", "a", "b", None], ["a", "b", "b", "b"], ("a", "b"))
    >>> r.accuracy, r.balanced_accuracy, r.confusion, r.unlabelled
    (0.6666666666666666, 0.75, ((1, 0), (1, 1)), 1)
    """
    if len(detected) != len(truth):
        raise InvalidParamsError(
            "LENGTHS_DIFFER",
            f"regime_accuracy: expected equal lengths, found {len(detected)} and {len(truth)}",
        )
    counts: dict[tuple[str, str], int] = {}
    unlabelled = 0
    for said, true in zip(detected, truth, strict=True):
        if not said or not true:
            unlabelled += 1
            continue
        for label in (said, true):
            if label not in vocabulary:
                raise InvalidParamsError(
                    "REGIME_UNKNOWN", f"regime: expected one of {', '.join(vocabulary)}, found {label!r}"
                )
        counts[true, said] = counts.get((true, said), 0) + 1
    labels = tuple(label for label in vocabulary if any(label in couple for couple in counts))
    confusion = tuple(tuple(counts.get((true, said), 0) for said in labels) for true in labels)
    bars = sum(counts.values())
    recalls = tuple(
        row[i] / sum(row) if sum(row) else None for i, row in enumerate(confusion)
    )  # a regime that never happened has no recall
    known = [recall for recall in recalls if recall is not None]
    return RegimeAccuracy(
        bars=bars,
        unlabelled=unlabelled,
        accuracy=sum(row[i] for i, row in enumerate(confusion)) / bars if bars else None,
        balanced_accuracy=sum(known) / len(known) if known else None,
        labels=labels,
        confusion=confusion,
        recalls=recalls,
    )
