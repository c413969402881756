//! A fixed set of indicators updated together: one call per bar, one row of values.
//!
//! Every column equals that of its own kernel to the bit; columns stand in [`COLUMNS`].

use crate::adx::Adx;
use crate::atr::Atr;
use crate::bollinger::Bollinger;
use crate::codec::{Reader, Writer};
use crate::ema::Ema;
use crate::error::Result;
use crate::macd::Macd;
use crate::rsi::Rsi;
use crate::sma::Sma;

/// Names of the values in a row.
pub const COLUMNS: [&str; 15] = [
    "sma",
    "ema",
    "rsi",
    "macd",
    "macd_signal",
    "macd_hist",
    "bb_upper",
    "bb_middle",
    "bb_lower",
    "std",
    "atr",
    "adx",
    "plus_di",
    "minus_di",
    "obv",
];

/// Windows of the set.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SetParams {
    /// Bars of the moving average.
    pub sma: usize,
    /// Span of the exponential average.
    pub ema: usize,
    /// Changes of the RSI.
    pub rsi: usize,
    /// Spans of the MACD: fast, slow, signal.
    pub macd: [usize; 3],
    /// Bars of the bands and of the deviation.
    pub bands: usize,
    /// Half width of the bands in deviations.
    pub k: f64,
    /// Bars of the ATR.
    pub atr: usize,
    /// Bars of the directional movement.
    pub adx: usize,
}

impl Default for SetParams {
    fn default() -> Self {
        Self {
            sma: 20,
            ema: 20,
            rsi: 14,
            macd: [12, 26, 9],
            bands: 20,
            k: 2.0,
            atr: 14,
            adx: 14,
        }
    }
}

/// One bar as the set takes it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bar {
    /// Highest price.
    pub high: f64,
    /// Lowest price.
    pub low: f64,
    /// Last price.
    pub close: f64,
    /// Traded base quantity.
    pub volume: f64,
}

/// Streaming indicators of one instrument: `O(longest window)` memory, `O(1)` per bar.
#[derive(Debug, Clone)]
pub struct IndicatorSet {
    sma: Sma,
    ema: Ema,
    rsi: Rsi,
    macd: Macd,
    bands: Bollinger,
    atr: Atr,
    adx: Adx,
    /// On-balance volume (Granville 1963): starts at the first volume, then adds or takes by the close's sign.
    obv: f64,
    /// NaN before the first bar.
    last: f64,
    started: bool,
}

impl IndicatorSet {
    /// A set with these windows.
    ///
    /// # Errors
    /// [`crate::KernelError::Param`] when one is out of range.
    pub fn new(p: SetParams) -> Result<Self> {
        Ok(Self {
            sma: Sma::new(p.sma)?,
            ema: Ema::new(p.ema)?,
            rsi: Rsi::new(p.rsi)?,
            macd: Macd::new(p.macd[0], p.macd[1], p.macd[2])?,
            bands: Bollinger::new(p.bands, p.k)?,
            atr: Atr::new(p.atr)?,
            adx: Adx::new(p.adx)?,
            obv: 0.0,
            last: f64::NAN,
            started: false,
        })
    }

    /// Take one bar; values in the order of [`COLUMNS`], NaN while warming up.
    #[inline]
    pub fn update(&mut self, bar: Bar) -> [f64; COLUMNS.len()] {
        let (x, h, l) = (bar.close, bar.high, bar.low);
        let (line, signal, hist) = self.macd.update(x);
        let (mean, sd, half) = self.bands.parts(x);
        let (adx, plus, minus) = self.adx.update(h, l, x);
        let volume = bar.volume;
        self.obv += if !self.started || x > self.last {
            volume
        } else if x < self.last {
            -volume
        } else {
            // equal closes add nothing; a NaN close makes every later value NaN
            x - self.last
        };
        self.started = true;
        self.last = x;
        let (sma, ema, rsi) = (self.sma.update(x), self.ema.update(x), self.rsi.update(x));
        let atr = self.atr.update(h, l, x);
        let (upper, lower) = (mean + half, mean - half);
        [
            sma, ema, rsi, line, signal, hist, upper, mean, lower, sd, atr, adx, plus, minus, self.obv,
        ]
    }

    /// State as bytes; the twin writes and reads the same.
    pub fn snapshot(&self) -> Vec<u8> {
        Writer::new("IndicatorSet")
            .u64(u64::from(self.started))
            .f64s(&[self.obv, self.last])
            .nested(&self.sma.snapshot())
            .nested(&self.ema.snapshot())
            .nested(&self.rsi.snapshot())
            .nested(&self.macd.snapshot())
            .nested(&self.bands.snapshot())
            .nested(&self.atr.snapshot())
            .nested(&self.adx.snapshot())
            .done()
    }

    /// State from bytes.
    ///
    /// # Errors
    /// [`crate::KernelError::Snapshot`] when the bytes are not of this kernel.
    pub fn restore(bytes: &[u8]) -> Result<Self> {
        let mut r = Reader::open(bytes, "IndicatorSet")?;
        let started = r.u64()? != 0;
        let (obv, last) = (r.f64()?, r.f64()?);
        let me = Self {
            sma: Sma::restore(r.nested()?)?,
            ema: Ema::restore(r.nested()?)?,
            rsi: Rsi::restore(r.nested()?)?,
            macd: Macd::restore(r.nested()?)?,
            bands: Bollinger::restore(r.nested()?)?,
            atr: Atr::restore(r.nested()?)?,
            adx: Adx::restore(r.nested()?)?,
            obv,
            last,
            started,
        };
        r.end()?;
        Ok(me)
    }
}
