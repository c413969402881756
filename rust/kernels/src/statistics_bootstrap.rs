//! Stationary bootstrap (Politis & Romano, 1994): growth, deepest drawdown and sums of resampled paths.
//!
//! Each path draws from a generator of its own, xoshiro128++ (Blackman & Vigna, 2021), whose 128 bits are two numbers
//! of SplitMix64 (Steele, Lea & Flood, 2014) begun at `mix(seed + G * (p + 1))`: a path depends on the seed and its
//! own number only. A step draws 32 bits for where a new block starts and, unless every bar is drawn anew or the path
//! begins, 32 for whether one does. Memory is `O(paths)`, and with figures of the tails `O(paths + returns)`: no path
//! is ever stored, but how often each return was drawn is counted.

use crate::error::{same_len, KernelError, Result};
use crate::simd::{dispatch, Job, F4};
use crate::statistics::{between, Tails};

/// Sums per path beside growth and drawdown: deviations, their squares, squared losses, gains, losses, squared
/// drawdowns.
const SUMS: usize = 6;
/// Figures per path: the sums, bars won, both quantiles, expected shortfall.
pub const PATH_FIGURES: usize = SUMS + 4;
const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;
const WIDTH: usize = 8;
const TILE: usize = 64;

/// What is drawn.
#[derive(Debug, Clone, Copy)]
pub struct Draw {
    /// Bars of a path.
    pub steps: usize,
    /// A block ends before a step when 32 random bits are below this; `2^32` draws every bar anew.
    pub restart: u64,
    /// Seed of all paths.
    pub seed: u64,
    /// Sums of deviations are taken about this value.
    pub center: f64,
    /// Which order statistics of a path are wanted.
    pub tails: Tails,
}

#[inline(always)]
fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

struct Run<'a> {
    returns: &'a [f64],
    draw: Draw,
    growth: &'a mut [f64],
    deepest: &'a mut [f64],
    /// Rows of [`PATH_FIGURES`], or nothing.
    sums: &'a mut [f64],
}

/// Eight paths side by side: their generators, one word of all eight after the other, and where they stand.
struct Cursors {
    words: [[u32; WIDTH]; 4],
    index: [u32; WIDTH],
}

impl Cursors {
    /// At the beginning of the paths from number `first` on.
    fn new(seed: u64, first: usize) -> Self {
        let mut words = [[0; WIDTH]; 4];
        for k in 0..WIDTH {
            let path = (first + k) as u64 + 1;
            let state = mix(seed.wrapping_add(GOLDEN.wrapping_mul(path)));
            let (a, b) = (
                mix(state.wrapping_add(GOLDEN)),
                mix(state.wrapping_add(GOLDEN << 1)),
            );
            for (word, half) in words
                .iter_mut()
                .zip([a as u32, (a >> 32) as u32, b as u32, (b >> 32) as u32])
            {
                word[k] = half;
            }
        }
        Self {
            words,
            index: [0; WIDTH],
        }
    }

    /// The next 32 bits of each path.
    #[inline(always)]
    fn draw(&mut self) -> [u32; WIDTH] {
        let [s0, s1, s2, s3] = &mut self.words;
        let mut out = [0; WIDTH];
        for k in 0..WIDTH {
            out[k] = s0[k].wrapping_add(s3[k]).rotate_left(7).wrapping_add(s0[k]);
            let t = s1[k] << 9;
            s2[k] ^= s0[k];
            s3[k] ^= s1[k];
            s1[k] ^= s2[k];
            s0[k] ^= s3[k];
            s2[k] ^= t;
            s3[k] = s3[k].rotate_left(11);
        }
        out
    }

    /// Which of `n` returns come next, step by step; without `BLOCKS` each is drawn anew.
    #[inline(always)]
    fn walk<const BLOCKS: bool>(&mut self, n: u32, restart: u32, rows: &mut [[u32; WIDTH]]) {
        for row in rows {
            let start = self.draw();
            let whether = if BLOCKS { self.draw() } else { [0; WIDTH] };
            for k in 0..WIDTH {
                let fresh = ((u64::from(start[k]) * u64::from(n)) >> 32) as u32;
                let next = if self.index[k] + 1 == n {
                    0
                } else {
                    self.index[k] + 1
                };
                self.index[k] = if !BLOCKS || whether[k] < restart {
                    fresh
                } else {
                    next
                };
            }
            *row = self.index;
        }
    }
}

/// How often each return was drawn by eight paths, and the returns in their order.
struct Drawn {
    counts: Vec<[u32; WIDTH]>,
    order: Vec<u32>,
}

