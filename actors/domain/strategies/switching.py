"""Which of several parameter sets has the say: a small machine that follows the regime without flip-flop.

A regime is followed only above a confidence, after a dwell and a confirmation; a position that one set holds and the
next one does not share is left to the set that opened it for a while.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from actors.domain.registry import Params
from actors.domain.state import Stateful

Switch = tuple[str, str, float, str]
"""Names of the set before and of the one chosen, the regime's confidence, and why."""
GLOBAL = "global"
"""Name of the set that holds where no regime has one of its own."""


class SwitchRule:
    """When to switch; see `actors.domain.strategies.adaptive.AdaptiveParams` for the meaning of each."""

    def __init__(
        self,
        *,
        min_confidence: float,
        release_confidence: float,
        min_dwell_bars: int,
        confirm_bars: int,
        handover_bars: int,
        urgent: Sequence[str],
    ) -> None:
        self.min_confidence, self.release_confidence = min_confidence, release_confidence
        self.min_dwell_bars, self.confirm_bars, self.handover_bars = (
            min_dwell_bars,
            confirm_bars,
            handover_bars,
        )
        self.urgent = frozenset(urgent)


class SetSelector(Stateful):
    """Chooses a set per bar.

    Parameters
    ----------
    rule : SwitchRule
    set_of : mapping regime → number of its set
        Regimes that are not in it have the global one, number 0.
    names : sequence of str
        Of the sets, by number.
    warmups : sequence of int
        Bars before each set has an opinion: until then it is not switched to.

    Notes
    -----
    State: the set in force, for how long, and how long another one has been asked for. O(1) per bar.

    Examples
    --------
    >>> rule = SwitchRule(min_confidence=0.3, release_confidence=0.0, min_dwell_bars=2, confirm_bars=1,
    ...                   handover_bars=0, urgent=())
    >>> s = SetSelector(rule, {"bull": 1}, ("global", "bull"), (0, 0))
    >>> [s.choose("bull", c, (0.0, 1.0)) for c in (0.9, 0.9, 0.2, 0.9)]
    [0, 0, 0, 1]
    >>> s.switch
    ('global', 'bull', 0.9, 'bull at 0.900 for 1 bars')
    """

    STATE: ClassVar[tuple[str, ...]] = (
        "chosen",
        "switch",
        "_bars",
        "_held",
        "_wanted",
        "_asked",
        "_waited",
        "_side",
    )

    def __init__(
        self, rule: SwitchRule, set_of: Mapping[str, int], names: Sequence[str], warmups: Sequence[int]
    ) -> None:
        self._rule, self._set_of = rule, dict(set_of)
        self.names, self._warmups = tuple(names), tuple(warmups)
        self.chosen = 0
        self.switch: Switch | None = None
        """What happened at the last bar, None where nothing did."""
        self._bars = self._held = 0
        self._wanted, self._asked, self._waited = 0, 0, 0
        self._side = 0.0

    def choose(self, regime: str, confidence: float, directions: Sequence[float]) -> int:
        """Take a bar: its regime (empty: unknown), how sure it is, and what each set says; return who counts."""
        self._bars += 1
        self._held += 1
        self.switch = None
        rule, before = self._rule, self.chosen
        wanted = before
        if regime and confidence >= rule.min_confidence:
            wanted = self._set_of.get(regime, 0)
        elif confidence < rule.release_confidence:
            wanted, regime = 0, ""
        if wanted == before:
            self._asked = self._waited = 0
        else:
            self._asked = self._asked + 1 if wanted == self._wanted else 1
            self._waited = self._waited if wanted == self._wanted else 0
            self._consider(regime, confidence, wanted, directions)
        self._wanted = wanted
        self._side = directions[self.chosen]
        return self.chosen

    def _consider(self, regime: str, confidence: float, wanted: int, directions: Sequence[float]) -> None:
        rule, before = self._rule, self.chosen
        urgent = regime in rule.urgent
        patient = self._held > rule.min_dwell_bars and self._asked >= rule.confirm_bars
        if self._bars <= self._warmups[wanted] or not (urgent or patient):
            return
        old, new = directions[before], directions[wanted]
        # the old set still holds a position that it took before this bar, and the new one does not share it
        if not urgent and old * self._side > 0.0 >= old * new and self._waited < rule.handover_bars:
            self._waited += 1
            return
        why = f"{regime} at {confidence:.3f}" if regime else f"no regime is sure: {confidence:.3f}"
        why += " (urgent)" if urgent and not patient else f" for {self._asked} bars"
        if self._waited:
            why += f", after {self._waited} bars in which the old set held a position"
        self.switch = (self.names[before], self.names[wanted], confidence, why)
        self.chosen, self._held, self._asked, self._waited = wanted, 0, 0, 0


def sets_of(
    base: Params, by_regime: Mapping[str, Params], order: Sequence[str]
) -> tuple[list[Params], list[str], dict[str, int]]:
    """Return the distinct parameter sets, the global one first, their names, and the number of each regime's set.

    Parameters
    ----------
    base : Params
    by_regime : mapping regime → Params
        Whole sets; equal ones become one.
    order : sequence of str
        Regimes in the order in which they are numbered and named.

    Examples
    --------
    >>> from actors.domain.strategies.rsi import RsiParams as P
    >>> own = {"bull": P(window_bars=9), "bear": P(), "crash": P(window_bars=9)}
    >>> sets_of(P(), own, ("bear", "bull", "crash"))[1:]
    (['global', 'bull+crash'], {'bear': 0, 'bull': 1, 'crash': 1})
    """
    sets, named, number = [base], [[]], dict[str, int]()  # type: tuple[list[Params], list[list[str]], dict[str, int]]
    for regime in order:
        if regime not in by_regime:
            continue
        own = by_regime[regime]
        if own not in sets:
            sets.append(own)
            named.append([])
        number[regime] = sets.index(own)
        named[number[regime]].append(regime)
    return sets, [GLOBAL, *("+".join(names) for names in named[1:])], number
