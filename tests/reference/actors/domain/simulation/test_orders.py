"""Every order type and every cost, worked by hand: the venue, the native simulator and its twin make these fills.

The account starts with 1000 of quote, ticks are 0.01 and lots 0.001. Orders are sent before the bar `at` (the first
one by default) and meet it at the earliest, as a decision at the close of the bar before. Unless a case says so,
there are no costs and volume is no limit. What a leveraged account adds is in the tests of margin.
"""

from __future__ import annotations

from typing import Any

import pytest
from order_table import (
    BUY,
    SELL,
    Cancel,
    Case,
    backends,
    limit,
    market,
    played_by_simulator,
    played_by_venue,
    stop,
    take,
    trail,
)

FLAT = (100, 101, 99, 100)

MARKET = [
    Case("a market order buys at the next open", [FLAT], [market("a", BUY, "2")], ["0 a buy 2 @ 100 taker"]),
    Case(
        "never in the bar that made the decision: sent after bar 0, it meets the open of bar 1",
        [FLAT, (103, 104, 102, 103)], [market("a", BUY, "2", at=1)], ["1 a buy 2 @ 103 taker"],
    ),
    Case(
        "an open off the tick is rounded against a buyer",
        [(100.004, 101, 99, 100)], [market("a", BUY, "1")], ["0 a buy 1 @ 100.01 taker"],
    ),
    Case(
        "and against a seller",
        [(100.006, 101, 99, 100)], [market("a", SELL, "1")], ["0 a sell 1 @ 100 taker"], coins="1",
    ),
    Case(
        "two bars of latency: it meets the third open",
        [FLAT, FLAT, (104, 105, 103, 104)], [market("a", BUY, "1")], ["2 a buy 1 @ 104 taker"], latency=2,
    ),
    Case(
        "a tenth of a bar's volume of 15 is 1.5; the rest goes at the next open",
        [(100, 101, 99, 100, 15), (103, 104, 102, 103, 15)], [market("a", BUY, "2")],
        ["0 a buy 1.5 @ 100 taker", "1 a buy 0.5 @ 103 taker"], share=0.1,
    ),
    Case(
        "immediate or cancel: what the first bar gives, and no more",
        [(100, 101, 99, 100, 15), FLAT], [market("a", BUY, "2", force="IOC")], ["0 a buy 1.5 @ 100 taker"],
        {"a": "expired"}, share=0.1,
    ),
    Case(
        "fill or kill: 1.5 of 2 is nothing",
        [(100, 101, 99, 100, 15), FLAT], [market("a", BUY, "2", force="FOK")], [], {"a": "expired"}, share=0.1,
    ),
    Case(
        "fill or kill: all of it",
        [(100, 101, 99, 100, 20)], [market("a", BUY, "2", force="FOK")], ["0 a buy 2 @ 100 taker"], share=0.1,
    ),
    Case(
        "a bar in which nothing traded fills nothing",
        [(100, 100, 100, 100, 0), (102, 103, 101, 102, 9)], [market("a", BUY, "1")], ["1 a buy 1 @ 102 taker"],
        share=1.0,
    ),
    Case(
        "an order worth 5 where 10 is the least",
        [FLAT], [market("a", BUY, "0.05")], [], {"a": "rejected MIN_NOTIONAL"}, min_notional="10",
    ),
    Case(
        "two coins of 100 for 150", [FLAT], [market("a", BUY, "2")], [], {"a": "rejected INSUFFICIENT_BALANCE"},
        cash="150",
    ),
    Case(
        "a price that ran away: 200.2 pay for 1.982 at 101, what is left of the order ends",
        [FLAT], [market("a", BUY, "2")], ["0 a buy 1.982 @ 101 taker"], {"a": "canceled INSUFFICIENT_BALANCE"},
        cash="200.2", slippage=("fixed_bps", {"cost_bps": 100.0}),
    ),
    Case(
        "one cannot sell what one does not own",
        [FLAT], [market("a", SELL, "1")], [], {"a": "rejected INSUFFICIENT_BALANCE"},
    ),
]  # fmt: skip

