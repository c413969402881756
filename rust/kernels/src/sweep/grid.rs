//! What a family of combinations has to tell the walk.

use super::bits::Sides;
use super::run::Market;
use crate::error::{KernelError, Result};
use crate::simd::F4;

/// A grid, its combinations numbered so that those of a group, which share an indicator, follow each other.
pub(crate) trait Grid: Sync {
    /// Indicators and signals of some of the groups.
    type Panel: Panel;

    /// Number of each group's first combination, and at the end how many combinations there are.
    fn firsts(&self) -> &[usize];

    /// A panel of the given groups, before the first bar.
    ///
    /// # Errors
    /// [`KernelError`] for a parameter that an indicator refuses.
    fn panel(&self, groups: &[usize]) -> Result<Self::Panel>;
}

/// Indicators of some groups, and the signals that follow from them.
pub(crate) trait Panel {
    /// Compute what the combinations share for the `len` bars from `at` on; a tile at most, and every bar once.
    fn advance<V: F4>(&mut self, market: &Market<'_>, at: usize, len: usize);

    /// Hand over the signals of every combination, group by group, with its number within the panel. What is
    /// below need not be right unless `short`.
    fn each<V: F4>(&mut self, short: bool, to: &mut impl Take);
}

/// Takes the signals of combinations.
pub(crate) trait Take {
    /// Those of combination `k` of the panel.
    fn take<V: F4>(&mut self, k: usize, sides: &Sides);
}

/// Count up groups of the given sizes.
pub(crate) fn count(sizes: impl Iterator<Item = usize>) -> Vec<usize> {
    let mut firsts = vec![0];
    let mut all = 0_usize;
    for size in sizes {
        all = all.saturating_add(size);
        firsts.push(all);
    }
    firsts
}

/// Windows of an axis: increasing, of at least `least` bars.
pub(crate) fn windows_ok(windows: &[usize], least: usize) -> Result<()> {
    let ordered = windows.windows(2).all(|w| w[0] < w[1]);
    let inside = windows.first().is_some_and(|w| *w >= least);
    if ordered && inside && windows[windows.len() - 1] <= 1 << 31 {
        return Ok(());
    }
    Err(KernelError::Param(
        "the windows of an axis must increase, from the rule's least to at most 2^31 bars",
    ))
}

/// Values of an axis: increasing and within `low..=high`.
pub(crate) fn values_ok(values: &[f64], low: f64, high: f64) -> Result<()> {
    let ordered = values.windows(2).all(|v| v[0] < v[1]);
    let ends = (values.first(), values.last());
    if let (Some(first), Some(last)) = ends {
        if ordered && *first >= low && *last <= high {
            return Ok(());
        }
    }
    Err(KernelError::Param(
        "the values of an axis must increase and lie in the rule's range",
    ))
}

/// The different windows of some lists, and where in them a window is.
pub(crate) struct Distinct(pub Vec<usize>);

impl Distinct {
    pub fn of(windows: impl Iterator<Item = usize>) -> Self {
        let mut all: Vec<usize> = windows.collect();
        all.sort_unstable();
        all.dedup();
        Self(all)
    }

    /// Place of a window that is there.
    pub fn place(&self, window: usize) -> usize {
        self.0.partition_point(|w| *w < window)
    }
}
