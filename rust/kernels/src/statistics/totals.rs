//! What adds up over the blocks of a sample: sums, moments, extremes, drawdown, runs.

use super::tail::Tail;
use crate::simd::F4;

/// Sums of the powers of deviations from the mean of everything merged so far.
#[derive(Default, Clone, Copy)]
pub(super) struct Central {
    n: f64,
    pub(super) mean: f64,
    pub(super) m2: f64,
    pub(super) m3: f64,
    pub(super) m4: f64,
}

impl Central {
    fn merge(&mut self, b: Self) {
        let a = *self;
        if a.n == 0.0 {
            *self = b;
            return;
        }
        let (n, nab) = (a.n + b.n, a.n * b.n);
        let d = b.mean - a.mean;
        let (d2, f) = (d * d, d / n);
        self.n = n;
        self.mean = a.mean + f * b.n;
        self.m2 = (a.m2 + b.m2) + d2 * (nab / n);
        self.m3 = ((a.m3 + b.m3) + d2 * f * (nab * (a.n - b.n) / n)) + 3.0 * f * (a.n * b.m2 - b.n * a.m2);
        self.m4 = (((a.m4 + b.m4) + d2 * f * f * (nab * (a.n * a.n - nab + b.n * b.n) / n))
            + 6.0 * f * f * (a.n * a.n * b.m2 + b.n * b.n * a.m2))
            + 4.0 * f * (a.n * b.m3 - b.n * a.m3);
    }
}

/// Eight lanes of one running sum.
#[derive(Clone, Copy)]
struct Sum8<V>(V, V);

impl<V: F4> Sum8<V> {
    #[inline(always)]
    fn zero() -> Self {
        Self(V::splat(0.0), V::splat(0.0))
    }
    #[inline(always)]
    fn add(&mut self, a: V, b: V) {
        self.0 = self.0.add(a);
        self.1 = self.1.add(b);
    }
    #[inline(always)]
    fn fold(self) -> f64 {
        let mut l = [0.0; 4];
        // SAFETY: four doubles
        unsafe { self.0.add(self.1).store(l.as_mut_ptr()) }
        (l[0] + l[1]) + (l[2] + l[3])
    }
}

/// Longest run of set bits over words that follow each other.
#[derive(Default)]
pub(super) struct Streak {
    pub(super) longest: u64,
    /// Of the run that reaches the last bit.
    open: u64,
}

impl Streak {
    /// Take the lowest `len` bits of a word; those above are 0.
    #[inline(always)]
    fn take(&mut self, word: u64, len: u32) {
        let whole = u64::MAX >> (64 - len);
        if word == whole {
            self.open += u64::from(len);
            self.longest = self.longest.max(self.open);
            return;
        }
        self.longest = self.longest.max(self.open + u64::from(word.trailing_ones()));
        if u64::from(word.count_ones()) > self.longest {
            let (mut rest, mut run) = (word, 0);
            while rest != 0 {
                // each round shortens every run by one
                rest &= rest << 1;
                run += 1;
            }
            self.longest = self.longest.max(run);
        }
        self.open = u64::from((word << (64 - len)).leading_ones());
    }
}

/// One bit per value of a group of at most 64, as a comparison of four tells.
#[inline(always)]
fn bits<V: F4>(group: &[f64], compare: impl Fn(V) -> u64) -> u64 {
    let mut word = 0;
    for (k, four) in group.chunks_exact(4).enumerate() {
        // SAFETY: four doubles
        word |= compare(unsafe { V::load(four.as_ptr()) }) << (4 * k);
    }
    word
}

/// What adds up over the blocks.
pub(super) struct Totals<V> {
    pub(super) gains: f64,
    pub(super) losses: f64,
    pub(super) downside: f64,
    pub(super) best: V,
    pub(super) worst: V,
    pub(super) central: Central,
    pub(super) deepest: V,
    pub(super) ulcer: f64,
    pub(super) won: u64,
    pub(super) lost: u64,
    pub(super) under: Streak,
    pub(super) losing: Streak,
}

impl<V: F4> Totals<V> {
    pub(super) fn new() -> Self {
        Self {
            gains: 0.0,
            losses: 0.0,
            downside: 0.0,
            best: V::splat(f64::NEG_INFINITY),
            worst: V::splat(f64::INFINITY),
            central: Central::default(),
            deepest: V::splat(0.0),
            ulcer: 0.0,
            won: 0,
            lost: 0,
            under: Streak::default(),
            losing: Streak::default(),
        }
    }