LIMIT = [
    Case("a touch leaves the queue unserved", [(100, 101, 95, 96)], [limit("a", BUY, "1", "95")], []),
    Case(
        "traded through by a tick: filled at the limit, as a maker",
        [(100, 101, 94.99, 96)], [limit("a", BUY, "1", "95")], ["0 a buy 1 @ 95 maker"],
    ),
    Case(
        "a seller's, traded through upwards",
        [(100, 105.01, 99, 104)], [limit("a", SELL, "1", "105")], ["0 a sell 1 @ 105 maker"], coins="1",
    ),
    Case(
        "three ticks through are asked for: 94.98 is not enough, 94.97 is",
        [(100, 101, 94.98, 96), (96, 97, 94.97, 95)], [limit("a", BUY, "1", "95")], ["1 a buy 1 @ 95 maker"],
        through=3,
    ),
    Case(
        "where a touch is enough, it is",
        [(100, 101, 95, 96)], [limit("a", BUY, "1", "95")], ["0 a buy 1 @ 95 maker"], through=0,
    ),
    Case(
        "the market gaps over a resting limit: filled at the open, which is better",
        [FLAT, (93, 94, 92, 93)], [limit("a", BUY, "1", "95")], ["1 a buy 1 @ 93 maker"],
    ),
    Case(
        "a limit that can be had at its first open takes there",
        [FLAT], [limit("a", BUY, "1", "102")], ["0 a buy 1 @ 100 taker"],
    ),
    Case(
        "never beyond its limit: 3 % of slippage would be 103",
        [FLAT], [limit("a", BUY, "1", "102")], ["0 a buy 1 @ 102 taker"], slippage=("fixed_bps", {"cost_bps": 300.0}),
    ),
    Case(
        "a resting order pays neither spread nor slippage",
        [(100, 101, 94, 96)], [limit("a", BUY, "1", "95")], ["0 a buy 1 @ 95 maker"], spread=50.0,
        slippage=("fixed_bps", {"cost_bps": 300.0}),
    ),
    Case(
        "served by a tenth of 6 in each bar that trades through, as a maker",
        [(100, 101, 94, 96, 6), (96, 97, 95, 96, 6), (96, 97, 94, 95, 6)], [limit("a", BUY, "1", "95")],
        ["0 a buy 0.6 @ 95 maker", "2 a buy 0.4 @ 95 maker"], share=0.1,
    ),
    Case(
        "one tenth of 25: the market order first, then the higher bid, then the earlier one",
        [FLAT, (100, 101, 90, 95, 25)],
        [limit("low", BUY, "1", "94"), limit("first", BUY, "1", "95"), limit("second", BUY, "1", "95"),
         market("now", BUY, "1", at=1)],
        ["1 now buy 1 @ 100 taker", "1 first buy 1 @ 95 maker", "1 second buy 0.5 @ 95 maker"], share=0.1,
    ),
    Case(
        "immediate or cancel does not rest",
        [(100, 101, 94, 96)], [limit("a", BUY, "1", "95", force="IOC")], [], {"a": "expired"},
    ),
    Case(
        "immediate or cancel takes what the open gives",
        [(100, 101, 99, 100, 6)], [limit("a", BUY, "1", "100", force="IOC")], ["0 a buy 0.6 @ 100 taker"],
        {"a": "expired"}, share=0.1,
    ),
    Case(
        "fill or kill at the open: 0.6 of 1 is nothing",
        [(100, 101, 99, 100, 6)], [limit("a", BUY, "1", "100", force="FOK")], [], {"a": "expired"}, share=0.1,
    ),
    Case(
        "good till date: its last bar still serves it",
        [FLAT, (100, 101, 94, 95)], [limit("a", BUY, "1", "95", force="GTD", last=1)], ["1 a buy 1 @ 95 maker"],
    ),
    Case(
        "good till date: the bar after does not",
        [FLAT, FLAT, (100, 101, 94, 95)], [limit("a", BUY, "1", "95", force="GTD", last=1)], [], {"a": "expired"},
    ),
    Case(
        "good till canceled: a cancel comes before the bar that would serve it",
        [FLAT, (100, 101, 94, 95)], [limit("a", BUY, "1", "95"), Cancel("a", 1)], [], {"a": "canceled REQUESTED"},
    ),
    Case(
        "a cancel that travels one bar comes too late",
        [FLAT, FLAT, (100, 101, 94, 95), FLAT], [limit("a", BUY, "1", "95"), Cancel("a", 2)],
        ["2 a buy 1 @ 95 maker"], latency=1,
    ),
    Case(
        "two bids of 591 each on 1000: the money of the first is held",
        [FLAT], [limit("a", BUY, "6", "98.5"), limit("b", BUY, "6", "98.5")], [],
        {"b": "rejected INSUFFICIENT_BALANCE"},
    ),
    Case(
        "post-only at a price that can be had is refused",
        [FLAT], [limit("a", BUY, "1", "100", post_only=True)], [], {"a": "rejected POST_ONLY_WOULD_TAKE"},
    ),
    Case(
        "post-only rests otherwise",
        [(100, 101, 98, 99)], [limit("a", BUY, "1", "99", post_only=True)], ["0 a buy 1 @ 99 maker"],
    ),
]  # fmt: skip

