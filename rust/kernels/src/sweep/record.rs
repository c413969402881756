//! What is kept of one combination: 72 bytes.

/// 64-bit words of one record.
pub const RECORD_WORDS: usize = 9;

/// Figures of one combination; NaN where undefined.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Record {
    /// Equity after the last bar, quote.
    pub final_equity: f64,
    /// Mean of the returns per bar over their deviation (ddof 1), per bar.
    pub sharpe: f64,
    /// The same over the root of the mean squared loss.
    pub sortino: f64,
    /// Largest fall from a peak, as a fraction.
    pub max_drawdown: f64,
    /// All fees, quote.
    pub fees: f64,
    /// Sum of the results above 0 of closed trades, quote.
    pub gain: f64,
    /// The same of those below 0, as a positive number.
    pub loss: f64,
    /// Closed round trips.
    pub trades: u32,
    /// Those with a result above 0.
    pub wins: u32,
    /// Bars whose close saw a position.
    pub exposed_bars: u32,
    /// Bar at whose close the account was ruined, -1 if it was not.
    pub ruined_bar: i32,
}

impl Record {
    /// The fields as 64-bit words, in order; the counts share words, the first of a pair in the lower half.
    pub fn words(&self) -> [u64; RECORD_WORDS] {
        let pair = |low: u32, high: u32| u64::from(high) << 32 | u64::from(low);
        [
            self.final_equity.to_bits(),
            self.sharpe.to_bits(),
            self.sortino.to_bits(),
            self.max_drawdown.to_bits(),
            self.fees.to_bits(),
            self.gain.to_bits(),
            self.loss.to_bits(),
            pair(self.trades, self.wins),
            pair(self.exposed_bars, self.ruined_bar as u32),
        ]
    }
}

/// Results of closed trades.
#[derive(Clone, Default)]
pub(crate) struct Tally {
    pub gain: f64,
    pub loss: f64,
    pub trades: u32,
    pub wins: u32,
}

impl Tally {
    #[inline(always)]
    pub fn add(&mut self, pnl: f64) {
        self.gain += if pnl > 0.0 { pnl } else { 0.0 };
        self.loss += if pnl < 0.0 { -pnl } else { 0.0 };
        self.trades += 1;
        self.wins += u32::from(pnl > 0.0);
    }
}

/// Sharpe and Sortino per bar from the sums of `count` returns, their squares and the squares of their losses.
pub(crate) fn ratios(count: usize, sum: f64, squares: f64, losses: f64) -> (f64, f64) {
    let n = count as f64;
    let mean = sum / n;
    let deviation = ((squares - sum * mean) / (n - 1.0)).sqrt();
    let downside = (losses / n).sqrt();
    let ratio = |by: f64| if by > 0.0 { mean / by } else { f64::NAN };
    if count < 2 {
        return (f64::NAN, if count == 1 { ratio(downside) } else { f64::NAN });
    }
    (ratio(deviation), ratio(downside))
}