    /// Sums and extremes of a block of whole groups; its sum.
    #[inline(always)]
    pub(super) fn sums(&mut self, x: &[f64]) -> f64 {
        let zero = V::splat(0.0);
        let (mut s, mut g, mut l, mut d) = (Sum8::<V>::zero(), Sum8::zero(), Sum8::zero(), Sum8::zero());
        let (mut best, mut worst) = ([self.best; 2], [self.worst; 2]);
        for c in x.chunks_exact(8) {
            // SAFETY: eight doubles
            let (a, b) = unsafe { (V::load(c.as_ptr()), V::load(c.as_ptr().add(4))) };
            s.add(a, b);
            g.add(a.max(zero), b.max(zero));
            let (la, lb) = (a.min(zero), b.min(zero));
            l.add(la, lb);
            d.add(la.mul(la), lb.mul(lb));
            best = [a.max(best[0]), b.max(best[1])];
            worst = [a.min(worst[0]), b.min(worst[1])];
        }
        self.best = best[0].max(best[1]);
        self.worst = worst[0].min(worst[1]);
        self.gains += g.fold();
        self.losses += l.fold();
        self.downside += d.fold();
        s.fold()
    }

    /// Powers of the deviations from a block's mean; whole groups, filled up with the mean.
    #[inline(always)]
    pub(super) fn moments(&mut self, x: &[f64], mean: f64, bars: usize) {
        let (mut m2, mut m3, mut m4, c) = (Sum8::<V>::zero(), Sum8::zero(), Sum8::zero(), V::splat(mean));
        for group in x.chunks_exact(8) {
            // SAFETY: eight doubles
            let (a, b) = unsafe { (V::load(group.as_ptr()), V::load(group.as_ptr().add(4))) };
            let (a, b) = (a.sub(c), b.sub(c));
            let (a2, b2) = (a.mul(a), b.mul(b));
            m2.add(a2, b2);
            m3.add(a2.mul(a), b2.mul(b));
            m4.add(a2.mul(a2), b2.mul(b2));
        }
        self.central.merge(Central {
            n: bars as f64,
            mean,
            m2: m2.fold(),
            m3: m3.fold(),
            m4: m4.fold(),
        });
    }

    /// Drawdown after each bar of a block: groups of 64, filled up with the peak; the peak after it.
    #[inline(always)]
    pub(super) fn falls(&mut self, value: &[f64], peak: f64, bars: usize) -> f64 {
        let (one, mut top) = (V::splat(1.0), V::splat(peak));
        let mut squares = Sum8::<V>::zero();
        let mut deepest = [self.deepest; 2];
        for (g, group) in value.chunks_exact(64).enumerate() {
            let mut below = 0;
            for (k, eight) in group.chunks_exact(8).enumerate() {
                // SAFETY: eight doubles
                let (a, b) = unsafe { (V::load(eight.as_ptr()), V::load(eight.as_ptr().add(4))) };
                let p = a.running_max(top);
                let q = b.running_max(p.last());
                top = q.last();
                let (d, e) = (one.sub(a.div(p)), one.sub(b.div(q)));
                deepest = [d.max(deepest[0]), e.max(deepest[1])];
                squares.add(d.mul(d), e.mul(e));
                below |= (p.above(a) | q.above(b) << 4) << (8 * k);
            }
            self.under.take(below, 64.min(bars - 64 * g) as u32);
        }
        self.deepest = deepest[0].max(deepest[1]);
        self.ulcer += squares.fold();
        top.first()
    }

    /// Signs of a block, groups of 64 filled up with 0, and what lies in its tails.
    #[inline(always)]
    pub(super) fn signs(&mut self, x: &[f64], bars: usize, low: &mut Tail, high: &mut Tail) {
        let (zero, lo, hi) = (V::splat(0.0), V::splat(low.bound), V::splat(high.bound));
        for (g, group) in x.chunks_exact(64).enumerate() {
            let len = 64.min(bars - 64 * g) as u32;
            let known = u64::MAX >> (64 - len);
            let lost = bits(group, |x: V| zero.above(x));
            self.won += u64::from(bits(group, |x: V| x.above(zero)).count_ones());
            self.lost += u64::from(lost.count_ones());
            self.losing.take(lost, len);
            low.take(group, bits(group, |x: V| lo.above(x)) & known);
            high.take(group, bits(group, |x: V| x.above(hi)) & known);
        }
        for (tail, bound, upper) in [(low, lo, false), (high, hi, true)] {
            if tail.ties {
                let inside = x.chunks_exact(4).map(|four| {
                    // SAFETY: four doubles
                    let x = unsafe { V::load(four.as_ptr()) };
                    let mask = if upper { bound.above(x) } else { x.above(bound) };
                    u64::from(mask.count_ones())
                });
                tail.inside += inside.sum::<u64>();
                // what fills the last group up is 0
                let filled = (x.len() - bars) as u64;
                let counted = if upper { tail.bound > 0.0 } else { tail.bound < 0.0 };
                tail.inside -= filled * u64::from(counted);
            }
        }
    }
}