STOPS = [
    Case(
        "a stop is triggered by a touch and sells at its level",
        [(100, 101, 95, 96)], [stop("a", SELL, "1", "95")], ["0 a sell 1 @ 95 taker"], coins="1",
    ),
    Case("not before", [(100, 101, 95.01, 96)], [stop("a", SELL, "1", "95")], [], coins="1"),
    Case(
        "a gap through it fills at the open, which is worse",
        [FLAT, (93, 94, 92, 93)], [stop("a", SELL, "1", "95")], ["1 a sell 1 @ 93 taker"], coins="1",
    ),
    Case(
        "a buyer's, above the market",
        [(100, 105, 99, 104)], [stop("a", BUY, "1", "104")], ["0 a buy 1 @ 104 taker"],
    ),
    Case(
        "the market is beyond it when it arrives: at once, at the open",
        [(94, 96, 93, 95)], [stop("a", SELL, "1", "95")], ["0 a sell 1 @ 94 taker"], coins="1",
    ),
    Case(
        "it takes, so it pays: half a spread of 10 bps and 20 bps below 95 are 94.715, rounded down",
        [(100, 101, 95, 96)], [stop("a", SELL, "1", "95")], ["0 a sell 1 @ 94.71 taker"], coins="1", spread=10.0,
        slippage=("fixed_bps", {"cost_bps": 20.0}),
    ),
    Case(
        "a stop limit sells at its level, not below its limit",
        [(100, 101, 93, 94)], [stop("a", SELL, "1", "95", limit="94")], ["0 a sell 1 @ 95 taker"], coins="1",
    ),
    Case(
        "a gap beyond its limit leaves it resting; a later bar trades through the limit",
        [FLAT, (93, 93.5, 92, 93), (93, 94.01, 92, 94)], [stop("a", SELL, "1", "95", limit="94")],
        ["2 a sell 1 @ 94 maker"], coins="1",
    ),
    Case(
        "with immediate or cancel it does not rest",
        [FLAT, (93, 96, 92, 93)], [stop("a", SELL, "1", "95", limit="94", force="IOC")], [], {"a": "expired"},
        coins="1",
    ),
    Case(
        "a take-profit is triggered by a touch and sells at its level",
        [(100, 105, 99, 104)], [take("a", SELL, "1", "105")], ["0 a sell 1 @ 105 taker"], coins="1",
    ),
    Case(
        "a gap beyond it fills at the open, which is better",
        [FLAT, (107, 108, 106, 107)], [take("a", SELL, "1", "105")], ["1 a sell 1 @ 107 taker"], coins="1",
    ),
    Case(
        "a take-profit limit sells at its level if its limit allows it",
        [(100, 105, 99, 104)], [take("a", SELL, "1", "105", limit="104")], ["0 a sell 1 @ 105 taker"], coins="1",
    ),
    Case(
        "else it rests at the limit, which a later bar trades through",
        [(100, 105.5, 99, 104), (104, 106.01, 103, 105)], [take("a", SELL, "1", "105", limit="106")],
        ["1 a sell 1 @ 106 maker"], coins="1",
    ),
    Case(
        "a trailing stop, 5 below the best price so far: the high of 110 counts from the next bar on",
        [(100, 110, 96, 108), (108, 109, 104, 105)], [trail("a", SELL, "1", "5")], ["1 a sell 1 @ 105 taker"],
        coins="1",
    ),
    Case(
        "before a bar has passed it hangs on the open: 100 - 5",
        [(100, 110, 95, 108)], [trail("a", SELL, "1", "5")], ["0 a sell 1 @ 95 taker"], coins="1",
    ),
    Case(
        "10 % below 110 is 99",
        [(100, 110, 96, 108), (108, 109, 98.5, 100)], [trail("a", SELL, "1", "0.1", percent=True)],
        ["1 a sell 1 @ 99 taker"], coins="1",
    ),
    Case(
        "it never falls: after 110 a weak bar changes nothing",
        [(100, 110, 99, 108), (108, 109, 106, 107), (107, 107, 104, 105)], [trail("a", SELL, "1", "5")],
        ["2 a sell 1 @ 105 taker"], coins="1",
    ),
    Case(
        "a gap through it fills at the open",
        [(100, 110, 96, 108), (103, 104, 102, 103)], [trail("a", SELL, "1", "5")], ["1 a sell 1 @ 103 taker"],
        coins="1",
    ),
    Case(
        "a buyer's follows the lows: 5 above 90",
        [(100, 101, 90, 92), (92, 96, 91, 95)], [trail("a", BUY, "1", "5")], ["1 a buy 1 @ 95 taker"],
    ),
]  # fmt: skip

