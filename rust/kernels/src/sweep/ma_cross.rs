//! Crossover of two moving averages of the close; the rule is that of [`crate::sim::Cross`].

use super::bits::{above, mask, Mask, Row, Sides, Test, NONE};
use super::grid::{count, values_ok, windows_ok, Distinct, Grid, Panel, Take};
use super::run::Market;
use crate::error::Result;
use crate::simd::F4;
use crate::sma::SmaAlong;

/// Every fast window with every longer slow one and every band, in that order; a group has one fast window.
#[derive(Debug, Clone)]
pub struct MaCrossGrid {
    fast: Vec<usize>,
    slow: Vec<usize>,
    bands: Vec<f64>,
    firsts: Vec<usize>,
}

impl MaCrossGrid {
    /// Increasing windows, the slow ones of at least 2 bars, and increasing bands as fractions of the slow average.
    ///
    /// # Errors
    /// [`crate::KernelError::Param`] for other axes.
    pub fn new(fast: &[usize], slow: &[usize], bands: &[f64]) -> Result<Self> {
        windows_ok(fast, 1)?;
        windows_ok(slow, 2)?;
        values_ok(bands, 0.0, f64::MAX)?;
        let longer = |f: &usize| slow.len() - slow.partition_point(|s| s <= f);
        Ok(Self {
            firsts: count(fast.iter().map(|f| longer(f) * bands.len())),
            fast: fast.to_vec(),
            slow: slow.to_vec(),
            bands: bands.to_vec(),
        })
    }
}

impl Grid for MaCrossGrid {
    type Panel = Averages;

    fn firsts(&self) -> &[usize] {
        &self.firsts
    }

    fn panel(&self, groups: &[usize]) -> Result<Averages> {
        let fast = || groups.iter().map(|g| self.fast[*g]);
        let least = fast().min().unwrap_or(0);
        let slow = self.slow.iter().copied().filter(|s| *s > least);
        let distinct = Distinct::of(fast().chain(slow));
        let pairs = fast()
            .map(|f| {
                let longer = self.slow.iter().filter(|s| **s > f);
                (distinct.place(f), longer.map(|s| distinct.place(*s)).collect())
            })
            .collect();
        Ok(Averages {
            averages: distinct.0.iter().map(|w| SmaAlong::new(*w)).collect(),
            rows: vec![Row::UNDEFINED; distinct.0.len()],
            pairs,
            bands: self.bands.clone(),
        })
    }
}

pub(crate) struct Averages {
    averages: Vec<SmaAlong>,
    rows: Vec<Row>,
    /// Row of each fast window, with those of its slow ones.
    pairs: Vec<(usize, Vec<usize>)>,
    bands: Vec<f64>,
}

impl Panel for Averages {
    #[inline(always)]
    fn advance<V: F4>(&mut self, market: &Market<'_>, at: usize, len: usize) {
        for (average, row) in self.averages.iter_mut().zip(&mut self.rows) {
            average.next(market.close, at, &mut row.0[..len]);
        }
    }

    #[inline(always)]
    fn each<V: F4>(&mut self, short: bool, to: &mut impl Take) {
        let mut k = 0;
        for (fast, slows) in &self.pairs {
            let fast = &self.rows[*fast];
            for slow in slows {
                let slow = &self.rows[*slow];
                for band in &self.bands {
                    let up = far_above::<V>(fast, slow, *band);
                    let down = if short {
                        far_below::<V>(fast, slow, *band)
                    } else {
                        NONE
                    };
                    to.take::<V>(k, &Sides { up, down });
                    k += 1;
                }
            }
        }
    }
}

/// Relative room around a threshold in which rounding could decide; the gap's own error is a fourth of it.
const ROOM: f64 = 2e-15;

/// Bars at which the gap `(fast - slow) / slow` exceeds `band`.
#[inline(always)]
fn far_above<V: F4>(fast: &Row, slow: &Row, band: f64) -> Mask {
    if band == 0.0 {
        return above::<V>(fast, slow);
    }
    let (sure, perhaps) = ((1.0 + band) * (1.0 + ROOM), (1.0 + band) * (1.0 - ROOM));
    mask::<V>(FarAbove {
        fast,
        slow,
        band,
        sure: V::splat(sure),
        perhaps: V::splat(perhaps),
    })
}

/// Bars at which the gap is below `-band`.
#[inline(always)]
fn far_below<V: F4>(fast: &Row, slow: &Row, band: f64) -> Mask {
    if band == 0.0 {
        return above::<V>(slow, fast);
    }
    mask::<V>(FarBelow {
        fast,
        slow,
        band,
        sure: V::splat(1.0 - band - ROOM),
        perhaps: V::splat(1.0 - band + ROOM),
    })
}

struct FarAbove<'a, V> {
    fast: &'a Row,
    slow: &'a Row,
    band: f64,
    sure: V,
    perhaps: V,
}

impl<V: F4> Test<V> for FarAbove<'_, V> {
    #[inline(always)]
    fn four(&mut self, i: usize) -> u64 {
        let (f, s) = (self.fast.four::<V>(i), self.slow.four::<V>(i));
        let (yes, maybe) = (f.above(s.mul(self.sure)), f.above(s.mul(self.perhaps)));
        if yes == maybe {
            return yes;
        }
        yes | exact(self.fast, self.slow, i, maybe & !yes, |gap| gap > self.band)
    }
}

struct FarBelow<'a, V> {
    fast: &'a Row,
    slow: &'a Row,
    band: f64,
    sure: V,
    perhaps: V,
}

impl<V: F4> Test<V> for FarBelow<'_, V> {
    #[inline(always)]
    fn four(&mut self, i: usize) -> u64 {
        let (f, s) = (self.fast.four::<V>(i), self.slow.four::<V>(i));
        let (yes, maybe) = (s.mul(self.sure).above(f), s.mul(self.perhaps).above(f));
        if yes == maybe {
            return yes;
        }
        yes | exact(self.fast, self.slow, i, maybe & !yes, |gap| gap < -self.band)
    }
}

/// Those of four bars whose gap passes the rule's own test.
#[cold]
fn exact(fast: &Row, slow: &Row, i: usize, doubt: u64, test: impl Fn(f64) -> bool) -> u64 {
    (0..4).fold(0, |bits, k| {
        let (f, s) = (fast.0[i + k], slow.0[i + k]);
        bits | (u64::from(test((f - s) / s)) << k & doubt)
    })
}
