//! Elementary and special functions with one order of operations on every machine: loops of them become lanes.
//!
//! `exp_below` and `ln_above_one` are branch-free polynomials (Cody and Waite's reduction, relative error below
//! 4e-16), so the compiler turns a loop over them into vector code; `ln_gamma` and `digamma` are Stirling's series
//! after a shift above 10 (Abramowitz and Stegun 6.1.41, 6.3.18), relative error below 1e-14.

// the halves' digits are those of their bit patterns, not of ln 2
#![allow(clippy::excessive_precision)]

const LN2_HI: f64 = 6.931_471_803_691_238_2e-1;
const LN2_LO: f64 = 1.908_214_929_270_587_7e-10;
const ROUND: f64 = 6_755_399_441_055_744.0; // 1.5 * 2^52: adding it rounds to a whole number
const LEAST: f64 = -708.0;

/// `exp(x)` for `x <= 0`; 0 below -708, NaN for NaN.
#[inline(always)]
pub(crate) fn exp_below(x: f64) -> f64 {
    let held = if x < LEAST { LEAST } else { x };
    let n = held * core::f64::consts::LOG2_E + ROUND;
    let k = n - ROUND;
    let r = (held - k * LN2_HI) - k * LN2_LO;
    let mut p = 1.0 / 6_227_020_800.0;
    p = p * r + 1.0 / 479_001_600.0;
    p = p * r + 1.0 / 39_916_800.0;
    p = p * r + 1.0 / 3_628_800.0;
    p = p * r + 1.0 / 362_880.0;
    p = p * r + 1.0 / 40_320.0;
    p = p * r + 1.0 / 5_040.0;
    p = p * r + 1.0 / 720.0;
    p = p * r + 1.0 / 120.0;
    p = p * r + 1.0 / 24.0;
    p = p * r + 1.0 / 6.0;
    p = p * r + 0.5;
    p = p * r + 1.0;
    p = p * r + 1.0;
    let y = p * f64::from_bits(n.to_bits().wrapping_add(1023) << 52);
    if x < LEAST {
        0.0
    } else {
        y
    }
}

/// `ln(z)` for finite `z >= 1`.
#[inline(always)]
pub(crate) fn ln_above_one(z: f64) -> f64 {
    let bits = z.to_bits();
    let m = f64::from_bits((bits & 0x000f_ffff_ffff_ffff) | 0x3ff0_0000_0000_0000);
    // the exponent as a float without a conversion: it is written into the mantissa of 2^52
    let e = f64::from_bits((bits >> 52) | 0x4330_0000_0000_0000) - 4_503_599_627_370_496.0 - 1023.0;
    let high = m > core::f64::consts::SQRT_2;
    let m = if high { 0.5 * m } else { m };
    let e = if high { e + 1.0 } else { e };
    let f = m - 1.0;
    let s = f / (2.0 + f);
    let t = s * s;
    let mut p = 2.0 / 21.0;
    p = p * t + 2.0 / 19.0;
    p = p * t + 2.0 / 17.0;
    p = p * t + 2.0 / 15.0;
    p = p * t + 2.0 / 13.0;
    p = p * t + 2.0 / 11.0;
    p = p * t + 2.0 / 9.0;
    p = p * t + 2.0 / 7.0;
    p = p * t + 2.0 / 5.0;
    p = p * t + 2.0 / 3.0;
    p = p * t + 2.0;
    e * LN2_HI + (s * p + e * LN2_LO)
}

/// `ln Γ(x)` for `x > 0`.
pub fn ln_gamma(x: f64) -> f64 {
    let (mut z, mut product) = (x, 1.0);
    while z < 10.0 {
        product *= z;
        z += 1.0;
    }
    let w = 1.0 / (z * z);
    let series = 1.0 / 12.0
        + w * (-1.0 / 360.0
            + w * (1.0 / 1260.0
                + w * (-1.0 / 1680.0 + w * (1.0 / 1188.0 + w * (-691.0 / 360_360.0 + w / 156.0)))));
    (z - 0.5) * z.ln() - z + 0.918_938_533_204_672_8 + series / z - product.ln()
}

/// `ψ(x)`, the derivative of `ln Γ`, for `x > 0`.
pub fn digamma(x: f64) -> f64 {
    let (mut z, mut sum) = (x, 0.0);
    while z < 10.0 {
        sum += 1.0 / z;
        z += 1.0;
    }
    let w = 1.0 / (z * z);
    let series = w
        * (1.0 / 12.0
            - w * (1.0 / 120.0
                - w * (1.0 / 252.0
                    - w * (1.0 / 240.0 - w * (1.0 / 132.0 - w * (691.0 / 32_760.0 - w / 12.0))))));
    z.ln() - 0.5 / z - series - sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exponential_and_logarithm_equal_the_library() {
        let mut x = 0.0;
        while x > -707.9 {
            let (got, want) = (exp_below(x), x.exp());
            assert!((got / want - 1.0).abs() < 5e-16, "{x}: {got} {want}");
            let z = 1.0 + x * x;
            assert!((ln_above_one(z) - z.ln()).abs() <= 4e-16 * z.ln().max(0.5), "{z}");
            x -= 0.013_7;
        }
        assert_eq!(exp_below(f64::NEG_INFINITY), 0.0);
        assert_eq!(exp_below(0.0), 1.0);
        assert!(exp_below(f64::NAN).is_nan());
        assert_eq!(ln_above_one(1.0), 0.0);
    }

    #[test]
    fn gamma_functions_at_known_points() {
        let mut factorial = 1.0f64;
        for n in 1..30 {
            factorial *= f64::from(n);
            assert!((ln_gamma(f64::from(n) + 1.0) - factorial.ln()).abs() < 2e-14 * factorial.ln().max(1.0));
        }
        assert!((ln_gamma(0.5) - 0.5 * core::f64::consts::PI.ln()).abs() < 1e-14);
        assert!((digamma(1.0) + 0.577_215_664_901_532_9).abs() < 1e-14);
        assert!((digamma(0.5) + 1.963_510_026_021_423_5).abs() < 1e-14);
        assert!((digamma(7.25) - digamma(6.25) - 1.0 / 6.25).abs() < 1e-14);
    }
}