LISTS = [
    Case(
        "one cancels the other; both touched in one bar: the stop comes first",
        [(100, 106, 94, 100)], [stop("s", SELL, "1", "95", oco=1), limit("t", SELL, "1", "105", oco=1)],
        ["0 s sell 1 @ 95 taker"], {"t": "canceled OCO"}, coins="1",
    ),
    Case(
        "only the target is reached",
        [(100, 106, 96, 100)], [stop("s", SELL, "1", "95", oco=1), limit("t", SELL, "1", "105", oco=1)],
        ["0 t sell 1 @ 105 maker"], {"s": "canceled OCO"}, coins="1",
    ),
    Case(
        "a part of the target ends the stop; the rest of the target goes on",
        [(100, 106, 96, 100, 5), (100, 106, 94, 100, 50)],
        [stop("s", SELL, "1", "95", oco=1), limit("t", SELL, "1", "105", oco=1)],
        ["0 t sell 0.5 @ 105 maker", "1 t sell 0.5 @ 105 maker"], {"s": "canceled OCO"}, coins="1", share=0.1,
    ),
    Case(
        "a bracket: bought at the open, stopped in the same bar",
        [(100, 106, 94, 100)],
        [market("a", BUY, "1"), stop("s", SELL, "1", "95", parent="a", oco=1),
         limit("t", SELL, "1", "105", parent="a", oco=1)],
        ["0 a buy 1 @ 100 taker", "0 s sell 1 @ 95 taker"], {"t": "canceled OCO"},
    ),
    Case(
        "a bracket that reaches its target in a later bar",
        [(100, 104, 96, 100), (100, 106, 99, 105)],
        [market("a", BUY, "1"), stop("s", SELL, "1", "95", parent="a", oco=1),
         limit("t", SELL, "1", "105", parent="a", oco=1)],
        ["0 a buy 1 @ 100 taker", "1 t sell 1 @ 105 maker"], {"s": "canceled OCO"},
    ),
    Case(
        "bought inside the bar at 97: the high of 106 may have come before, the low of 94 may not",
        [(100, 106, 94, 100)],
        [limit("a", BUY, "1", "97"), stop("s", SELL, "1", "95", parent="a", oco=1),
         limit("t", SELL, "1", "105", parent="a", oco=1)],
        ["0 a buy 1 @ 97 maker", "0 s sell 1 @ 95 taker"], {"t": "canceled OCO"},
    ),
    Case(
        "without a fall to the stop the position waits for the next bar, whatever the high was",
        [(100, 106, 96, 100), (100, 106, 99, 105)],
        [limit("a", BUY, "1", "97"), stop("s", SELL, "1", "95", parent="a", oco=1),
         limit("t", SELL, "1", "105", parent="a", oco=1)],
        ["0 a buy 1 @ 97 maker", "1 t sell 1 @ 105 maker"], {"s": "canceled OCO"},
    ),
    Case(
        "children follow what their parent got: 0.6",
        [(100, 101, 99, 100, 6), (100, 101, 94, 95)],
        [market("a", BUY, "1", force="IOC"), stop("s", SELL, "1", "95", parent="a")],
        ["0 a buy 0.6 @ 100 taker", "1 s sell 0.6 @ 95 taker"], {"a": "expired"}, share=0.1,
    ),
    Case(
        "and end with a parent that got nothing",
        [FLAT], [limit("a", BUY, "1", "95", force="IOC"), stop("s", SELL, "1", "90", parent="a")], [],
        {"a": "expired", "s": "canceled PARENT"},
    ),
    Case(
        "reduce-only without a position", [FLAT], [market("a", SELL, "1", reduce_only=True)], [],
        {"a": "rejected REDUCE_ONLY_NO_POSITION"},
    ),
    Case(
        "reduce-only never buys on a spot account", [FLAT], [market("a", BUY, "1", reduce_only=True)], [],
        {"a": "rejected REDUCE_ONLY_NO_POSITION"}, coins="1",
    ),
    Case(
        "reduce-only sells no more than there is",
        [FLAT], [market("a", SELL, "3", reduce_only=True)], ["0 a sell 1 @ 100 taker"], coins="1",
    ),
    Case(
        "two exits for one position: the first takes it, the second ends when it would act",
        [(100, 106, 94, 100)],
        [stop("s", SELL, "1", "95", reduce_only=True), limit("t", SELL, "1", "105", reduce_only=True)],
        ["0 s sell 1 @ 95 taker"], {"t": "canceled REDUCE_ONLY_NO_POSITION"}, coins="1",
    ),
]  # fmt: skip

