//! Backtest of a given signal: its sign at a close is the position from the next open on.

use super::account::{prices_ok, Account};
use super::trade::{Costs, Summary};
use crate::error::{same_len, KernelError, Result};
use crate::simd::{dispatch, Job, F4};

/// Bars worked on at once: their columns and signs stay in the nearest cache.
pub(crate) const TILE: usize = 2048;

struct Run<'a> {
    open: &'a [f64],
    close: &'a [f64],
    signal: &'a [f64],
    costs: Costs,
    equity: &'a mut [f64],
    out: &'a mut Option<Result<(Summary, Vec<u64>)>>,
}

impl Job for Run<'_> {
    #[inline(always)]
    fn run<V: F4>(self) {
        let mut account = Account::new(self.costs);
        let mut signs = [0_i8; TILE];
        let bars = self.close.len();
        let mut at = 0;
        while at < bars {
            let end = (at + TILE).min(bars);
            let (open, close) = (&self.open[at..end], &self.close[at..end]);
            let signs = &mut signs[..end - at];
            let prices = prices_ok::<V>(at, open, close);
            let numbers = take_signs(at, &self.signal[at..end], self.costs.short, signs);
            if prices.is_err() || numbers.is_err() {
                *self.out = Some(Err(earlier(prices, numbers)));
                return;
            }
            account.tile::<V, _>(at, open, close, &&*signs, &mut self.equity[at..end]);
            at = end;
        }
        *self.out = Some(Ok(account.finish()));
    }
}

/// The error of the earlier row; prices come first.
#[cold]
fn earlier(prices: Result<()>, numbers: Result<()>) -> KernelError {
    let row = |r: &Result<()>| match r {
        Err(KernelError::Row { row, .. }) => *row,
        _ => usize::MAX,
    };
    let first = if row(&prices) <= row(&numbers) {
        prices
    } else {
        numbers
    };
    first
        .err()
        .unwrap_or(KernelError::Param("a row that cannot be used"))
}

/// Signs of a tile of signals.
#[inline(always)]
fn take_signs(at: usize, signal: &[f64], short: bool, signs: &mut [i8]) -> Result<()> {
    let floor = -i8::from(short);
    let mut good = true;
    for (s, x) in signs.iter_mut().zip(signal) {
        good &= !x.is_nan();
        let sign = i8::from(*x > 0.0) - i8::from(*x < 0.0);
        *s = if sign < floor { floor } else { sign };
    }
    if good {
        return Ok(());
    }
    let row = signal.iter().position(|x| x.is_nan()).unwrap_or(0);
    let what = "signal: expected a number, found NaN; use 0 for no opinion";
    Err(KernelError::Row { row: at + row, what })
}

/// Trade the sign of `signal`: seen at a close, filled at the next open, with fee and slippage.
///
/// `equity` (shape of `close`) gets the account's value at every close. Returns totals and trades
/// ([`super::TRADE_WORDS`] words each). One pass; `O(trades)` memory beside the output.
///
/// # Errors
/// [`KernelError`] for unequal lengths, no bars, a parameter out of range, or a row with a bad price or signal.
pub fn signal_backtest(
    open: &[f64],
    close: &[f64],
    signal: &[f64],
    costs: Costs,
    equity: &mut [f64],
) -> Result<(Summary, Vec<u64>)> {
    costs.check()?;
    for other in [open.len(), signal.len(), equity.len()] {
        same_len(close.len(), other)?;
    }
    if close.is_empty() {
        return Err(KernelError::Param("a backtest needs at least one bar"));
    }
    let mut out = None;
    let run = Run {
        open,
        close,
        signal,
        costs,
        equity,
        out: &mut out,
    };
    dispatch(run);
    out.unwrap_or(Err(KernelError::Param("a backtest needs at least one bar")))
}
