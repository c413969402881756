"""Words of markets, companies and the economy."""

from __future__ import annotations

GOOD: dict[float, str] = {
    2.2: "record profit, record profits, record revenue, record earnings, record quarter, record year, beats "
    "estimates, beat estimates, beats expectations, beat expectations, above expectations, better than expected, "
    "exceeds expectations, soft landing, stimulus, bailout approved, rate cut, rate cuts, cuts rates, cut rates, "
    "dovish, easing cycle",
    1.6: "profitable, profitability, profits rose, upgraded to buy, buy rating, outperform rating, raises "
    "guidance, raised guidance, strong demand, strong results, strong growth, growing demand, demand grows, record, "
    "records, robust, strong, stronger, strongest, strength, success, successful, successfully, succeed, succeeds, "
    "succeeded, win win, winner, winners, winning, won, opportunity, opportunities, optimism, optimistic, positive, "
    "positively, favourable, favorable, confident, confidence, upbeat, excellent, outstanding, promising, impressive, "
    "breakthrough, lucrative, attractive, thriving, prosperous, award, awarded, awards, honoured, honored, "
    "revolution, revolutionary, revolutionise, revolutionize, game changer, game changing, better, great, good, huge "
    "potential, landmark, historic, triumph, soaring demand",
    1.1: "profit, profits, dividend, dividends, agreement, agreements, signs deal, signed a deal, deal with, deal, "
    "deals, contract, contracts, order from, orders from, won order, alliance, joint venture, cooperation, "
    "innovative, innovation, innovate, approval, approvals, approve, approves, approved, approving, authorised, "
    "authorized, authorises, authorizes, licence, license, licenses, granted, grants, grant, green light, cleared, "
    "settles, settled, settlement reached, benefit, benefits, benefited, beneficial, efficient, efficiency, "
    "effective, savings, synergies, enhance, enhances, enhanced, enhancing, optimise, optimize, improvement, "
    "improvements, improved, improving, progress, momentum, demand, popular, popularity, interest from, trusted, "
    "trust, secure, secures, secured, safe, safer, safety, stable, stability, resilient, resilience, support level, "
    "supportive, solution, solutions, easier, faster, cheaper, easy, fast, reliable, transparent, transparency, "
    "sustainable, renewable, green energy, empower, empowers, empowering, accelerator, exciting, excited, welcome, "
    "welcomes, welcomed, happy, pleased, love, loves, top performer, premium, upside potential, potential, promote, "
    "promotes, promoting, sponsor, sponsors, sponsorship, fund raising, pilot, pilots, donates, donated, donation, "
    "donations, charity, hope, hopes, hopeful, hoping, help, helps, helping, helped, encourage, encourages, "
    "encouraging, gaining",
}
BAD: dict[float, str] = {
    -2.4: "fraudulent, criminal, criminals, catastrophe, catastrophic, disaster, disastrous, crisis, crises, "
    "contagion, profit warning, misses estimates, missed estimates, misses expectations, below expectations, worse "
    "than expected, bailout, war, invasion, terrorism, panic selling, margin call, margin calls, systemic risk, "
    "stagflation, hyperinflation, depression, rate hike, rate hikes, hikes rates, hawkish, worst",
    -1.7: "downgrade, downgrades, downgraded, sell rating, cuts guidance, cut guidance, lowered guidance, weak "
    "demand, weak, weakness, weakest, poor, poorly, negative, negatively, unfavourable, unfavorable, bad, worse, "
    "terrible, horrible, awful, failure, failures, fail, failed, fails, failing, fiasco, scandal, scandals, "
    "controversy, controversial, dispute, disputes, conflict, trouble, troubled, troubles, problem, problems, "
    "problematic, issue warning, damage, damages, damaged, damaging, danger, dangerous, harmful, harm, hurt, hurts, "
    "hurting, suffer, suffers, suffered, suffering, lose, losing, lost, loser, losers, victim, victims, unprofitable, "
    "shortage, shortages, glut, pessimism, pessimistic, gloom, gloomy, grim, bleak, dire, turmoil, chaos, chaotic, "
    "turbulence, turbulent, shock, shocks, nightmare, hostile, deadly, killed, kill, kills, death, dead, dies, died, "
    "stolen funds, misleading, mislead, deceptive, dishonest, lie, lies, lied, bogus, corrupt, corruption, "
    "embezzlement, violation, violations, violated, violates, violate, breach of, illegally, allegation, allegations, "
    "alleged, allegedly, alleges, accuses, accused, accusations, guilty plea, plea, sentenced, impeachment, "
    "extradition, bribery, extortion",
    -1.1: "criticism, criticises, criticizes, criticised, criticized, critic, critics, slams, slammed, blasts, "
    "blasted, denounces, condemns, complaint, complaints, opposes, opposed, opposition, object to, objection, "
    "skeptical, sceptical, skepticism, scepticism, skeptic, skeptics, cut jobs, personnel reductions, redundancies, "
    "redundant, lay offs, temporary layoffs, closure, closures, restructuring, write down, write downs, writedown, "
    "write off, impaired, strike, strikes, cancel, cancels, cancelled, canceled, withdraws, withdrew, withdrawn, "
    "terminate, terminates, terminated, termination, hardship, difficult, difficulties, tough, hard hit, challenging, "
    "unable, incapable, lack, lacks, lacking, misses, missed, miss, unlikely, uncertain, unclear, confused, "
    "confusion, expensive, costly, risky, speculative, speculation, volatile, anxious, worried, worry, worrying, "
    "afraid, scared, scary, alarming, alarm, alarms, nervous, jittery, jitters, concerned, fearful, disappointing, "
    "disappointed, disappointment, disappoint, sad, angry, ugly, stupid, ridiculous, wrong, mistake, mistakes, error, "
    "errors, glitch, glitches, blocked, blocks access, blocking, banned from, remove, removes, removed, abandon, "
    "abandons, abandoned, exodus, flee, flees, fled, fleeing, refuses, refused, refuse, deny, sluggish, tepid, muted, "
    "subdued, overregulation, burdensome, inflated, hype, overhyped, gamble, gambling, stuck, threatens, threatened, "
    "threatening, threaten, hinder, hinders, limits, limited supply concerns, tax evasion, evade, evasion, evading, "
    "crimes, punish, punishes, punished, stop, stops, stopped, unsustainable, dirty, waste, wasteful, wasted",
}
