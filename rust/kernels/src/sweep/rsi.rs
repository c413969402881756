//! Reversal of the relative strength index: long from below one level, short from above another, until the middle.

use super::bits::{above_value, below_value, known, words, Events, Held, Mask, Row, NONE};
use super::grid::{count, values_ok, windows_ok, Grid, Panel, Take};
use super::run::Market;
use crate::error::Result;
use crate::rsi::Rsi;
use crate::simd::F4;

/// Level that ends both sides.
const MIDDLE: f64 = 50.0;

/// Every window with every level below and every level above the middle, in that order; a group has one window.
#[derive(Debug, Clone)]
pub struct RsiGrid {
    windows: Vec<usize>,
    oversold: Vec<f64>,
    overbought: Vec<f64>,
    firsts: Vec<usize>,
}

impl RsiGrid {
    /// Increasing windows of at least 2 bars and increasing levels, below and above 50.
    ///
    /// # Errors
    /// [`crate::KernelError::Param`] for other axes.
    pub fn new(windows: &[usize], oversold: &[f64], overbought: &[f64]) -> Result<Self> {
        windows_ok(windows, 2)?;
        values_ok(oversold, 0.0, MIDDLE)?;
        values_ok(overbought, MIDDLE, 100.0)?;
        let size = oversold.len() * overbought.len();
        Ok(Self {
            firsts: count(windows.iter().map(|_| size)),
            windows: windows.to_vec(),
            oversold: oversold.to_vec(),
            overbought: overbought.to_vec(),
        })
    }
}

impl Grid for RsiGrid {
    type Panel = Indices;

    fn firsts(&self) -> &[usize] {
        &self.firsts
    }

    fn panel(&self, groups: &[usize]) -> Result<Indices> {
        let indices: Result<Vec<Rsi>> = groups.iter().map(|g| Rsi::new(self.windows[*g])).collect();
        let size = self.oversold.len() * self.overbought.len();
        Ok(Indices {
            rows: vec![Row::UNDEFINED; groups.len()],
            held: vec![0; size * groups.len()],
            high: vec![NONE; self.overbought.len()],
            indices: indices?,
            oversold: self.oversold.clone(),
            overbought: self.overbought.clone(),
        })
    }
}

pub(crate) struct Indices {
    indices: Vec<Rsi>,
    rows: Vec<Row>,
    held: Vec<Held>,
    /// Bars above each upper level, for the window in work.
    high: Vec<Mask>,
    oversold: Vec<f64>,
    overbought: Vec<f64>,
}

impl Panel for Indices {
    #[inline(always)]
    fn advance<V: F4>(&mut self, market: &Market<'_>, at: usize, len: usize) {
        let close = &market.close[at..at + len];
        for (index, row) in self.indices.iter_mut().zip(&mut self.rows) {
            for (r, c) in row.0.iter_mut().zip(close) {
                *r = index.update(*c);
            }
        }
    }

    #[inline(always)]
    fn each<V: F4>(&mut self, short: bool, to: &mut impl Take) {
        let mut k = 0;
        for row in &self.rows {
            let live = known::<V>(row);
            let (below, over) = (below_value::<V>(row, MIDDLE), above_value::<V>(row, MIDDLE));
            let leave_long = words([&live, &below], |[live, b]| live & !b);
            let leave_short = words([&live, &over], |[live, o]| live & !o);
            for (high, level) in self.high.iter_mut().zip(&self.overbought) {
                *high = above_value::<V>(row, *level);
            }
            for level in &self.oversold {
                let low = below_value::<V>(row, *level);
                for high in &self.high {
                    let events = Events {
                        enter_long: &low,
                        leave_long: &leave_long,
                        enter_short: high,
                        leave_short: &leave_short,
                        live: &live,
                    };
                    to.take::<V>(k, &events.sides(&mut self.held[k], short));
                    k += 1;
                }
            }
        }
    }
}