COSTS = [
    Case(
        "20 bps of 2 x 100 for taking",
        [FLAT], [market("a", BUY, "2")], ["0 a buy 2 @ 100 taker fee 0.4"], maker=10.0, taker=20.0,
    ),
    Case(
        "10 bps of 2 x 95 for resting",
        [(100, 101, 94, 95)], [limit("a", BUY, "2", "95")], ["0 a buy 2 @ 95 maker fee 0.19"], maker=10.0, taker=20.0,
    ),
    Case(
        "a buyer who pays in coins: 20 bps of 2; a seller pays in quote: 20 bps of 99.8",
        [FLAT, FLAT], [market("a", BUY, "2"), market("b", SELL, "0.998", at=1)],
        ["0 a buy 2 @ 100 taker fee 0.004", "1 b sell 0.998 @ 100 taker fee 0.1996"], taker=20.0, received=True,
    ),
    Case(
        "rounded down to eight digits: 0.123 x 97.31 x 0.00075 = 0.0089768475",
        [(97.31, 98, 97, 97.5)], [market("a", BUY, "0.123")], ["0 a buy 0.123 @ 97.31 taker fee 0.00897684"], taker=7.5,
    ),
    Case(
        "half a spread of 5 bps and 10 bps of slippage above 100",
        [FLAT], [market("a", BUY, "1")], ["0 a buy 1 @ 100.15 taker"], spread=5.0,
        slippage=("fixed_bps", {"cost_bps": 10.0}),
    ),
    Case(
        "and below it for a seller",
        [FLAT], [market("a", SELL, "1")], ["0 a sell 1 @ 99.85 taker"], coins="1", spread=5.0,
        slippage=("fixed_bps", {"cost_bps": 10.0}),
    ),
    Case(
        "square root: the bar before has a range of ln(103/100), so sigma = ln 1.03 / sqrt(4 ln 2) = 0.017751; "
        "1 of 100 traded: 0.017751 x 0.1 x 100 = 0.17751 above 100",
        [(100, 103, 100, 100, 100), (100, 101, 99, 100, 7)], [market("a", BUY, "1", at=1)],
        ["1 a buy 1 @ 100.18 taker"], slippage=("square_root", {}),
    ),
    Case(
        "volume share: 2 of 100 is 0.02, 0.1 x 0.02 x 0.02 x 100 = 0.004, the next tick above",
        [(100, 101, 99, 100, 100)], [market("a", BUY, "2")], ["0 a buy 2 @ 100.01 taker"],
        slippage=("volume_share", {}),
    ),
    Case(
        "volume share: beyond 0.5 it grows no more: 0.8 x 0.25 x 100 = 20",
        [(100, 101, 99, 100, 4)], [market("a", BUY, "3")], ["0 a buy 3 @ 120 taker"],
        slippage=("volume_share", {"volume_limit": 0.5, "price_impact": 0.8}),
    ),
]  # fmt: skip

UP, DOWN = (100, 106, 100, 105), (100, 100, 94, 95)
BRACKET = [stop("s", SELL, "1", "95", oco=1), limit("t", SELL, "1", "105", oco=1)]

