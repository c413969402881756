//! Slippage models: how much worse than the reference a taker fares, as a fraction of the price.
//!
//! The same formulas, in the same order of operations, as the venue's components of these names.

use super::bar::Bar;

/// A model with its state.
#[derive(Debug, Clone, Copy)]
pub enum Slip {
    /// Nothing.
    None,
    /// A constant fraction.
    Fixed(f64),
    /// Impact by the square of the share of the bar's volume.
    VolumeShare {
        /// Share beyond which it no longer grows.
        limit: f64,
        /// Impact of a share of one.
        impact: f64,
    },
    /// The square-root law of impact.
    SquareRoot {
        /// Prefactor of the law.
        prefactor: f64,
        /// Ceiling.
        most: f64,
        /// Weight of a new bar.
        alpha: f64,
        /// Range variance and volume of the bars before, once there is one.
        seen: Option<(f64, f64)>,
    },
}

/// Parkinson's constant, 1 / (4 ln 2), in the venue's order of operations.
fn parkinson() -> f64 {
    1.0 / (4.0 * 2.0_f64.ln())
}

impl Slip {
    /// Adverse move of an execution of `quantity`.
    pub fn cost(&self, quantity: f64, bar: &Bar) -> f64 {
        match *self {
            Self::None => 0.0,
            Self::Fixed(frac) => frac,
            Self::VolumeShare { limit, impact } => {
                let mut share = limit;
                if bar.volume > 0.0 {
                    share = share.min(quantity.abs() / bar.volume);
                }
                impact * (share * share)
            }
            Self::SquareRoot {
                prefactor,
                most,
                seen,
                ..
            } => {
                let (variance, volume) = seen.unwrap_or_else(|| {
                    let spread = (bar.high / bar.low).ln();
                    (spread * spread * parkinson(), bar.volume)
                });
                if volume <= 0.0 {
                    return most;
                }
                let cost = prefactor * (variance * quantity.abs() / volume).sqrt();
                if cost < most {
                    cost
                } else {
                    most
                }
            }
        }
    }

    /// Learn from a bar after its executions.
    #[inline]
    pub fn observe(&mut self, bar: &Bar) {
        if matches!(self, Self::SquareRoot { .. }) {
            self.learn(bar);
        }
    }

    /// Kept apart so that models without a memory do not pay for its logarithm.
    #[inline(never)]
    fn learn(&mut self, bar: &Bar) {
        if let Self::SquareRoot { alpha, seen, .. } = self {
            let spread = (bar.high / bar.low).ln();
            let now = spread * spread * parkinson();
            *seen = Some(match *seen {
                None => (now, bar.volume),
                Some((variance, volume)) => (
                    variance + *alpha * (now - variance),
                    volume + *alpha * (bar.volume - volume),
                ),
            });
        }
    }
}