impl Drawn {
    fn new(x: &[f64]) -> Self {
        // below 2^32: checked
        let mut order: Vec<u32> = (0..x.len() as u32).collect();
        order.sort_unstable_by(|a, b| x[*a as usize].total_cmp(&x[*b as usize]).then(a.cmp(b)));
        Self {
            counts: vec![[0; WIDTH]; x.len()],
            order,
        }
    }

    fn clear(&mut self) {
        self.counts.fill([0; WIDTH]);
    }

    #[inline(always)]
    fn count(&mut self, rows: &[[u32; WIDTH]]) {
        for row in rows {
            for (k, i) in row.iter().enumerate() {
                self.counts[*i as usize][k] += 1;
            }
        }
    }

    /// Bars above 0 of each path.
    #[inline(always)]
    fn won(&self, x: &[f64]) -> [u32; WIDTH] {
        let mut won = [0; WIDTH];
        for (counts, x) in self.counts.iter().zip(x) {
            let counted = u32::from(*x > 0.0);
            for (w, c) in won.iter_mut().zip(counts) {
                *w += c * counted;
            }
        }
        won
    }

    /// Both quantiles and the expected shortfall of one of the paths.
    fn tails(&self, x: &[f64], k: usize, steps: usize, tails: Tails) -> [f64; 3] {
        let whole = tails.mass.floor();
        let edge = whole as usize - usize::from(tails.mass == whole);
        let (first, last) = (tails.low.floor() as usize, tails.high.floor() as usize);
        let second = (first + 1).min(steps - 1);
        let (mut a, mut b, mut boundary) = (f64::NAN, f64::NAN, f64::NAN);
        let (mut seen, mut sum, mut worse, mut below) = (0_usize, 0.0, 0.0, 0_usize);
        for i in &self.order {
            let (v, c) = (x[*i as usize], self.counts[*i as usize][k] as usize);
            let reached = seen + c;
            if (seen..reached).contains(&first) {
                a = v;
            }
            if (seen..reached).contains(&second) {
                b = v;
            }
            if (seen..reached).contains(&edge) {
                (boundary, worse, below) = (v, sum, seen);
            }
            sum += v * c as f64;
            seen = reached;
            if seen > second.max(edge) {
                break;
            }
        }
        let low = between(a, b, tails.low - first as f64);
        let shortfall = -(worse + (tails.mass - below as f64) * boundary) / tails.mass;
        let (top, next) = (steps - 1 - (last + 1).min(steps - 1), steps - 1 - last);
        seen = 0;
        for i in self.order.iter().rev() {
            let reached = seen + self.counts[*i as usize][k] as usize;
            if (seen..reached).contains(&top) {
                b = x[*i as usize];
            }
            if (seen..reached).contains(&next) {
                a = x[*i as usize];
                break;
            }
            seen = reached;
        }
        [low, between(a, b, tails.high - last as f64), shortfall]
    }
}

struct Lanes<V> {
    value: V,
    peak: V,
    worst: V,
    sums: [V; SUMS],
}

impl<V: F4> Lanes<V> {
    #[inline(always)]
    fn new() -> Self {
        let one = V::splat(1.0);
        Self {
            value: one,
            peak: one,
            worst: one,
            sums: [V::splat(0.0); SUMS],
        }
    }

    #[inline(always)]
    fn step<const FULL: bool>(&mut self, r: V, center: V) {
        self.value = self.value.mul(r.add(V::splat(1.0)));
        self.peak = self.value.max(self.peak);
        let kept = self.value.div(self.peak);
        self.worst = kept.min(self.worst);
        if FULL {
            let zero = V::splat(0.0);
            let fell = V::splat(1.0).sub(kept);
            let (d, gain, loss) = (r.sub(center), r.max(zero), r.min(zero));
            let terms = [d, d.mul(d), loss.mul(loss), gain, loss, fell.mul(fell)];
            for (s, t) in self.sums.iter_mut().zip(terms) {
                *s = s.add(t);
            }
        }
    }
}

