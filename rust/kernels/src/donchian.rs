//! Donchian channel: highest high, lowest low and their mean over `n` bars (Donchian 1960).

use crate::two_stack::{rolling, Max, Min, Window};

/// Upper, lower and middle line of every bar; NaN before index `n - 1` and in windows that hold a NaN.
///
/// All slices have the length of `high`; `n` is at least 1.
pub fn donchian(
    high: &[f64],
    low: &[f64],
    n: usize,
    upper: &mut [f64],
    lower: &mut [f64],
    middle: &mut [f64],
) {
    let mut carry = vec![f64::NAN; n.max(1)];
    rolling::<Max>(high, upper, &mut carry);
    carry.fill(f64::NAN);
    rolling::<Min>(low, lower, &mut carry);
    for ((m, &u), &l) in middle.iter_mut().zip(upper.iter()).zip(lower.iter()) {
        *m = mid(u, l);
    }
}

#[inline(always)]
fn mid(upper: f64, lower: f64) -> f64 {
    (upper + lower) * 0.5
}

/// Streaming form of [`donchian`]; memory O(n), O(1) amortised per bar.
#[derive(Clone, Debug)]
pub struct DonchianState {
    upper: Window<Max>,
    lower: Window<Min>,
}

impl DonchianState {
    /// A channel over `n` bars.
    #[must_use]
    pub fn new(n: usize) -> Self {
        Self { upper: Window::new(n), lower: Window::new(n) }
    }

    /// Take one bar; `(upper, lower, middle)`.
    #[inline]
    pub fn update(&mut self, high: f64, low: f64) -> (f64, f64, f64) {
        let (u, l) = (self.upper.push(high), self.lower.push(low));
        (u, l, mid(u, l))
    }

    /// The state as plain numbers.
    #[must_use]
    pub fn save(&self) -> Vec<f64> {
        let mut out = Vec::new();
        self.upper.save(&mut out);
        self.lower.save(&mut out);
        out
    }

    /// Take over a saved state of a channel with the same `n`; `None` if it does not fit.
    #[must_use]
    pub fn load(&mut self, mut state: &[f64]) -> Option<()> {
        let mut next = self.clone();
        next.upper.load(&mut state)?;
        next.lower.load(&mut state)?;
        if !state.is_empty() {
            return None;
        }
        *self = next;
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hand_worked() {
        let (h, l) = ([3.0, 5.0, 4.0, 2.0], [1.0, 2.0, 0.5, 1.5]);
        let (mut u, mut d, mut m) = ([0.0; 4], [0.0; 4], [0.0; 4]);
        donchian(&h, &l, 2, &mut u, &mut d, &mut m);
        assert!(u[0].is_nan() && d[0].is_nan() && m[0].is_nan());
        assert_eq!((u[1], d[1], m[1]), (5.0, 1.0, 3.0));
        assert_eq!((u[2], d[2], m[2]), (5.0, 0.5, 2.75));
        assert_eq!((u[3], d[3], m[3]), (4.0, 0.5, 2.25));
        let mut s = DonchianState::new(2);
        for i in 0..4 {
            let (a, b, c) = s.update(h[i], l[i]);
            assert_eq!((a.to_bits(), b.to_bits()), (u[i].to_bits(), d[i].to_bits()));
            assert!(c == m[i] || i == 0);
        }
    }
}
