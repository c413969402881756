"""Turns of phrase of headlines."""

from __future__ import annotations

VALENCES: dict[float, str] = {
    1.6: "goes mainstream, go mainstream, going mainstream, turns bullish, stays bullish, remains bullish, bullish "
    "on, bets big on, wins approval, gets approval, receives approval, gets green light, gets the green light, gets "
    "nod, gets the nod, goes public, holds strong, strong hands, never been better, breaks record, broke record, sets "
    "record, set a record, smashes, smashed, shatters, shattered, skyrocketed past",
    1.2: "can now, now live, now available, now supports, now accepts, now offers, is coming to, comes to, moves "
    "into, jumps into, ventures into, steps into, bets on, betting on, teams with, links up, ties up, tie up, inks, "
    "inked, inks deal, taps, tapped, joins forces, joined forces, beats, beat, outshines, outshine, pours into, pour "
    "into, pouring into, poured into, flows into, flow into, flowing into, floods into, flood into, piles into, pile "
    "into, amasses, amass, amassed, passive income, earn interest, zero fee, zero fees, carbon neutral, eco friendly, "
    "net zero, million users, million customers, million downloads, million round, million raise, million funding, "
    "million investment, leads round, led by investors, pro bono, safe haven, here to stay, on the horizon, within "
    "reach, closes in on, closing in on, approaches record, calls for adoption, push for adoption, passes bill, to "
    "legalise, to legalize, to accept bitcoin, to accept crypto, warms up to, warming up to, opens door, opens the "
    "door, opens doors, doubles its, triples its, greener, insured, dominates, dominate, outstrips, next big thing, "
    "buys the dip again, buying opportunity, buy signal, buy signals, bullish signal, inflation hedge, hedge against "
    "inflation, strong support, reaches new, one million, hash rate recovers, takes off, took off, taking off, "
    "gearing up, gears up, picks up steam, gathers steam, gains traction, gained traction, gains momentum, wins over, "
    "all clear, in the money, big win, good news, light at the end",
    1.0: "to offer, to list, lists, lists bitcoin, files for, becomes first, becomes the first, becomes largest, "
    "the first, world's first, world's largest, injects, injected, superior, simplifies, simplify, simplified, "
    "connects, connecting, gifts, gifted, favours, favors, favoured, favored, loving, likes, big fan, fan of, fans "
    "of, perfect, unique, close to buying, edges closer, inches closer, closer to, bottoming out, bottoming, de facto "
    "currency, official currency, national currency, freedom, liberate, liberates, instant hit, reopens, reopened, "
    "resumes, resumed, resume, restores, restored, unfreezes, unbans, unbanned, reinstates, reinstated, relaunch, "
    "relaunches, reinvents, replace banks, fosters, foster, nurtures, cultivates, accelerates adoption, widens "
    "access, broadens, broaden, broadened, streamlines, streamline, streamlined, automates, speeds up, sped up, "
    "cements, cemented, solidifies, solidify, solidified, validates, validated, validation, vindicated, vindicates, "
    "rewarded, rewarding, deserves, undervalued by",
    -1.2: "life sentence, life sentences, violence, violent, gang, gangs, manipulator, manipulators, pause, pauses, "
    "paused, pausing, off a cliff, forces out, ousted, ousts, oust, sacked, sacks, demise, downplays, downplayed, "
    "cash out, cashes out, cashed out, cashing out, pulls out, pull out, pulled out, pulling out, backs away, walks "
    "away, walk away, cease, ceases, ceased, targeted by, hunt, hunts, caught, exposed, exposes, expose, north korea, "
    "north korean, dark side, mocks, mocked, ridicules, ridiculed, underwhelming, lackluster, lacklustre, at risk, "
    "short sellers, shorting, shorted, underwater, exorbitant, loses steam, losing steam, runs out of steam, loses "
    "momentum, losing momentum, losing streak, takes a hit, took a hit, hit hard, hardest hit, dry up, dries up, "
    "dried up, out of business, go bust, on hold, puts on hold, put on hold, cold water, turns sour, bad news, no "
    "longer supports, ends support, drops support, stops accepting, to shut, faces charges, under fire, comes under "
    "fire, under pressure, under scrutiny, under investigation, in limbo, in doubt, too risky, not safe, beware, "
    "buyer beware, stay away, sell signal, sell signals, bearish signal, fails test, thin ice, tip of the iceberg, "
    "wake up call, cautionary tale, hangs in the balance, loses ground, losing ground, lost ground, gives back gains, "
    "reality check, exit liquidity, in the dark",
    -1.8: "cease and desist, slapped with, slapped, busted, bust, busts, nabbed, detained, detains, isis, hamas, al "
    "qaeda, turns bearish, stays bearish, remains bearish, bearish on, going bust, goes bust, went bust, in ruins, "
    "wiped off, goes under, went under, going under, pulls the plug, pulled the plug, rug, scammy, lost everything, "
    "goes dark, went dark, in free fall, into the abyss, worst day, worst week, worst month, worst quarter, worst "
    "performing, hits bottom, hit rock bottom, rock bottom, lowest level, lowest point",
}
# worth something only where a figure follows: "above $50,000"
LEVELS: dict[float, str] = {
    1.2: "above, past, beyond, hits, hit, touches, over the, back over, targets, eyes, to hit",
    -1.3: "below, under, beneath, down to, as low as, dips to, slips to, drops to, falls to, back below",
}
