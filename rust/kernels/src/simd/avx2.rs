//! Lanes as one 256-bit register; used where the processor has AVX2. No fused multiply-add.

use super::F4;
use crate::scan::Decay;
use std::arch::x86_64::*;

#[derive(Clone, Copy)]
pub(crate) struct Lanes(__m256d);

// SAFETY (all unsafe blocks below): `dispatch` enters this code only where AVX2 was detected; pointers are
// valid by the caller's promise.
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
            // (a0, b0, a2, b2) and (a1, b1, a3, b3)
            let (even, odd) = (_mm256_unpacklo_pd(self.0, o.0), _mm256_unpackhi_pd(self.0, o.0));
            let r0 = _mm_add_pd(sums, _mm256_castpd256_pd128(even));
            let r1 = _mm_add_pd(r0, _mm256_castpd256_pd128(odd));
            let r2 = _mm_add_pd(r1, _mm256_extractf128_pd::<1>(even));
            let r3 = _mm_add_pd(r2, _mm256_extractf128_pd::<1>(odd));
            let even = _mm256_insertf128_pd::<1>(_mm256_castpd128_pd256(r0), r2);
            let odd = _mm256_insertf128_pd::<1>(_mm256_castpd128_pd256(r1), r3);
            (
                Self(_mm256_unpacklo_pd(even, odd)),
                Self(_mm256_unpackhi_pd(even, odd)),
                r3,
            )
        }
    }
    #[inline(always)]
    unsafe fn load(p: *const f64) -> Self {
        unsafe { Self(_mm256_loadu_pd(p)) }
    }
    #[inline(always)]
    unsafe fn store(self, p: *mut f64) {
        unsafe { _mm256_storeu_pd(p, self.0) }
    }
    #[inline(always)]
    fn splat(x: f64) -> Self {
        unsafe { Self(_mm256_set1_pd(x)) }
    }
    #[inline(always)]
    fn add(self, o: Self) -> Self {
        unsafe { Self(_mm256_add_pd(self.0, o.0)) }
    }
    #[inline(always)]
    fn sub(self, o: Self) -> Self {
        unsafe { Self(_mm256_sub_pd(self.0, o.0)) }
    }
    #[inline(always)]
    fn mul(self, o: Self) -> Self {
        unsafe { Self(_mm256_mul_pd(self.0, o.0)) }
    }
    #[inline(always)]
    fn div(self, o: Self) -> Self {
        unsafe { Self(_mm256_div_pd(self.0, o.0)) }
    }
    #[inline(always)]
    fn sqrt(self) -> Self {
        unsafe { Self(_mm256_sqrt_pd(self.0)) }
    }
    #[inline(always)]
    fn abs(self) -> Self {
        unsafe { Self(_mm256_andnot_pd(_mm256_set1_pd(-0.0), self.0)) }
    }
    #[inline(always)]
    fn max(self, o: Self) -> Self {
        unsafe { Self(_mm256_max_pd(self.0, o.0)) }
    }
    #[inline(always)]
    fn min(self, o: Self) -> Self {
        unsafe { Self(_mm256_min_pd(self.0, o.0)) }
    }
    #[inline(always)]
    fn above(self, o: Self) -> u64 {
        unsafe { _mm256_movemask_pd(_mm256_cmp_pd::<_CMP_GT_OQ>(self.0, o.0)) as u64 }
    }
    #[inline(always)]
    fn running_max(self, carry: Self) -> Self {
        // (x0, x0, x1, x2), then (y0, y1, y0, y1): a lane may be compared with itself
        let older = unsafe { Self(_mm256_permute4x64_pd::<0x90>(self.0)) };
        let y = self.max(older);
        let older = unsafe { Self(_mm256_permute2f128_pd::<0x00>(y.0, y.0)) };
        y.max(older).max(carry)
    }
    #[inline(always)]
    fn last(self) -> Self {
        unsafe { Self(_mm256_permute4x64_pd::<0xFF>(self.0)) }
    }
    #[inline(always)]
    fn first(self) -> f64 {
        unsafe { _mm_cvtsd_f64(_mm256_castpd256_pd128(self.0)) }
    }
    #[inline(always)]
    fn hmax(self) -> f64 {
        unsafe {
            let m = _mm_max_pd(_mm256_castpd256_pd128(self.0), _mm256_extractf128_pd::<1>(self.0));
            _mm_cvtsd_f64(_mm_max_sd(m, _mm_unpackhi_pd(m, m)))
        }
    }
    #[inline(always)]
    fn hmin(self) -> f64 {
        unsafe {
            let m = _mm_min_pd(_mm256_castpd256_pd128(self.0), _mm256_extractf128_pd::<1>(self.0));
            _mm_cvtsd_f64(_mm_min_sd(m, _mm_unpackhi_pd(m, m)))
        }
    }
    #[inline(always)]
    fn scan(self, d: &Decay, carry: Self) -> Self {
        unsafe {
            let (b, b2) = (_mm256_set1_pd(d.b), _mm256_set1_pd(d.b2));
            let pw = _mm256_loadu_pd(d.pw.as_ptr());
            let minus_zero = _mm256_set1_pd(-0.0);
            // terms one bar older: (-0, z0, z1, z2); adding b * -0 changes nothing
            let older = _mm256_blend_pd::<1>(_mm256_permute4x64_pd::<0x90>(self.0), minus_zero);
            let u = _mm256_add_pd(self.0, _mm256_mul_pd(b, older));
            // two bars older: (-0, -0, u0, u1)
            let older = _mm256_insertf128_pd::<1>(minus_zero, _mm256_castpd256_pd128(u));
            let v = _mm256_add_pd(u, _mm256_mul_pd(b2, older));
            Self(_mm256_add_pd(v, _mm256_mul_pd(pw, carry.0)))
        }
    }
}
