//! Four doubles at a time, with the same bits on every instruction set.
//!
//! Only IEEE operations that round once (add, sub, mul, div, sqrt) and plain compares are used, never a fused
//! multiply-add, so [`Path::Avx2`], [`Path::Sse2`] and [`Path::Portable`] cannot differ. The path is chosen
//! once, at run time.

#[cfg(target_arch = "x86_64")]
mod avx2;
mod portable;
#[cfg(target_arch = "x86_64")]
mod sse2;

use crate::scan::Decay;
use std::sync::atomic::{AtomicU8, Ordering};

/// Four lanes of `f64`.
pub(crate) trait F4: Copy {
    /// Two running sums.
    type Pair: Copy;
    fn pair(a: f64, b: f64) -> Self::Pair;
    fn unpair(p: Self::Pair) -> (f64, f64);
    /// Add the lanes of `self` to the first running sum and those of `o` to the second, one lane after the
    /// other; the sums after each lane, and both after the last.
    fn running(self, o: Self, sums: Self::Pair) -> (Self, Self, Self::Pair);
    /// Read `p[0..4]`.
    ///
    /// # Safety
    /// `p` must be valid for reading four doubles.
    unsafe fn load(p: *const f64) -> Self;
    /// Write `p[0..4]`.
    ///
    /// # Safety
    /// `p` must be valid for writing four doubles.
    unsafe fn store(self, p: *mut f64);
    fn splat(x: f64) -> Self;
    fn add(self, o: Self) -> Self;
    fn sub(self, o: Self) -> Self;
    fn mul(self, o: Self) -> Self;
    fn div(self, o: Self) -> Self;
    fn sqrt(self) -> Self;
    fn abs(self) -> Self;
    /// Per lane `if self > o { self } else { o }`: a NaN in either gives `o`.
    fn max(self, o: Self) -> Self;
    /// Per lane `if self < o { self } else { o }`: a NaN in either gives `o`.
    fn min(self, o: Self) -> Self;
    /// Bit k is set where lane k of `self` is greater than that of `o`; a NaN in either gives 0.
    fn above(self, o: Self) -> u64;
    /// Per lane the largest of `carry` and of the lanes up to it, by [`F4::max`]; lanes without NaN.
    fn running_max(self, carry: Self) -> Self;
    /// Lane 3 in every lane.
    fn last(self) -> Self;
    /// Lane 0.
    fn first(self) -> f64;
    /// Largest lane, by [`F4::max`].
    fn hmax(self) -> f64;
    /// Smallest lane, by [`F4::min`].
    fn hmin(self) -> f64;
    /// One group of the block scan (see [`Decay`]): four new terms on top of the carried value.
    fn scan(self, d: &Decay, carry: Self) -> Self;
}

/// Work that runs on some width of lanes.
pub(crate) trait Job {
    /// Do it; implementations must be `#[inline(always)]` so that the lanes compile to the path's instructions.
    fn run<V: F4>(self);
}

/// Instruction sets a kernel can run on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Path {
    /// Plain Rust, any machine.
    Portable = 1,
    /// 128-bit lanes in pairs; every x86-64 machine has them.
    Sse2 = 2,
    /// 256-bit lanes.
    Avx2 = 3,
    /// 128-bit lanes in pairs with AVX's three-operand encoding.
    Avx128 = 4,
}

static CHOSEN: AtomicU8 = AtomicU8::new(0);

/// Whether the processor runs 256-bit instructions as two halves (AMD family 17h below model 30h): crossing the
/// halves is slow there, and pairs of 128-bit registers are faster.
#[cfg(target_arch = "x86_64")]
fn splits_256() -> bool {
    use std::arch::x86_64::__cpuid;
    let vendor = __cpuid(0);
    let signature = __cpuid(1).eax;
    let family = ((signature >> 8) & 0xf) + ((signature >> 20) & 0xff);
    let model = ((signature >> 4) & 0xf) | ((signature >> 12) & 0xf0);
    // "AuthenticAMD" begins in ebx with "Auth"
    vendor.ebx == u32::from_le_bytes(*b"Auth") && family == 0x17 && model < 0x30
}

fn detect() -> Path {
    #[cfg(target_arch = "x86_64")]
    {
        if !(std::arch::is_x86_feature_detected!("avx2")
            && std::arch::is_x86_feature_detected!("popcnt")
            && std::arch::is_x86_feature_detected!("lzcnt")
            && std::arch::is_x86_feature_detected!("bmi1"))
        {
            Path::Sse2
        } else if splits_256() {
            Path::Avx128
        } else {
            Path::Avx2
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    Path::Portable
}

/// The instruction set in use.
pub fn path() -> Path {
    match CHOSEN.load(Ordering::Relaxed) {
        1 => Path::Portable,
        2 => Path::Sse2,
        3 => Path::Avx2,
        4 => Path::Avx128,
        _ => {
            let p = detect();
            CHOSEN.store(p as u8, Ordering::Relaxed);
            p
        }
    }
}

/// Use another instruction set from now on; returns whether this machine has it. For tests and benches.
pub fn force_path(p: Path) -> bool {
    let has = match p {
        Path::Portable => true,
        Path::Sse2 => cfg!(target_arch = "x86_64"),
        Path::Avx2 | Path::Avx128 => matches!(detect(), Path::Avx2 | Path::Avx128),
    };
    if has {
        CHOSEN.store(p as u8, Ordering::Relaxed);
    }
    has
}

/// Ask for the cache line of `p`, which may lie outside any array.
#[inline(always)]
pub(crate) fn prefetch(p: *const f64) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: a prefetch never faults
    unsafe {
        use std::arch::x86_64::{_mm_prefetch, _MM_HINT_T1};
        _mm_prefetch::<_MM_HINT_T1>(p.cast());
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = p;
}

/// Run a job on the chosen instruction set.
pub(crate) fn dispatch<J: Job>(job: J) {
    #[cfg(target_arch = "x86_64")]
    match path() {
        // SAFETY: `path` returns these two only where the processor has AVX2 and counts bits
        Path::Avx2 => unsafe { run_avx2(job) },
        Path::Avx128 => unsafe { run_avx128(job) },
        Path::Sse2 => job.run::<sse2::Lanes>(),
        Path::Portable => job.run::<portable::Lanes>(),
    }
    #[cfg(not(target_arch = "x86_64"))]
    job.run::<portable::Lanes>()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,popcnt,lzcnt,bmi1")]
unsafe fn run_avx2<J: Job>(job: J) {
    job.run::<avx2::Lanes>()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,popcnt,lzcnt,bmi1")]
unsafe fn run_avx128<J: Job>(job: J) {
    job.run::<sse2::Lanes>()
}