FINER = [
    Case(
        "finer bars: up first, so the target; the whole bar would have been stopped (LISTS)",
        [[UP, (105, 105, 94, 95)]], BRACKET, ["0 t sell 1 @ 105 maker"], {"s": "canceled OCO"}, coins="1",
    ),
    Case(
        "finer bars: down first, so the stop",
        [[DOWN, (95, 106, 95, 105)]], BRACKET, ["0 s sell 1 @ 95 taker"], {"t": "canceled OCO"}, coins="1",
    ),
    Case(
        "inside one finer bar the stop still comes first",
        [[FLAT, (100, 106, 94, 100)]], BRACKET, ["0 s sell 1 @ 95 taker"], {"t": "canceled OCO"}, coins="1",
    ),
    Case(
        "a gap between finer bars fills at the open of the second",
        [[FLAT, (93, 94, 92, 93)]], BRACKET, ["0 s sell 1 @ 93 taker"], {"t": "canceled OCO"}, coins="1",
    ),
    Case(
        "bought inside the first at 97; in the second the way up is known to come after",
        [[(100, 100, 96, 98), (98, 106, 98, 105)]],
        [limit("a", BUY, "1", "97"), limit("t", SELL, "1", "105", parent="a")],
        ["0 a buy 1 @ 97 maker", "0 t sell 1 @ 105 maker"],
    ),
    Case(
        "a trailing stop follows the first and is met in the second",
        [[(100, 110, 100, 109), (109, 109, 104, 104)]], [trail("a", SELL, "1", "5")], ["0 a sell 1 @ 105 taker"],
        coins="1",
    ),
    Case(
        "a tenth of 6 and of 10: two opens, two prices",
        [[(100, 101, 99, 100, 6), (102, 103, 101, 102, 10)]], [market("a", BUY, "1")],
        ["0 a buy 0.6 @ 100 taker", "0 a buy 0.4 @ 102 taker"], share=0.1,
    ),
    Case(
        "immediate or cancel meets the first only",
        [[(100, 101, 99, 100, 6), (102, 103, 101, 102, 10)]], [market("a", BUY, "1", force="IOC")],
        ["0 a buy 0.6 @ 100 taker"], {"a": "expired"}, share=0.1,
    ),
    Case(
        "good till date lasts to the end of the bar",
        [[FLAT, (100, 100, 94, 95)]], [limit("a", BUY, "1", "95", force="GTD", last=0)], ["0 a buy 1 @ 95 maker"],
    ),
    Case(
        "a cancel sent before the bar comes before its first part",
        [FLAT, [FLAT, (100, 100, 94, 95)]], [limit("a", BUY, "1", "95"), Cancel("a", 1)], [],
        {"a": "canceled REQUESTED"},
    ),
]  # fmt: skip

ALL = [*MARKET, *LIMIT, *STOPS, *LISTS, *COSTS, *FINER]


@pytest.mark.parametrize("case", ALL, ids=lambda c: c.what)
def test_the_venue_makes_the_fills_worked_by_hand(case: Case) -> None:
    fills, ends, _, _ = played_by_venue(case)
    assert fills == list(case.fills)
    assert ends == case.ends


@pytest.mark.parametrize("backend", backends(), ids=lambda b: b.__name__)
@pytest.mark.parametrize("case", ALL, ids=lambda c: c.what)
def test_the_exact_simulator_makes_them_too(case: Case, backend: Any) -> None:
    found = played_by_simulator(case, backend)
    assert found[0] == list(case.fills)
    assert found[1] == case.ends
    assert found[2:] == played_by_venue(case)[2:]


def test_the_table_has_every_order_type_and_every_time_in_force() -> None:
    orders = [o for case in ALL for o in case.orders if not isinstance(o, Cancel)]
    assert {o.kind for o in orders} == {
        "market", "limit", "stop", "stop_limit", "take_profit", "take_profit_limit", "trailing_stop",
    }  # fmt: skip
    assert {o.force for o in orders} == {"GTC", "IOC", "FOK", "GTD"}
    assert {o.percent for o in orders if o.trail} == {True, False}
    assert any(o.post_only for o in orders)
    assert any(o.reduce_only for o in orders)
    assert any(o.oco for o in orders)
    assert any(o.parent for o in orders)
    assert len({case.what for case in ALL}) == len(ALL)
