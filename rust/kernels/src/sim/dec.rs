//! Exact decimals: an `i128` mantissa over a power of ten, no rounding, overflow is an error.
//!
//! A float becomes the decimal of its shortest text that reads back as the same float, as in Python's `repr`.

use crate::error::{KernelError, Result};
use std::cmp::Ordering;
use std::fmt::Write;

const TOO_LARGE: KernelError =
    KernelError::Param("an amount is too large for exact arithmetic in 128 bits; use a coarser tick or lot");
const NOT_FINITE: KernelError = KernelError::Param("expected a finite number");

/// `mantissa / 10^scale`.
#[derive(Debug, Clone, Copy)]
pub struct Dec {
    /// Whole number of units of `10^-scale`.
    pub mantissa: i128,
    /// Digits after the point.
    pub scale: u32,
}

/// Text of a float without the heap.
struct Text {
    bytes: [u8; 64],
    len: usize,
}

impl Write for Text {
    fn write_str(&mut self, s: &str) -> std::fmt::Result {
        let end = self.len + s.len();
        let room = self.bytes.get_mut(self.len..end).ok_or(std::fmt::Error)?;
        room.copy_from_slice(s.as_bytes());
        self.len = end;
        Ok(())
    }
}

/// Powers of ten that are floats.
const POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18,
    1e19, 1e20, 1e21, 1e22,
];
/// Decimals of at most 15 digits and floats correspond one to one.
const FIFTEEN_DIGITS: f64 = 1e15;

/// Powers of ten that fit.
static POWERS_OF_TEN: [i128; 39] = {
    let mut all = [1_i128; 39];
    let mut n = 1;
    while n < 39 {
        all[n] = all[n - 1] * 10;
        n += 1;
    }
    all
};

#[inline]
fn power(n: u32) -> Result<i128> {
    POWERS_OF_TEN.get(n as usize).copied().ok_or(TOO_LARGE)
}

/// Quotient rounded toward zero.
#[inline]
fn truncated_div(a: i128, b: i128) -> i128 {
    let q = floor_div(a.abs(), b);
    if a < 0 {
        -q
    } else {
        q
    }
}

/// Quotient rounded down; 128-bit division is slow and seldom needed.
#[inline]
fn floor_div(a: i128, b: i128) -> i128 {
    match (i64::try_from(a), i64::try_from(b)) {
        (Ok(a), Ok(b)) if a != i64::MIN => i128::from(a.div_euclid(b)),
        _ => a.div_euclid(b),
    }
}

impl Dec {
    /// Nothing.
    pub const ZERO: Self = Self {
        mantissa: 0,
        scale: 0,
    };
    /// One.
    pub const ONE: Self = Self {
        mantissa: 1,
        scale: 0,
    };

    /// `mantissa / 10^scale`.
    pub fn new(mantissa: i128, scale: u32) -> Self {
        Self { mantissa, scale }
    }

    /// The shortest decimal that reads back as `x`.
    ///
    /// # Errors
    /// [`KernelError::Param`] for a number that is not finite or far too large.
    pub fn from_f64(x: f64) -> Result<Self> {
        if !x.is_finite() {
            return Err(NOT_FINITE);
        }
        let whole = x as i64;
        if whole as f64 == x && whole.unsigned_abs() < 1 << 53 {
            return Ok(Self::new(i128::from(whole), 0));
        }
        let mut text = Text {
            bytes: [0; 64],
            len: 0,
        };
        write!(text, "{x:e}").map_err(|_| TOO_LARGE)?;
        let (mut mantissa, mut after, mut seen, mut exponent, mut minus, mut e_minus) =
            (0_i64, 0_i32, false, 0_i32, false, false);
        let mut in_exponent = false;
        for b in &text.bytes[..text.len] {
            match b {
                b'-' if in_exponent => e_minus = true,
                b'-' => minus = true,
                b'.' => seen = true,
                b'e' => in_exponent = true,
                d if in_exponent => exponent = exponent * 10 + i32::from(d - b'0'),
                d => {
                    mantissa = mantissa * 10 + i64::from(d - b'0');
                    after += i32::from(seen);
                }
            }
        }
        let scale = after - if e_minus { -exponent } else { exponent };
        let mantissa = i128::from(if minus { -mantissa } else { mantissa });
        if scale >= 0 {
            Ok(Self::new(mantissa, scale as u32))
        } else {
            let m = mantissa.checked_mul(power(scale.unsigned_abs())?);
            Ok(Self::new(m.ok_or(TOO_LARGE)?, 0))
        }
    }

    /// The nearest float.
    pub fn to_f64(self) -> f64 {
        // two exact floats and one rounded division (Clinger 1990)
        if self.mantissa.unsigned_abs() < 1 << 53 && self.scale <= 22 {
            return self.mantissa as i64 as f64 / POWERS[self.scale as usize];
        }
        let mut text = Text {
            bytes: [0; 64],
            len: 0,
        };
        if write!(text, "{}e-{}", self.mantissa, self.scale).is_err() {
            return f64::NAN;
        }
        let text = std::str::from_utf8(&text.bytes[..text.len]);
        text.ok().and_then(|t| t.parse().ok()).unwrap_or(f64::NAN)
    }

