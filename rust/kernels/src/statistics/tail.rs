//! The tails of a sample: what lies beyond bounds that were guessed, and the values at given ranks of it.

use super::{Source, Tails};
use std::cell::Cell;

/// Longest sample whose tails are sought without a guess.
const SMALL: usize = 4096;
/// Fewest and most values of the sample that guesses where a tail begins.
const SAMPLE: (usize, usize) = (1024, 4096);
/// Longest buffer that a thread keeps for its next sample: fresh pages would cost a tenth of the whole pass.
const KEPT: usize = 1 << 17;

thread_local! {
    static ROOM: Cell<[Vec<f64>; 3]> = const { Cell::new([Vec::new(), Vec::new(), Vec::new()]) };
}

/// Empty buffers, those of the thread's last sample if it kept them.
pub(crate) fn room() -> [Vec<f64>; 3] {
    let mut room = ROOM.take();
    room.iter_mut().for_each(Vec::clear);
    room
}

/// Keep buffers for the thread's next sample, unless they are long.
pub(crate) fn give_back(room: [Vec<f64>; 3]) {
    ROOM.set(room.map(|b| if b.capacity() <= KEPT { b } else { Vec::new() }));
}

/// What lies in one tail.
pub(crate) struct Tail {
    pub(crate) bound: f64,
    /// Whether so many values may equal the bound that they are better counted than gathered.
    pub(crate) ties: bool,
    /// Values beyond the bound, in the order in which they came.
    pub(crate) beyond: Vec<f64>,
    /// Values on the other side of it, counted only where there are ties.
    pub(crate) inside: u64,
}

impl Tail {
    fn new(bound: f64, ties: bool, beyond: Vec<f64>) -> Self {
        Self {
            bound,
            ties,
            beyond,
            inside: 0,
        }
    }

    /// Take the values of a group of at most 64 whose bits are set.
    #[inline(always)]
    pub(super) fn take(&mut self, x: &[f64], mut beyond: u64) {
        self.beyond.reserve(64);
        let mut len = self.beyond.len();
        while beyond != 0 {
            // SAFETY: room for 64 more was reserved, and a word has as many bits
            unsafe { *self.beyond.as_mut_ptr().add(len) = x[beyond.trailing_zeros() as usize] };
            len += 1;
            beyond &= beyond - 1;
        }
        // SAFETY: everything below `len` was written
        unsafe { self.beyond.set_len(len) };
    }
}

/// The tails to gather into two buffers: bounds guessed from a sample, or everything where the sample is small.
pub(super) fn guess(
    source: &Source<'_>,
    bars: usize,
    tails: Tails,
    low: Vec<f64>,
    high: Vec<f64>,
) -> (Tail, Tail) {
    if bars <= SMALL {
        return everything(low, high);
    }
    let size = (bars / 16).clamp(SAMPLE.0, SAMPLE.1);
    let mut sample: Vec<f64> = (0..size).map(|i| source.at(i * bars / size)).collect();
    let share = tails.low.max(tails.mass).max(bars as f64 - tails.high) / bars as f64;
    // the sample's quantile wanders: four standard errors and some
    let wander = 4.0 * (share * (1.0 - share).max(0.0) / size as f64).sqrt();
    let j = (((share + wander) * size as f64) as usize + 4).min(size - 1);
    let mut tail = |k: usize, room: Vec<f64>| {
        let bound = nth(&mut sample, k);
        let ties = sample.iter().filter(|v| **v == bound).count() > 1;
        Tail::new(bound, ties, room)
    };
    (tail(j, low), tail(size - 1 - j, high))
}

/// The tails that hold every value.
pub(super) fn everything(mut low: Vec<f64>, mut high: Vec<f64>) -> (Tail, Tail) {
    low.clear();
    high.clear();
    (
        Tail::new(f64::INFINITY, false, low),
        Tail::new(f64::NEG_INFINITY, false, high),
    )
}

fn nth(values: &mut [f64], k: usize) -> f64 {
    *values.select_nth_unstable_by(k, f64::total_cmp).1
}

impl Tail {
    /// Whether a rank, counted from the outermost value, is known.
    pub(super) fn holds(&self, rank: usize, bars: usize) -> bool {
        rank < if self.ties {
            bars - self.inside as usize
        } else {
            self.beyond.len()
        }
    }
}

/// The values at ascending ranks of a tail, counted from its outermost value; `beyond` is put into disorder.
pub(super) fn at_ranks<const N: usize>(
    beyond: &mut [f64],
    bound: f64,
    upper: bool,
    ranks: [usize; N],
) -> [f64; N] {
    let order = |a: &f64, b: &f64| if upper { b.total_cmp(a) } else { a.total_cmp(b) };
    let (mut out, mut from) = ([bound; N], 0);
    for i in 0..N {
        let k = ranks[i];
        if i > 0 && k == ranks[i - 1] {
            out[i] = out[i - 1];
        } else if k < beyond.len() {
            // everything before `from` lies further out
            out[i] = *beyond[from..].select_nth_unstable_by(k - from, order).1;
            from = k + 1;
        }
    }
    out
}
