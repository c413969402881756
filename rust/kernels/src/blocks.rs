//! Where running sums restart: a grid of blocks fixed to the absolute bar index.

/// Bars between two restarts of the running sums of a window of `window` bars.
///
/// 256, or about four windows when those are longer, so that a restart (which costs one window)
/// stays a small share of the work. Blocks count from the first bar that has a full window.
pub fn block_len(window: usize) -> usize {
    256 * window.div_ceil(64)
}

/// Bound on |running sum| / |newest input| above which a sum restarts early.
///
/// A running sum of at most `block_len` steps carries a rounding error of at most
/// `block_len * eps / 2 * max|s|`; the mean's share of it stays below 1e-12 of the newest input as
/// long as `max|s| <= limit * |x|`.
pub(crate) fn restart_limit(window: usize) -> f64 {
    9000.0 * window as f64 / block_len(window) as f64
}
