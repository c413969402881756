//! Lanes as a plain array: the reference the other paths must equal.

use super::F4;
use crate::scan::Decay;

#[derive(Clone, Copy)]
pub(crate) struct Lanes([f64; 4]);

impl Lanes {
    #[inline(always)]
    fn zip(self, o: Self, f: impl Fn(f64, f64) -> f64) -> Self {
        let (a, b) = (self.0, o.0);
        Self([f(a[0], b[0]), f(a[1], b[1]), f(a[2], b[2]), f(a[3], b[3])])
    }
}

impl F4 for Lanes {
    type Pair = (f64, f64);
    #[inline(always)]
    fn pair(a: f64, b: f64) -> Self::Pair {
        (a, b)
    }
    #[inline(always)]
    fn unpair(p: Self::Pair) -> (f64, f64) {
        p
    }
    #[inline(always)]
    fn running(self, o: Self, mut sums: Self::Pair) -> (Self, Self, Self::Pair) {
        let (mut a, mut b) = (self, o);
        for k in 0..4 {
            sums = (sums.0 + a.0[k], sums.1 + b.0[k]);
            (a.0[k], b.0[k]) = sums;
        }
        (a, b, sums)
    }
    #[inline(always)]
    unsafe fn load(p: *const f64) -> Self {
        // SAFETY: the caller promises four readable doubles
        unsafe { Self([*p, *p.add(1), *p.add(2), *p.add(3)]) }
    }
    #[inline(always)]
    unsafe fn store(self, p: *mut f64) {
        for (k, v) in self.0.into_iter().enumerate() {
            // SAFETY: the caller promises four writeable doubles
            unsafe { *p.add(k) = v }
        }
    }
    #[inline(always)]
    fn splat(x: f64) -> Self {
        Self([x; 4])
    }
    #[inline(always)]
    fn add(self, o: Self) -> Self {
        self.zip(o, |a, b| a + b)
    }
    #[inline(always)]
    fn sub(self, o: Self) -> Self {
        self.zip(o, |a, b| a - b)
    }
    #[inline(always)]
    fn mul(self, o: Self) -> Self {
        self.zip(o, |a, b| a * b)
    }
    #[inline(always)]
    fn div(self, o: Self) -> Self {
        self.zip(o, |a, b| a / b)
    }
    #[inline(always)]
    fn sqrt(self) -> Self {
        Self(self.0.map(f64::sqrt))
    }
    #[inline(always)]
    fn abs(self) -> Self {
        Self(self.0.map(f64::abs))
    }
    #[inline(always)]
    fn max(self, o: Self) -> Self {
        self.zip(o, |a, b| if a > b { a } else { b })
    }
    #[inline(always)]
    fn min(self, o: Self) -> Self {
        self.zip(o, |a, b| if a < b { a } else { b })
    }
    #[inline(always)]
    fn above(self, o: Self) -> u64 {
        (0..4).fold(0, |bits, k| bits | u64::from(self.0[k] > o.0[k]) << k)
    }
    #[inline(always)]
    fn running_max(self, carry: Self) -> Self {
        let mut lanes = self.0;
        for k in 1..4 {
            lanes[k] = if lanes[k] > lanes[k - 1] {
                lanes[k]
            } else {
                lanes[k - 1]
            };
        }
        Self(lanes).max(carry)
    }
    #[inline(always)]
    fn last(self) -> Self {
        Self([self.0[3]; 4])
    }
    #[inline(always)]
    fn first(self) -> f64 {
        self.0[0]
    }
    #[inline(always)]
    fn hmax(self) -> f64 {
        self.0
            .into_iter()
            .fold(f64::NEG_INFINITY, |m, v| if m > v { m } else { v })
    }
    #[inline(always)]
    fn hmin(self) -> f64 {
        self.0
            .into_iter()
            .fold(f64::INFINITY, |m, v| if m < v { m } else { v })
    }
    #[inline(always)]
    fn scan(self, d: &Decay, carry: Self) -> Self {
        let [z0, z1, z2, z3] = self.0;
        let y = carry.0[3];
        let (u1, u2, u3) = (z1 + d.b * z0, z2 + d.b * z1, z3 + d.b * z2);
        let (v2, v3) = (u2 + d.b2 * z0, u3 + d.b2 * u1);
        Self([
            z0 + d.pw[0] * y,
            u1 + d.pw[1] * y,
            v2 + d.pw[2] * y,
            v3 + d.pw[3] * y,
        ])
    }
}
