//! Running maximum and minimum of whole series by quadrupling: `log4(n)` passes of independent lanes.
//!
//! `L_1 = x`, `L_4w[i] = max(L_w[i], L_w[i+w], L_w[i+2w], L_w[i+3w])`; a window of `n` is covered by at most
//! four of the largest `L_w`, `w = 4^k <= n`. Maximum and minimum are associative, so the values are those of
//! the two-stack form of [`crate::two_stack`], which the streaming objects use and which takes over where a
//! NaN is near (only the sign of a zero may differ where +0 and -0 meet).

use crate::two_stack::{rolling, Fold};

/// Bars per pass of a window of `n`, a multiple of 4: the rows stay in the first-level cache as a rule.
pub(crate) fn pass_len(n: usize) -> usize {
    512.max(2 * n).next_multiple_of(4)
}

/// Whether no value is NaN.
#[inline(always)]
pub(crate) fn known(x: &[f64]) -> bool {
    x.iter().fold(0_u64, |bad, x| bad | u64::from(x.is_nan())) == 0
}

/// Rows for the passes of one window length.
pub(crate) struct Rows {
    n: usize,
    a: Vec<f64>,
    b: Vec<f64>,
}

impl Rows {
    pub fn new(n: usize) -> Self {
        let row = vec![0.0; pass_len(n) + n];
        Self {
            n,
            a: row.clone(),
            b: row,
        }
    }

    /// Fold each window that ends in the last `out.len()` values of `piece`.
    ///
    /// `piece` holds `n - 1` values more than `out`, NaN where the series has not begun; `out` has at most
    /// [`pass_len`] values; `clean` is [`known`] of the piece. NaN where a window holds a NaN.
    #[inline(always)]
    pub fn fold<F: Fold>(&mut self, piece: &[f64], clean: bool, out: &mut [f64]) {
        let n = self.n;
        if !clean {
            let row = &mut self.a[..piece.len()];
            rolling::<F>(piece, row, &mut vec![f64::NAN; n]);
            out.copy_from_slice(&row[n - 1..]);
            return;
        }
        let mut w = 1;
        let (mut from, mut to) = (&mut self.a, &mut self.b);
        while 4 * w <= n {
            let row = if w == 1 { piece } else { from.as_slice() };
            // windows of 4w values start at least that many before the end
            quad::<F>(row, [0, w, 2 * w, 3 * w], &mut to[..piece.len() + 1 - 4 * w]);
            core::mem::swap(&mut from, &mut to);
            w *= 4;
        }
        let row = if w == 1 { piece } else { from.as_slice() };
        let last = n - w;
        quad::<F>(row, [0, w.min(last), (2 * w).min(last), last], out);
    }
}

/// `out[i] = fold of x[i + gap]` over the four gaps.
#[inline(always)]
fn quad<F: Fold>(x: &[f64], gaps: [usize; 4], out: &mut [f64]) {
    let m = out.len();
    let [a, b, c, d] = gaps.map(|g| &x[g..g + m]);
    for i in 0..m {
        out[i] = F::fold_known(F::fold_known(a[i], b[i]), F::fold_known(c[i], d[i]));
    }
}

/// Fold every window of a whole series; NaN before index `n - 1`.
#[inline(always)]
pub(crate) fn extremes<F: Fold>(x: &[f64], rows: &mut Rows, out: &mut [f64]) {
    let lead = rows.n - 1;
    let pass = pass_len(rows.n);
    let mut head = vec![f64::NAN; lead];
    for (k, o) in out.chunks_mut(pass).enumerate() {
        let start = k * pass;
        if start < lead {
            // only the first pass: pass_len exceeds the lead
            head.extend_from_slice(&x[..o.len()]);
            rows.fold::<F>(&head, false, o);
        } else {
            let piece = &x[start - lead..start + o.len()];
            rows.fold::<F>(piece, known(piece), o);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::two_stack::{Max, Min};

    #[test]
    fn equals_the_two_stack_form() {
        let mut x: Vec<f64> = (0..1500).map(|i| (f64::from(i * i) * 0.37).sin()).collect();
        x[700] = f64::NAN;
        for n in [1, 2, 3, 4, 5, 14, 20, 64, 255, 600, 1500, 1600] {
            let (mut got, mut want) = (vec![0.0; 1500], vec![0.0; 1500]);
            extremes::<Max>(&x, &mut Rows::new(n), &mut got);
            rolling::<Max>(&x, &mut want, &mut vec![f64::NAN; n]);
            assert!(
                got.iter()
                    .zip(&want)
                    .all(|(a, b)| a == b || (a.is_nan() && b.is_nan())),
                "{n}"
            );
            extremes::<Min>(&x, &mut Rows::new(n), &mut got);
            rolling::<Min>(&x, &mut want, &mut vec![f64::NAN; n]);
            assert!(
                got.iter()
                    .zip(&want)
                    .all(|(a, b)| a == b || (a.is_nan() && b.is_nan())),
                "{n}"
            );
        }
    }
}
