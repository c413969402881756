"""Words for where a figure goes. What falls may be a price or a risk: the rules look for which."""

from __future__ import annotations

# verbs are inflected by rule; a final "+" doubles the last letter (drop+: dropped, dropping)
UP_VERBS: dict[float, str] = {
    2.4: "soar, surge, skyrocket, rocket, explode, moon, spike, boom",
    1.9: "rally, jump, leap, rebound, outperform, accelerate, rip+",
    1.5: "climb, gain, bounce, advance, recover, strengthen, improve, appreciate, increase, double, triple, "
    "quadruple, thrive, flourish, prosper, heighten",
    1.1: "inch up, edge up, tick up, perk up, pick up, stabilise, stabilize, recoup, reclaim, regain, widen, "
    "enlarge, grow up",
}
UP_WORDS: dict[float, str] = {
    2.4: "skyrocketing, to the moon, parabolic, all time high, all time highs, ath, aths, record high, record "
    "highs, new high, new highs, highest ever, fresh high, fresh highs, multi year high, yearly high",
    1.9: "rallies, rallied, rallying, breakout, breakouts, breaks out, broke out, breaking out, uptrend, up trend, "
    "golden cross, upswing, upturn, higher high, higher highs, short squeeze, bull run, bull market, bull cycle, bull "
    "rally, price rally, short sellers liquidated, short sellers squeezed, shorts liquidated, shorts squeezed",
    1.5: "rise, rises, rose, risen, rising, uptick, upside, grow, grows, grew, grown, growing, growth, higher, "
    "gainer, gainers, recovery, resurgence, comeback, turnaround, up by, more than doubled, twofold, threefold, "
    "tenfold, upward, upwards, north of, in the green, back above, above resistance, breaks above, broke above, break "
    "above, breaking above, holds above, topped, topping, surpass, surpassed, surpassing, exceed, exceeds, exceeded, "
    "exceeding, eclipses, eclipsed, overtakes, overtook, outpace, outpaces, outpaced, highest, hits high, reaches "
    "high, increased, expand, expands, expanded, expanding, expansion",
    1.0: "up, broke through, breaks through, break through, leads gains, buoyed, lifts, lifted, boost, boosts, "
    "boosted, boosting, accumulate, accumulates, accumulated, accumulating, accumulation, inflow, inflows, bids up, "
    "climbs back",
}
DOWN_VERBS: dict[float, str] = {
    -2.6: "crash, plunge, plummet, nosedive, collapse, crater, implode, capitulate, tank, hemorrhage",
    -2.0: "tumble, slump, dump, sink down, slide, dive, freefall, nuke, bleed out",
    -1.6: "drop+, decline, decrease, retreat, weaken, falter, erode, deteriorate, worsen, depreciate, "
    "stumble, underperform, slash, halve, recede",
    -1.1: "dip+, slip+, ease, soften, pull back, edge down, inch down, tick down, stall, stagnate, struggle, waver, "
    "wobble, cool, shed down, pare, languish, fade, trail, lag+, diminish, dwindle, narrow, shrink down, lower",
}
DOWN_WORDS: dict[float, str] = {
    -2.6: "nosedives, freefall, free fall, bloodbath, blood bath, bloodshed, meltdown, capitulation, rout, carnage, "
    "flash crash, wipeout, wiped out, wipes out, wipe out, wiping out, obliterated, all time low, all time lows, "
    "record low, record lows",
    -2.0: "sell off, sell offs, selloff, selloffs, sells off, sold off, selling off, sinks, sank, sunk, sinking, "
    "slid, bleeds, bleeding, bled, bear market, bear markets, downtrend, down trend, death cross, breakdown, breaks "
    "below, broke below, break below, breaking below, crypto winter, downturn, downward spiral, lower low, lower "
    "lows, dead cat bounce, long squeeze, new low, new lows, fresh low, yearly low, multi year low, multi month low, "
    "lowest",
    -1.6: "fall, falls, fell, fallen, falling, shrink, shrinks, shrank, shrunk, shrinking, sheds, shed, shedding, "
    "decliner, downside, downswing, lower, pullback, pullbacks, drawdown, correction, below support, in the red, "
    "loses support, lost support, drops below, fell below, falls below, outflow, outflows, selling pressure, sell "
    "pressure, rejected at, rejection, reversal, contraction, red candle, erase, erases, erased, erasing, gives up "
    "gains, gave up gains, pares gains, downward, downwards, plunging, off its high, cut in half",
    -1.0: "down, dipping, weaker, softer, slower, slowdown, slows, slowing, slowed, retrace, retraces, retraced, "
    "retracement, stagnation, sideways, unload, unloads, unloaded, selling, sellers, sell, sells, sold",
}

# figures whose rise is bad news and whose fall is good news, with what the bare word is worth
BURDENS: dict[float, str] = {
    -1.4: "loss, losses, net loss, operating loss, deficit, deficits, shortfall, debt, debts, unemployment, jobless "
    "claims, liquidation, liquidations, insolvency, insolvencies, bankruptcies, fraud, crime, stress, default, "
    "defaults, recession, delinquencies",
    -0.8: "fear, fears, worries, concerns, concern, anxiety, risk, risks, threat, threats, panic, uncertainty, "
    "pressure, tension, tensions, volatility, doubts, doubt, backlash, headwinds, headwind, obstacles, hurdles",
    -0.4: "inflation, cpi, cost, costs, expense, expenses, fee, fees, gas fees, tax, taxes, tariffs, interest "
    "rates, rates, yields, exchange reserves, exchange balances, exchange inflows, short interest, shorts, short "
    "positions, emissions, congestion, latency, downtime, layoff numbers, overheads, slippage, impairment, "
    "impairments",
}
