//! Lanes as two 128-bit registers; part of every x86-64 machine.

use super::F4;
use crate::scan::Decay;
use std::arch::x86_64::*;

#[derive(Clone, Copy)]
pub(crate) struct Lanes(__m128d, __m128d);

// SAFETY (all unsafe blocks below): SSE2 is part of x86-64; pointers are valid by the caller's promise.
impl F4 for Lanes {
    type Pair = __m128d;
    #[inline(always)]
    fn pair(a: f64, b: f64) -> Self::Pair {
        unsafe { _mm_setr_pd(a, b) }
    }
    #[inline(always)]
    fn unpair(p: Self::Pair) -> (f64, f64) {
        unsafe { (_mm_cvtsd_f64(p), _mm_cvtsd_f64(_mm_unpackhi_pd(p, p))) }
    }
    #[inline(always)]
    fn running(self, o: Self, sums: Self::Pair) -> (Self, Self, Self::Pair) {
        unsafe {
            let r0 = _mm_add_pd(sums, _mm_unpacklo_pd(self.0, o.0));
            let r1 = _mm_add_pd(r0, _mm_unpackhi_pd(self.0, o.0));
            let r2 = _mm_add_pd(r1, _mm_unpacklo_pd(self.1, o.1));
            let r3 = _mm_add_pd(r2, _mm_unpackhi_pd(self.1, o.1));
            let first = Self(_mm_unpacklo_pd(r0, r1), _mm_unpacklo_pd(r2, r3));
            (first, Self(_mm_unpackhi_pd(r0, r1), _mm_unpackhi_pd(r2, r3)), r3)
        }
    }
    #[inline(always)]
    unsafe fn load(p: *const f64) -> Self {
        unsafe { Self(_mm_loadu_pd(p), _mm_loadu_pd(p.add(2))) }
    }
    #[inline(always)]
    unsafe fn store(self, p: *mut f64) {
        unsafe {
            _mm_storeu_pd(p, self.0);
            _mm_storeu_pd(p.add(2), self.1);
        }
    }
    #[inline(always)]
    fn splat(x: f64) -> Self {
        let v = unsafe { _mm_set1_pd(x) };
        Self(v, v)
    }
    #[inline(always)]
    fn add(self, o: Self) -> Self {
        unsafe { Self(_mm_add_pd(self.0, o.0), _mm_add_pd(self.1, o.1)) }
    }
    #[inline(always)]
    fn sub(self, o: Self) -> Self {
        unsafe { Self(_mm_sub_pd(self.0, o.0), _mm_sub_pd(self.1, o.1)) }
    }
    #[inline(always)]
    fn mul(self, o: Self) -> Self {
        unsafe { Self(_mm_mul_pd(self.0, o.0), _mm_mul_pd(self.1, o.1)) }
    }
    #[inline(always)]
    fn div(self, o: Self) -> Self {
        unsafe { Self(_mm_div_pd(self.0, o.0), _mm_div_pd(self.1, o.1)) }
    }
    #[inline(always)]
    fn sqrt(self) -> Self {
        unsafe { Self(_mm_sqrt_pd(self.0), _mm_sqrt_pd(self.1)) }
    }
    #[inline(always)]
    fn abs(self) -> Self {
        unsafe {
            let sign = _mm_set1_pd(-0.0);
            Self(_mm_andnot_pd(sign, self.0), _mm_andnot_pd(sign, self.1))
        }
    }
    #[inline(always)]
    fn max(self, o: Self) -> Self {
        unsafe { Self(_mm_max_pd(self.0, o.0), _mm_max_pd(self.1, o.1)) }
    }
    #[inline(always)]
    fn min(self, o: Self) -> Self {
        unsafe { Self(_mm_min_pd(self.0, o.0), _mm_min_pd(self.1, o.1)) }
    }
    #[inline(always)]
    fn above(self, o: Self) -> u64 {
        unsafe {
            let (a, b) = (_mm_cmpgt_pd(self.0, o.0), _mm_cmpgt_pd(self.1, o.1));
            (_mm_movemask_pd(a) | _mm_movemask_pd(b) << 2) as u64
        }
    }
    #[inline(always)]
    fn running_max(self, carry: Self) -> Self {
        unsafe {
            let a = _mm_max_pd(self.0, _mm_unpacklo_pd(self.0, self.0));
            let b = _mm_max_pd(self.1, _mm_unpacklo_pd(self.1, self.1));
            Self(a, _mm_max_pd(b, _mm_unpackhi_pd(a, a))).max(carry)
        }
    }
    #[inline(always)]
    fn last(self) -> Self {
        let v = unsafe { _mm_unpackhi_pd(self.1, self.1) };
        Self(v, v)
    }
    #[inline(always)]
    fn first(self) -> f64 {
        unsafe { _mm_cvtsd_f64(self.0) }
    }
    #[inline(always)]
    fn hmax(self) -> f64 {
        unsafe {
            let m = _mm_max_pd(self.0, self.1);
            _mm_cvtsd_f64(_mm_max_sd(m, _mm_unpackhi_pd(m, m)))
        }
    }
    #[inline(always)]
    fn hmin(self) -> f64 {
        unsafe {
            let m = _mm_min_pd(self.0, self.1);
            _mm_cvtsd_f64(_mm_min_sd(m, _mm_unpackhi_pd(m, m)))
        }
    }
    #[inline(always)]
    fn scan(self, d: &Decay, carry: Self) -> Self {
        unsafe {
            let (b, b2) = (_mm_set1_pd(d.b), _mm_set1_pd(d.b2));
            let p0 = _mm_loadu_pd(d.pw.as_ptr());
            let p1 = _mm_loadu_pd(d.pw.as_ptr().add(2));
            // terms one bar older: (-0, z0) and (z1, z2); adding b * -0 changes nothing
            let o0 = _mm_unpacklo_pd(_mm_set1_pd(-0.0), self.0);
            let o1 = _mm_shuffle_pd::<0b01>(self.0, self.1);
            let u0 = _mm_add_pd(self.0, _mm_mul_pd(b, o0));
            let u1 = _mm_add_pd(self.1, _mm_mul_pd(b, o1));
            // two bars older: nothing for the first pair
            let v1 = _mm_add_pd(u1, _mm_mul_pd(b2, u0));
            Self(
                _mm_add_pd(u0, _mm_mul_pd(p0, carry.0)),
                _mm_add_pd(v1, _mm_mul_pd(p1, carry.0)),
            )
        }
    }
}
