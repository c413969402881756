//! Scorer of headlines: characters to tokens, tokens to items of a lexicon, items to one number.
//!
//! A text is read up to [`LIMIT`] characters. Its score is `s / (|s| + 4)`, s the sum of what its terms are worth
//! under the rules of [`rules`]; NaN where nothing in it is known. Every step works on code points with its own
//! classes, so that no Unicode table of any version plays a part.

mod rules;
mod tokens;

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use crate::error::{same_len, KernelError, Result};
use rules::{weigh, Item, KINDS, NAME, NUMBER, UNKNOWN, VALENCE};
use tokens::{Form, Reader, Token};

pub use tokens::LIMIT;

const MAX_PHRASE: usize = 6;
/// Numbers per text: score, words, known words, hits, truncated.
pub const TEXT_COLUMNS: usize = 5;

/// FNV-1a: short keys, no attacker to fear, the same on every machine.
#[derive(Clone)]
struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Hasher for Fnv {
    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 32)
    }

    fn write(&mut self, bytes: &[u8]) {
        for &b in bytes {
            self.0 = (self.0 ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    fn write_u64(&mut self, x: u64) {
        self.0 = (self.0 ^ x).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }

    fn write_u32(&mut self, x: u32) {
        self.write_u64(u64::from(x));
    }
}

type Map<K, V> = HashMap<K, V, BuildHasherDefault<Fnv>>;

/// What a scorer knows of one kind of sign.
#[derive(Debug, Default)]
struct Signs {
    single: Map<char, i32>,
    smileys: Vec<(Vec<char>, i32)>,
}

/// One term that counts in a text.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Hit {
    /// First character.
    pub begin: usize,
    /// One behind the last character.
    pub end: usize,
    /// Row of the lexicon; -1 for a signed percentage.
    pub term: i32,
    /// What the lexicon says it is worth.
    pub value: f64,
    /// What it is worth here.
    pub worth: f64,
    /// Bits of the rules that changed it.
    pub rules: u32,
}

/// Buffers of a scorer; one per caller, so that scoring allocates nothing.
#[derive(Debug, Default)]
pub struct TextScratch {
    reader: Reader,
    items: Vec<Item>,
}

/// A lexicon laid out for scoring. Immutable.
#[derive(Debug)]
pub struct TextScorer {
    kinds: Vec<i32>,
    values: Vec<f64>,
    words: Map<Box<[u8]>, u32>,
    signs: Signs,
    roots: Vec<u32>,
    steps: Map<u64, u32>,
    ends: Vec<i32>,
}

fn refuse<T>(row: usize, what: &'static str) -> Result<T> {
    Err(KernelError::Row { row, what })
}

impl TextScorer {
    /// Lay out a lexicon.
    ///
    /// # Errors
    /// [`KernelError::Length`] for columns of different length, [`KernelError::Row`] for a kind or value out of
    /// range, an empty term, a phrase of too many words, or a term that an earlier row has.
    pub fn new<S: AsRef<str>>(texts: &[S], kinds: &[i64], values: &[f64]) -> Result<Self> {
        same_len(texts.len(), kinds.len())?;
        same_len(texts.len(), values.len())?;
        let mut me = Self {
            kinds: Vec::with_capacity(kinds.len()),
            values: values.to_vec(),
            words: Map::default(),
            signs: Signs::default(),
            roots: Vec::new(),
            steps: Map::default(),
            ends: vec![-1],
        };
        for (row, text) in texts.iter().enumerate() {
            let text = text.as_ref();
            let kind = i32::try_from(kinds[row]).unwrap_or(-1);
            if !(0..KINDS).contains(&kind) || values[row].is_nan() || values[row].abs() > 10.0 {
                return refuse(row, "expected a kind from 0 to 12 and a value within 10");
            }
            if text.is_empty() {
                return refuse(row, "expected a term, found an empty text");
            }
            me.kinds.push(kind);
            let mut chars = text.chars();
            let first = chars.next().unwrap_or(' ');
            let alone = chars.next().is_none();
            let smiley =
                !text.chars().any(|c| c.is_ascii_alphanumeric()) || [":D", ":-D", "D:"].contains(&text);
            if alone && !first.is_ascii() {
                me.signs.single.insert(first, row as i32);
            } else if smiley {
                me.signs.smileys.push((text.chars().collect(), row as i32));
            } else {
                me.phrase(text, row)?;
            }
        }
        me.signs
            .smileys
            .sort_by_key(|(sign, row)| (std::cmp::Reverse(sign.len()), *row));
        Ok(me)
    }

    fn phrase(&mut self, text: &str, row: usize) -> Result<()> {
        let mut node = 0;
        for (k, part) in text.split(' ').enumerate() {
            if k == MAX_PHRASE {
                return refuse(row, "expected at most 6 words");
            }
            let next = self.words.len() as u32;
            let word = *self.words.entry(part.as_bytes().into()).or_insert(next);
            if word == next {
                self.roots.push(0);
            }
            let fresh = self.ends.len() as u32;
            let found = if k == 0 {
                let slot = &mut self.roots[word as usize];
                if *slot == 0 {
                    *slot = fresh;
                }
                *slot
            } else {
                *self.steps.entry(edge(node, word)).or_insert(fresh)
            };
            if found == fresh {
                self.ends.push(-1);
            }
            node = found;
        }
        if self.ends[node as usize] >= 0 {
            return refuse(row, "found a term that an earlier row has");
        }
        self.ends[node as usize] = row as i32;
        Ok(())
    }

    /// Score one text into `out`: score, words, known words, hits, truncated (0 or 1).
    pub fn score(
        &self,
        text: impl IntoIterator<Item = char>,
        scratch: &mut TextScratch,
        out: &mut [f64; TEXT_COLUMNS],
    ) {
        let TextScratch { reader, items } = scratch;
        reader.read(text, &self.signs, |word| self.word(word));
        let (words, known) = self.items(&reader.tokens, items);
        let (total, hits) = weigh(items, reader.exclamations, reader.asking, reader.mixed);
        // a text in which next to nothing is known says nothing: 2 in 10 words, of 4 or more
        let strange = (words >= 4 && known * 5 < words) || (known == 0 && hits == 0);
        let score = if strange {
            f64::NAN
        } else {
            total / (total.abs() + 4.0)
        };
        *out = [
            score,
            f64::from(words),
            f64::from(known),
            f64::from(hits),
            f64::from(u8::from(reader.truncated)),
        ];
    }

    /// The terms that count in a text, in its order.
    pub fn explain(&self, text: impl IntoIterator<Item = char>) -> Vec<Hit> {
        let mut scratch = TextScratch::default();
        self.score(text, &mut scratch, &mut [0.0; TEXT_COLUMNS]);
        scratch
            .items
            .iter()
            .filter(|i| i.worth != 0.0)
            .map(|i| Hit {
                begin: i.begin,
                end: i.end,
                term: i.term,
                value: i.value,
                worth: i.worth,
                rules: i.rules,
            })
            .collect()
    }

    /// Number of a word, of `bitcoin's` that of `bitcoin`; -1 if there is none.
    fn word(&self, word: &[u8]) -> i32 {
        let found = self.words.get(word).or_else(|| {
            let stem = word.strip_suffix(b"'s")?;
            self.words.get(stem)
        });
        found.map_or(-1, |&id| id as i32)
    }

    fn items(&self, tokens: &[Token], items: &mut Vec<Item>) -> (u32, u32) {
        items.clear();
        let (mut words, mut known, mut at) = (0, 0, 0);
        while at < tokens.len() {
            let token = &tokens[at];
            if token.form == Form::Sign {
                let (kind, value) = match usize::try_from(token.id) {
                    Ok(row) => (self.kinds[row], self.values[row]),
                    Err(_) => (VALENCE, token.value),
                };
                items.push(Item::new(kind, value, token, token.end, token.id, false));
                at += 1;
                continue;
            }
            let (term, taken) = self.longest(tokens, at);
            let end = tokens[at + taken - 1].end;
            if let Ok(row) = usize::try_from(term) {
                items.push(Item::new(
                    self.kinds[row],
                    self.values[row],
                    token,
                    end,
                    term,
                    token.caps,
                ));
                if self.kinds[row] != NAME {
                    let count = tokens[at..at + taken]
                        .iter()
                        .filter(|t| t.form == Form::Word)
                        .count() as u32;
                    words += count;
                    known += count;
                }
            } else {
                let number = token.form == Form::Number;
                let kind = if number { NUMBER } else { UNKNOWN };
                items.push(Item::new(kind, 0.0, token, end, -1, false));
                words += u32::from(!number);
            }
            at += taken;
        }
        (words, known)
    }

    fn longest(&self, tokens: &[Token], at: usize) -> (i32, usize) {
        let (mut node, mut term, mut taken) = (0, -1, 1);
        for (k, token) in tokens[at..].iter().take(MAX_PHRASE).enumerate() {
            if token.form == Form::Sign || token.id < 0 || token.clause != tokens[at].clause {
                break;
            }
            let next = if k == 0 {
                self.roots[token.id as usize]
            } else {
                self.steps.get(&edge(node, token.id as u32)).copied().unwrap_or(0)
            };
            if next == 0 {
                break;
            }
            node = next;
            if self.ends[node as usize] >= 0 {
                (term, taken) = (self.ends[node as usize], k + 1);
            }
        }
        (term, taken)
    }
}

fn edge(node: u32, word: u32) -> u64 {
    (u64::from(node) << 32) | u64::from(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn small() -> TextScorer {
        let texts = [
            "soars",
            "crash",
            "not",
            "all time high",
            "all",
            "\u{1F680}",
            ":)",
            "bitcoin",
        ];
        let kinds = [2, 2, 5, 1, 0, 1, 1, 11];
        let values = [2.0, -2.0, 0.0, 3.0, 0.0, 2.0, 1.0, 0.0];
        TextScorer::new(&texts, &kinds, &values).unwrap()
    }

    fn judge(text: &str) -> [f64; 5] {
        let mut out = [0.0; 5];
        small().score(text.chars(), &mut TextScratch::default(), &mut out);
        out
    }

    #[test]
    fn hand_worked() {
        assert_eq!(judge("Bitcoin soars"), [2.0 / 6.0, 1.0, 1.0, 1.0, 0.0]);
        assert_eq!(judge("bitcoin's all-time high :)")[0], 4.0 / 8.0);
        assert_eq!(judge("not a crash")[0], 1.2 / 5.2);
        assert_eq!(judge("\u{1F680}\u{1F680}"), [4.0 / 8.0, 0.0, 0.0, 2.0, 0.0]);
        assert!(judge("")[0].is_nan() && judge("unheard of")[0].is_nan());
        assert_eq!(judge("-3.5% +2%")[3], 2.0);
        let hits = small().explain("CRASH it soars".chars());
        assert_eq!((hits[0].begin, hits[0].end, hits[0].term), (0, 5, 1));
        assert_eq!(hits[0].worth, -2.0 * 1.15);
    }

    #[test]
    fn long_texts_are_cut() {
        let text = "crash ".repeat(20_000);
        let out = judge(&text);
        assert_eq!(out[4], 1.0);
        assert_eq!(out[1], (LIMIT as f64 / 6.0).ceil());
    }

    #[test]
    fn bad_lexicons_are_refused() {
        let none: [&str; 1] = [""];
        assert!(TextScorer::new(&none, &[1], &[1.0]).is_err());
        assert!(TextScorer::new(&["a"], &[13], &[1.0]).is_err());
        assert!(TextScorer::new(&["a"], &[1], &[f64::NAN]).is_err());
        assert!(TextScorer::new(&["a", "a"], &[1, 1], &[1.0, 1.0]).is_err());
        assert!(TextScorer::new(&["a b c d e f g"], &[1], &[1.0]).is_err());
        assert!(TextScorer::new(&["a"], &[1], &[1.0, 2.0]).is_err());
    }
}
