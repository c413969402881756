//! Bollinger bands: with a close outside the bands, or against it, until the middle is reached.

use super::bits::{above, known, mask, words, Events, Held, Mask, Row, Test, NONE};
use super::grid::{count, values_ok, windows_ok, Grid, Panel, Take};
use super::run::Market;
use crate::error::Result;
use crate::moments::Moments;
use crate::simd::F4;

/// Every window with every width, in that order; a group has one window.
#[derive(Debug, Clone)]
pub struct BollingerGrid {
    windows: Vec<usize>,
    widths: Vec<f64>,
    reversal: bool,
    firsts: Vec<usize>,
}

impl BollingerGrid {
    /// Increasing windows of at least 2 bars and increasing widths in deviations, above 0; against the close
    /// outside the bands if `reversal`.
    ///
    /// # Errors
    /// [`crate::KernelError::Param`] for other axes.
    pub fn new(windows: &[usize], widths: &[f64], reversal: bool) -> Result<Self> {
        windows_ok(windows, 2)?;
        values_ok(widths, f64::MIN_POSITIVE, f64::MAX)?;
        Ok(Self {
            firsts: count(windows.iter().map(|_| widths.len())),
            windows: windows.to_vec(),
            widths: widths.to_vec(),
            reversal,
        })
    }
}

impl Grid for BollingerGrid {
    type Panel = Bands;

    fn firsts(&self) -> &[usize] {
        &self.firsts
    }

    fn panel(&self, groups: &[usize]) -> Result<Bands> {
        let windows: Result<Vec<Window>> = groups
            .iter()
            .map(|g| {
                Ok(Window {
                    moments: Moments::new(self.windows[*g])?,
                    mean: Row::UNDEFINED,
                    deviation: Row::UNDEFINED,
                })
            })
            .collect();
        Ok(Bands {
            windows: windows?,
            close: Row::UNDEFINED,
            held: vec![0; groups.len() * self.widths.len()],
            widths: self.widths.clone(),
            reversal: self.reversal,
        })
    }
}

struct Window {
    moments: Moments,
    mean: Row,
    deviation: Row,
}

pub(crate) struct Bands {
    windows: Vec<Window>,
    close: Row,
    held: Vec<Held>,
    widths: Vec<f64>,
    reversal: bool,
}

impl Panel for Bands {
    #[inline(always)]
    fn advance<V: F4>(&mut self, market: &Market<'_>, at: usize, len: usize) {
        let close = &market.close[at..at + len];
        self.close.0[..len].copy_from_slice(close);
        for w in &mut self.windows {
            for (i, c) in close.iter().enumerate() {
                (w.mean.0[i], w.deviation.0[i]) = w.moments.update(*c);
            }
        }
    }

    #[inline(always)]
    fn each<V: F4>(&mut self, short: bool, to: &mut impl Take) {
        let mut k = 0;
        for w in &self.windows {
            let (over, under) = (above::<V>(&self.close, &w.mean), above::<V>(&w.mean, &self.close));
            let level = known::<V>(&w.mean);
            let leave_above = words([&level, &over], |[level, o]| level & !o);
            let leave_below = words([&level, &under], |[level, u]| level & !u);
            for width in &self.widths {
                let (above, below, live) = self.outside::<V>(w, *width);
                let events = if self.reversal {
                    Events {
                        enter_long: &below,
                        leave_long: &leave_below,
                        enter_short: &above,
                        leave_short: &leave_above,
                        live: &live,
                    }
                } else {
                    Events {
                        enter_long: &above,
                        leave_long: &leave_above,
                        enter_short: &below,
                        leave_short: &leave_below,
                        live: &live,
                    }
                };
                to.take::<V>(k, &events.sides(&mut self.held[k], short));
                k += 1;
            }
        }
    }
}

/// Asks whether the close is above the bands; notes whether it is below, and whether the bands are apart.
struct Outside<'a, V> {
    close: &'a Row,
    window: &'a Window,
    width: V,
    zero: V,
    below: &'a mut Mask,
    live: &'a mut Mask,
}

impl<V: F4> Test<V> for Outside<'_, V> {
    #[inline(always)]
    fn four(&mut self, i: usize) -> u64 {
        let (c, mean) = (self.close.four::<V>(i), self.window.mean.four::<V>(i));
        let half = self.width.mul(self.window.deviation.four(i));
        let upper = mean.add(half);
        let (word, bit) = (i / 64, i % 64);
        self.below[word] |= mean.sub(half).above(c) << bit;
        self.live[word] |= upper.sub(mean).above(self.zero) << bit;
        c.above(upper)
    }
}

impl Bands {
    /// Bars whose close is above and below the bands, and those at which the bands are apart.
    #[inline(always)]
    fn outside<V: F4>(&self, window: &Window, width: f64) -> (Mask, Mask, Mask) {
        let (mut below, mut live) = (NONE, NONE);
        let above = mask::<V>(Outside {
            close: &self.close,
            window,
            width: V::splat(width),
            zero: V::splat(0.0),
            below: &mut below,
            live: &mut live,
        });
        (above, below, live)
    }
}
