//! What the words around a word do to its worth.

use super::tokens::Token;

pub(super) const UNKNOWN: i32 = -1;
pub(super) const NUMBER: i32 = -2;
pub(super) const VALENCE: i32 = 1;
const MOVE: i32 = 2;
const BURDEN: i32 = 3;
const SCALE: i32 = 4;
const NEGATOR: i32 = 5;
const RELIEVER: i32 = 6;
const CONTRAST: i32 = 7;
const CONCESSION: i32 = 8;
const LINK_OF: i32 = 9;
const LINK: i32 = 10;
pub(super) const NAME: i32 = 11;
const LEVEL: i32 = 12;
/// Kinds of terms; 0 is a plain word.
pub(super) const KINDS: i32 = 13;

const SCALED: u32 = 1;
const NEGATED: u32 = 1 << 1;
const RELIEVED: u32 = 1 << 2;
const FLIPPED: u32 = 1 << 3;
const MUTED: u32 = 1 << 4;
const CAPITALS: u32 = 1 << 5;
const CONCEDED: u32 = 1 << 6;
const BEFORE_BUT: u32 = 1 << 7;
const AFTER_BUT: u32 = 1 << 8;
const SPENT: u32 = 1 << 9;

const REACH_NEGATOR: usize = 3;
const REACH_RELIEVER: usize = 4;
const REACH_BURDEN: usize = 3;

/// A term found in a text, or a word that is none; `worth` and `rules` are filled in by [`weigh`].
#[derive(Clone, Copy, Debug)]
pub(super) struct Item {
    pub kind: i32,
    pub value: f64,
    pub clause: u32,
    pub caps: bool,
    pub begin: usize,
    pub end: usize,
    pub term: i32,
    pub worth: f64,
    pub rules: u32,
}

impl Item {
    pub(super) fn new(kind: i32, value: f64, first: &Token, end: usize, term: i32, caps: bool) -> Self {
        Self {
            kind,
            value,
            clause: first.clause,
            caps,
            begin: first.begin,
            end,
            term,
            worth: 0.0,
            rules: 0,
        }
    }
}

/// Fill in what each item is worth; return the sum and the number of items that count.
pub(super) fn weigh(items: &mut [Item], exclamations: u32, asking: bool, mixed: bool) -> (f64, u32) {
    relieve(items);
    turn(items);
    let contrast = (1..items.len()).rev().find(|&at| items[at].kind == CONTRAST);
    let (mut total, mut hits, mut clause, mut conceded) = (0.0, 0, u32::MAX, false);
    for at in 0..items.len() {
        let item = items[at];
        if item.clause != clause {
            (clause, conceded) = (item.clause, false);
        }
        conceded |= item.kind == CONCESSION;
        if item.value == 0.0 || item.rules & SPENT != 0 || !counts(items, at) {
            continue;
        }
        let (mut v, mut rules) = scaled(items, at);
        rules |= item.rules;
        if back(items, at, REACH_NEGATOR).any(|k| items[k].kind == NEGATOR) {
            v *= -0.6;
            rules |= NEGATED;
        }
        if rules & RELIEVED != 0 {
            v *= -0.7;
        }
        if rules & FLIPPED != 0 {
            v *= -0.8;
        }
        if rules & MUTED != 0 {
            v *= 0.2;
        }
        if item.caps && mixed {
            v *= 1.15;
            rules |= CAPITALS;
        }
        if conceded {
            v *= 0.5;
            rules |= CONCEDED;
        }
        match contrast {
            Some(but) if at < but => {
                v *= 0.6;
                rules |= BEFORE_BUT;
            }
            Some(_) => {
                v *= 1.3;
                rules |= AFTER_BUT;
            }
            None => {}
        }
        (items[at].worth, items[at].rules) = (v, rules);
        total += v;
        hits += 1;
    }
    total *= 1.0 + 0.08 * f64::from(exclamations.min(3));
    if asking {
        total *= 0.4;
    }
    (total, hits)
}

/// Whether an item has a worth: a level has one where a figure follows it in its clause.
fn counts(items: &[Item], at: usize) -> bool {
    match items[at].kind {
        LEVEL => items
            .get(at + 1)
            .is_some_and(|next| next.kind == NUMBER && next.clause == items[at].clause),
        kind => matches!(kind, VALENCE | MOVE | BURDEN | RELIEVER),
    }
}

/// The places before an item in its clause, nearest first.
fn back(items: &[Item], at: usize, reach: usize) -> impl Iterator<Item = usize> + '_ {
    (at.saturating_sub(reach)..at)
        .rev()
        .take_while(move |&k| items[k].clause == items[at].clause)
}

/// Let each word of relief turn what it ends, prevents or refuses: the next thing, or in the passive the one before.
fn relieve(items: &mut [Item]) {
    let feels = |i: &Item| matches!(i.kind, VALENCE | MOVE | BURDEN) && i.value != 0.0;
    for at in 0..items.len() {
        let (kind, clause, value) = (items[at].kind, items[at].clause, items[at].value);
        if kind != RELIEVER {
            continue;
        }
        let ahead = at + 1..items.len().min(at + 1 + REACH_RELIEVER);
        let mut found = ahead
            .take_while(|&k| items[k].clause == clause)
            .find(|&k| feels(&items[k]));
        if found.is_none() {
            for k in back(items, at, 2) {
                if feels(&items[k]) {
                    found = Some(k);
                }
                if !matches!(items[k].kind, LINK | LINK_OF) {
                    break;
                }
            }
        }
        if let Some(k) = found {
            let other = items[k];
            if (other.value < 0.0 || value <= 0.0) && other.rules & RELIEVED == 0 {
                items[k].rules |= RELIEVED;
                items[at].rules |= SPENT;
            }
        }
    }
}

/// A burden that falls is good news: the move changes its sign, the burden itself hardly counts.
fn turn(items: &mut [Item]) {
    for at in 0..items.len() {
        if items[at].kind != MOVE {
            continue;
        }
        let mut found = None;
        for k in back(items, at, REACH_BURDEN) {
            if items[k].kind == BURDEN {
                found = Some(k);
            }
            if !matches!(items[k].kind, NUMBER | SCALE | LINK_OF | LINK) {
                break;
            }
        }
        if found.is_none() {
            for k in at + 1..items.len().min(at + 3) {
                if items[k].clause != items[at].clause {
                    break;
                }
                if items[k].kind == BURDEN {
                    found = Some(k);
                }
                if items[k].kind != LINK_OF {
                    break;
                }
            }
        }
        if let Some(k) = found {
            if items[k].rules & RELIEVED == 0 {
                items[at].rules |= FLIPPED;
                items[k].rules |= MUTED;
            }
        }
    }
}

/// The value times the nearest scaling word: one of the two before it, or the one behind a move.
fn scaled(items: &[Item], at: usize) -> (f64, u32) {
    let item = &items[at];
    for k in back(items, at, 2) {
        if items[k].kind == SCALE {
            let factor = items[k].value;
            let near = if k + 1 == at {
                factor
            } else {
                1.0 + (factor - 1.0) * 0.7
            };
            return (item.value * near, SCALED);
        }
    }
    if item.kind == MOVE {
        if let Some(after) = items.get(at + 1) {
            if after.clause == item.clause && after.kind == SCALE {
                return (item.value * after.value, SCALED);
            }
        }
    }
    (item.value, 0)
}
