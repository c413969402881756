//! A bar and the rules of its market.

use super::dec::Dec;
use crate::error::{KernelError, Result};

/// One bar.
#[derive(Debug, Clone, Copy)]
pub struct Bar {
    /// First price.
    pub open: f64,
    /// Highest price.
    pub high: f64,
    /// Lowest price.
    pub low: f64,
    /// Last price.
    pub close: f64,
    /// Traded base.
    pub volume: f64,
    /// Made up where the market gave none: no fills.
    pub filled_forward: bool,
}

impl Bar {
    /// Check the prices.
    ///
    /// # Errors
    /// [`KernelError::Row`] with what is wrong.
    #[inline]
    pub fn check(&self, row: usize) -> Result<()> {
        let good = self.low > 0.0
            && self.high < f64::INFINITY
            && self.open >= self.low
            && self.open <= self.high
            && self.close >= self.low
            && self.close <= self.high
            && self.volume >= 0.0
            && self.volume < f64::INFINITY;
        if good {
            return Ok(());
        }
        let bad = |x: f64| !(x > 0.0 && x < f64::INFINITY);
        let what = if bad(self.open) {
            "open: expected a finite price above 0"
        } else if bad(self.high) {
            "high: expected a finite price above 0"
        } else if bad(self.low) {
            "low: expected a finite price above 0"
        } else if bad(self.close) {
            "close: expected a finite price above 0"
        } else if !(self.volume >= 0.0 && self.volume < f64::INFINITY) {
            "volume: expected a finite number not below 0"
        } else {
            "high: expected low <= open, close <= high"
        };
        Err(KernelError::Row { row, what })
    }
}

/// Rules and costs of the market.
#[derive(Debug, Clone, Copy)]
pub struct Rules {
    /// Price step.
    pub tick: Dec,
    /// Quantity step.
    pub lot: Dec,
    /// Smallest order value.
    pub min_notional: Dec,
    /// Fee as a fraction of the notional, for makers and takers.
    pub fees: [Dec; 2],
    /// Half the spread that a taker pays, as a fraction of the price.
    pub half_spread: f64,
    /// A buy pays its fee in base.
    pub fee_received: bool,
    /// Largest share of a bar's volume that is ours.
    pub share: Option<f64>,
    /// Ticks the market must go through a resting limit.
    pub through: i64,
    /// Steps a command travels.
    pub latency: i64,
}
