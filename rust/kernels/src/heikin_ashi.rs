//! Heikin-Ashi candles: averaged bars whose open is the middle of the averaged bar before.
//!
//! `c' = (o + h + l + c) / 4`; `o'_0 = (o_0 + c_0) / 2`, `o'_t = (o'_{t-1} + c'_{t-1}) / 2`;
//! `h' = max(h, o', c')`, `l' = min(l, o', c')`. A NaN in a bar makes every later open NaN.

/// Streaming form of [`heikin_ashi`]; two numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct HeikinAshiState {
    seen: bool,
    open: f64,
    close: f64,
}

#[inline(always)]
fn larger(a: f64, b: f64) -> f64 {
    if a > b || a.is_nan() {
        a
    } else {
        b
    }
}

#[inline(always)]
fn smaller(a: f64, b: f64) -> f64 {
    if a < b || a.is_nan() {
        a
    } else {
        b
    }
}

impl HeikinAshiState {
    /// Nothing seen yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Take one bar; the averaged `(open, high, low, close)`.
    #[inline(always)]
    pub fn update(&mut self, open: f64, high: f64, low: f64, close: f64) -> (f64, f64, f64, f64) {
        let c = ((open + high) + (low + close)) * 0.25;
        let o = if self.seen { (self.open + self.close) * 0.5 } else { (open + close) * 0.5 };
        *self = Self { seen: true, open: o, close: c };
        (o, larger(high, larger(o, c)), smaller(low, smaller(o, c)), c)
    }

    /// The state as plain numbers.
    #[must_use]
    pub fn save(&self) -> Vec<f64> {
        vec![f64::from(u8::from(self.seen)), self.open, self.close]
    }

    /// Take over a saved state; `None` if it is none.
    #[must_use]
    pub fn load(&mut self, state: &[f64]) -> Option<()> {
        match *state {
            [seen, open, close] if seen == 0.0 || seen == 1.0 => {
                *self = Self { seen: seen == 1.0, open, close };
                Some(())
            }
            _ => None,
        }
    }
}

/// The four output columns of [`heikin_ashi`].
pub type Columns<'a> = (&'a mut [f64], &'a mut [f64], &'a mut [f64], &'a mut [f64]);

/// Averaged candles of every bar; all slices have the same length.
pub fn heikin_ashi(open: &[f64], high: &[f64], low: &[f64], close: &[f64], out: Columns<'_>) {
    let mut state = HeikinAshiState::new();
    let bars = open.iter().zip(high).zip(low).zip(close);
    let slots = out.0.iter_mut().zip(out.1).zip(out.2).zip(out.3);
    for ((((&o, &h), &l), &c), (((a, b), d), e)) in bars.zip(slots) {
        (*a, *b, *d, *e) = state.update(o, h, l, c);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hand_worked() {
        let (o, h, l, c) = ([1.0, 3.0], [4.0, 9.0], [0.0, 2.0], [3.0, 6.0]);
        let (mut a, mut b, mut d, mut e) = ([0.0; 2], [0.0; 2], [0.0; 2], [0.0; 2]);
        heikin_ashi(&o, &h, &l, &c, (&mut a, &mut b, &mut d, &mut e));
        assert_eq!((a, e), ([2.0, 2.0], [2.0, 5.0]));
        assert_eq!((b, d), ([4.0, 9.0], [0.0, 2.0]));
        let mut s = HeikinAshiState::new();
        s.update(1.0, 4.0, 0.0, 3.0);
        let mut t = HeikinAshiState::new();
        assert_eq!(t.load(&s.save()), Some(()));
        assert_eq!(t.update(3.0, 9.0, 2.0, 6.0), (2.0, 9.0, 2.0, 5.0));
        assert_eq!(t.load(&[2.0, 0.0, 0.0]), None);
    }
}
