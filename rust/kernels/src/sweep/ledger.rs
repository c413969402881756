//! The account of one combination that may be short or hold a part of the money: bar by bar.

use super::bits::{Sides, TILE, WORDS};
use super::record::{ratios, Record, Tally};
use super::run::{Keeper, Place};
use super::tile::{Sums, Tile};
use crate::sim::{Account, Costs, Signs, TRADE_WORDS};
use crate::simd::F4;

pub(crate) struct Ledger {
    account: Account,
    sums: Sums,
    /// Equity at the close before.
    before: f64,
    tally: Tally,
}

/// Count the closed ones of some trades.
fn count(tally: &mut Tally, words: &[u64]) {
    for trade in words.chunks_exact(TRADE_WORDS) {
        if trade[1] as i64 >= 0 {
            tally.add(f64::from_bits(trade[8]));
        }
    }
}

/// Signals as the account of [`crate::sim`] asks for them.
struct Bits<'a> {
    sides: &'a Sides,
    short: bool,
    len: usize,
}

impl Bits<'_> {
    /// Bars of a word that are long and short.
    #[inline(always)]
    fn word(&self, w: usize) -> (u64, u64) {
        let down = if self.short { self.sides.down[w] } else { 0 };
        (self.sides.up[w], down)
    }
}

impl Signs for Bits<'_> {
    #[inline(always)]
    fn of(&self, i: usize) -> i8 {
        let (up, down) = self.word(i / 64);
        (up >> (i % 64) & 1) as i8 - (down >> (i % 64) & 1) as i8
    }

    #[inline(always)]
    fn run_end(&self, i: usize, held: i8) -> usize {
        let mut from = u64::MAX << (i % 64);
        for w in i / 64..WORDS {
            let (up, down) = self.word(w);
            let differ = from
                & match held {
                    1 => !up,
                    0 => up | down,
                    _ => !down,
                };
            if differ != 0 {
                return self.len.min(64 * w + differ.trailing_zeros() as usize);
            }
            from = u64::MAX;
        }
        self.len
    }
}

/// Sums of the returns along a curve, of their squares, and of the squares of the losses.
#[inline(always)]
fn returns<V: F4>(curve: &[f64; TILE + 1]) -> [f64; 3] {
    let (one, zero) = (V::splat(1.0), V::splat(0.0));
    let mut sums = [zero; 3];
    for i in (0..TILE).step_by(4) {
        let (before, now) = (&curve[i..i + 4], &curve[i + 1..i + 5]);
        // SAFETY: four doubles each
        let (before, now) = unsafe { (V::load(before.as_ptr()), V::load(now.as_ptr())) };
        let r = now.div(before).sub(one);
        let down = r.min(zero);
        sums = [sums[0].add(r), sums[1].add(r.mul(r)), sums[2].add(down.mul(down))];
    }
    sums.map(|s| {
        let mut lanes = [0.0; 4];
        // SAFETY: four doubles
        unsafe { s.store(lanes.as_mut_ptr()) };
        (lanes[0] + lanes[1]) + (lanes[2] + lanes[3])
    })
}

impl Keeper for Ledger {
    fn new(costs: &Costs) -> Self {
        Self {
            account: Account::new(*costs),
            sums: [0.0; 4],
            before: costs.cash,
            tally: Tally::default(),
        }
    }

    #[inline(always)]
    fn step<V: F4>(&mut self, place: &Place<'_>, tile: &Tile, sides: &Sides) {
        // the first value is that of the close before; behind the last bar it stays, which is a return of 0
        let mut curve = [self.before; TILE + 1];
        let equity = &mut curve[1..=tile.len];
        let (open, close) = (&place.open[..tile.len], &place.close[..tile.len]);
        let signs = Bits {
            sides,
            short: place.short,
            len: tile.len,
        };
        self.account.tile::<V, _>(place.at, open, close, &signs, equity);
        self.before = curve[tile.len];
        curve[tile.len + 1..].fill(self.before);
        for (sum, more) in self.sums.iter_mut().zip(returns::<V>(&curve)) {
            *sum += more;
        }
        count(&mut self.tally, self.account.trades());
        self.account.forget_trades();
    }

    fn record(self, bars: usize, _last_close: f64) -> Record {
        let (s, words) = self.account.finish();
        let mut tally = self.tally;
        count(&mut tally, &words);
        let (sharpe, sortino) = if s.ruined_bar < 0 {
            ratios(bars - 1, self.sums[0], self.sums[1], self.sums[2])
        } else {
            // returns of an equity at or below 0 have no meaning
            (f64::NAN, f64::NAN)
        };
        Record {
            final_equity: s.final_equity,
            sharpe,
            sortino,
            max_drawdown: s.max_drawdown,
            fees: s.fees,
            gain: tally.gain,
            loss: tally.loss,
            trades: tally.trades,
            wins: tally.wins,
            exposed_bars: s.exposed_bars as u32,
            ruined_bar: s.ruined_bar as i32,
        }
    }
}
