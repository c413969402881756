//! Directional movement: +DI, -DI and their average index ADX (Wilder 1978), seeded like TA-Lib.
//!
//! From bar 1: `up = h - h1`, `dn = l1 - l`; +DM is `up` if `up > dn` and `up > 0`, else 0, -DM likewise; true
//! range as in [`crate::atr`]. Sums over bars `1..n-1`, then `S = b*S + x`, `b = 1 - 1/n`, by [`crate::scan`];
//! `DI = 100*DM/TR` from bar `n`; `DX = 100*|PDI - MDI|/(PDI + MDI)`; ADX is the mean of the first `n` defined DX,
//! then `A = b*A + DX/n`. Where neither direction ever moved DX is undefined: it is not averaged and ADX
//! keeps its value. A non-finite price makes every later value NaN.

use crate::atr::{true_range, Bars};
use crate::codec::{Reader, Writer};
use crate::error::{same_len, window_ok, Result};
use crate::scan::Scan;

/// ADX, +DI and -DI of one bar.
pub type AdxValue = (f64, f64, f64);

/// Streaming directional movement: `O(1)` memory and work.
#[derive(Debug, Clone)]
pub struct Adx {
    window: usize,
    a: f64,
    count: u64,
    defined: u64,
    value: f64,
    last: [f64; 3],
    plus: Scan,
    minus: Scan,
    range: Scan,
    index: Scan,
}

impl Adx {
    /// Average over `window >= 2` bars.
    ///
    /// # Errors
    /// [`crate::KernelError::Param`] for a window below 2.
    pub fn new(window: usize) -> Result<Self> {
        window_ok(window, 2)?;
        let a = 1.0 / window as f64;
        let scan = Scan::new(1.0 - a);
        let [plus, minus, range, index] = std::array::from_fn(|_| scan.clone());
        Ok(Self {
            window,
            a,
            count: 0,
            defined: 0,
            value: f64::NAN,
            last: [0.0; 3],
            plus,
            minus,
            range,
            index,
        })
    }

    /// Take one bar; DI is NaN for `window` bars, ADX for `2 * window - 1`.
    #[inline]
    pub fn update(&mut self, high: f64, low: f64, close: f64) -> AdxValue {
        let [h1, l1, c1] = std::mem::replace(&mut self.last, [high, low, close]);
        let (up, dn) = (high - h1, l1 - low);
        let tr = true_range(high, low, c1);
        let plus = if up > dn && up > 0.0 { up } else { 0.0 };
        let minus = if dn > up && dn > 0.0 { dn } else { 0.0 };
        if self.count < self.window as u64 {
            self.warm_up(plus, minus, tr);
            return (f64::NAN, f64::NAN, f64::NAN);
        }
        let (p, m, t) = (self.plus.step(plus), self.minus.step(minus), self.range.step(tr));
        let (pdi, mdi) = (100.0 * p / t, 100.0 * m / t);
        // a NaN range must reach the index too, hence not `p + m > 0.0` alone
        if p + m == 0.0 && !t.is_nan() {
            return (self.value, pdi, mdi);
        }
        let dx = 100.0 * (pdi - mdi).abs() / (pdi + mdi);
        let n = self.window as u64;
        if self.defined >= n {
            self.value = self.index.step(self.a * dx);
        } else {
            self.defined += 1;
            self.index.carry += dx;
            if self.defined == n {
                self.value = self.index.carry / self.window as f64;
                self.index.seed(self.value);
            }
        }
        (self.value, pdi, mdi)
    }

    fn warm_up(&mut self, plus: f64, minus: f64, tr: f64) {
        if self.count > 0 {
            self.plus.carry += plus;
            self.minus.carry += minus;
            self.range.carry += tr;
        }
        self.count += 1;
    }

    /// State as bytes; the twin writes and reads the same.
    pub fn snapshot(&self) -> Vec<u8> {
        let w = Writer::new("Adx")
            .u64(self.window as u64)
            .u64(self.count)
            .u64(self.defined);
        let w = w.f64s(&[self.value]).f64s(&self.last);
        self.index
            .write(self.range.write(self.minus.write(self.plus.write(w))))
            .done()
    }

    /// State from bytes.
    ///
    /// # Errors
    /// [`crate::KernelError::Snapshot`] when the bytes are not of this kernel.
    pub fn restore(bytes: &[u8]) -> Result<Self> {
        let mut r = Reader::open(bytes, "Adx")?;
        let mut me = Self::new(r.size()?)?;
        me.count = r.u64()?;
        me.defined = r.u64()?;
        me.value = r.f64()?;
        me.last = [r.f64()?, r.f64()?, r.f64()?];
        for scan in [&mut me.plus, &mut me.minus, &mut me.range, &mut me.index] {
            scan.read(&mut r)?;
        }
        r.end()?;
        Ok(me)
    }
}

/// Directional movement over `window` bars: ADX (first `2 * window - 1` NaN), +DI and -DI (first `window` NaN).
///
/// # Errors
/// [`crate::KernelError`] for a window below 2 or unequal lengths.
pub fn adx(
    bars: Bars<'_>,
    window: usize,
    adx: &mut [f64],
    plus: &mut [f64],
    minus: &mut [f64],
) -> Result<()> {
    let len = bars.count()?;
    for o in [adx.len(), plus.len(), minus.len()] {
        same_len(len, o)?;
    }
    let mut state = Adx::new(window)?;
    for i in 0..len {
        (adx[i], plus[i], minus[i]) = state.update(bars.high[i], bars.low[i], bars.close[i]);
    }
    Ok(())
}