impl Run<'_> {
    #[inline(always)]
    fn paths<V: F4, const FULL: bool>(self) {
        let (x, draw) = (self.returns, self.draw);
        let center = V::splat(draw.center);
        let (mut tile, mut rows) = ([[0.0; WIDTH]; TILE], [[0_u32; WIDTH]; TILE]);
        // both lie below 2^32: checked, and a restart of 2^32 is the case without blocks
        let (n, restart) = (x.len() as u32, draw.restart as u32);
        let blocks = draw.restart < 1 << 32;
        let count = self.growth.len();
        let mut drawn = Drawn::new(if FULL { x } else { &[] });
        let mut first = 0;
        while first < count {
            drawn.clear();
            let mut cursors = Cursors::new(draw.seed, first);
            let (mut a, mut b) = (Lanes::<V>::new(), Lanes::<V>::new());
            let mut done = 0;
            while done < draw.steps {
                let rows = &mut rows[..TILE.min(draw.steps - done)];
                // the first bar of a path always starts a block
                let (head, tail) = rows.split_at_mut(usize::from(done == 0));
                cursors.walk::<false>(n, restart, head);
                if blocks {
                    cursors.walk::<true>(n, restart, tail);
                } else {
                    cursors.walk::<false>(n, restart, tail);
                }
                if FULL {
                    drawn.count(rows);
                }
                for (values, row) in tile.iter_mut().zip(&*rows) {
                    for (v, i) in values.iter_mut().zip(row) {
                        // SAFETY: every position lies below n
                        *v = unsafe { *x.get_unchecked(*i as usize) };
                    }
                }
                for row in &tile[..rows.len()] {
                    // SAFETY: eight doubles
                    let (l, h) = unsafe { (V::load(row.as_ptr()), V::load(row.as_ptr().add(4))) };
                    a.step::<FULL>(l, center);
                    b.step::<FULL>(h, center);
                }
                done += rows.len();
            }
            let used = WIDTH.min(count - first);
            let put = |a: V, b: V, to: &mut dyn FnMut(usize, f64)| {
                let mut lanes = [0.0; WIDTH];
                // SAFETY: eight doubles
                unsafe {
                    a.store(lanes.as_mut_ptr());
                    b.store(lanes.as_mut_ptr().add(4));
                }
                for (j, v) in lanes[..used].iter().enumerate() {
                    to(j, *v);
                }
            };
            put(a.value, b.value, &mut |j, v| self.growth[first + j] = v);
            put(a.worst, b.worst, &mut |j, v| self.deepest[first + j] = 1.0 - v);
            if FULL {
                for s in 0..SUMS {
                    put(a.sums[s], b.sums[s], &mut |j, v| {
                        self.sums[(first + j) * PATH_FIGURES + s] = v
                    });
                }
                let won = drawn.won(x);
                for (j, won) in won.iter().enumerate().take(used) {
                    let row = &mut self.sums[(first + j) * PATH_FIGURES..][SUMS..PATH_FIGURES];
                    row[0] = f64::from(*won);
                    row[1..].copy_from_slice(&drawn.tails(x, j, draw.steps, draw.tails));
                }
            }
            first += used;
        }
    }
}

impl Job for Run<'_> {
    #[inline(always)]
    fn run<V: F4>(self) {
        if self.sums.is_empty() {
            self.paths::<V, false>()
        } else {
            self.paths::<V, true>()
        }
    }
}

/// Resample `growth.len()` paths from `returns`; `sums` holds rows of [`PATH_FIGURES`] or is empty when nobody wants them.
///
/// # Errors
/// [`KernelError`] for no returns or more than 2^32 - 1, no steps, unequal lengths, or a return that is not finite
/// or below -1.
pub fn bootstrap_paths(
    returns: &[f64],
    draw: Draw,
    growth: &mut [f64],
    deepest: &mut [f64],
    sums: &mut [f64],
) -> Result<()> {
    same_len(growth.len(), deepest.len())?;
    if returns.is_empty() || returns.len() >= 1 << 32 {
        return Err(KernelError::Param("a bootstrap needs from 1 to 2^32 - 1 returns"));
    }
    if draw.steps == 0 || draw.restart == 0 || draw.restart > 1 << 32 {
        return Err(KernelError::Param(
            "a path needs at least one step, and blocks a finite mean length of 1 or more",
        ));
    }
    if !sums.is_empty() {
        same_len(growth.len() * PATH_FIGURES, sums.len())?;
        draw.tails.check(draw.steps)?;
        if draw.steps > u32::MAX as usize {
            return Err(KernelError::Param(
                "figures of a path need at most 2^32 - 1 steps",
            ));
        }
    }
    if let Some(row) = returns.iter().position(|r| !(*r >= -1.0 && *r < f64::INFINITY)) {
        return Err(KernelError::Row {
            row,
            what: "returns: expected a finite return of -1 or more",
        });
    }
    dispatch(Run {
        returns,
        draw,
        growth,
        deepest,
        sums,
    });
    Ok(())
}
