//! A tile of bars as rows of doubles and as masks of bits.

use crate::simd::F4;

/// Bars worked on at once: a row of every indicator stays in the second-level cache.
pub(crate) const TILE: usize = 256;
/// Words of a mask.
pub(crate) const WORDS: usize = TILE / 64;

const _: () = assert!(WORDS * 64 == TILE && TILE.is_power_of_two() && TILE <= 1 << 15);

/// One value per bar of a tile; those after the last bar of the series mean nothing.
#[derive(Clone)]
#[repr(C, align(64))]
pub(crate) struct Row(pub [f64; TILE]);

impl Row {
    pub const UNDEFINED: Self = Self([f64::NAN; TILE]);

    /// Four values from bar `i` on.
    #[inline(always)]
    pub fn four<V: F4>(&self, i: usize) -> V {
        let lanes = &self.0[i..i + 4];
        // SAFETY: four doubles
        unsafe { V::load(lanes.as_ptr()) }
    }
}

/// One bit per bar of a tile, the first bar lowest.
pub(crate) type Mask = [u64; WORDS];

/// No bar.
pub(crate) const NONE: Mask = [0; WORDS];

/// Bars at which the signal is long, and those at which it is short.
#[derive(Clone, Copy)]
pub(crate) struct Sides {
    pub up: Mask,
    pub down: Mask,
}

/// Something that can be asked about four bars at a time.
///
/// Closures would do, were it certain that they are compiled into the loop: outside of it lanes are slow.
pub(crate) trait Test<V: F4> {
    /// Bit k is set if bar `i + k` passes.
    fn four(&mut self, i: usize) -> u64;
}

/// Bars that pass.
#[inline(always)]
pub(crate) fn mask<V: F4>(mut test: impl Test<V>) -> Mask {
    let mut out = NONE;
    for (w, word) in out.iter_mut().enumerate() {
        for k in 0..16 {
            *word |= test.four(64 * w + 4 * k) << (4 * k);
        }
    }
    out
}

struct Above<'a>(&'a Row, &'a Row);

impl<V: F4> Test<V> for Above<'_> {
    #[inline(always)]
    fn four(&mut self, i: usize) -> u64 {
        self.0.four::<V>(i).above(self.1.four(i))
    }
}

struct AboveValue<'a, V>(&'a Row, V);

impl<V: F4> Test<V> for AboveValue<'_, V> {
    #[inline(always)]
    fn four(&mut self, i: usize) -> u64 {
        self.0.four::<V>(i).above(self.1)
    }
}

struct BelowValue<'a, V>(&'a Row, V);

impl<V: F4> Test<V> for BelowValue<'_, V> {
    #[inline(always)]
    fn four(&mut self, i: usize) -> u64 {
        self.1.above(self.0.four(i))
    }
}

/// Bars at which `a` is above `b`.
#[inline(always)]
pub(crate) fn above<V: F4>(a: &Row, b: &Row) -> Mask {
    mask::<V>(Above(a, b))
}

/// Bars at which `a` is above `limit`.
#[inline(always)]
pub(crate) fn above_value<V: F4>(a: &Row, limit: f64) -> Mask {
    mask::<V>(AboveValue(a, V::splat(limit)))
}

/// Bars at which `a` is below `limit`.
#[inline(always)]
pub(crate) fn below_value<V: F4>(a: &Row, limit: f64) -> Mask {
    mask::<V>(BelowValue(a, V::splat(limit)))
}

/// Bars at which `a` has a value.
#[inline(always)]
pub(crate) fn known<V: F4>(a: &Row) -> Mask {
    above_value::<V>(a, f64::NEG_INFINITY)
}

/// Combine masks word by word.
#[inline(always)]
pub(crate) fn words<const N: usize>(masks: [&Mask; N], f: impl Fn([u64; N]) -> u64) -> Mask {
    let mut out = NONE;
    for (w, word) in out.iter_mut().enumerate() {
        *word = f(masks.map(|m| m[w]));
    }
    out
}

