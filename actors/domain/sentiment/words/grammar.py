"""Words that change what other words are worth, and common words that show a text to be English."""

from __future__ import annotations

INTENSIFIERS: dict[float, str] = {
    1.5: "extremely, massively, hugely, dramatically, incredibly, insanely, absolutely, exponentially, enormously, "
    "extraordinarily, overwhelmingly, ridiculously",
    1.3: "very, sharply, strongly, significantly, substantially, considerably, heavily, highly, steeply, rapidly, "
    "severely, deeply, massive, huge, major, sharp, steep, severe, enormous, dramatic, super, ultra, mega, so, "
    "really, totally, completely, big, biggest, significant, rapid, widely, notably, clearly, remarkably",
}
DAMPENERS: dict[float, str] = {
    0.7: "slightly, somewhat, marginally, modestly, mildly, barely, hardly, a bit, a little, kind of, sort of, "
    "partly, partially, slight, modest, marginal, minor, mild, gradually, moderately, moderate, nearly, almost, "
    "relatively, fairly, temporarily, temporary, small",
    0.8: "could, may, might, would, possibly, perhaps, potentially, probably, maybe, reportedly, rumoured, "
    "rumored, rumor, rumour, seems, appears, if, considers, considering, mulls, mulling, whether, expects, expected "
    "to",
}
NEGATORS = (
    "not, no, never, none, nobody, nothing, neither, nor, without, cannot, cant, dont, doesnt, didnt, isnt, arent, "
    "wasnt, werent, wont, wouldnt, couldnt, shouldnt, hasnt, havent, aint, can't, don't, doesn't, didn't, isn't, "
    "aren't, wasn't, weren't, won't, wouldn't, couldn't, shouldn't, hasn't, haven't, ain't, no longer, lack of, "
    "failed to, fails to, fail to, failing to, unable to, far from, instead of, rather than, refuses to, refused to, "
    "yet to, free of, stops short of, absence of"
)
# they end, prevent or refuse what follows; alone they are worth the figure
RELIEVERS: dict[float, str] = {
    0.9: "avoid, avoids, avoided, avoiding, avert, averts, averted, prevent, prevents, prevented, preventing, "
    "resolve, resolves, resolved, resolving, overcome, overcomes, overcame, survive, survives, survived, surviving, "
    "withstand, withstands, withstood, shrugs off, shrugged off, shrug off, defies, defied, defy, lifts ban, lift, "
    "lifting, relief from, solve, solves, solved, solving, protect, protects, protected, protecting, protection from, "
    "patches, patched, fixes, fixed, fix, thwarts, thwarted, foils, foiled, rules out, ruled out, dismisses, "
    "dismissed, dismiss, dismissal, drops charges, overturns, overturned, overturn, acquitted of, alleviate, "
    "alleviates, mitigate, mitigates, mitigating, combat, combats, combating, fight, fights, fighting, tackle, "
    "tackles, tackling, hedge against, hedge, counters, curb, curbing, reverses, reversed, clear of, immune to, "
    "immune from, resistant to, eases, eased, easing",
    -1.4: "ends, ended, scraps, scrapped, drops plans for, vetoes, vetoed, veto, hampers, stifles, stifle, dashes, "
    "dashed, cut, cuts, cutting",
    0.0: "reduce, reduces, reduced, reducing, reduction of, reduction in, denies, deny, denying, is over, are over, is "
    "finally over, is nearly over, over for good, is ending, comes to an end, has ended, have ended",
}
CONTRASTS = "but, however, yet, nevertheless, nonetheless, still"
CONCESSIONS = (
    "despite, although, though, even as, amid, amidst, in spite of, notwithstanding, even though, "
    "after, while"
)

