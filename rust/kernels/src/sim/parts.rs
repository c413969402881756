//! A bar settled part by part, where finer bars tell the order of what happens inside it.

use super::bar::Bar;
use super::venue::OrderSim;
use crate::error::{same_len, KernelError, Result};

/// Room for the parts of one step in the number that tells moments apart.
const MOMENT_BITS: u32 = 20;

/// Columns of finer bars and where those of each bar begin.
#[derive(Debug, Clone, Copy)]
pub struct Parts<'a> {
    /// Open, high, low, close, volume of the finer bars.
    pub values: [&'a [f64]; 5],
    /// Row of the first finer bar of each bar.
    pub first: &'a [i64],
    /// How many it has; 0: it is settled whole.
    pub count: &'a [i64],
}

impl<'a> Parts<'a> {
    /// Check that the rows exist for a number of bars.
    ///
    /// # Errors
    /// [`KernelError`] when not.
    pub fn check(&self, bars: usize) -> Result<()> {
        let finer = self.values[3].len();
        for column in self.values {
            same_len(finer, column.len())?;
        }
        same_len(bars, self.first.len())?;
        same_len(bars, self.count.len())?;
        let inside = |(&first, &count): (&i64, &i64)| {
            count == 0
                || (0..1 << MOMENT_BITS).contains(&count)
                    && first >= 0
                    && first.checked_add(count).is_some_and(|end| end <= finer as i64)
        };
        if self.first.iter().zip(self.count).all(inside) {
            return Ok(());
        }
        Err(KernelError::Param(
            "the finer bars of a bar must be rows of their columns",
        ))
    }

    /// The finer bars of one bar.
    #[inline]
    pub fn of(&self, i: usize) -> impl ExactSizeIterator<Item = Bar> + Clone + use<'a> {
        let [open, high, low, close, volume] = self.values;
        let first = self.first[i] as usize;
        (first..first + self.count[i] as usize).map(move |k| Bar {
            open: open[k],
            high: high[k],
            low: low[k],
            close: close[k],
            volume: volume[k],
            filled_forward: false,
        })
    }
}

impl OrderSim {
    /// Take the next bar by its finer bars; without any it is settled whole.
    ///
    /// # Errors
    /// [`KernelError`] for a bar that contradicts itself, finer bars that do not rebuild it, or an amount too large.
    pub fn advance_parts(
        &mut self,
        bar: &Bar,
        parts: impl ExactSizeIterator<Item = Bar> + Clone,
    ) -> Result<()> {
        if parts.len() == 0 {
            return self.advance(bar);
        }
        let row = (self.step + 1) as usize;
        bar.check(row)?;
        rebuild(bar, parts.clone(), row)?;
        self.step += 1;
        let last = parts.len() - 1;
        self.carry_over(true)?;
        for (j, part) in parts.enumerate() {
            self.pass(&part, j as i64, j == last)?;
        }
        self.carry_close(bar)?;
        self.slip.observe(bar);
        Ok(())
    }

    /// Number of a part of a step.
    #[inline]
    pub(super) fn moment_of(step: i64, part: i64) -> i64 {
        (step << MOMENT_BITS) + part
    }
}

fn rebuild(bar: &Bar, parts: impl Iterator<Item = Bar>, row: usize) -> Result<()> {
    let (mut open, mut close) = (f64::NAN, f64::NAN);
    let (mut high, mut low) = (f64::NEG_INFINITY, f64::INFINITY);
    for part in parts {
        part.check(row)?;
        if open.is_nan() {
            open = part.open;
        }
        close = part.close;
        high = high.max(part.high);
        low = low.min(part.low);
    }
    if (open, high, low, close) == (bar.open, bar.high, bar.low, bar.close) {
        return Ok(());
    }
    let what = "detail: expected finer bars that rebuild the bar";
    Err(KernelError::Row { row, what })
}
