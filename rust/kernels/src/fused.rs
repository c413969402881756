//! Nine features in one walk over the bars: every input is read while it is still in the nearest cache.
//!
//! Moving average and Bollinger bands of one window, exponential average, RSI, MACD (three lines) and ATR. Each
//! output equals that of its own kernel to the bit, so order of operations and NaN rules are theirs.

use crate::atr::{Atr, Bars};
use crate::bollinger::{Bands, Bollinger};
use crate::ema::Ema;
use crate::error::{same_len, Result};
use crate::macd::{Macd, MacdOut, MacdRun};
use crate::rsi::Rsi;
use crate::simd::{dispatch, Job, F4};
use crate::sma::Sma;

/// Windows of the nine features.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FusedParams {
    /// Bars of the moving average and of the bands.
    pub sma: usize,
    /// Span of the exponential average.
    pub ema: usize,
    /// Changes of the RSI.
    pub rsi: usize,
    /// Spans of the MACD: fast, slow, signal.
    pub macd: [usize; 3],
    /// Half width of the bands in deviations.
    pub k: f64,
    /// Bars of the ATR.
    pub atr: usize,
}

impl Default for FusedParams {
    fn default() -> Self {
        Self {
            sma: 20,
            ema: 20,
            rsi: 14,
            macd: [12, 26, 9],
            k: 2.0,
            atr: 14,
        }
    }
}

/// Where the nine features go.
pub struct FusedOut<'a> {
    /// Simple moving average.
    pub sma: &'a mut [f64],
    /// Exponential moving average.
    pub ema: &'a mut [f64],
    /// Relative strength index.
    pub rsi: &'a mut [f64],
    /// MACD line, signal and histogram.
    pub macd: MacdOut<'a>,
    /// Upper Bollinger band.
    pub upper: &'a mut [f64],
    /// Lower Bollinger band.
    pub lower: &'a mut [f64],
    /// Average true range.
    pub atr: &'a mut [f64],
}

struct Run<'a, 'b> {
    bars: Bars<'a>,
    out: &'a mut FusedOut<'b>,
    sma: Sma,
    bands: Bollinger,
    ema: Ema,
    rsi: Rsi,
    atr: Atr,
    macd: MacdRun,
    /// First bars of EMA, RSI and ATR that are not done.
    at: [usize; 3],
}

impl Run<'_, '_> {
    /// Mean and bands of bars `at..end`, a whole block on the grid or the last bars.
    #[inline(always)]
    fn bands<V: F4>(&mut self, at: usize, end: usize) {
        let (x, w) = (self.bars.close, self.sma.window);
        let mut bands = Bands {
            upper: self.out.upper,
            middle: self.out.sma,
            lower: self.out.lower,
        };
        let fit = crate::bollinger::advance::<V>(x, at, end, &mut self.bands, &mut bands);
        // the middle of the bands is the average as long as neither's sums restart inside the block
        if !fit.mean {
            self.sma.follow(&x[at + 1 - w..end], &mut self.out.sma[at..end]);
        }
    }
}

impl Job for Run<'_, '_> {
    #[inline(always)]
    fn run<V: F4>(mut self) {
        let (bars, x, len) = (self.bars, self.bars.close, self.bars.close.len());
        let stride = self.sma.block();
        let mut at = (self.sma.window - 1).min(len);
        while at < len {
            let end = (at + stride).min(len);
            self.bands::<V>(at, end);
            at = end;
            let ready = |from: usize| from + end.saturating_sub(from) / 4 * 4;
            let [e, r, a] = self.at;
            self.at = [ready(e), ready(r), ready(a)];
            self.ema
                .groups::<V>(&x[e..self.at[0]], &mut self.out.ema[e..self.at[0]]);
            if self.at[1] > r {
                self.rsi
                    .groups::<V>(&x[r - 1..self.at[1]], &mut self.out.rsi[r..self.at[1]]);
            }
            if self.at[2] > a {
                self.atr.groups::<V>(bars, a, &mut self.out.atr[a..self.at[2]]);
            }
            self.macd.advance::<V>(x, end, &mut self.out.macd);
        }
        let [e, r, a] = self.at;
        for (o, v) in self.out.ema[e..].iter_mut().zip(&x[e..]) {
            *o = self.ema.update(*v);
        }
        for (o, v) in self.out.rsi[r..].iter_mut().zip(&x[r..]) {
            *o = self.rsi.update(*v);
        }
        for (i, o) in self.out.atr.iter_mut().enumerate().skip(a) {
            *o = self.atr.update(bars.high[i], bars.low[i], bars.close[i]);
        }
        self.macd.finish(x, &mut self.out.macd);
    }
}

/// All nine features of the bars; warm-up bars are NaN as in the single kernels.
///
/// # Errors
/// [`crate::KernelError`] for bad windows or unequal lengths.
pub fn fused(bars: Bars<'_>, p: FusedParams, mut out: FusedOut<'_>) -> Result<()> {
    let len = bars.count()?;
    let m = &out.macd;
    let lens = [
        out.sma.len(),
        out.ema.len(),
        out.rsi.len(),
        m.line.len(),
        m.signal.len(),
        m.histogram.len(),
    ];
    for o in lens
        .into_iter()
        .chain([out.upper.len(), out.lower.len(), out.atr.len()])
    {
        same_len(len, o)?;
    }
    let (sma, bands) = (Sma::new(p.sma)?, Bollinger::new(p.sma, p.k)?);
    let (mut ema, mut rsi, mut atr) = (Ema::new(p.ema)?, Rsi::new(p.rsi)?, Atr::new(p.atr)?);
    let macd = Macd::new(p.macd[0], p.macd[1], p.macd[2])?;
    let first = (p.sma - 1).min(len);
    for o in [&mut *out.sma, &mut *out.upper, &mut *out.lower] {
        o[..first].fill(f64::NAN);
    }
    let at = [p.ema, rsi.lead(), atr.lead()].map(|n| n.min(len));
    for (o, v) in out.ema[..at[0]].iter_mut().zip(bars.close) {
        *o = ema.update(*v);
    }
    for (o, v) in out.rsi[..at[1]].iter_mut().zip(bars.close) {
        *o = rsi.update(*v);
    }
    for (i, o) in out.atr[..at[2]].iter_mut().enumerate() {
        *o = atr.update(bars.high[i], bars.low[i], bars.close[i]);
    }
    let macd = MacdRun::start(macd, bars.close, &mut out.macd);
    dispatch(Run {
        bars,
        out: &mut out,
        sma,
        bands,
        ema,
        rsi,
        atr,
        macd,
        at,
    });
    Ok(())
}