# phrases whose words mean something else than apart
PLAIN = (
    "up to, set up, sets up, start up, start ups, startup, startups, sign up, signs up, follow up, make up, look up, "
    "back up, end up, ends up, come up, build up, break up, mock up, pop up, up and coming, up for, opens up, down "
    "payment, down the road, countdown, touch down, not only, not just, no doubt, no one, no matter, no less than, "
    "bear in mind, bear fruit, gains tax, capital gains, capital gains tax, hits back, bullion, bulletin, fair value, "
    "market value, value at, net worth, worth of, first time, at first, first quarter, first half, top of, at the "
    "top, top 10, top ten, top 5, top five, short term, in favour of, after hours, gas limit, default settings, by "
    "default, mining difficulty, difficulty adjustment, hash rate, crime fighting, fixed income, fixed rate, cost of, "
    "share of, interest rate, tax free, risk free, risk averse, risk management, risk assessment, good morning, "
    "market cap, hedge fund, hedge funds, stop loss, fear and greed, fear greed index, dead cat, charge of, in "
    "charge, free, white paper, war chest, bug bounty, bug bounties, hackathon, hackathons, growth hacking, white "
    "hat, ethical hacker, better known, best known, open interest, profit taking, breaking news, breaking down, break "
    "down, breaks down, wrapped bitcoin, lost in, support team, customer support, tech support, support and "
    "resistance, key support, support at, resistance, double down, doubles down, gold standard, great britain, the "
    "great, good faith, goods, trust fund, investment trust, grayscale bitcoin trust, fund, funds, top story, "
    "explained, price analysis, price prediction, price watch, weekly recap, market wrap, daily recap, what to "
    "expect, everything you need to know, here is why, here's why, how to buy, buy or sell, buy and sell, buying and "
    "selling, buy sell, lower bound, cold storage, burn address, bid ask, still waiting, so far, so called, and so, "
    "so that, or so, stock split, record date, track record, on record, for the record, off the record, list of, "
    "attack vector, market makers, security token, security tokens, exchange traded, death and taxes, dead or alive, "
    "kill switch, lightning strikes, strike price, strike ceo, strike app, issue, open letter, open source, grown up, "
    "hit list, cut off, clean cut, shortcut, haircut, cutting edge"
)
# between a noun and what it does, or what is done to it
LINKS_OF = "in, of, the, its, their, a, an, his, her"
LINKS = (
    "on, for, has, have, had, is, are, was, were, be, been, being, to, by, from, continue, continues, continued, "
    "also, will, would have, at, this, last, week, weeks, month, months, year, years, quarter, today, and, further, "
    "again"
)
NAMES = (
    "bitcoin, btc, bitcoins, ethereum, eth, ether, xrp, ripple, solana, sol, cardano, ada, dogecoin, doge, litecoin, "
    "ltc, binance, bnb, coinbase, kraken, tether, usdt, usdc, crypto, cryptocurrency, blockchain, defi, nft, nfts, "
    "altcoin, token, tokens, tesla, elon, musk, polkadot, avalanche, polygon, matic, chainlink, uniswap, bitfinex, "
    "huobi, okex, okx, bitmex, ftx, shiba, inu, metaverse, microstrategy, paypal, visa, mastercard"
)
ENGLISH = (
    "or, with, as, it, that, these, those, he, she, they, we, you, i, our, your, my, who, what, when, where, why, "
    "how, which, do, does, did, can, should, must, than, then, there, here, about, into, over, between, through, "
    "during, before, since, until, more, most, less, least, many, much, some, any, all, each, every, other, another, "
    "such, only, just, now, new, says, said, say, per, via, it's, he's, us, them, out, off, day, days, hour, hours, "
    "million, billion, trillion, percent, price, prices, market, markets, coin, coins, cryptocurrencies, blockchains, "
    "wallet, wallets, exchange, exchanges, trading, trader, traders, trade, trades, miner, miners, mining, mined, "
    "stablecoin, stablecoins, altcoins, bank, banks, company, companies, firm, firms, analyst, analysts, investor, "
    "investors, report, reports, news, government, regulators, regulator, regulation, regulations, digital, currency, "
    "currencies, asset, assets, money, dollar, dollars, world, global, national, user, users, platform, network, "
    "project, projects, technology, data, time, people, one, two, three, four, five, ceo, founder, chief, executive, "
    "sales, revenue, net, operating, shares, share, stock, stocks, business, like, make, makes, made, get, gets, got, "
    "take, takes, took, use, uses, used, using, own, back, next, around, across, both, part, way, plan, plans, head, "
    "state, country, countries, public, private, bill, law, central, service, services, product, products, customers, "
    "customer, group, high, low, level, levels, long, real, following, according, based on, end"
)
