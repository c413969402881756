//! GARCH(1,1) and GJR (Bollerslev 1986; Glosten, Jagannathan and Runkle 1993): variances and likelihood of a series.
//!
//! `v_{t+1} = ω + (α + γ 1{r_t < 0}) r_t² + β v_t`; v_t is known before r_t. Normal innovations, or Student's t scaled to
//! unit variance. A NaN return leaves its expected square: `v_{t+1} = ω + (α + γ/2 + β) v_t`.

use crate::error::{same_len, KernelError, Result};
use crate::special::ln_gamma;

const LN_2PI: f64 = 1.837_877_066_409_345_3;

/// Parameters of the recursion.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GarchParams {
    /// Constant, above 0.
    pub omega: f64,
    /// Weight of the last squared return.
    pub alpha: f64,
    /// Weight added after a loss.
    pub gamma: f64,
    /// Weight of the last variance.
    pub beta: f64,
    /// Variance of the first bar.
    pub first: f64,
    /// Degrees of freedom of t innovations, above 2; infinite for normal ones.
    pub dof: f64,
}

/// Variances of all bars and of the next one into `out` (n + 1); returns the log-likelihood.
///
/// # Errors
/// [`KernelError`] for wrong shapes, parameters out of range, an infinite return or a variance that leaves (0, ∞).
pub fn garch_filter(returns: &[f64], p: GarchParams, out: &mut [f64]) -> Result<f64> {
    same_len(returns.len() + 1, out.len())?;
    let weights = [p.alpha, p.beta, p.alpha + p.gamma];
    if !(p.omega > 0.0 && p.first > 0.0 && p.dof > 2.0 && weights.iter().all(|w| *w >= 0.0 && w.is_finite()))
    {
        return Err(KernelError::Param(
            "omega and the first variance must be positive, alpha, beta and alpha + gamma not negative, dof above 2",
        ));
    }
    let student = p.dof.is_finite();
    let (power, per, norm) = if student {
        let nu = p.dof;
        let norm =
            ln_gamma(0.5 * (nu + 1.0)) - ln_gamma(0.5 * nu) - 0.5 * (core::f64::consts::PI * (nu - 2.0)).ln();
        (0.5 * (nu + 1.0), 1.0 / (nu - 2.0), norm)
    } else {
        (0.0, 0.0, -0.5 * LN_2PI)
    };
    let expected = p.alpha + 0.5 * p.gamma + p.beta;
    let mut v = p.first;
    let mut total = 0.0;
    for (t, (&r, slot)) in returns.iter().zip(out.iter_mut()).enumerate() {
        *slot = v;
        if r.is_nan() {
            v = p.omega + expected * v;
            continue;
        }
        let square = r * r;
        let z = square / v;
        total += norm
            - 0.5 * v.ln()
            - if student {
                power * (1.0 + z * per).ln()
            } else {
                0.5 * z
            };
        let weight = if r < 0.0 { p.alpha + p.gamma } else { p.alpha };
        v = p.omega + weight * square + p.beta * v;
        if !v.is_finite() {
            return Err(KernelError::Row {
                row: t,
                what: "a return is infinite or the variance has left all bounds",
            });
        }
    }
    out[returns.len()] = v;
    Ok(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    const P: GarchParams = GarchParams {
        omega: 0.1,
        alpha: 0.1,
        gamma: 0.2,
        beta: 0.5,
        first: 2.0,
        dof: f64::INFINITY,
    };

    #[test]
    fn by_hand() {
        let mut v = [0.0; 4];
        let ll = garch_filter(&[1.0, -2.0, f64::NAN], P, &mut v).unwrap();
        assert_eq!(v[..2], [2.0, 0.1 + 0.1 + 1.0]);
        assert!((v[2] - (0.1 + 0.3 * 4.0 + 0.5 * v[1])).abs() < 1e-15);
        assert!((v[3] - (0.1 + 0.7 * v[2])).abs() < 1e-15);
        let want = -LN_2PI - 0.5 * (2f64.ln() + 0.5 + v[1].ln() + 4.0 / v[1]);
        assert!((ll - want).abs() < 1e-14);
        // Student's t comes close to the normal
        let far = garch_filter(&[1.0, -2.0, f64::NAN], GarchParams { dof: 1e7, ..P }, &mut v).unwrap();
        assert!((far - ll).abs() < 1e-5);
    }

    #[test]
    fn refusals() {
        let mut v = [0.0; 2];
        for p in [
            GarchParams { omega: 0.0, ..P },
            GarchParams { dof: 2.0, ..P },
            GarchParams { gamma: -0.2, ..P },
            GarchParams { first: f64::NAN, ..P },
        ] {
            assert!(garch_filter(&[1.0], p, &mut v).is_err());
        }
        assert!(garch_filter(&[f64::INFINITY], P, &mut v).is_err());
        assert!(garch_filter(&[1.0], P, &mut [0.0]).is_err());
    }
}