/// Events that begin and end the two sides of a rule that holds what it began; all are masks of one tile.
pub(crate) struct Events<'a> {
    pub enter_long: &'a Mask,
    pub leave_long: &'a Mask,
    pub enter_short: &'a Mask,
    pub leave_short: &'a Mask,
    /// Bars at which the rule says anything; the side is kept through the others.
    pub live: &'a Mask,
}

/// What a combination still holds from the tile before: bit 0 long, bit 1 short.
pub(crate) type Held = u8;

impl Events<'_> {
    /// The sides held: the first that applies of entering long, entering short and leaving decides a bar. Bars
    /// below are right only if `short`.
    #[inline(always)]
    pub fn sides(&self, held: &mut Held, short: bool) -> Sides {
        let mut sides = Sides { up: NONE, down: NONE };
        let (mut long_in, mut short_in) = (u64::from(*held & 1), u64::from(*held >> 1));
        for w in 0..WORDS {
            let (el, es) = (self.enter_long[w], self.enter_short[w]);
            let long = latch(el, !(self.leave_long[w] | es), &mut long_in);
            sides.up[w] = long & self.live[w];
            if short {
                let down = latch(es & !el, !(self.leave_short[w] | el), &mut short_in);
                sides.down[w] = down & self.live[w];
            }
        }
        *held = (long_in | short_in << 1) as Held;
        sides
    }
}

/// Bit i is `set[i] | (keep[i] & bit[i - 1])`, and `carry` the bit before the first.
///
/// That is how carries run through an addition, so one addition finds all of them.
#[inline(always)]
fn latch(set: u64, keep: u64, carry: &mut u64) -> u64 {
    let either = set | keep;
    let (sum, over) = either.overflowing_add(set);
    let (sum, again) = sum.overflowing_add(*carry);
    *carry = u64::from(over | again);
    set | (either & !sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Deterministic words, some of them dense and some sparse.
    fn words_of(seed: &mut u64) -> u64 {
        let mut next = || {
            *seed ^= *seed << 13;
            *seed ^= *seed >> 7;
            *seed ^= *seed << 17;
            *seed
        };
        let (a, b, c) = (next(), next(), next());
        match c % 3 {
            0 => a,
            1 => a & b & c,
            _ => a | b,
        }
    }

    #[test]
    fn a_latch_is_its_recursion() {
        let (mut seed, mut carry, mut bit) = (7, 0, 0);
        for _ in 0..2_000 {
            let (set, keep) = (words_of(&mut seed), words_of(&mut seed));
            let got = latch(set, keep, &mut carry);
            for i in 0..64 {
                bit = (set >> i & 1) | (keep >> i & 1 & bit);
                assert_eq!(got >> i & 1, bit);
            }
            assert_eq!(carry, bit);
        }
    }

    #[test]
    fn sides_are_those_of_a_walk() {
        let mut seed = 3;
        let mut mask_of = || [0; WORDS].map(|_: u64| words_of(&mut seed) & words_of(&mut seed));
        let (mut held, mut side) = (0, 0);
        for _ in 0..50 {
            let masks = [(); 5].map(|()| mask_of());
            let [el, ll, es, ls, live] = &masks;
            let events = Events {
                enter_long: el,
                leave_long: ll,
                enter_short: es,
                leave_short: ls,
                live,
            };
            let sides = events.sides(&mut held, true);
            for i in 0..TILE {
                let bit = |m: &Mask| m[i / 64] >> (i % 64) & 1 == 1;
                side = if bit(el) {
                    1
                } else if bit(es) {
                    -1
                } else if (side > 0 && bit(ll)) || (side < 0 && bit(ls)) {
                    0
                } else {
                    side
                };
                let said = if bit(live) { side } else { 0 };
                assert_eq!((bit(&sides.up), bit(&sides.down)), (said > 0, said < 0));
            }
        }
    }
}
