//! The account of one combination that is flat or long with all its money: only its fills are visited.
//!
//! Cash, fees, results of trades and equities at extremes are computed in the order of operations of
//! [`crate::sim`], so they have the same bits; sums of returns come from the [`Tile`] and differ by rounding.

use super::bits::{Mask, Sides, TILE};
use super::record::{ratios, Record, Tally};
use super::run::{Keeper, Place};
use super::tile::{Sums, Tile};
use crate::sim::Costs;
use crate::simd::F4;
use std::mem::MaybeUninit;

#[repr(C, align(64))]
pub(crate) struct Book {
    sums: Sums,
    cash: f64,
    units: f64,
    /// Money before the entry.
    before: f64,
    peak: f64,
    /// Lowest equity since the peak.
    low: f64,
    worst: f64,
    fees: f64,
    tally: Tally,
    held: bool,
    wanted: bool,
}

/// Bars at whose open the position changes, in order.
struct Fills {
    bars: [MaybeUninit<u16>; TILE],
    count: usize,
}

impl Fills {
    /// Fills that follow from signals seen at the bars of `up`, with the one seen, and the position held, before.
    #[inline(always)]
    fn of(up: &Mask, len: usize, wanted: bool, held: bool) -> Self {
        let mut me = Self {
            bars: [const { MaybeUninit::uninit() }; TILE],
            count: 0,
        };
        let (mut signal, mut last) = (u64::from(wanted), u64::from(held));
        for (w, word) in up.iter().enumerate() {
            let long = word << 1 | signal;
            let mut change = long ^ (long << 1 | last);
            (signal, last) = (word >> 63, long >> 63);
            let left = len.saturating_sub(64 * w);
            if left < 64 {
                change &= (1 << left) - 1;
            }
            while change != 0 {
                let bar = 64 * w + change.trailing_zeros() as usize;
                // SAFETY: a mask has TILE bits, so there are at most that many changes
                unsafe { me.bars.get_unchecked_mut(me.count).write(bar as u16) };
                me.count += 1;
                change &= change - 1;
            }
        }
        me
    }

    /// # Safety
    /// `k < self.count`.
    #[inline(always)]
    unsafe fn get(&self, k: usize) -> usize {
        // SAFETY: the first `count` are written
        usize::from(unsafe { self.bars.get_unchecked(k).assume_init() })
    }
}

impl Keeper for Book {
    fn new(costs: &Costs) -> Self {
        Self {
            sums: [0.0; 4],
            cash: costs.cash,
            units: 0.0,
            before: costs.cash,
            peak: costs.cash,
            low: costs.cash,
            worst: 0.0,
            fees: 0.0,
            tally: Tally::default(),
            held: false,
            wanted: false,
        }
    }

    #[inline(always)]
    fn step<V: F4>(&mut self, place: &Place<'_>, tile: &Tile, sides: &Sides) {
        let fills = Fills::of(&sides.up, tile.len, self.wanted, self.held);
        self.wanted = sides.up[TILE / 64 - 1] >> 63 != 0;
        // SAFETY: fills are bars of the tile, in order, so every range between two of them has a bar
        unsafe {
            let mut sums = V::load(self.sums.as_ptr());
            let mut k = 0;
            if self.held {
                if fills.count == 0 {
                    self.hold(tile, 0, tile.len);
                    sums.add(V::load(tile.through.as_ptr()))
                        .store(self.sums.as_mut_ptr());
                    return;
                }
                let exit = fills.get(0);
                if exit > 0 {
                    self.hold(tile, 0, exit);
                }
                sums = sums.add(tile.exit_sums(exit));
                self.leave(tile, exit, place.fee);
                self.held = false;
                k = 1;
            }
            while k + 1 < fills.count {
                let (entry, exit) = (fills.get(k), fills.get(k + 1));
                sums = sums.add(tile.entry_sums(entry)).add(tile.exit_sums(exit));
                self.enter(tile, entry, place.fee);
                self.hold(tile, entry, exit);
                self.leave(tile, exit, place.fee);
                k += 2;
            }
            if k < fills.count {
                let entry = fills.get(k);
                let through = V::load(tile.through.as_ptr());
                sums = sums.add(tile.entry_sums(entry)).add(through);
                self.enter(tile, entry, place.fee);
                self.hold(tile, entry, tile.len);
                self.held = true;
            }
            sums.store(self.sums.as_mut_ptr());
        }
    }

    fn record(mut self, bars: usize, last_close: f64) -> Record {
        self.climb(self.peak);
        let (sharpe, sortino) = ratios(bars - 1, self.sums[0], self.sums[1], self.sums[2]);
        Record {
            final_equity: self.cash + if self.held { self.units * last_close } else { 0.0 },
            sharpe,
            sortino,
            max_drawdown: self.worst,
            fees: self.fees,
            gain: self.tally.gain,
            loss: self.tally.loss,
            trades: self.tally.trades,
            wins: self.tally.wins,
            exposed_bars: self.sums[3] as u32,
            ruined_bar: -1,
        }
    }
}

impl Book {
    /// # Safety
    /// `bar` lies in the tile.
    #[inline(always)]
    unsafe fn enter(&mut self, tile: &Tile, bar: usize, fee: f64) {
        // SAFETY: by the caller's promise
        let (price, with_fee) = unsafe { (*tile.buy.get_unchecked(bar), *tile.paid.get_unchecked(bar)) };
        self.before = self.cash;
        self.units = self.cash / with_fee;
        let cost = self.units * price;
        let paid = cost * fee;
        self.cash = self.cash - cost - paid;
        self.fees += paid;
    }

    /// # Safety
    /// `bar` lies in the tile.
    #[inline(always)]
    unsafe fn leave(&mut self, tile: &Tile, bar: usize, fee: f64) {
        // SAFETY: by the caller's promise
        let worth = self.units * unsafe { *tile.sell.get_unchecked(bar) };
        let paid = worth * fee;
        self.cash = self.cash + worth - paid;
        self.fees += paid;
        self.tally.add(self.cash - self.before);
        self.value(self.cash);
    }

    /// Equities of the closes `from..to`, with the position held.
    ///
    /// # Safety
    /// `from < to`, both in the tile.
    #[inline(always)]
    unsafe fn hold(&mut self, tile: &Tile, from: usize, to: usize) {
        // SAFETY: by the caller's promise
        let (least, most) = unsafe { tile.range(from, to) };
        let (least, most) = (self.cash + self.units * least, self.cash + self.units * most);
        if most > self.peak {
            self.walk(&tile.close[from..to]);
        } else {
            self.low = if least < self.low { least } else { self.low };
        }
    }

    #[inline(never)]
    fn walk(&mut self, closes: &[f64]) {
        for close in closes {
            self.value(self.cash + self.units * close);
        }
    }

    /// One value of the equity.
    #[inline(always)]
    fn value(&mut self, value: f64) {
        if value > self.peak {
            self.climb(value);
        } else {
            self.low = if value < self.low { value } else { self.low };
        }
    }

    /// A new peak: the fall from the one before is over.
    #[inline(always)]
    fn climb(&mut self, peak: f64) {
        let fall = 1.0 - self.low / self.peak;
        self.worst = if fall > self.worst { fall } else { self.worst };
        (self.peak, self.low) = (peak, peak);
    }
}
