"""What the account carries: room left by other pairs, resize and denial, a reserve that no order eats into."""

from __future__ import annotations

import pytest

from actors.agents.fleet import carried_rules
from actors.domain.risk.rules.account_leverage import AccountLeverage
from actors.domain.risk.rules.base import Book, Proposal

PAIRS = ("A/Q", "B/Q")


def ask(
    wanted: float, held: tuple[float, float], leverage: float = 2.0, reserve: float = 0.1
) -> tuple[str, float | None]:
    rule = AccountLeverage(AccountLeverage.Params(leverage=leverage, reserve_frac=reserve), PAIRS)
    book = Book(2)
    book.exposures[:] = book.held[:] = held
    found = rule.check(Proposal(0, "A/Q", 5, held[0], wanted, 1000.0, 10.0, 1.0), book)
    assert rule.breach(book) is None
    return ("", None) if found is None else (found.code, found.allowed_frac)


@pytest.mark.parametrize(
    ("wanted", "held", "answer"),
    [
        (1.8, (0.0, 0.0), ("", None)),
        (1.9, (0.0, 0.0), ("ACCOUNT_LEVERAGE", 1.8)),
        (-1.9, (0.0, 0.0), ("ACCOUNT_LEVERAGE", -1.8)),
        # shorts of another pair take room like longs do
        (1.0, (0.5, -1.2), ("ACCOUNT_LEVERAGE", pytest.approx(0.6))),
        (0.5, (0.0, -1.8), ("ACCOUNT_LEVERAGE", None)),
        # the pair's own position is replaced, not added
        (1.8, (1.7, 0.0), ("", None)),
    ],
)
def test_room_is_what_the_other_pairs_leave(wanted, held, answer):
    assert ask(wanted, held) == answer


def test_every_account_is_asked_with_its_own_leverage_before_the_smallest_order():
    def rules(*kinds: dict, leverage: str = "3") -> list[tuple[str, object]]:
        config = {"account": {"leverage": leverage}, "risk": {"rules": kinds}}
        return [(r["kind"], r.get("params")) for r in carried_rules(config)]

    limit = ("account_leverage", {"leverage": 3.0})
    assert rules() == [limit]
    assert rules({"kind": "cooldown"}, {"kind": "min_notional"}) == [
        ("cooldown", None),
        limit,
        ("min_notional", None),
    ]
    # whoever names it chooses its place and its reserve
    own = {"kind": "account_leverage", "params": {"reserve_frac": 0.3}}
    assert rules(own, {"kind": "cooldown"})[0] == ("account_leverage", {"leverage": 3.0, "reserve_frac": 0.3})
    assert len(rules(own, {"kind": "min_notional"})) == 2
