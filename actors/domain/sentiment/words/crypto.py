"""Words of coins, chains, exchanges and the people who talk about them."""

from __future__ import annotations

VERBS: dict[float, str] = {
    1.6: "hodl+, embrace, adopt, legalise, legalize, greenlight, onboard, endorse, tokenise, tokenize",
    1.2: "unveil, integrate, partner, upgrade, airdrop+, deploy, pioneer, collaborate, roll out, debut, enable, "
    "introduce, bring forward, open source, team up, join forces",
    -2.6: "exploit, rug+, drain, siphon, scam+, defraud, loot, launder, embezzle, phish",
    -1.8: "outlaw, delist, blacklist, sanction, seize, confiscate, halt, suspend, freeze, crack down, liquidate, "
    "insolvent",
    -1.2: "unpeg+, fork off, unstake, offload, congest, censor",
}
GOOD: dict[float, str] = {
    2.6: "bullish, mooning, to the moon soon, lambo, lambos, diamond hands, wagmi, wen moon, moonshot, supercycle, "
    "super cycle, hyperbullish, ultra bullish, super bullish, bullishness, bullishly, hyperbitcoinization",
    2.0: "hodler, hodlers, hodling, bulls, bull, altseason, alt season, altcoin season, mass adoption, adoption, "
    "institutional adoption, etf approval, etf approved, approves etf, spot etf approval, legal tender, buy the dip, "
    "btfd, bought the dip, buying the dip, buys the dip, undervalued, gem, hidden gem, alpha, gm, lfg, pumped, "
    "pumping, pamp, green candle, green candles, oversold, digital gold, store of value, halving rally, bottomed, "
    "bottom is in, bottomed out",
    1.4: "partnership, partnerships, partners with, teams up, team up, collaboration, integration, integrates "
    "with, mainnet, mainnet launch, listing, listed on, launches on, goes live, went live, going live, go live, live "
    "on, upgrade, upgrades, upgraded, milestone, milestones, funding round, seed round, series a, series b, series c, "
    "raises, raised, raise, raising, unicorn, valuation of, backing, backed by, invests in, invests, invested, "
    "invest, investment, investments, investing, staking rewards, rewards, reward, airdrop, airdrops, yield farming, "
    "accepts bitcoin, accept bitcoin, accepts crypto, accept crypto, accepting bitcoin, accepting crypto, accepts "
    "payments, accept payments, accepts, accepted, accepting, pay in bitcoin, pay with bitcoin, payments in bitcoin, "
    "adds support, support for, supports, supporting, supported, added support, adds bitcoin, added bitcoin, buys "
    "bitcoin, bought bitcoin, buy bitcoin, buying bitcoin, buys more, purchases bitcoin, purchased bitcoin, stacking "
    "sats, stack sats, institutional interest, institutional demand, institutional money, institutional investors, "
    "whale buys, whales buy, whales accumulate, scarcity, scarce, deflationary, burn, burns, burned, token burn, "
    "buyback, buybacks, halving, first ever, pro crypto, crypto friendly, bitcoin friendly, regulatory clarity, "
    "clarity, innovation hub, unlocks, unlocked potential, interoperability, scalability, layer 2 solution, cross "
    "chain, dominance, decentralised future, mass market, mainstream, ease of use",
    1.0: "launch, launches, launched, launching, unveils, unveiled, introduces, introduced, introducing, "
    "introduction of, announces, announced, announcing, announce, rollout, rolls out, rolled out, debuts, debut, "
    "debuted, enters, joins, joined, joining, join, opens, opening, open up, opened, adds, added, adding, add, "
    "brings, bring, bringing, brought, acquires, acquired, acquisition, acquire, acquiring, merger, files for etf, "
    "etf filing, etf launch, bitcoin etf, spot etf, develops, developing, developed, builds, build, building, built, "
    "completes, completed, completion, releases, released, release, releasing, powered by, powers, enabling, allows, "
    "allow, allowing, lets, wins, win, hires, hired, appoints, appointed, plans to launch, plans to accept, set to "
    "launch, to launch, drives, driven, prepares, ready, giveaway, mints, minted, auctioned, licensed, registered, "
    "tokenised, tokenized",
}
BAD: dict[float, str] = {
    -2.6: "rekt, rug pull, rug pulls, rugpull, rugpulls, rugged, exit scam, exit scams, ponzi, ponzi scheme, "
    "ponzis, pyramid scheme, scam, scams, scammer, scammers, scammed, hacked, hack, hacks into, hacker, hackers, "
    "hacking, exploited, exploits, exploit, exploiter, stolen, stole, steal, steals, stealing, theft, thefts, heist, "
    "drained, bank run, bank runs, run on the bank, death spiral, insolvent, bankruptcy, bankrupt, chapter 11, files "
    "for bankruptcy, filed for bankruptcy, depegged, depegging, depeg, depegs, loses peg, loses its peg, lost its peg, "
    "bearish, "
    "bearishness, ngmi, bagholder, bagholders, bag holder, bag holders, shitcoin, shitcoins, scamcoin, worthless, "
    "goes to zero, going to zero, to zero, honeypot, ransomware, ransom, terrorist financing, money laundering, "
    "laundering, laundered, flash loan attack, 51 attack, sim swap, phishing, malware, cryptojacking, breach, "
    "breaches, breached, compromised",
    -2.0: "fud, bears, bear, paper hands, jeet, jeets, bubble, bubbles, hacks, frozen, withdrawals halted, halts "
    "withdrawals, halted withdrawals, pauses withdrawals, paused withdrawals, suspends withdrawals, suspended "
    "withdrawals, freezes withdrawals, withdrawal freeze, outage, outages, sec sues, sued, sues, sue, suing, lawsuit, "
    "lawsuits, class action, charged, charges against, indicted, indictment, arrested, arrest, arrests, jailed, "
    "prison, convicted, guilty, subpoena, subpoenas, subpoenaed, fined, fine of, fines, penalty, penalties, "
    "crackdown, crackdowns, cracks down, banned, bans, ban, banning, outright ban, blanket ban, outlawed, illegal, "
    "illicit, prohibits, prohibited, prohibit, prohibition, blacklisted, delisted, delisting, delistings, delists, "
    "seized, seizure, seizes, tether fud, overbought, overvalued, rejected, rejects, reject, denied, denies etf, wash "
    "trading, insider trading, market manipulation, manipulation, manipulated, pump and dump, vulnerability, "
    "vulnerabilities, vulnerable, bug, bugs, attack, attacks, attacked, attacker, attackers",
    -1.3: "unregistered, warns, warned, warning, warnings, warn, cautions, cautioned, caution, cautious, probe, "
    "probes, probed, investigation, investigations, investigates, investigating, investigated, scrutiny, clampdown, "
    "restrict, restricts, restricted, restriction, restrictions, curbs, tightens, tightening, tighten, tightened, "
    "regulatory uncertainty, energy consumption, carbon footprint, mt gox, silk road, dark web, darknet, offline, "
    "delay, delays, delayed, postpone, postpones, postponed, congested, suspended, suspends, halted, halts, halting, "
    "shut down, shuts down, shutting down, shutdown, shuttered, closes down, unstable, illiquid, dormant, fakes, "
    "fake, impersonating, impersonator, leaked, leak, leaks, spam, unauthorised, unauthorized, leaves market, exits, "
    "exit from, quits, steps down, resigns, resigned, resignation, layoff, layoffs, lays off, laid off, job cuts, "
    "fires staff",
}
