//! What a vector backtest is given and hands back: costs and size, round trips, the summary.

use crate::error::{KernelError, Result};

/// 64-bit words of one trade as [`Trade::words`] writes it.
pub const TRADE_WORDS: usize = 10;

/// Costs and size of a vector backtest.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Costs {
    /// Money at the start, quote.
    pub cash: f64,
    /// Fee as a fraction of the notional.
    pub fee: f64,
    /// Adverse move of every fill as a fraction of the price.
    pub slip: f64,
    /// Share of the equity put into a position.
    pub exposure: f64,
    /// Whether a signal below zero opens a short (else it means flat).
    pub short: bool,
}

impl Costs {
    /// Check the ranges.
    ///
    /// # Errors
    /// [`KernelError::Param`] names the first parameter out of range.
    pub fn check(&self) -> Result<()> {
        let inside = |x: f64, lo: f64, hi: f64| x >= lo && x <= hi;
        if !(self.cash > 0.0 && self.cash < f64::INFINITY) {
            return Err(KernelError::Param("cash must be finite and above 0"));
        }
        if !inside(self.fee, 0.0, 0.5) || !inside(self.slip, 0.0, 0.5) {
            return Err(KernelError::Param("fee and slippage must lie in 0..0.5"));
        }
        if !(self.exposure > 0.0 && self.exposure <= 1.0) {
            return Err(KernelError::Param("exposure must lie in (0, 1]"));
        }
        Ok(())
    }
}

/// One round trip; `exit_bar` is -1 while it is open, then price and result are marked at the last close.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Trade {
    /// Bar at whose open it began.
    pub entry_bar: i64,
    /// Bar at whose open it ended (at whose close, when the account was ruined), -1 if open.
    pub exit_bar: i64,
    /// +1 long, -1 short.
    pub direction: i64,
    /// Units held, above 0.
    pub quantity: f64,
    /// Price paid or received, with slippage.
    pub entry_price: f64,
    /// The same at the end.
    pub exit_price: f64,
    /// Fees of both fills, quote.
    pub fees: f64,
    /// What slippage cost in both fills, quote.
    pub slippage: f64,
    /// Result after fees, quote.
    pub pnl: f64,
    /// Result as a share of the notional at entry.
    pub return_frac: f64,
}

impl Trade {
    /// The fields as 64-bit words, in order.
    pub fn words(&self) -> [u64; TRADE_WORDS] {
        [
            self.entry_bar as u64,
            self.exit_bar as u64,
            self.direction as u64,
            self.quantity.to_bits(),
            self.entry_price.to_bits(),
            self.exit_price.to_bits(),
            self.fees.to_bits(),
            self.slippage.to_bits(),
            self.pnl.to_bits(),
            self.return_frac.to_bits(),
        ]
    }
}

/// Totals of a run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Summary {
    /// Equity after the last bar.
    pub final_equity: f64,
    /// Largest fall from a peak of the equity (which starts at the cash), as a fraction.
    pub max_drawdown: f64,
    /// All fees, quote.
    pub fees: f64,
    /// All slippage, quote.
    pub slippage: f64,
    /// Bars whose close saw a position.
    pub exposed_bars: u64,
    /// Bar on which the account was ruined, -1 if it was not.
    pub ruined_bar: i64,
}