    /// Whole steps in the shortest decimal of `x >= 0`, rounded down or up, and without its text where all
    /// candidates have at most 15 digits: then `x` lies on a step exactly when it is the float of that step,
    /// and above it exactly when it is above that float.
    ///
    /// # Errors
    /// [`KernelError::Param`] for a number that is not finite or too large.
    #[inline]
    pub fn steps_in(x: f64, step: Self, up: bool) -> Result<i64> {
        let size = step.to_f64();
        let near = x / size;
        let few_digits = (near + 2.0) * step.mantissa as f64 <= FIFTEEN_DIGITS;
        if step.scale > 22 || !few_digits || x < 0.0 {
            let exact = Self::from_f64(x)?;
            return if up {
                exact.ceil_steps(step)
            } else {
                exact.floor_steps(step)
            };
        }
        let (m, power) = (step.mantissa as i64, POWERS[step.scale as usize]);
        let at = |k: i64| (k * m) as f64 / power;
        let mut k = near as i64;
        if at(k) > x {
            k -= 1;
        } else if at(k + 1) <= x {
            k += 1;
        }
        Ok(k + i64::from(up && at(k) < x))
    }

    fn aligned(self, o: Self) -> Result<(i128, i128, u32)> {
        match self.scale.cmp(&o.scale) {
            Ordering::Equal => Ok((self.mantissa, o.mantissa, self.scale)),
            Ordering::Less => {
                let m = self.mantissa.checked_mul(power(o.scale - self.scale)?);
                Ok((m.ok_or(TOO_LARGE)?, o.mantissa, o.scale))
            }
            Ordering::Greater => {
                let m = o.mantissa.checked_mul(power(self.scale - o.scale)?);
                Ok((self.mantissa, m.ok_or(TOO_LARGE)?, self.scale))
            }
        }
    }

    /// Sum.
    ///
    /// # Errors
    /// [`KernelError::Param`] on overflow, as all of these.
    pub fn plus(self, o: Self) -> Result<Self> {
        let (a, b, scale) = self.aligned(o)?;
        let mantissa = a.checked_add(b).ok_or(TOO_LARGE)?;
        // a total that returns to zero forgets the digits it once needed
        Ok(Self::new(mantissa, if mantissa == 0 { 0 } else { scale }))
    }

    /// Difference.
    ///
    /// # Errors
    /// On overflow.
    pub fn minus(self, o: Self) -> Result<Self> {
        self.plus(Self::new(-o.mantissa, o.scale))
    }

    /// Product.
    ///
    /// # Errors
    /// On overflow.
    pub fn by(self, o: Self) -> Result<Self> {
        let mantissa = self.mantissa.checked_mul(o.mantissa).ok_or(TOO_LARGE)?;
        Ok(Self::new(mantissa, self.scale + o.scale))
    }

    /// Product with a whole number.
    ///
    /// # Errors
    /// On overflow.
    pub fn times(self, n: i64) -> Result<Self> {
        self.by(Self::new(i128::from(n), 0))
    }

    /// Compare.
    ///
    /// # Errors
    /// On overflow.
    pub fn order(self, o: Self) -> Result<Ordering> {
        let (a, b, _) = self.aligned(o)?;
        Ok(a.cmp(&b))
    }

    /// Whether it is above `o`.
    ///
    /// # Errors
    /// On overflow.
    pub fn above(self, o: Self) -> Result<bool> {
        Ok(self.order(o)? == Ordering::Greater)
    }

    /// The smaller.
    ///
    /// # Errors
    /// On overflow.
    pub fn min(self, o: Self) -> Result<Self> {
        Ok(if self.above(o)? { o } else { self })
    }

    /// Whole steps in it, rounded down; the step is above 0.
    ///
    /// # Errors
    /// On overflow.
    pub fn floor_steps(self, step: Self) -> Result<i64> {
        let (a, b, _) = self.aligned(step)?;
        i64::try_from(floor_div(a, b)).map_err(|_| TOO_LARGE)
    }

    /// Whole steps in it, rounded up; the step is above 0.
    ///
    /// # Errors
    /// On overflow.
    pub fn ceil_steps(self, step: Self) -> Result<i64> {
        let (a, b, _) = self.aligned(step)?;
        i64::try_from(-floor_div(-a, b)).map_err(|_| TOO_LARGE)
    }

    /// Rounded toward zero to `digits` after the point.
    ///
    /// # Errors
    /// On overflow.
    pub fn truncated(self, digits: u32) -> Result<Self> {
        if self.scale <= digits {
            return Ok(self);
        }
        Ok(Self::new(
            truncated_div(self.mantissa, power(self.scale - digits)?),
            digits,
        ))
    }
}
